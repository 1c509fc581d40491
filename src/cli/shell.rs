//! Completions and manual pages, made from the same description of the arguments.

use std::io::Write;
use std::path::Path;

use clap::CommandFactory;

use super::Cli;
use super::failure::{Exit, Failure, Result};

pub fn completions(shell: clap_complete::Shell) -> Result {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "keyrack", &mut script);
    let mut out = std::io::stdout().lock();
    out.write_all(&script).and_then(|()| out.flush()).map_err(|error| Failure::output(&error))
}

/// Writes `keyrack.1`, `keyrack-key.1`, `keyrack-key-create.1`, …
pub fn man(folder: &Path) -> Result {
    let failed = |error: std::io::Error| {
        Failure::new(Exit::Failure, format!("{} can't be written: {error}", folder.display()))
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(Cli::command(), folder).map_err(failed)
}
