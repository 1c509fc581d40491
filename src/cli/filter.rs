//! Filters as they are typed, and their mistakes as they are shown.

use super::failure::{Failure, Result, clean};
use super::session::Session;
use crate::domain::audit::AuditFilter;
use crate::domain::query::{Cursor, Query, QueryError};

/// Reads a filter of keys; a mistake in it is marked at its place.
pub fn query(text: &str, session: &Session) -> Result<Query> {
    Query::parse(text, session.here(session.clock.now()))
        .map_err(|error| Failure::usage(marked(text, &error)))
}

/// Reads the filter of keys about which something is decided: one that asks for nothing was not meant.
pub fn narrowing(text: &str, session: &Session) -> Result<Query> {
    let query = query(text, session)?;
    if query.terms.is_empty() {
        return Err(Failure::usage(
            "an empty filter matches every key: write for example --filter account:acme",
        ));
    }
    Ok(query)
}

/// Reads the place in a table of keys that `--after` takes.
pub fn place(text: &str, list: &str) -> Result<Cursor> {
    Cursor::parse(text).map_err(|_| {
        Failure::usage(format!(
            "{text:?} isn't a valid place in a list: --after takes what an earlier `{list}` named"
        ))
    })
}

/// Reads a filter of the audit.
pub fn audit(text: &str, session: &Session) -> Result<AuditFilter> {
    AuditFilter::parse(text, session.here(session.clock.now()))
        .map_err(|error| Failure::usage(marked(text, &error)))
}

/// The mistake, the filter, and a caret under the place.
pub fn marked(text: &str, error: &QueryError) -> String {
    let width = |part: &str| unicode_width::UnicodeWidthStr::width(clean(part).as_str());
    let (start, end) = (error.start.min(text.len()), error.end.min(text.len()));
    let before = " ".repeat(width(text.get(..start).unwrap_or_default()));
    let carets = "^".repeat(width(text.get(start..end).unwrap_or_default()).max(1));
    // A filter of several lines would tear the caret from its place.
    let text = text.replace('\n', " ");
    format!("the filter can't be read: {error}\n  {text}\n  {before}{carets}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_in_a_filter_is_marked_at_its_place() {
        let error =
            QueryError { start: "梨 ".len(), end: "梨 status:odd".len(), message: "no such status".into() };
        assert_eq!(
            marked("梨 status:odd x", &error),
            "the filter can't be read: no such status\n  梨 status:odd x\n     ^^^^^^^^^^"
        );
        let at_the_end = QueryError { start: 8, end: 8, message: "a value is missing".into() };
        assert_eq!(
            marked("account:", &at_the_end),
            "the filter can't be read: a value is missing\n  account:\n          ^"
        );
    }
}
