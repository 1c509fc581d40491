//! Plain data that every floor of the console shares: the lowest of them, which knows of no other.

use std::fmt;

use zeroize::Zeroizing;

use crate::config::keymap::Action;
use crate::config::theme::Role;
use crate::domain::text::SafeText;

/// Why the console ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExitReason {
    /// The person left.
    Quit,
    /// Ctrl-C or SIGINT.
    Interrupted,
    /// SIGTERM.
    Terminated,
    /// SIGHUP, or the terminal is gone.
    Hangup,
    /// The terminal could not be read; the reason in words.
    Broken(String),
}

impl ExitReason {
    /// The exit code of the program; for a signal as shells count it.
    pub fn code(&self) -> u8 {
        match self {
            Self::Quit => 0,
            Self::Broken(_) => 1,
            Self::Hangup => 129,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }
}

/// Names a screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScreenId {
    Keys,
    Expiring,
    Reminders,
    Accounts,
    Audit,
    Issuers,
    Operators,
    Alerts,
}

impl ScreenId {
    /// In the order of their numbers and of `[` and `]`.
    pub const ALL: [Self; 8] = [
        Self::Keys,
        Self::Expiring,
        Self::Reminders,
        Self::Accounts,
        Self::Audit,
        Self::Issuers,
        Self::Operators,
        Self::Alerts,
    ];

    pub fn title(self) -> &'static str {
        match self {
            Self::Keys => "Keys",
            Self::Expiring => "Expiring",
            Self::Reminders => "Reminders",
            Self::Accounts => "Accounts",
            Self::Audit => "Audit",
            Self::Issuers => "Issuers",
            Self::Operators => "Operators",
            Self::Alerts => "Alerts",
        }
    }

    /// The screen that an action asks for.
    pub fn of(action: Action) -> Option<Self> {
        match action {
            Action::ScreenKeys => Some(Self::Keys),
            Action::ScreenExpiring => Some(Self::Expiring),
            Action::ScreenReminders => Some(Self::Reminders),
            Action::ScreenAccounts => Some(Self::Accounts),
            Action::ScreenAudit => Some(Self::Audit),
            Action::ScreenIssuers => Some(Self::Issuers),
            Action::ScreenOperators => Some(Self::Operators),
            Action::ScreenAlerts => Some(Self::Alerts),
            _ => None,
        }
    }

    /// The screen `step` places further, round and round.
    pub fn step(self, step: isize) -> Self {
        let count = Self::ALL.len() as isize;
        let at = Self::ALL.iter().position(|screen| *screen == self).unwrap_or(0) as isize;
        Self::ALL[(at + step).rem_euclid(count) as usize]
    }
}

/// How good or bad a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// Pasted text, wiped when dropped; `Debug` shows nothing of it.
pub struct Pasted(Zeroizing<String>);

impl Pasted {
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text as it may stand in an input line: without control characters, line breaks as spaces.
    pub fn line(&self) -> Zeroizing<String> {
        let mut line = Zeroizing::new(String::with_capacity(self.0.len()));
        let text = self.0.trim();
        line.extend(
            text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !c.is_control()),
        );
        line
    }
}

impl PartialEq for Pasted {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl fmt::Debug for Pasted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pasted({} bytes)", self.0.len())
    }
}

/// Bytes for the terminal that may hold a secret: wiped when dropped, not shown by `Debug`.
pub struct WipedBytes(pub Zeroizing<Vec<u8>>);

impl PartialEq for WipedBytes {
    fn eq(&self, other: &Self) -> bool {
        *self.0 == *other.0
    }
}

impl fmt::Debug for WipedBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WipedBytes({})", self.0.len())
    }
}
