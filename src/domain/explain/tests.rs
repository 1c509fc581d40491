use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, Duration};
use proptest::prelude::*;

use super::*;
use crate::domain::account::Account;
use crate::domain::budget::Budgets;
use crate::domain::credential::{Directory, Home};
use crate::domain::issuer::RequestLine;
use crate::domain::issuer::policy_file::{all_presets, preset};
use crate::domain::key::Key;
use crate::domain::limit::{Log, charges, decide, look};
use crate::domain::network::Networks;
use crate::domain::scope::Scopes;
use crate::domain::secret::PlainKey;
use crate::domain::verdict::Limited;
use crate::domain::verdict::testing::judge;

fn now() -> Instant {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

fn secret(slug: &str) -> String {
    let format = preset(slug).unwrap().format;
    PlainKey::make(&format.prefix, format.body, &[3; 32]).expose().to_owned()
}

/// Mark and words of a step.
fn step<'e>(told: &'e Explanation, name: &str) -> (Mark, &'e str) {
    told.steps.iter().find(|step| step.name == name).map(|step| (step.mark, step.words.as_str())).unwrap()
}

/// Explains what was pasted, with no key found for it.
fn pasted(text: &str) -> Explanation {
    let directory = Directory::new(all_presets().into_iter().map(Arc::new));
    let reading = directory.read_bare(Home::Any, text.as_bytes());
    let policy = match &reading {
        Ok(found) => Some(found.policy.as_ref()),
        Err(unread) => unread.policy.map(AsRef::as_ref),
    };
    explain(&Case {
        reading: Some(reading.as_ref()),
        policy,
        facts: None,
        request: None,
        quota: None,
        lack: None,
        now: now(),
    })
}

#[test]
fn va_10_explain_says_that_a_preview_was_pasted() {
    let format = preset("vozagent").unwrap().format;
    let preview = PlainKey::make(&format.prefix, format.body, &[3; 32]).preview(&format.prefix);
    let told = pasted(&preview);
    assert_eq!(told.refused(), Some(&Reason::Preview));
    assert!(step(&told, "shape").1.contains("masked preview"), "{told:?}");
}

#[test]
fn va_11_explain_says_that_there_are_spaces() {
    let told = pasted(&format!(" {} ", secret("vozagent")));
    assert_eq!(told.refused(), Some(&Reason::Spaces));
    assert!(step(&told, "shape").1.contains("white space"), "{told:?}");
}

#[test]
fn a_key_that_was_never_made_is_told_from_one_that_is_cut_off() {
    assert_eq!(pasted(&secret("voxpria")).refused(), Some(&Reason::Unknown));
    let told = pasted(&secret("voxpria")[..20]);
    assert!(step(&told, "shape").1.contains("17 characters after the prefix instead of 49"), "{told:?}");
    assert_eq!(step(&told, "known").0, Mark::Open);
    assert!(!told.complete());
}

#[test]
fn all_that_is_wrong_is_told_at_once_and_the_first_is_the_gates_answer() {
    let policy = preset("voxpria").unwrap();
    let mut key = Key::example().made(now() - Duration::days(90));
    key.revoked_at = Some(now() - Duration::hours(1));
    key.revoked_by = Some("ada".into());
    key.allow = Networks::parse("198.51.100.0/24").unwrap();
    let (account, limits) = (Account::example(), Budgets::default());
    let facts = KeyFacts { key: &key, account: &account, limits: &limits };
    let line = RequestLine::new(b"POST", b"/api/v1/calls");
    let request = Request { ask: Ask::Line(line), address: "203.0.113.7".parse().ok() };
    let charges = charges(&policy, &account, &key, &limits, Some("calls"));
    let quota = look(&charges, &mut [&mut Log::default()], now().timestamp_micros());
    let told = explain(&Case {
        reading: None,
        policy: Some(&policy),
        facts: Some(facts),
        request: Some(&request),
        quota: quota.as_ref(),
        lack: None,
        now: now(),
    });
    let failed: Vec<_> =
        told.steps.iter().filter(|step| step.mark == Mark::Failed).map(|step| step.name).collect();
    assert_eq!(failed, ["revoked", "address", "scope"]);
    assert_eq!(told.refused().map(Reason::code), Some("revoked"));
    assert!(step(&told, "revoked").1.contains("by ada"));
    assert!(step(&told, "address").1.contains("203.0.113.7"));
    assert!(step(&told, "scope").1.contains("calls:write"));
    assert_eq!(
        step(&told, "limits"),
        (Mark::Passed, "100 of 100/1m per key are left, 1000 of 1000/1h per key are left.")
    );
    let names: Vec<_> = told.steps.iter().map(|step| step.name).collect();
    let order = [
        "credential",
        "shape",
        "known",
        "revoked",
        "expired",
        "claimed",
        "planned",
        "paused",
        "account",
        "address",
        "scope",
        "limits",
    ];
    assert_eq!(names, order);
}

