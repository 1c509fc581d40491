//! What the console wants done: by the worker, the terminal or the loop.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use strum::EnumTryAs;

use super::words::{Copied, ExitReason, ScreenId, WipedBytes};
use crate::config::theme::Theme;
use crate::domain::Instant;
use crate::domain::account::{Account, AccountSummary, Standing};
use crate::domain::approval::Approval;
use crate::domain::audit::Entry;
use crate::domain::budget::Budgets;
use crate::domain::edit::Edit;
use crate::domain::expiry::{Expiry, Overlap};
use crate::domain::explain::pasted::Reading;
use crate::domain::hold::Hold;
use crate::domain::issuer::{Issuer, Policy};
use crate::domain::key::{Key, KeyId, OperationId};
use crate::domain::manifest::Manifest;
use crate::domain::operator::{Operator, Role};
use crate::domain::query::Query;
use crate::domain::reminder::{Reminder, ReminderId, Sweep};
use crate::domain::secret::{PlainKey, SentKey};
use crate::domain::text::SafeText;
use crate::domain::usage::{Late, Minute};
use crate::service::{
    AccountPage, AlertRequest, Alike, ApprovalPage, AuditRequest, ChangeAccount, Compared, Count,
    CreateAccount, CreateKey, Created, Decided, Decision, Edited, ExportForm, Extended, GateStanding, Held,
    Hygiene, InUse, Incident, IncidentOrder, Leave, Leaver, Left, Looked, Mailing, Matter, Outbox, Outlook,
    Page, PageRequest, RaisedAlert, Rank, Receipt, ReminderRequest, Retried, RevokeKeys, Revoked, Rotated,
    Rotations, Search, SweepOrder, SweepPreview, Tell, Told, UndoneList, Whither, Whoami,
};

mod copying;
mod failure;
mod pause;
mod rotation;
mod unanswered;

pub use copying::CopyText;
pub use failure::{Failure, FailureKind};
pub use pause::{HoldRequest, PauseRequest};
pub use rotation::RotationRequest;
pub use unanswered::Unanswered;

/// Something to be done. Plain comparable data.
#[derive(Debug, PartialEq)]
pub enum Effect {
    /// For the worker; it answers with a [`Reply`] to the same id.
    Ask {
        to: RequestId,
        request: Request,
    },
    /// A [`super::message::Message::Timer`] shall come after this time. Setting a timer again replaces it.
    SetTimer {
        timer: Timer,
        after: Duration,
    },
    /// Bytes for the terminal, outside of the picture.
    Emit(WipedBytes),
    /// Whether the terminal shall report the mouse.
    Mouse(bool),
    /// Give the terminal back and stop: the whole job as Ctrl-Z does, or this process alone.
    Suspend {
        job: bool,
    },
    /// Take the terminal again, whatever others did to it meanwhile.
    Resume,
    /// A sweep: [`super::message::Message::Sweep`]s come under this id, and a [`Reply::Sweep`] at its end.
    Sweep {
        of: RequestId,
        order: SweepOrder,
    },
    /// The sweep that goes on here shall end between two letters.
    StopSweep,
    /// Everything that is asked from now on is asked of the database that has come under the name.
    TakeOver,
    /// Draw everything anew, whatever the terminal shows.
    Repaint,
    Quit(ExitReason),
}

/// A timer of the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// The database has taken long to open.
    Opening,
    /// A relative time on the screen changes.
    Clock,
    /// The message in the last line has been there long enough.
    Toast,
    /// A freeze or a stop of creation is over.
    Holds,
    /// Loading has taken so long that it should be shown.
    Slow,
    /// A screen's rows, out of date, may be read again.
    Rows(ScreenId),
    /// A screen's or an overlay's own.
    Of(To),
}

/// Who asked, and so gets the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum To {
    Shell,
    Screen(ScreenId),
    /// The overlay with this number; if it was closed meanwhile the answer is dropped.
    Overlay(u64),
}

/// A request's identity. A reply to a request that is not awaited any more is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId {
    pub to: To,
    pub number: u64,
}

