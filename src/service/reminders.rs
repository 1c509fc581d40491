//! Reminders: looking at them, and what the sweep's callers see. The sweep itself is in [`super::sweep`].

use serde::Serialize;

use super::{Error, Result, Service, Whither};
use crate::domain::key::{KeyId, OperationId};
use crate::domain::reminder::fit::{KEYS, Rules};
use crate::domain::reminder::{
    Door, InHand, Reminder, ReminderFilter, ReminderId, State, Sweep, Tally, ahead_of,
};
use crate::domain::text::SafeText;
use crate::domain::{Instant, days, shifted};
use crate::store::Unwell;

mod preview;
mod retry;

impl Service {
    /// Reminders, the last changed first.
    pub async fn reminders(&self, request: ReminderRequest) -> Result<Vec<Reminder>> {
        self.look().await?;
        Ok(self.inner.store.reminders(&request.filter, request.after, request.limit).await?)
    }

    pub async fn reminder(&self, id: ReminderId) -> Result<Reminder> {
        self.look().await?;
        self.inner.store.reminders_by_id(&[id]).await?.pop().ok_or_else(|| Error::no_reminder(id))
    }

    /// The reminders of these keys, for each key the latest expiry and the tightest threshold first.
    pub async fn reminders_of(&self, keys: &[KeyId]) -> Result<Vec<Reminder>> {
        self.look().await?;
        Ok(self.inner.store.reminders_of(keys).await?)
    }

    /// What was mailed about these keys, and about which of them the next sweep makes a new reminder.
    pub async fn mailing_of(&self, keys: &[KeyId]) -> Result<Mailing> {
        let now = self.look().await?;
        let store = &self.inner.store;
        let mut due = Vec::new();
        let rules = Rules::new(store.issuers().await?);
        for band in rules.bands(now) {
            due.extend(store.unplanned_among(&band, now, keys).await?);
        }
        let mut reminders = store.reminders_of(keys).await?;
        let came = reminders.len();
        reminders.retain(|one| one.changed_at <= ahead_of(now));
        if reminders.len() < came {
            self.each_ahead(now, &rules, |case, _| due.push(case.subject.key)).await?;
        }
        Ok(Mailing { reminders, due })
    }

    /// Sweeps, the last first.
    pub async fn sweeps(&self, limit: u32) -> Result<Vec<Sweep>> {
        let now = self.look().await?;
        Ok(self.inner.store.sweeps(now, limit).await?)
    }

    /// The letters that sweeps have in hand at this moment, if any; one of them may be dead.
    pub async fn in_hand(&self) -> Result<Option<InHand>> {
        let now = self.look().await?;
        Ok(self.inner.store.in_hand(now).await?)
    }

    /// How the outbox stands: what is due and what went wrong.
    pub async fn outbox(&self) -> Result<Outbox> {
        self.look().await?;
        let store = &self.inner.store;
        let now = self.now().await?;
        let rules = Rules::new(store.issuers().await?);
        let (_, mut due) = store.count_waiting(now, KEYS).await?;
        for band in rules.bands(now) {
            due += store.count_unplanned(&band, now).await?;
        }
        self.each_ahead(now, &rules, |_, _| due += 1).await?;
        let week = shifted(now, days(7));
        let (mut due_in_7_days, postponed) = store.count_postponed(now, week).await?;
        for band in rules.coming(now, week) {
            due_in_7_days += store.count_unplanned(&band, now).await?;
        }
        let mut next_due_at = None;
        if due == 0 {
            next_due_at = postponed;
            for band in rules.coming(now, shifted(now, HORIZON)) {
                let first = store.next_unplanned(&band, now).await?;
                let first = first.map(|end| shifted(end, -days(band.days)));
                next_due_at = [next_due_at, first].into_iter().flatten().min();
            }
        }
        let Unwell { deferred, failed, ambiguous, written } = store.unwell(now).await?;
        Ok(Outbox { due, due_in_7_days, next_due_at, deferred, failed, ambiguous, written })
    }
}

/// How it stands with the mail about some keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mailing {
    /// For each key the latest expiry and the tightest threshold first.
    pub reminders: Vec<Reminder>,
    /// Keys whose tightest threshold was crossed and has no reminder yet.
    pub due: Vec<KeyId>,
}

/// How far ahead the next reminder is looked for.
const HORIZON: chrono::Duration = chrono::Duration::days(10 * 365);

/// Which sweep is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweepOrder {
    pub operation: OperationId,
    pub door: Door,
    /// At most this many letters.
    pub limit: Option<u32>,
}

/// What a sweep would send at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweepPreview {
    pub now: Instant,
    /// The most urgent first; at most as many as were asked for.
    pub letters: Vec<LetterPreview>,
    /// How many letters there would be without a limit.
    pub letters_in_all: u64,
    /// How many reminders these hold, each once, however many recipients it has.
    pub reminders_in_all: u64,
    /// Where the letters would go: the mail server or the directory.
    pub post: String,
    /// Whether they would leave this machine.
    pub leaves: bool,
}

impl SweepPreview {
    pub fn whither(&self) -> Whither {
        Whither { place: SafeText::new(self.post.as_str()), leaves: self.leaves }
    }
}

/// A letter that would be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LetterPreview {
    pub recipient: SafeText,
    pub keys: Vec<DueKey>,
}

/// A key in a letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DueKey {
    pub key: KeyId,
    pub name: SafeText,
    pub preview: SafeText,
    /// The account's slug.
    pub account: String,
    pub days_before: u32,
    pub expires_at: Instant,
    pub last_used_at: Option<Instant>,
    /// Whether a letter with it was tried before.
    pub again: bool,
}

/// What happens in a sweep, while it happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SweepNews {
    /// The outbox is filled; this many letters are to be sent, the limit taken into account.
    Planned { letters: u64 },
    /// A letter has met its fate.
    Letter(LetterNews),
}

/// The fate of one letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LetterNews {
    pub recipient: SafeText,
    pub reminders: u64,
    /// Sent, written, failed, ambiguous, or pending: to be tried again.
    pub state: State,
    /// The mail server's own words.
    pub answer: SafeText,
    /// All letters of this sweep so far.
    pub tally: Tally,
}

/// Which reminders are wanted, the last changed first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReminderRequest {
    pub filter: ReminderFilter,
    /// Only reminders that come after this one.
    pub after: Option<ReminderId>,
    pub limit: u32,
}

/// How the outbox stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Outbox {
    /// Reminders that a sweep would send at this moment, planned or not.
    pub due: u64,
    /// Reminders that will fall due within the coming 7 days.
    pub due_in_7_days: u64,
    /// When the next one falls due, if none is due.
    pub next_due_at: Option<Instant>,
    /// Reminders of which a recipient's letter is to be tried again after a passing fault; so the next three.
    pub deferred: u64,
    pub failed: u64,
    pub ambiguous: u64,
    /// The letter is a file and was not sent.
    pub written: u64,
}

/// What became of the wish to send a reminder again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Retried {
    pub reminder: Reminder,
    /// Whether it will be sent by the next sweep; if not, `why`.
    pub again: bool,
    pub why: Option<String>,
}
