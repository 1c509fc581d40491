//! One key with its modifiers.

use std::fmt;

use crokey::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use crokey::{KeyCombination, OneToThree};

/// One key with its modifiers, in the one spelling in which every terminal's way of reporting it ends up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Chord(KeyCombination);

impl Chord {
    /// Reads the notation of crokey: `d`, `ctrl-r`, `shift-g` or `G`, `f1`, `pageup`, `esc`, `space`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bad = || {
            format!(
                "{text:?} isn't a valid key. Write d, G, ctrl-r, alt-enter, f1, pageup, esc, tab, space or the like"
            )
        };
        let mut chars = text.chars();
        if let (Some(c), None) = (chars.next(), chars.next()) {
            // crokey takes letters in any case for the key without shift, and knows ASCII only.
            return if c.is_control() || c.is_whitespace() {
                Err(bad())
            } else {
                Ok(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE).into())
            };
        }
        let combination: KeyCombination = crokey::parse(text).map_err(|_| bad())?;
        if !combination.is_ansi_compatible() {
            return Err(format!(
                "{text:?} is several keys at once, which terminals don't report. Take one key with ctrl-, alt- or shift-"
            ));
        }
        Ok(combination.into())
    }

    /// Whether this key types a character into a text field.
    pub fn is_text(self) -> bool {
        let OneToThree::One(KeyCode::Char(_)) = self.0.codes else { return false };
        !self.0.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SUPER)
    }
}

impl From<KeyCombination> for Chord {
    fn from(combination: KeyCombination) -> Self {
        let mut combination = combination.normalized();
        // Some terminals report shift with a character that needs it (`?`), others don't.
        if let OneToThree::One(KeyCode::Char(c)) = combination.codes
            && !c.is_alphabetic()
            && c != ' '
        {
            combination.modifiers.remove(KeyModifiers::SHIFT);
        }
        if let OneToThree::One(KeyCode::Tab) = combination.codes
            && combination.modifiers.contains(KeyModifiers::SHIFT)
        {
            combination.codes = OneToThree::One(KeyCode::BackTab);
        }
        if let OneToThree::One(KeyCode::BackTab) = combination.codes {
            combination.modifiers.insert(KeyModifiers::SHIFT);
        }
        Self(combination)
    }
}

impl From<KeyEvent> for Chord {
    fn from(event: KeyEvent) -> Self {
        KeyCombination::from(event).into()
    }
}

impl fmt::Display for Chord {
    /// As people write keys: `d`, `G`, `^r`, `⏎`-free words such as `Enter`, `Esc`, `PgUp`, and arrows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let OneToThree::One(code) = self.0.codes else { return write!(f, "{}", self.0) };
        let modifiers = self.0.modifiers;
        let mut text = String::new();
        if modifiers.contains(KeyModifiers::CONTROL) {
            text.push('^');
        }
        if modifiers.contains(KeyModifiers::ALT) {
            text.push_str("Alt-");
        }
        if modifiers.contains(KeyModifiers::SHIFT) && !matches!(code, KeyCode::Char(_) | KeyCode::BackTab) {
            text.push_str("S-");
        }
        match code {
            KeyCode::Char(' ') => text.push_str("Space"),
            KeyCode::Char(c) => text.push(c),
            KeyCode::Enter => text.push_str("Enter"),
            KeyCode::Esc => text.push_str("Esc"),
            KeyCode::Tab => text.push_str("Tab"),
            KeyCode::BackTab => text.push_str("S-Tab"),
            KeyCode::Backspace => text.push_str("Bksp"),
            KeyCode::Delete => text.push_str("Del"),
            KeyCode::Insert => text.push_str("Ins"),
            KeyCode::Home => text.push_str("Home"),
            KeyCode::End => text.push_str("End"),
            KeyCode::PageUp => text.push_str("PgUp"),
            KeyCode::PageDown => text.push_str("PgDn"),
            KeyCode::Up => text.push('↑'),
            KeyCode::Down => text.push('↓'),
            KeyCode::Left => text.push('←'),
            KeyCode::Right => text.push('→'),
            KeyCode::F(n) => text.push_str(&format!("F{n}")),
            _ => text.push_str(&self.0.to_string()),
        }
        f.pad(&text)
    }
}
