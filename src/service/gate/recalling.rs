//! The task that remembers how far the database had come, and says so loudly when it went back.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::inner::Inner;
use crate::domain::when::Zone;
use crate::service::memory::{Memory, Pace};
use crate::store::Location;

/// How long changes wait to be remembered.
const PAUSE: Duration = Duration::from_secs(2);
/// What a gate's log says to do.
const CURE: &str = "revocations that are undone work again: see `keyrack audit undone --memory FILE`, make them again with \
                    `keyrack key revoke --undone --memory FILE`";

pub(super) async fn run(inner: Arc<Inner>) {
    let Some(folder) = inner.settings.memory.clone() else { return };
    let location = inner.store.location();
    // The login of a gate can't read all of the audit.
    let memory = Memory::new(folder, location, matches!(location, Location::Sqlite(_)));
    let mut changes = inner.applied.subscribe();
    let stopped = inner.stopped();
    tokio::pin!(stopped);
    let (mut alarm, mut fault, mut ending) = (None, None, false);
    loop {
        changes.mark_unchanged();
        if let Ok(history) = memory.look(&inner.store, inner.now(), Pace::AtOnce).await {
            let told = history.alarm(Zone::UTC);
            inner.gone.store(told.is_some(), Ordering::Relaxed);
            if told != alarm {
                match &told {
                    Some(told) => {
                        let file = history.kept.map(|(_, _, file)| file).unwrap_or_default();
                        tracing::error!(file, "{told}. {CURE}");
                    }
                    None => tracing::info!("what went back with the database is settled"),
                }
                alarm = told;
            }
            if history.fault != fault {
                if let Some(why) = &history.fault {
                    tracing::warn!(why, "how far the database had come is not remembered");
                }
                fault = history.fault;
            }
        }
        if ending {
            return;
        }
        tokio::select! {
            () = &mut stopped => return,
            changed = changes.changed() => if changed.is_err() { return },
        }
        tokio::select! {
            () = &mut stopped => ending = true,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}
