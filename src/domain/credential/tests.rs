use super::*;
use crate::domain::issuer::policy_file::{all_presets, preset};
use crate::domain::issuer::{Former, Hashing};
use crate::domain::secret::PlainKey;

mod oracle;

fn directory() -> Directory {
    Directory::new(all_presets().into_iter().map(Arc::new))
}

/// A secret of a preset; `n` makes different ones.
fn secret(slug: &str, n: u8) -> String {
    let format = preset(slug).unwrap().format;
    PlainKey::make(&format.prefix, format.body, &[n; 32]).expose().to_owned()
}

/// Slug and carrier of what was read, or slug of the deciding policy and reason.
type Found = Result<(String, Carrier), (Option<String>, Reason)>;

fn read_as(home: Home<'_>, spelling: Spelling, headers: &[(&str, &str)]) -> Found {
    let directory = directory();
    let bytes = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    directory
        .read(home, bytes, spelling)
        .map(|found| (found.policy.slug.clone(), found.carrier))
        .map_err(|unread| (unread.policy.map(|policy| policy.slug.clone()), unread.reason))
}

fn read(headers: &[(&str, &str)]) -> Found {
    read_as(Home::Any, Spelling::AsSent, headers)
}

/// The reason for refusing, without the policy.
fn why(headers: &[(&str, &str)]) -> Reason {
    read(headers).unwrap_err().1
}

fn bearer_value(secret: &str) -> String {
    format!("Bearer {secret}")
}

#[test]
fn vg_12_the_scheme_is_case_insensitive_and_the_secret_is_not() {
    let secret = secret("voicegram", 0xAB);
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        let value = format!("{scheme} {secret}");
        for name in ["Authorization", "authorization", "AUTHORIZATION"] {
            assert_eq!(read(&[(name, &value)]), Ok(("voicegram".into(), Carrier::Bearer)), "{name} {scheme}");
        }
    }
    let body = secret.strip_prefix("vg_pat_").unwrap().to_uppercase();
    assert_eq!(why(&[("Authorization", &format!("Bearer vg_pat_{body}"))]), Reason::Altered(Damage::Case));
    assert_eq!(
        why(&[("Authorization", &bearer_value(&secret.to_uppercase()))]),
        Reason::Altered(Damage::Case)
    );
}

#[test]
fn vg_12_the_hash_is_that_of_the_whole_secret() {
    let (directory, secret) = (directory(), secret("voicegram", 3));
    let value = bearer_value(&secret);
    let headers = [(&b"authorization"[..], value.as_bytes())];
    let found = directory.read(Home::Any, headers, Spelling::AsSent).unwrap();
    assert!(found.hash == PlainKey::from_input(&secret).hash());
    assert!(directory.read_bare(Home::Any, secret.as_bytes()).unwrap().hash == found.hash);
}

#[test]
fn vg_07_a_former_prefix_is_known_too() {
    let mut policy = preset("voicegram").unwrap();
    policy.format.former_prefixes = vec!["vgold_".into()];
    let directory = Directory::new([Arc::new(policy)]);
    let old = PlainKey::make("vgold_", Body::Hex, &[1; 32]);
    assert_eq!(directory.read_bare(Home::Any, old.expose().as_bytes()).unwrap().policy.slug, "voicegram");
}

#[test]
fn kr_15_at_most_three_keys_are_looked_up_and_none_of_no_form() {
    let form = |prefix: &str, length, hash| Former { prefix: prefix.into(), length, hash };
    let mut policies = ["voicegram", "voxpria"].map(|slug| preset(slug).unwrap());
    policies[0].format.former = vec![
        form("", Some(40), Hashing::Sha512),
        form("vg_pat_", None, Hashing::Sha256),
        form("sk_", None, Hashing::Sha256),
    ];
    policies[1].format.former =
        vec![form("", Some(40), Hashing::Sha256), form("", Some(40), Hashing::Sanctum)];
    let directory = Directory::new(policies.map(Arc::new));
    let read = |home, text: &str| {
        let found = directory.read_bare(home, text.as_bytes()).map_err(|unread| unread.reason)?;
        Ok::<_, Reason>((found.policy.slug.clone(), found.hashes(), !found.rivals.is_empty()))
    };
    let text = "0123456789abcdefghijklmnopqrstuvwxyzABCD";
    let (of_256, of_512) = (HashedKey::of(text.as_bytes()), HashedKey::by_sha512(text.as_bytes()));
    assert_eq!(read(Home::Any, text), Ok(("voicegram".into(), vec![of_512, of_256], true)));
    assert_eq!(read(Home::Default("voxpria"), text), Ok(("voxpria".into(), vec![of_256, of_512], true)));
    assert_eq!(read(Home::Only("voxpria"), text), Ok(("voxpria".into(), vec![of_256], false)));
    assert_eq!(read(Home::Any, &text[1..]), Err(Reason::UnknownPrefix));
    let stripe = read(Home::Any, "sk_0123456789abcdef").unwrap();
    assert_eq!((stripe.0.as_str(), stripe.1.len(), stripe.2), ("voicegram", 1, false));
    // A key of ours is found as ever, by one hash.
    let own = secret("voicegram", 5);
    assert_eq!(read(Home::Any, &own).unwrap().1, [HashedKey::of(own.as_bytes())]);
    // And one that only begins like it is what another product made.
    assert_eq!(read(Home::Any, "vg_pat_0123456789abcdef").unwrap().1.len(), 1);
}

