//! Instants as machines read them, and as a table shows them.

use chrono::SecondsFormat;

use crate::domain::Instant;
use crate::domain::when::Zone;
pub use crate::domain::when::{ago, relative};

/// How a table is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// With more columns and exact times.
    pub wide: bool,
    pub now: Instant,
    pub zone: Zone,
}

/// RFC 3339 in UTC, with a Z.
pub fn exact(at: Instant) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Seen from now, or exact in a wide table.
pub fn shown(at: Instant, look: Look) -> String {
    if look.wide { look.zone.exact(at) } else { relative(at, look.now) }
}

/// The same of what has been.
pub fn past(at: Instant, look: Look) -> String {
    if look.wide { look.zone.exact(at) } else { ago(at, look.now) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_instants_are_rfc_3339_in_utc_with_a_z() {
        let at = Instant::from_timestamp(1_800_000_000, 250_000_000).unwrap();
        assert_eq!(exact(at), "2027-01-15T08:00:00.250Z");
        let look = Look { wide: true, now: at, zone: Zone::UTC };
        assert_eq!(shown(at, look), "2027-01-15 08:00:00 UTC");
        assert_eq!(shown(at, Look { wide: false, ..look }), "now");
    }
}
