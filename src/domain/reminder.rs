//! Reminders: mail to an account's admins before a key expires (VG-15), never about one that does not (VG-16).
//!
//! A reminder exists once per key, threshold and expiry. It reaches each of the account's admins by a [`Delivery`] of its
//! own, so that one bad address neither stops nor repeats what the others get.

use chrono::Duration;
use serde::Serialize;
use strum::{EnumString, IntoStaticStr, VariantArray};
use uuid::Uuid;

use super::key::KeyId;
use super::text::SafeText;
use super::{Instant, shifted};

mod filter;
pub mod fit;
mod outbox;

pub use filter::ReminderFilter;
pub use outbox::{Band, Case, Fate, InHand, LetterOf, NewReminder, Settled, Subject, Tried, Waiting};

/// The identity of a reminder: UUID version 7.
pub type ReminderId = Uuid;

/// The identity of a sweep: UUID version 7.
pub type SweepId = Uuid;

/// Where a reminder or one of its deliveries stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, EnumString, IntoStaticStr, VariantArray)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum State {
    /// To be sent by the next sweep, or, after a passing fault, by the first one after the pause.
    Pending,
    /// A sweep has claimed it.
    Sending,
    /// The mail server took it.
    Sent,
    /// It became a file in a folder. Nothing left this machine.
    Written,
    /// The mail server refused it for good. Somebody must look.
    Failed,
    /// It was sent, and no answer came: it may have arrived or not (H19).
    Ambiguous,
    /// A tighter threshold was crossed before it was sent (decision 3).
    Superseded,
    /// The key was revoked, replaced or expired, or its expiry changed, before it was sent.
    Cancelled,
}

impl State {
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The word that the database, the filter and the output use.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether a person should look at it, and may send it again.
    pub fn needs_attention(self) -> bool {
        matches!(self, Self::Failed | Self::Ambiguous)
    }

    /// How much it says about where a reminder stands that has several recipients: the least says most.
    fn telling(self) -> u8 {
        match self {
            Self::Failed => 0,
            Self::Ambiguous => 1,
            Self::Sending => 2,
            Self::Pending => 3,
            Self::Written => 4,
            Self::Sent => 5,
            Self::Superseded => 6,
            Self::Cancelled => 7,
        }
    }
}

/// A reminder as the outbox knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reminder {
    pub id: ReminderId,
    pub key: KeyId,
    pub key_name: SafeText,
    pub preview: SafeText,
    /// The account's slug.
    pub account: String,
    /// The issuer's slug.
    pub issuer: String,
    /// The threshold: days before the expiry.
    pub days_before: u32,
    /// The expiry that it reminds of, as it was when the reminder was made.
    pub expires_at: Instant,
    /// When the threshold was crossed.
    pub due_at: Instant,
    pub state: State,
    /// Why it was cancelled or superseded: "revoked", "expired", "7 days".
    pub why: Option<SafeText>,
    pub created_at: Instant,
    pub changed_at: Instant,
    /// One for each of the account's admins, in the order of their addresses.
    pub deliveries: Vec<Delivery>,
}

impl Reminder {
    /// Whether a person should look at what became of one of its recipients, and may send it again.
    pub fn needs_attention(&self) -> bool {
        self.state.needs_attention() || self.deliveries.iter().any(|one| one.state.needs_attention())
    }

    /// Whether it was only written for one of its recipients.
    pub fn was_written(&self) -> bool {
        self.deliveries.iter().any(|one| one.state == State::Written)
    }

    /// The delivery that says most about where it stands: one that went wrong, else one that waits, else the first.
    pub fn telling(&self) -> Option<&Delivery> {
        self.deliveries.iter().min_by_key(|delivery| delivery.state.telling())
    }

    /// "1 failed, 2 pending": how many of its recipients stand where, unless all stand in one state.
    pub fn mixed(&self) -> Option<String> {
        let counts = self.recipients();
        let words = |(state, count): &(State, usize)| format!("{count} {}", state.as_str());
        (counts.len() > 1).then(|| counts.iter().map(words).collect::<Vec<_>>().join(", "))
    }

