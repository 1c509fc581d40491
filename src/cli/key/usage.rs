//! `keyrack key usage`: what keys were used for, all together, as gates have counted it.

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};

use super::super::failure::{Failure, Result};
use super::super::output::{Column, Record};
use super::super::session::Session;
use super::which::{self, Which};
use crate::domain::Instant;
use crate::domain::usage::Counts;

#[derive(Debug, Args)]
#[command(group = which::needed(&[]))]
pub struct Arguments {
    #[command(flatten)]
    which: Which,
    /// How far back, or since which day or time. By default gates keep counts for 35 days
    #[arg(long, value_name = "TIME", default_value = "24h")]
    since: String,
    /// The time that each line covers
    #[arg(long, value_enum, value_name = "SPAN", default_value = "hour")]
    by: By,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum By {
    Minute,
    Hour,
    Day,
}

impl By {
    fn minutes(self) -> i64 {
        match self {
            Self::Minute => 1,
            Self::Hour => 60,
            Self::Day => 24 * 60,
        }
    }
}

/// The use of a key in one span of time, in UTC.
pub struct Span {
    from: Instant,
    counts: Counts,
}

pub async fn run(arguments: Arguments, session: &Session) -> Result {
    let service = session.service().await?;
    let chosen = arguments.which.choose(service, session).await?;
    let now = service.now().await?;
    let since = session.here(now).since(&arguments.since);
    let since = since.map_err(|error| Failure::usage(format!("--since: {error}")))?;
    let minutes = service.usage(&chosen.ids(), since).await?.into_values().flatten();
    let mut spans: BTreeMap<i64, Counts> = BTreeMap::new();
    for one in minutes {
        spans.entry(one.minute.div_euclid(arguments.by.minutes())).or_default().merge(one.counts);
    }
    let from =
        |number: i64| Instant::from_timestamp_secs(number * arguments.by.minutes() * 60).unwrap_or_default();
    let spans: Vec<Span> =
        spans.into_iter().map(|(number, counts)| Span { from: from(number), counts }).collect();
    session.printer().list(&spans, now)?;
    if spans.is_empty() {
        session.remark(&format!(
            "No gate has counted a request with {} in that time.",
            if chosen.keys.len() == 1 { "this key" } else { "these keys" }
        ));
    }
    Ok(())
}

impl Record for Span {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::new("FROM", 1, "from", |span, _| span.from.into())
            .cell(|span, look| look.zone.exact(span.from)),
        Column::new("ALLOWED", 2, "allowed", |span, _| span.counts.allowed.into()),
        Column::new("REFUSED", 3, "refused", |span, _| span.counts.refused.into()),
        Column::new("LIMITED", 4, "limited", |span, _| span.counts.limited.into()),
    ];
}
