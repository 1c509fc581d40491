//! `keyrack leak sweep`: whose secrets are in this, and an end to those that work.

use std::collections::HashSet;
use std::io::IsTerminal;
use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use super::super::failure::{Exit, Failure, Result};
use super::super::key::receipt::Gates;
use super::super::key::tell;
use super::super::session::{Session, insist};
use super::super::{count, prompt, say};
use super::end::End;
use crate::domain::Instant;
use crate::domain::key::{Key, KeyId};
use crate::domain::leak::{Form, Leak};
use crate::domain::notice::Occasion;
use crate::domain::text::thousands;
use crate::service::{LeakFinding, LeakOrder, LeakSource, LeakSweep, Service, Tell, new_operation};

/// Files that could not be read and are named.
const NAMED: usize = 20;

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("ends").args(["revoke", "pause"]))]
#[command(group = ArgGroup::new("does").args(["revoke", "pause", "tell"]).multiple(true))]
pub struct Arguments {
    /// Files, folders (searched recursively), or `-` for standard input, the default. Binary files, UTF-16 and
    /// gzip are searched too; links in folders are not followed
    #[arg(value_name = "FILE|DIR|-")]
    sources: Vec<PathBuf>,
    /// The input format. A finding in a scanner's report has the place that the report names
    #[arg(long, value_enum, value_name = "FORM", default_value = "auto")]
    report: Report,
    /// Show what gates saw of each key since then
    #[arg(long, value_name = "TIME", default_value = "24h")]
    since: String,
    /// Revoke every key that was found and can still work, in one transaction
    #[arg(long)]
    revoke: bool,
    /// Pause every key that was found and can still work for this long, such as 15m or 1h, in one transaction. A longer
    /// pause stays as it is
    #[arg(long, value_name = "SPAN")]
    pause: Option<String>,
    /// Why; kept with the key and in the audit
    #[arg(
        short,
        long,
        visible_alias = "note",
        value_name = "TEXT",
        allow_hyphen_values = true,
        requires = "does"
    )]
    reason: Option<String>,
    /// Mail the admins of these keys' accounts that the keys were found where others can read them
    #[arg(long)]
    tell: bool,
    /// The incident's ticket; kept in the audit
    #[arg(long, value_name = "TEXT", requires = "revoke")]
    ticket: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Report {
    /// Detected from the content
    Auto,
    /// Any text
    Text,
    /// The JSON that gitleaks writes
    Gitleaks,
    /// The JSON lines that trufflehog 3 writes
    Trufflehog,
    /// SARIF from any scanner
    Sarif,
}

impl From<Report> for Form {
    fn from(report: Report) -> Self {
        match report {
            Report::Auto => Self::Auto,
            Report::Text => Self::Text,
            Report::Gitleaks => Self::Gitleaks,
            Report::Trufflehog => Self::Trufflehog,
            Report::Sarif => Self::Sarif,
        }
    }
}

pub async fn run(arguments: Arguments, session: &Session) -> Result {
    let service = session.service().await?;
    let now = service.now().await?;
    let since = session.here(now).since(&arguments.since);
    let since = since.map_err(|error| Failure::usage(format!("--since: {error}")))?;
    let order =
        LeakOrder { sources: sources(&arguments, session).await?, form: arguments.report.into(), since };
    let bar = bar(session);
    let shown = bar.clone();
    let sweep = service
        .sweep_leaks(order, move |progress| {
            if progress.of > 0 {
                shown.set_length(progress.of.max(progress.bytes));
            }
            shown.set_position(progress.bytes);
        })
        .await;
    bar.finish_and_clear();
    let mut sweep = sweep?;
    let now = service.now().await?;
    let (reason, ticket) = (arguments.reason.clone(), arguments.ticket.clone());
    let end = End::of(arguments.revoke, arguments.pause.as_deref(), reason, ticket, now)?;
    let chosen = end.as_ref().map(|end| end.concerns(&sweep, now)).unwrap_or_default();
    let ends = !chosen.is_empty();
    let found = sweep.working(now);
    // A person looks before the question.
    let looked = ends && prompt::must_ask(&session.global) && session.format().for_people();
    if looked {
        print(&sweep, session, now)?;
    }
    let mut gates = Gates::of(end.as_ref().map_or("revoke", End::verb));
    let mut ended = Ok(());
    if let Some(end) = end.as_ref().filter(|_| ends) {
        match carry_out(end, &chosen, service, session).await {
            Ok(done) => {
                if !done.is_empty() {
                    sweep.renew(done);
                    gates.ask(&chosen, service).await;
                }
            }
            // What was found is told all the same.
            Err(failure) => ended = Err(failure),
        }
    } else if end.is_some() {
        session.remark("It contains no key to do this to. Nothing was changed.");
    }
    let now = service.now().await?;
    if !looked || ended.is_ok() && !session.global.dry_run {
        print(&sweep, session, now)?;
    }
    told(&sweep, session, now);
    ended?;
    let letters =
        if arguments.tell { tell_admins(&arguments, found, service, session).await } else { Ok(()) };
    if ends && !session.global.dry_run {
        gates.tell(session);
        gates.verdict()?;
    }
    letters?;
    verdict(&sweep, session, now)
}

