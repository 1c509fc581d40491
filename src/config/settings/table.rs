//! A table of a file of settings, and what its rows tell of it.

use std::path::Path;

use super::super::document::{ConfigError, Result, Text, Value, nearest};
use super::codec::{Form, Wrong};
use super::row::Row;
use super::setting::Source;

/// Settings that stand together.
pub struct Table<T: 'static> {
    /// `gate`; empty for what stands in no table of the file.
    pub name: &'static str,
    pub rows: &'static [Row<T>],
    /// Tables that stand beside these settings.
    pub tables: &'static [&'static str],
    /// Names that belong somewhere else, and where.
    pub elsewhere: &'static [(&'static str, &'static str)],
    /// What to do with a secret instead, given the name of the setting for its file.
    pub instead: fn(&str) -> String,
}

/// What flags say, each with its texts, in the order of the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags(Vec<(&'static str, Vec<String>)>);

impl Flags {
    /// With what others say.
    #[must_use]
    pub fn and(mut self, others: &Self) -> Self {
        self.0.extend(others.0.iter().cloned());
        self
    }

    /// With what one more flag says.
    #[cfg(test)]
    #[must_use]
    pub fn with(mut self, flag: &'static str, texts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.0.push((flag, texts.into_iter().map(Into::into).collect()));
        self
    }
}

impl Extend<(&'static str, Vec<String>)> for Flags {
    fn extend<I: IntoIterator<Item = (&'static str, Vec<String>)>>(&mut self, said: I) {
        self.0.extend(said);
    }
}

impl<T> Table<T> {
    /// Sets what holds where nobody says anything. `place` puts in the folders.
    pub fn set_defaults(&self, of: &mut T, place: impl Fn(&str) -> String) {
        for row in self.rows {
            let Some(default) = row.default else { continue };
            let set = (row.set)(of, &[&place(default)], Source::Default);
            debug_assert_eq!(set, Ok(()), "{}", row.shown);
        }
    }

    /// Takes over a table of a file, member by member. Answers what can't be read, in the order of reading.
    pub fn read(&self, of: &mut T, source: Text<'_>, table: &Value<'_, '_>) -> Vec<ConfigError> {
        let mut member = |member: &Value<'_, '_>| self.read_member(of, source.file, member).err();
        match table.table() {
            Ok(table) => source.members(table).iter().filter_map(&mut member).collect(),
            Err(error) => vec![error],
        }
    }

    /// Takes over one member of a file.
    pub fn read_member(&self, of: &mut T, file: &Path, member: &Value<'_, '_>) -> Result<()> {
        let word = member.key.replace('_', "-");
        let Some(row) = self.rows.iter().find(|row| row.name == word) else {
            return Err(member.at.error(self.unknown(&word, member.key)));
        };
        let plain;
        let texts = match row.form {
            Form::Text if row.list => member.strings()?,
            Form::Text => vec![member.str()?],
            Form::Number => {
                plain = member.integer()?.to_string();
                vec![plain.as_str()]
            }
            Form::Truth => vec![if member.bool()? { "true" } else { "false" }],
        };
        let from = Source::File(file.to_owned(), member.at.line());
        self.set(of, row, &texts, from).map_err(|wrong| member.at.error(format!("`{}` {wrong}", member.key)))
    }

    /// Takes over what variables say; several values stand beside each other, with blanks or commas between.
    pub fn read_environment(
        &self,
        of: &mut T,
        get: &dyn Fn(&'static str) -> Option<String>,
    ) -> Vec<ConfigError> {
        let mut mistakes = Vec::new();
        for row in self.rows {
            let Some(text) = get(row.variable) else { continue };
            let texts: Vec<&str> = if row.list {
                text.split([' ', ',']).filter(|part| !part.is_empty()).collect()
            } else {
                vec![&text]
            };
            if let Err(wrong) = self.set(of, row, &texts, Source::Environment(row.variable)) {
                mistakes.push(ConfigError::new(format!("{} {wrong}", row.variable)));
            }
        }
        for row in self.rows {
            if let Some(variable) = row.secret_variable().filter(|variable| get(variable).is_some()) {
                mistakes.push(ConfigError::new(format!(
                    "{variable} holds a secret, and others can read the environment of a process: {}, and unset the variable",
                    (self.instead)(row.name)
                )));
            }
        }
        mistakes
    }

    /// Takes over what flags say.
    pub fn read_flags(&self, of: &mut T, flags: &Flags) -> Result<()> {
        for (name, texts) in &flags.0 {
            let row =
                self.rows.iter().find_map(|row| Some((row, row.flag.filter(|flag| flag.name == *name)?)));
            let Some((row, flag)) = row else { continue };
            let texts: Vec<&str> = match flag.says {
                Some(says) => vec![says],
                None => texts.iter().map(String::as_str).collect(),
            };
            self.set(of, row, &texts, Source::Flag(flag.name))
                .map_err(|wrong| ConfigError::new(format!("{name}: the value {wrong}")))?;
        }
        Ok(())
    }

    fn set(&self, of: &mut T, row: &Row<T>, texts: &[&str], from: Source) -> std::result::Result<(), Wrong> {
        (row.set)(of, texts, from)?;
        if let Some(then) = row.then {
            then(of);
        }
        Ok(())
    }

    /// Name, value and source of every setting, for `keyrack info`. What is not set is empty.
    pub fn shown<'s>(&self, of: &'s T) -> Vec<(&'static str, String, &'s Source)> {
        let shown = |row: &Row<T>| {
            let (value, source) = (row.show)(of);
            (row.shown, value, source)
        };
        self.rows.iter().map(shown).collect()
    }

    /// The settings as a table of a document, in Markdown.
    pub fn document(&self) -> String {
        let below = if self.name.is_empty() { String::new() } else { format!(" below `[{}]`", self.name) };
        let mut table = format!("| setting{below} | value | what it does | default |\n|---|---|---|---|\n");
        for row in self.rows {
            let default = row.default.map(|default| {
                let default = default.replace("{data}", "~/.local/share/keyrack");
                format!("`{}`", default.replace("{state}", "~/.local/state/keyrack"))
            });
            let default = default.unwrap_or_default();
            let words: Vec<String> = (row.words)().iter().map(|(word, _)| format!("`{word}`")).collect();
            let value = if words.is_empty() { row.hint.to_owned() } else { words.join(", ") };
            let cells = [format!("`{}`", row.name), value, row.doc.to_owned(), default];
            table.push_str(&format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | ")));
        }
        table
    }

    /// What is said of a name that this table does not have: `word` as names are written, and as it was written.
    fn unknown(&self, word: &str, as_written: &str) -> String {
        if let Some(row) = self.rows.iter().find(|row| row.secret.contains(&word)) {
            let instead = (self.instead)(row.name);
            return format!(
                "`{as_written}` does not belong in this file, which gets copied and read: {instead}"
            );
        }
        if let Some((_, place)) = self.elsewhere.iter().find(|(name, _)| *name == word) {
            return format!("`{as_written}` belongs into {place}");
        }
        let names = || self.rows.iter().map(|row| row.name);
        let hint = nearest(word, names().chain(self.tables.iter().copied())).map_or_else(
            || {
                let tables = self.tables.iter().map(|table| format!("[{table}]"));
                let known: Vec<String> = names().map(str::to_owned).chain(tables).collect();
                format!("Known are {}", known.join(", "))
            },
            |near| format!("Did you mean `{near}`?"),
        );
        let table = if self.name.is_empty() { String::new() } else { format!(" in [{}]", self.name) };
        format!("there is no setting `{as_written}`{table}. {hint}")
    }
}
