//! The task that reads the audit's number for all who wait, and forgets what changed before it wakes them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};

use super::inner::Inner;
use super::proof::Look;
use crate::domain::Instant;
use crate::service::error::Result;
use crate::store::{self, Head, Location, Mark, Pulse, Touched};

/// How often an idle gate reads. On PostgreSQL it is also told of changes, if the listening connection lives (H10).
const SQLITE: Duration = Duration::from_millis(100);
const POSTGRES: Duration = Duration::from_millis(500);
/// How often it looks whether a SQLite database changed, which costs next to nothing: a revocation is confirmed as soon.
const GLANCE: Duration = Duration::from_millis(20);
/// After a failure, before the next try.
const PAUSE: Duration = Duration::from_millis(25);
/// With more changes than this to catch up with, everything is forgotten instead.
const MANY: i64 = 10_000;

/// Whatever ends this task, nobody waits for it in vain.
struct LastWord(Arc<Inner>);

impl Drop for LastWord {
    fn drop(&mut self) {
        self.0.proof.fail(u64::MAX);
    }
}

/// What was read of the audit so far: everything up to a row is applied.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Applied {
    pub mark: Mark,
    /// When that row was written; none before the first.
    at: Option<Instant>,
}

impl Applied {
    /// The present state of the database, of which nothing is remembered yet.
    pub async fn of(pulse: &mut Pulse, mark: Mark) -> Result<Self> {
        let at = pulse.touched(mark.seq, mark.seq).await?.first().map(|row| row.at);
        Ok(Self { mark, at })
    }
}

/// One reading that succeeded.
struct Read {
    pulse: Pulse,
    applied: Applied,
    now: Instant,
    /// What all this is at least as new as.
    state: Option<Look>,
    /// Whether the gate's row says that it may answer from memory.
    leased: bool,
}

