//! What a gate read, and keeps until it changes.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::domain::Instant;
use crate::domain::account::Account;
use crate::domain::credential::Directory;
use crate::domain::issuer::{Issuer, Policy};
use crate::domain::key::Key;
use crate::domain::owner::Tags;
use crate::domain::secret::{HashedKey, Peppers};
use crate::domain::text::SafeText;

/// What was read of a key is read again after this long, whatever the audit says; with very many keys later.
pub const STALE: Duration = Duration::from_secs(10);
/// The same in microseconds; a little earlier one of those who ask reads it again.
pub(super) const GOOD: u64 = STALE.as_micros() as u64;

/// A key as a gate knows it: the row, its account and its policy, all of one moment.
#[derive(Debug)]
pub struct Known {
    pub key: Key,
    pub account: Arc<Account>,
    pub policy: Arc<Policy>,
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
    /// What says that no candidate before this one is a key: see [`super::Gate::which`]; 0: nothing yet.
    pub(super) settled: AtomicU64,
    live: AtomicBool,
}

/// What was found out about the hashes that a text may have: see [`super::Gate::settled`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled(u64);

impl Settled {
    pub(super) fn new(imports: u64, hashes: &[HashedKey]) -> Self {
        let mut hasher = DefaultHasher::new();
        imports.hash(&mut hasher);
        hashes.hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// So many bytes of scopes at most: proxies keep all headers of an answer in one buffer of 4 or 8 kB.
const SCOPES: usize = 2_000;

/// What a gate answers by; the rest of the row is not kept, because very many of them are.
fn lean(key: Key) -> Key {
    Key {
        description: SafeText::default(),
        owner: None,
        tags: Tags::default(),
        created_by: SafeText::default(),
        last_used_from: None,
        last_used_endpoint: None,
        ..key
    }
}

impl Known {
    /// What was read of a key at `read_at`, with its account and the policy of the version that belongs to it.
    pub(super) fn new(
        (key, seq): (Key, i64),
        account: Arc<Account>,
        policy: Arc<Policy>,
        hash: HashedKey,
        read_at: u64,
    ) -> Self {
        Self {
            ends_at: key.ends_at(),
            key: lean(key),
            account,
            policy,
            hash,
            seq,
            read_at: AtomicU64::new(read_at),
            refreshing: AtomicBool::new(false),
            first: AtomicBool::new(false),
            wanted: AtomicBool::new(false),
            settled: AtomicU64::new(0),
            live: AtomicBool::new(true),
        }
    }

    /// Takes note that of the hashes of a text this is the first that a key has.
    pub fn settle(&self, settled: Settled) {
        self.settled.store(settled.0, Ordering::Relaxed);
    }

    /// Whether that is known of the same hashes.
    pub fn is_settled(&self, settled: Settled) -> bool {
        self.settled.load(Ordering::Relaxed) == settled.0
    }

    /// The hash of its secret, to ask for it again.
    pub fn hash(&self) -> HashedKey {
        self.hash
    }

    /// The key's scopes, separated by blanks; `count=300` where they are too many for a header. That is no scope's name, so
    /// that who looks for one in it does not find it.
    pub fn scopes(&self) -> Cow<'_, str> {
        match self.key.scopes.as_str() {
            told if told.len() > SCOPES => format!("count={}", self.key.scopes.len()).into(),
            told => told.into(),
        }
    }

    /// Whether nothing is known that would make this out of date.
    pub(super) fn is_live(&self) -> bool {
        self.live.load(Ordering::SeqCst)
    }

    /// Says that this is out of date, or that nobody will be told when it is.
    pub(super) fn end(&self) {
        self.live.store(false, Ordering::SeqCst);
    }

    /// Whether the key has ended by then.
    pub fn has_ended(&self, now: Instant) -> bool {
        self.ends_at.is_some_and(|end| end <= now)
    }

    /// Whether the database says the same in both, but for when and where the key was used last.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        let key = Key { last_used_at: self.key.last_used_at, ..other.key.clone() };
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
    pub(super) read_at: AtomicU64,
    live: AtomicBool,
}

impl Policies {
    pub(super) fn new(issuers: Vec<Issuer>, peppers: &Peppers, read_at: u64) -> Self {
        Self {
            read_at: AtomicU64::new(read_at),
            versions: issuers.iter().map(|issuer| (issuer.slug.clone(), issuer.version)).collect(),
            directory: Directory::new(issuers.into_iter().map(|issuer| Arc::new(issuer.policy)))
                .with_peppers(peppers),
            live: AtomicBool::new(true),
        }
    }

    /// Whether nothing is known that would make these out of date.
    pub fn is_live(&self) -> bool {
        self.live.load(Ordering::SeqCst)
    }

    /// Says that this is out of date.
    pub(super) fn end(&self) {
        self.live.store(false, Ordering::SeqCst);
    }

    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        self.versions == other.versions && self.directory.policies() == other.directory.policies()
    }

    /// The policy of this issuer, if it is the one of this version.
    pub(super) fn of_version(&self, slug: &str, version: i64) -> Option<&Arc<Policy>> {
        (self.versions.get(slug) == Some(&version)).then(|| self.directory.policy(slug)).flatten()
    }
}
