//! Which overlay to open, as plain data: a screen or an overlay names it, and `overlays.rs` alone builds it.

use std::sync::Arc;

use super::effect::Request;
use super::views::OfKeys;
use super::words::{ExitReason, Pasted};
use crate::config::keymap::Context;
use crate::domain::Instant;
use crate::domain::account::{Account, Standing};
use crate::domain::approval::Approval;
use crate::domain::audit::Action;
use crate::domain::expiry::{Expiry, Overlap};
use crate::domain::key::{Key, KeyId, OperationId, Status};
use crate::domain::notice::Occasion;
use crate::domain::operator;
use crate::domain::query::Sort;
use crate::domain::reminder::ReminderId;
use crate::domain::subjects::Subjects;
use crate::domain::text::SafeText;
use crate::service::{Created, Decision, Looked, Revoked, Tell};

/// An overlay and what it is about. A secret in it moves on into the overlay and is never copied.
#[derive(Debug, PartialEq)]
pub enum Opening {
    /// Choosing the order of the table of keys; the present one.
    Sort(Sort),
    /// Choosing the columns of the table of keys.
    Columns,
    /// The form for a new key, for an account if one is given.
    Create {
        account: Option<String>,
    },
    /// The form for a new key like this one.
    Alike(KeyId),
    /// The form to change this key.
    Edit(Box<Key>),
    /// The form to change several.
    EditMany(Vec<KeyId>),
    /// The one time a secret is shown. `replaces`: the key that it takes the place of, how long
    /// that one goes on, and its own expiry.
    Reveal {
        created: Box<Created>,
        replaces: Option<(SafeText, Overlap, Option<Instant>)>,
    },
    /// Shall these keys end? `known`: those of them that are on the screen; `states`: how many there are of each state.
    Revoke {
        ids: Vec<KeyId>,
        known: Vec<Key>,
        states: String,
    },
    /// For how long shall these keys be refused? Where they are paused already: shall they work again? `known` and `states` as
    /// above; `resume`: whether that is asked in any case.
    Pause {
        ids: Vec<KeyId>,
        known: Vec<Key>,
        states: String,
        resume: bool,
    },
    /// Which keys shall be frozen, or whose creation stopped, for how long? `of`: the filter that is offered; `lift`: the freeze
    /// or stop that is to be lifted instead.
    Hold {
        of: String,
        lift: Option<i64>,
    },
    /// Shall the overlaps of these old keys end? `known` as above; `states`: who uses them.
    CloseOverlaps {
        ids: Vec<KeyId>,
        known: Vec<Key>,
        states: String,
    },
    /// By how much shall the overlaps of these old keys be longer?
    ExtendOverlaps {
        ids: Vec<KeyId>,
        known: Vec<Key>,
    },
    /// Which keys these are and what they do. `looked`: where that was read already.
    Looked {
        ids: Vec<KeyId>,
        looked: Option<Box<Looked>>,
    },
    /// Where shall these keys be written?
    Export(Vec<KeyId>),
    /// Shall the revocations be made again that a restored backup undid?
    Restored,
    /// What was revoked elsewhere in the console, with the gates' receipt.
    Revoked(Vec<Revoked>),
    /// The search for an exposed key.
    Emergency,
    /// The same for what was put where no secret belongs.
    Exposed(Pasted),
    /// The story of these keys; of all that something was decided about lately where it names none.
    Incident(Vec<KeyId>),
    /// What a request with this key would meet now.
    Explain(Box<Key>),
    /// The same, for a key that has to be read first.
    ExplainId(KeyId),
    /// Why something that somebody pastes is refused.
    ExplainSecret,
    Rotate(Box<Key>),
    /// The operator of this name leaves.
    Leaver(String),
    /// How shall these keys be replaced, and where shall their new secrets go? `known` and `states` as above.
    RotateMany {
        ids: Vec<KeyId>,
        known: Vec<Key>,
        states: String,
    },
    /// Shall these keys be replaced, one by one? `expiry`: `None` where each lives as long as the one that it replaces.
    RotateEach {
        keys: Arc<[Key]>,
        overlap: Overlap,
        expiry: Option<Expiry>,
    },
    Confirm(Question),
    /// The form for a new account. `issuer`: the one chosen at first. `first_run`: the form for a key follows.
    Account {
        issuer: Option<String>,
        first_run: bool,
    },
    /// What waits for a second person.
    Approvals,
    /// Shall this be done without one?
    Alone(Box<Approval>),
    /// Everything about the account with this slug.
    AccountPage(String),
    /// The form to change an account.
    ChangeAccount(Account),
    /// The form for budgets of this key's own.
    Limit(Box<Key>),
    /// The presets that are not there yet. `first_run`: with words of welcome, and the form for an account follows.
    Preset {
        first_run: bool,
    },
    /// What every key does at a place.
    Help(Context),
    /// The commands that hold at a place.
    Palette(Context),
    Themes,
    /// The settings that can be changed here; how the table of keys stands.
    Settings(OfKeys),
    /// A page to read, and the key that it is about.
    Reader {
        title: String,
        parts: Vec<Part>,
        about: Option<About>,
    },
    /// The sweep that goes on, or what one would send.
    Sweep,
    /// Leaves, after asking while a sweep goes on.
    Leave(ExitReason),
}

