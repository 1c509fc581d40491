//! Instants as the console shows them: in UTC or in this machine's zone.

use crate::clock::zone;
use crate::domain::Instant;
pub use crate::domain::when::{ago, relative};

/// The exact instant: `2026-11-21 12:04:05 UTC`, or in this machine's zone with its offset.
pub fn exact(at: Instant, utc: bool) -> String {
    zone(utc).exact(at)
}

/// The time of day: `12:04:05`.
pub fn clock(at: Instant, utc: bool) -> String {
    zone(utc).local(at).format("%H:%M:%S").to_string()
}

/// The midnight that `now`'s day began with.
pub fn day_begins(now: Instant, utc: bool) -> Instant {
    let zone = zone(utc);
    zone.begin(zone.local(now).date_naive()).unwrap_or(now)
}

/// The day alone: `2026-11-21`.
pub fn day(at: Instant, utc: bool) -> String {
    zone(utc).local(at).format("%Y-%m-%d").to_string()
}

/// The day in at most eight columns: `21 Nov` in the year of `now`, else `Nov 2027`.
pub fn day_short(at: Instant, now: Instant, utc: bool) -> String {
    use chrono::Datelike;
    let (at, now) = (zone(utc).local(at), zone(utc).local(now));
    let format = if at.year() == now.year() { "%e %b" } else { "%b %Y" };
    at.format(format).to_string().trim_start().to_owned()
}
