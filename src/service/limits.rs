//! Budgets agreed for one key.

use serde_json::json;

use super::permit::permit;
use super::*;
use crate::domain::audit::{Action, Change};
use crate::domain::limit::Budgets;
use crate::domain::operator::Permission;

impl Service {
    /// Gives a key budgets of its own, in the place of those that its policy gives to every key; empty: the policy's hold
    /// again. Every gate counts by them from its next request on.
    pub async fn set_limits(&self, operation: OperationId, key: KeyId, limits: Budgets) -> Result<Key> {
        let identity = self.inner.identity.clone();
        self.inner
            .store
            .transact::<_, Error, _>(&self.inner.clock, self.opening(operation), move |tx| {
                let (identity, limits) = (identity.clone(), limits.clone());
                Box::pin(async move {
                    permit(tx, &identity, Permission::ChangeKeys, "change the limits of keys").await?;
                    let found = tx.lock_key(key).await?.ok_or_else(|| Error::no_key(key))?;
                    if found.limits == limits || tx.seen().await? {
                        return Ok(());
                    }
                    if found.revoked_at.is_some() {
                        return Err(Error::Refused(format!(
                            "key {key} is revoked: limits have no meaning for it"
                        )));
                    }
                    tx.set_limits(key, &limits).await?;
                    let text = |limits: &Budgets| (!limits.is_empty()).then(|| limits.to_string());
                    let change = Change {
                        operation,
                        action: Action::KeyLimit,
                        subject: key.to_string(),
                        account: Some(found.account),
                        key: Some(key),
                        detail: json!({ "from": text(&found.limits), "to": text(&limits) }),
                    };
                    Ok(tx.record(&identity, &change).await?)
                })
            })
            .await?;
        self.key(key).await
    }
}
