//! Refusing keys for a while, and letting those work again that are refused (KR-05).

use crossterm::event::KeyCode;
use ratatui::Frame;
use ratatui::layout::Rect;

use super::how_long::USUAL;
use crate::config::keymap::{Action, Context};
use crate::domain::audit;
use crate::domain::key::{Key, KeyId, OperationId};
use crate::domain::operator::Permission;
use crate::domain::subjects::Subjects;
use crate::domain::text::SafeText;
use crate::service::{Field, Held, Looked};
use crate::tui::effect::{Effect, Failure, FailureKind, Reply, RequestId};
use crate::tui::form::{Form, Pressed};
use crate::tui::input::{self, Input};
use crate::tui::layer::{Layer, Opened};
use crate::tui::opening::Opening;
use crate::tui::receipts;
use crate::tui::shell::Shell;
use crate::tui::tracked::Deed;
use crate::tui::typed::Typed;
use crate::tui::undo::Undo;
use crate::tui::widgets::text_field::TextField;
use crate::tui::wish::{Asking, Wish};
use crate::tui::words::{Severity, count};

mod said;
#[cfg(test)]
mod tests;
mod view;
mod wanted;

/// The keys in question and the answer so far.
#[derive(Debug)]
pub struct State {
    number: u64,
    /// All that were chosen.
    ids: Vec<KeyId>,
    /// Those of them that are on the screen; of one key what it is now.
    known: Vec<Key>,
    /// How many there are of each state, in words.
    states: String,
    /// What they are and do right now, once it was looked up: what a yes holds for.
    looked: Option<Box<Looked>>,
    reaching: Option<RequestId>,
    what: What,
    /// Whether resuming was asked for, and nothing else.
    resume: bool,
    /// Whether the person has chosen.
    chosen: bool,
    other: TextField,
    message: TextField,
    reason: TextField,
    /// The number of keys, typed, where there are several.
    count: TextField,
    form: Form<Focus>,
    wish: Wish,
    /// What would become of each, once that was tried.
    tried: Vec<Held>,
    amiss: Option<SafeText>,
    done: Option<Done>,
}

/// What is to be done to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Resume,
    /// A pause of one of [`super::how_long::SPANS`].
    For(usize),
    /// A pause for as long as is written.
    Other,
}

/// The database was seen to hold it; what the gates say comes in.
#[derive(Debug)]
struct Done {
    held: Vec<Held>,
    paused: bool,
    receipt: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Focus {
    What,
    Other,
    Message,
    Reason,
    Count,
}

/// Asks for how long `ids` shall be refused; where all of them are paused already, or `resume` says so, whether they shall work
/// again. `known`: those of them that are on the screen.
pub fn open(
    shell: &mut Shell,
    number: u64,
    ids: Vec<KeyId>,
    known: Vec<Key>,
    states: String,
    resume: bool,
) -> Opened {
    let what = if resume { "resume keys" } else { "pause keys" };
    if ids.is_empty() || !shell.refuse_unless(Permission::ChangeKeys, what) {
        return Opened::refused();
    }
    if let Some(words) = said::hopeless(&ids, &known, resume, shell) {
        shell.toast(Severity::Info, words);
        return Opened::refused();
    }
    let mut state = State {
        number,
        ids,
        known,
        states,
        looked: None,
        reaching: None,
        what: What::For(USUAL),
        resume,
        chosen: false,
        other: TextField::default(),
        message: TextField::default(),
        reason: TextField::default(),
        count: TextField::default(),
        form: Form::question(),
        wish: Wish::new(shell, number),
        tried: Vec::new(),
        amiss: None,
        done: None,
    };
    state.form.go_to(Focus::What);
    state.offer(shell);
    let effect = state.look(shell);
    Opened::new(state, vec![effect])
}

impl State {
    fn several(&self) -> bool {
        self.ids.len() > 1
    }

    fn fields(&self) -> Vec<Focus> {
        let mut fields = vec![Focus::What];
        if self.what == What::Other {
            fields.push(Focus::Other);
        }
        if self.what != What::Resume {
            fields.extend([Focus::Message, Focus::Reason]);
        }
        if self.several() {
            fields.push(Focus::Count);
        }
        fields
    }

