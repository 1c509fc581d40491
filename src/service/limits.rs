//! Budgets agreed for one key.

use serde_json::json;

use super::change::{Change, locked};
use super::permit::permit;
use super::{Error, Result, Service};
use crate::domain::audit::Action;
use crate::domain::budget::Budgets;
use crate::domain::key::{Key, KeyId, OperationId};
use crate::domain::operator::Permission;
use crate::store::Tx;

impl Service {
    /// Gives a key budgets of its own, in the place of those that its policy gives to every key; empty: the policy's hold
    /// again. Every gate counts by them from its next request on.
    pub async fn set_limits(&self, operation: OperationId, key: KeyId, limits: Budgets) -> Result<Key> {
        self.change(operation, SetLimits { key, limits }).await
    }
}

struct SetLimits {
    key: KeyId,
    limits: Budgets,
}

impl Change for SetLimits {
    type Answer = Key;

    fn shares(&self) -> bool {
        true
    }

    async fn carry_out(&self, tx: &mut Tx) -> Result<Key> {
        permit(tx, Permission::ChangeKeys, "change the limits of keys").await?;
        let key = locked(tx, self.key).await?;
        if key.limits == self.limits || tx.seen().await? {
            return Ok(key);
        }
        if key.is_revoked(tx.now()) {
            return Err(Error::Refused(format!("key {} is revoked: limits have no effect on it", key.id)));
        }
        tx.set_limits(key.id, &self.limits).await?;
        let text = |limits: &Budgets| (!limits.is_empty()).then(|| limits.to_string());
        let detail = json!({ "from": text(&key.limits), "to": text(&self.limits) });
        tx.record(Action::KeyLimit, &key, detail).await?;
        locked(tx, key.id).await
    }
}
