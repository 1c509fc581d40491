//! Issuers and their policies.

use serde_json::json;

use super::change::Change;
use super::permit::permit;
use super::{Error, Field, Result, Service};
use crate::domain::audit::Action;
use crate::domain::issuer::{Issuer, Policy};
use crate::domain::key::OperationId;
use crate::domain::operator::Permission;
use crate::store::Tx;

impl Service {
    /// All issuers by slug.
    pub async fn issuers(&self) -> Result<Vec<Issuer>> {
        self.look().await?;
        Ok(self.inner.store.issuers().await?)
    }

    pub async fn issuer(&self, slug: &str) -> Result<Issuer> {
        self.look().await?;
        self.inner.store.issuer(slug).await?.ok_or_else(|| Error::no_issuer(slug))
    }

    /// Makes the issuer or replaces its policy, if the policy has no faults. The same policy again changes nothing.
    pub async fn apply_policy(&self, operation: OperationId, policy: Policy) -> Result<Issuer> {
        self.put_policy(operation, policy, Over::Any).await
    }

    /// The same for a policy that was written from this version of it. Refused if the issuer has another one by now.
    pub async fn apply_policy_over(
        &self,
        operation: OperationId,
        policy: Policy,
        version: i64,
    ) -> Result<Issuer> {
        self.put_policy(operation, policy, Over::Version(version)).await
    }

    /// Makes the issuer, if there is none of its slug.
    pub async fn add_issuer(&self, operation: OperationId, policy: Policy) -> Result<Issuer> {
        self.put_policy(operation, policy, Over::Nothing).await
    }

    async fn put_policy(&self, operation: OperationId, policy: Policy, over: Over) -> Result<Issuer> {
        if let Some(fault) = policy.faults().into_iter().next() {
            return Err(Error::invalid(Field::Policy, fault));
        }
        self.change(operation, ApplyPolicy { policy, over }).await
    }
}

struct ApplyPolicy {
    policy: Policy,
    over: Over,
}

/// What a policy may take the place of, if the issuer is there already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Over {
    Nothing,
    Any,
    /// Only the policy of this version.
    Version(i64),
}

impl Change for ApplyPolicy {
    type Answer = Issuer;

    async fn carry_out(&self, tx: &mut Tx) -> Result<Issuer> {
        let policy = &self.policy;
        permit(tx, Permission::ChangeIssuers, "change issuers").await?;
        tx.lock_issuers().await?;
        let before = tx.issuer(&policy.slug).await?;
        let version = before.as_ref().map_or(1, |issuer| issuer.version + 1);
        if self.over == Over::Nothing && before.is_some() && !tx.seen().await? {
            return Err(Error::Refused(format!(
                "issuer {} already exists. To change its policy: keyrack issuer apply FILE",
                policy.slug
            )));
        }
        if let Some(same) = before.filter(|issuer| issuer.policy == *policy) {
            return Ok(same);
        }
        if let Over::Version(read) = self.over
            && version - 1 != read
            && version > 1
        {
            return Err(Error::Refused(format!(
                "the policy of {slug} has version {} by now, and this was made from version {read}. Look at what changed with \
                 keyrack issuer show {slug}, bring it into the file, and write version = {} there",
                version - 1,
                version - 1,
                slug = policy.slug,
            )));
        }
        refuse_taken_prefix(tx.issuers().await?, policy)?;
        tx.put_issuer(policy).await?;
        let detail = json!({ "version": version, "policy": policy });
        tx.record(Action::IssuerApply, policy.slug.as_str(), detail).await?;
        tx.issuer(&policy.slug).await?.ok_or_else(|| Error::no_issuer(&policy.slug))
    }
}

/// A prefix tells whose key it is, so that no two issuers may have the same.
fn refuse_taken_prefix(issuers: Vec<Issuer>, policy: &Policy) -> Result<()> {
    for other in issuers.iter().filter(|other| other.slug != policy.slug) {
        if let Some(prefix) =
            policy.format.prefixes().find(|p| other.policy.format.prefixes().any(|o| o == *p))
        {
            let why = format!("the prefix {prefix} already belongs to issuer {}", other.slug);
            return Err(Error::Invalid { field: Field::Policy, why });
        }
    }
    Ok(())
}
