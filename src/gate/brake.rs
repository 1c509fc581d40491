//! The brake: who sends many keys that do not work has to wait before the database is asked again.
//!
//! Failures are counted per address, whatever is wrong with the key, in tables of fixed size, so that no flood takes memory.
//! Of IPv6 they are counted per /64, and per /48 and /32 too, which may fail more often: who has one has no end of /64s. Two
//! addresses may share a place; they then share the brake. A key that passed here lately is looked up in spite of it, so that
//! a stranger behind the same address locks no customer out. It resets nothing: who has one good key may not try others.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::domain::network::reaches;
use crate::domain::secret::HashedKey;

/// Places for addresses of each reach, and as many for keys: a power of two.
const PLACES: usize = 1 << 16;
/// So many times what an address may do, all of its reach may do together: see [`reaches`].
const TIMES: [u64; 3] = [1, 16, 64];

/// How many failures an address has free, and how fast it gets them back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// At once. 0: no brake at all.
    pub burst: u32,
    /// Each this long, one more.
    pub every: Duration,
}

/// Who has failed how often.
pub struct Brake {
    pace: Pace,
    seed: RandomState,
    /// For each reach, and in it for each place, the instant in microseconds at which all its failures are forgotten.
    forgotten: [Box<[AtomicU64]>; TIMES.len()],
    /// For each place a part of the hash of the key that passed last.
    passed: Box<[AtomicU64]>,
}

fn places() -> Box<[AtomicU64]> {
    (0..PLACES).map(|_| AtomicU64::new(0)).collect()
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

impl Brake {
    pub fn new(pace: Pace) -> Self {
        Self { pace, seed: RandomState::new(), forgotten: TIMES.map(|_| places()), passed: places() }
    }

    /// Seconds until `address` may try this key; `None`: at once. `now` is any clock that only goes forward.
    pub fn wait(&self, address: IpAddr, key: HashedKey, now: Duration) -> Option<u32> {
        self.slows(address, now).filter(|_| !self.knows(key))
    }

    /// Seconds until `address` may try a key that never passed; `None`: at once.
    pub fn slows(&self, address: IpAddr, now: Duration) -> Option<u32> {
        if self.pace.burst == 0 {
            return None;
        }
        let forgotten = self.counted(address).map(|(_, place)| place.load(Ordering::Relaxed)).max()?;
        let over = forgotten.saturating_sub(micros(now)).saturating_sub(self.allowance());
        (over > 0).then(|| u32::try_from(over.div_ceil(1_000_000)).unwrap_or(u32::MAX))
    }

    /// Counts a key that does not work.
    pub fn failed(&self, address: IpAddr, now: Duration) {
        let (every, now) = (micros(self.pace.every), micros(now));
        // However long a flood lasts, who stops may try again after as long as the burst took to earn.
        let most = now.saturating_add(self.allowance().saturating_mul(2)).saturating_add(every);
        for (times, place) in self.counted(address) {
            let count = |until: u64| Some(until.max(now).saturating_add(every / times).min(most));
            let _ = place.fetch_update(Ordering::Relaxed, Ordering::Relaxed, count);
        }
    }

    /// Remembers a key that passed.
    pub fn passed(&self, key: HashedKey) {
        let (place, part) = split(key);
        // Reading first keeps the line shared between the cores.
        if self.passed[place].load(Ordering::Relaxed) != part {
            self.passed[place].store(part, Ordering::Relaxed);
        }
    }

    /// Forgets a key that works no more.
    pub fn forget(&self, key: HashedKey) {
        let (place, part) = split(key);
        let _ = self.passed[place].compare_exchange(part, 0, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Whether it passed here lately.
    pub fn knows(&self, key: HashedKey) -> bool {
        let (place, part) = split(key);
        self.passed[place].load(Ordering::Relaxed) == part
    }

    fn allowance(&self) -> u64 {
        micros(self.pace.every).saturating_mul(u64::from(self.pace.burst))
    }

    /// Where the failures of an address are counted, and into how many parts each is divided there.
    fn counted(&self, address: IpAddr) -> impl Iterator<Item = (u64, &AtomicU64)> {
        let places = TIMES.into_iter().zip(&self.forgotten).zip(reaches(address));
        places.map(|((times, places), reach)| {
            (times, &places[self.seed.hash_one(reach) as usize & (PLACES - 1)])
        })
    }
}

/// A key's place and the part of its hash that stands there; never 0.
fn split(key: HashedKey) -> (usize, u64) {
    let [a, b, c, d, e, f, g, h, i, j, ..] = key.0;
    (usize::from(u16::from_le_bytes([a, b])) & (PLACES - 1), u64::from_le_bytes([c, d, e, f, g, h, i, j]) | 1)
}

#[cfg(test)]
mod tests;
