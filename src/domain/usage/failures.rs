//! Runs of failed authentications, counted in bounded memory.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::network_of;
use crate::domain::budget::Budget;
use crate::domain::limit::{Bucket, Charge, Log, decide};
use crate::domain::network::caller_of;

/// Where failed attempts come from, or what they aim at.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// One caller: an IPv4 address, or the /64 that an IPv6 caller can choose addresses from.
    Address(IpAddr),
    /// A /24 or /48 whose callers take turns.
    Network(ipnet::IpNet),
    /// All who send what looks like keys of this issuer, by its slug.
    Issuer(String),
    /// More callers and networks than are told of one by one.
    Others,
}

impl Source {
    /// The one that an address stands for.
    pub fn caller(address: IpAddr) -> Self {
        Self::Address(caller_of(address))
    }
}

/// How many failed attempts make a run, within [`Tolerance::seconds`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Tolerance {
    pub seconds: u32,
    pub address: u32,
    pub network: u32,
    pub issuer: u32,
}

impl Default for Tolerance {
    fn default() -> Self {
        Self { seconds: 300, address: 20, network: 100, issuer: 500 }
    }
}

/// The sources that are watched at once. A flood from many addresses makes room by forgetting the ones that were quiet
/// the longest.
const MOST: usize = 20_000;

/// Of so many callers and networks one by one is told in an hour; then once that there are more.
const TOLD: usize = 30;
const HOUR: i64 = 3_600 * 1_000_000;

/// Counts failed attempts by source, exactly within the window, for as many sources as fit.
///
/// Whoever has many addresses can't have an alert for each: once their network was told of, they are none any more, and
/// of all networks together only so many are told of in an hour. What aims at an issuer is always told.
///
/// Two generations: what was seen lately moves to the young one; when that is half full it becomes the old one, and what
/// was old is gone. So a record costs the same however many sources there are.
#[derive(Debug, Default)]
pub struct Failures {
    tolerance: Tolerance,
    young: HashMap<Source, Log>,
    old: HashMap<Source, Log>,
    /// The callers and networks that were told of within the hour, the longest ago first.
    told: VecDeque<(i64, Source)>,
}

impl Failures {
    pub fn new(tolerance: Tolerance) -> Self {
        Self { tolerance, ..Self::default() }
    }

    /// Counts a failed attempt at `now`, in microseconds since the epoch, against everything that it is known by.
    /// Answers with the sources whose run it completed, with the length of the run; each then starts anew.
    pub fn record(&mut self, address: Option<IpAddr>, issuer: Option<&str>, now: i64) -> Vec<(Source, u32)> {
        let Tolerance { address: by_address, network, issuer: by_issuer, .. } = self.tolerance;
        let sources = [
            address.map(|address| (Source::caller(address), by_address)),
            address.map(|address| (Source::Network(network_of(address)), network)),
            issuer.map(|slug| (Source::Issuer(slug.to_owned()), by_issuer)),
        ];
        let mut runs = Vec::new();
        for (source, many) in sources.into_iter().flatten() {
            if self.one(&source, many, now)
                && let Some(source) = self.told_as(source, address, now)
            {
                runs.push((source, many));
            }
        }
        runs
    }

    /// As what a complete run of this source is told, if it is.
    fn told_as(&mut self, source: Source, address: Option<IpAddr>, now: i64) -> Option<Source> {
        if matches!(source, Source::Issuer(_)) {
            return Some(source);
        }
        // A clock that was set back makes nobody wait for what is yet to come.
        self.told.retain(|(at, _)| now.abs_diff(*at) < HOUR.unsigned_abs());
        let was_told = |one: &Source| self.told.iter().any(|(_, told)| told == one);
        let network = address.map(|address| Source::Network(network_of(address)));
        if was_told(&source) {
            return None;
        }
        if matches!(source, Source::Address(_)) && network.as_ref().is_some_and(was_told) {
            return None;
        }
        let source = if self.told.len() < TOLD { source } else { Source::Others };
        if was_told(&source) {
            return None;
        }
        self.told.push_back((now, source.clone()));
        Some(source)
    }

    fn one(&mut self, source: &Source, many: u32, now: i64) -> bool {
        let mut log = self.young.remove(source).or_else(|| self.old.remove(source)).unwrap_or_default();
        // A run is complete with its last attempt, so the budget is one less than that.
        let complete = if many <= 1 {
            true
        } else {
            let budgets = vec![Budget { seconds: self.tolerance.seconds.max(1), requests: many - 1 }];
            let charges = [Charge { bucket: Bucket::Account(String::new()), budgets }];
            decide(&charges, &mut [&mut log], now).is_some_and(|quota| !quota.allowed)
        };
        if complete {
            return true;
        }
        if self.young.len() >= MOST / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(source.clone(), log);
        false
    }

    /// The sources that are watched.
    #[cfg(test)]
    pub fn watched(&self) -> usize {
        self.young.len() + self.old.len()
    }
}
