//! A value, and who decided it.

use std::path::PathBuf;

use super::super::document::ConfigError;

/// Where a value was decided.
#[derive(Clone, Debug, Default, PartialEq, Eq, derive_more::Display)]
pub enum Source {
    /// Nobody said anything.
    #[default]
    #[display("default")]
    Default,
    /// A configuration file, and the line in it.
    #[display("{}:{_1}", _0.display())]
    File(PathBuf, usize),
    /// An environment variable.
    Environment(&'static str),
    /// A flag on the command line.
    Flag(&'static str),
}

impl Source {
    /// A mistake in a value that was decided here.
    pub fn error(&self, reason: impl Into<String>) -> ConfigError {
        let reason = reason.into();
        match self {
            Self::Default => ConfigError::new(reason),
            Self::File(file, line) => ConfigError { file: Some(file.clone()), line: Some(*line), reason },
            Self::Environment(name) | Self::Flag(name) => ConfigError::new(format!("{name}: {reason}")),
        }
    }
}

/// A value and where it was decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setting<T> {
    pub value: T,
    pub source: Source,
}

impl<T> Setting<T> {
    pub(super) fn set(&mut self, value: T, source: Source) {
        *self = Self { value, source };
    }
}
