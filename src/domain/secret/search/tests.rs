use std::sync::OnceLock;

use base64ct::{Base64, Encoding};
use proptest::prelude::*;

use super::*;
use crate::domain::issuer::policy_file::{all_presets, preset};

mod damaged;
mod encoded;
mod formers;
mod hidden;
mod spread;
mod streams;
mod words;

/// The search for all presets, and the one that looks everywhere.
fn finders() -> &'static [Finder; 2] {
    static BOTH: OnceLock<[Finder; 2]> = OnceLock::new();
    BOTH.get_or_init(|| [Finder::new(&all_presets()), Finder::everywhere(&all_presets())])
}

fn find(input: impl AsRef<[u8]>) -> Vec<Finding> {
    finders()[0].search(input.as_ref())
}

/// The secret is in the text, whole and alone, and the sieve lets through what the search that looks everywhere finds.
#[track_caller]
fn assert_whole(text: impl AsRef<[u8]>, secret: &str) {
    let text = text.as_ref();
    let found = find(text);
    let whole = found.iter().filter(|finding| finding.kind == Kind::Whole);
    let readings: Vec<&str> = whole.flat_map(|one| &one.readings).map(PlainKey::expose).collect();
    let shown = String::from_utf8_lossy(text);
    assert_eq!(readings, [secret], "{shown:.400} {found:?}");
    let [sieved, everywhere] = both(text);
    assert_eq!(sieved, everywhere, "{shown:.400}");
}

#[track_caller]
fn assert_not_whole(text: impl AsRef<[u8]>) {
    let text = text.as_ref();
    assert!(find(text).iter().all(|one| one.kind != Kind::Whole), "{:.400}", String::from_utf8_lossy(text));
}

/// A secret of an issuer whose prefix has two words, and one of an issuer whose prefix is short.
fn two() -> [String; 2] {
    [made("vg_pat_", Body::Hex, 0xa7), made("gw_", Body::Base62Checksum, 2)]
}

/// The kinds and likeliest readings.
fn told(input: impl AsRef<[u8]>) -> Vec<(Kind, String)> {
    let reading = |finding: &Finding| finding.readings.first().map(|one| one.expose().to_owned());
    find(input).iter().map(|finding| (finding.kind.clone(), reading(finding).unwrap_or_default())).collect()
}

fn made(prefix: &str, body: Body, seed: u8) -> String {
    PlainKey::make(prefix, body, &[seed; 32]).expose().to_owned()
}

fn base64(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

/// The forms that a secret is handed over in: each holds it once.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let (a, b) = secret.split_at(secret.len() / 2);
    let percent: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let spread: String = secret.chars().flat_map(|c| [c, '\u{200b}']).collect();
    let texts = [
        secret.to_owned(),
        format!("Authorization: Bearer {secret}"),
        format!("Authorization: Basic {}", base64(format!("user:{secret}").as_bytes())),
        format!("data:\n  token: {}\n", base64(secret.as_bytes())),
        format!("X-API-Key: {secret}\r\n"),
        format!("export KEY=\"{secret}\";"),
        format!("{{\"key\":\"{secret}\",\"n\":1}}"),
        format!("{{\"body\":\"{{\\\"key\\\":\\\"{}\\\"}}\"}}", secret.replace('_', "\\u005f")),
        format!("key: '{secret}'  # a comment"),
        format!("+KEY={secret}\n-KEY="),
        format!("curl -H 'Authorization: Bearer {secret}' https://x.example/v1"),
        format!("https://x.example/?k=%20{secret}&a=b#c"),
        format!("https://x.example/?k={}&a=b", secret.replace('_', "%5F")),
        percent,
        format!("“{secret}”, he said."),
        format!("({secret})."),
        format!("\u{feff}{secret}"),
        spread,
        format!("before\n\n{secret}\nafter_all\n"),
        format!("{a}\n{b}\n"),
        format!("{a}=\r\n{b}"),
        format!("{a}\\\n{b}"),
        format!("> {a}\n> {b}\n"),
        format!("+{a}\n+{b}\n"),
        format!("\"{a}\" +\n    \"{b}\""),
        format!("{a}\\n{b}"),
        format!("\u{1b}[31m{secret}\u{1b}[0m"),
        format!("{a}\u{1b}[01;31m\u{1b}[K{b}"),
        format!("\u{1b}]8;;x\u{7}{secret}"),
        format!("x{secret}"),
        secret.replace('_', "\\_"),
        secret.replace('_', "&#95;"),
        secret.replace('_', "=5F"),
        format!("{}{secret}", "no secret here, only words. ".repeat(4000)),
        format!("{secret}\n{secret}"),
    ];
    let mut forms: Vec<Vec<u8>> = texts.into_iter().map(String::into_bytes).collect();
    let wide = |bytes: fn(u16) -> [u8; 2]| secret.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    forms.push([vec![0xff, 0xfe], wide(u16::to_le_bytes)].concat());
    forms.push([vec![0xfe, 0xff], wide(u16::to_be_bytes)].concat());
    forms.push(base64(&wide(u16::to_le_bytes)).into_bytes());
    forms.push([secret.as_bytes(), b"\0\xff\n"].concat());
    forms
}

