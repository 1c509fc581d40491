//! Asking before keys end for good (VP-26, VA-09). It is never done by pressing one key twice, nor by a paste.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::config::keymap::{Action, Context};
use crate::domain::audit;
use crate::domain::issuer::Wording;
use crate::domain::key::{Key, KeyId};
use crate::domain::operator::Permission;
use crate::domain::subjects::Subjects;
use crate::domain::text::{self, SafeText};
use crate::service::{Looked, Revoked, UndoneList};
use crate::tui::effect::{Effect, FailureKind, Reply, Request, RequestId, To};
use crate::tui::form::{Form, Pressed};
use crate::tui::input::{self, Input};
use crate::tui::layer::{Layer, Opened};
use crate::tui::receipts;
use crate::tui::shell::Shell;
use crate::tui::tracked::Deed;
use crate::tui::typed::Typed;
use crate::tui::view::times;
use crate::tui::widgets::text_field::TextField;
use crate::tui::wish::{Asking, Wish};
use crate::tui::words::Severity;

mod closing;
mod elsewhere;
mod later;
mod reach;
mod said;
#[cfg(test)]
mod tests;
mod view;

pub(super) use closing::close;
pub(super) use elsewhere::{again, told};
pub(super) use reach::asking;
pub(super) use said::already;

/// The keys in question and the answer so far.
#[derive(Debug)]
pub struct State {
    number: u64,
    ids: Vec<KeyId>,
    /// Those of the keys that are known in full.
    known: Vec<Key>,
    /// How many there are of each state, in words.
    states: String,
    wording: Wording,
    /// When, if not now.
    when: TextField,
    note: TextField,
    /// The number of keys, typed, where there are several.
    count: TextField,
    form: Form<Focus>,
    wish: Wish,
    /// The key is read, where it was not on the screen.
    reading: Option<RequestId>,
    /// What is shown is read once more, for something has changed.
    news: Option<RequestId>,
    /// What several keys are and do right now, once it was looked up: what a yes holds for.
    looked: Option<Box<Looked>>,
    reaching: Option<RequestId>,
    /// What is amiss besides what was said of the wish.
    amiss: Option<SafeText>,
    done: Option<Done>,
    /// Whether the question was asked here, and not elsewhere.
    asked: bool,
    /// The revocations that are made again, where a restored backup undid them.
    again: Option<UndoneList>,
    /// Whether overlaps are closed by it.
    closing: bool,
}

/// The database was seen to hold the keys as revoked; what the gates say comes in.
#[derive(Debug)]
struct Done {
    revoked: Vec<Revoked>,
    receipt: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Focus {
    When,
    Note,
    Count,
}

/// Asks whether `ids` shall be revoked. `known`: those of them that are on the screen.
pub fn open(shell: &mut Shell, number: u64, ids: Vec<KeyId>, known: Vec<Key>, states: String) -> Opened {
    if ids.is_empty() || !shell.refuse_unless(Permission::ChangeKeys, "revoke keys") {
        return Opened::refused();
    }
    if let [key] = known.as_slice()
        && ids.len() == 1
        && let Some(revoked) = key.revoked(shell.now)
    {
        let words = format!("{} was revoked at {}", key.name, times::exact(revoked.at, shell.utc));
        shell.toast(Severity::Info, words);
        return Opened::refused();
    }
    let mut state = State::new(shell, number, ids, known);
    state.states = states;
    let mut effects = Vec::new();
    if let (&[id], true) = (state.ids.as_slice(), state.known.is_empty()) {
        let (request, effect) = shell.ask(To::Overlay(number), Request::Key(id));
        state.reading = Some(request);
        effects.push(effect);
    }
    effects.extend(state.reach_out(shell));
    Opened::new(state, effects)
}

impl State {
    fn new(shell: &mut Shell, number: u64, ids: Vec<KeyId>, known: Vec<Key>) -> Self {
        let issuer = known.first().map(|key| key.issuer.clone());
        let same = known.len() == ids.len() && known.iter().all(|key| Some(&key.issuer) == issuer.as_ref());
        let wording = issuer
            .filter(|_| same)
            .and_then(|slug| shell.issuer(&slug))
            .map_or_else(|| shell.wording(), |issuer| issuer.policy.wording.clone());
        let mut form = Form::question();
        if ids.len() > 1 {
            form.go_to(Focus::Count);
        }
        Self {
            number,
            ids,
            known,
            states: String::new(),
            wording,
            when: TextField::default(),
            note: TextField::default(),
            count: TextField::default(),
            form,
            wish: Wish::new(shell, number),
            reading: None,
            news: None,
            looked: None,
            reaching: None,
            amiss: None,
            done: None,
            asked: true,
            again: None,
            closing: false,
        }
    }

