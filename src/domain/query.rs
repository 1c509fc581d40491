//! The filter language: `status:active account:acme expires:<30d used:never scope:calls:write by:ada` and free text.
//!
//! Terms stand apart by blanks and must all hold. A `-` before a term turns it round, commas in a value mean "any of
//! these", quotation marks take a phrase or a value with blanks together, and `=` may stand for a `:`. [`Query::parse`] reads it, `Display` writes it,
//! [`Query::matches`] says what it means.

use strum::{EnumString, IntoStaticStr, VariantArray};

use super::Instant;
use super::issuer::Policy;
use super::key::Status;
use super::when::{Span, Zone};

mod complete;
pub(in crate::domain) mod conditions;
mod cursor;
pub(super) mod hints;
mod matches;
pub(super) mod parse;
mod print;
mod sort;

pub use complete::{Completion, FIELDS, complete};
pub use cursor::CursorError;
pub use matches::{SHORTEST_ID, tells_forms};
pub use sort::SortError;

/// A parsed filter: every term must hold. Empty: everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    pub terms: Vec<Term>,
}

impl Query {
    /// All of these hold.
    pub fn of(tests: impl IntoIterator<Item = Test>) -> Self {
        Self { terms: tests.into_iter().map(|test| Term { negated: false, test }).collect() }
    }

    /// `status:expired expires:>-30d replaced:no`: what expired within the last 30 days and has no key in its place.
    pub fn overdue() -> Self {
        let since = Bound::After(Point::FromNow(-Span::days(30)));
        Self::of([Test::Status(vec![Status::Expired]), Test::Expires(since), Test::Replaced(false)])
    }

    /// `-status:ended`: what neither expired nor was revoked, nor was never confirmed in its time.
    pub fn living() -> Self {
        Self { terms: vec![Term { negated: true, test: Test::Status(Status::ENDED.to_vec()) }] }
    }

    /// `-status:ended expires:<30d`: what stops working within this span.
    pub fn stopping_within(span: Span) -> Self {
        Self::living().and(Self::of([Test::Expires(Bound::Before(Point::FromNow(span)))]))
    }

    /// What this and that fit.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.terms.extend(other.terms);
        self
    }
}

/// One term, possibly turned round by a `-` before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    pub negated: bool,
    pub test: Test,
}

/// What a term asks of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// `status:active,expired`: any of these.
    Status(Vec<Status>),
    /// `account:acme,globex`: slug is any of these.
    Account(Vec<String>),
    /// `issuer:voxpria`
    Issuer(Vec<String>),
    /// `by:ada`: who created it.
    CreatedBy(Vec<String>),
    /// `scope:calls:write`: holds any of these scopes. The word `none` among them stands for a key without any scope.
    Scope(Vec<String>),
    /// `expires:never` (true) or `expires:set` (false).
    NeverExpires(bool),
    /// `expires:<30d` (within the coming 30 days: what is over already is not coming), `expires:>90d`, `expires:<2027-01-31`. Never true of a key that
    /// never expires.
    Expires(Bound),
    /// `created:<7d` means within the last 7 days, `created:>2026-01-01` after that day.
    Created(Bound),
    /// `revoked:<7d` means within the last 7 days, by hand or by plan. Never true of a key that was not revoked.
    Revoked(Bound),
    /// `used:<1h` means within the last hour. Never true of a key that was never used.
    Used(Bound),
    /// `used:never` (true), `used:ever` (false)
    NeverUsed(bool),
    /// `idle:30d`: not used for at least this long, counted from creation where there was no use (VI-13).
    Idle(Span),
    /// `rotation:due`
    RotationDue,
    /// `violates:policy`: would be refused if it were made today. Asked of these policies, which who reads the database
    /// fills in.
    Violates(Vec<Policy>),
    /// `creator:gone` (true): who made it has no role any more; `creator:here` (false). Asked of the names of all operators,
    /// which who reads the database fills in.
    CreatorGone(bool, Vec<String>),
    /// `network:any` (true): works from any address; `network:set` (false): only from some.
    Anywhere(bool),
    /// `acknowledged:no` (false) or `acknowledged:yes` (true)
    Acknowledged(bool),
    /// `replaced:no` (false) or `replaced:yes` (true): whether it was replaced in a rotation.
    Replaced(bool),
    /// `replaces:yes` (true) or `replaces:no` (false): whether it replaces another key after a rotation.
    Replaces(bool),
    /// `overlap:old`, `overlap:new`, `overlap:open`
    Overlap(Side),
    /// `owner:ada`: the owner, or the owner's address, is any of these once folded. The word `none` among them stands for
    /// a key without an owner.
    Owner(Vec<String>),
    /// `tag:prod`: has any of these tags. The word `none` among them stands for a key without any tag.
    Tag(Vec<String>),
    /// `id:0192…`: the id, its beginning, or the beginning of its last block; lower case, hyphens as in the id or none.
    Id(String),
    /// `name:"node-1"`, `name=node-1`, `=node-1`: the name is any of these, letter for letter.
    Name(Vec<String>),
    /// `name:node`: the folded name contains any of these, once they are folded.
    NamePart(Vec<String>),
    /// A word or "a phrase", folded by [`super::text::fold`]: a part of the folded name or description, or the beginning of
    /// the preview or of its last four characters; from four characters on also what [`Test::Id`] finds.
    Text(String),
}

