//! Replacing a key by a successor.

use super::*;

impl Service {
    /// Makes a successor with the same attributes and links the two. The old key is not touched before the successor is
    /// acknowledged; then it ends after `overlap`, but never later than it would have ended anyway.
    pub async fn rotate_key(&self, operation: OperationId, key: KeyId, overlap: Overlap) -> Result<Created> {
        unimplemented!()
    }
}
