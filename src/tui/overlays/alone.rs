//! Doing what was asked for without a second person, in an emergency: why is typed here, and everybody is told.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::config::keymap::Context;
use crate::config::theme::Role;
use crate::domain::approval::Approval;
use crate::domain::operator::Permission;
use crate::domain::text::SafeText;
use crate::service::Decision;
use crate::tui::effect::{Effect, Reply, RequestId};
use crate::tui::form::{Form, Pressed};
use crate::tui::input::Input;
use crate::tui::layer::{Layer, Opened};
use crate::tui::opening::Change;
use crate::tui::shell::Shell;
use crate::tui::widgets::buttons::Button;
use crate::tui::widgets::fit;
use crate::tui::widgets::sheet::Sheet;
use crate::tui::widgets::text_field::TextField;
use crate::tui::wish::{Asking, Wish};
use crate::tui::words::Severity;

const COLUMNS: u16 = 74;
const LABEL: usize = 9;

/// The request, and what was written so far.
#[derive(Debug)]
pub struct State {
    approval: Approval,
    reason: TextField,
    form: Form<Reason>,
    wish: Wish,
}

/// The only field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reason;

/// Opens the form for a request of one's own.
pub fn open(shell: &mut Shell, number: u64, approval: Approval) -> Opened {
    if !shell.refuse_unless(Permission::ChangeKeys, "change keys") {
        return Opened::refused();
    }
    let wish = Wish::new(shell, number);
    let state = State { approval, reason: TextField::with(""), form: Form::new(Reason), wish };
    Opened::new(state, Vec::new())
}

impl Layer for State {
    fn context(&self) -> Context {
        Context::Form
    }

    fn wish(&mut self) -> Option<&mut Wish> {
        Some(&mut self.wish)
    }

    fn asking(&self, _: &Shell) -> Option<Asking> {
        let reason = self.reason.value().trim().to_owned();
        let change = Change::Decide { n: self.approval.n, decision: Decision::Override(reason.clone()) };
        (!reason.is_empty()).then(|| -> Asking { Box::new(move |operation| change.request(operation)) })
    }

    fn asks(&self) -> bool {
        self.form.on_button()
    }

    fn typing(&self) -> bool {
        self.form.on(Reason)
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        if self.wish.under_way() {
            return Vec::new();
        }
        match input {
            Input::Paste(pasted) if self.typing() && self.reason.paste(&pasted.line()) => self.wish.edited(),
            Input::Key(key) => match self.form.press(key, &[Reason], self.typing()) {
                Pressed::Close => shell.close(),
                Pressed::Go if self.reason.value().trim().is_empty() => self.form.go_to(Reason),
                Pressed::Go => return self.send_wish(shell),
                Pressed::Text(event) => {
                    if self.reason.key(event) {
                        self.wish.edited();
                    }
                }
                Pressed::Sideways(_) | Pressed::Nothing => {}
            },
            _ => {}
        }
        Vec::new()
    }

    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        let settled = self.wish.settle(shell, id, reply, Reply::try_as_decided);
        if let Some(Ok(_)) = settled {
            let what = self.approval.what();
            shell.toast(
                Severity::Warning,
                format!("done without a second person: {what}; an alert was raised"),
            );
            shell.close();
            let decision = Decision::Override(String::new());
            shell.changed(Change::Decide { n: self.approval.n, decision }.subjects());
        }
        Vec::new()
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let styles = &shell.styles;
        let mut sheet = Sheet::new(styles, area, COLUMNS, LABEL);
        sheet.words(
            Role::Warning,
            "The policy requires a second person. Without one it is done immediately, recorded in the audit, and raises an alert.",
        );
        sheet.space();
        sheet.text("Why", &self.reason, self.typing(), "why it can't wait for another operator", None);
        if let Some(words) = self.wish.beforehand() {
            sheet.words(Role::Warning, words);
        }
        sheet.failure(self.wish.failure());
        sheet.space();
        let yes = if self.wish.under_way() {
            "…".to_owned()
        } else {
            fit::cut(&format!("Alone: {}", self.approval.what()), 40)
        };
        sheet.line(self.form.line(styles, Button::new(&yes), "Cancel"), self.form.on_button());
        let title = SafeText::new(format!("Without a second person: {}", self.approval.what()));
        sheet.draw(frame, &title, Role::Danger);
    }
}
