//! Instants as people read them.

use chrono::Duration;

use crate::domain::Instant;

/// "3h ago", for an instant that lies in the past; "now" within a minute.
pub fn ago(at: Instant, now: Instant) -> String {
    let by = now - at;
    if by < Duration::minutes(1) { "now".into() } else { format!("{} ago", amount(by)) }
}

/// "in 6d" or "3h ago", from one instant to another; "now" within a minute of it.
pub fn relative(at: Instant, now: Instant) -> String {
    if at > now && at - now >= Duration::minutes(1) {
        format!("in {}", amount(at - now))
    } else {
        ago(at, now)
    }
}

/// The largest unit that fits: minutes, hours, days, from two years on years.
fn amount(by: Duration) -> String {
    match by {
        by if by < Duration::hours(1) => format!("{}m", by.num_minutes()),
        by if by < Duration::days(1) => format!("{}h", by.num_hours()),
        by if by < Duration::days(730) => format!("{}d", by.num_days()),
        by => format!("{}y", by.num_days() / 365),
    }
}

/// The exact instant: `2026-11-21 12:04:05 UTC`, or in this machine's zone with its offset.
pub fn exact(at: Instant, utc: bool) -> String {
    if utc {
        return at.format("%Y-%m-%d %H:%M:%S UTC").to_string();
    }
    at.with_timezone(&chrono::Local).format("%Y-%m-%d %H:%M:%S %:z").to_string()
}

/// The time of day: `12:04:05`.
pub fn clock(at: Instant, utc: bool) -> String {
    if utc {
        return at.format("%H:%M:%S").to_string();
    }
    at.with_timezone(&chrono::Local).format("%H:%M:%S").to_string()
}

/// The midnight that `now`'s day began with.
pub fn day_begins(now: Instant, utc: bool) -> Instant {
    let midnight = chrono::NaiveTime::MIN;
    if utc {
        return now.date_naive().and_time(midnight).and_utc();
    }
    let local = now.with_timezone(&chrono::Local).date_naive().and_time(midnight);
    // Where the clocks were put forward at midnight, the day began with the hour that there is.
    local.and_local_timezone(chrono::Local).earliest().map_or(now, |at| at.to_utc())
}

/// The day alone: `2026-11-21`.
pub fn day(at: Instant, utc: bool) -> String {
    if utc {
        return at.format("%Y-%m-%d").to_string();
    }
    at.with_timezone(&chrono::Local).format("%Y-%m-%d").to_string()
}

/// The day in at most eight columns: `21 Nov` in the year of `now`, else `Nov 2027`.
pub fn day_short(at: Instant, now: Instant, utc: bool) -> String {
    use chrono::Datelike;
    let format = |same: bool| if same { "%e %b" } else { "%b %Y" };
    if utc {
        return at.format(format(at.year() == now.year())).to_string().trim_start().to_owned();
    }
    let (at, now) = (at.with_timezone(&chrono::Local), now.with_timezone(&chrono::Local));
    at.format(format(at.year() == now.year())).to_string().trim_start().to_owned()
}
