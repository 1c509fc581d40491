use super::*;

fn link(url: &str, account: &str, key: &str) -> Option<String> {
    Help { replace_url: Some(url.into()), contact: None }.link(account, key)
}

const ID: &str = "019ab0c4-5a10-7c3e-8f21-0242ac120002";

#[test]
fn a_link_carries_the_slug_and_the_id_and_nothing_else() {
    let filled = link("https://app.example.com/{account}/keys?old={key}#new", "acme", ID);
    assert_eq!(filled.unwrap(), format!("https://app.example.com/acme/keys?old={ID}#new"));
    assert_eq!(link("https://a.example/keys", "acme", ID).unwrap(), "https://a.example/keys");
    assert_eq!(Help::default().link("acme", ID), None);
}

#[test]
fn what_fills_a_link_is_percent_encoded() {
    // No slug is like this; a database may be.
    let hostile = "a/../b?x=1#y&z \"'<>{key}\r\n\u{202E}é%";
    let filled = link("https://a.example/{account}/x", hostile, "k").unwrap();
    assert_eq!(
        filled,
        "https://a.example/a%2F..%2Fb%3Fx%3D1%23y%26z%20%22%27%3C%3E%7Bkey%7D%0D%0A%E2%80%AE%C3%A9%25/x"
    );
}

#[test]
fn a_link_that_is_no_web_address_is_refused_with_words() {
    for (url, why) in [
        ("", "must begin with https://"),
        ("app.example.com/keys", "must begin with https://"),
        ("ftp://app.example.com", "must begin with https://"),
        ("javascript:alert(1)", "must begin with https://"),
        ("http://app.example.com/keys", "must begin with https://"),
        ("http://localhost.evil.example/keys", "must begin with https://"),
        ("https://", "plain host"),
        ("https:///keys", "plain host"),
        ("https://ada@app.example.com/", "plain host"),
        ("https://app.example.com:8x/", "plain host"),
        ("https://müller.example/", "plain host"),
        ("https://{account}.example.com/", "after the first /"),
        ("https://a.example/{name}", "{name} is unknown: use"),
        ("https://a.example/{secret}", "{secret} is unknown: use"),
        ("https://a.example/{}", "{} is unknown: use"),
        ("https://a.example/{account", "an unmatched brace"),
        ("https://a.example/account}", "an unmatched brace"),
        ("https://a.example/a b", "plain characters"),
        ("https://a.example/\"", "plain characters"),
        ("https://a.example/é", "plain characters"),
        ("https://a.example/\r\nBcc: x", "U+000D"),
        ("https://a.example/\u{202E}", "U+202E"),
        (&format!("https://a.example/{}", "x".repeat(500)), "longer than 500"),
    ] {
        let fault = link_fault(url).unwrap_or_else(|| panic!("{url} passed"));
        assert!(fault.contains(why), "{url}: {fault}");
        assert_eq!(link(url, "acme", ID), None, "{url}");
    }
    for url in
        ["https://a.example", "https://a.example:8443/x?y={key}&z=%20", "http://localhost:3000/{account}"]
    {
        assert_eq!(link_fault(url), None, "{url}");
    }
}

#[test]
fn a_contact_is_one_bare_address() {
    for contact in ["keys@example.com", "key.desk+voice@mail.example.com", "hilfe@müller.example"] {
        let help = Help { contact: Some(contact.into()), ..Help::default() };
        assert_eq!((contact_fault(contact), help.address()), (None, Some(contact)), "{contact}");
    }
    for contact in [
        "",
        "keys",
        "keys@acme",
        " keys@example.com",
        "Keys <keys@example.com>",
        "a@example.com, b@example.com",
        "a@example.com?bcc=b@example.com",
        "a?subject=x@example.com",
        "keys@example.com\r\nBcc: eve@example.com",
        "ke\"ys@example.com",
        "keys@[192.0.2.1]",
        "keys@-x.example",
        "keys@.example.com",
        ".keys@example.com",
    ] {
        let help = Help { contact: Some(contact.into()), ..Help::default() };
        assert!(contact_fault(contact).is_some(), "{contact} passed");
        assert_eq!(help.address(), None, "{contact}");
    }
}
