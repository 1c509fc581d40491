//! An exposed key: paste it, see whose it is, end it. Four gestures from a shell: start, `x`, paste, `y`.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::revoke;
use crate::config::keymap::{Action, Context};
use crate::domain::audit;
use crate::domain::key::Key;
use crate::domain::operator::Permission;
use crate::domain::subjects::Subjects;
use crate::domain::text::SafeText;
use crate::service::{Found, Search};
use crate::tui::effect::{Effect, Reply, Request, RequestId, To};
use crate::tui::input::{self, Input};
use crate::tui::latest::Latest;
use crate::tui::layer::{Layer, Opened};
use crate::tui::opening::Opening;
use crate::tui::receipts;
use crate::tui::shell::Shell;
use crate::tui::tracked::Deed;
use crate::tui::typed::Typed;
use crate::tui::widgets::picker;
use crate::tui::widgets::secret_field::SecretInput;
use crate::tui::widgets::text_field::TextField;
use crate::tui::wish::{Asking, Wish};
use crate::tui::words::{Pasted, Severity};

mod keys;
mod press;
mod table;
#[cfg(test)]
mod tests;
mod view;

use keys::ending;
use press::is_text;
use table::Table;

/// What stands in the audit as the reason.
const REASON: &str = "exposed";

/// Said of what was put where no secret belongs.
const GIVEN: &str = "That text contains a secret. It was not used as a filter and is not stored. Enter finds whose it is; Esc discards it.";

/// Said where nothing is ticked.
const TICK_FIRST: &str = "tick at least one finding first";

/// The search and what it found.
#[derive(Debug)]
pub struct State {
    number: u64,
    wish: Wish,
    input: SecretInput,
    stage: Stage,
    asked: Option<RequestId>,
    said: Option<(Severity, SafeText)>,
    /// What was found, where that is more than one key.
    table: Option<Table>,
    /// What the keys that were found are now.
    looking: Latest,
}

#[derive(Debug)]
enum Stage {
    Ask,
    /// The path of a file or a folder is typed.
    Path(TextField),
    /// At least one key.
    Found {
        search: Search,
        at: usize,
    },
    /// The revocation is under way.
    Sent {
        search: Search,
        at: usize,
    },
    /// The database was seen to hold the keys as revoked.
    Dead {
        search: Search,
        dead: Vec<Found>,
        /// How many of them were revoked before.
        already: usize,
        receipt: u64,
    },
}

/// Opens the search, for what was `given` where no secret belongs if anything was. Without the right to revoke it still
/// finds.
pub fn open(shell: &mut Shell, number: u64, given: Option<Pasted>) -> Opened {
    let mut state = State {
        number,
        wish: Wish::new(shell, number),
        input: SecretInput::default(),
        stage: Stage::Ask,
        asked: None,
        said: None,
        table: None,
        looking: Latest::default(),
    };
    if let Some(given) = given {
        state.input.put(given.as_str());
        state.said = Some((Severity::Warning, GIVEN.into()));
    }
    shell.toast = None;
    Opened::new(state, Vec::new())
}

impl State {
    fn press_ask(&mut self, shell: &mut Shell, key: input::Key) -> Vec<Effect> {
        self.input.touched();
        match key.action {
            Some(Action::CancelPrompt | Action::Interrupt) => shell.close(),
            Some(Action::Accept) if key.hurried => return vec![self.input.end_line(self.number)],
            // One letter finds too much to be of use.
            Some(Action::Accept) if self.input.is("o") => self.ask_path(""),
            Some(Action::Accept) => return self.find(shell, ""),
            Some(Action::ClearLine) => self.input.clear(),
            _ if !key.hurried && self.input.is("o") && press::path_begins(key.event).is_some() => {
                self.ask_path(press::path_begins(key.event).unwrap_or_default());
            }
            _ => {
                // The rest of what was put elsewhere, key by key, is more of the same.
                let given = self.said.as_ref().is_some_and(|(_, words)| words.as_str() == GIVEN);
                if self.input.key(key.event) && !given {
                    self.said = None;
                }
            }
        }
        Vec::new()
    }

