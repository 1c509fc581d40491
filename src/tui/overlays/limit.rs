//! The form for budgets agreed for one key, in the place of what its policy gives to every key.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::config::keymap::Context;
use crate::config::theme::Role;
use crate::domain::account::Account;
use crate::domain::audit;
use crate::domain::budget::Budgets;
use crate::domain::key::Key;
use crate::domain::operator::Permission;
use crate::domain::subjects::Subjects;
use crate::tui::effect::{Effect, Reply, Request, RequestId, To};
use crate::tui::form::{Form, Pressed};
use crate::tui::input::Input;
use crate::tui::layer::{Layer, Opened};
use crate::tui::shell::Shell;
use crate::tui::typed::Typed;
use crate::tui::view::limits;
use crate::tui::widgets::buttons::Button;
use crate::tui::widgets::facts::Fact;
use crate::tui::widgets::fit;
use crate::tui::widgets::sheet::Sheet;
use crate::tui::widgets::text_field::TextField;
use crate::tui::wish::{Asking, Wish};
use crate::tui::words::Severity;

#[cfg(test)]
mod tests;

const COLUMNS: u16 = 74;
const LABEL: usize = 9;

/// The key in question and what was written so far.
#[derive(Debug)]
pub struct State {
    key: Key,
    /// The key's account, once it was read: its plan says what the policy gives.
    account: Option<Account>,
    reading: RequestId,
    number: u64,
    /// The key is read once more: at first, for the row it was taken from may be of before, and when something changed.
    news: Option<RequestId>,
    /// The first of these readings is still on its way.
    opening: bool,
    /// Its limits are others now than at first.
    moved: bool,
    budgets: TextField,
    form: Form<Budget>,
    checked: bool,
    wish: Wish,
}

/// The only field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Budget;

/// Opens the form for a key that is not revoked.
pub fn open(shell: &mut Shell, number: u64, key: Key) -> Opened {
    if !shell.refuse_unless(Permission::ChangeKeys, "change the limits of keys") {
        return Opened::refused();
    }
    if key.is_revoked(shell.now) {
        shell.toast(Severity::Info, format!("{} is revoked: limits have no effect on it", key.name));
        return Opened::refused();
    }
    let me = To::Overlay(number);
    let (news, fresh) = shell.ask(me, Request::Key(key.id));
    let (reading, effect) = shell.ask(me, Request::Account(key.account.clone()));
    let state = State {
        budgets: TextField::with(&key.limits.to_string()),
        key,
        account: None,
        reading,
        number,
        news: Some(news),
        opening: true,
        moved: false,
        form: Form::new(Budget),
        checked: false,
        wish: Wish::new(shell, number),
    };
    Opened::new(state, vec![fresh, effect])
}

impl State {
    /// What was written, or why that can't be.
    fn wanted(&self) -> Result<Budgets, String> {
        Budgets::parse(self.budgets.value()).map_err(|error| error.to_string())
    }

    fn edited(&mut self) {
        self.checked = false;
        self.wish.edited();
    }

    fn send(&mut self, shell: &mut Shell) -> Vec<Effect> {
        self.checked = true;
        if self.wanted().is_err() {
            self.form.go_to(Budget);
        } else if let Some(ask) = self.asking(shell) {
            return self.wish.send(shell, ask);
        } else {
            shell.toast(Severity::Info, format!("the limits of {} stay as they were", self.key.name));
            shell.close();
        }
        Vec::new()
    }

    fn done(&self, shell: &mut Shell, key: &Key) {
        let words = match key.limits.is_empty() {
            true => "its policy's limits again".to_owned(),
            false => key.limits.to_string(),
        };
        let words = format!("{} has {words}; gates apply that from the next request on", key.name);
        shell.toast(Severity::Good, words);
        shell.close();
        shell.changed(Subjects::of(audit::Action::KeyLimit));
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

    fn wish(&mut self) -> Option<&mut Wish> {
        Some(&mut self.wish)
    }

    fn asking(&self, _: &Shell) -> Option<Asking> {
        let limits = self.wanted().ok().filter(|limits| *limits != self.key.limits)?;
        let key = self.key.id;
        Some(Box::new(move |operation| Request::SetLimits { operation, key, limits: limits.clone() }))
    }

    fn changed(&mut self, shell: &mut Shell, _: Subjects) -> Vec<Effect> {
        let me = To::Overlay(self.number);
        let (news, key) = shell.ask(me, Request::Key(self.key.id));
        let (reading, account) = shell.ask(me, Request::Account(self.key.account.clone()));
        (self.news, self.reading) = (Some(news), reading);
        vec![key, account]
    }

    /// The account's plan adds to what is said.
    fn question(&self, _: &Shell) -> (Context, usize) {
        (Context::Form, usize::from(self.account.is_some()))
    }

    fn asks(&self) -> bool {
        self.form.on_button()
    }

    fn typing(&self) -> bool {
        self.form.on(Budget)
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        if self.wish.under_way() {
            return Vec::new();
        }
        match input {
            Input::Paste(pasted) if self.typing() && self.budgets.paste(&pasted.line()) => self.edited(),
            Input::Key(key) => match self.form.press(key, &[Budget], self.typing()) {
                Pressed::Close => shell.close(),
                Pressed::Go => return self.send(shell),
                Pressed::Text(event) => {
                    if self.budgets.key(event) {
                        self.edited();
                    }
                }
                Pressed::Sideways(_) | Pressed::Nothing => {}
            },
            _ => {}
        }
        Vec::new()
    }

    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        if id == self.reading {
            // Without an answer the form does its work all the same.
            if let Reply::Account(Ok(summary)) = reply {
                self.account = Some(summary.account);
            }
            return Vec::new();
        }
        if self.news == Some(id) {
            let opening = std::mem::take(&mut self.opening);
            if let Reply::Key(Ok(key)) = reply
                && self.key != *key
            {
                let untouched = self.budgets.value() == self.key.limits.to_string();
                if opening && untouched {
                    self.budgets = TextField::with(&key.limits.to_string());
                } else {
                    self.moved |= self.key.limits != key.limits;
                }
                self.key = *key;
                self.wish.changed();
            }
            return Vec::new();
        }
        let settled = self.wish.settle(shell, id, reply, Reply::try_as_set_limits);
        if let Some(Ok(key)) = settled {
            self.done(shell, &key);
        }
        Vec::new()
    }

    fn typed(&self, shell: &Shell) -> Option<Typed> {
        let limits = self.key.limits.clone();
        Typed::of(&Request::SetLimits { operation: self.key.id, key: self.key.id, limits }, shell)
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let styles = &shell.styles;
        let mut sheet = Sheet::new(styles, area, COLUMNS, LABEL);
        let now = self.words(shell, &self.key).unwrap_or_else(|| "…".into());
        let facts = [
            Fact::new(styles, "Key", self.key.preview.as_str()),
            Fact::new(styles, "Account", format!("{} ({})", self.key.account, self.key.issuer)),
            Fact::new(styles, "Now", now),
        ];
        sheet.facts(&facts);
        if self.moved {
            sheet.note(Role::Warning, "Its limits were changed meanwhile.");
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
                "Requests in any period of that length (s, m, h or d), such as 100/1m 5000/1h",
            );
        }
        sheet.failure(self.wish.failure());
        sheet.space();
        let go = if self.wish.under_way() { "Saving…" } else { "Save" };
        sheet.line(self.form.line(styles, Button::new(go), "Cancel"), self.form.on_button());
        let title = format!("Limits of {}", fit::cut(&self.key.name, 50));
        sheet.draw(frame, &title, Role::DialogBorder);
    }
}
