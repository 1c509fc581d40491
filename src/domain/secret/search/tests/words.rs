use super::*;

#[test]
fn what_was_found_is_told_in_a_sentence() {
    let policy = preset("voicegram").unwrap();
    let [hex, _] = two();
    let token = |prefix: &str| format!("{prefix}{}", "a1b2".repeat(10));
    for (text, of_policy, of_nobody) in [
        (
            hex.clone(),
            "a Voicegram token by its format, not in this database (x.db)",
            "a secret by its format, not in this database (x.db)",
        ),
        (
            hex[..40].to_owned(),
            "a Voicegram token that is cut off: 33 characters after the prefix instead of 64",
            "a secret that is cut off: 33 characters after the prefix instead of 64",
        ),
        (
            format!("gw_{}", "a".repeat(49)),
            "a Voicegram token, but its checksum is wrong: a character is missing or mistyped",
            "a secret, but its checksum is wrong: a character is missing or mistyped",
        ),
        (
            format!("{hex}z"),
            "a Voicegram token, but with characters that don't belong there",
            "a secret, but with characters that don't belong there",
        ),
        (
            hex[7..].to_owned(),
            "a Voicegram token that is cut off at its beginning: its prefix is missing or damaged",
            "a secret that is cut off at its beginning: its prefix is missing or damaged",
        ),
        (
            "gw_••••abcd".into(),
            "a masked preview, not the secret itself",
            "a masked preview, not the secret itself",
        ),
        (
            token("AKIA"),
            "not one of ours: looks like an AWS access key id",
            "not one of ours: looks like an AWS access key id",
        ),
        (
            token("sk-"),
            "not one of ours: looks like an OpenAI key",
            "not one of ours: looks like an OpenAI key",
        ),
        (
            token("npm_"),
            "not one of ours: looks like an npm token",
            "not one of ours: looks like an npm token",
        ),
        (
            token("ghp_"),
            "not one of ours: looks like a GitHub token",
            "not one of ours: looks like a GitHub token",
        ),
        (
            token("NRAK-"),
            "not one of ours: looks like a New Relic key",
            "not one of ours: looks like a New Relic key",
        ),
        (
            token("zz_"),
            "not one of ours: no issuer in this database has its prefix",
            "not one of ours: no issuer in this database has its prefix",
        ),
    ] {
        let found = find(&text);
        assert_eq!(found[0].sentence(Some(&policy), "x.db"), of_policy, "{text}");
        assert_eq!(found[0].sentence(None, "x.db"), of_nobody, "{text}");
    }
}

#[test]
fn what_may_be_a_secret_of_ours_is_ours_and_no_preview() {
    let [hex, summed] = two();
    let token = |prefix: &str| format!("{prefix}{}", "a1b2".repeat(10));
    for (text, ours) in [
        (hex.clone(), true),
        (hex[..40].to_owned(), true),
        (format!("{hex}z"), true),
        (format!("gw_{}", "a".repeat(49)), true),
        (hex[7..].to_owned(), true),
        (summed[3..].to_owned(), true),
        ("gw_••••abcd".into(), false),
        ("zz_••••abcd".into(), false),
        (token("ghp_"), false),
        (token("zz_"), false),
    ] {
        assert_eq!(find(&text)[0].is_ours(), ours, "{text}");
    }
}
