//! What this machine remembers of a database: how far its audit had come, and which revocations it held. It is kept
//! outside of the database, so that it tells when the database went back.
//!
//! It is asked when the database is opened and whenever the audit has grown, and costs a statement or two then. What it
//! remembers is written at once when this process revoked something, and otherwise every few seconds at most.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;
use tokio::time::Instant as Moment;

use super::undone::UndoneList;
use super::{Error, Intent, Location, Result, Service};
use crate::domain::Instant;
use crate::domain::history::{Gap, Head, History, Remembered, Undone};
use crate::domain::text::hex;
use crate::store::{self, Past, Store};

pub(super) mod file;
#[cfg(test)]
mod tests;

use file::{Contents, Folder, Header, Place};

/// How often it is written that the audit has grown.
const PACE: Duration = Duration::from_secs(3);
/// How long a person waits for it at most.
const PATIENCE: Duration = Duration::from_secs(1);
/// At the first meeting, and after a restore, as many rows of the audit are looked through for revocations.
const ROWS: i64 = 50_000;
/// Somebody else wrote meanwhile: how often it is looked again.
const TRIES: usize = 3;

/// The memory of one database.
#[derive(Debug)]
pub(super) struct Memory {
    folder: Folder,
    /// How the database is called here, without a password.
    address: String,
    /// Whether the login may read all of the audit, as a gate's may not.
    whole: bool,
    /// When it was written last, and whether the audit has grown since then.
    written: Mutex<Option<Moment>>,
    grown: AtomicBool,
    /// Whether somebody waits to write it.
    waiting: AtomicBool,
    /// That lines of it can't be read; looked at once, for there may be many.
    unread: OnceCell<Option<String>>,
}

/// Whether what was found is written at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    AtOnce,
    /// Every few seconds.
    Seldom,
    /// Not at all: a dry run leaves no file.
    Never,
}

/// Which database this is, whatever it is called: no other one has the same first row.
pub(super) fn identity(past: &Past) -> String {
    let (at, action, subject) = &past.first;
    let first = format!("{} {action} {subject}", at.timestamp_micros());
    hex(&Sha256::digest(first)[..16])
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Error::Refused(format!("the memory's files can't be read: {error}")))
}

impl Memory {
    pub(super) fn new(folder: PathBuf, location: &Location, whole: bool) -> Self {
        let address = match location {
            Location::Sqlite(path) => {
                let path = path.canonicalize().or_else(|_| std::path::absolute(path));
                path.map_or_else(|_| location.to_string(), |path| path.display().to_string())
            }
            Location::Postgres(_) => location.to_string(),
        };
        Self {
            folder: Folder::new(folder),
            address,
            whole,
            written: Mutex::default(),
            grown: AtomicBool::default(),
            waiting: AtomicBool::default(),
            unread: OnceCell::new(),
        }
    }

    /// Looks at the database, compares it with what is remembered, and remembers it.
    pub(super) async fn look(&self, store: &Store, now: Instant, pace: Pace) -> Result<History> {
        for _ in 0..TRIES {
            // What is remembered is read first: from then on a sound database can only have grown.
            let folder = self.folder.clone();
            let (headers, fault) = blocking(move || folder.headers()).await?;
            let Some(past) = store.past().await? else { return Ok(History::default()) };
            let met = Box::pin(self.meet(store, &headers, &past, now)).await?;
            let (mut history, news) = met;
            history.fault = fault;
            if let Some(news) = news.filter(|_| pace != Pace::Never) {
                self.grown.store(true, Ordering::Relaxed);
                let revoked = store.revocations(news.after, past.head.seq).await?;
                let can_wait = news.can_wait && revoked.is_empty();
                if pace != Pace::Seldom || !can_wait || self.is_due() {
                    let folder = self.folder.clone();
                    let News { database, before, next, .. } = news;
                    let kept =
                        blocking(move || folder.keep(&database, before.as_ref(), next, &revoked)).await?;
                    *self.written.lock() = Some(Moment::now());
                    match kept {
                        Ok(true) => self.grown.store(false, Ordering::Relaxed),
                        Ok(false) => continue,
                        Err(why) => history.fault = Some(history.fault.unwrap_or(why)),
                    }
                }
            }
            return Ok(history);
        }
        Err(Error::Refused("others keep writing the memory file".into()))
    }

    fn is_due(&self) -> bool {
        self.written.lock().is_none_or(|written| written.elapsed() >= PACE)
    }

