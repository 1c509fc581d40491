//! Replacing many keys in one decision: their new secrets go into files before anything happens to the old keys.

use std::path::PathBuf;
use std::sync::Arc;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::words;
use crate::config::keymap::{Action, Context};
use crate::config::theme::Role;
use crate::domain::audit;
use crate::domain::expiry::{Expiry, Overlap};
use crate::domain::key::{Key, KeyId};
use crate::domain::manifest::Manifest;
use crate::domain::operator::Permission;
use crate::domain::subjects::Subjects;
use crate::domain::text::thousands;
use crate::service::{Field, Place, RotateKeys, Rotated};
use crate::tui::effect::{Effect, Reply, Request, RequestId, RotationRequest};
use crate::tui::form::{Form, Pressed};
use crate::tui::input::{Input, Key as Press};
use crate::tui::layer::{Layer, Opened};
use crate::tui::opening::{Opening, Part};
use crate::tui::shell::Shell;
use crate::tui::view::times;
use crate::tui::widgets::buttons::Button;
use crate::tui::widgets::choice;
use crate::tui::widgets::sheet::Sheet;
use crate::tui::widgets::text_field::TextField;
use crate::tui::wish::{Asking, Wish};

/// Names that are shown.
const NAMES: usize = 5;
/// Where the secrets can go.
const PLACES: [&str; 2] = ["a file a key, in a folder", "one .env file"];
const FIELDS: [Focus; 5] = [Focus::Overlap, Focus::Expiry, Focus::Place, Focus::Path, Focus::Count];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Focus {
    Overlap,
    Expiry,
    Place,
    Path,
    Count,
}

/// The keys to be replaced, and how.
#[derive(Debug)]
pub struct State {
    ids: Vec<KeyId>,
    known: Vec<Key>,
    /// How many there are of each state, in words.
    states: String,
    /// What a yes holds for, where all of them are known.
    shown: Option<Arc<Manifest>>,
    overlap: usize,
    expiry: TextField,
    env: bool,
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
    let shown = (known.len() == ids.len()).then(|| Arc::new(Manifest::of(&known, shell.now)));
    let at = |overlap| Overlap::ALL.iter().position(|one| *one == overlap).unwrap_or(0);
    let alone = known
        .iter()
        .any(|key| shell.issuer(&key.issuer).is_some_and(|issuer| !issuer.policy.rotation.overlap));
    let overlap = at(if alone { Overlap::None } else { Overlap::Hours24 });
    let mut state = State {
        ids,
        known,
        states,
        shown,
        overlap,
        expiry: TextField::default(),
        env: false,
        path: TextField::default(),
        own_path: false,
        count: TextField::default(),
        form: Form::new(Focus::Overlap),
        checked: false,
        tried: Vec::new(),
        wish: Wish::new(shell, number),
    };
    state.offer(shell);
    Opened::new(state, Vec::new())
}

impl State {
    /// Offers a place that is most likely not taken.
    fn offer(&mut self, shell: &Shell) {
        if !self.own_path {
            let end = if self.env { ".env" } else { "" };
            let path = format!("~/keyrack-{}{end}", shell.now.format("%Y%m%d-%H%M%S"));
            self.path = TextField::with(&path);
        }
    }

    fn place(&self) -> Option<Place> {
        let path = self.path.value().trim();
        let of = if self.env { Place::Env } else { Place::Folder };
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
        self.wish.edited();
    }

    fn press(&mut self, shell: &mut Shell, key: Press) -> Vec<Effect> {
        match (key.action, self.form.field()) {
            (Some(Action::Press), Some(Focus::Count)) if !key.hurried && self.counted() => {
                return if key.unread { Vec::new() } else { self.send(shell) };
            }
            (Some(Action::Toggle), Some(Focus::Overlap | Focus::Place)) => {
                self.sideways(shell, 1);
                return Vec::new();
            }
            _ => {}
        }
        match self.form.press(key, &FIELDS, self.typing()) {
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
            Some(Focus::Place) => {
                self.env = !self.env;
                self.offer(shell);
            }
            _ => return,
        }
        self.edited();
    }

    fn send(&mut self, shell: &mut Shell) -> Vec<Effect> {
        self.checked = true;
        let wrong = [
            (self.chosen_expiry(shell).is_err(), Focus::Expiry),
            (self.place().is_none(), Focus::Path),
            (!self.counted(), Focus::Count),
        ];
        if let Some((_, focus)) = wrong.into_iter().find(|(wrong, _)| *wrong) {
            self.form.go_to(focus);
            return Vec::new();
        }
        self.send_wish(shell)
    }

    /// When the new keys expire, as far as it was tried.
    fn ends(&self, shell: &Shell) -> String {
        let ends = || self.tried.iter().map(|one| one.new.expires_at);
        let never = ends().filter(Option::is_none).count();
        let first = ends().flatten().min().map(|at| times::exact(at, shell.utc));
        match (self.tried.len(), never, first) {
            (0, ..) => {
                "Empty: each new key lives as long as the one that it replaces, as far as the policy allows."
                    .into()
            }
            (_, _, None) => "The new keys never expire.".into(),
            (_, 0, Some(first)) => format!("The new keys expire from {first} on."),
            (_, never, Some(first)) => {
                format!(
                    "{} of the new keys never expire, the others from {first} on.",
                    thousands(never as u64)
                )
            }
        }
    }