    fn several(&self) -> bool {
        self.ids.len() > 1
    }

    /// Whether the number of keys was typed, where that is asked for.
    fn counted(&self) -> bool {
        !self.several() || self.count.value().trim() == self.ids.len().to_string()
    }

    fn note_error(&self) -> Option<String> {
        text::check_reason(self.note.value()).err().map(|error| error.to_string())
    }

    fn press(&mut self, shell: &mut Shell, key: input::Key) -> Vec<Effect> {
        match (key.action, self.form.field()) {
            // For one key a note is no place from which it is revoked.
            (Some(Action::Submit), _) if !self.several() => return Vec::new(),
            (Some(Action::Press), Some(Focus::Count)) if !key.hurried => {
                return if key.unread { Vec::new() } else { self.revoke(shell) };
            }
            _ => {}
        }
        match self.form.press(key, &self.fields(), self.typing()) {
            Pressed::Close => shell.close(),
            Pressed::Go => return self.revoke(shell),
            Pressed::Text(event) => {
                match self.form.field() {
                    // Digits faster than a person types them are no answer.
                    Some(Focus::Count) if !key.hurried => {
                        self.count.key(event);
                    }
                    Some(Focus::Note) if self.note.key(event) => self.wish.edited(),
                    Some(Focus::When) if self.when.key(event) => self.wish.edited(),
                    _ => {}
                }
            }
            Pressed::Sideways(_) | Pressed::Nothing => {}
        }
        Vec::new()
    }

    fn revoke(&mut self, shell: &mut Shell) -> Vec<Effect> {
        if self.ids.is_empty() {
            return Vec::new();
        }
        if !self.counted() {
            self.form.go_to(Focus::Count);
            self.amiss = Some(format!("type {}, the number of keys to revoke", self.ids.len()).into());
            return Vec::new();
        }
        if self.note_error().is_some() {
            self.form.go_to(Focus::Note);
            return Vec::new();
        }
        if self.reaching.is_some() && self.again.is_none() {
            self.amiss =
                Some("Still reading which keys these are and what they do. Try again in a moment.".into());
            return Vec::new();
        }
        self.amiss = None;
        let note = self.note.value().trim();
        let note = (!note.is_empty()).then(|| note.to_owned());
        match self.later(shell) {
            Err(_) => {
                self.form.go_to(Focus::When);
                Vec::new()
            }
            Ok(Some(at)) => {
                let ask = self.ask_later(shell, at, note);
                self.wish.send(shell, ask)
            }
            Ok(None) => {
                let ask = self.ask(note, self.looked.as_ref().map(|looked| looked.shown.clone()));
                self.wish.send(shell, ask)
            }
        }
    }

    /// The database holds them as revoked: the gates are asked.
    fn done(&mut self, shell: &mut Shell, revoked: Vec<Revoked>) -> Effect {
        shell.changed(Subjects::of(audit::Action::KeyRevoke));
        let what = match revoked.as_slice() {
            [one] => one.key.name.as_str().to_owned(),
            many => format!("{} keys", many.len()),
        };
        let keys = revoked.iter().map(|one| one.key.id).collect();
        let (receipt, effect) = receipts::begin(shell, Deed::Revoked, what, keys);
        self.done = Some(Done { revoked, receipt });
        effect
    }
}

impl Layer for State {
    fn context(&self) -> Context {
        if self.typing() { Context::Form } else { Context::Dialog }
    }

    fn typing(&self) -> bool {
        self.done.is_none() && !self.form.on_button()
    }

    fn answers(&self, action: Action) -> bool {
        let answer = matches!(action, Action::Yes | Action::Submit);
        answer
            || matches!(action, Action::Press | Action::PressButton)
                && !self.form.on(Focus::Note)
                && !self.form.on(Focus::When)
    }

    fn wish(&mut self) -> Option<&mut Wish> {
        Some(&mut self.wish)
    }

