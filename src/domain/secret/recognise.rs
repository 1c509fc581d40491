//! Finding secrets in text (VG-07), without copying them.

use std::ops::Range;

use super::Body;
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
/// This many dots in a row make a preview.
const FEWEST_DOTS: usize = 3;

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

/// The length in bytes of the dots and up to eight last characters that `rest` begins with.
fn preview_body(rest: &str) -> Option<usize> {
    let dots = rest.chars().take_while(|c| is_dot(*c)).count();
    if dots < FEWEST_DOTS {
        return None;
    }
    let masked: usize = rest.chars().take(dots).map(char::len_utf8).sum();
    let tail = rest[masked..].bytes().take_while(u8::is_ascii_alphanumeric).count();
    (1..=8).contains(&tail).then_some(masked + tail)
}

/// What lists and mails put in place of the hidden characters.
fn is_dot(c: char) -> bool {
    matches!(c, '\u{2022}' | '\u{00B7}' | '\u{25CF}' | '*' | '.')
}

/// Whether `text` as a whole is a masked preview, of whatever issuer: a prefix ending in `_`, three dots or more, up to
/// eight last characters. Somebody who pastes one holds no key in hand (VA-10).
pub fn looks_like_preview(text: &str) -> bool {
    let text = text.trim();
    let Some(dots) = text.find(is_dot) else { return false };
    let (prefix, rest) = text.split_at(dots);
    prefix.ends_with('_')
        && prefix.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
        && preview_body(rest) == Some(rest.len())
}

/// No body of a secret, cut or not, is taken for one below this many characters.
const SHORTEST_BODY: usize = 40;

/// Where the first thing stands in `text` that has the looks of a whole secret, of whatever issuer: a prefix that ends in
/// `_`, then letters and digits in a row as only a secret has them. In bytes.
///
/// What has these looks may neither be stored nor shown again (VG-03): it may be a key that works.
pub fn find_secret(text: &str) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let is_prefix = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    text.match_indices('_').find_map(|(at, _)| {
        let body = bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let prefix = bytes[..at].iter().rev().take_while(|byte| is_prefix(byte)).count();
        (body >= SHORTEST_BODY && prefix > 0).then(|| at - prefix..at + 1 + body)
    })
}
