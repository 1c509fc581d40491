//! The operations: one file each. Permission, caps and the audit are enforced here, for every door alike.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use crate::clock::Clock;
pub use crate::domain::audit::{AuditFilter, Total};
use crate::domain::operator::Identity;
pub use crate::domain::usage::{Outcome, RaisedAlert};
use crate::store::Store;
pub use crate::store::{
    Access, Address, AlertRequest, Claim, Error as StoreError, Facts, Holder, Intent, Lack, LiveEvent,
    Location, MaybeTransient, Mended, Moving, Neglected, OddRow, SavedWindow, Tried, UNWRITTEN,
};

mod account_page;
mod accounts;
mod acknowledge;
mod alerts;
mod alike;
mod approvals;
mod audit;
mod change;
mod create;
mod demo;
mod document;
mod edit;
mod error;
mod events;
mod explain;
mod export;
mod find;
mod found;
mod gate;
mod holds;
mod hygiene;
mod ids;
mod impact;
mod import;
mod incident;
mod issuers;
mod known;
mod lanes;
mod leak;
mod leases;
mod leaver;
mod limits;
mod list;
mod live;
mod memory;
mod open;
mod operators;
mod overview;
mod pause;
mod peppers;
mod permit;
mod person;
mod post;
mod reach;
mod receipt;
mod reminders;
mod report;
mod revoke;
mod rotate;
mod rotations;
mod sweep;
mod tell;
mod undone;
mod wished;
pub use account_page::AccountPage;
pub use accounts::{ChangeAccount, CreateAccount};
pub use acknowledge::Acknowledged;
pub use alike::Alike;
pub use approvals::{ApprovalPage, Decided, Decision};
pub use audit::{AuditRequest, Compared, Part};
pub use change::persist;
pub use create::{CreateKey, Created};
pub use edit::{Edited, field_of};
pub use error::{Error, Field, Result};
pub use explain::{Asked, Carriage, Explain, Presented};
pub use export::Form as ExportForm;
pub use find::{Clue, Search, at_home};
pub use found::Found;
pub use gate::{Confirmed, Gate, GateSettings, Guard, Known, Neighbours, Policies, Settled, Use};
pub use holds::HoldTarget;
pub use hygiene::{Counted, Hygiene};
pub use ids::new_operation;
pub use impact::Hit;
pub use import::{ImportOrder, Imported, Refused, Table, foreign_table, table_of};
pub use incident::{Incident, IncidentOrder};
pub use known::InUse;
pub use leak::{LeakFinding, LeakOrder, LeakProgress, LeakSource, LeakSweep};
pub use leaver::{Leave, Leaver, Left, Theirs};
pub use list::{Count, From, Outlook, Page, PageRequest, Rank, Row, Week};
pub use open::Whoami;
pub use overview::{About, Matter};
pub use pause::{Held, PauseOrder};
pub use peppers::PepperUse;
pub use post::{Post, PostMaker, Whither};
pub use reach::Looked;
pub use receipt::{GateReceipt, GateStanding, GateState, NO_GATE, PATIENCE, Receipt};
pub use reminders::{
    DueKey, LetterNews, LetterPreview, Mailing, Outbox, ReminderRequest, Retried, SweepNews, SweepOrder,
    SweepPreview,
};
pub use report::{Ending, Happening, Listed, Report};
pub use revoke::{RevokeKeys, Revoked};
pub use rotate::{Place, RotateKeys, Rotated};
pub use rotations::{CloseOverlaps, ExtendOverlaps, Extended, RotationRow, Rotations};
pub use sweep::Stop;
pub use tell::{Tell, Told};
pub use undone::UndoneList;

/// All operations, for one acting person on one database. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    inner: Arc<Inner>,
    /// Whether what it changes lasts, or is only tried.
    intent: Intent,
    /// What it takes to send reminders.
    posting: post::Posting,
    /// What this machine remembers of the database; nothing where nothing is to be remembered.
    memory: Option<Arc<memory::Memory>>,
    /// What goes into the hashes of keys' secrets.
    keyring: Arc<peppers::Keyring>,
}

struct Inner {
    store: Store,
    /// Leases of gates that ran out.
    leases: leases::Leases,
    clock: Clock,
    identity: Identity,
    /// Microseconds by which the database's clock is ahead of this machine's.
    skew: Arc<AtomicI64>,
}
