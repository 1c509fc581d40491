//! What is planned of a key: from when on it works, and when it is revoked. Both follow from the clock: nothing needs to happen
//! then.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Instant;
use super::expiry::{Expiry, ExpiryError};
use super::text::SafeText;
use super::when::{Here, Moment, Side, Span, SpanError};

/// What is wished of a new key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The key is refused before this instant; `None`: it works at once.
    pub not_before: Option<Instant>,
    /// From this instant on it is revoked; `None`: that isn't planned.
    pub revoke_at: Option<Instant>,
}

/// Another instant in a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NewInstant {
    /// `None`: it isn't planned any more.
    To(Option<Instant>),
    /// So much later than it is planned now.
    By(Span),
}

/// Which of the two instants of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    NotBefore,
    RevokeAt,
}

/// Why a time can't be planned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error("{:?} isn't a valid time: write 3h, 7d, tomorrow 18:00, 2027-01-31, 2027-01-31 12:00 or 2027-01-31T12:00Z", .0.as_str())]
    Unknown(SafeText),
    #[error(transparent)]
    Time(ExpiryError),
    #[error(transparent)]
    Span(#[from] SpanError),
    #[error("{} lies in the past: choose a later time", told(*.0))]
    Past(Instant),
    #[error("nothing is planned yet: write a time, or a span without the +")]
    Nothing,
    #[error("{} isn't before the key expires, {}: choose an earlier time", told(*.at), told(*.expires))]
    AfterExpiry { at: Instant, expires: Instant },
    #[error("{} isn't before the planned revocation, {}: choose an earlier time", told(*.at), told(*.revoke_at))]
    AfterRevocation { at: Instant, revoke_at: Instant },
    #[error(
        "the key would stop before it works, which is planned for {}: choose a later time", told(*.not_before)
    )]
    BeforeStart { not_before: Instant },
    #[error(
        "its revocation is planned for {}, which must come before it expires: plan that sooner or cancel it first (--revoke-at none)",
        told(*.revoke_at)
    )]
    ExpiresFirst { revoke_at: Instant },
}

fn told(at: Instant) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

impl Part {
    /// Reads a time that lies ahead: a span from now on (`3h`, or `+3h`), a day or an instant. A day means its first second for
    /// [`Part::NotBefore`], and its last for [`Part::RevokeAt`], so that the key works on it.
    ///
    /// # Errors
    /// For any other text, and for what isn't in the future.
    pub fn read(self, text: &str, here: Here) -> Result<Instant, PlanError> {
        let text = text.trim();
        let text = text.strip_prefix('+').unwrap_or(text);
        let day = match (self, Moment::parse(text, here, Side::Ahead)) {
            (Self::NotBefore, Some(Moment::Day(day))) => here.zone.begin(day),
            _ => None,
        };
        let expiry = match day {
            Some(at) => Expiry::At(at),
            None => Expiry::parse(text, here).map_err(|error| match error {
                ExpiryError::Unknown(text) => PlanError::Unknown(text),
                ExpiryError::Span(error) => PlanError::Span(error),
                error => PlanError::Time(error),
            })?,
        };
        match expiry.instant(here.now) {
            None => Err(PlanError::Unknown(SafeText::new(text))),
            Some(at) if at <= here.now => Err(PlanError::Past(at)),
            Some(at) => Ok(at),
        }
    }

    /// Reads `none`, `+7d` (so much later than planned now), or what [`Part::read`] reads.
    ///
    /// # Errors
    /// For any other text, and for what isn't in the future.
    pub fn read_new(self, text: &str, here: Here) -> Result<NewInstant, PlanError> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("none") {
            return Ok(NewInstant::To(None));
        }
        match text.strip_prefix('+') {
            Some(span) => Ok(NewInstant::By(Span::parse(span)?)),
            None => self.read(text, here).map(|at| NewInstant::To(Some(at))),
        }
    }
}

impl NewInstant {
    /// What becomes of `old` at `now`.
    ///
    /// # Errors
    /// There is nothing to move, or it isn't in the future.
    pub fn of(self, old: Option<Instant>, here: Here) -> Result<Option<Instant>, PlanError> {
        let new = match self {
            Self::To(new) => new,
            Self::By(span) => {
                let old = old.ok_or(PlanError::Nothing)?;
                Some(span.after(old, here.zone).ok_or(PlanError::Time(ExpiryError::TooFar))?)
            }
        };
        match new {
            Some(at) if new != old && at <= here.now => Err(PlanError::Past(at)),
            new => Ok(new),
        }
    }
}

impl fmt::Display for NewInstant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::To(None) => f.write_str("none"),
            Self::To(Some(at)) => f.write_str(&at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)),
            Self::By(span) => write!(f, "+{span}"),
        }
    }
}

impl Plan {
    /// Whether the plan of a key that expires then fits: it works, then it is revoked, and then it would have expired.
    ///
    /// # Errors
    /// With the part that can't be.
    pub fn check(&self, expires_at: Option<Instant>, now: Instant) -> Result<(), (Part, PlanError)> {
        for (part, at) in [(Part::NotBefore, self.not_before), (Part::RevokeAt, self.revoke_at)] {
            if let Some(at) = at.filter(|at| *at <= now) {
                return Err((part, PlanError::Past(at)));
            }
        }
        if let (Some(at), Some(expires)) = (self.revoke_at, expires_at)
            && at >= expires
        {
            return Err((Part::RevokeAt, PlanError::AfterExpiry { at, expires }));
        }
        match (self.not_before, self.revoke_at, expires_at) {
            (Some(at), Some(revoke_at), _) if at >= revoke_at => {
                Err((Part::NotBefore, PlanError::AfterRevocation { at, revoke_at }))
            }
            (Some(at), _, Some(expires)) if at >= expires => {
                Err((Part::NotBefore, PlanError::AfterExpiry { at, expires }))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
