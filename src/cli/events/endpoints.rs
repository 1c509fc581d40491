//! `keyrack events endpoints`: who is told of what happens.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

use super::super::failure::{Failure, Result};
use super::super::output::{Column, Record, Tone};
use super::super::session::{Session, insist};
use crate::domain::Instant;
use crate::domain::endpoint::{Endpoint, Health, NewEndpoint, SecretPlace};
use crate::domain::event::{Event, Kinds};
use crate::domain::text::thousands;
use crate::herald;
use crate::service::new_operation;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List endpoints, how far each has got, and since when one accepts nothing
    #[command(visible_alias = "ls")]
    List,
    /// Add an endpoint: events are sent there, signed
    Add(Add),
    /// Remove an endpoint: it receives no more events
    #[command(visible_alias = "rm")]
    Remove(One),
    /// Send a test event and show the answer
    Test(One),
}

#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("secret").required(true).args(["secret_file", "secret_credential"]),
    after_help = "The secret stays on the machine that sends, in a file of mode 0600 or a systemd credential; only its location is stored in the\n\
                  database. The URL is stored in full: keep secrets out of it.\n\
                  keyrack events endpoints add desk https://hooks.example.com/keyrack --secret-file /etc/keyrack/desk-secret \\\n    \
                      --kinds revoked,leaked,expiring"
)]
pub struct Add {
    /// Its name: lower-case letters, digits and hyphens
    #[arg(value_name = "NAME")]
    name: String,
    /// Where events are sent: https://…, or http:// on this machine
    #[arg(value_name = "URL")]
    url: String,
    /// The file with the secret that events are signed with, on the machine that sends
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// The systemd credential that holds the secret
    #[arg(long, value_name = "NAME")]
    secret_credential: Option<String>,
    /// Only events of these kinds: created, changed, rotated, revoked, paused, resumed, expiring, leaked and others
    #[arg(long, value_name = "KINDS", default_value = "", hide_default_value = true)]
    kinds: Kinds,
    /// Start with this event [default: the next one]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    from: Option<i64>,
}

#[derive(Debug, Args)]
pub struct One {
    /// The endpoint's name
    #[arg(value_name = "NAME")]
    name: String,
}

pub async fn run(command: Command, session: &Session) -> Result {
    match command {
        Command::List => list(session).await,
        Command::Add(arguments) => add(arguments, session).await,
        Command::Remove(one) => remove(one, session).await,
        Command::Test(one) => test(one, session).await,
    }
}

pub async fn list(session: &Session) -> Result {
    let service = session.service().await?;
    let endpoints = service.endpoints().await?;
    let now = service.now().await?;
    session.printer().list(&endpoints, now)?;
    if endpoints.is_empty() && session.format().for_people() {
        session.remark("No endpoints: add one with `keyrack events endpoints add`.");
    }
    Ok(())
}

async fn add(arguments: Add, session: &Session) -> Result {
    let service = session.service().await?;
    let secret = match (arguments.secret_file, arguments.secret_credential) {
        (Some(path), _) => {
            let path = path.to_str().map(str::to_owned);
            SecretPlace::File(path.ok_or_else(|| Failure::usage("the path of --secret-file is not UTF-8"))?)
        }
        (None, name) => SecretPlace::Credential(name.unwrap_or_default()),
    };
    let (operation, name, url) = (new_operation(), arguments.name, arguments.url);
    let new = NewEndpoint { name, url, kinds: arguments.kinds, secret, from: arguments.from };
    let added = insist(|| service.add_endpoint(operation, new.clone())).await?;
    let now = service.now().await?;
    session.outcome().one(&added, now)?;
    if !session.settled(false, || format!("add the endpoint {}", added.name)) {
        session.remark(
            "Added. Send it a first event with `keyrack events endpoints test`; `keyrack events send` sends what happens.",
        );
    }
    Ok(())
}

async fn remove(one: One, session: &Session) -> Result {
    let service = session.service().await?;
    let operation = new_operation();
    insist(|| service.remove_endpoint(operation, &one.name)).await?;
    if !session.settled(false, || format!("remove the endpoint {}", one.name)) {
        session.remark("Removed: it receives no more events.");
    }
    if session.global.dry_run {
        return Ok(());
    }
    session.printer().facts(&[("removed", one.name.into())])
}

async fn test(one: One, session: &Session) -> Result {
    let service = session.service().await?;
    let address = service.endpoint_address(&one.name).await?;
    let (who, now) = (service.whoami().await?, service.now().await?);
    let event = Event::test(now, &who.identity.name, &who.identity.host, new_operation());
    if session.global.dry_run {
        session.remark(&format!("It would be sent to {}: {}", one.name, event.line()));
        return Ok(());
    }
    let id = event.id.clone();
    match herald::test(&address, event, now).await {
        Ok(status) => {
            session.remark(&format!("{} accepted it: it answered {status}.", one.name));
            session.printer().facts(&[
                ("name", one.name.into()),
                ("id", id.into()),
                ("status", status.into()),
            ])
        }
        Err(why) => Err(Failure::check(format!("{} did not accept it: {why}", one.name))),
    }
}

impl Record for Endpoint {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::new("NAME", 1, "name", |one, _| one.name.as_str().into()).whole(),
        Column::<Self>::new("STATE", 2, "state", |one, now| {
            let state: &str = one.health(now).into();
            state.into()
        })
        .whole(),
        Column::new("ADDRESS", 3, "address", |one, _| one.place.as_str().into()),
        Column::<Self>::new("KINDS", 4, "kinds", |one, _| one.kinds.split_whitespace().collect())
            .cell(|one, _| if one.kinds.is_empty() { "all".into() } else { one.kinds.to_string() }),
        Column::new("NEXT", 5, "next", |one, _| one.next.into()),
        Column::<Self>::new("BEHIND", 6, "behind", |one, _| one.behind.into())
            .cell(|one, _| thousands(one.behind.unsigned_abs())),
        Column::<Self>::new("LAST TOOK", 7, "taken_at", |one, _| one.taken_at.into()).missing("never"),
        Column::new("FAILING SINCE", 8, "failing_since", |one, _| one.failing_since.into()),
        Column::wide("TRIED AGAIN", 9, "retry_at", |one, _| one.retry_at.into()),
        Column::wide("TRIES", 10, "tries", |one, _| one.tries.into()),
        Column::new("ANSWER", 11, "answer", |one, _| one.answer.as_deref().into()),
        Column::wide("SECRET", 12, "secret", |one, _| one.secret.as_str().into()),
        Column::wide("ADDED", 13, "created_at", |one, _| one.created_at.into()),
        Column::wide("ADDED BY", 14, "created_by", |one, _| one.created_by.as_str().into()),
    ];

    fn tone(&self, now: Instant) -> Option<Tone> {
        Some(match self.health(now) {
            Health::Current => Tone::Good,
            Health::Behind => Tone::Quiet,
            Health::Retrying => Tone::Warning,
            Health::Failing => Tone::Bad,
        })
    }
}
