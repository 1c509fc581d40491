use super::*;

fn kinds(input: impl AsRef<[u8]>) -> Vec<Kind> {
    let input = input.as_ref();
    let [sieved, everywhere] = both(input);
    assert_eq!(sieved, everywhere, "{}", String::from_utf8_lossy(input));
    find(input).into_iter().map(|one| one.kind).collect()
}

/// A body of so many characters that is none.
fn letters(length: usize) -> String {
    "Zq9".chars().cycle().take(length).collect()
}

#[test]
fn a_secret_that_is_cut_off_is_told_from_sixteen_characters_on() {
    for (secret, (prefix, wanted)) in two().into_iter().zip([(7, 64), (3, 49)]) {
        for behind in ["", " x", "\n", "\"", "\n\nnext", "; "] {
            for found in [16, 17, 31, 32, 39, 40, 41, 47] {
                let text = format!("see {}{behind}", &secret[..prefix + found]);
                assert_eq!(kinds(&text), [Kind::Cut { found, wanted }], "{text}");
            }
            assert_eq!(kinds(format!("see {}{behind}", &secret[..prefix + 15])), [], "{behind:?}");
        }
    }
}

#[test]
fn a_cut_secret_within_a_word_is_told_from_thirty_two_characters_on() {
    for (prefix, wanted) in [("vg_pat_", 64), ("gw_", 49)] {
        for word in ["my-", "my_", "x"] {
            assert_eq!(kinds(format!("{word}{prefix}{}", letters(31))), [], "{word}");
            let cut = kinds(format!("{word}{prefix}{}", letters(32)));
            assert_eq!(cut, [Kind::Cut { found: 32, wanted }], "{word}");
        }
    }
}

#[test]
fn a_body_with_a_checksum_is_mistyped_within_one_character_of_its_length() {
    for (length, kind) in [
        (47, Kind::Cut { found: 47, wanted: 49 }),
        (48, Kind::Mistyped),
        (49, Kind::Mistyped),
        (50, Kind::Mistyped),
        (51, Kind::Altered),
    ] {
        assert_eq!(kinds(format!("gw_{}", letters(length))), [kind], "{length}");
    }
}

#[test]
fn a_hexadecimal_body_of_its_length_or_longer_is_altered() {
    let [secret, _] = two();
    for text in [format!("{}z", &secret[..secret.len() - 1]), format!("{secret}0"), format!("{secret}z")] {
        assert_eq!(kinds(&text), [Kind::Altered], "{text}");
    }
    assert_eq!(kinds(&secret[..secret.len() - 1]), [Kind::Cut { found: 63, wanted: 64 }]);
    // It may be the secret and a letter; the database knows.
    let found = find(format!("{secret}0"));
    let readings: Vec<&str> = found[0].readings.iter().map(PlainKey::expose).collect();
    assert_eq!(readings, [secret]);
}

#[test]
fn what_is_damaged_hides_no_whole_secret_within_it() {
    let [hex, summed] = two();
    for secret in [&hex, &summed] {
        for before in ["gw_", "vg_pat_"] {
            for length in [0, 5, 16, 40] {
                let found = kinds(format!("{before}{}{secret}", letters(length)));
                assert_eq!(found.last(), Some(&Kind::Whole), "{before} {length}");
            }
        }
    }
}

