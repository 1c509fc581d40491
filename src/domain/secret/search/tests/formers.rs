use super::*;
use crate::domain::issuer::{Former, Hashing};

#[test]
fn kr_15_former_forms_are_found_within_a_text_and_told_with_what_stands_there() {
    let mut policy = preset("voxpria").unwrap();
    let text = "token=sk_live_0123456789abcdef0123, commit 0123456789abcdef0123456789abcdef01234567. x.y_AbCdEfGhIjKlMnOp-";
    assert!(search(text.as_bytes(), [&policy]).iter().all(|finding| finding.readings.is_empty()));
    policy.format.former = vec![
        form("sk_live_", None, Hashing::Sha256),
        form("", Some(40), Hashing::Sanctum),
        form("y_", Some(18), Hashing::Sha512),
    ];
    let found = search(text.as_bytes(), [&policy]);
    let told: Vec<_> =
        found.iter().map(|one| (one.column, one.kind.clone(), one.readings[0].expose().to_owned())).collect();
    assert_eq!(
        told,
        [
            (7, Kind::Foreign("Stripe key"), "sk_live_0123456789abcdef0123".to_owned()),
            (44, Kind::Former, "0123456789abcdef0123456789abcdef01234567".into()),
            (88, Kind::Former, "y_AbCdEfGhIjKlMnOp".into()),
        ]
    );
    // Longer or shorter is something else, and a whole key of ours stays one.
    assert!(search(b"0123456789abcdef0123456789abcdef0123456", [&policy]).is_empty());
    let own = PlainKey::make(&policy.format.prefix, policy.format.body, &[7; 32]);
    let found = search(own.expose().as_bytes(), [&policy]);
    assert!(found.len() == 1 && found[0].kind == Kind::Whole && found[0].readings.len() == 1);
}

fn form(prefix: &str, length: impl Into<Option<u16>>, hash: Hashing) -> Former {
    Former { prefix: prefix.into(), length: length.into(), hash }
}

/// What is told of a text by a policy with these former forms: columns, kinds and readings.
fn told_by(former: &[Former], text: &str) -> Vec<(usize, Kind, Vec<String>)> {
    let mut policy = preset("voxpria").unwrap();
    policy.format.former = former.to_vec();
    let told = |one: Finding| {
        (one.column, one.kind, one.readings.iter().map(|reading| reading.expose().to_owned()).collect())
    };
    search(text.as_bytes(), [&policy]).into_iter().map(told).collect()
}

#[track_caller]
fn assert_former(former: &[Former], text: &str, column: usize, key: &str) {
    assert_eq!(told_by(former, text), [(column, Kind::Former, vec![key.to_owned()])], "{text}");
}

#[test]
fn a_former_key_with_a_prefix_is_found_whatever_it_is_made_of() {
    for key in ["y_AbCdEfGhIjKlMnOp", "y_AbCdEfGh-jKlMn_p", "y_AbCd.fGh-jKlMn_p"] {
        for former in [form("y_", 18, Hashing::Sha256), form("y_", None, Hashing::Sha256)] {
            let former = [former];
            for (before, behind) in [
                ("", ""),
                ("key=", ";"),
                ("(", ")"),
                ("\"", "\""),
                ("é ", "é"),
                ("see ", "."),
                ("- ", ".-_ "),
            ] {
                let column = before.chars().count() + 1;
                let told = told_by(&former, &format!("{before}{key}{behind}"));
                let whole = (column, Kind::Former, vec![key.to_owned()]);
                assert!(
                    told.contains(&whole) || told[0].2.contains(&whole.2[0]),
                    "{before}{key}{behind}: {told:?}"
                );
            }
        }
    }
}

#[test]
fn a_former_key_of_a_length_ends_there_also_before_a_dash() {
    let former = [form("y_", 18, Hashing::Sha256)];
    for behind in ["-more", ".more", "_more", "-", "/more"] {
        assert_former(&former, &format!("see y_AbCdEfGh-jKlMnOp{behind}"), 5, "y_AbCdEfGh-jKlMnOp");
    }
    // Longer is something else, and so is what stands within a word.
    for text in [
        "y_AbCdEfGh-jKlMnOpQ",
        "y_AbCdEfGh-jKlMnO",
        "xy_AbCdEfGh-jKlMnOp",
        "0y_AbCdEfGh-jKlMnOp",
        "y_AbCdEfGh-jKlMnO\u{e9}",
    ] {
        assert_eq!(told_by(&former, text), [], "{text}");
    }
}

