//! `keyrack approval`: changes of many keys that a second person has to approve.

use clap::{Args, Subcommand};

use super::failure::{Exit, Failure, Result};
use super::output::{Column, Record, Tone};
use super::session::{Session, insist};
use super::{prompt, say};
use crate::domain::Instant;
use crate::domain::approval::{Approval, Wish};
use crate::domain::key::Key;
use crate::domain::text::thousands;
use crate::domain::when::in_a_sentence;
use crate::service::{ApprovalPage, Decision, new_operation};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List requests that wait for a second person, newest first; --all for all
    #[command(visible_alias = "ls")]
    List(List),
    /// Show the keys of a request, and what has changed since it was made
    Show(Number),
    /// Approve another operator's request and carry it out
    Approve(Number),
    /// Decline a request: nothing is done
    Decline(Number),
    /// In an emergency, carry out your own request alone: the audit says so, and an alert is raised
    Override(Override),
}

#[derive(Debug, Args)]
pub struct List {
    /// Include decided and lapsed requests
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Args)]
pub struct Number {
    /// The request's number
    #[arg(value_name = "NUMBER")]
    n: i64,
}

#[derive(Debug, Args)]
pub struct Override {
    #[command(flatten)]
    number: Number,
    /// Why it can't wait for a second person; for the audit and the alert
    #[arg(short, long, value_name = "TEXT", allow_hyphen_values = true)]
    reason: String,
}

/// Keys that a person is shown before the question.
const SHOWN: usize = 20;

pub async fn run(command: Command, session: &Session) -> Result {
    match command {
        Command::List(arguments) => list(arguments, session).await,
        Command::Show(number) => show(number.n, session).await,
        Command::Approve(number) => decide(number.n, Decision::Approve, session).await,
        Command::Decline(number) => decide(number.n, Decision::Decline, session).await,
        Command::Override(arguments) => {
            decide(arguments.number.n, Decision::Override(arguments.reason), session).await
        }
    }
}

async fn list(arguments: List, session: &Session) -> Result {
    let service = session.service().await?;
    let found = service.approvals(arguments.all).await?;
    session.printer().list(&found, service.now().await?)?;
    if found.is_empty() {
        session.remark(if arguments.all {
            "Nobody has asked for approval."
        } else {
            "No request waits for approval."
        });
    }
    Ok(())
}

/// A key of a request.
struct Touched {
    key: Key,
    changed: Option<&'static str>,
}

async fn show(n: i64, session: &Session) -> Result {
    let service = session.service().await?;
    let ApprovalPage { approval, keys, changed, now } = service.approval(n).await?;
    tell(&approval, now, session);
    let touched: Vec<Touched> =
        keys.into_iter().map(|key| Touched { changed: changed.get(&key.id).copied(), key }).collect();
    session.printer().list(&touched, now).map(drop)
}

fn tell(approval: &Approval, now: Instant, session: &Session) {
    let why = approval.reason.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    let state = match (approval.state(now), &approval.decided_by) {
        ("waiting", _) => format!("it waits until {}", in_a_sentence(approval.ends_at)),
        (state, Some(by)) => format!("{state} by {by}"),
        (state, None) => state.to_owned(),
    };
    session.remark(&format!(
        "Request {}: {} asks to {}{why}; {state}.",
        approval.n,
        approval.asked_by,
        approval.what()
    ));
    if let Some(how) = approval.wish.as_ref().and_then(Wish::how) {
        session.remark(&format!("How: {how}."));
    }
}

