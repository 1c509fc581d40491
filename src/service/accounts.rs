//! Accounts: create, look, suspend, reinstate.

use super::*;

impl Service {
    pub async fn create_account(&self, operation: OperationId, request: CreateAccount) -> Result<Account> {
        unimplemented!()
    }

    /// All accounts by slug, or those whose slug or name contains `filter`; at most `limit`, after the slug `after`.
    pub async fn accounts(
        &self,
        filter: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<AccountSummary>> {
        unimplemented!()
    }

    pub async fn account(&self, slug: &str) -> Result<AccountSummary> {
        unimplemented!()
    }

    /// Suspends or reinstates an account. Doing so twice changes nothing.
    pub async fn set_standing(
        &self,
        operation: OperationId,
        slug: &str,
        standing: Standing,
    ) -> Result<Account> {
        unimplemented!()
    }
}
