//! Reading a filter of the audit: `actor:ada action:key.revoke account:acme key:ID at:<7d` and free text.

use super::{Action, AuditFilter};
use crate::domain::query::QueryError;
use crate::domain::query::conditions::conditions;
use crate::domain::query::hints::nearest;
use crate::domain::query::parse::{Word, mistake};
use crate::domain::text::SafeText;
use crate::domain::when::Here;

const FIELDS: [&str; 6] = ["actor", "person", "action", "account", "key", "at"];

impl AuditFilter {
    /// Reads a filter. Each field may stand once, and `at` as often as it likes; words without a field are one phrase, in
    /// their order. The error carries the place of the first mistake.
    pub fn parse(text: &str, here: Here) -> Result<Self, QueryError> {
        let mut filter = Self::default();
        filter.text =
            conditions(text, "the audit's filter", &FIELDS, &["at"], Some(("by", "actor")), |name, word| {
                match name {
                    "actor" => filter.actor = Some(word.whole.text.clone()),
                    "person" => filter.person = Some(word.whole.text.clone()),
                    "action" => filter.action = Some(action(word)?),
                    "account" => filter.account = Some(word.account()?),
                    "at" => filter.at.extend(word.one("at")?.when("at", here)?),
                    _ => filter.key = Some(word.key()?),
                }
                Ok(())
            })?;
        Ok(filter)
    }
}

/// An action, or the noun before its dot.
fn action(word: &Word) -> Result<String, QueryError> {
    let value = word.whole.text.to_ascii_lowercase();
    let noun = |action: &Action| action.as_str().split('.').next() == Some(&value);
    if Action::ALL.iter().any(|action| action.as_str() == value || noun(action)) {
        return Ok(value);
    }
    let hint = match nearest(&value, Action::ALL.iter().map(|action| action.as_str())) {
        Some(near) => format!("did you mean {near}?"),
        None => "write one such as key.revoke, or its noun alone, such as key".to_owned(),
    };
    Err(mistake(
        word.whole.span.clone(),
        format!("action: does not know {:?}: {hint}", SafeText::new(value).as_str()),
    ))
}

#[cfg(test)]
mod tests;
