//! Making a key.

use super::*;

impl Service {
    /// Makes a key: checks the right, the account's standing, the policy and its caps, and records it, in one transaction.
    ///
    /// Every field is checked before anything else, so that a form shows all errors of a field at once.
    pub async fn create_key(&self, request: CreateKey) -> Result<Created> {
        unimplemented!()
    }
}
