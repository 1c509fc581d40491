use super::*;

#[test]
fn base64_is_that_of_rfc_4648() {
    for (plain, coded) in [
        ("", ""),
        ("f", "Zg=="),
        ("fo", "Zm8="),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
        ("\0ada\0hünter2?>", "AGFkYQBow7xudGVyMj8+"),
    ] {
        assert_eq!(*base64(plain.as_bytes()), coded);
    }
}

#[test]
fn what_the_server_says_is_told_without_the_password() {
    let reply = |text: &str| Reply { code: 535, lines: vec![text.into()] };
    assert_eq!(
        without(&reply("5.7.8 bad password 'hunter2', ada"), &["hunter2"]),
        "535 5.7.8 bad password … ada"
    );
    assert_eq!(without(&reply("unknown: AUTH PLAIN AGFk"), &["x2", "AGFk"]), "535 unknown: AUTH PLAIN …");
    assert_eq!(without(&reply("not 'a b' please"), &["a b"]), "535");
}
