//! Confirming that a secret was taken over.

use serde_json::json;

use super::permit::permit;
use super::*;
use crate::domain::audit::{Action, Change};
use crate::domain::key::{Revocation, Status};
use crate::domain::operator::Permission;
use crate::store::Tx;

impl Service {
    /// Records that the secret of `key` was taken over, so that it does not die after ten minutes. If the key replaces
    /// another one, the other one's end begins now.
    pub async fn acknowledge_key(&self, operation: OperationId, key: KeyId) -> Result<Key> {
        let identity = self.inner.identity.clone();
        self.inner
            .store
            .transact::<_, Error, _>(&self.inner.clock, self.opening(operation), move |tx| {
                let identity = identity.clone();
                Box::pin(async move {
                    permit(tx, &identity, Permission::ChangeKeys, "acknowledge keys").await?;
                    let found = tx.lock_key(key).await?.ok_or_else(|| Error::no_key(key))?;
                    if found.acknowledged_at.is_some() {
                        return Ok(());
                    }
                    let status = found.status(tx.now());
                    if status != Status::Active {
                        return Err(Error::Refused(format!(
                            "key {key} is {} already and stays so. Create another one",
                            status.as_str()
                        )));
                    }
                    tx.acknowledge(key).await?;
                    if let Some(old) = found.predecessor {
                        retire(tx, &identity, operation, old, key).await?;
                    }
                    let change = Change {
                        operation,
                        action: Action::KeyAcknowledge,
                        subject: key.to_string(),
                        account: Some(found.account),
                        key: Some(key),
                        detail: json!({}),
                    };
                    Ok(tx.record(&identity, &change).await?)
                })
            })
            .await?;
        self.key(key).await
    }
}

/// Begins the end of a key that was replaced: at once, or after its overlap, and never later than its own expiry.
async fn retire(tx: &mut Tx, who: &Identity, operation: OperationId, old: KeyId, new: KeyId) -> Result<()> {
    let now = tx.now();
    let seconds = tx.overlap_of(new).await?.unwrap_or(0);
    let Some(key) = tx.lock_key(old).await? else { return Ok(()) };
    if key.status(now) != Status::Active {
        return Ok(());
    }
    let change = |action, detail| Change {
        operation,
        action,
        subject: old.to_string(),
        account: Some(key.account.clone()),
        key: Some(old),
        detail,
    };
    tx.cancel_reminders(&[old], "replaced").await?;
    if seconds == 0 {
        let reason = format!("replaced by {new}");
        let end = Revocation { at: now, by: who.name.clone(), reason: Some(reason.clone()) };
        tx.revoke(old, &end).await?;
        tx.record(who, &change(Action::KeyRevoke, json!({ "reason": reason, "successor": new }))).await?;
    } else {
        let end = now + chrono::Duration::seconds(seconds);
        let end = key.expires_at.map_or(end, |own| own.min(end));
        tx.set_expiry(old, end).await?;
        tx.record(who, &change(Action::KeyRetire, json!({ "ends_at": end, "successor": new }))).await?;
    }
    Ok(())
}
