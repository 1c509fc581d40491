//! What enforces keys: a gate's handle on the database, always current and quick.
//!
//! A gate remembers the keys that it read, and trusts none of it by itself: each request that may pass asks, at its end,
//! for a [proof](Gate::confirm) that what it rests on is current. One task reads the audit's number for all requests that
//! wait at a time; the number tells whether anything changed (see [`crate::store::Pulse`]). On SQLite a request sees by
//! itself whether the database changed since the last such reading, and waits for one only then (see
//! [`crate::store::WalIndex`]). Without an answer of the database nothing passes.
//!
//! With a lease (see [`crate::domain::freshness`]) the proof is a reading that began no longer ago than that. Who changes
//! something waits for each gate that has one until it has confirmed, or its lease has run out (see `service::leases`). It
//! stands in the gate's row before the first request rests on it.
//!
//! What somebody changes past Keyrack, with SQL written by hand, leaves no row in the audit. A gate sees that after
//! [`known::STALE`] at the latest, or, where more than ten thousand keys are in use, after a millisecond for each of them.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex as AsyncMutex, Notify, watch as channel};
use tokio::task::JoinSet;

use super::error::Result;
use super::ids::new_operation;
use crate::clock::Clock;
use crate::domain::Instant;
use crate::domain::secret::{HashedKey, Lack};
use crate::domain::steady::{CURE, Trouble};
use crate::domain::usage::RaisedAlert;
use crate::store::{self, Access, Head, Location, NewGate, SavedWindow, Store};

mod cache;
mod inner;
mod known;
mod leaks;
mod proof;
mod prover;
mod reading;
mod recalling;
mod registrar;
mod settings;
mod uses;
mod watch;
mod watchman;
mod writing;

use cache::Cache;
pub use inner::Guard;
use inner::Inner;
pub use known::{Known, Policies, Settled};
use proof::Proof;
pub use registrar::Neighbours;
pub(super) use registrar::{GONE, is_alive};
pub use settings::GateSettings;
pub use uses::Use;
use uses::Uses;
use watchman::Watchman;

/// The webhook is told of alerts no older than this.
const NEWS: chrono::Duration = chrono::Duration::days(1);
/// How long the end may take, and how long where the database gave no answer lately.
const LAST: Duration = Duration::from_secs(8);
const LAST_UNANSWERED: Duration = Duration::from_secs(1);

/// What [`Gate::confirm`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// Nothing that the request rests on had changed at `now`, which is later than the moment of asking. The key works at
    /// `now`, by the database's clock.
    Current { now: Instant },
    /// Something changed: the request must be judged anew.
    Changed,
}

/// A gate at work. Cheap to clone.
#[derive(Clone)]
pub struct Gate {
    inner: Arc<Inner>,
    /// The tasks hold `inner` too; with the last of these they stop.
    _handle: Arc<Handle>,
}

struct Handle(channel::Sender<bool>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.send_replace(true);
    }
}

impl Gate {
    /// Opens the database and begins to work. It must be there, its schema up to date. A gate
    /// needs no operator's role; on PostgreSQL its login needs `keyrack_gate` and no more.
    pub async fn open(location: &Location, clock: Clock, settings: GateSettings) -> Result<Self> {
        Self::begin(Store::open_with(location, Access::Current).await?, clock, settings).await
    }

    /// Begins to work on an open database.
    pub async fn begin(store: Store, clock: Clock, settings: GateSettings) -> Result<Self> {
        let row = NewGate {
            id: new_operation(),
            name: settings.name.clone(),
            host: whoami::hostname().unwrap_or_else(|_| "unknown".into()),
            listen: settings.listen.clone(),
            lease_ms: i64::try_from(settings.lease.as_millis()).unwrap_or(i64::MAX),
            freshness: settings.freshness,
        };
        if let Some(weakness) = store.weakness() {
            tracing::warn!("{weakness}");
        }
        match store.clock_trouble(&clock) {
            Some((Trouble::Ahead, words)) => return Err(store::Error::Clock(words).into()),
            Some((Trouble::Behind, words)) => tracing::error!("{words}. {CURE}"),
            None => {}
        }
        let mut pulse = store.pulse().await?;
        let Head { mark, now, .. } = pulse.head(&clock, row.id).await?;
        let applied = prover::Applied::of(&mut pulse, mark).await?;
        let seq = applied.mark.seq;
        store.register_gate(&row, seq, &clock).await?;
        let inner = Arc::new(Inner {
            cache: Cache::new(settings.cache),
            proof: Proof::new(now, settings.uptime.clone(), settings.freshness.lease()),
            heard: AtomicU64::new(0),
            uses: Uses::default(),
            watchman: Watchman::new(settings.tolerance),
            applied: channel::Sender::new(seq),
            floor: AtomicI64::new(seq),
            history: AtomicU64::new(0),
            imports: AtomicU64::new(0),
            lacks: parking_lot::RwLock::default(),
            gone: AtomicBool::new(false),
            policies: parking_lot::RwLock::default(),
            loading: AsyncMutex::default(),
            grown: Notify::new(),
            stop: channel::Sender::new(false),
            tasks: AsyncMutex::default(),
            broken: channel::Sender::new(None),
            store,
            clock,
            settings,
            row,
        });
        inner.look_for_peppers().await?;
        let mut tasks = JoinSet::new();
        let own = |what| (Guard::new(&inner, what, inner.stop.subscribe()), Arc::clone(&inner));
        tasks.spawn(guarded(own("the prover"), |inner| prover::run(inner, pulse, applied)));
        tasks.spawn(guarded(own("the listener to the database"), prover::listen));
        tasks.spawn(guarded(own("the registrar"), registrar::run));
        tasks.spawn(guarded(own("the writer"), writing::run));
        tasks.spawn(guarded(own("the watchman"), watch::run));
        if inner.settings.memory.is_some() {
            tasks.spawn(guarded(own("the memory"), recalling::run));
        }
        *inner.tasks.lock().await = tasks;
        let handle = Arc::new(Handle(inner.stop.clone()));
        Ok(Self { inner, _handle: handle })
    }

