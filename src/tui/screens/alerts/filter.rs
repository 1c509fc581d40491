//! The filter of the screen of alerts: `account:acme key:ID`, and words that are looked for in the rows at hand.

use crate::domain::key::KeyId;
use crate::domain::query::QueryError;
use crate::service::RaisedAlert;

/// What shall be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The account's slug.
    pub account: Option<String>,
    pub key: Option<KeyId>,
    /// In lower case; a row has all of them.
    words: Vec<String>,
}

impl Filter {
    /// Reads the filter's text. The error carries the place of the mistake.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let mut filter = Self::default();
        for word in text.split_whitespace() {
            match word.split_once(':') {
                Some(("account", slug)) if !slug.is_empty() => filter.account = Some(slug.to_owned()),
                Some(("key", id)) => {
                    filter.key = Some(id.parse().map_err(|_| {
                        let start = word.as_ptr() as usize - text.as_ptr() as usize;
                        let message = "key: needs a key's ID".to_owned();
                        QueryError { start, end: start + word.len(), message }
                    })?);
                }
                _ => filter.words.push(word.to_lowercase()),
            }
        }
        Ok(filter)
    }

    /// Whether the database answers both alike: it does not look for words.
    pub fn reads_same(&self, other: &Self) -> bool {
        (&self.account, &self.key) == (&other.account, &other.key)
    }

    /// Whether a row has all the words: in its kind, its severity, its sentence, its key, its account, its gate.
    pub fn fits(&self, raised: &RaisedAlert) -> bool {
        if self.words.is_empty() {
            return true;
        }
        let alert = &raised.alert;
        let mut text = format!(
            "{} {} {} {} {}",
            alert.kind(),
            alert.severity().as_str(),
            alert.about(),
            raised.sentence(),
            raised.gate
        );
        for part in [&raised.account, &raised.preview, &raised.acknowledged_by].into_iter().flatten() {
            text.push(' ');
            text.push_str(part);
        }
        let text = text.to_lowercase();
        self.words.iter().all(|word| text.contains(word.as_str()))
    }
}
