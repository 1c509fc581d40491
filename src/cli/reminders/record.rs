//! Reminders and sweeps as rows, objects and CSV lines.

use serde_json::{Value, json};

use super::super::output::{Record, Tone, instant, text, when};
use crate::domain::Instant;
use crate::domain::reminder::{Delivery, Progress, Reminder, State, Sweep};
use crate::domain::text::SafeText;
use crate::service::Retried;

/// The colour that says what a state means.
pub fn tone(state: State) -> Tone {
    match state {
        State::Sent => Tone::Good,
        State::Pending | State::Sending | State::Ambiguous => Tone::Warning,
        State::Failed => Tone::Bad,
        State::Superseded | State::Cancelled => Tone::Quiet,
    }
}

fn optional(text: &Option<SafeText>) -> String {
    text.as_deref().unwrap_or_default().to_owned()
}

impl Record for Reminder {
    fn heads(wide: bool) -> &'static [&'static str] {
        if wide {
            &[
                "STATE",
                "NAME",
                "ACCOUNT",
                "ISSUER",
                "KEY",
                "THRESHOLD",
                "EXPIRES",
                "DUE",
                "CHANGED",
                "WHY",
                "RECIPIENTS",
                "ANSWERS",
                "KEY ID",
                "ID",
            ]
        } else {
            &["STATE", "NAME", "ACCOUNT", "KEY", "THRESHOLD", "EXPIRES", "CHANGED", "RECIPIENTS", "ID"]
        }
    }

    fn cells(&self, wide: bool, now: Instant) -> Vec<String> {
        let shown = |at| when::shown(Some(at), wide, now, "");
        let mut cells = vec![self.state.as_str().to_owned(), self.key_name.to_string(), self.account.clone()];
        if wide {
            cells.push(self.issuer.clone());
        }
        cells.extend([
            self.preview.to_string(),
            format!("{} days", self.days_before),
            shown(self.expires_at),
        ]);
        if wide {
            cells.push(shown(self.due_at));
        }
        cells.push(shown(self.changed_at));
        if wide {
            cells.push(optional(&self.why));
            let recipients: Vec<_> = self.deliveries.iter().map(recipient).collect();
            cells.push(recipients.join(", "));
            let answers: Vec<_> = self.deliveries.iter().filter_map(|one| one.answer.as_deref()).collect();
            cells.push(answers.join(" | "));
            cells.push(self.key.to_string());
        } else {
            cells.push(few(&self.deliveries));
        }
        cells.push(self.id.to_string());
        cells
    }

    fn tone(&self, _now: Instant) -> Option<Tone> {
        Some(tone(self.state))
    }

    fn fields() -> &'static [&'static str] {
        &[
            "id",
            "state",
            "why",
            "key",
            "key_name",
            "preview",
            "account",
            "issuer",
            "days_before",
            "expires_at",
            "due_at",
            "created_at",
            "changed_at",
            "deliveries",
        ]
    }

    fn values(&self, _now: Instant) -> Vec<Value> {
        vec![
            self.id.to_string().into(),
            self.state.as_str().into(),
            text(self.why.as_deref()),
            self.key.to_string().into(),
            self.key_name.as_str().into(),
            self.preview.as_str().into(),
            self.account.as_str().into(),
            self.issuer.as_str().into(),
            self.days_before.into(),
            instant(Some(self.expires_at)),
            instant(Some(self.due_at)),
            instant(Some(self.created_at)),
            instant(Some(self.changed_at)),
            self.deliveries.iter().map(delivery).collect(),
        ]
    }
}

fn delivery(delivery: &Delivery) -> Value {
    json!({
        "recipient": delivery.recipient.as_str(),
        "state": delivery.state.as_str(),
        "attempts": delivery.attempts,
        "next_at": if delivery.state == State::Pending { instant(Some(delivery.next_at)) } else { Value::Null },
        "answer": text(delivery.answer.as_deref()),
        "letter": text(delivery.letter.as_deref()),
        "changed_at": instant(Some(delivery.changed_at)),
    })
}

/// An address, and what became of the letter to it.
fn recipient(delivery: &Delivery) -> String {
    format!("{} ({})", delivery.recipient, delivery.state.as_str())
}

/// The first recipient, and how many more there are.
fn few(deliveries: &[Delivery]) -> String {
    match deliveries {
        [] => String::new(),
        [one] => one.recipient.to_string(),
        [first, more @ ..] => format!("{} +{}", first.recipient, more.len()),
    }
}

