//! News of changes, made here or on another machine.

use std::sync::Arc;

use super::leases::Leases;
use super::{Inner, Result, Service};
use crate::store::LiveEvents;

impl Service {
    /// Starts watching the database.
    pub fn watch(&self) -> LiveEvents {
        self.inner.store.watch(self.inner.clock.clone(), self.inner.skew.clone())
    }

    /// Whether the database's name still stands for the file that is open here.
    pub fn check_file(&self) -> Result<()> {
        Ok(self.inner.store.check_file()?)
    }

    /// The same operations on the database that is under the name now, after the file was replaced, for the same person.
    pub async fn again(&self) -> Result<Self> {
        let store = self.inner.store.again().await?;
        let Inner { clock, identity, .. } = &*self.inner;
        let (clock, identity) = (clock.clone(), identity.clone());
        let inner = Inner { store, leases: Leases::default(), clock, identity, skew: Arc::default() };
        Ok(Self { inner: Arc::new(inner), ..self.clone() })
    }
}
