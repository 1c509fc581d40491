//! An exposed key: paste it, see whose it is, end it. Four gestures from a shell: start, `x`, paste, `y`.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::config::keymap::{Action, Context};
use crate::domain::audit;
use crate::domain::key::Key;
use crate::domain::operator::Permission;
use crate::domain::subjects::Subjects;
use crate::domain::text::SafeText;
use crate::service::Needle;
use crate::tui::effect::{Effect, Reply, Request, RequestId, To};
use crate::tui::input::{self, Input};
use crate::tui::layer::{Layer, Opened};
use crate::tui::receipts;
use crate::tui::shell::Shell;
use crate::tui::widgets::picker;
use crate::tui::widgets::secret_field::SecretInput;
use crate::tui::wish::Wish;
use crate::tui::words::Severity;

#[cfg(test)]
mod tests;
mod view;

/// What stands in the audit as the reason.
const REASON: &str = "exposed";

/// The search and what it found.
#[derive(Debug)]
pub struct State {
    number: u64,
    wish: Wish,
    input: SecretInput,
    stage: Stage,
    asked: Option<RequestId>,
    said: Option<(Severity, SafeText)>,
}

#[derive(Debug)]
enum Stage {
    Ask,
    /// At least one key.
    Found {
        keys: Vec<Key>,
        at: usize,
    },
    /// The revocation is under way.
    Sent {
        key: Box<Key>,
    },
    /// The database was seen to hold the key as revoked.
    Dead {
        key: Box<Key>,
        already: bool,
        receipt: u64,
    },
}

/// Opens the search. Without the right to revoke it still finds.
pub fn open(shell: &mut Shell, number: u64) -> Opened {
    let state = State {
        number,
        wish: Wish::new(shell, number),
        input: SecretInput::default(),
        stage: Stage::Ask,
        asked: None,
        said: None,
    };
    shell.toast = None;
    Opened::new(state, Vec::new())
}

impl State {
    fn press_ask(&mut self, shell: &mut Shell, key: input::Key) -> Vec<Effect> {
        match key.action {
            Some(Action::CancelPrompt | Action::Interrupt) => shell.close(),
            Some(Action::Accept) => return self.find(shell),
            Some(Action::ClearLine) => self.input.clear(),
            _ => {
                if self.input.key(key.event) {
                    self.said = None;
                }
            }
        }
        Vec::new()
    }

    /// The secret leaves the field for the search; an id or a preview does too, it can be pasted again.
    fn find(&mut self, shell: &mut Shell) -> Vec<Effect> {
        if self.input.is_empty() || self.asked.is_some() {
            return Vec::new();
        }
        let needle = Needle::from_input(self.input.take());
        let (id, effect) = shell.ask(To::Overlay(self.number), Request::Find(needle));
        self.asked = Some(id);
        self.said = Some((Severity::Info, "looking…".into()));
        vec![effect]
    }

    fn press_found(&mut self, shell: &mut Shell, key: input::Key) -> Vec<Effect> {
        let Stage::Found { keys, at } = &mut self.stage else { return Vec::new() };
        match key.action {
            Some(Action::No) => {
                self.stage = Stage::Ask;
                self.wish.edited();
                self.said = self.wish.failure().map(|text| (Severity::Warning, text.clone()));
            }
            Some(Action::Interrupt) => shell.close(),
            Some(Action::NextButton) => *at = picker::step(*at, 1, keys.len()),
            Some(Action::PreviousButton) => *at = picker::step(*at, -1, keys.len()),
            // A paste without brackets ends in keys that come faster than a person types: they confirm nothing.
            Some(Action::Yes) if key.confirms() => return self.revoke(shell),
            _ => {}
        }
        Vec::new()
    }

    fn revoke(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let Stage::Found { keys, at } = &self.stage else { return Vec::new() };
        let Some(key) = keys.get(*at) else { return Vec::new() };
        if key.revoked_at.is_some() || !shell.refuse_unless(Permission::ChangeKeys, "revoke keys") {
            return Vec::new();
        }
        let (keys, reason) = (vec![key.id], Some(REASON.to_owned()));
        let revoke = |operation| Request::Revoke { operation, keys: keys.clone(), reason: reason.clone() };
        let effects = self.wish.send(shell, revoke);
        self.said = None;
        self.stage = Stage::Sent { key: Box::new(key.clone()) };
        effects
    }

    fn found(&mut self, reply: Reply) {
        match reply {
            Reply::Find(Ok(keys)) if keys.is_empty() => {
                let words =
                    "no key fits. Check that all of it was pasted; its last four characters or its id do too";
                self.said = Some((Severity::Warning, words.into()));
            }
            Reply::Find(Ok(keys)) => {
                self.said = None;
                self.stage = Stage::Found { keys, at: 0 };
            }
            Reply::Find(Err(failure)) => self.said = Some((Severity::Bad, failure.text)),
            _ => {}
        }
    }
}

impl Layer for State {
    fn searches(&self) -> bool {
        true
    }

    fn context(&self) -> Context {
        match self.stage {
            Stage::Ask => Context::Prompt,
            _ => Context::Dialog,
        }
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        match (&mut self.stage, input) {
            (Stage::Ask, Input::Paste(pasted)) => {
                self.input.paste(&pasted.line());
                self.find(shell)
            }
            (Stage::Ask, Input::Key(key)) => self.press_ask(shell, key),
            (Stage::Found { keys, at }, Input::Scroll { lines, .. }) => {
                *at = picker::step(*at, lines.signum() as isize, keys.len());
                Vec::new()
            }
            (Stage::Found { .. }, Input::Key(key)) => self.press_found(shell, key),
            (Stage::Dead { .. }, Input::Key(key)) if !key.hurried => {
                if matches!(
                    key.action,
                    Some(Action::No | Action::Yes | Action::PressButton | Action::Interrupt)
                ) {
                    shell.close();
                }
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// Each key that fits has to be read.
    fn question(&self) -> (Context, usize) {
        (self.context(), if let Stage::Found { at, .. } = self.stage { at } else { 0 })
    }

    fn receipt(&self) -> Option<u64> {
        match &self.stage {
            Stage::Dead { receipt, .. } => Some(*receipt),
            _ => None,
        }
    }

    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        if self.asked == Some(id) {
            self.asked = None;
            self.found(reply);
            return Vec::new();
        }
        let settled = self.wish.settle(shell, id, reply, |reply| match reply {
            Reply::Revoke(Ok(revoked)) => revoked.into_iter().next().map(Ok),
            Reply::Revoke(Err(failure)) => Some(Err(failure)),
            _ => None,
        });
        match settled {
            Some(Ok(one)) => {
                shell.changed(Subjects::of(audit::Action::KeyRevoke));
                let name = one.key.name.as_str().to_owned();
                let (receipt, effect) = receipts::begin(shell, name, vec![one.key.id]);
                self.stage = Stage::Dead { already: one.already, key: Box::new(one.key), receipt };
                return vec![effect];
            }
            Some(Err(failure)) => {
                if let Stage::Sent { key } = &self.stage {
                    self.stage = Stage::Found { keys: vec![(**key).clone()], at: 0 };
                }
                self.said = Some((Severity::Bad, failure.text));
            }
            None => {}
        }
        Vec::new()
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        self.paint(shell, frame, area);
    }
}
