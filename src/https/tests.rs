use super::*;

#[test]
fn a_signature_is_the_hmac_of_timestamp_and_body() {
    // printf '1790000000.{}' | openssl dgst -sha256 -hmac 'a secret of some length'
    let expected = "3b0b30bd50a90f5c254e17d655edbc377c22e76820db09a24752c73b4bf45a7c";
    assert_eq!(signature("a secret of some length", 1_790_000_000, "{}"), format!("v1={expected}"));
    assert_ne!(signature("a secret of some length", 1_790_000_001, "{}"), format!("v1={expected}"));
}

#[test]
fn alerts_leave_this_machine_encrypted_or_not_at_all() {
    for good in ["https://hooks.example/x", "http://127.0.0.1:9/x", "http://localhost:9", "http://[::1]:9/"] {
        assert!(Receiver::new(good, None).is_ok(), "{good}");
    }
    for (bad, why) in [
        ("http://hooks.example/x", UrlError::Scheme),
        ("http://127.0.0.1.example/", UrlError::Scheme),
        ("http://localhost@hooks.example/", UrlError::Credentials),
        ("https://ada:secret@hooks.example/", UrlError::Credentials),
        ("ftp://x", UrlError::Scheme),
    ] {
        assert_eq!(Receiver::new(bad, None).err(), Some(why), "{bad}");
    }
}

#[test]
fn what_is_no_url_is_refused_before_the_first_alert() {
    for good in
        ["https://hooks.example", "https://hooks.example:8443/a%20b?c=d", "https://[2001:db8::1]:8443/"]
    {
        assert!(Receiver::new(good, None).is_ok(), "{good}");
    }
    for bad in [
        "",
        "https://",
        "https:///x",
        "hooks.example/x",
        "/x",
        "http://localhost:9/x y",
        "https://hooks.example/x\n",
        "https://hooks.example/\u{fc}",
        "https://hooks .example/",
        "https://hooks.example:/",
        "https://hooks.example:0/",
        "https://hooks.example:99999/",
        "https://:8443/",
        "http://localhost:9/x\u{7f}",
    ] {
        assert_eq!(Receiver::new(bad, None).err(), Some(UrlError::Form), "{bad:?}");
    }
}

#[test]
fn settings_show_neither_secret_nor_address() {
    let secret = Some(Zeroizing::new("very secret".to_owned()));
    let shown = format!("{:?}", Receiver::new("https://hooks.example/token", secret).unwrap());
    assert!(!shown.contains("secret") && !shown.contains("token"), "{shown}");
}