    fn done(&self, shell: &mut Shell, rotated: &[Rotated]) {
        shell.close();
        shell.changed(Subjects::of(audit::Action::KeyRotate));
        let number = thousands(rotated.len() as u64);
        let place = rotated.first().map(|one| match self.env {
            true => one.file.display().to_string(),
            false => one.file.parent().unwrap_or(&one.file).display().to_string(),
        });
        let until = rotated.iter().filter_map(|one| one.old.ends_at()).max();
        let mut parts = vec![
            Part::Words(format!(
                "{number} keys are rotated. The new secrets are in this place and nowhere else:"
            )),
            Part::Space,
            Part::Fact(if self.env { "File" } else { "Folder" }, place.unwrap_or_default()),
            Part::Fact("Mode", "0600: only you can read it".into()),
        ];
        if let Some(until) = until.filter(|until| *until > shell.now) {
            parts.push(Part::Fact("Old keys", format!("work until {}", times::exact(until, shell.utc))));
        } else {
            parts.push(Part::Fact("Old keys", "are revoked".into()));
        }
        parts.push(Part::Space);
        parts.push(Part::Heading("New keys".into()));
        for one in rotated {
            parts.push(Part::Words(format!("{}  {}  {}", one.new.preview, one.new.name, one.new.account)));
        }
        parts.push(Part::Space);
        let key = shell.keymap.key(Action::ScreenRotations);
        parts.push(Part::Words(format!("Screen {key} shows who still uses the old keys.")));
        shell.open(Opening::Reader { title: format!("{number} keys rotated"), parts, about: None });
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
            shown: self.shown.clone(),
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
            Input::Key(key) => self.press(shell, key),
            _ => Vec::new(),
        }
    }

    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        let settled = self.wish.settle(shell, id, reply, Reply::try_as_rotate_many);
        if let Some(Ok(rotated)) = settled {
            self.done(shell, &rotated);
        }
        Vec::new()
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let styles = &shell.styles;
        let mut sheet = Sheet::new(styles, area, 76, 9);
        let names = if self.ids.len() > NAMES { 0 } else { self.known.len() };
        for key in self.known.iter().take(names) {
            sheet.words(Role::Text, &format!("{}  {}  {}", key.preview, key.name, key.account));
        }
        if !self.states.is_empty() {
            sheet.words(Role::Text, &self.states);
        }
        sheet.words(
            Role::Muted,
            "The new secrets are written first, mode 0600; then all keys are rotated, or none.",
        );
        sheet.space();
        let choices: Vec<&str> = Overlap::ALL.iter().map(|overlap| words(*overlap)).collect();
        let lines = choice::lines(
            styles,
            &choices,
            self.overlap,
            self.form.on(Focus::Overlap),
            sheet.field_columns(),
        );
        sheet.lines("Overlap", lines, self.form.on(Focus::Overlap).then_some(0));
        let fields = [Field::Overlap, Field::Expiry, Field::Place];
        sheet.error(self.wish.refusal(Field::Overlap).map(|text| text.as_str()));
        let wrong = self.chosen_expiry(shell).err().filter(|_| self.checked || !self.form.on(Focus::Expiry));
        let refused = self.wish.refusal(Field::Expiry).map(|text| text.to_string());
        let error = wrong.or(refused);
        let hint = "as now; or 90d, 1y, never, 2027-01-31";
        sheet.text("Expires", &self.expiry, self.form.on(Focus::Expiry), hint, error.as_deref());
        sheet.note(Role::Muted, &self.ends(shell));
        let place = usize::from(self.env);
        let lines = choice::lines(styles, &PLACES, place, self.form.on(Focus::Place), sheet.field_columns());
        sheet.lines("Secrets", lines, self.form.on(Focus::Place).then_some(0));
        let error = self.wish.refusal(Field::Place).map(|text| text.to_string());
        let error = error.or((self.checked && self.place().is_none()).then(|| "name a place".into()));
        let label = if self.env { "File" } else { "Folder" };
        sheet.text(label, &self.path, self.form.on(Focus::Path), "a new one", error.as_deref());
        let placeholder = format!("type {} to confirm", self.ids.len());
        let error = (self.checked && !self.counted()).then_some(placeholder.as_str());
        sheet.text("How many", &self.count, self.form.on(Focus::Count), &placeholder, error);
        sheet.failure(self.wish.failure_besides(&fields));
        sheet.space();
        if self.wish.under_way() {
            sheet.line(Line::styled("writing the secrets, then rotating…", styles.of(Role::Info)), true);
        } else {
            let go = format!("Rotate {} keys", thousands(self.ids.len() as u64));
            sheet.line(self.form.line(styles, Button::new(&go), "Cancel"), self.form.on_button());
        }
        let title = format!("Rotate {} keys", thousands(self.ids.len() as u64));
        sheet.draw(frame, &title, Role::DialogBorder);
    }
}
