use crate::domain::issuer::policy_file::{all_presets, parse, preset};
use crate::domain::issuer::{Methods, Per, Policy, Unmatched, WhenUnreachable};

const GOOD: &str = r#"slug = "acme"
name = "Acme"
[format]
prefix = "ac_"
body = "hex"
[[scopes]]
name = "calls:read"
description = "View calls"
[[plans]]
name = "Small"
requests-per-hour = 10
[gate]
unmatched = "allow"
when-unreachable = "local-share"
[[routes]]
methods = ["GET"]
path = "/calls/{id}"
scope = "calls:read"
endpoint = "calls"
[[routes]]
methods = "*"
path = "/open/**"
endpoint = "open"
[[limits]]
per = "key"
plans = true
[[limits]]
per = "account+endpoint"
requests = 60
seconds = 30
[answers]
forbidden = '{"error":"needs {scope}"}'
rate-limited = '{"wait":{retry-after}}'
"#;

#[test]
fn what_a_policy_asks_of_the_gate_is_read() {
    let policy = parse(GOOD).unwrap();
    assert_eq!(policy.gate.unmatched, Unmatched::Allow);
    assert_eq!(policy.gate.when_unreachable, WhenUnreachable::LocalShare);
    assert_eq!(policy.routes[1].methods, Methods::Any);
    assert_eq!((policy.limits[0].plans, policy.limits[1].per), (true, Per::AccountEndpoint));
    let written = toml::to_string(&policy).unwrap();
    assert_eq!(parse(&written), Ok(policy), "{written}");
}

#[test]
fn a_policy_of_earlier_versions_still_loads() {
    let old =
        r#"{"slug":"acme","name":"Acme","format":{"prefix":"ac_","body":"hex"},"headers":{"bearer":true}}"#;
    let policy: Policy = serde_json::from_str(old).unwrap();
    assert!(policy.routes.is_empty() && policy.limits.is_empty());
    assert_eq!(policy.gate.unmatched, Unmatched::Refuse);
    assert_eq!(policy.faults(), []);
}

#[test]
fn what_is_wrong_is_refused_with_its_line() {
    for (right, wrong, reason) in [
        ("unmatched = \"allow\"", "unmatched = \"perhaps\"", "unknown variant"),
        ("when-unreachable = \"local-share\"", "when-unreachable = \"allow\"", "unknown variant"),
        ("methods = [\"GET\"]", "methods = []", "routes[0].methods: is empty"),
        ("methods = [\"GET\"]", "methods = [\"get\"]", "capital letters"),
        ("methods = \"*\"", "methods = 1", "a list such as"),
        ("path = \"/calls/{id}\"", "path = \"calls\"", "routes[0].path: \"calls\" must begin with /"),
        ("path = \"/calls/{id}\"", "path = \"/calls/../x\"", ". or .."),
        ("scope = \"calls:read\"", "scope = \"calls:write\"", "not among the scopes"),
        ("endpoint = \"open\"", "endpoint = \"a b\"", "an endpoint's name"),
        ("endpoint = \"open\"", "endpoint = \"\"", "an endpoint's name"),
        ("per = \"key\"", "per = \"planet\"", "unknown variant"),
        ("requests = 60", "requests = 0", "limits[1].requests: must be at least 1"),
        ("seconds = 30", "seconds = 0", "1 to 2678400"),
        ("seconds = 30", "seconds = 99999999", "1 to 2678400"),
        ("plans = true", "plans = true\nrequests = 5", "leave requests and seconds out"),
        ("'{\"wait\":{retry-after}}'", "'{\"wait\":'", "answers.rate-limited: must be JSON"),
        ("'{\"error\":\"needs {scope}\"}'", "'{\"wait\":{retry-after}}'", "has no meaning in this answer"),
    ] {
        assert!(GOOD.contains(right), "{right}");
        let error = parse(&GOOD.replacen(right, wrong, 1)).unwrap_err();
        let line = GOOD[..GOOD.find(right).unwrap()].matches('\n').count() + 1;
        assert!((line..line + 2).contains(&error.line), "{wrong}: {error}");
        assert!(error.reason.contains(reason), "{wrong}: {error}");
    }
    for (from, to, reason) in [
        ("plans = true\n", "", "needs requests and seconds, or plans = true"),
        ("[[plans]]\nname = \"Small\"\nrequests-per-hour = 10\n", "", "there are no [[plans]]"),
        ("path = \"/open/**\"", "path = \"/calls/{id}\"", "never used"),
        ("per = \"account+endpoint\"", "per = \"key\"", "tighter one"),
    ] {
        let mut text = GOOD.replacen(from, to, 1);
        if reason == "never used" {
            text = text.replacen("methods = \"*\"", "methods = [\"GET\"]", 1);
        }
        if reason == "tighter one" {
            text = text.replacen("plans = true", "requests = 5\nseconds = 30", 1);
        }
        let error = parse(&text).unwrap_err();
        assert!(error.reason.contains(reason), "{to}: {error}");
    }
}

#[test]
fn every_preset_says_where_its_keys_may_go() {
    for policy in all_presets() {
        assert!(!policy.routes.is_empty(), "{}", policy.slug);
        assert_eq!(policy.gate.unmatched, Unmatched::Refuse, "{}", policy.slug);
        let unauthorized: serde_json::Value = serde_json::from_str(&policy.answers.unauthorized).unwrap();
        assert_eq!(unauthorized["error"]["code"], "unauthorized", "{}", policy.slug);
    }
    let check = preset("voxpria").unwrap().check.unwrap().url;
    assert!(check.ends_with("/api/v1/credits"), "the check call has a route, see there");
}
