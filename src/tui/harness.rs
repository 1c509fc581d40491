//! A person before the console, for tests: presses keys, reads the screen. The worker is replaced by a table of keys in
//! memory; nothing else is.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::Size;
use ratatui::style::Style;

use super::effect::{Effect, Reply, Request, RequestId};
use super::message::{Message, Pasted};
use super::state::State;
use super::styles::Styles;
use super::testing::account;
use super::update::{opened, update};
use super::view::view;
use crate::config::keymap::Keymap;
use crate::config::theme::Theme;
use crate::domain::Instant;
use crate::domain::issuer::{Issuer, policy_file};
use crate::domain::key::{Key, KeyId};
use crate::domain::operator::{Identity, Role};
use crate::domain::query::{Cursor, CursorValue, Direction, Query, Test};
use crate::domain::usage::{Counts, Minute, minute};
use crate::service::{Count, From, Outbox, Page, PageRequest, Receipt, Row, Whoami};

/// The time of all these tests: 2026-11-21 12:00 UTC.
pub fn noon() -> Instant {
    chrono::DateTime::from_timestamp(1_795_262_400, 0).expect("a valid instant")
}

/// The console and what is in its database.
pub struct Console {
    pub state: State,
    /// The table, newest first.
    pub keys: Vec<Key>,
    pub role: Option<Role>,
    pub issuers: Vec<Issuer>,
    /// What was asked for and not answered yet.
    pub asked: Vec<(RequestId, Request)>,
    /// Other effects, in their order.
    pub effects: Vec<Effect>,
    terminal: Terminal<TestBackend>,
}

impl Console {
    /// An open console whose requests have not been answered yet.
    pub fn new(width: u16, height: u16, keys: Vec<Key>) -> Self {
        let theme = Theme::load("dark", None).expect("a theme of the program");
        let size = Size { width, height };
        let mut state = State::new(noon(), size, Styles::new(&theme), Keymap::default(), [7; 32]);
        state.shell.utc = true;
        let effects = opened(&mut state, "keys.db".into());
        let terminal = Terminal::new(TestBackend::new(width, height)).expect("a test's terminal");
        let mut console = Self {
            state,
            keys,
            role: Some(Role::Operator),
            issuers: issuers(&["voxpria"]),
            asked: Vec::new(),
            effects: Vec::new(),
            terminal,
        };
        console.take(effects);
        console
    }

    /// An open console that has read everything it wants.
    pub fn ready(width: u16, height: u16, keys: Vec<Key>) -> Self {
        let mut console = Self::new(width, height, keys);
        console.settle();
        console
    }