    /// How many of its recipients stand in each state, what says most first.
    pub fn recipients(&self) -> Vec<(State, usize)> {
        let mut counts: Vec<(State, usize)> = Vec::new();
        for delivery in &self.deliveries {
            match counts.iter_mut().find(|(state, _)| *state == delivery.state) {
                Some((_, count)) => *count += 1,
                None => counts.push((delivery.state, 1)),
            }
        }
        counts.sort_by_key(|(state, _)| state.telling());
        counts
    }
}

/// A reminder on its way to one mail address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Delivery {
    pub recipient: SafeText,
    pub state: State,
    /// How often it was tried.
    pub attempts: u32,
    /// Not tried before this instant; of use while it is pending.
    pub next_at: Instant,
    /// The mail server's own words, Keyrack's about a silence, or the file.
    pub answer: Option<SafeText>,
    /// The Message-ID of the letter that it is part of: a repeat carries the same one.
    pub letter: Option<SafeText>,
    pub changed_at: Instant,
}

/// Which door a sweep was started from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, IntoStaticStr, EnumString)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Door {
    Console,
    /// `keyrack reminders sweep`
    Command,
    /// `keyrack reminders watch`
    Watch,
}

impl Door {
    /// The word that the database and the output use.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// How a sweep is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Progress {
    Running,
    /// It did what there was to do, up to its limit.
    Ended,
    /// It stopped before: by a person, or because the mail server could not be reached.
    Stopped,
    /// It gave no sign of life for a while: its process was killed. What it had claimed is claimed by the next one.
    Lost,
}

impl Progress {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What a sweep's letters came to. Letters, not reminders: a letter lists all keys of one recipient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Reminders in letters that were sent or written, each once, however many recipients it has.
    pub reminders: u64,
    pub sent: u64,
    /// Letters that became files: nothing left this machine.
    pub written: u64,
    pub failed: u64,
    /// To be tried again by a later sweep.
    pub deferred: u64,
    pub ambiguous: u64,
}

impl Tally {
    /// Letters that were tried.
    pub fn letters(&self) -> u64 {
        self.settled() + self.deferred
    }

    /// Letters that met their fate: they are not tried again by themselves.
    pub fn settled(&self) -> u64 {
        self.sent + self.written + self.failed + self.ambiguous
    }
}

/// Why a sweep stopped early that was asked to.
pub const STOPPED: &str = "stopped by hand";

/// One run over all keys that sends the reminders that are due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sweep {
    pub id: SweepId,
    pub door: Door,
    pub by: SafeText,
    pub host: SafeText,
    pub began_at: Instant,
    pub ended_at: Option<Instant>,
    pub progress: Progress,
    pub tally: Tally,
    /// Why it stopped early.
    pub trouble: Option<SafeText>,
}

/// The thresholds of a policy that `now` has crossed for a key, tightest first. Only the first is to be sent; the others
/// are superseded by it (decision 3).
///
/// A threshold is crossed from exactly `days` before the expiry on, so that a day without a sweep delays a reminder and
/// never skips it. One that is not shorter than the key's whole life is none (decision 2). After the expiry there are none.
pub fn crossed(days_before: &[u32], created_at: Instant, expires_at: Instant, now: Instant) -> Vec<u32> {
    if now >= expires_at {
        return Vec::new();
    }
    let mut crossed: Vec<u32> = days_before
        .iter()
        .copied()
        .filter(|days| {
            let ahead = Duration::days(i64::from(*days));
            ahead < expires_at - created_at && expires_at - now <= ahead
        })
        .collect();
    crossed.sort_unstable();
    crossed.dedup();
    crossed
}

/// The pause before the next try, after `attempts` of them met a passing fault: 5 minutes, then three times as long each
/// time, at most 12 hours.
pub fn pause_after(attempts: u32) -> Duration {
    let minutes = 5_i64.saturating_mul(3_i64.saturating_pow(attempts.saturating_sub(1).min(8)));
    Duration::minutes(minutes.min(12 * 60))
}

/// A reminder that came no earlier than this did its work all the same: it is not repeated for a clock that was set right
/// by hours.
const EARLY: Duration = Duration::days(1);

/// What was changed after this was changed by a clock that ran ahead.
pub fn ahead_of(now: Instant) -> Instant {
    shifted(now, EARLY)
}

#[cfg(test)]
mod tests;
