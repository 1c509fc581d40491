//! How a transaction begins, goes on with another's change, and ends. Said in SQL of our own: the driver's own words for it
//! take twice as many turns between its threads, and it takes a transaction for open that SQLite has ended (H20).

use sqlx::{AssertSqlSafe, FromRow, SqliteConnection};
use tokio::time::Instant as Moment;

use super::queue::Job;
use super::{Error, Known, Opening, Pools, Reader, Result, Trust, Tx};
use crate::clock::Clock;
use crate::domain::Instant;
use crate::domain::operator::Role;
use crate::domain::steady::{Trouble, trouble};
use crate::store::Store;
use crate::store::dialect::{Time, both};
use crate::store::rows::{ACCOUNT_AND_ISSUER, AccountAndIssuer};

/// What is asked first on SQLite, behind what begins it; at once, because each question costs two changes of threads.
macro_rules! ask {
    ($first:literal) => {
        concat!(
            $first,
            "; SELECT (SELECT role FROM operators WHERE name = $1) AS role, \
             EXISTS (SELECT 1 FROM audit WHERE operation = $2) AS seen, seq, hash, \
             coalesce((SELECT at FROM audit WHERE seq = h.seq), 0) AS changed, \
             coalesce((SELECT max(beat_at) FROM gates), 0) AS sign FROM audit_head h"
        )
    };
}
// A deferred transaction would fail at its first write under contention (H7).
const BEGIN: &str = ask!("BEGIN IMMEDIATE");
const MARK: &str = ask!("SAVEPOINT one");
const NEXT: &str = ask!("RELEASE one; SAVEPOINT one");

#[derive(FromRow)]
struct Begun {
    role: Option<String>,
    seen: bool,
    seq: i64,
    hash: Vec<u8>,
    changed: i64,
    sign: i64,
}

/// How many lanes the audit of a PostgreSQL has; 1 also where the schema knows of none.
macro_rules! lanes_there {
    () => {
        "(SELECT coalesce((to_jsonb(l) ->> 'lanes')::bigint, 1) FROM audit_head l)"
    };
}
pub(in crate::store) use lanes_there;

/// The same, read.
pub(in crate::store) fn lanes_of(told: Option<i64>) -> u32 {
    told.and_then(|lanes| u32::try_from(lanes).ok()).unwrap_or(1)
}

/// What is asked first on PostgreSQL. A server that confirms a commit before it is on its disk is told to wait for that: a
/// pooler or a reload of its settings may have undone what was said on connecting. A role is held where there is what
/// holds it, and who only follows another server is told so first.
macro_rules! ask_server {
    ($role:literal) => {
        concat!(
            "SELECT clock_timestamp(), (SELECT a.at FROM audit a WHERE a.seq = (SELECT h.seq FROM audit_head h)), ",
            $role,
            ", current_setting('transaction_read_only') = 'on', CASE current_setting('synchronous_commit') WHEN 'off' \
             THEN set_config('synchronous_commit', 'on', true) END, to_regproc('keyrack_take_turns') IS NOT NULL, ",
            lanes_there!()
        )
    };
}
const LOOK: &str = ask_server!("(SELECT role FROM operators WHERE name = $1)");
const HOLD: &str = ask_server!(
    "CASE WHEN current_setting('transaction_read_only') = 'off' AND session_user = $1 THEN keyrack_hold_role() END"
);

/// Waiting for somebody who waits for what this transaction has locked already would last until the server notices.
const STEP: [&str; 2] = [
    "SAVEPOINT one; SET LOCAL lock_timeout = '20ms'",
    "RELEASE SAVEPOINT one; SAVEPOINT one; SET LOCAL lock_timeout = '20ms'",
];

/// The audit's end is waited for as ever.
const LAST: &str = "SET LOCAL lock_timeout = '10s'";

impl Store {
    pub(super) async fn begin(&self, job: &Job) -> Result<(Tx, Moment)> {
        let (link, since) = self.link().await?;
        let Opening { who, operation, .. } = &job.opening;
        let mut tx = Tx {
            link,
            marked: false,
            now: job.clock.now(),
            who: who.clone(),
            role: None,
            operation: *operation,
            known: None,
            asked: None,
            keeps: false,
            lanes: 1,
            unnumbered: Vec::new(),
            holds: false,
            owed_keys: Vec::new(),
            owed: Vec::new(),
            unfed: None,
        };
        match &mut tx.link {
            Reader::Sqlite(conn) => {
                // It may have been opened just now.
                self.check_file()?;
                let (begun, asked) = ask(conn, BEGIN, &job.opening).await?;
                tx.asked = asked;
                self.steady.learn(begun.changed, begun.sign);
                tx.known = Some(Known { seen: begun.seen, head: (begun.seq, begun.hash) });
                tx.role = parsed(begun.role);
                tx.now = self.present(&job.clock, job.opening.clock)?;
            }
            Reader::Postgres(conn) => {
                conn.begin().await?;
                self.ask_server(&mut tx, job).await?;
            }
        }
        Ok((tx, since))
    }

