//! Scopes: what a key may do. `resource:action`, as in the seed documents (VP-22).

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A set of granted scopes, in the order of their spelling.
///
/// Its text form is the space-separated list of RFC 6749 section 3.3, which is also how the database keeps it, and how it is
/// kept here: a gate remembers very many of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scopes(Box<str>);

impl Scopes {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.iter().count()
    }

    pub fn contains(&self, scope: &str) -> bool {
        self.iter().any(|held| held == scope)
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split_ascii_whitespace()
    }

    /// The space-separated form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads the space-separated form; repeated scopes count once.
    pub fn parse(text: &str) -> Self {
        let each: BTreeSet<&str> = text.split_whitespace().collect();
        Self(Vec::from_iter(each).join(" ").into())
    }
}

impl<S: Into<String>> FromIterator<S> for Scopes {
    fn from_iter<I: IntoIterator<Item = S>>(scopes: I) -> Self {
        let each: Vec<String> = scopes.into_iter().map(Into::into).collect();
        Self::parse(&each.join(" "))
    }
}

impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Vec::<String>::deserialize(from)?.into_iter().collect())
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Whether `text` is a scope's spelling: two words of lower-case letters, digits, `_`, `-`, `.` with one colon.
pub fn is_scope(text: &str) -> bool {
    let word =
        |w: &str| !w.is_empty() && w.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-' | '.'));
    text.split_once(':').is_some_and(|(resource, action)| word(resource) && word(action))
}
