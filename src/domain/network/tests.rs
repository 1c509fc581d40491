use super::*;

fn list(text: &str) -> Networks {
    Networks::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn the_network_of_all_addresses_holds_those_of_ipv4_too() {
    for text in ["::/0", "2001:db8::1/0", "203.0.113.0/24 ::/0"] {
        let all = list(text);
        for address in ["203.0.113.7", "198.51.100.1", "::ffff:198.51.100.1", "2001:db8::1", "::1"] {
            assert!(all.allows(ip(address)), "{text} {address}");
        }
    }
    let four = list("0.0.0.0/0");
    assert!(four.allows(ip("198.51.100.1")) && !four.allows(ip("2001:db8::1")));
    assert!(!list("2000::/3").allows(ip("198.51.100.1")));
}

#[test]
fn a_network_of_ipv4_in_the_spelling_of_ipv6_is_one_of_ipv4() {
    for (text, network) in [
        ("::ffff:203.0.113.7", "203.0.113.7/32"),
        ("::ffff:203.0.113.0/120", "203.0.113.0/24"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
        ("::ffff:10.1.2.3/104", "10.0.0.0/8"),
    ] {
        assert_eq!(list(text).to_string(), network, "{text}");
    }
}

#[test]
fn a_network_that_could_never_hold_what_it_seems_to_is_refused() {
    for text in ["::ffff:0:0/95", "::ffff:0:0/90", "::ffff:203.0.113.0/80", "::/8", "::/1"] {
        assert_eq!(parse_network(text), Err(NetworkError::Mapped(text.into())), "{text}");
    }
    for text in ["::/96", "64:ff9b::/96", "2001:db8::/32", "fe80::/10", "::1", "8000::/1"] {
        assert!(parse_network(text).is_ok(), "{text}");
    }
    assert_eq!(parse_network("203.0.113.0/33"), Err(NetworkError::Form("203.0.113.0/33".into())));
}
