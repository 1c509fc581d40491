//! `keyrack reminders sweep`: one run over all keys that sends what is due.

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::mpsc;

use super::super::count;
use super::super::failure::{Failure, Result};
use super::super::session::Session;
use super::report::{self, Report};
use crate::domain::reminder::{Door, InHand, STOPPED, Sweep, Tally};
use crate::domain::text::counted;
use crate::domain::when::{self, Here};
use crate::service::{Service, SweepNews, SweepOrder, new_operation};

#[derive(Debug, Args)]
pub struct Arguments {
    /// At most this many letters, the most urgent first; one letter covers all due keys of one person
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
}

pub async fn run(arguments: &Arguments, session: &Session) -> Result {
    // Looked at first, because what is wrong there is a matter of usage and not of this sweep.
    let mailer = session.mail_room().await?.mailer;
    let place = (mailer.describe(), mailer.leaves());
    let service = session.service().await?;
    let order = SweepOrder { operation: new_operation(), door: Door::Command, limit: arguments.limit };
    if session.global.dry_run {
        return preview(order, service, session).await;
    }
    let (news, mut heard) = mpsc::unbounded_channel();
    let mut report = Report::new(session, place);
    let bar = Bar::new(session.global.quiet);
    let sweeping = service.sweep(order, news, session.stop());
    let reporting = async {
        let mut told = Ok(());
        while let Some(news) = heard.recv().await {
            match news {
                SweepNews::Planned { letters } => bar.planned(letters),
                SweepNews::Letter(letter) => {
                    bar.letter(&letter.tally);
                    // Letters go on being sent when nobody reads of them any more.
                    if told.is_ok() {
                        told = report.letter(letter, session.clock.now());
                    }
                }
            }
        }
        told
    };
    let (swept, told) = tokio::join!(sweeping, reporting);
    bar.clear();
    // What has left, has left, even if the database went away meanwhile.
    let others = service.in_hand().await.ok().flatten();
    let told = told.and_then(|()| report.finish(swept.as_ref().ok(), others, session.clock.now()));
    let sweep = swept?;
    speak(&sweep, others, service, session).await;
    told.and_then(|()| judge(&sweep))
}

/// Says in words what the sweep came to and what is to be done.
async fn speak(sweep: &Sweep, others: Option<InHand>, service: &Service, session: &Session) {
    let tally = &sweep.tally;
    if let Some(others) = others {
        session.remark(&in_hand(others, session.here(session.clock.now())));
        if tally.letters() == 0 && sweep.trouble.is_none() {
            return;
        }
    }
    if tally.letters() == 0 && sweep.trouble.is_none() {
        let outbox = service.outbox().await.unwrap_or_default();
        let next = outbox.next_due_at.map_or_else(String::new, |at| {
            format!(" The next reminder falls due {}.", when::relative(at, session.clock.now()))
        });
        session.remark(&format!("Nothing is due.{next}"));
        return written_only(session, outbox.written);
    }
    for line in outcome(tally) {
        session.remark(&line);
    }
    if tally.written > 0
        && let Some(folder) = session.letters_folder()
    {
        let whither = if session.keeps_letters_for_itself() {
            "They were removed with the demo; to keep them, add --mail-dir DIR.".to_owned()
        } else {
            format!("They are .eml files in {}; nothing left this machine.", folder.display())
        };
        session.remark(&whither);
        if !session.is_throwaway() {
            session.remark("Once a mail server is set up, `keyrack reminders retry --written` sends them.");
        }
    } else {
        written_only(session, service.outbox().await.unwrap_or_default().written);
    }
}

/// What was only written, and how it is sent: no sweep does so by itself.
fn written_only(session: &Session, written: u64) {
    if written == 0 {
        return;
    }
    let how = match session.letters_folder() {
        Some(_) => "once a mail server is set up, `keyrack reminders retry --written` sends them",
        None => "`keyrack reminders retry --written` lets the next sweep send them",
    };
    session.remark(&format!(
        "{} only written as files and never sent: {how}.",
        match written {
            1 => "1 reminder was".to_owned(),
            many => format!("{many} reminders were"),
        }
    ));
}