/// The keys of an overlap: of a rotation whose old key and replacement both are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum Side {
    /// The key that is replaced and has not ended.
    Old,
    /// Its replacement.
    New,
    /// Either.
    Open,
}

impl Side {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// One side of an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    Before(Point),
    After(Point),
}

/// An instant, perhaps relative to now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    At(Instant),
    /// Now plus this, which may lead backwards; months are counted in UTC.
    FromNow(Span),
}

impl Point {
    /// The instant meant; the far future where the sum is beyond the calendar.
    pub fn instant(self, now: Instant) -> Instant {
        match self {
            Self::At(at) => at,
            Self::FromNow(by) => by.after(now, Zone::UTC).unwrap_or_else(never),
        }
    }
}

/// A mistake in a filter and its place: byte offsets into the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    pub start: usize,
    pub end: usize,
    pub message: String,
}

/// A column that the table of keys can be sorted by. Ties are broken by id.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    EnumString,
    IntoStaticStr,
    VariantArray,
    strum::VariantNames,
)]
#[strum(serialize_all = "lowercase")]
pub enum Column {
    /// By the instant at which a key ends or ended: keys that work stand before keys that don't when descending.
    Status,
    Name,
    Account,
    Preview,
    Scopes,
    #[default]
    Created,
    Expires,
    Used,
    #[strum(serialize = "by")]
    CreatedBy,
}

impl Column {
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The spelling on the command line.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The direction that is useful at first sight.
    pub fn natural(self) -> Direction {
        match self {
            Self::Status | Self::Created | Self::Used => Direction::Descending,
            _ => Direction::Ascending,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    Ascending,
    Descending,
}

impl Direction {
    pub fn reversed(self) -> Self {
        match self {
            Self::Ascending => Self::Descending,
            Self::Descending => Self::Ascending,
        }
    }
}

/// An order of the table of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sort {
    pub column: Column,
    pub direction: Direction,
}

impl Default for Sort {
    fn default() -> Self {
        Self { column: Column::Created, direction: Direction::Descending }
    }
}

/// A place in a sorted table: the sort column's value and the id of one row, exactly as the database compares them.
///
/// Only the store makes these, from the raw row; its text form (`Display`, `parse`) is for `key list --after`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub value: CursorValue,
    pub id: uuid::Uuid,
    /// The bytes of an id that is none.
    pub odd_id: Option<Vec<u8>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CursorValue {
    Text(String),
    /// Instants, with the far future for "never" and the epoch for "not yet".
    Instant(Instant),
    /// What the row with this id has there: it is no text or instant that could be told.
    AsStored,
}

/// The far future that stands for "never" in comparisons: 9999-12-31T00:00:00Z.
pub fn never() -> Instant {
    chrono::DateTime::from_timestamp(253_402_214_400, 0).unwrap_or_default()
}

#[cfg(test)]
mod tests;