    /// The note changes nothing of what it comes to.
    fn asking(&self, shell: &Shell) -> Option<Asking> {
        let open = self.done.is_none() && self.reading.is_none() && !self.ids.is_empty();
        let later = self.later(shell).ok().filter(|_| open)?;
        Some(later.map_or_else(|| self.ask(None, None), |at| self.ask_later(shell, at, None)))
    }

    fn foreseen(&mut self, reply: Reply) -> Option<String> {
        let Reply::Revoke(Ok(revoked)) = reply else { return None };
        for one in revoked.iter().filter(|one| one.already) {
            self.known.iter_mut().filter(|key| key.id == one.key.id).for_each(|key| *key = one.key.clone());
        }
        already(&revoked)
    }

    fn changed(&mut self, shell: &mut Shell, _: Subjects) -> Vec<Effect> {
        let request = match (&self.again, self.ids.as_slice()) {
            _ if self.done.is_some() || self.reading.is_some() || self.wish.under_way() => return Vec::new(),
            (Some(_), _) => Request::Undone,
            (None, &[id]) => Request::Key(id),
            _ if self.reaching.is_some() => return Vec::new(),
            _ => return self.reach_out(shell).into_iter().collect(),
        };
        let (id, effect) = shell.ask(To::Overlay(self.number), request);
        self.news = Some(id);
        vec![effect]
    }

    /// The same on every field and button; but a key that had to be read is another question than its id was.
    fn question(&self, _: &Shell) -> (Context, usize) {
        (Context::Dialog, usize::from(self.reading.is_some()))
    }

    fn receipt(&self) -> Option<u64> {
        self.done.as_ref().map(|done| done.receipt)
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        if self.wish.under_way() {
            return Vec::new();
        }
        if self.done.is_some() {
            self.told_more(shell, &input);
            let leave = matches!(
                input.action(),
                Some(Action::No | Action::Yes | Action::PressButton | Action::Interrupt)
            );
            if leave && !input.hurried() {
                self.close(shell);
            }
            return Vec::new();
        }
        match input {
            // A note may be pasted; an answer may not.
            Input::Paste(pasted) if self.form.on(Focus::Note) => {
                self.note.paste(&pasted.line());
                self.wish.edited();
                Vec::new()
            }
            Input::Key(key) if key.action == Some(Action::ShowReach) => self.show_all(shell),
            Input::Key(key) => self.press(shell, key),
            _ => Vec::new(),
        }
    }

    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        if self.news == Some(id) {
            self.news = None;
            match reply {
                Reply::Key(Ok(key)) if self.known.first() != Some(&*key) => self.known = vec![*key],
                Reply::Undone(Ok(list)) if self.again.as_ref() != Some(&list) => {
                    self.count = TextField::default();
                    self.take_undone(list);
                }
                _ => return Vec::new(),
            }
            self.wish.changed();
            return Vec::new();
        }
        if self.reaching == Some(id) {
            self.reaching = None;
            // Without an answer it says that it doesn't know.
            self.take_look(reply.try_as_reach().and_then(Result::ok));
            return Vec::new();
        }
        if self.reading == Some(id) {
            self.reading = None;
            match reply {
                Reply::Key(Ok(key)) => {
                    if let Some(issuer) = shell.issuer(&key.issuer) {
                        self.wording = issuer.policy.wording.clone();
                    }
                    self.known = vec![*key];
                }
                Reply::Undone(Ok(list)) => {
                    self.take_undone(list);
                    return self.reach_out(shell).into_iter().collect();
                }
                Reply::Key(Err(failure)) | Reply::Undone(Err(failure)) => self.amiss = Some(failure.text),
                _ => {}
            }
            return Vec::new();
        }
        if matches!(reply, Reply::Edit(_)) {
            return self.planned(shell, id, reply);
        }
        let settled = self.wish.settle(shell, id, reply, Reply::try_as_revoke);
        match settled {
            Some(Ok(revoked)) => return vec![self.done(shell, revoked)],
            Some(Err(failure)) if failure.kind == FailureKind::Moved => {
                return self.reach_out(shell).into_iter().collect();
            }
            Some(Err(_)) if !self.several() => self.form.go_to_cancel(),
            _ => {}
        }
        Vec::new()
    }

    fn no_gates(&mut self, shell: &mut Shell) {
        self.close(shell);
    }

    fn typed(&self, shell: &Shell) -> Option<Typed> {
        Some(self.shown_by(shell))
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        self.paint(shell, frame, area);
    }
}
