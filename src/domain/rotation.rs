//! A rotation while both of its keys are there: the old one goes on beside its replacement until the overlap ends.

use chrono::Duration;
use serde_json::Value;

use super::audit::Action;
use super::expiry::Overlap;
use super::issuer::Policy;
use super::key::Key;
use super::text::{SafeText, thousands};
use super::usage::{Minute, minute};
use super::when::relative;
use super::{EARLIEST, Instant, LATEST, days, shifted};

/// No overlap is longer, with all that it is extended by.
pub const LONGEST: Overlap = Overlap::Days7;
/// Minutes whose requests are read.
pub const MINUTES: i64 = 60;
/// The minutes of which the requests a minute are told.
const LATELY: i64 = 5;
/// So long before an overlap ends it is told that its old key is still used; in a short one a quarter of its length before.
pub const AHEAD: Duration = Duration::hours(1);
/// Used within this time before, the old key is still used; in a short overlap within a quarter of its length.
const STILL: Duration = Duration::hours(6);

/// What a key was used for within the last hour, and where from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lately {
    /// Minute by minute, the oldest first; those without a request are left out.
    pub minutes: Vec<Minute>,
    /// The networks that it was used from, those that were seen last for the first time first, and no more than a few.
    pub networks: Vec<SafeText>,
    /// How many networks there are beside these.
    pub more_networks: u64,
}

impl Lately {
    fn since(&self, now: Instant, minutes: i64) -> u64 {
        let first = minute(now) - minutes;
        let lately = self.minutes.iter().filter(|one| one.minute > first);
        lately.fold(0, |sum, one| sum.saturating_add(one.counts.total()))
    }

    /// Requests within the last 60 minutes, however they ended.
    pub fn hour(&self, now: Instant) -> u64 {
        self.since(now, MINUTES)
    }

    /// Requests a minute, as the last five had them.
    pub fn a_minute(&self, now: Instant) -> u64 {
        self.since(now, LATELY) / LATELY.unsigned_abs()
    }

    /// `3/h`, `12/min`; empty without a request.
    pub fn pace(&self, now: Instant) -> String {
        match (self.a_minute(now), self.hour(now)) {
            (0, 0) => String::new(),
            (0, hour) => format!("{}/h", thousands(hour)),
            (a_minute, _) => format!("{}/min", thousands(a_minute)),
        }
    }
}

/// Both keys of an open overlap, and what they are used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The key that is replaced, which still works unless something else stops it.
    pub old: Key,
    /// Its replacement. Whoever rotated is who created it.
    pub new: Key,
    pub old_use: Lately,
    pub new_use: Lately,
}

impl Rotation {
    /// When the overlap began: when the replacement's secret was confirmed.
    pub fn began_at(&self) -> Instant {
        began(&self.new)
    }

    /// When the old key ends; `None` if somebody took its expiry away.
    pub fn ends_at(&self) -> Option<Instant> {
        self.old.ends_at()
    }

    /// For how long the old key was not used; `None` if it was within the last minute, or if it never was.
    pub fn silent(&self, now: Instant) -> Option<Duration> {
        self.old.last_used_at.map(|at| now - at).filter(|silent| *silent >= Duration::minutes(1))
    }

    /// `silent for 6 h`, `never used`, `in use`
    pub fn silence(&self, now: Instant) -> String {
        match (self.old.last_used_at, self.silent(now)) {
            (None, _) => "never used".into(),
            (Some(_), None) => "in use".into(),
            (Some(at), Some(_)) => {
                let ago = relative(at, now);
                format!("silent for {}", ago.strip_suffix(" ago").unwrap_or(&ago))
            }
        }
    }
}

/// When the overlap of a key with this replacement began.
pub fn began(new: &Key) -> Instant {
    new.acknowledged_at.unwrap_or(new.created_at)
}

/// Whether somebody should be told by now that the old key is still used although it ends soon.
pub fn is_late(old: &Key, new: &Key, now: Instant) -> bool {
    let (Some(end), Some(used)) = (old.stops_at(), old.last_used_at) else { return false };
    let began = began(new);
    let quarter = (end - began).max(Duration::zero()) / 4;
    let (ahead, still) = (quarter.min(AHEAD), quarter.min(STILL));
    old.is_being_replaced(now)
        && old.successor == Some(new.id)
        && end <= shifted(now, ahead)
        && used > began
        && used > shifted(now, -still)
}

/// Why an overlap can't be extended that far.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExtendError {
    #[error("the extension must be longer than zero, such as 24h")]
    Nothing,
    #[error("the old key never expires, so there is nothing to extend")]
    Endless,
    #[error(
        "an overlap lasts {longest} at most, so that this one ends by {latest}: if the old key must go on for longer, change \
         when it expires with `keyrack key edit {id} --expires WHEN`",
        longest = LONGEST.as_str()
    )]
    Long { latest: Latest, id: super::key::KeyId },
    #[error("an overlap can't last beyond {latest}, when the old key would have expired")]
    Own { latest: Latest },
    #[error("the policy lets it live until {latest} at most, {days} days from its creation")]
    Policy { latest: Latest, days: u32 },
}

/// An instant, written in UTC to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, derive_more::From)]
pub struct Latest(pub Instant);

impl std::fmt::Display for Latest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m-%d %H:%M:%S UTC"))
    }
}

/// The end of the overlap of these keys once it is `by` longer. `own` is when the old key would have expired if it had not
/// been replaced, `None` for never.
///
/// # Errors
/// It would be too long.
pub fn extended(
    old: &Key,
    new: &Key,
    by: Duration,
    own: Option<Instant>,
    policy: &Policy,
) -> Result<Instant, ExtendError> {
    let end = old.expires_at.ok_or(ExtendError::Endless)?;
    if by <= Duration::zero() {
        return Err(ExtendError::Nothing);
    }
    let wanted = shifted(end, by);
    if let Some(own) = own.filter(|own| wanted > *own) {
        return Err(ExtendError::Own { latest: own.into() });
    }
    let longest = shifted(began(new), LONGEST.duration());
    if wanted > longest {
        return Err(ExtendError::Long { latest: longest.max(end).into(), id: old.id });
    }
    match policy.expiry.max_days {
        Some(most) if wanted > shifted(old.created_at, days(most)) => {
            let latest = shifted(old.created_at, days(most)).max(end).into();
            Err(ExtendError::Policy { latest, days: most })
        }
        _ => Ok(wanted),
    }
}

/// When a key would expire if it had not been replaced, as the audit tells it: `rows` are the actions and details of its
/// creation, edits and overlaps, the oldest first. `None`: never, or no row tells.
pub fn own_expiry<'a>(rows: impl IntoIterator<Item = (&'a str, &'a Value)>) -> Option<Instant> {
    let (mut own, mut replaced) = (None, false);
    for (action, detail) in rows {
        if Action::CREATIONS.iter().any(|creation| action == creation.as_str()) {
            own = instant(&detail["expires_at"]);
        } else if action == Action::KeyRetire.as_str() {
            replaced = true;
        } else if let Some(new) = detail["changed"]["expires_at"].get(1) {
            // What was edited during an overlap is the overlap's end, unless it is later than the key's own.
            let new = instant(new);
            if !replaced || own.is_some_and(|own| new.is_none_or(|new| new > own)) {
                own = new;
            }
        }
    }
    own
}

fn instant(value: &Value) -> Option<Instant> {
    let at = chrono::DateTime::parse_from_rfc3339(value.as_str()?).ok()?;
    Some(at.to_utc().clamp(EARLIEST, LATEST))
}

#[cfg(test)]
mod tests;
