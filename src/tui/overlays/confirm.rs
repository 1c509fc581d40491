//! A plain question before a change that can be taken back: suspend, reinstate, remove a person's rights.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::config::keymap::{Action, Context};
use crate::config::theme::Role;
use crate::domain::reminder::State as Letter;
use crate::domain::subjects::Subjects;
use crate::service::{Retried, Told};
use crate::tui::effect::{Effect, Outcomes, Reply, Request, RequestId, To};
use crate::tui::form::{Pressed, YesNo};
use crate::tui::input::Input;
use crate::tui::layer::{Layer, Opened};
use crate::tui::opening::{Change, Made, Opening, Question};
use crate::tui::shell::Shell;
use crate::tui::undo::Undo;
use crate::tui::widgets::buttons::Button;
use crate::tui::widgets::sheet::Sheet;
use crate::tui::wish::{Asking, Wish};
use crate::tui::words::Severity;

/// So many recipients are named.
const NAMED: usize = 3;

/// The question, and the wish that a yes sends.
#[derive(Debug)]
pub struct State {
    number: u64,
    question: Question,
    form: YesNo,
    wish: Wish,
    /// What it is about is read, for something has changed.
    news: Option<RequestId>,
    /// Somebody else has done it meanwhile: nothing is left to do.
    over: Option<String>,
}

/// Asks; No is the default.
pub fn open(shell: &mut Shell, number: u64, question: Question) -> Opened {
    let wish = Wish::new(shell, number);
    Opened::new(State { number, question, form: YesNo::question(), wish, news: None, over: None }, Vec::new())
}

/// What became of the change, taken out of a reply; with the reminders where it is about some.
fn outcome(change: &Change, reply: Reply) -> Option<Outcomes<Vec<Retried>>> {
    match (change, reply) {
        (Change::Standing { .. }, Reply::SetStanding(outcome)) => Some(outcome.map(|_| Vec::new())),
        (Change::Role { .. }, Reply::SetOperator(outcome)) => Some(outcome.map(|_| Vec::new())),
        (Change::RemoveOperator(_), Reply::RemoveOperator(outcome)) => Some(outcome.map(|()| Vec::new())),
        (Change::RetryReminders(_), Reply::RetryReminders(outcome)) => Some(outcome),
        (Change::Tell { .. }, Reply::Tell(outcome)) => Some(outcome.map(|_| Vec::new())),
        (Change::Decide { .. }, Reply::Decided(outcome)) => Some(outcome.map(|_| Vec::new())),
        (Change::AcceptHistory, Reply::Undone(outcome)) => Some(outcome.map(|_| Vec::new())),
        _ => None,
    }
}

impl Layer for State {
    fn context(&self) -> Context {
        Context::Dialog
    }

    fn wish(&mut self) -> Option<&mut Wish> {
        Some(&mut self.wish)
    }

    fn asking(&self, _: &Shell) -> Option<Asking> {
        let change = Some(self.question.change.clone()).filter(|_| self.over.is_none())?;
        Some(Box::new(move |operation| change.request(operation)))
    }

    fn foreseen(&mut self, reply: Reply) -> Option<String> {
        if let Reply::Tell(Ok(due)) = reply {
            return Some(recipients(&due));
        }
        left_out(&outcome(&self.question.change, reply)?.ok()?)
    }