#[test]
fn every_form_of_every_issuer_holds_the_secret() {
    for policy in all_presets() {
        let secret = made(&policy.format.prefix, policy.format.body, 9);
        for form in forms(&secret) {
            let found = find(&form);
            let whole = found.iter().filter(|finding| finding.kind == Kind::Whole);
            let readings: Vec<&str> = whole.flat_map(|one| &one.readings).map(PlainKey::expose).collect();
            assert!(
                !readings.is_empty() && readings.iter().all(|one| *one == secret),
                "{} in {:?}",
                found.len(),
                String::from_utf8_lossy(&form[..form.len().min(200)])
            );
        }
    }
}

#[test]
fn several_are_found_in_order_and_damaged_ones_are_told() {
    let whole = made("vg_pat_", Body::Hex, 1);
    let other = made("gw_", Body::Base62Checksum, 2);
    let text = format!("a {whole} b {} c {other} d {other}x e gw_••••••••abcd f", &whole[..40]);
    assert_eq!(
        told(&text),
        [
            (Kind::Whole, whole.clone()),
            (Kind::Cut { found: 33, wanted: 64 }, String::new()),
            (Kind::Whole, other.clone()),
            (Kind::Whole, other.clone()),
            (Kind::Preview(Some("gw_••••••••abcd".into())), String::new()),
        ]
    );
    let swapped = format!("{}{}", &other[..20], &other[21..]);
    assert_eq!(told(&swapped)[0].0, Kind::Mistyped);
    let none_between = format!("{}{other}", &whole[..40]);
    assert_eq!(told(&none_between).last(), Some(&(Kind::Whole, other)));
}

#[test]
fn a_body_whose_prefix_is_missing_or_damaged_is_what_it_is() {
    let (hex, summed) = (made("vg_pat_", Body::Hex, 1), made("gw_", Body::Base62Checksum, 2));
    for damaged in ["", "pat_", "t_", "_", "vgpat_", "vg_part_", "v_pat_", "xg_pat_", "VG-PAT-"] {
        let found = find(format!("{damaged}{}", &hex[7..]));
        let found = found.last().unwrap_or_else(|| panic!("{damaged}"));
        assert_eq!(found.kind, Kind::Headless { sure: false }, "{damaged}");
        assert!(found.readings.iter().any(|one| one.expose() == hex), "{damaged}");
        assert!(found.sentence(None, "x.db").contains("cut off at its beginning"));
    }
    for damaged in ["", "w_", "g_", "hw_", "KEY=", "far_from_it_"] {
        let found = find(format!("{damaged}{}", &summed[3..]));
        assert_eq!(found[0].kind, Kind::Headless { sure: true }, "{damaged}");
        assert!(found[0].readings.iter().any(|one| one.expose() == summed), "{damaged}");
    }
    // The prefix of somebody else says whose it is; the database is asked all the same.
    let strange = find(format!("zzzzzz_{}", &hex[7..]));
    assert_eq!(strange[0].kind, Kind::Unknown);
    assert!(strange[0].readings.iter().any(|one| one.expose() == hex));
    assert_eq!(told("a".repeat(63)), []);
    assert_eq!(told("g".repeat(64)), []);
}

#[test]
fn places_count_lines_and_characters() {
    let secret = made("gw_", Body::Base62Checksum, 3);
    let found = find(format!("ключ\r\n\u{feff}  é: {secret}\n"));
    assert_eq!((found[0].line, found[0].column, found[0].alone), (2, 6, false));
    assert!(find(format!(" \u{feff}{secret}\n"))[0].alone);
    assert_eq!(find(format!("x-api-key: {secret}"))[0].header, Some((Carrier::ApiKey, false)));
    assert_eq!(find(format!("-H 'Authorization: bearer {secret}'"))[0].header, Some((Carrier::Bearer, true)));
}

#[test]
fn former_prefixes_and_those_of_nobody_are_known() {
    let mut policy = preset("voicegram").unwrap();
    policy.format.former_prefixes = vec!["old_".into()];
    let old = made("old_", Body::Hex, 1);
    assert_eq!(search(old.as_bytes(), [&policy])[0].kind, Kind::Whole);
    let strange = made("zz_", Body::Base62Checksum, 1);
    assert_eq!(told(&strange), [(Kind::Unknown, strange)]);
}

#[test]
fn what_is_somebody_elses_is_named() {
    let github = format!("ghp_{}", "a1".repeat(18));
    assert_eq!(find(format!("token={github}"))[0].kind, Kind::Foreign("GitHub token"));
    assert_eq!(find("AKIAIOSFODNN7EXAMPLE")[0].kind, Kind::Foreign("AWS access key id"));
}

#[test]
fn ordinary_text_is_left_alone() {
    for text in [
        "",
        "gw_name",
        "let gw_status_of_all_things = 1",
        "my-gw_aaaaaaaaaaaaaaaaaaaaaa",
        "vi_ vx_",
        "100% = \\ & \u{1b} \u{1b}[",
        "%E2%80",
        "&#x;&#;&;",
    ] {
        assert_eq!(told(text), [], "{text}");
    }
}

