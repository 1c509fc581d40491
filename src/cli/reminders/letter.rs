//! Letters, sent or to be sent, as rows, objects and CSV lines.

use serde_json::Value;

use super::super::output::{Record, Tone, instant, when};
use super::record::tone;
use crate::domain::Instant;
use crate::domain::text::SafeText;
use crate::service::{DueKey, LetterNews};

impl Record for LetterNews {
    fn heads(_wide: bool) -> &'static [&'static str] {
        &["STATE", "RECIPIENT", "REMINDERS", "ANSWER"]
    }

    fn cells(&self, _wide: bool, _now: Instant) -> Vec<String> {
        vec![
            self.state.as_str().to_owned(),
            self.recipient.to_string(),
            self.reminders.to_string(),
            self.answer.to_string(),
        ]
    }

    fn tone(&self, _now: Instant) -> Option<Tone> {
        Some(tone(self.state))
    }

    fn fields() -> &'static [&'static str] {
        &["recipient", "reminders", "state", "answer"]
    }

    fn values(&self, _now: Instant) -> Vec<Value> {
        vec![
            self.recipient.as_str().into(),
            self.reminders.into(),
            self.state.as_str().into(),
            self.answer.as_str().into(),
        ]
    }
}

/// A key in a letter that would be sent.
pub struct Planned<'a> {
    pub recipient: &'a SafeText,
    pub key: &'a DueKey,
}

impl Record for Planned<'_> {
    fn heads(wide: bool) -> &'static [&'static str] {
        if wide {
            &["RECIPIENT", "NAME", "ACCOUNT", "KEY", "THRESHOLD", "EXPIRES", "LAST USED", "TRIED", "ID"]
        } else {
            &["RECIPIENT", "NAME", "ACCOUNT", "KEY", "EXPIRES", "LAST USED"]
        }
    }

    fn cells(&self, wide: bool, now: Instant) -> Vec<String> {
        let key = self.key;
        let mut cells = vec![
            self.recipient.to_string(),
            key.name.to_string(),
            key.account.clone(),
            key.preview.to_string(),
        ];
        if wide {
            cells.push(format!("{} days", key.days_before));
        }
        cells.push(when::shown(Some(key.expires_at), wide, now, ""));
        cells.push(when::shown(key.last_used_at, wide, now, "never"));
        if wide {
            cells.push(if key.again { "before" } else { "never" }.to_owned());
            cells.push(key.key.to_string());
        }
        cells
    }

    fn fields() -> &'static [&'static str] {
        &[
            "recipient",
            "key",
            "name",
            "preview",
            "account",
            "days_before",
            "expires_at",
            "last_used_at",
            "again",
        ]
    }

    fn values(&self, _now: Instant) -> Vec<Value> {
        let mut values = vec![Value::from(self.recipient.as_str())];
        values.extend(due_values(self.key));
        values
    }
}

fn due_values(key: &DueKey) -> Vec<Value> {
    vec![
        key.key.to_string().into(),
        key.name.as_str().into(),
        key.preview.as_str().into(),
        key.account.as_str().into(),
        key.days_before.into(),
        instant(Some(key.expires_at)),
        instant(key.last_used_at),
        key.again.into(),
    ]
}

/// A key in a letter as an object.
pub fn due_object(key: &DueKey) -> Value {
    Planned::fields()[1..].iter().zip(due_values(key)).map(|(name, value)| (*name, value)).collect()
}