#[test]
fn a_policy_without_routes_is_named_as_the_reason() {
    let mut policy = preset("voxpria").unwrap();
    policy.routes.clear();
    let (key, account, limits) = (Key::example().made(now()), Account::example(), Budgets::default());
    let facts = Some(KeyFacts { key: &key, account: &account, limits: &limits });
    let case = Case {
        reading: None,
        policy: Some(&policy),
        facts,
        request: None,
        quota: None,
        lack: None,
        now: now(),
    };
    assert_eq!(explain(&case).refused(), Some(&Reason::NoRoutes));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// What is explained is what the gate does.
    #[test]
    fn the_explanation_agrees_with_the_verdict(
        slug in prop::sample::select(vec!["voicegram", "voxpria", "vozagent", "voiceinfra"]),
        flaws in prop::collection::vec(any::<bool>(), 8),
        scopes in prop::sample::select(vec!["", "calls:read", "calls:read calls:write"]),
        method in prop::sample::select(vec!["GET", "POST", "get"]),
        path in prop::sample::select(vec!["/api/v1/calls", "/api/v1/calls/", "/v1/calls/outbound", "/api/../x", "/x"]),
        spent in any::<bool>(),
    ) {
        let rare = |i: usize| flaws[i] && flaws[(i + 1) % 8] && flaws[(i + 2) % 8];
        let policy = preset(slug).unwrap();
        let mut key = Key::example().of(if rare(0) { "other" } else { slug }).made(now() - Duration::minutes(30));
        key.revoked_at = rare(1).then(|| now() - Duration::minutes(1));
        key.expires_at = rare(2).then(now);
        if rare(3) { key.acknowledged_at = None; }
        if rare(4) { key.allow = Networks::parse("198.51.100.0/24").unwrap(); }
        key.scopes = Scopes::parse(scopes);
        let account = Account::example().of(slug);
        if rare(5) { key.standing = Standing::Suspended; }
        let limits = Budgets::parse("1/1m").unwrap();
        let facts = KeyFacts { key: &key, account: &account, limits: &limits };
        let address: Option<IpAddr> = (!rare(6)).then(|| "198.51.100.7".parse().unwrap());
        let line = RequestLine::new(method.as_bytes(), path.as_bytes());
        let request = Request { ask: Ask::Line(line), address };
        let micros = now().timestamp_micros();
        let mine = charges(&policy, &account, &key, &limits, None);
        let mut log = Log::default();
        if spent {
            prop_assert!(decide(&mine, &mut [&mut log], micros).unwrap().allowed);
        }
        let quota = look(&mine, &mut [&mut log], micros);
        let told = explain(&Case {
            reading: None, policy: Some(&policy), facts: Some(facts), request: Some(&request),
            quota: quota.as_ref(), now: now(),
            lack: None,
        });
        let verdict = judge(&policy, Some(facts), &request, now(), |_| {
            Limited::Told(decide(&mine, &mut [&mut log], micros))
        });
        prop_assert_eq!(told.refused().map(Reason::code), verdict.refused.as_ref().map(Reason::code));
    }
}
