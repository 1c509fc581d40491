//! Transactions: everything that changes something happens in one, and nothing that was acknowledged is lost.

use std::time::Duration;

use futures::future::BoxFuture;
use sqlx::{AssertSqlSafe, Postgres, Sqlite, Transaction};

use super::dialect::{Time, rows, scalar};
use super::{Conn, Error, MaybeTransient, Pools, Result, Store};
use crate::clock::Clock;
use crate::domain::Instant;
use crate::domain::key::OperationId;
use crate::domain::operator::{Identity, Role};
use crate::domain::steady::{Trouble, trouble};

/// Pauses before each new try of a transaction that met a passing fault: a little over 5 seconds in all. There is no new
/// try once [`PATIENCE`] has passed.
const PAUSES: [Duration; 6] = [
    Duration::from_millis(20),
    Duration::from_millis(80),
    Duration::from_millis(250),
    Duration::from_millis(700),
    Duration::from_millis(1500),
    Duration::from_millis(2500),
];

/// A try that takes longer than this has lost its server, although the connection does not know yet (H10).
const PATIENCE: Duration = Duration::from_secs(30);

/// What is asked first on PostgreSQL. A server that confirms a commit before it is on its disk is told to wait for that: a
/// pooler or a reload of its settings may have undone what was said on connecting.
const BEGUN: &str = "SELECT clock_timestamp(), (SELECT a.at FROM audit a JOIN audit_head h ON a.seq = h.seq), (SELECT role FROM operators WHERE name = $1), \
     current_setting('transaction_read_only') = 'on', CASE current_setting('synchronous_commit') WHEN 'off' \
     THEN set_config('synchronous_commit', 'on', true) END, to_regproc('keyrack_take_turns') IS NOT NULL";

/// A transaction that is open for writing.
pub struct Tx {
    kind: Kind,
    now: Instant,
    who: Identity,
    role: Option<Role>,
    operation: OperationId,
    /// SQLite: what nobody else can change before this transaction ends.
    known: Option<Known>,
    /// PostgreSQL: whether the schema numbers and hashes the audit's rows by itself.
    keeps: bool,
}

/// Read once at the beginning, so that a change takes as few statements as it can.
struct Known {
    seen: bool,
    head: (i64, Vec<u8>),
}

/// Who begins a transaction, which wish it carries out, and whether it is to last.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The acting person.
    pub who: Identity,
    pub operation: OperationId,
    pub intent: Intent,
    pub clock: Trust,
}

/// How far the clock is believed that is far from the newest change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Nothing is changed while it is far ahead.
    Doubted,
    /// It may be far ahead: what is done can't wait for somebody to say that it is right.
    Ahead,
    /// It is taken as it is.
    Right,
}

/// What becomes of a transaction at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// A dry run: every lock is taken and every check made, the answer is the same, and then all of it is rolled back.
    Try,
    Do,
}

enum Kind {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Store {
    /// Runs `work` in a transaction and commits it if it answers `Ok`, or, where it is only tried, rolls it back.
    ///
    /// The whole of begin, work and commit runs in a task of its own: a caller that goes away in the middle can neither
    /// leave a transaction open nor tear one in two (H1). After a passing fault (a broken connection, a deadlock) the
    /// work is done again, so it must begin by asking [`Tx::seen`] whether its operation was carried out already.
    pub async fn transact<T, E, F>(
        &self,
        clock: &Clock,
        opening: Opening,
        work: F,
    ) -> std::result::Result<T, E>
    where
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, std::result::Result<T, E>> + Send + Sync + 'static,
        T: Send + 'static,
        E: From<Error> + MaybeTransient + Send + 'static,
    {
        let store = self.clone();
        let clock = clock.clone();
        let task = tokio::spawn(async move {
            let begun = tokio::time::Instant::now();
            let mut pauses = PAUSES.iter();
            loop {
                let tried = tokio::time::timeout(PATIENCE, store.attempt(&clock, &opening, &work)).await;
                // Whether it was carried out can't be known; the next try finds out by its operation.
                let tried = tried.unwrap_or_else(|_| {
                    let seconds = PATIENCE.as_secs();
                    Err(Error::Unreachable(format!("it gave no answer for {seconds} s")).into())
                });
                match tried {
                    Err(error) if error.is_transient() => match pauses.next() {
                        Some(pause) if begun.elapsed() < PATIENCE => tokio::time::sleep(*pause).await,
                        _ => return Err(error),
                    },
                    done => return done,
                }
            }
        });
        match task.await {
            Ok(done) => done,
            Err(error) => Err(Error::Other(format!("the operation ended early: {error}")).into()),
        }
    }

