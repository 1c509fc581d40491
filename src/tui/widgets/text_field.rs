//! One line of text that a person edits.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use tui_input::backend::crossterm::to_input_request;
use tui_input::{Input, InputRequest};
use zeroize::Zeroize;

use super::fit;
use crate::domain::text::SafeText;

/// More characters than this are not taken: nothing that a person writes into one line is longer.
pub const LIMIT: usize = 2000;

/// Whether a key with Alt moves or deletes by words, as in a shell.
pub fn edits_words(key: KeyEvent) -> bool {
    key.modifiers == KeyModifiers::ALT
        && matches!(key.code, KeyCode::Char('b' | 'f' | 'd') | KeyCode::Backspace)
}

/// The text and the cursor of a field.
#[derive(Clone, Debug, Default)]
pub struct TextField {
    input: Input,
}

impl TextField {
    /// A field with a text in it and the cursor at the end.
    pub fn with(text: &str) -> Self {
        Self { input: Input::new(text.to_owned()) }
    }

    /// The same, with the cursor behind so many characters.
    pub fn with_cursor(text: String, cursor: usize) -> Self {
        Self { input: Input::new(text).with_cursor(cursor) }
    }

    /// The byte of the text that the cursor is at.
    pub fn cursor(&self) -> usize {
        let text = self.value();
        text.char_indices().nth(self.input.cursor()).map_or(text.len(), |(byte, _)| byte)
    }

    /// The column of the cursor in the whole text.
    pub fn cursor_column(&self) -> usize {
        self.input.visual_cursor()
    }

    /// The columns out of sight on the left, where so many show the part with the cursor.
    pub fn scroll(&self, columns: usize) -> usize {
        self.input.visual_scroll(columns)
    }

    pub fn value(&self) -> &str {
        self.input.value()
    }

    pub fn is_empty(&self) -> bool {
        self.value().is_empty()
    }

    /// Wipes the text: it may be what should not have been put here.
    pub fn clear(&mut self) {
        self.input.value_and_reset().zeroize();
    }

    /// Takes an editing key. Answers whether the text changed.
    pub fn key(&mut self, mut event: KeyEvent) -> bool {
        if edits_words(event) {
            event.modifiers = KeyModifiers::META;
        }
        match to_input_request(&Event::Key(event)) {
            Some(InputRequest::InsertChar(c)) => self.insert(c),
            Some(request) => self.input.handle(request).is_some_and(|changed| changed.value),
            None => false,
        }
    }

    /// Inserts a pasted line at the cursor. Line breaks and control characters must be gone already.
    pub fn paste(&mut self, line: &str) -> bool {
        let room = LIMIT.saturating_sub(self.value().chars().count());
        let new: String = line.chars().filter(|c| !c.is_control()).take(room).collect();
        if new.is_empty() {
            return false;
        }
        // All at once: one by one, each would look at all the others.
        let (at, cursor) = (self.cursor(), self.input.cursor() + new.chars().count());
        let mut text = self.value().to_owned();
        text.insert_str(at, &new);
        self.input = Input::new(text).with_cursor(cursor);
        true
    }

    fn insert(&mut self, c: char) -> bool {
        if c.is_control() || self.value().chars().count() >= LIMIT {
            return false;
        }
        self.input.handle(InputRequest::InsertChar(c)).is_some_and(|changed| changed.value)
    }

    /// The part of the text that `columns` show, and the column of the cursor in it.
    pub fn visible(&self, columns: u16) -> (String, u16) {
        let columns = usize::from(columns.max(1));
        // One column is for the cursor behind the last character.
        let skip = self.input.visual_scroll(columns - 1);
        let cursor = self.input.visual_cursor().saturating_sub(skip);
        let shown = SafeText::new(fit::window(self.value(), skip, columns));
        (shown.as_str().to_owned(), u16::try_from(cursor).unwrap_or(u16::MAX))
    }
}
