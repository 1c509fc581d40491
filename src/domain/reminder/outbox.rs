//! The words of the outbox: what waits to be sent, and what became of it.

use super::{ReminderId, State};
use crate::domain::key::KeyId;
use crate::domain::text::SafeText;
use crate::domain::{Instant, audit};

/// A key that a reminder is about, as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    pub key: KeyId,
    pub name: SafeText,
    pub preview: SafeText,
    /// The account's slug.
    pub account: String,
    pub account_name: SafeText,
    /// The mail addresses of the account's admins, exactly as they stand in the database.
    pub admins: Vec<String>,
    /// The issuer's slug.
    pub issuer: String,
    pub created_at: Instant,
    /// When it stops working, by its expiry or by its planned revocation.
    pub expires_at: Option<Instant>,
    /// Whether it is revoked then, as somebody planned.
    pub planned: bool,
    pub ends_at: Instant,
    pub last_used_at: Option<Instant>,
    pub revoked: bool,
    /// When a successor that somebody took over ends.
    pub successor_ends_at: Option<Instant>,
}

/// A reminder and its key.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    pub reminder: ReminderId,
    pub days_before: u32,
    /// The expiry that it reminds of.
    pub expires_at: Instant,
    pub state: State,
    pub subject: Subject,
}

impl From<&Case> for audit::Subject {
    fn from(case: &Case) -> Self {
        Self {
            name: case.reminder.to_string(),
            account: Some(case.subject.account.clone()),
            key: Some(case.subject.key),
        }
    }
}

/// A stretch of expiries in which one threshold is the tightest that was crossed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Band {
    /// Slugs of the issuers with this threshold; one at least.
    pub issuers: Vec<String>,
    /// The threshold.
    pub days: u32,
    /// Keys that expire after this instant, …
    pub after: Instant,
    /// … and not after this one.
    pub until: Instant,
}

/// A reminder to be written down.
#[derive(Clone, Debug)]
pub struct NewReminder {
    pub id: ReminderId,
    pub key: KeyId,
    pub account: String,
    pub days_before: u32,
    pub expires_at: Instant,
    pub due_at: Instant,
    /// `Pending` with recipients; without: what it stays.
    pub state: State,
    pub why: Option<String>,
    /// Each gets a delivery of its own.
    pub recipients: Vec<String>,
}

/// A delivery that waits to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    pub case: Case,
    /// The mail address, exactly as it stands in the database.
    pub recipient: String,
    pub attempts: u32,
    /// The Message-ID of the letter that it was part of and must be part of again: that one may have arrived.
    pub letter: Option<String>,
}

/// Which waiting deliveries make a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LetterOf {
    /// All that waits for this recipient.
    To(String),
    /// All that was part of the letter with this Message-ID, and may have arrived with it.
    Again(String),
}

/// A delivery as a retry finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// Exactly as it stands in the database.
    pub recipient: String,
    pub state: State,
    pub letter: Option<String>,
}

/// What became of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Sent,
    Written,
    Failed,
    Ambiguous,
    /// Surely not delivered; to be tried again from this instant on.
    Deferred(Instant),
    /// Never tried: as if it had not been claimed.
    Released,
}

/// A letter that a sweep is done with.
#[derive(Clone, Debug)]
pub struct Settled {
    pub recipient: String,
    pub reminders: Vec<ReminderId>,
    /// Whether it may have arrived earlier: what is left of it then goes out again with the same Message-ID.
    pub again: bool,
    pub fate: Fate,
    /// The mail server's words.
    pub answer: String,
}

/// Letters that sweeps have in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InHand {
    pub letters: u64,
    /// The last sign of life of any of these sweeps.
    pub heard_at: Instant,
    /// From then on another sweep sends what they have not.
    pub until: Instant,
}
