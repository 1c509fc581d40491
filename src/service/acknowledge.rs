//! Confirming that a secret was taken over.

use std::sync::Arc;

use serde_json::json;

use super::change::{Change, all_locked, in_order};
use super::permit::permit;
use super::wished::Wished;
use super::{Error, Result, Service};
use crate::domain::approval::Wish;
use crate::domain::audit::{self, Action};
use crate::domain::key::{Key, KeyId, OperationId, Revocation};
use crate::domain::manifest::Manifest;
use crate::domain::operator::Permission;
use crate::store::Tx;

/// A key whose secret shall be confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    pub key: Key,
    /// Whether it was confirmed before.
    pub already: bool,
    /// It is over, and stays as it is.
    pub over: bool,
}

impl Service {
    /// Records that the secret of `key` was taken over, so that it does not die after ten minutes. If the key replaces
    /// another one, the other one's end begins now.
    pub async fn acknowledge_key(&self, operation: OperationId, key: KeyId) -> Result<Key> {
        let change = Acknowledge { keys: vec![key], one: true, shown: None };
        let done = self.change(operation, change).await?.pop();
        done.map(|done| done.key).ok_or_else(|| Error::no_key(key))
    }

    /// The same of several keys in one transaction; those that are over are left as they are. `shown`: what the person was
    /// shown who decided.
    pub async fn acknowledge_keys(
        &self,
        operation: OperationId,
        keys: &[KeyId],
        shown: Option<Arc<Manifest>>,
    ) -> Result<Vec<Acknowledged>> {
        self.change(operation, Acknowledge { keys: in_order(keys), one: false, shown }).await
    }
}

pub(super) struct Acknowledge {
    /// In the order of their ids.
    pub(super) keys: Vec<KeyId>,
    /// Whether a key that is over is refused.
    pub(super) one: bool,
    pub(super) shown: Option<Arc<Manifest>>,
}

impl Change for Acknowledge {
    type Answer = Vec<Acknowledged>;

    /// What is replaced ends, or will.
    fn narrows(&self, done: &Vec<Acknowledged>) -> bool {
        done.iter().any(|done| done.key.predecessor.is_some())
    }

    fn shares(&self) -> bool {
        self.one
    }

    fn wished(&self) -> Option<Wished> {
        Some(Wished { wish: Wish::Confirm, keys: self.keys.clone(), shown: self.shown.clone() })
    }

    async fn carry_out(&self, tx: &mut Tx) -> Result<Vec<Acknowledged>> {
        permit(tx, Permission::ChangeKeys, "acknowledge keys").await?;
        let keys = all_locked(tx, &self.keys).await?;
        if let Some(shown) = &self.shown
            && !tx.seen().await?
        {
            shown.check(&keys).map_err(Error::Moved)?;
        }
        let now = tx.now();
        let over = |key: &Key| key.acknowledged_at.is_none() && key.has_ended(now);
        if let Some(key) = keys.iter().find(|key| self.one && over(key)) {
            let (id, status) = (key.id, key.status(now).as_str());
            return Err(Error::Refused(format!(
                "key {id} is already {status} and stays so. Create another one"
            )));
        }
        let open = keys.iter().filter(|key| key.acknowledged_at.is_none() && !over(key));
        let open: Vec<&Key> = open.collect();
        tx.acknowledge(&open.iter().map(|key| key.id).collect::<Vec<_>>()).await?;
        for key in &open {
            if let Some(old) = key.predecessor {
                retire(tx, old, key.id).await?;
            }
        }
        let changes: Vec<_> =
            open.iter().map(|key| audit::Change::new(Action::KeyAcknowledge, *key, json!({}))).collect();
        tx.record_all(&changes).await?;
        let read = tx.lock_keys(&self.keys).await?;
        let done = read.into_iter().zip(keys).map(|(key, before)| Acknowledged {
            already: before.acknowledged_at.is_some(),
            over: over(&before),
            key,
        });
        Ok(done.collect())
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
        tx.set_expiries(&[(old, end)]).await?;
        tx.record(Action::KeyRetire, &key, json!({ "ends_at": end, "successor": new })).await?;
    }
    Ok(())
}