/// Tells the admins of the keys that could work when they were found.
async fn tell_admins(
    arguments: &Arguments,
    keys: Vec<KeyId>,
    service: &Service,
    session: &Session,
) -> Result {
    if keys.is_empty() {
        session.remark("It contains no key that could work: nobody was notified.");
        return Ok(());
    }
    let reason = arguments.reason.clone();
    let order = Tell { operation: new_operation(), keys, occasion: Occasion::Exposed, reason };
    let letters = tell::send(order, service, session).await?;
    if !session.global.dry_run && !session.hushed() {
        for one in &letters {
            session.remark(&format!("  {}  {}  {}", one.recipient, one.state.as_str(), one.answer));
        }
    }
    tell::verdict(&letters)
}

async fn sources(arguments: &Arguments, session: &Session) -> Result<Vec<LeakSource>> {
    let mut sources = Vec::new();
    let mut given = arguments.sources.clone();
    if given.is_empty() {
        given.push("-".into());
    }
    let mut stdin = false;
    for path in given {
        if path.as_os_str() != "-" {
            sources.push(LeakSource::Path(path));
        } else if !std::mem::replace(&mut stdin, true) {
            sources.push(if std::io::stdin().is_terminal() {
                LeakSource::Given(prompt::secrets(&session.global).await?)
            } else {
                LeakSource::Stdin
            });
        }
    }
    Ok(sources)
}

