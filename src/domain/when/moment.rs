//! Days and instants: `2027-01-31`, `tomorrow`, `friday`, `end of month`, `2027-01-31 12:00`, `2027-01-31T12:00Z`, `18:00`.

use chrono::{Datelike, Days, FixedOffset, Months, NaiveDate, NaiveTime, Offset, SubsecRound, Utc, Weekday};

use super::{Here, Span, SpanError};
use crate::domain::Instant;
use crate::domain::text::SafeText;

/// What a person named: a whole day, or an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    Day(NaiveDate),
    At(Instant),
}

/// Where a day of the week lies that is named alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Friday is the next one after today.
    Ahead,
    /// Friday is the last one before today.
    Back,
}

impl Moment {
    /// The first and the last microsecond meant.
    pub fn range(self, here: Here) -> Option<(Instant, Instant)> {
        match self {
            Self::Day(day) => {
                let next = here.zone.begin(day.succ_opt()?)?;
                Some((here.zone.begin(day)?, next - chrono::Duration::microseconds(1)))
            }
            Self::At(at) => Some((at, at)),
        }
    }

    /// Reads a day, or a day with a time, which may have a zone (`Z`, `UTC`, `+02:00`); without one it is read in the zone
    /// here. A time alone is the next one, or looking back the last one.
    /// Case does not matter. `None` if the text is anything else.
    pub fn parse(text: &str, here: Here, side: Side) -> Option<Self> {
        let mut text = text.trim().to_lowercase();
        if let Some((date, time)) =
            text.split_once('t').filter(|(date, _)| date.ends_with(|c: char| c.is_ascii_digit()))
        {
            text = format!("{date} {time}");
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        let is_time = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains(':');
        let today = here.zone.local(here.now).date_naive();
        let sane = |day: &NaiveDate| (1..9_999).contains(&day.year());
        let Some(at) = words.iter().position(is_time) else {
            return day(&words.join(" "), today, side).filter(sane).map(Self::Day);
        };
        let (time, named) = match words[at].find(['z', '+', '-']) {
            Some(end) => words[at].split_at(end),
            None => (words[at], ""),
        };
        let named = match (named, &words[at + 1..]) {
            (named, []) => named,
            ("", [named]) => named,
            _ => return None,
        };
        let time =
            ["%H:%M", "%H:%M:%S%.f"].into_iter().find_map(|form| NaiveTime::parse_from_str(time, form).ok());
        let (time, offset) = (time?, if named.is_empty() { None } else { Some(offset(named)?) });
        let on = |day: NaiveDate| {
            let local = day.and_time(time);
            let at = match offset {
                None => here.zone.instant(local)?,
                Some(offset) => local.checked_sub_offset(offset)?.and_utc(),
            };
            Some(at.trunc_subsecs(6))
        };
        if at == 0 {
            return nearest(here, offset, side, on).map(Self::At);
        }
        day(&words[..at].join(" "), today, side).filter(sane).and_then(on).map(Self::At)
    }
}

/// The next instant that this time of the day has, or looking back the last one. `on`: the instant that it has on a day.
fn nearest(
    here: Here,
    offset: Option<FixedOffset>,
    side: Side,
    on: impl Fn(NaiveDate) -> Option<Instant>,
) -> Option<Instant> {
    let today = match offset {
        None => here.zone.local(here.now).date_naive(),
        Some(offset) => here.now.with_timezone(&offset).date_naive(),
    };
    match side {
        Side::Ahead => {
            [Some(today), today.succ_opt()].into_iter().flatten().filter_map(on).find(|at| *at > here.now)
        }
        Side::Back => {
            [Some(today), today.pred_opt()].into_iter().flatten().filter_map(on).find(|at| *at <= here.now)
        }
    }
}

/// Why a text names no time to look back to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SinceError {
    #[error("{:?} isn't a valid time: write 30m, 24h, 90d, 18:00, yesterday, 2027-01-31 or 2027-01-31 12:00", .0.as_str())]
    Unknown(SafeText),
    #[error(transparent)]
    Span(#[from] SpanError),
}

impl Here {
    /// Reads how far to look back: a span before now, a day (from its first instant on) or an instant.
    ///
    /// # Errors
    /// For any other text.
    pub fn since(self, text: &str) -> Result<Instant, SinceError> {
        let at = match Span::parse(text) {
            Ok(span) => (-span).after(self.now, self.zone).ok_or(SpanError::TooLong)?.into(),
            Err(SpanError::NoSpan(_)) => match Moment::parse(text, self, Side::Back) {
                Some(Moment::Day(day)) => self.zone.begin(day),
                Some(Moment::At(at)) => Some(at),
                None => None,
            },
            Err(error) => return Err(error.into()),
        };
        at.ok_or_else(|| SinceError::Unknown(SafeText::new(text.trim())))
    }
}

fn offset(named: &str) -> Option<FixedOffset> {
    match named {
        "z" | "utc" | "gmt" => Some(Utc.fix()),
        named => named.parse().ok(),
    }
}

fn day(words: &str, today: NaiveDate, side: Side) -> Option<NaiveDate> {
    match words {
        "today" => Some(today),
        "tomorrow" => today.succ_opt(),
        "yesterday" => today.pred_opt(),
        "eom" | "end of month" | "end of the month" => {
            today.with_day(1)?.checked_add_months(Months::new(1))?.pred_opt()
        }
        "eoy" | "end of year" | "end of the year" => NaiveDate::from_ymd_opt(today.year(), 12, 31),
        _ => {
            let (side, name) = match words.split_once(' ') {
                Some(("next", name)) => (Side::Ahead, name),
                Some(("last", name)) => (Side::Back, name),
                _ => (side, words),
            };
            match name.parse::<Weekday>() {
                Ok(weekday) => weekday_from(today, weekday, side),
                Err(_) => {
                    let day = NaiveDate::parse_from_str(words, "%Y-%m-%d").ok();
                    // No record holds another year, and no zone's offset leads out of these.
                    day.filter(|day| (1..=9999).contains(&day.year()))
                }
            }
        }
    }
}

/// Never today.
fn weekday_from(today: NaiveDate, weekday: Weekday, side: Side) -> Option<NaiveDate> {
    let (from, to) = (today.weekday().num_days_from_monday(), weekday.num_days_from_monday());
    match side {
        Side::Ahead => today.checked_add_days(Days::new(u64::from((to + 6 - from) % 7 + 1))),
        Side::Back => today.checked_sub_days(Days::new(u64::from((from + 6 - to) % 7 + 1))),
    }
}
