//! The question's picture.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::{Focus, State, What};
use crate::config::keymap::Action;
use crate::config::theme::Role;
use crate::domain::hold::HoldKind;
use crate::service::Field;
use crate::tui::overlays::how_long::{HINT, SPANS};
use crate::tui::shell::Shell;
use crate::tui::view::times;
use crate::tui::widgets::buttons::Button;
use crate::tui::widgets::choice;
use crate::tui::widgets::sheet::Sheet;
use crate::tui::words::count;

const COLUMNS: u16 = 74;
const LABEL: usize = 11;

impl State {
    pub(super) fn paint(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let styles = &shell.styles;
        let mut sheet = Sheet::new(styles, area, COLUMNS, LABEL);
        let offered = self.offered(shell);
        let words: Vec<String> = offered
            .iter()
            .map(|what| match what {
                What::Freeze => "freeze keys".to_owned(),
                What::Stop => "stop creation".to_owned(),
                What::Lift(n) => format!("lift {n}"),
            })
            .collect();
        let at = offered.iter().position(|what| *what == self.what).unwrap_or(0);
        let focus = self.form.on(Focus::What);
        let lines = choice::lines(styles, &words, at, focus, sheet.field_columns());
        sheet.lines("Do", lines, focus.then_some(0));
        match self.what {
            What::Lift(_) => self.draw_lift(shell, &mut sheet),
            _ => self.draw_hold(shell, &mut sheet),
        }
        if let Some(words) = self.wish.beforehand() {
            sheet.words(Role::Warning, words);
        }
        let at_fields = [Field::Until, Field::Message, Field::Reason, Field::Filter];
        if let Some(failure) = self.amiss.as_ref().or_else(|| self.wish.failure_besides(&at_fields)) {
            sheet.words(Role::Error, failure);
        }
        sheet.space();
        let (verb, title) = match self.what {
            What::Freeze => ("Freeze", "Freeze keys?".to_owned()),
            What::Stop => ("Stop", "Stop the creation of keys?".to_owned()),
            What::Lift(n) => match self.lifted(shell).map(|hold| hold.kind) {
                Some(HoldKind::Creation) => ("Lift", format!("Allow creation again (stop {n})?")),
                _ => ("Lift", format!("Lift freeze {n}?")),
            },
        };
        if self.wish.under_way() {
            sheet.words(Role::Info, "sent; waiting until the database shows it…");
        } else {
            let yes = format!("{verb} ({})", shell.keymap.key(Action::Yes));
            sheet.line(self.form.line(styles, Button::new(&yes), "Cancel"), self.form.on_button());
        }
        sheet.draw(frame, &title, Role::DialogBorder);
    }

    fn draw_lift(&self, shell: &Shell, sheet: &mut Sheet<'_>) {
        sheet.space();
        match self.lifted(shell) {
            Some(hold) => {
                sheet.words(Role::Text, &format!("{}.", hold.words()));
                let then = match hold.kind {
                    HoldKind::Freeze => {
                        "These keys work again immediately, unless they are refused for another reason."
                    }
                    HoldKind::Creation => "Keys can be created again immediately.",
                };
                sheet.words(Role::Muted, then);
            }
            None => sheet.words(Role::Warning, "It is no longer in force: there is nothing to lift."),
        }
    }

    fn draw_hold(&self, shell: &Shell, sheet: &mut Sheet<'_>) {
        let styles = &shell.styles;
        let freezes = self.what == What::Freeze;
        let (label, hint) = match freezes {
            true => ("Keys", "account:acme, issuer:voxpria scope:calls:write"),
            false => ("Whose", "account:acme, issuer:voxpria, or all"),
        };
        let writing = self.form.on(Focus::Of);
        let refused = self.wish.refusal(Field::Filter).map(|why| why.as_str().to_owned());
        let wrong = self.target(shell).err().filter(|_| !writing && !self.of.is_empty());
        sheet.text(label, &self.of, writing, hint, wrong.or(refused).as_deref());
        sheet.note(Role::Muted, &self.said(freezes));
        let words: Vec<&str> = SPANS.iter().map(|(_, words)| *words).chain(["other"]).collect();
        let focus = self.form.on(Focus::Span);
        let at = self.span.unwrap_or(SPANS.len());
        let lines = choice::lines(styles, &words, at, focus, sheet.field_columns());
        sheet.lines("For", lines, focus.then_some(0));
        let refused = self.wish.refusal(Field::Until).map(|why| why.as_str().to_owned());
        if self.span.is_none() {
            let writing = self.form.on(Focus::Other);
            let wrong = self.lasting(shell).err().filter(|_| !writing);
            sheet.text("How long", &self.other, writing, HINT, wrong.or(refused).as_deref());
        } else {
            sheet.error(refused.as_deref());
        }
        let until = self.lasting(shell).ok().and_then(|lasting| lasting.end(shell.now, []).ok());
        let until = until.map(|at| format!("Until {}; ", times::exact(at, shell.utc))).unwrap_or_default();
        sheet.note(Role::Muted, &format!("{until}then it is lifted automatically."));
        for (label, at, field, hint) in [
            ("Message", Focus::Message, &self.message, "for the refused, where the policy shows it"),
            ("Reason", Focus::Reason, &self.reason, "why; kept with it and in the audit"),
        ] {
            let error = self.text_error(at);
            sheet.text(label, field, self.form.on(at), hint, error.as_deref());
        }
        if let Some(number) = self.to_type() {
            let placeholder = format!("type {number} to confirm");
            sheet.text("How many", &self.number_typed, self.form.on(Focus::Number), &placeholder, None);
        }
    }

    /// What it comes to.
    fn said(&self, freezes: bool) -> String {
        let fits = self.fits.as_ref().map(|(_, count)| *count);
        match (freezes, fits) {
            (false, _) => {
                "None of these keys can be created or rotated meanwhile; existing keys keep working.".into()
            }
            (_, None) => "Gates refuse every key that matches, including keys created later.".into(),
            (_, Some(None)) => "counting…".into(),
            (_, Some(Some(fits))) => format!(
                "Matches {}{} now; keys created later are refused too.",
                count(fits.number(), "key"),
                fits.or_more()
            ),
        }
    }
}
