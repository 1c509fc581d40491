//! Transactions: everything that changes something happens in one, and nothing that was acknowledged is lost.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use self::queue::{End, Job, Work};
use super::dialect::scalar;
use super::rows::AccountAndIssuer;
use super::{Conn, Error, MaybeTransient, Pools, Reader, Result, Store};
use crate::clock::Clock;
use crate::domain::Instant;
use crate::domain::audit::Link;
use crate::domain::key::{NewKey, OperationId};
use crate::domain::operator::{Identity, Role};

mod group;
mod open;
mod queue;

pub(in crate::store) use open::{lanes_of, lanes_there};

pub(super) use queue::Queue;

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

/// A transaction that is open for writing.
pub struct Tx {
    link: Reader,
    /// Whether its present part can be taken back by itself.
    marked: bool,
    now: Instant,
    who: Identity,
    role: Option<Role>,
    operation: OperationId,
    /// SQLite: the account that was asked for with the beginning, as it was found.
    asked: Option<(String, Option<AccountAndIssuer>)>,
    /// SQLite: what nobody else can change before this transaction ends.
    known: Option<Known>,
    /// PostgreSQL: whether the schema numbers and hashes the audit's rows by itself.
    keeps: bool,
    /// PostgreSQL: how many lanes the audit has, and the operations that left rows in them.
    lanes: u32,
    unnumbered: Vec<OperationId>,
    /// Whether nobody can change the acting person's role any more.
    holds: bool,
    /// New keys of all changes that share the commit, written at its end or before a change that does more than make one.
    owed_keys: Vec<NewKey>,
    /// Rows of the audit, written last of all: from then on others wait for the end. Not numbered yet.
    owed: Vec<Link>,
    /// SQLite: keys that the indexes fed in batches did not have yet when they were counted, just now.
    unfed: Option<i64>,
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
    /// Whether it may share its commit with changes that are wished at the same time. It takes few locks, and asks for
    /// its role before them.
    pub shares: bool,
    /// The account whose row it locks first.
    pub account: Option<String>,
    /// Whether all that it writes is owed until the commit, and keys that others owe are nothing to it but counted.
    pub gathers: bool,
    /// How long it may take before its server is held for lost.
    pub patience: Duration,
}

