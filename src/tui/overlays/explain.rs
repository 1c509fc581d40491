//! Why a key is let in or refused: each step of the verdict in words (VA-10, VA-11). For a key of the table, without its
//! secret; or for what somebody pasted, which shows what is wrong with the text itself too.

use std::borrow::Cow;

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::config::keymap::{Action, Context};
use crate::domain::account::Account;
use crate::domain::explain::{Case, Explanation, explain};
use crate::domain::issuer::{Methods, Policy, RequestLine};
use crate::domain::key::{Key, KeyId};
use crate::domain::secret::SentKey;
use crate::domain::text::SafeText;
use crate::domain::verdict::{Ask, KeyFacts};
use crate::tui::effect::{Effect, Reply, Request, RequestId, To};
use crate::tui::form::{Form, Pressed};
use crate::tui::input::{self, Input};
use crate::tui::layer::{Layer, Opened};
use crate::tui::shell::Shell;
use crate::tui::typed::Typed;
use crate::tui::widgets::picker;
use crate::tui::widgets::text_field::TextField;

mod pasted;
#[cfg(test)]
mod tests;
mod view;

use pasted::{Pasted, SENT};

/// What is explained, and the request that is imagined.
#[derive(Debug)]
pub struct State {
    number: u64,
    /// What was pasted; `None` where a key's record is explained.
    pasted: Option<Pasted>,
    /// The key, once it is known.
    key: Option<Box<Key>>,
    account: Option<Account>,
    /// Method and path.
    line: TextField,
    address: TextField,
    form: Form<Focus>,
    asked: Option<RequestId>,
    failure: Option<SafeText>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Focus {
    Secret,
    Sent,
    Line,
    Address,
    /// The end of the steps, where they are longer than the screen.
    Steps,
}

/// Explains what a request with this key would meet now.
pub fn open(shell: &mut Shell, number: u64, key: Key) -> Opened {
    let mut state = State::new(number, None);
    let effects = state.found(shell, key);
    Opened::new(state, effects)
}

/// Like [`open`], for a key that has to be read first.
pub fn open_by_id(shell: &mut Shell, number: u64, key: KeyId) -> Opened {
    let mut state = State::new(number, None);
    let effects = state.ask(shell, Request::Key(key));
    Opened::new(state, effects)
}

/// Explains why something that somebody pastes is refused.
pub fn open_for_secret(shell: &mut Shell, number: u64) -> Opened {
    shell.toast = None;
    Opened::new(State::new(number, Some(Pasted::default())), Vec::new())
}

impl State {
    fn new(number: u64, pasted: Option<Pasted>) -> Self {
        let focus = if pasted.is_some() { Focus::Secret } else { Focus::Line };
        Self {
            number,
            pasted,
            key: None,
            account: None,
            line: TextField::default(),
            address: TextField::default(),
            form: Form::fields(focus),
            asked: None,
            failure: None,
        }
    }

    fn order(&self) -> &'static [Focus] {
        match self.pasted {
            Some(_) => &[Focus::Secret, Focus::Sent, Focus::Line, Focus::Address, Focus::Steps],
            None => &[Focus::Line, Focus::Address, Focus::Steps],
        }
    }

    fn press(&mut self, shell: &mut Shell, key: input::Key) -> Vec<Effect> {
        self.pasted.iter_mut().for_each(Pasted::touched);
        if matches!(key.action, Some(Action::Press | Action::Submit)) && self.form.on(Focus::Secret) {
            let Some(pasted) = self.pasted.as_mut().filter(|_| key.hurried) else {
                return self.read(shell, None);
            };
            return vec![pasted.end_line(self.number)];
        }
        // Nothing here changes anything: a key may be as fast as it likes.
        let key = input::Key { hurried: false, unread: false, ..key };
        match (self.form.press(key, self.order(), self.typing()), &mut self.pasted) {
            (Pressed::Close, _) => shell.close(),
            (Pressed::Sideways(by), Some(pasted)) if self.form.on(Focus::Sent) => {
                pasted.sent = picker::step(pasted.sent, by, SENT.len());
            }
            (Pressed::Text(event), Some(pasted)) if self.form.on(Focus::Secret) => pasted.key(event),
            (Pressed::Text(event), _) => {
                if let Some(field) = self.text_mut() {
                    field.key(event);
                }
            }
            _ => {}
        }
        Vec::new()
    }

    fn text_mut(&mut self) -> Option<&mut TextField> {
        match self.form.field()? {
            Focus::Line => Some(&mut self.line),
            Focus::Address => Some(&mut self.address),
            Focus::Secret | Focus::Sent | Focus::Steps => None,
        }
    }

    /// Looks at what was pasted. The secret leaves the field, for the search if there is something to search for.
    fn read(&mut self, shell: &mut Shell, given: Option<&str>) -> Vec<Effect> {
        let Some(pasted) = &mut self.pasted else { return Vec::new() };
        if self.asked.is_some() {
            return Vec::new();
        }
        self.key = None;
        self.account = None;
        self.failure = None;
        let given = given.map_or_else(|| pasted.take(), |text| SentKey::exact(text.as_bytes()));
        if given.expose().trim_ascii().is_empty() {
            return Vec::new();
        }
        let header = pasted.header();
        self.ask(shell, Request::Read(given, header))
    }

    fn ask(&mut self, shell: &mut Shell, request: Request) -> Vec<Effect> {
        let (id, effect) = shell.ask(To::Overlay(self.number), request);
        self.asked = Some(id);
        vec![effect]
    }

