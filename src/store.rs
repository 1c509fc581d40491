//! The token database: SQLite or PostgreSQL, with the same behaviour. The only room that speaks SQL.
//!
//! Each statement is written once where it can be: `both!` compiles one body for both drivers, and the few columns that are
//! stored differently have types that read alike ([`dialect`]). [`Store`] reads, [`Tx`] of [`Store::transact`] changes.

use std::sync::{Arc, atomic::AtomicBool};
use std::time::Duration;

use parking_lot::Mutex;
use sqlx::pool::PoolConnection;
use sqlx::{Postgres, Sqlite, SqliteConnection, SqlitePool};

use crate::clock::Steady;
use crate::domain::Instant;
use wire::{Link, Links, Wire};

mod accounts;
mod alerts;
mod approvals;
mod audit;
mod compare;
mod conditions;
mod dialect;
mod endpoints;
mod error;
mod facts;
mod filter;
mod forms;
mod frozen;
mod gates;
mod held;
mod history;
mod holders;
mod holds;
mod impact;
mod issuers;
mod keys;
mod known;
mod live;
mod load;
mod location;
mod login;
mod migrate;
mod migrations;
mod moving;
mod nearby;
mod networks;
mod odd;
mod operators;
mod outbox;
mod outlook;
mod page;
mod peppers;
mod postgres;
mod pulse;
mod reading;
mod refold;
mod rights;
mod rows;
mod schema;
mod sqlite;
mod transact;
mod usage;
mod windows;
mod wire;

pub use accounts::AccountFilter;
pub use alerts::AlertRequest;
pub use audit::{Done, Whose};
pub use compare::Which;
pub use conditions::conditions;
pub use endpoints::{Address, Claim, Progress};
pub use error::{Error, MaybeTransient, Result};
pub use facts::{Facts, UNWRITTEN};
pub use gates::{GateRow, LeakAction, Leaked, Lease, NewGate, Sight};
pub use history::Past;
pub use holders::Holder;
pub use keys::Counted;
pub use live::{LiveEvent, LiveEvents};
pub use location::Location;
pub use login::Neglected;
pub use migrate::Tried;
pub use moving::Moving;
pub use networks::{NETWORKS_OF_A_KEY, Sighting};
pub use odd::OddRow;
pub use outbox::{Ahead, Unwell};
pub use page::{Side, Slice};
pub use pulse::{Follow, Head, Mark, Pulse, Touched, WalHead, WalIndex};
pub use refold::Refolded;
pub use rights::{Lack, Mended};
pub use schema::Schema;
pub use transact::{Intent, Opening, Trust, Tx};
pub use usage::Batch;
pub use windows::SavedWindow;

/// An open database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pools: Pools,
    location: Location,
    access: Access,
    /// Lets one long count at a time run, and newer ones stop older ones.
    counting: page::Counting,
    /// The SQLite file that is open.
    held: Option<Arc<held::Held>>,
    /// Why its disk lets nothing be changed.
    hindered: Option<Arc<str>>,
    /// The version of its schema, where that is newer than this program's: then it is only read.
    newer: Option<i64>,
    /// Whether the audit is known to have a place for the person behind an actor.
    has_person: Arc<AtomicBool>,
    weakness: Option<&'static str>,
    steady: Arc<Steady>,
    /// What PostgreSQL's clock said last, and when the newest change was.
    server_clock: Arc<Mutex<Option<(Instant, Instant)>>>,
    queue: Arc<transact::Queue>,
}

/// What may be done to a database so that it can be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing: it is there, and an older schema is taken as it is.
    Existing,
    /// As [`Access::Existing`], and an older schema is refused.
    Current,
    /// It is made if it is not there. An older schema is taken as it is.
    OrNew,
    /// It is made if it is not there, and its schema is brought up to date.
    UpToDate,
}

impl Access {
    /// Whether a database is made where there is none.
    fn makes(self) -> bool {
        matches!(self, Self::OrNew | Self::UpToDate)
    }

