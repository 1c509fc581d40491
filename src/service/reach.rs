//! What a decision about several keys would reach.

use super::{Result, Service};
use crate::domain::key::{Key, KeyId};
use crate::domain::reach::{Reach, TODAY};

impl Service {
    /// What these keys are and do right now; ids that no key has are left out. Looking needs the role of a viewer.
    pub async fn reach(&self, ids: &[KeyId]) -> Result<Reach> {
        let keys = self.keys(ids).await?;
        self.reach_of(&keys).await
    }

    /// The same of keys that were just read.
    pub async fn reach_of(&self, keys: &[Key]) -> Result<Reach> {
        let now = self.look().await?;
        let mut ids: Vec<KeyId> = keys.iter().map(|key| key.id).collect();
        ids.sort_unstable();
        let sums = self.inner.store.usage_sums(&ids, now - TODAY).await?;
        let requests = sums.into_iter().map(|(key, counts)| (key, counts.total())).collect();
        Ok(Reach::of(keys, &requests, now))
    }
}