#[test]
fn a_former_key_without_a_prefix_is_found_by_its_length_whatever_it_is_made_of() {
    for key in
        ["0123456789abcdefABCD", "01234-6789_bcdefABCD", "01234.6789-bcdefA_CD", "-1234.6789-bcdefA_C_"]
    {
        let former = [form("", 20, Hashing::Sha256), form("", 200, Hashing::Sha256)];
        for (before, behind) in [("", ""), ("key=", ";"), ("é ", "é"), ("\"", "\"")] {
            assert_former(&former, &format!("{before}{key}{behind}"), before.chars().count() + 1, key);
        }
        for text in [format!("{key}x"), format!("x{key}"), key[1..].to_owned()] {
            assert!(told_by(&former, &text).iter().all(|(.., readings)| readings[0] != key), "{text}");
        }
    }
}

#[test]
fn a_full_stop_or_a_dash_beside_a_former_key_is_no_part_of_it() {
    let former = [form("", 20, Hashing::Sha256)];
    for key in ["01234.6789-bcdefA0CD", "01234-6789_bcdefABCD", "0123456789abcdefABCD"] {
        for (before, behind) in [("", "."), ("", "..."), ("-", ""), ("--", "--"), ("_", "_."), ("...", ".")] {
            assert_former(&former, &format!("see {before}{key}{behind}"), 5 + before.len(), key);
        }
    }
    assert_eq!(told_by(&former, &".".repeat(40)), []);
    // Nor is the ending of a file that has its name.
    assert_former(&former, "open 01234-6789_bcdefABCD.json", 6, "01234-6789_bcdefABCD");
}

#[test]
fn a_former_key_is_told_with_what_it_touches_and_with_nothing_beside_it() {
    let key = "y_AbCdEfGhIjKlMnOp";
    let former = [form("y_", 18, Hashing::Sha256)];
    let own = made("vx_", Body::Base62Checksum, 3);
    let escaped = format!("%76{}", &own[1..]);
    assert_eq!(
        told_by(&former, &format!("{key}{escaped}")),
        [(1, Kind::Former, vec![key.to_owned()]), (19, Kind::Whole, vec![own.clone()])]
    );
    assert_eq!(
        told_by(&former, &format!("{own} {key} {own}")),
        [
            (1, Kind::Whole, vec![own.clone()]),
            (own.len() + 2, Kind::Former, vec![key.to_owned()]),
            (own.len() + 21, Kind::Whole, vec![own.clone()]),
        ]
    );
}

#[test]
fn a_whole_secret_of_ours_is_no_former_key() {
    let own = made("vx_", Body::Base62Checksum, 3);
    let length = u16::try_from(own.len()).unwrap();
    let whole = [(1, Kind::Whole, vec![own.clone()])];
    assert_eq!(
        told_by(&[form("", length, Hashing::Sha256), form("vx_", length, Hashing::Sha256)], &own),
        whole
    );
}

#[test]
fn kr_15_former_keys_are_found_in_base64_however_short_they_are() {
    for (former, key) in [
        (form("", 40, Hashing::Sanctum), "abcdefabcdefabcdefabcdefabcdefabcdefabcd"),
        (form("", 24, Hashing::Sanctum), "AbCdEfGhIjKlMnOpQsTuVwXy"),
        (form("", 16, Hashing::Sha256), "AbCdEfGhIjKlMnOp"),
        (form("k-", None, Hashing::Sha256), "k-CdEfGhIjKlMnOp"),
        (form("sk_live_", None, Hashing::Sha256), "sk_live_0123456789abcdef0123"),
    ] {
        let key = key.to_owned();
        for inner in [
            key.clone(),
            format!("user:{key}"),
            format!("\u{200b}{key} and more words than a secret has letters, so that it is long"),
        ] {
            let text = format!("token: {}\n", base64(inner.as_bytes()));
            let told = told_by(std::slice::from_ref(&former), &text);
            assert!(told.iter().any(|(.., readings)| readings.contains(&key)), "{text}: {told:?}");
        }
    }
}

#[test]
fn kr_15_the_letters_of_an_escape_are_no_part_of_a_former_key() {
    for (former, key) in [
        (form("", 40, Hashing::Sanctum), "AbCdEfGhIjAbCdEfGhIjAbCdEfGhIjAbCdEfGhIj"),
        (form("", 20, Hashing::Sha256), "01234-6789_bcdefABCD"),
        (form("qk_", None, Hashing::Sha256), "qk_0123456789abcdef0123"),
    ] {
        let former = [former];
        for before in [
            "1%7C", "k=%22", "%2520", "\\n", "a\\n", "\\\\t", "\\u007c", "\\u007C", "\\x22", "k=3D",
            "&#124;", "&#x7c;", "é%20",
        ] {
            let text = format!("{before}{key} and more");
            assert_former(&former, &text, before.chars().count() + 1, key);
        }
        for before in ["a", "7C", "n", "u007c", "%417C"] {
            assert!(
                told_by(&former, &format!("{before}{key}")).iter().all(|one| one.2 != [key]),
                "{before}{key}"
            );
        }
    }
}
