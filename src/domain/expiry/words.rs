//! Expiries as people write them, and what a policy says to them.

use chrono::{Datelike, Duration};

use super::Expiry;
use crate::domain::issuer::ExpiryRule;
use crate::domain::shifted;
use crate::domain::text::SafeText;
use crate::domain::when::{Here, Moment, Side, Span, SpanError};

/// From this year on an expiry is taken for a slip of the finger; see also [`crate::domain::query::never`].
const TOO_FAR: i32 = 9000;

/// Why an expiry was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpiryError {
    #[error("{:?} isn't a valid expiry: write never, 90d, 12h, 1y, 18:00, tomorrow, end of month, 2027-01-31, 2027-01-31 12:00 or 2027-01-31T12:00Z", .0.as_str())]
    Unknown(SafeText),
    #[error(transparent)]
    Span(#[from] SpanError),
    /// As it is shown in the zone here.
    #[error("{0} is not in the future: choose a later time")]
    Past(String),
    #[error("that is beyond the year {TOO_FAR}: choose an earlier one, or never")]
    TooFar,
    #[error("this policy offers only {0}")]
    NotOffered(String),
    #[error("under this policy every key must expire: choose at most {0}d")]
    NeverForbidden(u32),
    #[error("this policy requires an expiry: choose one, such as 90d")]
    Required,
    #[error("under this policy no key lives longer than {0} days: choose {0}d or less")]
    TooLong(u32),
}

impl Expiry {
    /// Reads what a person writes; case and the blanks around it don't matter.
    ///
    /// * `never`
    /// * a span: `30d`, `12h`, `2w`, `3mo`, `1y`, `90 days` (see [`Span::parse`])
    /// * a day, which means its last second in the zone here, so that the key still works on it, or an instant (see
    ///   [`Moment::parse`])
    ///
    /// Whole days stay relative ([`Expiry::Days`]); all else is an instant, counted from now.
    ///
    /// # Errors
    /// For any other text, and for what is not in the future.
    pub fn parse(text: &str, here: Here) -> Result<Self, ExpiryError> {
        let unknown = || ExpiryError::Unknown(SafeText::new(text.trim()));
        let expiry = match Span::parse(text) {
            Ok(span) => Self::after(span, here)?,
            Err(SpanError::NoSpan(_))
                if ["never", "never expires"].contains(&text.trim().to_lowercase().as_str()) =>
            {
                Self::Never
            }
            Err(SpanError::NoSpan(_)) => match Moment::parse(text, here, Side::Ahead).ok_or_else(unknown)? {
                Moment::Day(day) => Self::At(here.zone.last_second(day).ok_or(ExpiryError::TooFar)?),
                Moment::At(at) => Self::At(at),
            },
            Err(error) => return Err(error.into()),
        };
        in_the_future(expiry, here)?;
        Ok(expiry)
    }

    fn after(span: Span, here: Here) -> Result<Self, ExpiryError> {
        let days = span.fixed().and_then(|time| u32::try_from(time.num_days()).ok());
        match days.filter(|days| span == Span::days(*days)) {
            Some(days) => Ok(Self::Days(days)),
            None => span.after(here.now, here.zone).map(Self::At).ok_or(ExpiryError::TooFar),
        }
    }
}

impl ExpiryRule {
    /// As [`Expiry::parse`], under this policy: where it offers 365 days, a year is that choice (decision 1 of the
    /// requirements).
    ///
    /// # Errors
    /// As [`Expiry::parse`].
    pub fn read(&self, text: &str, here: Here) -> Result<Expiry, ExpiryError> {
        let year = Expiry::Days(365);
        match Span::parse(text) {
            Ok(Span::YEAR) if self.choices.contains(&year) => Ok(year),
            _ => Expiry::parse(text, here),
        }
    }
}

/// Whether a policy allows `expiry` for a key that is made now.
pub fn check_expiry(rule: &ExpiryRule, expiry: Expiry, here: Here) -> Result<(), ExpiryError> {
    in_the_future(expiry, here)?;
    let now = here.now;
    if rule.require_expiry && expiry == Expiry::Never {
        return Err(rule.max_days.map_or(ExpiryError::Required, ExpiryError::NeverForbidden));
    }
    if let Some(days) = rule.max_days {
        match expiry.instant(now) {
            None => return Err(ExpiryError::NeverForbidden(days)),
            Some(at) if at > shifted(now, crate::domain::days(days)) => {
                return Err(ExpiryError::TooLong(days));
            }
            Some(_) => {}
        }
    }
    if !rule.custom && !rule.choices.contains(&expiry) {
        let offered = rule.choices.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        return Err(ExpiryError::NotOffered(offered));
    }
    Ok(())
}

fn in_the_future(expiry: Expiry, here: Here) -> Result<(), ExpiryError> {
    let at = match expiry {
        Expiry::Never => return Ok(()),
        Expiry::Days(days) => {
            here.now.checked_add_signed(Duration::days(i64::from(days))).ok_or(ExpiryError::TooFar)?
        }
        Expiry::At(at) => at,
    };
    if at <= here.now {
        return Err(ExpiryError::Past(here.zone.to_the_minute(at)));
    }
    if at.year() > TOO_FAR {
        return Err(ExpiryError::TooFar);
    }
    Ok(())
}
