use proptest::prelude::*;

use super::*;
use crate::domain::issuer::policy_file::preset;

fn line<'a>(method: &'a str, target: &'a str) -> RequestLine<'a> {
    RequestLine::new(method.as_bytes(), target.as_bytes()).unwrap_or_else(|fault| panic!("{target}: {fault}"))
}

fn fault(target: &str) -> Option<LineFault> {
    RequestLine::new(b"GET", target.as_bytes()).err()
}

#[test]
fn a_path_fits_its_pattern_segment_by_segment() {
    for (pattern, path, fits) in [
        ("/api/v1/calls", "/api/v1/calls", Fit::Yes),
        ("/api/v1/calls", "/api/v1/calls/", Fit::ButForSlash),
        ("/api/v1/calls/", "/api/v1/calls", Fit::ButForSlash),
        ("/api/v1/calls/", "/api/v1/calls/", Fit::Yes),
        ("/api/v1/calls", "/api/v1/Calls", Fit::ButForCase),
        ("/api/v1/calls", "/API/v1/CALLS/", Fit::ButForCase),
        ("/api/v1/calls/**", "/api/v1/Calls/7", Fit::ButForCase),
        ("/api/v1/calls/**", "/api/V1/calls", Fit::ButForCase),
        ("/api/v1/calls/{id}", "/api/v1/calls/Seven", Fit::Yes),
        ("/api/v1/calls/{id}", "/api/v1/callS/Seven", Fit::ButForCase),
        ("/api/v1/calls/{id}", "/api/v1/callS", Fit::No),
        ("/api/v1/calls", "/api/v1/calls2", Fit::No),
        ("/api/v1/calls", "/api/v1", Fit::No),
        ("/api/v1/calls/{id}", "/api/v1/calls/7", Fit::Yes),
        ("/api/v1/calls/{id}", "/api/v1/calls", Fit::No),
        ("/api/v1/calls/{id}", "/api/v1/calls/", Fit::No),
        ("/api/v1/calls/{id}", "/api/v1/calls/7/", Fit::ButForSlash),
        ("/api/v1/calls/{id}", "/api/v1/calls/7/end", Fit::No),
        ("/api/v1/calls/{id}/end", "/api/v1/calls/7/end", Fit::Yes),
        ("/api/v1/calls/**", "/api/v1/calls", Fit::Yes),
        ("/api/v1/calls/**", "/api/v1/calls/", Fit::Yes),
        ("/api/v1/calls/**", "/api/v1/calls/7/end", Fit::Yes),
        ("/api/v1/calls/**", "/api/v1/callsigns", Fit::No),
        ("/**", "/", Fit::Yes),
        ("/**", "/x/y", Fit::Yes),
        ("/", "/", Fit::Yes),
        ("/", "/x", Fit::No),
    ] {
        assert_eq!(fit(pattern, path), fits, "{pattern} {path}");
    }
}

