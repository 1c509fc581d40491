//! A scanner as others have them: everything in a text that has the form of a secret is found by its prefix (VG-07).

use std::ops::Range;

use super::super::Body;
use super::super::recognise::preview_body;
use crate::domain::issuer::Format;

/// Something in a text that is, was or shows a secret. It holds places, never a copy of what stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The bytes of the text that it takes, prefix included.
    pub span: Range<usize>,
    /// Which of the formats it belongs to, counted from 0 in the order in which they were given.
    pub format: usize,
    /// The prefix that it was known by, present or former.
    pub prefix: String,
    pub kind: Kind,
}

/// How much of a secret was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The form is right, and the checksum where there is one.
    Whole,
    /// A body that is too short.
    Truncated,
    /// A body of the right length or longer with wrong characters or a wrong checksum.
    Altered,
    /// Prefix, dots and last characters: harmless.
    Preview,
}

/// A shorter body is taken for ordinary text, such as `gw_name`.
const SHORTEST: usize = 16;
/// Finds everything in `text` that has the form of a secret of one of the formats, in the order of the text.
///
/// A whole secret is found anywhere, also right behind other characters (`%20vg_pat_…`). What is damaged is only
/// reported where a word begins, so that ordinary identifiers are left alone.
pub fn recognise<'a>(text: &str, formats: impl Iterator<Item = &'a Format>) -> Vec<Found> {
    let mut prefixes: Vec<(usize, &str, Body)> = formats
        .enumerate()
        .flat_map(|(i, format)| format.prefixes().map(move |prefix| (i, prefix, format.body)))
        .collect();
    // The longest first: where `vg_` and `vg_pat_` both fit, the latter says more.
    prefixes.sort_by_key(|(_, prefix, _)| std::cmp::Reverse(prefix.len()));
    let mut found: Vec<Found> = Vec::new();
    let mut from = 0;
    while let Some(next) = earliest(text, from, &prefixes) {
        from = next.span.end;
        found.push(next);
    }
    found
}

/// The first find at or after byte `from`; of those at one place a whole one, else that of the longest prefix.
fn earliest(text: &str, from: usize, prefixes: &[(usize, &str, Body)]) -> Option<Found> {
    let mut best: Option<Found> = None;
    for (format, prefix, body) in prefixes {
        for (offset, _) in text[from..].match_indices(prefix) {
            let start = from + offset;
            if best.as_ref().is_some_and(|best| start > best.span.start) {
                break;
            }
            let Some((end, kind)) = judge(text, start, prefix, *body) else { continue };
            let better = best.as_ref().is_none_or(|best| {
                start < best.span.start || (kind == Kind::Whole && best.kind != Kind::Whole)
            });
            if better {
                best = Some(Found { span: start..end, format: *format, prefix: (*prefix).to_owned(), kind });
            }
            break;
        }
    }
    best
}

/// What stands behind a prefix at `start`: where it ends and what it is.
fn judge(text: &str, start: usize, prefix: &str, body: Body) -> Option<(usize, Kind)> {
    let rest = &text[start + prefix.len()..];
    let begins_word =
        !text[..start].chars().next_back().is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    if let Some(length) = preview_body(rest).filter(|_| begins_word) {
        return Some((start + prefix.len() + length, Kind::Preview));
    }
    let run = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let end = start + prefix.len() + run;
    if body.matches(prefix, &rest[..run]) {
        Some((end, Kind::Whole))
    } else if !begins_word || run < SHORTEST {
        None
    } else if run < body.length() {
        Some((end, Kind::Truncated))
    } else {
        Some((end, Kind::Altered))
    }
}
