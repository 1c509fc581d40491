//! Somebody leaves: everything of theirs on one page, what becomes of each key, and one yes for the whole.

use std::collections::BTreeSet;
use std::sync::Arc;

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::config::keymap::{Action, Context};
use crate::domain::audit;
use crate::domain::key::{Key as KeyOf, KeyId};
use crate::domain::manifest::Manifest;
use crate::domain::operator::Permission;
use crate::domain::subjects::Subjects;
use crate::domain::text::SafeText;
use crate::service::{InUse, Leave, Leaver, Left, Theirs};
use crate::tui::completing::Completing;
use crate::tui::effect::{Effect, Reply, Request, RequestId, To};
use crate::tui::input::{Input, Key};
use crate::tui::layer::{Layer, Opened};
use crate::tui::opening::{Opening, Part};
use crate::tui::shell::Shell;
use crate::tui::typed::Typed;
use crate::tui::widgets::picker;
use crate::tui::widgets::text_field::TextField;
use crate::tui::wish::{Asking, Wish};
use crate::tui::words::{Severity, count};

#[cfg(test)]
mod tests;
mod view;

/// The person, their keys, and what was decided so far.
#[derive(Debug)]
pub struct State {
    name: String,
    number: u64,
    leaver: Option<Box<Leaver>>,
    reading: Option<RequestId>,
    failed: Option<SafeText>,
    /// The keys that get another owner.
    give: BTreeSet<KeyId>,
    to: TextField,
    /// What the new owner may become that is typed.
    completing: Completing,
    /// Whether the cursor is in the line with the new owner.
    writing: bool,
    at: usize,
    wish: Wish,
}

/// Reads everything of theirs.
pub fn open(shell: &mut Shell, number: u64, name: String) -> Opened {
    if !shell.refuse_unless(Permission::ChangeOperators, "let operators leave") {
        return Opened::refused();
    }
    let (id, effect) = shell.ask(To::Overlay(number), Request::Leaver(name.clone()));
    let state = State {
        name,
        number,
        leaver: None,
        reading: Some(id),
        failed: None,
        give: BTreeSet::new(),
        to: TextField::default(),
        completing: Completing::default(),
        writing: false,
        at: 0,
        wish: Wish::new(shell, number),
    };
    Opened::new(state, vec![effect])
}

impl State {
    fn keys(&self) -> &[Theirs] {
        self.leaver.as_ref().map_or(&[], |leaver| &leaver.keys)
    }

    /// What a yes asks for; `None` as long as nobody is named who gets the keys.
    fn order(&self) -> Option<Leave> {
        let leaver = self.leaver.as_ref()?;
        let to = self.to.value().trim().to_owned();
        if !self.give.is_empty() && to.is_empty() {
            return None;
        }
        Some(Leave {
            name: self.name.clone(),
            keys: leaver.keys.iter().map(|one| one.key.id).collect(),
            give: self.give.iter().copied().collect(),
            to,
            to_mail: None,
            shown: Some(Arc::new(Manifest::of(leaver.keys.iter().map(|one| &one.key), leaver.now))),
        })
    }

    /// Takes in what is theirs; what was decided before stands for the keys that are still there.
    fn take(&mut self, leaver: Box<Leaver>) {
        let fresh = self.leaver.is_none();
        let owned = leaver.keys.iter().filter(|one| one.owned).map(|one| one.key.id);
        if fresh {
            self.give = owned.collect();
        } else {
            let there: BTreeSet<KeyId> = leaver.keys.iter().map(|one| one.key.id).collect();
            self.give.retain(|id| there.contains(id));
            self.wish.changed();
        }
        let here = self.keys().get(self.at).map(|one| one.key.id);
        let again = leaver.keys.iter().position(|one| Some(one.key.id) == here);
        self.at = again.unwrap_or(self.at).min(leaver.keys.len().saturating_sub(1));
        self.leaver = Some(leaver);
    }

    fn write(&mut self, shell: &mut Shell, key: Key) -> Vec<Effect> {
        match key.action {
            Some(Action::Accept | Action::CancelPrompt) => self.writing = false,
            Some(Action::Interrupt) => shell.close(),
            Some(Action::ClearLine) => {
                self.to.clear();
                self.wish.edited();
            }
            _ => {
                if self.completing.take(InUse::Owners, &mut self.to, key.event) || self.to.key(key.event) {
                    self.wish.edited();
                }
                let to = To::Overlay(self.number);
                return self.completing.follow(shell, to, InUse::Owners, &self.to).into_iter().collect();
            }
        }
        Vec::new()
    }

