//! The question's picture.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::{Done, Focus, State, What, said};
use crate::config::keymap::Action;
use crate::config::theme::Role;
use crate::domain::text::thousands;
use crate::service::Field;
use crate::tui::overlays::how_long::{HINT, SPANS};
use crate::tui::shell::Shell;
use crate::tui::tracked::Tracked;
use crate::tui::view::{key_facts, reach, times};
use crate::tui::widgets::buttons::Button;
use crate::tui::widgets::sheet::Sheet;
use crate::tui::widgets::{choice, fit};
use crate::tui::words::{Severity, count};

const COLUMNS: u16 = 74;
const LABEL: usize = 11;
/// Names of this many keys are shown.
const NAMES: usize = 6;
/// So many of the busiest are named.
const BUSIEST: usize = 3;

impl State {
    pub(super) fn paint(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        // Before the first look at the gates is answered the question stands as it was: where there are none it just goes.
        if let Some(done) = &self.done
            && let Some(receipt) = shell.receipt(done.receipt)
            && receipt.begun()
        {
            draw_receipt(shell, frame, area, done, receipt);
            return;
        }
        let styles = &shell.styles;
        let mut sheet = Sheet::new(styles, area, COLUMNS, LABEL);
        let resume = self.what == What::Resume;
        let verb = if resume { "Resume" } else { "Pause" };
        let number = self.targets(shell).len();
        let keys = count(number as u64, "key");
        self.draw_keys(shell, &mut sheet);
        sheet.space();
        self.draw_choice(shell, &mut sheet);
        if !resume {
            for (label, at, field, hint) in [
                ("Message", Focus::Message, &self.message, "for the refused, where the policy shows it"),
                ("Reason", Focus::Reason, &self.reason, "why; kept with it and in the audit"),
            ] {
                let error = self.text_error(at);
                sheet.text(label, field, self.form.on(at), hint, error.as_deref());
            }
        }
        if self.several() {
            let list = shell.keymap.key(Action::ShowReach);
            let placeholder = format!("type {number} to confirm; {list} lists all");
            sheet.text("How many", &self.count, self.form.on(Focus::Count), &placeholder, None);
        }
        if let Some(words) = self.wish.beforehand() {
            sheet.words(Role::Warning, words);
        }
        let at_fields = [Field::Until, Field::Message, Field::Reason];
        if let Some(failure) = self.amiss.as_ref().or_else(|| self.wish.failure_besides(&at_fields)) {
            sheet.words(Role::Error, failure);
        }
        sheet.space();
        if self.done.is_some() {
            sheet.words(Role::Info, &format!("{}; asking the gates…", self.participle()));
        } else if self.wish.under_way() {
            let all = if self.several() { ": all of them, or none…" } else { "…" };
            sheet.words(Role::Info, &format!("sent; waiting until the database shows it{all}"));
        } else {
            let yes = match self.several() {
                true => format!("{verb} {keys}"),
                false => format!("{verb} ({})", shell.keymap.key(Action::Yes)),
            };
            sheet.line(self.form.line(styles, Button::new(&yes), "Cancel"), self.form.on_button());
        }
        let title = match self.keys() {
            [key] if !self.several() => format!("{verb} {}?", fit::cut(&key.name, 48)),
            _ => format!("{verb} {keys}?"),
        };
        sheet.draw(frame, &title, Role::DialogBorder);
    }

