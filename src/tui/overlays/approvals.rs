//! What waits for a second person: whom it touches, and the answer.

use std::borrow::Cow;

use ratatui::Frame;
use ratatui::layout::Rect;

use super::reader;
use crate::config::keymap::{Action, Context};
use crate::domain::approval::Wish;
use crate::domain::key::KeyId;
use crate::domain::operator::Permission;
use crate::domain::subjects::Subjects;
use crate::domain::text::thousands;
use crate::service::{ApprovalPage, Decision};
use crate::tui::effect::{Effect, Reply, Request, RequestId, To};
use crate::tui::input::Input;
use crate::tui::latest::Latest;
use crate::tui::layer::{Layer, Opened};
use crate::tui::opening::{Change, Opening, Part, Question};
use crate::tui::shell::Shell;
use crate::tui::typed::Typed;
use crate::tui::view::shown;

/// What it shows changes with these.
const ABOUT: Subjects = Subjects::HOLDS.and(Subjects::KEYS);
/// Keys that are named.
const NAMED: usize = 500;

/// The requests, once they were read.
#[derive(Debug)]
pub struct State {
    number: u64,
    reading: Latest,
    page: reader::State,
    waiting: Vec<ApprovalPage>,
    /// The one that is shown.
    place: usize,
}

/// Reads what waits.
pub fn open(shell: &mut Shell, number: u64) -> Opened {
    let page = reader::page("Waiting for approval".into(), vec![Part::Words("reading…".into())]);
    let mut state = State { number, reading: Latest::default(), page, waiting: Vec::new(), place: 0 };
    let effects = state.ask(shell);
    Opened::new(state, effects)
}

impl State {
    /// Reads it, or reads it again once the reading under way is answered.
    fn ask(&mut self, shell: &mut Shell) -> Vec<Effect> {
        self.reading.ask(shell, To::Overlay(self.number), Request::Approvals).into_iter().collect()
    }

    fn shown(&self) -> Option<&ApprovalPage> {
        self.waiting.get(self.place)
    }

    fn is_own(&self, shell: &Shell) -> bool {
        let own = shell.who.as_ref().map(|who| who.identity.name.as_str());
        self.shown().is_some_and(|page| Some(page.approval.asked_by.as_str()) == own)
    }

    fn show(&mut self, shell: &Shell) {
        let parts = match self.shown() {
            Some(page) => parts(shell, page, self.place, self.waiting.len(), self.is_own(shell)),
            None => vec![Part::Words("Nothing waits for a second person.".into())],
        };
        self.page.set(parts);
    }

    fn decide(&self, shell: &mut Shell, decision: Decision) {
        let Some(page) = self.shown() else { return };
        if !shell.refuse_unless(Permission::ChangeKeys, "decide about changes of keys") {
            return;
        }
        let (n, what, by) = (page.approval.n, page.approval.what(), &page.approval.asked_by);
        let left = match page.changed.len() {
            0 => String::new(),
            1 => " 1 changed since, and stays as it is.".to_owned(),
            many => format!(" {} changed since, and stay as they are.", thousands(many as u64)),
        };
        let (title, words, verb, done) = match decision {
            Decision::Decline => (
                format!("Decline request {n}?"),
                format!("{by} asks to {what}. If you decline, nothing is done."),
                "Decline",
                format!("request {n} is declined"),
            ),
            _ => (
                format!("Approve: {what}?"),
                format!("{by} asks for it. It is done immediately, under both names.{left}"),
                "Approve",
                format!("approved: {what}"),
            ),
        };
        let change = Change::Decide { n, decision };
        shell.open(Opening::Confirm(Question { title, words, verb, change, done, undo: None }));
    }
}

impl Layer for State {
    fn context(&self) -> Context {
        Context::Approvals
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        match input.action() {
            Some(Action::NextRequest) if !self.waiting.is_empty() => {
                self.place = (self.place + 1) % self.waiting.len();
                self.show(shell);
            }
            Some(Action::Approve) if self.is_own(shell) => {
                let words = "you asked for it yourself: another operator must approve it";
                shell.toast(crate::tui::words::Severity::Warning, words);
            }
            Some(Action::Approve) => self.decide(shell, Decision::Approve),
            Some(Action::Decline) => self.decide(shell, Decision::Decline),
            Some(Action::DoAlone) if self.is_own(shell) => {
                if let Some(page) = self.shown() {
                    shell.open(Opening::Alone(Box::new(page.approval.clone())));
                }
            }
            Some(Action::DoAlone) if self.shown().is_some() => {
                shell.toast(
                    crate::tui::words::Severity::Warning,
                    "only the person who asked can do it alone: approve it instead",
                );
            }
            Some(Action::CloseSweep) => shell.close(),
            _ => return self.page.input(shell, input),
        }
        Vec::new()
    }

