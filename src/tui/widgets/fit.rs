//! Text cut and padded to columns of the terminal.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::style::Style;
use ratatui::text::Line;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Columns that `text` takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// `text` cut to at most `columns`, with an ellipsis where something is missing.
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut out = window(text, 0, columns.saturating_sub(1));
    if columns > 0 {
        out.push('…');
    }
    out
}

/// The end of `text` in at most `columns`: of a path the end says more than the beginning.
pub fn cut_left(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    format!("…{}", window(text, width(text) + 1 - columns, columns.saturating_sub(1)))
}

/// What is seen in `columns` of a text that is longer, moved to the left by `by`, no further than to its end.
pub fn moved(text: &str, columns: usize, by: usize) -> Cow<'_, str> {
    let over = width(text).saturating_sub(columns);
    if over == 0 || by == 0 || columns == 0 {
        return Cow::Borrowed(text);
    }
    let skip = by.min(over) + 1;
    Cow::Owned(format!("…{}", window(text, skip, width(text))))
}

/// Writes text into a row, cut to `columns`.
pub fn put(buffer: &mut Buffer, x: u16, y: u16, columns: u16, text: &str, style: Style) {
    buffer.set_stringn(x, y, cut(text, columns.into()), columns.into(), style);
}

/// Like [`put`], at the right end of the columns.
pub fn put_right(buffer: &mut Buffer, x: u16, y: u16, columns: u16, text: &str, style: Style) {
    let text = cut(text, columns.into());
    let indent = columns.saturating_sub(u16::try_from(width(&text)).unwrap_or(columns));
    put(buffer, x + indent, y, columns - indent, &text, style);
}

/// `text` cut and filled up with spaces to exactly `columns`.
pub fn pad(text: &str, columns: usize) -> String {
    let mut out = cut(text, columns);
    out.extend(std::iter::repeat_n(' ', columns.saturating_sub(width(&out))));
    out
}

/// A key's preview in at most `columns`: with fewer dots, so that its beginning and its end stay to be seen.
pub fn squeeze(preview: &str, columns: usize) -> Cow<'_, str> {
    let count = preview.chars().count();
    let dots = preview.chars().filter(|c| *c == '•').count();
    if count <= columns || dots + columns < count + 2 {
        return Cow::Borrowed(preview);
    }
    let mut spare = count - columns;
    let kept = preview.chars().filter(|c| {
        let leave = *c == '•' && spare > 0;
        spare -= usize::from(leave);
        !leave
    });
    Cow::Owned(kept.collect())
}

/// The part of `text` that begins `skip` columns in and takes at most `columns`. A wide character that stands on the
/// left edge becomes a space.
pub fn window(text: &str, skip: usize, columns: usize) -> String {
    let mut out = String::new();
    let (mut at, mut taken) = (0, 0);
    for grapheme in text.graphemes(true) {
        let wide = width(grapheme);
        if at >= skip {
            if taken + wide > columns {
                break;
            }
            out.push_str(grapheme);
            taken += wide;
        } else if at + wide > skip && taken < columns {
            out.push(' ');
            taken += 1;
        }
        at += wide;
    }
    out
}

/// `text` in lines of at most `columns`, broken between words where that is possible.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let mut word = word.to_owned();
        if !line.is_empty() && width(&line) + 1 + width(&word) > columns {
            lines.push(std::mem::take(&mut line));
        }
        while width(&word) > columns {
            let head = window(&word, 0, columns);
            // A character wider than the column still has to go somewhere.
            let cut =
                if head.is_empty() { word.chars().next().map_or(0, char::len_utf8) } else { head.len() };
            let rest = word.split_off(cut);
            lines.push(std::mem::replace(&mut word, rest));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    lines.push(line);
    lines
}

/// The same as lines in one style.
pub fn lines(text: &str, columns: usize, style: Style) -> Vec<Line<'static>> {
    wrap(text, columns).into_iter().map(|part| Line::styled(part, style)).collect()
}

/// At most `most` lines: what has no room in the last one is cut off.
pub fn wrap_within(text: &str, columns: usize, most: usize) -> Vec<String> {
    let mut lines = wrap(text, columns);
    if lines.len() > most && most > 0 {
        let rest = lines.split_off(most - 1).join(" ");
        lines.push(cut(&rest, columns));
    }
    lines
}
