//! What is left of the budgets, and how it is told.

use crate::domain::budget::Budget;

const MICROS: i64 = 1_000_000;

/// One budget after a request was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// "key", "account" or "endpoint".
    pub per: &'static str,
    pub budget: Budget,
    /// How many more requests fit now.
    pub remaining: u32,
    /// When one more fits than now, in microseconds since the epoch.
    pub next: i64,
}

impl State {
    /// A budget whose window holds `count` requests, and which could take one more than now at `next`.
    pub fn new(per: &'static str, budget: Budget, count: u32, next: i64, now: i64) -> Self {
        let next = if count == 0 { now } else { next };
        Self { per, budget, remaining: budget.requests.saturating_sub(count), next }
    }

    /// The state after the request at `now` was counted.
    pub(super) fn take(&mut self, now: i64) {
        if self.remaining == self.budget.requests {
            self.next = now + i64::from(self.budget.seconds) * MICROS;
        }
        self.remaining = self.remaining.saturating_sub(1);
    }

    /// Seconds until one more fits, rounded up.
    fn wait(&self, now: i64) -> i64 {
        seconds_up((self.next - now).max(0))
    }
}

fn seconds_up(micros: i64) -> i64 {
    micros.div_euclid(MICROS) + i64::from(micros.rem_euclid(MICROS) > 0)
}

/// All budgets of a request, and whether each had room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Never empty.
    states: Vec<State>,
    pub allowed: bool,
}

impl Quota {
    /// `None` where there is no budget to tell of.
    pub fn new(states: Vec<State>, allowed: bool) -> Option<Self> {
        (!states.is_empty()).then_some(Self { states, allowed })
    }

    pub fn states(&self) -> &[State] {
        &self.states
    }

    /// The budget with the least left; of several the one that keeps waiting the longest. The `X-RateLimit-*` headers
    /// are about this one.
    pub fn tightest(&self) -> &State {
        let first = &self.states[0];
        self.states.iter().fold(first, |best, state| {
            let tighter = state.remaining < best.remaining
                || (state.remaining == best.remaining && state.next > best.next);
            if tighter { state } else { best }
        })
    }

    /// `X-RateLimit-Reset`: the second since the epoch at which one more request fits than now (decision 5).
    pub fn reset(&self) -> i64 {
        seconds_up(self.tightest().next)
    }

    /// `Retry-After`: the seconds, rounded up and at least one, until every budget has room again.
    pub fn retry_after(&self, now: i64) -> u32 {
        let spent = self.states.iter().filter(|state| state.remaining == 0);
        let wait = spent.map(|state| state.wait(now)).max().unwrap_or(0);
        u32::try_from(wait.max(1)).unwrap_or(u32::MAX)
    }

    /// The headers of every answer to a key with a budget (VP-13): `X-RateLimit-*` about the tightest budget, and all
    /// budgets as `RateLimit` and `RateLimit-Policy` of draft-ietf-httpapi-ratelimit-headers.
    pub fn headers(&self, now: i64) -> Vec<(&'static str, String)> {
        let tightest = self.tightest();
        let room = 48 * self.states.len();
        let (mut policy, mut left) = (String::with_capacity(room), String::with_capacity(room));
        let mut digits = itoa::Buffer::new();
        let mut put = |text: &mut String, before: &str, number: i64| {
            text.push_str(before);
            text.push_str(digits.format(number));
        };
        for state in &self.states {
            if !policy.is_empty() {
                policy.push_str(", ");
                left.push_str(", ");
            }
            // As "key-60";q=100;w=60 and "key-60";r=99;t=60.
            let (seconds, requests) = (i64::from(state.budget.seconds), i64::from(state.budget.requests));
            for text in [&mut policy, &mut left] {
                text.push('"');
                text.push_str(state.per);
                put(text, "-", seconds);
            }
            put(&mut policy, "\";q=", requests);
            put(&mut policy, ";w=", seconds);
            put(&mut left, "\";r=", i64::from(state.remaining));
            put(&mut left, ";t=", state.wait(now));
        }
        vec![
            ("X-RateLimit-Limit", tightest.budget.requests.to_string()),
            ("X-RateLimit-Remaining", tightest.remaining.to_string()),
            ("X-RateLimit-Reset", self.reset().to_string()),
            ("RateLimit-Policy", policy),
            ("RateLimit", left),
        ]
    }
}
