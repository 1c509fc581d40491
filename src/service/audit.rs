//! Reading and verifying the audit.

use super::*;

impl Service {
    /// Rows of the audit, newest first.
    pub async fn audit(&self, request: &AuditRequest) -> Result<Vec<Entry>> {
        unimplemented!()
    }

    /// Walks the whole chain. `progress` is told how many rows have been checked.
    pub async fn verify_audit(&self, progress: impl FnMut(i64) + Send) -> Result<Verdict> {
        unimplemented!()
    }
}
