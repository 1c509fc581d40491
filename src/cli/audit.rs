//! `keyrack audit`: the record of every change.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use super::failure::{Failure, Result};
use super::output::{Column, Format, Record, Tone, object, when};
use super::session::Session;
use super::{filter, restored};

mod anchor;
mod lanes;

use crate::domain::Instant;
use crate::domain::audit::finding::{Finding, Findings};
use crate::domain::audit::{Entry, Verdict};
use crate::domain::text::{SafeText, hex, thousands};
use crate::service::{AuditRequest, Compared, Part, Service, new_operation};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List changes, newest first
    #[command(visible_alias = "ls")]
    List(List),
    /// Verify the hash chain of the audit, and that the tables and the schema match it. Only --anchors or
    /// --expect can show that the whole chain was rewritten
    Verify(Verify),
    /// Sign the newest row of the audit and store the signature outside the database: in a file, a syslog or a
    /// webhook
    Anchor(anchor::Anchor),
    /// Create the key that signs anchors, and print its public key
    AnchorKey(anchor::MakeKey),
    /// Show or raise how many changes may commit at the same time, on PostgreSQL; 1 at first
    Lanes(lanes::Lanes),
    /// List the revocations that a restored backup undid, as this machine remembers them; `key revoke
    /// --undone` revokes those keys again
    Undone(Undone),
    /// Accept a restored database as it is, including what the restore undid
    Accept(Accept),
}

