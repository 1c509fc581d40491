//! The task that writes what keys were used for, in batches.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant as Moment, MissedTickBehavior, interval, timeout};

use super::inner::Inner;
use super::uses::KEYS;
use super::watch::look_at;
use crate::domain::key::KeyId;
use crate::store::{Batch, Error};

/// How often what was collected is written. A key's first use is written at once.
const EVERY: Duration = Duration::from_secs(1);
/// Writing may take this part of the time at most, so that the database has most of it for proofs.
const SHARE: u32 = 8;
/// How long the last writing may take, and how long one may take before it is tried again.
const PATIENCE: Duration = Duration::from_secs(5);
/// So often a batch is tried again that the database refuses for what is in it.
const REFUSED: u32 = 3;
const PRUNE: Duration = Duration::from_secs(60);
/// A gate that gave no sign of life for so long is broken.
const BROKEN: chrono::Duration = chrono::Duration::seconds(60);
/// Alerts stay for so long in any case; the database itself insists on a day.
const ALERTS: chrono::Duration = chrono::Duration::days(2);

/// Writes what was collected until the gate stops, and then what is left.
pub(super) async fn run(inner: Arc<Inner>) {
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut prune = interval(PRUNE);
    let mut number = 0;
    let mut walked = None;
    let stopped = inner.stopped();
    tokio::pin!(stopped);
    loop {
        let first = tokio::select! {
            () = &mut stopped => break,
            () = inner.uses.urgent.notified() => true,
            _ = tick.tick() => false,
            _ = prune.tick() => {
                take_over(&inner).await;
                prune_usage(&inner, &mut walked).await;
                continue;
            }
        };
        // Those used for the first time are all written now, of the others those whose turn it is.
        let mut most = if first { usize::MAX } else { inner.uses.turn() };
        loop {
            let begun = Moment::now();
            let (batch, seen) = inner.uses.take(first, most, number + 1);
            if batch.is_empty() {
                break;
            }
            number += 1;
            most = most.saturating_sub(batch.counts.len());
            tokio::select! {
                () = &mut stopped => {
                    // The same number: if it was written already, it is not counted twice.
                    let _ = timeout(PATIENCE, write(&inner, &mut number, &batch)).await;
                    drain(&inner, number).await;
                    return;
                }
                () = write(&inner, &mut number, &batch) => look_at(&inner, &batch, seen).await,
            }
            tokio::time::sleep(begun.elapsed() * (SHARE - 1)).await;
            if most == 0 || batch.counts.len() < KEYS {
                break;
            }
        }
    }
    drain(&inner, number).await;
}

/// Writes all that is left.
async fn drain(inner: &Inner, mut number: i64) {
    let rest = async {
        loop {
            let (batch, seen) = inner.uses.take(false, usize::MAX, number + 1);
            if batch.is_empty() {
                return;
            }
            number += 1;
            write(inner, &mut number, &batch).await;
            look_at(inner, &batch, seen).await;
        }
    };
    if timeout(PATIENCE, rest).await.is_err() {
        tracing::warn!("the gate ends, and not all use was written");
    }
}

/// Writes a batch, however long the database takes to accept it. One that it refuses for what is in it is parted, until what
/// can't be written is left out.
async fn write(inner: &Inner, number: &mut i64, batch: &Batch) {
    let mut pause = Duration::from_millis(100);
    let mut failing = false;
    let mut refused = 0;
    loop {
        let (store, clock) = (&inner.store, &inner.clock);
        let written = match timeout(PATIENCE, store.add_usage(&inner.row, *number, batch, clock)).await {
            Ok(Ok(())) => return,
            Ok(Err(error @ Error::TakenOver)) => {
                tracing::warn!("{error}");
                return inner.uses.taken_over();
            }
            Ok(Err(error)) => {
                refused +=
                    u32::from(matches!(error, Error::Refused(_) | Error::Corrupt(_) | Error::Other(_)));
                error.to_string()
            }
            Err(_) => format!("no answer for {} s", PATIENCE.as_secs()),
        };
        if refused >= REFUSED {
            let Some(parts) = batch.parts() else {
                let keys: BTreeSet<_> = batch.counts.keys().map(|(key, _)| key.to_string()).collect();
                tracing::error!(
                    ?keys,
                    error = written,
                    "the use of this key can't be written and is left out"
                );
                return;
            };
            for part in parts {
                *number += 1;
                Box::pin(write(inner, number, &part)).await;
            }
            return;
        }
        if !std::mem::replace(&mut failing, true) {
            tracing::warn!(error = written, "use could not be written; it is tried again");
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(EVERY * 5);
    }
}

/// Adds what gates left that broke.
async fn take_over(inner: &Inner) {
    let before = inner.now() - BROKEN;
    match inner.store.take_over_usage(before, &inner.clock).await {
        Ok(0) => {}
        Ok(gates) => tracing::info!(gates, "added what gates had counted before they broke"),
        Err(error) => tracing::warn!(%error, "what a broken gate had counted could not be added"),
    }
}

/// Deletes counts and alerts that are older than counts are to be kept, and the networks of keys that ended before that,
/// in small steps. `walked`: the key that was looked at last; the walk begins anew at the end.
async fn prune_usage(inner: &Inner, walked: &mut Option<KeyId>) {
    let keep = chrono::Duration::from_std(inner.settings.keep_usage).unwrap_or(chrono::Duration::MAX);
    let Some(until) = inner.proof.now().checked_sub_signed(keep) else { return };
    if let Err(error) = inner.store.prune_alerts(until.min(inner.proof.now() - ALERTS)).await {
        tracing::warn!(%error, "old alerts could not be deleted");
    }
    if let Err(error) = inner.store.prune_late(until).await {
        tracing::warn!(%error, "old tries of keys that ended could not be deleted");
    }
    match inner.store.prune_networks(*walked, until).await {
        Ok(last) => *walked = last,
        Err(error) => tracing::warn!(%error, "networks of keys that ended could not be deleted"),
    }
    // A step a minute is more than minutes bring; who comes back after long catches up.
    for _ in 0..10 {
        match inner.store.prune_usage(until).await {
            Ok(true) => tokio::time::sleep(Duration::from_millis(200)).await,
            Ok(false) => return,
            Err(error) => return tracing::warn!(%error, "old counts of use could not be deleted"),
        }
    }
}
