//! Usage: how often a key was used, and what about it is out of the ordinary (VP-09).

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};

use super::Instant;
use super::network::canonical_address;
use super::reason::Reason;
use super::verdict::Verdict;

mod alert;
mod failures;
mod journal;
mod late;
mod spike;

pub use alert::{Alert, RaisedAlert, Severity, What};
pub use failures::{Failures, Source, Tolerance};
pub use journal::{Journal, Pending};
pub use late::{DAYS as LATE_DAYS, Late, LateTries, OTHERS as LATE_OTHERS, PLACES as LATE_PLACES, Share};
pub use spike::{SPIKE_MINUTES, SPIKE_PAST_MINUTES, Spike, spike};

/// How a request with a known key ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    Allowed,
    /// For any reason but a limit.
    Refused,
    Limited,
}

impl Outcome {
    pub fn of(verdict: &Verdict) -> Self {
        match &verdict.refused {
            None => Self::Allowed,
            Some(Reason::Limited { .. }) => Self::Limited,
            Some(_) => Self::Refused,
        }
    }
}

/// How many requests ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub allowed: u64,
    pub refused: u64,
    pub limited: u64,
}

impl Counts {
    pub fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Allowed => self.allowed += 1,
            Outcome::Refused => self.refused += 1,
            Outcome::Limited => self.limited += 1,
        }
    }

    pub fn merge(&mut self, other: Self) {
        self.allowed = self.allowed.saturating_add(other.allowed);
        self.refused = self.refused.saturating_add(other.refused);
        self.limited = self.limited.saturating_add(other.limited);
    }

    /// All requests, however they ended.
    pub fn total(self) -> u64 {
        self.allowed.saturating_add(self.refused).saturating_add(self.limited)
    }
}

/// The minute of an instant, counted from the epoch.
pub fn minute(at: Instant) -> i64 {
    at.timestamp().div_euclid(60)
}

/// One minute of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Minute {
    /// Counted from the epoch; see [`minute`].
    pub minute: i64,
    #[serde(flatten)]
    pub counts: Counts,
}

/// The last allowed use of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastUse {
    pub at: Instant,
    pub address: Option<IpAddr>,
    pub endpoint: Option<String>,
}

/// All requests in `cells` equal spans of `minutes` each, the last of which ends with the minute of `now`: the data of
/// a sparkline, the oldest first.
pub fn spans(past: &[Minute], now: Instant, cells: usize, minutes: u32) -> Vec<u64> {
    let mut out = vec![0u64; cells];
    let width = i64::from(minutes.max(1));
    for one in past {
        let age = minute(now) - one.minute;
        let back = usize::try_from(age / width).ok().filter(|back| age >= 0 && *back < cells);
        if let Some(back) = back {
            let cell = &mut out[cells - 1 - back];
            *cell = cell.saturating_add(one.counts.total());
        }
    }
    out
}

/// The network that an address is remembered by: /24 of IPv4, /48 of IPv6.
pub fn network_of(address: IpAddr) -> IpNet {
    match canonical_address(address) {
        IpAddr::V4(v4) => IpNet::V4(Ipv4Net::new_assert(v4, 24).trunc()),
        IpAddr::V6(v6) => IpNet::V6(Ipv6Net::new_assert(v6, 48).trunc()),
    }
}

/// How an allowed use compares with the networks that a key was used from before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The very first use: there is nothing to compare with, so it is remembered and no alert.
    First(IpNet),
    Known,
    /// Remember it, and raise an alert.
    New(IpNet),
}

/// Compares an address with the `known` networks of a key.
pub fn origin(known: &[IpNet], address: IpAddr) -> Origin {
    let network = network_of(address);
    if known.is_empty() {
        Origin::First(network)
    } else if known.iter().any(|one| one.contains(&network)) {
        Origin::Known
    } else {
        Origin::New(network)
    }
}

#[cfg(test)]
mod tests;
