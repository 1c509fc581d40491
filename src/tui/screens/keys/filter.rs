//! The filter: what is being typed, and what holds.

use crossterm::event::Event;
use tui_input::Input as Line;
use tui_input::backend::crossterm::EventHandler;

use crate::domain::Instant;
use crate::domain::query::{Query, QueryError};
use crate::tui::input::Key;
use crate::tui::message::Pasted;

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
