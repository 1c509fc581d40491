//! A plain list with a heading: rows, one of them selected.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::super::input::Input;
use super::super::styles::Styles;
use super::{fit, scroll};
use crate::config::keymap::Action;
use crate::config::theme::Role;

/// Where the selection and the first row shown are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub at: usize,
    pub top: usize,
}

/// What a list made of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It moved, or was asked to.
    Moved,
    /// The action is not the list's to carry out.
    Left(Action),
    /// It means nothing here.
    Nothing,
}

impl Place {
    /// Lets the list take what moves in it: wheel, click and movement keys. `row_at` tells the row at a point.
    pub fn take(
        &mut self,
        input: &Input,
        count: usize,
        shown: usize,
        row_at: impl FnOnce(Position) -> Option<usize>,
    ) -> Taken {
        match input {
            Input::Scroll { lines, .. } => self.step(*lines as isize, count, shown),
            Input::Click(at) => {
                if let Some(row) = row_at(*at) {
                    self.go_to(row, count, shown);
                }
            }
            Input::Paste(_) => return Taken::Nothing,
            Input::Key(key) => match key.action {
                Some(action) if self.act(action, count, shown) => {}
                Some(action) => return Taken::Left(action),
                None => return Taken::Nothing,
            },
        }
        Taken::Moved
    }

    /// Moves by an action of the list. Answers whether it was one. `shown`: rows on the screen.
    pub fn act(&mut self, action: Action, count: usize, shown: usize) -> bool {
        let page = isize::try_from(shown.max(1)).unwrap_or(1);
        let by = match action {
            Action::Up => -1,
            Action::Down => 1,
            Action::PageUp => -page,
            Action::PageDown => page,
            Action::HalfPageUp => -(page / 2).max(1),
            Action::HalfPageDown => (page / 2).max(1),
            Action::Top => isize::MIN / 2,
            Action::Bottom => isize::MAX / 2,
            _ => return false,
        };
        self.step(by, count, shown);
        true
    }

    /// Moves the selection by rows.
    pub fn step(&mut self, by: isize, count: usize, shown: usize) {
        self.go_to(self.at.saturating_add_signed(by), count, shown);
    }

    /// Selects a row.
    pub fn go_to(&mut self, at: usize, count: usize, shown: usize) {
        self.at = at.min(count.saturating_sub(1));
        self.top = scroll::follow(self.top, self.at, shown, count);
    }
}

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
}

pub const fn column(title: &'static str, width: usize) -> Column {
    Column { title, width }
}

/// Columns before the first cell: the sign of the selected and of marked rows.
const MARGIN: usize = 2;
/// Narrower than this, a list has only one space between its columns.
const CLOSE: usize = 70;
/// With less than this, the column that takes what is left says too little.
const LEAST: usize = 10;

/// A cell: its text and role.
pub type Cell = (String, Role);

/// Draws the heading and as many rows as fit. `marked` rows have a sign at the left edge.
pub fn draw(
    frame: &mut Frame,
    styles: &Styles,
    area: Rect,
    columns: &[Column],
    rows: &[Vec<Cell>],
    place: Place,
    marked: impl Fn(usize) -> bool,
) {
    if area.height == 0 {
        return;
    }
    let (columns, gap, rest) = fitting(columns, usize::from(area.width));
    let width = |column: &Column| if column.width == 0 { rest } else { column.width };
    let mut heading = vec![Span::raw("  ")];
    for column in columns {
        let text = format!("{}{gap}", fit::pad(column.title, width(column)));
        heading.push(Span::styled(text, styles.of(Role::Header)));
    }
    frame.render_widget(Line::from(heading), Rect { height: 1, ..area });
    let shown = usize::from(area.height) - 1;
    let top = scroll::follow(place.top, place.at, shown, rows.len());
    for (line, (at, row)) in rows.iter().enumerate().skip(top).take(shown).enumerate() {
        let here = at == place.at;
        let sign = match (here, marked(at)) {
            (_, true) => Span::styled("● ", styles.of(Role::Marked)),
            (true, false) => Span::styled("▌ ", styles.of(Role::Marker)),
            (false, false) => Span::raw("  "),
        };
        let mut spans = vec![sign];
        for (column, (text, role)) in columns.iter().zip(row) {
            let text = fit::cut(text, width(column));
            let rest = width(column) - fit::width(&text) + gap.len();
            // Only the words have the role: a theme may underline it.
            spans.extend([Span::styled(text, styles.of(*role)), Span::raw(" ".repeat(rest))]);
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

/// The row at a click, if there is one. `list`: the area given to [`draw`].
pub fn row_at(list: Rect, at: ratatui::layout::Position, place: Place, count: usize) -> Option<usize> {
    let row = usize::from(at.y.checked_sub(list.y + 1)?);
    let shown = usize::from(list.height).saturating_sub(1);
    let top = scroll::follow(place.top, place.at, shown, count);
    (list.contains(at) && row < shown && top + row < count).then_some(top + row)
}