    /// The key of this secret with its account and its policy; `None` if there is no such key, which is never remembered.
    ///
    /// What is answered may be a moment old. Before a request passes on the strength of it, [`Gate::confirm`] must say
    /// that it was current.
    ///
    /// # Errors
    /// The database gave no answer within the lease: nothing may pass.
    pub async fn known(&self, hash: HashedKey) -> Result<Option<Arc<Known>>> {
        match self.remembered(hash) {
            Some(known) => Ok(Some(known)),
            None => self.read(hash).await,
        }
    }

    /// The first of these hashes that a key has.
    ///
    /// # Errors
    /// The database gave no answer within the lease.
    pub async fn which(&self, hashes: &[HashedKey]) -> Result<Option<HashedKey>> {
        let read = async { Ok(self.inner.store.which(hashes).await?) };
        Box::pin(self.inner.within_lease(read)).await
    }

    /// What tells that of these hashes those before a key's own are no keys': as long as none is imported. A secret that is
    /// made is like no other.
    pub fn settled(&self, hashes: &[HashedKey]) -> Settled {
        Settled::new(self.inner.imports.load(Ordering::SeqCst), hashes)
    }

    /// A pepper that living keys need and this gate lacks, if there is one.
    pub fn lack(&self) -> Option<Lack> {
        self.inner.lacks.read().first().copied()
    }

    /// What is remembered of the key of this secret, if anything is.
    pub fn remembered(&self, hash: HashedKey) -> Option<Arc<Known>> {
        self.inner.cache.get(hash, self.inner.proof.micros())
    }

    /// The same as [`Gate::known`], read now. What the key is then still lies where it was remembered if nothing changed.
    ///
    /// # Errors
    /// The database gave no answer within the lease.
    pub async fn read(&self, hash: HashedKey) -> Result<Option<Arc<Known>>> {
        // In a box: a request whose key is remembered shall not carry the room for reading it about.
        Box::pin(self.inner.within_lease(self.inner.read(hash))).await
    }

    /// All policies, arranged by prefix.
    ///
    /// # Errors
    /// The database gave no answer within the lease: nothing may pass.
    pub async fn policies(&self) -> Result<Arc<Policies>> {
        if let Some(policies) = self.inner.policies() {
            return Ok(policies);
        }
        Box::pin(self.inner.within_lease(self.inner.read_policies())).await
    }

    pub(super) fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Whether what a request rests on is current, by what the database showed at a moment after this was called.
    ///
    /// `policies` are those that its headers were read with. To be asked last, just before the answer is let go; a
    /// request that was held up after that must ask again.
    ///
    /// # Errors
    /// The database gave no answer within the lease: the request may not pass.
    pub async fn confirm(&self, known: &Known, policies: &Policies) -> Result<Confirmed> {
        let confirmed = self.confirm_policies(policies).await?;
        Ok(match confirmed {
            Confirmed::Current { now } if known.is_live() && known.ends_at.is_none_or(|end| end > now) => {
                confirmed
            }
            _ => Confirmed::Changed,
        })
    }

    /// The same of a request that no key came with.
    ///
    /// # Errors
    /// As [`Self::confirm`].
    pub async fn confirm_policies(&self, policies: &Policies) -> Result<Confirmed> {
        let Some(now) = self.inner.proven().await else { return Err(self.inner.no_answer()) };
        Ok(if policies.is_live() { Confirmed::Current { now } } else { Confirmed::Changed })
    }

