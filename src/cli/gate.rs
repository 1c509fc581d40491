//! `keyrack gate`: the arguments of the door that enforces keys.

use super::failure::{Failure, Result};
pub use super::flags::ForGate as Arguments;
use crate::config::settings::{GATE, GateTable};

impl Arguments {
    /// Lets what was said here outrank the settings.
    pub fn outrank(&self, table: &mut GateTable) -> Result {
        GATE.read_flags(table, &self.0).map_err(|error| Failure::usage(error.to_string()))
    }
}

#[cfg(test)]
mod tests;
