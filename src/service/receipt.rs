//! The receipt of a revocation: which gate has applied it, and how soon.

use std::time::Duration;

use serde::Serialize;

use super::gate::{GONE, is_alive};
use super::{Result, Service};
use crate::domain::Instant;
use crate::domain::freshness::Freshness;
use crate::domain::key::KeyId;
use crate::domain::text::SafeText;
use crate::store::GateRow;

/// How long a gate may take before a person is told that it has not confirmed.
pub const PATIENCE: Duration = Duration::from_secs(3);
/// How often the gates' rows are looked at meanwhile.
const LOOK: Duration = Duration::from_millis(10);

/// Where nothing enforces the keys that is known here, nobody can say who still takes one.
pub const NO_GATE: &str =
    "this database knows no gate: services that check keys without a gate may still accept it";

/// What the gates say to a revocation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// The audit's number of the last of the revocations.
    pub seq: i64,
    /// When that was, by the database's clock.
    pub at: Instant,
    /// Every gate that was heard of within a day, by name.
    pub gates: Vec<GateReceipt>,
    /// Why the database may lose the revocation although it confirmed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weakness: Option<&'static str>,
}

/// What one gate says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GateReceipt {
    pub name: SafeText,
    pub host: SafeText,
    pub listen: SafeText,
    #[serde(flatten)]
    pub state: GateState,
}

/// Whether a gate has applied a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, derive_more::Display, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum GateState {
    /// It has, so many milliseconds after the change at the most.
    #[display("confirmed after {after_ms} ms")]
    Confirmed { after_ms: u64 },
    /// It has not, but what it may have remembered from before is too old by now: it asks the database about each request.
    #[display("has not confirmed; its lease ran out at {}, so it no longer answers from older data", at.format("%Y-%m-%d %H:%M:%SZ"))]
    LeaseRanOut { at: Instant },
    /// It is alive and has not said so.
    #[display("has not confirmed")]
    Waiting,
    /// It has not been heard of since then. It lets nothing pass that it can't ask the database about, so it refuses
    /// everything by itself.
    #[display("out of touch since {}; it refuses everything until it reaches the database again", since.format("%Y-%m-%d %H:%M:%SZ"))]
    OutOfTouch { since: Instant },
}

/// A gate that was heard of within a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GateStanding {
    pub name: SafeText,
    pub host: SafeText,
    pub listen: SafeText,
    pub version: SafeText,
    pub began_at: Instant,
    /// Its last sign.
    pub heard_at: Instant,
    pub alive: bool,
    /// How current its answers are.
    pub freshness: Freshness,
    /// The audit's number up to which it has applied every change.
    pub applied: i64,
}

impl Receipt {
    /// Whether no gate is left that is alive and has not confirmed.
    pub fn is_complete(&self) -> bool {
        self.waiting().next().is_none()
    }

    /// The gates that are alive and have not confirmed.
    pub fn waiting(&self) -> impl Iterator<Item = &GateReceipt> {
        self.gates.iter().filter(|gate| gate.state == GateState::Waiting)
    }
}

impl Service {
    /// Waits until every gate that is alive has applied the revocation, pause or resumption of these keys, or patience ends. Of
    /// those that answer from memory what was changed here was waited for before.
    ///
    /// Measured from the audit's record of the revocation to the gate's own, both by the database's clock.
    ///
    /// Of keys whose revocation is older than the audit, everything up to now counts.
    pub async fn receipt(&self, keys: &[KeyId], patience: Duration) -> Result<Receipt> {
        self.look().await?;
        let store = &self.inner.store;
        // Who may not have it numbered waits for who does.
        let _ = store.seal_committed().await;
        let (seq, at) = match store.stopped_in(keys).await? {
            Some(recorded) => recorded,
            None => (store.audit_head().await?.map_or(0, |(seq, _)| seq), self.now().await?),
        };
        let begun = tokio::time::Instant::now();
        // The first sign of a gate that it has applied the change is the one that counts.
        let mut confirmed: std::collections::HashMap<uuid::Uuid, u64> = std::collections::HashMap::new();
        loop {
            let now = self.now().await?;
            let rows = store.gates(now - GONE).await?;
            let gates = rows.into_iter().map(|row| {
                if row.applied_seq >= seq {
                    confirmed.entry(row.id).or_insert_with(|| {
                        u64::try_from((row.applied_at - at).num_milliseconds()).unwrap_or(0)
                    });
                }
                let state = match confirmed.get(&row.id) {
                    Some(after_ms) => GateState::Confirmed { after_ms: *after_ms },
                    // Whether it is heard of says nothing of what it remembers.
                    None if row.freshness.lease().is_some() => {
                        if begun.elapsed() >= row.freshness.over_after() {
                            self.inner.leases.note(&[(row.id, seq)], now);
                        }
                        let ran_out = self.inner.leases.ran_out(row.id, seq);
                        ran_out.map_or(GateState::Waiting, |at| GateState::LeaseRanOut { at })
                    }
                    None if is_alive(&row, now) => GateState::Waiting,
                    None => GateState::OutOfTouch { since: row.beat_at },
                };
                GateReceipt { name: row.name, host: row.host, listen: row.listen, state }
            });
            let receipt = Receipt { seq, at, gates: gates.collect(), weakness: store.weakness() };
            if receipt.is_complete() || begun.elapsed() >= patience {
                return Ok(receipt);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The gates that were heard of within a day, by name.
    pub async fn gates(&self) -> Result<Vec<GateStanding>> {
        let now = self.look().await?;
        let standing = |row: GateRow| GateStanding {
            alive: is_alive(&row, now),
            freshness: row.freshness,
            name: row.name,
            host: row.host,
            listen: row.listen,
            version: row.version,
            began_at: row.began_at,
            heard_at: row.beat_at,
            applied: row.applied_seq,
        };
        Ok(self.inner.store.gates(now - GONE).await?.into_iter().map(standing).collect())
    }
}
