//! Changing what keys are, but not their secrets.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::change::{Change, in_order, locked_as_shown};
use super::create::field_of_plan;
use super::permit::permit;
use super::wished::Wished;
use super::{Error, Field, Result, Service};
use crate::domain::approval::Wish;
use crate::domain::audit::{self, Action};
use crate::domain::edit::{Edit, EditError, difference, widened};
use crate::domain::hold::{HoldKind, slips};
use crate::domain::key::{Key, KeyId, OperationId};
use crate::domain::manifest::Manifest;
use crate::domain::operator::Permission;
use crate::domain::owner::Owner;
use crate::domain::text::{SafeText, check_description, check_name, check_reason};
use crate::store::Tx;

/// More keys than these have a transaction of their own, as revocations have.
const FEW: usize = 20;

/// A key that was edited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    /// As it is now.
    pub key: Key,
    /// `{field: [old, new]}`; empty where it was so already.
    pub changed: Map<String, Value>,
    /// Which of them let it do more.
    pub widened: Vec<&'static str>,
}

impl Service {
    /// Changes keys in one transaction: all of them or none. `shown`: what the person was shown who decided; if the keys are
    /// others since, nothing is done.
    pub async fn edit_keys(
        &self,
        operation: OperationId,
        keys: &[KeyId],
        edit: Edit,
        shown: Option<Arc<Manifest>>,
    ) -> Result<Vec<Edited>> {
        let edit = checked(edit)?;
        let keys = in_order(keys);
        self.change(operation, EditKeys { keys, edit, shown }).await
    }
}

/// The same with its texts as they are kept.
fn checked(mut edit: Edit) -> Result<Edit> {
    let name = edit.name.as_deref().map(check_name).transpose();
    edit.name = name.map_err(|error| Error::invalid(Field::Name, error))?;
    let description = edit.description.as_deref().map(check_description).transpose();
    edit.description = description.map_err(|error| Error::invalid(Field::Description, error))?;
    let reason = edit.plan_reason.as_deref().map(check_reason).transpose();
    edit.plan_reason = reason.map_err(|error| Error::invalid(Field::Reason, error))?;
    // An address alone belongs to the owner that a key has.
    let name = edit.owner.as_deref().unwrap_or("x");
    Owner::checked(name, edit.owner_mail.as_deref()).map_err(|error| Error::invalid(Field::Owner, error))?;
    Ok(edit)
}

pub(super) struct EditKeys {
    /// In the order of their ids.
    pub(super) keys: Vec<KeyId>,
    pub(super) edit: Edit,
    pub(super) shown: Option<Arc<Manifest>>,
}

impl Change for EditKeys {
    type Answer = Vec<Edited>;

    fn shares(&self) -> bool {
        self.keys.len() <= FEW
    }

    fn wished(&self) -> Option<Wished> {
        let wish = Wish::Edit { edit: Box::new(self.edit.clone()) };
        Some(Wished { wish, keys: self.keys.clone(), shown: self.shown.clone() })
    }

    async fn carry_out(&self, tx: &mut Tx) -> Result<Vec<Edited>> {
        permit(tx, Permission::ChangeKeys, "edit keys").await?;
        let (keys, done_before) = locked_as_shown(tx, &self.keys, self.shown.as_deref()).await?;
        if done_before {
            let mut told: BTreeMap<KeyId, Map<String, Value>> = tx.edits_told().await?.into_iter().collect();
            let edited = |key: Key| {
                let changed = told.remove(&key.id).unwrap_or_default();
                Edited { key, changed, widened: Vec::new() }
            };
            return Ok(keys.into_iter().map(edited).collect());
        }
        let now = tx.now();
        if let Some(key) = keys.iter().find(|key| key.has_ended(now) || !key.odd.is_empty()) {
            let how = key.ended(now).map_or("damaged", |(how, _)| how);
            let (name, id) = (key.name.as_str(), key.id);
            return Err(Error::Refused(format!(
                "key {name:?} ({id}) is {how}, so it can't be edited. Nothing was changed"
            )));
        }
        let issuers = tx.issuers().await?;
        let policies: BTreeMap<&str, _> = issuers.iter().map(|of| (of.slug.as_str(), &of.policy)).collect();
        let mut edited = Vec::with_capacity(keys.len());
        let several = keys.len() > 1;
        let mut pairs = Vec::new();
        for key in keys {
            let policy = policies.get(key.issuer.as_str()).ok_or_else(|| Error::no_issuer(&key.issuer))?;
            let mut new =
                self.edit.apply(&key, policy, now).map_err(|error| refused(&key, &error, several))?;
            if let Some(plan) = new.planned.as_mut().filter(|plan| key.planned.as_ref() != Some(plan)) {
                plan.by = SafeText::new(tx.who().name.as_str());
            }
            let changed = difference(&key, &new);
            edited.push(Edited { changed, widened: widened(&key, &new), key: new.clone() });
            if edited.last().is_some_and(|one| !one.changed.is_empty()) {
                pairs.push((key, new));
            }
        }
        stay_frozen(tx, &pairs).await?;
        // All of them before the first row of the audit, as everything of the outbox.
        let moved = pairs.iter().filter(|(old, new)| old.stops_at() != new.stops_at());
        let moved: Vec<KeyId> = moved.map(|(old, _)| old.id).collect();
        tx.cancel_reminders(&moved, "expiry changed").await?;
        tx.edit(&pairs).await?;
        let changes = edited.iter().filter(|one| !one.changed.is_empty()).map(|one| {
            let detail = json!({ "name": one.key.name, "preview": one.key.preview, "changed": one.changed });
            audit::Change::new(Action::KeyEdit, &one.key, detail)
        });
        tx.record_all(&changes.collect::<Vec<_>>()).await?;
        Ok(edited)
    }
}

/// Refuses what would let a key work again that somebody froze: its freeze has to be lifted for that.
pub(super) async fn stay_frozen(tx: &mut Tx, pairs: &[(Key, Key)]) -> Result<()> {
    if pairs.is_empty() {
        return Ok(());
    }
    let freezes = tx.held(HoldKind::Freeze).await?;
    let Some((n, place)) = slips(pairs, &freezes, tx.now()) else { return Ok(()) };
    let Some((key, _)) = pairs.get(place) else { return Ok(()) };
    let filter = freezes.iter().find(|hold| hold.n == n).map(|hold| hold.filter.as_str()).unwrap_or_default();
    Err(Error::Refused(format!(
        "key {:?} ({}) is frozen by freeze {n} ({filter}), which would not fit it any more, so that it would work again. \
         Lift the freeze first with `keyrack freeze lift {n}`, or leave what the freeze asks for as it is. Nothing was changed",
        key.name.as_str(),
        key.id
    )))
}

/// The field that a refusal is about.
pub fn field_of(error: &EditError) -> Field {
    match error {
        EditError::Expiry(_) | EditError::Endless | EditError::Long(_) | EditError::Unfit(_) => Field::Expiry,
        EditError::Plan(part, _) => field_of_plan(*part),
        EditError::Unplanned(_) => Field::RevokeAt,
        EditError::Reason => Field::Reason,
        EditError::Scopes(_) => Field::Scopes,
        EditError::Anywhere => Field::Allow,
        EditError::Owner(_) => Field::Owner,
        EditError::Tags(_) => Field::Tags,
    }
}

fn refused(key: &Key, error: &EditError, several: bool) -> Error {
    let field = field_of(error);
    if several {
        let (name, account) = (key.name.as_str(), &key.account);
        return Error::invalid(field, format!("{name:?} of {account}: {error}. Nothing was changed"));
    }
    Error::invalid(field, error)
}
