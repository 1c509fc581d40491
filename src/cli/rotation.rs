//! `keyrack rotation`: keys that are replaced and still work, beside their replacements.

use std::sync::Arc;

use clap::{Args, Subcommand};

use super::failure::{Exit, Failure, Result};
use super::filter;
use super::key::decide::{self, Looks};
use super::key::receipt::Gates;
use super::key::record::Ended;
use super::key::which::{self, Chosen, Which};
use super::output::{PAGE, when};
use super::prompt;
use super::say;
use super::session::{Session, insist};
use crate::domain::Instant;
use crate::domain::query::{Column, Direction, Sort};
use crate::domain::rotation::Rotation;
use crate::domain::text::thousands;
use crate::domain::when::Span;
use crate::service::{CloseOverlaps, ExtendOverlaps, Extended, From, PageRequest, new_operation};

mod record;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List open overlaps: the old key, its replacement, and who still uses the old one; the next to end first
    #[command(visible_alias = "ls")]
    List(List),
    /// Close overlaps now: the old keys are revoked immediately, which can't be undone
    Close(Close),
    /// Let old keys work longer beside their replacements
    Extend(Extend),
}

#[derive(Debug, Args)]
#[command(group = which::at_most_one())]
pub struct List {
    #[command(flatten)]
    which: Which,
    /// At most this many overlaps; 0 for all. Default for a table on a terminal: 50
    #[arg(short, long, value_name = "N")]
    limit: Option<u64>,
    /// Continue after this place, as an earlier list printed it
    #[arg(long, value_name = "CURSOR", conflicts_with_all = ["ids", "ids_from"])]
    after: Option<String>,
}

#[derive(Debug, Args)]
#[command(group = which::needed(&[]))]
pub struct Close {
    #[command(flatten)]
    which: Which,
    /// Why; kept with the key and in the audit [default: replaced by NEW KEY]
    #[arg(short, long, visible_alias = "note", value_name = "TEXT", allow_hyphen_values = true)]
    reason: Option<String>,
}

#[derive(Debug, Args)]
#[command(group = which::needed(&[]))]
pub struct Extend {
    #[command(flatten)]
    which: Which,
    /// How much later than now planned, such as 24h or 2d; an overlap lasts at most 7d
    #[arg(long, value_name = "SPAN")]
    by: String,
}

pub async fn run(command: Command, session: &Session) -> Result {
    match command {
        Command::List(arguments) => list(arguments, session).await,
        Command::Close(arguments) => {
            let order = Order::Close { reason: arguments.reason };
            change(&arguments.which, &order, session).await
        }
        Command::Extend(arguments) => {
            let by = Span::parse(&arguments.by).map_err(|error| Failure::usage(format!("--by: {error}")))?;
            let now = session.service().await?.now().await?;
            let here = session.here(now);
            let until = by.after(now, here.zone).filter(|until| *until > now);
            let until = until.ok_or_else(|| {
                Failure::usage("--by: write by how much to extend the overlaps, such as 24h")
            })?;
            change(&arguments.which, &Order::Extend { by: until - now }, session).await
        }
    }
}

