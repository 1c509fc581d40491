//! Forms of keys that another product made. They decide what a gate looks up at all: what has none of them and is no key of
//! ours is refused unseen.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::domain::secret::{HashedKey, Peppers};

/// The form of keys that another product made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Former {
    /// What they begin with; empty: anything.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// How many characters they have, the prefix among them; of Sanctum's keys without `id|`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<u16>,
    pub hash: Hashing,
}

/// How that product hashed them.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, VariantArray, IntoStaticStr,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Hashing {
    /// SHA-256 of all of it.
    #[default]
    Sha256,
    /// SHA-512 of all of it.
    Sha512,
    /// `id|token`, or the token alone: SHA-256 of the token.
    Sanctum,
    /// `prefix_short_long`: SHA-256 of the long part.
    Prefixed,
    /// HMAC-SHA-256 of all of it, under a pepper.
    HmacSha256,
}

impl Hashing {
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// How many keys may have to be looked up for one text, besides that of its SHA-256.
    pub fn candidates(self) -> usize {
        match self {
            Self::Sha256 => 0,
            Self::Sha512 | Self::Sanctum | Self::Prefixed => 1,
            Self::HmacSha256 => 2,
        }
    }
}

/// The shortest key of another product that is looked up, in characters.
pub const SHORTEST: u16 = 16;
/// The longest.
pub const LONGEST: u16 = 256;

impl Former {
    /// The hashes that a key of this form may be found by; none: it does not have this form.
    pub fn hashes(&self, text: &str, peppers: &Peppers) -> Vec<HashedKey> {
        let Some(counts) = self.counts(text) else { return Vec::new() };
        match self.hash {
            // Without a pepper there is no such key, and that shall look as it does with one.
            Hashing::HmacSha256 if !peppers.is_empty() => peppers.of(counts.as_bytes()).collect(),
            Hashing::Sha256 | Hashing::Sanctum | Hashing::HmacSha256 => {
                vec![HashedKey::of(counts.as_bytes())]
            }
            Hashing::Sha512 => vec![HashedKey::by_sha512(counts.as_bytes())],
            Hashing::Prefixed => {
                let words = self.words_of(counts).into_iter();
                words.map(|(short, long)| HashedKey::by_prefixed(short.as_bytes(), long.as_bytes())).collect()
            }
        }
    }

    /// Whether a text has this form.
    pub fn fits(&self, text: &str) -> bool {
        self.counts(text).is_some()
    }

    /// What counts of a text of this form.
    fn counts<'t>(&self, text: &'t str) -> Option<&'t str> {
        // Nothing else is a key of anybody's, and NUL marks what is none.
        if !text.bytes().all(|b| b.is_ascii_graphic()) {
            return None;
        }
        let counts = match (self.hash, text.split_once('|')) {
            (Hashing::Sanctum, Some((id, token))) => {
                (!id.is_empty() && id.bytes().all(|b| b.is_ascii_digit())).then_some(token)?
            }
            _ => text,
        };
        let rest = counts.strip_prefix(self.prefix.as_str())?;
        let length = u16::try_from(counts.len()).unwrap_or(u16::MAX);
        let fits = self.length.map_or((SHORTEST..=LONGEST).contains(&length), |wanted| wanted == length);
        let whole = self.hash != Hashing::Prefixed || self.words_of(counts).is_some();
        (!rest.is_empty() && fits && whole).then_some(counts)
    }

    /// The short and the long word behind the prefix.
    fn words_of<'t>(&self, counts: &'t str) -> Option<(&'t str, &'t str)> {
        let (before, long) = counts.strip_prefix(self.prefix.as_str())?.rsplit_once('_')?;
        let short = before.rsplit_once('_').map_or(before, |(_, short)| short);
        let whole = !short.is_empty() && !long.is_empty() && (self.prefix.is_empty() || short == before);
        whole.then_some((short, long))
    }

    /// In words, for who reads a policy.
    pub fn words(&self) -> String {
        let length = self.length.map(|length| format!(" of {length} characters")).unwrap_or_default();
        format!("{}…{length} ({})", self.prefix, self.hash.as_str())
    }
}

#[cfg(test)]
mod tests;