/// A bar on standard error, if that is a terminal.
fn bar(session: &Session) -> ProgressBar {
    if session.global.quiet {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template(
        "{bar:32} {bytes} of {total_bytes} searched  {bytes_per_sec}  {eta} left",
    );
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// Asks, and does it. Answers the keys as the database holds them then; none on a dry run.
async fn carry_out(end: &End, keys: &[KeyId], service: &Service, session: &Session) -> Result<Vec<Key>> {
    let (number, verb) = (count(keys.len() as u64, "key"), end.verb());
    if session.global.dry_run || prompt::must_ask(&session.global) {
        // Nobody is asked about what is refused anyway.
        let trying = service.trying();
        let operation = new_operation();
        insist(|| end.carry_out(&trying, operation, keys)).await?;
        if session.would(|| format!("{verb} {number}")) {
            return Ok(Vec::new());
        }
    }
    let question = match end {
        End::Revoke { .. } => {
            format!("Revoke {number} that can still work, immediately; this can't be undone")
        }
        End::Pause(_) => format!("Pause {number} that can still work"),
    };
    let sure = match keys.len() {
        1 => prompt::confirm(&session.global, &question).await?,
        many => prompt::confirm_number(&session.global, &question, many).await?,
    };
    if !sure {
        return Err(Failure::check(format!("nothing was {verb}d: what was found still works")));
    }
    let operation = new_operation();
    let (done, left) = insist(|| end.carry_out(service, operation, keys)).await?;
    let before = match (left, end) {
        (0, _) => String::new(),
        (left, End::Revoke { .. }) => format!(" ({left} were revoked before)"),
        (left, End::Pause(_)) => format!(" ({left} ended meanwhile)"),
    };
    let until = match end {
        End::Revoke { .. } => None,
        End::Pause(_) => done.iter().filter_map(|key| key.paused.as_ref()).map(|pause| pause.until).max(),
    };
    let until = until.map(|until| format!(" until {}", session.zone().exact(until))).unwrap_or_default();
    session.remark(&format!(
        "{} {verb}d{until}{before}, and read back from the database.",
        match keys.len() {
            1 => "1 key is".to_owned(),
            many => format!("{} keys are", thousands(many as u64)),
        }
    ));
    Ok(done)
}

/// Lists the findings: for people what works first, for programs in the order of the text.
fn print(sweep: &LeakSweep, session: &Session, now: Instant) -> Result {
    let printer = session.printer();
    if !session.format().for_people() {
        printer.list(&sweep.findings, now)?;
        return Ok(());
    }
    let mut findings: Vec<&LeakFinding> = sweep.findings.iter().collect();
    findings.sort_by_key(|finding| (!finding.works(now), !finding.can_work(now), finding.leak));
    let most = usize::try_from(session.format().rows(None)).unwrap_or(usize::MAX);
    let shown: Vec<LeakFinding> = findings.iter().take(most).map(|finding| (*finding).clone()).collect();
    if !shown.is_empty() {
        printer.list(&shown, now)?;
    }
    if let Some(more) = findings.len().checked_sub(most).filter(|more| *more > 0) {
        session.remark(&format!("… and {} more: --json or --output csv lists all", thousands(more as u64)));
    }
    Ok(())
}

/// Says what could not be read, and in the last line how much of what was found.
fn told(sweep: &LeakSweep, session: &Session, now: Instant) {
    for (name, why) in sweep.unread.iter().take(NAMED) {
        say(&format!("keyrack: warning: {name}: can't be read: {why}"));
    }
    if let Some(more) = sweep.unread.len().checked_sub(NAMED).filter(|more| *more > 0) {
        say(&format!("keyrack: warning: {} more files can't be read", thousands(more as u64)));
    }
    if let Some(trouble) = &sweep.trouble {
        say(&format!("keyrack: warning: {trouble}"));
    }
    let keys = |of: &dyn Fn(&LeakFinding) -> bool| {
        let found =
            sweep.findings.iter().filter(|finding| of(finding)).filter_map(|finding| finding.key.as_ref());
        found.map(|found| found.key.id).collect::<HashSet<_>>().len() as u64
    };
    let of = |leak| sweep.findings.iter().filter(|finding| finding.leak == leak).count() as u64;
    let works = keys(&|finding| finding.works(now));
    let ours = keys(&|_| true);
    let mut sums = vec![match (works, ours) {
        (_, 0) => "no key of this database".to_owned(),
        (works, ours) => {
            format!("{} of this database, {} of which work", count(ours, "key"), thousands(works))
        }
    }];
    let named = [
        (Leak::Unknown, "unknown here"),
        (Leak::Damaged, "damaged"),
        (Leak::Redacted, "redacted"),
        (Leak::Foreign, "of other providers"),
    ];
    let others = named.into_iter().map(|(leak, words)| (of(leak), words)).filter(|(number, _)| *number > 0);
    sums.extend(others.map(|(number, words)| format!("{} {words}", thousands(number))));
    let skipped = match sweep.skipped {
        0 => String::new(),
        1 => ", 1 link or special file skipped".to_owned(),
        number => format!(", {} links or special files skipped", thousands(number)),
    };
    let unread = match sweep.unread.len() {
        0 => String::new(),
        number => format!(", {} could not be read", thousands(number as u64)),
    };
    session.remark(&format!(
        "Found: {}. Searched: {}, {}{skipped}{unread}.",
        sums.join(", "),
        count(sweep.files, "file"),
        indicatif::DecimalBytes(sweep.bytes)
    ));
}

/// Success only if nothing of ours works and everything was read.
fn verdict(sweep: &LeakSweep, session: &Session, now: Instant) -> Result {
    let works = sweep.findings.iter().any(|finding| finding.works(now));
    if works {
        // A person has read it in the sums.
        return Err(match session.format().for_people() && !session.global.quiet {
            true => Failure::quiet(Exit::CheckFailed),
            false => Failure::check(
                "it contains working keys of this database: --revoke revokes them, --pause 1h pauses them for an hour",
            ),
        });
    }
    if !sweep.unread.is_empty() {
        return Err(Failure::new(Exit::Failure, "not everything could be read: the rest may contain keys"));
    }
    if sweep.trouble.is_some() {
        return Err(Failure::new(Exit::Failure, "not every key can be found: see the warning"));
    }
    Ok(())
}
