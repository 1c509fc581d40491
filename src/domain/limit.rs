//! Limits: budgets of requests over a true sliding window, without approximation (VG-20, VP-11, VP-12).
//!
//! A request is allowed if fewer than N allowed ones lie in `(now - window, now]`, for each of its budgets. Refused ones
//! do not count (decision 5). Time is in microseconds since the epoch. Where its clock steps back by [`super::STEP_BACK`]
//! or less, it is taken to stand still; where it is set back by more, all requests are taken to have been made so much
//! earlier, the newest just now.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::account::Account;
use super::issuer::{Per, Plan, Policy};
use super::key::{Key, KeyId};

mod log;
mod quota;

pub use log::Log;
pub use quota::{Quota, State};

/// The longest window: 31 days, in seconds.
pub const WINDOW_MAX: u32 = 31 * 24 * 60 * 60;

/// So many requests in any so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Budget {
    /// The window in seconds: 1 to [`WINDOW_MAX`].
    pub seconds: u32,
    /// At least 1.
    pub requests: u32,
}

impl Budget {
    /// What one of `gates` gates may give out by itself while they can't ask each other: its part of the budget, and
    /// never less than one request.
    pub fn share(self, gates: u32) -> Self {
        Self { requests: (self.requests / gates.max(1)).max(1), ..self }
    }
}

/// Budgets agreed for one key, in place of those that its policy gives to every key. Empty: none agreed.
///
/// The text form, as the database and the command line have it, is `5000/1h 100/1m`; seconds are `s`, minutes `m`,
/// hours `h`, days `d`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Budgets(Vec<Budget>);

/// Why a text is no list of budgets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BudgetError {
    #[error("{0:?} is no budget: write requests/time, such as 100/1m or 5000/1h")]
    Form(String),
    #[error("{0:?}: the time of a budget is 1 second to 31 days, and at least 1 request must be possible")]
    Range(String),
    #[error("two budgets over the same time of {0} seconds: keep one")]
    Twice(u32),
    #[error("there are {0} budgets, at most 4 are possible")]
    Many(usize),
}

impl Budgets {
    /// Reads the text form: budgets separated by white space or commas.
    pub fn parse(text: &str) -> Result<Self, BudgetError> {
        let mut all = text
            .split(|c: char| c == ',' || c.is_whitespace())
            .filter(|entry| !entry.is_empty())
            .map(parse_budget)
            .collect::<Result<Vec<_>, _>>()?;
        all.sort_unstable();
        if let Some(pair) = all.windows(2).find(|pair| pair[0].seconds == pair[1].seconds) {
            return Err(BudgetError::Twice(pair[0].seconds));
        }
        if all.len() > 4 {
            return Err(BudgetError::Many(all.len()));
        }
        Ok(Self(all))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The budgets, the shortest window first.
    pub fn as_slice(&self) -> &[Budget] {
        &self.0
    }
}

fn parse_budget(entry: &str) -> Result<Budget, BudgetError> {
    let form = || BudgetError::Form(entry.chars().take(40).collect());
    let (requests, time) = entry.split_once('/').ok_or_else(form)?;
    let digits = time.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit: u64 = match &time[digits.len()..] {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(form()),
    };
    let number = |text: &str| {
        let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| text.parse::<u32>().ok()).flatten().ok_or_else(form)
    };
    let seconds = u64::from(number(digits)?) * unit;
    let requests = number(requests)?;
    match u32::try_from(seconds) {
        Ok(seconds) if (1..=WINDOW_MAX).contains(&seconds) && requests > 0 => {
            Ok(Budget { seconds, requests })
        }
        _ => Err(BudgetError::Range(entry.to_owned())),
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, unit) = match self.seconds {
            s if s % 86_400 == 0 => (s / 86_400, 'd'),
            s if s % 3_600 == 0 => (s / 3_600, 'h'),
            s if s % 60 == 0 => (s / 60, 'm'),
            s => (s, 's'),
        };
        write!(f, "{}/{number}{unit}", self.requests)
    }
}

impl fmt::Display for Budgets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, budget) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{budget}")?;
        }
        Ok(())
    }
}

impl From<Budgets> for String {
    fn from(budgets: Budgets) -> Self {
        budgets.to_string()
    }
}

impl TryFrom<String> for Budgets {
    type Error = BudgetError;

    fn try_from(text: String) -> Result<Self, BudgetError> {
        Self::parse(&text)
    }
}

/// Who shares a budget: requests of one bucket are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bucket {
    Key(KeyId),
    /// The account's slug.
    Account(String),
    /// The account's slug and the endpoint's name.
    Endpoint(String, String),
}

impl Bucket {
    /// The word for what the budget is per, in headers and reasons.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Key(_) => "key",
            Self::Account(_) => "account",
            Self::Endpoint(..) => "endpoint",
        }
    }
}

