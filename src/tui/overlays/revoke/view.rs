//! The question's picture.

use ratatui::Frame;
use ratatui::layout::{Rect, Size};

use super::{Done, Focus, State, words};
use crate::config::keymap::Action;
use crate::config::theme::Role;
use crate::domain::text::SafeText;
use crate::tui::shell::Shell;
use crate::tui::styles::Styles;
use crate::tui::tracked::Tracked;
use crate::tui::view::key_facts;
use crate::tui::widgets::buttons::{self, Button};
use crate::tui::widgets::facts;
use crate::tui::widgets::sheet::Sheet;
use crate::tui::widgets::{dialog, fit};

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
        let columns = dialog::columns(area, COLUMNS);
        let mut sheet = Sheet::new(styles, 11, columns);
        let (verb, noun) = (self.wording.revoke.as_str(), self.wording.noun.as_str());
        let title = match (self.known.as_slice(), self.several()) {
            ([key], false) => format!("{verb} {noun} {}?", fit::cut(&key.name, 40)),
            (_, true) => format!("{verb} {} keys?", self.ids.len()),
            _ => format!("{verb} this {noun}?"),
        };
        if self.several() {
            self.draw_names(&mut sheet, styles);
        } else if let Some(key) = self.known.first() {
            for line in facts::lines(styles, &key_facts::of(shell, key), usize::from(columns) - 1) {
                sheet.line(line, false);
            }
        } else if let Some(id) = self.ids.first() {
            sheet.words(Role::Text, &id.to_string());
        }
        sheet.space();
        let words =
            "It ends at once and for good: whatever uses it fails from then on. There is no way back.";
        sheet.words(Role::Warning, words);
        sheet.space();
        let error = self.note_error();
        sheet.text("Note", &self.note, self.focus == Focus::Note, "why; kept in the audit", error.as_deref());
        if self.several() {
            let placeholder = format!("type {} to confirm", self.ids.len());
            sheet.text("How many", &self.count, self.focus == Focus::Count, &placeholder, None);
        }
        if let Some(failure) = &self.failure {
            sheet.words(Role::Error, failure);
        }
        sheet.space();
        if self.done.is_some() {
            sheet.words(Role::Info, "revoked; asking the gates…");
        } else if self.sent.is_some() {
            sheet.words(Role::Info, "sent; waiting until the database shows it…");
        } else {
            let yes = if self.several() {
                format!("{verb} {} keys", self.ids.len())
            } else {
                format!("{verb} ({})", shell.keymap.key(Action::Yes))
            };
            let buttons = [Button::new("No, keep"), Button::danger(&yes)];
            let focus = [Focus::No, Focus::Yes].into_iter().position(|focus| focus == self.focus);
            sheet.line(buttons::line(styles, &buttons, focus), focus.is_some());
        }
        let size = Size { width: columns, height: sheet.height() };
        let place = dialog::open_as(frame, styles, area, &title, size, Role::Danger);
        sheet.draw(frame, place);
    }

    fn draw_names(&self, sheet: &mut Sheet<'_>, styles: &Styles) {
        for key in self.known.iter().take(NAMES) {
            let text = format!("{}  {}  {}", key.preview, key.name, SafeText::new(key.account.clone()));
            sheet.line(ratatui::text::Line::styled(text, styles.of(Role::Text)), false);
        }
        let rest = self.ids.len() - self.known.len().min(NAMES);
        if rest > 0 {
            sheet.words(Role::Muted, &format!("and {rest} more"));
        }
    }
}

/// What the gates say.
fn draw_receipt(shell: &Shell, frame: &mut Frame, area: Rect, done: &Done, receipt: &Tracked) {
    let styles = &shell.styles;
    let columns = dialog::columns(area, COLUMNS);
    let mut sheet = Sheet::new(styles, 11, columns);
    sheet.words(Role::Ok, &format!("{}, read back from the database.", words(&done.revoked, shell.utc)));
    sheet.space();
    sheet.hanging(receipt.lines(shell.utc));
    sheet.space();
    let rest =
        if receipt.ended() { "Enter closes" } else { "Enter closes; the end is told in the last line" };
    sheet.words(Role::Muted, rest);
    let title = match done.revoked.as_slice() {
        [one] => format!("Revoked: {}", fit::cut(&one.key.name, 48)),
        many => format!("{} keys revoked", many.len()),
    };
    let size = Size { width: columns, height: sheet.height() };
    let place = dialog::open_as(frame, styles, area, &title, size, Role::Danger);
    sheet.draw(frame, place);
}
