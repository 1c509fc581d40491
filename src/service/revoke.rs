//! Ending keys for good.

use super::*;

impl Service {
    /// Revokes keys at once and for good, in one transaction, and reads them back on another connection before it says so.
    /// A key that is revoked already stays as it is and is answered with `already`.
    pub async fn revoke_keys(
        &self,
        operation: OperationId,
        keys: &[KeyId],
        reason: Option<&str>,
    ) -> Result<Vec<Revoked>> {
        unimplemented!()
    }
}
