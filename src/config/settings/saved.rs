//! What the console was asked to keep, and what holds without that.

use std::path::Path;

use super::codec::Form;
use super::setting::Source;
use super::{CONSOLE, Settings};

/// What the console was asked to keep: read after `config.toml`, in the same folder.
pub const SAVED: &str = "saved.toml";

/// The settings of [`SAVED`], and what holds without them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// Name and value.
    lines: Vec<(&'static str, String)>,
    /// What holds without the file: name, value, and who says so.
    below: Vec<(&'static str, String, Source)>,
}

impl Saved {
    /// What holds before the file is read.
    pub(super) fn before(settings: &Settings) -> Self {
        let owned = |(name, value, source): (&'static str, String, &Source)| (name, value, source.clone());
        Self { lines: Vec::new(), below: CONSOLE.shown(settings).into_iter().map(owned).collect() }
    }

    /// Takes note of what the file says, once it was read.
    pub(super) fn read(&mut self, file: &Path, settings: &Settings) {
        for (name, value, source) in CONSOLE.shown(settings) {
            if matches!(source, Source::File(of, _) if of == file) {
                self.lines.push((name, value));
            }
        }
    }

    /// Takes note of what outranks the file, once all was read.
    pub(super) fn outranked_by(&mut self, settings: &Settings) {
        for (below, (_, value, source)) in self.below.iter_mut().zip(CONSOLE.shown(settings)) {
            if matches!(source, Source::Environment(_) | Source::Flag(_)) {
                (below.1, below.2) = (value, source.clone());
            }
        }
    }

    /// What the file says of a setting.
    pub fn line(&self, name: &str) -> Option<&str> {
        self.lines.iter().find(|line| line.0 == name).map(|line| line.1.as_str())
    }

    /// What holds without the file, and who says so.
    pub fn below(&self, name: &str) -> Option<(&str, &Source)> {
        self.below.iter().find(|below| below.0 == name).map(|below| (below.1.as_str(), &below.2))
    }

    /// Who outranks the file: the environment or the command line.
    pub fn outranked(&self, name: &str) -> Option<&Source> {
        let (_, source) = self.below(name)?;
        matches!(source, Source::Environment(_) | Source::Flag(_)).then_some(source)
    }

    /// Has the file say this.
    pub fn keep(&mut self, name: &'static str, value: String) {
        self.forget(name);
        self.lines.push((name, value));
    }

    /// Has the file say nothing of it.
    pub fn forget(&mut self, name: &str) {
        self.lines.retain(|line| line.0 != name);
    }

    /// The file.
    pub fn text(&self) -> String {
        let mut text = String::from(
            "# Written by the console when it was asked to. It is read after config.toml; without it that one holds.\n",
        );
        for row in CONSOLE.rows {
            if let Some(value) = self.line(row.name) {
                let value = match row.form {
                    Form::Text => toml::Value::from(value).to_string(),
                    Form::Number | Form::Truth => value.to_owned(),
                };
                text.push_str(&format!("{} = {value}\n", row.name));
            }
        }
        text
    }
}
