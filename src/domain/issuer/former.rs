//! Forms of keys that another product made. They decide what a gate looks up at all: what has none of them and is no key of
//! ours is refused unseen.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::domain::secret::{HashedKey, Scheme};

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
}

impl Hashing {
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    pub fn scheme(self) -> Scheme {
        match self {
            Self::Sha256 | Self::Sanctum => Scheme::Sha256,
            Self::Sha512 => Scheme::Sha512,
            Self::Prefixed => Scheme::Prefixed,
        }
    }
}

/// The shortest key of another product that is looked up, in characters.
pub const SHORTEST: u16 = 16;
/// The longest.
pub const LONGEST: u16 = 256;

impl Former {
    /// The hash that a key of this form is found by; `None`: it does not have this form.
    pub fn hash(&self, text: &str) -> Option<HashedKey> {
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
        if rest.is_empty() || !fits {
            return None;
        }
        Some(match self.hash {
            Hashing::Sha256 | Hashing::Sanctum => HashedKey::of(counts.as_bytes()),
            Hashing::Sha512 => HashedKey::by_sha512(counts.as_bytes()),
            Hashing::Prefixed => {
                let (before, long) = rest.rsplit_once('_')?;
                let short = before.rsplit_once('_').map_or(before, |(_, short)| short);
                if short.is_empty() || long.is_empty() || (!self.prefix.is_empty() && short != before) {
                    return None;
                }
                HashedKey::by_prefixed(short.as_bytes(), long.as_bytes())
            }
        })
    }

    /// In words, for who reads a policy.
    pub fn words(&self) -> String {
        let length = self.length.map(|length| format!(" of {length} characters")).unwrap_or_default();
        format!("{}…{length} ({})", self.prefix, self.hash.as_str())
    }
}

#[cfg(test)]
mod tests;
