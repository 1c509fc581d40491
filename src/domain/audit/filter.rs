//! The filter of the audit: `actor:ada action:key.revoke account:acme key:ID` and words.

use super::{Action, AuditFilter};
use crate::domain::query::QueryError;

#[cfg(test)]
mod tests;

impl AuditFilter {
    /// Reads a filter. Words without a name are looked for, together, in subject and detail. A mistake is answered with
    /// its place.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let mut filter = Self::default();
        let mut words: Vec<&str> = Vec::new();
        for word in text.split_whitespace() {
            let start = word.as_ptr() as usize - text.as_ptr() as usize;
            let mistake = |message: String| QueryError { start, end: start + word.len(), message };
            let Some((name, value)) = word.split_once(':') else {
                words.push(word);
                continue;
            };
            if value.is_empty() {
                return Err(mistake(format!("write what {name} shall be, as in {name}:…")));
            }
            let own = || Some(value.to_owned());
            let before = match name {
                "actor" | "by" => std::mem::replace(&mut filter.actor, own()).is_some(),
                "account" => std::mem::replace(&mut filter.account, own()).is_some(),
                "action" => {
                    let noun = |action: &Action| action.as_str().split('.').next() == Some(value);
                    if !Action::ALL.iter().any(|action| action.as_str() == value || noun(action)) {
                        let known: Vec<&str> = Action::ALL.iter().map(|action| action.as_str()).collect();
                        return Err(mistake(format!("no action {value}: {}", known.join(", "))));
                    }
                    std::mem::replace(&mut filter.action, own()).is_some()
                }
                "key" => {
                    let id =
                        value.parse().map_err(|_| mistake(format!("{value} is no whole id of a key")))?;
                    filter.key.replace(id).is_some()
                }
                _ => {
                    let words = format!("{name} is not known: actor, action, account, key, or words");
                    return Err(mistake(words));
                }
            };
            if before {
                return Err(mistake(format!("{name} stands here twice")));
            }
        }
        filter.text = (!words.is_empty()).then(|| words.join(" "));
        Ok(filter)
    }
}
