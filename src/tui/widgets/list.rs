//! A plain list with a heading: rows, one of them selected.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::super::styles::Styles;
use super::fit;
use crate::config::theme::Role;

/// The place of a list below one line of something else.
pub fn list_area(area: Rect) -> Rect {
    let above = 1.min(area.height);
    Rect { y: area.y + above, height: area.height - above, ..area }
}

/// How many rows a list shows there, below its heading.
pub fn page(list: Rect) -> usize {
    usize::from(list.height.saturating_sub(1))
}

/// A column: heading and width. One column of width 0 takes what is left.
pub struct Column {
    pub title: &'static str,
    pub width: usize,
    /// Numbers stand at the right, so that their digits can be compared.
    pub right: bool,
}

pub const fn column(title: &'static str, width: usize) -> Column {
    Column { title, width, right: false }
}

/// A column of numbers.
pub const fn number(title: &'static str, width: usize) -> Column {
    Column { title, width, right: true }
}

/// Columns before the first cell: the sign of the selected and of marked rows.
const MARGIN: usize = 2;
/// Narrower than this, a list has only one space between its columns.
const CLOSE: usize = 70;
/// With less than this, the column that takes what is left says too little.
const LEAST: usize = 10;

/// A cell: its text and role.
pub type Cell = (String, Role);

/// Draws the heading and the rows of the screen. `here`: the selected one of them; `marked` ones have a sign too.
pub fn draw(
    frame: &mut Frame,
    styles: &Styles,
    area: Rect,
    columns: &[Column],
    rows: &[Vec<Cell>],
    here: Option<usize>,
    marked: impl Fn(usize) -> bool,
) {
    draw_moved(frame, styles, area, columns, rows, here, marked, 0);
}

/// The same with what is cut moved to the left by `moved` columns.
#[expect(clippy::too_many_arguments, reason = "they are what a list is drawn from")]
pub fn draw_moved(
    frame: &mut Frame,
    styles: &Styles,
    area: Rect,
    columns: &[Column],
    rows: &[Vec<Cell>],
    here: Option<usize>,
    marked: impl Fn(usize) -> bool,
    moved: usize,
) {
    if area.height == 0 {
        return;
    }
    let (columns, gap, rest) = fitting(columns, usize::from(area.width));
    let width = |column: &Column| if column.width == 0 { rest } else { column.width };
    let mut heading = vec![Span::raw("  ")];
    for column in columns {
        let rest = " ".repeat(width(column).saturating_sub(fit::width(column.title)));
        let (before, after) = if column.right { (&*rest, "") } else { ("", &*rest) };
        let text = fit::cut(&format!("{before}{}{after}", column.title), width(column));
        heading.push(Span::styled(format!("{text}{gap}"), styles.of(Role::Header)));
    }
    frame.render_widget(Line::from(heading), Rect { height: 1, ..area });
    for (line, row) in rows.iter().enumerate().take(page(area)) {
        let sign = |on: bool, sign: &'static str, role| {
            if on { Span::styled(sign, styles.of(role)) } else { Span::raw(" ") }
        };
        let here = here == Some(line);
        let mut spans = vec![sign(here, "▌", Role::Marker), sign(marked(line), "✓", Role::Marked)];
        for (column, (text, role)) in columns.iter().zip(row) {
            let text = fit::cut(&fit::moved(text, width(column), moved), width(column));
            let rest = width(column) - fit::width(&text);
            let (before, after) = if column.right { (rest, 0) } else { (0, rest) };
            // Only the words have the role: a theme may underline it.
            spans.extend([
                Span::raw(" ".repeat(before)),
                Span::styled(text, styles.of(*role)),
                Span::raw(" ".repeat(after + gap.len())),
            ]);
        }
        let y = area.y + 1 + u16::try_from(line).unwrap_or(0);
        let line_area = Rect { y, height: 1, ..area };
        if here {
            frame.buffer_mut().set_style(line_area, styles.of(Role::Selection));
        }
        frame.render_widget(Line::from(spans), line_area);
    }
}

/// The columns that fit, the space between them and the width of the one that takes what is left. A narrow list does
/// without its last columns, so that what the rows are about can be read.
fn fitting(columns: &[Column], width: usize) -> (&[Column], &'static str, usize) {
    let gap = if width < CLOSE { " " } else { "  " };
    let rest = |columns: &[Column]| {
        let fixed: usize = columns.iter().map(|column| column.width + gap.len()).sum();
        width.saturating_sub(fixed + MARGIN)
    };
    let elastic = columns.iter().position(|column| column.width == 0).map_or(columns.len(), |at| at + 1);
    let count = (elastic..=columns.len()).rev().find(|count| rest(&columns[..*count]) >= LEAST);
    let columns = &columns[..count.unwrap_or(elastic)];
    (columns, gap, rest(columns))
}

/// The row at a click, if there is one. `list`: the area given to [`draw`]. `top`: the first row on the screen.
pub fn row_at(list: Rect, at: Position, top: usize, count: usize) -> Option<usize> {
    let line = usize::from(at.y.checked_sub(list.y + 1)?);
    (list.contains(at) && line < page(list) && top + line < count).then_some(top + line)
}
