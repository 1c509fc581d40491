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
        assert!(WebhookSettings::new(good, None).is_ok(), "{good}");
    }
    for bad in [
        "http://hooks.example/x",
        "http://127.0.0.1.example/",
        "http://localhost@hooks.example/",
        "https://ada:secret@hooks.example/",
        "ftp://x",
        "https://",
        "",
    ] {
        assert!(WebhookSettings::new(bad, None).is_err(), "{bad}");
    }
}

#[test]
fn settings_show_neither_secret_nor_address() {
    let secret = Some(Zeroizing::new("very secret".to_owned()));
    let shown = format!("{:?}", WebhookSettings::new("https://hooks.example/token", secret).unwrap());
    assert!(!shown.contains("secret") && !shown.contains("token"), "{shown}");
}
