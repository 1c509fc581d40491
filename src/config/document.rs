//! TOML with the file and line of every value, so that a refusal can point at its cause.

use std::fmt;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

/// Why a file, a variable or a flag was refused. One line: where, what is wrong, how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    pub file: Option<PathBuf>,
    /// From 1.
    pub line: Option<usize>,
    pub reason: String,
}

impl ConfigError {
    /// An error that has no place in a file.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { file: None, line: None, reason: reason.into() }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}:", file.display())?;
            if let Some(line) = self.line {
                write!(f, "{line}:")?;
            }
            f.write_str(" ")?;
        }
        f.write_str(&self.reason)
    }
}

impl std::error::Error for ConfigError {}

pub type Result<T> = std::result::Result<T, ConfigError>;

/// The text of a file with the name to blame it by.
#[derive(Clone, Copy)]
pub struct Text<'t> {
    pub file: &'t Path,
    pub text: &'t str,
}

/// A value in its file.
pub struct Value<'v, 't> {
    pub key: &'v str,
    pub value: &'v DeValue<'t>,
    pub at: At<'t>,
}

/// A place in a file.
#[derive(Clone, Copy)]
pub struct At<'t> {
    source: Text<'t>,
    offset: usize,
}

impl At<'_> {
    /// The line, from 1.
    pub fn line(&self) -> usize {
        let before = self.source.text.get(..self.offset).unwrap_or(self.source.text);
        before.bytes().filter(|byte| *byte == b'\n').count() + 1
    }

    pub fn error(&self, reason: impl Into<String>) -> ConfigError {
        ConfigError {
            file: Some(self.source.file.to_owned()),
            line: Some(self.line()),
            reason: reason.into(),
        }
    }
}

impl<'t> Text<'t> {
    /// Parses the text. A mistake in the grammar is refused with its line.
    pub fn parse(self) -> Result<DeTable<'t>> {
        DeTable::parse(self.text).map(toml::Spanned::into_inner).map_err(|error| {
            let at = At { source: self, offset: error.span().map_or(0, |span| span.start) };
            at.error(error.message().replace('\n', ", "))
        })
    }

    /// The members of a table in the order of the file.
    pub fn members<'v>(self, table: &'v DeTable<'t>) -> Vec<Value<'v, 't>> {
        let mut members: Vec<_> = table
            .iter()
            .map(|(key, value)| Value {
                key: key.get_ref(),
                value: value.get_ref(),
                at: At { source: self, offset: key.span().start },
            })
            .collect();
        members.sort_by_key(|member| member.at.offset);
        members
    }
}

impl<'v, 't> Value<'v, 't> {
    pub fn str(&self) -> Result<&'v str> {
        self.value.as_str().ok_or_else(|| self.wrong("a text in quotes"))
    }

    pub fn bool(&self) -> Result<bool> {
        self.value.as_bool().ok_or_else(|| self.wrong("true or false"))
    }

    pub fn integer(&self) -> Result<i64> {
        self.value
            .as_integer()
            .and_then(|integer| i64::from_str_radix(integer.as_str(), integer.radix()).ok())
            .ok_or_else(|| self.wrong("a whole number"))
    }

    pub fn table(&self) -> Result<&'v DeTable<'t>> {
        self.value.as_table().ok_or_else(|| self.wrong("a table"))
    }

    /// A text or a list of texts.
    pub fn strings(&self) -> Result<Vec<&'v str>> {
        if let Some(one) = self.value.as_str() {
            return Ok(vec![one]);
        }
        self.value
            .as_array()
            .and_then(|array| array.iter().map(|item| item.get_ref().as_str()).collect())
            .ok_or_else(|| self.wrong("a text or a list of texts"))
    }

    fn wrong(&self, wanted: &str) -> ConfigError {
        self.at.error(format!("`{}` must be {wanted}, not {}", self.key, self.value.type_str()))
    }
}

/// The member of `known` that `word` was most likely meant to be, for "did you mean".
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    known
        .into_iter()
        .map(|candidate| (strsim::levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 2.max(candidate.len() / 3))
        .min()
        .map(|(_, candidate)| candidate)
}