#[test]
fn a_preview_is_three_dots_with_eight_characters_about_them_at_most() {
    let shown = |text: &str| Kind::Preview(Some(text.into()));
    for (text, kind) in [
        ("gw_...abcd", shown("gw_••••••••abcd")),
        ("gw_***abcd", shown("gw_••••••••abcd")),
        ("gw_…abcd", shown("gw_••••••••abcd")),
        ("gw_··•abcd", shown("gw_••••••••abcd")),
        ("gw_abcdefgh●●●efghwxyz", shown("gw_••••••••wxyz")),
        ("vg_pat_••••••••wxyz", shown("vg_pat_••••••••wxyz")),
        ("gw_•••abc", Kind::Preview(None)),
        ("gw_•••", Kind::Preview(None)),
        ("zz_••••abcd", shown("zz_••••••••abcd")),
        ("zz_ab••••abcd", shown("zz_••••••••abcd")),
        ("zz_abcdefgh...efghabcd", shown("zz_••••••••abcd")),
    ] {
        assert_eq!(kinds(text), std::slice::from_ref(&kind), "{text}");
        assert_eq!(kinds(format!("it is {text} and no more")), [kind], "{text}");
    }
    for text in [
        "gw_..abcd",
        "gw_abcdefghi...wxyz",
        "gw_...abcdefghi",
        "zz_..abcd",
        "zz_•••abc",
        "_•••abcd",
        "zz_abcdefghi...abcd",
    ] {
        assert_eq!(kinds(text), [], "{text}");
    }
}

#[test]
fn a_preview_hides_nothing_that_follows() {
    let [secret, _] = two();
    let preview = || Kind::Preview(Some("gw_••••••••abcd".into()));
    let token = format!("ghp_{}", "a1".repeat(18));
    assert_eq!(kinds(format!("see gw_••••abcd {token}")), [preview(), Kind::Foreign("GitHub token")]);
    assert_eq!(kinds(format!("see gw_••••abcd {secret}")), [preview(), Kind::Whole]);
    let strange = Kind::Preview(Some("zz_••••••••abcd".into()));
    assert_eq!(kinds(format!("see zz_••••abcd {token}")), [strange, Kind::Foreign("GitHub token")]);
}

#[test]
fn a_providers_token_is_told_from_its_least_length_on_and_within_no_word() {
    for (prefix, least, provider) in [
        ("AKIA", 16, "AWS access key id"),
        ("ya29.", 30, "Google access token"),
        ("ghp_", 30, "GitHub token"),
        ("github_pat_", 40, "GitHub token"),
        ("glpat-", 18, "GitLab token"),
        ("glpat-_", 17, "GitLab token"),
        ("glpat--", 17, "GitLab token"),
        ("sk-ant-", 20, "Anthropic key"),
        ("sk-", 32, "OpenAI key"),
        ("sk_live_", 20, "Stripe key"),
        ("eyJ", 40, "JSON Web Token"),
    ] {
        let token = |length| format!("{prefix}{}", letters(length));
        assert_eq!(kinds(token(least)), [Kind::Foreign(provider)], "{prefix}");
        assert_eq!(kinds(format!("a, {};", token(least))), [Kind::Foreign(provider)], "{prefix}");
        assert_eq!(kinds(token(least - 1)), [], "{prefix}");
        for word in ["x", "x-", "é"] {
            let found = kinds(format!("{word}{}", token(least)));
            assert!(!found.contains(&Kind::Foreign(provider)), "{word}{prefix}");
        }
    }
}

#[test]
fn the_letters_of_an_escape_are_no_part_of_a_word() {
    let [secret, _] = two();
    let token = format!("ghp_{}", letters(30));
    for escape in
        ["%20", "%22", "%2520", "\\n", "\\t", "\\\\n", "\\u0022", "\\x22", "=20", "&#34;", "&#x22;", "\\\""]
    {
        let text = format!("one{escape}{token}");
        assert_eq!(kinds(&text), [Kind::Foreign("GitHub token")], "{text}");
        let text = format!("one{escape}{}", &secret[..30]);
        assert_eq!(kinds(&text), [Kind::Cut { found: 23, wanted: 64 }], "{text}");
    }
    // A letter that is escaped is one.
    for escape in ["%61", "\\u0061", "\\x61", "u0022", "20", "n"] {
        assert!(!kinds(format!("one{escape}{token}")).contains(&Kind::Foreign("GitHub token")), "{escape}");
    }
}

