//! How the hash of a key comes from its secret.
//!
//! The database keeps 32 bytes of every key, whatever its scheme, and finds it by them. Keys that another product made stand
//! there by that product's hash of them. Where that is no SHA-256 of the whole secret, the 32 bytes are hashed once more,
//! behind a mark that begins with NUL: no secret does, so that neither that product's hash nor ours opens anything.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256, Sha512};

use super::HashedKey;

/// How a hash comes from its secret: the words that the database and the audit use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// SHA-256 of the secret, or of the part of it that counts.
    #[default]
    Sha256,
    /// SHA-512 of the secret.
    Sha512,
    /// SHA-256 of what stands behind the last `_`, and the word before that in plain text.
    Prefixed,
    /// HMAC-SHA-256 of the secret under this pepper.
    Hmac(PepperId),
}

/// What the words begin with where a pepper goes into the hash.
const PEPPERED: &str = "hmac-sha256 pepper ";

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sha256 => f.write_str("sha256"),
            Self::Sha512 => f.write_str("sha512"),
            Self::Prefixed => f.write_str("prefixed"),
            Self::Hmac(pepper) => write!(f, "{PEPPERED}{pepper}"),
        }
    }
}

impl FromStr for Scheme {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match (text, text.strip_prefix(PEPPERED)) {
            ("sha256", _) => Ok(Self::Sha256),
            ("sha512", _) => Ok(Self::Sha512),
            ("prefixed", _) => Ok(Self::Prefixed),
            (_, Some(pepper)) => pepper.parse().map(Self::Hmac),
            _ => Err(()),
        }
    }
}

/// Which pepper it is: its version, and a mark by which another one in its file is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PepperId {
    pub version: u16,
    mark: u64,
}

impl PepperId {
    pub(super) fn new(version: u16, mark: u64) -> Self {
        Self { version, mark }
    }
}

impl fmt::Display for PepperId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{} {:016x}", self.version, self.mark)
    }
}

impl FromStr for PepperId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (version, mark) = text.split_once(' ').ok_or(())?;
        let is_mark = mark.len() == 16 && mark.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let mark = Some(mark).filter(|_| is_mark).and_then(|mark| u64::from_str_radix(mark, 16).ok());
        Ok(Self { version: version_of(version).ok_or(())?, mark: mark.ok_or(())? })
    }
}

/// The version that a word such as `v2` names.
pub fn version_of(word: &str) -> Option<u16> {
    let digits = word.strip_prefix('v').filter(|digits| !digits.starts_with('0'))?;
    digits.parse().ok().filter(|_| digits.bytes().all(|b| b.is_ascii_digit()))
}

impl HashedKey {
    /// The key whose secret has this SHA-512.
    pub fn of_sha512(digest: &[u8; 64]) -> Self {
        Self::marked(b"\0keyrack sha512\0", &[digest])
    }

    /// The key of this short word whose long one has this SHA-256.
    pub fn of_prefixed(short: &[u8], digest: &[u8; 32]) -> Self {
        Self::marked(b"\0keyrack prefixed\0", &[digest, short])
    }

    /// The key whose secret has this HMAC-SHA-256 under a pepper.
    pub fn of_hmac(digest: &[u8; 32]) -> Self {
        Self::marked(b"\0keyrack hmac-sha256\0", &[digest])
    }

    fn marked(mark: &[u8], parts: &[&[u8]]) -> Self {
        let mut sha = Sha256::new();
        sha.update(mark);
        for part in parts {
            sha.update(part);
        }
        Self(sha.finalize().into())
    }

    /// As [`HashedKey::of_sha512`], of the secret itself.
    pub fn by_sha512(secret: &[u8]) -> Self {
        Self::of_sha512(&Sha512::digest(secret).into())
    }

    /// As [`HashedKey::of_prefixed`], of both words.
    pub fn by_prefixed(short: &[u8], long: &[u8]) -> Self {
        Self::of_prefixed(short, &Sha256::digest(long).into())
    }
}
