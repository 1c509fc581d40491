//! The line that a list's filter is typed into.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::text_field::TextField;
use crate::config::keymap::Action;
use crate::config::theme::Role;
use crate::tui::input::Input;
use crate::tui::shell::Shell;

/// The filter's text, and whether it is being typed.
#[derive(Debug, Default)]
pub struct FilterLine {
    text: TextField,
    pub typing: bool,
}

impl FilterLine {
    pub fn value(&self) -> &str {
        self.text.value()
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Puts another text in its place.
    pub fn set(&mut self, text: &str) {
        self.text = TextField::with(text);
    }

    pub fn clear(&mut self) {
        self.text.clear();
    }

    /// Takes what is typed, pasted, accepted or cancelled. Answers whether the text changed.
    pub fn take(&mut self, input: &Input) -> bool {
        match input {
            Input::Paste(pasted) => self.text.paste(&pasted.line()),
            Input::Key(key) => match key.action {
                Some(Action::Accept) => {
                    self.typing = false;
                    false
                }
                Some(action @ (Action::CancelPrompt | Action::ClearLine)) => {
                    self.typing &= action == Action::ClearLine;
                    let changed = !self.is_empty();
                    self.clear();
                    changed
                }
                _ => self.text.key(key.event),
            },
            Input::Scroll { .. } | Input::Click(_) => false,
        }
    }

    /// The part of the text that `columns` show, and the column of the cursor in it.
    pub fn visible(&self, columns: u16) -> (String, u16) {
        self.text.visible(columns)
    }

    /// Draws it into the first line of `area`; `all` says what is shown without a filter.
    pub fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect, all: &str) {
        let styles = &shell.styles;
        let (text, cursor) = self.visible(area.width.saturating_sub(4));
        let line = if self.typing || !self.is_empty() {
            Line::from(vec![
                Span::styled(" / ", styles.of(Role::Accent)),
                Span::styled(text, styles.of(Role::Text)),
            ])
        } else {
            let key = shell.keymap.key(Action::Filter);
            Line::styled(format!(" {all}; {key} filters"), styles.of(Role::Muted))
        };
        frame.render_widget(line, Rect { height: 1.min(area.height), ..area });
        self.place_cursor(frame, area, cursor);
    }

    /// Puts the cursor behind the prompt, if it is being typed.
    pub fn place_cursor(&self, frame: &mut Frame, area: Rect, cursor: u16) {
        if self.typing {
            frame.set_cursor_position(Position { x: area.x + 3 + cursor, y: area.y });
        }
    }
}