    async fn attempt<T, E, F>(&self, clock: &Clock, opening: &Opening, work: &F) -> std::result::Result<T, E>
    where
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, std::result::Result<T, E>> + Send + Sync,
        E: From<Error>,
    {
        let mut tx = self.begin(clock, opening).await?;
        // An error drops the transaction, which rolls it back.
        let done = work(&mut tx).await?;
        self.check_file()?;
        match opening.intent {
            Intent::Do => tx.commit().await?,
            Intent::Try => tx.roll_back().await?,
        }
        self.check_file()?;
        if opening.clock == Trust::Right {
            self.learn_time().await;
        }
        Ok(done)
    }

    async fn begin(&self, clock: &Clock, opening: &Opening) -> Result<Tx> {
        let Opening { who, operation, .. } = opening;
        let parsed = |role: Option<String>| role.and_then(|role| role.parse().ok());
        self.check_file()?;
        if let Some(why) = &self.hindered {
            return Err(Error::Disk(why.to_string()));
        }
        Ok(match &self.pools {
            Pools::Sqlite { writer, .. } => {
                // A deferred transaction would fail at its first write under contention (H7).
                let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
                type Begun = (Option<String>, bool, i64, Vec<u8>, i64, i64);
                let (role, seen, seq, hash, changed, sign): Begun = sqlx::query_as(
                    "SELECT (SELECT role FROM operators WHERE name = $1), \
                     EXISTS (SELECT 1 FROM audit WHERE operation = $2), seq, hash, \
                     coalesce((SELECT at FROM audit WHERE seq = h.seq), 0), \
                     coalesce((SELECT max(beat_at) FROM gates), 0) FROM audit_head h",
                )
                .bind(who.name.as_str())
                .bind(operation)
                .fetch_one(&mut *tx)
                .await?;
                let known = Some(Known { seen, head: (seq, hash) });
                self.steady.learn(changed, sign);
                let now = match (opening.clock, self.clock_trouble(clock)) {
                    (Trust::Right, _) => clock.now(),
                    (Trust::Doubted, Some((Trouble::Ahead, words))) => return Err(Error::Clock(words)),
                    // It is done, at a time that is believed: a wrong one would be the newest from then on.
                    (Trust::Ahead, Some((Trouble::Ahead, _))) => {
                        self.steady.newest().unwrap_or_else(|| clock.now())
                    }
                    _ => self.time(clock),
                };
                Tx {
                    kind: Kind::Sqlite(tx),
                    now,
                    who: who.clone(),
                    role: parsed(role),
                    operation: *operation,
                    known,
                    keeps: false,
                }
            }
            Pools::Postgres(pool) => {
                let mut tx = match pool.begin().await {
                    Ok(tx) => tx,
                    Err(error) => return Err(self.explain(pool, error).await),
                };
                type Begun = (Time, Option<Time>, Option<String>, bool, Option<String>, bool);
                let (Time(mut now), newest, role, read_only, _, keeps): Begun =
                    sqlx::query_as(BEGUN).bind(who.name.as_str()).fetch_one(&mut *tx).await?;
                if read_only {
                    return Err(self.elsewhere(pool, &mut tx).await);
                }
                if opening.clock != Trust::Right
                    && !clock.is_hand()
                    && let Some(Time(newest)) = newest
                {
                    if opening.clock == Trust::Doubted && trouble(now, newest) == Some(Trouble::Ahead) {
                        return Err(Error::Clock(Trouble::Ahead.words(now, newest)));
                    }
                    now = now.max(newest);
                }
                Tx {
                    kind: Kind::Postgres(tx),
                    now,
                    who: who.clone(),
                    role: parsed(role),
                    operation: *operation,
                    known: None,
                    keeps,
                }
            }
        })
    }
}

impl Tx {
    /// The present: on PostgreSQL the database's clock decides.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The acting person.
    pub fn who(&self) -> &Identity {
        &self.who
    }

