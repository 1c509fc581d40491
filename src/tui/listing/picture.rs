//! What a list looks like.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::{Listing, Source};
use crate::config::keymap::Action;
use crate::config::theme::Role;
use crate::tui::shell::Shell;
use crate::tui::widgets::filter_line::Hints;
use crate::tui::widgets::fit;
use crate::tui::widgets::list::{self, Cell, Column};
use crate::tui::widgets::tabs;

/// Why a list has no rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent<'a> {
    /// They were not read yet.
    NotYet,
    /// They could not be read, for this reason.
    Failed(&'a str),
    /// None fits the filter.
    Unfit,
    /// There are none.
    None,
}

/// The words in the place of rows.
#[derive(Clone, Copy, Debug)]
pub struct Empty<'a> {
    /// None fits the filter.
    pub unfit: &'a str,
    /// There are none.
    pub none: &'a str,
}

impl<S: Source> Listing<S> {
    /// Why there are no rows; `None` where there are some.
    pub fn absent(&self) -> Option<Absent<'_>> {
        let why = match &self.fault {
            _ if !self.is_empty() => return None,
            Some(fault) if !self.loaded => Absent::Failed(fault),
            None if !self.loaded => Absent::NotYet,
            _ if !self.filter.is_empty() => Absent::Unfit,
            _ => Absent::None,
        };
        Some(why)
    }

    /// Draws the filter, or what stands in its place without one.
    pub fn draw_bar(&self, shell: &Shell, frame: &mut Frame, area: Rect, idle: Line<'_>) {
        if !self.filter.visible() {
            return self.draw_idle(shell, frame, area, idle);
        }
        // What is typed, and what is said of it, has all of the line but for the marks.
        let row = if self.filter.typing { String::new() } else { self.row_of(None) };
        let area = self.draw_standing(shell, frame, area, FILTER, &row);
        self.draw_filter(shell, frame, area);
    }

    /// Draws a line above the list, and at its end where the cursor is, if there is room for both.
    pub fn draw_idle(&self, shell: &Shell, frame: &mut Frame, area: Rect, idle: Line<'_>) {
        let taken = u16::try_from(idle.width()).unwrap_or(u16::MAX);
        let area = self.draw_standing(shell, frame, area, taken, &self.row_of(None));
        frame.render_widget(tabs::within(idle, area.width.into()), area);
    }

    fn draw_standing(&self, shell: &Shell, frame: &mut Frame, area: Rect, taken: u16, row: &str) -> Rect {
        let area = Rect { height: area.height.min(1), ..area };
        let (buffer, marks) = (frame.buffer_mut(), self.marks_told(shell.size.width));
        Rect { width: draw_place(shell, buffer, area, taken.saturating_add(1), &marks, row), ..area }
    }

    pub fn draw_filter(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let typing = self.filter.typing.then(|| self.completion(shell)).flatten();
        // What the database does not look for is only found in what was read.
        let partly = self.more_after && self.len() < self.rows.len();
        let hints = Hints {
            example: S::FILTER.unwrap_or_default(),
            candidates: typing.map(|completion| completion.candidates).unwrap_or_default(),
            note: if partly { format!("in the first {}", self.rows.len()) } else { String::new() },
        };
        self.filter.draw(&shell.styles, frame, area, &hints);
    }

    /// Draws the heading and the rows, or says why there are none.
    pub fn draw(
        &self,
        shell: &Shell,
        frame: &mut Frame,
        area: Rect,
        columns: &[Column],
        cells: impl Fn(&S::Row) -> Vec<Cell>,
        empty: Empty<'_>,
    ) {
        let Some(why) = self.absent() else {
            return self.draw_rows(shell, frame, area, columns, cells);
        };
        let words = match why {
            Absent::NotYet => "loading…",
            Absent::Failed(why) => why,
            Absent::Unfit => empty.unfit,
            Absent::None => empty.none,
        };
        draw_words(shell, frame, area, &[words]);
        self.filter.draw_mistake(&shell.styles, frame, area);
    }

    pub fn draw_rows(
        &self,
        shell: &Shell,
        frame: &mut Frame,
        area: Rect,
        columns: &[Column],
        cells: impl Fn(&S::Row) -> Vec<Cell>,
    ) {
        let page = list::page(area);
        let top = self.top(page);
        let rows: Vec<&S::Row> = self.iter().skip(top).take(page).collect();
        let dimmed = |row: &S::Row, mut cells: Vec<Cell>| {
            if self.is_left(row) {
                cells.iter_mut().for_each(|(_, role)| *role = Role::Muted);
            }
            cells
        };
        let drawn: Vec<Vec<Cell>> = rows.iter().map(|row| dimmed(row, cells(row))).collect();
        let here = self.at.checked_sub(top);
        let marked = |line: usize| rows.get(line).is_some_and(|row| self.is_marked(row));
        list::draw_moved(frame, &shell.styles, area, columns, &drawn, here, marked, self.moved);
        let fates = rows.iter().enumerate().filter_map(|(line, row)| Some((line, self.fate(shell, row)?)));
        for (line, words) in fates {
            let y = area.y + 1 + u16::try_from(line).unwrap_or(0);
            let place = Rect { y, height: 1, ..area };
            draw_fate(frame.buffer_mut(), place, &words, shell.styles.of(Role::Muted));
        }
        if let Some(line) = here.filter(|_| !self.filter.typing && page > 0) {
            // Where screen readers and braille lines look.
            frame.set_cursor_position((area.x, area.y + 1 + u16::try_from(line).unwrap_or(0)));
        }
        self.filter.draw_mistake(&shell.styles, frame, area);
    }

    /// `every account; / filters`: what stands in the place of a filter that is not there.
    pub fn idle(shell: &Shell, all: &str) -> Line<'static> {
        let key = shell.keymap.key(Action::Filter);
        Line::styled(format!(" {all}; {key} filters"), shell.styles.of(Role::Muted))
    }
}

