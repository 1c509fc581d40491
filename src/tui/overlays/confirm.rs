//! A plain question before a change that can be taken back: suspend, reinstate, remove a person's rights.

use ratatui::Frame;
use ratatui::layout::{Rect, Size};

use crate::config::keymap::{Action, Context};
use crate::config::theme::Role;
use crate::domain::key::OperationId;
use crate::domain::text::SafeText;
use crate::service::Retried;
use crate::tui::effect::{Effect, Reply, RequestId, To};
use crate::tui::input::Input;
use crate::tui::layer::{Layer, Opened};
use crate::tui::opening::Question;
use crate::tui::shell::Shell;
use crate::tui::widgets::buttons::{self, Button};
use crate::tui::widgets::dialog;
use crate::tui::widgets::sheet::Sheet;
use crate::tui::words::Severity;

/// The question, and the request that a yes sends.
#[derive(Debug)]
pub struct State {
    number: u64,
    operation: OperationId,
    question: Question,
    yes: bool,
    sent: Option<RequestId>,
    failure: Option<SafeText>,
}

/// Asks; No is the default.
pub fn open(shell: &mut Shell, number: u64, question: Question) -> Opened {
    let operation = shell.operation();
    let state = State { number, operation, question, yes: false, sent: None, failure: None };
    Opened::new(state, Vec::new())
}

impl Layer for State {
    fn context(&self) -> Context {
        Context::Dialog
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        let Input::Key(key) = input else { return Vec::new() };
        if self.sent.is_some() {
            return Vec::new();
        }
        match key.action {
            Some(Action::No | Action::Interrupt) => shell.close(),
            Some(Action::NextButton | Action::PreviousButton) => self.yes = !self.yes,
            Some(Action::PressButton) if !self.yes && !key.hurried => shell.close(),
            Some(Action::Yes | Action::PressButton) if !key.hurried => {
                let request = self.question.change.request(self.operation);
                let (id, effect) = shell.ask(To::Overlay(self.number), request);
                self.sent = Some(id);
                self.failure = None;
                return vec![effect];
            }
            _ => {}
        }
        Vec::new()
    }

    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        if self.sent != Some(id) {
            return Vec::new();
        }
        self.sent = None;
        let failure = match reply {
            Reply::SetStanding(result) => result.err(),
            Reply::SetOperator(result) => result.err(),
            Reply::RemoveOperator(result) => result.err(),
            Reply::RetryReminders(Ok(retried)) => {
                let (severity, words) = retried_words(shell, &retried);
                shell.toast(severity, words);
                shell.close();
                shell.changed(self.question.change.subjects());
                return Vec::new();
            }
            Reply::RetryReminders(Err(failure)) => Some(failure),
            _ => None,
        };
        match failure {
            None => {
                shell.toast(Severity::Good, self.question.done.clone());
                shell.close();
                shell.changed(self.question.change.subjects());
            }
            Some(failure) => self.failure = Some(failure.text),
        }
        Vec::new()
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let styles = &shell.styles;
        let columns = dialog::columns(area, 60);
        let mut sheet = Sheet::new(styles, 12, columns);
        sheet.words(Role::Text, &self.question.words);
        if let Some(failure) = &self.failure {
            sheet.space();
            sheet.words(Role::Error, failure);
        }
        sheet.space();
        let yes = match self.sent {
            Some(_) => "…".to_owned(),
            None => format!("{} ({})", self.question.verb, shell.keymap.key(Action::Yes)),
        };
        let buttons = [Button::new("No"), Button::new(&yes)];
        sheet.line(buttons::line(styles, &buttons, Some(usize::from(self.yes))), true);
        let size = Size { width: columns, height: sheet.height() };
        let place = dialog::open(frame, styles, area, &self.question.title, size);
        sheet.draw(frame, place);
    }
}

/// What became of the wish to send reminders again.
fn retried_words(shell: &Shell, retried: &[Retried]) -> (Severity, String) {
    let again = retried.iter().filter(|one| one.again).count();
    let first = retried.iter().find(|one| !one.again);
    let why = first.map(|one| {
        let why = one.why.as_deref().unwrap_or("it is not due any more");
        format!("{}: {why}", one.reminder.key_name)
    });
    let sweep = shell.keymap.key(Action::Sweep);
    let words = match again {
        0 => "nothing is sent again".to_owned(),
        1 => format!("the next sweep sends it again; {sweep} starts one"),
        many => format!("the next sweep sends {many} again; {sweep} starts one"),
    };
    match why {
        None => (Severity::Good, words),
        Some(why) => (Severity::Warning, format!("{words}. {} not: {why}", retried.len() - again)),
    }
}
