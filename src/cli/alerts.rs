//! `keyrack alerts`: what somebody should look at.

use clap::{Args, Subcommand};

use super::failure::{Failure, Result};
use super::key;
use super::output::{Column, Record, Tone};
use super::session::{Session, insist};
use crate::domain::Instant;
use crate::domain::usage::Severity;
use crate::service::{AlertRequest, RaisedAlert, new_operation};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List alerts that nobody has acknowledged, newest first; --all for all
    #[command(visible_alias = "ls")]
    List(List),
    /// Acknowledge alerts: somebody has looked at them
    #[command(visible_alias = "acknowledge")]
    Ack(Ack),
}

#[derive(Debug, Args)]
pub struct List {
    /// Include acknowledged alerts
    #[arg(long)]
    all: bool,
    /// Only those about this key
    #[arg(long, value_name = "ID")]
    key: Option<String>,
    /// Only those about keys of this account
    #[arg(long, value_name = "SLUG")]
    account: Option<String>,
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["ids", "all"]))]
pub struct Ack {
    /// The alerts' numbers
    #[arg(value_name = "NUMBER")]
    ids: Vec<i64>,
    /// All alerts that nobody has acknowledged
    #[arg(long)]
    all: bool,
}

/// Alerts that are acknowledged in one transaction.
const BATCH: u32 = 500;

pub async fn run(command: Command, session: &Session) -> Result {
    match command {
        Command::List(arguments) => list(arguments, session).await,
        Command::Ack(arguments) => acknowledge(arguments, session).await,
    }
}

async fn list(arguments: List, session: &Session) -> Result {
    let service = session.service().await?;
    let key = match &arguments.key {
        Some(text) => Some(key::the_key(service, text).await?.id),
        None => None,
    };
    let request = AlertRequest {
        open: !arguments.all,
        key,
        account: arguments.account,
        before: None,
        limit: arguments.limit,
    };
    let alerts = service.alerts(&request).await?;
    let now = service.now().await?;
    session.printer().list(&alerts, now)?;
    if alerts.is_empty() {
        session.remark(if arguments.all {
            "There are no alerts."
        } else {
            "No alert waits to be acknowledged."
        });
    }
    Ok(())
}

async fn acknowledge(arguments: Ack, session: &Session) -> Result {
    let service = session.service().await?;
    let mut ids = arguments.ids;
    if arguments.all {
        let mut before = None;
        loop {
            let request = AlertRequest { open: true, before, limit: BATCH, ..AlertRequest::default() };
            let page = service.alerts(&request).await?;
            before = page.last().map(|alert| alert.id);
            ids.extend(page.iter().map(|alert| alert.id));
            if page.len() < BATCH as usize {
                break;
            }
        }
    }
    let mut done = 0;
    for some in ids.chunks(BATCH as usize) {
        let operation = new_operation();
        done +=
            insist(|| service.acknowledge_alerts(operation, some)).await.map_err(|failure: Failure| {
                if done == 0 && failure.unchanged {
                    return failure;
                }
                failure.before(&format!("{done} of {} are acknowledged: ", ids.len()))
            })?;
    }
    if !session.settled(done == 0, || format!("acknowledge {done} alerts")) && done > 0 {
        session.remark(&format!("{done} acknowledged."));
    }
    if session.global.dry_run {
        return Ok(());
    }
    session.printer().facts(&[("acknowledged", done.into())])
}

impl Record for RaisedAlert {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("SEVERITY", 4, "severity", |raised, _| raised.alert.severity().as_str().into()),
        Column::new("NUMBER", 1, "id", |raised, _| raised.id.into()),
        Column::new("WHEN", 2, "at", |raised, _| raised.alert.at.into()),
        Column::wide("KIND", 3, "kind", |raised, _| raised.alert.kind().into()),
        Column::new("ACCOUNT", 9, "account", |raised, _| raised.account.as_deref().into()),
        Column::field(7, "name", |raised, _| raised.name.as_deref().into()),
        Column::wide("KEY", 8, "preview", |raised, _| raised.preview.as_deref().into()),
        Column::wide("ID", 6, "key", |raised, _| raised.alert.key().map(|id| id.to_string()).into()),
        Column::wide("GATE", 10, "gate", |raised, _| raised.gate.as_str().into()),
        Column::new("WHAT", 5, "words", |raised, _| raised.sentence().to_string().into()),
        Column::field(11, "alert", |raised, _| {
            serde_json::to_value(&raised.alert).unwrap_or_default().into()
        }),
        Column::wide("ACKNOWLEDGED", 12, "acknowledged_at", |raised, _| raised.acknowledged_at.into()),
        Column::wide("BY", 13, "acknowledged_by", |raised, _| raised.acknowledged_by.as_deref().into()),
    ];

    fn tone(&self, _now: Instant) -> Option<Tone> {
        Some(match self.alert.severity() {
            Severity::Critical => Tone::Bad,
            Severity::Warning => Tone::Warning,
            Severity::Info => Tone::Quiet,
        })
    }
}