async fn list(arguments: List, session: &Session) -> Result {
    let service = session.service().await?;
    let format = session.format();
    let mut wanted = format.rows(arguments.limit);
    if arguments.which.filter.is_none() && arguments.which.is_given() {
        let keys = arguments.which.choose(service, session).await?.keys;
        let (now, named) = (service.now().await?, keys.len());
        let mut rotations = service.overlaps_of(keys, now).await?;
        let without = named - rotations.len();
        rotations.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
        session.printer().list(&rotations, now)?;
        if without > 0 {
            let keys = if without == 1 { "key is" } else { "keys are" };
            session.remark(&format!("{without} named {keys} in no open overlap."));
        }
        return Ok(());
    }
    let filter = arguments.which.filter.unwrap_or_default();
    let query = filter::query(&filter, session)?;
    let mut from = match &arguments.after {
        None => From::Start,
        Some(text) => From::After(filter::place(text, "rotation list")?),
    };
    let sort = Sort { column: Column::Expires, direction: Direction::Ascending };
    let mut printer = session.printer();
    let next = loop {
        let limit = u32::try_from(wanted).unwrap_or(PAGE).min(PAGE);
        let page = service.rotations(&PageRequest { query: query.clone(), sort, from, limit }).await?;
        let last = page.rows.last().map(|row| row.cursor.clone());
        let rotations: Vec<Rotation> = page.rows.into_iter().map(|row| row.rotation).collect();
        printer.rows(&rotations, page.now)?;
        wanted -= rotations.len() as u64;
        match last {
            Some(cursor) if page.more_after && wanted > 0 => from = From::After(cursor),
            Some(cursor) if page.more_after => break Some(cursor),
            _ => break None,
        }
    };
    let printed = printer.finish::<Rotation>()?;
    if let Some(cursor) = next {
        session.remark(&format!(
            "More overlaps follow: continue with --after '{cursor}', or see all with --limit 0"
        ));
    } else if printed == 0 && format.for_people() {
        session.remark(if filter.is_empty() {
            "No overlap is open. `keyrack key rotate ID` replaces a key and lets the old one work for a while."
        } else {
            "No open overlap matches the filter."
        });
    }
    Ok(())
}

/// What is done to the overlaps.
enum Order {
    Close { reason: Option<String> },
    Extend { by: chrono::Duration },
}

impl Order {
    fn verb(&self) -> &'static str {
        match self {
            Self::Close { .. } => "close",
            Self::Extend { .. } => "extend",
        }
    }

    fn question(&self, chosen: &Chosen) -> String {
        let (many, words) = (chosen.keys.len() != 1, chosen.words());
        let overlaps = if many { "overlaps" } else { "overlap" };
        match self {
            Self::Close { .. } => {
                let them = if many { "them" } else { "it" };
                format!(
                    "Close the {overlaps} of {words} and revoke {them} immediately, which can't be undone"
                )
            }
            Self::Extend { by } => format!("Extend the {overlaps} of {words} by {}", Span::from(*by)),
        }
    }
}

async fn change(which: &Which, order: &Order, session: &Session) -> Result {
    let service = session.service().await?;
    let mut chosen = which.choose(service, session).await?;
    chosen.remark_parts(session);
    let mut looks = Looks::default();
    loop {
        let now = service.now().await?;
        which.narrow(&mut chosen, |key| key.is_being_replaced(now));
        let done = decide_and_do(which, order, &chosen, session, now).await;
        match looks.again(done, chosen, which, service, session).await? {
            Some(others) => chosen = others,
            None => return Ok(()),
        }
    }
}

