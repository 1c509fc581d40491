//! `keyrack reminders watch`: sweeps at once and then at each interval, until it is told to stop.

use std::time::Duration;

use clap::Args;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::super::count;
use super::super::failure::{Failure, Result};
use super::super::output::when;
use super::super::session::Session;
use super::supervisor::Supervisor;
use crate::anchor::Anchoring;
use crate::domain::reminder::{Door, State, Sweep};
use crate::domain::when::Span;
use crate::service::{Service, SweepNews, SweepOrder, new_operation};

/// Mail servers and people have no use for less.
const SHORTEST: Duration = Duration::from_secs(60);
/// The longest: a threshold of a week must not be stepped over.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

#[derive(Debug, Args)]
pub struct Arguments {
    /// The time between the starts of two sweeps: 15m, 1h, 1day
    #[arg(short, long, value_name = "TIME", default_value = "1h", value_parser = every)]
    every: Duration,
}

pub async fn run(arguments: &Arguments, session: &Session) -> Result {
    if session.global.dry_run {
        return Err(Failure::usage(
            "the service has no dry run: see what is due with `keyrack reminders sweep --dry-run`",
        ));
    }
    // A mistake in the settings doesn't mend itself: it ends the start, so that systemd shows it.
    let place = session.mail_room().await?.mailer.describe();
    let anchoring = Anchoring::of(&session.settings.audit)?;
    let every = chrono::Duration::from_std(arguments.every).map(Span::from).unwrap_or_default();
    let mut supervisor = Supervisor::new();
    supervisor.ready(&format!("sweeping every {every}"));
    tracing::info!(%every, post = %place, "the reminder service is ready");
    let mut ticks = interval(arguments.every);
    // A sweep that takes longer than the interval leaves the others where they would have been.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut renewed = None;
    let watching = async {
        loop {
            tokio::select! {
                biased;
                () = session.stopped() => break,
                () = supervisor.pulse() => supervisor.beat(),
                _ = ticks.tick() => {
                    let words = tend(session, &mut renewed, &mut supervisor).await;
                    let next = session.clock.now() + arguments.every;
                    supervisor.status(&format!("{words}; the next sweep is due by {}", when::exact(next)));
                }
            }
        }
    };
    tokio::select! {
        biased;
        () = watching => {}
        () = anchor(anchoring, session) => {}
    }
    supervisor.stopping();
    tracing::info!("the reminder service ends");
    Ok(())
}

/// Anchors the audit now and then, for ever; waits where the settings name no place.
async fn anchor(anchoring: Option<Anchoring>, session: &Session) {
    let Some(anchoring) = anchoring else { return std::future::pending().await };
    let checkpoint = || async {
        let service = session.service().await.map_err(|failure| failure.to_string())?;
        let taken = match service.check_file() {
            Ok(()) => service.checkpoint().await,
            Err(_) => match service.again().await {
                Ok(another) => another.checkpoint().await,
                Err(error) => Err(error),
            },
        };
        taken.map_err(|error| error.to_string())
    };
    let (_never, stop) = tokio::sync::watch::channel(false);
    anchoring.run(session.clock.clone(), checkpoint, stop).await;
}

/// One sweep, whatever becomes of it; answers it in words. What is away now may be back at the next interval.
async fn tend(session: &Session, renewed: &mut Option<Service>, supervisor: &mut Supervisor) -> String {
    supervisor.hear();
    let swept = sweep(session, renewed, supervisor).await;
    supervisor.rest();
    match swept {
        Ok(None) => "stopped".into(),
        Ok(Some(sweep)) => {
            let tally = &sweep.tally;
            let (verb, done, how) = match tally.written {
                0 => ("sent", tally.sent, ""),
                written => ("wrote", written, " as files"),
            };
            let words = format!(
                "{verb} {}{how} with {}, {} failed, {} to be tried again, {} without answer",
                count(done, "letter"),
                count(tally.reminders, "reminder"),
                tally.failed,
                tally.deferred,
                tally.ambiguous
            );
            match &sweep.trouble {
                Some(trouble) => {
                    tracing::warn!(sweep = %sweep.id, %trouble, "{words}");
                    format!("{words}; {trouble}")
                }
                None => {
                    tracing::info!(sweep = %sweep.id, "{words}");
                    words
                }
            }
        }
        Err(failure) => {
            tracing::error!(exit = failure.exit as u8, "no sweep: {failure}");
            format!("no sweep: {failure}")
        }
    }
}

/// Sweeps, and gives signs of life meanwhile. `None`: the service was told to stop before it began. `renewed`: what is used
/// instead of the session's database since another file came under its name.
async fn sweep(
    session: &Session,
    renewed: &mut Option<Service>,
    supervisor: &mut Supervisor,
) -> Result<Option<Sweep>> {
    let opening = session.service();
    tokio::pin!(opening);
    let service = loop {
        tokio::select! {
            biased;
            () = session.stopped() => return Ok(None),
            () = supervisor.pulse() => supervisor.beat(),
            opened = &mut opening => break renewed.as_ref().unwrap_or(opened?),
        }
    };
    let service = match service.check_file() {
        Ok(()) => service,
        Err(error) => {
            let another = service.again().await?;
            tracing::error!(%error, "the sweeps continue with the file that has the database's name now");
            &*renewed.insert(another)
        }
    };
    let order = SweepOrder { operation: new_operation(), door: Door::Watch, limit: None };
    let (news, mut heard) = mpsc::unbounded_channel();
    let sweeping = service.sweep(order, news, session.stop());
    tokio::pin!(sweeping);
    let (mut planned, mut told) = (0, None);
    loop {
        tokio::select! {
            biased;
            () = supervisor.pulse() => supervisor.beat(),
            Some(news) = heard.recv() => {
                supervisor.hear();
                match news {
                    SweepNews::Planned { letters } => planned = letters,
                    SweepNews::Letter(letter) => {
                        if !matches!(letter.state, State::Sent | State::Written) {
                            let (to, state) = (&letter.recipient, letter.state.as_str());
                            tracing::warn!(%to, state, answer = %letter.answer, "a letter was not sent");
                        }
                        let now = tokio::time::Instant::now();
                        if told.is_none_or(|told| now - told >= Duration::from_secs(1)) {
                            told = Some(now);
                            let tried = letter.tally.letters();
                            supervisor.status(&format!("sweeping: {tried} of {}", count(planned, "letter")));
                        }
                    }
                }
            }
            swept = &mut sweeping => return Ok(Some(swept?)),
        }
    }
}

/// Reads an interval.
fn every(text: &str) -> std::result::Result<Duration, String> {
    let every = Span::parse(text).map_err(|error| error.to_string())?.longest();
    if every < SHORTEST {
        return Err("the time between two sweeps is at least a minute".into());
    }
    if every > LONGEST {
        return Err("the time between two sweeps is at most a week, or reminders would be missed".into());
    }
    Ok(every)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_a_minute_at_least_and_a_week_at_most() {
        assert_eq!(every("1h"), Ok(Duration::from_secs(3600)));
        assert_eq!(every("1h 30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(every("1m"), Ok(SHORTEST));
        assert_eq!(every("1week"), Ok(LONGEST));
        assert!(every("59s").unwrap_err().contains("a minute"));
        assert!(every("8days").unwrap_err().contains("a week"));
        assert!(every("1mo").unwrap_err().contains("a week"));
        assert!(every("3M").unwrap_err().contains("minutes or months"));
        assert!(every("soon").unwrap_err().contains("30m"));
    }
}
