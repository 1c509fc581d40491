//! `keyrack incident`: what happened, ready to be pasted into a ticket.

use std::io::Write as _;

use clap::{Args, Subcommand};
use uuid::Uuid;

use super::failure::{Failure, Result};
use super::output::Format;
use super::session::Session;
use super::{filter, say};
use crate::service::IncidentOrder;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Report an incident as Markdown or JSON: keys, decisions, requests that passed, gates, and who was notified
    Report(Report),
}

#[derive(Debug, Args)]
pub struct Report {
    /// When the keys were exposed; the report covers everything since then [default: 24h, or 24h before the
    /// operation]
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Report on the keys that match this filter. Default: those about which something was decided
    #[arg(short, long, value_name = "FILTER", allow_hyphen_values = true)]
    filter: Option<String>,
    /// Report on the keys of this operation, named by its ID in the audit
    #[arg(long, value_name = "ID", conflicts_with = "filter")]
    operation: Option<Uuid>,
}

pub async fn run(command: Command, session: &Session) -> Result {
    let Command::Report(arguments) = command;
    let json = match session.format() {
        Format::Table | Format::Wide | Format::Markdown => false,
        Format::Json => true,
        Format::Ndjson | Format::Csv | Format::Html => {
            return Err(Failure::usage("this report is Markdown or JSON: -o md or -o json"));
        }
    };
    let service = session.service().await?;
    let here = session.here(service.now().await?);
    let since = arguments.since.map(|text| here.since(&text)).transpose();
    let since = since.map_err(|error| Failure::usage(format!("--since: {error}")))?;
    let filter = arguments.filter.as_deref().map(|text| filter::narrowing(text, session)).transpose()?;
    let order = IncidentOrder { since, filter, keys: None, operation: arguments.operation };
    let incident = service.incident(&order).await?;
    let text = match json {
        true => format!("{}\n", serde_json::to_string_pretty(&incident).unwrap_or_default()),
        false => incident.markdown(),
    };
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| Failure::output(&error))?;
    if incident.keys.is_empty() && !session.global.quiet {
        say(
            "Nothing was decided about any key since then: name the keys with --filter, or give an earlier --since.",
        );
    }
    Ok(())
}
