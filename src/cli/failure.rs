//! Why a command ended without success: the exit code and one line of words. The only place that maps errors to codes.

use std::fmt;
use std::io;

use crate::config::ConfigError;
use crate::domain::text::SafeText;
use crate::service::{self, StoreError};
use crate::telemetry;

/// The exit codes, a contract with scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// The reader of the output went away and nothing is lost by that.
    Done = 0,
    Failure = 1,
    Usage = 2,
    NotFound = 3,
    NotPermitted = 4,
    /// A rule forbids it: a cap, the account's standing, the state of the thing.
    Refused = 5,
    CheckFailed = 6,
    Unreachable = 7,
    Interrupted = 130,
}

pub type Result<T = ()> = std::result::Result<T, Failure>;

/// An exit code and the words that go with it.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    pub exit: Exit,
    /// What is wrong and how to mend it; empty where nothing is to be said.
    message: String,
    /// Whether it is certain that nothing was changed.
    pub unchanged: bool,
    /// Whether keys were no longer what was shown of them.
    pub moved: bool,
}

impl Failure {
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        let unchanged = matches!(exit, Exit::Usage | Exit::NotFound | Exit::NotPermitted | Exit::Refused);
        Self { exit, message: message.into(), unchanged, moved: false }
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Exit::NotFound, message)
    }

    /// Something was looked at and is not as it should be.
    pub fn check(message: impl Into<String>) -> Self {
        Self::new(Exit::CheckFailed, message)
    }

    /// An end without words.
    pub fn quiet(exit: Exit) -> Self {
        Self::new(exit, "")
    }

    /// The failure of writing data to standard output: quiet where only the reader went away.
    pub fn output(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::quiet(Exit::Done);
        }
        Self::new(Exit::Failure, format!("standard output can't be written: {error}"))
    }

    /// Puts words before the message.
    pub fn before(mut self, words: &str) -> Self {
        self.message = format!("{words}{}", self.message);
        self
    }

    /// Says it on standard error, without anything in it that could harm a terminal, and answers the exit code. What is no
    /// mistake of the person's goes into the log too.
    pub fn tell(&self) -> u8 {
        if matches!(self.exit, Exit::Failure | Exit::CheckFailed | Exit::Unreachable) {
            tracing::error!(exit = self.exit as u8, "{self}");
        }
        // What a service logged before stands before it; where nobody reads that, nobody reads this.
        if !self.message.is_empty() && telemetry::finish(telemetry::PATIENCE) {
            super::say(&format!("keyrack: {}", self.message));
        }
        self.exit as u8
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&clean(&self.message))
    }
}

/// A mistake in the settings is one of usage.
impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<service::Error> for Failure {
    fn from(error: service::Error) -> Self {
        use service::Error;
        let exit = match &error {
            Error::NotPermitted { .. } => Exit::NotPermitted,
            Error::Suspended { .. }
            | Error::KeyLimit { .. }
            | Error::TooFast { .. }
            | Error::Refused(_)
            | Error::FourEyes(_)
            | Error::Asked { .. }
            | Error::Moved(_) => Exit::Refused,
            Error::Invalid { .. } | Error::Ambiguous { .. } => Exit::Usage,
            Error::NotFound { .. } => Exit::NotFound,
            Error::Unconfirmed(_)
            | Error::NotReadBack { .. }
            | Error::Uncertain { .. }
            | Error::Unwritten(_) => Exit::Failure,
            Error::Store(error) => store_exit(error),
        };
        let (unchanged, moved) = (error.changed_nothing(), matches!(error, Error::Moved(_)));
        Self { unchanged, moved, ..Self::new(exit, error.to_string()) }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(store_exit(&error), error.to_string())
    }
}

fn store_exit(error: &StoreError) -> Exit {
    use StoreError as Error;
    match error {
        Error::Unreachable(_) | Error::Missing(_) | Error::Replaced(_) | Error::Pooled => Exit::Unreachable,
        Error::Refused(_) | Error::Clock(_) => Exit::Refused,
        Error::Privilege(_) | Error::NotOwner { .. } | Error::ReadOnly(_) => Exit::NotPermitted,
        Error::Location(_) => Exit::Usage,
        Error::Disk(_)
        | Error::NoWal(_)
        | Error::Busy(_)
        | Error::TakenOver
        | Error::TooNew { .. }
        | Error::Newer { .. }
        | Error::TooOld { .. }
        | Error::Lacks(_)
        | Error::Encoding { .. }
        | Error::NotADatabase(_)
        | Error::Foreign(_)
        | Error::Migration(_)
        | Error::Corrupt(_)
        | Error::Other(_) => Exit::Failure,
    }
}

/// Cleans text of several lines; line ends stay.
pub fn clean(text: &str) -> String {
    text.split('\n').map(|line| SafeText::new(line).to_string()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
