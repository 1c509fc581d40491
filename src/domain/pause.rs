//! Keys that are refused for a while: each by a pause of its own, or all that the filter of a freeze fits.

use serde::{Deserialize, Serialize};

use super::Instant;
use super::text::SafeText;
use super::when::{Here, Moment, Side, SinceError, Span, SpanError, ahead_in_full, in_a_sentence};

/// Why a key is refused for a while. It ends by the clock: nothing needs to happen then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    pub at: Instant,
    /// From this instant on the key is what it was.
    pub until: Instant,
    pub by: SafeText,
    /// For those who are refused, where the policy lets them see it.
    pub message: Option<SafeText>,
    /// For those who look here.
    pub reason: Option<SafeText>,
    /// The number of the freeze that it comes from.
    pub freeze: Option<i64>,
}

/// The usual length of a pause.
pub const USUAL: &str = "1h";

impl Pause {
    /// Whether it still holds at `now`.
    pub fn holds(&self, now: Instant) -> bool {
        now < self.until
    }

    /// `paused until 2026-11-21 at 12:04:05 UTC by ada (looking into a leak)`.
    pub fn words(&self) -> String {
        let how = self.freeze.map_or_else(|| "paused".to_owned(), |n| format!("frozen by freeze {n}"));
        let why = self.reason.as_ref().filter(|why| !why.is_empty());
        let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
        format!("{how} until {} by {}{why}", in_a_sentence(self.until), self.by)
    }

    /// What who is refused is told.
    pub fn told(&self) -> String {
        let message = self.message.as_ref().filter(|message| !message.is_empty());
        let message = message.map(|message| format!(" {message}")).unwrap_or_default();
        format!("This key is paused until {}.{message}", in_a_sentence(self.until))
    }
}

/// How long something shall hold, as it was wished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lasting {
    For(Span),
    Until(Instant),
}

/// Why a time is no end of a pause.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LastingError {
    #[error("lies in the past: write for example 1h, or a later time")]
    Past,
    #[error("{} from now, but the policy of {issuer} allows at most {max_days} days", ahead_in_full(*until, *now).trim_start_matches("in "))]
    TooLong { until: Instant, now: Instant, issuer: String, max_days: u32 },
}

impl Lasting {
    /// Reads a span of time; an end reads [`Lasting::until`].
    ///
    /// # Errors
    /// For any other text.
    pub fn span(text: &str) -> Result<Self, SpanError> {
        Span::parse(text).map(Self::For)
    }

    /// Reads an end: an instant, a day (to its last second), or a span from now on.
    ///
    /// # Errors
    /// For any other text.
    pub fn until(text: &str, here: Here) -> Result<Self, SinceError> {
        match Moment::parse(text, here, Side::Ahead) {
            Some(moment) => moment.range(here).map(|(_, last)| Self::Until(last)),
            None => match Self::span(text) {
                Err(SpanError::NoSpan(_)) => None,
                span => Some(span?),
            },
        }
        .ok_or_else(|| SinceError::Unknown(SafeText::new(text.trim())))
    }

    /// When it ends that begins at `now`, where the policies of these issuers (slug, days) allow that.
    ///
    /// # Errors
    /// It would end before it begins, or later than a policy allows.
    pub fn end<'a>(
        self,
        now: Instant,
        limits: impl IntoIterator<Item = (&'a str, u32)>,
    ) -> Result<Instant, LastingError> {
        let until = match self {
            Self::Until(at) => at,
            Self::For(span) => span.after(now, Here::utc(now).zone).unwrap_or(super::LATEST),
        };
        if until <= now {
            return Err(LastingError::Past);
        }
        match limits.into_iter().min_by_key(|(_, days)| *days) {
            Some((issuer, max_days)) if until > super::shifted(now, super::days(max_days)) => {
                Err(LastingError::TooLong { until, now, issuer: issuer.to_owned(), max_days })
            }
            _ => Ok(until),
        }
    }
}