    fn typed(&self, _: &Shell) -> Option<Typed> {
        Some(match self.shown() {
            Some(page) => Typed::new("approval show").word(page.approval.n.to_string()),
            None => Typed::new("approval list"),
        })
    }

    fn changed(&mut self, shell: &mut Shell, subjects: Subjects) -> Vec<Effect> {
        if subjects.meet(ABOUT) { self.ask(shell) } else { Vec::new() }
    }

    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        let Reply::Approvals(outcome) = reply else { return Vec::new() };
        let Some(settled) = self.reading.settle(shell, id) else { return Vec::new() };
        match outcome {
            Ok(waiting) => {
                // It stays on its request.
                let n = self.shown().map(|page| page.approval.n);
                self.waiting = waiting;
                self.place = self.waiting.iter().position(|page| Some(page.approval.n) == n).unwrap_or(0);
                self.show(shell);
            }
            Err(failure) => self.page.set(vec![Part::Words(failure.text.to_string())]),
        }
        settled.next.into_iter().collect()
    }

    fn label(&self, shell: &Shell, action: Action, label: &'static str) -> Option<Cow<'static, str>> {
        let may = self.shown().is_some() && shell.may(Permission::ChangeKeys);
        match action {
            Action::Approve => (may && !self.is_own(shell)).then(|| label.into()),
            Action::DoAlone => (may && self.is_own(shell)).then(|| label.into()),
            Action::Decline => may.then(|| if self.is_own(shell) { "withdraw".into() } else { label.into() }),
            Action::NextRequest => (self.waiting.len() > 1).then(|| label.into()),
            action => self.page.label(shell, action, label),
        }
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        self.page.draw(shell, frame, area);
    }
}

fn parts(shell: &Shell, page: &ApprovalPage, place: usize, many: usize, own: bool) -> Vec<Part> {
    let ApprovalPage { approval, keys, changed, .. } = page;
    let mut parts = Vec::new();
    if many > 1 {
        parts.push(Part::Words(format!("Request {} of {many}", place + 1)));
        parts.push(Part::Space);
    }
    parts.extend([
        Part::Fact("Asked by", approval.asked_by.to_string()),
        Part::Fact("For", approval.what()),
        Part::Fact("Waits until", shown::time(approval.ends_at, shell)),
    ]);
    if let Some(reason) = &approval.reason {
        parts.push(Part::Fact("Reason", reason.to_string()));
    }
    if let Some(how) = approval.wish.as_ref().and_then(Wish::how) {
        parts.push(Part::Fact("How", how));
    }
    if own {
        let alone = shell.keymap.key(Action::DoAlone);
        parts.push(Part::Words(format!(
            "You asked for it: another operator must approve it. In an emergency, {alone} does it without approval and raises an alert."
        )));
    }
    parts.extend([Part::Space, Part::Heading("Keys".into())]);
    let line = |id: &KeyId, words: String| match changed.get(id) {
        Some(how) => Part::Words(format!("! {words}  {how} since: left as it is")),
        None => Part::Words(format!("  {words}")),
    };
    // What is left alone comes first.
    let (left, rest): (Vec<_>, Vec<_>) = keys.iter().partition(|key| changed.contains_key(&key.id));
    for key in left.into_iter().chain(rest).take(NAMED) {
        let status = key.status(page.now).as_str();
        parts.push(line(&key.id, format!("{}  {}  {}  {status}", key.preview, key.label(), key.account)));
    }
    if let Some(more) = keys.len().checked_sub(NAMED).filter(|more| *more > 0) {
        let n = approval.n;
        parts.push(Part::Words(format!("… and {} more: keyrack approval show {n}", thousands(more as u64))));
    }
    parts
}

#[cfg(test)]
mod tests;
