//! Secrets: making, recognising and hashing them.
//!
//! A secret is a [`PlainKey`] from its making to the reveal and a [`HashedKey`] for ever after. Neither type can be
//! printed, and a `PlainKey` can't be cloned: it moves by ownership and is wiped when it goes.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

mod pepper;
mod recognise;
mod scheme;
mod search;
mod stack;

pub use pepper::{Lack, Peppers, SHORTEST as SHORTEST_PEPPER};
pub use recognise::{find_secret, looks_like_preview};
pub use scheme::{PepperId, Scheme, version_of};
pub use search::{Finder, Finding, Kind, Stream, search};
pub use stack::wipe_stack;

/// How the part after the prefix is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::VariantArray)]
#[serde(rename_all = "kebab-case")]
pub enum Body {
    /// 64 lower-case hexadecimal digits: 256 bits (VG-06).
    Hex,
    /// 43 base-62 digits of 256 bits, then 6 base-62 digits of a CRC-32 over all that comes before them.
    Base62Checksum,
}

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 62^43 > 2^256 > 62^42.
const BASE62_DIGITS: usize = 43;
const CHECKSUM_DIGITS: usize = 6;
/// How many of its last characters a preview shows (decision 7 of the requirements).
pub const TAIL: usize = 4;
/// The dots of a preview.
pub const DOTS: &str = "••••••••";

impl Body {
    /// The number of characters after the prefix.
    pub fn length(self) -> usize {
        match self {
            Self::Hex => 64,
            Self::Base62Checksum => BASE62_DIGITS + CHECKSUM_DIGITS,
        }
    }

    /// Whether `body`, the text after `prefix`, has this form, checksum included.
    pub fn matches(self, prefix: &str, body: &str) -> bool {
        if body.len() != self.length() {
            return false;
        }
        match self {
            Self::Hex => body.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')),
            Self::Base62Checksum => {
                body.bytes().all(|b| b.is_ascii_alphanumeric()) && {
                    let (random, sum) = body.split_at(BASE62_DIGITS);
                    checksum(prefix.as_bytes(), random.as_bytes()) == sum.as_bytes()
                }
            }
        }
    }
}

fn checksum(prefix: &[u8], random: &[u8]) -> [u8; CHECKSUM_DIGITS] {
    let mut crc = crc32fast::Hasher::new();
    crc.update(prefix);
    crc.update(random);
    let mut rest = crc.finalize();
    let mut digits = [b'0'; CHECKSUM_DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    digits
}

/// A secret in plain text. Wiped when dropped; no `Clone`, and `Debug` shows nothing of it.
pub struct PlainKey(Zeroizing<String>);

impl PlainKey {
    /// Makes a secret of `entropy`: 256 bits that the caller drew from the operating system's generator.
    pub fn make(prefix: &str, body: Body, entropy: &[u8; 32]) -> Self {
        // One allocation of the final size: a growing string would leave copies of itself behind.
        let mut text = Zeroizing::new(String::with_capacity(prefix.len() + body.length()));
        text.push_str(prefix);
        match body {
            Body::Hex => {
                for byte in entropy {
                    for nibble in [byte >> 4, byte & 15] {
                        text.push(char::from(b"0123456789abcdef"[usize::from(nibble)]));
                    }
                }
            }
            Body::Base62Checksum => {
                let digits = Zeroizing::new(base62(entropy));
                for digit in digits.iter() {
                    text.push(char::from(*digit));
                }
                for digit in checksum(prefix.as_bytes(), digits.as_slice()) {
                    text.push(char::from(digit));
                }
            }
        }
        Self(text)
    }

    /// Takes over what a person typed or pasted, without the white space around it (VA-14).
    pub fn from_input(text: &str) -> Self {
        let trimmed = text.trim();
        let mut own = Zeroizing::new(String::with_capacity(trimmed.len()));
        own.push_str(trimmed);
        Self(own)
    }

    /// A secret of its prefix and its body.
    fn join(prefix: &str, body: &str) -> Self {
        let mut own = Zeroizing::new(String::with_capacity(prefix.len() + body.len()));
        own.push_str(prefix);
        own.push_str(body);
        Self(own)
    }

    /// The secret itself. Every caller of this is a place where a secret may leak: keep them few.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// SHA-256 over the whole secret, prefix included. Plain hashing is right for 256 random bits.
    pub fn hash(&self) -> HashedKey {
        HashedKey::of(self.0.as_bytes())
    }

    /// The masked form: prefix, dots, last four characters.
    pub fn preview(&self, prefix: &str) -> String {
        let from = self.0.char_indices().rev().nth(TAIL - 1).map_or(0, |(i, _)| i);
        preview(prefix, &self.0[from..])
    }
}

/// The masked form of a key (VA-07).
pub fn preview(prefix: &str, tail: &str) -> String {
    format!("{prefix}{DOTS}{tail}")
}

impl PartialEq for PlainKey {
    /// Compares digests, so that the time taken tells nothing of the text.
    fn eq(&self, other: &Self) -> bool {
        self.hash() == other.hash()
    }
}

impl Eq for PlainKey {}

impl fmt::Debug for PlainKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainKey(…)")
    }
}

/// What somebody sent for a key, exactly as it was: perhaps no text at all. Wiped when dropped; `Debug` shows nothing of it.
pub struct SentKey(Zeroizing<Vec<u8>>);

impl SentKey {
    pub fn exact(bytes: &[u8]) -> Self {
        let mut own = Zeroizing::new(Vec::with_capacity(bytes.len()));
        own.extend_from_slice(bytes);
        Self(own)
    }

    /// The bytes themselves: a place where a secret may leak, as [`PlainKey::expose`] is.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The key that it would be without the white space round it; `None` if it is no text.
    pub fn trimmed(&self) -> Option<PlainKey> {
        std::str::from_utf8(&self.0).ok().map(PlainKey::from_input)
    }
}

impl PartialEq for SentKey {
    fn eq(&self, other: &Self) -> bool {
        HashedKey::of(&self.0) == HashedKey::of(&other.0)
    }
}

impl Eq for SentKey {}

impl From<Zeroizing<Vec<u8>>> for SentKey {
    /// Takes it over without a copy.
    fn from(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for SentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SentKey(…)")
    }
}

/// 256 bits as 43 base-62 digits, most significant first.
fn base62(entropy: &[u8; 32]) -> [u8; BASE62_DIGITS] {
    let mut number = Zeroizing::new(*entropy);
    let mut digits = [b'0'; BASE62_DIGITS];
    for digit in digits.iter_mut().rev() {
        let mut remainder = 0u32;
        for byte in number.iter_mut() {
            let value = (remainder << 8) | u32::from(*byte);
            *byte = (value / 62) as u8;
            remainder = value % 62;
        }
        *digit = BASE62[remainder as usize];
    }
    digits
}

/// SHA-256 of a secret, or what its [`Scheme`] makes of it: what the database keeps, and all that it keeps.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct HashedKey(pub [u8; 32]);

impl HashedKey {
    /// The hash of a secret that somebody presented, from where it stands: no copy of it is made.
    pub fn of(secret: &[u8]) -> Self {
        Self(Sha256::digest(secret).into())
    }
}

impl fmt::Debug for HashedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashedKey(…)")
    }
}

#[cfg(test)]
mod tests;
