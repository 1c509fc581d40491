//! A report as Markdown and as a page for browsers.

use super::{Ending, Happened, Happening, Listed, Raised, Report, Tidying, Total};
use crate::domain::text::thousands;
use crate::service::document::{Document, Line, Part};

impl Report {
    /// To be pasted into a chat, a wiki or a ticket.
    pub fn markdown(&self) -> String {
        self.document().markdown()
    }

    /// A page that needs nothing else.
    pub fn html(&self) -> String {
        self.document().html()
    }

    /// How much it was, in a sentence.
    pub fn summary(&self) -> String {
        format!(
            "{} created, {} rotated, {} revoked, {} paused, {} expired; {} in the next 30 days; {} raised.",
            keys(self.created.count),
            keys(self.rotated.count),
            keys(self.revoked.count),
            keys(self.paused.count),
            keys(self.expired),
            match self.expiring.count {
                Some(1) => "1 expires".to_owned(),
                Some(many) => format!("{} expire", thousands(many)),
                None => "more than could be counted expire".to_owned(),
            },
            match self.alerts.count {
                Some(1) => "1 alert".to_owned(),
                many => format!("{} alerts", thousands(many.unwrap_or_default())),
            },
        )
    }

    fn document(&self) -> Document {
        Document {
            title: "Keyrack report",
            facts: vec![
                Line::own("From ").and(Line::at(self.since)).and(Line::own(" to ")).and(Line::at(self.until)),
                Line::own("Told at ")
                    .and(Line::at(self.told_at))
                    .and(Line::own(" to "))
                    .and(Line::told(&*self.told_by)),
                Line::own("Database: ").and(Line::told(&*self.database)),
                Line::own(self.summary()),
            ],
            parts: vec![
                expiring(&self.expiring),
                happenings("Revoked", &self.revoked),
                happenings("Created", &self.created),
                happenings("Rotated", &self.rotated),
                happenings("Paused", &self.paused),
                alerts(&self.alerts),
                tidying(&self.hygiene),
                totals(
                    "By account",
                    &["Account", "Created", "Rotated", "Revoked", "Paused", "Edited", "All changes"],
                    &self.accounts,
                ),
                totals(
                    "By operator",
                    &["Operator", "Created", "Rotated", "Revoked", "Paused", "Edited", "All changes"],
                    &self.operators,
                ),
                changes(&self.changes),
            ],
        }
    }
}

fn keys(count: Option<u64>) -> String {
    match count {
        Some(1) => "1 key".to_owned(),
        Some(many) => format!("{} keys", thousands(many)),
        None => "more keys than could be counted".to_owned(),
    }
}

/// What a list leaves out.
fn left<T>(listed: &Listed<T>) -> Option<Line> {
    let shown = listed.first.len() as u64;
    match listed.count {
        Some(count) if count <= shown => None,
        Some(count) => Some(Line::own(format!("… and {} more.", thousands(count - shown)))),
        None => Some(Line::own("… and more than could be counted.")),
    }
}

fn expiring(listed: &Listed<Ending>) -> Part {
    let rows = listed.first.iter().map(|one| {
        let how = if one.planned { " (revoked as planned)" } else { "" };
        vec![
            Line::at(one.at).and(Line::own(how)),
            Line::told(&*one.name),
            Line::told(&*one.account),
            Line::maybe(one.owner.as_deref()),
            Line::code(&one.preview),
            one.last_used_at.map_or_else(|| Line::own("never"), Line::at),
            Line::code(one.key),
        ]
    });
    Part {
        title: "Expiring in the next 30 days",
        heads: &["Expires", "Key", "Account", "Owner", "Preview", "Last used", "ID"],
        rows: rows.collect(),
        note: left(listed),
    }
}

fn happenings(title: &'static str, listed: &Listed<Happening>) -> Part {
    let rows = listed.first.iter().map(|one| {
        vec![
            Line::at(one.at),
            Line::told(&*one.name),
            Line::told(&*one.account),
            Line::told(&*one.who),
            Line::maybe(one.reason.as_deref()),
            one.key.map(Line::code).unwrap_or_default(),
        ]
    });
    let heads = &["When", "Key", "Account", "By", "Reason", "ID"];
    Part { title, heads, rows: rows.collect(), note: left(listed) }
}

fn alerts(listed: &Listed<Raised>) -> Part {
    let rows = listed.first.iter().map(|one| {
        let by = one.acknowledged_by.as_deref().map_or_else(|| Line::own("nobody yet"), Line::told);
        vec![
            Line::at(one.at),
            Line::own(one.severity),
            Line::own(one.kind),
            Line::maybe(one.account.as_deref()),
            Line::told(&*one.words),
            by,
        ]
    });
    let heads = &["When", "Severity", "Kind", "Account", "What", "Acknowledged by"];
    Part { title: "Alerts", heads, rows: rows.collect(), note: left(listed) }
}

fn tidying(cards: &[Tidying]) -> Part {
    let rows = cards.iter().map(|card| {
        let count = card.count.map_or_else(|| Line::own(card.note.unwrap_or_default()), number);
        vec![Line::own(card.title), count, card.filter.as_ref().map(Line::code).unwrap_or_default()]
    });
    Part { title: "To tidy", heads: &["What", "Keys", "Filter"], rows: rows.collect(), note: None }
}

fn totals(title: &'static str, heads: &'static [&'static str], listed: &Listed<Total>) -> Part {
    let rows = listed.first.iter().map(|one| {
        let numbers = [one.created, one.rotated, one.revoked, one.paused, one.edited, one.changes];
        std::iter::once(Line::told(&*one.name)).chain(numbers.map(number)).collect()
    });
    Part { title, heads, rows: rows.collect(), note: left(listed) }
}

fn changes(changes: &[Happened]) -> Part {
    let rows = changes.iter().map(|one| vec![Line::told(&*one.what), number(one.count)]);
    Part { title: "All changes", heads: &["Action", "Times"], rows: rows.collect(), note: None }
}

fn number(number: u64) -> Line {
    Line::own(thousands(number))
}
