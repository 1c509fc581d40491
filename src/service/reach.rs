//! What a decision about several keys would reach.

use std::sync::Arc;

use super::{Result, Service};
use crate::domain::Instant;
use crate::domain::key::{Key, KeyId};
use crate::domain::manifest::Manifest;
use crate::domain::reach::{Reach, TODAY};

/// Several keys, as a person looks at them before deciding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    pub now: Instant,
    /// In the order of their ids.
    pub keys: Arc<[Key]>,
    pub reach: Reach,
    /// What a decision will hold for.
    pub shown: Arc<Manifest>,
}

impl Service {
    /// These keys, and what they do right now; ids that no key has are left out. Looking needs the role of a viewer.
    pub async fn look_at(&self, ids: &[KeyId]) -> Result<Looked> {
        let now = self.look().await?;
        let keys = self.keys(ids).await?;
        let reach = self.reach_of(&keys).await?;
        let shown = Arc::new(Manifest::of(&keys, now));
        Ok(Looked { now, keys: keys.into(), reach, shown })
    }

    /// What keys do right now that were just read.
    pub async fn reach_of(&self, keys: &[Key]) -> Result<Reach> {
        let now = self.look().await?;
        let mut ids: Vec<KeyId> = keys.iter().map(|key| key.id).collect();
        ids.sort_unstable();
        let sums = self.inner.store.usage_sums(&ids, now - TODAY).await?;
        let requests = sums.into_iter().map(|(key, counts)| (key, counts.total())).collect();
        Ok(Reach::of(keys, &requests, now))
    }
}