/// What the worker can be asked for: one variant for each operation of the service, and files and clipboard.
#[derive(Debug, PartialEq)]
pub enum Request {
    /// What the change would be answered: checked as ever, and then rolled back.
    Try(Box<Request>),
    Whoami,
    Issuers,
    /// Freezes and stops of creation that hold, and what waits for approval.
    Holds,
    /// What waits for approval, with the keys.
    Approvals,
    Decide(OperationId, i64, Decision),
    Page(PageRequest),
    Count(Query),
    Rank(Box<Rank>),
    Key(KeyId),
    Reach(Vec<KeyId>),
    /// Writes the choices of the person to this file.
    SaveChoices(PathBuf, String),
    /// Writes keys to a new file, or to the clipboard.
    Export {
        keys: Vec<KeyId>,
        form: ExportForm,
        to: Option<PathBuf>,
    },
    /// The story of an incident.
    Incident(Box<IncidentOrder>),
    /// The audit of one key, newest first.
    Trail(KeyId),
    /// What gates saw of a key after its end.
    Late(Box<Key>),
    Find(SentKey),
    /// As [`Self::Find`], in a file or a folder.
    FindInFile(PathBuf),
    /// What a gate would read in this, sent in that header if it is known.
    Read(SentKey, Option<&'static str>),
    Outlook,
    /// What is to be tidied, counted.
    Hygiene,
    /// How everything stands, told in UTC or in this machine's zone.
    Overview(bool),
    Create(Box<CreateKey>),
    /// What a new key like this one would be.
    Alike(KeyId),
    /// Changes what keys are. `shown`: what the person was shown who decided.
    Edit {
        operation: OperationId,
        keys: Vec<KeyId>,
        edit: Box<Edit>,
        shown: Option<Arc<Manifest>>,
    },
    Acknowledge {
        operation: OperationId,
        key: KeyId,
    },
    Revoke {
        operation: OperationId,
        request: RevokeKeys,
    },
    /// Refuses keys for a while, or not any more.
    Pause(Box<PauseRequest>),
    Hold(Box<HoldRequest>),
    /// Lifts a freeze or a stop of creation.
    Lift {
        operation: OperationId,
        n: i64,
    },
    /// The revocations that a restored backup undid.
    Undone,
    RevokeAgain {
        operation: OperationId,
        list: UndoneList,
        reason: Option<String>,
    },
    AcceptHistory(OperationId),
    /// Which gates have applied the revocation of these keys. Waits for those that have not, but no longer than this.
    Receipt {
        keys: Vec<KeyId>,
        patience: Duration,
    },
    Rotate {
        operation: OperationId,
        key: KeyId,
        overlap: Overlap,
        /// `None`: as the key that is replaced.
        expiry: Option<Expiry>,
    },
    /// Overlaps of rotations, and many keys rotated at once.
    Rotation(Box<RotationRequest>),
    /// Budgets agreed for one key; empty: its policy's hold again.
    SetLimits {
        operation: OperationId,
        key: KeyId,
        limits: Budgets,
    },
    Accounts {
        filter: String,
        after: Option<String>,
        limit: u32,
    },
    Account(String),
    AccountPage(String),
    CreateAccount {
        operation: OperationId,
        request: CreateAccount,
    },
    ChangeAccount {
        operation: OperationId,
        account: String,
        change: ChangeAccount,
    },
    SetStanding {
        operation: OperationId,
        account: String,
        standing: Standing,
    },
    ApplyPolicy {
        operation: OperationId,
        policy: Box<Policy>,
    },
    /// What these keys were used for, minute by minute.
    Usage {
        keys: Vec<KeyId>,
        since: Instant,
    },
    Alerts(AlertRequest),
    /// How many alerts nobody has acknowledged.
    OpenAlerts,
    AcknowledgeAlerts {
        operation: OperationId,
        alerts: Vec<i64>,
    },
    /// The gates that were heard of within a day.
    Gates,
    Operators,
    SetOperator {
        operation: OperationId,
        name: String,
        role: Role,
    },
    RemoveOperator {
        operation: OperationId,
        name: String,
    },
    /// Owners or tags that begin so.
    Known {
        known: InUse,
        beginning: String,
        limit: u32,
    },
    /// Everything of an operator's.
    Leaver(String),
    Leave {
        operation: OperationId,
        leave: Box<Leave>,
    },
    Audit(AuditRequest),
    VerifyAudit,
    /// How many reminders are due, failed, ambiguous.
    Outbox,
    /// Where a sweep would send its letters.
    Post,
    Reminders(ReminderRequest),
    /// All reminders of these keys.
    RemindersOf(Vec<KeyId>),
    RetryReminders {
        operation: OperationId,
        reminders: Vec<ReminderId>,
    },
    /// A letter to the admins of keys' accounts.
    Tell(Box<Tell>),
    /// The last sweeps, newest first: this many.
    Sweeps(u32),
    /// What a sweep would send now; this many letters in full.
    PreviewSweep(u32),
    /// All themes: the program's, and those in the person's own folder.
    Themes(Option<PathBuf>),
    Copy(CopyText),
    /// Writes the secret to a new file that only this user may read; an existing file is refused.
    WriteSecret {
        path: PathBuf,
        secret: Arc<PlainKey>,
    },
}

pub type Outcomes<T> = Result<T, Failure>;

/// The answer to the [`Request`] of the same name.
#[derive(Debug, PartialEq, EnumTryAs)]
pub enum Reply {
    Whoami(Outcomes<Whoami>),
    Issuers(Outcomes<Vec<Issuer>>),
    Holds(Outcomes<(Vec<Hold>, Vec<Approval>)>),
    Approvals(Outcomes<Vec<ApprovalPage>>),
    Decided(Outcomes<Box<Decided>>),
    Page(Outcomes<Page>),
    Count(Outcomes<Count>),
    Rank(Outcomes<Count>),
    Key(Outcomes<Box<Key>>),
    Reach(Outcomes<Box<Looked>>),
    /// What became of the keys that were to be written.
    Export(Outcomes<Copied>),
    Incident(Outcomes<Box<Incident>>),
    Trail(Outcomes<Vec<Entry>>),
    Late {
        key: KeyId,
        outcome: Outcomes<Option<Late>>,
    },
    Find(Outcomes<Search>),
    Read(Outcomes<Reading>),
    Outlook(Outcomes<Outlook>),
    Hygiene(Outcomes<Box<Hygiene>>),
    Overview(Outcomes<Vec<Matter>>),
    Create(Outcomes<Box<Created>>),
    Alike(Outcomes<Box<Alike>>),
    Edit(Outcomes<Vec<Edited>>),
    Acknowledge(Outcomes<Box<Key>>),
    Revoke(Outcomes<Vec<Revoked>>),
    Held(Outcomes<Vec<Held>>),
    /// What is held, or was lifted.
    Hold(Outcomes<Box<Hold>>),
    Receipt(Outcomes<Receipt>),
    Rotate(Outcomes<Box<Created>>),
    RotateMany(Outcomes<Vec<Rotated>>),
    Rotations(Outcomes<Rotations>),
    Extend(Outcomes<Vec<Extended>>),
    SetLimits(Outcomes<Box<Key>>),
    Accounts(Outcomes<Vec<AccountSummary>>),
    Account(Outcomes<AccountSummary>),
    AccountPage(Outcomes<Box<AccountPage>>),
    CreateAccount(Outcomes<Account>),
    ChangeAccount(Outcomes<Account>),
    SetStanding(Outcomes<Account>),
    ApplyPolicy(Outcomes<Box<Issuer>>),
    /// With the keys that were asked about: those without any use are left out of the answer.
    Usage {
        keys: Vec<KeyId>,
        outcome: Outcomes<HashMap<KeyId, Vec<Minute>>>,
    },
    Alerts(Outcomes<Vec<RaisedAlert>>),
    OpenAlerts(Outcomes<u64>),
    /// How many nobody had acknowledged before.
    AcknowledgeAlerts(Outcomes<u64>),
    Gates(Outcomes<Vec<GateStanding>>),
    Operators(Outcomes<Vec<Operator>>),
    SetOperator(Outcomes<Operator>),
    RemoveOperator(Outcomes<()>),
    Known(Outcomes<Vec<SafeText>>),
    Leaver(Outcomes<Box<Leaver>>),
    Leave(Outcomes<Left>),
    /// What is undone, or what was accepted to be.
    Undone(Outcomes<UndoneList>),
    Audit(Outcomes<Vec<Entry>>),
    VerifyAudit(Outcomes<Compared>),
    Outbox(Outcomes<Outbox>),
    /// The mail server or the directory; or why no letter can be sent.
    Post(Outcomes<Whither>),
    Reminders(Outcomes<Vec<Reminder>>),
    RemindersOf {
        keys: Vec<KeyId>,
        outcome: Outcomes<Mailing>,
    },
    RetryReminders(Outcomes<Vec<Retried>>),
    Tell(Outcomes<Vec<Told>>),
    Sweeps(Outcomes<Vec<Sweep>>),
    PreviewSweep(Outcomes<Box<SweepPreview>>),
    /// The end of an [`Effect::Sweep`].
    Sweep(Outcomes<Box<Sweep>>),
    /// Those that can be read, and what is wrong with the others.
    Themes {
        themes: Vec<Theme>,
        faults: Vec<SafeText>,
    },
    Copy(Copied),
    /// What became of the choices.
    SaveChoices(Outcomes<Copied>),
    /// The file's full path.
    WriteSecret(Outcomes<PathBuf>),
}
