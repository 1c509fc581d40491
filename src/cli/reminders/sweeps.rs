//! `keyrack reminders sweeps`: who swept when, and what it came to.

use clap::Args;

use super::super::failure::Result;
use super::super::session::Session;

#[derive(Debug, Args)]
pub struct Arguments {
    /// At most this many, newest first
    #[arg(short, long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

pub async fn run(arguments: &Arguments, session: &Session) -> Result {
    let service = session.service().await?;
    let sweeps = service.sweeps(arguments.limit).await?;
    let printed = session.printer().list(&sweeps, service.now().await?)?;
    if printed == 0 && session.format().for_people() {
        session.remark("There was no sweep yet: `keyrack reminders sweep --dry-run` shows what is due.");
    }
    Ok(())
}
