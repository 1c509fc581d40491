//! What an operator decides about how a gate works.

use std::path::PathBuf;
use std::time::Duration;

use crate::clock::Uptime;
use crate::domain::freshness::Freshness;
use crate::domain::secret::Peppers;
use crate::domain::usage::Tolerance;

/// How a gate presents itself, and how much it may remember.
#[derive(Clone, Debug)]
pub struct GateSettings {
    /// Its name among the gates; windows of limits are kept under it.
    pub name: String,
    /// Where it listens, in words.
    pub listen: String,
    /// How it makes sure that its answers are current.
    pub freshness: Freshness,
    /// What a lease is measured by.
    pub uptime: Uptime,
    /// After this long without an answer of the database it refuses everything, and others hold it for out of touch.
    pub lease: Duration,
    /// At most so many keys are remembered.
    pub cache: usize,
    /// How long counts of use, and alerts, are kept; and for how long after a key's end the networks that it was used from.
    pub keep_usage: Duration,
    /// How many failed attempts are a run that somebody should look at.
    pub tolerance: Tolerance,
    /// Where it remembers how far the database had come, if anywhere.
    pub memory: Option<PathBuf>,
    /// What goes into the hashes of keys' secrets.
    pub peppers: Peppers,
}

impl Default for GateSettings {
    fn default() -> Self {
        Self {
            name: "gate".into(),
            listen: String::new(),
            freshness: Freshness::Proof,
            uptime: Uptime::System,
            lease: Duration::from_secs(1),
            cache: 100_000,
            keep_usage: Duration::from_secs(35 * 24 * 60 * 60),
            tolerance: Tolerance::default(),
            memory: None,
            peppers: Peppers::default(),
        }
    }
}
