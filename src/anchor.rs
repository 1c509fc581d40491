//! Anchors of the audit: signing how far it has come, and bringing that to a place which the database's writers don't
//! reach. Once for a timer, or now and then while a service runs.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch as channel;
use tokio::time::{MissedTickBehavior, interval};

use crate::clock::Clock;
use crate::config::ConfigError;
use crate::config::settings::AuditTable;
use crate::domain::anchor::{Anchor, AnchorKey, Checkpoint};
use crate::secret_file::SecretFiles;

mod place;

pub use place::Place;

/// How long an anchor may take to its place.
const PATIENCE: Duration = Duration::from_secs(15);

/// What it takes to anchor: the key and the place.
#[derive(Clone, Debug)]
pub struct Anchoring {
    key: Arc<AnchorKey>,
    pub place: Place,
    every: Duration,
}

impl Anchoring {
    /// With the key in this file, which is read by the rules for secrets.
    ///
    /// # Errors
    /// In words, where the file or the place can't be used.
    pub fn new(key: &Path, place: &str, every: Duration) -> Result<Self, String> {
        let secret = SecretFiles::of_this_process().file(key, 1).map_err(|error| error.to_string())?;
        let key = AnchorKey::parse(&secret).map_err(|error| format!("{}: {error}", key.display()))?;
        Ok(Self { key: Arc::new(key), place: place.parse()?, every })
    }

    /// As the settings say; none where they name no place.
    ///
    /// # Errors
    /// With the setting that is wrong.
    pub fn of(table: &AuditTable) -> Result<Option<Self>, ConfigError> {
        table.check()?;
        match (&table.anchor_key_file.value, &table.anchor_to.value) {
            (Some(key), Some(place)) => {
                let made = Self::new(key, place, table.anchor_every.value);
                made.map(Some).map_err(|why| table.anchor_to.source.error(why))
            }
            _ => Ok(None),
        }
    }

    /// Signs a checkpoint and brings it to its place; answers it when it is there.
    ///
    /// # Errors
    /// In words, where the place does not take it.
    pub async fn anchor(&self, checkpoint: Checkpoint, clock: &Clock) -> Result<Anchor, String> {
        let (key, place, taken) = (Arc::clone(&self.key), self.place.clone(), clock.now());
        let putting =
            tokio::task::spawn_blocking(move || place.put(|order| key.sign(&checkpoint, taken, order)));
        match tokio::time::timeout(PATIENCE, putting).await {
            Ok(put) => put.map_err(|error| error.to_string())?,
            Err(_) => Err(format!("{} gave no answer for {} s", self.place, PATIENCE.as_secs())),
        }
    }

    /// Anchors at once and at each interval until `stop` says so. What fails is tried again at the next one.
    pub async fn run<F>(
        self,
        clock: Clock,
        checkpoint: impl Fn() -> F + Send,
        mut stop: channel::Receiver<bool>,
    ) where
        F: Future<Output = Result<Option<Checkpoint>, String>> + Send,
    {
        let mut ticks = interval(self.every.max(Duration::from_secs(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                _ = ticks.tick() => {}
            }
            let anchored = async {
                match checkpoint().await? {
                    Some(checkpoint) => self.anchor(checkpoint, &clock).await.map(Some),
                    None => Ok(None),
                }
            };
            match anchored.await {
                Ok(Some(anchor)) => {
                    tracing::info!(row = anchor.seq, place = %self.place, "the audit is anchored")
                }
                Ok(None) => {}
                Err(why) => tracing::error!(place = %self.place, "the audit could not be anchored: {why}"),
            }
        }
    }
}
