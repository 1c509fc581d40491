//! Browsing keys.

use super::*;

impl Service {
    /// A page of the table of keys.
    pub async fn page(&self, request: &PageRequest) -> Result<Page> {
        unimplemented!()
    }

    /// How many keys the filter fits. Counts at most a million rows, or for two seconds, and says so.
    pub async fn count(&self, query: &Query) -> Result<Count> {
        unimplemented!()
    }

    /// One key.
    pub async fn key(&self, id: KeyId) -> Result<Key> {
        unimplemented!()
    }

    /// What ends within 7, 30 and 90 days, and how many in each of the next 13 weeks.
    pub async fn outlook(&self) -> Result<Outlook> {
        unimplemented!()
    }
}
