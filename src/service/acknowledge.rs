//! Confirming that a secret was taken over.

use serde_json::json;

use super::change::{Change, locked};
use super::permit::permit;
use super::{Error, Result, Service};
use crate::domain::audit::Action;
use crate::domain::key::{Key, KeyId, OperationId, Revocation};
use crate::domain::operator::Permission;
use crate::store::Tx;

impl Service {
    /// Records that the secret of `key` was taken over, so that it does not die after ten minutes. If the key replaces
    /// another one, the other one's end begins now.
    pub async fn acknowledge_key(&self, operation: OperationId, key: KeyId) -> Result<Key> {
        self.change(operation, Acknowledge { key }).await
    }
}

struct Acknowledge {
    key: KeyId,
}

impl Change for Acknowledge {
    type Answer = Key;

    fn shares(&self) -> bool {
        true
    }

    async fn carry_out(&self, tx: &mut Tx) -> Result<Key> {
        permit(tx, Permission::ChangeKeys, "acknowledge keys").await?;
        let key = locked(tx, self.key).await?;
        if key.acknowledged_at.is_some() {
            return Ok(key);
        }
        if key.has_ended(tx.now()) {
            let (id, status) = (key.id, key.status(tx.now()).as_str());
            return Err(Error::Refused(format!(
                "key {id} is {status} already and stays so. Create another one"
            )));
        }
        tx.acknowledge(key.id).await?;
        if let Some(old) = key.predecessor {
            retire(tx, old, key.id).await?;
        }
        tx.record(Action::KeyAcknowledge, &key, json!({})).await?;
        locked(tx, key.id).await
    }
}

/// Begins the end of a key that was replaced: at once, or after its overlap, and never later than its own expiry.
async fn retire(tx: &mut Tx, old: KeyId, new: KeyId) -> Result<()> {
    let now = tx.now();
    let seconds = tx.overlap_of(new).await?.unwrap_or(0);
    let Some(key) = tx.lock_key(old).await? else { return Ok(()) };
    if key.has_ended(now) {
        return Ok(());
    }
    tx.cancel_reminders(&[old], "replaced").await?;
    if seconds == 0 {
        let reason = format!("replaced by {new}");
        let end = Revocation { at: now, by: tx.who().name.clone(), reason: Some(reason.clone()) };
        tx.revoke(&[old], &end).await?;
        tx.record(Action::KeyRevoke, &key, json!({ "reason": reason, "successor": new })).await?;
    } else {
        let end = crate::domain::shifted(
            now,
            chrono::TimeDelta::try_seconds(seconds).unwrap_or(chrono::TimeDelta::MAX),
        );
        let end = key.expires_at.map_or(end, |own| own.min(end));
        tx.set_expiry(old, end).await?;
        tx.record(Action::KeyRetire, &key, json!({ "ends_at": end, "successor": new })).await?;
    }
    Ok(())
}
