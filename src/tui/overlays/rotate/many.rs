//! Replacing many keys in one decision: their new secrets go into files before anything happens to the old keys.

use std::path::PathBuf;

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::config::keymap::{Action, Context};
use crate::domain::audit;
use crate::domain::expiry::{Expiry, Overlap};
use crate::domain::key::{Key, KeyId};
use crate::domain::operator::Permission;
use crate::domain::subjects::Subjects;
use crate::domain::text::SafeText;
use crate::service::{Looked, Place, RotateKeys, Rotated};
use crate::tui::effect::{Effect, FailureKind, Reply, Request, RequestId, RotationRequest, To};
use crate::tui::form::{Form, Pressed};
use crate::tui::input::{Input, Key as Press};
use crate::tui::layer::{Layer, Opened};
use crate::tui::opening::Opening;
use crate::tui::receipts;
use crate::tui::shell::Shell;
use crate::tui::tracked::Deed;
use crate::tui::view::reach;
use crate::tui::widgets::text_field::TextField;
use crate::tui::wish::{Asking, Wish};
use crate::tui::words::count;

mod view;

/// Where the new secrets can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Secrets {
    Folder,
    Env,
    /// Shown one after the other, each confirmed by itself.
    Screen,
}

const SECRETS: [Secrets; 3] = [Secrets::Folder, Secrets::Env, Secrets::Screen];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Focus {
    Overlap,
    Expiry,
    Secrets,
    Path,
    Count,
}

/// The keys to be replaced, and how.
#[derive(Debug)]
pub struct State {
    number: u64,
    ids: Vec<KeyId>,
    known: Vec<Key>,
    /// How many there are of each state, in words.
    states: String,
    /// What they are and do right now, once it was looked up: what a yes holds for.
    looked: Option<Box<Looked>>,
    reaching: Option<RequestId>,
    amiss: Option<SafeText>,
    overlap: usize,
    expiry: TextField,
    secrets: Secrets,
    path: TextField,
    /// Whether somebody wrote another path than the one that is offered.
    own_path: bool,
    /// The number of keys, typed.
    count: TextField,
    form: Form<Focus>,
    checked: bool,
    /// What a try came to.
    tried: Vec<Rotated>,
    wish: Wish,
}

/// Asks how these keys are to be replaced. `known`: those of them that are on the screen; `states`: how many there are of each.
pub fn open(shell: &mut Shell, number: u64, ids: Vec<KeyId>, known: Vec<Key>, states: String) -> Opened {
    if ids.is_empty() || !shell.refuse_unless(Permission::ChangeKeys, "rotate keys") {
        return Opened::refused();
    }
    let at = |overlap| Overlap::ALL.iter().position(|one| *one == overlap).unwrap_or(0);
    let alone = known
        .iter()
        .any(|key| shell.issuer(&key.issuer).is_some_and(|issuer| !issuer.policy.rotation.overlap));
    let overlap = at(if alone { Overlap::None } else { Overlap::Hours24 });
    let mut state = State {
        number,
        ids,
        known,
        states,
        looked: None,
        reaching: None,
        amiss: None,
        overlap,
        expiry: TextField::default(),
        secrets: Secrets::Folder,
        path: TextField::default(),
        own_path: false,
        count: TextField::default(),
        form: Form::new(Focus::Overlap),
        checked: false,
        tried: Vec::new(),
        wish: Wish::new(shell, number),
    };
    state.offer(shell);
    let effect = state.look(shell);
    Opened::new(state, vec![effect])
}

impl State {
    fn look(&mut self, shell: &mut Shell) -> Effect {
        let (id, effect) = shell.ask(To::Overlay(self.number), Request::Reach(self.ids.clone()));
        self.reaching = Some(id);
        effect
    }

    /// Takes in what the keys are now; what differs from what was shown before has to be answered anew.
    fn take_look(&mut self, looked: Option<Box<Looked>>) {
        let Some(looked) = looked else {
            self.amiss = Some("What these keys are can't be looked up: try again in a moment.".into());
            return;
        };
        if let Some(words) = reach::moved(self.looked.as_deref(), &looked) {
            self.amiss = Some(words);
            self.count.clear();
            self.wish.changed();
        }
        self.looked = Some(looked);
    }

