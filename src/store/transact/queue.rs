//! Who waits for a transaction, and the connections that are kept for the next ones.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

use super::{Intent, Opening, Tx};
use crate::clock::Clock;
use crate::store::{Pools, Reader, Result, Store};

/// After this time without a change the connection goes back to its pool.
const LINGER: Duration = Duration::from_millis(5);
/// It does so after this time at the latest, for others than changes may wait for it.
const KEPT: Duration = Duration::from_millis(50);
/// SQLite: so many pages of its log are worth bringing into the file.
const FOLDED: u32 = 500;
/// PostgreSQL: whoever waited so long for one of the others does without them: that one waits for a lock.
const WAIT: Duration = Duration::from_millis(80);

/// What became of a change within its transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Done,
    Refused,
    /// It met a fault that may pass.
    Faulty,
}

pub(super) type Work = Box<dyn for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, End> + Send + Sync>;

/// A change that waits to be carried out.
pub(super) struct Job {
    pub opening: Opening,
    pub clock: Clock,
    pub work: Work,
    tell: oneshot::Sender<Result<()>>,
    /// Whether it has a transaction of its own.
    pub alone: bool,
}

impl Job {
    pub fn new(opening: Opening, clock: Clock, work: Work, tell: oneshot::Sender<Result<()>>) -> Self {
        let alone = !opening.shares || opening.intent == Intent::Try;
        Self { opening, clock, work, tell, alone }
    }

    /// Tells how the transaction ended; nobody may be waiting any more.
    pub fn tell(self, end: Result<()>) {
        let _ = self.tell.send(end);
    }
}

/// The changes of one process: one of those who wish something carries out what all of them wish.
#[derive(Default)]
pub(in crate::store) struct Queue {
    waiting: Mutex<Waiting>,
    kept: Mutex<Kept>,
    /// PostgreSQL: whether the schema has what holds a role.
    holds: AtomicBool,
    /// PostgreSQL: how many transactions may be open at once beside the first.
    beside: AtomicUsize,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<(u64, Job)>,
    number: u64,
    /// How many serve.
    serving: usize,
    /// When the one that is carried out began.
    turn: Option<Instant>,
}

impl Waiting {
    fn take_first(&mut self) -> Option<Job> {
        self.turn = Some(Instant::now());
        self.jobs.pop_front().map(|(_, job)| job)
    }
}

#[derive(Default)]
struct Kept {
    /// With when each was taken from its pool, and when it was used last.
    links: Vec<(Reader, Instant, Instant)>,
    /// Whether somebody will give it back.
    watched: bool,
}

impl Queue {
    /// Puts a job at the end. Answers its number, and whether the caller has to serve.
    fn put(&self, job: Job) -> (u64, bool) {
        let mut waiting = self.waiting.lock();
        waiting.number += 1;
        let number = waiting.number;
        waiting.jobs.push_back((number, job));
        let serves = waiting.serving <= self.beside.load(Relaxed);
        waiting.serving += usize::from(serves);
        (number, serves)
    }

    /// Puts jobs to the front, each to be carried out by itself.
    pub(super) fn again(&self, jobs: Vec<Job>) {
        let mut waiting = self.waiting.lock();
        for job in jobs.into_iter().rev() {
            waiting.jobs.push_front((0, Job { alone: true, ..job }));
        }
    }

    fn first(&self) -> Option<Job> {
        self.waiting.lock().take_first()
    }

    /// The next one, if it may share a transaction with these. Two of one operation can't: the second finds out by the first
    /// one's rows whether it has anything to do.
    pub(super) fn next(&self, with: &[Job]) -> Option<Job> {
        let mut waiting = self.waiting.lock();
        let (_, next) = waiting.jobs.front()?;
        let fits = !next.alone && with.iter().all(|job| job.opening.operation != next.opening.operation);
        if fits { waiting.take_first() } else { None }
    }

    /// A job that waits behind one that does not come to an end.
    fn take_back(&self, number: u64) -> Option<Job> {
        let mut waiting = self.waiting.lock();
        waiting.turn.filter(|turn| turn.elapsed() >= WAIT)?;
        let place = waiting.jobs.iter().position(|(other, _)| *other == number)?;
        waiting.jobs.remove(place).map(|(_, job)| job)
    }

    pub(super) fn holds(&self) -> bool {
        self.holds.load(Relaxed)
    }

