//! The audit: an append-only, hash-chained record of every change.

use serde::Serialize;
use sha2::{Digest, Sha256};
use strum::{IntoStaticStr, VariantArray};
use uuid::Uuid;

use super::Instant;
use super::account::Account;
use super::key::{Key, KeyId, NewKey, OperationId};
use super::person::Person;
use super::query::Bound;
use super::text::SafeText;

mod filter;
pub mod finding;
pub mod register;
pub mod replay;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr, VariantArray)]
pub enum Action {
    #[strum(serialize = "issuer.apply")]
    IssuerApply,
    #[strum(serialize = "account.create")]
    AccountCreate,
    /// Name, admins or plan.
    #[strum(serialize = "account.change")]
    AccountChange,
    #[strum(serialize = "account.suspend")]
    AccountSuspend,
    #[strum(serialize = "account.reinstate")]
    AccountReinstate,
    #[strum(serialize = "operator.set")]
    OperatorSet,
    #[strum(serialize = "operator.remove")]
    OperatorRemove,
    #[strum(serialize = "key.create")]
    KeyCreate,
    /// A key that another product made moved in.
    #[strum(serialize = "key.import")]
    KeyImport,
    #[strum(serialize = "key.acknowledge")]
    KeyAcknowledge,
    #[strum(serialize = "key.rotate")]
    KeyRotate,
    /// The old key's end was set by a rotation.
    #[strum(serialize = "key.retire")]
    KeyRetire,
    #[strum(serialize = "key.revoke")]
    KeyRevoke,
    /// A key is refused for a while.
    #[strum(serialize = "key.pause")]
    KeyPause,
    /// Before its pause was over.
    #[strum(serialize = "key.resume")]
    KeyResume,
    /// What a key is was changed.
    #[strum(serialize = "key.edit")]
    KeyEdit,
    /// A key was given budgets of its own, or lost them.
    #[strum(serialize = "key.limit")]
    KeyLimit,
    /// The account's admins were told of a key.
    #[strum(serialize = "key.tell")]
    KeyTell,
    /// Somebody told a gate that a key leaked, and it was left as it was.
    #[strum(serialize = "leak.report")]
    LeakReport,
    #[strum(serialize = "alert.acknowledge")]
    AlertAcknowledge,
    #[strum(serialize = "sweep.begin")]
    SweepBegin,
    /// A page of reminders that are due was written down.
    #[strum(serialize = "sweep.plan")]
    SweepPlan,
    #[strum(serialize = "sweep.end")]
    SweepEnd,
    /// The mail server took a reminder to one recipient.
    #[strum(serialize = "reminder.send")]
    ReminderSend,
    /// A reminder to one recipient became a file.
    #[strum(serialize = "reminder.write")]
    ReminderWrite,
    /// It refused it for good.
    #[strum(serialize = "reminder.fail")]
    ReminderFail,
    /// A passing fault: it will be tried again.
    #[strum(serialize = "reminder.defer")]
    ReminderDefer,
    /// It may have arrived or not.
    #[strum(serialize = "reminder.ambiguous")]
    ReminderAmbiguous,
    /// It was put aside before it was sent: the key ended, or a tighter threshold was crossed.
    #[strum(serialize = "reminder.cancel")]
    ReminderCancel,
    #[strum(serialize = "reminder.retry")]
    ReminderRetry,
    /// Somebody decided how to go on after a restore: what was undone was made again, or left.
    #[strum(serialize = "audit.accept")]
    AuditAccept,
    /// More changes may commit at the same time.
    #[strum(serialize = "audit.lanes")]
    AuditLanes,
    /// Somebody said that the clock is right, although it was far from the newest change.
    #[strum(serialize = "clock.accept")]
    ClockAccept,
    /// All keys that a filter fits are refused for a while, those made later too.
    #[strum(serialize = "freeze.add")]
    FreezeAdd,
    #[strum(serialize = "freeze.lift")]
    FreezeLift,
    /// No key can be made for a while.
    #[strum(serialize = "creation.stop")]
    CreationStop,
    #[strum(serialize = "creation.allow")]
    CreationAllow,
    /// Somebody asked a second person to approve a change of many keys.
    #[strum(serialize = "approval.ask")]
    ApprovalAsk,
    #[strum(serialize = "approval.approve")]
    ApprovalApprove,
    #[strum(serialize = "approval.decline")]
    ApprovalDecline,
    /// In an emergency it was done without one.
    #[strum(serialize = "approval.override")]
    ApprovalOverride,
    /// Everything was written into a file, the hashes of keys among it.
    #[strum(serialize = "export.write")]
    ExportWrite,
    /// A program is told of what happens from now on.
    #[strum(serialize = "endpoint.add")]
    EndpointAdd,
    #[strum(serialize = "endpoint.remove")]
    EndpointRemove,
    /// A batch of keys was loaded by `keyrack demo`.
    #[strum(serialize = "demo.load")]
    DemoLoad,
}

impl Action {
    pub const ALL: &[Self] = Self::VARIANTS;
    /// A key began with one of these.
    pub const CREATIONS: [Self; 3] = [Self::KeyCreate, Self::KeyRotate, Self::KeyImport];

    /// The word that the database, the filter and the output use.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// One change, before it has a place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub action: Action,
    pub subject: Subject,
    /// The particulars, never with a secret in them.
    pub detail: serde_json::Value,
}

impl Change {
    pub fn new(action: Action, subject: impl Into<Subject>, detail: serde_json::Value) -> Self {
        Self { action, subject: subject.into(), detail }
    }
}

