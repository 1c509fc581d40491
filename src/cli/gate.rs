//! `keyrack gate`: the arguments of the door that enforces keys.

use clap::{ArgMatches, Args, Command, FromArgMatches};

use super::failure::{Failure, Result};
use super::flags;
use crate::config::settings::{Flags, GATE, GateTable};

/// Each option can stand in the settings too, below [gate] and under the same name; what is said here outranks that.
#[derive(Clone, Debug, Default)]
pub struct Arguments(Flags);

impl Arguments {
    /// Lets what was said here outrank the settings.
    pub fn outrank(&self, table: &mut GateTable) -> Result {
        GATE.read_flags(table, &self.0).map_err(|error| Failure::usage(error.to_string()))
    }
}

impl FromArgMatches for Arguments {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        let mut said = Flags::default();
        said.extend(flags::said(matches, &GATE));
        Ok(Self(said))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> std::result::Result<(), clap::Error> {
        self.0.extend(flags::said(matches, &GATE));
        Ok(())
    }
}

impl Args for Arguments {
    fn augment_args(command: Command) -> Command {
        flags::add(command, &GATE).after_help(
            "Each of these can stand in the settings, below [gate], and in a variable like KEYRACK_GATE_LISTEN;\n\
             what is said here outranks both. `keyrack info` shows what holds.",
        )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

#[cfg(test)]
mod tests;
