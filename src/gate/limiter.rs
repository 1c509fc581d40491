//! Who counts: this gate alone, or several together in a Redis, a Valkey or a Redis Cluster. Both decide exactly as
//! [`crate::domain::limit`] says.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::domain::issuer::{GateRule, WhenUnreachable};
use crate::domain::limit::{Charge, Quota};
use crate::domain::verdict::Limited;

mod shared;
mod windows;

pub use shared::{Address, Shared};
pub use windows::Windows;

/// What was said about a request's budgets, and by which clock.
#[derive(Debug)]
pub struct Told {
    pub limited: Limited,
    /// In microseconds since the epoch; of the shared limiter's clock where that was asked.
    pub now: i64,
    /// Whether this gate had to count by itself although it shares its counting with others.
    pub alone: bool,
}

impl Told {
    fn quota(quota: Option<Quota>, now: i64) -> Self {
        Self { limited: Limited::Told(quota), now, alone: false }
    }
}

/// The counting of a gate.
pub struct Limiter {
    /// This gate's own windows: all there are, or those of the time in which the shared ones can't be had.
    own: Windows,
    shared: Option<Shared>,
    /// How many gates there are to share a budget with.
    gates: AtomicU32,
}

impl Limiter {
    pub fn new(shared: Option<Shared>) -> Self {
        Self { own: Windows::default(), shared, gates: AtomicU32::new(1) }
    }

    /// Counts a request in all of its budgets, which are one account's, or in none if one of them has no room. `now` in
    /// microseconds since the epoch.
    pub async fn take(&self, rule: &GateRule, account: &str, charges: &[Charge], now: i64) -> Told {
        if charges.is_empty() {
            return Told::quota(None, now);
        }
        let Some(shared) = &self.shared else {
            return Told::quota(self.own.take(charges, now), now);
        };
        // In a box: most gates never come here, and every request would carry the room for it about.
        match Box::pin(shared.ask(account, charges, true)).await {
            Some((quota, now)) => Told::quota(quota, now),
            None => self.alone(rule, charges, now),
        }
    }

    /// What the budgets are at, without using them; nothing where that can't be found out at once.
    pub async fn look(&self, account: &str, charges: &[Charge], now: i64) -> (Option<Quota>, i64) {
        match &self.shared {
            _ if charges.is_empty() => (None, now),
            None => (self.own.look(charges, now), now),
            Some(shared) => Box::pin(shared.ask(account, charges, false)).await.unwrap_or((None, now)),
        }
    }

    /// The shared limiter can't be asked: what the policy has for that.
    fn alone(&self, rule: &GateRule, charges: &[Charge], now: i64) -> Told {
        if rule.when_unreachable == WhenUnreachable::Refuse {
            return Told { limited: Limited::Gone, now, alone: false };
        }
        let gates = self.gates.load(Ordering::Relaxed);
        let part = |charge: &Charge| Charge {
            bucket: charge.bucket.clone(),
            budgets: charge.budgets.iter().map(|budget| budget.share(gates)).collect(),
        };
        let parts: Vec<Charge> = charges.iter().map(part).collect();
        Told { alone: true, ..Told::quota(self.own.take(&parts, now), now) }
    }

    /// Sets how many gates there are: among so many a budget is divided while the shared limiter can't be asked.
    pub fn set_gates(&self, gates: usize) {
        self.gates.store(u32::try_from(gates).unwrap_or(u32::MAX).max(1), Ordering::Relaxed);
    }

    /// That number.
    pub fn gates(&self) -> u32 {
        self.gates.load(Ordering::Relaxed)
    }

    /// This gate's own windows.
    pub fn own(&self) -> &Windows {
        &self.own
    }

    /// Whether several gates count together.
    pub fn is_shared(&self) -> bool {
        self.shared.is_some()
    }

    /// Looks which nodes the shared limiter has.
    ///
    /// # Errors
    /// In words, where it is not what it was named as.
    pub async fn look_round(&self) -> Result<(), String> {
        match &self.shared {
            None => Ok(()),
            Some(shared) => shared.look_round().await,
        }
    }

    /// Asks whether counting works; of one gate alone it always does.
    pub async fn is_well(&self) -> bool {
        match &self.shared {
            None => true,
            Some(shared) => shared.is_reachable().await,
        }
    }
}
