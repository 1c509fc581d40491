//! Looks at what keys are used for, and raises alerts: spikes, runs of failed attempts, new networks (VP-09).

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ipnet::IpNet;
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval};

use super::super::alerts::RaisedAlert;
use super::super::{Error, Result};
use super::Inner;
use crate::domain::Instant;
use crate::domain::key::KeyId;
use crate::domain::usage::{
    Alert, Failures, Minute, SPIKE_MINUTES, SPIKE_PAST_MINUTES, Tolerance, What, minute, spike,
};
use crate::store::{Batch, Sighting};

/// How often keys are looked at for spikes.
const LOOK: Duration = Duration::from_secs(60);
/// A key with fewer requests in a minute than this is not looked at.
const BUSY: u64 = 20;
/// Spikes need more requests than this within their span.
const LEAST: u64 = 100;
/// Keys whose whole past is read in one look.
const DEEP: usize = 100;
/// Alerts that wait to be written; more are as good as none, for they are about the same flood.
const WAITING: usize = 1_000;
/// Networks and keys that are remembered, so that the database is not asked about them again.
const REMEMBERED: usize = 200_000;
/// The webhook is told of alerts no older than this.
const NEWS: chrono::Duration = chrono::Duration::days(1);

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
    urgent: Notify,
    /// Alerts were written.
    raised: Notify,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watchman {
    pub(super) fn new(tolerance: Tolerance) -> Self {
        Self { failures: Mutex::new(Failures::new(tolerance)), tolerance, ..Self::default() }
    }

    /// Counts an attempt without a key that works.
    pub(super) fn failed(&self, address: Option<IpAddr>, issuer: Option<&str>, at: Instant) {
        let runs = lock(&self.failures).record(address, issuer, at.timestamp_micros());
        let seconds = self.tolerance.seconds;
        let alert = |(source, attempts)| Alert {
            at,
            what: What::FailedAuthentications { source, attempts, seconds },
        };
        self.raise(runs.into_iter().map(alert));
    }

    fn raise(&self, alerts: impl IntoIterator<Item = Alert>) {
        let mut waiting = lock(&self.waiting);
        let before = waiting.len();
        waiting.extend(alerts);
        waiting.truncate(WAITING);
        if waiting.len() > before {
            self.urgent.notify_one();
        }
    }

    /// Of what was seen, what the database was not told yet.
    fn unknown(&self, seen: Vec<Sighting>) -> Vec<Sighting> {
        let networks = lock(&self.networks);
        seen.into_iter().filter(|one| !networks.contains(&(one.key, one.network))).collect()
    }

    fn remember(&self, seen: &[Sighting]) {
        let mut networks = lock(&self.networks);
        if networks.len() > REMEMBERED {
            networks.clear();
        }
        networks.extend(seen.iter().map(|one| (one.key, one.network)));
    }
}

/// Looks at a batch that was written.
pub(super) async fn look_at(inner: &Inner, batch: &Batch, seen: Vec<Sighting>) {
    let watchman = &inner.watchman;
    {
        let mut busy = lock(&watchman.busy);
        if busy.len() < REMEMBERED {
            busy.extend(
                batch.counts.iter().filter(|(_, counts)| counts.total() >= BUSY).map(|((key, _), _)| *key),
            );
        }
    }
    let unknown = watchman.unknown(seen);
    if unknown.is_empty() {
        return;
    }
    match inner.store.learn_networks(&unknown, &inner.clock).await {
        Ok(news) => {
            watchman.remember(&unknown);
            let at = inner.now();
            watchman.raise(news.into_iter().map(|one| Alert {
                at,
                what: What::NewNetwork {
                    key: one.key,
                    network: one.network,
                    address: one.address,
                    expected: one.listed,
                },
            }));
        }
        // It will be seen again.
        Err(error) => tracing::warn!(%error, "where keys are used from could not be written"),
    }
}

/// Writes alerts, and looks for spikes, until the gate stops.
pub(super) async fn run(inner: Arc<Inner>) {
    let mut tick = interval(LOOK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let stopped = inner.stopped();
    tokio::pin!(stopped);
    loop {
        tokio::select! {
            () = &mut stopped => break,
            () = inner.watchman.urgent.notified() => {}
            _ = tick.tick() => {
                if let Err(error) = spikes(&inner).await {
                    tracing::warn!(%error, "keys could not be looked at for spikes");
                }
            }
        }
        write(&inner).await;
    }
    write(&inner).await;
}

/// Writes the alerts that wait. What can't be written waits for the next look.
async fn write(inner: &Inner) {
    let alerts = std::mem::take(&mut *lock(&inner.watchman.waiting));
    for (n, alert) in alerts.iter().enumerate() {
        match inner.store.raise_alert(&inner.settings.name, alert).await {
            Ok(true) => {
                tracing::warn!(kind = alert.kind(), "alert: {}", alert.sentence());
                inner.watchman.raised.notify_one();
            }
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(%error, "an alert could not be written; it is tried again");
                let mut waiting = lock(&inner.watchman.waiting);
                waiting.splice(0..0, alerts[n..].iter().cloned());
                waiting.truncate(WAITING);
                return;
            }
        }
    }
}

/// Compares busy keys with their own past. Each is looked at once in the span of a spike.
pub(super) async fn spikes(inner: &Inner) -> Result<()> {
    let now = inner.now();
    let this = minute(now);
    let busy: Vec<KeyId> = {
        let mut looked = lock(&inner.watchman.looked);
        looked.retain(|_, at| this - *at < SPIKE_MINUTES);
        let mut busy = lock(&inner.watchman.busy);
        let due: Vec<KeyId> =
            busy.iter().filter(|key| !looked.contains_key(*key)).take(DEEP * 10).copied().collect();
        busy.retain(|key| !due.contains(key) && !looked.contains_key(key));
        due
    };
    // The span that is compared, and the minute that goes on.
    let since = now - chrono::Duration::minutes(SPIKE_MINUTES + 1);
    let mut recent: HashMap<KeyId, u64> = HashMap::new();
    for (key, minute) in inner.store.usage(&busy, since).await? {
        *recent.entry(key).or_default() += minute.counts.total();
    }
    let mut many: Vec<KeyId> =
        recent.into_iter().filter(|(_, total)| *total >= LEAST).map(|(key, _)| key).collect();
    many.truncate(DEEP);
    let past_since = now - chrono::Duration::minutes(SPIKE_PAST_MINUTES);
    for key in many {
        lock(&inner.watchman.looked).insert(key, this);
        let past: Vec<Minute> =
            inner.store.usage(&[key], past_since).await?.into_iter().map(|(_, minute)| minute).collect();
        inner.watchman.raise(spike(&past, this).map(|found| Alert::spike(now, key, found)));
    }
    Ok(())
}

impl Inner {
    /// The oldest alerts of this gate that no webhook has taken yet.
    pub(super) async fn untold(&self, limit: u32) -> Result<Vec<RaisedAlert>> {
        let since = self.now() - NEWS;
        let rows = self.store.untold_alerts(&self.settings.name, since, limit).await?;
        rows.into_iter().map(RaisedAlert::read).collect::<std::result::Result<_, Error>>()
    }

    /// Waits until an alert was written.
    pub(super) async fn raised(&self) {
        self.watchman.raised.notified().await;
    }
}
