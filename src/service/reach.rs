//! What a decision about several keys would reach.

use super::{Result, Service};
use crate::domain::key::KeyId;
use crate::domain::reach::{Reach, TODAY};

impl Service {
    /// What these keys are and do right now; ids that no key has are left out. Looking needs the role of a viewer.
    pub async fn reach(&self, ids: &[KeyId]) -> Result<Reach> {
        let now = self.look().await?;
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        let store = &self.inner.store;
        let keys = store.keys(&ids).await?;
        let sums = store.usage_sums(&ids, now - TODAY).await?;
        let requests = sums.into_iter().map(|(key, counts)| (key, counts.total())).collect();
        Ok(Reach::of(&keys, &requests, now))
    }
}
