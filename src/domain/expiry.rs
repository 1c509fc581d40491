//! When a key ends.

use std::fmt;

use chrono::Duration;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use super::when::{Span, SpanError};
use super::{EARLIEST, Instant, LATEST, days, shifted};

mod words;

pub use words::{ExpiryError, check_expiry};

/// An expiry as it is chosen: relative to the key's creation, or an instant.
///
/// Its text form is `never`, `90d` or an RFC 3339 instant; people may write more (see [`Expiry::parse`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Expiry {
    Never,
    /// Creation plus this many times 24 hours; a year is 365 days (decision 1).
    Days(u32),
    At(Instant),
}

impl Expiry {
    /// The instant of the end of a key that is created at `created`; `None` for never.
    pub fn instant(self, created: Instant) -> Option<Instant> {
        match self {
            Self::Never => None,
            Self::Days(number) => Some(shifted(created, days(number))),
            Self::At(at) => Some(at),
        }
    }
}

impl fmt::Display for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("never"),
            Self::Days(days) => write!(f, "{days}d"),
            Self::At(at) => f.write_str(&at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)),
        }
    }
}

impl From<Expiry> for String {
    fn from(expiry: Expiry) -> Self {
        expiry.to_string()
    }
}

impl TryFrom<String> for Expiry {
    type Error = String;

    /// Reads the text form; not for what people write.
    fn try_from(text: String) -> Result<Self, String> {
        if text == "never" {
            return Ok(Self::Never);
        }
        if let Some(days) = text.strip_suffix('d').and_then(|days| days.parse().ok()) {
            return Ok(Self::Days(days));
        }
        chrono::DateTime::parse_from_rfc3339(&text)
            .map(|at| Self::At(at.to_utc().clamp(EARLIEST, LATEST)))
            .map_err(|_| format!("{text:?} isn't a valid expiry: write never, 90d or an RFC 3339 instant"))
    }
}

/// How long the old key goes on working after a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray, strum::VariantNames)]
pub enum Overlap {
    #[strum(serialize = "none")]
    None,
    #[strum(serialize = "15m")]
    Minutes15,
    #[strum(serialize = "1h")]
    Hour1,
    #[strum(serialize = "24h")]
    Hours24,
    #[strum(serialize = "7d")]
    Days7,
}

impl Overlap {
    pub const ALL: &[Self] = Self::VARIANTS;
    const NAMES: &[&str] = <Self as strum::VariantNames>::VARIANTS;

    pub fn duration(self) -> Duration {
        match self {
            Self::None => Duration::zero(),
            Self::Minutes15 => Duration::minutes(15),
            Self::Hour1 => Duration::hours(1),
            Self::Hours24 => Duration::hours(24),
            Self::Days7 => Duration::days(7),
        }
    }

    /// When a key that is replaced at `from` ends: never later than its own expiry.
    pub fn end(self, own: Option<Instant>, from: Instant) -> Instant {
        let end = shifted(from, self.duration());
        own.map_or(end, |own| own.min(end))
    }

    /// The spelling on the command line.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Reads the spelling, or a span of the same length.
    ///
    /// # Errors
    /// For any other text.
    pub fn parse(text: &str) -> Result<Self, OverlapError> {
        let span = match Span::parse(text) {
            Err(error @ SpanError::MinutesOrMonths(_)) => return Err(error.into()),
            span => span.ok(),
        };
        let fits = |overlap: &Self| {
            overlap.as_str() == text || span.is_some_and(|span| span == overlap.duration().into())
        };
        Self::ALL.iter().copied().find(fits).ok_or(OverlapError::NotOffered)
    }
}

/// Why a text is no overlap.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverlapError {
    #[error("write one of {}", Overlap::NAMES.join(", "))]
    NotOffered,
    #[error(transparent)]
    Span(#[from] SpanError),
}

#[cfg(test)]
mod tests;
