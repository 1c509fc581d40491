//! What keys are used for, collected without waiting and written in batches.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use ipnet::IpNet;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::known::Known;
use crate::domain::Instant;
use crate::domain::key::KeyId;
use crate::domain::usage::{Counts, LastUse, Outcome, network_of};
use crate::store::{Batch, Sighting};

/// Keys a transaction.
const KEYS: usize = 2_000;
/// More keys than this are not waited for: while the database can't take them, what they are used for goes uncounted.
const MOST: usize = 200_000;
const SHARDS: usize = 32;
/// Networks of one key that are noted between two writings.
const NETWORKS: usize = 32;
/// A request with a key that is known, and its fate.
#[derive(Clone, Copy, Debug)]
pub struct Use<'a> {
    pub known: &'a Known,
    pub outcome: Outcome,
    pub at: Instant,
    pub from: Option<IpAddr>,
    /// As the policy's routes name it.
    pub endpoint: Option<&'a str>,
}

#[derive(Default)]
struct Pending {
    /// By the minute's number since the epoch; seldom more than two.
    minutes: Vec<(i64, Counts)>,
    last: Option<LastUse>,
    /// Where it was used from, with one address of each network; seldom more than one.
    networks: Vec<(IpNet, IpAddr)>,
    /// Whether the key has an allow-list.
    listed: bool,
}

#[derive(Default)]
pub(super) struct Uses {
    shards: [Mutex<HashMap<KeyId, Pending>>; SHARDS],
    /// Which keys are pending, the longest first. May name some that are written already.
    queue: Mutex<VecDeque<KeyId>>,
    /// Keys whose first use is pending.
    first: Mutex<VecDeque<KeyId>>,
    pending: AtomicUsize,
    uncounted: AtomicU64,
    pub(super) urgent: Notify,
}

impl Uses {
    fn shard(&self, key: KeyId) -> &Mutex<HashMap<KeyId, Pending>> {
        &self.shards[usize::from(key.as_bytes()[15]) % SHARDS]
    }

    pub(super) fn note(&self, used: Use<'_>) {
        let id = used.known.key.id;
        {
            let mut shard = self.shard(id).lock();
            match shard.get_mut(&id) {
                Some(pending) => pending.add(&used),
                None if self.pending.load(Ordering::Relaxed) >= MOST => {
                    if self.uncounted.fetch_add(1, Ordering::Relaxed) == 0 {
                        tracing::warn!(
                            "use goes uncounted: the database does not take what waits to be written"
                        );
                    }
                    return;
                }
                None => {
                    self.pending.fetch_add(1, Ordering::Relaxed);
                    shard.entry(id).or_default().add(&used);
                    self.queue.lock().push_back(id);
                }
            }
        }
        let first = used.outcome == Outcome::Allowed && used.known.key.last_used_at.is_none();
        if first && !used.known.first.swap(true, Ordering::Relaxed) {
            self.first.lock().push_back(id);
            self.urgent.notify_one();
        }
    }

    /// Takes out what is pending of some keys: of those used for the first time, or of those that wait the longest.
    pub(super) fn take(&self, first: bool) -> (Batch, Vec<Sighting>) {
        let mut batch = Batch::default();
        let mut seen = Vec::new();
        let mut taken = 0;
        while taken < KEYS {
            let id = if first { self.first.lock().pop_front() } else { self.queue.lock().pop_front() };
            let Some(id) = id else { break };
            let Some(pending) = self.shard(id).lock().remove(&id) else { continue };
            self.pending.fetch_sub(1, Ordering::Relaxed);
            taken += 1;
            batch.counts.extend(pending.minutes.into_iter().map(|(minute, counts)| ((id, minute), counts)));
            batch.last.extend(pending.last.map(|last| (id, last)));
            let sighting =
                |(network, address)| Sighting { key: id, network, address, listed: pending.listed };
            seen.extend(pending.networks.into_iter().map(sighting));
        }
        (batch, seen)
    }
}

impl Pending {
    fn add(&mut self, used: &Use<'_>) {
        let minute = used.at.timestamp().div_euclid(60);
        let place = match self.minutes.iter().rposition(|(at, _)| *at == minute) {
            Some(place) => place,
            None => {
                self.minutes.push((minute, Counts::default()));
                self.minutes.len() - 1
            }
        };
        self.minutes[place].1.add(used.outcome);
        if used.outcome != Outcome::Allowed {
            return;
        }
        if let Some(address) = used.from {
            let network = network_of(address);
            if self.networks.len() < NETWORKS && !self.networks.iter().any(|(known, _)| *known == network) {
                self.networks.push((network, address));
                self.listed = !used.known.key.allow.is_empty();
            }
        }
        if self.last.as_ref().is_some_and(|last| last.at > used.at) {
            return;
        }
        let last = self.last.get_or_insert(LastUse { at: used.at, address: None, endpoint: None });
        (last.at, last.address) = (used.at, used.from);
        // The room of the text before is used again where there is one.
        match (&mut last.endpoint, used.endpoint) {
            (Some(before), Some(now)) if before == now => {}
            (Some(before), Some(now)) => {
                before.clear();
                before.push_str(now);
            }
            (place, now) => *place = now.map(str::to_owned),
        }
    }
}
