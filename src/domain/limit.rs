//! Limits: budgets of requests over a true sliding window, without approximation (VG-20, VP-11, VP-12).
//!
//! A request is allowed if fewer than N allowed ones lie in `(now - window, now]`, for each of its budgets. Refused ones
//! do not count (decision 5). Time is in microseconds since the epoch. Where its clock steps back by [`super::STEP_BACK`]
//! or less, it is taken to stand still; where it is set back by more, all requests are taken to have been made so much
//! earlier, the newest just now.

use super::account::Account;
use super::budget::{Budget, Budgets};
use super::issuer::{Per, Plan, Policy};
use super::key::{Key, KeyId};

mod log;
mod quota;

pub use log::Log;
pub use quota::{Quota, State};

/// Who shares a budget: requests of one bucket are counted together. Shown as the name under which a shared limiter keeps
/// it, which is unambiguous: slugs hold no colon.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, derive_more::Display, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Bucket {
    #[display("key:{_0}")]
    Key(KeyId),
    /// The account's slug.
    #[display("account:{_0}")]
    Account(String),
    /// The account's slug and the endpoint's name.
    #[display("endpoint:{_0}:{_1}")]
    Endpoint(String, String),
}

impl Bucket {
    /// The word for what the budget is per, in headers and reasons.
    pub fn word(&self) -> &'static str {
        self.into()
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
