//! `keyrack expiring`: what stops working next, as a list or as a calendar.

use std::io::{self, BufWriter, Write as _};

use clap::Args;

use super::failure::{Failure, Result};
use super::filter;
use super::key::list;
use super::output::Shape;
use super::session::Session;
use crate::domain::calendar;
use crate::domain::key::Key;
use crate::domain::query::{Column, Direction, Query, Sort};
use crate::domain::when::Span;
use crate::service::From;

#[derive(Debug, Args)]
#[command(after_help = "To import into a calendar:     keyrack expiring --ics > keys.ics\n\
                  For a subscription, from cron: keyrack expiring --within 1y --ics > /srv/www/keys.ics\n\
                  Each key is one event with a fixed UID: importing again updates it.")]
pub struct Arguments {
    /// How far to look ahead: 30d, 12w, 6mo, 1y
    #[arg(long, value_name = "TIME", default_value = "90d", value_parser = span)]
    within: Span,
    /// Only keys that also match this filter, such as account:acme
    #[arg(short, long, value_name = "FILTER", allow_hyphen_values = true)]
    filter: Option<String>,
    /// Write a calendar (iCalendar, RFC 5545) with an event and a reminder a week before for each key
    #[arg(long, conflicts_with_all = ["columns", "bom", "limit"])]
    ics: bool,
    /// At most this many keys; 0 for all. Default for a table on a terminal: 50
    #[arg(short, long, value_name = "N")]
    limit: Option<u64>,
    #[command(flatten)]
    shape: Shape,
}

pub async fn run(arguments: Arguments, session: &Session) -> Result {
    let besides = arguments.filter.as_deref().map(|text| filter::query(text, session)).transpose()?;
    let query = Query::stopping_within(arguments.within).and(besides.unwrap_or_default());
    let service = session.service().await?;
    if arguments.ics {
        return write(&query, session).await;
    }
    let wanted = session.format().rows(arguments.limit);
    let sort = Sort { column: Column::Expires, direction: Direction::Ascending };
    let printer = arguments.shape.of::<Key, _>(session.printer())?;
    let (printed, next) = list::print(printer, service, &query, sort, From::Start, wanted).await?;
    if next.is_some() {
        session.remark("More keys follow: see all with --limit 0");
    } else if printed == 0 && session.format().for_people() {
        session.remark(&format!("Nothing expires within {}.", arguments.within));
    }
    Ok(())
}

/// Writes the calendar, a page of keys at a time.
async fn write(query: &Query, session: &Session) -> Result {
    let service = session.service().await?;
    let now = service.now().await?;
    let mut out = BufWriter::new(io::stdout());
    let failed = |error: io::Error| Failure::output(&error);
    out.write_all(calendar::begin().as_bytes()).map_err(failed)?;
    service
        .each_key(query, |key| match calendar::event(&key, now) {
            Some(event) => out.write_all(event.as_bytes()).map_err(failed),
            None => Ok(()),
        })
        .await?;
    out.write_all(calendar::end().as_bytes()).and_then(|()| out.flush()).map_err(failed)
}

fn span(text: &str) -> std::result::Result<Span, String> {
    let span = Span::parse(text).map_err(|error| error.to_string())?;
    if !span.is_ahead() {
        return Err("the time must be longer than 0: write 30d, 12w, 6mo, 1y".into());
    }
    Ok(span)
}