impl Opening {
    /// What is to last, has a commit of its own, and doubts the clock.
    pub fn new(who: Identity, operation: OperationId) -> Self {
        Self {
            who,
            operation,
            intent: Intent::Do,
            clock: Trust::Doubted,
            shares: false,
            account: None,
            gathers: false,
            patience: PATIENCE,
        }
    }
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
        let work = Arc::new(work);
        let task = tokio::spawn(async move {
            let begun = tokio::time::Instant::now();
            let mut pauses = PAUSES.iter();
            loop {
                match store.attempt(&clock, &opening, &work).await {
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

    /// One try of the whole, together with what others wish at the same time.
    async fn attempt<T, E, F>(
        &self,
        clock: &Clock,
        opening: &Opening,
        work: &Arc<F>,
    ) -> std::result::Result<T, E>
    where
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, std::result::Result<T, E>> + Send + Sync + 'static,
        T: Send + 'static,
        E: From<Error> + MaybeTransient + Send + 'static,
    {
        self.check_file()?;
        self.changeable()?;
        let answer = Arc::new(Mutex::new(None));
        let (tell, told) = oneshot::channel();
        let (to, work) = (Arc::clone(&answer), Arc::clone(work));
        let work: Work = Box::new(move |tx| {
            let (to, work) = (Arc::clone(&to), Arc::clone(&work));
            Box::pin(async move {
                let done = work(tx).await;
                let end = match &done {
                    Ok(_) => End::Done,
                    Err(error) if error.is_transient() => End::Faulty,
                    Err(_) => End::Refused,
                };
                *to.lock() = Some(done);
                end
            })
        });
        self.submit(Job::new(opening.clone(), clock.clone(), work, tell), told).await?;
        let answer = answer.lock().take();
        answer.unwrap_or_else(|| Err(Error::Other("the change has no outcome".into()).into()))
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
        self.link.conn()
    }

    /// The acting person's role, as it is inside this transaction.
    pub fn role(&self) -> Option<Role> {
        self.role
    }

    /// The same, read anew, and nobody can change it before this transaction ends.
    pub async fn hold_role(&mut self) -> Result<Option<Role>> {
        if self.holds {
            return Ok(self.role);
        }
        match &mut self.link {
            // The whole database is locked for writing already.
            Reader::Sqlite(_) => Ok(self.role),
            Reader::Postgres(conn) => {
                let sql = match self.keeps {
                    // Only admins can lock the rows themselves.
                    true => "SELECT keyrack_hold_role() WHERE session_user = $1",
                    false => "SELECT role FROM operators WHERE name = $1 FOR SHARE",
                };
                let role: Option<Option<String>> =
                    sqlx::query_scalar(sql).bind(self.who.name.as_str()).fetch_optional(&mut *conn).await?;
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
        let sql = format!("SELECT seq FROM {} WHERE operation = $1 LIMIT 1", self.told());
        let row: Option<i64> = scalar!(fetch_optional, self.conn(), sqlx::AssertSqlSafe(sql), [operation]);
        Ok(row.is_some())
    }

    /// The account that was asked for with the beginning, if it is this one: once, for it may be changed then.
    pub(super) fn take_asked(&mut self, slug: &str) -> Option<Option<AccountAndIssuer>> {
        self.asked.take().filter(|(asked, _)| asked == slug).map(|(_, found)| found)
    }

    /// Whether the schema's version keeps what others can't then touch: the audit's numbers and hashes, and locks.
    pub(super) fn keeps(&self) -> bool {
        self.keeps
    }

    /// How many lanes the audit has.
    pub fn lanes(&self) -> u32 {
        self.lanes
    }

    /// Operations whose rows have no number before the commit.
    pub(super) fn leaves(&mut self, operations: impl IntoIterator<Item = OperationId>) {
        self.unnumbered.extend(operations);
    }

    /// The same, to be numbered now.
    pub(super) fn left(&mut self) -> Vec<OperationId> {
        std::mem::take(&mut self.unnumbered)
    }

    /// Owes the database a key. Until it is written, nothing but [`Tx::count_keys`] knows of it.
    pub fn owe_key(&mut self, key: NewKey) {
        self.owed_keys.push(key);
    }

    /// The keys that are owed now.
    pub(super) fn owed_keys(&self) -> &[NewKey] {
        &self.owed_keys
    }

    pub(super) fn take_owed_keys(&mut self) -> Vec<NewKey> {
        std::mem::take(&mut self.owed_keys)
    }

    /// Owes the audit these rows, which are written with the commit.
    pub(super) fn owe(&mut self, rows: impl IntoIterator<Item = Link>) {
        self.owed.extend(rows);
    }

    /// The same, and it stays owed.
    pub(super) fn still_owed(&self) -> &[Link] {
        &self.owed
    }

    pub(super) fn set_unfed(&mut self, keys: i64) {
        self.unfed = Some(keys);
    }

    /// What was counted, and it stays counted.
    pub(super) fn still_unfed(&self) -> Option<i64> {
        self.unfed
    }

    pub(super) fn unfed(&mut self) -> Option<i64> {
        self.unfed.take()
    }

    /// What the audit was owed.
    pub(super) fn owed(&mut self) -> Vec<Link> {
        std::mem::take(&mut self.owed)
    }

    /// SQLite: the number and hash of the audit's last row.
    pub(super) fn head(&self) -> Option<(i64, Vec<u8>)> {
        self.known.as_ref().map(|known| known.head.clone())
    }

    /// Rows were written behind it.
    pub(super) fn moved(&mut self, head: Option<(i64, Vec<u8>)>) {
        if let Some((known, head)) = self.known.as_mut().zip(head) {
            known.head = head;
        }
    }
}