    /// What was typed leaves the field for the search, with what was pasted behind it; it can be pasted again.
    fn find(&mut self, shell: &mut Shell, pasted: &str) -> Vec<Effect> {
        if self.input.is_empty() && pasted.trim().is_empty() || self.asked.is_some() {
            return Vec::new();
        }
        if self.input.is_full() {
            self.input.clear();
            let words = "the text is too long for this line, so a key may be missing: save it to a file and run keyrack key find < FILE";
            self.said = Some((Severity::Bad, words.into()));
            return Vec::new();
        }
        let given = self.input.take_with(pasted);
        let (id, effect) = shell.ask(To::Overlay(self.number), Request::Find(given));
        self.asked = Some(id);
        self.said = Some((Severity::Info, "looking…".into()));
        vec![effect]
    }

    fn press_found(&mut self, shell: &mut Shell, key: input::Key) -> Vec<Effect> {
        if self.table.is_some() {
            return self.press_table(shell, key);
        }
        let Stage::Found { search, at } = &mut self.stage else { return Vec::new() };
        match key.action {
            Some(Action::No) => {
                self.stage = Stage::Ask;
                self.wish.edited();
                self.said = self.wish.failure().map(|text| (Severity::Warning, text.clone()));
            }
            Some(Action::Interrupt) => shell.close(),
            Some(Action::NextButton) => *at = picker::step(*at, 1, search.found.len()),
            Some(Action::PreviousButton) => *at = picker::step(*at, -1, search.found.len()),
            Some(action @ (Action::Pause | Action::Resume)) => self.pause(shell, action == Action::Resume),
            // A paste without brackets ends in keys that come faster than a person types: they confirm nothing.
            Some(Action::Yes) if key.confirms() => return self.revoke(shell),
            _ => {}
        }
        Vec::new()
    }

    fn revoke(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let Stage::Found { search, at } = &self.stage else { return Vec::new() };
        let none = self
            .table
            .as_ref()
            .map_or_else(|| ending(search, *at).is_empty(), |table| table.asking().is_none());
        if none || !shell.refuse_unless(Permission::ChangeKeys, "revoke keys") {
            return Vec::new();
        }
        let (search, at) = (search.clone(), *at);
        let effects = self.send_wish(shell);
        self.said = None;
        self.stage = Stage::Sent { search, at };
        effects
    }

