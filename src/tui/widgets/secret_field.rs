//! A line that takes a secret: masked, wiped, never copied.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use zeroize::{Zeroize, Zeroizing};

use crate::domain::secret::SentKey;

/// Bytes that fit: many lines of a log, where a terminal pastes without brackets.
const CAPACITY: usize = 64 * 1024;

/// A secret while it is typed or pasted. Never grows beyond its first allocation, so that no copy stays behind (H15);
/// wiped when dropped; `Debug` shows nothing of it.
#[derive(derive_more::Debug)]
#[debug("SecretInput(…)")]
pub struct SecretInput(Zeroizing<String>);

impl Default for SecretInput {
    fn default() -> Self {
        Self(Zeroizing::new(String::with_capacity(CAPACITY)))
    }
}

impl SecretInput {
    pub fn is_empty(&self) -> bool {
        self.0.trim().is_empty()
    }

    /// Characters typed so far.
    pub fn len(&self) -> usize {
        self.0.chars().count()
    }

    /// Nothing more fits, so that something may be missing.
    pub fn is_full(&self) -> bool {
        self.0.len() + char::MAX.len_utf8() > CAPACITY
    }

    /// Takes the text out, with `more` behind it, and wipes the field.
    pub fn take_with(&mut self, more: &str) -> SentKey {
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.0.len() + more.len()));
        bytes.extend_from_slice(self.0.as_bytes());
        bytes.extend_from_slice(more.as_bytes());
        self.clear();
        SentKey::from(bytes)
    }

    pub fn clear(&mut self) {
        // Zeroizing a String wipes its whole buffer and keeps the allocation.
        self.0.zeroize();
    }

    /// Appends a text as it is, as far as it fits.
    pub fn put(&mut self, text: &str) {
        for c in text.chars() {
            if self.is_full() {
                return;
            }
            self.0.push(c);
        }
    }

    /// The end of a line, in text that has several.
    pub fn new_line(&mut self) {
        if !self.is_full() {
            self.0.push('\n');
        }
    }

    /// Takes an editing key: characters, backspace, Ctrl-U. Answers whether the text changed.
    pub fn key(&mut self, event: KeyEvent) -> bool {
        let before = self.0.len();
        match (event.code, event.modifiers) {
            (KeyCode::Char('u'), KeyModifiers::CONTROL) => self.clear(),
            (KeyCode::Backspace, _) => {
                self.0.pop();
            }
            (KeyCode::Char(c), modifiers)
                if !modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) =>
            {
                self.push(c);
            }
            _ => {}
        }
        self.0.len() != before
    }

    fn push(&mut self, c: char) {
        if !c.is_control() && self.0.len() + c.len_utf8() <= CAPACITY {
            self.0.push(c);
        }
    }
}

#[cfg(test)]
mod tests;
