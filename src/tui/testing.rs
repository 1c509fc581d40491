//! A person before the console, for tests: presses keys, reads the screen, and gets the effects of both. What the worker
//! does is done by the test itself, or by a [`Database`] in memory.

use std::any::Any;

use chrono::Duration;
use crokey::{KeyCombination, OneToThree};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Size};
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

use super::ahead::Ahead;
use super::effect::{Effect, Failure, FailureKind, Outcomes, Reply, Request, RequestId, Timer};
use super::layer::Layer;
use super::message::Message;
use super::opening::Opening;
use super::screen::Screen;
use super::screens::keys::State as Keys;
use super::state::State;
use super::styles::Styles;
use super::update::opened;
use super::view::view;
use super::words::{Pasted, ScreenId};
use crate::config::keymap::Keymap;
use crate::config::theme::Theme;
use crate::domain::issuer::Issuer;
use crate::domain::issuer::policy_file::all_presets;
use crate::domain::key::Key;
use crate::domain::operator::Role;
use crate::domain::subjects::Subjects;
use crate::service::{Found, LiveEvent, Search};

pub mod approvals;
mod asking;
mod database;
mod previews;
mod records;
pub mod reminders;

pub use crate::domain::examples::noon;
pub use asking::{asked, asks_nothing, only_request, only_requests};
pub use database::{Database, looked};
pub use records::{account, created, key, key_id, keys, numbered};

/// The console, and what answers it.
pub struct Desk {
    pub state: State,
    pub database: Database,
    /// What was asked for and not answered yet, of what was kept.
    pub asked: Vec<(RequestId, Request)>,
    /// Other effects that were kept, in their order.
    pub effects: Vec<Effect>,
    /// What was asked for a preview: not among the effects of what is done here.
    pub tried: Vec<(RequestId, Request)>,
    /// Keys follow each other after this time, the picture is drawn after each, and nobody pauses to read.
    pub haste: Option<Duration>,
}

impl Default for Desk {
    fn default() -> Self {
        Self::sized(80, 24)
    }
}

impl Desk {
    /// A console whose database has answered: an admin, and the four presets as issuers. The test answers all else.
    pub fn new() -> Self {
        Self::default()
    }

    pub fn sized(width: u16, height: u16) -> Self {
        let (mut desk, _) = Self::opened(width, height, Database::default(), "test.db");
        desk.state.standing = Default::default();
        desk.role(Role::Admin);
        desk.state.shell.issuers = Some(all_presets().into_iter().map(Issuer::with).collect());
        desk
    }

    /// An operator's console before these keys, whose first requests have not been answered yet.
    pub fn opening(width: u16, height: u16, keys: Vec<Key>) -> Self {
        let (mut desk, effects) = Self::opened(width, height, Database::of(keys), "keys.db");
        desk.keep(effects);
        desk
    }

    /// An operator's console before these keys, which has read everything it wants.
    pub fn ready(width: u16, height: u16, keys: Vec<Key>) -> Self {
        let mut desk = Self::opening(width, height, keys);
        desk.settle();
        desk
    }

    fn opened(width: u16, height: u16, database: Database, name: &str) -> (Self, Vec<Effect>) {
        let styles = Styles::new(&Theme::load("dark", None).unwrap());
        let mut state = State::new(noon(), Size { width, height }, styles, Keymap::default(), [7; 32]);
        state.shell.utc = true;
        let effects = opened(&mut state, name.into());
        state.ahead = Ahead::over();
        (
            Self { state, database, asked: Vec::new(), effects: Vec::new(), tried: Vec::new(), haste: None },
            effects,
        )
    }

    pub fn role(&mut self, role: Role) {
        self.state.shell.who = Some(records::whoami(Some(role)));
    }

    /// Lets time pass.
    pub fn wait(&mut self, by: Duration) {
        self.state.shell.now += by;
    }

    /// Presses keys, in the notation of the key bindings, with a person's pauses between them; `"…"` types what is inside.
    /// The effects of all of them.
    pub fn press(&mut self, keys: &str) -> Vec<Effect> {
        events(keys).into_iter().flat_map(|key| self.key(key, false)).collect()
    }

    /// Like [`Self::press`], but faster than a person types.
    pub fn hurry(&mut self, keys: &str) -> Vec<Effect> {
        events(keys).into_iter().flat_map(|key| self.key(key, true)).collect()
    }

