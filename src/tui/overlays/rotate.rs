//! Replacing a key: how long shall the old one go on working?

use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::text::{Line, Span};

use crate::config::keymap::{Action, Context};
use crate::config::theme::Role;
use crate::domain::audit;
use crate::domain::expiry::Overlap;
use crate::domain::key::{Key, OperationId, Status};
use crate::domain::operator::Permission;
use crate::domain::subjects::Subjects;
use crate::domain::text::SafeText;
use crate::tui::effect::{Effect, FailureKind, Reply, Request, RequestId, To};
use crate::tui::input::Input;
use crate::tui::layer::{Layer, Opened};
use crate::tui::opening::Opening;
use crate::tui::shell::Shell;
use crate::tui::view::{key_facts, times};
use crate::tui::widgets::sheet::Sheet;
use crate::tui::widgets::{choice, dialog, facts, fit};
use crate::tui::words::Severity;

#[cfg(test)]
mod tests;

/// The key to be replaced and the chosen overlap.
#[derive(Debug)]
pub struct State {
    number: u64,
    operation: OperationId,
    key: Key,
    choices: Vec<Overlap>,
    at: usize,
    sent: Option<RequestId>,
    failure: Option<SafeText>,
}

/// Asks for the overlap. The policy may leave only one choice: none.
pub fn open(shell: &mut Shell, number: u64, key: Key) -> Opened {
    if !shell.refuse_unless(Permission::ChangeKeys, "rotate keys") {
        return Opened::refused();
    }
    let status = key.status(shell.now);
    if status != Status::Active {
        let words = format!("{} is {}: create a new one in its place", key.name, status.as_str());
        shell.toast(Severity::Warning, words);
        return Opened::refused();
    }
    let overlap = shell.issuer(&key.issuer).is_none_or(|issuer| issuer.policy.rotation.overlap);
    let choices = if overlap { Overlap::ALL.to_vec() } else { vec![Overlap::None] };
    let at = choices.iter().position(|choice| *choice == Overlap::Hours24).unwrap_or(0);
    let operation = shell.operation();
    let state = State { number, operation, key, choices, at, sent: None, failure: None };
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
            Some(Action::NextButton) => self.at = (self.at + 1).min(self.choices.len() - 1),
            Some(Action::PreviousButton) => self.at = self.at.saturating_sub(1),
            Some(Action::Yes) if !key.hurried => {
                let overlap = self.choices[self.at];
                let request = Request::Rotate { operation: self.operation, key: self.key.id, overlap };
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
        let Reply::Rotate(result) = reply else { return Vec::new() };
        self.sent = None;
        match result {
            Ok(created) => {
                shell.close();
                shell.changed(Subjects::of(audit::Action::KeyRotate));
                let replaces = Some((self.key.name.clone(), self.choices[self.at]));
                shell.open(Opening::Reveal { created, replaces });
                Vec::new()
            }
            Err(failure) => {
                if !matches!(failure.kind, FailureKind::Unreachable | FailureKind::Other) {
                    self.operation = shell.operation();
                }
                self.failure = Some(failure.text);
                Vec::new()
            }
        }
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let styles = &shell.styles;
        let columns = dialog::columns(area, 72);
        let mut sheet = Sheet::new(styles, 11, columns);
        for line in facts::lines(styles, &key_facts::of(shell, &self.key), usize::from(columns) - 1) {
            sheet.line(line, false);
        }
        sheet.space();
        sheet.words(
            Role::Text,
            "A successor with the same name, scopes and allow-list is made first. Nothing happens to this key before its secret is in your hands.",
        );
        sheet.space();
        let words: Vec<&str> = self.choices.iter().map(|choice| words(*choice)).collect();
        let lines = choice::lines(styles, &words, self.at, true, sheet.field_columns());
        sheet.lines("Overlap", lines, Some(0));
        if self.choices.len() == 1 {
            sheet.note(Role::Warning, "this issuer's policy lets two keys not overlap");
        }
        sheet.note(Role::Muted, &self.end(shell));
        if let Some(failure) = &self.failure {
            sheet.space();
            sheet.words(Role::Error, failure);
        }
        sheet.space();
        let line = if self.sent.is_some() {
            Line::styled("making the successor…", styles.of(Role::Info))
        } else {
            Line::from(vec![
                Span::styled(shell.keymap.key(Action::Yes), styles.of(Role::HintKey)),
                Span::styled(" make the successor   ", styles.of(Role::Text)),
                Span::styled("← →", styles.of(Role::HintKey)),
                Span::styled(" overlap   ", styles.of(Role::Text)),
                Span::styled(shell.keymap.key(Action::No), styles.of(Role::HintKey)),
                Span::styled(" leave it", styles.of(Role::Text)),
            ])
        };
        sheet.line(line, true);
        let title = format!("Rotate {}", fit::cut(&self.key.name, 50));
        let size = Size { width: columns, height: sheet.height() };
        let place = dialog::open(frame, styles, area, &title, size);
        sheet.draw(frame, place);
    }
}

impl State {
    /// When the old key ends if the successor is taken over now.
    fn end(&self, shell: &Shell) -> String {
        let overlap = self.choices[self.at];
        if overlap == Overlap::None {
            return "The old key ends as soon as you have taken the new secret over (Done).".into();
        }
        let at = shell.now + overlap.duration();
        let at = self.key.expires_at.map_or(at, |own| own.min(at));
        let at = times::exact(at, shell.utc);
        format!("The old key goes on working until about {at}, counted from Done.")
    }
}

fn words(overlap: Overlap) -> &'static str {
    match overlap {
        Overlap::None => "none",
        Overlap::Minutes15 => "15 min",
        Overlap::Hour1 => "1 hour",
        Overlap::Hours24 => "24 hours",
        Overlap::Days7 => "7 days",
    }
}