/// What was changed, and whose history that belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// A key's id, an account's or issuer's slug, an operator's name, the number of an alert.
    pub name: String,
    pub account: Option<String>,
    pub key: Option<KeyId>,
}

impl From<&Key> for Subject {
    fn from(key: &Key) -> Self {
        Self { name: key.id.to_string(), account: Some(key.account.clone()), key: Some(key.id) }
    }
}

impl From<&NewKey> for Subject {
    fn from(key: &NewKey) -> Self {
        Self { name: key.id.to_string(), account: Some(key.account.clone()), key: Some(key.id) }
    }
}

impl From<&Account> for Subject {
    fn from(account: &Account) -> Self {
        Self { name: account.slug.clone(), account: Some(account.slug.clone()), key: None }
    }
}

/// Something that belongs to no account and no key.
impl From<&str> for Subject {
    fn from(name: &str) -> Self {
        Self { name: name.to_owned(), account: None, key: None }
    }
}

/// Which rows of the audit are wanted. Every condition that is set must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    pub actor: Option<String>,
    /// Part of who was behind the actor.
    pub person: Option<String>,
    /// An action, or its noun alone (`key`).
    pub action: Option<String>,
    pub account: Option<String>,
    pub key: Option<KeyId>,
    pub operation: Option<OperationId>,
    /// When it was done: on these sides of instants.
    pub at: Vec<Bound>,
    /// Part of subject or detail.
    pub text: Option<String>,
}

/// The changes of one account, or of one person, over a time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Total {
    pub name: SafeText,
    pub created: u64,
    pub rotated: u64,
    pub revoked: u64,
    pub paused: u64,
    pub edited: u64,
    /// All rows of the audit, those above among them.
    pub changes: u64,
}

/// One row of the audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// 1, 2, 3, … without a gap.
    pub seq: i64,
    pub at: Instant,
    pub actor: SafeText,
    pub host: SafeText,
    pub client: Option<SafeText>,
    /// Who was behind the actor, where that is known.
    pub person: Person,
    pub operation: OperationId,
    pub action: SafeText,
    pub subject: SafeText,
    pub account: Option<SafeText>,
    pub key: Option<KeyId>,
    /// The key's name as it is now, where it is about one.
    pub name: Option<SafeText>,
    /// JSON text.
    pub detail: SafeText,
    /// SHA-256 over the row before and this row, in hexadecimal.
    pub hash: String,
}

impl Entry {
    /// A text of its particulars.
    pub fn told(&self, name: &str) -> Option<SafeText> {
        let detail: serde_json::Value = serde_json::from_str(&self.detail).unwrap_or_default();
        detail
            .get(name)
            .and_then(serde_json::Value::as_str)
            .filter(|text| !text.is_empty())
            .map(SafeText::new)
    }

    /// What it is about, for a person: the key's name as it was then, else as it is now, else what was changed.
    pub fn about(&self) -> SafeText {
        let then = self.key.and_then(|_| self.told("name"));
        then.or_else(|| self.name.clone()).unwrap_or_else(|| self.subject.clone())
    }
}

/// A row exactly as it stands in the database, for hashing. Nothing of it is cleaned for display.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub seq: i64,
    pub at: Instant,
    pub actor: String,
    pub host: String,
    pub client: Option<String>,
    pub person: Option<String>,
    pub operation: Uuid,
    pub action: String,
    pub subject: String,
    pub account: Option<String>,
    pub key: Option<Uuid>,
    pub detail: String,
}

/// The hash that stands before the first row.
pub const GENESIS: [u8; 32] = [0; 32];

impl Link {
    /// SHA-256 over `previous` and every field, each with its length before it, so that no two rows read the same.
    pub fn hash(&self, previous: &[u8; 32]) -> [u8; 32] {
        let mut sha = Sha256::new();
        sha.update(previous);
        sha.update(self.seq.to_be_bytes());
        sha.update(self.at.timestamp_micros().to_be_bytes());
        let mut text = |field: Option<&[u8]>| match field {
            None => sha.update(u64::MAX.to_be_bytes()),
            Some(bytes) => {
                sha.update((bytes.len() as u64).to_be_bytes());
                sha.update(bytes);
            }
        };
        text(Some(self.actor.as_bytes()));
        text(Some(self.host.as_bytes()));
        text(self.client.as_deref().map(str::as_bytes));
        text(Some(self.operation.as_bytes()));
        text(Some(self.action.as_bytes()));
        text(Some(self.subject.as_bytes()));
        text(self.account.as_deref().map(str::as_bytes));
        text(self.key.as_ref().map(|key| key.as_bytes().as_slice()));
        text(Some(self.detail.as_bytes()));
        // Rows of earlier versions have none, and no field for it.
        if let Some(person) = &self.person {
            text(Some(person.as_bytes()));
        }
        sha.finalize().into()
    }
}

/// What `audit verify` found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every row hangs on the one before it.
    Intact { rows: i64, head: [u8; 32] },
    /// The chain breaks at row `seq`.
    Broken { seq: i64, why: Break },
}

/// How a chain can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Break {
    #[error("the row is missing")]
    Missing,
    #[error("the row's content does not match its hash: it was edited, inserted or moved")]
    Hash,
    #[error("rows after this one are missing: the chain's head says that there are more")]
    Truncated,
    #[error("the chain's head does not match its last row")]
    Head,
}

#[cfg(test)]
mod tests;
