//! Reminders and sweeps as rows, objects and CSV lines.

use serde_json::{Value, json};

use super::super::output::{Column, Record, Tone, instant};
use crate::domain::Instant;
use crate::domain::reminder::{Delivery, Progress, Reminder, State, Sweep};
use crate::domain::text::SafeText;
use crate::service::Retried;

/// The colour that says what a state means.
pub fn tone(state: State) -> Tone {
    match state {
        State::Sent => Tone::Good,
        State::Pending | State::Sending | State::Written | State::Ambiguous => Tone::Warning,
        State::Failed => Tone::Bad,
        State::Superseded | State::Cancelled => Tone::Quiet,
    }
}

impl Record for Reminder {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("STATE", 2, "state", |reminder, _| reminder.state.as_str().into()),
        Column::new("NAME", 5, "key_name", |reminder, _| reminder.key_name.as_str().into()),
        Column::new("ACCOUNT", 7, "account", |reminder, _| reminder.account.as_str().into()),
        Column::wide("ISSUER", 8, "issuer", |reminder, _| reminder.issuer.as_str().into()),
        Column::new("KEY", 6, "preview", |reminder, _| reminder.preview.as_str().into()),
        Column::<Self>::new("THRESHOLD", 9, "days_before", |reminder, _| {
            u64::from(reminder.days_before).into()
        })
        .cell(|reminder, _| format!("{} days", reminder.days_before)),
        Column::new("EXPIRES", 10, "expires_at", |reminder, _| reminder.expires_at.into()),
        Column::wide("DUE", 11, "due_at", |reminder, _| reminder.due_at.into()),
        Column::field(12, "created_at", |reminder, _| reminder.created_at.into()),
        Column::new("CHANGED", 13, "changed_at", |reminder, _| reminder.changed_at.into()),
        Column::wide("WHY", 3, "why", |reminder, _| reminder.why.as_deref().into()),
        Column::<Self>::new("RECIPIENTS", 14, "deliveries", |reminder, _| {
            Value::from_iter(reminder.deliveries.iter().map(delivery)).into()
        })
        .cell(|reminder, look| {
            if !look.wide {
                return few(reminder);
            }
            reminder.deliveries.iter().map(recipient).collect::<Vec<_>>().join(", ")
        }),
        // How many of them stand in each state.
        Column::field(15, "recipients", |reminder, _| {
            let counts = reminder.recipients().into_iter();
            Value::from_iter(counts.map(|(state, count)| (state.as_str(), Value::from(count)))).into()
        }),
        Column::<Self>::head("ANSWERS", |reminder, _| {
            let answers: Vec<_> =
                reminder.deliveries.iter().filter_map(|one| one.answer.as_deref()).collect();
            answers.join(" | ").into()
        })
        .only_wide(),
        Column::wide("KEY ID", 4, "key", |reminder, _| reminder.key.to_string().into()),
        Column::<Self>::new("ID", 1, "id", |reminder, _| reminder.id.to_string().into()).whole(),
    ];

    fn tone(&self, _now: Instant) -> Option<Tone> {
        Some(tone(self.telling().map_or(self.state, |one| one.state)))
    }
}

fn delivery(delivery: &Delivery) -> Value {
    json!({
        "recipient": delivery.recipient.as_str(),
        "state": delivery.state.as_str(),
        "attempts": delivery.attempts,
        "next_at": if delivery.state == State::Pending { instant(Some(delivery.next_at)) } else { Value::Null },
        "answer": delivery.answer.as_deref(),
        "letter": delivery.letter.as_deref(),
        "changed_at": instant(Some(delivery.changed_at)),
    })
}

/// An address, and what became of the letter to it.
fn recipient(delivery: &Delivery) -> String {
    format!("{} ({})", delivery.recipient, delivery.state.as_str())
}

/// The recipient who says most, and how many more there are or where they stand.
fn few(reminder: &Reminder) -> String {
    let Some(one) = reminder.telling() else { return String::new() };
    match (reminder.mixed(), reminder.deliveries.len() - 1) {
        (Some(mixed), _) => format!("{} ({mixed})", one.recipient),
        (None, 0) => one.recipient.to_string(),
        (None, more) => format!("{} +{more}", one.recipient),
    }
}

impl Record for Retried {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("STATE", 4, "state", |retried, _| retried.reminder.state.as_str().into()),
        Column::new("NAME", 6, "key_name", |retried, _| retried.reminder.key_name.as_str().into()),
        Column::new("ACCOUNT", 8, "account", |retried, _| retried.reminder.account.as_str().into()),
        Column::field(5, "key", |retried, _| retried.reminder.key.to_string().into()),
        Column::new("KEY", 7, "preview", |retried, _| retried.reminder.preview.as_str().into()),
        Column::<Self>::wide("THRESHOLD", 9, "days_before", |retried, _| {
            u64::from(retried.reminder.days_before).into()
        })
        .cell(|retried, _| format!("{} days", retried.reminder.days_before)),
        Column::new("AGAIN", 2, "again", |retried, _| retried.again.into()),
        Column::new("WHY NOT", 3, "why", |retried, _| {
            retried.why.as_deref().map(|why| SafeText::new(why).to_string()).into()
        }),
        Column::wide("ID", 1, "id", |retried, _| retried.reminder.id.to_string().into()),
    ];

    fn tone(&self, _now: Instant) -> Option<Tone> {
        Some(if self.again { Tone::Good } else { Tone::Warning })
    }
}

impl Record for Sweep {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("PROGRESS", 2, "progress", |sweep, _| sweep.progress.as_str().into()),
        Column::new("BEGAN", 6, "began_at", |sweep, _| sweep.began_at.into()),
        Column::wide("ENDED", 7, "ended_at", |sweep, _| sweep.ended_at.into()),
        Column::new("DOOR", 3, "door", |sweep, _| sweep.door.as_str().into()),
        Column::new("BY", 4, "by", |sweep, _| sweep.by.as_str().into()),
        Column::wide("HOST", 5, "host", |sweep, _| sweep.host.as_str().into()),
        Column::new("SENT", 8, "sent", |sweep, _| sweep.tally.sent.into()),
        Column::new("WRITTEN", 14, "written", |sweep, _| sweep.tally.written.into()),
        Column::new("REMINDERS", 9, "reminders", |sweep, _| sweep.tally.reminders.into()),
        Column::new("FAILED", 10, "failed", |sweep, _| sweep.tally.failed.into()),
        Column::new("DEFERRED", 11, "deferred", |sweep, _| sweep.tally.deferred.into()),
        Column::new("AMBIGUOUS", 12, "ambiguous", |sweep, _| sweep.tally.ambiguous.into()),
        Column::new("TROUBLE", 13, "trouble", |sweep, _| sweep.trouble.as_deref().into()),
        Column::wide("ID", 1, "id", |sweep, _| sweep.id.to_string().into()),
    ];

    fn tone(&self, _now: Instant) -> Option<Tone> {
        Some(match self.progress {
            _ if self.tally.failed > 0 => Tone::Bad,
            Progress::Ended => Tone::Good,
            Progress::Running => Tone::Quiet,
            Progress::Stopped | Progress::Lost => Tone::Warning,
        })
    }
}
