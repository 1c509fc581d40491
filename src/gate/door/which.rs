//! Which key a text is meant for that has several forms.

use super::Door;
use crate::domain::credential::Credential;
use crate::domain::secret::HashedKey;
use crate::service::{Known, Result};

impl Door {
    /// The hash that a text is most likely found by, without asking the database: of a key that is remembered or passed lately.
    pub(super) fn likely(&self, credential: &Credential<'_>) -> HashedKey {
        if credential.others.is_empty() {
            return credential.hash;
        }
        let hashes = credential.hashes();
        let remembered = hashes.iter().find(|hash| self.gate.remembered(**hash).is_some());
        let found = remembered.or_else(|| hashes.iter().find(|hash| self.brake.knows(**hash)));
        found.copied().unwrap_or(credential.hash)
    }

    /// The hash that it is found by.
    pub(super) async fn settled(&self, credential: &Credential<'_>, likely: HashedKey) -> Result<HashedKey> {
        if credential.others.is_empty() || self.gate.remembered(likely).is_some() {
            return Ok(likely);
        }
        Ok(self.gate.which(&credential.hashes()).await?.unwrap_or(likely))
    }

    /// Whether the database has something else of a key than what is remembered. Where it gives no answer, nothing better is
    /// known.
    pub(super) async fn has_changed(
        &self,
        credential: &Credential<'_>,
        hash: HashedKey,
        remembered: Option<&Known>,
    ) -> bool {
        // As many readings as for one that is not there.
        if !credential.others.is_empty() && self.gate.which(&credential.hashes()).await.is_err() {
            return false;
        }
        let Ok(read) = self.gate.read(hash).await else { return false };
        !read.as_deref().zip(remembered).is_some_and(|(read, remembered)| std::ptr::eq(read, remembered))
    }
}
