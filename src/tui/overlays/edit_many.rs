//! Changing several keys at once: what is filled in is changed of each of them, and nothing else (KR-10).

use crossterm::event::KeyEvent;
use ratatui::Frame;
use ratatui::layout::Rect;
use strum::VariantArray;

use crate::config::keymap::{Action, Context};
use crate::domain::key::KeyId;
use crate::domain::operator::Permission;
use crate::domain::subjects::Subjects;
use crate::domain::text::{SafeText, thousands};
use crate::service::{Edited, Field, InUse, Looked};
use crate::tui::completing::Completing;
use crate::tui::edits;
use crate::tui::effect::{Effect, Failure, FailureKind, Reply, Request, RequestId, To};
use crate::tui::form::{Form, Pressed};
use crate::tui::input::{self, Input};
use crate::tui::layer::{Layer, Opened};
use crate::tui::opening::Opening;
use crate::tui::shell::Shell;
use crate::tui::typed::Typed;
use crate::tui::view::reach;
use crate::tui::widgets::text_field::TextField;
use crate::tui::wish::{Asking, Wish};
use crate::tui::words::Severity;

mod check;
#[cfg(test)]
mod tests;
mod view;

use check::field_of;

/// The keys in question and what was filled in so far.
#[derive(Debug)]
pub struct State {
    number: u64,
    ids: Vec<KeyId>,
    /// How many more were chosen that have ended: they stay as they are.
    ended: usize,
    /// What they are and do right now, once it was looked up: what a yes holds for.
    looked: Option<Box<Looked>>,
    /// What the owner or the tag may become that is typed.
    completing: Completing,
    reaching: Option<RequestId>,
    /// In the order of [`Focus`].
    texts: [TextField; FIELDS],
    /// What would become of each, once that was tried.
    tried: Vec<Edited>,
    form: Form<Focus>,
    stage: Stage,
    /// Whether Esc was pressed once with something filled in.
    leaving: bool,
    wish: Wish,
    amiss: Option<SafeText>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Edit,
    Review,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, VariantArray)]
enum Focus {
    Expires,
    AddScopes,
    RemoveScopes,
    Allow,
    Disallow,
    Owner,
    Mail,
    Tag,
    Untag,
    NotBefore,
    RevokeAt,
    /// The number of keys, typed.
    Count,
}

/// Fields of text, the number included.
const FIELDS: usize = Focus::VARIANTS.len();

/// Refusals that stand at their fields.
const AT_FIELDS: [Field; 7] = [
    Field::Expiry,
    Field::Scopes,
    Field::Allow,
    Field::Owner,
    Field::Tags,
    Field::NotBefore,
    Field::RevokeAt,
];

/// Opens the form for these keys.
pub fn open(shell: &mut Shell, number: u64, ids: Vec<KeyId>) -> Opened {
    if ids.is_empty() || !shell.refuse_unless(Permission::ChangeKeys, "edit keys") {
        return Opened::refused();
    }
    let mut state = State {
        number,
        ids,
        ended: 0,
        looked: None,
        completing: Completing::default(),
        reaching: None,
        texts: Default::default(),
        tried: Vec::new(),
        form: Form::new(Focus::Expires),
        stage: Stage::Edit,
        leaving: false,
        wish: Wish::new(shell, number),
        amiss: None,
    };
    let effect = state.look(shell);
    Opened::new(state, vec![effect])
}

/// Which words the field is completed from.
fn known(at: Focus) -> Option<InUse> {
    match at {
        Focus::Owner => Some(InUse::Owners),
        Focus::Tag | Focus::Untag => Some(InUse::Tags),
        _ => None,
    }
}

impl State {
    fn look(&mut self, shell: &mut Shell) -> Effect {
        let (id, effect) = shell.ask(To::Overlay(self.number), Request::Reach(self.ids.clone()));
        self.reaching = Some(id);
        effect
    }