    fn key(&mut self, key: KeyEvent, hurried: bool) -> Vec<Effect> {
        let Some(gap) = self.haste else {
            if !hurried {
                self.state.overlays.pause(&self.state.shell);
            }
            return self.update(Message::Key { key, hurried });
        };
        self.wait(gap);
        let effects = self.update(Message::Key { key, hurried });
        self.state.drawn(self.state.shell.now);
        effects
    }

    /// Types a text, character by character.
    pub fn write(&mut self, text: &str) -> Vec<Effect> {
        text.chars().flat_map(|c| self.key(typed(c), false)).collect()
    }

    pub fn paste(&mut self, text: &str) -> Vec<Effect> {
        self.update(Message::Paste(Pasted::new(text.to_owned())))
    }

    pub fn reply(&mut self, to: RequestId, reply: Reply) -> Vec<Effect> {
        self.update(Message::Reply { to, reply })
    }

    /// The worker answers that it was not done.
    pub fn fail<T>(
        &mut self,
        to: RequestId,
        reply: fn(Outcomes<T>) -> Reply,
        kind: FailureKind,
        text: &str,
    ) -> Vec<Effect> {
        self.reply(to, reply(Err(Failure { kind, text: text.into() })))
    }

    /// Opens an overlay.
    pub fn open(&mut self, opening: Opening) -> Vec<Effect> {
        self.with(|shell| shell.open(opening))
    }

    /// Presses keys and keeps the effects.
    pub fn strike(&mut self, keys: &str) -> &mut Self {
        let effects = self.press(keys);
        self.keep(effects)
    }

    /// Presses keys and lets the database answer.
    pub fn play(&mut self, keys: &str) -> &mut Self {
        self.strike(keys).settle()
    }

    /// Something happens, and its effects are kept.
    pub fn send(&mut self, message: Message) -> &mut Self {
        let effects = self.update(message);
        self.keep(effects);
        self
    }

    pub fn keep(&mut self, effects: Vec<Effect>) -> &mut Self {
        for effect in effects {
            match effect {
                Effect::Ask { to, request } => self.asked.push((to, request)),
                other => self.effects.push(other),
            }
        }
        self
    }

    /// Lets the database answer all that was kept and all that follows from it, as far as it can.
    pub fn settle(&mut self) -> &mut Self {
        let mut left = Vec::new();
        while !self.asked.is_empty() {
            left.extend(self.settle_once());
        }
        self.asked = left;
        self
    }

    /// Answers the request that came first; gives it back if it can't be answered.
    pub fn settle_once(&mut self) -> Option<(RequestId, Request)> {
        let (to, request) = self.asked.remove(0);
        match self.database.answer(&request, self.state.shell.now) {
            Some(reply) => {
                self.send(Message::Reply { to, reply });
                None
            }
            None => Some((to, request)),
        }
    }

    /// Something of these kinds changed in the database, which then answers what is asked.
    pub fn live(&mut self, touched: Subjects) -> &mut Self {
        self.send(Message::Live(LiveEvent::Changed(touched))).settle()
    }

    /// Lets the shell carry out what is asked of it here.
    pub fn with(&mut self, ask: impl FnOnce(&mut super::shell::Shell)) -> Vec<Effect> {
        ask(&mut self.state.shell);
        // Any message lets it.
        self.update(Message::Timer(Timer::Clock))
    }

    pub fn top(&self) -> Option<&dyn Layer> {
        self.state.overlays.top()
    }

    /// Whether the topmost overlay is one of this kind.
    pub fn shows<L: Layer>(&self) -> bool {
        self.top().is_some_and(|layer| (layer as &dyn std::any::Any).is::<L>())
    }

    /// The table of keys.
    pub fn keys(&self) -> &Keys {
        self.on()
    }

    /// What a screen knows.
    pub fn on<S: Screen>(&self) -> &S {
        let screens = ScreenId::ALL.map(|screen| self.state.screens.of(screen) as &dyn Any);
        screens.iter().find_map(|screen| screen.downcast_ref()).unwrap()
    }

    pub fn on_mut<S: Screen>(&mut self) -> &mut S {
        let is_it = |screen: &ScreenId| (self.state.screens.of(*screen) as &dyn Any).is::<S>();
        let screen = ScreenId::ALL.into_iter().find(is_it).unwrap();
        (self.state.screens.of_mut(screen) as &mut dyn Any).downcast_mut().unwrap()
    }

    pub fn toast(&self) -> &str {
        self.state.shell.toast.as_ref().map_or("", |toast| toast.text.as_str())
    }

