//! An incident as Markdown, ready to be pasted into a ticket.

use super::Incident;
use crate::domain::text::{counted, thousands};
use crate::service::document::{Document, Line, Part};
use crate::service::{GateState, NO_GATE};

impl Incident {
    /// The report.
    pub fn markdown(&self) -> String {
        self.document().markdown()
    }

    fn document(&self) -> Document {
        let mut facts = vec![
            Line::own("Exposed since: ").and(Line::at(self.since)),
            Line::own("Told at: ")
                .and(Line::at(self.until))
                .and(Line::own(" by "))
                .and(Line::told(&*self.told_by)),
            Line::own("Database: ").and(Line::told(&*self.database)),
            Line::own(self.summary()),
        ];
        if self.cut {
            let cut =
                "The audit since then is too long to be read completely: older entries are missing here.";
            facts.push(Line::own(cut));
        }
        let parts =
            vec![self.of_keys(), self.of_decisions(), self.of_gates(), self.of_letters(), self.of_alerts()];
        Document { title: "Incident report", facts, parts }
    }

    fn of_keys(&self) -> Part {
        let rows = self.keys.iter().map(|key| {
            let last = key.last_used_at.map_or_else(|| Line::own("never"), Line::at);
            let from = key.last_used_from.as_ref().map(|from| Line::own(" from ").and(Line::told(&**from)));
            let ended = key.ended_at.map(|end| Line::own(" since ").and(Line::at(end)));
            vec![
                Line::told(&*key.name),
                Line::told(&*key.account),
                Line::code(&key.preview),
                Line::own(key.status).and(ended.unwrap_or_default()),
                Line::own(thousands(key.requests.allowed)),
                Line::own(thousands(key.requests.refused.saturating_add(key.requests.limited))),
                last.and(from.unwrap_or_default()),
                Line::maybe(key.after_end.as_ref().map(|late| late.words())),
                Line::code(key.id),
            ]
        });
        let left_out = self.left_out as u64;
        Part {
            title: "Keys",
            heads: &[
                "Key",
                "Account",
                "Preview",
                "Now",
                "Passed",
                "Refused",
                "Last used",
                "After its end",
                "Id",
            ],
            rows: rows.collect(),
            note: (left_out > 0).then(|| Line::own(format!("… and {} more keys.", thousands(left_out)))),
        }
    }

    fn of_decisions(&self) -> Part {
        let rows = self.decisions.iter().map(|one| {
            let more = match one.keys {
                0 | 1 => Line::default(),
                many => Line::own(format!(" and {} more", thousands(many as u64 - 1))),
            };
            let known = Some(one.person.to_string()).filter(|person| !person.is_empty());
            let person = known.map_or_else(Line::default, |person| Line::own(", ").and(Line::told(person)));
            vec![
                Line::at(one.at),
                Line::told(&*one.who).and(Line::own(" on ")).and(Line::told(&*one.host)).and(person),
                Line::told(&*one.action),
                Line::told(&*one.first).and(more),
                Line::maybe(one.reason.as_deref()),
                Line::maybe(one.ticket.as_deref()),
            ]
        });
        let heads = &["When", "Who", "Action", "Keys", "Reason", "Ticket"];
        Part { title: "Decisions", heads, rows: rows.collect(), note: None }
    }

    fn of_gates(&self) -> Part {
        let rows = self.gates.iter().map(|gate| {
            let state = match gate.state {
                // Later changes move a gate's mark on, so that only a short time tells of this one.
                GateState::Confirmed { after_ms } if after_ms <= 60_000 => {
                    format!("confirmed within {} ms", thousands(after_ms))
                }
                GateState::Confirmed { .. } => "confirmed".to_owned(),
                state => state.to_string(),
            };
            vec![Line::told(&*gate.name), Line::told(&*gate.host), Line::told(state)]
        });
        let nobody = self.gates.is_empty() && self.keys.iter().any(|key| key.status == "revoked");
        let note = nobody.then(|| Line::own(format!("{}{}.", NO_GATE[..1].to_uppercase(), &NO_GATE[1..])));
        Part { title: "Gates", heads: &["Gate", "Host", "Revocations"], rows: rows.collect(), note }
    }

    fn of_letters(&self) -> Part {
        let rows = self.letters.iter().map(|one| {
            vec![
                Line::at(one.at),
                Line::told(&*one.to),
                Line::told(&*one.about),
                Line::own(thousands(one.keys as u64)),
                Line::told(&*one.state),
            ]
        });
        Part {
            title: "Who was told",
            heads: &["When", "To", "About", "Keys", "State"],
            rows: rows.collect(),
            note: self.letters.is_empty().then(|| Line::own("Nobody by mail.")),
        }
    }

    fn of_alerts(&self) -> Part {
        let rows = self.alerts.iter().map(|one| {
            let by =
                one.acknowledged_by.as_ref().map_or_else(|| Line::own("nobody yet"), |by| Line::told(&**by));
            vec![Line::at(one.at), Line::own(one.kind), Line::told(&*one.words), by]
        });
        let heads = &["When", "Kind", "What", "Acknowledged by"];
        Part { title: "Alerts", heads, rows: rows.collect(), note: None }
    }

    /// How much it was, in a sentence.
    pub fn summary(&self) -> String {
        let sum = |of: &dyn Fn(&super::IncidentKey) -> u64| {
            self.keys.iter().fold(0u64, |sum, key| sum.saturating_add(of(key)))
        };
        let works = self.keys.iter().filter(|key| key.status == "active").count() as u64;
        let passed = sum(&|key| key.requests.allowed);
        let late = sum(&|key| key.after_end.as_ref().map_or(0, |late| late.total));
        let all = (self.keys.len() + self.left_out) as u64;
        format!(
            "{}, {} of which still work; {} passed between the exposure and their end, {} came after it.",
            counted(all, "key"),
            thousands(works),
            counted(passed, "request"),
            thousands(late),
        )
    }
}
