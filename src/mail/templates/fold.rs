//! Long lines of the text part, broken at blanks.

use std::collections::BTreeSet;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The most columns of a line.
const COLUMNS: usize = 76;

/// What stands between the two columns of [`beside`].
const GAP: &str = "  ";

/// Breaks every line that is wider than [`COLUMNS`], at a blank if there is one. What follows is set in below the line's
/// own beginning, and below the value of a `Label:  value` and of a step `1. do`. A word of `whole` is never broken: a link that is would lead nowhere.
pub(super) fn fold(text: &str, whole: &BTreeSet<String>) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    for line in text.lines() {
        // "-- " tells mail programs where the signature begins (RFC 3676, 4.3); elsewhere a blank at the end is only noise.
        let line = if line == "-- " { line } else { line.trim_end() };
        if line.width() <= COLUMNS {
            out.push_str(line);
            out.push('\n');
        } else {
            fold_line(line, COLUMNS, hang(line).min(COLUMNS / 2), whole, &mut out);
        }
    }
    out
}

/// The text, filled up with blanks to so many columns.
pub(super) fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// Two columns, the left one `width` wide, the right one up to [`COLUMNS`]. Each text is a line of its column, or several
/// where it is too long for one; empty ones are left out.
pub(super) fn beside(left: &[String], right: &[String], width: usize) -> String {
    // A template may ask for any width; a character takes up to two columns.
    let width = width.clamp(2, COLUMNS - GAP.len() - 2);
    let wrapped = |texts: &[String], columns: usize| -> Vec<String> {
        let mut out = String::new();
        for text in texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()) {
            fold_line(text, columns, 0, &BTreeSet::new(), &mut out);
        }
        out.lines().map(str::to_owned).collect()
    };
    let (left, right) = (wrapped(left, width), wrapped(right, COLUMNS - GAP.len() - width));
    let line = |row| {
        let [left, right] = [&left, &right].map(|side| side.get(row).map_or("", String::as_str));
        format!("{}{GAP}{right}", pad(left, width)).trim_end().to_owned()
    };
    (0..left.len().max(right.len())).map(line).collect::<Vec<_>>().join("\n")
}

fn fold_line(line: &str, columns: usize, indent: usize, whole: &BTreeSet<String>, out: &mut String) {
    let indent = " ".repeat(indent);
    let mut width = 0;
    for word in words(line) {
        let wide = word.trim_end().width();
        if width > indent.len() && width + wide > columns {
            end_line(out);
            out.push_str(&indent);
            width = indent.len();
        }
        if whole.contains(word.trim()) {
            out.push_str(word);
            width += word.width();
            continue;
        }
        // A word that fits in no line is broken between characters.
        for grapheme in word.graphemes(true) {
            let wide = grapheme.width();
            if width + wide > columns && !grapheme.trim().is_empty() {
                end_line(out);
                out.push_str(&indent);
                width = indent.len();
            }
            out.push_str(grapheme);
            width += wide;
        }
    }
    end_line(out);
}

fn end_line(out: &mut String) {
    out.truncate(out.trim_end_matches(' ').len());
    out.push('\n');
}

/// How many columns the lines that follow are set in.
fn hang(line: &str) -> usize {
    let start = line.len() - line.trim_start().len();
    let label = line[start..].find(":  ").filter(|at| *at <= 16 && line[start..][..*at].is_ascii());
    let rest = &line[start..];
    let step = rest.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix(". ");
    if let Some(step) = step.filter(|_| rest.starts_with(|c: char| c.is_ascii_digit())) {
        return line.len() - step.trim_start().len();
    }
    match label {
        Some(at) => {
            let value = start + at + 1;
            value + line[value..].len() - line[value..].trim_start().len()
        }
        None => start,
    }
}

/// The words of a line, each with the blanks behind it; the first with those before it too.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let lead = rest.len() - rest.trim_start_matches(' ').len();
        let word = rest[lead..].find(' ').map_or(rest.len(), |at| lead + at);
        let end = rest.len() - rest[word..].trim_start_matches(' ').len();
        let (word, left) = rest.split_at(end);
        rest = left;
        (!word.is_empty()).then_some(word)
    })
}

#[cfg(test)]
mod tests;
