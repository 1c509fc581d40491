//! The only place that reads the time. Everything else takes an instant as an argument.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Local, Offset, SubsecRound, TimeZone, Utc};

use crate::domain::when::Zone;

/// This machine's zone, or UTC.
pub fn zone(utc: bool) -> Zone {
    if utc {
        return Zone::UTC;
    }
    Zone::new(
        |at| Local.offset_from_utc_datetime(at).fix(),
        |local| Local.offset_from_local_datetime(local).map(|offset| offset.fix()),
    )
}

/// Where the time comes from: the operating system, or a hand that a test moves.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The operating system's wall clock.
    System,
    /// Microseconds since the epoch, moved by [`Clock::advance`].
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `at` until a test moves it.
    pub fn fixed(at: DateTime<Utc>) -> Self {
        Self::Fixed(Arc::new(AtomicI64::new(at.timestamp_micros())))
    }

    /// The present instant in UTC, cut to microseconds: the finest step that both databases keep.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the time")]
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            Self::System => Utc::now().trunc_subsecs(6),
            Self::Fixed(micros) => {
                DateTime::from_timestamp_micros(micros.load(Ordering::SeqCst)).unwrap_or_default()
            }
        }
    }

    /// Moves a fixed clock forward. The system's clock is left alone.
    pub fn advance(&self, by: chrono::Duration) {
        if let Self::Fixed(micros) = self {
            micros.fetch_add(by.num_microseconds().unwrap_or(0), Ordering::SeqCst);
        }
    }
}
