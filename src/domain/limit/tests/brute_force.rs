//! The window against a log that is counted from end to end for each request, on a clock that the test turns.

use super::*;
use crate::domain::examples::Dice;

/// Times of allowed requests, for each budget those that have not left its window, and nothing cleverer.
struct Plain {
    budgets: Vec<Budget>,
    times: Vec<Vec<i64>>,
}

impl Plain {
    fn new(budgets: Vec<Budget>) -> Self {
        Self { times: vec![Vec::new(); budgets.len()], budgets }
    }

    fn newest(&self) -> Option<i64> {
        self.times.iter().filter_map(|times| times.last().copied()).max()
    }

    /// The present, or the newest request if that is later.
    fn present(&self, now: i64) -> i64 {
        self.newest().map_or(now, |newest| now.max(newest))
    }

    /// A clock that was set back takes all requests with it. What has left a window never comes back.
    fn settle(&mut self, now: i64) {
        let back = self.newest().map_or(0, |newest| newest - now);
        if back > 2 * SECOND {
            self.times.iter_mut().flatten().for_each(|time| *time -= back);
        }
        let now = self.present(now);
        for (budget, times) in self.budgets.iter().zip(&mut self.times) {
            times.retain(|time| *time > now - i64::from(budget.seconds) * SECOND);
        }
    }

    /// Each window begins with all that is known.
    fn restart(&mut self) {
        let all = self.times.iter().max_by_key(|times| times.len()).unwrap().clone();
        self.times.fill(all);
    }

    fn left(&self, now: i64) -> impl Iterator<Item = u32> {
        let now = self.present(now);
        self.budgets.iter().zip(&self.times).map(move |(budget, times)| {
            let from = now - i64::from(budget.seconds) * SECOND;
            let mut count = 0;
            for time in times {
                count += u32::from(*time > from && *time <= now);
            }
            budget.requests.saturating_sub(count)
        })
    }

    fn has_room(&self, now: i64) -> bool {
        self.left(now).all(|left| left > 0)
    }

    fn record(&mut self, now: i64) {
        let now = self.present(now);
        self.times.iter_mut().for_each(|times| times.push(now));
    }
}

/// How a series of requests fared.
#[derive(Default)]
struct Tally {
    requests: u64,
    allowed: u64,
    /// Refused ones whose waiting time was tried out.
    waits: u64,
}

/// A thousand requests against one or two buckets of small budgets, with steps that land on the windows' edges.
fn series(seed: u64, requests: i64, tally: &mut Tally) {
    let mut dice = Dice(seed);
    let windows = [1, 2, 3, 10];
    let some = |dice: &mut Dice| {
        let first = dice.roll(4) as usize;
        let mut budgets = vec![budget(1 + dice.roll(6) as u32, windows[first])];
        if dice.roll(2) == 0 && first < 3 {
            let second = first + 1 + dice.roll(3 - first as i64) as usize;
            budgets.push(budget(budgets[0].requests + dice.roll(6) as u32, windows[second]));
        }
        budgets
    };
    let mut plain = [some(&mut dice), some(&mut dice)].map(Plain::new);
    let charges = [
        Charge { bucket: Bucket::Account("acme".into()), budgets: plain[0].budgets.clone() },
        Charge { bucket: Bucket::Endpoint("acme".into(), "me".into()), budgets: plain[1].budgets.clone() },
    ];
    let (mut one, mut two) = (Log::default(), Log::default());
    let mut now = START;
    for i in 0..requests {
        let budget = plain[0].budgets[0];
        let window = i64::from(budget.seconds) * SECOND;
        now += match dice.roll(8) {
            0 => 0,
            1 => 1,
            2 => window / i64::from(budget.requests),
            3 => window,
            4 => window - 1,
            5 => dice.roll(window),
            6 => dice.roll(300),
            // To the very instant at which some request leaves, or just before it.
            _ => {
                let step = plain[0].times[0].first().map_or(0, |time| time + window - now).max(0);
                (step - dice.roll(2)).max(0)
            }
        };
        // Now and then the clock is set back: a little, by about what is taken to stand still, or far.
        now -= match dice.roll(400) {
            0..3 => dice.roll(SECOND),
            3..6 => 2 * SECOND - 2 + dice.roll(5),
            6 => dice.roll(300_000) * SECOND,
            _ => 0,
        };
        let many = if dice.roll(3) == 0 { 2 } else { 1 };
        plain[..many].iter_mut().for_each(|plain| plain.settle(now));
        let room = plain[..many].iter().all(|plain| plain.has_room(now));
        let quota = match many {
            1 => decide(&charges[..1], &mut [&mut one], now),
            _ => decide(&charges, &mut [&mut one, &mut two], now),
        };
        let quota = quota.unwrap();
        assert_eq!(quota.allowed, room, "seed {seed}, request {i}");
        tally.requests += 1;
        if room {
            tally.allowed += 1;
            plain[..many].iter_mut().for_each(|plain| plain.record(now));
        }
        let mut states = quota.states().iter();
        for plain in &plain[..many] {
            for left in plain.left(now) {
                assert_eq!(
                    states.next().map(|state| state.remaining),
                    Some(left),
                    "seed {seed}, request {i}"
                );
            }
        }
        if !room && dice.roll(16) == 0 {
            tally.waits += 1;
            let next =
                quota.states().iter().filter(|state| state.remaining == 0).map(|state| state.next).max();
            let next = next.unwrap();
            assert!(plain[..many].iter().all(|plain| plain.has_room(next)), "seed {seed}, request {i}");
            assert!(!plain[..many].iter().all(|plain| plain.has_room(next - 1)), "seed {seed}, request {i}");
        }
        if dice.roll(500) == 0 {
            one = Log::from_bytes(&one.to_bytes()).unwrap();
            plain[0].restart();
        }
    }
}

#[test]
fn vp_11_ten_million_requests_and_no_wrong_decision() {
    let requests: u64 = 10_000_000;
    let each = 1_000;
    let runs: Vec<_> = (0..2)
        .map(|half| {
            std::thread::spawn(move || {
                let mut tally = Tally::default();
                for seed in 0..requests / each / 2 {
                    series(seed * 2 + half, each as i64, &mut tally);
                }
                tally
            })
        })
        .collect();
    let mut all = Tally::default();
    for run in runs {
        let tally = run.join().unwrap();
        all.requests += tally.requests;
        all.allowed += tally.allowed;
        all.waits += tally.waits;
    }
    assert_eq!(all.requests, requests);
    // Both answers must be frequent, or nothing is proven.
    assert!(all.allowed > all.requests / 4 && all.allowed < all.requests * 3 / 4, "{} allowed", all.allowed);
    assert!(all.waits > all.requests / 100, "{} waits", all.waits);
}
