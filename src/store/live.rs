//! News of changes. Whoever listens reads again; the news itself says only that there is some.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use sqlx::postgres::PgListener;
use sqlx::{PgPool, SqlitePool};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::dialect::Time;
use super::{Error, Pools, Result, Store};
use crate::clock::Clock;

/// How often SQLite is asked whether another connection wrote.
const SQLITE_POLL: Duration = Duration::from_millis(250);
/// How often PostgreSQL is asked whether the audit grew. Notifications only make it quicker: a listening connection does
/// not notice when it is cut off (H10).
const POSTGRES_POLL: Duration = Duration::from_secs(2);
/// An answer that takes longer counts as none.
const ANSWER: Duration = Duration::from_secs(4);
/// The channel that the trigger on the audit notifies.
const CHANNEL: &str = "keyrack_changes";

/// News of the database, for consoles that show it live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LiveEvent {
    /// Something changed, here or on another machine. What was read before may be out of date.
    Changed,
    /// The database can't be reached; the reason in words.
    Lost(String),
    /// The database answers again. Everything must be read anew.
    Back,
}

/// A stream of [`LiveEvent`]s. Dropping it stops the watching.
pub struct LiveEvents {
    events: Receiver<LiveEvent>,
}

impl LiveEvents {
    /// The next event; `None` when the watching has stopped.
    pub async fn next(&mut self) -> Option<LiveEvent> {
        self.events.recv().await
    }
}

impl Store {
    /// Starts watching. The task ends when the receiver is dropped. With each look at PostgreSQL, `skew` learns by how many
    /// microseconds its clock is ahead of `clock`.
    pub fn watch(&self, clock: Clock, skew: Arc<AtomicI64>) -> LiveEvents {
        let (sender, events) = mpsc::channel(4);
        match (&self.pools, &self.location) {
            (Pools::Sqlite { readers, .. }, super::Location::Sqlite(path)) => {
                tokio::spawn(watch_sqlite(readers.clone(), path.clone(), sender));
            }
            (Pools::Postgres(pool), _) => {
                tokio::spawn(watch_postgres(pool.clone(), clock, skew, sender));
            }
            (Pools::Sqlite { .. }, super::Location::Postgres(_)) => {}
        }
        LiveEvents { events }
    }
}

/// Turns the answers of a poll into events.
struct News<T> {
    sender: Sender<LiveEvent>,
    last: Option<T>,
    lost: bool,
}

impl<T: PartialEq> News<T> {
    fn new(sender: Sender<LiveEvent>) -> Self {
        Self { sender, last: None, lost: false }
    }

    /// Tells of a change. If one is waiting to be read already, that one will do.
    fn changed(&self) {
        let _ = self.sender.try_send(LiveEvent::Changed);
    }

    /// False when nobody listens any more.
    async fn polled(&mut self, answer: Result<T>) -> bool {
        match answer {
            Ok(version) => {
                let changed = self.last.as_ref().is_some_and(|last| *last != version);
                self.last = Some(version);
                if std::mem::take(&mut self.lost) {
                    return self.sender.send(LiveEvent::Back).await.is_ok();
                }
                if changed {
                    self.changed();
                }
            }
            Err(error) if !self.lost => {
                self.lost = true;
                return self.sender.send(LiveEvent::Lost(error.to_string())).await.is_ok();
            }
            Err(_) => {}
        }
        !self.sender.is_closed()
    }
}

/// What a look at a SQLite file found. A gate writes several times a second that it is alive, and what its keys were used
/// for: that is no news.
#[derive(Default)]
struct Seen {
    version: i64,
    audit: i64,
    alerts: i64,
    gates: i64,
    /// How often something else was written.
    strange: i64,
}

const SEEN: &str = "SELECT (SELECT seq FROM audit_head), (SELECT coalesce(max(id), 0) FROM alerts), \
     (SELECT coalesce(sum(beat_at + flushed), 0) FROM gates)";

async fn watch_sqlite(pool: SqlitePool, path: PathBuf, sender: Sender<LiveEvent>) {
    let mut news = News::new(sender);
    let mut tick = interval(SQLITE_POLL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // One connection, kept: data_version counts what others than this connection wrote.
    let mut conn = None;
    let mut seen = Seen::default();
    loop {
        tick.tick().await;
        let version = async {
            file_is_there(&path)?;
            if conn.is_none() {
                conn = Some(pool.acquire().await?);
            }
            let Some(conn) = conn.as_mut() else { return Err(Error::Unreachable("no connection".into())) };
            let version = sqlx::query_scalar::<_, i64>("PRAGMA data_version").fetch_one(&mut **conn).await?;
            if version != seen.version {
                let (audit, alerts, gates) = sqlx::query_as(SEEN).fetch_one(&mut **conn).await?;
                // Where no gate wrote and nothing was recorded, somebody wrote past Keyrack.
                let strange = (audit, alerts, gates) == (seen.audit, seen.alerts, seen.gates);
                seen = Seen { version, audit, alerts, gates, strange: seen.strange + i64::from(strange) };
            }
            Ok((seen.audit, seen.alerts, seen.strange))
        }
        .await;
        if version.is_err() {
            conn = None;
        }
        if !news.polled(version).await {
            return;
        }
    }
}

fn file_is_there(path: &Path) -> Result<()> {
    std::fs::metadata(path).map(drop).map_err(|e| Error::Unreachable(format!("{}: {e}", path.display())))
}

async fn watch_postgres(pool: PgPool, clock: Clock, skew: Arc<AtomicI64>, sender: Sender<LiveEvent>) {
    let mut news = News::new(sender);
    let mut tick = interval(POSTGRES_POLL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut listener: Option<PgListener> = None;
    loop {
        tokio::select! {
            _ = tick.tick() => {
                let look = sqlx::query_as::<_, (i64, Time)>("SELECT seq, clock_timestamp() FROM audit_head");
                let answer = match timeout(ANSWER, look.fetch_one(&pool)).await {
                    Ok(Ok((seq, Time(now)))) => {
                        skew.store((now - clock.now()).num_microseconds().unwrap_or(0), Ordering::Relaxed);
                        Ok(seq)
                    }
                    Ok(Err(error)) => Err(error.into()),
                    Err(_) => Err(Error::Unreachable("no answer in time".into())),
                };
                if answer.is_err() {
                    listener = None;
                } else if listener.is_none() {
                    listener = listen(&pool).await;
                }
                if !news.polled(answer).await {
                    return;
                }
            }
            heard = hear(&mut listener) => {
                // A listener that lost its connection is made anew with the next poll, which reads what was missed.
                if heard { news.changed() } else { listener = None }
            }
        }
    }
}

pub(super) async fn listen(pool: &PgPool) -> Option<PgListener> {
    let mut listener = timeout(ANSWER, PgListener::connect_with(pool)).await.ok()?.ok()?;
    timeout(ANSWER, listener.listen(CHANNEL)).await.ok()?.ok()?;
    Some(listener)
}

/// Waits for a notification; false when the connection broke. Without a listener it waits for ever.
pub(super) async fn hear(listener: &mut Option<PgListener>) -> bool {
    match listener {
        Some(listener) => matches!(listener.try_recv().await, Ok(Some(_))),
        None => std::future::pending().await,
    }
}
