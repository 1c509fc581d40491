//! Spellings: which invisible characters belong to a writing, and which texts are the same to a reader.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{canonical_combining_class, decompose_compatible};
use unicode_properties::UnicodeEmoji;

use super::is_safe;

const NON_JOINER: char = '\u{200C}';
const JOINER: char = '\u{200D}';
/// The combining class of the signs that take the vowel from a letter of India's scripts.
const VIRAMA: u8 = 9;

/// Whether `c` may reach a terminal between these two. Joiners and selectors may where they shape what is seen: between
/// emoji, between letters that join each other, behind a virama (RFC 5892, appendix A). Elsewhere they only hide that two
/// texts differ.
pub(super) fn is_safe_between(before: Option<char>, c: char, after: Option<char>) -> bool {
    let emoji = |c: char| !c.is_ascii() && c.is_emoji_char();
    match c {
        JOINER | NON_JOINER => {
            let (Some(before), after) = (before, after.unwrap_or(' ')) else { return false };
            let joined = c == JOINER && (emoji(before) || before == '\u{FE0F}') && emoji(after);
            let virama =
                |mark: char, letter: char| canonical_combining_class(mark) == VIRAMA && !letter.is_ascii();
            joined || joins(before) && joins(after) || virama(before, before) || virama(after, before)
        }
        '\u{FE0E}' | '\u{FE0F}' => {
            before.is_some_and(|c| emoji(c) || c.is_emoji_char() && after == Some('\u{20E3}'))
        }
        _ => is_safe(c),
    }
}

/// Letters, and marks on them, of scripts whose letters join each other.
fn joins(c: char) -> bool {
    let script = matches!(c,
        '\u{0600}'..='\u{077F}' | '\u{07C0}'..='\u{07FF}' | '\u{0840}'..='\u{08FF}' | '\u{1800}'..='\u{18AF}'
        | '\u{A840}'..='\u{A87F}' | '\u{10AC0}'..='\u{10AFF}' | '\u{1E900}'..='\u{1E95F}');
    script && (c.is_alphabetic() || canonical_combining_class(c) != 0)
}

/// The one spelling in which a text is kept (NFC).
pub fn composed(text: &str) -> String {
    text.nfc().collect()
}

/// `text` as search compares it, character by character: compatibility forms taken apart (full-width letters, ligatures),
/// in lower case, a dotted or dotless i as i, without joiners and selectors.
///
/// Unlike [`str::to_lowercase`] it does not look at neighbours (the Greek final sigma), so that a part of a text, folded,
/// is a part of the folded text. Both databases keep text folded by this very function, because their own `lower()` know
/// less of Unicode or depend on the locale. The text must be [`composed`].
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            _ if c.is_ascii() => folded.push(c.to_ascii_lowercase()),
            'İ' | 'ı' => folded.push('i'),
            _ => {
                decompose_compatible(c, |part| part.to_lowercase().for_each(|c| push_folded(&mut folded, c)))
            }
        }
    }
    folded
}

fn push_folded(folded: &mut String, c: char) {
    match c {
        'ı' => folded.push('i'),
        'ς' => folded.push('σ'),
        'ß' => folded.push_str("ss"),
        NON_JOINER | JOINER | '\u{FE0E}' | '\u{FE0F}' => {}
        _ => folded.push(c),
    }
}

/// What somebody typed, as search compares it.
pub fn fold_typed(text: &str) -> String {
    fold(&composed(text))
}
