//! What keys are used for, collected without waiting and written in batches.
//!
//! A key's rows are written once in [`TURNS`] writings at most; what is pending of the others goes into one row for all of
//! them, the [`Journal`] of that writing, so that a crash loses no more than what came after the last writing.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use ipnet::IpNet;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::known::Known;
use crate::domain::Instant;
use crate::domain::key::KeyId;
use crate::domain::usage::{self, Counts, Journal, LastUse, LateTries, Outcome, network_of};
use crate::store::{Batch, Sighting};

/// Keys a transaction.
pub(super) const KEYS: usize = 2_000;
/// A key that is used all the time has its rows written with one of so many writings.
const TURNS: usize = 30;
/// Where no more keys than this are used, each has its rows written with each writing.
const FEW: usize = 10;
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
    /// Tries after its end.
    late: Vec<LateTries>,
    /// Whether the key has an allow-list.
    listed: bool,
    /// Whether something came since it was put into a journal; the first of these, where it is in one.
    news: bool,
    journaled: Option<i64>,
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
    /// The last journal.
    journal: Mutex<Option<i64>>,
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
                            "use is not counted: the database does not accept what waits to be written"
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

    /// How many keys have their turn now.
    pub(super) fn turn(&self) -> usize {
        self.pending.load(Ordering::Relaxed).div_ceil(TURNS).max(FEW)
    }

    /// Takes out what is pending of so many keys at most, or of a transaction's: of those used for the first time, or of those
    /// that wait the longest. What is pending of the others goes into the journal of this number.
    pub(super) fn take(&self, first: bool, most: usize, number: i64) -> (Batch, Vec<Sighting>) {
        let mut batch = Batch::default();
        let (mut seen, mut over) = (Vec::new(), Vec::new());
        let mut taken = 0;
        while taken < most.min(KEYS) {
            let id = if first { self.first.lock().pop_front() } else { self.queue.lock().pop_front() };
            let Some(id) = id else { break };
            let Some(mut pending) = self.shard(id).lock().remove(&id) else { continue };
            self.pending.fetch_sub(1, Ordering::Relaxed);
            taken += 1;
            seen.extend(pending.sightings(id));
            over.extend(pending.journaled.map(|_| id));
            batch.counts.extend(pending.minutes.into_iter().map(|(minute, counts)| ((id, minute), counts)));
            batch.last.extend(pending.last.map(|last| (id, last)));
            batch.late.extend(pending.late.into_iter().map(|late| (id, late)));
        }
        // A first use waits for no look at all the others.
        let (mut used, mut needed) = (Vec::new(), if first { 0 } else { number });
        for shard in if first { &[][..] } else { &self.shards[..] } {
            for (id, pending) in shard.lock().iter_mut() {
                seen.extend(pending.sightings(*id));
                if std::mem::take(&mut pending.news) {
                    pending.journaled.get_or_insert(number);
                    used.push(pending.told(*id));
                }
                needed = needed.min(pending.journaled.unwrap_or(number));
            }
        }
        if !over.is_empty() || !used.is_empty() {
            let after = self.journal.lock().replace(number);
            batch.journal = Some(Journal { over, used, number, after, needed });
        }
        (batch, seen)
    }

    /// Forgets what journals had: others have added it.
    pub(super) fn taken_over(&self) {
        *self.journal.lock() = None;
        for shard in &self.shards {
            let mut shard = shard.lock();
            let before = shard.len();
            shard.retain(|_, pending| pending.journaled.is_none());
            self.pending.fetch_sub(before - shard.len(), Ordering::Relaxed);
        }
    }
}

impl Pending {
    /// Where it was used from, once.
    fn sightings(&mut self, key: KeyId) -> impl Iterator<Item = Sighting> + use<> {
        let listed = self.listed;
        std::mem::take(&mut self.networks).into_iter().map(move |(network, address)| Sighting {
            key,
            network,
            address,
            listed,
        })
    }

    fn told(&self, key: KeyId) -> usage::Pending {
        usage::Pending {
            key,
            minutes: self.minutes.iter().map(|(at, n)| (*at, n.allowed, n.refused, n.limited)).collect(),
            last: self.last.as_ref().map(|last| (last.at, last.address, last.endpoint.clone())),
            late: self.late.clone(),
        }
    }

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
        self.news = true;
        if used.outcome != Outcome::Allowed {
            if used.known.has_ended(used.at) {
                let network = used.from.map(|from| network_of(from).to_string()).unwrap_or_default();
                LateTries::add(&mut self.late, network, used.endpoint.unwrap_or_default(), used.at);
            }
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
