//! Flags for settings: what they are called, what the help says of them and what they mean follows from the settings' rows.

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches, ValueHint};

use crate::config::settings::row::{Flag, Row};
use crate::config::settings::table::Table;
use crate::config::settings::{CONSOLE, Flags, GATE, MAIL};

/// The rows of a table that have a flag, and the flags.
fn flags<T>(table: &Table<T>) -> impl Iterator<Item = (&'static Row<T>, Flag)> {
    table.rows.iter().filter_map(|row| Some((row, row.flag?)))
}

/// The argument for a setting. Its id is the flag.
fn argument<T>(row: &Row<T>, flag: Flag) -> Arg {
    let argument = Arg::new(flag.name).long(flag.name.trim_start_matches('-'));
    if flag.says.is_some() {
        return argument.action(ArgAction::SetTrue).help(flag.doc);
    }
    let action = if row.list { ArgAction::Append } else { ArgAction::Set };
    let argument = argument.action(action).help(flag.doc).value_name(row.hint).value_hint(match row.hint {
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

/// What the flags of a table say.
fn said<T>(matches: &ArgMatches, table: &Table<T>, for_all: bool) -> Vec<(&'static str, Vec<String>)> {
    let said = flags(table).filter(|(_, flag)| flag.for_all == for_all).filter_map(|(_, flag)| {
        if flag.says.is_some() {
            return matches.get_flag(flag.name).then(|| (flag.name, Vec::new()));
        }
        let texts = matches.get_many::<String>(flag.name)?;
        Some((flag.name, texts.cloned().collect()))
    });
    said.collect()
}

/// Flags that every command has.
#[derive(Clone, Debug, Default)]
pub struct ForAll(pub Flags);

/// Flags that the console alone has.
#[derive(Clone, Debug, Default)]
pub struct ForConsole(pub Flags);

/// Flags of the gate.
#[derive(Clone, Debug, Default)]
pub struct ForGate(pub Flags);

impl ForAll {
    fn add_to(command: Command) -> Command {
        fn of<T>(table: &Table<T>) -> impl Iterator<Item = Arg> {
            let flags = flags(table).filter(|(_, flag)| flag.for_all);
            flags.map(|(row, flag)| argument(row, flag).global(true).help_heading("Global options"))
        }
        command.args(of(&CONSOLE)).args(of(&MAIL))
    }

    fn said(matches: &ArgMatches) -> Vec<(&'static str, Vec<String>)> {
        [said(matches, &CONSOLE, true), said(matches, &MAIL, true)].concat()
    }
}

impl ForConsole {
    fn add_to(command: Command) -> Command {
        let flags = flags(&CONSOLE).filter(|(_, flag)| !flag.for_all);
        command.args(flags.map(|(row, flag)| argument(row, flag).help_heading("Console")))
    }

    fn said(matches: &ArgMatches) -> Vec<(&'static str, Vec<String>)> {
        said(matches, &CONSOLE, false)
    }
}

impl ForGate {
    fn add_to(command: Command) -> Command {
        let flags = flags(&GATE).map(|(row, flag)| {
            let default = row.default.map(|default| format!(" [default: {default}]")).unwrap_or_default();
            argument(row, flag).help(format!("{}{default}", flag.doc))
        });
        command.args(flags).after_help(
            "Each of these can also be set below [gate] in the settings, or by a variable like KEYRACK_GATE_LISTEN;\n\
             these options override both. `keyrack info` shows the values in use.",
        )
    }

    fn said(matches: &ArgMatches) -> Vec<(&'static str, Vec<String>)> {
        said(matches, &GATE, false)
    }
}

/// What clap wants of arguments that were not derived.
macro_rules! arguments {
    ($($of:ty),+) => {$(
        impl FromArgMatches for $of {
            fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
                let mut said = Self::default();
                said.update_from_arg_matches(matches)?;
                Ok(said)
            }

            fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
                self.0.extend(Self::said(matches));
                Ok(())
            }
        }

        impl Args for $of {
            fn augment_args(command: Command) -> Command {
                Self::add_to(command)
            }

            fn augment_args_for_update(command: Command) -> Command {
                Self::add_to(command)
            }
        }
    )+};
}

arguments!(ForAll, ForConsole, ForGate);
