//! The picture of an explanation.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::pasted::SENT;
use super::{Focus, State};
use crate::config::theme::Role;
use crate::domain::explain::{Explanation, Mark};
use crate::tui::shell::Shell;
use crate::tui::widgets::sheet::Sheet;
use crate::tui::widgets::{choice, fit};

const COLUMNS: u16 = 84;
/// Columns for the names of fields and steps.
const LABEL: usize = 13;

impl State {
    pub(super) fn paint(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let styles = &shell.styles;
        let mut sheet = Sheet::new(styles, area, COLUMNS, LABEL);
        if let Some(pasted) = &self.pasted {
            let focus = self.form.on(Focus::Secret);
            let room = sheet.field_columns();
            let dots = "•".repeat(pasted.len().min(room.saturating_sub(1)));
            let (text, role) = match (dots.is_empty(), pasted.was_read(), focus) {
                (true, true, _) => ("read; paste another".to_owned(), Role::Placeholder),
                (true, false, _) => {
                    ("paste what was sent: a key, or the whole header".to_owned(), Role::Placeholder)
                }
                (false, _, true) => (dots.clone(), Role::InputFocus),
                (false, _, false) => (dots.clone(), Role::Input),
            };
            if focus {
                sheet.cursor(LABEL + fit::width(&dots));
            }
            let value = Span::styled(fit::pad(&text, room), styles.of(role));
            sheet.lines("Pasted", vec![Line::from(value)], focus.then_some(0));
            let focus = self.form.on(Focus::Sent);
            let lines = choice::lines(styles, &SENT, pasted.sent, focus, sheet.field_columns());
            sheet.lines("Sent in", lines, focus.then_some(0));
        }
        let line_focus = self.form.on(Focus::Line);
        sheet.text("Request", &self.line, line_focus, "method and path, such as GET /v1/calls", None);
        let error = self.address().err();
        let address_focus = self.form.on(Focus::Address);
        sheet.text("From", &self.address, address_focus, "the caller's address", error.as_deref());
        sheet.space();
        match (&self.failure, self.told(shell)) {
            (Some(failure), _) => sheet.words(Role::Error, failure),
            (None, Some(told)) => self.draw_steps(&mut sheet, shell, &told),
            (None, None) if self.asked.is_some() => sheet.words(Role::Info, "looking…"),
            (None, None) => {
                let words = "It is neither shown nor stored; only the result is. Enter checks it.";
                sheet.words(Role::Muted, words);
            }
        }
        let title = match &self.key {
            Some(key) => format!("Explain: {}", fit::cut(&key.name, 56)),
            None if self.pasted.is_some() => "Why is this key refused?".to_owned(),
            None => "Explain".to_owned(),
        };
        sheet.draw(frame, &title, Role::DialogBorder);
    }

    fn draw_steps(&self, sheet: &mut Sheet<'_>, shell: &Shell, told: &Explanation) {
        let styles = &shell.styles;
        let (role, words) = if told.refused().is_some() {
            (Role::Danger, "✕ It would be refused now; the first step that fails decides.")
        } else if told.complete() {
            (Role::Ok, "✓ It would pass now: every step is in order.")
        } else {
            (Role::Ok, "✓ No step refuses it, as far as it was checked.")
        };
        sheet.words(role, words);
        // Where there is no key to look at, or no secret, the steps about it have nothing to say.
        let facts = self.key.is_some();
        let told = told
            .steps
            .iter()
            .filter(|step| step.mark != Mark::Open || facts && !matches!(step.name, "credential" | "shape"));
        let steps: Vec<_> = told.collect();
        for (place, step) in steps.iter().enumerate() {
            let (sign, role) = match step.mark {
                Mark::Passed => ("✓", Role::Ok),
                Mark::Failed => ("✕", Role::Danger),
                Mark::Open => ("·", Role::Muted),
            };
            let text = if step.mark == Mark::Passed { Role::Text } else { role };
            let parts = fit::wrap(&step.words, sheet.field_columns());
            let last = parts.len() - 1;
            for (line, part) in parts.into_iter().enumerate() {
                let label = if line == 0 { format!("{sign} {}", step.name) } else { String::new() };
                let spans = vec![
                    Span::styled(fit::pad(&label, LABEL), styles.of(role)),
                    Span::styled(part, styles.of(text)),
                ];
                let end = place + 1 == steps.len() && line == last;
                sheet.line(Line::from(spans), end && self.form.on(Focus::Steps));
            }
        }
    }
}
