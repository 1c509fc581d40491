//! A finding of a sweep as a row, an object or a CSV line.

use super::super::key::record::tone as of_status;
use super::super::output::{Column, Record, Tone};
use crate::domain::Instant;
use crate::domain::key::Key;
use crate::domain::leak::Leak;
use crate::service::LeakFinding;

fn key(finding: &LeakFinding) -> Option<&Key> {
    finding.key.as_ref().map(|found| &found.key)
}

/// What it is in a word or two.
fn state(finding: &LeakFinding, now: Instant) -> String {
    match (finding.leak, key(finding)) {
        (_, Some(_)) if finding.works(now) => "works".into(),
        (_, Some(key)) => key.status(now).as_str().into(),
        (Leak::Unknown, _) => "unknown here".into(),
        (leak, _) => leak.as_str().into(),
    }
}

/// The file, line and column.
fn place(finding: &LeakFinding) -> String {
    let mut place = finding.place.source.as_str().to_owned();
    for number in [finding.place.line, finding.place.column].into_iter().flatten() {
        place.push_str(&format!(":{number}"));
    }
    place
}

/// What else is to be said of it: what gates saw, or what it is if it is none of ours.
fn about(finding: &LeakFinding) -> String {
    let fits: Vec<String> =
        finding.candidates.iter().map(|key| format!("{:?} ({})", key.name.as_str(), key.id)).collect();
    let provider = finding.provider.as_deref().map(|provider| format!("{provider}: ")).unwrap_or_default();
    match fits.as_slice() {
        [] => format!("{provider}{}", finding.words),
        fits => format!("{provider}{}; may be {}", finding.words, fits.join(", ")),
    }
}

impl Record for LeakFinding {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::new("STATE", 1, "kind", |of, _| of.leak.as_str().into())
            .cell(|of, look| state(of, look.now))
            .whole(),
        Column::<Self>::head("WHERE", |of, _| place(of).into()).whole(),
        Column::new("ACCOUNT", 3, "account", |of, _| key(of).map(|key| key.account.as_str()).into()),
        Column::<Self>::new("NAME", 4, "name", |of, _| key(of).map(|key| key.name.as_str()).into())
            .cell(|of, _| key(of).map(|key| key.label().into_owned()).unwrap_or_default()),
        Column::new("KEY", 5, "preview", |of, _| key(of).map(|key| key.preview.as_str()).into()),
        Column::field(6, "status", |of, now| key(of).map(|key| key.status(now).as_str()).into()),
        Column::field(7, "provider", |of, _| of.provider.as_deref().into()),
        Column::field(8, "source", |of, _| of.place.source.as_str().into()),
        Column::field(9, "line", |of, _| of.place.line.map(|line| line as u64).into()),
        Column::field(10, "column", |of, _| of.place.column.map(|column| column as u64).into()),
        Column::wide("COMMIT", 11, "commit", |of, _| of.place.commit.as_deref().into()),
        Column::wide("ISSUER", 12, "issuer", |of, _| {
            key(of).map(|key| key.issuer.as_str()).or(of.issuer.as_deref()).into()
        }),
        Column::<Self>::new("SCOPES", 13, "scopes", |of, _| {
            key(of).into_iter().flat_map(|key| key.scopes.iter()).collect()
        })
        .cell(|of, _| key(of).map(|key| key.scopes.to_string()).unwrap_or_default()),
        Column::<Self>::new("LAST USED", 14, "last_used_at", |of, _| {
            key(of).and_then(|key| key.last_used_at).into()
        }),
        Column::<Self>::new("ALLOWED", 15, "allowed", |of, _| key(of).map(|_| of.seen.allowed).into()),
        Column::<Self>::wide("REFUSED", 16, "refused", |of, _| {
            key(of).map(|_| of.seen.refused.saturating_add(of.seen.limited)).into()
        }),
        Column::<Self>::new("WHAT", 17, "what", |of, _| {
            Some(of.words.as_str()).filter(|words| !words.is_empty()).into()
        })
        .cell(|of, _| about(of)),
        Column::field(18, "candidates", |of, _| of.candidates.iter().map(|key| key.id.to_string()).collect()),
        Column::wide("WHO TO TELL", 19, "admins", |of, _| {
            of.key.iter().flat_map(|found| &found.admins).map(|admin| admin.as_str()).collect()
        }),
        Column::wide("ID", 2, "id", |of, _| key(of).map(|key| key.id.to_string()).into()),
    ];

    fn tone(&self, now: Instant) -> Option<Tone> {
        Some(match key(self) {
            // What works is what is bad here.
            Some(_) if self.works(now) => Tone::Bad,
            Some(key) => match of_status(key.status(now)) {
                Tone::Bad => Tone::Quiet,
                other => other,
            },
            None if self.leak == Leak::Foreign => Tone::Quiet,
            None => Tone::Warning,
        })
    }
}