    pub fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Ask { to, request } => self.asked.push((to, request)),
                other => self.effects.push(other),
            }
        }
    }

    pub fn send(&mut self, message: Message) {
        let effects = update(&mut self.state, message);
        self.take(effects);
    }

    /// Presses keys: names of keys in the notation of the key file, separated by blanks; `"…"` types what is inside.
    pub fn press(&mut self, keys: &str) -> &mut Self {
        let mut typing = false;
        for piece in keys.split('"') {
            if typing {
                for c in piece.chars() {
                    self.key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE), false);
                }
            } else {
                for name in piece.split_whitespace() {
                    self.key(key_named(name), false);
                }
            }
            typing = !typing;
        }
        self.settle();
        self
    }

    pub fn key(&mut self, key: KeyEvent, hurried: bool) {
        self.send(Message::Key { key, hurried });
    }

    pub fn paste(&mut self, text: &str) -> &mut Self {
        self.send(Message::Paste(Pasted::new(text.to_owned())));
        self.settle();
        self
    }

    /// Answers everything that the table in memory can answer.
    pub fn settle(&mut self) {
        let mut left = Vec::new();
        while !self.asked.is_empty() {
            left.extend(self.settle_once());
        }
        self.asked = left;
    }

    /// Answers the request that came first; gives it back if it can't be answered.
    pub fn settle_once(&mut self) -> Option<(RequestId, Request)> {
        let (to, request) = self.asked.remove(0);
        match self.answer(&request) {
            Some(reply) => {
                self.send(Message::Reply { to, reply });
                None
            }
            None => Some((to, request)),
        }
    }

    fn answer(&self, request: &Request) -> Option<Reply> {
        Some(match request {
            Request::Whoami => Reply::Whoami(Ok(Whoami {
                identity: Identity { name: "ada".into(), host: "desk".into(), client: None },
                role: self.role,
            })),
            Request::Issuers => Reply::Issuers(Ok(self.issuers.clone())),
            Request::Page(request) => Reply::Page(Ok(self.page(request))),
            Request::Count(query) => Reply::Count(Ok(Count::Exactly(self.fitting(query).len() as u64))),
            Request::Trail(_) => Reply::Trail(Ok(Vec::new())),
            Request::Post => Reply::Post(Ok("the folder mail".into())),
            Request::Receipt { .. } => {
                Reply::Receipt(Ok(Receipt { seq: 1, at: self.state.shell.now, gates: Vec::new() }))
            }
            Request::Outbox => Reply::Outbox(Ok(Outbox::default())),
            Request::OpenAlerts => Reply::OpenAlerts(Ok(0)),
            Request::Alerts(_) => Reply::Alerts(Ok(Vec::new())),
            Request::Gates => Reply::Gates(Ok(Vec::new())),
            Request::Usage { keys, .. } => {
                let used = keys.iter().map(|key| (*key, self.used(*key)));
                let outcome = Ok(used.filter(|(_, past)| !past.is_empty()).collect());
                Reply::Usage { keys: keys.clone(), outcome }
            }
            Request::Account(slug) => Reply::Account(Ok(account("voxpria", slug))),
            Request::Sweeps(_) => Reply::Sweeps(Ok(Vec::new())),
            Request::Reminders(_) => Reply::Reminders(Ok(Vec::new())),
            _ => return None,
        })
    }

    /// Every third key was used: more and more in the last half of the day, but for one quiet hour.
    fn used(&self, key: KeyId) -> Vec<Minute> {
        let number = key.as_u128() as u64 % 0x1_0000;
        if !number.is_multiple_of(3) {
            return Vec::new();
        }
        let now = minute(self.state.shell.now);
        let hours = (0..12).filter(|hour| *hour != 4);
        let counts = |hour: u64| Counts { allowed: (12 - hour) * 10, refused: hour, limited: 1 };
        hours.map(|hour| Minute { minute: now - hour as i64 * 60, counts: counts(hour) }).collect()
    }

    fn fitting(&self, query: &Query) -> Vec<&Key> {
        let fits = |key: &Key| {
            query.terms.iter().all(|term| match &term.test {
                Test::Text(text) => key.name.to_lowercase().contains(text.as_str()),
                Test::Status(statuses) => statuses.contains(&key.status(self.state.shell.now)),
                Test::Account(accounts) => accounts.contains(&key.account),
                _ => true,
            })
        };
        self.keys.iter().filter(|key| fits(key)).collect()
    }

    /// A page in the order of creation; other orders are the store's business.
    fn page(&self, request: &PageRequest) -> Page {
        let mut all = self.fitting(&request.query);
        if request.sort.direction == Direction::Ascending {
            all.reverse();
        }
        let place = |cursor: &Cursor| all.iter().position(|key| key.id == cursor.id);
        let limit = request.limit as usize;
        let (from, to) = match &request.from {
            From::Start => (0, limit),
            From::End => (all.len().saturating_sub(limit), all.len()),
            From::After(cursor) => place(cursor).map_or((0, 0), |at| (at + 1, at + 1 + limit)),
            From::At(cursor) => place(cursor).map_or((0, limit), |at| (at, at + limit)),
            From::Before(cursor) => place(cursor).map_or((0, 0), |at| (at.saturating_sub(limit), at)),
        };
        let to = to.min(all.len());
        let row = |key: &&Key| Row {
            key: (*key).clone(),
            cursor: Cursor { value: CursorValue::Instant(key.created_at), id: key.id },
        };
        Page {
            rows: all[from.min(to)..to].iter().map(row).collect(),
            more_before: from > 0,
            more_after: to < all.len(),
            now: self.state.shell.now,
        }
    }

    /// What the screen shows, as text.
    pub fn screen(&mut self) -> String {
        let state = &self.state;
        self.terminal.draw(|frame| view(state, frame)).expect("a test's terminal");
        let buffer = self.terminal.backend().buffer();
        let mut text = String::new();
        for y in 0..buffer.area.height {
            let mut line = String::new();
            let mut x = 0;
            while x < buffer.area.width {
                let symbol = buffer[(x, y)].symbol();
                line.push_str(symbol);
                x += u16::try_from(unicode_width::UnicodeWidthStr::width(symbol)).unwrap_or(1).max(1);
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// How the first place is drawn where the screen shows `text`.
    pub fn style_of(&mut self, text: &str) -> Style {
        let screen = self.screen();
        for (y, line) in screen.lines().enumerate() {
            if let Some(at) = line.find(text) {
                let x = unicode_width::UnicodeWidthStr::width(&line[..at]);
                return self.terminal.backend().buffer()[(x as u16, y as u16)].style();
            }
        }
        panic!("the screen does not show {text:?}:\n{screen}");
    }

    pub fn cursor(&mut self) -> (u16, u16) {
        self.screen();
        let position = self.terminal.get_cursor_position().expect("a test's terminal");
        (position.x, position.y)
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

    /// The line of the selected row.
    #[track_caller]
    pub fn selected_line(&mut self) -> String {
        let screen = self.screen();
        let line = screen.lines().find(|line| line.starts_with('▌'));
        line.unwrap_or_else(|| panic!("no row is selected:\n{screen}")).to_owned()
    }
}

/// The key of a name such as `j`, `enter`, `ctrl-a`, `pagedown`.
fn key_named(name: &str) -> KeyEvent {
    let (modifiers, name) = match name.strip_prefix("ctrl-") {
        Some(rest) => (KeyModifiers::CONTROL, rest),
        None => (KeyModifiers::NONE, name),
    };
    let code = match name {
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "tab" => KeyCode::Tab,
        "space" => KeyCode::Char(' '),
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        "pageup" => KeyCode::PageUp,
        "pagedown" => KeyCode::PageDown,
        "home" => KeyCode::Home,
        "end" => KeyCode::End,
        "backspace" => KeyCode::Backspace,
        _ => {
            let mut chars = name.chars();
            match (chars.next(), chars.next()) {
                (Some(c), None) => KeyCode::Char(c),
                _ => panic!("no key is called {name:?}"),
            }
        }
    };
    KeyEvent::new(code, modifiers)
}

/// Issuers with the program's own policies.
pub fn issuers(slugs: &[&str]) -> Vec<Issuer> {
    let issuer = |slug: &&str| Issuer {
        slug: (*slug).to_owned(),
        policy: policy_file::preset(slug).expect("a preset"),
        version: 1,
        updated_at: noon(),
    };
    slugs.iter().map(issuer).collect()
}

/// The key number `n`: the higher, the older.
pub fn key(n: u32) -> Key {
    let created = noon() - chrono::Duration::hours(i64::from(n) + 1);
    let tail = format!("{n:04}");
    Key {
        id: key_id(n),
        account: ["acme", "globex", "initech"][n as usize % 3].into(),
        issuer: "voxpria".into(),
        name: format!("Key {n}").into(),
        description: format!("What key {n} is for").into(),
        preview: crate::domain::secret::preview("vx_", &tail).into(),
        scopes: crate::domain::scope::Scopes::parse("calls:read calls:write contacts:read"),
        allow: Default::default(),
        created_at: created,
        created_by: "grace".into(),
        expires_at: (!n.is_multiple_of(4)).then(|| noon() + chrono::Duration::days(i64::from(n) * 3 + 2)),
        acknowledged_at: Some(created),
        last_used_at: n.is_multiple_of(2).then(|| noon() - chrono::Duration::minutes(i64::from(n) * 7 + 3)),
        last_used_from: None,
        last_used_endpoint: None,
        limits: Default::default(),
        revoked_at: None,
        revoked_by: None,
        revoke_reason: None,
        predecessor: None,
        successor: None,
        successor_ends_at: None,
        rotation_due_at: Some(created + chrono::Duration::days(90)),
    }
}

pub fn key_id(n: u32) -> KeyId {
    uuid::Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0000 + u128::from(n))
}

/// The keys `0..n`, newest first.
pub fn keys(n: u32) -> Vec<Key> {
    (0..n).map(key).collect()
}