    /// Takes in what the keys are now. What has ended is left out; what differs from what was shown before is told.
    fn take_look(&mut self, shell: &mut Shell, looked: Option<Box<Looked>>) {
        let Some(looked) = looked else {
            self.amiss = Some("What these keys are can't be looked up: try again in a moment.".into());
            return;
        };
        if let Some(words) = reach::moved(self.looked.as_deref(), &looked) {
            self.amiss = Some(words);
            self.texts[Focus::Count as usize].clear();
            self.wish.changed();
        }
        let all = self.ids.len();
        self.ids = looked.keys.iter().filter(|key| !key.has_ended(looked.now)).map(|key| key.id).collect();
        self.ended += all - self.ids.len();
        if self.ids.is_empty() {
            shell
                .toast(Severity::Info, "All of these keys are expired or revoked: there is nothing to edit.");
            shell.close();
        }
        self.looked = Some(looked);
    }

    fn edited(&mut self) {
        self.wish.edited();
        self.leaving = false;
        self.amiss = None;
        self.tried.clear();
    }

    fn counted(&self) -> bool {
        self.ids.len() == 1 || self.text(Focus::Count) == self.ids.len().to_string()
    }

    fn go_on(&mut self, shell: &mut Shell) -> Vec<Effect> {
        if self.stage == Stage::Review {
            return self.send(shell);
        }
        match self.wanted(shell) {
            Err((at, _)) => {
                self.form.go_to(at);
                // An error stands at a field that one has left.
                self.amiss = self.wanted(shell).err().map(|(_, why)| why.into());
            }
            Ok(edit) if edit.is_empty() => {
                shell.toast(Severity::Info, "Fill in what to change; empty fields stay as they are.");
            }
            Ok(_) => {
                self.stage = Stage::Review;
                self.amiss = None;
                self.wish.edited();
                if self.ids.len() > 1 { self.form.go_to(Focus::Count) } else { self.form.go_to_go() }
            }
        }
        Vec::new()
    }

    fn send(&mut self, shell: &mut Shell) -> Vec<Effect> {
        if self.reaching.is_some() {
            self.amiss = Some("Still reading which keys these are. Try again in a moment.".into());
            return Vec::new();
        }
        if !self.counted() {
            self.form.go_to(Focus::Count);
            self.amiss = Some(format!("type {}, the number of keys to change", self.ids.len()).into());
            return Vec::new();
        }
        self.amiss = None;
        self.send_wish(shell)
    }

    fn back(&mut self, shell: &mut Shell) {
        let filled = self.texts[..Focus::Count as usize].iter().any(|text| !text.is_empty());
        if self.stage == Stage::Review {
            self.stage = Stage::Edit;
            self.texts[Focus::Count as usize].clear();
            self.form.go_to(Focus::Expires);
        } else if filled && !self.leaving {
            self.leaving = true;
            let key = shell.keymap.key(Action::CloseForm);
            shell.toast(Severity::Warning, format!("{key} again throws away what you filled in"));
        } else {
            shell.close();
        }
    }

    fn press(&mut self, shell: &mut Shell, key: input::Key) -> Vec<Effect> {
        let review = self.stage == Stage::Review;
        if review && key.action == Some(Action::Press) && self.form.on(Focus::Count) && !key.hurried {
            return if key.unread { Vec::new() } else { self.send(shell) };
        }
        let key = if review { key } else { input::Key { unread: false, ..key } };
        let count: &[Focus] = if self.ids.len() > 1 { &[Focus::Count] } else { &[] };
        let fields = if review { count } else { &Focus::VARIANTS[..Focus::Count as usize] };
        match self.form.press(key, fields, self.typing()) {
            Pressed::Close => self.back(shell),
            Pressed::Go => return self.go_on(shell),
            Pressed::Text(event) => match self.form.field() {
                // Digits faster than a person types them are no answer.
                Some(Focus::Count) if !key.hurried => {
                    self.texts[Focus::Count as usize].key(event);
                }
                Some(Focus::Count) | None => {}
                Some(field) => return self.write(shell, field, event),
            },
            Pressed::Sideways(_) | Pressed::Nothing => {}
        }
        Vec::new()
    }

