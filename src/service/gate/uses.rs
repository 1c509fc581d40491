//! What keys are used for, collected without waiting and written in batches.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ipnet::IpNet;
use tokio::sync::Notify;
use tokio::time::{Instant as Moment, MissedTickBehavior, interval, timeout};

use super::known::Known;
use super::{Inner, watchman};
use crate::domain::Instant;
use crate::domain::key::KeyId;
use crate::domain::usage::{Counts, LastUse, Outcome, network_of};
use crate::store::{Batch, Sighting};

/// How often what was collected is written. A key's first use is written at once.
const EVERY: Duration = Duration::from_secs(1);
/// Keys a transaction.
const KEYS: usize = 2_000;
/// Writing may take this part of the time at most, so that the database has most of it for proofs.
const SHARE: u32 = 8;
/// More keys than this are not waited for: while the database can't take them, what they are used for goes uncounted.
const MOST: usize = 200_000;
const SHARDS: usize = 32;
/// Networks of one key that are noted between two writings.
const NETWORKS: usize = 32;
/// How long the last writing may take, and how long one may take before it is tried again.
const PATIENCE: Duration = Duration::from_secs(5);
const PRUNE: Duration = Duration::from_secs(60);
/// Alerts stay for so long in any case; the database itself insists on a day.
const ALERTS: chrono::Duration = chrono::Duration::days(2);

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
    urgent: Notify,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Uses {
    fn shard(&self, key: KeyId) -> &Mutex<HashMap<KeyId, Pending>> {
        &self.shards[usize::from(key.as_bytes()[15]) % SHARDS]
    }

    pub(super) fn note(&self, used: Use<'_>) {
        let id = used.known.key.id;
        {
            let mut shard = lock(self.shard(id));
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
                    lock(&self.queue).push_back(id);
                }
            }
        }
        let first = used.outcome == Outcome::Allowed && used.known.key.last_used_at.is_none();
        if first && !used.known.first.swap(true, Ordering::Relaxed) {
            lock(&self.first).push_back(id);
            self.urgent.notify_one();
        }
    }

    /// Takes out what is pending of some keys: of those used for the first time, or of those that wait the longest.
    fn take(&self, first: bool) -> (Batch, Vec<Sighting>) {
        let mut batch = Batch::default();
        let mut seen = Vec::new();
        let mut taken = 0;
        while taken < KEYS {
            let id = if first { lock(&self.first).pop_front() } else { lock(&self.queue).pop_front() };
            let Some(id) = id else { break };
            let Some(pending) = lock(self.shard(id)).remove(&id) else { continue };
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

/// Writes what was collected until the gate stops, and then what is left.
pub(super) async fn run(inner: Arc<Inner>) {
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut prune = interval(PRUNE);
    let mut number = 0;
    let mut walked = None;
    let stopped = inner.stopped();
    tokio::pin!(stopped);
    loop {
        let first = tokio::select! {
            () = &mut stopped => break,
            () = inner.uses.urgent.notified() => true,
            _ = tick.tick() => false,
            _ = prune.tick() => {
                prune_usage(&inner, &mut walked).await;
                continue;
            }
        };
        loop {
            let begun = Moment::now();
            let (batch, seen) = inner.uses.take(first);
            if batch.counts.is_empty() {
                break;
            }
            number += 1;
            tokio::select! {
                () = &mut stopped => {
                    // The same number: if it was written already, it is not counted twice.
                    let _ = timeout(PATIENCE, write(&inner, number, &batch)).await;
                    drain(&inner, number).await;
                    return;
                }
                () = write(&inner, number, &batch) => watchman::look_at(&inner, &batch, seen).await,
            }
            tokio::time::sleep(begun.elapsed() * (SHARE - 1)).await;
        }
    }
    drain(&inner, number).await;
}

/// Writes all that is left.
async fn drain(inner: &Inner, mut number: i64) {
    let rest = async {
        loop {
            let (batch, seen) = inner.uses.take(false);
            if batch.counts.is_empty() {
                return;
            }
            number += 1;
            write(inner, number, &batch).await;
            watchman::look_at(inner, &batch, seen).await;
        }
    };
    if timeout(PATIENCE, rest).await.is_err() {
        tracing::warn!("the gate ends, and not all use was written");
    }
}

/// Writes a batch, however long the database takes to accept it.
async fn write(inner: &Inner, number: i64, batch: &Batch) {
    let mut pause = Duration::from_millis(100);
    let mut failing = false;
    loop {
        let (store, clock) = (&inner.store, &inner.clock);
        let written = match timeout(PATIENCE, store.add_usage(inner.row.id, number, batch, clock)).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer for {} s", PATIENCE.as_secs()),
        };
        if !std::mem::replace(&mut failing, true) {
            tracing::warn!(error = written, "use could not be written; it is tried again");
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(EVERY * 5);
    }
}

/// Deletes counts and alerts that are older than counts are to be kept, and the networks of keys that ended before that,
/// in small steps. `walked`: the key that was looked at last; the walk begins anew at the end.
async fn prune_usage(inner: &Inner, walked: &mut Option<KeyId>) {
    let keep = chrono::Duration::from_std(inner.settings.keep_usage).unwrap_or(chrono::Duration::MAX);
    let Some(until) = inner.proof.now().checked_sub_signed(keep) else { return };
    if let Err(error) = inner.store.prune_alerts(until.min(inner.proof.now() - ALERTS)).await {
        tracing::warn!(%error, "old alerts could not be deleted");
    }
    match inner.store.prune_networks(*walked, until).await {
        Ok(last) => *walked = last,
        Err(error) => tracing::warn!(%error, "networks of keys that ended could not be deleted"),
    }
    // A step a minute is more than minutes bring; who comes back after long catches up.
    for _ in 0..10 {
        match inner.store.prune_usage(until).await {
            Ok(true) => tokio::time::sleep(Duration::from_millis(200)).await,
            Ok(false) => return,
            Err(error) => return tracing::warn!(%error, "old counts of use could not be deleted"),
        }
    }
}
