//! `keyrack report`: what happened since a date.

use std::io::Write as _;

use clap::Args;

use super::failure::{Failure, Result};
use super::output::{Column, Format, Record};
use super::session::Session;
use crate::domain::Instant;
use crate::domain::key::KeyId;
use crate::service::{Happening, Report, Total};

#[derive(Debug, Args)]
#[command(after_help = "For the week's meeting: keyrack report --since 7d -o md\n\
                  For a browser:          keyrack report --since 7d -o html > week.html\n\
                  For a spreadsheet:      keyrack report --since 2026-10-01 --until 2026-11-01 -o csv > october.csv\n\
                  Lists stop after 100 rows and say how many there are; `keyrack key list --filter 'revoked:<7d'` has all.")]
pub struct Arguments {
    /// Start of the report: 7d, 24h, yesterday, 2027-01-31
    #[arg(long, value_name = "TIME", default_value = "7d")]
    since: String,
    /// End of the report [default: now]
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

pub async fn run(arguments: Arguments, session: &Session) -> Result {
    let service = session.service().await?;
    let here = session.here(service.now().await?);
    let read =
        |name: &str, text: &str| here.since(text).map_err(|error| Failure::usage(format!("{name}: {error}")));
    let since = read("--since", &arguments.since)?;
    let until = arguments.until.as_deref().map(|text| read("--until", text)).transpose()?;
    let report = service.report(since, until).await?;
    let text = match session.format() {
        Format::Table | Format::Wide | Format::Markdown => report.markdown(),
        Format::Html => report.html(),
        Format::Json => format!("{}\n", serde_json::to_string_pretty(&report).unwrap_or_default()),
        Format::Ndjson => format!("{}\n", serde_json::to_string(&report).unwrap_or_default()),
        Format::Csv => return session.printer().list(&lines(&report), report.told_at).map(drop),
    };
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| Failure::output(&error))
}

/// One fact of a report, for a spreadsheet.
#[derive(Default)]
struct Fact<'r> {
    part: &'static str,
    what: &'r str,
    count: Option<u64>,
    at: Option<Instant>,
    account: &'r str,
    who: &'r str,
    key: Option<KeyId>,
    details: &'r str,
}

/// A [`Fact`] that stands by itself.
struct Line {
    part: &'static str,
    what: String,
    count: Option<u64>,
    at: Option<Instant>,
    account: String,
    who: String,
    key: Option<KeyId>,
    details: String,
}

impl From<Fact<'_>> for Line {
    fn from(fact: Fact<'_>) -> Self {
        Self {
            part: fact.part,
            what: fact.what.to_owned(),
            count: fact.count,
            at: fact.at,
            account: fact.account.to_owned(),
            who: fact.who.to_owned(),
            key: fact.key,
            details: fact.details.to_owned(),
        }
    }
}

impl Record for Line {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::field(1, "part", |line, _| line.part.into()),
        Column::field(2, "what", |line, _| line.what.as_str().into()),
        Column::field(3, "count", |line, _| line.count.into()),
        Column::field(4, "at", |line, _| line.at.into()),
        Column::field(5, "account", |line, _| line.account.as_str().into()),
        Column::field(6, "who", |line, _| line.who.as_str().into()),
        Column::field(7, "key", |line, _| line.key.map(|key| key.to_string()).into()),
        Column::field(8, "details", |line, _| line.details.as_str().into()),
    ];
}

/// All facts of a report, one a line.
fn lines(report: &Report) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut add = |fact: Fact<'_>| lines.push(fact.into());
    for (what, count) in [
        ("created", report.created.count),
        ("rotated", report.rotated.count),
        ("revoked", report.revoked.count),
        ("paused", report.paused.count),
        ("expired", report.expired),
        ("expiring", report.expiring.count),
        ("alerts", report.alerts.count),
    ] {
        add(Fact { part: "summary", what, count, ..Fact::default() });
    }
    for one in &report.expiring.first {
        let details = if one.planned { "revoked as planned" } else { "" };
        let (what, account, who) = (&*one.name, &*one.account, one.owner.as_deref().unwrap_or_default());
        let (at, key) = (Some(one.at), Some(one.key));
        add(Fact { part: "expiring", what, at, account, who, key, details, count: None });
    }
    let happened: [(&'static str, &[Happening]); 4] = [
        ("revoked", &report.revoked.first),
        ("created", &report.created.first),
        ("rotated", &report.rotated.first),
        ("paused", &report.paused.first),
    ];
    for (part, one) in happened.iter().flat_map(|(part, all)| all.iter().map(move |one| (*part, one))) {
        let (what, account, who) = (&*one.name, &*one.account, &*one.who);
        let details = one.reason.as_deref().unwrap_or_default();
        add(Fact { part, what, at: Some(one.at), account, who, key: one.key, details, count: None });
    }
    for one in &report.alerts.first {
        let account = one.account.as_deref().unwrap_or_default();
        let (at, details) = (Some(one.at), &*one.words);
        add(Fact { part: "alerts", what: one.kind, at, account, details, ..Fact::default() });
    }
    for card in &report.hygiene {
        let details = card.note.or(card.filter.as_deref()).unwrap_or_default();
        add(Fact { part: "hygiene", what: card.card, count: card.count, details, ..Fact::default() });
    }
    for one in &report.accounts.first {
        for (what, count) in counts(one) {
            add(Fact { part: "account", what, count: Some(count), account: &one.name, ..Fact::default() });
        }
    }
    for one in &report.operators.first {
        for (what, count) in counts(one) {
            add(Fact { part: "operator", what, count: Some(count), who: &one.name, ..Fact::default() });
        }
    }
    for one in &report.changes {
        add(Fact { part: "changes", what: &one.what, count: Some(one.count), ..Fact::default() });
    }
    lines
}

/// What somebody did, where it was anything.
fn counts(total: &Total) -> impl Iterator<Item = (&'static str, u64)> {
    let all = [
        ("created", total.created),
        ("rotated", total.rotated),
        ("revoked", total.revoked),
        ("paused", total.paused),
        ("edited", total.edited),
        ("all changes", total.changes),
    ];
    all.into_iter().filter(|(_, count)| *count > 0)
}
