//! What may stand in a header and in a body (H4, H5).

use crate::domain::text::SafeText;

/// One line of safe text, without white space around it.
pub(super) fn line(text: &str) -> String {
    SafeText::new(text).trim().to_owned()
}

/// What a header says: one line of safe text, cut after 250 characters, because no line of a mail may be longer than 998
/// bytes and a word can't be folded.
pub(super) fn header(text: &str) -> String {
    cut(line(text), 250)
}

/// A server's words for a person: one line of safe text, cut after 300 characters.
pub(super) fn words(text: &str) -> String {
    cut(line(&text.split_whitespace().collect::<Vec<_>>().join(" ")), 300)
}

fn cut(mut text: String, most: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(most) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// A body: lines end with a line feed and nothing else; of the control characters only the tab remains.
///
/// What a letter says was cleaned more strictly before it came into a template; this is about the template's own text,
/// in which an operator may well use the characters that right-to-left scripts need.
pub(super) fn body(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let clean = |c: char| match c {
        '\n' | '\t' => c,
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    let mut body: String = text.chars().map(clean).collect();
    if !body.ends_with('\n') {
        body.push('\n');
    }
    body
}
