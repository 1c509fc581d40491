//! How many letters are sent at a time and how fast: as the mailer is set up, and less while its server asks for less.

use std::time::Duration;

use tokio::time::Instant as Moment;

/// The first pause after a server's wish; each further one in a row is twice as long, …
const PAUSE: Duration = Duration::from_millis(500);
/// … but no longer than this.
const PAUSE_MOST: Duration = Duration::from_secs(30);
/// After so many pauses in a row without a letter that went through, a sweep stops: a minute has passed.
const PAUSES: u32 = 8;
/// The first gap between two letters that go one by one, and the longest.
const GAP: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));
/// After so many letters that went through, one more at a time is tried.
const WELL: usize = 64;

/// The pace of a sweep.
#[derive(Debug)]
pub(in crate::service) struct Pace {
    /// The most letters at a time.
    most: usize,
    lanes: usize,
    /// The time between two letters, as somebody set it.
    rate: Duration,
    /// The same, as the server wants it.
    gap: Duration,
    pause: Duration,
    pauses: u32,
    well: usize,
    /// No letter leaves before this.
    next: Moment,
    /// When the server's last wish was heard.
    heard: Moment,
}

impl Pace {
    /// `rate`: the most letters a minute.
    pub fn new(most: usize, rate: Option<u32>, now: Moment) -> Self {
        let most = most.max(1);
        let rate = rate.map_or(Duration::ZERO, |rate| Duration::from_secs(60) / rate.max(1));
        Self {
            most,
            lanes: most,
            rate,
            gap: Duration::ZERO,
            pause: PAUSE,
            pauses: 0,
            well: 0,
            next: now,
            heard: now,
        }
    }

    /// Letters at a time.
    pub fn lanes(&self) -> usize {
        self.lanes
    }

    /// When the next letter may leave.
    pub fn next(&self) -> Moment {
        self.next
    }

    /// So many letters of these leave before their claims run out.
    pub fn batch(&self, batch: usize) -> usize {
        let each = self.rate.max(self.gap).as_millis();
        let most = Duration::from_secs(30).as_millis().checked_div(each);
        most.map_or(batch, |most| batch.min(usize::try_from(most).unwrap_or(batch).max(1)))
    }

    /// A letter leaves.
    pub fn leaves(&mut self, now: Moment) {
        self.next = now + self.rate.max(self.gap);
    }

    /// The server asks for less, about a letter that left at this moment. Answers whether it makes sense to go on.
    pub fn slow_down(&mut self, left_at: Moment, now: Moment) -> bool {
        // Letters that were under way already say the same once more.
        if left_at < self.heard {
            return true;
        }
        if self.lanes == 1 {
            self.gap = (self.gap * 2).clamp(GAP.0, GAP.1);
        }
        self.lanes = (self.lanes / 2).max(1);
        (self.heard, self.next, self.well) = (now, now + self.pause, 0);
        self.pause = (self.pause * 2).min(PAUSE_MOST);
        self.pauses += 1;
        self.pauses < PAUSES
    }

    /// A letter met its fate.
    pub fn went_well(&mut self) {
        (self.pause, self.pauses) = (PAUSE, 0);
        self.gap = self.gap * 9 / 10;
        if self.gap < GAP.0 / 4 {
            self.gap = Duration::ZERO;
        }
        self.well += 1;
        if self.well >= WELL && self.lanes < self.most {
            (self.lanes, self.well) = (self.lanes + 1, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_asks_for_less_gets_less_and_more_again_with_time() {
        let now = Moment::now();
        let mut pace = Pace::new(8, None, now);
        assert!(pace.slow_down(now, now) && pace.lanes() == 4 && pace.next() == now + PAUSE);
        let later = now + Duration::from_millis(1);
        assert!(pace.slow_down(now - Duration::from_millis(1), later) && pace.lanes() == 4, "the same wish");
        assert!(pace.slow_down(later, later) && pace.lanes() == 2 && pace.next() == later + PAUSE * 2);
        for _ in 0..WELL {
            pace.went_well();
        }
        assert_eq!(pace.lanes(), 3);
    }

    #[test]
    fn letters_one_by_one_get_a_gap_and_a_minute_without_any_ends_it() {
        let mut now = Moment::now();
        let begun = now;
        let mut pace = Pace::new(1, None, now);
        while pace.slow_down(now, now) {
            now = pace.next();
        }
        let minute = now - begun;
        assert!((Duration::from_secs(30)..Duration::from_secs(120)).contains(&minute), "{minute:?}");
        pace.leaves(now);
        assert!(pace.next() > now + GAP.0);
        assert!(pace.batch(64) < 64);
    }

    #[test]
    fn a_rate_spreads_letters_over_the_minute() {
        let now = Moment::now();
        let mut pace = Pace::new(4, Some(30), now);
        pace.leaves(now);
        assert_eq!((pace.next(), pace.batch(64)), (now + Duration::from_secs(2), 15));
        assert_eq!(Pace::new(4, None, now).batch(64), 64);
    }
}