#[test]
fn long_input_takes_time_in_proportion() {
    let secret = made("vg_pat_", Body::Hex, 4);
    for filler in [
        "words and more of them, ",
        "_",
        "vg_pat_",
        "v\n\n\n\n",
        "%25",
        "\\",
        "a_",
        "YWJjZGVmZ2hpamts",
        "\u{1b}]",
    ] {
        let text = format!("{}\n{secret}", filler.repeat(2_000_000 / filler.len()));
        assert!(told(&text).iter().any(|(kind, _)| *kind == Kind::Whole), "{filler:?}");
    }
}

/// Bytes that a searcher stumbles over, more often than others.
fn noise() -> impl Strategy<Value = u8> {
    let odd = proptest::sample::select(&b"\x1b\x1b[]\\P;0m\x07\x9b\xc2\xe2\x80\xfc\xff=%&#\n\r"[..]);
    prop_oneof![odd, any::<u8>()]
}

proptest! {
    #[test]
    fn any_secret_is_found_in_any_text(entropy: [u8; 32], before in "\\PC{0,20}", after in "[^0-9A-Za-z_]\\PC{0,20}|") {
        for policy in all_presets() {
            let secret = PlainKey::make(&policy.format.prefix, policy.format.body, &entropy);
            let text = format!("{before}{}{after}", secret.expose());
            prop_assert!(find(&text).iter().any(|one| one.readings.contains(&secret)), "{}", text);
        }
    }

    #[test]
    fn no_input_breaks_it_or_hides_what_follows(bytes in proptest::collection::vec(noise(), 0..400), entropy: [u8; 32]) {
        let policy = &all_presets()[0];
        let secret = PlainKey::make(&policy.format.prefix, policy.format.body, &entropy);
        find(&bytes);
        let behind = [&bytes, &b" \n\n "[..], secret.expose().as_bytes()].concat();
        prop_assert!(find(&behind).iter().any(|one| one.readings.contains(&secret)));
        find([&b"vg_pat_%\\u&#=_"[..], &bytes].concat());
        find(base64(&bytes));
    }
}

/// What both ways of searching tell of a text.
fn both(text: &[u8]) -> [Vec<String>; 2] {
    finders().each_ref().map(|finder| {
        let told = |one: &Finding| {
            let readings: Vec<&str> = one.readings.iter().map(PlainKey::expose).collect();
            format!("{}:{} {:?} {:?} {readings:?}", one.line, one.column, one.kind, one.issuer)
        };
        finder.search(text).iter().map(told).collect()
    })
}

#[test]
fn the_sieve_lets_through_all_that_is_found_in_any_form() {
    for policy in all_presets() {
        let secret = made(&policy.format.prefix, policy.format.body, 9);
        let cut = &secret[..secret.len() - 9];
        for text in forms(&secret).into_iter().chain(forms(cut)).chain(forms(&secret.to_ascii_uppercase())) {
            let [sieved, everywhere] = both(&text);
            assert_eq!(sieved, everywhere, "{:?}", String::from_utf8_lossy(&text[..text.len().min(300)]));
            let twice = base64(&[b"data: ", &text[..], b" end"].concat());
            let [sieved, everywhere] = both(format!("x: {twice}\n").as_bytes());
            assert_eq!(sieved, everywhere, "{twice:.300}");
        }
    }
}

/// Pieces that texts with secrets are made of, put together at random.
fn pieces() -> impl Strategy<Value = String> {
    let secret = made("vg_pat_", Body::Hex, 7);
    let summed = made("gw_", Body::Base62Checksum, 8);
    let fixed = [
        "vg_pat_",
        "vg_",
        "gw_",
        "pat_",
        "_",
        "v",
        "g",
        "\n",
        "\r\n> ",
        "  ",
        "\\n",
        "%5F",
        "%255f",
        "\\u005f",
        "\\x5f",
        "&#95;",
        "&#x5F;",
        "&lowbar;",
        "=5F",
        "=\r\n",
        "\\_",
        "\\\\_",
        "%E2%80%8B",
        "\u{200b}",
        "\u{1b}[31m",
        "••••",
        "...",
        "****abcd",
        "ghp_",
        "eyJ",
        "0123456789abcdef",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "\0",
        "é",
        "%76",
        "\\u0067",
        "=67",
    ];
    let halves =
        [&secret[..20], &secret[20..], &summed[..9], &summed[9..], &secret, &summed].map(str::to_owned);
    let all: Vec<String> = fixed.into_iter().map(str::to_owned).chain(halves).collect();
    let piece = proptest::sample::select(all);
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn the_sieve_changes_nothing(text in pieces(), noise in proptest::collection::vec(noise(), 0..100), encode: u8) {
        let text = [text.as_bytes(), &noise].concat();
        let text = match encode % 4 {
            0 => base64(&text).into_bytes(),
            1 => base64(base64(&text).as_bytes()).into_bytes(),
            _ => text,
        };
        let [sieved, everywhere] = both(&text);
        prop_assert_eq!(sieved, everywhere);
    }
}
