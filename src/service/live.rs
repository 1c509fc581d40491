//! News of changes, made here or on another machine.

use super::Service;
use crate::store::LiveEvents;

impl Service {
    /// Starts watching the database.
    pub fn watch(&self) -> LiveEvents {
        self.inner.store.watch(self.inner.clock.clone(), self.inner.skew.clone())
    }
}