    /// The picture, and where the cursor is in it.
    fn draw(&self) -> (Buffer, Position) {
        let Size { width, height } = self.state.shell.size;
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| view(&self.state, frame)).unwrap();
        let cursor = terminal.get_cursor_position().unwrap();
        (terminal.backend().buffer().clone(), cursor)
    }

    /// The picture as text, one line for each row, without the spaces at their ends.
    pub fn screen(&self) -> String {
        let (buffer, _) = self.draw();
        let mut text = String::new();
        for y in 0..buffer.area.height {
            let mut line = String::new();
            let mut x = 0;
            while x < buffer.area.width {
                let symbol = buffer[(x, y)].symbol();
                line.push_str(symbol);
                x += u16::try_from(symbol.width()).unwrap_or(1).max(1);
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// The picture's words with every run of white space and border as one space: for looking for sentences.
    pub fn words(&self) -> String {
        let text = self.screen().replace(['│', '╭', '╮', '╰', '╯', '─'], " ");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// How the first place is drawn where the screen shows `text`.
    #[track_caller]
    pub fn style_of(&self, text: &str) -> Style {
        let screen = self.screen();
        for (y, line) in screen.lines().enumerate() {
            if let Some(at) = line.find(text) {
                return self.draw().0[(line[..at].width() as u16, y as u16)].style();
            }
        }
        panic!("the screen does not show {text:?}:\n{screen}");
    }

    pub fn cursor(&self) -> (u16, u16) {
        let (_, Position { x, y }) = self.draw();
        (x, y)
    }

    #[track_caller]
    pub fn sees(&mut self, text: &str) -> &mut Self {
        let screen = self.screen();
        assert!(screen.contains(text), "the screen does not show {text:?}:\n{screen}");
        self
    }

    #[track_caller]
    pub fn sees_not(&mut self, text: &str) -> &mut Self {
        let screen = self.screen();
        assert!(!screen.contains(text), "the screen shows {text:?}:\n{screen}");
        self
    }

    /// Like [`Self::sees`], of a sentence that may be broken over lines.
    #[track_caller]
    pub fn says(&mut self, text: &str) -> &mut Self {
        assert!(self.words().contains(text), "the screen does not say {text:?}:\n{}", self.screen());
        self
    }

    #[track_caller]
    pub fn says_not(&mut self, text: &str) -> &mut Self {
        assert!(!self.words().contains(text), "the screen says {text:?}:\n{}", self.screen());
        self
    }

    /// The last line's message has this in it.
    #[track_caller]
    pub fn told(&mut self, text: &str) -> &mut Self {
        assert!(self.toast().contains(text), "{text:?} is not told: {:?}", self.toast());
        self
    }

    /// The selected row has this in it.
    #[track_caller]
    pub fn selects(&mut self, text: &str) -> &mut Self {
        let line = self.selected_line();
        assert!(line.contains(text), "{text:?} is not in the selected row: {line}");
        self
    }

    /// No overlay is open.
    #[track_caller]
    pub fn closed(&mut self) -> &mut Self {
        assert!(self.top().is_none(), "something is open:\n{}", self.screen());
        self
    }

    /// The line of the selected row.
    #[track_caller]
    pub fn selected_line(&self) -> String {
        let screen = self.screen();
        let line = screen.lines().find(|line| line.starts_with('▌'));
        line.unwrap_or_else(|| panic!("no row is selected:\n{screen}")).to_owned()
    }
}

fn typed(c: char) -> KeyEvent {
    KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)
}

/// Names of keys, separated by blanks; `"…"` types what is inside.
fn events(keys: &str) -> Vec<KeyEvent> {
    let pieces = keys.split('"').enumerate();
    pieces
        .flat_map(|(at, piece)| match at % 2 {
            0 => piece.split_whitespace().map(event).collect::<Vec<_>>(),
            _ => piece.chars().map(typed).collect(),
        })
        .collect()
}

fn event(key: &str) -> KeyEvent {
    let mut chars = key.chars();
    if let (Some(c), None) = (chars.next(), chars.next()) {
        return typed(c);
    }
    let combination: KeyCombination = crokey::parse(key).unwrap();
    let OneToThree::One(code) = combination.codes else { panic!("{key} is no single key") };
    KeyEvent::new(code, combination.modifiers)
}

/// The answer to a search that these keys fit.
pub fn search_found(keys: Vec<Key>) -> Search {
    let found = keys.into_iter().map(|key| Found { key, admins: vec!["it@acme.example".into()] }).collect();
    Search { found, ..Search::default() }
}
