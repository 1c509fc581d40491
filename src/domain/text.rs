//! Text that can't harm a terminal, a mail or a log (H11).

use std::fmt;
use std::ops::Deref;

use serde::{Serialize, Serializer};

/// Text without control, bidirectional, invisible or otherwise unprintable characters.
///
/// Everything that comes from the database or the network becomes one of these before a person sees it. Each
/// character that could harm is shown as U+FFFD, so that tampering is visible.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SafeText(String);

impl SafeText {
    /// Cleans `text`.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.chars().all(is_safe) {
            return Self(text);
        }
        Self(text.chars().map(|c| if is_safe(c) { c } else { char::REPLACEMENT_CHARACTER }).collect())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a character may reach a terminal as it is.
pub fn is_safe(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

impl Deref for SafeText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SafeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<&str> for SafeText {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for SafeText {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl Serialize for SafeText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
