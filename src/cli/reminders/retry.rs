//! `keyrack reminders retry`: the next sweep sends again what failed or got no answer.

use clap::Args;

use super::super::count;
use super::super::failure::{Exit, Failure, Result};
use super::super::session::{Session, insist};
use super::super::{prompt, say};
use super::{UNWELL, id};
use crate::domain::reminder::{Reminder, ReminderId, State};
use crate::domain::text::SafeText;
use crate::service::{ReminderRequest, Retried, Service, new_operation};

/// Reminders in one transaction.
const BATCH: usize = 500;
/// Reminders that a person is shown before the question.
const SHOWN: usize = 20;
const PAGE: u32 = 1000;

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["ids", "filter", "written"]))]
pub struct Arguments {
    /// Full IDs of reminders
    #[arg(value_name = "ID", value_parser = id)]
    ids: Vec<ReminderId>,
    /// All reminders that match this filter and failed or got no answer: state:failed account:acme
    #[arg(short, long, value_name = "FILTER", allow_hyphen_values = true)]
    filter: Option<String>,
    /// All reminders that were only written as files; for use once a mail server is set up
    #[arg(short, long)]
    written: bool,
}

pub async fn run(mut arguments: Arguments, session: &Session) -> Result {
    if arguments.written {
        arguments.filter = Some("state:written".into());
    }
    let service = session.service().await?;
    let now = service.now().await?;
    let chosen = match &arguments.filter {
        Some(text) => choose(text, service).await?,
        None => by_id(&arguments.ids, service).await?,
    };
    if chosen.is_empty() {
        session.outcome().list::<Retried>(&[], now)?;
        session
            .remark("No matching reminder failed, got no answer or was only written. Nothing was changed.");
        return Ok(());
    }
    let number = count(chosen.len() as u64, "reminder");
    // Who names each by its id has said what they want; a filter may fit more than one thinks.
    if arguments.filter.is_some() && prompt::must_ask(&session.global) {
        // Nobody is asked about what is refused anyway.
        let ids: Vec<ReminderId> = chosen.iter().map(|reminder| reminder.id).collect();
        for some in ids.chunks(BATCH) {
            service.trying().retry_reminders(new_operation(), some).await?;
        }
        if prompt::can_ask(&session.global) {
            describe(&chosen);
        }
        if !prompt::confirm(&session.global, &format!("Let the next sweep send {number} again")).await? {
            return Err(Failure::new(Exit::Failure, "nothing was changed"));
        }
    }
    retry(&chosen, service, session).await
}

async fn retry(chosen: &[Reminder], service: &Service, session: &Session) -> Result {
    let ids: Vec<ReminderId> = chosen.iter().map(|reminder| reminder.id).collect();
    let mut printer = session.outcome();
    let (mut again, mut told) = (0, Ok(()));
    for some in ids.chunks(BATCH) {
        let operation = new_operation();
        let retried = insist(|| service.retry_reminders(operation, some)).await?;
        again += retried.iter().filter(|one| one.again).count();
        if session.hushed() {
            let not = retried.iter().filter_map(|one| Some((&one.reminder, one.why.as_ref()?)));
            not.for_each(|(one, why)| say(&format!("  {}  {}", one.id, SafeText::new(why.as_str()))));
        }
        if told.is_ok() {
            told = printer.rows(&retried, service.present());
        }
    }
    told.and_then(|()| printer.finish::<Retried>().map(drop))?;
    let number = count(again as u64, "reminder");
    if !session.would(|| format!("let the next sweep send {number} again")) {
        session.remark(&format!("The next sweep sends {number} again."));
    }
    if again < ids.len() {
        return Err(Failure::new(
            Exit::Refused,
            format!(
                "{} will not be sent again; see above why",
                count((ids.len() - again) as u64, "reminder")
            ),
        ));
    }
    Ok(())
}

async fn by_id(ids: &[ReminderId], service: &Service) -> Result<Vec<Reminder>> {
    let mut chosen: Vec<Reminder> = Vec::with_capacity(ids.len());
    for id in ids {
        if !chosen.iter().any(|reminder| reminder.id == *id) {
            chosen.push(service.reminder(*id).await?);
        }
    }
    Ok(chosen)
}

/// Everything that the filter fits and that somebody may send again.
async fn choose(text: &str, service: &Service) -> Result<Vec<Reminder>> {
    if text.trim().is_empty() {
        return Err(Failure::usage(format!(
            "an empty filter matches every reminder: write for example --filter {UNWELL}"
        )));
    }
    let mut request = ReminderRequest { filter: super::filter(text)?, after: None, limit: PAGE };
    // What was written is a matter of course where letters go to a folder: it must be asked for.
    let written = request.filter.states.contains(&State::Written);
    let mut chosen = Vec::new();
    loop {
        let reminders = service.reminders(request.clone()).await?;
        let full = reminders.len() == PAGE as usize;
        request.after = reminders.last().map(|last| last.id);
        let fits = |one: &Reminder| one.needs_attention() || (written && one.was_written());
        chosen.extend(reminders.into_iter().filter(fits));
        if !full {
            return Ok(chosen);
        }
    }
}

fn describe(chosen: &[Reminder]) {
    for reminder in chosen.iter().take(SHOWN) {
        let answer = reminder.deliveries.iter().find_map(|delivery| {
            let answer = delivery.answer.as_ref().filter(|_| delivery.state.needs_attention())?;
            Some(format!("  {}: {answer}", delivery.recipient))
        });
        say(&format!(
            "  {}  {:?}  account {}  {}{}  {}",
            reminder.preview,
            reminder.key_name.as_str(),
            reminder.account,
            reminder.state.as_str(),
            answer.unwrap_or_default(),
            reminder.id
        ));
    }
    if chosen.len() > SHOWN {
        say(&format!("  … and {} more", chosen.len() - SHOWN));
    }
}
