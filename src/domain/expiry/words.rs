//! Expiries as people write them, and what a policy says to them.

use chrono::{DateTime, Datelike, Days, Duration, Months, NaiveDate, NaiveTime, Weekday};

use super::Expiry;
use crate::domain::Instant;
use crate::domain::issuer::ExpiryRule;
use crate::domain::query::parse_duration;
use crate::domain::text::SafeText;

/// From this year on an expiry is taken for a slip of the finger; see also [`crate::domain::query::never`].
const TOO_FAR: i32 = 9000;

/// Why an expiry was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpiryError {
    #[error("{:?} is no expiry: write never, 90d, 12h, 1y, tomorrow, end of month, 2027-01-31 or 2027-01-31T12:00Z", .0.as_str())]
    Unknown(SafeText),
    #[error("{} is not in the future: choose a later one", .0.format("%Y-%m-%d %H:%M UTC"))]
    Past(Instant),
    #[error("that is beyond the year {TOO_FAR}: choose an earlier one, or never")]
    TooFar,
    #[error("this policy offers only {0}")]
    NotOffered(String),
    #[error("under this policy every key must end: choose at most {0}d")]
    NeverForbidden(u32),
    #[error("under this policy no key lives longer than {0} days: choose {0}d or less")]
    TooLong(u32),
}

impl Expiry {
    /// Reads what a person writes; case and the blanks around it don't matter.
    ///
    /// * `never`
    /// * a span: `30d`, `12h`, `2w`, `3mo`, `1y`, `90 days`, `1 year` (365 days, decision 1 of the requirements)
    /// * a day, which means its last second in UTC, so that the key still works on it: `2027-01-31`, `today`,
    ///   `tomorrow`, `friday`, `next friday` (the next one after today), `end of month` or `eom`, `end of year` or `eoy`
    /// * an instant: `2027-01-31T12:00Z`, RFC 3339
    ///
    /// Whole days stay relative ([`Expiry::Days`]); all else is an instant, reckoned from `now`. Refused is what is not in
    /// the future.
    pub fn parse(text: &str, now: Instant) -> Result<Self, ExpiryError> {
        let words = text.trim().to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
        let expiry = if matches!(words.as_str(), "never" | "never expires") {
            Self::Never
        } else if let Some(span) = span(&words) {
            let days = span.num_days();
            match u32::try_from(days) {
                Ok(days) if Duration::days(i64::from(days)) == span => Self::Days(days),
                _ => Self::At(now.checked_add_signed(span).ok_or(ExpiryError::TooFar)?),
            }
        } else if let Some(day) = day(&words, now.date_naive()) {
            Self::At(last_second(day).ok_or(ExpiryError::TooFar)?)
        } else if let Some(at) = instant(&words) {
            Self::At(at)
        } else {
            return Err(ExpiryError::Unknown(SafeText::new(text.trim())));
        };
        in_the_future(expiry, now)?;
        Ok(expiry)
    }
}

/// Whether a policy allows `expiry` for a key that is made `now`.
pub fn check_expiry(rule: &ExpiryRule, expiry: Expiry, now: Instant) -> Result<(), ExpiryError> {
    in_the_future(expiry, now)?;
    if let Some(days) = rule.max_days {
        match expiry.instant(now) {
            None => return Err(ExpiryError::NeverForbidden(days)),
            Some(at) if at > now + Duration::days(i64::from(days)) => return Err(ExpiryError::TooLong(days)),
            Some(_) => {}
        }
    }
    if !rule.custom && !rule.choices.contains(&expiry) {
        let offered = rule.choices.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        return Err(ExpiryError::NotOffered(offered));
    }
    Ok(())
}

fn in_the_future(expiry: Expiry, now: Instant) -> Result<(), ExpiryError> {
    let at = match expiry {
        Expiry::Never => return Ok(()),
        Expiry::Days(days) => {
            now.checked_add_signed(Duration::days(i64::from(days))).ok_or(ExpiryError::TooFar)?
        }
        Expiry::At(at) => at,
    };
    if at <= now {
        return Err(ExpiryError::Past(at));
    }
    if at.year() > TOO_FAR {
        return Err(ExpiryError::TooFar);
    }
    Ok(())
}

/// `90d`, `1d12h`, `90 days`, `in 1 year`.
fn span(words: &str) -> Option<Duration> {
    if let Some(span) = parse_duration(words) {
        return Some(span);
    }
    let (number, unit) = words.strip_prefix("in ").unwrap_or(words).split_once(' ')?;
    let unit = match unit {
        "minute" | "minutes" => "m",
        "hour" | "hours" => "h",
        "day" | "days" => "d",
        "week" | "weeks" => "w",
        "month" | "months" => "mo",
        "year" | "years" => "y",
        _ => return None,
    };
    parse_duration(&format!("{number}{unit}"))
}

fn day(words: &str, today: NaiveDate) -> Option<NaiveDate> {
    match words {
        "today" => Some(today),
        "tomorrow" => today.checked_add_days(Days::new(1)),
        "eom" | "end of month" | "end of the month" => {
            today.with_day(1)?.checked_add_months(Months::new(1))?.checked_sub_days(Days::new(1))
        }
        "eoy" | "end of year" | "end of the year" => NaiveDate::from_ymd_opt(today.year(), 12, 31),
        _ => {
            if let Ok(weekday) = words.strip_prefix("next ").unwrap_or(words).parse::<Weekday>() {
                let ahead =
                    (weekday.num_days_from_monday() + 6 - today.weekday().num_days_from_monday()) % 7 + 1;
                return today.checked_add_days(Days::new(u64::from(ahead)));
            }
            NaiveDate::parse_from_str(words, "%Y-%m-%d").ok()
        }
    }
}

fn last_second(day: NaiveDate) -> Option<Instant> {
    Some(day.and_time(NaiveTime::from_hms_opt(23, 59, 59)?).and_utc())
}

/// An instant in RFC 3339, its seconds optional.
fn instant(words: &str) -> Option<Instant> {
    let text = words.to_uppercase();
    DateTime::parse_from_rfc3339(&text)
        .or_else(|_| DateTime::parse_from_str(&text.replace('Z', "+00:00"), "%Y-%m-%dT%H:%M%:z"))
        .ok()
        .map(|at| chrono::SubsecRound::trunc_subsecs(at.to_utc(), 6))
}
