//! Instants as machines and as people read them.

use chrono::{Duration, SecondsFormat};

use crate::domain::Instant;

/// RFC 3339 in UTC, with a Z.
pub fn exact(at: Instant) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// An instant seen from `now`: `3d ago`, `in 5h`, `now`.
pub fn relative(at: Instant, now: Instant) -> String {
    let by = at - now;
    if by.abs() < Duration::seconds(1) {
        "now".into()
    } else if by > Duration::zero() {
        format!("in {}", span(by))
    } else {
        format!("{} ago", span(-by))
    }
}

/// Relative or exact, as a table or its wide form wants it; `missing` where there is none.
pub fn shown(at: Option<Instant>, wide: bool, now: Instant, missing: &str) -> String {
    match at {
        None => missing.to_owned(),
        Some(at) if wide => at.format("%Y-%m-%d %H:%M:%SZ").to_string(),
        Some(at) => relative(at, now),
    }
}

/// A positive duration, rounded, in its largest unit of which there are two at least.
fn span(by: Duration) -> String {
    let seconds = by.num_seconds();
    let in_units = |unit: i64| (seconds + unit / 2) / unit;
    let (minutes, hours, days) = (in_units(60), in_units(3600), in_units(86_400));
    if minutes < 2 {
        format!("{seconds}s")
    } else if hours < 2 {
        format!("{minutes}m")
    } else if days < 2 {
        format!("{hours}h")
    } else if days < 730 {
        format!("{days}d")
    } else {
        format!("{}y", in_units(365 * 86_400))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_reads_from_now_in_one_unit() {
        let now = Instant::from_timestamp(1_800_000_000, 0).unwrap();
        let seen = |by: Duration| relative(now + by, now);
        assert_eq!(seen(Duration::zero()), "now");
        assert_eq!(seen(Duration::seconds(-5)), "5s ago");
        assert_eq!(seen(Duration::minutes(80)), "in 80m");
        assert_eq!(seen(Duration::days(90) - Duration::seconds(2)), "in 90d");
        assert_eq!(seen(Duration::hours(-30)), "30h ago");
        assert_eq!(seen(Duration::days(364)), "in 364d");
        assert_eq!(seen(Duration::days(-800)), "2y ago");
    }

    #[test]
    fn exact_instants_are_rfc_3339_in_utc_with_a_z() {
        let at = Instant::from_timestamp(1_800_000_000, 250_000_000).unwrap();
        assert_eq!(exact(at), "2027-01-15T08:00:00.250Z");
        assert_eq!(shown(Some(at), true, at, "never"), "2027-01-15 08:00:00Z");
        assert_eq!(shown(None, true, at, "never"), "never");
    }
}