/// What other sweeps have in hand, one of which may be dead.
fn in_hand(others: InHand, here: Here) -> String {
    format!(
        "{} with another sweep, last heard of {}; a sweep after {} sends what it has not sent.",
        match others.letters {
            1 => "1 letter is".to_owned(),
            letters => format!("{} are", counted(letters, "letter")),
        },
        match when::ago(others.heard_at, here.now).as_str() {
            "now" => "less than a minute ago",
            ago => ago,
        },
        here.zone.exact(others.until)
    )
}

/// A tally in sentences.
fn outcome(tally: &Tally) -> Vec<String> {
    let letters = |number| count(number, "letter");
    let (verb, done, how) = match tally.written {
        0 => ("Sent", tally.sent, ""),
        written => ("Wrote", written, " as files"),
    };
    let mut lines =
        vec![format!("{verb} {} with {} in all{how}.", letters(done), count(tally.reminders, "reminder"))];
    if tally.failed > 0 {
        lines.push(format!(
            "{} failed and will not be tried again by itself: fix what the server's answer names, then \
             `keyrack reminders retry --filter state:failed`.",
            letters(tally.failed)
        ));
    }
    if tally.ambiguous > 0 {
        lines.push(format!(
            "{} went out and got no answer, so nobody knows whether it arrived: ask there, or send it again with \
             `keyrack reminders retry --filter state:ambiguous`; a repeat has the same Message-ID.",
            letters(tally.ambiguous)
        ));
    }
    if tally.deferred > 0 {
        lines.push(format!(
            "{} deferred after a temporary error; a later sweep tries again.",
            letters(tally.deferred)
        ));
    }
    lines
}

/// The exit code that the sweep deserves.
fn judge(sweep: &Sweep) -> Result {
    let tally = &sweep.tally;
    let failed = |message: String| Err(Failure::check(message));
    // Whoever asked it to stop knows why.
    let trouble = sweep.trouble.as_ref().filter(|why| why.as_str() != STOPPED);
    match (trouble, tally.failed, tally.ambiguous) {
        (Some(trouble), ..) => failed(format!("the sweep stopped early: {trouble}")),
        (None, 0, 0) => Ok(()),
        (None, failures, 0) => failed(format!("{} failed", count(failures, "letter"))),
        (None, 0, ambiguous) => failed(format!("{} got no answer", count(ambiguous, "letter"))),
        (None, failures, ambiguous) => {
            failed(format!("{} failed and {ambiguous} got no answer", count(failures, "letter")))
        }
    }
}

/// Shows what a sweep would send. Changes nothing.
async fn preview(order: SweepOrder, service: &Service, session: &Session) -> Result {
    let limit = order.limit;
    let show = if session.format().for_people() { report::SCREENFUL } else { u32::MAX };
    let preview = service.try_sweep(order, show).await?;
    report::preview(&preview, session)?;
    let place = &preview.post;
    session.remark(&match preview.letters_in_all {
        0 => "Nothing is due. Nothing was sent.".to_owned(),
        all => {
            let letters = count(all, "letter");
            let within = limit.filter(|limit| u64::from(*limit) < all);
            let within =
                within.map(|limit| format!(", of which --limit allows {limit},")).unwrap_or_default();
            let keys = count(preview.reminders_in_all, "key");
            match preview.leaves {
                true => format!("Would send {letters} about {keys}{within} by {place}. Nothing was sent."),
                false => format!(
                    "Would write {letters} about {keys}{within} as files into {place}; nothing would leave this machine. \
                     Nothing was written."
                ),
            }
        }
    });
    Ok(())
}

/// A bar on standard error, if that is a terminal.
struct Bar(ProgressBar);

impl Bar {
    fn new(quiet: bool) -> Self {
        if quiet {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::new_spinner();
        bar.set_message("looking for what is due");
        bar.enable_steady_tick(std::time::Duration::from_millis(120));
        Self(bar)
    }

    fn planned(&self, letters: u64) {
        let style = ProgressStyle::with_template("{bar:32} {pos} of {len} letters  {msg}  {eta} left");
        self.0.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        self.0.set_message("");
        self.0.set_length(letters);
    }

    fn letter(&self, tally: &Tally) {
        self.0.set_position(tally.letters());
        let unwell = [(tally.failed, "failed"), (tally.deferred, "deferred"), (tally.ambiguous, "ambiguous")];
        let words: Vec<_> = unwell
            .into_iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, word)| format!("{number} {word}"))
            .collect();
        self.0.set_message(words.join(", "));
    }

    fn clear(&self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests;
