//! The operations: one file each. Permission, caps and the audit are enforced here, for every door alike.

use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex};

use crate::clock::Clock;
use crate::domain::Instant;
use crate::domain::account::{Account, AccountSummary, Standing};
pub use crate::domain::audit::AuditFilter;
use crate::domain::audit::{Entry, Verdict};
use crate::domain::expiry::{Expiry, Overlap};
use crate::domain::issuer::{Issuer, Policy};
use crate::domain::key::{Key, KeyId, OperationId};
use crate::domain::network::Networks;
use crate::domain::operator::{Identity, Operator, Role};
use crate::domain::query::{Cursor, Query, Sort};
use crate::domain::scope::Scopes;
use crate::domain::secret::PlainKey;
pub use crate::domain::usage::Outcome;
pub use crate::store::{
    AlertRequest, Error as StoreError, Facts, InHand, LiveEvent, Location, MaybeTransient, SavedWindow,
};
use crate::store::{LiveEvents, Store};

mod accounts;
mod acknowledge;
mod alerts;
mod audit;
mod create;
mod demo;
mod error;
mod explain;
mod find;
mod gate;
mod issuers;
mod limits;
mod list;
mod live;
mod open;
mod operators;
mod permit;
mod receipt;
mod reminders;
mod revoke;
mod rotate;
mod sweep;
pub use alerts::RaisedAlert;
pub use error::{Error, Field, Result};
pub use explain::{Asked, Carriage, Explain, Explained, Presented};
pub use gate::{Confirmed, Gate, GateSettings, Known, Neighbours, Policies, STALE, Use};
pub use open::new_operation;
pub use receipt::{GateReceipt, GateStanding, GateState, PATIENCE, Receipt};
pub use reminders::{
    DueKey, LetterNews, LetterPreview, Outbox, Post, PostMaker, ReminderRequest, Retried, SweepNews,
    SweepOrder, SweepPreview,
};
pub use sweep::Stop;

/// All operations, for one acting person on one database. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    inner: Arc<Inner>,
    /// What it takes to send reminders.
    posting: reminders::Posting,
}

struct Inner {
    store: Store,
    clock: Clock,
    identity: Identity,
    /// The role as it was read last. What changes something reads it anew, in its own transaction.
    role: Mutex<Option<Role>>,
    /// Microseconds by which the database's clock is ahead of this machine's.
    skew: Arc<AtomicI64>,
}

/// What a new key shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateKey {
    pub operation: OperationId,
    pub account: String,
    pub name: String,
    pub description: String,
    pub scopes: Scopes,
    pub expiry: Expiry,
    pub allow: Networks,
}

/// A key just made, with its secret: the only time that the two are together.
#[derive(Debug, PartialEq, Eq)]
pub struct Created {
    pub key: Key,
    pub secret: PlainKey,
    /// A command that checks the key, without the secret in it.
    pub check: Option<String>,
}

/// Which page of the table of keys is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    pub query: Query,
    pub sort: Sort,
    pub from: From,
    /// At most this many rows.
    pub limit: u32,
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// The first rows.
    Start,
    /// The last rows.
    End,
    /// The rows that follow this one.
    After(Cursor),
    /// The row at this place, or where it would be, and what follows.
    At(Cursor),
    /// The rows that come before this one.
    Before(Cursor),
}

/// A page, always in the table's order, whichever way it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub rows: Vec<Row>,
    /// Whether there are rows before the first of these.
    pub more_before: bool,
    /// Whether there are rows after the last of these.
    pub more_after: bool,
    /// The database's time of the reading: what statuses are derived with.
    pub now: Instant,
}

/// A row of the table and its place in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub key: Key,
    pub cursor: Cursor,
}

/// What a person holds in hand of a key that they look for.
#[derive(Debug, PartialEq, Eq)]
pub enum Needle {
    /// A whole secret.
    Secret(PlainKey),
    /// Anything else: an id or a part of it, a preview, the last four characters, a name.
    Text(String),
}

/// A key that was revoked, read back from the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    pub key: Key,
    /// Whether it was revoked before this operation.
    pub already: bool,
}

/// How many keys of the filter there are: exactly, or at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    Exactly(u64),
    AtLeast(u64),
}

/// How many active keys end in one week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Week {
    /// The first instant of the seven days.
    pub starts_at: Instant,
    pub keys: u64,
}

/// What ends when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlook {
    pub now: Instant,
    /// Keys that ended by expiry within the last 30 days and were not replaced.
    pub overdue: u64,
    pub within_7_days: u64,
    pub within_30_days: u64,
    pub within_90_days: u64,
    /// 13 weeks, the first of which starts now.
    pub weeks: Vec<Week>,
}

/// Which rows of the audit are wanted, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditRequest {
    /// `actor:ada action:key.revoke account:acme key:…` and free text over subject and detail.
    pub filter: AuditFilter,
    /// Only rows with a smaller number.
    pub before: Option<i64>,
    pub limit: u32,
}

/// Who is acting, and as what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whoami {
    pub identity: Identity,
    /// `None`: this person is no operator of this database and may do nothing.
    pub role: Option<Role>,
}

/// What a new account shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateAccount {
    pub issuer: String,
    pub slug: String,
    pub name: String,
    /// Mail addresses; at least one.
    pub admins: Vec<String>,
    pub plan: Option<String>,
}

/// What shall change of an account. `None`: stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeAccount {
    pub name: Option<String>,
    /// All mail addresses; at least one.
    pub admins: Option<Vec<String>>,
    /// `Some(None)`: no plan.
    pub plan: Option<Option<String>>,
}
