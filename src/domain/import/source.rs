//! Where a table comes from.

use super::Form;
use crate::domain::issuer::Hashing;
use crate::domain::secret::{PepperId, Peppers};

/// Whose table it is, and what else goes into its hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub form: Form,
    /// The pepper under which that product made its hashes: HMAC-SHA-256 in the place of SHA-256.
    pub pepper: Option<PepperId>,
    /// Those that are at hand.
    pub peppers: Peppers,
}

impl Source {
    /// How such keys are hashed there; `None`: their rows tell.
    pub fn hashing(&self) -> Option<Hashing> {
        match self.pepper {
            Some(_) => Some(Hashing::HmacSha256),
            None => self.form.hashing(),
        }
    }

    /// What a policy may say so that gates look such keys up.
    pub fn usual(&self) -> String {
        let usual = self.form.usual();
        if self.pepper.is_some() { usual.replace("\"sha256\"", "\"hmac-sha256\"") } else { usual.to_owned() }
    }
}
