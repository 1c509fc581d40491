//! Finding secrets in text (VG-07), without copying them.

use std::ops::Range;

/// This many dots in a row make a preview.
const FEWEST_DOTS: usize = 3;

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
pub(super) fn is_dot(c: char) -> bool {
    matches!(c, '\u{2022}' | '\u{00B7}' | '\u{25CF}' | '\u{2026}' | '*' | '.')
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
pub(super) const SHORTEST_BODY: usize = 40;

/// Where the first thing stands in `text` that has the looks of a whole secret, of whatever issuer: a prefix that ends in
/// `_`, then letters and digits in a row as only a secret has them. In bytes.
///
/// What has these looks may neither be stored nor shown again (VG-03): it may be a key that works.
pub fn find_secret(text: &str) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let is_prefix = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    text.match_indices('_').find_map(|(at, _)| {
        let body = bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        if body < SHORTEST_BODY {
            return None;
        }
        let prefix = bytes[..at].iter().rev().take_while(|byte| is_prefix(byte)).count();
        (prefix > 0).then(|| at - prefix..at + 1 + body)
    })
}