    /// Begins another's change in the same transaction, in a part that can be taken back by itself.
    pub(super) async fn go_on(&self, tx: &mut Tx, job: &Job) -> Result<()> {
        let again = std::mem::take(&mut tx.marked);
        tx.who.clone_from(&job.opening.who);
        tx.operation = job.opening.operation;
        match &mut tx.link {
            Reader::Sqlite(conn) => {
                let (begun, asked) = ask(conn, if again { NEXT } else { MARK }, &job.opening).await?;
                tx.asked = asked;
                tx.marked = true;
                if let Some(known) = &mut tx.known {
                    known.seen = begun.seen;
                }
                tx.role = parsed(begun.role);
                tx.now = self.present(&job.clock, job.opening.clock)?;
            }
            Reader::Postgres(conn) => {
                sqlx::raw_sql(STEP[usize::from(again)]).execute(&mut *conn).await?;
                tx.marked = true;
                self.ask_server(tx, job).await?;
            }
        }
        Ok(())
    }

    /// The present of a SQLite database.
    fn present(&self, clock: &Clock, trust: Trust) -> Result<Instant> {
        Ok(match (trust, self.clock_trouble(clock)) {
            (Trust::Right, _) => clock.now(),
            (Trust::Doubted, Some((Trouble::Ahead, words))) => return Err(Error::Clock(words)),
            // It is done, at a time that is believed: a wrong one would be the newest from then on.
            (Trust::Ahead, Some((Trouble::Ahead, _))) => self.steady.newest().unwrap_or_else(|| clock.now()),
            _ => self.time(clock),
        })
    }

    async fn ask_server(&self, tx: &mut Tx, job: &Job) -> Result<()> {
        let (Reader::Postgres(conn), Pools::Postgres(pool)) = (&mut tx.link, &self.pools) else {
            return Ok(());
        };
        let holds = job.opening.shares && self.queue.holds();
        type Begun = (Time, Option<Time>, Option<String>, bool, Option<String>, bool, Option<i64>);
        let (Time(mut now), newest, role, read_only, _, keeps, lanes): Begun =
            sqlx::query_as(if holds { HOLD } else { LOOK })
                .bind(job.opening.who.name.as_str())
                .fetch_one(&mut *conn)
                .await?;
        if read_only {
            return Err(self.elsewhere(pool, conn).await);
        }
        self.queue.can_hold(keeps);
        tx.lanes = lanes_of(lanes);
        self.queue.widen(tx.lanes, pool.pool().options().get_max_connections());
        if job.opening.clock != Trust::Right
            && !job.clock.is_hand()
            && let Some(Time(newest)) = newest
        {
            if job.opening.clock == Trust::Doubted && trouble(now, newest) == Some(Trouble::Ahead) {
                return Err(Error::Clock(Trouble::Ahead.words(now, newest)));
            }
            now = now.max(newest);
        }
        (tx.now, tx.role, tx.keeps, tx.holds) = (now, parsed(role), keeps, holds);
        Ok(())
    }
}

fn parsed(role: Option<String>) -> Option<Role> {
    role.and_then(|role| role.parse().ok())
}

type Asked = Option<(String, Option<AccountAndIssuer>)>;

/// Begins, and asks for all that is known to be needed.
async fn ask(conn: &mut SqliteConnection, sql: &'static str, opening: &Opening) -> Result<(Begun, Asked)> {
    let (who, Some(slug)) = (opening.who.name.as_str(), &opening.account) else {
        let asked = sqlx::query_as(sql).bind(opening.who.name.as_str()).bind(opening.operation);
        return Ok((asked.fetch_one(conn).await?, None));
    };
    let asked = sqlx::query(AssertSqlSafe(format!("{sql}; {ACCOUNT_AND_ISSUER}$3")));
    let rows = asked.bind(who).bind(opening.operation).bind(slug).fetch_all(conn).await?;
    let begun = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    let account = rows.get(1).map(AccountAndIssuer::from_row).transpose()?;
    Ok((Begun::from_row(begun)?, Some((slug.clone(), account))))
}

impl Tx {
    /// Writes what the audit is owed, and commits.
    ///
    /// # Errors
    /// Also whether it is sure that nothing was committed, because the database refused a row.
    pub(super) async fn commit(mut self) -> std::result::Result<Reader, (Error, bool)> {
        if let Reader::Sqlite(_) = &self.link {
            let done = self.write_audit("; COMMIT").await;
            done.map_err(|error| {
                let refused = matches!(error, Error::Refused(_));
                (error, refused)
            })?;
        } else {
            if self.marked {
                self.say(LAST).await.map_err(|error| (error, true))?;
            }
            self.write_audit("").await.map_err(|error| (error, true))?;
            self.end("COMMIT").await.map_err(|error| (error, false))?;
            self.seal().await.map_err(|error| (error, false))?;
        }
        Ok(self.link)
    }

    /// Takes back all of it. `told`: whether somebody is told of what it found, which another one may have committed just now.
    pub(super) async fn roll_back(mut self, told: bool) -> Result<Reader> {
        self.end("ROLLBACK").await?;
        if told {
            self.seal().await?;
        }
        Ok(self.link)
    }

    /// Takes back the part that began last.
    pub(super) async fn undo(&mut self) -> Result<()> {
        self.say("ROLLBACK TO SAVEPOINT one").await
    }

    /// Ends the transaction with these words.
    async fn end(&mut self, words: &'static str) -> Result<()> {
        match &mut self.link {
            Reader::Postgres(link) => Ok(link.end(words).await?),
            Reader::Sqlite(_) => self.say(words).await,
        }
    }

    pub(in crate::store) async fn say(&mut self, words: &'static str) -> Result<()> {
        if words.is_empty() {
            return Ok(());
        }
        both!(self.conn(), c => {
            sqlx::raw_sql(words).execute(c).await?;
        });
        Ok(())
    }
}
