//! Instants as machines read them, and as a table shows them.

use chrono::SecondsFormat;

use super::Look;
use crate::domain::Instant;
pub use crate::domain::when::relative;

/// RFC 3339 in UTC, with a Z.
pub fn exact(at: Instant) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Seen from now, or exact in a wide table.
pub fn shown(at: Instant, look: Look) -> String {
    if look.wide { look.zone.exact(at) } else { relative(at, look.now) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::when::Zone;

    #[test]
    fn exact_instants_are_rfc_3339_in_utc_with_a_z() {
        let at = Instant::from_timestamp(1_800_000_000, 250_000_000).unwrap();
        assert_eq!(exact(at), "2027-01-15T08:00:00.250Z");
        let look = Look { wide: true, now: at, zone: Zone::UTC };
        assert_eq!(shown(at, look), "2027-01-15 08:00:00 UTC");
        assert_eq!(shown(at, Look { wide: false, ..look }), "now");
    }
}
