//! The picture of the table of keys.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use unicode_width::UnicodeWidthStr;

use super::columns::{self, MARGIN, Slot};
use super::state::State;
use super::{detail, empty};
use crate::config::theme::Role;
use crate::domain::query::{Column, Direction};
use crate::service::Row;
use crate::tui::listing::{draw_fate, draw_place};
use crate::tui::shell::Shell;
use crate::tui::widgets::fit::{moved, put, put_right, width};
use crate::tui::widgets::{sparkline, tabs};

impl State {
    /// The column whose heading is at a place.
    pub(super) fn heading_at(&self, shell: &Shell, at: Position) -> Option<Column> {
        let header = self.areas(shell).header;
        let x = at.x.checked_sub(header.x)?;
        let places = columns::layout(header.width, self.uses.column, shell.columns.as_deref());
        let place = places.iter().find(|place| (place.x..place.x + place.width).contains(&x))?;
        place.field.sorted_by().filter(|_| header.contains(at))
    }

    pub(super) fn draw_all(&self, shell: &Shell, frame: &mut Frame) {
        let areas = self.areas(shell);
        let places = columns::layout(areas.rows.width, self.uses.column, shell.columns.as_deref());
        self.draw_tabs(shell, frame, areas.tabs, &places);
        if let Some(area) = areas.filter {
            self.rows.draw_filter(shell, frame, area);
        }
        if self.rows.is_empty() {
            empty::draw(self, shell, frame, areas.rows);
            self.rows.filter.draw_mistake(&shell.styles, frame, areas.header);
            return;
        }
        self.draw_header(shell, frame.buffer_mut(), areas.header, &places);
        self.rows.filter.draw_mistake(&shell.styles, frame, areas.header);
        let top = self.rows.top(areas.page());
        for (line, row) in self.rows.iter().skip(top).take(areas.page()).enumerate() {
            let y = areas.rows.y + u16::try_from(line).unwrap_or(0);
            self.draw_row(shell, frame.buffer_mut(), Rect { y, height: 1, ..areas.rows }, &places, row);
            if top + line == self.rows.at() && !self.rows.filter.typing {
                // Where screen readers and braille lines look.
                frame.set_cursor_position((areas.rows.x, y));
            }
        }
        if let Some(area) = areas.detail {
            detail::draw(self, shell, frame, area);
        }
        self.draw_strip(shell, frame.buffer_mut(), areas.strip);
    }

    fn draw_header(&self, shell: &Shell, buffer: &mut Buffer, area: Rect, places: &[Slot]) {
        if area.height == 0 {
            return;
        }
        let styles = &shell.styles;
        for place in places {
            let mut title = place.field.title(place.width).to_owned();
            let mut style = styles.of(Role::Header);
            if place.field.sorted_by() == Some(self.rows.source.sort.column) {
                style = style.patch(styles.of(Role::Accent));
                title.push_str(self.arrow());
            }
            let x = area.x + place.x;
            if place.field.right() {
                // The arrow of a narrow column may reach into the gap before it.
                let more = u16::try_from(title.width()).unwrap_or(0).saturating_sub(place.width).min(1);
                put_right(buffer, x - more, area.y, place.width + more, &title, style);
            } else {
                put(buffer, x, area.y, place.width, &title, style);
            }
        }
    }

    fn draw_row(&self, shell: &Shell, buffer: &mut Buffer, area: Rect, places: &[Slot], row: &Row) {
        let styles = &shell.styles;
        let now = self.now(shell);
        if self.rows.selected_id() == Some(&row.key.id) {
            put(buffer, area.x, area.y, 1, "▌", styles.of(Role::Marker));
        }
        if self.rows.is_marked(row) {
            put(buffer, area.x + 1, area.y, MARGIN - 1, "✓", styles.of(Role::Marked));
        }
        let fate = self.rows.fate(shell, row);
        for place in places {
            let (mut text, mut style) = columns::cell(*place, &row.key, now, shell);
            if fate.is_some() {
                style = styles.of(Role::Muted);
            }
            let x = area.x + place.x;
            if place.field == columns::Field::Usage
                && let Some(used) = self.uses.of(row.key.id)
            {
                let cells = if place.width < 12 { 8 } else { 12 };
                text = sparkline::text(&used.spans, cells, shell.ascii).into();
            }
            // Who is going away may still be asked for.
            if place.field == columns::Field::Status
                && text == columns::REPLACED
                && let Some(used) = self.uses.of(row.key.id)
            {
                let words = format!("{text}, {}/h", used.hour);
                if words.width() <= usize::from(place.width) {
                    text = words.into();
                }
            }
            if place.field.right() {
                put_right(buffer, x, area.y, place.width, &text, style);
            } else {
                let text = moved(&text, place.width.into(), self.rows.moved);
                put(buffer, x, area.y, place.width, &text, style);
            }
        }
        if let Some(words) = fate {
            draw_fate(buffer, area, &words, styles.of(Role::Muted));
        }
    }

    fn arrow(&self) -> &'static str {
        match self.rows.source.sort.direction {
            Direction::Ascending => " ▲",
            Direction::Descending => " ▼",
        }
    }

    /// The tabs, and where the cursor is in the list. The order too, where the column that it is by has no room.
    fn draw_tabs(&self, shell: &Shell, frame: &mut Frame, area: Rect, places: &[Slot]) {
        let mut words = self.rows.row_of(self.count());
        let column = self.rows.source.sort.column;
        let shown = places.iter().any(|place| place.field.sorted_by() == Some(column));
        let marks = self.rows.marks_told(area.width);
        let tabs = self.tab_line(shell, 0).width();
        if !shown && !words.is_empty() {
            let order = format!("{}{}", columns::title(column), self.arrow());
            let marked = marks.first().map_or(0, |most| width(most) + 2);
            if marked + width(&order) + width(&words) + usize::from(MARGIN) + tabs < area.width.into() {
                words = format!("{order}  {words}");
            }
        }
        let taken = if marks.is_empty() { 0 } else { u16::try_from(tabs).unwrap_or(u16::MAX) };
        let left = draw_place(shell, frame.buffer_mut(), area, taken, &marks, &words);
        let tabs = tabs::within(self.tab_line(shell, left.into()), left.into());
        frame.render_widget(tabs, Rect { width: left, ..area });
    }

    /// The description of the selected key.
    fn draw_strip(&self, shell: &Shell, buffer: &mut Buffer, area: Rect) {
        let Some(key) = self.selected_key() else { return };
        if self.detail.open || key.description.is_empty() {
            return;
        }
        let style = shell.styles.of(Role::Muted);
        let columns = area.width.saturating_sub(MARGIN + 1);
        let text = moved(&key.description, columns.into(), self.rows.moved);
        put(buffer, area.x + MARGIN, area.y, columns, &text, style);
    }
}
