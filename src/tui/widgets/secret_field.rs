//! A line that takes a secret: masked, wiped, never copied.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use zeroize::{Zeroize, Zeroizing};

use crate::domain::secret::SentKey;
use crate::tui::effect::{Effect, Timer, To};

/// Bytes that fit: many lines of a log, where a terminal pastes without brackets.
const CAPACITY: usize = 64 * 1024;

/// A secret while it is typed or pasted. Never grows beyond its first allocation, so that no copy stays behind (H15);
/// wiped when dropped; `Debug` shows nothing of it.
#[derive(derive_more::Debug)]
#[debug("SecretInput(…)")]
pub struct SecretInput {
    text: Zeroizing<String>,
    /// An Enter came with the keys before it: the end of a line of many, or of all that was typed ahead.
    entered: bool,
}

/// After an Enter that came with other keys at once, so long nothing more comes where it was the last of them.
const LAST: Duration = Duration::from_millis(100);

impl Default for SecretInput {
    fn default() -> Self {
        Self { text: Zeroizing::new(String::with_capacity(CAPACITY)), entered: false }
    }
}

impl SecretInput {
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// Whether nothing but this was typed.
    pub fn is(&self, text: &str) -> bool {
        *self.text == *text
    }

    /// Characters typed so far.
    pub fn len(&self) -> usize {
        self.text.chars().count()
    }

    /// Nothing more fits, so that something may be missing.
    pub fn is_full(&self) -> bool {
        self.text.len() + char::MAX.len_utf8() > CAPACITY
    }

    /// Takes the text out, with `more` behind it, and wipes the field.
    pub fn take_with(&mut self, more: &str) -> SentKey {
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.text.len() + more.len()));
        bytes.extend_from_slice(self.text.as_bytes());
        bytes.extend_from_slice(more.as_bytes());
        self.clear();
        SentKey::from(bytes)
    }

    pub fn clear(&mut self) {
        // Zeroizing a String wipes its whole buffer and keeps the allocation.
        self.text.zeroize();
    }

    /// Appends a text as it is, as far as it fits.
    pub fn put(&mut self, text: &str) {
        for c in text.chars() {
            if self.is_full() {
                return;
            }
            self.text.push(c);
        }
    }

    /// An Enter that came faster than a person types: in a paste without brackets it is the end of a line, and more lines
    /// may come. The timer of `overlay` tells whether it was the last.
    pub fn end_line(&mut self, overlay: u64) -> Effect {
        self.put("\n");
        self.entered = true;
        Effect::SetTimer { timer: Timer::Of(To::Overlay(overlay)), after: LAST }
    }

    /// Another key was pressed.
    pub fn touched(&mut self) {
        self.entered = false;
    }

    /// Whether such an Enter was the last key; once.
    pub fn was_entered(&mut self) -> bool {
        std::mem::take(&mut self.entered)
    }

    /// Takes an editing key: characters, backspace, Ctrl-U. Answers whether the text changed.
    pub fn key(&mut self, event: KeyEvent) -> bool {
        let before = self.text.len();
        match (event.code, event.modifiers) {
            (KeyCode::Char('u'), KeyModifiers::CONTROL) => self.clear(),
            (KeyCode::Backspace, _) => {
                self.text.pop();
            }
            (KeyCode::Char(c), modifiers)
                if !modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) =>
            {
                self.push(c);
            }
            _ => {}
        }
        self.text.len() != before
    }

    fn push(&mut self, c: char) {
        if !c.is_control() && self.text.len() + c.len_utf8() <= CAPACITY {
            self.text.push(c);
        }
    }
}

#[cfg(test)]
mod tests;