#[test]
fn a_prefix_of_nobody_is_told_with_a_body_of_forty_characters() {
    assert_eq!(kinds(format!("zz_{}", letters(39))), []);
    assert_eq!(kinds(format!("zz_{}", letters(40))), [Kind::Unknown]);
    assert_eq!(kinds(format!("_{}", letters(40))), []);
    assert_eq!(kinds(format!("ZZ_{}", letters(40))), []);
    // No policy has a longer prefix than 24 characters.
    let body = &two()[0][7..];
    let found = find(format!("{}_{body}", "z".repeat(30)));
    let readings: Vec<&str> = found[0].readings.iter().map(PlainKey::expose).collect();
    assert_eq!((found.len(), found[0].column, &found[0].kind), (1, 8, &Kind::Unknown));
    assert_eq!(readings, [format!("{}_{body}", "z".repeat(23)), format!("vg_pat_{body}")]);
}

#[test]
fn a_damaged_prefix_is_near_within_one_letter_or_two_of_a_longer_one() {
    let mut policy = preset("voicegram").unwrap();
    let body = &two()[0][7..];
    for (prefix, near, far) in [
        ("ab_", &["ax_", "b_", "ba_"][..], &["xx_", "xbxa_"][..]),
        ("abc_", &["abx_", "bc_", "c_", "acb_"], &["axx_", "xxbc_"]),
        ("abcd_", &["abxx_", "bcd_", "d_", "axxd_"], &["axxx_", "xxxcd_"]),
    ] {
        policy.format.prefix = prefix.into();
        for damaged in near {
            let found = search(format!("{damaged}{body}").as_bytes(), [&policy]);
            assert_eq!(found[0].kind, Kind::Headless { sure: false }, "{damaged} for {prefix}");
            assert_eq!(found[0].issuer, Some(0), "{damaged} for {prefix}");
        }
        for strange in far {
            let found = search(format!("{strange}{body}").as_bytes(), [&policy]);
            assert_eq!(found[0].kind, Kind::Unknown, "{strange} for {prefix}");
        }
    }
}

#[test]
fn a_stray_letter_that_makes_another_prefix_hides_no_secret() {
    let policies = ["gw_", "xgw_"].map(|prefix| {
        let mut policy = preset("vozagent").unwrap();
        policy.format.prefix = prefix.into();
        policy
    });
    let [_, secret] = two();
    let found = search(format!("x{secret}").as_bytes(), &policies);
    assert!(
        found.iter().any(|one| one.readings.iter().any(|reading| reading.expose() == secret)),
        "{found:?}"
    );
}

#[test]
fn a_body_alone_that_fits_two_issuers_is_neithers() {
    let mut other = preset("voicegram").unwrap();
    other.format.prefix = "ot_pat_".into();
    let policies = [preset("voicegram").unwrap(), other];
    let body = &two()[0][7..];
    let found = search(body.as_bytes(), &policies);
    let readings: Vec<&str> = found[0].readings.iter().map(PlainKey::expose).collect();
    assert_eq!((found.len(), found[0].issuer), (1, None));
    assert_eq!(readings, [format!("vg_pat_{body}"), format!("ot_pat_{body}")]);
}

#[test]
fn a_body_alone_is_found_anywhere_but_within_a_word() {
    for (secret, (prefix, sure)) in two().into_iter().zip([(7, false), (3, true)]) {
        let body = &secret[prefix..];
        for before in ["", "KEY=", "path/to/", "to-", "a+b/c-", "\"", "see https://x.example/v1/"] {
            for behind in ["", " ", "-x", "/x", "\"", "."] {
                let text = format!("{before}{body}{behind}");
                assert_eq!(kinds(&text), [Kind::Headless { sure }], "{text}");
            }
        }
        for (before, behind) in [("", "_name"), ("x", ""), ("", "x"), ("", "0")] {
            let text = format!("{before}{body}{behind}");
            assert_eq!(kinds(&text), [], "{text}");
        }
    }
}
