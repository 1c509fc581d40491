//! The task that looks at what keys are used for, and raises alerts: spikes, runs of failed attempts, new networks (VP-09).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::inner::Inner;
use crate::domain::key::{Key, KeyId};
use crate::domain::query::{Bound, Column, Direction, Point, Query, Side, Sort, Term, Test};
use crate::domain::rotation::{AHEAD, is_late};
use crate::domain::usage::{
    Alert, LATE_DAYS, Late, Minute, SPIKE_MINUTES, SPIKE_PAST_MINUTES, What, minute, spike,
};
use crate::service::error::Result;
use crate::store::{self, Batch, Error, Sighting, Slice};

/// How often keys are looked at for spikes.
const LOOK: Duration = Duration::from_secs(60);
/// Spikes need more requests than this within their span.
const LEAST: u64 = 100;
/// How soon after it a try of a key that ended is looked at, and how many keys in one look.
const LATE: Duration = Duration::from_secs(5);
const LATE_KEYS: usize = 100;
/// Overlaps that end next, of those that are looked at.
const ENDING: u32 = 1_000;
/// Keys whose whole past is read in one look.
const DEEP: usize = 100;

/// Looks at a batch that was written.
pub(super) async fn look_at(inner: &Inner, batch: &Batch, seen: Vec<Sighting>) {
    let watchman = &inner.watchman;
    watchman.note_busy(batch);
    watchman.note_late(batch, inner.now());
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
    let mut late_tick = interval(LATE);
    late_tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let stopped = inner.stopped();
    tokio::pin!(stopped);
    loop {
        tokio::select! {
            () = &mut stopped => break,
            () = inner.watchman.urgent.notified() => {}
            _ = late_tick.tick() => {
                if let Err(error) = late(&inner).await {
                    tracing::warn!(%error, "tries of keys that ended could not be looked at");
                }
            }
            _ = tick.tick() => {
                if let Err(error) = spikes(&inner).await {
                    tracing::warn!(%error, "keys could not be looked at for spikes");
                }
                if let Err(error) = inner.look_for_peppers().await {
                    tracing::warn!(%error, "whether a pepper is missing could not be looked up");
                }
                if let Err(error) = ending(&inner).await {
                    tracing::warn!(%error, "overlaps that end could not be looked at");
                }
            }
        }
        write(&inner).await;
    }
    write(&inner).await;
}

/// Writes the alerts that wait. What can't be written waits for the next look.
async fn write(inner: &Inner) {
    let alerts = inner.watchman.take_waiting();
    for (n, alert) in alerts.iter().enumerate() {
        match inner.store.raise_alert(&inner.settings.name, alert).await {
            Ok(true) => {
                tracing::warn!(kind = alert.kind(), "alert: {}", alert.sentence());
                inner.watchman.raised.notify_one();
            }
            Ok(false) => {}
            // What it refuses now it refuses for ever: others must not wait behind it.
            Err(error @ Error::Refused(_)) => {
                tracing::error!(%error, "an alert is left out, which the database refuses: {}", alert.sentence());
            }
            Err(error) => {
                tracing::warn!(%error, "an alert could not be written; it is tried again");
                inner.watchman.put_back(&alerts[n..]);
                return;
            }
        }
    }
}

/// Compares busy keys with their own past. Each is looked at once in the span of a spike.
pub(super) async fn spikes(inner: &Inner) -> Result<()> {
    let now = inner.now();
    let this = minute(now);
    let busy = inner.watchman.take_busy(this);
    // The span that is compared, and the minute that goes on.
    let since = now - chrono::Duration::minutes(SPIKE_MINUTES + 1);
    let mut recent: HashMap<KeyId, u64> = HashMap::new();
    for (key, minute) in inner.store.usage(&busy, since).await? {
        let total = recent.entry(key).or_default();
        *total = total.saturating_add(minute.counts.total());
    }
    let mut many: Vec<KeyId> =
        recent.into_iter().filter(|(_, total)| *total >= LEAST).map(|(key, _)| key).collect();
    many.truncate(DEEP);
    let past_since = now - chrono::Duration::minutes(SPIKE_PAST_MINUTES);
    for key in many {
        inner.watchman.look_into(key, this);
        let past: Vec<Minute> =
            inner.store.usage(&[key], past_since).await?.into_iter().map(|(_, minute)| minute).collect();
        inner.watchman.raise(spike(&past, this).map(|found| Alert::spike(now, key, found)));
    }
    Ok(())
}

/// Raises an alert for each old key whose overlap ends soon although something still uses it.
async fn ending(inner: &Inner) -> Result<()> {
    let now = inner.now();
    let terms = [Test::Overlap(Side::Old), Test::Expires(Bound::Before(Point::FromNow(AHEAD.into())))];
    let query = Query { terms: terms.map(|test| Term { negated: false, test }).to_vec() };
    let sort = Sort { column: Column::Expires, direction: Direction::Ascending };
    let slice = Slice { query: &query, sort, place: None, side: store::Side::From, limit: ENDING };
    let olds: Vec<Key> = inner.store.page(slice, now).await?.into_iter().map(|(key, _)| key).collect();
    let mut news: Vec<KeyId> = olds.iter().filter_map(|old| old.successor).collect();
    news.sort_unstable();
    let news: HashMap<KeyId, Key> =
        inner.store.keys(&news).await?.into_iter().map(|key| (key.id, key)).collect();
    let late = olds.iter().filter(|old| {
        let new = old.successor.and_then(|next| news.get(&next));
        new.is_some_and(|new| is_late(old, new, now))
    });
    inner.watchman.raise(late.filter_map(|old| Alert::overlap_ends(now, old)));
    Ok(())
}

/// Raises an alert for each key that was tried after its end lately.
async fn late(inner: &Inner) -> Result<()> {
    let keys = inner.watchman.take_late(LATE_KEYS);
    if keys.is_empty() {
        return Ok(());
    }
    let (now, since) = (inner.now(), inner.now() - chrono::Duration::days(LATE_DAYS as i64));
    let tries = inner.store.late(&keys, since).await?;
    for key in inner.store.keys(&keys).await? {
        let own: Vec<_> = tries.iter().filter(|(of, _)| *of == key.id).map(|(_, one)| one.clone()).collect();
        inner.watchman.raise(Late::of(&key, &own, now).map(|found| Alert::late(now, key.id, found)));
    }
    Ok(())
}
