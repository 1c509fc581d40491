//! What the keys on the screen were used for: read for these alone, in the background, and a minute old at most.

use std::collections::HashMap;

use chrono::Duration;

use super::state::{Load, State};
use super::{columns, view};
use crate::domain::Instant;
use crate::domain::key::KeyId;
use crate::domain::usage::{Counts, Minute, minute, spans};
use crate::tui::effect::{Effect, Outcomes, Request, RequestId, To};
use crate::tui::latest::Latest;
use crate::tui::shell::Shell;
use crate::tui::view::times;
use crate::tui::words::ScreenId;

const ME: To = To::Screen(ScreenId::Keys);
/// The spans that the last 24 hours are kept in, and the minutes of one.
pub const SPANS: usize = 48;
const SPAN: u32 = 30;
/// At most so many keys are asked about at once, and kept in mind.
const ASKED: usize = 100;
const KEPT: usize = 1_000;
/// What was read is good for so long.
const FRESH: Duration = Duration::minutes(1);

/// The uses of keys, as far as they are known.
#[derive(Debug, Default)]
pub struct Uses {
    held: HashMap<KeyId, KeyUse>,
    reads: Latest,
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
}

impl Uses {
    pub fn of(&self, key: KeyId) -> Option<&KeyUse> {
        self.held.get(&key)
    }
}

impl KeyUse {
    fn read(past: &[Minute], now: Instant, utc: bool) -> Self {
        let midnight = minute(times::day_begins(now, utc));
        let mut today = Counts::default();
        for one in past.iter().filter(|one| one.minute >= midnight) {
            today.merge(one.counts);
        }
        Self { at: now, spans: spans(past, now, SPANS, SPAN), today }
    }
}

impl State {
    /// Asks for what is not known of the keys on the screen, unless an answer is under way: that asks on when it comes.
    pub(super) fn read_usage(&mut self, shell: &mut Shell) -> Option<Effect> {
        if self.uses.reads.busy() {
            return None;
        }
        let now = self.now(shell);
        let width = view::Areas::of(self, shell).rows.width;
        let column = columns::has_usage(width, self.uses.column);
        let shown = if column { view::rows_shown(self, shell) } else { 0 };
        let rows = self.window.rows.iter().skip(self.top).take(shown).map(|row| row.key.id);
        let selected = self.selected.filter(|_| self.detail.open);
        let stale = |id: &KeyId| self.uses.held.get(id).is_none_or(|held| now - held.at >= FRESH);
        let mut keys: Vec<KeyId> = selected.into_iter().chain(rows).filter(stale).take(ASKED).collect();
        keys.sort_unstable();
        keys.dedup();
        if keys.is_empty() {
            return None;
        }
        self.uses.reads.ask(shell, ME, Request::Usage { keys, since: now - Duration::hours(24) })
    }

    /// Reads the rows once more when they are a minute old: that keys are used is no news that comes by itself.
    pub(super) fn read_last_used(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let fresh = self.asked_at.is_none_or(|at| shell.now - at < FRESH);
        if fresh || !self.loaded || self.pages.busy() { Vec::new() } else { self.read(shell, Load::Used) }
    }

    pub(super) fn usage_arrived(
        &mut self,
        shell: &mut Shell,
        id: RequestId,
        keys: &[KeyId],
        outcome: Outcomes<HashMap<KeyId, Vec<Minute>>>,
    ) -> Vec<Effect> {
        if self.uses.reads.settle(shell, id).is_none() {
            return Vec::new();
        }
        // Without an answer what is held stays; the next look at the table asks again.
        let Ok(mut usage) = outcome else { return Vec::new() };
        let now = self.now(shell);
        if self.uses.held.len() > KEPT {
            self.uses.held.clear();
        }
        for key in keys {
            let past = usage.remove(key).unwrap_or_default();
            self.uses.held.insert(*key, KeyUse::read(&past, now, shell.utc));
        }
        shell.redraw = true;
        self.read_usage(shell).into_iter().collect()
    }
}