    fn found(&mut self, shell: &Shell, reply: Reply) {
        match reply {
            Reply::Find(Ok(search)) if search.sweep.is_some() => {
                self.table = search.sweep.as_ref().map(|sweep| Table::new(sweep, shell.now));
                self.said = None;
                self.stage = Stage::Found { search, at: 0 };
            }
            Reply::Find(Ok(search)) if search.found.is_empty() => {
                self.said = Some((Severity::Warning, search.nothing(None).into()));
            }
            Reply::Find(Ok(search)) => {
                let told = search.told();
                self.said = (!told.is_empty()).then(|| (Severity::Warning, told.join(" ").into()));
                self.stage = Stage::Found { search, at: 0 };
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
            Stage::Ask | Stage::Path(_) => Context::Prompt,
            Stage::Found { .. } => match &self.table {
                Some(table) if table.edit.is_some() => Context::Prompt,
                Some(_) => Context::Findings,
                None => Context::Exposed,
            },
            _ => Context::Dialog,
        }
    }

    /// Somebody paused, resumed, edited or revoked one of them.
    fn changed(&mut self, shell: &mut Shell, subjects: Subjects) -> Vec<Effect> {
        let keys = self.keys();
        if keys.is_empty() || !subjects.meet(Subjects::KEYS) || !matches!(self.stage, Stage::Found { .. }) {
            return Vec::new();
        }
        self.looking.ask(shell, To::Overlay(self.number), Request::Reach(keys)).into_iter().collect()
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        match (&mut self.stage, input) {
            (Stage::Ask, Input::Paste(pasted)) => self.find(shell, pasted.as_str()),
            (Stage::Ask, Input::Key(key)) => self.press_ask(shell, key),
            // What is pasted is what is searched, if it holds a secret or is no path.
            (Stage::Path(_), Input::Paste(pasted)) if is_text(pasted.as_str()) => {
                self.stage = Stage::Ask;
                self.find(shell, pasted.as_str())
            }
            (Stage::Path(path), Input::Paste(pasted)) => {
                path.paste(&pasted.line());
                Vec::new()
            }
            (Stage::Path(_), Input::Key(key)) => self.press_path(shell, key),
            (Stage::Found { search, at }, Input::Scroll { lines, .. }) => {
                let rows = self.table.as_ref().map_or(search.found.len(), |table| table.rows.len());
                *at = picker::step(*at, lines.signum() as isize, rows);
                Vec::new()
            }
            (Stage::Found { .. }, Input::Paste(pasted)) if !is_text(pasted.as_str()) => {
                if let Some(field) = self.table.as_mut().and_then(Table::field) {
                    field.paste(&pasted.line());
                    self.wish.edited();
                }
                Vec::new()
            }
            (Stage::Found { .. }, Input::Key(key))
                if self.table.as_ref().is_some_and(|table| table.edit.is_some()) =>
            {
                self.press_field(shell, key)
            }
            (Stage::Found { .. }, Input::Key(key)) => self.press_found(shell, key),
            (Stage::Dead { dead, receipt, .. }, Input::Key(key)) if !key.hurried => {
                if key.action == Some(Action::Incident) {
                    let keys = dead.iter().map(|found| found.key.id).collect();
                    shell.close();
                    shell.open(Opening::Incident(keys));
                    return Vec::new();
                }
                if matches!(
                    key.action,
                    Some(Action::No | Action::Yes | Action::PressButton | Action::Interrupt)
                ) {
                    let receipt = *receipt;
                    self.leave_dead(shell, key.action == Some(Action::Interrupt), receipt);
                }
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn wish(&mut self) -> Option<&mut Wish> {
        Some(&mut self.wish)
    }

    fn asking(&self, shell: &Shell) -> Option<Asking> {
        let Stage::Found { search, at } = &self.stage else { return None };
        if let Some(table) = &self.table {
            return table.asking().filter(|_| shell.may(Permission::ChangeKeys));
        }
        let keys = ending(search, *at);
        let may = !keys.is_empty() && shell.may(Permission::ChangeKeys);
        may.then(|| revoke::asking(keys, Some(REASON.to_owned()), None))
    }

    fn foreseen(&mut self, reply: Reply) -> Option<String> {
        let (Reply::Revoke(Ok(revoked)), Stage::Found { .. }) = (reply, &self.stage) else {
            return None;
        };
        let words = revoke::already(&revoked)?;
        let already = revoked.into_iter().filter(|one| one.already).map(|one| one.key);
        self.renew(&already.collect::<Vec<_>>());
        self.said = Some((Severity::Warning, words.as_str().into()));
        Some(words)
    }

    /// Each key that fits has to be read.
    fn question(&self, _: &Shell) -> (Context, usize) {
        // All that is ticked is one question, whichever row is looked at.
        let place = match (&self.stage, &self.table) {
            (Stage::Found { .. }, Some(table)) => table.ticks(),
            (Stage::Found { at, .. }, None) => *at,
            _ => 0,
        };
        (self.context(), place)
    }

    fn timer(&mut self, shell: &mut Shell) -> Vec<Effect> {
        if self.input.was_entered() { self.find(shell, "") } else { Vec::new() }
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
            self.found(shell, reply);
            return Vec::new();
        }
        if let Reply::Reach(outcome) = reply {
            let Some(settled) = self.looking.settle(shell, id) else { return Vec::new() };
            if let Ok(looked) = outcome {
                self.renew(&looked.keys);
            }
            return settled.next.into_iter().collect();
        }
        match self.wish.settle(shell, id, reply, Reply::try_as_revoke) {
            Some(Ok(revoked)) => {
                shell.changed(Subjects::of(audit::Action::KeyRevoke));
                let Stage::Sent { search, .. } = &self.stage else { return Vec::new() };
                let admins = |key: &Key| {
                    let found = search.found.iter().find(|found| found.key.id == key.id);
                    found.map(|found| found.admins.clone()).unwrap_or_default()
                };
                let already = revoked.iter().filter(|one| one.already).count();
                let dead: Vec<Found> =
                    revoked.into_iter().map(|one| Found { admins: admins(&one.key), key: one.key }).collect();
                let name = match dead.as_slice() {
                    [one] => one.key.name.as_str().to_owned(),
                    many => format!("{} keys", many.len()),
                };
                let (receipt, effect) = receipts::begin(
                    shell,
                    Deed::Revoked,
                    name,
                    dead.iter().map(|found| found.key.id).collect(),
                );
                let search = search.clone();
                self.stage = Stage::Dead { search, dead, already, receipt };
                return vec![effect];
            }
            Some(Err(failure)) => {
                if let Stage::Sent { search, at } = &self.stage {
                    self.stage = Stage::Found { search: search.clone(), at: *at };
                }
                self.said = Some((Severity::Bad, failure.text));
            }
            None => {}
        }
        Vec::new()
    }

    fn typed(&self, _: &Shell) -> Option<Typed> {
        Some(Typed::new("key find"))
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        self.paint(shell, frame, area);
    }
}
