//! The filter: what is being typed, and what holds.

use crossterm::event::Event;
use tui_input::Input as Line;
use tui_input::backend::crossterm::EventHandler;

use crate::domain::Instant;
use crate::domain::query::{Completion, Query, QueryError, complete};
use crate::tui::input::Key;
use crate::tui::words::Pasted;

/// The filter's text and its meaning. While there is a mistake in the text the last good meaning holds.
#[derive(Debug, Default)]
pub struct Filter {
    line: Line,
    /// Whether it is being typed.
    pub editing: bool,
    /// What the line held when typing began, for Esc.
    before: String,
    pub query: Query,
    pub error: Option<QueryError>,
}

impl Filter {
    pub fn text(&self) -> &str {
        self.line.value()
    }

    /// The cursor's column within the text.
    pub fn cursor(&self) -> usize {
        self.line.visual_cursor()
    }

    /// The columns that are out of sight on the left, in a line of `width` columns.
    pub fn scroll(&self, width: usize) -> usize {
        self.line.visual_scroll(width)
    }

    /// Whether there is anything to show of it.
    pub fn visible(&self) -> bool {
        self.editing || !self.text().is_empty()
    }

    pub fn begin(&mut self) {
        self.before = self.text().to_owned();
        self.editing = true;
    }

    /// Typing ends and what was typed stays.
    pub fn keep(&mut self) {
        self.editing = false;
    }

    /// Answers whether the meaning changed.
    pub fn set(&mut self, text: &str, now: Instant) -> bool {
        self.line = Line::new(text.to_owned());
        self.interpret(now)
    }

    /// A key that is typed into the line. Answers whether the meaning changed.
    pub fn press(&mut self, key: Key, now: Instant) -> bool {
        self.line.handle_event(&Event::Key(key.event));
        self.interpret(now)
    }

    pub fn paste(&mut self, pasted: &Pasted, now: Instant) -> bool {
        for c in pasted.line().chars() {
            self.line.handle(tui_input::InputRequest::InsertChar(c));
        }
        self.interpret(now)
    }

    /// What fits at the cursor, if a field or a value has been begun. `values` knows what the database holds.
    pub fn completion(&self, values: impl Fn(&str) -> Vec<String>) -> Completion {
        let cursor = self.text().char_indices().nth(self.line.cursor()).map_or(self.text().len(), |(i, _)| i);
        let mut found = complete(self.text(), cursor, values);
        let typed = self.text().get(found.start..cursor).unwrap_or_default().to_lowercase();
        // A word that stands there whole needs no completing, and an empty place fits everything.
        let begun = !typed.is_empty() || self.text()[..found.start].ends_with(':');
        found.candidates.retain(|candidate| begun && candidate.to_lowercase() != typed);
        found
    }

    /// Puts in what all candidates have in common; the whole one where there is a single one. Answers whether the meaning
    /// changed.
    pub fn take_completion(&mut self, completion: &Completion, now: Instant) -> bool {
        let Some(common) = common_beginning(&completion.candidates) else { return false };
        let text = self.text().to_owned();
        let typed = text.get(completion.start..completion.end).unwrap_or_default();
        let (Some(before), Some(after)) = (text.get(..completion.start), text.get(completion.end..)) else {
            return false;
        };
        if completion.candidates.len() > 1 && common.len() <= typed.len() {
            return false;
        }
        let cursor = before.chars().count() + common.chars().count();
        self.line = Line::new(format!("{before}{common}{after}")).with_cursor(cursor);
        self.interpret(now)
    }

    fn interpret(&mut self, now: Instant) -> bool {
        match Query::parse(self.text(), now) {
            Ok(query) => {
                self.error = None;
                let changed = self.query != query;
                self.query = query;
                changed
            }
            Err(error) => {
                self.error = Some(error);
                false
            }
        }
    }
}

fn common_beginning(candidates: &[String]) -> Option<&str> {
    let (first, others) = candidates.split_first()?;
    let length = others.iter().fold(first.len(), |length, other| {
        let same = first.char_indices().zip(other.chars()).find(|((_, a), b)| a != b).map(|((i, _), _)| i);
        length.min(same.unwrap_or(first.len().min(other.len())))
    });
    first.get(..length)
}
