//! The form for budgets agreed for one key, in the place of what its policy gives to every key.

use ratatui::Frame;
use ratatui::layout::{Rect, Size};

use crate::config::keymap::{Action, Context};
use crate::config::theme::Role;
use crate::domain::account::Account;
use crate::domain::audit;
use crate::domain::budget::Budgets;
use crate::domain::key::{Key, OperationId};
use crate::domain::operator::Permission;
use crate::domain::subjects::Subjects;
use crate::domain::text::SafeText;
use crate::tui::effect::{Effect, Failure, FailureKind, Reply, Request, RequestId, To};
use crate::tui::input::{self, Input};
use crate::tui::layer::{Layer, Opened};
use crate::tui::shell::Shell;
use crate::tui::view::limits;
use crate::tui::widgets::buttons::{self, Button};
use crate::tui::widgets::facts::{self, Fact};
use crate::tui::widgets::sheet::Sheet;
use crate::tui::widgets::text_field::TextField;
use crate::tui::widgets::{dialog, fit};
use crate::tui::words::Severity;

#[cfg(test)]
mod tests;

const COLUMNS: u16 = 74;
const LABEL: usize = 9;

/// The key in question and what was written so far.
#[derive(Debug)]
pub struct State {
    number: u64,
    operation: OperationId,
    key: Key,
    /// The key's account, once it was read: its plan says what the policy gives.
    account: Option<Account>,
    reading: RequestId,
    budgets: TextField,
    focus: Focus,
    checked: bool,
    failure: Option<SafeText>,
    sent: Option<RequestId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Focus {
    Budgets,
    Go,
    Cancel,
}

const ORDER: [Focus; 3] = [Focus::Budgets, Focus::Go, Focus::Cancel];

/// Opens the form for a key that is not revoked.
pub fn open(shell: &mut Shell, number: u64, key: Key) -> Opened {
    if !shell.refuse_unless(Permission::ChangeKeys, "change the limits of keys") {
        return Opened::refused();
    }
    if key.revoked_at.is_some() {
        shell.toast(Severity::Info, format!("{} is revoked: limits have no meaning for it", key.name));
        return Opened::refused();
    }
    let (reading, effect) = shell.ask(To::Overlay(number), Request::Account(key.account.clone()));
    let state = State {
        number,
        operation: shell.operation(),
        budgets: TextField::with(&key.limits.to_string()),
        key,
        account: None,
        reading,
        focus: Focus::Budgets,
        checked: false,
        failure: None,
        sent: None,
    };
    Opened::new(state, vec![effect])
}

impl State {
    /// What was written, or why that can't be.
    fn wanted(&self) -> Result<Budgets, String> {
        Budgets::parse(self.budgets.value()).map_err(|error| error.to_string())
    }

    fn move_focus(&mut self, by: isize) {
        let at = ORDER.iter().position(|focus| *focus == self.focus).unwrap_or(0);
        self.focus = ORDER[at.saturating_add_signed(by).min(ORDER.len() - 1)];
    }

    fn press(&mut self, shell: &mut Shell, key: input::Key) -> Vec<Effect> {
        match key.action {
            Some(Action::CloseForm | Action::Interrupt) => shell.close(),
            Some(Action::Submit) if !key.hurried => return self.send(shell),
            Some(Action::NextField | Action::FieldDown) => self.move_focus(1),
            Some(Action::PreviousField | Action::FieldUp) => self.move_focus(-1),
            Some(Action::FieldLeft) if !self.typing() => self.focus = Focus::Go,
            Some(Action::FieldRight) if !self.typing() => self.focus = Focus::Cancel,
            Some(Action::Press) if !key.hurried => match self.focus {
                Focus::Go => return self.send(shell),
                Focus::Cancel => shell.close(),
                Focus::Budgets => self.move_focus(1),
            },
            _ => {
                if self.typing() && self.budgets.key(key.event) {
                    self.edited();
                }
            }
        }
        Vec::new()
    }

    fn edited(&mut self) {
        self.checked = false;
        self.failure = None;
    }

    fn send(&mut self, shell: &mut Shell) -> Vec<Effect> {
        self.checked = true;
        let Ok(limits) = self.wanted() else {
            self.focus = Focus::Budgets;
            return Vec::new();
        };
        if limits == self.key.limits {
            shell.toast(Severity::Info, format!("the limits of {} stay as they were", self.key.name));
            shell.close();
            return Vec::new();
        }
        let request = Request::SetLimits { operation: self.operation, key: self.key.id, limits };
        let (id, effect) = shell.ask(To::Overlay(self.number), request);
        self.sent = Some(id);
        self.failure = None;
        vec![effect]
    }

