//! What anchors are made of, and what they are held against.

use super::super::memory::identity;
use super::super::{Gate, Result, Service};
use crate::domain::anchor::Checkpoint;
use crate::domain::history::Head;
use crate::store::{self, Store};

/// Rows of one question.
const ROWS: usize = 500;

impl Service {
    /// How far the audit has come; none while it has no row.
    pub async fn checkpoint(&self) -> Result<Option<Checkpoint>> {
        self.look().await?;
        Ok(checkpoint(&self.inner.store).await?)
    }

    /// The rows with these numbers that are there, in their order.
    pub async fn heads(&self, numbers: &[i64]) -> Result<Vec<Head>> {
        self.look().await?;
        let mut heads = Vec::new();
        for some in numbers.chunks(ROWS) {
            heads.extend(self.inner.store.heads(some, true).await?);
        }
        heads.sort_by_key(|head: &Head| head.seq);
        Ok(heads)
    }
}

impl Gate {
    /// As [`Service::checkpoint`].
    pub async fn checkpoint(&self) -> Result<Option<Checkpoint>> {
        Ok(checkpoint(self.store()).await?)
    }
}

async fn checkpoint(store: &Store) -> store::Result<Option<Checkpoint>> {
    let past = store.past().await?;
    Ok(past.map(|past| Checkpoint { database: identity(&past), head: past.head }))
}
