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
