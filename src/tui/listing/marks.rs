//! Marked rows, for doing something with several.

use super::{Listing, Source};
use crate::config::keymap::Action;
use crate::tui::effect::Effect;
use crate::tui::shell::Shell;
use crate::tui::words::Severity;

impl<S: Source> Listing<S> {
    pub fn is_marked(&self, row: &S::Row) -> bool {
        self.marks.contains(&S::id(row))
    }

    /// The rows that an action on several is about: the marked ones, else the selected one. Some may not be at hand.
    pub fn chosen(&self) -> Vec<S::Id> {
        if self.marks.is_empty() {
            self.selected.iter().cloned().collect()
        } else {
            self.marks.iter().cloned().collect()
        }
    }

    /// Those of [`Self::chosen`] that are at hand, in the list's order.
    pub fn chosen_rows(&self) -> Vec<&S::Row> {
        if self.marks.is_empty() {
            self.selected().into_iter().collect()
        } else {
            self.iter().filter(|row| self.is_marked(row)).collect()
        }
    }

    pub fn clear_marks(&mut self) -> Vec<Effect> {
        self.marks.clear();
        self.anchor = None;
        Vec::new()
    }

    /// Marks the selected row, or takes its mark away.
    pub(super) fn mark(&mut self) {
        if let Some(id) = self.selected.clone() {
            if !self.marks.remove(&id) {
                self.marks.insert(id.clone());
            }
            self.anchor = Some(id);
        }
    }

    /// Marks everything from the last mark to the selected row.
    pub(super) fn mark_range(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let Some(anchor) = self.anchor.as_ref().and_then(|id| self.position(id)) else {
            let keys = (shell.keymap.key(Action::Mark), shell.keymap.key(Action::MarkRange));
            let words =
                format!("mark the first row of the range with {}, then press {} on its last", keys.0, keys.1);
            shell.toast(Severity::Info, words);
            return Vec::new();
        };
        let (from, to) = (anchor.min(self.at), anchor.max(self.at));
        let range: Vec<S::Id> = self.iter().take(to + 1).skip(from).map(S::id).collect();
        self.marks.extend(range);
        Vec::new()
    }

    /// Marks every row shown.
    pub(super) fn mark_all(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let all: Vec<S::Id> = self.iter().map(S::id).collect();
        self.marks.extend(all);
        if self.more_after || self.more_before {
            let words = "only the rows at hand were marked: narrow the filter to mark all of them";
            shell.toast(Severity::Warning, words);
        }
        Vec::new()
    }
}