    fn edited(&mut self) {
        self.wish.edited();
        self.tried.clear();
        self.amiss = None;
    }

    fn press(&mut self, shell: &mut Shell, key: input::Key) -> Vec<Effect> {
        let sideways = match key.event.code {
            KeyCode::Left => -1,
            KeyCode::Right => 1,
            _ => 0,
        };
        let steps = matches!(key.action, Some(Action::NextButton | Action::PreviousButton));
        // Up and down lead from field to field, left and right through the choices.
        if self.form.on(Focus::What) && steps && sideways != 0 {
            self.choose(shell, sideways);
            return Vec::new();
        }
        if self.form.on(Focus::Count) && key.action == Some(Action::Press) && !key.hurried {
            return if key.unread { Vec::new() } else { self.send(shell) };
        }
        let fields = self.fields();
        match self.form.press(key, &fields, self.typing()) {
            Pressed::Close => shell.close(),
            Pressed::Go => return self.send(shell),
            Pressed::Text(event) => match self.form.field() {
                // Digits faster than a person types them are no answer.
                Some(Focus::Count) if !key.hurried => {
                    self.count.key(event);
                }
                Some(Focus::Other) if self.other.key(event) => self.edited(),
                Some(Focus::Message) if self.message.key(event) => self.wish.edited(),
                Some(Focus::Reason) if self.reason.key(event) => self.wish.edited(),
                _ => {}
            },
            Pressed::Sideways(_) | Pressed::Nothing => {}
        }
        Vec::new()
    }

    fn send(&mut self, shell: &mut Shell) -> Vec<Effect> {
        if self.reaching.is_some() && self.looked.is_none() {
            self.amiss =
                Some("Still reading which keys these are and what they do. Try again in a moment.".into());
            return Vec::new();
        }
        let wrong = [
            (self.lasting(shell).is_err(), Focus::Other),
            (self.text_error(Focus::Message).is_some(), Focus::Message),
            (self.text_error(Focus::Reason).is_some(), Focus::Reason),
            (!self.counted(shell), Focus::Count),
        ];
        if let Some((_, at)) = wrong.into_iter().find(|(wrong, _)| *wrong) {
            self.form.go_to(at);
            let number = self.targets(shell).len();
            let words = format!("type {number}, the number of keys to {}", self.verb());
            self.amiss = (at == Focus::Count).then(|| words.into());
            return Vec::new();
        }
        self.amiss = None;
        // News of what was sent must not turn it into its opposite.
        self.chosen = true;
        match self.ask(shell) {
            Some(ask) => self.wish.send(shell, ask),
            None => Vec::new(),
        }
    }

    fn participle(&self) -> &'static str {
        if self.what == What::Resume { "resumed" } else { "paused" }
    }

    fn verb(&self) -> &'static str {
        if self.what == What::Resume { "resume" } else { "pause" }
    }

    /// The database holds it: the gates are asked.
    fn done(&mut self, shell: &mut Shell, held: Vec<Held>) -> Vec<Effect> {
        let paused = self.what != What::Resume;
        let (action, deed) = match paused {
            true => (audit::Action::KeyPause, Deed::Paused),
            false => (audit::Action::KeyResume, Deed::Resumed),
        };
        shell.changed(Subjects::of(action));
        let changed: Vec<&Key> = held.iter().filter(|one| one.changed).map(|one| &one.key).collect();
        let what = match changed.as_slice() {
            [] => {
                shell.toast(Severity::Info, "Nothing was changed: it is already so.");
                shell.close();
                return Vec::new();
            }
            [one] => one.name.as_str().to_owned(),
            many => count(many.len() as u64, "key"),
        };
        let keys: Vec<KeyId> = changed.iter().map(|key| key.id).collect();
        if paused {
            let known = changed.iter().map(|key| (*key).clone()).collect();
            let opening = Opening::Pause { ids: keys.clone(), known, states: String::new(), resume: true };
            shell.undo.push(Undo::Open(format!("pausing {what}"), Box::new(opening)));
        }
        let (receipt, effect) = receipts::begin(shell, deed, what, keys);
        self.done = Some(Done { held, paused, receipt });
        vec![effect]
    }

    /// Leaves, saying what was done. What the gates say later is told in the last line too.
    fn close(&mut self, shell: &mut Shell) {
        if let Some(done) = &self.done {
            let (severity, words) = said::words(done, shell);
            shell.toast(severity, words);
        }
        shell.close();
    }

    fn refused(&mut self, failure: &Failure) {
        match failure.kind {
            FailureKind::Field(Field::Until) if self.what == What::Other => self.form.go_to(Focus::Other),
            FailureKind::Field(Field::Until) => self.form.go_to(Focus::What),
            FailureKind::Field(Field::Message) => self.form.go_to(Focus::Message),
            FailureKind::Field(Field::Reason) => self.form.go_to(Focus::Reason),
            _ => {}
        }
    }
}

