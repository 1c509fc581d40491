//! What keys are used for, collected without waiting and written in batches.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant as Moment, MissedTickBehavior, interval, timeout};

use super::Inner;
use super::known::Known;
use crate::domain::Instant;
use crate::domain::key::KeyId;
use crate::store::{Batch, Counts, LastUse};

/// How often what was collected is written. A key's first use is written at once.
const EVERY: Duration = Duration::from_secs(1);
/// Keys a transaction.
const KEYS: usize = 2_000;
/// Writing may take this part of the time at most, so that the database has most of it for proofs.
const SHARE: u32 = 3;
/// More keys than this are not waited for: while the database can't take them, what they are used for goes uncounted.
const MOST: usize = 200_000;
const SHARDS: usize = 32;
/// How long the last writing may take, and how long one may take before it is tried again.
const PATIENCE: Duration = Duration::from_secs(5);
const PRUNE: Duration = Duration::from_secs(60);

/// The fate of a request with a key that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Allowed,
    /// Revoked, expired, from a wrong address, without the scope: whatever it was.
    Refused,
    /// A budget was used up.
    Limited,
}

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
    last: Option<Last>,
}

struct Last {
    at: Instant,
    from: Option<IpAddr>,
    endpoint: Option<String>,
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
    fn take(&self, first: bool) -> Batch {
        let mut batch = Batch::default();
        let mut taken = 0;
        while taken < KEYS {
            let id = if first { lock(&self.first).pop_front() } else { lock(&self.queue).pop_front() };
            let Some(id) = id else { break };
            let Some(pending) = lock(self.shard(id)).remove(&id) else { continue };
            self.pending.fetch_sub(1, Ordering::Relaxed);
            taken += 1;
            for (minute, counts) in pending.minutes {
                if let Some(at) = Instant::from_timestamp_secs(minute * 60) {
                    batch.counts.insert((id, at), counts);
                }
            }
            if let Some(last) = pending.last {
                let from = last.from.map(|address| address.to_string());
                batch.last.insert(id, LastUse { at: last.at, from, endpoint: last.endpoint });
            }
        }
        batch
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
        let counts = &mut self.minutes[place].1;
        match used.outcome {
            Outcome::Allowed => counts.allowed += 1,
            Outcome::Refused => counts.refused += 1,
            Outcome::Limited => counts.limited += 1,
        }
        if used.outcome != Outcome::Allowed || self.last.as_ref().is_some_and(|last| last.at > used.at) {
            return;
        }
        let last = self.last.get_or_insert(Last { at: used.at, from: None, endpoint: None });
        (last.at, last.from) = (used.at, used.from);
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
    let stopped = inner.stopped();
    tokio::pin!(stopped);
    loop {
        let first = tokio::select! {
            () = &mut stopped => break,
            () = inner.uses.urgent.notified() => true,
            _ = tick.tick() => false,
            _ = prune.tick() => {
                prune_usage(&inner).await;
                continue;
            }
        };
        loop {
            let begun = Moment::now();
            let batch = inner.uses.take(first);
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
                () = write(&inner, number, &batch) => {}
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
            let batch = inner.uses.take(false);
            if batch.counts.is_empty() {
                return;
            }
            number += 1;
            write(inner, number, &batch).await;
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

/// Deletes counts that are older than they are to be kept, in small steps.
async fn prune_usage(inner: &Inner) {
    let keep = chrono::Duration::from_std(inner.settings.keep_usage).unwrap_or(chrono::Duration::MAX);
    let Some(until) = inner.proof.now().checked_sub_signed(keep) else { return };
    // A step a minute is more than minutes bring; who comes back after long catches up.
    for _ in 0..10 {
        match inner.store.prune_usage(until).await {
            Ok(true) => tokio::time::sleep(Duration::from_millis(200)).await,
            Ok(false) => return,
            Err(error) => return tracing::warn!(%error, "old counts of use could not be deleted"),
        }
    }
}