#[derive(Debug, Args)]
pub struct Undone {
    /// The memory file of another machine or gate; `doctor` shows its path there
    #[arg(long, value_name = "FILE")]
    memory: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Accept {
    /// Why; kept in the audit
    #[arg(short, long, visible_alias = "note", value_name = "TEXT", allow_hyphen_values = true)]
    reason: Option<String>,
    /// Declare this machine's clock right, although it is far from the newest change: Keyrack follows it from now on
    #[arg(long)]
    clock: bool,
}

impl Command {
    /// Whether it says by itself that the database went back.
    pub fn tells_history(&self) -> bool {
        matches!(self, Self::Undone(_) | Self::Accept(_))
    }
}

#[derive(Debug, Args)]
pub struct List {
    /// Conditions that must all hold: actor:ada action:key.revoke account:acme key:ID at:<7d (also a day, or at:>2027-01-31
    /// and at:<2027-02-07 together); other words are looked for in subject and detail
    #[arg(short, long, value_name = "FILTER", allow_hyphen_values = true)]
    filter: Option<String>,
    /// At most this many rows; 0 for all. Default for a table on a terminal: 50
    #[arg(short, long, value_name = "N")]
    limit: Option<u64>,
    /// Only rows before this number
    #[arg(long, value_name = "SEQ")]
    before: Option<i64>,
}

#[derive(Debug, Args)]
pub struct Verify {
    /// A row and hash noted earlier, as `audit verify` prints them: the chain must still hold that row, unchanged
    #[arg(long, value_name = "SEQ:HASH", value_parser = head)]
    expect: Option<(i64, String)>,
    #[command(flatten)]
    anchors: anchor::Anchors,
}

pub async fn run(command: Command, session: &Session) -> Result {
    if let Command::AnchorKey(arguments) = &command {
        return anchor::make_key(arguments, session);
    }
    let service = session.service().await?;
    match command {
        Command::List(list) => self::list(list, service, session).await,
        Command::Verify(verify) => self::verify(verify, service, session).await,
        Command::Anchor(arguments) => anchor::anchor(&arguments, service, session).await,
        Command::AnchorKey(_) => Ok(()),
        Command::Lanes(arguments) => lanes::lanes(&arguments, service, session).await,
        Command::Undone(undone) => restored::list(undone.memory.as_deref(), service, session).await,
        Command::Accept(accept) if accept.clock => {
            let at = service.accept_clock(new_operation(), accept.reason.as_deref()).await?;
            session.remark(&format!("It is {}, and recorded in the audit.", when::exact(at)));
            Ok(())
        }
        Command::Accept(accept) => restored::accept(accept.reason.as_deref(), service, session).await,
    }
}

async fn list(list: List, service: &Service, session: &Session) -> Result {
    let filter = filter::audit(&list.filter.unwrap_or_default(), session)?;
    let filter = &filter;
    let read = |last: Option<Entry>, limit| async move {
        let before = last.map(|last| last.seq).or(list.before);
        service.audit(&AuditRequest { filter: filter.clone(), before, limit }).await
    };
    let wanted = session.format().rows(list.limit);
    let (printed, last) = session.printer().pages(wanted, service.now().await?, read).await?;
    if let Some(last) = last {
        session.remark(&format!(
            "There may be older rows than these {printed}: continue with --before {}, or see all with --limit 0",
            last.seq
        ));
    }
    Ok(())
}

async fn verify(verify: Verify, service: &Service, session: &Session) -> Result {
    let bar = if session.global.quiet { ProgressBar::hidden() } else { ProgressBar::new(0) };
    let style = ProgressStyle::with_template("{bar:30} {human_pos}/{human_len} {prefix}, {per_sec}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let compared = service.compare_audit(|part, done, of| {
        bar.set_length(of.unsigned_abs());
        bar.set_position(done.unsigned_abs());
        bar.set_prefix(match part {
            Part::Chain => "rows checked",
            Part::Keys => "keys compared",
        });
    });
    let compared = compared.await;
    bar.finish_and_clear();
    let Compared { verdict, mut findings, keys, left } = compared?;
    let anchored = verify.anchors.check(service, session, &mut findings).await?;
    if let Some(left) = left {
        session.remark(&format!("Not everything was compared: {left}"));
    }
    let (rows, head) = match verdict {
        Verdict::Intact { rows, head } => (rows, hex(&head)),
        Verdict::Broken { seq, why } => {
            let facts = [("row", seq.into()), ("why", why.to_string().into())];
            tell(&facts, &findings, session)?;
            return Err(Failure::check(format!(
                "the audit is broken at row {seq}: {why}. Compare with a backup, and look at who has access to the \
                 database{}",
                also(&findings)
            )));
        }
    };
    if let Some((seq, expected)) = &verify.expect {
        expect(*seq, expected, rows, service).await?;
    }
    if findings.count > 0 {
        tell(&[("rows", rows.into()), ("head", head.into())], &findings, session)?;
        return Err(Failure::check(format!(
            "the audit's chain is intact, but not everything agrees with it{}",
            also(&findings)
        )));
    }
    let mut facts = vec![("intact", Value::from(true)), ("rows", rows.into()), ("head", head.clone().into())];
    if let Some(series) = &anchored {
        facts.push(("anchors", series.anchors.len().into()));
        facts.push(("anchored", series.anchors.last().map(|anchor| anchor.seq).into()));
    }
    match session.format().for_people() {
        true => print(&format!("{rows}:{head}"))?,
        false => session.printer().facts(&facts)?,
    }
    if let Some(series) = &anchored {
        verify.anchors.tell(series, rows, session);
    }
    session.remark(&format!(
        "Audit intact: {} rows verified, and {} keys, the other tables and the schema agree with it. Note the head down \
         elsewhere; --expect checks it later.",
        thousands(rows.unsigned_abs()),
        thousands(keys)
    ));
    Ok(())
}