    fn done(&self, shell: &mut Shell, key: &Key) {
        let words = match key.limits.is_empty() {
            true => "its policy's limits again".to_owned(),
            false => key.limits.to_string(),
        };
        let words = format!("{} has {words}; gates count by that from their next request on", key.name);
        shell.toast(Severity::Good, words);
        shell.close();
        shell.changed(Subjects::of(audit::Action::KeyLimit));
    }

    fn refused(&mut self, shell: &mut Shell, failure: Failure) {
        if !matches!(failure.kind, FailureKind::Unreachable | FailureKind::Other) {
            self.operation = shell.operation();
        }
        self.failure = Some(failure.text);
    }

    /// The budgets that hold for a key, as people read them; none while its account is on its way.
    fn words(&self, shell: &Shell, key: &Key) -> Option<String> {
        let policy = &shell.issuer(&key.issuer)?.policy;
        let words = limits::words(policy, self.account.as_ref(), key);
        (!words.is_empty()).then(|| words.join("; "))
    }
}

impl Layer for State {
    fn context(&self) -> Context {
        Context::Form
    }

    fn typing(&self) -> bool {
        self.focus == Focus::Budgets
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        if self.sent.is_some() {
            return Vec::new();
        }
        match input {
            Input::Paste(pasted) if self.typing() => {
                if self.budgets.paste(&pasted.line()) {
                    self.edited();
                }
                Vec::new()
            }
            Input::Key(key) => self.press(shell, key),
            _ => Vec::new(),
        }
    }

    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        match reply {
            // Without an answer the form does its work all the same.
            Reply::Account(Ok(summary)) if id == self.reading => self.account = Some(summary.account),
            Reply::SetLimits(result) if self.sent == Some(id) => {
                self.sent = None;
                match result {
                    Ok(key) => self.done(shell, &key),
                    Err(failure) => self.refused(shell, failure),
                }
            }
            _ => {}
        }
        Vec::new()
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let styles = &shell.styles;
        let columns = dialog::columns(area, COLUMNS);
        let mut sheet = Sheet::new(styles, LABEL, columns);
        let now = self.words(shell, &self.key).unwrap_or_else(|| "…".into());
        let facts = [
            Fact::new(styles, "Key", self.key.preview.as_str()),
            Fact::new(styles, "Account", format!("{} ({})", self.key.account, self.key.issuer)),
            Fact::new(styles, "Now", now),
        ];
        for line in facts::lines(styles, &facts, usize::from(columns) - 1) {
            sheet.line(line, false);
        }
        sheet.space();
        let wanted = self.wanted();
        // Half of a budget is no mistake while somebody writes it.
        let error = wanted.as_ref().err().filter(|_| self.checked || !self.typing());
        let hint = "such as 100/1m 5000/1h; empty: what the policy gives";
        sheet.text("Budgets", &self.budgets, self.typing(), hint, error.map(String::as_str));
        if let Ok(limits) = wanted {
            let key = Key { limits, ..self.key.clone() };
            let then = self.words(shell, &key).unwrap_or_else(|| "…".into());
            let words = if key.limits == self.key.limits { "as it is now".into() } else { then };
            sheet.note(Role::Info, &format!("From the next request on: {words}"));
        } else if error.is_none() {
            sheet.note(
                Role::Muted,
                "Requests in any time of that length: s, m, h or d, such as 100/1m 5000/1h",
            );
        }
        if let Some(failure) = &self.failure {
            sheet.space();
            sheet.words(Role::Error, failure);
        }
        sheet.space();
        let go = if self.sent.is_some() { "Saving…" } else { "Save" };
        let buttons = [Button::new(go), Button::new("Cancel")];
        let focus = ORDER[1..].iter().position(|focus| *focus == self.focus);
        sheet.line(buttons::line(styles, &buttons, focus), focus.is_some());
        let title = format!("Limits of {}", fit::cut(&self.key.name, 50));
        let size = Size { width: columns, height: sheet.height() };
        let place = dialog::open(frame, styles, area, &title, size);
        sheet.draw(frame, place);
    }
}
