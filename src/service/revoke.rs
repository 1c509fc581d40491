//! Ending keys for good.

use serde_json::json;

use super::change::{Change, locked};
use super::permit::permit;
use super::{Error, Field, Intent, Result, Service};
use crate::domain::audit::Action;
use crate::domain::key::{Key, KeyId, OperationId, Revocation};
use crate::domain::operator::Permission;
use crate::domain::text::{SafeText, check_reason};
use crate::store::Tx;

/// A key that was revoked, read back from the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    pub key: Key,
    /// Whether it was revoked before this operation.
    pub already: bool,
}

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
        // In the order of their ids, so that two who revoke the same keys wait for each other and do not lock up.
        let mut keys = keys.to_vec();
        keys.sort_unstable();
        keys.dedup();
        let mut revoked = self.change(operation, Revoke { keys, reason }).await?;
        if self.intent == Intent::Do {
            for one in &mut revoked {
                self.read_back(&mut one.key).await?;
            }
        }
        Ok(revoked)
    }

    async fn read_back(&self, key: &mut Key) -> Result<()> {
        match self.inner.store.key(key.id).await {
            Ok(Some(read)) if read.revoked_at.is_some() => *key = read,
            Ok(_) => return Err(Error::Unconfirmed(key.id)),
            Err(error) => return Err(Error::NotReadBack { key: key.id, error }),
        }
        Ok(())
    }
}

struct Revoke {
    keys: Vec<KeyId>,
    reason: Option<String>,
}

impl Change for Revoke {
    type Answer = Vec<Revoked>;

    async fn carry_out(&self, tx: &mut Tx) -> Result<Vec<Revoked>> {
        permit(tx, Permission::ChangeKeys, "revoke keys").await?;
        let mut keys = Vec::with_capacity(self.keys.len());
        for id in &self.keys {
            keys.push(locked(tx, *id).await?);
        }
        // Asked behind the locks, which an earlier try of this very operation may still have held.
        let done_before = tx.seen().await?;
        // All of them before the first row of the audit, as everything of the outbox.
        let ending: Vec<KeyId> =
            keys.iter().filter(|key| key.revoked_at.is_none()).map(|key| key.id).collect();
        tx.cancel_reminders(&ending, "revoked").await?;
        let end = Revocation { at: tx.now(), by: tx.who().name.clone(), reason: self.reason.clone() };
        let mut revoked = Vec::with_capacity(keys.len());
        for mut key in keys {
            let already = key.revoked_at.is_some();
            if !already {
                tx.revoke(key.id, &end).await?;
                let detail = json!({ "name": key.name, "preview": key.preview, "reason": self.reason });
                tx.record(Action::KeyRevoke, &key, detail).await?;
                key.revoked_at = Some(end.at);
                key.revoked_by = Some(end.by.as_str().into());
                key.revoke_reason = end.reason.as_deref().map(SafeText::new);
            }
            revoked.push(Revoked { key, already: already && !done_before });
        }
        Ok(revoked)
    }
}
