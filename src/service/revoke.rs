//! Ending keys for good.

use serde_json::json;

use super::permit::permit;
use super::*;
use crate::domain::audit::{Action, Change};
use crate::domain::key::Revocation;
use crate::domain::operator::Permission;
use crate::domain::text::check_reason;

impl Service {
    /// Revokes keys at once and for good, in one transaction, and reads them back on another connection before it says so.
    /// A key that is revoked already stays as it is and is answered with `already`.
    pub async fn revoke_keys(
        &self,
        operation: OperationId,
        keys: &[KeyId],
        reason: Option<&str>,
    ) -> Result<Vec<Revoked>> {
        let reason = reason.map(check_reason).transpose().map_err(|e| Error::invalid(Field::Reason, e))?;
        let reason = reason.filter(|text| !text.is_empty());
        let identity = self.inner.identity.clone();
        // In the order of their ids, so that two who revoke the same keys wait for each other and do not lock up.
        let mut ids = keys.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let ended = self
            .inner
            .store
            .transact::<_, Error, _>(&self.inner.clock, self.opening(operation), move |tx| {
                let (identity, ids, reason) = (identity.clone(), ids.clone(), reason.clone());
                Box::pin(async move {
                    permit(tx, &identity, Permission::ChangeKeys, "revoke keys").await?;
                    let mut keys = Vec::with_capacity(ids.len());
                    for id in ids {
                        keys.push(tx.lock_key(id).await?.ok_or_else(|| Error::no_key(id))?);
                    }
                    // Asked behind the locks, which an earlier try of this very operation may still have held.
                    let done_before = tx.seen().await?;
                    // All of them before the first row of the audit, as everything of the outbox.
                    let ending: Vec<KeyId> =
                        keys.iter().filter(|key| key.revoked_at.is_none()).map(|key| key.id).collect();
                    tx.cancel_reminders(&ending, "revoked").await?;
                    let mut ended = Vec::with_capacity(keys.len());
                    for key in keys {
                        let id = key.id;
                        let revoked = key.revoked_at.is_some();
                        ended.push((id, revoked && !done_before));
                        if revoked {
                            continue;
                        }
                        let end =
                            Revocation { at: tx.now(), by: identity.name.clone(), reason: reason.clone() };
                        tx.revoke(id, &end).await?;
                        let change = Change {
                            operation,
                            action: Action::KeyRevoke,
                            subject: id.to_string(),
                            account: Some(key.account.clone()),
                            key: Some(id),
                            detail: json!({ "name": key.name, "preview": key.preview, "reason": reason }),
                        };
                        tx.record(&identity, &change).await?;
                    }
                    Ok(ended)
                })
            })
            .await?;
        let mut read_back = Vec::with_capacity(ended.len());
        for (id, already) in ended {
            match self.inner.store.key(id).await {
                Ok(Some(key)) if key.revoked_at.is_some() => read_back.push(Revoked { key, already }),
                Ok(_) => return Err(Error::Unconfirmed(id)),
                Err(error) => return Err(Error::NotReadBack { key: id, error }),
            }
        }
        Ok(read_back)
    }
}
