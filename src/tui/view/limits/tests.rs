use super::words;
use crate::domain::account::Account;
use crate::domain::budget::Budgets;
use crate::domain::issuer::policy_file::preset;
use crate::tui::testing::{account, key};

fn of(issuer: &str, plan: Option<&str>, own: &str) -> Vec<String> {
    let policy = preset(issuer).unwrap();
    let account = Account { plan: plan.map(Into::into), ..account(issuer, "acme").account };
    let mut key = key(issuer, "CI runner");
    key.limits = Budgets::parse(own).unwrap();
    words(&policy, Some(&account), &key)
}

#[test]
fn the_plan_says_which_budgets_hold() {
    let policy = preset("voxpria").unwrap();
    let plan = policy.plans.iter().find(|plan| plan.requests_per_hour.is_some()).unwrap();
    let lines = of("voxpria", Some(&plan.name), "");
    assert!(lines[0].contains(&format!("{} an hour", plan.requests_per_hour.unwrap())), "{lines:?}");
    assert_eq!(lines.last().unwrap(), &format!("by the plan {}", plan.name));
    let lines = of("voxpria", None, "");
    assert_eq!(lines.last().unwrap(), "the account has no plan: the least of all plans holds");
}

#[test]
fn budgets_agreed_for_a_key_stand_in_place_of_the_plans() {
    assert_eq!(of("voxpria", None, "100/1m 5000/1h"), ["100 a minute, 5000 an hour, agreed for this key"]);
    let policy = preset("voxpria").unwrap();
    let mut key = key("voxpria", "CI runner");
    assert!(words(&policy, None, &key).is_empty(), "nothing is guessed before the account is known");
    key.limits = Budgets::parse("7/90s 9/7d").unwrap();
    assert_eq!(words(&policy, None, &key), ["7 in 90 s, 9 in 7 days, agreed for this key"]);
}

#[test]
fn budgets_of_an_account_and_endpoint_say_so() {
    let lines = of("voicegram", None, "");
    assert!(lines.iter().any(|line| line.ends_with("for the account on each endpoint")), "{lines:?}");
}