    /// The wish that this transaction carries out.
    pub fn operation(&self) -> OperationId {
        self.operation
    }

    pub(super) fn conn(&mut self) -> Conn<'_> {
        match &mut self.kind {
            Kind::Sqlite(tx) => Conn::Sqlite(tx),
            Kind::Postgres(tx) => Conn::Postgres(tx),
        }
    }

    async fn commit(self) -> Result<()> {
        match self.kind {
            Kind::Sqlite(tx) => tx.commit().await?,
            Kind::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }

    async fn roll_back(self) -> Result<()> {
        match self.kind {
            Kind::Sqlite(tx) => tx.rollback().await?,
            Kind::Postgres(tx) => tx.rollback().await?,
        }
        Ok(())
    }

    /// The acting person's role, as it is inside this transaction.
    pub fn role(&self) -> Option<Role> {
        self.role
    }

    /// The same, read anew, and nobody can change it before this transaction ends.
    pub async fn hold_role(&mut self) -> Result<Option<Role>> {
        match &mut self.kind {
            // The whole database is locked for writing already.
            Kind::Sqlite(_) => Ok(self.role),
            Kind::Postgres(tx) => {
                let sql = match self.keeps {
                    // Only admins can lock the rows themselves.
                    true => "SELECT keyrack_hold_role() WHERE session_user = $1",
                    false => "SELECT role FROM operators WHERE name = $1 FOR SHARE",
                };
                let role: Option<Option<String>> =
                    sqlx::query_scalar(sql).bind(self.who.name.as_str()).fetch_optional(&mut **tx).await?;
                Ok(role.flatten().and_then(|role| role.parse().ok()))
            }
        }
    }

    /// Whether this transaction's operation was carried out before: then a retry must change nothing. To be asked after
    /// the rows in question are locked, because the first try may still be on its way.
    pub async fn seen(&mut self) -> Result<bool> {
        let operation = self.operation;
        if let Some(known) = &self.known {
            return Ok(known.seen);
        }
        let row: Option<i64> = scalar!(
            fetch_optional,
            self.conn(),
            "SELECT seq FROM audit WHERE operation = $1 LIMIT 1",
            [operation]
        );
        Ok(row.is_some())
    }

    /// Whether the schema's version keeps what others can't then touch: the audit's numbers and hashes, and locks.
    pub(super) fn keeps(&self) -> bool {
        self.keeps
    }

    /// The number and hash of the audit's last row; on PostgreSQL locked from here on. `None` where the database itself
    /// gives both to new rows.
    pub(super) async fn audit_end(&mut self) -> Result<Option<(i64, Vec<u8>)>> {
        if let Some(known) = &self.known {
            return Ok(Some(known.head.clone()));
        }
        if self.keeps {
            return Ok(None);
        }
        let lock = self.conn().locking(" FOR UPDATE");
        let sql = AssertSqlSafe(format!("SELECT seq, hash FROM audit_head{lock}"));
        Ok(Some(rows!(fetch_one, self.conn(), sql)))
    }

    /// Takes note that the audit has a new last row.
    pub(super) fn audit_grew(&mut self, seq: i64, hash: [u8; 32]) {
        if let Some(known) = &mut self.known {
            known.head = (seq, hash.to_vec());
        }
    }
}
