//! What the tables `[mail]` and `[gate]` have in common: how they are read, shown, and what is said of a mistake in one.

use std::path::PathBuf;

use super::super::document::{ConfigError, Result, Text, Value, nearest};
use super::{Setting, Source};

/// A setting: what it is, its name in the table, its name elsewhere, its variable.
pub type Entry<N> = (N, &'static str, &'static str, &'static str);

/// Reads the table of a file, member by member. Answers what can't be read, in the order of reading.
pub fn read(
    source: Text<'_>,
    table: &Value<'_, '_>,
    mut apply: impl FnMut(&Value<'_, '_>) -> Result<()>,
) -> Vec<ConfigError> {
    match table.table() {
        Ok(table) => source.members(table).iter().filter_map(|member| apply(member).err()).collect(),
        Err(error) => vec![error],
    }
}

/// Name, value and source of every setting, for `keyrack info`. `row` shows one of them.
pub fn rows<'s, N: Copy>(
    entries: &[Entry<N>],
    row: impl Fn(N) -> (String, &'s Source),
) -> Vec<(&'static str, String, &'s Source)> {
    let shown = |(name, _, shown, _): &Entry<N>| {
        let (value, source) = row(*name);
        (*shown, value, source)
    };
    entries.iter().map(shown).collect()
}

/// The name of a file or a folder, as it is shown; empty if there is none.
pub fn path(setting: &Setting<Option<PathBuf>>) -> (String, &Source) {
    let shown = setting.value.as_ref().map(|path| path.display().to_string());
    (shown.unwrap_or_default(), &setting.source)
}

/// What is said of a name that this table does not have: `word` as names are written, and as it was written.
pub fn unknown<N>(table: &str, entries: &[Entry<N>], word: &str, as_written: &str) -> String {
    let names = || entries.iter().map(|(_, name, ..)| *name);
    let hint = nearest(word, names()).map_or_else(
        || format!("Known are {}", names().collect::<Vec<_>>().join(", ")),
        |near| format!("Did you mean `{near}`?"),
    );
    format!("there is no setting `{as_written}` in [{table}]. {hint}")
}

/// What is said of a secret that stands in a file of settings.
pub fn misplaced(as_written: &str, instead: &str) -> String {
    format!("`{as_written}` does not belong into this file, which gets copied and read: {instead}")
}

/// What is said of a value that is none, after the setting's name.
pub fn odd(text: &str, wanted: &str) -> String {
    format!("is {text:?}: write {wanted}")
}
