//! `keyrack reminders list`: the outbox, as a stream.

use clap::Args;

use super::super::failure::Result;
use super::super::session::Session;
use super::id;
use crate::domain::reminder::{Reminder, ReminderId};
use crate::service::ReminderRequest;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Conditions that must all hold: state:failed,ambiguous state:due account:acme key:ID to:ada@example.com; other words
    /// are looked for in the key's name
    #[arg(short, long, value_name = "FILTER", allow_hyphen_values = true)]
    filter: Option<String>,
    /// At most this many reminders; 0 for all. Default for a table on a terminal: 50
    #[arg(short, long, value_name = "N")]
    limit: Option<u64>,
    /// All reminders
    #[arg(short, long, conflicts_with = "limit")]
    all: bool,
    /// Continue after this reminder
    #[arg(long, value_name = "ID", value_parser = id)]
    after: Option<ReminderId>,
}

pub async fn run(arguments: Arguments, session: &Session) -> Result {
    let typed = arguments.filter.unwrap_or_default();
    let filter = super::filter(&typed)?;
    let format = session.format();
    let limit = arguments.all.then_some(0).or(arguments.limit);
    let service = session.service().await?;
    let read = |last: Option<Reminder>, limit| {
        let after = last.map(|last| last.id).or(arguments.after);
        service.reminders(ReminderRequest { filter: filter.clone(), after, limit })
    };
    let (printed, last) = session.printer().pages(format.rows(limit), service.now().await?, read).await?;
    if let Some(last) = last {
        session.remark(&format!(
            "There may be more than these {printed}: continue with --after {}, or see all with --all",
            last.id
        ));
    } else if printed == 0 && format.for_people() {
        session.remark(if typed.is_empty() {
            "No reminders yet: `keyrack reminders sweep --dry-run` shows what is due."
        } else {
            "No reminder matches the filter."
        });
    }
    Ok(())
}
