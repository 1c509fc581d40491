use super::*;

#[test]
fn kr_12_networks_and_creators_are_asked_for() {
    for (text, test) in [
        ("creator:gone", Test::CreatorGone(true, Vec::new())),
        ("creator:here", Test::CreatorGone(false, Vec::new())),
        ("network:any", Test::Anywhere(true)),
        ("network:set", Test::Anywhere(false)),
    ] {
        assert_eq!(only(text), test, "{text}");
        assert_eq!(parse(text).to_string(), text);
    }
    assert!(error("network:10.0.0.0/8").0.contains("write any or set"));
    let (anywhere, mut office) = (key(), key());
    office.allow = crate::domain::network::Networks::parse("203.0.113.0/24").unwrap();
    for (text, expected) in [("network:any", [true, false]), ("network:set", [false, true])] {
        assert_eq!([fits(text, &anywhere), fits(text, &office)], expected, "{text}");
    }
    let among = |text: &str, names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        parse(text).among(&names).matches(&key(), now())
    };
    assert!(among("creator:gone", &["bob"]) && !among("creator:gone", &["bob", "ada"]));
    assert!(among("creator:here", &["ada"]) && among("-creator:here", &[]));
}

#[test]
fn kr_17_when_a_key_was_revoked_is_asked_for() {
    let days = |n| Point::FromNow(Duration::days(n).into());
    assert_eq!(only("revoked:<7d"), Test::Revoked(Bound::After(days(-7))));
    assert_eq!(
        only("revoked:>2026-01-01"),
        Test::Revoked(Bound::After(Point::At(at("2026-01-01T23:59:59.999999Z"))))
    );
    let lives = key();
    let by_hand = Key { revoked_at: Some(now()), ..key() };
    let plan =
        crate::domain::key::PlannedEnd { at: now() - Duration::days(2), by: "ada".into(), reason: None };
    let by_plan = Key { planned: Some(plan), ..key() };
    for (text, expected) in [
        ("revoked:<1h", [false, true, false]),
        ("revoked:<3d", [false, true, true]),
        ("revoked:>1d", [false, false, true]),
        ("-revoked:<1h", [true, false, true]),
    ] {
        assert_eq!([&lives, &by_hand, &by_plan].map(|key| fits(text, key)), expected, "{text}");
        // Who asks when it was revoked asks for what has ended.
        assert!(parse(text).mentions_status());
    }
}
