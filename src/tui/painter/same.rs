//! Rows of a picture, and when two of their cells look the same.

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::Modifier;

/// Attributes that can be seen on a blank.
pub const ON_BLANK: Modifier = Modifier::REVERSED.union(Modifier::UNDERLINED).union(Modifier::CROSSED_OUT);

/// Whether two cells look the same: on a blank neither the letter's colour nor its weight can be seen.
pub fn looks_same(a: &Cell, b: &Cell) -> bool {
    if a.symbol() == " " && b.symbol() == " " {
        let (seen_a, seen_b) = (a.modifier & ON_BLANK, b.modifier & ON_BLANK);
        return a.bg == b.bg && seen_a == seen_b && (seen_a.is_empty() || a.fg == b.fg);
    }
    a.symbol() == b.symbol() && a.fg == b.fg && a.bg == b.bg && a.modifier == b.modifier
}

pub fn row(buffer: &Buffer, y: u16) -> &[Cell] {
    let width = usize::from(buffer.area.width);
    let from = usize::from(y) * width;
    &buffer.content[from..from + width]
}
