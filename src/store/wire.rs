//! PostgreSQL's connections as the rest of the store has them: to the server itself, or through a pooler that gives each
//! transaction another connection (H24).
//!
//! Behind such a pooler nothing holds from one transaction to the next: no setting, no lock, no named statement. And the
//! driver sends a statement and its values by two messages, between which a pooler may take the connection away: what is
//! carried out then is some other client's statement. So there each statement is unnamed, and one that is in no transaction
//! gets one of its own. Nothing can go past that: only this room hands connections out.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection, PgPool, Postgres, Transaction};

use super::{Conn, Reader, Result};

mod statement;

/// How a transaction begins where nothing holds that was said before it.
macro_rules! begin {
    ($mode:literal) => {
        concat!(
            "BEGIN",
            $mode,
            "; SET LOCAL client_min_messages = error; SET LOCAL idle_in_transaction_session_timeout = '60s'; \
             SET LOCAL lock_timeout = '10s'; \
             SELECT set_config('synchronous_commit', replace(current_setting('synchronous_commit'), 'off', 'on'), true)"
        )
    };
}
const BEGIN: &str = begin!(" ISOLATION LEVEL READ COMMITTED");
/// The same where the driver may name its statements: nobody's names are in its way.
const BEGIN_NAMED: &str = begin!("; DEALLOCATE ALL");
/// All that is read is of one moment.
const STILL: [&str; 2] = [STILL_OWN, begin!(" ISOLATION LEVEL REPEATABLE READ READ ONLY")];
const STILL_OWN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// All connections to one server.
#[derive(Clone)]
pub(super) struct Links {
    pool: PgPool,
    shared: Arc<AtomicBool>,
    /// Whether a new connection is told what is to hold for as long as it lasts.
    settles: Arc<AtomicBool>,
}

impl fmt::Debug for Links {
    // The options of a connection may hold a password (H12).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Links")
    }
}

impl Links {
    /// `shared`: whether each transaction gets another connection.
    pub fn new(pool: PgPool, shared: bool, settles: Arc<AtomicBool>) -> Self {
        Self { pool, shared: Arc::new(AtomicBool::new(shared)), settles }
    }

    /// Has every new connection go to another host.
    pub fn point_to(&self, options: PgConnectOptions, shared: bool) {
        self.shared.store(shared, Relaxed);
        self.settles.store(!shared, Relaxed);
        self.pool.set_connect_options(options.statement_cache_capacity(if shared { 0 } else { 100 }));
    }

    pub fn is_shared(&self) -> bool {
        self.shared.load(Relaxed)
    }

    /// The driver's own pool: for what needs no transaction, or holds by itself.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    pub fn connect_options(&self) -> Arc<PgConnectOptions> {
        self.pool.connect_options()
    }

    pub async fn acquire(&self) -> sqlx::Result<Link> {
        Ok(Link { conn: self.pool.acquire().await?, shared: self.is_shared(), open: false })
    }

    /// A transaction in which the driver may name its statements, and begin others within.
    pub async fn whole(&self) -> sqlx::Result<Transaction<'static, Postgres>> {
        if self.is_shared() { self.pool.begin_with(BEGIN_NAMED).await } else { self.pool.begin().await }
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// One connection, on loan.
pub(super) struct Link {
    conn: PoolConnection<Postgres>,
    shared: bool,
    /// Whether it is in a transaction that [`Link::begin`] began.
    open: bool,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Link")
    }
}

impl Link {
    pub fn wire(&mut self) -> Wire<'_> {
        let way = match (self.shared, self.open) {
            (false, _) => Way::Own,
            (true, false) => Way::Alone,
            (true, true) => Way::Within,
        };
        Wire { conn: &mut self.conn, way }
    }

    /// The driver's own connection, for what is done on the server itself alone.
    pub fn own(&mut self) -> &mut PgConnection {
        &mut self.conn
    }

    /// Begins a transaction that changes something, to be ended by [`Link::end`].
    pub async fn begin(&mut self) -> sqlx::Result<()> {
        let begin = if self.shared { BEGIN } else { "BEGIN ISOLATION LEVEL READ COMMITTED" };
        sqlx::raw_sql(begin).execute(&mut *self.conn).await?;
        self.open = true;
        Ok(())
    }

    /// Ends it with these words.
    pub async fn end(&mut self, words: &'static str) -> sqlx::Result<()> {
        sqlx::raw_sql(words).execute(&mut *self.conn).await?;
        self.open = false;
        Ok(())
    }

    /// Keeps the same connection behind a pooler, and has rows come one by one; until [`Link::end`] or a return to the pool.
    pub async fn hold(&mut self) -> sqlx::Result<()> {
        if self.shared { self.begin().await } else { Ok(()) }
    }

    /// As [`Link::hold`] says.
    pub async fn release(&mut self) -> sqlx::Result<()> {
        if self.open { self.end("COMMIT").await } else { Ok(()) }
    }

    pub async fn within(&mut self) -> sqlx::Result<Within<'_>> {
        self.wire().within().await
    }

    /// A transaction in which all that is read is of one moment.
    pub async fn still(&mut self) -> sqlx::Result<Within<'_>> {
        let shared = self.shared;
        Ok(Within { tx: self.conn.begin_with(STILL[usize::from(shared)]).await?, shared })
    }
}

/// A transaction that is rolled back unless it is committed.
pub(super) struct Within<'w> {
    tx: Transaction<'w, Postgres>,
    shared: bool,
}

impl Within<'_> {
    pub fn wire(&mut self) -> Wire<'_> {
        Wire { conn: &mut self.tx, way: if self.shared { Way::Within } else { Way::Own } }
    }

    pub fn conn(&mut self) -> Conn<'_> {
        Conn::Postgres(self.wire())
    }

    pub async fn commit(self) -> sqlx::Result<()> {
        self.tx.commit().await
    }

    pub async fn rollback(self) -> sqlx::Result<()> {
        self.tx.rollback().await
    }
}

impl Reader {
    /// Keeps the same connection for several statements behind a pooler too, until [`Reader::release`].
    pub(super) async fn hold(&mut self) -> Result<()> {
        if let Self::Postgres(link) = self {
            link.hold().await?;
        }
        Ok(())
    }

    pub(super) async fn release(&mut self) -> Result<()> {
        if let Self::Postgres(link) = self {
            link.release().await?;
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// The connection is this process's own for as long as it has it.
    Own,
    /// It is for one transaction, which a statement has to itself.
    Alone,
    /// It is in such a transaction.
    Within,
}

/// A borrowed connection.
pub(super) struct Wire<'w> {
    conn: &'w mut PgConnection,
    way: Way,
}

impl fmt::Debug for Wire<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wire({:?})", self.way)
    }
}

impl<'w> Wire<'w> {
    /// A connection of one's own.
    pub fn own(conn: &'w mut PgConnection) -> Self {
        Self { conn, way: Way::Own }
    }

    /// A connection of one's own, perhaps through a pooler.
    pub fn of(conn: &'w mut PgConnection, shared: bool) -> Self {
        Self { conn, way: if shared { Way::Alone } else { Way::Own } }
    }

    /// The same, lent for one statement.
    pub fn again(&mut self) -> Wire<'_> {
        Wire { conn: self.conn, way: self.way }
    }

    /// Begins a transaction; to be called within none.
    pub async fn within(self) -> sqlx::Result<Within<'w>> {
        let shared = self.way != Way::Own;
        let tx = if shared { self.conn.begin_with(BEGIN).await } else { self.conn.begin().await };
        Ok(Within { tx: tx?, shared })
    }
}
