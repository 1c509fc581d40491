//! What a gate read, and keeps until it changes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};

use super::super::{Error, Result};
use super::Inner;
use super::cache::GOOD;
use crate::domain::Instant;
use crate::domain::account::Account;
use crate::domain::credential::Directory;
use crate::domain::issuer::{Issuer, Policy};
use crate::domain::key::Key;
use crate::domain::secret::HashedKey;
use crate::store;

/// A key as a gate knows it: the row, its account and its policy, all of one moment.
#[derive(Debug)]
pub struct Known {
    pub key: Key,
    pub account: Account,
    pub policy: Arc<Policy>,
    /// The key's scopes, separated by blanks.
    scopes: String,
    pub(super) hash: HashedKey,
    /// When the key ends, as far as the row tells.
    pub(super) ends_at: Option<Instant>,
    /// The audit's number of the moment of reading.
    pub(super) seq: i64,
    /// When it was read, in the proof's microseconds.
    pub(super) read_at: AtomicU64,
    /// Whether somebody is reading it again.
    pub(super) refreshing: AtomicBool,
    /// Whether its first use was noted already.
    pub(super) first: AtomicBool,
    /// Whether it was asked for since the cache last looked for something to forget.
    pub(super) wanted: AtomicBool,
    live: AtomicBool,
}

impl Known {
    /// The hash of its secret, to ask for it again.
    pub fn hash(&self) -> HashedKey {
        self.hash
    }

    /// The key's scopes, separated by blanks, as services are told of them.
    pub fn scopes(&self) -> &str {
        &self.scopes
    }

    /// Whether nothing is known that would make this out of date.
    pub(super) fn is_live(&self) -> bool {
        self.live.load(Ordering::SeqCst)
    }

    /// Says that this is out of date, or that nobody will be told when it is.
    pub(super) fn end(&self) {
        self.live.store(false, Ordering::SeqCst);
    }

    /// Whether the database says the same in both, but for when and where the key was used last.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        let key = Key {
            last_used_at: self.key.last_used_at,
            last_used_from: self.key.last_used_from.clone(),
            last_used_endpoint: self.key.last_used_endpoint.clone(),
            ..other.key.clone()
        };
        self.key == key
            && self.ends_at == other.ends_at
            && self.account == other.account
            && Arc::ptr_eq(&self.policy, &other.policy)
    }
}

/// All policies of a database.
#[derive(Debug)]
pub struct Policies {
    /// By slug and by prefix.
    pub directory: Directory,
    versions: HashMap<String, i64>,
    /// When they were read, in the proof's microseconds.
    read_at: AtomicU64,
    live: AtomicBool,
}

impl Policies {
    fn new(issuers: Vec<Issuer>, read_at: u64) -> Self {
        Self {
            read_at: AtomicU64::new(read_at),
            versions: issuers.iter().map(|issuer| (issuer.slug.clone(), issuer.version)).collect(),
            directory: Directory::new(issuers.into_iter().map(|issuer| Arc::new(issuer.policy))),
            live: AtomicBool::new(true),
        }
    }

    pub(super) fn is_live(&self) -> bool {
        self.live.load(Ordering::SeqCst)
    }

    fn says_the_same(&self, other: &Self) -> bool {
        self.versions == other.versions && self.directory.policies() == other.directory.policies()
    }

    /// The policy of this issuer, if it is the one of this version.
    fn of_version(&self, slug: &str, version: i64) -> Option<&Arc<Policy>> {
        (self.versions.get(slug) == Some(&version)).then(|| self.directory.policy(slug)).flatten()
    }
}

/// How often a reading is done again because something changed while it was under way.
const TRIES: u32 = 8;

impl Inner {
    /// The policies that are remembered, if they are still good.
    pub(super) fn policies(&self) -> Option<Arc<Policies>> {
        let policies = self.policies.read().unwrap_or_else(PoisonError::into_inner).clone()?;
        let age = self.proof.micros().saturating_sub(policies.read_at.load(Ordering::Relaxed));
        (age < GOOD).then_some(policies)
    }

    /// Forgets the policies. Who holds them is told so by their flag.
    pub(super) fn drop_policies(&self) {
        let mut place = self.policies.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(policies) = place.take() {
            policies.live.store(false, Ordering::SeqCst);
        }
    }

    /// Whether what is read from here on, of that number of the audit, may be remembered: to be asked under the lock of the
    /// place where it is to lie.
    fn reads_from_here(&self) -> impl Fn(i64) -> bool {
        let history = self.history.load(Ordering::SeqCst);
        move |seq| seq >= self.floor() && history == self.history.load(Ordering::SeqCst)
    }

    /// Reads the policies, one reader at a time.
    pub(super) async fn read_policies(&self) -> Result<Arc<Policies>> {
        let _alone = self.loading.lock().await;
        if let Some(policies) = self.policies() {
            return Ok(policies);
        }
        for _ in 0..TRIES {
            let (read_at, is_new_enough) = (self.proof.micros(), self.reads_from_here());
            let (issuers, seq) = self.store.issuers_at().await?;
            let policies = Arc::new(Policies::new(issuers, read_at));
            let mut place = self.policies.write().unwrap_or_else(PoisonError::into_inner);
            // Asked under the lock: the prover moves the floor before it comes for what lies here.
            if !is_new_enough(seq) {
                continue;
            }
            if let Some(old) = place.as_ref() {
                if old.says_the_same(&policies) {
                    old.read_at.store(read_at, Ordering::Relaxed);
                    return Ok(Arc::clone(old));
                }
                old.live.store(false, Ordering::SeqCst);
            }
            *place = Some(Arc::clone(&policies));
            return Ok(policies);
        }
        Err(restless())
    }

    /// Reads a key and remembers it.
    pub(super) async fn read(&self, hash: HashedKey) -> Result<Option<Arc<Known>>> {
        for _ in 0..TRIES {
            let (read_at, is_new_enough) = (self.proof.micros(), self.reads_from_here());
            let Some(sight) = self.store.sight(hash).await? else {
                self.cache.drop_hash(hash);
                return Ok(None);
            };
            let policy = match self.policies() {
                Some(policies) => policies.of_version(&sight.key.issuer, sight.policy).cloned(),
                None => None,
            };
            let policy = match policy {
                Some(policy) => policy,
                None => {
                    let policies = self.read_policies().await?;
                    match policies.of_version(&sight.key.issuer, sight.policy) {
                        Some(policy) => Arc::clone(policy),
                        // Those that are remembered are of another version: the prover is about to hear of it, or
                        // somebody changed them past Keyrack.
                        None => {
                            self.drop_policies();
                            continue;
                        }
                    }
                }
            };
            let known = Known {
                ends_at: sight.key.ends_at(),
                scopes: sight.key.scopes.iter().collect::<Vec<_>>().join(" "),
                key: sight.key,
                account: sight.account,
                policy,
                hash,
                seq: sight.seq,
                read_at: AtomicU64::new(read_at),
                refreshing: AtomicBool::new(false),
                first: AtomicBool::new(false),
                wanted: AtomicBool::new(false),
                live: AtomicBool::new(true),
            };
            if let Some(known) = self.cache.keep(known, is_new_enough) {
                return Ok(Some(known));
            }
        }
        Err(restless())
    }
}

fn restless() -> Error {
    store::Error::Busy("what is read changes faster than it can be read".into()).into()
}
