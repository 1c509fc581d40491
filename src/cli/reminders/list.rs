//! `keyrack reminders list`: the outbox, as a stream.

use clap::Args;

use super::super::failure::Result;
use super::super::output::PAGE;
use super::super::session::Session;
use super::id;
use crate::domain::reminder::{Reminder, ReminderId};
use crate::service::ReminderRequest;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Conditions that must all hold: state:failed,ambiguous state:due account:acme key:ID to:ada@example.com; other words
    /// are looked for in the key's name
    #[arg(
        short,
        long,
        value_name = "FILTER",
        allow_hyphen_values = true,
        default_value = "",
        hide_default_value = true
    )]
    filter: String,
    /// At most this many reminders; 0 for all. A table on a terminal has 50 unless told otherwise
    #[arg(short, long, value_name = "N")]
    limit: Option<u64>,
    /// All reminders
    #[arg(short, long, conflicts_with = "limit")]
    all: bool,
    /// Go on after this reminder
    #[arg(long, value_name = "ID", value_parser = id)]
    after: Option<ReminderId>,
}

pub async fn run(arguments: Arguments, session: &Session) -> Result {
    let filter = super::filter(&arguments.filter)?;
    let format = session.format();
    let limit = arguments.all.then_some(0).or(arguments.limit);
    let mut left = format.rows(limit);
    let service = session.service().await?;
    let now = service.now().await?;
    let mut printer = session.printer();
    let mut request = ReminderRequest { filter, after: arguments.after, limit: PAGE };
    let mut more = false;
    while left > 0 {
        request.limit = u32::try_from(left).unwrap_or(PAGE).min(PAGE);
        let reminders = service.reminders(request.clone()).await?;
        printer.rows(&reminders, now)?;
        left -= reminders.len() as u64;
        more = reminders.len() == request.limit as usize;
        match reminders.last() {
            Some(last) if more => request.after = Some(last.id),
            _ => break,
        }
    }
    let printed = printer.finish::<Reminder>()?;
    if let Some(after) = request.after.filter(|_| more && left == 0) {
        session.remark(&format!(
            "There may be more than these {printed}: go on with --after {after}, or see all with --all"
        ));
    } else if printed == 0 && format.for_people() {
        session.remark(if arguments.filter.is_empty() {
            "No reminders yet: `keyrack reminders sweep --dry-run` shows what is due."
        } else {
            "No reminder fits the filter."
        });
    }
    Ok(())
}
