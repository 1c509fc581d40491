//! Reminders, sweeps and their letters, made up for tests.

use chrono::Duration;

use super::{key, noon};
use crate::domain::reminder::{Delivery, Door, Progress, Reminder, ReminderId, State, Sweep, SweepId, Tally};
use crate::service::{DueKey, LetterNews, LetterPreview, Outbox, SweepPreview};

/// A reminder about a key of this name that ends in `ends_in` days, on its way to ada and bob; ada's is in this state,
/// bob's was sent.
pub fn reminder(name: &str, days_before: u32, ends_in: i64, state: State) -> Reminder {
    let key = key("voxpria", name);
    let changed_at = noon() - Duration::hours(2);
    let answer = match state {
        State::Sent => Some("250 2.0.0 Ok: queued as 4F1"),
        State::Failed => Some("550 5.1.1 <ada@example.com>: no such user here"),
        State::Ambiguous => Some("no answer within 30 s after the final dot"),
        _ => None,
    };
    let delivery = |recipient: &str, state: State, answer: Option<&str>| Delivery {
        recipient: recipient.into(),
        state,
        attempts: u32::from(answer.is_some()),
        next_at: changed_at,
        answer: answer.map(Into::into),
        letter: answer.map(|_| "<7d4f@keyrack.example>".into()),
        changed_at,
    };
    Reminder {
        id: ReminderId::from_u128(key.id.as_u128() ^ u128::from(days_before) << 64),
        key: key.id,
        key_name: key.name.clone(),
        preview: key.preview.clone(),
        account: key.account.clone(),
        issuer: key.issuer.clone(),
        days_before,
        expires_at: noon() + Duration::days(ends_in),
        due_at: noon() + Duration::days(ends_in - i64::from(days_before)),
        state,
        why: None,
        created_at: changed_at,
        changed_at,
        deliveries: vec![
            delivery("ada@example.com", state, answer),
            delivery("bob@example.com", State::Sent, Some("250 2.0.0 Ok: queued as 4F2")),
        ],
    }
}

pub fn tally(sent: u64, failed: u64, deferred: u64, ambiguous: u64) -> Tally {
    Tally { reminders: 2 * sent, sent, written: 0, failed, deferred, ambiguous }
}

/// A sweep that ada began this many hours ago.
pub fn swept(hours: i64, progress: Progress, tally: Tally) -> Sweep {
    let began_at = noon() - Duration::hours(hours);
    Sweep {
        id: SweepId::from_u128(hours as u128),
        door: Door::Watch,
        by: "ada".into(),
        host: "desk".into(),
        began_at,
        ended_at: (progress != Progress::Running).then(|| began_at + Duration::minutes(1)),
        progress,
        tally,
        trouble: (progress == Progress::Stopped)
            .then(|| "smtp.example.com:587 can't be reached: connection refused".into()),
    }
}

pub fn outbox() -> Outbox {
    Outbox { due: 12, due_in_7_days: 30, next_due_at: None, deferred: 2, failed: 3, ambiguous: 1, written: 0 }
}

/// What a sweep would send: this many letters with two keys each.
pub fn preview(letters: u64) -> SweepPreview {
    let due = |name: &str, days: i64| DueKey {
        key: key("voxpria", name).id,
        name: name.into(),
        preview: key("voxpria", name).preview,
        account: "acme".into(),
        days_before: if days < 7 { 7 } else { 30 },
        expires_at: noon() + Duration::days(days),
        last_used_at: (days < 7).then(|| noon() - Duration::hours(3)),
        again: days == 21,
    };
    let letter = |n: u64| LetterPreview {
        recipient: format!("admin{n}@example.com").into(),
        keys: vec![due("Production Server – Main App", 5), due("CI runner", 21)],
    };
    SweepPreview {
        now: noon(),
        letters: (1..=letters.min(200)).map(letter).collect(),
        letters_in_all: letters,
        reminders_in_all: 2 * letters,
        post: "smtp.example.com:587 (STARTTLS)".into(),
        leaves: true,
    }
}

/// The fate of letter number `n`, to whom it went, and all fates so far.
pub fn letter(n: u64, state: State, tally: Tally) -> LetterNews {
    let answer = match state {
        State::Sent => "250 2.0.0 Ok: queued as 4F1",
        State::Failed => "550 5.1.1 no such user here",
        State::Ambiguous => "no answer within 30 s after the final dot",
        _ => "451 4.7.1 try again later",
    };
    LetterNews {
        recipient: format!("admin{n}@example.com").into(),
        reminders: 2,
        state,
        answer: answer.into(),
        tally,
    }
}
