//! Letters, sent or to be sent, as rows, objects and CSV lines.

use super::super::output::{Column, Record, Tone};
use super::record::tone;
use crate::domain::Instant;
use crate::domain::text::SafeText;
use crate::service::{DueKey, LetterNews};

impl Record for LetterNews {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("STATE", 3, "state", |letter, _| letter.state.as_str().into()),
        Column::new("RECIPIENT", 1, "recipient", |letter, _| letter.recipient.as_str().into()),
        Column::new("REMINDERS", 2, "reminders", |letter, _| letter.reminders.into()),
        Column::new("ANSWER", 4, "answer", |letter, _| letter.answer.as_str().into()),
    ];

    fn tone(&self, _now: Instant) -> Option<Tone> {
        Some(tone(self.state))
    }
}

/// A key in a letter that would be sent.
pub struct Planned {
    pub recipient: SafeText,
    pub key: DueKey,
}

impl Record for Planned {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("RECIPIENT", 1, "recipient", |planned, _| planned.recipient.as_str().into()),
        Column::new("NAME", 3, "name", |planned, _| planned.key.name.as_str().into()),
        Column::new("ACCOUNT", 5, "account", |planned, _| planned.key.account.as_str().into()),
        Column::new("KEY", 4, "preview", |planned, _| planned.key.preview.as_str().into()),
        Column::<Self>::wide("THRESHOLD", 6, "days_before", |planned, _| {
            u64::from(planned.key.days_before).into()
        })
        .cell(|planned, _| format!("{} days", planned.key.days_before)),
        Column::new("EXPIRES", 7, "expires_at", |planned, _| planned.key.expires_at.into()),
        Column::<Self>::new("LAST USED", 8, "last_used_at", |planned, _| planned.key.last_used_at.into())
            .missing("never"),
        Column::<Self>::wide("TRIED", 9, "again", |planned, _| planned.key.again.into())
            .cell(|planned, _| if planned.key.again { "before" } else { "never" }.to_owned()),
        Column::wide("ID", 2, "key", |planned, _| planned.key.key.to_string().into()),
    ];
}
