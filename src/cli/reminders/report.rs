//! What a sweep did, or would do, as data.

use std::io::Write;

use serde_json::{Value, json};

use super::super::failure::{Failure, Result};
use super::super::output::{Format, instant, object};
use super::super::say;
use super::super::session::Session;
use super::letter::Planned;
use crate::domain::Instant;
use crate::domain::reminder::{InHand, State, Sweep};
use crate::service::{LetterNews, SweepPreview};

/// Letters that a person is shown one by one.
pub const SCREENFUL: u32 = 50;

/// The letters of a sweep, told as they leave or, to a person and in one JSON document, at the end.
pub struct Report<'a> {
    session: &'a Session,
    format: Format,
    /// Where letters go, and whether they leave this machine.
    place: (String, bool),
    printer: Option<super::super::output::Printer<std::io::BufWriter<std::io::Stdout>>>,
    /// Letters to be told at the end; those that somebody must look at first.
    unwell: Vec<LetterNews>,
    well: Vec<LetterNews>,
    /// Letters that are only counted.
    more: u64,
}

impl<'a> Report<'a> {
    pub fn new(session: &'a Session, place: (String, bool)) -> Self {
        let format = session.format();
        let streams = matches!(format, Format::Ndjson | Format::Csv);
        let printer = streams.then(|| session.printer());
        Self { session, format, place, printer, unwell: Vec::new(), well: Vec::new(), more: 0 }
    }

    /// A letter has met its fate.
    pub fn letter(&mut self, letter: LetterNews, now: Instant) -> Result {
        if let Some(printer) = &mut self.printer {
            return printer.rows(&[letter], now);
        }
        let sent = matches!(letter.state, State::Sent | State::Written);
        // Who wants it quiet, as cron does, reads of trouble only, and in words.
        if self.session.hushed() {
            if letter.state.needs_attention() {
                say(&format!("  {}  {}  {}", letter.state.as_str(), letter.recipient, letter.answer));
            }
            return Ok(());
        }
        let list = if sent { &mut self.well } else { &mut self.unwell };
        if self.format == Format::Json || list.len() < SCREENFUL as usize {
            list.push(letter);
        } else {
            self.more += 1;
        }
        Ok(())
    }

    /// The sweep is over; `None`: it broke off. One that broke off before its first letter leaves no data. `in_hand`: what
    /// other sweeps have in hand.
    pub fn finish(mut self, sweep: Option<&Sweep>, in_hand: Option<InHand>, now: Instant) -> Result {
        if sweep.is_none() && self.well.is_empty() && self.unwell.is_empty() {
            return Ok(());
        }
        if let Some(printer) = self.printer {
            return printer.finish::<LetterNews>().map(drop);
        }
        let mut letters = self.unwell;
        letters.append(&mut self.well);
        if self.format == Format::Json {
            let letters: Vec<Value> = letters.iter().map(|letter| object(letter, now)).collect();
            let in_hand = in_hand.map(|others| {
                json!({
                    "letters": others.letters,
                    "heard_at": instant(Some(others.heard_at)),
                    "until": instant(Some(others.until)),
                })
            });
            return document(&json!({
                "sweep": sweep.map(|sweep| object(sweep, now)),
                "post": self.place.0,
                "leaves_this_machine": self.place.1,
                "letters": letters,
                "in_hand": in_hand,
            }));
        }
        self.session.outcome().list(&letters, now)?;
        if self.more > 0 {
            self.session.remark(&format!("… and {} more.", self.more));
        }
        Ok(())
    }
}

/// Prints what a sweep would send.
pub fn preview(preview: &SweepPreview, session: &Session) -> Result {
    if session.format() == Format::Json {
        let letters: Vec<Value> = preview
            .letters
            .iter()
            .map(|letter| {
                let keys: Vec<Value> = letter
                    .keys
                    .iter()
                    .map(|key| {
                        let planned = Planned { recipient: letter.recipient.clone(), key: key.clone() };
                        let mut planned = object(&planned, preview.now);
                        if let Some(members) = planned.as_object_mut() {
                            // It stands before them all.
                            members.remove("recipient");
                        }
                        planned
                    })
                    .collect();
                json!({ "recipient": letter.recipient.as_str(), "keys": keys })
            })
            .collect();
        return document(&json!({
            "dry_run": true,
            "at": instant(Some(preview.now)),
            "post": preview.post,
            "leaves_this_machine": preview.leaves,
            "letters_in_all": preview.letters_in_all,
            "keys_in_all": preview.reminders_in_all,
            "letters": letters,
        }));
    }
    let rows: Vec<Planned> = preview
        .letters
        .iter()
        .flat_map(|letter| {
            letter.keys.iter().map(|key| Planned { recipient: letter.recipient.clone(), key: key.clone() })
        })
        .collect();
    session.printer().list(&rows, preview.now)?;
    let shown = preview.letters.len() as u64;
    if session.format().for_people() && shown < preview.letters_in_all {
        session.remark(&format!(
            "… and {} more.",
            super::super::count(preview.letters_in_all - shown, "letter")
        ));
    }
    Ok(())
}

/// Prints one JSON document.
fn document(value: &Value) -> Result {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value)
        .map_err(std::io::Error::from)
        .and_then(|()| writeln!(out))
        .and_then(|()| out.flush())
        .map_err(|error| Failure::output(&error))
}
