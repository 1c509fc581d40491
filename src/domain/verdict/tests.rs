use std::sync::Arc;

use chrono::{DateTime, Duration};

use super::testing::judge;
use super::*;
use crate::domain::account::Standing;
use crate::domain::credential::{Directory, Home, Spelling};
use crate::domain::issuer::policy_file::{all_presets, preset};
use crate::domain::limit::{Log, decide};
use crate::domain::network::Networks;
use crate::domain::scope::Scopes;
use crate::domain::secret::PlainKey;

mod told;

fn born() -> Instant {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

fn now() -> Instant {
    born() + Duration::days(1)
}

/// A world of one key under a preset; tests spoil parts of it.
struct World {
    policy: Policy,
    key: Key,
    account: Account,
    limits: Budgets,
    address: Option<IpAddr>,
    log: Log,
}

impl World {
    fn new(slug: &str) -> Self {
        Self {
            policy: preset(slug).unwrap(),
            key: Key::example().of(slug).made(born()),
            account: Account::example().of(slug),
            limits: Budgets::default(),
            address: "203.0.113.7".parse().ok(),
            log: Log::default(),
        }
    }

    fn ask(&mut self, ask: Ask<'_>, at: Instant) -> Verdict {
        let facts = KeyFacts { key: &self.key, account: &self.account, limits: &self.limits };
        let request = Request { ask, address: self.address };
        judge(&self.policy, Some(facts), &request, at, |charges| {
            assert!(charges.len() <= 1);
            match charges {
                [] => Limited::Told(None),
                _ => Limited::Told(decide(charges, &mut [&mut self.log], at.timestamp_micros())),
            }
        })
    }

    fn call(&mut self, method: &str, path: &str) -> Verdict {
        self.ask(Ask::Line(RequestLine::new(method.as_bytes(), path.as_bytes())), now())
    }

    fn me(&mut self) -> Verdict {
        self.ask(Ask::Direct { scope: None, endpoint: Some("me") }, now())
    }

    /// The verdict's code, "allowed" if there is no reason.
    fn code(&mut self, method: &str, path: &str) -> &'static str {
        self.call(method, path).refused.map_or("allowed", |reason| reason.code())
    }
}

fn revoke(key: &mut Key) {
    key.revoked_at = Some(now() - Duration::hours(1));
    key.revoked_by = Some("ada".into());
    key.revoke_reason = Some("found in a repository".into());
}

#[test]
fn vg_17_and_vi_08_a_revoked_key_is_refused_from_that_instant_on() {
    let mut world = World::new("voicegram");
    assert!(world.me().allowed());
    world.key.revoked_at = Some(now());
    assert_eq!(world.me().refused.unwrap().code(), "revoked");
    assert_eq!(world.me().answer(Some(&world.policy), 0).status, 401);
    assert!(dead(&world.key, now()).is_some(), "a second look says the same");
}

#[test]
fn the_steps_have_one_order_for_all_policies() {
    // Everything is wrong; each line sets right what is named first.
    for slug in ["voicegram", "voxpria", "vozagent", "voiceinfra"] {
        let mut world = World::new(slug);
        revoke(&mut world.key);
        world.key.expires_at = Some(now());
        world.key.standing = Standing::Suspended;
        world.key.allow = Networks::parse("198.51.100.0/24").unwrap();
        world.policy.scopes = preset("voxpria").unwrap().scopes;
        world.policy.routes = preset("voxpria").unwrap().routes;
        world.limits = Budgets::parse("1/1h").unwrap();
        world.policy.limits.clear();
        let path = "/api/v1/credits";
        assert_eq!(world.code("GET", path), "revoked", "{slug}");
        world.key.revoked_at = None;
        assert_eq!(world.code("GET", path), "expired", "{slug}");
        world.key.expires_at = None;
        assert_eq!(world.code("GET", path), "suspended", "{slug}");
        world.key.standing = Standing::Good;
        assert_eq!(world.code("GET", path), "address", "{slug}");
        world.address = "198.51.100.9".parse().ok();
        assert_eq!(world.code("GET", path), "scope", "{slug}");
        world.key.scopes = Scopes::parse("credits:read");
        assert_eq!(world.code("GET", path), "allowed", "{slug}: nothing before used the one request up");
        assert_eq!(world.code("GET", path), "limited", "{slug}");
    }
}

