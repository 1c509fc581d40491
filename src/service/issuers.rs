//! Issuers and their policies.

use super::*;

impl Service {
    /// All issuers by slug.
    pub async fn issuers(&self) -> Result<Vec<Issuer>> {
        unimplemented!()
    }

    pub async fn issuer(&self, slug: &str) -> Result<Issuer> {
        unimplemented!()
    }

    /// Makes the issuer or replaces its policy. The same policy again changes nothing.
    pub async fn apply_policy(&self, operation: OperationId, policy: Policy) -> Result<Issuer> {
        unimplemented!()
    }
}