impl Record for Retried {
    fn heads(wide: bool) -> &'static [&'static str] {
        if wide {
            &["STATE", "NAME", "ACCOUNT", "KEY", "THRESHOLD", "AGAIN", "WHY NOT", "ID"]
        } else {
            &["STATE", "NAME", "ACCOUNT", "KEY", "AGAIN", "WHY NOT"]
        }
    }

    fn cells(&self, wide: bool, _now: Instant) -> Vec<String> {
        let reminder = &self.reminder;
        let mut cells = vec![
            reminder.state.as_str().to_owned(),
            reminder.key_name.to_string(),
            reminder.account.clone(),
            reminder.preview.to_string(),
        ];
        if wide {
            cells.push(format!("{} days", reminder.days_before));
        }
        cells.push(if self.again { "yes" } else { "no" }.to_owned());
        cells.push(self.why.as_deref().map(|why| SafeText::new(why).to_string()).unwrap_or_default());
        if wide {
            cells.push(reminder.id.to_string());
        }
        cells
    }

    fn tone(&self, _now: Instant) -> Option<Tone> {
        Some(if self.again { Tone::Good } else { Tone::Warning })
    }

    fn fields() -> &'static [&'static str] {
        &["id", "again", "why", "state", "key", "key_name", "preview", "account", "days_before"]
    }

    fn values(&self, _now: Instant) -> Vec<Value> {
        let reminder = &self.reminder;
        vec![
            reminder.id.to_string().into(),
            self.again.into(),
            text(self.why.as_deref().map(|why| SafeText::new(why).to_string()).as_deref()),
            reminder.state.as_str().into(),
            reminder.key.to_string().into(),
            reminder.key_name.as_str().into(),
            reminder.preview.as_str().into(),
            reminder.account.as_str().into(),
            reminder.days_before.into(),
        ]
    }
}

impl Record for Sweep {
    fn heads(wide: bool) -> &'static [&'static str] {
        if wide {
            &[
                "PROGRESS",
                "BEGAN",
                "ENDED",
                "DOOR",
                "BY",
                "HOST",
                "SENT",
                "REMINDERS",
                "FAILED",
                "DEFERRED",
                "AMBIGUOUS",
                "TROUBLE",
                "ID",
            ]
        } else {
            &[
                "PROGRESS",
                "BEGAN",
                "DOOR",
                "BY",
                "SENT",
                "REMINDERS",
                "FAILED",
                "DEFERRED",
                "AMBIGUOUS",
                "TROUBLE",
            ]
        }
    }

    fn cells(&self, wide: bool, now: Instant) -> Vec<String> {
        let tally = &self.tally;
        let mut cells =
            vec![self.progress.as_str().to_owned(), when::shown(Some(self.began_at), wide, now, "")];
        if wide {
            cells.push(when::shown(self.ended_at, wide, now, ""));
        }
        cells.extend([self.door.as_str().to_owned(), self.by.to_string()]);
        if wide {
            cells.push(self.host.to_string());
        }
        let numbers = [tally.sent, tally.reminders, tally.failed, tally.deferred, tally.ambiguous];
        cells.extend(numbers.map(|number| number.to_string()));
        cells.push(optional(&self.trouble));
        if wide {
            cells.push(self.id.to_string());
        }
        cells
    }

    fn tone(&self, _now: Instant) -> Option<Tone> {
        Some(match self.progress {
            _ if self.tally.failed > 0 => Tone::Bad,
            Progress::Ended => Tone::Good,
            Progress::Running => Tone::Quiet,
            Progress::Stopped | Progress::Lost => Tone::Warning,
        })
    }

    fn fields() -> &'static [&'static str] {
        &[
            "id",
            "progress",
            "door",
            "by",
            "host",
            "began_at",
            "ended_at",
            "sent",
            "reminders",
            "failed",
            "deferred",
            "ambiguous",
            "trouble",
        ]
    }

    fn values(&self, _now: Instant) -> Vec<Value> {
        let tally = &self.tally;
        vec![
            self.id.to_string().into(),
            self.progress.as_str().into(),
            self.door.as_str().into(),
            self.by.as_str().into(),
            self.host.as_str().into(),
            instant(Some(self.began_at)),
            instant(self.ended_at),
            tally.sent.into(),
            tally.reminders.into(),
            tally.failed.into(),
            tally.deferred.into(),
            tally.ambiguous.into(),
            text(self.trouble.as_deref()),
        ]
    }
}

/// A sweep as an object.
pub fn sweep_object(sweep: &Sweep) -> Value {
    Sweep::fields().iter().zip(sweep.values(Instant::default())).map(|(name, value)| (*name, value)).collect()
}
