//! `keyrack reminders template`: the texts of the letters, to begin one's own with.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use super::super::failure::{Exit, Failure, Result};
use super::super::files;
use super::super::session::Session;
use crate::mail::Templates;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Write the files to this folder, which is created if needed; existing files are not changed
    #[arg(short, long, value_name = "DIR")]
    write: Option<PathBuf>,
}

pub fn run(arguments: &Arguments, session: &Session) -> Result {
    match &arguments.write {
        Some(folder) => write(folder, session),
        None => print(),
    }
}

fn print() -> Result {
    let mut out = std::io::stdout().lock();
    let printed =
        Templates::files().iter().try_for_each(|(name, text)| writeln!(out, "==> {name} <==\n{text}"));
    printed.and_then(|()| out.flush()).map_err(|error| Failure::output(&error))
}

fn write(folder: &Path, session: &Session) -> Result {
    // What one of them replaces may be somebody's work.
    let taken: Vec<&str> =
        Templates::files().iter().map(|(name, _)| *name).filter(|name| folder.join(name).exists()).collect();
    if !taken.is_empty() {
        return Err(Failure::new(
            Exit::Refused,
            format!("{} already contains {}: name another folder", folder.display(), taken.join(" and ")),
        ));
    }
    let failed = |error: std::io::Error| {
        Failure::new(Exit::Failure, format!("{} can't be written: {error}", folder.display()))
    };
    if session.global.dry_run {
        files::can_be_filled(folder).map_err(failed)?;
        session.remark(&format!("Would write {} into {}.", names(), folder.display()));
        return Ok(());
    }
    std::fs::create_dir_all(folder).map_err(failed)?;
    for (name, text) in Templates::files() {
        let mut file =
            OpenOptions::new().write(true).create_new(true).open(folder.join(name)).map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)?;
    }
    session.remark(&format!(
        "Wrote {} into {}. Change them, then name the folder with `templates` below [mail]; `keyrack doctor` tries them out.",
        names(),
        folder.display()
    ));
    Ok(())
}

fn names() -> String {
    Templates::files().map(|(name, _)| name).join(", ")
}
