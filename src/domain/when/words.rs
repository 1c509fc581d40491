//! An instant seen from another one.

use chrono::Duration;

use crate::domain::Instant;

/// "in 6d" or "3h ago"; "now" within a minute.
pub fn relative(at: Instant, now: Instant) -> String {
    if at > now && at - now >= Duration::minutes(1) {
        format!("in {}", amount(at - now))
    } else {
        ago(at, now)
    }
}

/// "3h ago", for an instant that lies in the past; "now" within a minute.
pub fn ago(at: Instant, now: Instant) -> String {
    let by = now - at;
    if by < Duration::minutes(1) { "now".into() } else { format!("{} ago", amount(by)) }
}

/// Whole units, rounded down, of the largest that fits: minutes, hours, days, from two years on years.
fn amount(by: Duration) -> String {
    match by {
        by if by < Duration::hours(1) => format!("{}m", by.num_minutes()),
        by if by < Duration::days(1) => format!("{}h", by.num_hours()),
        by if by < Duration::days(730) => format!("{}d", by.num_days()),
        by => format!("{}y", by.num_days() / 365),
    }
}