    fn press(&mut self, shell: &mut Shell, key: Key) -> Vec<Effect> {
        let page = isize::try_from(usize::from(shell.size.height) / 2).unwrap_or(10);
        let by = match key.action {
            Some(Action::NextButton) => 1,
            Some(Action::PreviousButton) => -1,
            Some(Action::FindingsPageDown) => page,
            Some(Action::FindingsPageUp) => -page,
            _ => 0,
        };
        self.at = picker::step(self.at, by, self.keys().len());
        let here = self.keys().get(self.at).map(|one| one.key.clone());
        match (key.action, here) {
            (Some(Action::GiveKey), Some(one)) => {
                if !self.give.remove(&one.id) {
                    self.give.insert(one.id);
                }
                self.at = picker::step(self.at, 1, self.keys().len());
                self.wish.edited();
            }
            (Some(Action::GiveAll), Some(_)) => {
                let all: BTreeSet<KeyId> = self.keys().iter().map(|one| one.key.id).collect();
                self.give = if self.give == all { BTreeSet::new() } else { all };
                self.wish.edited();
            }
            (Some(Action::GiveTo), _) => self.writing = true,
            (Some(Action::Rotate), Some(one)) => shell.open(Opening::Rotate(Box::new(one))),
            (Some(Action::Revoke), Some(one)) => {
                shell.open(Opening::Revoke { ids: vec![one.id], known: vec![one], states: String::new() });
            }
            (Some(Action::RotateKept), Some(_)) => {
                if let Some((ids, known)) = self.kept(shell) {
                    shell.open(match known.as_slice() {
                        [one] => Opening::Rotate(Box::new(one.clone())),
                        _ => Opening::RotateMany { ids, known, states: String::new() },
                    });
                }
            }
            (Some(Action::RevokeKept), Some(_)) => {
                if let Some((ids, known)) = self.kept(shell) {
                    shell.open(Opening::Revoke { ids, known, states: String::new() });
                }
            }
            (Some(Action::No | Action::Interrupt), _) => shell.close(),
            (Some(Action::Yes), _) if key.confirms() => {
                if self.leaver.is_some() && self.order().is_none() {
                    self.writing = true;
                    shell.toast(Severity::Info, "write who gets the keys, or keep them all first");
                }
                return self.send_wish(shell);
            }
            _ => {}
        }
        Vec::new()
    }

    /// The keys that are not given away; where there are none, that is said.
    fn kept(&self, shell: &mut Shell) -> Option<(Vec<KeyId>, Vec<KeyOf>)> {
        let kept = self.keys().iter().filter(|one| !self.give.contains(&one.key.id));
        let known: Vec<KeyOf> = kept.map(|one| one.key.clone()).collect();
        if known.is_empty() {
            let key = shell.keymap.key(Action::GiveKey);
            shell.toast(Severity::Info, format!("All of them are given to somebody else: {key} keeps one"));
            return None;
        }
        Some((known.iter().map(|key| key.id).collect(), known))
    }

    fn done(&self, shell: &mut Shell, left: &Left) {
        let name = &self.name;
        let role = self.leaver.as_ref().and_then(|leaver| leaver.role);
        let role = role.map_or_else(|| "had none".to_owned(), |role| format!("was {role}, taken away"));
        let given = match left.given.len() as u64 {
            0 => "none".to_owned(),
            keys => format!("{} to {}", count(keys, "key"), self.to.value().trim()),
        };
        let mut parts = vec![
            Part::Fact("Role", role),
            Part::Fact("Given", given),
            Part::Fact("Kept", count(left.kept as u64, "key")),
        ];
        if let Some(login) = self.leaver.as_ref().and_then(|leaver| leaver.login.as_ref()) {
            parts.extend([
                Part::Space,
                Part::Heading("Their login can still connect".into()),
                Part::Words("Lock it as the database's administrator:".into()),
                Part::Words(login.clone()),
            ]);
        }
        parts.extend([
            Part::Space,
            Part::Words(format!("The audit has it in one row: operator.remove of {name}.")),
        ]);
        shell.toast(Severity::Good, format!("{name} left"));
        shell.close();
        shell.open(Opening::Reader { title: format!("{name} left"), parts, about: None });
        shell.changed(Subjects::of(audit::Action::OperatorRemove) | Subjects::of(audit::Action::KeyEdit));
    }
}

impl Layer for State {
    fn context(&self) -> Context {
        if self.writing { Context::Prompt } else { Context::Leaver }
    }

    fn wish(&mut self) -> Option<&mut Wish> {
        Some(&mut self.wish)
    }

    fn asking(&self, _: &Shell) -> Option<Asking> {
        let leave = Box::new(self.order()?);
        Some(Box::new(move |operation| Request::Leave { operation, leave: leave.clone() }))
    }

    fn changed(&mut self, shell: &mut Shell, _: Subjects) -> Vec<Effect> {
        if self.wish.under_way() {
            return Vec::new();
        }
        let (id, effect) = shell.ask(To::Overlay(self.number), Request::Leaver(self.name.clone()));
        self.reading = Some(id);
        vec![effect]
    }

    fn asks(&self) -> bool {
        !self.writing && self.leaver.is_some()
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        if self.wish.under_way() {
            return Vec::new();
        }
        match input {
            Input::Paste(pasted) if self.writing && self.to.paste(&pasted.line()) => self.wish.edited(),
            Input::Key(key) if self.writing => return self.write(shell, key),
            Input::Key(key) => return self.press(shell, key),
            Input::Scroll { lines, .. } => {
                self.at = picker::step(self.at, lines as isize, self.keys().len());
            }
            _ => {}
        }
        Vec::new()
    }

    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        if self.reading == Some(id) {
            self.reading = None;
            match reply {
                Reply::Leaver(Ok(leaver)) => self.take(leaver),
                Reply::Leaver(Err(failure)) => self.failed = Some(failure.text),
                _ => {}
            }
            return Vec::new();
        }
        if let Reply::Known(found) = reply {
            return self.completing.settle(shell, id, found);
        }
        let settled = self.wish.settle(shell, id, reply, Reply::try_as_leave);
        if let Some(Ok(left)) = settled {
            self.done(shell, &left);
        }
        Vec::new()
    }

    fn typed(&self, _: &Shell) -> Option<Typed> {
        Some(Typed::new("operator leave").word(&self.name).option("--give-to", self.to.value().trim()))
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        self.paint(shell, frame, area);
    }
}