/// Columns that a filter has in any case.
const FILTER: u16 = 36;

/// Draws what is marked in a list, and where the cursor is, at the right end of a line; answers how many columns are left of
/// it. `taken`: so many others need. The place goes first where both have no room, and then words of what is marked; that
/// there are marks is told in any case. `marks`: from the most words to the fewest.
pub fn draw_place(
    shell: &Shell,
    buffer: &mut Buffer,
    line: Rect,
    taken: u16,
    marks: &[String],
    row: &str,
) -> u16 {
    let room = usize::from(line.width.saturating_sub(2));
    let others = usize::from(taken);
    let (mark, row) = match (marks.first(), marks.last()) {
        (Some(most), Some(least)) => {
            let fits = |mark: &&String, row: &str| fit::width(mark) + fit::width(row) + others <= room;
            let spaced = if row.is_empty() { String::new() } else { format!("  {row}") };
            if fits(&most, &spaced) {
                (most.as_str(), spaced)
            } else {
                (marks.iter().find(|mark| fits(mark, "")).unwrap_or(least).as_str(), String::new())
            }
        }
        _ if fit::width(row) + others <= room => ("", row.to_owned()),
        _ => ("", String::new()),
    };
    let mark = fit::cut(mark, room);
    let width = u16::try_from(fit::width(&mark) + fit::width(&row)).unwrap_or(line.width);
    if width == 0 || line.height == 0 {
        return line.width;
    }
    let left = line.width.saturating_sub(width + 1);
    fit::put(buffer, line.x + left, line.y, width, &mark, shell.styles.of(Role::Marked));
    fit::put_right(buffer, line.x + left, line.y, width, &row, shell.styles.of(Role::Muted));
    left.saturating_sub(1)
}

/// Draws what became of a row over its end.
pub fn draw_fate(buffer: &mut Buffer, row: Rect, words: &str, style: Style) {
    let words = format!("  {words} ");
    let width = u16::try_from(fit::width(&words)).unwrap_or(row.width).min(row.width);
    fit::put(buffer, row.right() - width, row.y, width, &words, style);
}

/// Draws sentences where rows would be. One that begins with `·` is an item, and indented.
pub fn draw_words(shell: &Shell, frame: &mut Frame, area: Rect, sentences: &[&str]) {
    let columns = usize::from(area.width.saturating_sub(6));
    let style = shell.styles.of(Role::Muted);
    let mut lines = Vec::new();
    for words in sentences {
        for (place, part) in fit::wrap(words, columns).into_iter().enumerate() {
            let indent = if words.starts_with('·') && place > 0 { "    " } else { "  " };
            lines.push(Line::styled(format!("{indent}{part}"), style));
        }
    }
    frame.render_widget(Paragraph::new(lines), area);
}
