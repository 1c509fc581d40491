//! How the hash of a key comes from its secret.
//!
//! The database keeps 32 bytes of every key, whatever its scheme, and finds it by them. Keys that another product made stand
//! there by that product's hash of them. Where that is no SHA-256 of the whole secret, the 32 bytes are hashed once more,
//! behind a mark that begins with NUL: no secret does, so that neither that product's hash nor ours opens anything.

use sha2::{Digest, Sha256, Sha512};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use super::HashedKey;

/// How a hash comes from its secret: the word that the database and the audit use.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Display, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "lowercase")]
pub enum Scheme {
    /// SHA-256 of the secret, or of the part of it that counts.
    #[default]
    Sha256,
    /// SHA-512 of the secret.
    Sha512,
    /// SHA-256 of what stands behind the last `_`, and the word before that in plain text.
    Prefixed,
}

impl Scheme {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
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
