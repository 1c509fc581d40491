//! Spans of time: `30m`, `24h`, `90d`, `12w`, `6mo`, `1y`, `1d12h`, `90 days`.

use std::fmt;
use std::ops::Neg;

use chrono::{Duration, Months};

use serde::{Deserialize, Serialize};

use super::Zone;
use crate::domain::text::SafeText;
use crate::domain::{EARLIEST, Instant, LATEST};

/// A span of time, forwards or backwards. Months and years go by the calendar, a day is 24 hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Span {
    months: i32,
    time: Duration,
}

/// Why a text is no span.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpanError {
    #[error("{:?} isn't a valid span of time: write 30m, 24h, 90d, 12w, 6mo or 1y", .0.as_str())]
    NoSpan(SafeText),
    #[error("{0} has no unit: write {0}m, {0}h, {0}d, {0}w, {0}mo or {0}y")]
    NoUnit(SafeText),
    #[error("{0}M could mean minutes or months: write {0}m for minutes or {0}mo for months")]
    MinutesOrMonths(SafeText),
    #[error("{:?} isn't a unit of time: use s, m (minutes), h, d, w, mo (months) or y", .0.as_str())]
    UnknownUnit(SafeText),
    #[error("a span is at most {MOST_YEARS} years: write a shorter one")]
    TooLong,
}

/// More than anybody means, and far from where calendars end.
const MOST_YEARS: i64 = 1_000;

#[derive(Clone, Copy)]
enum Unit {
    Months(i64),
    Millis(i64),
}

const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// What a unit is called, in lower case.
const UNITS: [(&[&str], Unit); 8] = [
    (&["y", "yr", "yrs", "year", "years"], Unit::Months(12)),
    (&["mo", "mos", "month", "months"], Unit::Months(1)),
    (&["w", "wk", "wks", "week", "weeks"], Unit::Millis(7 * DAY)),
    (&["d", "day", "days"], Unit::Millis(DAY)),
    (&["h", "hr", "hrs", "hour", "hours"], Unit::Millis(HOUR)),
    (&["m", "min", "mins", "minute", "minutes"], Unit::Millis(60 * SECOND)),
    (&["s", "sec", "secs", "second", "seconds"], Unit::Millis(SECOND)),
    (&["ms", "msec", "millis", "millisecond", "milliseconds"], Unit::Millis(1)),
];

impl Span {
    pub const YEAR: Self = Self { months: 12, time: Duration::zero() };

    pub const fn days(days: u32) -> Self {
        Self { months: 0, time: Duration::seconds(days as i64 * 86_400) }
    }

    /// Reads one or more numbers, each with its unit, with or without blanks between; "in" may stand before. Case does not
    /// matter but for a capital M alone, which could be minutes or months.
    ///
    /// # Errors
    /// [`SpanError::NoSpan`] where the text does not even look like a span, else what is wrong in it.
    pub fn parse(text: &str) -> Result<Self, SpanError> {
        let no_span = || SpanError::NoSpan(SafeText::new(text.trim()));
        let mut rest = text.trim();
        if let Some(("in" | "In" | "IN", after)) = rest.split_once(char::is_whitespace) {
            rest = after.trim_start();
        }
        let (mut months, mut millis) = (0i64, 0i64);
        if rest.is_empty() {
            return Err(no_span());
        }
        while !rest.is_empty() {
            let (number, after) = split(rest, |c| c.is_ascii_digit());
            let (unit, after) = split(after.trim_start(), char::is_alphabetic);
            rest = after.trim_start();
            if number.is_empty() || (unit.is_empty() && !rest.is_empty()) {
                return Err(no_span());
            }
            let read = unit_of(number, unit)?;
            let number: i64 = number.parse().map_err(|_| SpanError::TooLong)?;
            let (sum, size) = match read {
                Unit::Months(size) => (&mut months, size),
                Unit::Millis(size) => (&mut millis, size),
            };
            *sum =
                number.checked_mul(size).and_then(|more| sum.checked_add(more)).ok_or(SpanError::TooLong)?;
        }
        let is_sane = months <= MOST_YEARS * 12 && millis <= MOST_YEARS * 365 * DAY;
        match i32::try_from(months) {
            Ok(months) if is_sane => Ok(Self { months, time: Duration::milliseconds(millis) }),
            _ => Err(SpanError::TooLong),
        }
    }

    /// The instant that lies this span after `from`: the same day of the month and time of the day in `zone`, or the
    /// month's last day if there is no such day. `None` beyond the calendar.
    pub fn after(self, from: Instant, zone: Zone) -> Option<Instant> {
        let shifted = match self.months {
            0 => from,
            months => {
                let (local, by) = (zone.local(from).naive_local(), Months::new(months.unsigned_abs()));
                let there =
                    if months > 0 { local.checked_add_months(by) } else { local.checked_sub_months(by) };
                zone.instant(there?)?
            }
        };
        shifted.checked_add_signed(self.time).map(|at| at.clamp(EARLIEST, LATEST))
    }

    /// Whether it leads into the future.
    pub fn is_ahead(self) -> bool {
        self.months > 0 || self.time > Duration::zero()
    }

    /// Its length if it is the same everywhere in the calendar: if it has no months.
    pub fn fixed(self) -> Option<Duration> {
        (self.months == 0).then_some(self.time)
    }

    /// The longest that it can be, wherever in the calendar it begins; none if it leads backwards.
    pub fn longest(self) -> std::time::Duration {
        let days = i64::from(self.months / 12) * 366 + i64::from(self.months % 12) * 31;
        (Duration::days(days) + self.time).to_std().unwrap_or_default()
    }
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

fn unit_of(number: &str, unit: &str) -> Result<Unit, SpanError> {
    match unit {
        "" => return Err(SpanError::NoUnit(SafeText::new(number))),
        "M" => return Err(SpanError::MinutesOrMonths(SafeText::new(number))),
        _ => {}
    }
    let lower = unit.to_lowercase();
    let known = UNITS.iter().find(|(names, _)| names.contains(&lower.as_str()));
    known.map(|(_, unit)| *unit).ok_or_else(|| SpanError::UnknownUnit(SafeText::new(unit)))
}

impl Neg for Span {
    type Output = Self;

    fn neg(self) -> Self {
        Self { months: -self.months, time: -self.time }
    }
}

impl From<Duration> for Span {
    fn from(time: Duration) -> Self {
        Self { months: 0, time }
    }
}

/// As it is read: years or months, then the rest in the largest unit that fits without a remainder.
impl From<Span> for String {
    fn from(span: Span) -> Self {
        span.to_string()
    }
}

impl TryFrom<String> for Span {
    type Error = SpanError;

    fn try_from(text: String) -> Result<Self, SpanError> {
        Self::parse(&text)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.months < 0 || self.time < Duration::zero() {
            f.write_str("-")?;
        }
        match self.months.unsigned_abs() {
            0 => {}
            months if months % 12 == 0 => write!(f, "{}y", months / 12)?,
            months => write!(f, "{months}mo")?,
        }
        let millis = self.time.num_milliseconds().unsigned_abs();
        if millis == 0 && self.months != 0 {
            return Ok(());
        }
        let units = [("d", DAY), ("h", HOUR), ("m", 60 * SECOND), ("s", SECOND), ("ms", 1)];
        let (unit, size) = units
            .map(|(unit, size)| (unit, size.unsigned_abs()))
            .into_iter()
            .find(|(_, size)| millis.is_multiple_of(*size))
            .unwrap_or(("ms", 1));
        write!(f, "{}{unit}", millis / size)
    }
}
