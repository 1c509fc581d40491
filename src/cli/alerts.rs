//! `keyrack alerts`: what somebody should look at.

use clap::{Args, Subcommand};
use serde_json::Value;

use super::failure::{Failure, Result};
use super::key;
use super::output::{Record, Tone, instant, text, when};
use super::session::{Session, insist};
use crate::domain::Instant;
use crate::domain::usage::Severity;
use crate::service::{AlertRequest, RaisedAlert, new_operation};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List alerts, the newest first: those that nobody acknowledged, or all
    #[command(visible_alias = "ls")]
    List(List),
    /// Say that somebody has looked at them
    #[command(visible_alias = "acknowledge")]
    Ack(Ack),
}

#[derive(Debug, Args)]
pub struct List {
    /// Those that were acknowledged too
    #[arg(long)]
    all: bool,
    /// Only those about this key
    #[arg(long, value_name = "ID")]
    key: Option<String>,
    /// Only those about keys of this account
    #[arg(long, value_name = "SLUG")]
    account: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["ids", "all"]))]
pub struct Ack {
    /// The alerts' numbers
    #[arg(value_name = "NUMBER")]
    ids: Vec<i64>,
    /// All that nobody has acknowledged
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
        session.remark(if arguments.all { "There are no alerts." } else { "No alert waits for somebody." });
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
    if session.global.dry_run {
        session.remark(&format!("Would acknowledge {} alerts. Nothing was changed.", ids.len()));
        return Ok(());
    }
    let mut done = 0;
    for some in ids.chunks(BATCH as usize) {
        let operation = new_operation();
        done +=
            insist(|| service.acknowledge_alerts(operation, some)).await.map_err(|failure: Failure| {
                failure.before(&format!("{done} of {} are acknowledged: ", ids.len()))
            })?;
    }
    session.remark(&format!("{done} acknowledged."));
    Ok(())
}

impl Record for RaisedAlert {
    fn heads(wide: bool) -> &'static [&'static str] {
        if wide {
            &[
                "SEVERITY",
                "NUMBER",
                "WHEN",
                "KIND",
                "ACCOUNT",
                "KEY",
                "ID",
                "GATE",
                "WHAT",
                "ACKNOWLEDGED",
                "BY",
            ]
        } else {
            &["SEVERITY", "NUMBER", "WHEN", "ACCOUNT", "WHAT"]
        }
    }

    fn cells(&self, wide: bool, now: Instant) -> Vec<String> {
        let severity = self.alert.severity().as_str().to_owned();
        let raised = when::shown(Some(self.alert.at), wide, now, "");
        let account = self.account.as_deref().unwrap_or_default().to_owned();
        if !wide {
            return vec![severity, self.id.to_string(), raised, account, self.sentence().to_string()];
        }
        vec![
            severity,
            self.id.to_string(),
            raised,
            self.alert.kind().to_owned(),
            account,
            self.preview.as_deref().unwrap_or_default().to_owned(),
            self.alert.key().map(|id| id.to_string()).unwrap_or_default(),
            self.gate.to_string(),
            self.sentence().to_string(),
            when::shown(self.acknowledged_at, wide, now, ""),
            self.acknowledged_by.as_deref().unwrap_or_default().to_owned(),
        ]
    }

    fn tone(&self, _now: Instant) -> Option<Tone> {
        Some(match self.alert.severity() {
            Severity::Critical => Tone::Bad,
            Severity::Warning => Tone::Warning,
            Severity::Info => Tone::Quiet,
        })
    }

    fn fields() -> &'static [&'static str] {
        &[
            "id",
            "at",
            "kind",
            "severity",
            "words",
            "key",
            "name",
            "preview",
            "account",
            "gate",
            "alert",
            "acknowledged_at",
            "acknowledged_by",
        ]
    }

    fn values(&self, _now: Instant) -> Vec<Value> {
        vec![
            self.id.into(),
            instant(Some(self.alert.at)),
            self.alert.kind().into(),
            self.alert.severity().as_str().into(),
            self.sentence().as_str().into(),
            text(self.alert.key().map(|id| id.to_string()).as_deref()),
            text(self.name.as_deref()),
            text(self.preview.as_deref()),
            text(self.account.as_deref()),
            self.gate.as_str().into(),
            serde_json::to_value(&self.alert).unwrap_or(Value::Null),
            instant(self.acknowledged_at),
            text(self.acknowledged_by.as_deref()),
        ]
    }
}
