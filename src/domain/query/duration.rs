//! Spans of time as people write them: `30d`, `12h`, `45m`, `2w`, `3mo`, `1y`, `1d12h`.

use chrono::Duration;

/// Seconds of each unit. A month is 30 days and a year 365 (decision 1 of the requirements).
const UNITS: [(&str, i64); 7] = [
    ("y", 365 * 86_400),
    ("mo", 30 * 86_400),
    ("w", 7 * 86_400),
    ("d", 86_400),
    ("h", 3_600),
    ("m", 60),
    ("s", 1),
];

/// A thousand years: more than anybody means, and far from where calendars end.
const MOST: i64 = 1_000 * 365 * 86_400;

/// Reads a span: one or more numbers, each with its unit (`y mo w d h m s`). `None` if `text` is anything else, or is
/// longer than a thousand years.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut seconds = 0i64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(rest.len());
        let (_, unit) = UNITS.iter().find(|(name, _)| *name == &rest[..letters])?;
        seconds = number.checked_mul(*unit)?.checked_add(seconds)?;
        rest = &rest[letters..];
    }
    (!text.is_empty() && seconds <= MOST).then(|| Duration::seconds(seconds))
}

/// Writes a span in the largest of days, hours, minutes and seconds that fits without a remainder.
pub(crate) fn print_duration(span: Duration) -> String {
    let seconds = span.num_seconds();
    let sign = if seconds < 0 { "-" } else { "" };
    let seconds = seconds.unsigned_abs();
    let (unit, size) = match seconds {
        s if s % 86_400 == 0 => ("d", 86_400),
        s if s % 3_600 == 0 => ("h", 3_600),
        s if s % 60 == 0 => ("m", 60),
        _ => ("s", 1),
    };
    format!("{sign}{}{unit}", seconds / size)
}