#[test]
fn vp_07_an_address_outside_the_allow_list_costs_no_quota() {
    let mut world = World::new("voxpria");
    world.key.allow = Networks::parse("198.51.100.0/24 2001:db8::/32 203.0.113.9").unwrap();
    world.key.scopes = Scopes::parse("calls:read");
    for (address, passes) in [
        ("198.51.100.1", true),
        ("::ffff:198.51.100.1", true),
        ("2001:db8::1", true),
        ("203.0.113.9", true),
        ("203.0.113.8", false),
        ("2001:db9::1", false),
        ("::198.51.100.1", false),
    ] {
        world.address = address.parse().ok();
        let (before, verdict) = (world.log.len(), world.call("GET", "/api/v1/calls"));
        assert_eq!(verdict.allowed(), passes, "{address}");
        assert_eq!(world.log.len() - before, u32::from(passes), "{address}");
    }
    world.address = None;
    let verdict = world.call("GET", "/api/v1/calls");
    assert_eq!(verdict.refused, Some(Reason::Address { address: None }), "nobody said where it comes from");
}

#[test]
fn vp_02_and_vp_08_a_key_may_do_what_its_scopes_say_and_no_more() {
    let mut world = World::new("voxpria");
    assert_eq!(world.code("GET", "/api/v1/calls"), "scope", "no scope is ticked at first");
    world.key.scopes = Scopes::parse("calls:read webhooks:write");
    for (method, path, code) in [
        ("GET", "/api/v1/calls", "allowed"),
        ("HEAD", "/api/v1/calls/7", "allowed"),
        ("POST", "/api/v1/calls", "scope"),
        ("POST", "/api/v1/webhooks", "allowed"),
        ("DELETE", "/api/v1/webhooks/7", "scope"),
        ("GET", "/api/v1/unheard-of", "unrouted"),
        ("GET", "/api/v1/calls/../credits", "bad-path"),
        ("get", "/api/v1/calls", "bad-path"),
        ("POST", "/api/v1/webhooks/", "trailing-slash"),
        ("POST", "/api/v1/Webhooks", "letter-case"),
    ] {
        assert_eq!(world.code(method, path), code, "{method} {path}");
    }
    let direct = |scope| Ask::Direct { scope: Some(scope), endpoint: None };
    assert!(world.ask(direct("calls:read"), now()).allowed());
    assert_eq!(world.ask(direct("calls:write"), now()).refused.unwrap().code(), "scope");
}

#[test]
fn vg_05_a_key_of_a_policy_without_scopes_may_do_everything() {
    let mut world = World::new("voicegram");
    assert_eq!(world.code("DELETE", "/api/v1/anything"), "allowed");
    assert!(world.ask(Ask::Direct { scope: Some("calls:read"), endpoint: None }, now()).allowed());
    assert_eq!(world.code("GET", "/admin"), "unrouted");
}

#[test]
fn a_policy_from_before_there_was_a_gate_lets_nothing_pass_and_says_so() {
    let old = r#"{"slug":"acme","name":"Acme","format":{"prefix":"ac_","body":"hex"}}"#;
    let mut world = World::new("voicegram");
    world.policy = serde_json::from_str(old).unwrap();
    world.key.issuer = "acme".into();
    let refused = world.call("GET", "/anything").refused.unwrap();
    assert_eq!(refused, Reason::NoRoutes);
    assert!(refused.sentence(Some(&world.policy)).contains("[[routes]]"));
    assert!(world.me().allowed(), "who asks directly needs no route");
    world.policy.gate.unmatched = Unmatched::Allow;
    let verdict = world.call("GET", "/anything");
    assert_eq!((verdict.allowed(), verdict.endpoint.as_deref()), (true, Some(UNMATCHED)));
}

#[test]
fn vp_27_an_unclaimed_key_works_until_its_time_is_up_and_its_first_use_claims_it() {
    let mut world = World::new("voicegram");
    world.key.acknowledged_at = None;
    let at = |minutes: i64| born() + Duration::minutes(minutes);
    let ask = || Ask::Direct { scope: None, endpoint: Some("me") };
    let verdict = world.ask(ask(), at(9));
    assert!(verdict.allowed() && verdict.claims);
    assert_eq!(world.ask(ask(), at(10)).refused, Some(Reason::Abandoned { at: at(10) }));
    world.key.last_used_at = Some(at(9));
    let verdict = world.ask(ask(), at(11));
    assert!(verdict.allowed() && !verdict.claims);
    // What is refused claims nothing.
    world.key.last_used_at = None;
    world.key.allow = Networks::parse("198.51.100.0/24").unwrap();
    assert!(!world.ask(ask(), at(5)).claims);
}

