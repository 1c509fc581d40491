//! The task that says in the database that the gate is alive, and how far it has applied what changed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};
use uuid::Uuid;

use super::inner::Inner;
use crate::domain::Instant;
use crate::service::error::Result;
use crate::store::GateRow;

/// Gates that were not heard of for so long are taken off the list.
pub(in crate::service) const GONE: chrono::Duration = chrono::Duration::days(1);
const SWEEP: Duration = Duration::from_secs(60 * 60);

/// Whether a gate can be held for alive: its last sign is no older than two of its leases.
pub(in crate::service) fn is_alive(gate: &GateRow, now: Instant) -> bool {
    now - gate.beat_at <= chrono::Duration::milliseconds(gate.lease_ms.saturating_mul(2))
}

/// The gates on a database, as one of them sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbours {
    /// How many are alive, this one included.
    pub living: usize,
    /// Those that live beside this one, and those of them that have its name.
    pub others: usize,
    pub namesakes: usize,
}

/// The gates on this database.
pub(super) async fn neighbours(inner: &Inner) -> Result<Neighbours> {
    let since = inner.now() - GONE;
    let gates = inner.store.gates(since).await?;
    let now = inner.now();
    let own = &inner.row;
    let began = gates.iter().find(|gate| gate.id == own.id).map(|gate| gate.began_at);
    let living: Vec<_> = gates.iter().filter(|gate| is_alive(gate, now)).collect();
    // One that fell silent before this gate began may be what this gate was before it crashed.
    let others = |gate: &&&GateRow| gate.id != own.id && began.is_some_and(|began| gate.beat_at > began);
    Ok(Neighbours {
        living: living.len(),
        others: living.iter().filter(others).count(),
        namesakes: living.iter().filter(others).filter(|gate| gate.name.as_str() == own.name).count(),
    })
}

pub(super) async fn run(inner: Arc<Inner>) {
    let beat = (inner.settings.lease / 3).max(Duration::from_millis(1));
    let mut tick = interval(beat);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sweep = interval(SWEEP);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut failing, mut silent) = (false, HashMap::new());
    let stopped = inner.stopped();
    tokio::pin!(stopped);
    loop {
        let sweeping = tokio::select! {
            () = &mut stopped => return,
            () = inner.grown.notified() => false,
            _ = tick.tick() => false,
            _ = sweep.tick() => true,
        };
        if sweeping {
            let before = inner.proof.now() - GONE;
            let _ = inner.store.forget_gates(before).await;
            let _ = forget_leases(&inner, before, &mut silent).await;
            continue;
        }
        // Who has no proof has nothing to say.
        if inner.proof.age() > inner.settings.lease {
            continue;
        }
        let told =
            timeout(inner.settings.lease, tell(&inner)).await.unwrap_or_else(|_| Err(inner.no_answer()));
        match told {
            Ok(()) => failing = false,
            Err(error) if !failing => {
                failing = true;
                tracing::warn!(%error, "the gate could not say that it is alive: consoles hold it for out of touch");
            }
            Err(_) => {}
        }
    }
}

/// Takes away the rows of broken gates with leases. A clock that was set wrong makes nobody's row go: what counts is that
/// nothing was heard since the sweep before.
async fn forget_leases(inner: &Inner, before: Instant, silent: &mut HashMap<Uuid, Instant>) -> Result<()> {
    let leases = inner.store.leases().await?;
    let old = leases.iter().filter(|lease| lease.heard_at < before);
    let now: HashMap<Uuid, Instant> = old.map(|lease| (lease.gate, lease.heard_at)).collect();
    for (gate, heard) in &now {
        if silent.get(gate) == Some(heard) {
            inner.store.forget_lease(*gate, *heard).await?;
        }
    }
    *silent = now;
    Ok(())
}

async fn tell(inner: &Inner) -> Result<()> {
    let (applied, at) = (*inner.applied.borrow(), inner.proof.micros());
    if !inner.store.beat_gate(inner.row.id, applied, &inner.clock).await? {
        // It was away for so long that others struck it off.
        inner.store.register_gate(&inner.row, applied, &inner.clock).await?;
    }
    inner.was_heard(at);
    // Of what was committed and told to nobody as done this gate hears by this alone.
    match inner.store.seal_left().await {
        Ok(true) => {
            tracing::info!("a committed change now has its number: its client had disconnected before")
        }
        Ok(false) => {}
        Err(error) => tracing::warn!(%error, "a change that is committed could not be numbered"),
    }
    Ok(())
}
