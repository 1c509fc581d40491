//! `keyrack key tell`: a letter to the admins of keys' accounts, now.

use clap::Args;

use super::super::failure::{Exit, Failure, Result};
use super::super::output::{Column, Record, Tone};
use super::super::session::Session;
use super::super::{count, prompt, say};
use super::which::{self, Which};
use crate::domain::Instant;
use crate::domain::notice::Occasion;
use crate::domain::reminder::State;
use crate::service::{Service, Tell, Told, new_operation};

/// Letters that a person is shown before the question.
const SHOWN: usize = 20;

#[derive(Debug, Args)]
#[command(group = which::needed(&[]))]
pub struct Arguments {
    #[command(flatten)]
    which: Which,
    /// Say that they were found where others can read them. Default: that they stopped
    /// working, and whether they were tried after that
    #[arg(long)]
    exposed: bool,
    /// Say that they are replaced and stop working when their overlaps end
    #[arg(long, conflicts_with = "exposed")]
    replaced: bool,
    /// Text to add to the mail; kept in the audit
    #[arg(short, long, value_name = "TEXT", allow_hyphen_values = true)]
    reason: Option<String>,
}

pub async fn run(arguments: Arguments, session: &Session) -> Result {
    let service = session.service().await?;
    let now = service.now().await?;
    let chosen = arguments.which.choose(service, session).await?;
    chosen.remark_parts(session);
    for key in &chosen.keys {
        if arguments.replaced && !key.is_being_replaced(now) {
            let words =
                format!("{:?} is not in an open overlap: see `keyrack rotation list`", key.name.as_str());
            return Err(Failure::new(Exit::Refused, words));
        }
        if !arguments.exposed && !arguments.replaced && !key.has_ended(now) {
            let words = format!(
                "{:?} works: pass --exposed to tell its admins that it was found exposed, or --replaced that its overlap ends",
                key.name.as_str()
            );
            return Err(Failure::new(Exit::Refused, words));
        }
    }
    let occasion = match (arguments.exposed, arguments.replaced) {
        (true, _) => Occasion::Exposed,
        (false, true) => Occasion::Replaced,
        (false, false) => Occasion::AfterEnd,
    };
    let tell = Tell { operation: new_operation(), keys: chosen.ids(), occasion, reason: arguments.reason };
    tell_them(tell, service, session).await
}

/// Shows who would be told of what, asks, sends, and lists the letters.
async fn tell_them(tell: Tell, service: &Service, session: &Session) -> Result {
    let told = send(tell, service, session).await?;
    session.outcome().list(&told, service.present())?;
    verdict(&told)
}

/// Shows who would be told of what, asks, and sends. Answers the letters; on a dry run those that would be sent.
pub async fn send(tell: Tell, service: &Service, session: &Session) -> Result<Vec<Told>> {
    // Nobody is asked about what is refused anyway.
    let due = service.trying().tell(tell.clone()).await?;
    let letters = count(due.len() as u64, "letter");
    if session.would(|| format!("send {letters}")) {
        return Ok(due);
    }
    let whither = service.post().await?.whither();
    if prompt::must_ask(&session.global) && prompt::can_ask(&session.global) {
        for letter in due.iter().take(SHOWN) {
            say(&format!(
                "  {}  account {}  {}",
                letter.recipient,
                letter.account,
                count(letter.keys.len() as u64, "key")
            ));
        }
        if due.len() > SHOWN {
            say(&format!("  … and {} more", due.len() - SHOWN));
        }
        say(&whither.sentence());
    }
    if !prompt::confirm(&session.global, &format!("Send {letters}")).await? {
        return Err(Failure::new(Exit::Failure, "nobody was told"));
    }
    // Not tried again by itself: a letter that has left would leave twice.
    let told = service.tell(tell).await?;
    if session.hushed() {
        for one in &told {
            say(&format!("  {}  {}  {}", one.recipient, one.state.as_str(), one.answer));
        }
    }
    let verb = if whither.leaves { "sent" } else { "written" };
    session.remark(&format!("{} {verb}.", count((told.len() - failed(&told)) as u64, "letter")));
    Ok(told)
}

fn failed(told: &[Told]) -> usize {
    told.iter().filter(|one| matches!(one.state, State::Failed | State::Ambiguous)).count()
}

/// An error if a letter did not go out.
pub fn verdict(told: &[Told]) -> Result {
    match failed(told) {
        0 => Ok(()),
        failed => Err(Failure::new(
            Exit::CheckFailed,
            format!("{} not sent: see the reason above", count(failed as u64, "letter")),
        )),
    }
}

impl Record for Told {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("STATE", 3, "state", |told, _| told.state.as_str().into()),
        Column::new("RECIPIENT", 1, "recipient", |told, _| told.recipient.as_str().into()),
        Column::new("ACCOUNT", 2, "account", |told, _| told.account.as_str().into()),
        Column::<Self>::new("KEYS", 5, "keys", |told, _| told.keys.iter().map(ToString::to_string).collect())
            .cell(|told, _| told.keys.len().to_string()),
        Column::new("ANSWER", 4, "answer", |told, _| told.answer.as_str().into()),
    ];

    fn tone(&self, _now: Instant) -> Option<Tone> {
        Some(match self.state {
            State::Sent | State::Written => Tone::Good,
            State::Failed => Tone::Bad,
            _ => Tone::Quiet,
        })
    }
}