    /// Which keys these are and what they do.
    fn draw_keys(&self, shell: &Shell, sheet: &mut Sheet<'_>) {
        let styles = &shell.styles;
        if !self.several() {
            match self.keys() {
                [key] => sheet.facts(&key_facts::of(shell, key)),
                _ => self.ids.iter().for_each(|id| sheet.words(Role::Text, &id.to_string())),
            }
            return;
        }
        // Of more keys than that the busiest are named.
        let names = if self.ids.len() > NAMES { 0 } else { self.known.len() };
        for key in self.known.iter().take(names) {
            sheet.words(Role::Text, &format!("{}  {}  {}", key.preview, key.name, key.account));
        }
        let rest = self.ids.len() - names;
        if rest > 0 && names > 0 {
            sheet.words(Role::Muted, &format!("and {} more", thousands(rest as u64)));
        }
        if !self.states.is_empty() {
            sheet.words(Role::Text, &self.states);
        }
        let left = self.ids.len() - self.targets(shell).len();
        if left > 0 {
            let why = if self.what == What::Resume { "not paused" } else { "revoked or expired" };
            let words = match left {
                1 => format!("One more that you chose is {why}: it stays as it is."),
                many => format!(
                    "{} more that you chose are {why}: they stay as they are.",
                    thousands(many as u64)
                ),
            };
            sheet.words(Role::Warning, &words);
        }
        sheet.pin();
        let facts = reach::facts(styles, self.looked.as_deref(), self.reaching.is_some(), BUSIEST);
        sheet.facts_to_come(&facts, 4 + BUSIEST.min(self.ids.len()));
    }

    /// What is done, and until when.
    fn draw_choice(&self, shell: &Shell, sheet: &mut Sheet<'_>) {
        let styles = &shell.styles;
        let offered = self.offered(shell);
        let words: Vec<&str> = offered
            .iter()
            .map(|what| match what {
                What::Resume => "resume now",
                What::For(at) => SPANS[*at].1,
                What::Other => "other",
            })
            .collect();
        let at = offered.iter().position(|what| *what == self.what).unwrap_or(0);
        let focus = self.form.on(Focus::What);
        let lines = choice::lines(styles, &words, at, focus, sheet.field_columns());
        let label = if offered.first() == Some(&What::Resume) { "Do" } else { "For" };
        sheet.lines(label, lines, focus.then_some(0));
        let refused = self.wish.refusal(Field::Until).map(|why| why.as_str().to_owned());
        if self.what == What::Other {
            let writing = self.form.on(Focus::Other);
            let wrong = self.lasting(shell).err().filter(|_| !writing);
            sheet.text("How long", &self.other, writing, HINT, wrong.or(refused).as_deref());
        } else {
            sheet.error(refused.as_deref());
        }
        if self.what == What::Resume {
            let many = if self.several() { "They work" } else { "It works" };
            sheet.note(Role::Muted, &format!("{many} again at once, at every gate."));
            return;
        }
        let tried = self.tried.iter().filter(|one| one.changed).find_map(|one| one.key.paused.as_ref());
        let tried = tried.map(|pause| pause.until);
        let lasting = self.lasting(shell).ok().flatten();
        let until = tried.or_else(|| lasting.and_then(|lasting| lasting.end(shell.now, []).ok()));
        let (until, again) = (
            until.map(|at| format!(" until {}", times::exact(at, shell.utc))).unwrap_or_default(),
            if self.several() {
                "then they work again automatically"
            } else {
                "then it works again automatically"
            },
        );
        sheet.note(Role::Muted, &format!("Refused{until}; {again}."));
    }
}

/// What the gates say.
fn draw_receipt(shell: &Shell, frame: &mut Frame, area: Rect, done: &Done, receipt: &Tracked) {
    let mut sheet = Sheet::new(&shell.styles, area, COLUMNS, LABEL);
    let (severity, words) = said::words(done, shell);
    let role = if severity == Severity::Good { Role::Ok } else { Role::Warning };
    sheet.words(role, &format!("{}, read back from the database.", words.trim_end_matches('.')));
    sheet.space();
    sheet.hanging(receipt.lines(shell.utc));
    sheet.space();
    let rest = if receipt.ended() { "" } else { "; the result then appears in the last line" };
    sheet.words(Role::Muted, &format!("Enter closes{rest}"));
    let verb = if done.paused { "Paused" } else { "Resumed" };
    let title = match done.held.as_slice() {
        [one] => format!("{verb}: {}", fit::cut(&one.key.name, 48)),
        many => format!("{verb}: {}", count(many.len() as u64, "key")),
    };
    sheet.draw(frame, &title, Role::DialogBorder);
}