#[test]
fn kr_15_each_pepper_is_a_candidate_and_an_issuer_decides_by_its_own_forms() {
    let peppers = |versions: &[u16]| {
        let pepper = |version: &u16| (*version, format!("a pepper of version {version}").into());
        Peppers::new(versions.iter().map(pepper).collect()).unwrap()
    };
    let form = |hash| Former { prefix: "sk_".into(), length: None, hash };
    let mut policies = ["voicegram", "voxpria"].map(|slug| preset(slug).unwrap());
    policies[0].format.former = vec![form(Hashing::Sha256)];
    policies[1].format.former = vec![form(Hashing::HmacSha256), form(Hashing::Sha256)];
    let directory = Directory::new(policies.map(Arc::new)).with_peppers(&peppers(&[1, 2]));
    let own = secret("voicegram", 5);
    let found = directory.read_bare(Home::Any, own.as_bytes()).unwrap();
    let [newest, older] = [&[2], &[1]].map(|version| peppers(version).seal(&PlainKey::from_input(&own)));
    assert_eq!(found.hashes(), [HashedKey::of(own.as_bytes()), newest, older]);
    assert!(found.rivals.is_empty());
    let text = b"sk_0123456789abcdef";
    let found = directory.read_bare(Home::Any, text).unwrap();
    assert_eq!((found.policy.slug.as_str(), found.hashes().len()), ("voicegram", 3));
    let key = |issuer: &str| Key::example().of(issuer);
    let of = |hash, issuer: &str| directory.policy_for(&found, hash, Some(&key(issuer))).slug.clone();
    let plain = HashedKey::of(text);
    assert_eq!([of(plain, "voicegram"), of(plain, "voxpria")], ["voicegram", "voxpria"]);
    // Of nobody whose form it has not.
    assert_eq!(of(plain, "vozagent"), "voicegram");
    assert_eq!(of(found.others[0], "voxpria"), "voxpria");
    assert_eq!(of(HashedKey::of(b"something else"), "voxpria"), "voicegram");
    // Everything that it may be, each once: of many forms none is left out.
    assert_eq!(directory.hashes(text), found.hashes());
}

#[test]
fn keys_from_before_the_form_was_changed_are_keys_still() {
    let mut policy = preset("voicegram").unwrap();
    let old = PlainKey::make(&policy.format.prefix, policy.format.body, &[1; 32]);
    policy.format.body = Body::Base62Checksum;
    let directory = Directory::new([Arc::new(policy)]);
    assert!(directory.read_bare(Home::Any, old.expose().as_bytes()).is_ok());
}

#[test]
fn where_one_prefix_begins_with_another_the_whole_key_decides() {
    let mut short = preset("voiceinfra").unwrap();
    short.format.prefix = "vg_".into();
    let directory = Directory::new([short, preset("voicegram").unwrap()].map(Arc::new));
    for (prefix, body, slug) in
        [("vg_", Body::Base62Checksum, "voiceinfra"), ("vg_pat_", Body::Hex, "voicegram")]
    {
        let key = PlainKey::make(prefix, body, &[9; 32]);
        assert_eq!(directory.read_bare(Home::Any, key.expose().as_bytes()).unwrap().policy.slug, slug);
    }
}