    fn fields(&self) -> Vec<Focus> {
        let mut fields = vec![Focus::Overlap, Focus::Expiry, Focus::Secrets, Focus::Path, Focus::Count];
        fields.retain(|field| *field != Focus::Path || self.secrets != Secrets::Screen);
        fields
    }

    /// Offers a place that is most likely not taken.
    fn offer(&mut self, shell: &Shell) {
        if !self.own_path {
            let end = if self.secrets == Secrets::Env { ".env" } else { "" };
            let path = format!("~/keyrack-{}{end}", shell.now.format("%Y%m%d-%H%M%S"));
            self.path = TextField::with(&path);
        }
    }

    fn place(&self) -> Option<Place> {
        let path = self.path.value().trim();
        let of = match self.secrets {
            Secrets::Folder => Place::Folder,
            Secrets::Env => Place::Env,
            Secrets::Screen => return None,
        };
        (!path.is_empty()).then(|| of(PathBuf::from(path)))
    }

    /// The chosen expiry; `None` where each lives as long as the one that it replaces.
    fn chosen_expiry(&self, shell: &Shell) -> Result<Option<Expiry>, String> {
        read(self.expiry.value(), self.known.first(), shell)
    }

    fn counted(&self) -> bool {
        self.count.value().trim() == self.ids.len().to_string()
    }

    fn edited(&mut self) {
        self.tried.clear();
        self.amiss = None;
        self.wish.edited();
    }

    fn press(&mut self, shell: &mut Shell, key: Press) -> Vec<Effect> {
        match (key.action, self.form.field()) {
            (Some(Action::Press), Some(Focus::Count)) if !key.hurried && self.counted() => {
                return if key.unread { Vec::new() } else { self.send(shell) };
            }
            (Some(Action::Toggle), Some(Focus::Overlap | Focus::Secrets)) => {
                self.sideways(shell, 1);
                return Vec::new();
            }
            _ => {}
        }
        match self.form.press(key, &self.fields(), self.typing()) {
            Pressed::Close => shell.close(),
            Pressed::Go => return self.send(shell),
            Pressed::Sideways(by) => self.sideways(shell, by),
            Pressed::Text(event) => match self.form.field() {
                Some(Focus::Expiry) if self.expiry.key(event) => self.edited(),
                Some(Focus::Path) if self.path.key(event) => {
                    self.own_path = true;
                    self.edited();
                }
                // Digits faster than a person types them are no answer.
                Some(Focus::Count) if !key.hurried => {
                    self.count.key(event);
                }
                _ => {}
            },
            Pressed::Nothing => {}
        }
        Vec::new()
    }

    fn sideways(&mut self, shell: &Shell, by: isize) {
        match self.form.field() {
            Some(Focus::Overlap) => {
                let last = Overlap::ALL.len() - 1;
                self.overlap = self.overlap.saturating_add_signed(by).min(last);
            }
            Some(Focus::Secrets) => {
                let at = SECRETS.iter().position(|one| *one == self.secrets).unwrap_or(0);
                self.secrets = SECRETS[at.saturating_add_signed(by).min(SECRETS.len() - 1)];
                self.offer(shell);
            }
            _ => return,
        }
        self.edited();
    }

    fn send(&mut self, shell: &mut Shell) -> Vec<Effect> {
        self.checked = true;
        let Some(looked) = &self.looked else {
            self.amiss =
                Some("Still reading which keys these are and what they do. Try again in a moment.".into());
            return Vec::new();
        };
        let keys = looked.keys.clone();
        let wrong = [
            (self.chosen_expiry(shell).is_err(), Focus::Expiry),
            (self.secrets != Secrets::Screen && self.place().is_none(), Focus::Path),
            (!self.counted(), Focus::Count),
        ];
        if let Some((_, focus)) = wrong.into_iter().find(|(wrong, _)| *wrong) {
            self.form.go_to(focus);
            return Vec::new();
        }
        self.amiss = None;
        if self.secrets == Secrets::Screen {
            let overlap = Overlap::ALL[self.overlap];
            if let Ok(expiry) = self.chosen_expiry(shell) {
                shell.close();
                shell.open(Opening::RotateEach { keys, overlap, expiry });
            }
            return Vec::new();
        }
        self.send_wish(shell)
    }