/// Something new that the cursor shall stand on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    Key(KeyId),
    /// By slug.
    Account(String),
    Issuer(String),
    Operator(String),
}

/// A part of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Heading(String),
    Fact(&'static str, String),
    Words(String),
    Space,
}

/// The key that a page is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// The filter that shows it.
    pub filter: String,
    /// The key, where it can be revoked from the page.
    pub revoke: Option<KeyId>,
}

impl About {
    /// A key that one can go to and revoke, whatever its status.
    pub fn key(id: KeyId) -> Self {
        let every = Status::ALL.iter().map(|status| status.as_str()).collect::<Vec<_>>().join(",");
        Self { filter: format!("status:{every} id:{id}"), revoke: Some(id) }
    }
}

/// What is asked before a change that can be taken back, and what follows.
#[derive(Debug, PartialEq, Eq)]
pub struct Question {
    pub title: String,
    pub words: String,
    /// The button's word: "Suspend".
    pub verb: &'static str,
    pub change: Change,
    /// Said once it is done.
    pub done: String,
    /// What takes it back, where something does.
    pub undo: Option<Change>,
}

/// What a yes changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Standing {
        account: String,
        standing: Standing,
    },
    Role {
        operator: String,
        role: operator::Role,
    },
    RemoveOperator(String),
    RetryReminders(Vec<ReminderId>),
    /// The admins of these keys' accounts get a letter.
    Tell {
        keys: Vec<KeyId>,
        occasion: Occasion,
    },
    /// The database went back, and stays as it is.
    AcceptHistory,
    /// A request for approval is decided.
    Decide {
        n: i64,
        decision: Decision,
    },
}

impl Question {
    /// The question whether to take something back by this change.
    pub fn undoing(change: Change) -> Self {
        let (title, words, verb, done) = match &change {
            Change::Standing { account, standing: Standing::Good } => (
                format!("Undo: reinstate {account}?"),
                "Keys can be created for it again, and gates no longer refuse its keys for this.",
                "Reinstate",
                format!("{account} is reinstated"),
            ),
            Change::Standing { account, .. } => (
                format!("Undo: suspend {account}?"),
                "No key can be created for it until it is reinstated. Gates refuse its keys.",
                "Suspend",
                format!("{account} is suspended"),
            ),
            Change::Role { operator, role } => (
                format!("Undo: give {operator} the role {}?", role.as_str()),
                "That was the role before.",
                "Yes",
                format!("{operator} has the role {} again", role.as_str()),
            ),
            Change::RemoveOperator(name) => (
                format!("Undo: remove {name}?"),
                "All rights on this database are removed again.",
                "Remove",
                format!("{name} has no rights any more"),
            ),
            _ => ("Undo?".to_owned(), "", "Yes", "undone".to_owned()),
        };
        Self { title, words: words.to_owned(), verb, change, done, undo: None }
    }
}

impl Change {
    /// What it did, for whoever may want it undone.
    pub fn did(&self) -> String {
        match self {
            Self::Standing { account, standing: Standing::Good } => format!("reinstating {account}"),
            Self::Standing { account, .. } => format!("suspending {account}"),
            Self::Role { operator, role } => format!("giving {operator} the role {}", role.as_str()),
            Self::RemoveOperator(name) => format!("removing {name}"),
            Self::RetryReminders(_) | Self::Tell { .. } | Self::AcceptHistory | Self::Decide { .. } => {
                String::new()
            }
        }
    }

    /// What it is about.
    pub fn subjects(&self) -> Subjects {
        if let Self::Decide { .. } = self {
            // Any change of keys may have been carried out.
            return Subjects::of(Action::ApprovalOverride).and(Subjects::of(Action::KeyRevoke));
        }
        Subjects::of(match self {
            Self::Standing { .. } => Action::AccountSuspend,
            Self::Role { .. } => Action::OperatorSet,
            Self::RemoveOperator(_) => Action::OperatorRemove,
            Self::RetryReminders(_) => Action::ReminderRetry,
            Self::Tell { .. } => Action::KeyTell,
            Self::AcceptHistory => Action::AuditAccept,
            Self::Decide { .. } => Action::ApprovalApprove,
        })
    }

    pub fn request(&self, operation: OperationId) -> Request {
        match self.clone() {
            Self::Standing { account, standing } => Request::SetStanding { operation, account, standing },
            Self::Role { operator, role } => Request::SetOperator { operation, name: operator, role },
            Self::RemoveOperator(name) => Request::RemoveOperator { operation, name },
            Self::RetryReminders(reminders) => Request::RetryReminders { operation, reminders },
            Self::Tell { keys, occasion } => {
                Request::Tell(Box::new(Tell { operation, keys, occasion, reason: None }))
            }
            Self::AcceptHistory => Request::AcceptHistory(operation),
            Self::Decide { n, decision } => Request::Decide(operation, n, decision),
        }
    }
}