    /// The key is known: what is missing is its account. A request of its policy's first kind is imagined.
    fn found(&mut self, shell: &mut Shell, key: Key) -> Vec<Effect> {
        if self.line.is_empty()
            && let Some(issuer) = shell.issuer(&key.issuer)
        {
            self.line = TextField::with(&example(&issuer.policy));
        }
        if self.address.is_empty()
            && let Some(from) = &key.last_used_from
        {
            self.address = TextField::with(from);
        }
        let account = key.account.clone();
        self.key = Some(Box::new(key));
        self.ask(shell, Request::Account(account))
    }

    /// The method and path that are imagined, apart; `None` where none is.
    fn request_line(&self) -> Option<(&str, &str)> {
        let text = self.line.value().trim();
        let (method, path) = text.split_once(char::is_whitespace).unwrap_or(("GET", text));
        (!text.is_empty()).then(|| (method, path.trim_start()))
    }

    /// The address that is imagined, or what is wrong with it.
    fn address(&self) -> Result<Option<std::net::IpAddr>, String> {
        match self.address.value().trim() {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| "this isn't an IP address".into()),
        }
    }

    /// Every step, as far as it is known what to look at.
    fn told(&self, shell: &Shell) -> Option<Explanation> {
        if self.asked.is_some() || self.failure.is_some() {
            return None;
        }
        let facts = match (&self.key, &self.account) {
            (Some(key), Some(account)) => Some(KeyFacts { key, account, limits: &key.limits }),
            _ => None,
        };
        let address = self.address().ok().flatten();
        let ask = match self.request_line() {
            Some((method, path)) => Some(Ask::Line(RequestLine::read(method.as_bytes(), path.as_bytes()))),
            None => address.map(|_| Ask::Direct { scope: None, endpoint: None }),
        };
        let request = ask.map(|ask| crate::domain::verdict::Request { ask, address });
        let case = Case {
            reading: None,
            policy: None,
            facts,
            request: request.as_ref(),
            quota: None,
            lack: None,
            now: shell.now,
        };
        match &self.pasted {
            Some(pasted) => pasted.told(case),
            None => {
                let policy = self.key.as_ref().and_then(|key| shell.issuer(&key.issuer));
                facts?;
                Some(explain(&Case { policy: policy.map(|issuer| &issuer.policy), ..case }))
            }
        }
    }
}

impl Layer for State {
    fn searches(&self) -> bool {
        true
    }

    fn context(&self) -> Context {
        Context::Form
    }

    /// Nothing here changes anything.
    fn asks(&self) -> bool {
        false
    }

    fn answers(&self, _: Action) -> bool {
        false
    }

    fn typing(&self) -> bool {
        matches!(self.form.field(), Some(Focus::Secret | Focus::Line | Focus::Address))
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        match input {
            Input::Paste(text) => {
                if let Some(field) = self.text_mut() {
                    field.paste(&text.line());
                } else if let Some(pasted) = &mut self.pasted {
                    pasted.clear();
                    return self.read(shell, Some(text.as_str()));
                }
            }
            Input::Key(key) => return self.press(shell, key),
            Input::Scroll { lines, .. } => {
                self.form.go_to(if lines > 0 { Focus::Steps } else { self.order()[0] });
            }
            Input::Click(_) => {}
        }
        Vec::new()
    }

    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        if self.asked != Some(id) {
            return Vec::new();
        }
        self.asked = None;
        match reply {
            Reply::Key(Ok(key)) => return self.found(shell, *key),
            Reply::Read(Ok(mut reading)) => {
                let worth = reading.worth.take();
                if let Some(pasted) = &mut self.pasted {
                    pasted.was_told(reading, shell.issuers.as_deref().unwrap_or_default());
                }
                return worth.map_or_else(Vec::new, |given| self.ask(shell, Request::Find(given)));
            }
            Reply::Find(Ok(search)) if search.found.len() > 1 => {
                let count = search.found.len();
                let names: Vec<&str> = search.keys().map(|key| key.name.as_str()).collect();
                let words = format!("That holds {count} keys ({}). Paste one of them.", names.join(", "));
                self.failure = Some(words.into());
            }
            Reply::Find(Ok(search)) => {
                if let Some(found) = search.found.into_iter().next() {
                    return self.found(shell, found.key);
                }
            }
            Reply::Account(Ok(summary)) => self.account = Some(summary.account),
            Reply::Key(Err(failure))
            | Reply::Read(Err(failure))
            | Reply::Find(Err(failure))
            | Reply::Account(Err(failure)) => {
                self.failure = Some(failure.text);
            }
            _ => {}
        }
        Vec::new()
    }

    fn timer(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let entered = self.pasted.as_mut().is_some_and(Pasted::was_entered);
        if entered { self.read(shell, None) } else { Vec::new() }
    }

    fn label(&self, _: &Shell, action: Action, label: &'static str) -> Option<Cow<'static, str>> {
        match action {
            Action::Toggle | Action::Submit => None,
            Action::CloseForm => Some("close".into()),
            _ => Some(label.into()),
        }
    }

    fn typed(&self, _: &Shell) -> Option<Typed> {
        let typed = Typed::new("explain");
        Some(match &self.key {
            Some(key) if self.pasted.is_none() => typed.word(key.id.to_string()),
            _ => typed,
        })
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        self.paint(shell, frame, area);
    }
}

/// A request that the policy's first route fits.
fn example(policy: &Policy) -> String {
    let Some(route) = policy.routes.first() else { return String::new() };
    let method = match &route.methods {
        Methods::List(list) => list.first().map_or("GET", String::as_str),
        Methods::Any => "GET",
    };
    let segment = |segment: &str| match segment {
        name if name.starts_with('{') => "1".to_owned(),
        literal => literal.to_owned(),
    };
    let path: Vec<String> = route.path.split('/').filter(|part| *part != "**").map(segment).collect();
    let path = path.join("/");
    format!("{method} {}", if path.is_empty() { "/" } else { &path })
}
