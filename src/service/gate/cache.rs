//! The keys that a gate remembers: bounded, quick, and forgotten by key, by account, or all at once.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::known::{GOOD, Known};
use crate::domain::account::Account;
use crate::domain::key::KeyId;
use crate::domain::secret::HashedKey;

const SHARDS: usize = 64;

/// With very many keys it is good for longer: so that only one is read again in so many microseconds.
const PACE: u64 = 1_000;
/// A key that nobody has claimed yet may be claimed through another gate, of which the audit says nothing.
const UNCLAIMED: u64 = 1_000_000;

/// A digest is as good as any hash of it.
#[derive(Default)]
struct Digest(u64);

impl Hasher for Digest {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk::<8>() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    /// The length says nothing: they are all the same.
    fn write_usize(&mut self, _: usize) {}
}

#[derive(Default)]
struct Shard {
    entries: HashMap<[u8; 32], Arc<Known>, BuildHasherDefault<Digest>>,
    /// In the order in which they came, for choosing what to forget. May hold some that are gone.
    queue: VecDeque<[u8; 32]>,
}

/// Keys by the hash of their secret.
pub(super) struct Cache {
    shards: Vec<Mutex<Shard>>,
    /// Which hash a key has, to forget it by its id. Locked inside of a shard's lock, never round one.
    ids: Vec<Mutex<HashMap<KeyId, HashedKey>>>,
    /// The accounts of the keys, one of each, as it was read last.
    accounts: Mutex<HashMap<String, Weak<Account>>>,
    capacity: usize,
    /// How many are remembered.
    count: AtomicUsize,
}

impl Cache {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            ids: (0..SHARDS).map(|_| Mutex::default()).collect(),
            accounts: Mutex::default(),
            capacity: capacity.div_ceil(SHARDS).max(1),
            count: AtomicUsize::new(0),
        }
    }

    fn shard(&self, hash: HashedKey) -> &Mutex<Shard> {
        &self.shards[usize::from(hash.0[31]) % SHARDS]
    }

    fn id_shard(&self, id: KeyId) -> &Mutex<HashMap<KeyId, HashedKey>> {
        &self.ids[usize::from(id.as_bytes()[15]) % SHARDS]
    }

    /// An account that was read, which all its keys share as long as it is the same.
    pub(super) fn one_of_all(&self, read: Account) -> Arc<Account> {
        let mut accounts = self.accounts.lock();
        if let Some(kept) = accounts.get(&read.slug).and_then(Weak::upgrade).filter(|kept| **kept == read) {
            return kept;
        }
        // Those that nobody needs any more go before there would be no room.
        if accounts.len() == accounts.capacity() {
            accounts.retain(|_, account| account.strong_count() > 0);
            let kept = accounts.len();
            accounts.reserve(kept + 1);
        }
        let read = Arc::new(read);
        accounts.insert(read.slug.clone(), Arc::downgrade(&read));
        read
    }

    /// What is remembered of this key and is still good. Of those who ask for one that will soon be too old, the first is
    /// told nothing, so that it reads it again.
    pub(super) fn get(&self, hash: HashedKey, now: u64) -> Option<Arc<Known>> {
        let known = self.shard(hash).lock().entries.get(&hash.0).cloned()?;
        let age = now.saturating_sub(known.read_at.load(Ordering::Relaxed));
        let (fresh, good) = if known.key.claim_by().is_some() {
            (UNCLAIMED, UNCLAIMED)
        } else {
            let good = GOOD.max(self.count.load(Ordering::Relaxed) as u64 * PACE);
            (good * 8 / 10, good)
        };
        if age >= good || (age >= fresh && !known.refreshing.swap(true, Ordering::Relaxed)) {
            return None;
        }
        if !known.wanted.load(Ordering::Relaxed) {
            known.wanted.store(true, Ordering::Relaxed);
        }
        Some(known)
    }

    /// Remembers what was read, and answers what is remembered now. `None` if it is not new enough: something was changed
    /// meanwhile that it may not know of. `is_new_enough` is asked while nobody can forget what is being kept.
    pub(super) fn keep(&self, new: Known, is_new_enough: impl Fn(i64) -> bool) -> Option<Arc<Known>> {
        let mut shard = self.shard(new.hash).lock();
        let remembered = shard.entries.contains_key(&new.hash.0);
        if !remembered {
            self.make_room(&mut shard);
        }
        let mut ids = self.id_shard(new.key.id).lock();
        // Asked under both locks: the prover moves the floor first and takes one of them or the other after that, so that
        // it finds what was let in before.
        if !is_new_enough(new.seq) {
            return None;
        }
        if let Some(old) = shard.entries.get(&new.hash.0) {
            if old.is_live() && old.says_the_same(&new) {
                old.read_at.store(new.read_at.into_inner(), Ordering::Relaxed);
                old.refreshing.store(false, Ordering::Relaxed);
                return Some(Arc::clone(old));
            }
            old.end();
        } else {
            shard.queue.push_back(new.hash.0);
            self.count.fetch_add(1, Ordering::Relaxed);
        }
        let new = Arc::new(new);
        ids.insert(new.key.id, new.hash);
        shard.entries.insert(new.hash.0, Arc::clone(&new));
        Some(new)
    }

    /// Forgets one that was not asked for lately, if there are too many.
    fn make_room(&self, shard: &mut Shard) {
        if shard.queue.len() > 2 * self.capacity + 8 {
            shard.queue = shard.entries.keys().copied().collect();
        }
        while shard.entries.len() >= self.capacity {
            let Some(hash) = shard.queue.pop_front() else { return };
            let Some(known) = shard.entries.get(&hash) else { continue };
            if known.wanted.swap(false, Ordering::Relaxed) {
                shard.queue.push_back(hash);
                continue;
            }
            self.forget(shard, HashedKey(hash));
        }
    }

    fn forget(&self, shard: &mut Shard, hash: HashedKey) {
        if let Some(known) = shard.entries.remove(&hash.0) {
            self.count.fetch_sub(1, Ordering::Relaxed);
            known.end();
            self.id_shard(known.key.id).lock().remove(&known.key.id);
        }
    }

    /// Forgets these keys, but for what was read when the change of that number had been made already.
    pub(super) fn drop_keys(&self, changed: &HashMap<KeyId, i64>) {
        for (id, seq) in changed {
            let hash = self.id_shard(*id).lock().get(id).copied();
            let Some(hash) = hash else { continue };
            let mut shard = self.shard(hash).lock();
            if shard.entries.get(&hash.0).is_some_and(|known| known.seq < *seq) {
                self.forget(&mut shard, hash);
            }
        }
    }

    /// Forgets all keys of these accounts, with the same exception.
    pub(super) fn drop_accounts(&self, changed: &HashMap<String, i64>) {
        for shard in &self.shards {
            let mut shard = shard.lock();
            let older =
                |known: &&Arc<Known>| changed.get(&known.account.slug).is_some_and(|seq| known.seq < *seq);
            let hashes: Vec<_> = shard.entries.values().filter(older).map(|known| known.hash).collect();
            for hash in hashes {
                self.forget(&mut shard, hash);
            }
        }
    }

    /// Forgets the key of this secret, which is not there any more.
    pub(super) fn drop_hash(&self, hash: HashedKey) {
        self.forget(&mut self.shard(hash).lock(), hash);
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock();
            shard.queue.clear();
            for (_, known) in shard.entries.drain() {
                self.count.fetch_sub(1, Ordering::Relaxed);
                known.end();
                self.id_shard(known.key.id).lock().remove(&known.key.id);
            }
        }
    }
}

#[cfg(test)]
mod tests;
