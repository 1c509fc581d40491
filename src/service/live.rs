//! News of changes, made here or on another machine.

use super::*;

impl Service {
    /// Starts watching the database.
    pub fn watch(&self) -> LiveEvents {
        self.inner.store.watch(self.inner.clock.clone(), self.inner.skew.clone())
    }
}
