//! Flags for settings: what they are called, what the help says of them and what they mean follows from the settings' rows.

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint};

use crate::config::settings::row::{Flag, Row};
use crate::config::settings::table::Table;

/// The rows of a table that have a flag, and the flags.
fn flags<T>(table: &Table<T>) -> impl Iterator<Item = (&'static Row<T>, Flag)> {
    table.rows.iter().filter_map(|row| Some((row, row.flag?)))
}

/// The argument for a setting. Its id is the flag.
pub fn argument<T>(row: &Row<T>, flag: Flag) -> Arg {
    let argument = Arg::new(flag.name).long(flag.name.trim_start_matches('-'));
    if flag.says.is_some() {
        return argument.action(ArgAction::SetTrue).help(flag.doc);
    }
    let action = if row.list { ArgAction::Append } else { ArgAction::Set };
    let argument = argument.action(action).value_name(row.hint).value_hint(match row.hint {
        "FILE" => ValueHint::AnyPath,
        "DIR" => ValueHint::DirPath,
        _ => ValueHint::Unknown,
    });
    let words: Vec<PossibleValue> = (row.words)()
        .into_iter()
        .map(|(word, help)| match help {
            "" => PossibleValue::new(word),
            help => PossibleValue::new(word).help(help),
        })
        .collect();
    if words.is_empty() { argument } else { argument.value_parser(PossibleValuesParser::new(words)) }
}

/// Adds the flags of a table to a command, and what holds without them to their help.
pub fn add<T>(command: Command, table: &Table<T>) -> Command {
    command.args(flags(table).map(|(row, flag)| {
        let help = match row.default {
            Some(default) if flag.says.is_none() => format!("{} [default: {default}]", flag.doc),
            _ => flag.doc.to_owned(),
        };
        argument(row, flag).help(help)
    }))
}

/// What the flags of a table say.
pub fn said<T>(matches: &ArgMatches, table: &Table<T>) -> Vec<(&'static str, Vec<String>)> {
    let said = flags(table).filter_map(|(_, flag)| {
        if flag.says.is_some() {
            return matches.get_flag(flag.name).then(|| (flag.name, Vec::new()));
        }
        let texts = matches.get_many::<String>(flag.name)?;
        Some((flag.name, texts.cloned().collect()))
    });
    said.collect()
}