#[test]
fn a_path_that_could_be_read_in_two_ways_is_refused() {
    use LineFault as F;
    for (target, expected) in [
        ("", F::NotAbsolute),
        ("*", F::NotAbsolute),
        ("http://host/api", F::NotAbsolute),
        ("?q", F::NotAbsolute),
        ("//host/api", F::EmptySegment),
        ("/api//v1", F::EmptySegment),
        ("/api/v1//", F::EmptySegment),
        ("/api/../admin", F::Dots),
        ("/api/..", F::Dots),
        ("/./api", F::Dots),
        ("/api/%2e%2e/admin", F::Hidden),
        ("/api/%2E", F::Hidden),
        ("/api%2fv1", F::Hidden),
        ("/api%5Cv1", F::Hidden),
        ("/api\\v1", F::Character),
        ("/api%00", F::Hidden),
        ("/api%0a", F::Hidden),
        ("/api%252fv1", F::Hidden),
        ("/api/%3bx", F::Hidden),
        ("/api;x=1/v1", F::Parameters),
        ("/api/..;/admin", F::Parameters),
        ("/api/%", F::Percent),
        ("/api/%4", F::Percent),
        ("/api/%zz", F::Percent),
        ("/api/%+1", F::Percent),
        ("/api/a b", F::Character),
        ("/api/\u{7}", F::Character),
        ("/api/é", F::Character),
        ("/api/%é", F::Character),
        ("/api/<x>", F::Character),
        ("/api/v1/calls#", F::Fragment),
        ("/api/v1/credits#/../calls", F::Fragment),
        ("/api/v1/credits?x#/../calls", F::Fragment),
        ("#", F::Fragment),
        ("/api/v1/credits%23/calls", F::Hidden),
        ("/api/v1/credits%3f/calls", F::Hidden),
        ("/api%7f", F::Hidden),
        ("/api%c2%85v1", F::Hidden),
        ("/api%2525", F::Hidden),
        ("/api/%c0%ae%c0%ae/calls", F::NotText),
        ("/api/%c0%afcalls", F::NotText),
        ("/api/%e0%80%ae", F::NotText),
        ("/api/%ff", F::NotText),
        ("/api/%c3", F::NotText),
        ("/api/%c3/%bc", F::NotText),
        ("/api/%ed%a0%80", F::NotText),
        ("/api/%u002e%u002e/calls", F::Percent),
        ("/api?q=a b", F::Character),
        ("/api?q=\u{1}", F::Character),
        ("/api?q=\u{7f}", F::Character),
        ("/api?q=a\r\nHost: x", F::Character),
    ] {
        assert_eq!(fault(target), Some(expected), "{target:?}");
    }
    assert_eq!(RequestLine::new(b"GET", b"/\xff").err(), Some(F::Character));
    assert_eq!(RequestLine::new(b"GET", b"/\0").err(), Some(F::Character));
    assert_eq!(fault(&format!("/{}", "a".repeat(TARGET_MAX))), Some(F::TooLong));
}

#[test]
fn a_method_is_written_in_capital_letters() {
    for method in ["get", "Get", "", "GET ", "GE\0T", "GÉT"] {
        assert_eq!(RequestLine::new(method.as_bytes(), b"/").err(), Some(LineFault::Method), "{method:?}");
    }
    assert!(RequestLine::new(b"VERSION-CONTROL", b"/").is_ok());
}

#[test]
fn spellings_of_one_path_are_one_path_and_the_query_is_none_of_it() {
    for (target, path) in [
        ("/api/v1/calls?scope=//../%2e", "/api/v1/calls"),
        ("/api/v1/calls?q=ü&r=%00%ff;\\", "/api/v1/calls"),
        ("/api/v1/calls??", "/api/v1/calls"),
        ("/api/v1/%63alls", "/api/v1/calls"),
        ("/api/v1/c%61ll%73", "/api/v1/calls"),
        ("/a/x%3Ay", "/a/x:y"),
        ("/a/x%20y%c3%a9", "/a/x%20y%C3%A9"),
        ("/a/%C3%BC", "/a/%C3%BC"),
        ("/a/%e2%82%ac%f0%9f%8e%b5", "/a/%E2%82%AC%F0%9F%8E%B5"),
        ("/a/...", "/a/..."),
        ("/a/.well-known", "/a/.well-known"),
    ] {
        assert_eq!(line("GET", target).path(), path, "{target}");
    }
}

