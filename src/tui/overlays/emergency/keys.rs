//! What is done to the keys that were found besides ending them, and what is left of them afterwards.

use super::{Stage, State, TICK_FIRST};
use crate::domain::key::{Key, KeyId};
use crate::service::Search;
use crate::tui::opening::Opening;
use crate::tui::shell::Shell;
use crate::tui::tracked::Tracked;
use crate::tui::words::Severity;

impl State {
    /// The keys that were found, each once.
    pub(super) fn keys(&self) -> Vec<KeyId> {
        let search = match &self.stage {
            Stage::Found { search, .. } => search,
            _ => return Vec::new(),
        };
        match &self.table {
            Some(table) => table.all(),
            None => search.keys().map(|key| key.id).collect(),
        }
    }

    /// Takes over what became of keys elsewhere.
    pub(super) fn renew(&mut self, keys: &[Key]) {
        if let Some(table) = &mut self.table {
            table.renew(keys.iter().cloned());
        }
        let Stage::Found { search, .. } = &mut self.stage else { return };
        for found in &mut search.found {
            if let Some(key) = keys.iter().find(|key| key.id == found.key.id) {
                found.key = key.clone();
            }
        }
    }

    /// Asks whether to pause what is ticked, or the chosen key; `resume`: whether it shall work again.
    pub(super) fn pause(&self, shell: &mut Shell, resume: bool) {
        let (ids, known) = match (&self.table, &self.stage) {
            (Some(table), _) => table.chosen(),
            (None, Stage::Found { search, at }) => {
                let ids = ending(search, *at);
                let known = search.keys().filter(|key| ids.contains(&key.id)).cloned().collect();
                (ids, known)
            }
            _ => return,
        };
        if ids.is_empty() {
            shell.toast(Severity::Info, TICK_FIRST);
            return;
        }
        shell.open(Opening::Pause { ids, known, states: String::new(), resume });
    }

    /// Closes the receipt. Where keys of the table are left that can work, the table is shown again.
    pub(super) fn leave_dead(&mut self, shell: &mut Shell, at_once: bool, receipt: u64) {
        let Stage::Dead { dead, search, .. } = &mut self.stage else { return };
        let left = match &mut self.table {
            Some(table) if !at_once && table.left(dead, shell.now) > 0 => {
                table.renew(dead.iter().map(|found| found.key.clone()));
                true
            }
            _ => false,
        };
        if !left {
            shell.close();
            return;
        }
        if let Some((severity, words)) = shell.receipt(receipt).map(Tracked::summary) {
            self.said = Some((severity, words.into()));
        }
        self.stage = Stage::Found { search: std::mem::take(search), at: 0 };
    }
}

/// The keys that a yes revokes: all of those whose secrets were pasted, else the chosen one; without those that are revoked.
pub(super) fn ending(search: &Search, at: usize) -> Vec<KeyId> {
    let all = search.certain;
    let chosen = search.keys().enumerate().filter(|(place, _)| all || *place == at).map(|(_, key)| key);
    chosen.filter(|key| key.revoked_at.is_none()).map(|key| key.id).collect()
}
