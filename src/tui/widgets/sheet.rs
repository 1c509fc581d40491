//! A form laid out line by line: labels on the left, fields on the right, each error below its field.

use ratatui::Frame;
use ratatui::layout::{Position, Rect, Size};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::super::styles::Styles;
use super::facts::{self, Fact};
use super::text_field::TextField;
use super::{buttons, dialog, fit, scroll};
use crate::config::theme::Role;
use crate::domain::text::SafeText;

/// A screen of no more lines than these has none to spare.
const SMALL: u16 = 24;
/// So many lines at most stay empty there for what is still looked up.
const FEW: usize = 4;

/// A form in the making.
pub struct Sheet<'s> {
    styles: &'s Styles,
    /// The part of the screen that it lies over.
    area: Rect,
    wide: u16,
    label: usize,
    columns: usize,
    lines: Vec<Line<'static>>,
    /// So many lines at the top are always visible.
    pinned: usize,
    /// The line that must be visible.
    focus: usize,
    /// Line and column of the cursor.
    cursor: Option<(usize, u16)>,
    /// The place behind the label of the focused line.
    beside: Option<(usize, u16)>,
}

impl<'s> Sheet<'s> {
    /// A sheet over `area` that would like to have `wanted` columns, of which the labels take `label`.
    pub fn new(styles: &'s Styles, area: Rect, wanted: u16, label: usize) -> Self {
        let wide = dialog::columns(area, wanted);
        // The last column stays free for the mark of where one is, should the sheet be longer than the screen.
        let columns = usize::from(wide.saturating_sub(1));
        Self {
            styles,
            area,
            wide,
            label,
            columns,
            lines: Vec::new(),
            pinned: 0,
            focus: 0,
            cursor: None,
            beside: None,
        }
    }

    /// Columns in all.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Columns for the fields.
    pub fn field_columns(&self) -> usize {
        self.columns.saturating_sub(self.label)
    }