impl Layer for State {
    fn context(&self) -> Context {
        if self.typing() { Context::Form } else { Context::Dialog }
    }

    fn typing(&self) -> bool {
        self.done.is_none() && !self.form.on_button() && !self.form.on(Focus::What)
    }

    fn answers(&self, action: Action) -> bool {
        let answer = matches!(action, Action::Yes | Action::Submit);
        let pressed = matches!(action, Action::Press | Action::PressButton);
        answer || pressed && (self.form.on_button() || self.form.on(Focus::Count))
    }

    fn wish(&mut self) -> Option<&mut Wish> {
        Some(&mut self.wish)
    }

    fn asking(&self, shell: &Shell) -> Option<Asking> {
        if self.done.is_some() || self.looked.is_none() { None } else { self.ask(shell) }
    }

    fn foreseen(&mut self, reply: Reply) -> Option<String> {
        self.tried = reply.try_as_held()?.ok()?;
        (self.what == What::Resume).then(|| said::still_frozen(&self.tried)).flatten()
    }

    fn changed(&mut self, shell: &mut Shell, _: Subjects) -> Vec<Effect> {
        let busy = self.done.is_some() || self.wish.under_way() || self.reaching.is_some();
        if busy { Vec::new() } else { vec![self.look(shell)] }
    }

    /// The same on every field and button.
    fn question(&self, _: &Shell) -> (Context, usize) {
        (Context::Dialog, 0)
    }

    fn receipt(&self) -> Option<u64> {
        self.done.as_ref().map(|done| done.receipt)
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        if self.wish.under_way() {
            return Vec::new();
        }
        if self.done.is_some() {
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
            // A text may be pasted; an answer may not.
            Input::Paste(pasted) => {
                match self.form.field() {
                    Some(Focus::Other) if self.other.paste(&pasted.line()) => self.edited(),
                    Some(Focus::Message) if self.message.paste(&pasted.line()) => self.wish.edited(),
                    Some(Focus::Reason) if self.reason.paste(&pasted.line()) => self.wish.edited(),
                    _ => {}
                }
                Vec::new()
            }
            Input::Key(key) if key.action == Some(Action::ShowReach) => {
                shell.open(Opening::Looked { ids: self.ids.clone(), looked: self.looked.clone() });
                Vec::new()
            }
            Input::Key(key) => self.press(shell, key),
            _ => Vec::new(),
        }
    }

    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        if self.reaching == Some(id) {
            self.reaching = None;
            // What was sent is not asked any more.
            if self.done.is_some() || self.wish.under_way() {
                return Vec::new();
            }
            self.take_look(shell, reply.try_as_reach().and_then(Result::ok));
            return Vec::new();
        }
        match self.wish.settle(shell, id, reply, Reply::try_as_held) {
            Some(Ok(held)) => self.done(shell, held),
            Some(Err(failure)) if failure.kind == FailureKind::Moved => vec![self.look(shell)],
            Some(Err(failure)) => {
                self.refused(&failure);
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    fn no_gates(&mut self, shell: &mut Shell) {
        self.close(shell);
    }

    fn typed(&self, shell: &Shell) -> Option<Typed> {
        let sent = self.ask(shell).filter(|_| self.done.is_none());
        let sent = sent.and_then(|ask| Typed::of(&ask(OperationId::nil()), shell));
        sent.or_else(|| Some(Typed::new("key show").keys(shell, &self.ids)))
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        self.paint(shell, frame, area);
    }
}
