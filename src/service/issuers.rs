//! Issuers and their policies.

use serde_json::json;

use super::permit::permit;
use super::*;
use crate::domain::audit::{Action, Change};
use crate::domain::operator::Permission;

impl Service {
    /// All issuers by slug.
    pub async fn issuers(&self) -> Result<Vec<Issuer>> {
        self.may_look()?;
        Ok(self.inner.store.issuers().await?)
    }

    pub async fn issuer(&self, slug: &str) -> Result<Issuer> {
        self.may_look()?;
        self.inner.store.issuer(slug).await?.ok_or_else(|| Error::no_issuer(slug))
    }

    /// Makes the issuer or replaces its policy, if the policy has no faults. The same policy again changes nothing.
    pub async fn apply_policy(&self, operation: OperationId, policy: Policy) -> Result<Issuer> {
        if let Some(fault) = policy.faults().into_iter().next() {
            return Err(Error::invalid(Field::Policy, fault));
        }
        let identity = self.inner.identity.clone();
        let slug = policy.slug.clone();
        self.inner
            .store
            .transact::<_, Error, _>(&self.inner.clock, self.opening(operation), move |tx| {
                let (identity, policy) = (identity.clone(), policy.clone());
                Box::pin(async move {
                    permit(tx, &identity, Permission::ChangeIssuers, "change issuers").await?;
                    tx.lock_issuers().await?;
                    let before = tx.issuer(&policy.slug).await?;
                    if before.as_ref().is_some_and(|issuer| issuer.policy == policy) {
                        return Ok(());
                    }
                    refuse_taken_prefix(tx.issuers().await?, &policy)?;
                    tx.put_issuer(&policy).await?;
                    let version = before.as_ref().map_or(1, |issuer| issuer.version + 1);
                    let change = Change {
                        operation,
                        action: Action::IssuerApply,
                        subject: policy.slug.clone(),
                        account: None,
                        key: None,
                        detail: json!({ "version": version, "policy": policy }),
                    };
                    Ok(tx.record(&identity, &change).await?)
                })
            })
            .await?;
        self.issuer(&slug).await
    }
}

/// A prefix tells whose key it is, so that no two issuers may have the same.
fn refuse_taken_prefix(issuers: Vec<Issuer>, policy: &Policy) -> Result<()> {
    for other in issuers.iter().filter(|other| other.slug != policy.slug) {
        if let Some(prefix) =
            policy.format.prefixes().find(|p| other.policy.format.prefixes().any(|o| o == *p))
        {
            let why = format!("the prefix {prefix} belongs to issuer {} already", other.slug);
            return Err(Error::Invalid { field: Field::Policy, why });
        }
    }
    Ok(())
}
