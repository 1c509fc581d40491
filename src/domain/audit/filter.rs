//! Reading a filter of the audit: `actor:ada action:key.revoke account:acme key:ID` and free text.

use super::{Action, AuditFilter};
use crate::domain::account::check_slug;
use crate::domain::query::QueryError;
use crate::domain::query::hints::nearest;
use crate::domain::query::parse::{Word, mistake, words};
use crate::domain::text::SafeText;

const FIELDS: [&str; 4] = ["actor", "action", "account", "key"];

impl AuditFilter {
    /// Reads a filter. Each field may stand once; words without a field are one phrase, in their order. The error carries
    /// the place of the first mistake.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let mut filter = Self::default();
        let mut phrase: Vec<String> = Vec::new();
        for word in words(text)? {
            if word.negated {
                let span = word.whole.span.start.min(word.start())..word.whole.span.end;
                return Err(mistake(
                    span,
                    "the audit's filter knows no -: take it off, or put the word in quotation marks",
                ));
            }
            match &word.field {
                None => phrase.extend((!word.whole.text.is_empty()).then(|| word.whole.text.clone())),
                Some(_) => filter.set(&word)?,
            }
        }
        filter.text = (!phrase.is_empty()).then(|| phrase.join(" "));
        Ok(filter)
    }

    fn set(&mut self, word: &Word) -> Result<(), QueryError> {
        let Some(field) = &word.field else { return Ok(()) };
        let span = word.start()..word.whole.span.end.max(field.span.end + 1);
        let value = word.whole.text.as_str();
        let name = field.text.to_ascii_lowercase();
        let known = FIELDS.contains(&name.as_str()) || name == "by";
        if known && value.is_empty() {
            return Err(mistake(span, format!("{name}: needs a value")));
        }
        let taken = match name.as_str() {
            "actor" | "by" => self.actor.replace(value.to_owned()).is_some(),
            "action" => self.action.replace(action(word)?).is_some(),
            "account" => {
                let slug = value.to_lowercase();
                check_slug(&slug)
                    .map_err(|error| mistake(word.whole.span.clone(), format!("account: {error}")))?;
                self.account.replace(slug).is_some()
            }
            "key" => {
                let id = value.parse().map_err(|_| {
                    mistake(
                        word.whole.span.clone(),
                        "key: needs a whole id; look it up with `keyrack key find`",
                    )
                })?;
                self.key.replace(id).is_some()
            }
            _ => {
                let found = SafeText::new(name.as_str());
                let hint = match nearest(&name, FIELDS.into_iter()) {
                    Some(near) => format!("did you mean {near}:?"),
                    None => "there are actor, action, account and key; put other text with a colon in quotation marks".into(),
                };
                return Err(mistake(span, format!("there is no field {found}: {hint}")));
            }
        };
        if taken { Err(mistake(span, format!("{name}: stands here twice"))) } else { Ok(()) }
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