#[test]
fn the_first_route_that_fits_decides_and_get_covers_head() {
    let policy = preset("voxpria").unwrap();
    for (method, path, scope) in [
        ("GET", "/api/v1/calls", Some("calls:read")),
        ("HEAD", "/api/v1/calls/7", Some("calls:read")),
        ("POST", "/api/v1/calls", Some("calls:write")),
        ("DELETE", "/api/v1/calls/7", Some("calls:write")),
        ("GET", "/api/v1/credits", Some("credits:read")),
        ("POST", "/api/v1/credits", None),
        ("GET", "/api/v1/analytics/calls", Some("analytics:read")),
        ("POST", "/api/v1/webhooks", Some("webhooks:write")),
        ("DELETE", "/api/v1/webhooks/7", Some("webhooks:manage")),
        ("PATCH", "/api/v1/webhooks/7", Some("webhooks:manage")),
        ("GET", "/api/v2/calls", None),
        ("OPTIONS", "/api/v1/calls", None),
    ] {
        let routed = match policy.route(&line(method, path)) {
            Routed::To(route) => route.scope.as_deref(),
            Routed::Nowhere => None,
            other @ (Routed::ButForSlash(_) | Routed::ButForCase(_) | Routed::Hidden) => {
                panic!("{method} {path}: {other:?}")
            }
        };
        assert_eq!(routed, scope, "{method} {path}");
    }
}

#[test]
fn a_slash_at_the_end_does_not_slip_past_a_route() {
    let mut policy = preset("voicegram").unwrap();
    policy.routes[0].path = "/api/v1/admin".into();
    let routed = policy.route(&line("GET", "/api/v1/admin/"));
    assert_eq!(routed, Routed::ButForSlash(&policy.routes[0]), "not the last route, which takes anything");
}

#[test]
fn letters_of_another_size_do_not_slip_past_a_route() {
    let mut policy = preset("voicegram").unwrap();
    policy.routes[0].path = "/api/v1/admin".into();
    for path in ["/api/v1/ADMIN", "/api/v1/%41dmin", "/api/v1/Admin/"] {
        let routed = policy.route(&line("GET", path));
        assert_eq!(routed, Routed::ButForCase(&policy.routes[0]), "not the last route, which takes anything");
    }
}

#[test]
fn vg_21_endpoints_of_the_seed_have_names_of_their_own() {
    let policy = preset("voicegram").unwrap();
    let endpoint = |path| match policy.route(&line("GET", path)) {
        Routed::To(route) => route.endpoint.as_str(),
        other => panic!("{path}: {other:?}"),
    };
    assert_eq!(endpoint("/api/v1/me"), "me");
    assert_eq!(endpoint("/api/v1/voicegrams/recent"), "voicegrams/recent");
    assert_eq!(endpoint("/api/v1/anything/else"), "other");
}

