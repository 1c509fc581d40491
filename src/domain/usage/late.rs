//! Tries of a key after its end: whoever still has it, from where, for what, and how often.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::domain::Instant;
use crate::domain::key::Key;
use crate::domain::text::{SafeText, thousands};

/// So many places of a key are told apart in an hour; what comes from more is counted under [`OTHERS`].
pub const PLACES: usize = 16;
/// The network of a try that comes from further places.
pub const OTHERS: &str = "*";
/// The days whose counts tell the trend.
pub const DAYS: usize = 7;
/// So many networks and endpoints are named.
const NAMED: usize = 5;

/// The tries of one hour from one network for one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LateTries {
    /// Counted from the epoch.
    pub hour: i64,
    /// /24 of IPv4, /48 of IPv6; empty where nobody said, [`OTHERS`] for all that are too many.
    pub network: String,
    /// By the name of its route; empty where there is none.
    pub endpoint: String,
    pub tries: u64,
    pub last_at: Instant,
}

impl LateTries {
    /// Adds one try to those that were noted, of which no more than [`PLACES`] an hour are told apart.
    pub fn add(noted: &mut Vec<Self>, network: String, endpoint: &str, at: Instant) {
        let hour = at.timestamp().div_euclid(3600);
        let here = |one: &Self, network: &str, endpoint: &str| {
            (one.hour, one.network.as_str(), one.endpoint.as_str()) == (hour, network, endpoint)
        };
        let known = noted.iter().any(|one| here(one, &network, endpoint));
        let full = !known && noted.iter().filter(|one| one.hour == hour).count() >= PLACES;
        let (network, endpoint) = if full { (OTHERS.to_owned(), "") } else { (network, endpoint) };
        match noted.iter_mut().find(|one| here(one, &network, endpoint)) {
            Some(one) => {
                one.tries = one.tries.saturating_add(1);
                one.last_at = one.last_at.max(at);
            }
            None => {
                noted.push(Self { hour, network, endpoint: endpoint.to_owned(), tries: 1, last_at: at });
            }
        }
    }
}

/// A network or an endpoint, and how many tries are its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    pub name: SafeText,
    pub tries: u64,
}

/// What is known of the tries of a key after its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Late {
    /// How it ended: revoked, replaced, expired, not confirmed.
    pub how: SafeText,
    pub ended_at: Instant,
    pub last_at: Instant,
    /// In the last 24 hours, and in the 24 hours before.
    pub last_24h: u64,
    pub before_24h: u64,
    /// As far as they are kept.
    pub total: u64,
    /// In each of the last seven spans of 24 hours, the oldest first.
    pub days: Vec<u64>,
    /// Those with the most tries first: of the last 24 hours, where there were any.
    pub networks: Vec<Share>,
    pub endpoints: Vec<Share>,
}

impl Late {
    /// How far back they are looked at.
    pub const KEPT: TimeDelta = TimeDelta::days(30);

    /// Of a key that has ended by `now`, and was tried since; else `None`.
    pub fn of(key: &Key, tries: &[LateTries], now: Instant) -> Option<Self> {
        let (how, ended_at) = key.ended(now)?;
        let last_at = tries.iter().map(|one| one.last_at).max()?;
        let hour = now.timestamp().div_euclid(3600);
        let mut days = vec![0u64; DAYS];
        let mut total = 0u64;
        for one in tries {
            total = total.saturating_add(one.tries);
            let back = usize::try_from((hour - one.hour).max(0) / 24).unwrap_or(usize::MAX);
            if let Some(day) = DAYS.checked_sub(back.saturating_add(1)).and_then(|place| days.get_mut(place))
            {
                *day = day.saturating_add(one.tries);
            }
        }
        let [.., before_24h, last_24h] = days[..] else { return None };
        let (mut networks, mut endpoints) = (BTreeMap::new(), BTreeMap::new());
        for one in tries.iter().filter(|one| last_24h == 0 || hour - one.hour < 24) {
            let network = match one.network.as_str() {
                "" => "an unknown address",
                OTHERS => "other networks",
                network => network,
            };
            *networks.entry(network.to_owned()).or_insert(0u64) += one.tries;
            if !one.endpoint.is_empty() {
                *endpoints.entry(one.endpoint.clone()).or_insert(0u64) += one.tries;
            }
        }
        let (networks, endpoints) = (most_first(networks), most_first(endpoints));
        let how = SafeText::from(how);
        Some(Self { how, ended_at, last_at, last_24h, before_24h, total, days, networks, endpoints })
    }

    /// `still tried 1,204 times a day from 203.0.113.0/24 (1,100 the day before), for calls`
    pub fn words(&self) -> String {
        let times = |n: u64| if n == 1 { "once".to_owned() } else { format!("{} times", thousands(n)) };
        let how_often = match self.last_24h {
            0 => format!("not tried today, but {} in all", times(self.total)),
            n => format!("still tried {} a day", times(n)),
        };
        format!(
            "{how_often}{}{}",
            places(&self.networks, &self.endpoints),
            trend(self.last_24h, self.before_24h)
        )
    }
}

/// ` from 203.0.113.0/24 and 2 other networks, for calls and sms`
pub(super) fn places(networks: &[Share], endpoints: &[Share]) -> String {
    let named = |list: &[Share], noun: &str| match list {
        [] => None,
        [one] => Some(one.name.to_string()),
        [one, two] => Some(format!("{} and {}", one.name, two.name)),
        [one, two, rest @ ..] => {
            let s = if rest.len() == 1 { "" } else { "s" };
            Some(format!("{}, {} and {} more {noun}{s}", one.name, two.name, rest.len()))
        }
    };
    let from = named(networks, "network").map(|words| format!(" from {words}")).unwrap_or_default();
    let what = named(endpoints, "endpoint").map(|words| format!(", for {words}")).unwrap_or_default();
    format!("{from}{what}")
}

/// How today compares with the day before, where there was something.
pub(super) fn trend(today: u64, before: u64) -> String {
    match before {
        0 => String::new(),
        _ if today == before => "; as often as the day before".to_owned(),
        _ => format!("; {} the day before", thousands(before)),
    }
}

fn most_first(tally: BTreeMap<String, u64>) -> Vec<Share> {
    let mut list: Vec<Share> =
        tally.into_iter().map(|(name, tries)| Share { name: SafeText::new(name), tries }).collect();
    list.sort_by_key(|share| std::cmp::Reverse(share.tries));
    let rest: Vec<Share> = list.split_off(list.len().min(NAMED));
    if !rest.is_empty() {
        let tries = rest.iter().fold(0u64, |sum, share| sum.saturating_add(share.tries));
        list.push(Share { name: SafeText::new(format!("{} others", rest.len())), tries });
    }
    list
}

#[cfg(test)]
mod tests;