async fn decide(n: i64, decision: Decision, session: &Session) -> Result {
    let service = session.service().await?;
    let page = service.approval(n).await?;
    let declines = decision == Decision::Decline;
    let what = page.approval.what();
    let as_asked = page.keys.len().saturating_sub(page.changed.len());
    if session.global.dry_run {
        tell(&page.approval, page.now, session);
        service.may_decide(&page.approval, &decision).await?;
        let (verb, keys) = (page.approval.verb.as_str(), thousands(as_asked as u64));
        say(&match (declines, verb) {
            (true, _) => format!("Would decline request {n}: no key would be changed. Nothing was decided."),
            (_, "rotate") => {
                format!("Would let {} rotate {keys} keys. Nothing was decided.", page.approval.asked_by)
            }
            _ => format!("Would {verb} {keys} keys. Nothing was changed."),
        });
        return Ok(());
    }
    if prompt::must_ask(&session.global) && !declines {
        tell(&page.approval, page.now, session);
        for key in page.keys.iter().take(SHOWN) {
            let changed = page.changed.get(&key.id).map(|how| format!("  {how} since: left as it is"));
            say(&format!(
                "  {}  {:?}  account {}  {}{}",
                key.preview,
                key.name.as_str(),
                key.account,
                key.status(page.now).as_str(),
                changed.unwrap_or_default()
            ));
        }
        if let Some(more) = page.keys.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            say(&format!("  … and {} more: `keyrack approval show {n}`", thousands(more as u64)));
        }
        let question = match &decision {
            Decision::Override(_) => format!("Without a second person, {what}"),
            _ => format!("Approve: {what}"),
        };
        if !prompt::confirm_number(&session.global, &question, page.keys.len()).await? {
            return Err(Failure::new(Exit::Failure, "nothing was decided"));
        }
    }
    let operation = new_operation();
    let done = insist(|| service.decide(operation, n, decision.clone())).await?;
    let now = service.now().await?;
    session.printer().list(std::slice::from_ref(&done.approval), now)?;
    let left = match done.left.len() {
        0 => String::new(),
        many => format!(" {} changed meanwhile and were left as they are.", thousands(many as u64)),
    };
    session.remark(&match (&decision, done.approval.verb.as_str()) {
        (Decision::Decline, _) => format!("Declined request {n}. Nothing was changed."),
        (_, "rotate") => format!(
            "Request {n} is {}: {} rotates these keys with the same command until {}.",
            done.approval.state(now),
            done.approval.asked_by,
            in_a_sentence(done.approval.ends_at)
        ),
        (_, verb) => format!("Carried out: {verb} {} keys.{left}", thousands(done.keys.len() as u64)),
    });
    Ok(())
}

impl Record for Approval {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::new("NUMBER", 1, "n", |one, _| one.n.into()).whole(),
        Column::new("STATE", 2, "state", |one, now| one.state(now).into()),
        Column::new("ACTION", 3, "verb", |one, _| one.verb.as_str().into()),
        Column::new("KEYS", 4, "keys", |one, _| one.keys.into()),
        Column::new("ASKED BY", 5, "asked_by", |one, _| one.asked_by.as_str().into()),
        Column::new("ASKED", 6, "asked_at", |one, _| one.asked_at.into()),
        Column::new("UNTIL", 7, "ends_at", |one, _| one.ends_at.into()),
        Column::new("REASON", 8, "reason", |one, _| one.reason.as_deref().into()),
        Column::wide("DECIDED BY", 9, "decided_by", |one, _| one.decided_by.as_deref().into()),
        Column::wide("DECIDED", 10, "decided_at", |one, _| one.decided_at.into()),
        Column::wide("OVERRIDE", 11, "override_reason", |one, _| one.override_reason.as_deref().into()),
        Column::field(12, "wish", |one, _| serde_json::to_value(&one.wish).unwrap_or_default().into()),
    ];

    fn tone(&self, now: Instant) -> Option<Tone> {
        self.waits(now).then_some(Tone::Warning)
    }
}

impl Record for Touched {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("NAME", 2, "name", |one, _| one.key.name.as_str().into()),
        Column::new("ACCOUNT", 3, "account", |one, _| one.key.account.as_str().into()),
        Column::new("PREVIEW", 4, "preview", |one, _| one.key.preview.as_str().into()),
        Column::new("STATUS", 5, "status", |one, now| one.key.status(now).as_str().into()),
        Column::new("LAST USED", 6, "last_used_at", |one, _| one.key.last_used_at.into()),
        Column::new("SINCE IT WAS ASKED", 7, "changed", |one, _| one.changed.into()),
        Column::<Self>::new("ID", 1, "id", |one, _| one.key.id.to_string().into()).whole(),
    ];

    fn tone(&self, _now: Instant) -> Option<Tone> {
        self.changed.map(|_| Tone::Warning)
    }
}
