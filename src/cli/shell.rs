//! Completions and manual pages, made from the same description of the arguments.

use std::io::Write;
use std::path::Path;

use super::failure::{Exit, Failure, Result};
use super::files;
use super::{completing, examples};

pub fn completions(shell: clap_complete::Shell) -> Result {
    let script = completing::script(shell)?;
    let mut out = std::io::stdout().lock();
    out.write_all(&script).and_then(|()| out.flush()).map_err(|error| Failure::output(&error))
}

/// Writes `keyrack.1`, `keyrack-key.1`, `keyrack-key-create.1`, …; on a dry run only looks whether it could.
pub fn man(folder: &Path, dry_run: bool) -> Result {
    let failed = |error: std::io::Error| {
        Failure::new(Exit::Failure, format!("{} can't be written: {error}", folder.display()))
    };
    if dry_run {
        files::can_be_filled(folder).map_err(failed)?;
        super::say(&format!("Would write the manual pages into {}. Nothing was changed.", folder.display()));
        return Ok(());
    }
    std::fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(examples::command(), folder).map_err(failed)
}
