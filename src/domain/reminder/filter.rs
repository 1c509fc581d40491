//! Reading a filter of reminders: `state:failed account:acme key:ID to:ada@example.com` and free text.

use super::State;
use crate::domain::account::check_slug;
use crate::domain::key::KeyId;
use crate::domain::query::QueryError;
use crate::domain::query::hints::nearest;
use crate::domain::query::parse::{Word, mistake, words};
use crate::domain::text::SafeText;

/// Which reminders are wanted. Every condition that is set must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReminderFilter {
    /// Any of these; empty: all.
    pub states: Vec<State>,
    /// The account's slug.
    pub account: Option<String>,
    pub key: Option<KeyId>,
    /// A whole mail address that it goes to, in lower case.
    pub recipient: Option<String>,
    /// Part of the key's name.
    pub text: Option<String>,
}

const FIELDS: [&str; 4] = ["state", "account", "key", "to"];

impl ReminderFilter {
    /// Reads a filter. `state:` may name several (`state:failed,ambiguous`); `state:due` are pending and sending. Each field
    /// may stand once; words without a field are one phrase. The error carries the place of the first mistake.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let mut filter = Self::default();
        let mut phrase: Vec<String> = Vec::new();
        let mut seen: Vec<String> = Vec::new();
        for word in words(text)? {
            if word.negated {
                let span = word.whole.span.start.min(word.start())..word.whole.span.end;
                return Err(mistake(
                    span,
                    "the reminders' filter knows no -: take it off, or put the word in quotation marks",
                ));
            }
            match &word.field {
                None => phrase.extend((!word.whole.text.is_empty()).then(|| word.whole.text.clone())),
                Some(field) => {
                    let name = field.text.to_ascii_lowercase();
                    let span = word.start()..word.whole.span.end.max(field.span.end + 1);
                    if seen.contains(&name) {
                        return Err(mistake(span, format!("{name}: stands here twice")));
                    }
                    filter.set(&name, &word, span)?;
                    seen.push(name);
                }
            }
        }
        filter.text = (!phrase.is_empty()).then(|| phrase.join(" "));
        Ok(filter)
    }

    fn set(&mut self, name: &str, word: &Word, span: std::ops::Range<usize>) -> Result<(), QueryError> {
        let value = word.whole.text.as_str();
        let place = word.whole.span.clone();
        if FIELDS.contains(&name) && value.is_empty() {
            return Err(mistake(span, format!("{name}: needs a value")));
        }
        match name {
            "state" => self.states = states(value, &place)?,
            "account" => {
                let slug = value.to_lowercase();
                check_slug(&slug).map_err(|error| mistake(place, format!("account: {error}")))?;
                self.account = Some(slug);
            }
            "key" => {
                let id = value.parse().map_err(|_| {
                    mistake(place, "key: needs a whole id; look it up with `keyrack key find`")
                })?;
                self.key = Some(id);
            }
            "to" => self.recipient = Some(value.to_lowercase()),
            _ => {
                let found = SafeText::new(name);
                let hint = match nearest(name, FIELDS.into_iter()) {
                    Some(near) => format!("did you mean {near}:?"),
                    None => {
                        "there are state, account, key and to; put other text with a colon in quotation marks"
                            .into()
                    }
                };
                return Err(mistake(span, format!("there is no field {found}: {hint}")));
            }
        }
        Ok(())
    }
}

fn states(value: &str, place: &std::ops::Range<usize>) -> Result<Vec<State>, QueryError> {
    let mut states = Vec::new();
    for word in value.to_ascii_lowercase().split(',') {
        match (word.parse().ok(), word) {
            (Some(state), _) => states.push(state),
            (None, "due") => states.extend([State::Pending, State::Sending]),
            (None, _) => {
                let known: Vec<&str> = State::ALL.iter().map(|state| state.as_str()).collect();
                let hint = match nearest(word, known.iter().copied()) {
                    Some(near) => format!("did you mean {near}?"),
                    None => format!("there are {} and due", known.join(", ")),
                };
                let found = SafeText::new(word);
                return Err(mistake(place.clone(), format!("there is no state {found}: {hint}")));
            }
        }
    }
    Ok(states)
}
