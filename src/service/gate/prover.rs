//! The task that reads the audit's number for all who wait, and forgets what changed before it wakes them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};

use super::super::{Location, Result};
use super::proof::State;
use super::{Inner, store};
use crate::domain::Instant;
use crate::store::{Pulse, Touched};

/// How often an idle gate reads. On PostgreSQL it is also told of changes, if the listening connection lives (H10).
const SQLITE: Duration = Duration::from_millis(100);
const POSTGRES: Duration = Duration::from_millis(500);
/// How often it looks whether a SQLite database changed, which costs next to nothing: a revocation is confirmed as soon.
const GLANCE: Duration = Duration::from_millis(20);
/// After a failure, before the next try.
const PAUSE: Duration = Duration::from_millis(25);
/// With more changes than this to catch up with, everything is forgotten instead.
const MANY: i64 = 10_000;

/// Whatever ends this task, nobody waits for it in vain.
struct LastWord(Arc<Inner>);

impl Drop for LastWord {
    fn drop(&mut self) {
        self.0.proof.fail(u64::MAX);
    }
}

pub(super) async fn run(inner: Arc<Inner>, pulse: Pulse) {
    let _last = LastWord(Arc::clone(&inner));
    let (idle, glance) = match inner.store.location() {
        Location::Sqlite(_) => (SQLITE, GLANCE),
        Location::Postgres(_) => (POSTGRES, POSTGRES),
    };
    // Often enough that an idle gate is never taken for one that is out of touch.
    let idle = idle.min(inner.settings.lease / 3);
    let mut tick = interval(glance.min(idle).max(Duration::from_millis(1)));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut pulse = Some(pulse);
    let mut failing = false;
    let stopped = inner.stopped();
    tokio::pin!(stopped);
    loop {
        tokio::select! {
            biased;
            () = &mut stopped => return,
            () = inner.proof.wanted() => {}
            _ = tick.tick() => {
                if inner.proof.age() < idle && inner.proof.is_unmoved() {
                    continue;
                }
            }
        }
        // Whoever is ready to ask does so first: one reading serves them all.
        tokio::task::yield_now().await;
        let round = inner.proof.begin();
        let began_at = inner.proof.micros();
        // A connection that failed or is late is good for nothing more: its next answer may be to another question.
        let answer = match timeout(inner.settings.lease, look(&inner, pulse.take())).await {
            Ok(answer) => answer,
            Err(_) => Err(inner.no_answer()),
        };
        match answer {
            Ok((used, seq, now, state)) => {
                pulse = Some(used);
                inner.proof.succeed(round, began_at, inner.proof.micros(), now, state);
                if std::mem::take(&mut failing) {
                    tracing::info!("the database answers again");
                }
                if *inner.applied.borrow() != seq {
                    inner.applied.send_replace(seq);
                    inner.grown.notify_one();
                }
            }
            Err(error) => {
                inner.proof.fail(round);
                if !std::mem::replace(&mut failing, true) {
                    tracing::error!(%error, "no proof from the database: every request is refused until it answers");
                    // Who holds an answer open must hear of it.
                    inner.applied.send_modify(|_| {});
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// One reading. Gives the connection back if all went well, the audit's number, the time, and the state of the database
/// that all this is at least as new as.
async fn look(inner: &Inner, pulse: Option<Pulse>) -> Result<(Pulse, i64, Instant, Option<State>)> {
    let mut pulse = match pulse {
        Some(pulse) => pulse,
        None => inner.store.pulse().await?,
    };
    let state = pulse.state()?;
    let (seq, now) = pulse.head(&inner.clock).await?;
    let applied = *inner.applied.borrow();
    if seq != applied {
        if seq < applied {
            tracing::error!(
                applied,
                seq,
                "the database is older than it was: was a backup put in its place?"
            );
            inner.floor.store(seq, Ordering::SeqCst);
            forget_all(inner);
        } else if seq - applied > MANY {
            inner.floor.store(seq, Ordering::SeqCst);
            forget_all(inner);
        } else {
            let touched = pulse.touched(applied, seq).await?;
            if touched.len() as i64 != seq - applied {
                return Err(store::Error::Corrupt("rows of the audit are missing".into()).into());
            }
            // First the floor, then what lies below it: what is read at this moment is judged by one or the other.
            inner.floor.store(seq, Ordering::SeqCst);
            forget(inner, &touched);
        }
    }
    Ok((pulse, seq, now, state))
}

fn forget_all(inner: &Inner) {
    inner.drop_policies();
    inner.cache.clear();
}

/// Forgets what these changes touch. What is not understood, because a newer Keyrack did it, touches everything.
fn forget(inner: &Inner, touched: &[Touched]) {
    // Rows come in the order of their numbers: the last change of each is the one that counts.
    let mut keys = HashMap::new();
    let mut accounts = HashMap::new();
    for row in touched {
        match row.action.split_once('.').map_or("", |(noun, _)| noun) {
            "key" => match row.key {
                Some(key) => {
                    keys.insert(key, row.seq);
                }
                None => return forget_all(inner),
            },
            "account" => match &row.account {
                Some(account) => {
                    accounts.insert(account.clone(), row.seq);
                }
                None => return forget_all(inner),
            },
            "operator" | "reminder" | "sweep" | "alert" => {}
            _ => return forget_all(inner),
        }
    }
    inner.cache.drop_keys(&keys);
    if !accounts.is_empty() {
        inner.cache.drop_accounts(&accounts);
    }
}

/// Has the database looked at whenever it says that something changed.
pub(super) async fn listen(inner: Arc<Inner>) {
    let mut ear = inner.store.ear();
    let stopped = inner.stopped();
    tokio::pin!(stopped);
    loop {
        tokio::select! {
            () = &mut stopped => return,
            () = ear.hear() => inner.proof.kick(),
        }
    }
}
