//! Confirming that a secret was taken over.

use super::*;

impl Service {
    /// Records that the secret of `key` was taken over, so that it does not die after ten minutes. If the key replaces
    /// another one, the other one's end begins now.
    pub async fn acknowledge_key(&self, operation: OperationId, key: KeyId) -> Result<Key> {
        unimplemented!()
    }
}
