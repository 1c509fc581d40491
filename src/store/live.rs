//! News of changes. Whoever listens reads again; the news itself says only what was touched.

use std::ops::BitOr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use sqlx::Sqlite;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgListener;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::{Instant as Moment, MissedTickBehavior, interval, sleep_until, timeout};

use super::dialect::{Time, scalar};
use super::location::Fit;
use super::wire::Links;
use super::{Conn, Error, Pools, Reader, Result, Store, postgres};
use crate::clock::Clock;
use crate::domain::audit::Action;
use crate::domain::subjects::Subjects;

pub(super) mod told;

use told::Told;

/// How often PostgreSQL is asked whether the audit grew. Notifications only make it quicker: a listening connection does
/// not notice when it is cut off (H10).
const POSTGRES_POLL: Duration = Duration::from_secs(2);
/// The same through a pooler that keeps no connection for who listens.
const POOLED_POLL: Duration = Duration::from_millis(700);
/// How often another host is looked for where the server is not as wanted.
const SEEK: Duration = Duration::from_secs(3);
/// However much is told of there, this is the least time between two looks.
const LEAST: Duration = Duration::from_millis(250);
/// What was told of already is heard within this.
const SAID: Duration = Duration::from_millis(1);
/// An answer that takes longer counts as none.
const ANSWER: Duration = Duration::from_secs(4);
/// The channel that the trigger on the audit notifies.
const CHANNEL: &str = "keyrack_changes";

/// News of the database, for consoles that show it live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LiveEvent {
    /// Something was changed, here or on another machine: what was read of these subjects may be out of date.
    Changed(Subjects),
    /// The database can't be reached; the reason in words.
    Lost(String),
    /// The database answers again. Everything must be read anew.
    Back,
    /// The name stands for another file, or for none; in words that say what to do. It is the last event: see
    /// [`Store::again`].
    Replaced(String),
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
            (Pools::Sqlite { .. }, _) => {
                tokio::spawn(watch_sqlite(self.clone(), sender));
            }
            (Pools::Postgres(pool), super::Location::Postgres(url)) => {
                tokio::spawn(watch_postgres(pool.clone(), url.clone(), clock, skew, sender));
            }
            _ => {}
        }
        LiveEvents { events }
    }

    /// How often a file that can't be written here was changed by others since it was opened; from now on the newest is
    /// read. 0 wherever SQLite or the server sees to that.
    pub(super) fn thaw(&self) -> u64 {
        match (&self.pools, &self.location) {
            (Pools::Sqlite { writer, readers, frozen: Some(frozen) }, super::Location::Sqlite(path)) => {
                super::sqlite::thaw(path, frozen, (writer, readers))
            }
            _ => 0,
        }
    }
}

/// Turns the answers of a poll into events.
struct News {
    sender: Sender<LiveEvent>,
    /// What was touched and not told yet.
    untold: Subjects,
    lost: bool,
}

impl News {
    fn new(sender: Sender<LiveEvent>) -> Self {
        Self { sender, untold: Subjects::NONE, lost: false }
    }