    /// Whether the schema, of version `found` and not the newest, is to be brought up to date now.
    ///
    /// # Errors
    /// Where it is to be neither that nor left as it is.
    fn migrates(self, found: Option<i64>) -> Result<bool> {
        match (self, found) {
            (Self::UpToDate, _) | (Self::OrNew, None) => Ok(true),
            (Self::Current, Some(found)) => Err(Error::TooOld { found, known: migrate::newest() }),
            (_, Some(_)) => Ok(false),
            (Self::Existing | Self::Current, None) => Err(Error::Missing("there is no database".into())),
        }
    }
}

/// When the last change was made, and the last sign of a gate; 0 where there is none.
const NEWEST: &str = "SELECT coalesce((SELECT at FROM audit WHERE seq = h.seq), 0), \
     coalesce((SELECT max(beat_at) FROM gates), 0) FROM audit_head h";

/// How long PostgreSQL may take to close the connections.
const FAREWELL: Duration = Duration::from_secs(2);

#[derive(Clone)]
enum Pools {
    Sqlite {
        /// One connection: SQLite admits one writer, and queueing here is fair and quick (H8).
        writer: SqlitePool,
        readers: SqlitePool,
        /// Where the file can't be written here: what others make of it.
        frozen: Option<Arc<frozen::Frozen>>,
    },
    Postgres(Links),
}

/// A borrowed connection of either kind.
enum Conn<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(Wire<'a>),
}

impl Conn<'_> {
    /// The same connection, lent for one statement.
    fn again(&mut self) -> Conn<'_> {
        match self {
            Self::Sqlite(c) => Conn::Sqlite(c),
            Self::Postgres(c) => Conn::Postgres(c.again()),
        }
    }

    /// [`Driver::KEYS`](filter::Driver::KEYS) of this database.
    fn keys(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => <Sqlite as filter::Driver>::KEYS,
            Self::Postgres(_) => <Postgres as filter::Driver>::KEYS,
        }
    }

    /// [`Driver::ROW`](filter::Driver::ROW) of this database.
    fn row(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => <Sqlite as filter::Driver>::ROW,
            Self::Postgres(_) => <Postgres as filter::Driver>::ROW,
        }
    }

    /// What locks the rows that a statement reads, for its end. On SQLite the whole database is locked for writing already.
    fn locking(&self, clause: &'static str) -> &'static str {
        if matches!(self, Self::Sqlite(_)) { "" } else { clause }
    }

    /// Runs a statement that locks something, where that is needed.
    async fn lock(self, statement: &'static str) -> Result<()> {
        if let Self::Postgres(c) = self {
            sqlx::query(statement).execute(c).await?;
        }
        Ok(())
    }
}

/// A connection on loan from a pool, for reading.
enum Reader {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(Link),
}

impl Reader {
    fn conn(&mut self) -> Conn<'_> {
        match self {
            Self::Sqlite(conn) => Conn::Sqlite(conn),
            Self::Postgres(link) => Conn::Postgres(link.wire()),
        }
    }
}

impl Store {
    /// Opens the database and brings its schema up to date. A SQLite file is made if it is not there.
    pub async fn open(location: &Location) -> Result<Self> {
        Self::open_with(location, Access::UpToDate).await
    }

    /// Opens the database, and does no more to it than `access` allows.
    pub async fn open_with(location: &Location, access: Access) -> Result<Self> {
        let opened = |pools, held, hindered, weakness, newer| Self {
            pools,
            location: location.clone(),
            access,
            counting: page::Counting::default(),
            held,
            hindered,
            newer,
            has_person: Arc::default(),
            weakness,
            steady: Arc::default(),
            server_clock: Arc::default(),
            queue: Arc::default(),
        };
        Ok(match location {
            Location::Sqlite(path) => {
                let sqlite::Opened { pools, held, hindered, newer } = sqlite::open(path, access).await?;
                let store = opened(pools, Some(Arc::new(held)), hindered.map(Arc::from), None, newer);
                store.learn_time().await;
                store
            }
            Location::Postgres(url) => {
                let (pools, weakness, newer) = postgres::open(url, access).await?;
                opened(pools, None, None, weakness, newer)
            }
        })
    }

