//! What is said of a request besides whether it may pass.

use super::*;

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str())
}

fn paused(until: Instant, message: &str, told: bool) -> Reason {
    let pause = crate::domain::pause::Pause {
        at: born(),
        until,
        by: "ada".into(),
        message: Some(message.into()),
        reason: Some("looking into a leak".into()),
        freeze: None,
    };
    Reason::Paused { pause: Box::new(pause), told }
}

#[test]
fn a_pause_that_is_told_is_403_and_says_when_to_ask_again() {
    let policy = preset("voxpria").unwrap();
    let answer = |until, told| {
        let reason = paused(until, "Ask \"Ada\".", told);
        Verdict::refuse(reason, None).answer(Some(&policy), now().timestamp_micros())
    };
    for (until, seconds) in [(90, "90"), (0, "1"), (7_200, "3600")] {
        let answer = answer(now() + Duration::seconds(until), true);
        assert_eq!((answer.status, header(&answer, "Retry-After")), (403, Some(seconds)));
        assert_eq!(header(&answer, "WWW-Authenticate"), None, "no other scope would help");
        let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        let said = body.to_string();
        assert!(said.contains("This key is paused until ") && said.contains("Ask \\\"Ada\\\"."), "{said}");
        assert!(!said.contains("leak"), "the reason is for those who look here");
    }
    let hidden = answer(now() + Duration::seconds(90), false);
    let unknown = Verdict::refuse(Reason::Unknown, None).answer(Some(&policy), 0);
    assert_eq!(hidden, unknown);
}

#[test]
fn a_brake_and_a_missing_scope_are_named_in_the_answer() {
    let mut policy = preset("voxpria").unwrap();
    policy.answers.forbidden = r#"{"error":"needs {scope}"}"#.into();
    let answer = |reason| Verdict::refuse(reason, None).answer(Some(&policy), 0);
    let braked = answer(Reason::Braked { seconds: 7 });
    assert_eq!((braked.status, header(&braked, "Retry-After")), (429, Some("7")));
    let lacking = answer(Reason::Scope { needed: "calls:write".into() });
    assert_eq!(lacking.status, 403);
    assert_eq!(lacking.body, r#"{"error":"needs calls:write"}"#);
    let unrouted = answer(Reason::Unrouted);
    assert_eq!((unrouted.status, unrouted.body.as_str()), (403, r#"{"error":"needs "}"#));
}

#[test]
fn for_what_a_request_asks_is_the_name_of_its_route() {
    let world = World::new("voxpria");
    let named = |method: &str, path: &str| {
        let line = RequestLine::new(method.as_bytes(), path.as_bytes());
        let request = Request { ask: Ask::Line(line), address: None };
        (endpoint(&world.policy, &request).map(str::to_owned), unmet(&world.policy, &world.key, &request))
    };
    let (endpoint, unmet) = named("GET", "/api/v1/calls");
    assert!(endpoint.is_some_and(|name| world.policy.has_endpoint(&name)));
    assert_eq!(unmet, Some(Reason::Scope { needed: "calls:read".into() }), "no scope is ticked at first");
    assert_eq!(named("GET", "/api/v1/unheard-of"), (None, Some(Reason::Unrouted)));
    let mut able = World::new("voxpria");
    able.key.scopes = Scopes::parse("calls:read");
    let request = Request { ask: Ask::Line(RequestLine::new(b"GET", b"/api/v1/calls")), address: None };
    assert_eq!(super::unmet(&able.policy, &able.key, &request), None);
}

#[test]
fn a_policy_that_can_not_be_read_is_named_and_not_the_prefix() {
    let key = Key { refused: true, ..Key::example() };
    let mut policy = preset(&key.issuer).unwrap();
    let prefix = meets(&key, Some(&policy), now());
    policy.odd = "its routes".into();
    let damaged = meets(&key, Some(&policy), now());
    assert!(damaged.contains("its routes") && damaged != prefix, "{damaged}");
    let revoked = Key { revoked_at: Some(now()), ..key };
    assert!(meets(&revoked, Some(&policy), now()).starts_with("The key was revoked"), "an end outranks it");
}

#[test]
fn what_a_request_would_meet_is_said_of_the_verdict() {
    let mut key = Key { acknowledged_at: Some(now()), ..Key::example() };
    let mut policy = preset(&key.issuer).unwrap();
    assert_eq!(meets(&key, Some(&policy), now()), "This key works now.");
    (policy.format.prefix, key.refused) = ("new_".into(), true);
    assert!(meets(&key, Some(&policy), now()).starts_with("No issuer's keys begin like this"));
    let unclaimed = Key { acknowledged_at: None, refused: false, ..key.clone() };
    assert!(meets(&unclaimed, None, now()).ends_with("unless it is used or confirmed."));
    key.standing = Standing::Suspended;
    assert!(meets(&key, None, now()).starts_with(&format!("Account {} is suspended", key.account)));
    revoke(&mut key);
    assert!(meets(&key, None, now()).starts_with("The key was revoked on "), "an end outranks a suspension");
}