#[test]
fn vg_20_above_the_budget_the_answer_is_429_rate_limited() {
    let mut world = World::new("voicegram");
    for _ in 0..60 {
        assert!(world.me().allowed());
    }
    let answer = world.me().answer(Some(&world.policy), now().timestamp_micros());
    assert_eq!(answer.status, 429);
    assert!(answer.body.contains(r#""code":"rate_limited""#), "{}", answer.body);
    let header =
        |name: &str| answer.headers.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str());
    assert_eq!(header("Retry-After"), Some("60"));
    assert_eq!(header("X-RateLimit-Remaining"), Some("0"));
    assert_eq!(header("WWW-Authenticate"), None);
}

#[test]
fn vp_13_every_answer_to_a_working_key_carries_the_headers() {
    let mut world = World::new("voxpria");
    world.account.plan = Some("Starter".into());
    world.key.scopes = Scopes::parse("credits:read");
    let micros = now().timestamp_micros();
    let answer = world.call("GET", "/api/v1/credits").answer(Some(&world.policy), micros);
    let header = |answer: &Answer, name: &str| {
        answer.headers.iter().find(|(n, _)| *n == name).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    assert_eq!(answer.status, 200);
    assert_eq!(header(&answer, "X-RateLimit-Limit"), "500");
    assert_eq!(header(&answer, "X-RateLimit-Remaining"), "499");
    assert_eq!(header(&answer, "X-RateLimit-Reset"), (now().timestamp() + 60).to_string());
    // A refusal for a scope tells of the budgets too, without using them.
    let facts = KeyFacts { key: &world.key, account: &world.account, limits: &world.limits };
    let line = RequestLine::new(b"GET", b"/api/v1/calls");
    let request = Request { ask: Ask::Line(line), address: world.address };
    let refused = check(&world.policy, Some(facts), &request, now()).unwrap_err();
    assert_eq!(refused.shows[0].budgets.len(), 2);
    let quota = crate::domain::limit::look(&refused.shows, &mut [&mut world.log], micros);
    let answer = Verdict::refuse(refused.reason, quota).answer(Some(&world.policy), micros);
    assert_eq!((answer.status, header(&answer, "X-RateLimit-Remaining")), (403, "499".to_owned()));
    let challenge = r#"Bearer realm="voxpria", error="insufficient_scope", scope="calls:read""#;
    assert_eq!(header(&answer, "WWW-Authenticate"), challenge);
}

#[test]
fn if_the_limiter_is_gone_the_answer_is_503() {
    let world = World::new("voicegram");
    let facts = KeyFacts { key: &world.key, account: &world.account, limits: &world.limits };
    let request = Request { ask: Ask::Direct { scope: None, endpoint: None }, address: None };
    let verdict = judge(&world.policy, Some(facts), &request, now(), |_| Limited::Gone);
    assert_eq!(verdict.refused, Some(Reason::LimiterGone));
    assert_eq!(verdict.answer(Some(&world.policy), 0).status, 503);
}

/// Every reason for which a key does not work, as the caller is told of it under `slug`.
fn refusals(slug: &str) -> Vec<(&'static str, Answer)> {
    let format = preset(slug).unwrap().format;
    let secret = PlainKey::make(&format.prefix, format.body, &[1; 32]);
    let secret = secret.expose();
    let directory = Directory::new(all_presets().into_iter().map(Arc::new));
    let policy = directory.policy(slug).cloned();
    let mut all = Vec::new();
    let short = secret.len() - 5;
    for sent in [
        None,
        Some(""),
        Some(&secret[..short]),
        Some(&secret.replace(&format.prefix, "zz_")),
        Some(&format!("{secret}x")),
        Some(&format!("{}••••••••{}", format.prefix, &secret[secret.len() - 4..])),
        Some(&format!("  {secret}").replace("  ", "\u{A0}")),
    ] {
        let headers = sent.map(|sent| match preset(slug).unwrap().headers.bearer {
            true => ("Authorization", format!("Bearer {sent}")),
            false => ("X-API-Key", sent.to_owned()),
        });
        let headers = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let unread = directory.read(Home::Default(slug), headers, Spelling::AsSent).unwrap_err();
        let code = unread.reason.code();
        let verdict = Verdict::refuse(unread.reason, None);
        all.push((code, verdict.answer(unread.policy.map(AsRef::as_ref), 7)));
    }
    let spoil: [fn(&mut World); 5] = [
        |world| revoke(&mut world.key),
        |world| world.key.expires_at = Some(now()),
        |world| world.key.acknowledged_at = None,
        |world| world.key.standing = Standing::Suspended,
        |world| world.key.allow = Networks::parse("198.51.100.0/24").unwrap(),
    ];
    for spoil in spoil {
        let mut world = World::new(slug);
        spoil(&mut world);
        let verdict = world.me();
        all.push((verdict.refused.as_ref().unwrap().code(), verdict.answer(policy.as_deref(), 7)));
    }
    let unknown = Verdict::refuse(Reason::Unknown, None);
    all.push(("unknown", unknown.answer(policy.as_deref(), 7)));
    all
}

#[test]
fn vi_09_the_body_is_exactly_that_of_the_seed() {
    let body = r#"{"error":{"code":"unauthorized","message":"Invalid or missing API key."}}"#;
    for (code, answer) in refusals("voiceinfra") {
        assert_eq!((answer.status, answer.body.as_str()), (401, body), "{code}");
        assert!(
            !answer.headers.iter().any(|(name, _)| *name == "WWW-Authenticate"),
            "{code}: no Bearer here"
        );
    }
}

#[test]
fn vi_10_all_keys_that_do_not_work_get_the_same_answer_byte_for_byte() {
    for slug in ["voicegram", "voxpria", "vozagent", "voiceinfra"] {
        let all = refusals(slug);
        let codes: std::collections::BTreeSet<_> = all.iter().map(|(code, _)| code).collect();
        assert_eq!(codes.len(), 13, "{codes:?}");
        for (code, answer) in &all {
            assert_eq!(answer, &all[0].1, "{slug}: {code}");
        }
    }
}

#[test]
fn the_challenge_is_that_of_rfc_6750_where_bearer_is_accepted() {
    for (slug, expected) in [
        ("voicegram", Some(r#"Bearer realm="voicegram", error="invalid_token""#)),
        ("voxpria", Some(r#"Bearer realm="voxpria", error="invalid_token""#)),
        ("voiceinfra", None),
    ] {
        let answer = Verdict::refuse(Reason::Missing, None).answer(preset(slug).as_ref(), 0);
        let found = answer.headers.iter().find(|(name, _)| *name == "WWW-Authenticate");
        assert_eq!(found.map(|(_, value)| value.as_str()), expected, "{slug}");
    }
}

#[test]
fn vp_02_two_unequal_keys_are_a_bad_request() {
    let answer = Verdict::refuse(Reason::Several, None).answer(preset("voxpria").as_ref(), 0);
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains(r#""code":"bad_request""#));
}

#[test]
fn every_body_is_json_whatever_was_asked_for() {
    let reasons = [
        Reason::Missing,
        Reason::Several,
        Reason::Unrouted,
        Reason::Scope { needed: "calls:read".into() },
        Reason::Scope { needed: "\"}, \u{7}\\".into() },
        Reason::Braked { seconds: 7 },
        Reason::StoreGone,
    ];
    for policy in all_presets().into_iter().map(Some).chain([None]) {
        for reason in &reasons {
            let answer = Verdict::refuse(reason.clone(), None).answer(policy.as_ref(), 0);
            assert!(serde_json::from_str::<serde_json::Value>(&answer.body).is_ok(), "{}", answer.body);
            let plain = |value: &str| value.bytes().all(|b| (b' '..=b'~').contains(&b));
            assert!(answer.headers.iter().all(|(_, value)| plain(value)), "{:?}", answer.headers);
        }
    }
}

#[test]
fn the_inner_reason_says_who_when_and_what_to_do() {
    let mut world = World::new("voxpria");
    revoke(&mut world.key);
    let sentence = dead(&world.key, now()).unwrap().sentence(Some(&world.policy));
    assert_eq!(
        sentence,
        "The key was revoked on 2026-09-22 at 13:13:20 UTC by ada (found in a repository). That is final: create a new one."
    );
}

#[test]
fn a_key_of_another_issuer_is_not_judged_by_this_policy() {
    let mut world = World::new("voicegram");
    world.key.issuer = "voxpria".into();
    assert_eq!(world.me().refused, Some(Reason::OtherIssuer));
}
