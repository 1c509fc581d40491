//! Time that never goes back, by a clock that may: what has expired stays expired.

use chrono::TimeDelta;

use super::Instant;
use super::when::Span;

/// A clock that is later than the newest change by more than this, in microseconds, is not believed before somebody says
/// that it is right. A machine may well have been off for months.
pub const LEAP: i64 = 180 * 86_400_000_000;
/// A clock that was set back by no more than this is waited for, at half its pace. One that was set back further is not:
/// time goes on without it.
const SLACK: i64 = 600_000_000;

/// The time, in microseconds since the epoch: by what the clock says, and by the time that it was `elapsed` ago.
pub fn judge(clock: i64, was: i64, elapsed: i64) -> i64 {
    let elapsed = elapsed.max(0);
    let expected = was.saturating_add(elapsed);
    match clock.saturating_sub(expected) {
        ahead if ahead > LEAP => expected,
        0.. => clock,
        behind if behind >= -SLACK => clock.max(was.saturating_add(elapsed / 2)),
        _ => expected,
    }
}

/// What is wrong with a clock beside the newest change in the database, in words; `None` where nothing is.
pub fn trouble(clock: Instant, newest: Instant) -> Option<Trouble> {
    let ahead = clock.timestamp_micros().saturating_sub(newest.timestamp_micros());
    let trouble = if ahead > LEAP {
        Trouble::Ahead
    } else if ahead < -super::STEP_BACK {
        Trouble::Behind
    } else {
        return None;
    };
    Some(trouble)
}

/// What is wrong with a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// So far ahead of the newest change that it is not believed.
    Ahead,
    /// Behind the newest change.
    Behind,
}

/// How an admin says that the clock is right.
pub const CURE: &str =
    "Set the clock right; or, if it is right, an admin says so with `keyrack audit accept --clock`";

impl Trouble {
    /// In words, without what to do.
    pub fn words(self, clock: Instant, newest: Instant) -> String {
        let away = Span::from(TimeDelta::hours((clock - newest).abs().num_hours().max(1)));
        let (at, newest) = (clock.format("%Y-%m-%d %H:%M:%SZ"), newest.format("%Y-%m-%d %H:%M:%SZ"));
        match self {
            Self::Ahead => format!(
                "the clock says {at}, {away} after the newest change in the database ({newest}), and is not believed: keys can be revoked and accounts suspended, nothing else can be changed"
            ),
            Self::Behind => format!(
                "the clock says {at}, {away} before the newest change in the database ({newest}): it was set back. Time goes on from that change, and what has expired stays expired"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000_000;

    #[test]
    fn time_follows_a_clock_that_goes_forward() {
        assert_eq!(judge(1_000, 0, 990), 1_000);
        assert_eq!(judge(30 * 24 * HOUR, 0, 0), 30 * 24 * HOUR, "the machine was off");
        assert_eq!(judge(i64::MAX, 0, HOUR), HOUR, "nobody believes that");
        assert_eq!(judge(LEAP + 1, 0, 0), 0);
    }

    #[test]
    fn time_never_goes_back() {
        for back in [0, 1, HOUR / 60, HOUR / 7, HOUR, 1_000_000 * HOUR] {
            let mut was = 2_000_000 * HOUR;
            for step in 1..100 {
                let now = judge(2_000_000 * HOUR - back + step, was, 1);
                assert!(now >= was, "{back} {step}");
                was = now;
            }
        }
        assert_eq!(judge(0, 5 * HOUR, HOUR), 6 * HOUR, "it goes on without the clock");
        assert_eq!(judge(0, HOUR / 60, HOUR / 60), HOUR / 40, "or waits for it");
        assert_eq!(judge(i64::MIN, i64::MAX, i64::MAX), i64::MAX);
    }
}
