//! What of a word there is already that somebody begins to type.

use super::{Result, Service};
use crate::domain::text::SafeText;

/// Which words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InUse {
    /// Whoever owns a key.
    Owners,
    /// The tags of keys.
    Tags,
}

impl Service {
    /// Those that begin so, in their order, `limit` at most. Looking needs the role of a viewer.
    pub async fn known(&self, known: InUse, beginning: &str, limit: u32) -> Result<Vec<SafeText>> {
        self.look().await?;
        let store = &self.inner.store;
        Ok(match known {
            InUse::Owners => store.owners_beginning(beginning, limit).await?,
            InUse::Tags => store.tags_beginning(beginning, limit).await?,
        })
    }
}
