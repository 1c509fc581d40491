//! The question's picture.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::said::words;
use super::{Done, Focus, State};
use crate::config::keymap::Action;
use crate::config::theme::Role;
use crate::domain::text::SafeText;
use crate::domain::text::thousands;
use crate::service::UndoneList;
use crate::tui::shell::Shell;
use crate::tui::styles::Styles;
use crate::tui::tracked::Tracked;
use crate::tui::view::{key_facts, times};
use crate::tui::widgets::buttons::Button;
use crate::tui::widgets::fit;
use crate::tui::widgets::sheet::Sheet;

const COLUMNS: u16 = 72;
/// Names of this many keys are shown.
const NAMES: usize = 6;

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
        if !self.asked {
            return;
        }
        let styles = &shell.styles;
        let mut sheet = Sheet::new(styles, area, COLUMNS, 11);
        let (verb, noun) = match self.closing {
            true => ("Close now", "overlap"),
            false => (self.wording.revoke.as_str(), self.wording.noun.as_str()),
        };
        let title = match (self.known.as_slice(), self.several()) {
            ([key], false) if self.closing => format!("Close the overlap of {}?", fit::cut(&key.name, 40)),
            (_, true) if self.closing => format!("Close {} overlaps?", self.ids.len()),
            ([key], false) => format!("{verb} {noun} {}?", fit::cut(&key.name, 40)),
            (_, true) => format!("{verb} {} keys?", self.ids.len()),
            _ if self.again.is_some() => "What a restored backup undid".to_owned(),
            _ => format!("{verb} this {noun}?"),
        };
        if let Some(list) = &self.again {
            draw_undone(&mut sheet, shell, list, self.reading.is_some());
        }
        if self.several() {
            self.draw_names(&mut sheet, styles);
            sheet.pin();
            self.draw_reach(&mut sheet, styles);
        } else if let Some(key) = self.known.first() {
            sheet.facts(&key_facts::of(shell, key));
            if self.closing && !self.states.is_empty() {
                sheet.words(Role::Text, &self.states);
            }
        } else if let Some(id) = self.ids.first() {
            sheet.words(Role::Text, &id.to_string());
        }
        sheet.space();
        let words = match (self.closing, self.several()) {
            (true, false) => {
                "The old key stops working immediately; its replacement keeps working. Anything that still uses the old key will fail. This can't be undone."
            }
            (true, true) => {
                "The old keys stop working immediately; their replacements keep working. Anything that still uses an old key will fail. This can't be undone."
            }
            (false, true) => {
                "They stop working immediately. Anything that uses them will fail. This can't be undone."
            }
            _ => "It stops working immediately. Anything that uses it will fail. This can't be undone.",
        };
        let later = self.later(shell).ok().flatten();
        match later {
            Some(at) => {
                let (exact, cancel) = (times::exact(at, shell.utc), shell.keymap.key(Action::EditKey));
                let in_time = times::relative(at, shell.now);
                let words = format!(
                    "It keeps working until {exact} ({in_time}). Then it is revoked, which can't be undone. Until then, {cancel} cancels or moves this."
                );
                sheet.words(Role::Warning, &words);
            }
            None => sheet.words(Role::Warning, words),
        }
        sheet.space();
        if self.may_wait() {
            let error = self.later_error(shell);
            let hint = "now; or 3h, friday, 2027-01-31 18:00";
            sheet.text("When", &self.when, self.form.on(Focus::When), hint, error.as_deref());
        }
        let error = self.note_error();
        sheet.text("Note", &self.note, self.form.on(Focus::Note), "why; kept in the audit", error.as_deref());
        if self.several() {
            let list = shell.keymap.key(Action::ShowReach);
            let placeholder = format!("type {} to confirm; {list} lists all", self.ids.len());
            sheet.text("How many", &self.count, self.form.on(Focus::Count), &placeholder, None);
        }
        if let Some(words) = self.wish.beforehand() {
            sheet.words(Role::Warning, words);
        }
        if let Some(failure) = self.amiss.as_ref().or(self.wish.failure()) {
            sheet.words(Role::Error, failure);
        }
        sheet.space();
        if self.done.is_some() {
            sheet.words(Role::Info, "revoked; asking the gates…");
        } else if self.wish.under_way() {
            let words = match self.ids.len() {
                1 => "sent; waiting until the database shows it…".to_owned(),
                many => format!(
                    "sent; waiting until the database shows all {} as revoked: all of them, or none…",
                    thousands(many as u64)
                ),
            };
            sheet.words(Role::Info, &words);
        } else {
            let yes = if self.several() && self.closing {
                format!("Close {} overlaps", self.ids.len())
            } else if self.several() {
                format!("{verb} {} keys", self.ids.len())
            } else {
                format!("{verb} ({})", shell.keymap.key(Action::Yes))
            };
            sheet.line(self.form.line(styles, Button::danger(&yes), "No, keep"), self.form.on_button());
        }
        sheet.draw(frame, &title, Role::Danger);
    }

    fn draw_names(&self, sheet: &mut Sheet<'_>, styles: &Styles) {
        // Of more keys than that the busiest are named.
        let names = if self.ids.len() > NAMES { 0 } else { self.known.len() };
        for key in self.known.iter().take(names) {
            let text = format!("{}  {}  {}", key.preview, key.name, SafeText::new(key.account.clone()));
            sheet.line(ratatui::text::Line::styled(text, styles.of(Role::Text)), false);
        }
        let rest = self.ids.len() - names;
        if rest > 0 && names > 0 {
            sheet.words(Role::Muted, &format!("and {} more", thousands(rest as u64)));
        }
        if !self.states.is_empty() {
            sheet.words(Role::Text, &self.states);
        }
    }
}

/// How the revocations came to be undone, and what can't be made again.
fn draw_undone(sheet: &mut Sheet<'_>, shell: &Shell, list: &UndoneList, reading: bool) {
    if let Some(alarm) = shell.history.alarm(shell.here().zone) {
        sheet.words(Role::Danger, &format!("{alarm}."));
    }
    if reading {
        sheet.words(Role::Info, "reading what is undone…");
    }
    sheet.words(Role::Muted, "To accept the database as it is instead, an admin runs: keyrack audit accept");
    let unknown = list.undone.len() - list.keys().count();
    if unknown > 0 {
        let words = format!(
            "{} more: created after the backup. This database doesn't know them, so no request with them passes.",
            thousands(unknown as u64)
        );
        sheet.words(Role::Muted, &words);
    }
    sheet.space();
}

/// What the gates say.
fn draw_receipt(shell: &Shell, frame: &mut Frame, area: Rect, done: &Done, receipt: &Tracked) {
    let mut sheet = Sheet::new(&shell.styles, area, COLUMNS, 11);
    sheet.words(Role::Ok, &format!("{}, read back from the database.", words(&done.revoked, shell.utc)));
    sheet.space();
    sheet.hanging(receipt.lines(shell.utc));
    sheet.space();
    let report = shell.keymap.key(Action::Incident);
    let rest = if receipt.ended() { "" } else { "; the result then appears in the last line" };
    sheet.words(Role::Muted, &format!("Enter closes{rest} · {report} shows the report"));
    let title = match done.revoked.as_slice() {
        [one] => format!("Revoked: {}", fit::cut(&one.key.name, 48)),
        many => format!("{} keys revoked", many.len()),
    };
    sheet.draw(frame, &title, Role::Danger);
}