pub(super) async fn run(inner: Arc<Inner>, pulse: Pulse, mut applied: Applied) {
    let _last = LastWord(Arc::clone(&inner));
    let (idle, glance) = match inner.store.location() {
        Location::Sqlite(_) => (SQLITE, GLANCE),
        Location::Postgres(_) => (POSTGRES, POSTGRES),
    };
    // Often enough that an idle gate is never taken for one that is out of touch.
    let idle = idle.min(inner.settings.lease / 3);
    // And often enough that a lease is renewed long before it runs out.
    let idle = inner.settings.freshness.lease().map_or(idle, |lease| idle.min(lease / 3));
    let mut tick = interval(glance.min(idle).max(Duration::from_millis(1)));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut pulse = Some(pulse);
    let mut failing = false;
    let stopped = inner.stopped();
    tokio::pin!(stopped);
    loop {
        tokio::select! {
            biased;
            () = &mut stopped => return,
            () = inner.proof.wanted() => {}
            _ = tick.tick() => {
                if inner.proof.age() < idle && inner.proof.is_unmoved_by_name() {
                    continue;
                }
            }
        }
        // Whoever is ready to ask does so first: one reading serves them all.
        tokio::task::yield_now().await;
        let round = inner.proof.begin();
        let began_at = inner.proof.micros();
        // A connection that failed or is late is good for nothing more: its next answer may be to another question.
        let answer = match timeout(inner.settings.lease, look(&inner, pulse.take(), &applied)).await {
            Ok(answer) => answer,
            Err(_) => Err(inner.no_answer()),
        };
        match answer {
            Ok(read) => {
                pulse = Some(read.pulse);
                let leased = read.leased && inner.is_heard_of(began_at);
                inner.proof.succeed(round, began_at, inner.proof.micros(), read.now, (read.state, leased));
                if std::mem::take(&mut failing) {
                    tracing::info!("the database answers again");
                }
                if applied != read.applied {
                    applied = read.applied;
                    inner.applied.send_replace(applied.mark.seq);
                    inner.grown.notify_one();
                }
            }
            Err(error) => {
                if matches!(inner.store.location(), Location::Sqlite(_)) {
                    // No network is in between: the file is another one, or the disk fails.
                    inner.proof.end_lease();
                }
                inner.proof.fail(round);
                if !std::mem::replace(&mut failing, true) {
                    let then = inner.without_answer();
                    tracing::error!(%error, "{then} every request is refused until it answers");
                    // Who holds an answer open must hear of it.
                    inner.applied.send_modify(|_| {});
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// One reading. Gives the connection back if all went well.
async fn look(inner: &Inner, pulse: Option<Pulse>, applied: &Applied) -> Result<Read> {
    let mut pulse = match pulse {
        Some(pulse) => pulse,
        None => inner.store.pulse().await?,
    };
    let state = pulse.state()?;
    let Head { mark, now, lease } = pulse.head(&inner.clock, inner.row.id).await?;
    let leased = lease.is_some_and(|lease| lease == inner.row.freshness && lease.lease().is_some());
    if mark == applied.mark {
        return Ok(Read { pulse, applied: applied.clone(), now, state, leased });
    }
    let (before, seq) = (applied.mark.seq, mark.seq);
    let grown = before < seq && seq - before <= MANY;
    // With the row that was the last one: whether it is still there tells whether this history is the same.
    let mut rows = pulse.touched(if grown { before } else { seq }, seq).await?;
    let at = rows.last().map(|row| row.at);
    if !grown || (before > 0 && rows.first().map(|row| row.at) != applied.at) {
        if before >= seq || grown {
            let words = "the database has another history than it had: was a backup put in its place, or a server \
                         that lagged behind?";
            tracing::error!(applied = before, seq, "{words}");
        }
        // First this: what is being read at this moment may be of the history that was.
        inner.history.fetch_add(1, Ordering::SeqCst);
        inner.floor.store(seq, Ordering::SeqCst);
        forget_all(inner);
    } else {
        rows.retain(|row| row.seq > before);
        if rows.len() as i64 != seq - before {
            return Err(store::Error::Corrupt("rows of the audit are missing".into()).into());
        }
        // First the floor, then what lies below it: what is read at this moment is judged by one or the other.
        inner.floor.store(seq, Ordering::SeqCst);
        forget(inner, &rows);
    }
    Ok(Read { pulse, applied: Applied { mark, at }, now, state, leased })
}

fn forget_all(inner: &Inner) {
    inner.imports.fetch_add(1, Ordering::SeqCst);
    inner.drop_policies();
    inner.cache.clear();
}

/// Forgets what these changes touch. What is not understood, because a newer Keyrack did it, touches everything.
fn forget(inner: &Inner, touched: &[Touched]) {
    // Rows come in the order of their numbers: the last change of each is the one that counts.
    let mut keys = HashMap::new();
    let mut accounts = HashMap::new();
    if touched.iter().any(|row| row.action == "key.import") {
        inner.imports.fetch_add(1, Ordering::SeqCst);
    }
    for row in touched {
        match row.action.split_once('.').map_or("", |(noun, _)| noun) {
            "key" => match row.key {
                Some(key) => {
                    keys.insert(key, row.seq);
                }
                None => return forget_all(inner),
            },
            "account" => match &row.account {
                Some(account) => {
                    accounts.insert(account.clone(), row.seq);
                }
                None => return forget_all(inner),
            },
            "operator" | "reminder" | "sweep" | "alert" | "creation" => {}
            _ => return forget_all(inner),
        }
    }
    inner.cache.drop_keys(&keys);
    if !accounts.is_empty() {
        inner.cache.drop_accounts(&accounts);
    }
}

/// Has the database looked at whenever it says that something changed.
pub(super) async fn listen(inner: Arc<Inner>) {
    let mut ear = inner.store.ear();
    let stopped = inner.stopped();
    tokio::pin!(stopped);
    loop {
        tokio::select! {
            () = &mut stopped => return,
            () = ear.hear() => inner.proof.kick(),
        }
    }
}
