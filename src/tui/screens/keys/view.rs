//! The picture of the table of keys.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr;

use super::columns::{self, MARGIN, Place};
use super::state::State;
use super::{detail, empty};
use crate::config::theme::Role;
use crate::domain::query::{Column, Direction};
use crate::service::Row;
use crate::tui::shell::Shell;
use crate::tui::view::body;
use crate::tui::view::text::{clip, put, put_right};
use crate::tui::widgets::sparkline;

/// The detail stands beside the table on a screen of at least this width,
const BESIDE: u16 = 120;
/// below it on one of at least this height, and in its place on a smaller one.
const BELOW: u16 = 32;

/// Columns before the filter's text.
const PROMPT: u16 = 3;

/// Where the parts of the screen are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Areas {
    pub filter: Option<Rect>,
    pub header: Rect,
    pub rows: Rect,
    pub strip: Rect,
    pub detail: Option<Rect>,
}

impl Areas {
    pub fn of(state: &State, shell: &Shell) -> Self {
        let area = body(shell.size);
        let strip = Rect { y: area.bottom().saturating_sub(1), height: area.height.min(1), ..area };
        let mut rest = Rect { height: area.height.saturating_sub(1), ..area };
        let mut cut = |height: u16| {
            let top = Rect { height: height.min(rest.height), ..rest };
            rest.y += top.height;
            rest.height -= top.height;
            top
        };
        let filter = state.filter.visible().then(|| cut(1));
        let mut table = rest;
        let mut pane = None;
        if state.detail.open {
            if area.width >= BESIDE {
                let width = (area.width * 2 / 5).clamp(54, 76);
                table.width -= width;
                pane = Some(Rect { x: table.right(), width, ..rest });
            } else if shell.size.height >= BELOW {
                let height = rest.height * 3 / 5;
                table.height -= height;
                pane = Some(Rect { y: table.bottom(), height, ..rest });
            } else {
                table.height = 0;
                pane = Some(rest);
            }
        }
        let header = Rect { height: table.height.min(1), ..table };
        let rows = Rect { y: header.bottom(), height: table.height - header.height, ..table };
        Self { filter, header, rows, strip, detail: pane }
    }
}

/// How many rows of the table fit on the screen.
pub fn rows_shown(state: &State, shell: &Shell) -> usize {
    usize::from(Areas::of(state, shell).rows.height)
}

/// The place in the window of the row that is drawn at a place on the screen.
pub fn row_at(state: &State, shell: &Shell, at: Position) -> Option<usize> {
    let rows = Areas::of(state, shell).rows;
    let place = state.top + usize::from(at.y.checked_sub(rows.y)?);
    (rows.contains(at) && place < state.window.len()).then_some(place)
}

/// The column whose heading is at a place.
pub fn heading_at(state: &State, shell: &Shell, at: Position) -> Option<Column> {
    let header = Areas::of(state, shell).header;
    let x = at.x.checked_sub(header.x)?;
    let places = columns::layout(header.width, state.uses.column);
    let place = places.iter().find(|place| (place.x..place.x + place.width).contains(&x))?;
    place.field.sorted_by().filter(|_| header.contains(at))
}

impl State {
    pub fn draw(&self, shell: &Shell, frame: &mut Frame, _: Rect) {
        let areas = Areas::of(self, shell);
        if let Some(area) = areas.filter {
            self.draw_filter(shell, frame, area);
        }
        if self.window.is_empty() {
            empty::draw(self, shell, frame, areas.rows);
            return;
        }
        let places = columns::layout(areas.rows.width, self.uses.column);
        self.draw_header(shell, frame.buffer_mut(), areas.header, &places);
        let held = self.window.rows.iter().enumerate().skip(self.top).take(usize::from(areas.rows.height));
        for (i, (place, row)) in held.enumerate() {
            let y = areas.rows.y + u16::try_from(i).unwrap_or(0);
            self.draw_row(shell, frame.buffer_mut(), Rect { y, height: 1, ..areas.rows }, &places, row);
            if place == self.place && !self.filter.editing {
                // Where screen readers and braille lines look.
                frame.set_cursor_position((areas.rows.x, y));
            }
        }
        if let Some(area) = areas.detail {
            detail::draw(self, shell, frame, area);
        }
        self.draw_strip(shell, frame.buffer_mut(), areas.strip);
    }