#[test]
fn vp_01_and_vp_02_either_header_is_taken() {
    let key = secret("voxpria", 1);
    assert_eq!(read(&[("Authorization", &bearer_value(&key))]), Ok(("voxpria".into(), Carrier::Bearer)));
    for name in ["X-API-Key", "x-api-key", "X-Api-Key"] {
        assert_eq!(read(&[(name, &key)]), Ok(("voxpria".into(), Carrier::ApiKey)), "{name}");
    }
}

#[test]
fn vp_02_two_keys_in_one_request_must_be_equal() {
    let (one, two) = (secret("voxpria", 1), secret("voxpria", 2));
    let (bearer_one, bearer_two) = (bearer_value(&one), bearer_value(&two));
    let refused = Err((Some("voxpria".to_owned()), Reason::Several));
    assert!(read(&[("Authorization", &bearer_one), ("X-API-Key", &one)]).is_ok());
    assert!(read(&[("X-API-Key", &one), ("X-API-Key", &one)]).is_ok());
    assert_eq!(read(&[("Authorization", &bearer_one), ("X-API-Key", &two)]), refused);
    assert_eq!(read(&[("Authorization", &bearer_one), ("Authorization", &bearer_two)]), refused);
    assert_eq!(read(&[("X-API-Key", &one), ("x-api-key", &two)]), refused);
    assert_eq!(read(&[("Authorization", &bearer_one), ("X-API-Key", "")]), refused);
    assert_eq!(read(&[("Authorization", "Bearer eyJhbGciOi.x.y"), ("X-API-Key", &one)]), refused);
    // Another scheme is no key.
    assert!(read(&[("Authorization", "Basic YTpi"), ("X-API-Key", &one)]).is_ok());
    // Keys of two issuers: nobody can say which is meant.
    let mixed = [("Authorization", bearer_one.as_str()), ("X-API-Key", &secret("voiceinfra", 1))];
    assert_eq!(why(&mixed), Reason::Several);
    let many: Vec<_> = (0..=MOST).map(|_| ("X-API-Key", one.as_str())).collect();
    assert_eq!(why(&many), Reason::Several);
}

#[test]
fn va_10_the_masked_preview_is_refused_as_what_it_is() {
    for slug in ["vozagent", "voicegram"] {
        let format = preset(slug).unwrap().format;
        let preview = PlainKey::make(&format.prefix, format.body, &[5; 32]).preview(&format.prefix);
        for masked in [preview.clone(), preview.replace('•', "."), preview.replace('•', "*")] {
            let outcome = read(&[("Authorization", &bearer_value(&masked))]);
            assert_eq!(outcome.unwrap_err().1, Reason::Preview, "{masked}");
        }
    }
}

#[test]
fn va_11_a_key_with_spaces_around_it_is_refused() {
    let key = secret("vozagent", 1);
    for value in [
        format!("Bearer  {key}"),
        format!("Bearer \t{key}"),
        format!("Bearer\t{key}"),
        format!("Bearer {key}\u{A0}"),
        format!("Bearer \u{2003}{key}"),
        format!("Bearer {} {}", &key[..20], &key[20..]),
    ] {
        assert_eq!(why(&[("Authorization", &value)]), Reason::Spaces, "{value:?}");
    }
    // White space around a header's value is HTTP's, and no part of the key.
    assert!(read(&[("Authorization", &format!(" \tBearer {key} \t"))]).is_ok());
    let directory = directory();
    for pasted in [format!(" {key}"), format!("{key} "), format!("{key}\n"), format!("\t{key}\r\n")] {
        let unread = directory.read_bare(Home::Any, pasted.as_bytes()).unwrap_err();
        assert_eq!(unread.reason, Reason::Spaces, "{pasted:?}");
    }
}

#[test]
fn vi_01_a_bearer_header_is_not_accepted_by_voiceinfra() {
    let key = secret("voiceinfra", 1);
    let voiceinfra = || Some("voiceinfra".to_owned());
    let wrong = Reason::WrongHeader { used: Carrier::Bearer };
    assert_eq!(read(&[("Authorization", &bearer_value(&key))]), Err((voiceinfra(), wrong)));
    assert_eq!(read(&[("X-API-Key", &key)]), Ok(("voiceinfra".into(), Carrier::ApiKey)));
    // Authorization may then hold whatever the service itself wants there.
    let both = [("Authorization", "Bearer eyJhbGciOi.x.y"), ("X-API-Key", key.as_str())];
    assert_eq!(read(&both), Ok(("voiceinfra".into(), Carrier::ApiKey)));
}

