//! Peppers: keys outside of the database that go into the hashes of its secrets. Who has the database alone can't even try out
//! guesses then.
//!
//! A key's hash stays at the version that it was made with, until the key is replaced: nothing that a gate sees changes a row.

use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{HashedKey, PepperId, PlainKey, Scheme};

/// So many are kept at most: with the plain hash a gate looks up three candidates for a request.
pub const MOST: usize = 2;
/// The shortest pepper, in characters.
pub const SHORTEST: usize = 16;
/// What its mark is made of. No secret begins with NUL.
const MARKED: &[u8] = b"\0keyrack pepper\0";

/// One pepper. Wiped when dropped; `Debug` shows nothing of it.
pub struct Pepper {
    pub id: PepperId,
    key: Zeroizing<String>,
}

impl Pepper {
    fn new(version: u16, key: Zeroizing<String>) -> Self {
        let mark = hmac(&key, MARKED).first_chunk().copied().map_or(0, u64::from_be_bytes);
        Self { id: PepperId::new(version, mark), key }
    }

    /// The hash of a secret under this pepper.
    pub fn hash(&self, secret: &[u8]) -> HashedKey {
        HashedKey::of_hmac(&hmac(&self.key, secret))
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pepper(v{})", self.id.version)
    }
}

fn hmac(key: &str, text: &[u8]) -> [u8; 32] {
    // Any length will do for its key.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else { return [0; 32] };
    mac.update(text);
    mac.finalize().into_bytes().into()
}

/// The peppers that are at hand, the newest first. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Peppers(Arc<[Pepper]>);

impl PartialEq for Peppers {
    fn eq(&self, other: &Self) -> bool {
        self.0.iter().map(|pepper| pepper.id).eq(other.0.iter().map(|pepper| pepper.id))
    }
}

impl Eq for Peppers {}

/// A pepper that keys need and that isn't at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lack {
    pub version: u16,
    /// How many keys need it, as far as they were counted.
    pub keys: u64,
    /// Whether another one is in its place.
    pub differs: bool,
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.differs {
            true => write!(f, "pepper v{} isn't the one that keys were hashed with", self.version),
            false => write!(f, "pepper v{} is missing", self.version),
        }
    }
}

impl Peppers {
    /// Of the peppers by their versions.
    ///
    /// # Errors
    /// They are too many.
    pub fn new(all: Vec<(u16, Zeroizing<String>)>) -> Result<Self, String> {
        let mut all: Vec<Pepper> = all.into_iter().map(|(version, key)| Pepper::new(version, key)).collect();
        all.sort_by_key(|pepper| std::cmp::Reverse(pepper.id.version));
        if all.len() > MOST {
            let (found, oldest) = (all.len(), all.last().map_or(0, |pepper| pepper.id.version));
            return Err(format!(
                "there are {found} peppers, and at most {MOST} are used: rotate the keys of v{oldest}, then remove its file"
            ));
        }
        Ok(Self(all.into()))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Which ones there are, the newest first.
    pub fn ids(&self) -> impl Iterator<Item = PepperId> {
        self.0.iter().map(|pepper| pepper.id)
    }

    /// How the secrets of new keys are hashed.
    pub fn scheme(&self) -> Scheme {
        self.ids().next().map_or_else(Scheme::default, Scheme::Hmac)
    }

    /// The hash of a new key's secret.
    pub fn seal(&self, secret: &PlainKey) -> HashedKey {
        let text = secret.expose().as_bytes();
        self.0.first().map_or_else(|| HashedKey::of(text), |newest| newest.hash(text))
    }

    /// The hashes of a secret under each of them.
    pub fn of(&self, secret: &[u8]) -> impl Iterator<Item = HashedKey> {
        self.0.iter().map(move |pepper| pepper.hash(secret))
    }

    /// Everything that a secret made here may be found by: its plain hash first.
    pub fn hashes(&self, secret: &[u8]) -> impl Iterator<Item = HashedKey> {
        std::iter::once(HashedKey::of(secret)).chain(self.of(secret))
    }

    /// Whether keys that were hashed so can be found by their secrets.
    pub fn can_find(&self, scheme: Scheme) -> Result<(), Lack> {
        let Scheme::Hmac(wanted) = scheme else { return Ok(()) };
        match self.ids().find(|own| own.version == wanted.version) {
            Some(own) if own == wanted => Ok(()),
            own => Err(Lack { version: wanted.version, keys: 0, differs: own.is_some() }),
        }
    }

    /// What is not at hand of that which living keys were hashed by, with how many they are.
    pub fn lacks(&self, used: &[(Scheme, u64)]) -> Vec<Lack> {
        let lack = |(scheme, keys): &(Scheme, u64)| {
            self.can_find(*scheme).err().map(|lack| Lack { keys: *keys, ..lack })
        };
        used.iter().filter_map(lack).collect()
    }

    /// Whether new keys may be made where living keys were hashed by these: never with less than the newest of them has.
    pub fn may_seal(&self, used: &[(Scheme, u64)]) -> Result<(), Lack> {
        let newest = self.ids().next().map_or(0, |own| own.version);
        let lacks = self.lacks(used);
        lacks
            .into_iter()
            .filter(|lack| lack.differs || lack.version > newest)
            .max_by_key(|lack| lack.version)
            .map_or(Ok(()), Err)
    }
}
