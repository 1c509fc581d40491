//! The windows of a gate that counts by itself, in memory, and how they are found again after a restart.
//!
//! A window holds up to an hour of requests: to write the whole of it whenever it was used would write the same again and
//! again. So each is saved as a whole once in [`TURNS`] savings at most, and what came meanwhile goes into one row for all of
//! them, the journal of that saving. After a crash nothing is missing but what came after the last saving.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::{Mutex, MutexGuard};
use uuid::Uuid;

use crate::domain::Instant;
use crate::domain::limit::{Bucket, Charge, Log, Quota, decide, look};
use crate::service::SavedWindow;

mod journal;

/// A window that is used all the time is saved as a whole with one of so many savings.
const TURNS: u64 = 30;
/// Where no more windows than this are used, each of them is saved whenever it was used.
const FEW: usize = 10;
/// A power of two: so many requests can be counted at once.
const SHARDS: usize = 64;

/// All windows of this gate.
pub struct Windows {
    shards: Box<[Mutex<Shard>]>,
    seed: RandomState,
    /// The shard from which the next saving begins.
    next: AtomicUsize,
    /// The number of the present saving, and of its journal.
    number: AtomicU64,
}

type Shard = HashMap<Bucket, Kept>;

#[derive(Default)]
struct Kept {
    log: Log,
    /// The saving before which it was first used since it was saved as a whole; 0 if it was not.
    since: u64,
    /// How many requests were ever written, as a whole or into a journal; before the present saving, and at which that was.
    told: u64,
    told_before: (u64, u64),
    /// Whether a journal has some of it.
    journaled: bool,
}

impl Default for Windows {
    fn default() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, seed: RandomState::new(), next: AtomicUsize::new(0), number: AtomicU64::new(1) }
    }
}

impl Windows {
    /// See [`decide`].
    pub fn take(&self, charges: &[Charge], now: i64) -> Option<Quota> {
        if let [charge] = charges {
            // What most policies have, without the room for more.
            let mut shard = self.shards[self.place(&charge.bucket)].lock();
            if let Some(kept) = shard.get_mut(&charge.bucket) {
                kept.used(self.number.load(Ordering::Relaxed));
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
        let number = self.number.load(Ordering::Relaxed);
        for (charge, log) in charges.iter().zip(logs) {
            let Some(shard) = of(&mut shards, place(charge)) else { continue };
            match shard.get_mut(&charge.bucket) {
                Some(kept) => {
                    kept.log = log;
                    if used {
                        kept.used(number);
                    }
                }
                None if log.is_empty() => {}
                None => {
                    shard.insert(charge.bucket.clone(), Kept { log, since: number, ..Kept::default() });
                }
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

    /// The windows whose turn it is to be saved as a whole, about so many at most; with `all`, whatever their turn.
    pub fn fresh(&self, most: usize, all: bool) -> Vec<SavedWindow> {
        let mut saved = Vec::new();
        let number = self.number.load(Ordering::Relaxed);
        let (first, mut few) = (self.next.load(Ordering::Relaxed), FEW);
        for n in 0..SHARDS {
            if saved.len() >= most {
                self.next.store((first + n) % SHARDS, Ordering::Relaxed);
                break;
            }
            let mut shard = self.shards[(first + n) % SHARDS].lock();
            for (bucket, kept) in shard.iter_mut().filter(|(_, kept)| kept.since > 0) {
                if kept.log.taken() == kept.told && !kept.journaled {
                    // All its requests were refused.
                    kept.since = 0;
                    continue;
                }
                let turn = (self.seed.hash_one(bucket) / SHARDS as u64 + number).is_multiple_of(TURNS);
                if !all && !turn && number - kept.since < TURNS {
                    if few == 0 {
                        continue;
                    }
                    few -= 1;
                }
                kept.since = 0;
                kept.tell(number);
                saved.push(SavedWindow {
                    subject: bucket.to_string(),
                    state: kept.log.to_bytes(),
                    ends_at: kept.ends_at(),
                });
            }
        }
        saved
    }

    /// Takes over what was saved. What can't be read is left out and counted.
    pub fn restore(&self, saved: impl IntoIterator<Item = SavedWindow>) -> usize {
        let (mut unread, mut journals) = (0, Vec::new());
        for SavedWindow { subject, state, .. } in saved {
            if let Some(number) = journal::number(&subject) {
                journals.push((number, state));
                continue;
            }
            match (bucket(&subject), Log::from_bytes(&state)) {
                (Some(bucket), Some(log)) => {
                    let kept = Kept { told: log.taken(), log, ..Kept::default() };
                    self.shards[self.place(&bucket)].lock().insert(bucket, kept);
                }
                _ => unread += 1,
            }
        }
        unread + self.replay(journals)
    }

    /// How many buckets are kept.
    pub fn kept(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }
}

impl Kept {
    fn used(&mut self, number: u64) {
        if self.since == 0 {
            self.since = number;
        }
    }

    /// All of it is written with this saving.
    fn tell(&mut self, number: u64) {
        (self.told_before, self.told) = ((self.told, number), self.log.taken());
    }

    fn ends_at(&self) -> Instant {
        self.log.ends_at().and_then(Instant::from_timestamp_micros).unwrap_or_default()
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
