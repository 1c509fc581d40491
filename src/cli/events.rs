//! `keyrack events`: what happens, told to other programs.

use std::io::{self, Write as _};

use clap::{Args, Subcommand};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::failure::{Exit, Failure, Result};
use super::session::Session;
use crate::domain::event::{Event, Kinds};
use crate::service::Service;

mod endpoints;
mod send;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print each change as one line of JSON, in order, and wait for new ones
    Follow(Follow),
    /// Manage the endpoints that receive events
    #[command(subcommand, visible_alias = "endpoint")]
    Endpoints(endpoints::Command),
    /// Send events to the endpoints, as a service, until it is stopped
    Send(send::Arguments),
}

impl Command {
    /// Whether it goes on until it is told to stop, which is its usual end.
    pub fn goes_on(&self) -> bool {
        self.is_service() || matches!(self, Self::Follow(_))
    }

    /// Whether it runs as a service does.
    pub fn is_service(&self) -> bool {
        matches!(self, Self::Send(arguments) if !arguments.once)
    }
}

#[derive(Debug, Args)]
#[command(
    after_help = "Each line is {n, id, at, kind, action, actor, host, operation, account, key, subject, changed: {field: [old, new]}, details}.\n\
                  n counts 1, 2, 3, … without a gap: continue with --from N+1. An event always has the same id.\n\
                  Everything so far:         keyrack events follow --from 1 --once\n\
                  Revocations, as they come: keyrack events follow --kinds revoked,leaked | while read -r event; do …; done"
)]
pub struct Follow {
    /// Start with this number [default: the next event; with --once 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    from: Option<i64>,
    /// Stop after this many events
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Only events of these kinds: created, changed, rotated, revoked, paused, resumed, expiring, leaked and others
    #[arg(long, value_name = "KINDS")]
    kinds: Option<Kinds>,
    /// Stop when there are no more events
    #[arg(long, visible_alias = "no-wait")]
    once: bool,
}

pub async fn run(command: Command, session: &Session) -> Result {
    match command {
        Command::Follow(arguments) => follow(arguments, session).await,
        Command::Endpoints(command) => endpoints::run(command, session).await,
        Command::Send(arguments) => send::run(&arguments, session).await,
    }
}

/// Events read at a time.
const SOME: u32 = 500;

async fn follow(arguments: Follow, session: &Session) -> Result {
    let service = session.service().await?;
    let newest = service.newest_event().await?;
    let mut next = arguments.from.unwrap_or(if arguments.once { 1 } else { newest + 1 });
    let kinds = arguments.kinds.unwrap_or_default();
    let mut left = arguments.limit.unwrap_or(u64::MAX);
    let mut news = service.follow();
    loop {
        service.check_file().map_err(Failure::from)?;
        let events = page(service, next).await?;
        let full = events.len() == SOME as usize;
        if let Some(last) = events.last() {
            next = last.n + 1;
        }
        let wanted =
            events.iter().filter(|event| kinds.want(event)).take(usize::try_from(left).unwrap_or(usize::MAX));
        left -= print(wanted)?;
        if left == 0 || (arguments.once && !full) {
            return Ok(());
        }
        if full {
            continue;
        }
        tokio::select! {
            biased;
            () = session.stopped() => return Ok(()),
            () = news.next() => {}
        }
        // Where nothing is written, nobody else would notice that the reader has gone.
        if is_unread() {
            return Ok(());
        }
    }
}

/// The next events. A database that went back is told: its next events are others than those that were printed.
async fn page(service: &Service, next: i64) -> Result<Vec<Event>> {
    let events = service.events(next, SOME).await?;
    if events.is_empty() {
        let newest = service.newest_event().await?;
        if newest + 1 < next {
            return Err(Failure::new(
                Exit::Failure,
                format!(
                    "event {next} does not exist yet, the newest is {newest}: the database was restored, or --from is too high"
                ),
            ));
        }
    }
    Ok(events)
}

/// Prints them, and answers how many they were.
fn print<'e>(events: impl Iterator<Item = &'e Event>) -> Result<u64> {
    let mut out = io::stdout().lock();
    let mut printed = 0;
    for event in events {
        writeln!(out, "{}", event.line()).map_err(|error| Failure::output(&error))?;
        printed += 1;
    }
    out.flush().map_err(|error| Failure::output(&error))?;
    Ok(printed)
}

/// Whether standard output is a pipe that nobody reads any more.
fn is_unread() -> bool {
    let stdout = io::stdout();
    let mut looked = [PollFd::new(&stdout, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut looked, Some(&now)).is_ok_and(|some| some > 0)
        && looked[0].revents().intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL)
}
