//! Scopes: what a key may do. `resource:action`, as in the seed documents (VP-22).

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::spaced::write_spaced;

/// A set of granted scopes, in the order of their spelling.
///
/// Its text form is the space-separated list of RFC 6749 section 3.3, which is also how the database keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scopes(BTreeSet<String>);

impl Scopes {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn contains(&self, scope: &str) -> bool {
        self.0.contains(scope)
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Reads the space-separated form; repeated scopes count once.
    pub fn parse(text: &str) -> Self {
        text.split_whitespace().collect()
    }
}

impl<S: Into<String>> FromIterator<S> for Scopes {
    fn from_iter<I: IntoIterator<Item = S>>(scopes: I) -> Self {
        Self(scopes.into_iter().map(Into::into).collect())
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_spaced(f, self.iter())
    }
}

/// Whether `text` is a scope's spelling: two words of lower-case letters, digits, `_`, `-`, `.` with one colon.
pub fn is_scope(text: &str) -> bool {
    let word =
        |w: &str| !w.is_empty() && w.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-' | '.'));
    text.split_once(':').is_some_and(|(resource, action)| word(resource) && word(action))
}