    fn label(&self, text: &str, focus: bool) -> Span<'static> {
        let role = if focus { Role::LabelFocus } else { Role::Label };
        Span::styled(fit::pad(text, self.label), self.styles.of(role))
    }

    /// A field of text. The error stands below; without a text and without focus the placeholder stands in it.
    pub fn text(
        &mut self,
        label: &str,
        field: &TextField,
        focus: bool,
        placeholder: &str,
        error: Option<&str>,
    ) {
        let columns = self.field_columns();
        let (text, cursor) = field.visible(u16::try_from(columns).unwrap_or(u16::MAX));
        let (text, role) = match (field.is_empty(), focus) {
            (true, _) => (placeholder.to_owned(), Role::Placeholder),
            (false, true) => (text, Role::InputFocus),
            (false, false) => (text, Role::Input),
        };
        if focus {
            self.focus = self.lines.len();
            self.cursor =
                Some((self.lines.len(), u16::try_from(self.label).unwrap_or(0).saturating_add(cursor)));
        }
        let value = Span::styled(fit::pad(&text, columns), self.styles.of(role));
        self.lines.push(Line::from(vec![self.label(label, focus), value]));
        self.error(error);
    }

    /// Lines that were laid out elsewhere. `focus`: which of them has the cursor.
    pub fn lines(&mut self, label: &str, lines: Vec<Line<'static>>, focus: Option<usize>) {
        for (place, line) in lines.into_iter().enumerate() {
            if focus == Some(place) {
                self.focus = self.lines.len();
                self.beside = Some((self.focus, u16::try_from(self.label).unwrap_or(0)));
            }
            let label = self.label(if place == 0 { label } else { "" }, focus.is_some() && place == 0);
            self.lines.push(Line::from_iter(std::iter::once(label).chain(line.spans)));
        }
    }

    /// Words below a field, in a role, wrapped.
    pub fn note(&mut self, role: Role, words: &str) {
        for part in fit::wrap(words, self.field_columns()) {
            let words = Span::styled(part, self.styles.of(role));
            self.lines.push(Line::from(vec![self.label("", false), words]));
        }
    }

    /// An error below a field.
    pub fn error(&mut self, error: Option<&str>) {
        if let Some(error) = error {
            self.note(Role::Error, &format!("↑ {error}"));
        }
    }

    /// Words over the whole width, wrapped.
    pub fn words(&mut self, role: Role, words: &str) {
        self.lines.extend(fit::lines(words, self.columns, self.styles.of(role)));
    }

    /// Keys and what each of them does.
    pub fn keys(&mut self, keys: &[(&str, &str)]) {
        let spans = keys.iter().flat_map(|(key, does)| {
            let key = Span::styled((*key).to_owned(), self.styles.of(Role::HintKey));
            [key, Span::styled(format!(" {does}   "), self.styles.of(Role::Text))]
        });
        let line = Line::from_iter(spans);
        self.line(line, true);
    }

    /// Lines over the whole width; what goes on below itself is indented like its beginning.
    pub fn hanging(&mut self, lines: Vec<(Role, String)>) {
        for (role, words) in lines {
            let indent = if words.starts_with("  ") { "  " } else { "" };
            for (place, part) in fit::wrap(words.trim_start(), self.columns - 2).into_iter().enumerate() {
                let indent = if place > 0 { "  " } else { indent };
                self.lines.push(Line::styled(format!("{indent}{part}"), self.styles.of(role)));
            }
        }
    }

    /// What is known of something.
    pub fn facts(&mut self, list: &[Fact]) {
        self.lines.extend(facts::lines(self.styles, list, self.columns));
    }

    /// The same of what is still looked up, in as many lines as it may come to, so that nothing jumps when it comes. On a small
    /// screen the buttons need the room more.
    pub fn facts_to_come(&mut self, list: &[Fact], most: usize) {
        let most = if self.area.height > SMALL { most } else { most.min(FEW) };
        let end = self.lines.len() + most;
        self.facts(list);
        self.lines.resize(end.max(self.lines.len()), Line::default());
    }

    /// Why it was not done, if that was said, with a space above.
    pub fn failure(&mut self, words: Option<&SafeText>) {
        if let Some(words) = words {
            self.space();
            self.words(Role::Error, words);
        }
    }

    /// A cursor in the line that comes next.
    pub fn cursor(&mut self, column: usize) {
        self.cursor = Some((self.lines.len(), u16::try_from(column).unwrap_or(u16::MAX)));
    }

    /// A line over the whole width.
    pub fn line(&mut self, line: Line<'static>, focus: bool) {
        if focus {
            self.focus = self.lines.len();
        }
        self.lines.push(line);
    }

    /// What was laid out so far stays visible, whatever else does not fit.
    pub fn pin(&mut self) {
        self.pinned = self.lines.len();
    }

    pub fn space(&mut self) {
        self.lines.push(Line::default());
    }

    /// Draws what fits in a frame with this title, with the focused line among it. `border`: its role; danger, for what ends
    /// something.
    pub fn draw(mut self, frame: &mut Frame, title: &str, border: Role) {
        let height = u16::try_from(self.lines.len()).unwrap_or(u16::MAX);
        let size = Size { width: self.wide, height };
        let area = dialog::open_as(frame, self.styles, self.area, title, size, border);
        // Where no text is edited, the cursor is on what the next key acts on.
        let cursor = self.cursor.or_else(|| buttons::focused(self.styles, &self.lines)).or(self.beside);
        // Some lines are left for what the next key acts on.
        let pinned = self.pinned.min(usize::from(area.height).saturating_sub(4)).min(self.lines.len());
        let (head, area) = {
            let rows = u16::try_from(pinned).unwrap_or(0);
            let below = Rect { y: area.y + rows, height: area.height - rows, ..area };
            (Rect { height: rows, ..area }, below)
        };
        let rest = self.lines.split_off(pinned);
        frame.render_widget(Paragraph::new(std::mem::replace(&mut self.lines, rest)), head);
        self.focus = self.focus.saturating_sub(pinned);
        let height = usize::from(area.height);
        // One line more than the focus, so that the error or note below a field is seen with it.
        let wanted = (self.focus + 1).min(self.lines.len().saturating_sub(1));
        let top = scroll::follow(0, wanted, height, self.lines.len());
        if let Some((line, column)) = cursor.and_then(|(line, at)| Some((line.checked_sub(pinned)?, at)))
            && line >= top
            && line - top < height
        {
            let y = area.y + u16::try_from(line - top).unwrap_or(0);
            frame.set_cursor_position(Position {
                x: (area.x + column).min(area.right().saturating_sub(1)),
                y,
            });
        }
        scroll::draw(frame, self.styles, area, self.lines, top);
    }
}