    /// A key in a field, which asks what an owner or a tag may become, or takes that.
    fn write(&mut self, shell: &mut Shell, at: Focus, event: KeyEvent) -> Vec<Effect> {
        let (known, field) = (known(at), &mut self.texts[at as usize]);
        let taken = known.is_some_and(|known| self.completing.take(known, field, event));
        if taken || field.key(event) {
            self.edited();
        }
        let to = To::Overlay(self.number);
        let effect =
            known.and_then(|known| self.completing.follow(shell, to, known, &self.texts[at as usize]));
        effect.into_iter().collect()
    }

    /// Shows a refusal at its field.
    fn refused(&mut self, failure: &Failure) {
        let FailureKind::Field(field) = failure.kind else { return };
        if let Some(at) = Focus::VARIANTS.iter().find(|at| field_of(**at) == Some(field)) {
            self.stage = Stage::Edit;
            self.form.go_to(*at);
        }
    }
}

impl Layer for State {
    fn context(&self) -> Context {
        Context::Form
    }

    fn asks(&self) -> bool {
        self.form.on_button()
    }

    fn typing(&self) -> bool {
        !self.form.on_button()
    }

    fn wish(&mut self) -> Option<&mut Wish> {
        Some(&mut self.wish)
    }

    /// The review is what one commits to.
    fn asking(&self, shell: &Shell) -> Option<Asking> {
        let looked = self.looked.as_ref().filter(|_| self.stage == Stage::Review)?;
        let edit = self.wanted(shell).ok().filter(|edit| !edit.is_empty())?;
        Some(edits::asking(self.ids.clone(), edit, looked.shown.clone()))
    }

    fn foreseen(&mut self, reply: Reply) -> Option<String> {
        self.tried = reply.try_as_edit()?.ok()?;
        let same = self.tried.iter().filter(|one| one.changed.is_empty()).count();
        match (same, self.tried.len()) {
            (0, _) => None,
            (same, all) if same == all => Some("Nothing would change: they are already so.".into()),
            (same, all) => Some(format!(
                "{} of these {} keys are already so: they stay as they are.",
                thousands(same as u64),
                thousands(all as u64)
            )),
        }
    }

    fn forewarned(&mut self, failure: &Failure) {
        self.refused(failure);
    }

    fn changed(&mut self, shell: &mut Shell, _: Subjects) -> Vec<Effect> {
        if self.wish.under_way() || self.reaching.is_some() { Vec::new() } else { vec![self.look(shell)] }
    }

    fn question(&self, _: &Shell) -> (Context, usize) {
        (Context::Form, usize::from(self.stage == Stage::Review))
    }

    fn answers(&self, action: Action) -> bool {
        self.stage == Stage::Review && matches!(action, Action::Submit | Action::Press)
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        if self.wish.under_way() {
            return Vec::new();
        }
        match input {
            // A field may be pasted; an answer may not.
            Input::Paste(pasted) if self.stage == Stage::Edit => {
                if let Some(field) = self.form.field() {
                    self.texts[field as usize].paste(&pasted.line());
                    self.edited();
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
            self.take_look(shell, reply.try_as_reach().and_then(Result::ok));
            return Vec::new();
        }
        if let Reply::Known(found) = reply {
            return self.completing.settle(shell, id, found);
        }
        match self.wish.settle(shell, id, reply, Reply::try_as_edit) {
            Some(Ok(edited)) => edits::done(shell, &edited),
            Some(Err(failure)) if failure.kind == FailureKind::Moved => vec![self.look(shell)],
            Some(Err(failure)) => {
                self.refused(&failure);
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    fn typed(&self, shell: &Shell) -> Option<Typed> {
        Some(Typed::new("key show").keys(shell, &self.ids))
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        self.paint(shell, frame, area);
    }
}
