//! Text that can't harm a terminal, a mail or a log (H11).

use std::borrow::Cow;

use derive_more::{Deref, Display};
use serde::{Deserialize, Deserializer, Serialize};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use super::secret::find_secret;

mod spelling;

use spelling::is_safe_between;
pub use spelling::{composed, fold, fold_typed};

/// Text without control, bidirectional, invisible or otherwise unprintable characters.
///
/// Everything that comes from the database or the network becomes one of these before a person sees it. Each
/// character that could harm is shown as U+FFFD, so that tampering is visible.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deref, Display, Serialize)]
#[deref(forward)]
#[serde(transparent)]
pub struct SafeText(String);

impl SafeText {
    /// Cleans `text`.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Self(text);
        }
        let mut safe = String::with_capacity(text.len());
        let mut before = None;
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            let fits = is_safe_between(before, c, rest.peek().copied());
            let shown = if fits { c } else { char::REPLACEMENT_CHARACTER };
            safe.push(shown);
            before = Some(shown);
        }
        Self(safe)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A row's name behind what of the row can't be read, which this says; the name alone where all of it can.
    pub fn before<'a>(&self, name: &'a str) -> Cow<'a, str> {
        if self.0.is_empty() {
            Cow::Borrowed(name)
        } else {
            format!("can't be read: {} · {name}", self.0).into()
        }
    }
}

/// Whether a character may reach a terminal as it is.
///
/// Refused are, by Unicode's general category: controls (Cc), format characters (Cf: bidirectional controls, zero-width
/// characters, the soft hyphen, tags), line and paragraph separators, surrogates, private use, and what is not assigned;
/// and those of other categories that leave no mark: fillers and variation selectors. Kept are the few format characters
/// that can be seen (the Arabic number signs). What shapes its neighbours, joiners and the two selectors that choose between
/// text and emoji, is judged by them (see `spelling`).
pub fn is_safe(c: char) -> bool {
    use GeneralCategory as G;
    if c.is_ascii() {
        return matches!(c, ' '..='~');
    }
    match c.general_category() {
        G::Control
        | G::LineSeparator
        | G::ParagraphSeparator
        | G::Surrogate
        | G::PrivateUse
        | G::Unassigned => false,
        G::Format => is_visible_format(c),
        _ => !is_invisible(c),
    }
}

/// Format characters that enclose or precede a number and are drawn (Unicode's Prepended_Concatenation_Mark).
fn is_visible_format(c: char) -> bool {
    matches!(c,
        '\u{0600}'..='\u{0605}' | '\u{06DD}' | '\u{070F}' | '\u{0890}'..='\u{0891}' | '\u{08E2}'
        | '\u{110BD}' | '\u{110CD}')
}

/// Letters, marks and signs that leave nothing on the screen: Unicode's Default_Ignorable_Code_Point outside Cf, the braille
/// cell without dots, Egyptian blanks, the filler of Khitan's small script and music's null notehead.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{034F}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{3164}'
        | '\u{2800}' | '\u{FE00}'..='\u{FE0D}' | '\u{FFA0}' | '\u{13441}'..='\u{13442}' | '\u{16FE4}' | '\u{1D159}'
        | '\u{E0000}'..='\u{E0FFF}')
}

/// The most characters that a key's name may have; the least is one.
pub const NAME_MAX: usize = 100;
/// The most characters of a description.
pub const DESCRIPTION_MAX: usize = 500;
/// The most characters of the note at a revocation.
pub const REASON_MAX: usize = 200;

/// Why a text that somebody typed was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    #[error("must not be empty")]
    Empty,
    #[error("holds {length} characters, at most {max} are possible: shorten it")]
    TooLong { length: usize, max: usize },
    #[error("character {place} is a line break: write it in one line")]
    LineBreak { place: usize },
    /// Text is stored and shown; a secret never is (VG-03).
    #[error("from character {place} on it looks like a complete secret: write its preview or its ID instead")]
    Secret { place: usize },
    /// A control, bidirectional, invisible, private or unassigned character.
    #[error("character {place} is U+{:04X}, which can't be shown or hides something: remove it", u32::from(*.found))]
    Character {
        found: char,
        /// Counts from 1, in the text without the white space around it.
        place: usize,
    },
}

/// Checks a name: 1 to [`NAME_MAX`] characters of any printable Unicode (VG-09, VP-21), in one line.
/// Answers with the name without the white space around it, in the one spelling that is kept.
pub fn check_name(text: &str) -> Result<String, TextError> {
    // A name that nobody can see is as bad as none.
    if text.chars().all(|c| c.is_whitespace() || c == '\u{2800}') {
        return Err(TextError::Empty);
    }
    check(text, NAME_MAX)
}

/// Checks a description: at most [`DESCRIPTION_MAX`] characters, in one line; may be empty.
pub fn check_description(text: &str) -> Result<String, TextError> {
    check(text, DESCRIPTION_MAX)
}

/// Checks the note at a revocation: at most [`REASON_MAX`] characters, in one line; may be empty.
pub fn check_reason(text: &str) -> Result<String, TextError> {
    check(text, REASON_MAX)
}

fn check(text: &str, max: usize) -> Result<String, TextError> {
    let text = text.trim();
    let mut before = None;
    let mut rest = text.chars().enumerate().peekable();
    while let Some((i, found)) = rest.next() {
        if !is_safe_between(before, found, rest.peek().map(|(_, c)| *c)) {
            let place = i + 1;
            return Err(match found {
                '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => TextError::LineBreak { place },
                _ => TextError::Character { found, place },
            });
        }
        before = Some(found);
    }
    let text = composed(text);
    let length = text.chars().count();
    if length > max {
        return Err(TextError::TooLong { length, max });
    }
    if let Some(found) = find_secret(&text) {
        return Err(TextError::Secret { place: text[..found.start].chars().count() + 1 });
    }
    Ok(text)
}

impl<T: Into<String>> From<T> for SafeText {
    fn from(text: T) -> Self {
        Self::new(text)
    }
}

impl<'de> Deserialize<'de> for SafeText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// Bytes in hexadecimal, in small letters.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `1000000` as `1,000,000`.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 letter`, `1,024 letters`.
pub fn counted(n: u64, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{} {noun}s", thousands(n)) }
}

/// What begins a formula in a spreadsheet: in ASCII, full width, small and as the sign for minus. With a Chinese or Japanese
/// keyboard's settings, the wide ones count as the narrow ones.
const FORMULA: [char; 13] = ['=', '+', '-', '@', '＝', '＋', '－', '＠', '﹦', '﹢', '﹣', '﹫', '−'];

/// A field of CSV. A text that a spreadsheet would take for a formula gets an apostrophe before it, and so does one that
/// begins with an apostrophe: who reads a field back takes one apostrophe at its beginning away.
pub fn for_spreadsheets(text: String) -> String {
    let seen = text.trim_start_matches(|c: char| c.is_whitespace() || c.is_control());
    if text.starts_with(['\'', '\t', '\r', '\n']) || seen.starts_with(FORMULA) {
        format!("'{text}")
    } else {
        text
    }
}

/// A name in lower-case letters, digits and single hyphens, at most `most` of them.
pub fn hyphened(name: &str, most: usize) -> String {
    let mut text = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            text.push(c);
        } else if !text.is_empty() && !text.ends_with('-') {
            text.push('-');
        }
    }
    text.truncate(most);
    text.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests;
