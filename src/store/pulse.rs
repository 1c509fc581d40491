//! A gate's own line to the database: proof that what it remembers is current.
//!
//! Every change of state writes its row of the audit in the same transaction, and a row gets its number under the lock of
//! the audit's head, which is held until the commit. So numbers are in the order of commits: who reads the head and finds
//! the number that it knows has missed nothing that was committed before it began to read. Where the audit has lanes, changes
//! are numbered after their commit, and confirmed after that: then it has missed nothing that was confirmed. That needs the very server
//! that takes the changes; one that follows it (a hot standby) may lag behind.

use std::sync::Arc;

use sqlx::postgres::PgListener;
use sqlx::{AssertSqlSafe, Connection, FromRow, PgConnection, SqliteConnection};
use uuid::Uuid;

use super::dialect::{Time, rows};
use super::live::{hear, listen};
use super::reading::from_row;
use super::wire::Wire;
use super::{Conn, Error, Pools, Result, Store};
use crate::clock::{Clock, Steady};
use crate::domain::Instant;
use crate::domain::freshness::Freshness;

mod follow;
mod wal;

pub use follow::Follow;
pub(super) use wal::{Inode, beside, inode, named};
pub use wal::{Moved, WalHead, WalIndex};

/// A connection that belongs to one gate's prover alone. After an error or a time-out it must be thrown away.
pub struct Pulse(Line);

enum Line {
    Sqlite {
        connection: SqliteConnection,
        index: Arc<WalIndex>,
        steady: Arc<Steady>,
    },
    /// Whether each transaction of it gets another connection.
    Postgres(PgConnection, bool),
}

/// The audit's last row: its number, and its hash, which tells this history from every other that has as many rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub seq: i64,
    pub hash: Vec<u8>,
}

/// What one row of the audit is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    pub seq: i64,
    /// When it was written. Two histories have no rows in common after the moment in which they part, so that this tells
    /// whether a row is the one that was seen before.
    pub at: Instant,
    pub action: String,
    pub key: Option<Uuid>,
    pub account: Option<String>,
}

// What can't be read is none of the words that a gate knows, and so touches everything.
from_row!(Touched, row => {
    let (seq, at, action) = (row.get("seq"), row.time("at"), row.text("action"));
    let (key, account) = (row.maybe("key"), row.maybe_text("account"));
    Self { seq, at, action: if row.odd().is_empty() { action } else { String::new() }, key, account }
});

impl Store {
    /// Opens such a connection.
    ///
    /// # Errors
    /// On SQLite also if the file is not the one that the first of them was opened on: other connections of this process
    /// go on reading that one.
    pub async fn pulse(&self) -> Result<Pulse> {
        Ok(Pulse(match &self.pools {
            Pools::Sqlite { readers, .. } => {
                let options = readers.connect_options();
                let mut connection = SqliteConnection::connect_with(&options).await?;
                // Reading makes SQLite open its WAL index.
                sqlx::query("SELECT seq FROM audit_head").execute(&mut connection).await?;
                let mode: String =
                    sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut connection).await?;
                if !mode.eq_ignore_ascii_case("wal") {
                    return Err(Error::NoWal(mode));
                }
                let index = self.held.as_ref().and_then(|held| held.index()).ok_or(Error::NoWal(mode))?;
                let index = Arc::clone(index);
                self.check_file()?;
                Line::Sqlite { connection, index, steady: Arc::clone(&self.steady) }
            }
            Pools::Postgres(pool) => Line::Postgres(self.primary(pool).await?, pool.is_shared()),
        }))
    }

    /// An ear for the database's notifications; on SQLite it hears nothing.
    pub fn ear(&self) -> Ear {
        Ear { store: self.clone(), listener: None }
    }
}

/// What a reading of the audit's head found.
#[derive(Clone, Debug)]
pub struct Head {
    pub mark: Mark,
    /// The present.
    pub now: Instant,
    /// What the asking gate's row says of its lease; `None`: it has no row.
    pub lease: Option<Freshness>,
}

/// The audit's head on SQLite, when that change was made, the last sign of a gate, and one gate's lease.
const HEAD: &str = "SELECT seq, hash, coalesce((SELECT at FROM audit WHERE seq = h.seq), 0), \
     coalesce((SELECT max(beat_at) FROM gates), 0), (SELECT stale_ms FROM gates WHERE id = $1) FROM audit_head h";

