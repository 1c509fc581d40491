//! Which key a text is meant for that has several forms: the first that there is, in the order of the forms, whatever is
//! remembered. So it is the same at every gate and every time.

use super::Door;
use crate::domain::credential::Credential;
use crate::domain::secret::HashedKey;
use crate::service::{Known, Result, Settled};

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

    /// The hash that it is found by, and what says so of the key that is found.
    pub(super) async fn settled(
        &self,
        credential: &Credential<'_>,
        likely: HashedKey,
    ) -> Result<(HashedKey, Option<Settled>)> {
        if credential.others.is_empty() {
            return Ok((likely, None));
        }
        let hashes = credential.hashes();
        let settled = self.gate.settled(&hashes);
        if self.gate.remembered(likely).is_some_and(|known| known.is_settled(settled)) {
            return Ok((likely, None));
        }
        let found = self.gate.which(&hashes).await?;
        Ok((found.unwrap_or(likely), found.map(|_| settled)))
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
        if !credential.others.is_empty() {
            match self.gate.which(&credential.hashes()).await {
                Err(_) => return false,
                Ok(found) if found.is_some_and(|found| found != hash) => return true,
                Ok(_) => {}
            }
        }
        let Ok(read) = self.gate.read(hash).await else { return false };
        !read.as_deref().zip(remembered).is_some_and(|(read, remembered)| std::ptr::eq(read, remembered))
    }
}