    /// Tells what a look found. False when nobody listens any more.
    async fn looked(&mut self, answer: Result<Subjects>) -> bool {
        match answer {
            Ok(touched) => {
                self.untold = self.untold | touched;
                if std::mem::take(&mut self.lost) {
                    self.untold = Subjects::NONE;
                    return self.sender.send(LiveEvent::Back).await.is_ok();
                }
                // While others wait to be read it is kept for the next look: nobody is behind by more than that.
                if self.untold != Subjects::NONE
                    && self.sender.try_send(LiveEvent::Changed(self.untold)).is_ok()
                {
                    self.untold = Subjects::NONE;
                }
            }
            Err(Error::Replaced(why)) => {
                let _ = self.sender.send(LiveEvent::Replaced(why)).await;
                return false;
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

/// How far the audit and the alerts had grown at a look.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Seen {
    audit: i64,
    alerts: i64,
}

/// More rows of the audit than this are not looked at one by one: all may have been touched.
const MANY: i64 = 1_000;

/// What was touched between two looks, by the rows that the audit has gained.
async fn touched(conn: Conn<'_>, from: Seen, to: Seen) -> Result<Subjects> {
    let alerts = if from.alerts == to.alerts { Subjects::NONE } else { Subjects::ALERTS };
    if from.audit == to.audit {
        return Ok(alerts);
    }
    if !(1..=MANY).contains(&(to.audit - from.audit)) {
        return Ok(Subjects::ALL);
    }
    let actions: Vec<String> = scalar!(
        fetch_all,
        conn,
        "SELECT DISTINCT action FROM audit WHERE seq > $1 AND seq <= $2",
        [from.audit, to.audit]
    );
    // A newer version may have written an action that this one does not know.
    let known = |word: &String| Action::ALL.iter().copied().find(|action| action.as_str() == word);
    let about = |word| known(word).map_or(Subjects::ALL, Subjects::of);
    Ok(actions.iter().map(about).fold(alerts, Subjects::bitor))
}

/// A gate writes several times a second that it is alive, and what its keys were used for, and a sender what endpoints took: that
/// is no news.
const SQLITE: &str = "SELECT (SELECT seq FROM audit_head), (SELECT coalesce(max(id), 0) FROM alerts), \
     (SELECT coalesce(sum(beat_at + flushed), 0) FROM gates) + (SELECT coalesce(sum(turns), 0) FROM endpoints)";
const POSTGRES: &str = "SELECT (SELECT seq FROM audit_head), (SELECT coalesce(max(id), 0) FROM alerts), \
     clock_timestamp(), pg_is_in_recovery(), current_setting('transaction_read_only') = 'on'";

/// What a look at a SQLite file found.
struct Look {
    /// Changes with everything that others than this connection write.
    version: i64,
    seen: Seen,
    beats: i64,
    /// How often the file was opened anew because others had written to it.
    thawed: u64,
}

async fn watch_sqlite(store: Store, sender: Sender<LiveEvent>) {
    let mut news = News::new(sender);
    let mut told = match &store.location {
        super::Location::Sqlite(path) => Told::of(path),
        super::Location::Postgres(_) => return,
    };
    // One connection, kept: data_version counts what others than this connection wrote.
    let mut conn = None;
    let mut last = None;
    loop {
        let answer = look_at_sqlite(&store, &mut conn, &mut last).await;
        if answer.is_err() {
            conn = None;
        }
        if !news.looked(answer).await {
            return;
        }
        // What could not be told yet, or not be read, is tried again soon.
        let soon = news.untold != Subjects::NONE || news.lost;
        tokio::select! {
            () = told.next(soon) => {}
            () = news.sender.closed() => return,
        }
    }
}

async fn look_at_sqlite(
    store: &Store,
    conn: &mut Option<PoolConnection<Sqlite>>,
    last: &mut Option<Look>,
) -> Result<Subjects> {
    store.check_file()?;
    let thawed = store.thaw();
    let before = last.take_if(|last| last.thawed != thawed);
    if before.is_some() {
        *conn = None;
    }
    if conn.is_none()
        && let Reader::Sqlite(reader) = store.reader().await?
    {
        *conn = Some(reader);
    }
    let Some(conn) = conn.as_mut() else { return Err(Error::Unreachable("no connection".into())) };
    let version = sqlx::query_scalar("PRAGMA data_version").fetch_one(&mut **conn).await?;
    if last.as_ref().is_some_and(|last| last.version == version) {
        return Ok(Subjects::NONE);
    }
    let (audit, alerts, beats) = sqlx::query_as(SQLITE).fetch_one(&mut **conn).await?;
    let seen = Seen { audit, alerts };
    let found = match last.as_ref() {
        None if before.is_some() => Subjects::ALL,
        None => Subjects::NONE,
        // Where no gate wrote and nothing was recorded, somebody wrote past Keyrack.
        Some(last) if last.seen == seen && last.beats == beats => Subjects::ALL,
        Some(last) => touched(Conn::Sqlite(conn), last.seen, seen).await?,
    };
    *last = Some(Look { version, seen, beats, thawed });
    Ok(found)
}

async fn watch_postgres(
    pool: Links,
    url: String,
    clock: Clock,
    skew: Arc<AtomicI64>,
    sender: Sender<LiveEvent>,
) {
    let mut news = News::new(sender);
    let mut tick = interval(if pool.is_shared() { POOLED_POLL } else { POSTGRES_POLL });
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut listener: Option<PgListener> = None;
    let (mut last, mut looked, mut sought) = (None, Moment::now(), None);
    loop {
        let heard = tokio::select! {
            _ = tick.tick() => false,
            heard = hear(&mut listener) => {
                if !heard {
                    // A listener that lost its connection is made anew with the next look, which finds what was missed.
                    listener = None;
                    continue;
                }
                // All that is told of meanwhile is found by one look.
                sleep_until(looked + LEAST).await;
                while let Ok(true) = timeout(SAID, hear(&mut listener)).await {}
                true
            }
        };
        looked = Moment::now();
        let look = look_at_postgres((&pool, &url), &clock, &skew, &mut last);
        let answer = timeout(ANSWER, look).await;
        let answer = answer.unwrap_or_else(|_| Err(Error::Unreachable("no answer in time".into())));
        let as_wanted = answer.as_ref().is_ok_and(|(_, as_wanted)| *as_wanted);
        let mut answer = answer.map(|(touched, _)| touched);
        if !as_wanted && sought.is_none_or(|sought: Moment| sought.elapsed() > SEEK) {
            sought = Some(Moment::now());
            // Another one of the hosts that the address names may do better by now.
            if postgres::choose_another(&pool, &url, answer.is_ok()).await && answer.is_ok() {
                answer = Err(Error::Unreachable("another server takes the changes now".into()));
            }
        }
        if answer.is_err() {
            listener = None;
        } else if listener.is_none() {
            listener = listen(&pool).await;
        }
        // What is told of and neither recorded nor new is an alert that was changed.
        if heard && answer.as_ref().is_ok_and(|touched| *touched == Subjects::NONE) {
            answer = Ok(Subjects::ALERTS);
        }
        if !news.looked(answer).await {
            return;
        }
    }
}

/// What was touched since the last look, and whether the server is as the address wants it.
async fn look_at_postgres(
    (pool, url): (&Links, &str),
    clock: &Clock,
    skew: &AtomicI64,
    last: &mut Option<Seen>,
) -> Result<(Subjects, bool)> {
    let mut conn = match pool.acquire().await {
        Ok(conn) => conn,
        Err(error) => return Err(postgres::explain(&pool.connect_options(), url, error).await),
    };
    let (audit, alerts, Time(now), standby, read_only) =
        sqlx::query_as(POSTGRES).fetch_one(&mut conn).await?;
    skew.store((now - clock.now()).num_microseconds().unwrap_or(0), Ordering::Relaxed);
    let seen = Seen { audit, alerts };
    let found = match *last {
        None => Subjects::NONE,
        Some(last) => touched(Conn::Postgres(conn.wire()), last, seen).await?,
    };
    *last = Some(seen);
    Ok((found, super::Location::wanted(url)?.judge(standby, read_only) == Fit::Best))
}

pub(super) async fn listen(pool: &Links) -> Option<PgListener> {
    if pool.is_shared() {
        return None;
    }
    let mut listener = timeout(ANSWER, PgListener::connect_with(pool.pool())).await.ok()?.ok()?;
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