impl fmt::Display for Bucket {
    /// The name under which a shared limiter keeps it. Unambiguous: slugs hold no colon.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => write!(f, "key:{id}"),
            Self::Account(slug) => write!(f, "account:{slug}"),
            Self::Endpoint(slug, endpoint) => write!(f, "endpoint:{slug}:{endpoint}"),
        }
    }
}

/// One bucket that a request counts in, with all its budgets. Each must have room, or nothing is counted anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    pub bucket: Bucket,
    /// At least one; the shortest window first, each window once.
    pub budgets: Vec<Budget>,
}

/// The budgets that a request uses. `own` are those agreed for its key: they stand in place of the policy's budgets per
/// key, those of plans included. Without an `endpoint` the budgets of endpoints are left out.
pub fn charges(
    policy: &Policy,
    account: &Account,
    key: &Key,
    own: &Budgets,
    endpoint: Option<&str>,
) -> Vec<Charge> {
    let mut all: Vec<Charge> = Vec::new();
    let mut add = |bucket: Bucket, budgets: &[Budget]| {
        if budgets.is_empty() {
            return;
        }
        match all.iter_mut().find(|charge| charge.bucket == bucket) {
            Some(charge) => charge.budgets.extend_from_slice(budgets),
            None => all.push(Charge { bucket, budgets: budgets.to_vec() }),
        }
    };
    if !own.is_empty() {
        add(Bucket::Key(key.id), own.as_slice());
    }
    for rule in &policy.limits {
        let bucket = match (rule.per, endpoint) {
            (Per::Key, _) if !own.is_empty() => continue,
            (Per::Key, _) => Bucket::Key(key.id),
            (Per::Account, _) => Bucket::Account(account.slug.clone()),
            (Per::AccountEndpoint, Some(name)) => Bucket::Endpoint(account.slug.clone(), name.to_owned()),
            (Per::AccountEndpoint, None) => continue,
        };
        match (rule.plans, rule.requests, rule.seconds) {
            (true, ..) => add(bucket, &plan_budgets(policy, account)),
            (false, Some(requests), Some(seconds)) => add(bucket, &[Budget { seconds, requests }]),
            _ => {}
        }
    }
    for charge in &mut all {
        // Of two budgets over the same time the tighter one is the one that counts.
        charge.budgets.sort_unstable();
        charge.budgets.dedup_by_key(|budget| budget.seconds);
    }
    all
}

/// The budgets of the account's plan. One that leaves them open is agreed per customer: no budget but the key's own.
/// An account without a plan, or with one that the policy does not know, gets the least of all plans, never more.
fn plan_budgets(policy: &Policy, account: &Account) -> Vec<Budget> {
    let of = |plan: &Plan| [(60, plan.requests_per_minute), (3_600, plan.requests_per_hour)];
    let plan =
        account.plan.as_ref().and_then(|name| policy.plans.iter().find(|plan| plan.name == name.as_str()));
    let numbers = match plan {
        Some(plan) => of(plan),
        None => {
            let least = |pick: fn(&Plan) -> Option<u32>| policy.plans.iter().filter_map(pick).min();
            [(60, least(|plan| plan.requests_per_minute)), (3_600, least(|plan| plan.requests_per_hour))]
        }
    };
    let budget =
        |(seconds, requests): (u32, Option<u32>)| requests.map(|requests| Budget { seconds, requests });
    numbers.into_iter().filter_map(budget).collect()
}

/// Whether a request may pass all its budgets at `now`, in microseconds since the epoch; if so it is counted in all of
/// them, else in none. `logs` are those of the charges' buckets, in the same order. `None`: there is nothing to limit.
pub fn decide(charges: &[Charge], logs: &mut [&mut Log], now: i64) -> Option<Quota> {
    let mut states = states(charges, logs, now);
    let allowed = states.iter().all(|state| state.remaining > 0);
    if allowed {
        for log in logs.iter_mut() {
            log.take(now);
        }
        for state in &mut states {
            state.take(now);
        }
    }
    Quota::new(states, allowed)
}

/// As [`decide`], but nothing is counted: what the headers of an answer say that used no budget.
pub fn look(charges: &[Charge], logs: &mut [&mut Log], now: i64) -> Option<Quota> {
    let states = states(charges, logs, now);
    let allowed = states.iter().all(|state| state.remaining > 0);
    Quota::new(states, allowed)
}

fn states(charges: &[Charge], logs: &mut [&mut Log], now: i64) -> Vec<State> {
    let mut states = Vec::with_capacity(charges.iter().map(|charge| charge.budgets.len()).sum());
    for (charge, log) in charges.iter().zip(logs.iter_mut()) {
        let word = charge.bucket.word();
        log.peek(&charge.budgets, now, |budget, count, next| {
            states.push(State::new(word, budget, count, next, now));
        });
    }
    states
}

#[cfg(test)]
mod tests;
