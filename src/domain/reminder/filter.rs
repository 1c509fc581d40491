//! Reading a filter of reminders: `state:failed account:acme key:ID to:ada@example.com` and free text.

use super::State;
use crate::domain::address::to_ascii;
use crate::domain::key::KeyId;
use crate::domain::query::QueryError;
use crate::domain::query::conditions::conditions;
use crate::domain::query::hints::nearest;
use crate::domain::query::parse::{Word, mistake};
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
        filter.text = conditions(text, "the reminders' filter", &FIELDS, &[], None, |name, word| {
            match name {
                "state" => filter.states = states(word)?,
                "account" => filter.account = Some(word.account()?),
                "key" => filter.key = Some(word.key()?),
                _ => {
                    let typed = word.whole.text.as_str();
                    filter.recipient =
                        Some(to_ascii(typed).map_or(typed.to_lowercase(), |to| to.to_lowercase()));
                }
            }
            Ok(())
        })?;
        Ok(filter)
    }
}

fn states(typed: &Word) -> Result<Vec<State>, QueryError> {
    let mut states = Vec::new();
    for word in typed.whole.text.to_ascii_lowercase().split(',') {
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
                return Err(mistake(typed.whole.span.clone(), format!("there is no state {found}: {hint}")));
            }
        }
    }
    Ok(states)
}