    /// Compares the database with what is remembered of it. Answers also what there is to remember now.
    async fn meet(
        &self,
        store: &Store,
        headers: &[Header],
        past: &Past,
        now: Instant,
    ) -> Result<(History, Option<News>)> {
        let database = identity(past);
        let known = headers.iter().find(|header| header.database == database);
        let own = known.and_then(|header| header.place(&self.address));
        let here = |header: &'_ Header| Some((header.place(&self.address)?.seen_at, header.database.clone()));
        let last = headers.iter().filter_map(here).max();
        let mut history = History { here: past.head.seq, ..History::default() };
        history.other = last.filter(|(_, last)| *last != database).map(|(at, _)| at);
        // Under an address that is new, what was seen elsewhere of this database is the measure.
        let elsewhere = || known?.places.iter().max_by_key(|place| place.head.seq);
        let measure = own.or_else(elsewhere);
        let begun = || Place {
            address: self.address.clone(),
            head: past.head.clone(),
            seen_at: now,
            gaps: Vec::new(),
        };
        let mut next = own.cloned().unwrap_or_else(begun);
        let mut after = past.head.seq - ROWS;
        if let Some(measure) = measure {
            let mut rows = vec![past.head.clone()];
            let gaps = next.gaps.iter().map(|gap| &gap.seen);
            let asked = gaps.chain([&measure.head]).map(|head| head.seq).filter(|seq| *seq < past.head.seq);
            rows.extend(store.heads(&asked.collect::<Vec<_>>(), self.whole).await?);
            let is_there = |head: &Head| rows.iter().any(|row| row.is(head));
            next.gaps.retain(|gap| !is_there(&gap.seen));
            if is_there(&measure.head) {
                after = measure.head.seq;
                if next.head != past.head {
                    (next.head, next.seen_at) = (past.head.clone(), now);
                }
            } else if past.follows && measure.head.seq > past.head.seq {
                history.behind = Some(measure.head.seq);
                next.head = measure.head.clone();
            } else {
                let gap = Gap { seen: measure.head.clone(), seen_at: measure.seen_at, found: past.head.seq };
                if !next.gaps.iter().any(|known| known.seen.is(&gap.seen)) {
                    next.gaps.push(gap);
                }
                (next.head, next.seen_at) = (past.head.clone(), now);
            }
        }
        if let Some(oldest) = next.gaps.iter().map(|gap| gap.seen.at).min() {
            let undone = self.undone(store, &database).await?;
            history.undone = undone.iter().filter(|undone| undone.key.is_some()).count();
            history.unknown = undone.len() - history.undone;
            let settles = store.accepted(oldest, self.whole).await?;
            let settled = |gap: &Gap| {
                settles.iter().any(|one| gap.is_covered_by(one) && (one.leaves || history.undone == 0))
            };
            next.gaps.retain(|gap| !settled(gap));
        }
        if history.other.is_some() {
            next.seen_at = now;
        }
        history.gaps.clone_from(&next.gaps);
        history.kept = Some((next.head.seq, next.seen_at, self.folder.file(&database).display().to_string()));
        let same = own == Some(&next);
        let can_wait = own.is_some_and(|own| own.gaps == next.gaps) && history.other.is_none();
        let news = News { database, before: own.cloned(), next, after, can_wait };
        let news = (!same && history.behind.is_none()).then_some(news);
        Ok((history, news))
    }

    /// The revocations that are remembered of a database and not in it, newest first.
    async fn undone(&self, store: &Store, database: &str) -> Result<Vec<Undone>> {
        let path = self.folder.file(database);
        let read = blocking(move || file::read(&path, file::Whose::Own)).await?;
        // Nothing to read is nothing undone; why it can't be read is told with the rest.
        let remembered = read.map(|file| file.remembered).unwrap_or_default();
        undone(store, remembered).await
    }
}

/// What there is to remember.
struct News {
    database: String,
    before: Option<Place>,
    next: Place,
    /// Revocations after this number of the audit are new.
    after: i64,
    /// Whether it is no more than that the audit has grown.
    can_wait: bool,
}

/// Those of the revocations that the database doesn't hold.
async fn undone(store: &Store, remembered: Vec<Remembered>) -> Result<Vec<Undone>> {
    let mut ids: Vec<_> = remembered.iter().map(|one| one.key).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut keys: HashMap<_, _> = store.keys(&ids).await?.into_iter().map(|key| (key.id, key)).collect();
    // The newest comes first: whatever is said of the key again is older.
    let mut met = std::collections::HashSet::new();
    let undone = remembered.into_iter().filter(|was| met.insert(was.key));
    let undone = undone.map(|was| Undone { key: keys.remove(&was.key), was });
    Ok(undone.filter(|one| one.key.as_ref().is_none_or(|key| key.revoked_at.is_none())).collect())
}

impl Service {
    /// The same service with a memory in this folder.
    #[must_use]
    pub fn with_memory(self, folder: PathBuf) -> Self {
        let memory = Memory::new(folder, self.inner.store.location(), true);
        Self { memory: Some(Arc::new(memory)), ..self }
    }

