//! Long lines of the text part, broken at blanks.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The most columns of a line.
const COLUMNS: usize = 76;

/// Breaks every line that is wider than [`COLUMNS`], at a blank if there is one. What follows is set in below the line's
/// own beginning, and below the value of a `Label:  value`.
pub(super) fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    for line in text.lines() {
        // "-- " tells mail programs where the signature begins (RFC 3676, 4.3); elsewhere a blank at the end is only noise.
        let line = if line == "-- " { line } else { line.trim_end() };
        if line.width() <= COLUMNS {
            out.push_str(line);
            out.push('\n');
        } else {
            fold_line(line, &mut out);
        }
    }
    out
}

fn fold_line(line: &str, out: &mut String) {
    let indent = " ".repeat(hang(line).min(COLUMNS / 2));
    let mut width = 0;
    for word in words(line) {
        let wide = word.trim_end().width();
        if width > indent.len() && width + wide > COLUMNS {
            end_line(out);
            out.push_str(&indent);
            width = indent.len();
        }
        // A word that fits in no line is broken between characters.
        for grapheme in word.graphemes(true) {
            let wide = grapheme.width();
            if width + wide > COLUMNS && !grapheme.trim().is_empty() {
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
