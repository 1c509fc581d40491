//! What stops working when, as a calendar that other programs take in (RFC 5545).
//!
//! Each key is one event with an identity of its own, so that a calendar that takes it in again changes the event that it
//! has. Nothing in it is secret: a key has no secret.

use std::fmt::Write as _;

use super::Instant;
use super::key::Key;

/// A line has at most so many octets, without its end.
const OCTETS: usize = 75;

/// Each event is told of this long before.
const ALARM: &str = "-P7D";

/// The first lines.
pub fn begin() -> String {
    let mut text = String::new();
    line(&mut text, "BEGIN:VCALENDAR");
    line(&mut text, "VERSION:2.0");
    line(&mut text, concat!("PRODID:-//Keyrack//Keyrack ", env!("CARGO_PKG_VERSION"), "//EN"));
    line(&mut text, "CALSCALE:GREGORIAN");
    line(&mut text, "METHOD:PUBLISH");
    line(&mut text, "X-WR-CALNAME:API keys that expire");
    text
}

/// The last line.
pub fn end() -> &'static str {
    "END:VCALENDAR\r\n"
}

/// What of a key becomes an event.
#[derive(Clone, Copy, Debug)]
pub struct Ending<'k> {
    pub id: &'k str,
    pub name: &'k str,
    pub account: &'k str,
    pub preview: &'k str,
    pub issuer: &'k str,
    pub at: Instant,
    /// Whether it is revoked then, as somebody planned.
    pub planned: bool,
}

/// The event of a key that stops working by itself; `None` for one that doesn't.
pub fn event(key: &Key, now: Instant) -> Option<String> {
    let mut more = String::new();
    if let Some(owner) = &key.owner {
        let _ = write!(more, "\nOwner: {}.", owner.words());
    }
    if !key.description.is_empty() {
        let _ = write!(more, "\n{}", key.description.as_str());
    }
    let id = key.id.to_string();
    let ending = Ending {
        id: &id,
        name: &key.name,
        account: &key.account,
        preview: &key.preview,
        issuer: &key.issuer,
        at: key.stops_at()?,
        planned: key.plan().is_some(),
    };
    let _ = write!(more, "\nTo replace it: keyrack key rotate {id}");
    Some(told(ending, &more, now))
}

/// A calendar of these alone, for a letter.
pub fn of<'k>(endings: impl IntoIterator<Item = Ending<'k>>, now: Instant) -> String {
    let mut text = begin();
    endings.into_iter().for_each(|ending| text.push_str(&told(ending, "", now)));
    text + end()
}

fn told(
    Ending { id, name, account, preview, issuer, at, planned }: Ending<'_>,
    more: &str,
    now: Instant,
) -> String {
    let ends = if planned { "is revoked as planned" } else { "expires" };
    let title = format!("API key \"{name}\" of {account} {ends}");
    let about = format!("{name} ({preview}), issued by {issuer}. ID: {id}.{more}");
    let (title, about) = (escaped(&title), escaped(&about));
    let mut text = String::new();
    for one in [
        "BEGIN:VEVENT",
        &format!("UID:key-{id}@keyrack"),
        &format!("DTSTAMP:{}", stamp(now)),
        &format!("DTSTART:{}", stamp(at)),
        &format!("SUMMARY:{title}"),
        &format!("DESCRIPTION:{about}"),
        "TRANSP:TRANSPARENT",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        &format!("DESCRIPTION:{title}"),
        &format!("TRIGGER:{ALARM}"),
        "END:VALARM",
        "END:VEVENT",
    ] {
        line(&mut text, one);
    }
    text
}

/// In UTC, to the second.
fn stamp(at: Instant) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

/// A text as the value of a property.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => escaped.extend(['\\', c]),
            '\n' => escaped.push_str("\\n"),
            c if c.is_control() => escaped.push(char::REPLACEMENT_CHARACTER),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Adds a line, folded where it is too long; no character is torn.
fn line(text: &mut String, content: &str) {
    let mut room = OCTETS;
    for c in content.chars() {
        if c.len_utf8() > room {
            text.push_str("\r\n ");
            room = OCTETS - 1;
        }
        text.push(c);
        room -= c.len_utf8();
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests;