    fn done(&self, shell: &mut Shell, rotated: &[Rotated]) -> Vec<Effect> {
        shell.close();
        shell.changed(Subjects::of(audit::Action::KeyRotate));
        shell.open(self.page(shell, rotated));
        // Told in the last line, where gates run.
        let olds: Vec<KeyId> = rotated.iter().map(|one| one.old.id).collect();
        let (deed, what) = match Overlap::ALL[self.overlap] {
            Overlap::None => (Deed::Revoked, format!("{} replaced", count(olds.len() as u64, "key"))),
            _ => (Deed::Edited, format!("{} rotated", count(olds.len() as u64, "key"))),
        };
        vec![receipts::begin(shell, deed, what, olds).1]
    }
}

/// What was written of when new keys expire; empty: not said. `key`: one of those that are replaced.
pub(super) fn read(text: &str, key: Option<&Key>, shell: &Shell) -> Result<Option<Expiry>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let policy = key.and_then(|key| shell.issuer(&key.issuer)).map(|issuer| &issuer.policy);
    let read = match policy {
        Some(policy) => policy.expiry.read(text, shell.here()),
        None => Expiry::parse(text, shell.here()),
    };
    read.map(Some).map_err(|error| error.to_string())
}

impl Layer for State {
    fn context(&self) -> Context {
        Context::Form
    }

    fn wish(&mut self) -> Option<&mut Wish> {
        Some(&mut self.wish)
    }

    fn asking(&self, shell: &Shell) -> Option<Asking> {
        let order = RotateKeys {
            keys: self.ids.clone(),
            overlap: Some(Overlap::ALL[self.overlap]),
            expiry: self.chosen_expiry(shell).ok()?,
            shown: Some(self.looked.as_ref()?.shown.clone()),
        };
        let place = self.place()?;
        Some(Box::new(move |operation| {
            let (order, place) = (order.clone(), place.clone());
            Request::Rotation(Box::new(RotationRequest::Rotate { operation, order, place }))
        }))
    }

    fn foreseen(&mut self, reply: Reply) -> Option<String> {
        if let Reply::RotateMany(Ok(tried)) = reply {
            self.tried = tried;
        }
        None
    }

    fn asks(&self) -> bool {
        self.form.on_button()
    }

    fn typing(&self) -> bool {
        matches!(self.form.field(), Some(Focus::Expiry | Focus::Path | Focus::Count))
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        if self.wish.under_way() {
            return Vec::new();
        }
        match input {
            Input::Paste(pasted) => {
                let line = pasted.line();
                match self.form.field() {
                    Some(Focus::Expiry) if self.expiry.paste(&line) => self.edited(),
                    Some(Focus::Path) if self.path.paste(&line) => {
                        self.own_path = true;
                        self.edited();
                    }
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

    fn changed(&mut self, shell: &mut Shell, _: Subjects) -> Vec<Effect> {
        if self.wish.under_way() || self.reaching.is_some() { Vec::new() } else { vec![self.look(shell)] }
    }

    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        if self.reaching == Some(id) {
            self.reaching = None;
            if !self.wish.under_way() {
                self.take_look(reply.try_as_reach().and_then(Result::ok));
            }
            return Vec::new();
        }
        let settled = self.wish.settle(shell, id, reply, Reply::try_as_rotate_many);
        match settled {
            Some(Ok(rotated)) => self.done(shell, &rotated),
            Some(Err(failure)) if failure.kind == FailureKind::Moved => vec![self.look(shell)],
            _ => Vec::new(),
        }
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        self.paint(shell, frame, area);
    }
}
