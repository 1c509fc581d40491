//! A console without a terminal, for tests: keys go in, effects and pictures come out.

use chrono::Duration;
use crokey::{KeyCombination, OneToThree};
use crossterm::event::{KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::Size;

use super::effect::{Effect, Reply, Request, RequestId};
use super::message::{Message, Pasted};
use super::overlays::Overlay;
use super::state::State;
use super::styles::Styles;
use super::update::{opened, update};
use super::view::view;
use crate::config::keymap::Keymap;
use crate::config::theme::Theme;
use crate::domain::Instant;
use crate::domain::account::{Account, AccountSummary, Standing};
use crate::domain::issuer::Issuer;
use crate::domain::issuer::policy_file::all_presets;
use crate::domain::key::{Key, KeyId};
use crate::domain::network::Networks;
use crate::domain::operator::{Identity, Role};
use crate::domain::scope::Scopes;
use crate::domain::secret::PlainKey;
use crate::service::{Created, Whoami};

pub mod reminders;

/// The instant at which tests begin: 2026-11-21 12:00:00 UTC.
pub fn noon() -> Instant {
    chrono::DateTime::from_timestamp(1_795_262_400, 0).unwrap()
}

/// A console whose database has answered: an admin, and the four presets as issuers.
pub struct Desk {
    pub state: State,
    size: Size,
}

impl Default for Desk {
    fn default() -> Self {
        Self::sized(80, 24)
    }
}

impl Desk {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn sized(width: u16, height: u16) -> Self {
        let size = Size { width, height };
        let styles = Styles::new(&Theme::load("dark", None).unwrap());
        let mut state = State::new(noon(), size, styles, Keymap::default(), [7; 32]);
        state.shell.utc = true;
        let _ = opened(&mut state, "test.db".into());
        state.shell.outboxes = super::latest::Latest::default();
        state.shell.alert_counts = super::latest::Latest::default();
        let mut desk = Self { state, size };
        desk.role(Role::Admin);
        desk.state.shell.issuers = Some(
            all_presets()
                .into_iter()
                .map(|policy| Issuer { slug: policy.slug.clone(), policy, version: 1, updated_at: noon() })
                .collect(),
        );
        desk
    }

    pub fn role(&mut self, role: Role) {
        let identity = Identity { name: "ada".into(), host: "desk".into(), client: None };
        self.state.shell.who = Some(Whoami { identity, role: Some(role) });
    }

    /// Lets time pass.
    pub fn wait(&mut self, by: Duration) {
        self.state.shell.now += by;
    }

    /// Presses keys, in the notation of the key bindings, with a person's pauses between them. The effects of all of them.
    pub fn press(&mut self, keys: &str) -> Vec<Effect> {
        keys.split(' ').flat_map(|key| self.key(key, false)).collect()
    }

    /// Like [`Self::press`], but faster than a person types.
    pub fn hurry(&mut self, keys: &str) -> Vec<Effect> {
        keys.split(' ').flat_map(|key| self.key(key, true)).collect()
    }

    fn key(&mut self, key: &str, hurried: bool) -> Vec<Effect> {
        let event = event(key);
        update(&mut self.state, Message::Key { key: event, hurried })
    }

    /// Types a text, character by character.
    pub fn write(&mut self, text: &str) -> Vec<Effect> {
        text.chars()
            .flat_map(|c| {
                let key = KeyEvent::new(crossterm::event::KeyCode::Char(c), KeyModifiers::NONE);
                update(&mut self.state, Message::Key { key, hurried: false })
            })
            .collect()
    }

    pub fn paste(&mut self, text: &str) -> Vec<Effect> {
        update(&mut self.state, Message::Paste(Pasted::new(text.to_owned())))
    }

    pub fn reply(&mut self, to: RequestId, reply: Reply) -> Vec<Effect> {
        update(&mut self.state, Message::Reply { to, reply })
    }

    /// Opens an overlay by its function.
    pub fn open(&mut self, open: impl FnOnce(&mut super::state::Shell) -> Vec<Effect>) -> Vec<Effect> {
        let mut effects = open(&mut self.state.shell);
        // Any message lets the shell carry out what was asked of it.
        effects.extend(update(&mut self.state, Message::Timer(super::effect::Timer::Clock)));
        effects
    }

    pub fn top(&self) -> Option<&Overlay> {
        self.state.overlays.last().map(|opened| &opened.overlay)
    }

    pub fn toast(&self) -> &str {
        self.state.shell.toast.as_ref().map_or("", |toast| toast.text.as_str())
    }

    /// The picture as text, one line for each row, without the spaces at their ends.
    pub fn screen(&self) -> String {
        let mut terminal = Terminal::new(TestBackend::new(self.size.width, self.size.height)).unwrap();
        terminal.draw(|frame| view(&self.state, frame)).unwrap();
        let buffer = terminal.backend().buffer().clone();
        let mut text = String::new();
        for y in 0..self.size.height {
            let row: String = (0..self.size.width).map(|x| buffer[(x, y)].symbol()).collect();
            text.push_str(row.trim_end());
            text.push('\n');
        }
        text
    }

    /// The picture's words with every run of white space and border as one space: for looking for sentences.
    pub fn words(&self) -> String {
        let text = self.screen().replace(['│', '╭', '╮', '╰', '╯', '─'], " ");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

fn event(key: &str) -> KeyEvent {
    let mut chars = key.chars();
    if let (Some(c), None) = (chars.next(), chars.next()) {
        return KeyEvent::new(crossterm::event::KeyCode::Char(c), KeyModifiers::NONE);
    }
    let combination: KeyCombination = crokey::parse(key).unwrap();
    let OneToThree::One(code) = combination.codes else { panic!("{key} is no single key") };
    KeyEvent::new(code, combination.modifiers)
}

/// The one request that the effects are, and nothing else.
#[track_caller]
pub fn only_request(effects: Vec<Effect>) -> (RequestId, Request) {
    let [Effect::Ask { to, request }] =
        <[Effect; 1]>::try_from(effects).unwrap_or_else(|effects| panic!("not one request: {effects:#?}"))
    else {
        panic!("no request")
    };
    (to, request)
}

/// A key of the issuer `issuer`, made an hour before [`noon`] and acknowledged.
pub fn key(issuer: &str, name: &str) -> Key {
    let made = noon() - Duration::hours(1);
    let digits = name.bytes().fold(0u128, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    let prefix = all_presets().into_iter().find(|policy| policy.slug == issuer).unwrap().format.prefix;
    Key {
        id: KeyId::from_u128(0x0192_d4e0_7b6a_7c3e_8f00_0000_0000_0000 + digits),
        account: "acme".into(),
        issuer: issuer.into(),
        name: name.into(),
        description: "".into(),
        preview: crate::domain::secret::preview(&prefix, "a1B2").into(),
        scopes: Scopes::default(),
        allow: Networks::default(),
        created_at: made,
        created_by: "ada".into(),
        expires_at: None,
        acknowledged_at: Some(made),
        last_used_at: None,
        last_used_from: None,
        last_used_endpoint: None,
        limits: Default::default(),
        revoked_at: None,
        revoked_by: None,
        revoke_reason: None,
        predecessor: None,
        successor: None,
        successor_ends_at: None,
        rotation_due_at: None,
    }
}

/// A key just made, with its secret.
pub fn created(issuer: &str, name: &str) -> Created {
    let policy = all_presets().into_iter().find(|policy| policy.slug == issuer).unwrap();
    let secret = PlainKey::make(&policy.format.prefix, policy.format.body, &[0xa5; 32]);
    let key = Key { created_at: noon(), acknowledged_at: None, ..key(issuer, name) };
    Created { key, secret, check: policy.check_command() }
}

pub fn account(issuer: &str, slug: &str) -> AccountSummary {
    AccountSummary {
        account: Account {
            slug: slug.into(),
            issuer: issuer.into(),
            name: "Acme Telephony".into(),
            admins: vec!["ada@example.com".into()],
            plan: None,
            standing: Standing::Good,
            created_at: noon(),
        },
        active_keys: 3,
        expiring_keys: 1,
    }
}
