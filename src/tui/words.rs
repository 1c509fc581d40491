//! Plain data that every floor of the console shares: the lowest of them, which knows of no other.

use zeroize::Zeroizing;

use crate::config::keymap::{Action, Context};
use crate::config::theme::Role;
use crate::domain::operator::{self, Permission};
use crate::domain::text::SafeText;
use crate::signals;

/// Why the console ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExitReason {
    /// The person left.
    Quit,
    /// Ctrl-C or SIGINT.
    Interrupted,
    /// SIGTERM.
    Terminated,
    /// Another signal, by which the program ends.
    Killed(i32),
    /// SIGHUP, or the terminal is gone.
    Hangup,
    /// The person left before a change was answered.
    Unanswered,
    /// The terminal could not be read; the reason in words.
    Broken(String),
}

impl ExitReason {
    /// The exit code of the program; for a signal as shells count it.
    pub fn code(&self) -> u8 {
        match self {
            Self::Quit => 0,
            Self::Broken(_) | Self::Unanswered => 1,
            Self::Hangup => 129,
            Self::Interrupted => 130,
            Self::Terminated => 143,
            Self::Killed(signal) => signals::code(*signal),
        }
    }
}

/// Names a screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ScreenId {
    #[default]
    Keys,
    Expiring,
    Reminders,
    Accounts,
    Audit,
    Issuers,
    Operators,
    Alerts,
    Hygiene,
    Rotations,
    Overview,
}

impl ScreenId {
    /// Each with its title, the action that shows it and the bindings of its list, in the order of their numbers and of `[` and `]`.
    const TABLE: [(Self, &'static str, Action, Context); 11] = [
        (Self::Keys, "Keys", Action::ScreenKeys, Context::Keys),
        (Self::Expiring, "Expiring", Action::ScreenExpiring, Context::Expiring),
        (Self::Reminders, "Reminders", Action::ScreenReminders, Context::Reminders),
        (Self::Accounts, "Accounts", Action::ScreenAccounts, Context::Accounts),
        (Self::Audit, "Audit", Action::ScreenAudit, Context::Audit),
        (Self::Issuers, "Issuers", Action::ScreenIssuers, Context::Issuers),
        (Self::Operators, "Operators", Action::ScreenOperators, Context::Operators),
        (Self::Alerts, "Alerts", Action::ScreenAlerts, Context::Alerts),
        (Self::Hygiene, "Hygiene", Action::ScreenHygiene, Context::Hygiene),
        (Self::Rotations, "Rotations", Action::ScreenRotations, Context::Rotations),
        (Self::Overview, "Overview", Action::ScreenOverview, Context::Overview),
    ];

    pub const ALL: [Self; Self::TABLE.len()] = {
        let mut all = [Self::Keys; Self::TABLE.len()];
        let mut at = 0;
        while at < all.len() {
            all[at] = Self::TABLE[at].0;
            at += 1;
        }
        all
    };

    /// Its place in [`Self::ALL`].
    pub fn place(self) -> usize {
        Self::ALL.iter().position(|screen| *screen == self).unwrap_or(0)
    }

    pub fn title(self) -> &'static str {
        Self::TABLE[self.place()].1
    }

    /// What shows it.
    pub fn action(self) -> Action {
        Self::TABLE[self.place()].2
    }

    /// Which bindings hold in its list.
    pub fn context(self) -> Context {
        Self::TABLE[self.place()].3
    }

    /// The screen that an action asks for.
    pub fn of(action: Action) -> Option<Self> {
        Self::TABLE.iter().find(|(_, _, asks, _)| *asks == action).map(|(screen, ..)| *screen)
    }

    /// The screen `step` places further, round and round.
    pub fn step(self, step: isize) -> Self {
        let count = Self::ALL.len() as isize;
        Self::ALL[(self.place() as isize + step).rem_euclid(count) as usize]
    }
}

/// How good or bad a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Info,
    Good,
    Warning,
    Bad,
}

impl Severity {
    /// What words of this severity look like.
    pub fn role(self) -> Role {
        match self {
            Self::Info => Role::Info,
            Self::Good => Role::Ok,
            Self::Warning => Role::Warning,
            Self::Bad => Role::Error,
        }
    }
}

/// What became of a copy, for the person to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Whether the text is, or most likely is, where a paste will find it.
    pub reached: bool,
    pub words: SafeText,
}

impl Copied {
    pub fn reached(words: impl Into<SafeText>) -> Self {
        Self { reached: true, words: words.into() }
    }

    pub fn failed(words: impl Into<SafeText>) -> Self {
        Self { reached: false, words: words.into() }
    }
}

/// `1 letter`, `12 letters`.
pub fn count(n: u64, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// Characters of a pasted line: more than a field holds.
const LINE: usize = 4_000;

/// Pasted text, wiped when dropped; `Debug` shows nothing of it.
#[derive(PartialEq, derive_more::Debug)]
#[debug("Pasted({} bytes)", _0.len())]
pub struct Pasted(Zeroizing<String>);

impl Pasted {
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text as it may stand in an input line: without control characters, line breaks as spaces, its beginning where it
    /// is longer than any field holds. Whoever pasted megabytes shall not wait for them.
    pub fn line(&self) -> Zeroizing<String> {
        let text = self.0.trim();
        let mut line = Zeroizing::new(String::with_capacity(text.len().min(LINE * char::MAX.len_utf8())));
        let shown = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !c.is_control());
        line.extend(shown.take(LINE));
        line
    }
}

/// Bytes for the terminal that may hold a secret: wiped when dropped, not shown by `Debug`.
#[derive(PartialEq, derive_more::Debug)]
#[debug("WipedBytes({})", _0.len())]
pub struct WipedBytes(pub Zeroizing<Vec<u8>>);

/// Why a role is not enough for something.
pub fn lacking(role: operator::Role, takes: Permission, what: &str) -> String {
    format!("{role}s can't {what}: ask an admin for the role {}", takes.needs())
}
