//! What a gate keeps of what keys were used for, to find what somebody should look at.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use ipnet::IpNet;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::domain::Instant;
use crate::domain::key::KeyId;
use crate::domain::usage::{Alert, Failures, SPIKE_MINUTES, Tolerance, What};
use crate::store::{Batch, Sighting};

/// A key with fewer requests in a minute than this is not looked at.
const BUSY: u64 = 20;
/// Keys that are looked at at once.
const LOOK: usize = 1_000;
/// Alerts that wait to be written; more are as good as none, for they are about the same flood.
const WAITING: usize = 1_000;
/// Networks and keys that are remembered, so that the database is not asked about them again.
const REMEMBERED: usize = 200_000;

#[derive(Default)]
pub(super) struct Watchman {
    failures: Mutex<Failures>,
    tolerance: Tolerance,
    waiting: Mutex<Vec<Alert>>,
    /// Where keys were used from, as far as this gate has told the database.
    networks: Mutex<HashSet<(KeyId, IpNet)>>,
    /// Keys that are busy enough to be looked at.
    busy: Mutex<HashSet<KeyId>>,
    /// In which minute a key's whole past was looked at.
    looked: Mutex<HashMap<KeyId, i64>>,
    /// Keys that were tried after their end and are to be looked at; and when those were that were looked at lately.
    late: Mutex<(HashSet<KeyId>, HashMap<KeyId, Instant>)>,
    /// Alerts wait to be written.
    pub(super) urgent: Notify,
    /// Alerts were written.
    pub(super) raised: Notify,
}

/// Lets go of alerts that are too many to wait for the database, and says so.
fn cut(waiting: &mut Vec<Alert>) {
    if let Some(lost) = waiting.len().checked_sub(WAITING).filter(|lost| *lost > 0) {
        tracing::warn!(lost, "alerts are left out: the database does not take what waits to be written");
        waiting.truncate(WAITING);
    }
}

impl Watchman {
    pub(super) fn new(tolerance: Tolerance) -> Self {
        Self { failures: Mutex::new(Failures::new(tolerance)), tolerance, ..Self::default() }
    }

    /// Counts an attempt without a key that works.
    pub(super) fn failed(&self, address: Option<IpAddr>, issuer: Option<&str>, at: Instant) {
        let runs = self.failures.lock().record(address, issuer, at.timestamp_micros());
        let seconds = self.tolerance.seconds;
        let alert = |(source, attempts)| Alert {
            at,
            what: What::FailedAuthentications { source, attempts, seconds },
        };
        self.raise(runs.into_iter().map(alert));
    }

    pub(super) fn raise(&self, alerts: impl IntoIterator<Item = Alert>) {
        let mut waiting = self.waiting.lock();
        let before = waiting.len();
        waiting.extend(alerts);
        cut(&mut waiting);
        if waiting.len() > before {
            self.urgent.notify_one();
        }
    }

    /// Of what was seen, what the database was not told yet.
    pub(super) fn unknown(&self, seen: Vec<Sighting>) -> Vec<Sighting> {
        let networks = self.networks.lock();
        seen.into_iter().filter(|one| !networks.contains(&(one.key, one.network))).collect()
    }

    pub(super) fn remember(&self, seen: &[Sighting]) {
        let mut networks = self.networks.lock();
        if networks.len() > REMEMBERED {
            networks.clear();
        }
        networks.extend(seen.iter().map(|one| (one.key, one.network)));
    }

    /// The alerts that wait to be written.
    pub(super) fn take_waiting(&self) -> Vec<Alert> {
        std::mem::take(&mut *self.waiting.lock())
    }

    /// Puts alerts back that could not be written, before those that came since.
    pub(super) fn put_back(&self, alerts: &[Alert]) {
        let mut waiting = self.waiting.lock();
        waiting.splice(0..0, alerts.iter().cloned());
        cut(&mut waiting);
    }

    /// Remembers the keys of a batch that are busy enough to be looked at.
    pub(super) fn note_busy(&self, batch: &Batch) {
        let mut busy = self.busy.lock();
        if busy.len() < REMEMBERED {
            let many = batch.counts.iter().filter(|(_, counts)| counts.total() >= BUSY);
            busy.extend(many.map(|((key, _), _)| *key));
        }
    }

    /// Remembers the keys of a batch that were tried after their end, unless they were looked at within the hour.
    pub(super) fn note_late(&self, batch: &Batch, now: Instant) {
        if batch.late.is_empty() {
            return;
        }
        let mut late = self.late.lock();
        let (due, looked) = &mut *late;
        looked.retain(|_, at| (now - *at).abs() < chrono::Duration::hours(1));
        for (key, _) in &batch.late {
            if looked.len() < REMEMBERED && !looked.contains_key(key) {
                looked.insert(*key, now);
                due.insert(*key);
            }
        }
    }

    /// Some of the keys that are to be looked at because they were tried after their end.
    pub(super) fn take_late(&self, most: usize) -> Vec<KeyId> {
        let due = &mut self.late.lock().0;
        let some: Vec<KeyId> = due.iter().take(most).copied().collect();
        due.retain(|key| !some.contains(key));
        some
    }

    /// Busy keys whose past was not looked at within the span of a spike, in the minute `this`.
    pub(super) fn take_busy(&self, this: i64) -> Vec<KeyId> {
        let mut looked = self.looked.lock();
        looked.retain(|_, at| this - *at < SPIKE_MINUTES);
        let mut busy = self.busy.lock();
        let due: Vec<KeyId> =
            busy.iter().filter(|key| !looked.contains_key(*key)).take(LOOK).copied().collect();
        busy.retain(|key| !due.contains(key) && !looked.contains_key(key));
        due
    }

    /// Takes note that a key's whole past is looked at in the minute `this`.
    pub(super) fn look_into(&self, key: KeyId, this: i64) {
        self.looked.lock().insert(key, this);
    }
}
