//! `keyrack leak`: what to do when secrets got out.

use clap::Subcommand;

use super::failure::Result;
use super::session::Session;

mod end;
pub(super) mod record;
mod sweep;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Search files, folders, scanner reports or standard input for secrets of this database, and revoke the
    /// keys that work
    Sweep(sweep::Arguments),
}

pub async fn run(command: Command, session: &Session) -> Result {
    match command {
        Command::Sweep(arguments) => sweep::run(arguments, session).await,
    }
}
