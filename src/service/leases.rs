//! A change is done once no gate answers any more by what was before.
//!
//! Most gates prove each answer, and nobody waits for them. Of one that answers from memory for a while (see
//! [`crate::domain::freshness`]) it is waited for the word that it has applied the change, or until its lease has run out: that
//! is measured here, from after the commit, by a clock that nobody sets, whatever the gate's last sign says. The lease stands in
//! the gate's row before it is used, so that who finds none after the commit has nobody to wait for.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant as Moment, sleep, timeout};
use uuid::Uuid;

use super::error::Result;
use crate::domain::Instant;
use crate::store::{Lease, Store};

/// How often the gates' rows are looked at: soon at first, for most answer within a moment.
const LOOKS: [Duration; 2] = [Duration::from_millis(2), Duration::from_millis(15)];
/// How long each may take.
const ANSWER: Duration = Duration::from_secs(1);
/// Looks of the first kind.
const SOON: u32 = 10;

/// Gates that did not confirm before their lease ran out, and up to which number of the audit that is over.
pub(super) type RanOut = Vec<(Uuid, i64)>;

/// Waits until every gate has applied what is committed by now, or can't answer from before that any more.
pub(super) async fn run_out(store: &Store) -> Result<RanOut> {
    // Before the first look, and so after the commit.
    let begun = Moment::now();
    let mut ran_out = RanOut::new();
    let found = store.leases().await?;
    // All were read at one moment.
    let Some(head) = found.first().map(|lease| lease.head) else { return Ok(ran_out) };
    let mut open: Vec<Lease> = found.into_iter().filter(|lease| lease.applied < head).collect();
    for look in 0.. {
        open.retain(|lease| {
            let over = begun.elapsed() >= lease.freshness.over_after();
            if over {
                ran_out.push((lease.gate, head));
            }
            !over
        });
        if open.is_empty() {
            break;
        }
        sleep(LOOKS[usize::from(look >= SOON)]).await;
        // While the database gives no answer nobody confirms, and time goes on.
        if let Ok(Ok(now)) = timeout(ANSWER, store.leases()).await {
            // One that is not there any more has signed off.
            open.retain(|lease| now.iter().any(|now| now.gate == lease.gate && now.applied < head));
        }
    }
    Ok(ran_out)
}

/// What this process knows of leases that ran out, for receipts.
#[derive(Default)]
pub(super) struct Leases(Mutex<HashMap<Uuid, (i64, Instant)>>);

impl Leases {
    /// Takes note that they ran out by this time.
    pub(super) fn note(&self, ran_out: &[(Uuid, i64)], at: Instant) {
        let mut known = self.0.lock();
        for (gate, seq) in ran_out {
            let newest = known.entry(*gate).or_insert((*seq, at));
            if newest.0 < *seq {
                *newest = (*seq, at);
            }
        }
    }

    /// When a gate's lease had run out that it had before this change, if it is known to.
    pub(super) fn ran_out(&self, gate: Uuid, seq: i64) -> Option<Instant> {
        self.0.lock().get(&gate).filter(|(known, _)| *known >= seq).map(|(_, at)| *at)
    }
}