async fn decide_and_do(
    which: &Which,
    order: &Order,
    chosen: &Chosen,
    session: &Session,
    now: Instant,
) -> Result {
    let (service, verb) = (session.service().await?, order.verb());
    if chosen.keys.is_empty() {
        match order {
            Order::Close { .. } => session.outcome().list::<Ended>(&[], now)?,
            Order::Extend { .. } => session.outcome().list::<Extended>(&[], now)?,
        };
        session.remark(&format!("There is no matching overlap to {verb}. Nothing was changed."));
        return Ok(());
    }
    let keys = chosen.ids();
    let shown = decide::shown(chosen, which, session, now);
    let close = |reason: &Option<String>| CloseOverlaps {
        keys: keys.clone(),
        reason: reason.clone(),
        shown: shown.clone(),
    };
    let extend = |by| ExtendOverlaps { keys: keys.clone(), by, shown: shown.clone() };
    if session.global.dry_run || prompt::must_ask(&session.global) {
        // Nobody is asked about what is refused anyway.
        let (trying, operation) = (service.trying(), new_operation());
        let until = match order {
            Order::Close { reason } => {
                insist(|| trying.close_overlaps(operation, close(reason))).await?;
                None
            }
            Order::Extend { by } => {
                let tried = insist(|| trying.extend_overlaps(operation, extend(*by))).await?;
                tried.iter().filter_map(|one| one.key.expires_at).max()
            }
        };
        if session.global.dry_run || prompt::can_ask(&session.global) {
            decide::show(chosen, service, now).await?;
            for one in service.overlaps_of(chosen.keys.iter().take(SHOWN).cloned().collect(), now).await? {
                say(&format!("  {}", use_of(&one, now)));
            }
            if let Some(until) = until {
                say(&format!("  until      {}", session.zone().exact(until)));
            }
        }
        if session.global.dry_run {
            let overlaps = if keys.len() == 1 { "overlap" } else { "overlaps" };
            say(&format!("Would {verb} the {overlaps} of {}. Nothing was changed.", chosen.words()));
            return Ok(());
        }
    }
    if !decide::sure(chosen, &order.question(chosen), session).await? {
        return Err(Failure::new(Exit::Failure, "nothing was changed"));
    }
    if let Some(why) = service.only_reads() {
        return Err(Failure::new(Exit::Failure, why));
    }
    let operation = new_operation();
    match order {
        Order::Close { reason } => {
            let closed = insist(|| service.close_overlaps(operation, close(reason))).await;
            let closed = closed.map_err(|failure| match failure {
                failure if failure.unchanged => failure,
                failure => {
                    let many = keys.len();
                    failure.before(&format!("0 of {many} overlaps are closed, {many} keys may still work: "))
                }
            })?;
            let mut gates = Gates::default();
            let receipt = gates.ask(&keys, service).await;
            let ended = |revoked| Ended { revoked, gates: Arc::clone(&receipt) };
            let ended: Vec<Ended> = closed.into_iter().map(ended).collect();
            let words = match ended.len() {
                1 => "The overlap is closed: the old key is revoked, as read back from the database.".into(),
                many => format!(
                    "{} overlaps are closed: the old keys are revoked, as read back from the database.",
                    thousands(many as u64)
                ),
            };
            finish(&ended, &words, &gates, session).await?;
        }
        Order::Extend { by } => {
            let extended = insist(|| service.extend_overlaps(operation, extend(*by))).await?;
            let mut gates = Gates::of("extend");
            gates.ask(&keys, service).await;
            let words = match extended.as_slice() {
                [one] => {
                    let until = one.key.expires_at.map(|at| session.zone().exact(at)).unwrap_or_default();
                    format!("The old key works until {until}, {} longer.", Span::from(*by))
                }
                many => format!("{} overlaps are {} longer.", thousands(many.len() as u64), Span::from(*by)),
            };
            finish(&extended, &words, &gates, session).await?;
        }
    }
    if shown.is_some() && prompt::must_ask(&session.global) {
        decide::newcomers(chosen, which, service, session).await;
    }
    Ok(())
}

/// Overlaps whose use is told before the question.
const SHOWN: usize = 20;

/// `node-1: silent for 6h, 3/h; the new key 12/min`
fn use_of(one: &Rotation, now: Instant) -> String {
    let pace = |pace: String| if pace.is_empty() { "no request in an hour".to_owned() } else { pace };
    let ends = one.ends_at().map(|at| format!(", ends {}", when::relative(at, now))).unwrap_or_default();
    format!(
        "{:?}: the old key {}, {}{ends}; the new key {} {}",
        one.old.name.as_str(),
        one.silence(now),
        pace(one.old_use.pace(now)),
        one.new.preview,
        pace(one.new_use.pace(now)),
    )
}

async fn finish<R: super::output::Record>(
    done: &[R],
    words: &str,
    gates: &Gates,
    session: &Session,
) -> Result {
    let service = session.service().await?;
    let now = service.now().await.unwrap_or_else(|_| session.clock.now());
    let mut printer = session.outcome();
    let printed = printer.rows(done, now);
    let printed = printed.and_then(|()| printer.finish::<R>().map(drop));
    session.remark(words);
    gates.tell(session);
    printed.and_then(|()| gates.verdict()).map_err(|failure| match failure.exit {
        Exit::Done => {
            Failure::new(Exit::Failure, "it is done, but standard output was closed before this was printed")
        }
        _ => failure,
    })
}
