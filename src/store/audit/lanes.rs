//! Lanes: changes of keys and accounts that commit side by side, and get their numbers afterwards, all at once. Nobody is told
//! that a change is done before it has its number. See `migrations/postgres/0034_lanes.sql`.

use sqlx::{AssertSqlSafe, Row};

use super::super::dialect::scalar;
use super::super::transact::{lanes_of, lanes_there};
use super::super::wire::Wire;
use super::super::{Conn, Error, Pools, Reader, Result, Store, Tx};
use crate::domain::audit::{Action, Link};
use crate::domain::key::OperationId;

/// So many rows of one change share a commit anyway.
const MOST: usize = 100;

/// PostgreSQL's code for what a login has no right to.
const NOT_PERMITTED: &str = "42501";

/// The columns that the audit itself gives to a row come first.
const NUMBERED: &str = "seq, hash, ";

/// Where rows go, and how many characters of their columns are left out there.
pub(super) fn place(by_lane: bool) -> (&'static str, usize) {
    if by_lane { ("audit_lanes", NUMBERED.len()) } else { ("audit", 0) }
}

/// Where what was told is read, with or without a number.
fn told(lanes: u32) -> &'static str {
    if lanes > 1 { "audit_told" } else { "audit" }
}

fn fits(row: &Link) -> bool {
    let noun = row.action.split_once('.').map_or("", |(noun, _)| noun);
    matches!(noun, "key" | "account") && row.action != Action::KeyImport.as_str()
}

/// By one message each time, for a pooler may stand between.
async fn seal(mut wire: Wire<'_>, operations: Option<Vec<OperationId>>) -> sqlx::Result<()> {
    let these = operations.map_or("NULL".to_owned(), |these| {
        let these: Vec<String> = these.iter().map(ToString::to_string).collect();
        format!("'{{{}}}'::uuid[]", these.join(","))
    });
    let sql = format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '10s'; \
         SELECT keyrack_seal({these}); COMMIT"
    );
    loop {
        match sqlx::raw_sql(AssertSqlSafe(sql.as_str())).fetch_one(&mut wire).await {
            Ok(row) if row.try_get(0)? => return Ok(()),
            Ok(_) => {}
            Err(error) => {
                // A connection that can't do that is broken, which its pool finds out.
                let _ = sqlx::raw_sql("ROLLBACK").execute(&mut wire).await;
                return Err(error);
            }
        }
    }
}

impl Tx {
    /// Whether these rows go by a lane.
    pub(super) fn goes_by_lane(&self, rows: &[Link]) -> bool {
        self.lanes() > 1
            && rows.len() <= MOST
            && rows.iter().all(|row| fits(row) && row.actor == self.who().name)
    }

    /// Has what was committed numbered, where it went by lanes. Who left nothing there may have read what another one committed,
    /// and answers by that: it is numbered before.
    ///
    /// # Errors
    /// None says that nothing was done.
    pub(in crate::store) async fn seal(&mut self) -> Result<()> {
        if self.lanes() < 2 {
            return Ok(());
        }
        let operations = self.left();
        let operations = (!operations.is_empty()).then_some(operations);
        let Conn::Postgres(c) = self.conn() else { return Ok(()) };
        let alone = operations.is_none();
        match seal(c, operations).await {
            // Who may number nothing, a viewer or a sender of events, says nothing of others' changes either.
            Err(sqlx::Error::Database(error)) if alone && error.code().as_deref() == Some(NOT_PERMITTED) => {
                Ok(())
            }
            sealed => sealed.map_err(|error| match Error::from(error) {
                Error::Refused(why) | Error::Privilege(why) => {
                    Error::Unreachable(format!("what is committed got no number in the audit: {why}"))
                }
                error => error,
            }),
        }
    }

    /// Where what was told is read.
    pub(in crate::store) fn told(&self) -> &'static str {
        told(self.lanes())
    }

    /// Lets the audit have so many lanes.
    pub async fn set_lanes(&mut self, many: u32) -> Result<()> {
        match self.conn() {
            Conn::Sqlite(_) => Err(Error::Refused("a file has one writer, and so one lane".into())),
            Conn::Postgres(c) => {
                let many = i32::try_from(many).unwrap_or(i32::MAX);
                sqlx::query("SELECT keyrack_set_lanes($1)").bind(many).execute(c).await?;
                Ok(())
            }
        }
    }
}

impl Store {
    /// How many lanes the audit has.
    pub async fn lanes(&self) -> Result<u32> {
        let mut reader = self.reader().await?;
        if matches!(reader, Reader::Sqlite(_)) {
            return Ok(1);
        }
        Ok(lanes_of(scalar!(fetch_one, reader.conn(), concat!("SELECT ", lanes_there!()))))
    }

    /// Where what was told is read.
    pub(in crate::store) async fn told(&self) -> Result<&'static str> {
        Ok(told(self.lanes().await?))
    }

    /// Has all that is committed by now numbered, before somebody goes by it.
    pub async fn seal_committed(&self) -> Result<()> {
        if self.lanes().await? > 1
            && let Pools::Postgres(pool) = &self.pools
        {
            seal(pool.acquire().await?.wire(), None).await?;
        }
        Ok(())
    }

    /// Has what was committed numbered, where whoever changed it did not come to do so: it crashed, or lost its server. Answers
    /// whether there was any.
    pub async fn seal_left(&self) -> Result<bool> {
        let Pools::Postgres(pool) = &self.pools else { return Ok(false) };
        Ok(sqlx::query_scalar("SELECT keyrack_seal_left()").fetch_one(pool).await?)
    }
}
