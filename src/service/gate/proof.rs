//! Waiting for proof: many requests wait for one reading of the database.
//!
//! Readings are counted. A request that asks while reading N is under way, or before it, may rest only on one that begins
//! later, N + 1: nobody knows at which moment of its course a reading saw the database.
//!
//! A SQLite database shows by its WAL index whether it changed since the last reading. While it did not, nobody needs to
//! wait for another one.
//!
//! With a lease nobody waits at all for as long as it lasts, from the beginning of the last reading that succeeded. It holds
//! only where that reading found the lease in the gate's row: whoever changes something waits for as long as is written there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use parking_lot::RwLock;
use tokio::sync::Notify;

use crate::clock::Uptime;
use crate::domain::{Instant, STEP_BACK};
use crate::store::{WalHead, WalIndex};

/// What a SQLite database looked like before a reading of it began.
pub(super) type Look = (Arc<WalIndex>, WalHead);

pub(super) struct Proof {
    uptime: Uptime,
    born: u64,
    /// For how many microseconds a gate answers from memory after a reading began; 0: not at all.
    lease: u64,
    /// When the reading began that gave a lease, and 1 more; 0: there is none.
    leased_from: AtomicU64,
    /// How many readings have begun, have ended in whatever way, and the last one that succeeded.
    begun: AtomicU64,
    ended: AtomicU64,
    proven: AtomicU64,
    /// Of the last one that succeeded: when it began, and when it had its answer, in microseconds since `born`.
    began_at: AtomicU64,
    answered_at: AtomicU64,
    /// What the database said the time was, in microseconds since the epoch.
    said: AtomicI64,
    /// Those who wait for an even reading, and for an odd one: so that one reading's end wakes nobody who waits for the next.
    waiting: [Notify; 2],
    /// Whether somebody asked since a reading last began.
    asked: AtomicBool,
    kick: Notify,
    /// Of the last reading, if it succeeded.
    state: RwLock<Option<Look>>,
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

impl Proof {
    /// Begins with the answer of a reading that has just been made.
    pub(super) fn new(now: Instant, uptime: Uptime, lease: Option<Duration>) -> Self {
        Self {
            born: uptime.micros(),
            uptime,
            lease: lease.map_or(0, micros),
            leased_from: AtomicU64::new(0),
            begun: AtomicU64::new(1),
            ended: AtomicU64::new(1),
            proven: AtomicU64::new(1),
            began_at: AtomicU64::new(0),
            answered_at: AtomicU64::new(0),
            said: AtomicI64::new(now.timestamp_micros()),
            waiting: [Notify::new(), Notify::new()],
            asked: AtomicBool::new(false),
            kick: Notify::new(),
            state: RwLock::default(),
        }
    }

    /// Microseconds since the gate began.
    pub(super) fn micros(&self) -> u64 {
        self.uptime.micros().saturating_sub(self.born)
    }

    /// Whether the database is what it was at the last reading, all of which was taken to heart before this says so. What
    /// PostgreSQL is nobody can know without asking it.
    pub(super) fn is_unmoved(&self) -> bool {
        self.shows(|_| true)
    }

    /// The same, if the database's files are also still the ones of their names.
    pub(super) fn is_unmoved_by_name(&self) -> bool {
        self.shows(|index| index.check_names().is_ok())
    }

    fn shows(&self, more: impl FnOnce(&WalIndex) -> bool) -> bool {
        let state = self.state.read();
        let unmoved = |(index, was): &Look| more(index) && index.head().is_ok_and(|is| is == *was);
        state.as_ref().is_some_and(unmoved)
    }

    /// Whether the lease holds at this moment; `None` for one that never does. To be asked behind everything else, so that it
    /// is no request's that was held up meanwhile.
    pub(super) fn holds(&self) -> Option<bool> {
        let from = self.leased_from.load(SeqCst);
        let is_within = || self.micros().saturating_sub(from - 1) <= self.lease;
        (self.lease > 0).then(|| from > 0 && is_within())
    }

