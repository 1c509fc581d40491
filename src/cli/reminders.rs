//! `keyrack reminders`: mail to an account's admins before a key expires, and what became of it.

use clap::{Args, Subcommand};

use super::failure::{Failure, Result};
use super::session::{Session, whole_id};
use crate::domain::reminder::ReminderId;

pub(super) mod letter;
mod list;
pub(super) mod record;
mod report;
mod retry;
mod show;
mod supervisor;
mod sweep;
mod sweeps;
mod template;
mod watch;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Send the reminders that are due, now
    Sweep(sweep::Arguments),
    /// Sweep now and then at every interval, as a service
    Watch(watch::Arguments),
    /// List reminders, the last changed first
    #[command(visible_alias = "ls")]
    List(list::Arguments),
    /// Show everything known about a reminder
    #[command(visible_alias = "get")]
    Show(One),
    /// Resend, with the next sweep, what failed or got no answer
    Retry(retry::Arguments),
    /// List the last sweeps
    Sweeps(sweeps::Arguments),
    /// Print the mail templates, or write them to a folder to edit
    #[command(visible_alias = "templates")]
    Template(template::Arguments),
}

/// One reminder.
#[derive(Debug, Args)]
pub struct One {
    /// The reminder's id
    #[arg(value_name = "ID", value_parser = id)]
    id: ReminderId,
}

pub async fn run(command: Command, session: &Session) -> Result {
    match command {
        Command::Sweep(arguments) => sweep::run(&arguments, session).await,
        Command::Watch(arguments) => watch::run(&arguments, session).await,
        Command::List(arguments) => list::run(arguments, session).await,
        Command::Show(one) => show::run(one.id, session).await,
        Command::Retry(arguments) => retry::run(arguments, session).await,
        Command::Sweeps(arguments) => sweeps::run(&arguments, session).await,
        Command::Template(arguments) => template::run(&arguments, session),
    }
}

/// Reads the id of a reminder.
fn id(text: &str) -> std::result::Result<ReminderId, String> {
    whole_id(text).ok_or_else(|| "write a reminder's full ID, as `keyrack reminders list` shows it".into())
}

/// The letters that wait for a person, as a filter.
const UNWELL: &str = "state:failed,ambiguous";

/// Reads a filter of reminders; a mistake in it is marked at its place.
fn filter(text: &str) -> Result<crate::domain::reminder::ReminderFilter> {
    crate::domain::reminder::ReminderFilter::parse(text)
        .map_err(|error| Failure::usage(super::filter::marked(text, &error)))
}
