//! Reading the filters that are simpler than a query: fields that stand once each, and free text.

use super::hints::nearest;
use super::parse::{Piece, Word, mistake, words};
use super::{Bound, Point, QueryError};
use crate::domain::account::check_slug;
use crate::domain::key::KeyId;
use crate::domain::owner::check_tag;
use crate::domain::spaced::unique;
use crate::domain::text::SafeText;
use crate::domain::when::{Here, Moment, Side};

/// Hands every field to `set`, by its name of `fields`, each once but for `often`; `alias` is another spelling of one of them. Answers the words
/// without a field as one phrase, in their order. The error carries the place of the first mistake.
pub(in crate::domain) fn conditions(
    text: &str,
    whose: &str,
    fields: &[&str],
    often: &[&str],
    alias: Option<(&str, &str)>,
    mut set: impl FnMut(&str, &Word) -> Result<(), QueryError>,
) -> Result<Option<String>, QueryError> {
    let mut phrase: Vec<String> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for word in words(text)? {
        if word.negated {
            let span = word.whole.span.start.min(word.start())..word.whole.span.end;
            let why = format!("{whose} doesn't support -: remove it, or put the word in quotation marks");
            return Err(mistake(span, why));
        }
        let Some(field) = &word.field else {
            phrase.extend((!word.whole.text.is_empty()).then_some(word.whole.text));
            continue;
        };
        let typed = field.text.to_ascii_lowercase();
        let name = alias.filter(|(other, _)| *other == typed).map_or(typed.as_str(), |(_, name)| name);
        let why = match fields.iter().find(|field| **field == name) {
            None => unknown(&typed, fields),
            Some(name) if seen.contains(name) && !often.contains(name) => {
                format!("{typed}: is given twice")
            }
            Some(_) if word.whole.text.is_empty() => format!("{typed}: needs a value"),
            Some(name) => {
                seen.push(name);
                set(name, &word)?;
                continue;
            }
        };
        return Err(mistake(word.span(field), why));
    }
    Ok((!phrase.is_empty()).then(|| phrase.join(" ")))
}

fn unknown(name: &str, fields: &[&str]) -> String {
    let hint = match (nearest(name, fields.iter().copied()), fields.split_last()) {
        (None, Some((last, more))) => format!(
            "there are {} and {last}; put other text with a colon in quotation marks",
            more.join(", ")
        ),
        (near, _) => format!("did you mean {}:?", near.unwrap_or_default()),
    };
    format!("there is no field {}: {hint}", SafeText::new(name))
}

impl Word {
    /// The account's slug that it names.
    pub fn account(&self) -> Result<String, QueryError> {
        let slug = self.whole.text.to_lowercase();
        check_slug(&slug).map_err(|error| mistake(self.whole.span.clone(), format!("account: {error}")))?;
        Ok(slug)
    }

    /// The key's whole id.
    pub fn key(&self) -> Result<KeyId, QueryError> {
        let why = "key: needs a whole id; look it up with `keyrack key find`";
        self.whole.text.parse().map_err(|_| mistake(self.whole.span.clone(), why))
    }

    /// The tags that it names, and the word `none`.
    pub(super) fn tags(&self) -> Result<Vec<String>, QueryError> {
        let tag = |value: &Piece| match value.text.to_lowercase() {
            none if none == "none" => Ok(none),
            tag => check_tag(&tag).map_err(|error| mistake(value.span.clone(), format!("tag: {error}"))),
        };
        self.values.iter().map(tag).collect::<Result<Vec<_>, _>>().map(unique)
    }
}

impl Piece {
    /// The bounds of a time of the past: as in the filter of keys, and a day alone is that day.
    pub fn when(&self, field: &str, here: Here) -> Result<Vec<Bound>, QueryError> {
        let day = match Moment::parse(&self.text, here, Side::Back) {
            Some(day @ Moment::Day(_)) => day.range(here),
            _ => None,
        };
        match day {
            Some((from, to)) => {
                let tick = chrono::Duration::microseconds(1);
                Ok(vec![Bound::After(Point::At(from - tick)), Bound::Before(Point::At(to + tick))])
            }
            None => self.past(field, here).map(|bound| vec![bound]),
        }
    }
}