    /// Ends the lease; the next reading may give another one.
    pub(super) fn end_lease(&self) {
        self.leased_from.store(0, SeqCst);
    }

    /// Whether the last reading failed.
    pub(super) fn is_failing(&self) -> bool {
        self.ended.load(SeqCst) != self.proven.load(SeqCst)
    }

    fn set_state(&self, state: Option<Look>) {
        *self.state.write() = state;
    }

    /// Waits for a reading that begins after this was called. `None` if it failed, or was too long ago when the caller
    /// came to hear of it, as happens to a process that was stopped for a while.
    pub(super) async fn ask(&self, lease: Duration) -> Option<Instant> {
        let need = self.begun.load(SeqCst) + 1;
        // It hears of every end from here on, even before it is waited for.
        let end = self.waiting[(need % 2) as usize].notified();
        self.kick();
        if self.ended.load(SeqCst) < need {
            end.await;
        }
        let proven = self.proven.load(SeqCst) >= need;
        let age = self.micros().saturating_sub(self.began_at.load(SeqCst));
        let said = self.said.load(SeqCst);
        (proven && age <= micros(lease)).then(|| Instant::from_timestamp_micros(said)).flatten()
    }

    /// Wants a reading.
    pub(super) fn kick(&self) {
        if !self.asked.swap(true, SeqCst) {
            self.kick.notify_one();
        }
    }

    /// Waits until a reading is wanted.
    pub(super) async fn wanted(&self) {
        self.kick.notified().await;
    }

    /// A reading begins.
    pub(super) fn begin(&self) -> u64 {
        self.asked.store(false, SeqCst);
        self.begun.fetch_add(1, SeqCst) + 1
    }

    /// The reading has its answer, and everything that it told of was forgotten. `began_at` in microseconds; `state` as it
    /// was before the reading began; `leased`: whether it found the lease in the gate's row.
    pub(super) fn succeed(
        &self,
        round: u64,
        began_at: u64,
        answered_at: u64,
        said: Instant,
        (state, leased): (Option<Look>, bool),
    ) {
        // A small step back stands still. After a larger one the clock was set right, or wrong: it is the database's.
        let (said, was) = (said.timestamp_micros(), self.said.load(SeqCst));
        self.said.store(if was.saturating_sub(said) <= STEP_BACK { said.max(was) } else { said }, SeqCst);
        self.answered_at.store(answered_at, SeqCst);
        self.began_at.store(began_at, SeqCst);
        self.set_state(state);
        self.leased_from.store(if leased { began_at + 1 } else { 0 }, SeqCst);
        self.proven.store(round, SeqCst);
        self.ended.store(round, SeqCst);
        self.waiting[(round % 2) as usize].notify_waiters();
    }

    /// The reading failed: nobody who waits may pass, nor those who wait for the next one, so that no one waits longer
    /// than one reading may take.
    pub(super) fn fail(&self, round: u64) {
        self.set_state(None);
        self.ended.store(round, SeqCst);
        self.waiting.iter().for_each(Notify::notify_waiters);
    }

    /// How long ago the last reading began that succeeded.
    pub(super) fn age(&self) -> Duration {
        Duration::from_micros(self.micros().saturating_sub(self.began_at.load(SeqCst)))
    }

    /// The database's time, by its last answer and the time since it was asked: not before it.
    pub(super) fn latest(&self) -> Instant {
        let since = self.micros().saturating_sub(self.began_at.load(SeqCst));
        let said = self.said.load(SeqCst).saturating_add_unsigned(since);
        Instant::from_timestamp_micros(said).unwrap_or_default()
    }

    /// The database's time, by its last answer and the time since then.
    pub(super) fn now(&self) -> Instant {
        let since = self.micros().saturating_sub(self.answered_at.load(SeqCst));
        let said = self.said.load(SeqCst).saturating_add_unsigned(since);
        Instant::from_timestamp_micros(said).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