    fn draw_header(&self, shell: &Shell, buffer: &mut Buffer, area: Rect, places: &[Place]) {
        if area.height == 0 {
            return;
        }
        let styles = &shell.styles;
        for place in places {
            let mut title = place.field.title(place.width).to_owned();
            let mut style = styles.of(Role::Header);
            if place.field.sorted_by() == Some(self.sort.column) {
                style = style.patch(styles.of(Role::Accent));
                title.push_str(match self.sort.direction {
                    Direction::Ascending => " ▲",
                    Direction::Descending => " ▼",
                });
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

    fn draw_row(&self, shell: &Shell, buffer: &mut Buffer, area: Rect, places: &[Place], row: &Row) {
        let styles = &shell.styles;
        let now = self.now(shell);
        if self.selected == Some(row.key.id) {
            put(buffer, area.x, area.y, 1, "▌", styles.of(Role::Marker));
        }
        if self.marks.contains(&row.key.id) {
            put(buffer, area.x + 1, area.y, MARGIN - 1, "✓", styles.of(Role::Marked));
        }
        for place in places {
            let (mut text, style) = columns::cell(*place, &row.key, now, shell);
            let x = area.x + place.x;
            if place.field == columns::Field::Usage
                && let Some(used) = self.uses.of(row.key.id)
            {
                let cells = if place.width < 12 { 8 } else { 12 };
                text = sparkline::text(&used.spans, cells, shell.ascii).into();
            }
            if place.field.right() {
                put_right(buffer, x, area.y, place.width, &text, style);
            } else {
                put(buffer, x, area.y, place.width, &text, style);
            }
        }
    }

    /// The description of the selected key.
    fn draw_strip(&self, shell: &Shell, buffer: &mut Buffer, area: Rect) {
        let Some(key) = self.selected_key() else { return };
        if self.detail.open || key.description.is_empty() {
            return;
        }
        let style = shell.styles.of(Role::Muted);
        put(buffer, area.x + MARGIN, area.y, area.width.saturating_sub(MARGIN + 1), &key.description, style);
    }

    fn draw_filter(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let styles = &shell.styles;
        let style = styles.of(if self.filter.editing { Role::Text } else { Role::Muted });
        let text = self.filter.text();
        put(frame.buffer_mut(), area.x, area.y, PROMPT, " / ", styles.of(Role::Accent));
        let area = Rect { x: area.x + PROMPT, width: area.width.saturating_sub(PROMPT + 1), ..area };
        let scroll = u16::try_from(self.filter.scroll(usize::from(area.width))).unwrap_or(0);
        let mut spans = Vec::new();
        let mut message = String::new();
        let mut role = Role::Error;
        match &self.filter.error {
            Some(error) => {
                let cut = |at: usize| (at.min(text.len())..=text.len()).find(|at| text.is_char_boundary(*at));
                let start = cut(error.start).unwrap_or(text.len());
                let end = cut(error.end).unwrap_or(text.len()).max(start);
                spans.push(Span::styled(&text[..start], style));
                let wrong = styles.of(Role::Error).add_modifier(ratatui::style::Modifier::UNDERLINED);
                let piece = if start == end { " " } else { &text[start..end] };
                spans.push(Span::styled(piece, wrong));
                spans.push(Span::styled(&text[end..], style));
                message = format!("   ✕ {}", error.message);
            }
            None if text.is_empty() => spans.push(Span::styled(
                "words, or status:active account:acme expires:<30d used:never by:ada",
                styles.of(Role::Muted),
            )),
            None => spans.push(Span::styled(text, style)),
        }
        if self.filter.editing {
            let candidates = self.completion(shell).candidates;
            if !candidates.is_empty() {
                if message.is_empty() {
                    role = Role::Muted;
                }
                // What fits comes first: it is the quicker way out of a mistake, whose place is marked anyway.
                message.insert_str(0, &format!("   tab: {}", candidates.join("  ")));
            }
        }
        let line = Line::from(spans);
        let used = line.width();
        frame.render_widget(Paragraph::new(line).scroll((0, scroll)), area);
        if !message.is_empty() {
            let room = usize::from(area.width).saturating_sub(used);
            let x = area.x + u16::try_from(used).unwrap_or(area.width).min(area.width);
            let shown = clip(&message, room).into_owned();
            let width = area.right().saturating_sub(x);
            put(frame.buffer_mut(), x, area.y, width, &shown, styles.of(role));
        }
        if self.filter.editing {
            let x = area.x + u16::try_from(self.filter.cursor()).unwrap_or(0).saturating_sub(scroll);
            frame.set_cursor_position((x.min(area.right()), area.y));
        }
    }
}
