//! A gate's own line to the database: proof that what it remembers is current.
//!
//! Every change of state writes its row of the audit in the same transaction, and a row gets its number under the lock of
//! the audit's head, which is held until the commit. So numbers are in the order of commits: who reads the head and finds
//! the number that it knows has missed nothing that was committed before it began to read. That needs the very server
//! that takes the changes; one that follows it (a hot standby) may lag behind.

use std::sync::Arc;

use sqlx::postgres::PgListener;
use sqlx::{Connection, FromRow, PgConnection, SqliteConnection};
use uuid::Uuid;

use super::dialect::{Time, both};
use super::live::{hear, listen};
use super::{Conn, Error, Location, Pools, Result, Store};
use crate::clock::Clock;
use crate::domain::Instant;

mod wal;

pub use wal::{WalHead, WalIndex};

/// A connection that belongs to one gate's prover alone. After an error or a time-out it must be thrown away.
pub struct Pulse(Line);

enum Line {
    Sqlite { connection: SqliteConnection, index: Arc<WalIndex> },
    Postgres(PgConnection),
}

/// What one row of the audit is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    pub seq: i64,
    pub action: String,
    pub key: Option<Uuid>,
    pub account: Option<String>,
}

#[derive(FromRow)]
struct TouchedRow {
    seq: i64,
    action: String,
    key: Option<Uuid>,
    account: Option<String>,
}

impl Store {
    /// Opens such a connection.
    pub async fn pulse(&self) -> Result<Pulse> {
        Ok(Pulse(match &self.pools {
            Pools::Sqlite { readers, .. } => {
                let Location::Sqlite(path) = &self.location else {
                    return Err(Error::Other("a SQLite file without a path".into()));
                };
                let options = readers.connect_options();
                let mut connection = SqliteConnection::connect_with(&options).await?;
                // Reading makes SQLite open its WAL index.
                sqlx::query("SELECT seq FROM audit_head").execute(&mut connection).await?;
                let index = WalIndex::open(path)
                    .map_err(|e| Error::Unreachable(format!("{}: {e}", path.display())))?;
                Line::Sqlite { connection, index: Arc::new(index) }
            }
            Pools::Postgres(pool) => {
                Line::Postgres(PgConnection::connect_with(&pool.connect_options()).await?)
            }
        }))
    }

    /// An ear for the database's notifications; on SQLite it hears nothing.
    pub fn ear(&self) -> Ear {
        Ear { store: self.clone(), listener: None }
    }
}

impl Pulse {
    /// The state of a SQLite database, to be read before [`Pulse::head`]: as long as it stays the same, so does what that
    /// answered. `None` on PostgreSQL.
    ///
    /// # Errors
    /// The database's file is gone, or another one was put in its place.
    pub fn state(&self) -> Result<Option<(Arc<WalIndex>, WalHead)>> {
        let Line::Sqlite { index, .. } = &self.0 else { return Ok(None) };
        let state = || index.check_names().and_then(|()| index.head());
        let head = state().map_err(|e| Error::Unreachable(e.to_string()))?;
        Ok(Some((Arc::clone(index), head)))
    }

    /// The number of the audit's last row, and the present; on PostgreSQL both from the server, in one statement.
    pub async fn head(&mut self, clock: &Clock) -> Result<(i64, Instant)> {
        match &mut self.0 {
            Line::Sqlite { connection, .. } => {
                // The time is read first: nothing may seem to have happened later than it did.
                let now = clock.now();
                let seq = sqlx::query_scalar("SELECT seq FROM audit_head").fetch_one(connection).await?;
                Ok((seq, now))
            }
            Line::Postgres(connection) => {
                let (seq, Time(now)) = sqlx::query_as("SELECT seq, clock_timestamp() FROM audit_head")
                    .fetch_one(connection)
                    .await?;
                Ok((seq, now))
            }
        }
    }

    /// What the rows with numbers above `after`, up to `until`, are about.
    pub async fn touched(&mut self, after: i64, until: i64) -> Result<Vec<Touched>> {
        let conn = match &mut self.0 {
            Line::Sqlite { connection, .. } => Conn::Sqlite(connection),
            Line::Postgres(connection) => Conn::Postgres(connection),
        };
        let rows: Vec<TouchedRow> = both!(conn, c => {
            sqlx::query_as::<Db, TouchedRow>(
                "SELECT seq, action, key, account FROM audit WHERE seq > $1 AND seq <= $2 ORDER BY seq",
            )
            .bind(after)
            .bind(until)
            .fetch_all(c)
            .await?
        });
        let touched = |row: TouchedRow| Touched {
            seq: row.seq,
            action: row.action,
            key: row.key,
            account: row.account,
        };
        Ok(rows.into_iter().map(touched).collect())
    }
}

/// Hears that something changed, where the database says so. It makes things quicker and no more: a connection does not
/// notice when it is cut off (H10).
pub struct Ear {
    store: Store,
    listener: Option<PgListener>,
}

/// How long to wait before another try to listen.
const AGAIN: std::time::Duration = std::time::Duration::from_secs(1);

impl Ear {
    /// Waits for the next notification.
    pub async fn hear(&mut self) {
        let Pools::Postgres(pool) = &self.store.pools else { return std::future::pending().await };
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
