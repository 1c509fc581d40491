//! The filter of the screen of alerts: `account:acme key:ID`, and words that are looked for in the rows at hand.

use crate::domain::key::KeyId;
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
    /// Reads the filter's text, or says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut filter = Self::default();
        for word in text.split_whitespace() {
            match word.split_once(':') {
                Some(("account", slug)) if !slug.is_empty() => filter.account = Some(slug.to_owned()),
                Some(("key", id)) => {
                    let id = id.parse().map_err(|_| "a key's id is needed behind key:".to_owned())?;
                    filter.key = Some(id);
                }
                _ => filter.words.push(word.to_lowercase()),
            }
        }
        Ok(filter)
    }

    /// Whether it looks for words, which the database does not.
    pub fn has_words(&self) -> bool {
        !self.words.is_empty()
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
