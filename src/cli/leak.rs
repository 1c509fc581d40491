//! `keyrack leak`: what to do when secrets got out.

use clap::Subcommand;

use super::failure::Result;
use super::session::Session;

mod end;
pub(super) mod record;
mod sweep;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find every secret of this database in files, folders, reports of scanners or standard input, and revoke what works
    Sweep(sweep::Arguments),
}

pub async fn run(command: Command, session: &Session) -> Result {
    match command {
        Command::Sweep(arguments) => sweep::run(arguments, session).await,
    }
}