    fn changed(&mut self, shell: &mut Shell, _: Subjects) -> Vec<Effect> {
        let request = match &self.question.change {
            Change::Standing { account, .. } => Request::Account(account.clone()),
            Change::Role { .. } | Change::RemoveOperator(_) => Request::Operators,
            // What these would come to tells all.
            Change::RetryReminders(_)
            | Change::Tell { .. }
            | Change::Decide { .. }
            | Change::AcceptHistory => return Vec::new(),
        };
        let (id, effect) = shell.ask(To::Overlay(self.number), request);
        self.news = Some(id);
        vec![effect]
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        let Input::Key(key) = input else { return Vec::new() };
        if self.wish.under_way() {
            return Vec::new();
        }
        match self.form.press(key, &[], false) {
            Pressed::Close => shell.close(),
            Pressed::Go => return self.send_wish(shell),
            _ => {}
        }
        Vec::new()
    }

    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        if self.news == Some(id) {
            self.news = None;
            let over = over(&self.question.change, &reply);
            if over != self.over {
                self.over = over;
                self.wish.changed();
            }
            return Vec::new();
        }
        let change = &self.question.change;
        let mut nobody = false;
        let mut told = None;
        let settled = self.wish.settle(shell, id, reply, |reply| {
            nobody = matches!(&reply, Reply::SetOperator(Ok(operator)) if !operator.login);
            if let Reply::Tell(Ok(all)) = &reply {
                told = Some(told_words(all));
            }
            outcome(change, reply)
        });
        let Some(Ok(retried)) = settled else { return Vec::new() };
        let (severity, words) = match self.question.change {
            Change::RetryReminders(_) => retried_words(shell, &retried),
            Change::Tell { .. } => told.unwrap_or((Severity::Good, self.question.done.clone())),
            _ if nobody => {
                let done = &self.question.done;
                (
                    Severity::Warning,
                    format!("{done}, but no login of that name is there: look at the spelling"),
                )
            }
            _ => (Severity::Good, self.question.done.clone()),
        };
        shell.toast(severity, words);
        shell.close();
        if let Some(undo) = self.question.undo.take() {
            let opening = Opening::Confirm(Question::undoing(undo));
            shell.undo.push(Undo::Open(self.question.change.did(), Box::new(opening)));
        }
        shell.changed(self.question.change.subjects());
        if let Change::Role { operator, .. } = &self.question.change {
            shell.made(Made::Operator(operator.clone()));
        }
        Vec::new()
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let styles = &shell.styles;
        let mut sheet = Sheet::new(styles, area, 60, 12);
        sheet.words(Role::Text, &self.question.words);
        if let Some(words) = &self.over {
            sheet.words(Role::Warning, words);
        }
        if let Some(words) = self.wish.beforehand() {
            sheet.words(Role::Warning, words);
        }
        sheet.failure(self.wish.failure());
        sheet.space();
        let yes = match self.wish.under_way() {
            true => "…".to_owned(),
            false => format!("{} ({})", self.question.verb, shell.keymap.key(Action::Yes)),
        };
        sheet.line(self.form.line(styles, Button::new(&yes), "No"), true);
        sheet.draw(frame, &self.question.title, Role::DialogBorder);
    }
}

/// Whether what a question asks for is so already.
fn over(change: &Change, reply: &Reply) -> Option<String> {
    let operator = |name: &str| match reply {
        Reply::Operators(Ok(all)) => Some(all.iter().find(|one| one.name.as_str() == name)),
        _ => None,
    };
    let words = match (change, reply) {
        (Change::Standing { account, standing }, Reply::Account(Ok(summary)))
            if summary.account.standing == *standing =>
        {
            format!("The standing of {account} is already {}", standing.as_str())
        }
        (Change::Role { operator: name, role }, _)
            if operator(name)?.is_some_and(|one| one.role == *role) =>
        {
            format!("{name} already has the role {role}")
        }
        (Change::RemoveOperator(name), _) if operator(name)?.is_none() => {
            format!("{name} isn't an operator any more")
        }
        _ => return None,
    };
    Some(format!("{words}: somebody else did it meanwhile. Nothing is left to do."))
}

/// Who would get a letter.
fn recipients(due: &[Told]) -> String {
    let mut words: Vec<&str> = due.iter().map(|one| one.recipient.as_str()).take(NAMED).collect();
    let more = format!("{} more", due.len().saturating_sub(NAMED));
    words.extend(Some(more.as_str()).filter(|_| due.len() > NAMED));
    format!("To: {}", words.join(", "))
}

/// What became of letters to admins.
fn told_words(told: &[Told]) -> (Severity, String) {
    let out = |one: &&Told| matches!(one.state, Letter::Sent | Letter::Written);
    match told.iter().find(|one| !out(one)) {
        Some(first) => {
            let gone = told.iter().filter(out).count();
            let words =
                format!("{gone} of {} letters were sent. {}: {}", told.len(), first.recipient, first.answer);
            (Severity::Bad, words)
        }
        None => {
            let verb = if told.iter().any(|one| one.state == Letter::Sent) { "sent" } else { "written" };
            let letters =
                if told.len() == 1 { "1 letter".to_owned() } else { format!("{} letters", told.len()) };
            (Severity::Good, format!("{letters} {verb}"))
        }
    }
}

/// What became of the wish to send reminders again.
fn retried_words(shell: &Shell, retried: &[Retried]) -> (Severity, String) {
    let again = retried.iter().filter(|one| one.again).count();
    let sweep = shell.keymap.key(Action::Sweep);
    let words = match again {
        0 => "nothing is sent again".to_owned(),
        1 => format!("the next sweep sends it again; {sweep} starts one"),
        many => format!("the next sweep sends {many} again; {sweep} starts one"),
    };
    match left_out(retried) {
        None => (Severity::Good, words),
        Some(why) => (Severity::Warning, format!("{words}. {why}")),
    }
}

/// `1 not: CI runner: the key was revoked`; of several the first is told.
fn left_out(retried: &[Retried]) -> Option<String> {
    let left: Vec<&Retried> = retried.iter().filter(|one| !one.again).collect();
    let first = left.first()?;
    let why = first.why.as_deref().unwrap_or("it is not due any more");
    Some(format!("{} not: {}: {why}", left.len(), first.reminder.key_name))
}