    /// Compares the database with what this machine remembers of it, and remembers how far it has come. Without a memory
    /// all is well.
    pub async fn history(&self) -> Result<History> {
        let Some(memory) = &self.memory else { return Ok(History::default()) };
        let pace = if self.intent == Intent::Do { Pace::Seldom } else { Pace::Never };
        // In a box, as below: whoever waits for it shall not carry the room for it about.
        let mut history = Box::pin(memory.look(&self.inner.store, self.present(), pace)).await?;
        if history.fault.is_none()
            && let Some((_, _, path)) = &history.kept
        {
            let path = PathBuf::from(path);
            // What is wrong with the file as a whole was said.
            let read = || blocking(move || file::read(&path, file::Whose::Own).ok()?.unread);
            history.fault.clone_from(memory.unread.get_or_try_init(read).await?);
        }
        if memory.grown.load(Ordering::Relaxed) && !memory.waiting.swap(true, Ordering::Relaxed) {
            let service = self.clone();
            tokio::spawn(async move {
                tokio::time::sleep(PACE).await;
                let _ = service.remember().await;
                if let Some(memory) = &service.memory {
                    memory.waiting.store(false, Ordering::Relaxed);
                }
            });
        }
        Ok(history)
    }

    /// The revocations that are remembered and that the database does not hold, newest first: what this machine remembers,
    /// and what stands in a memory's file from another one.
    pub(super) async fn undone_in(&self, from: Option<&Path>, gaps: Vec<Gap>) -> Result<UndoneList> {
        let store = &self.inner.store;
        let Some(past) = store.past().await? else { return Ok(UndoneList::default()) };
        let database = identity(&past);
        let mut files = Vec::new();
        if let Some(path) = from {
            files.push((path.to_path_buf(), file::Whose::Anybodys));
        }
        if let Some(memory) = &self.memory {
            let own = memory.folder.file(&database);
            files.extend((own.exists()).then_some((own, file::Whose::Own)));
        }
        // What a dry run notices is written nowhere.
        let mut seen: Vec<Head> = gaps.into_iter().map(|gap| gap.seen).collect();
        let (mut remembered, mut unread) = (Vec::new(), Vec::new());
        for (path, whose) in files {
            let shown = path.display().to_string();
            let read = blocking(move || file::read(&path, whose)).await?;
            let Contents { header, remembered: some, unread: why } = match read {
                // What is wrong with one's own is told by `doctor`.
                Err(_) if whose == file::Whose::Own => continue,
                read => read.map_err(Error::Refused)?,
            };
            if header.database != database {
                let words = format!("{shown} remembers another database than {}", self.location());
                return Err(Error::Refused(words));
            }
            remembered.extend(some);
            unread.extend(why);
            for place in header.places {
                // Another address of one's own may be that of a copy, which goes its own way.
                if whose == file::Whose::Anybodys {
                    seen.extend(place.gaps.into_iter().map(|gap| gap.seen).chain([place.head]));
                }
            }
        }
        seen.sort_by_key(|head| head.seq);
        let numbers: Vec<_> = seen.iter().map(|head| head.seq).collect();
        let there = store.heads(&numbers, true).await?;
        let gone = seen.into_iter().rev().find(|head| !there.iter().any(|row| row.is(head)));
        remembered.sort_by_key(|one: &Remembered| std::cmp::Reverse(one.at));
        Ok(UndoneList { undone: undone(store, remembered).await?, gone, unread })
    }

    /// Takes note that this process has changed something.
    pub(super) fn has_grown(&self) {
        if let Some(memory) = &self.memory {
            memory.grown.store(true, Ordering::Relaxed);
        }
    }

    /// Remembers how far the database has come, at once. A memory that fails stops nothing.
    ///
    /// # Errors
    /// Another file has come under the database's name: what was changed is neither in it nor remembered.
    pub(super) async fn remember(&self) -> Result<()> {
        let Some(memory) = &self.memory else { return Ok(()) };
        let look = Box::pin(memory.look(&self.inner.store, self.present(), Pace::AtOnce));
        match tokio::time::timeout(PATIENCE, look).await {
            Ok(Ok(history)) => {
                if let Some(why) = history.fault {
                    tracing::warn!(why, "the change is not remembered on this machine");
                }
            }
            Ok(Err(error @ Error::Store(store::Error::Replaced(_)))) => return Err(error),
            Ok(Err(error)) => tracing::warn!(%error, "the change is not remembered on this machine"),
            Err(_) => tracing::warn!("the change is not remembered on this machine: it took too long"),
        }
        Ok(())
    }

    /// The same at the end, if anything is new since it was last remembered.
    pub async fn remember_last(&self) {
        if self.memory.as_ref().is_some_and(|memory| memory.grown.load(Ordering::Relaxed)) {
            let _ = self.remember().await;
        }
    }
}
