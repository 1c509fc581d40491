//! What the keys on the screen were used for: read for these alone, in the background, and a minute old at most.

use std::collections::HashMap;

use chrono::Duration;

use crate::domain::Instant;
use crate::domain::key::KeyId;
use crate::domain::usage::{Counts, Minute, minute, spans};
use crate::tui::latest::Latest;
use crate::tui::view::times;

/// The spans that the last 24 hours are kept in, and the minutes of one.
pub const SPANS: usize = 48;
const SPAN: u32 = 30;
/// At most so many keys are asked about at once, and kept in mind.
pub const ASKED: usize = 100;
const KEPT: usize = 1_000;
/// What was read is good for so long.
pub const FRESH: Duration = Duration::minutes(1);

/// The uses of keys, as far as they are known.
#[derive(Debug, Default)]
pub struct Uses {
    held: HashMap<KeyId, KeyUse>,
    pub reads: Latest,
    /// Whether the column is shown; `None`: where there is room to spare.
    pub column: Option<bool>,
}

/// The use of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// When that was read.
    at: Instant,
    /// All requests of the last 24 hours, in spans of half an hour, the oldest first.
    pub spans: Vec<u64>,
    /// Since midnight.
    pub today: Counts,
    /// Requests within the last 60 minutes.
    pub hour: u64,
}

impl Uses {
    pub fn of(&self, key: KeyId) -> Option<&KeyUse> {
        self.held.get(&key)
    }

    /// Whether what is known of a key is good still.
    pub fn knows(&self, key: KeyId, now: Instant) -> bool {
        self.held.get(&key).is_some_and(|held| now - held.at < FRESH)
    }

    /// Takes in the use of these keys; those without any are left out of `usage`.
    pub fn take_in(
        &mut self,
        keys: &[KeyId],
        mut usage: HashMap<KeyId, Vec<Minute>>,
        now: Instant,
        utc: bool,
    ) {
        if self.held.len() > KEPT {
            self.held.clear();
        }
        for key in keys {
            let past = usage.remove(key).unwrap_or_default();
            self.held.insert(*key, KeyUse::read(&past, now, utc));
        }
    }
}

impl KeyUse {
    fn read(past: &[Minute], now: Instant, utc: bool) -> Self {
        let midnight = minute(times::day_begins(now, utc));
        let mut today = Counts::default();
        for one in past.iter().filter(|one| one.minute >= midnight) {
            today.merge(one.counts);
        }
        let hour = spans(past, now, 1, 60).into_iter().sum();
        Self { at: now, spans: spans(past, now, SPANS, SPAN), today, hour }
    }
}