    /// What of this gate ended before its time, so that it can't work any more.
    pub fn broken(&self) -> Option<&'static str> {
        *self.inner.broken.borrow()
    }

    /// Waits until something of it does.
    pub async fn breaks(&self) {
        let mut broken = self.inner.broken.subscribe();
        // An error would mean that the sender is gone, which it can't be while this is borrowed.
        let _ = broken.wait_for(Option::is_some).await;
    }

    /// For a task without which this gate is none, until `stop` says that it may end.
    pub fn guard(&self, what: &'static str, stop: channel::Receiver<bool>) -> Guard {
        Guard::new(&self.inner, what, stop)
    }

    /// Whether the database gave no answer when it was last asked.
    pub fn is_failing(&self) -> bool {
        self.inner.proof.is_failing()
    }

    /// Whether something is gone that was seen of the database, and nobody has decided about it yet.
    pub fn went_back(&self) -> bool {
        self.inner.gone.load(Ordering::Relaxed)
    }

    /// The present by the database's clock: on PostgreSQL as the last answer and the time since then tell it, on SQLite the
    /// clock of this host. Steps back where that clock is set back.
    pub fn now(&self) -> Instant {
        self.inner.now()
    }

    /// Whether the database has answered within the lease.
    pub fn in_touch(&self) -> bool {
        self.inner.proof.age() <= self.inner.settings.lease
    }

    /// Whether it can answer requests, if the database says nothing new.
    pub fn is_ready(&self) -> bool {
        self.in_touch() || self.inner.proof.holds() == Some(true)
    }

    /// How long ago the database was asked last that gave an answer.
    pub fn proof_age(&self) -> Duration {
        self.inner.proof.age()
    }

    /// Keeps these windows over a restart, each in the place of what was kept of it before; see [`Store::save_windows`].
    pub async fn save_windows(&self, windows: &[SavedWindow], needed: &str) -> Result<()> {
        Ok(self.inner.store.save_windows(&self.inner.settings.name, windows, needed).await?)
    }

    /// The windows that a gate of this name kept and that are not empty by now.
    pub async fn load_windows(&self) -> Result<Vec<SavedWindow>> {
        Ok(self.inner.store.load_windows(&self.inner.settings.name, self.now()).await?)
    }

    /// The audit's number up to which changes have been applied. It moves after what they touch was forgotten: who holds
    /// an answer open asks [`Gate::known`] and [`Gate::confirm`] again each time.
    pub fn changes(&self) -> channel::Receiver<i64> {
        self.inner.applied.subscribe()
    }

    /// The gates on this database.
    pub async fn neighbours(&self) -> Result<Neighbours> {
        registrar::neighbours(&self.inner).await
    }

    /// Takes note of a request and its fate. Never waits.
    pub fn used(&self, used: Use<'_>) {
        self.inner.uses.note(used);
    }

    /// Takes note of an attempt without a key that works: from where, and which issuer's keys it looked like, by the slug.
    /// Never waits for the database.
    pub fn failed(&self, address: Option<IpAddr>, issuer: Option<&str>) {
        self.inner.watchman.failed(address, issuer, self.now());
    }

    /// Compares the keys that were busy lately with their own past, as happens every minute.
    pub async fn look_for_spikes(&self) -> Result<()> {
        watch::spikes(&self.inner).await
    }

    /// Waits until this gate has raised an alert.
    pub async fn raised(&self) {
        self.inner.watchman.raised.notified().await;
    }

    /// The oldest alerts that a gate of this name has raised within a day and that no webhook has taken yet.
    pub async fn untold_alerts(&self, limit: u32) -> Result<Vec<RaisedAlert>> {
        let since = self.inner.now() - NEWS;
        Ok(self.inner.store.untold_alerts(&self.inner.settings.name, since, limit).await?)
    }

    /// Takes note that a webhook has taken an alert.
    pub async fn told_alert(&self, id: i64) -> Result<()> {
        Ok(self.inner.store.told_alert(id, &self.inner.clock).await?)
    }

    /// How long what is left to write may take at the end: not long where the database gives no answer anyway.
    pub fn last_patience(&self) -> Duration {
        if self.in_touch() { LAST } else { LAST_UNANSWERED }
    }

    /// Writes what is left to write, and takes the gate's row away; waits for no database that gives no answer.
    pub async fn close(&self) {
        // Nobody waits for a gate that has signed off.
        self.inner.proof.end_lease();
        self.inner.stop.send_replace(true);
        let mut tasks = self.inner.tasks.lock().await;
        let last = async {
            while tasks.join_next().await.is_some() {}
            self.inner.store.remove_gate(self.inner.row.id).await
        };
        let why = match tokio::time::timeout(self.last_patience(), last).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("the database gives no answer".to_owned()),
        };
        if let Some(error) = why {
            tracing::warn!(error, "the gate could not sign off; it shows as out of touch");
        }
        tasks.abort_all();
        self.inner.store.close().await;
    }
}

/// One of a gate's tasks, under guard.
async fn guarded<F: Future<Output = ()>>(
    (guard, inner): (Guard, Arc<Inner>),
    task: impl FnOnce(Arc<Inner>) -> F,
) {
    task(inner).await;
    drop(guard);
}

#[cfg(test)]
mod tests;