    /// Opens what is under the name now, after this store found that it is not the file that it had opened. No database is
    /// made where there is none.
    pub async fn again(&self) -> Result<Self> {
        if let (Some(held), Pools::Sqlite { writer, readers, .. }) = (&self.held, &self.pools) {
            match held.fate() {
                held::Fate::Same => return Ok(self.clone()),
                held::Fate::Another => self.keep_open(),
                held::Fate::Mixed => self.check_file()?,
                held::Fate::WithoutLog => {
                    // Connections of one process share what they know of a file, so that all of them have to be closed.
                    // Where nobody else has a new log, what is in the deleted one can still be saved.
                    let saving = async {
                        self.queue.release();
                        if held.has_no_log() {
                            sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(writer).await?;
                        }
                        readers.close().await;
                        writer.close().await;
                        Ok::<_, Error>(())
                    };
                    let late = |_| Error::Busy("the database's old connections are still in use".into());
                    tokio::time::timeout(FAREWELL, saving).await.map_err(late)??;
                }
            }
            Self::look(&self.location).await?;
        }
        Self::open_with(&self.location, self.access).await
    }

    /// Takes note of the newest instant in a SQLite database. An older schema may have none.
    async fn learn_time(&self) {
        if let Pools::Sqlite { readers, .. } = &self.pools
            && let Ok((changed, sign)) = sqlx::query_as(NEWEST).fetch_one(readers).await
        {
            self.steady.learn(changed, sign);
        }
    }

    /// Keeps the connections to the end of the process: who closes the last one would tidy away the log under the name,
    /// which is another file's now.
    fn keep_open(&self) {
        if self.held.as_ref().is_some_and(|held| held.keep()) {
            std::mem::forget(self.pools.clone());
        }
    }

    /// Refuses as [`Access::Existing`] does where nothing is at the address, or another program's database; opens nothing
    /// and asks no server.
    pub async fn look(location: &Location) -> Result<()> {
        match location {
            Location::Sqlite(path) => sqlite::look(path).await.and_then(|found| found.demand(path)),
            Location::Postgres(_) => Ok(()),
        }
    }

    pub fn location(&self) -> &Location {
        &self.location
    }

    /// What keeps the server from keeping what it confirms, in words: how its owner set it.
    pub fn weakness(&self) -> Option<&'static str> {
        self.weakness
    }

    /// Closes every connection. SQLite then folds its write-ahead log into the file. A PostgreSQL that gives no answer is
    /// not waited for.
    pub async fn close(&self) {
        self.queue.release();
        match &self.pools {
            Pools::Sqlite { writer, readers, .. } => {
                if let Err(error) = self.check_file() {
                    // The last connection to be closed would write what it knows over what others have written since.
                    tracing::error!(%error, "the database is left as it is");
                    return;
                }
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => {
                if tokio::time::timeout(FAREWELL, pool.close()).await.is_err() {
                    tracing::warn!("the database gives no answer; its connections are left as they are");
                }
            }
        }
    }

    /// Whether the database's name still stands for the file that is open here.
    ///
    /// # Errors
    /// [`Error::Replaced`]: what was done last is in no database of that name.
    pub(crate) fn check_file(&self) -> Result<()> {
        let checked = self.held.as_ref().map_or(Ok(()), |held| held.check());
        if let Err(Error::Replaced(_)) = &checked {
            self.keep_open();
        }
        checked
    }

    async fn reader(&self) -> Result<Reader> {
        self.check_file()?;
        self.thaw();
        Ok(match &self.pools {
            Pools::Sqlite { readers, .. } => {
                let reader = readers.acquire().await?;
                // It may have been opened just now.
                self.check_file()?;
                Reader::Sqlite(reader)
            }
            Pools::Postgres(pool) => Reader::Postgres(match pool.acquire().await {
                Ok(connection) => connection,
                Err(error) => return Err(self.explain(pool, error).await),
            }),
        })
    }
}