#[test]
fn vi_02_the_name_of_the_header_is_case_sensitive_where_its_spelling_is_known() {
    let key = secret("voiceinfra", 1);
    for name in ["x-api-key", "X-Api-Key", "X-API-KEY"] {
        assert_eq!(why(&[(name, &key)]), Reason::HeaderSpelling, "{name}");
        assert!(read_as(Home::Any, Spelling::Lost, &[(name, &key)]).is_ok(), "{name}");
    }
    let other = secret("voiceinfra", 2);
    assert!(read(&[("x-api-key", &other), ("X-API-Key", &key)]).is_ok(), "a header that does not count");
}

#[test]
fn what_is_no_key_is_refused_with_its_reason() {
    let key = secret("voxpria", 1);
    let mut mistyped = key.clone().into_bytes();
    mistyped[10] = if mistyped[10] == b'a' { b'b' } else { b'a' };
    let mistyped = String::from_utf8(mistyped).unwrap();
    let long = "v".repeat(LONGEST + 1);
    for (value, reason) in [
        ("", Reason::Empty),
        ("vx_", Reason::Truncated { found: 0, wanted: 49 }),
        (&key[..30], Reason::Truncated { found: 27, wanted: 49 }),
        (&format!("{key}x"), Reason::Altered(Damage::Longer { found: 50, wanted: 49 })),
        (&mistyped, Reason::Altered(Damage::Checksum)),
        (&key.replace("vx_", "VX_"), Reason::Altered(Damage::Case)),
        (&format!("{}-", &key[..key.len() - 1]), Reason::Altered(Damage::Characters)),
        (&format!("\"{key}\""), Reason::UnknownPrefix),
        ("hunter2", Reason::UnknownPrefix),
        (&long, Reason::TooLong { bytes: LONGEST + 1 }),
    ] {
        assert_eq!(why(&[("X-API-Key", value)]), reason, "{value}");
    }
    let directory = directory();
    let latin = directory.read(Home::Any, [(&b"X-API-Key"[..], &b"vx_\xE9"[..])], Spelling::AsSent);
    assert_eq!(latin.unwrap_err().reason, Reason::NotText);
    assert_eq!(why(&[]), Reason::Missing);
    assert_eq!(why(&[("Authorization", "Basic YTpi")]), Reason::OtherScheme);
    assert_eq!(why(&[("Authorization", "Bearertoken")]), Reason::OtherScheme);
    assert_eq!(why(&[("Authorization", &key)]), Reason::NoScheme);
    assert_eq!(why(&[("Authorization", "Bearer")]), Reason::Empty);
    assert_eq!(why(&[("Authorization", "")]), Reason::OtherScheme);
}

#[test]
fn the_home_words_refusals_and_may_keep_out_the_keys_of_others() {
    let key = secret("voxpria", 1);
    let headers = [("X-API-Key", key.as_str())];
    let missing = |home| read_as(home, Spelling::AsSent, &[]).unwrap_err().0;
    assert_eq!(missing(Home::Any), None);
    assert_eq!(missing(Home::Default("vozagent")), Some("vozagent".into()));
    assert_eq!(missing(Home::Only("vozagent")), Some("vozagent".into()));
    assert!(read_as(Home::Default("voiceinfra"), Spelling::AsSent, &headers).is_ok());
    assert!(read_as(Home::Only("voxpria"), Spelling::AsSent, &headers).is_ok());
    let foreign = read_as(Home::Only("voiceinfra"), Spelling::AsSent, &headers);
    assert_eq!(foreign, Err((Some("voiceinfra".into()), Reason::OtherIssuer)));
    // A home that is gone lets nobody in.
    assert_eq!(read_as(Home::Only("gone"), Spelling::AsSent, &headers), Err((None, Reason::OtherIssuer)));
}

#[test]
fn no_reason_holds_a_part_of_the_secret() {
    let key = secret("voxpria", 7);
    for value in [&key[..40], &format!("{key}x"), &key[3..]] {
        let reason = why(&[("X-API-Key", value)]);
        let shown = format!("{reason:?} {}", reason.sentence(None));
        assert!(!key.as_bytes()[3..].windows(8).any(|part| shown.contains(str::from_utf8(part).unwrap())));
    }
}
