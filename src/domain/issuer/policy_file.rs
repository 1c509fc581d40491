//! Policies as people write them: TOML, refused with line and reason where it is wrong.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::{Policy, Step};
use crate::domain::text::SafeText;

/// What is wrong with a policy's file. All of it is refused; nothing is applied in part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {reason}")]
pub struct PolicyError {
    /// Counts from 1.
    pub line: usize,
    /// Counts characters from 1.
    pub column: usize,
    pub reason: SafeText,
}

/// Reads a policy. The error is about the first fault and points at the offending value, or at the table that lacks it.
pub fn parse(text: &str) -> Result<Policy, PolicyError> {
    let policy: Policy =
        toml::from_str(text).map_err(|error| at(text, error.span().unwrap_or(0..0), error.message()))?;
    match policy.faults().into_iter().next() {
        None => Ok(policy),
        Some(fault) => Err(at(text, span(text, &fault.path).unwrap_or(0..0), &fault.to_string())),
    }
}

/// Reads a policy that may say at its top of which version of the database's policy it is: `version = 7`.
pub fn parse_versioned(text: &str) -> Result<(Policy, Option<i64>), PolicyError> {
    let Some((place, number)) = DeTable::parse(text).ok().and_then(|root| version(root.get_ref())) else {
        return Ok((parse(text)?, None));
    };
    let version = number.ok_or_else(|| at(text, place.clone(), "version: must be a whole number"))?;
    // The rest keeps its places.
    let mut rest = text.to_owned();
    rest.replace_range(place.clone(), &" ".repeat(place.len()));
    Ok((parse(&rest)?, Some(version)))
}

/// Where a file says its version, and the number, if it is one.
fn version(root: &DeTable<'_>) -> Option<(Range<usize>, Option<i64>)> {
    let (key, value) = root.iter().find(|(key, _)| key.get_ref() == "version")?;
    let number = value.get_ref().as_integer().and_then(|number| number.as_str().parse().ok());
    Some((key.span().start..value.span().end, number))
}

fn at(text: &str, span: Range<usize>, reason: &str) -> PolicyError {
    let before = &text[..text.floor_char_boundary(span.start)];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) + 1;
    // The parser's messages may have several lines.
    PolicyError {
        line,
        column,
        reason: SafeText::new(reason.split_whitespace().collect::<Vec<_>>().join(" ")),
    }
}

/// The place of the value at `path`, or of the innermost value on the way to it that the file has.
fn span(text: &str, path: &[Step]) -> Option<Range<usize>> {
    let root = DeTable::parse(text).ok()?;
    let (Step::Field(first), rest) = path.split_first()? else { return None };
    let mut here = field(root.get_ref(), first)?;
    for step in rest {
        let next = match (step, here.get_ref()) {
            (Step::Field(name), DeValue::Table(table)) => field(table, name),
            (Step::Member(n), DeValue::Array(array)) => array.get(*n),
            _ => None,
        };
        match next {
            Some(next) => here = next,
            None => break,
        }
    }
    Some(here.span())
}

fn field<'t, 'i>(table: &'t DeTable<'i>, name: &str) -> Option<&'t toml::Spanned<DeValue<'i>>> {
    table.iter().find(|(key, _)| key.get_ref() == name).map(|(_, value)| value)
}

/// The presets: slug and TOML text, in the order in which they are offered.
pub const PRESETS: [(&str, &str); 4] = [
    ("voicegram", include_str!("presets/voicegram.toml")),
    ("voxpria", include_str!("presets/voxpria.toml")),
    ("vozagent", include_str!("presets/vozagent.toml")),
    ("voiceinfra", include_str!("presets/voiceinfra.toml")),
];

/// The preset policy of this slug.
pub fn preset(slug: &str) -> Option<Policy> {
    let (_, text) = PRESETS.iter().find(|(name, _)| *name == slug)?;
    parse(text).ok()
}

/// All presets, in the order in which they are offered.
pub fn all_presets() -> Vec<Policy> {
    PRESETS.iter().filter_map(|(slug, _)| preset(slug)).collect()
}

#[cfg(test)]
mod tests;