    pub(super) fn can_hold(&self, holds: bool) {
        self.holds.store(holds, Relaxed);
    }

    /// Changes of an audit with lanes commit side by side, as far as the pool's connections go: half of them.
    pub(super) fn widen(&self, lanes: u32, connections: u32) {
        let most = lanes.min(connections / 2) as usize;
        self.beside.store(most.saturating_sub(1), Relaxed);
    }

    /// Lets go of the kept connection.
    pub(in crate::store) fn release(&self) {
        self.kept.lock().links.clear();
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // A pool's connection goes back in a task.
        let links = std::mem::take(&mut self.kept.get_mut().links);
        if Handle::try_current().is_err() {
            std::mem::forget(links);
        }
    }
}

/// Whoever serves goes on as long as somebody waits, also after a panic.
struct Serving(Store);

impl Drop for Serving {
    fn drop(&mut self) {
        let mut waiting = self.0.queue.waiting.lock();
        match Handle::try_current() {
            Ok(handle) if !waiting.jobs.is_empty() => {
                let store = self.0.clone();
                handle.spawn(store.serve());
            }
            _ => waiting.serving -= 1,
        }
    }
}

impl Store {
    /// Has a job carried out.
    pub(super) async fn submit(&self, job: Job, mut told: oneshot::Receiver<Result<()>>) -> Result<()> {
        let ended = || super::Error::Other("the operation ended early".into());
        // The pool has a connection for each that is carried out by itself.
        let many = matches!(self.pools, Pools::Postgres(_));
        if many && job.alone {
            self.carry_out(job).await;
            return told.await.map_err(|_| ended())?;
        }
        let (number, serves) = self.queue.put(job);
        if serves {
            self.clone().serve().await;
        }
        if many {
            loop {
                match timeout(WAIT, &mut told).await {
                    Ok(told) => return told.map_err(|_| ended())?,
                    Err(_) => {
                        if let Some(job) = self.queue.take_back(number) {
                            self.carry_out(job).await;
                        }
                    }
                }
            }
        }
        told.await.map_err(|_| ended())?
    }

    async fn serve(self) {
        let serving = Serving(self);
        if let Some(job) = serving.0.queue.first() {
            serving.0.carry_out(job).await;
        }
    }

    /// A connection for writing, and when it was taken from the pool.
    pub(super) async fn link(&self) -> Result<(Reader, Instant)> {
        let kept = self.queue.kept.lock().links.pop();
        if let Some((link, since, _)) = kept {
            return Ok((link, since));
        }
        let link = match &self.pools {
            Pools::Sqlite { writer, .. } => Reader::Sqlite(writer.acquire().await?),
            Pools::Postgres(pool) => Reader::Postgres(match pool.acquire().await {
                Ok(link) => link,
                Err(error) => return Err(self.explain(pool, error).await),
            }),
        };
        Ok((link, Instant::now()))
    }

    /// Keeps a connection for the next change, because a pool asks it whether it is well before and after each.
    pub(super) fn keep(&self, link: Reader, since: Instant) {
        if since.elapsed() > KEPT || matches!(&self.pools, Pools::Sqlite { frozen: Some(_), .. }) {
            return;
        }
        let most = 1 + self.queue.beside.load(Relaxed);
        let mut kept = self.queue.kept.lock();
        kept.links.truncate(most - 1);
        kept.links.push((link, since, Instant::now()));
        if !std::mem::replace(&mut kept.watched, true) {
            tokio::spawn(self.clone().watch_kept());
        }
    }

    /// Gives the kept connections back once nobody uses them. Before that, what was written is brought from SQLite's log into
    /// the file: nobody waits for it, and commits need not do it.
    async fn watch_kept(self) {
        let mut links = loop {
            sleep(LINGER).await;
            let mut kept = self.queue.kept.lock();
            if kept.links.iter().all(|(_, _, used)| used.elapsed() >= LINGER) {
                kept.watched = false;
                break std::mem::take(&mut kept.links);
            }
        };
        let index = self.held.as_ref().and_then(|held| held.index());
        if let (Some((Reader::Sqlite(writer), ..)), Some(index)) = (links.first_mut(), index)
            && index.unfolded().is_ok_and(|pages| pages > FOLDED)
            && self.check_file().is_ok()
            && let Err(error) = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(&mut **writer).await
        {
            tracing::debug!(%error, "the log stays as it is for now");
        }
    }
}
