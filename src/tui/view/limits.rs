//! Budgets as people read them.

use crate::domain::account::Account;
use crate::domain::budget::Budget;
use crate::domain::issuer::Policy;
use crate::domain::key::Key;
use crate::domain::limit::{Bucket, charges};

#[cfg(test)]
mod tests;

/// Which budgets hold for a key, one sentence for each bucket. `account`: the key's, once it is known; before that, budgets
/// that hang on its plan are left out.
pub fn words(policy: &Policy, account: Option<&Account>, key: &Key) -> Vec<String> {
    let own =
        (!key.limits.is_empty()).then(|| format!("{}, agreed for this key", list(key.limits.as_slice())));
    let Some(account) = account else { return own.into_iter().collect() };
    // Every endpoint has budgets of the same size: the name stands for any.
    let all = charges(policy, account, key, &key.limits, Some("any"));
    let mut lines: Vec<String> = all
        .iter()
        .map(|charge| match (&charge.bucket, &own) {
            (Bucket::Key(_), Some(own)) => own.clone(),
            (Bucket::Key(_), None) => list(&charge.budgets),
            (Bucket::Account(_), _) => format!("{}, for all keys of the account", list(&charge.budgets)),
            (Bucket::Endpoint(..), _) => {
                format!("{}, for the account on each endpoint", list(&charge.budgets))
            }
        })
        .collect();
    if lines.is_empty() {
        lines.push("none".into());
    }
    if policy.limits.iter().any(|rule| rule.plans) && own.is_none() {
        lines.push(match &account.plan {
            Some(plan) => format!("by the plan {plan}"),
            None => "the account has no plan: the least of all plans holds".into(),
        });
    }
    lines
}

fn list(budgets: &[Budget]) -> String {
    budgets.iter().map(|budget| one(*budget)).collect::<Vec<_>>().join(", ")
}

fn one(Budget { seconds, requests }: Budget) -> String {
    match seconds {
        1 => format!("{requests} a second"),
        60 => format!("{requests} a minute"),
        3_600 => format!("{requests} an hour"),
        86_400 => format!("{requests} a day"),
        s if s % 86_400 == 0 => format!("{requests} in {} days", s / 86_400),
        s if s % 3_600 == 0 => format!("{requests} in {} hours", s / 3_600),
        s if s % 60 == 0 => format!("{requests} in {} minutes", s / 60),
        s => format!("{requests} in {s} s"),
    }
}
