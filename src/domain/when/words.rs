//! An instant seen from another one, in whole units that are rounded down, so that no two doors tell two lengths of one
//! time.

use chrono::Duration;

use crate::domain::Instant;

/// "in 6d" or "3h ago"; "now" within a minute.
pub fn relative(at: Instant, now: Instant) -> String {
    match amount(at - now) {
        Some((number, unit)) => format!("in {number}{}", unit.letter()),
        None => ago(at, now),
    }
}

/// "3h ago", for an instant that lies in the past; "now" within a minute. One that some clock put well into the future is
/// marked: it is no time that anybody can rely on.
pub fn ago(at: Instant, now: Instant) -> String {
    if at - now > Duration::hours(1) {
        return "! future".into();
    }
    match amount(now - at) {
        Some((number, unit)) => format!("{number}{} ago", unit.letter()),
        None => "now".into(),
    }
}

/// "in 6 days" or "in less than a minute", of what is to come.
pub fn ahead_in_full(at: Instant, now: Instant) -> String {
    match amount(at - now) {
        Some((1, unit)) => format!("in 1 {}", unit.noun()),
        Some((number, unit)) => format!("in {number} {}s", unit.noun()),
        None => "in less than a minute".into(),
    }
}

/// "2026-11-21 at 12:04:05 UTC", for a sentence.
pub fn in_a_sentence(at: Instant) -> String {
    at.format("%Y-%m-%d at %H:%M:%S UTC").to_string()
}

#[derive(Clone, Copy, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
enum Unit {
    Minute,
    Hour,
    Day,
    Year,
}

impl Unit {
    fn noun(self) -> &'static str {
        self.into()
    }

    fn letter(self) -> &'static str {
        &self.noun()[..1]
    }
}

/// In the largest unit that fits, years from two years on; nothing within a minute.
fn amount(by: Duration) -> Option<(i64, Unit)> {
    match by {
        by if by < Duration::minutes(1) => None,
        by if by < Duration::hours(1) => Some((by.num_minutes(), Unit::Minute)),
        by if by < Duration::days(1) => Some((by.num_hours(), Unit::Hour)),
        by if by < Duration::days(730) => Some((by.num_days(), Unit::Day)),
        by => Some((by.num_days() / 365, Unit::Year)),
    }
}
