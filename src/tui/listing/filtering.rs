//! The filter of a list: typing it, and what it means.

use crossterm::event::KeyCode;

use super::{Listing, Source};
use crate::config::keymap::Action;

use crate::domain::query::Completion;
use crate::domain::when::Here;
use crate::tui::effect::Effect;
use crate::tui::input::Key;
use crate::tui::opening::Opening;
use crate::tui::shell::Shell;
use crate::tui::words::Pasted;

impl<S: Source> Listing<S> {
    pub(super) fn type_filter(&mut self, shell: &mut Shell, key: Key, page: usize) -> Vec<Effect> {
        // The hits can be walked through before the filter is accepted.
        let rows = page.max(1) as isize;
        match (key.action, key.event.code) {
            (None, KeyCode::Up) => return self.step(shell, -1, page),
            (None, KeyCode::Down) => return self.step(shell, 1, page),
            (None, KeyCode::PageUp) => return self.step(shell, -rows, page),
            (None, KeyCode::PageDown) => return self.step(shell, rows, page),
            _ => {}
        }
        match key.action {
            // What can't be read leaves the rows of another filter: nothing is done to those.
            Some(Action::Accept) => {
                let effects = self.read_filter(shell, page);
                self.filter.typing = self.filter.mistake.is_some();
                return effects;
            }
            Some(Action::CancelPrompt) => {
                self.filter.typing = false;
                return self.drop_filter(shell, page);
            }
            Some(Action::ClearLine) => self.filter.set(""),
            Some(Action::CompletePrompt) => {
                if let Some(completion) = self.completion(shell) {
                    self.filter.complete(&completion);
                }
            }
            _ => {
                if !self.filter.key(key.event) {
                    return Vec::new();
                }
                // The beginning of a secret is not looked for either, however slowly it comes; Enter looks for what is none.
                let text = self.filter.value();
                if shell.begins_secret(text) && !shell.holds_secret(text) {
                    return Vec::new();
                }
            }
        }
        self.typed(shell, page)
    }

    /// The filter's text is another one, typed or pasted.
    pub(super) fn typed(&mut self, shell: &mut Shell, page: usize) -> Vec<Effect> {
        if shell.holds_secret(self.filter.value()) {
            let given = Pasted::new(self.filter.value().to_owned());
            return self.expose(shell, given, page);
        }
        self.read_filter(shell, page)
    }

    /// A secret was put here: it leaves the screen unread, and whose it is can be asked as for any exposed key.
    pub(super) fn expose(&mut self, shell: &mut Shell, given: Pasted, page: usize) -> Vec<Effect> {
        shell.open(Opening::Exposed(given));
        if !std::mem::take(&mut self.filter.typing) {
            return Vec::new();
        }
        self.filter.set("");
        self.read_filter(shell, page)
    }

    /// What could stand at the filter's cursor, from what is known without asking the database.
    pub(super) fn completion(&self, shell: &Shell) -> Option<Completion> {
        let (text, cursor) = (self.filter.value(), self.filter.cursor());
        let mut found = S::complete(shell, &self.rows, text, cursor)?;
        let typed = text.get(found.start..cursor).unwrap_or_default().to_lowercase();
        // A word that stands there whole needs no completing, and an empty place fits everything.
        let begun = !typed.is_empty() || text[..found.start].ends_with(':');
        found.candidates.retain(|candidate| begun && candidate.to_lowercase() != typed);
        Some(found)
    }

    /// The filter's text may have changed. With a mistake in it the last good result stays.
    pub(super) fn read_filter(&mut self, shell: &mut Shell, page: usize) -> Vec<Effect> {
        self.read_filter_from(shell, page, false)
    }

    /// Like [`Self::read_filter`]. `own`: whether the cursor stays on its row in any case.
    fn read_filter_from(&mut self, shell: &mut Shell, page: usize, own: bool) -> Vec<Effect> {
        let before = self.filter.meaning.clone();
        if !self.filter.interpret(|text| S::parse(text, shell.here())) {
            return Vec::new();
        }
        self.turned();
        self.keep_place(own);
        if self.loaded && S::reads_same(&before, &self.filter.meaning) {
            self.sift_around();
            self.top = self.top(page);
            return self.read_on(shell, page).into_iter().collect();
        }
        self.read_anew(shell, page)
    }

    /// Shows all rows again. The cursor stays on its row, where that is one of them.
    pub(super) fn drop_filter(&mut self, shell: &mut Shell, page: usize) -> Vec<Effect> {
        self.filter.set("");
        self.read_filter_from(shell, page, true)
    }

    /// What was marked was marked under another filter.
    pub(super) fn turned(&mut self) {
        self.turn += 1;
        self.wanted = None;
        self.around = None;
        self.clear_marks();
    }

    /// Puts another filter in the place of the present one, without reading yet. Answers whether it means something else.
    pub fn set_filter(&mut self, text: &str, here: Here) -> bool {
        self.filter.set(text);
        let changed = self.filter.interpret(|text| S::parse(text, here));
        self.filter.typing = self.filter.mistake.is_some();
        if changed {
            self.turned();
            self.loaded = false;
        }
        changed
    }
}
