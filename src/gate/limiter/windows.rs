//! The windows of a gate that counts by itself, in memory. They are saved now and then, and found again after a restart.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::{Mutex, MutexGuard};
use uuid::Uuid;

use crate::domain::Instant;
use crate::domain::limit::{Bucket, Charge, Log, Quota, decide, look};
use crate::service::SavedWindow;

/// A power of two: so many requests can be counted at once.
const SHARDS: usize = 64;

/// All windows of this gate.
pub struct Windows {
    shards: Box<[Mutex<Shard>]>,
    seed: RandomState,
    /// The shard from which the next saving begins.
    next: AtomicUsize,
}

type Shard = HashMap<Bucket, Kept>;

#[derive(Default)]
struct Kept {
    log: Log,
    /// Whether it was used since it was saved.
    fresh: bool,
}

impl Default for Windows {
    fn default() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, seed: RandomState::new(), next: AtomicUsize::new(0) }
    }
}

impl Windows {
    /// See [`decide`].
    pub fn take(&self, charges: &[Charge], now: i64) -> Option<Quota> {
        if let [charge] = charges {
            // What most policies have, without the room for more.
            let mut shard = self.shards[self.place(&charge.bucket)].lock();
            if let Some(kept) = shard.get_mut(&charge.bucket) {
                kept.fresh = true;
                return decide(charges, &mut [&mut kept.log], now);
            }
        }
        self.with(charges, true, |logs| decide(charges, logs, now))
    }

    /// See [`look`].
    pub fn look(&self, charges: &[Charge], now: i64) -> Option<Quota> {
        self.with(charges, false, |logs| look(charges, logs, now))
    }

    /// Hands out the logs of the charges, all of them held at once, so that a request is counted everywhere or nowhere.
    /// `used`: whether they are.
    fn with<T>(&self, charges: &[Charge], used: bool, work: impl FnOnce(&mut [&mut Log]) -> T) -> T {
        let place = |charge: &Charge| self.place(&charge.bucket);
        // Always in the same order, so that two requests never wait for each other.
        let mut places: Vec<usize> = charges.iter().map(place).collect();
        places.sort_unstable();
        places.dedup();
        let mut shards: Vec<(usize, MutexGuard<'_, Shard>)> =
            places.into_iter().map(|place| (place, self.shards[place].lock())).collect();
        let mut logs: Vec<Log> = charges
            .iter()
            .map(|charge| {
                let kept = of(&mut shards, place(charge)).and_then(|shard| shard.get_mut(&charge.bucket));
                kept.map(|kept| std::mem::take(&mut kept.log)).unwrap_or_default()
            })
            .collect();
        let mut borrowed: Vec<&mut Log> = logs.iter_mut().collect();
        let done = work(&mut borrowed);
        for (charge, log) in charges.iter().zip(logs) {
            let Some(shard) = of(&mut shards, place(charge)) else { continue };
            match shard.get_mut(&charge.bucket) {
                Some(kept) => {
                    kept.log = log;
                    kept.fresh |= used;
                }
                None if log.is_empty() => {}
                None => drop(shard.insert(charge.bucket.clone(), Kept { log, fresh: true })),
            }
        }
        done
    }

    fn place(&self, bucket: &Bucket) -> usize {
        self.seed.hash_one(bucket) as usize & (SHARDS - 1)
    }

    /// Forgets what can matter no more at `now`.
    pub fn sweep(&self, now: i64) {
        for shard in &self.shards {
            let mut shard = shard.lock();
            shard.retain(|_, kept| !kept.log.is_idle(now));
            if shard.capacity() > 1_024 && shard.len() < shard.capacity() / 4 {
                shard.shrink_to_fit();
            }
        }
    }

    /// What was used since it was last asked for, about so many at most.
    pub fn fresh(&self, most: usize) -> Vec<SavedWindow> {
        let mut all = Vec::new();
        let first = self.next.load(Ordering::Relaxed);
        for n in 0..SHARDS {
            if all.len() >= most {
                self.next.store((first + n) % SHARDS, Ordering::Relaxed);
                break;
            }
            let mut shard = self.shards[(first + n) % SHARDS].lock();
            for (bucket, kept) in shard.iter_mut().filter(|(_, kept)| kept.fresh) {
                kept.fresh = false;
                all.push(SavedWindow {
                    subject: bucket.to_string(),
                    state: kept.log.to_bytes(),
                    ends_at: kept.log.ends_at().and_then(Instant::from_timestamp_micros).unwrap_or_default(),
                });
            }
        }
        all
    }

    /// Says that these could not be saved after all.
    pub fn unsaved(&self, saved: &[SavedWindow]) {
        for bucket in saved.iter().filter_map(|saved| bucket(&saved.subject)) {
            if let Some(kept) = self.shards[self.place(&bucket)].lock().get_mut(&bucket) {
                kept.fresh = true;
            }
        }
    }

    /// Takes over what was saved. What can't be read is left out and counted.
    pub fn restore(&self, saved: impl IntoIterator<Item = SavedWindow>) -> usize {
        let mut unread = 0;
        for SavedWindow { subject, state, .. } in saved {
            match (bucket(&subject), Log::from_bytes(&state)) {
                (Some(bucket), Some(log)) => {
                    self.shards[self.place(&bucket)].lock().insert(bucket, Kept { log, fresh: false });
                }
                _ => unread += 1,
            }
        }
        unread
    }

    /// How many buckets are kept.
    pub fn kept(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }
}

/// The shard at this place, of those that are held.
fn of<'s>(held: &'s mut [(usize, MutexGuard<'_, Shard>)], place: usize) -> Option<&'s mut Shard> {
    held.iter_mut().find(|(at, _)| *at == place).map(|(_, shard)| &mut **shard)
}

/// Reads a bucket's name.
fn bucket(subject: &str) -> Option<Bucket> {
    let (kind, rest) = subject.split_once(':')?;
    match kind {
        "key" => Uuid::try_parse(rest).ok().map(Bucket::Key),
        "account" => Some(Bucket::Account(rest.to_owned())),
        "endpoint" => {
            let (account, endpoint) = rest.split_once(':')?;
            Some(Bucket::Endpoint(account.to_owned(), endpoint.to_owned()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
