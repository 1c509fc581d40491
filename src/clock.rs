//! The only place that reads the time. Everything else takes an instant as an argument.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use chrono::{DateTime, Local, Offset, SubsecRound, TimeZone, Utc};
use parking_lot::Mutex;
use rustix::time::{ClockId, clock_gettime};

use crate::domain::steady::judge;
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

    /// The present of a server whose newest change was then: not before it, unless a hand moves the time.
    pub fn not_before(&self, now: DateTime<Utc>, newest: Option<DateTime<Utc>>) -> DateTime<Utc> {
        newest.filter(|_| !self.is_hand()).map_or(now, |newest| now.max(newest))
    }

    /// Whether a hand moves it, which is followed wherever it goes.
    pub fn is_hand(&self) -> bool {
        matches!(self, Self::Fixed(_))
    }

    /// Moves a fixed clock forward. The system's clock is left alone.
    pub fn advance(&self, by: chrono::Duration) {
        if let Self::Fixed(micros) = self {
            micros.fetch_add(by.num_microseconds().unwrap_or(0), Ordering::SeqCst);
        }
    }
}

/// How long something took, by a clock that nobody sets and that goes on while the machine sleeps; or by a hand that a test
/// moves.
#[derive(Clone, Debug, Default)]
pub enum Uptime {
    #[default]
    System,
    /// Microseconds, moved by [`Uptime::advance`].
    Hand(Arc<AtomicU64>),
}

/// Linux's monotonic clock stands still while the machine sleeps; elsewhere it is the one that does not.
#[cfg(any(target_os = "linux", target_os = "android"))]
const AWAKE_OR_NOT: ClockId = ClockId::Boottime;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const AWAKE_OR_NOT: ClockId = ClockId::Monotonic;

impl Uptime {
    /// A clock that stands until a test moves it.
    pub fn hand() -> Self {
        Self::Hand(Arc::default())
    }

    /// Microseconds since some moment, always the same one.
    pub fn micros(&self) -> u64 {
        match self {
            Self::System => {
                let time = clock_gettime(AWAKE_OR_NOT);
                (time.tv_sec as u64).wrapping_mul(1_000_000) + time.tv_nsec as u64 / 1_000
            }
            Self::Hand(micros) => micros.load(Ordering::SeqCst),
        }
    }

    /// Moves a hand forward. The system's clock is left alone.
    pub fn advance(&self, by: Duration) {
        if let Self::Hand(micros) = self {
            micros.fetch_add(u64::try_from(by.as_micros()).unwrap_or(0), Ordering::SeqCst);
        }
    }
}

/// The time of one database on this machine. It goes forward even while the system's clock is set back, and it does not
/// follow that beyond reason. A fixed clock is a hand, and is followed.
#[derive(Debug, Default)]
pub struct Steady(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// The time that was told last, and the [`uptime`] then; both in microseconds.
    told: Option<(i64, i64)>,
    /// When the database was changed last, by what it says.
    changed: i64,
    /// The newest instant in the database.
    newest: i64,
}

/// Microseconds by a clock that nobody sets.
fn uptime() -> i64 {
    static BEGAN: LazyLock<tokio::time::Instant> = LazyLock::new(tokio::time::Instant::now);
    i64::try_from(BEGAN.elapsed().as_micros()).unwrap_or(i64::MAX)
}

impl Steady {
    pub fn now(&self, clock: &Clock) -> DateTime<Utc> {
        let now = clock.now();
        if clock.is_hand() {
            return now;
        }
        let (wall, uptime) = (now.timestamp_micros(), uptime());
        let mut known = self.0.lock();
        let time = known.told.map_or(wall, |(was, then)| judge(wall, was, uptime - then));
        known.told = Some((time, uptime));
        DateTime::from_timestamp_micros(time).unwrap_or(now)
    }

    /// Takes note of when the database was changed last, and of the last sign of a gate. Time is not before either; but
    /// where the last change is older than the one before, somebody has decided that the clock is right.
    pub fn learn(&self, changed: i64, sign: i64) {
        let newest = changed.max(sign);
        let mut known = self.0.lock();
        if changed < known.changed {
            known.told = None;
        }
        (known.changed, known.newest) = (changed, newest);
        let uptime = uptime();
        known.told = match known.told {
            Some((time, then)) if time + (uptime - then) >= newest => Some((time, then)),
            None if newest == 0 => None,
            // A clock that is ahead is followed at its next reading, as far as it is believed.
            _ => Some((newest, uptime)),
        };
    }

    /// The newest instant in the database; `None` where nothing is known of it.
    pub fn newest(&self) -> Option<DateTime<Utc>> {
        let newest = self.0.lock().newest;
        DateTime::from_timestamp_micros(newest).filter(|_| newest > 0)
    }
}