/// Tells where tables and audit disagree: a list, or part of one object with the facts.
fn tell(facts: &[(&'static str, Value)], findings: &Findings, session: &Session) -> Result {
    let mut all = vec![("intact", Value::from(false))];
    all.extend_from_slice(facts);
    if findings.count == 0 {
        return session.printer().facts(&all);
    }
    let now = session.clock.now();
    match session.format() {
        Format::Json | Format::Ndjson => {
            let list = findings.kept.iter().map(|finding| object(finding, now)).collect::<Vec<_>>();
            all.extend([("found", findings.count.into()), ("findings", list.into())]);
            session.printer().facts(&all)?;
        }
        Format::Table | Format::Wide | Format::Csv | Format::Markdown | Format::Html => {
            session.printer().list(&findings.kept, now)?;
        }
    }
    if session.format().for_people() {
        let mut told = Vec::new();
        for finding in &findings.kept {
            if !told.contains(&finding.kind.cure()) {
                told.push(finding.kind.cure());
                super::say(&format!("{}: {}", finding.kind.as_str(), finding.kind.cure()));
            }
        }
        let more = findings.count - findings.kept.len() as u64;
        if more > 0 {
            super::say(&format!("{} more are not shown.", thousands(more)));
        }
    }
    Ok(())
}

/// What the findings add to a failure.
fn also(findings: &Findings) -> String {
    match findings.count {
        0 => String::new(),
        1 => ": there is 1 finding; see above for what helps".into(),
        many => format!(": there are {} findings; see above for what helps", thousands(many)),
    }
}

/// Looks whether the chain still holds a row that was noted down earlier.
async fn expect(seq: i64, hash: &str, rows: i64, service: &Service) -> Result {
    let request = AuditRequest { before: Some(seq.saturating_add(1)), limit: 1, ..AuditRequest::default() };
    let found = service.audit(&request).await?.pop().filter(|entry| entry.seq == seq);
    match found {
        Some(entry) if entry.hash == hash => Ok(()),
        Some(_) => Err(Failure::check(format!(
            "row {seq} of the audit is not the one that was noted: the chain was rewritten"
        ))),
        None => Err(Failure::check(format!(
            "row {seq} of the audit is gone, there are {rows}: the chain was cut off or rewritten"
        ))),
    }
}

fn print(text: &str) -> Result {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(|error| Failure::output(&error))
}

fn head(text: &str) -> std::result::Result<(i64, String), String> {
    let wrong = || {
        "write the row's number, a colon and 64 hexadecimal digits, as `audit verify` prints them".to_owned()
    };
    let (seq, hash) = text.split_once(':').ok_or_else(wrong)?;
    let seq = seq.parse().map_err(|_| wrong())?;
    if hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    Ok((seq, hash.to_ascii_lowercase()))
}

impl Record for Finding {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::new("KIND", 1, "kind", |finding, _| finding.kind.as_str().into()).whole(),
        Column::<Self>::new("SUBJECT", 2, "subject", |finding, _| finding.subject.as_str().into()).whole(),
        Column::new("THE AUDIT SAYS", 3, "audit", |finding, _| finding.audit.as_str().into()),
        Column::new("THE DATABASE SAYS", 4, "table", |finding, _| finding.table.as_str().into()),
        Column::field(5, "cure", |finding, _| finding.kind.cure().into()),
    ];

    fn tone(&self, _now: Instant) -> Option<Tone> {
        Some(Tone::Bad)
    }
}

impl Record for Entry {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::new("SEQ", 1, "seq", |entry, _| entry.seq.into()).whole(),
        Column::new("AT", 2, "at", |entry, _| entry.at.into()),
        Column::new("ACTOR", 3, "actor", |entry, _| entry.actor.as_str().into()),
        Column::wide("HOST", 4, "host", |entry, _| entry.host.as_str().into()),
        Column::wide("CLAIMED CLIENT", 5, "client", |entry, _| entry.client.as_deref().into()),
        Column::<Self>::wide("PERSON", 14, "person", |entry, _| {
            serde_json::to_value(&entry.person).unwrap_or_default().into()
        })
        .cell(|entry, _| entry.person.to_string()),
        Column::new("ACTION", 7, "action", |entry, _| entry.action.as_str().into()),
        Column::new("ACCOUNT", 9, "account", |entry, _| entry.account.as_deref().into()),
        Column::<Self>::new("SUBJECT", 8, "subject", |entry, _| entry.subject.as_str().into())
            .cell(|entry, _| entry.about().to_string()),
        Column::wide("KEY", 10, "key", |entry, _| entry.key.map(|key| key.to_string()).into()),
        Column::field(13, "name", |entry, _| entry.name.as_deref().into()),
        Column::<Self>::wide("DETAIL", 11, "detail", |entry, _| {
            serde_json::from_str(&entry.detail)
                .map_or_else(|_| entry.detail.as_str().into(), |tree| clean(tree).into())
        })
        .cell(|entry, _| entry.detail.to_string()),
        Column::wide("OPERATION", 6, "operation", |entry, _| entry.operation.to_string().into()),
        Column::wide("HASH", 12, "hash", |entry, _| entry.hash.as_str().into()),
    ];
}

/// The same value with every text in it cleaned: what is escaped in JSON becomes itself when it is read.
fn clean(value: Value) -> Value {
    let safe = |text: String| SafeText::new(text).to_string();
    match value {
        Value::String(text) => Value::String(safe(text)),
        Value::Array(items) => items.into_iter().map(clean).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (safe(name), clean(value))).collect()
        }
        plain => plain,
    }
}
