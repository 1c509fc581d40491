//! The question how several keys are to be replaced, on the screen, and what became of them.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::super::words;
use super::{Focus, SECRETS, Secrets, State};
use crate::config::keymap::Action;
use crate::config::theme::Role;
use crate::domain::expiry::Overlap;
use crate::domain::reach::BUSIEST;
use crate::domain::text::{SafeText, thousands};
use crate::service::{Field, Rotated};
use crate::tui::opening::{Opening, Part};
use crate::tui::shell::Shell;
use crate::tui::view::{reach, times};
use crate::tui::widgets::buttons::Button;
use crate::tui::widgets::choice;
use crate::tui::widgets::sheet::Sheet;

/// Names that are shown.
const NAMES: usize = 5;

impl Secrets {
    fn words(self) -> &'static str {
        match self {
            Self::Folder => "files in a folder",
            Self::Env => "one .env file",
            Self::Screen => "shown one by one",
        }
    }
}

impl State {
    pub(super) fn paint(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let styles = &shell.styles;
        let mut sheet = Sheet::new(styles, area, 76, 9);
        let names = if self.ids.len() > NAMES { 0 } else { self.known.len() };
        for key in self.known.iter().take(names) {
            sheet.words(Role::Text, &format!("{}  {}  {}", key.preview, key.name, key.account));
        }
        if !self.states.is_empty() {
            sheet.words(Role::Text, &self.states);
        }
        sheet.facts(&reach::facts(styles, self.looked.as_deref(), self.reaching.is_some(), BUSIEST));
        sheet.words(
            Role::Muted,
            match self.secrets {
                Secrets::Screen => {
                    "Each secret is shown once. The old key keeps working until you confirm the new one (Done)."
                }
                _ => "The new secrets are written first; then all keys are rotated, or none.",
            },
        );
        sheet.space();
        self.paint_fields(shell, &mut sheet);
        let fields = [Field::Overlap, Field::Expiry, Field::Place];
        sheet.failure(self.amiss.as_ref().or_else(|| self.wish.failure_besides(&fields)));
        sheet.space();
        if self.wish.under_way() {
            sheet.line(Line::styled("writing the secrets, then rotating…", styles.of(Role::Info)), true);
        } else {
            let number = thousands(self.ids.len() as u64);
            let go = match self.secrets {
                Secrets::Screen => format!("Show the first of {number}"),
                _ => format!("Rotate {number} keys"),
            };
            sheet.line(self.form.line(styles, Button::new(&go), "Cancel"), self.form.on_button());
        }
        let title = format!("Rotate {} keys", thousands(self.ids.len() as u64));
        sheet.draw(frame, &title, Role::DialogBorder);
    }

    fn paint_fields(&self, shell: &Shell, sheet: &mut Sheet<'_>) {
        let styles = &shell.styles;
        let choices: Vec<&str> = Overlap::ALL.iter().map(|overlap| words(*overlap)).collect();
        let on = self.form.on(Focus::Overlap);
        let lines = choice::lines(styles, &choices, self.overlap, on, sheet.field_columns());
        sheet.lines("Overlap", lines, on.then_some(0));
        sheet.error(self.wish.refusal(Field::Overlap).map(SafeText::as_str));
        let wrong = self.chosen_expiry(shell).err().filter(|_| self.checked || !self.form.on(Focus::Expiry));
        let error = wrong.or(self.wish.refusal(Field::Expiry).map(SafeText::to_string));
        let hint = "as now; or 90d, 1y, never, 2027-01-31";
        sheet.text("Expires", &self.expiry, self.form.on(Focus::Expiry), hint, error.as_deref());
        sheet.note(Role::Muted, &self.ends(shell));
        let on = self.form.on(Focus::Secrets);
        let choices = SECRETS.map(Secrets::words);
        let at = SECRETS.iter().position(|one| *one == self.secrets).unwrap_or(0);
        let lines = choice::lines(styles, &choices, at, on, sheet.field_columns());
        sheet.lines("Secrets", lines, on.then_some(0));
        if self.secrets != Secrets::Screen {
            let error = self.wish.refusal(Field::Place).map(SafeText::to_string);
            let error = error.or((self.checked && self.place().is_none()).then(|| "name a place".into()));
            let label = if self.secrets == Secrets::Env { "File" } else { "Folder" };
            sheet.text(label, &self.path, self.form.on(Focus::Path), "a new one", error.as_deref());
        }
        let confirm = format!("type {} to confirm", self.ids.len());
        let list = shell.keymap.key(Action::ShowReach);
        let placeholder = format!("{confirm}; {list} lists all");
        let error = (self.checked && !self.counted()).then_some(confirm.as_str());
        sheet.text("How many", &self.count, self.form.on(Focus::Count), &placeholder, error);
    }

    /// When the new keys expire, as far as it was tried.
    fn ends(&self, shell: &Shell) -> String {
        let ends = || self.tried.iter().map(|one| one.new.expires_at);
        let never = ends().filter(Option::is_none).count();
        let first = ends().flatten().min().map(|at| times::exact(at, shell.utc));
        match (self.tried.len(), never, first) {
            (0, ..) => "Empty: as long as the key it replaces, as far as the policy allows.".into(),
            (_, _, None) => "The new keys never expire.".into(),
            (_, 0, Some(first)) => format!("The new keys expire from {first} on."),
            (_, never, Some(first)) => {
                format!(
                    "{} of the new keys never expire, the others from {first} on.",
                    thousands(never as u64)
                )
            }
        }
    }

    /// What was done, and where the secrets are.
    pub(super) fn page(&self, shell: &Shell, rotated: &[Rotated]) -> Opening {
        let number = thousands(rotated.len() as u64);
        let place = rotated.first().map(|one| match self.secrets {
            Secrets::Env => one.file.display().to_string(),
            _ => one.file.parent().unwrap_or(&one.file).display().to_string(),
        });
        let until = rotated.iter().filter_map(|one| one.old.ends_at()).max();
        let mut parts = vec![
            Part::Words(format!(
                "{number} keys are rotated. Keyrack kept no other copy of the new secrets than this:"
            )),
            Part::Space,
            Part::Fact(
                if self.secrets == Secrets::Env { "File" } else { "Folder" },
                place.unwrap_or_default(),
            ),
            Part::Fact("Mode", "0600: only you can read it".into()),
        ];
        if let Some(until) = until.filter(|until| *until > shell.now) {
            parts.push(Part::Fact(
                "Old keys",
                format!("work until {} at the latest", times::exact(until, shell.utc)),
            ));
        } else {
            parts.push(Part::Fact("Old keys", "are revoked".into()));
        }
        parts.push(Part::Space);
        parts.push(Part::Heading("New keys".into()));
        for one in rotated {
            parts.push(Part::Words(format!("{}  {}  {}", one.new.preview, one.new.name, one.new.account)));
        }
        parts.push(Part::Space);
        let key = shell.keymap.key(Action::ScreenRotations);
        parts.push(Part::Words(format!("Screen {key} shows who still uses the old keys.")));
        Opening::Reader { title: format!("{number} keys rotated"), parts, about: None }
    }
}
