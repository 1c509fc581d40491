//! Leaked secrets: what a search through files and reports tells of them. Nothing here holds a part of a secret.

use strum::IntoStaticStr;

use super::secret::{HashedKey, find_secret};
use super::text::SafeText;

pub mod report;

/// In what form a text holds secrets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Detected from the content.
    #[default]
    Auto,
    Text,
    Gitleaks,
    Trufflehog,
    Sarif,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Leak {
    /// A secret of this database.
    Ours,
    /// Ours by its form; this database doesn't hold it.
    Unknown,
    /// Ours, but cut off, mistyped or masked.
    Damaged,
    /// A scanner found a secret and shows no more than a part of it.
    Redacted,
    /// Another provider's.
    Foreign,
}

impl Leak {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Where something was found: in a text, or where a report says that it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The file, or `-` for what was given.
    pub source: SafeText,
    /// Counted from 1, as the column.
    pub line: Option<usize>,
    pub column: Option<usize>,
    pub commit: Option<SafeText>,
}

/// What a scanner left of a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remains {
    /// What may be its SHA-256.
    pub hashes: Vec<HashedKey>,
    /// Its last four characters.
    pub tail: Option<String>,
}

/// A name from outside, such as a path, without what has the looks of a secret.
pub fn shown(name: &str) -> SafeText {
    let (mut shown, mut rest) = (String::new(), name);
    while let Some(secret) = find_secret(rest) {
        shown.push_str(&rest[..secret.start]);
        shown.push('…');
        rest = &rest[secret.end..];
    }
    shown.push_str(rest);
    SafeText::new(shown)
}
