//! Ending keys for good.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::change::{Change, locked_as_shown};
use super::permit::permit;
use super::wished::Wished;
use super::{Error, Field, Intent, Result, Service};
use crate::domain::approval::Wish;
use crate::domain::audit::{self, Action};
use crate::domain::history::{Head, subject};
use crate::domain::key::{Key, KeyId, OperationId, Revocation};
use crate::domain::manifest::Manifest;
use crate::domain::operator::Permission;
use crate::domain::text::{SafeText, check_reason};
use crate::store::{Trust, Tx};

/// More keys than these have a transaction of their own: others don't wait for it with theirs.
const FEW: usize = 20;

/// A key that was revoked, read back from the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    pub key: Key,
    /// Whether it was revoked before this operation.
    pub already: bool,
}

/// Which keys shall be revoked, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RevokeKeys {
    pub keys: Vec<KeyId>,
    pub reason: Option<String>,
    /// The incident that it is part of, for the audit.
    pub ticket: Option<String>,
    /// What the person was shown who decided: if the keys are others since, nothing is done.
    pub shown: Option<Arc<Manifest>>,
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
        let order =
            RevokeKeys { keys: keys.to_vec(), reason: reason.map(str::to_owned), ..RevokeKeys::default() };
        self.revoke_order(operation, order).await
    }

    /// The same, with all that may be said of it.
    pub async fn revoke_order(&self, operation: OperationId, order: RevokeKeys) -> Result<Vec<Revoked>> {
        let reason = checked(order.reason.as_deref())?.filter(|text| !text.is_empty());
        let ticket = checked(order.ticket.as_deref())?.filter(|text| !text.is_empty());
        let keys = order.keys.iter().map(|key| (*key, reason.clone())).collect();
        self.revoke(operation, Revoke { keys, gone: None, ticket, shown: order.shown }).await
    }

    pub(super) async fn revoke(&self, operation: OperationId, revoke: Revoke) -> Result<Vec<Revoked>> {
        let mut revoked = self.change(operation, revoke).await?;
        if self.intent == Intent::Do {
            self.read_back(&mut revoked).await?;
            self.remember().await?;
        }
        Ok(revoked)
    }

    pub(super) async fn read_back(&self, revoked: &mut [Revoked]) -> Result<()> {
        let Some(first) = revoked.first().map(|one| one.key.id) else { return Ok(()) };
        let ids: Vec<KeyId> = revoked.iter().map(|one| one.key.id).collect();
        let read = self.inner.store.keys(&ids).await;
        let read = read.map_err(|error| Error::NotReadBack { key: first, error })?;
        let mut read = read.into_iter().peekable();
        // Both are in the order of their ids. What was revoked by plan before stays so by its plan.
        for one in revoked {
            let is_so = |key: &Key| {
                key.id == one.key.id
                    && (key.revoked_at.is_some()
                        || one.key.revoked_at.is_none() && key.plan() == one.key.plan())
            };
            one.key = read.next_if(is_so).ok_or(Error::Unconfirmed(one.key.id))?;
        }
        Ok(())
    }
}

/// A reason as it is kept.
pub(super) fn checked(reason: Option<&str>) -> Result<Option<String>> {
    reason.map(check_reason).transpose().map_err(|error| Error::invalid(Field::Reason, error))
}

/// Each key with the reason for its end.
pub(super) struct Revoke {
    /// In the order of their ids, so that two who revoke the same keys wait for each other and do not lock up.
    pub(super) keys: BTreeMap<KeyId, Option<String>>,
    /// Where these are revocations that a restore undid: the audit's newest row that is gone.
    pub(super) gone: Option<Head>,
    /// The incident that they are part of, for the audit.
    pub(super) ticket: Option<String>,
    pub(super) shown: Option<Arc<Manifest>>,
}

impl Change for Revoke {
    type Answer = Vec<Revoked>;

    /// An exposed key can't wait.
    const CLOCK: Trust = Trust::Ahead;

    fn shares(&self) -> bool {
        self.keys.len() <= FEW
    }

    fn wished(&self) -> Option<Wished> {
        let reason = self.keys.values().next().cloned().flatten();
        let wish = Wish::Revoke { reason, ticket: self.ticket.clone() };
        Some(Wished { wish, keys: self.keys.keys().copied().collect(), shown: self.shown.clone() })
    }

    async fn carry_out(&self, tx: &mut Tx) -> Result<Vec<Revoked>> {
        permit(tx, Permission::ChangeKeys, "revoke keys").await?;
        let wanted: Vec<KeyId> = self.keys.keys().copied().collect();
        let (keys, done_before) = locked_as_shown(tx, &wanted, self.shown.as_deref()).await?;
        // All of them before the first row of the audit, as everything of the outbox.
        let ending: Vec<KeyId> =
            keys.iter().filter(|key| !key.is_revoked(tx.now())).map(|key| key.id).collect();
        tx.cancel_reminders(&ending, "revoked").await?;
        let (at, by) = (tx.now(), tx.who().name.clone());
        let end = |reason| Revocation { at, by: by.clone(), reason };
        let reason_of = |id: &KeyId| self.keys.get(id).cloned().flatten();
        // Mostly one reason for all of them.
        let mut ends: BTreeMap<Option<String>, Vec<KeyId>> = BTreeMap::new();
        for id in &ending {
            ends.entry(reason_of(id)).or_default().push(*id);
        }
        for (reason, ids) in ends {
            tx.revoke(&ids, &end(reason)).await?;
        }
        let mut revoked = Vec::with_capacity(keys.len());
        let mut changes = Vec::with_capacity(ending.len());
        for mut key in keys {
            let already = key.is_revoked(at);
            if !already {
                let end = end(reason_of(&key.id));
                let mut detail = json!({ "name": key.name, "preview": key.preview, "reason": end.reason });
                if let Some(ticket) = &self.ticket {
                    detail["ticket"] = json!(ticket);
                }
                changes.push(audit::Change::new(Action::KeyRevoke, &key, detail));
                key.revoked_at = Some(end.at);
                key.revoked_by = Some(end.by.as_str().into());
                key.revoke_reason = end.reason.as_deref().map(SafeText::new);
            }
            revoked.push(Revoked { key, already: already && !done_before });
        }
        if let Some(gone) = self.gone.as_ref().filter(|_| !done_before) {
            let detail = json!({ "leaves": false, "again": ending.len() });
            changes.push(audit::Change::new(Action::AuditAccept, subject(gone).as_str(), detail));
        }
        tx.record_all(&changes).await?;
        Ok(revoked)
    }
}