#[test]
fn patterns_are_checked() {
    for path in ["/", "/**", "/a/{id}", "/a/{call-id}/b/**", "/a/", "/v1/calls:end"] {
        assert_eq!(pattern_fault(path), None, "{path}");
    }
    for (path, reason) in [
        ("", "begin with /"),
        ("a", "begin with /"),
        ("/a//b", "empty segment"),
        ("/a/../b", ". or .."),
        ("/**/b", "before its end"),
        ("/a/{id", "whole segment"),
        ("/a/{}", "whole segment"),
        ("/a/{a b}", "whole segment"),
        ("/a/x{id}", "characters other than letters"),
        ("/a/*", "characters other than letters"),
        ("/a/%20", "characters other than letters"),
        ("/a b", "characters other than letters"),
    ] {
        assert!(
            pattern_fault(path).is_some_and(|fault| fault.contains(reason)),
            "{path}: {:?}",
            pattern_fault(path)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// A path made from a pattern fits it; an odd byte anywhere makes it another path or none.
    #[test]
    fn a_path_made_from_a_pattern_fits_it(
        pieces in prop::collection::vec(prop_oneof![
            "[a-z0-9][a-z0-9._~:@-]{0,6}".prop_map(|text| (text.clone(), text)),
            "[A-Za-z0-9_-]{1,6}".prop_map(|text| ("{id}".to_owned(), text)),
        ], 1..6),
        open in any::<bool>(),
        more in prop::collection::vec("[a-z]{1,3}", 0..3),
    ) {
        let pattern: String = pieces.iter().map(|(piece, _)| format!("/{piece}")).collect();
        let mut path: String = pieces.iter().map(|(_, segment)| format!("/{segment}")).collect();
        let pattern = if open { pattern + "/**" } else { pattern };
        prop_assert_eq!(pattern_fault(&pattern), None);
        prop_assert_eq!(fit(&pattern, &path), Fit::Yes);
        path.extend(more.iter().map(|segment| format!("/{segment}")));
        prop_assert_eq!(fit(&pattern, &path), if open || more.is_empty() { Fit::Yes } else { Fit::No });
        // However its letters are encoded, it is the same path.
        let encoded: String = path.bytes().map(|b| {
            if b.is_ascii_alphanumeric() && b % 3 == 0 { format!("%{b:02x}") } else { char::from(b).to_string() }
        }).collect();
        let line = RequestLine::new(b"GET", encoded.as_bytes()).unwrap();
        prop_assert_eq!(line.path(), path);
    }

    /// Whatever bytes come, nothing panics, and what is taken is the same when it is read again.
    #[test]
    fn what_is_taken_is_in_one_spelling(target in prop::collection::vec(prop_oneof![
        4 => prop::sample::select(b"/%.;2eEfF5cC\\?#aZ0".to_vec()), 1 => any::<u8>(),
    ], 0..40)) {
        if let Ok(line) = RequestLine::new(b"GET", &target) {
            let path = line.path().to_owned();
            prop_assert!(!path.contains("//") && !path.split('/').any(|s| s == "." || s == ".."));
            let again = RequestLine::new(b"GET", path.as_bytes()).unwrap();
            prop_assert_eq!(again.path(), &path);
        }
    }
}

#[test]
fn an_encoded_slash_passes_where_its_route_takes_it_and_nowhere_else() {
    let mut policy = preset("voxpria").unwrap();
    let route = |path: &str, encoded: &[char]| Route {
        methods: Methods::Any,
        path: path.into(),
        scope: None,
        endpoint: path.trim_matches('/').replace(['{', '}', '*'], "x"),
        encoded: encoded.to_vec(),
    };
    policy.routes = vec![
        route("/projects/{id}", &['/', '#']),
        route("/files/**", &['/']),
        route("/plain/{id}", &[]),
        route("/projects/{id}/raw", &[]),
    ];
    let to = |target: &str| {
        let line = RequestLine::read(b"GET", target.as_bytes()).ok()?;
        match policy.route(&line) {
            Routed::To(route) => Some(route.path.clone()),
            other => Some(format!("{other:?}").split('(').next().unwrap_or_default().to_owned()),
        }
    };
    for (target, found) in [
        ("/projects/group%2Fproject", Some("/projects/{id}")),
        ("/projects/group%2fproject%23one", Some("/projects/{id}")),
        ("/projects/a/b", Some("Nowhere")),
        ("/files/a%2Fb/c", Some("/files/**")),
        ("/files/a%23b", Some("Hidden")),
        ("/plain/a%2Fb", Some("Hidden")),
        ("/plain/a", Some("/plain/{id}")),
        ("/projects/a%2Fb/raw", Some("Hidden")),
        ("/elsewhere/a%2Fb", Some("Hidden")),
        ("/projects%2Fa", Some("Hidden")),
        // Whatever the switch says, there is no way up, and no second reading.
        ("/projects/a%2F..%2Fb", None),
        ("/projects/..%2Fb", None),
        ("/projects/%2F%2Fb", None),
        ("/projects/a%2F.", None),
        ("/projects/a%252Fb", None),
        ("/projects/a%5Cb", None),
        ("/projects/a%3Bb", None),
        ("/projects/a%2Eb", None),
    ] {
        assert_eq!(to(target).as_deref(), found, "{target}");
        assert!(
            !target.contains("%2") || fault(target).is_some(),
            "{target}: refused where no route is asked"
        );
    }
    for (encoded, path) in [(vec!['%'], "/a/{id}"), (vec!['/', '/'], "/a/{id}"), (vec!['/'], "/a/b")] {
        policy.routes = vec![route(path, &encoded)];
        let faults = policy.faults();
        assert!(format!("{faults:?}").contains("encoded"), "{encoded:?} {path}: {faults:?}");
    }
}
