//! What the tasks of a gate share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use parking_lot::RwLock;
use tokio::sync::{Mutex as AsyncMutex, Notify, watch};
use tokio::task::JoinSet;

use super::cache::Cache;
use super::known::Policies;
use super::proof::Proof;
use super::settings::GateSettings;
use super::uses::Uses;
use super::watchman::Watchman;
use crate::clock::Clock;
use crate::domain::Instant;
use crate::domain::secret::Lack;
use crate::service::error::{Error, Result};
use crate::store::{self, Location, NewGate, Store};

/// After so many microseconds in which it could not write its row a gate has no lease. Others take the row away later.
const SILENT: u64 = 10 * 60 * 1_000_000;
/// Keys of a missing pepper that are counted.
const COUNTED: u32 = 10_000;

pub(super) struct Inner {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) settings: GateSettings,
    pub(super) row: NewGate,
    pub(super) cache: Cache,
    pub(super) proof: Proof,
    /// When the gate's row was written last, in the proof's microseconds.
    pub(super) heard: AtomicU64,
    pub(super) uses: Uses,
    pub(super) watchman: Watchman,
    /// The audit's number up to which every change has been applied; consoles and held streams look at it.
    pub(super) applied: watch::Sender<i64>,
    /// What [`Cache`] and policies must be at least as new as; moves before anything is dropped.
    pub(super) floor: AtomicI64,
    /// Counts how often the database turned out to have another history than it had.
    pub(super) history: AtomicU64,
    /// Whether something is gone that was seen of the database, and nobody has decided about it yet.
    pub(super) gone: AtomicBool,
    /// Counts what was imported: the only keys whose secrets others may have.
    pub(super) imports: AtomicU64,
    /// The peppers that living keys need and that are not at hand.
    pub(super) lacks: RwLock<Vec<Lack>>,
    pub(super) policies: RwLock<Option<Arc<Policies>>>,
    pub(super) loading: AsyncMutex<()>,
    /// Wakes the registrar.
    pub(super) grown: Notify,
    pub(super) stop: watch::Sender<bool>,
    pub(super) tasks: AsyncMutex<JoinSet<()>>,
    /// The first part of the gate that ended before its time.
    pub(super) broken: watch::Sender<Option<&'static str>>,
}

/// Held by a task without which a gate is none: where it ends before it is told to, however, the gate is broken.
pub struct Guard {
    inner: Arc<Inner>,
    what: &'static str,
    stop: watch::Receiver<bool>,
}

impl Guard {
    pub(super) fn new(inner: &Arc<Inner>, what: &'static str, stop: watch::Receiver<bool>) -> Self {
        Self { inner: Arc::clone(inner), what, stop }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if *self.stop.borrow() {
            return;
        }
        let first = self.inner.broken.send_if_modified(|broken| match broken {
            Some(_) => false,
            None => {
                *broken = Some(self.what);
                true
            }
        });
        if first {
            tracing::error!(
                what = self.what,
                "a part of the gate broke, without which it can't work: it ends"
            );
        }
    }
}

impl Inner {
    pub(super) async fn within_lease<T>(&self, reading: impl Future<Output = Result<T>>) -> Result<T> {
        match tokio::time::timeout(self.settings.lease, reading).await {
            Ok(done) => done,
            Err(_) => Err(self.no_answer()),
        }
    }

    pub(super) fn now(&self) -> Instant {
        match self.store.location() {
            Location::Sqlite(_) => self.store.time(&self.clock),
            Location::Postgres(_) => self.proof.now(),
        }
    }

    /// A moment from now on of which everything is known that the database had to tell then, or within the lease before; none
    /// without its answer.
    pub(super) async fn proven(&self) -> Option<Instant> {
        if self.proof.holds() == Some(true) {
            return Some(match self.store.location() {
                Location::Sqlite(_) => self.store.time(&self.clock),
                Location::Postgres(_) => self.proof.latest(),
            });
        }
        // The time is read first: nothing may seem to have happened later than it did.
        let now = self.now();
        if self.proof.is_unmoved() { Some(now) } else { self.proof.ask(self.settings.lease).await }
    }

    /// Takes note that the gate's row was written at this time of the proof's, or later.
    pub(super) fn was_heard(&self, at: u64) {
        self.heard.store(at, Ordering::SeqCst);
    }

    /// Whether that is so short ago that nobody has taken the row for a broken gate's.
    pub(super) fn is_heard_of(&self, at: u64) -> bool {
        at.saturating_sub(self.heard.load(Ordering::SeqCst)) <= SILENT
    }

    /// What a database that gives no answer leads to, in words.
    pub(super) fn without_answer(&self) -> String {
        match self.settings.freshness.lease().filter(|_| self.proof.holds() == Some(true)) {
            Some(lease) => {
                format!(
                    "no proof from the database: what is remembered passes until {} ms after the last one; then",
                    lease.as_millis()
                )
            }
            None => "no proof from the database:".to_owned(),
        }
    }

    /// Looks which peppers are missing, and says so in the log whenever that changes.
    pub(super) async fn look_for_peppers(&self) -> Result<()> {
        let used = self.store.peppered(self.now(), COUNTED).await?;
        let lacks = self.settings.peppers.lacks(&used);
        let known = std::mem::replace(&mut *self.lacks.write(), lacks.clone());
        let same = |one: &Lack, other: &Lack| (one.version, one.differs) == (other.version, other.differs);
        for lack in lacks.iter().filter(|lack| !known.iter().any(|known| same(known, lack))) {
            let keys = lack.keys;
            tracing::error!(keys, "{lack}: keys that were hashed with it are refused until its file is back");
        }
        if lacks.is_empty() && !known.is_empty() {
            tracing::info!("no pepper is missing any more");
        }
        Ok(())
    }

    pub(super) fn no_answer(&self) -> Error {
        let ms = self.settings.lease.as_millis();
        store::Error::Unreachable(format!("it gave no answer for {ms} ms")).into()
    }

    /// Waits until the gate is to stop.
    pub(super) async fn stopped(&self) {
        let mut stop = self.stop.subscribe();
        // An error would mean that the sender is gone, which it can't be while this is borrowed.
        let _ = stop.wait_for(|stop| *stop).await;
    }

    pub(super) fn floor(&self) -> i64 {
        self.floor.load(Ordering::SeqCst)
    }
}