/// The same on PostgreSQL, all from the server.
const SERVER_HEAD: &str = "SELECT seq, hash, clock_timestamp(), pg_is_in_recovery(), \
     (SELECT at FROM audit WHERE seq = h.seq), (SELECT stale_ms FROM gates WHERE id = $1) FROM audit_head h";

impl Pulse {
    /// The state of a SQLite database, to be read before [`Pulse::head`]: as long as it stays the same, so does what that
    /// answered. `None` on PostgreSQL.
    ///
    /// # Errors
    /// The database's file is gone, or another one was put in its place.
    pub fn state(&self) -> Result<Option<(Arc<WalIndex>, WalHead)>> {
        let Line::Sqlite { index, .. } = &self.0 else { return Ok(None) };
        index.check_names()?;
        let head = index.head().map_err(|e| Error::Unreachable(e.to_string()))?;
        Ok(Some((Arc::clone(index), head)))
    }

    /// The audit's last row, the present, and what is said of this gate's lease; on PostgreSQL all from the server, in one
    /// statement.
    ///
    /// # Errors
    /// Also if the server follows another one: what that has committed may not have come to it yet.
    pub async fn head(&mut self, clock: &Clock, gate: Uuid) -> Result<Head> {
        let lease = |millis: Option<i64>| millis.map(Freshness::of_millis);
        match &mut self.0 {
            Line::Sqlite { connection, steady, .. } => {
                // The time is read first: nothing may seem to have happened later than it did.
                let now = steady.now(clock);
                let (seq, hash, changed, sign, millis) =
                    sqlx::query_as(HEAD).bind(gate).fetch_one(connection).await?;
                steady.learn(changed, sign);
                Ok(Head { mark: Mark { seq, hash }, now, lease: lease(millis) })
            }
            Line::Postgres(connection, shared) => {
                type Found = (i64, Vec<u8>, Time, bool, Option<Time>, Option<i64>);
                let (seq, hash, Time(now), follows, newest, millis): Found = if *shared {
                    // By one message, which needs no transaction.
                    let sql = AssertSqlSafe(SERVER_HEAD.replace("$1", &format!("'{gate}'")));
                    Found::from_row(&sqlx::raw_sql(sql).fetch_one(connection).await?)?
                } else {
                    sqlx::query_as(SERVER_HEAD).bind(gate).fetch_one(connection).await?
                };
                if follows {
                    let words = "this server is a standby and may not know of the last changes: connect to the primary";
                    return Err(Error::Unreachable(words.into()));
                }
                let now = clock.not_before(now, newest.map(Into::into));
                Ok(Head { mark: Mark { seq, hash }, now, lease: lease(millis) })
            }
        }
    }

    /// The rows of the audit from one number to another, both included.
    pub async fn touched(&mut self, from: i64, to: i64) -> Result<Vec<Touched>> {
        let conn = match &mut self.0 {
            Line::Sqlite { connection, .. } => Conn::Sqlite(connection),
            Line::Postgres(connection, shared) => Conn::Postgres(Wire::of(connection, *shared)),
        };
        Ok(rows!(
            fetch_all,
            conn,
            "SELECT seq, at, action, key, account FROM audit WHERE seq BETWEEN $1 AND $2 ORDER BY seq",
            [from, to]
        ))
    }
}

/// Hears that something changed, where the database says so. It makes things quicker and no more: a connection does not
/// notice when it is cut off (H10).
pub struct Ear {
    store: Store,
    listener: Option<PgListener>,
}

/// How often it is looked where nobody can listen: behind a pooler that gives each transaction another connection.
const UNHEARD: std::time::Duration = std::time::Duration::from_millis(500);
/// How long to wait before another try to listen.
const AGAIN: std::time::Duration = std::time::Duration::from_secs(1);

impl Ear {
    /// Waits for the next notification.
    pub async fn hear(&mut self) {
        let Pools::Postgres(pool) = &self.store.pools else { return std::future::pending().await };
        if pool.is_shared() {
            return tokio::time::sleep(UNHEARD).await;
        }
        loop {
            match &self.listener {
                None => {
                    self.listener = listen(pool).await;
                    if self.listener.is_none() {
                        tokio::time::sleep(AGAIN).await;
                    } else {
                        // Whatever was told meanwhile was not heard.
                        return;
                    }
                }
                Some(_) => {
                    if hear(&mut self.listener).await {
                        return;
                    }
                    self.listener = None;
                }
            }
        }
    }
}
