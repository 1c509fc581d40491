use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::domain::issuer::policy_file::{all_presets, preset};

#[test]
fn vg_06_a_voicegram_token_is_the_prefix_and_64_hexadecimal_digits() {
    let format = preset("voicegram").unwrap().format;
    let mut entropy = [0; 32];
    for (i, byte) in entropy.iter_mut().enumerate() {
        *byte = (i * 8 + 7) as u8;
    }
    let secret = PlainKey::make(&format.prefix, format.body, &entropy);
    assert_eq!(secret.expose(), "vg_pat_070f171f272f373f474f575f676f777f878f979fa7afb7bfc7cfd7dfe7eff7ff");
}

#[test]
fn vg_02_every_one_of_the_256_bits_is_in_the_secret() {
    for body in [Body::Hex, Body::Base62Checksum] {
        let make = |entropy: &[u8; 32]| PlainKey::make("gw_", body, entropy).expose().to_owned();
        let mut seen = HashSet::from([make(&[0; 32]), make(&[255; 32])]);
        for bit in 0..256 {
            let mut entropy = [0u8; 32];
            entropy[bit / 8] = 1 << (bit % 8);
            assert!(seen.insert(make(&entropy)), "bit {bit}");
        }
        assert!(seen.iter().all(|secret| secret.len() == 3 + body.length()));
    }
}

#[test]
fn base_62_counts_as_numbers_do() {
    assert_eq!(&base62(&[0; 32]), &[b'0'; 43]);
    let mut small = [0; 32];
    small[31] = 61;
    assert!(base62(&small).ends_with(b"0z"));
    small[31] = 62;
    assert!(base62(&small).ends_with(b"010"));
    // 2^256 - 1, reckoned by another program
    assert_eq!(&base62(&[255; 32]), b"yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1");
}

#[test]
fn nothing_that_is_printed_shows_the_secret() {
    let secret = PlainKey::make("gw_", Body::Base62Checksum, &[42; 32]);
    assert_eq!(format!("{secret:?} {:?}", secret.hash()), "PlainKey(…) HashedKey(…)");
    let shown = secret.preview("gw_");
    assert_eq!(shown, format!("gw_••••••••{}", &secret.expose()[48..]));
}

#[test]
fn va_11_white_space_around_a_pasted_secret_is_taken_off() {
    let secret = PlainKey::make("gw_", Body::Base62Checksum, &[42; 32]);
    let pasted = PlainKey::from_input(&format!(" \t{}\r\n", secret.expose()));
    assert_eq!(pasted, secret);
    assert_ne!(PlainKey::from_input(&secret.expose().to_lowercase()), secret);
}

#[test]
fn the_hash_is_sha_256_of_the_whole_secret() {
    // `printf gw_abc | sha256sum`
    let hash = PlainKey::from_input("gw_abc").hash().0;
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "67544a0ca8afb16e43c39bc1eb45781692a4166d8f96b278383f4655d88a1fa0");
    assert_ne!(PlainKey::from_input("abc").hash().0, hash);
}

#[test]
fn va_10_a_preview_is_known_as_one() {
    for text in ["gw_••••••••abcd", " vg_pat_••••••••00ff\n", "gw_****abcd", "gw_...abcd"]
    {
        assert!(looks_like_preview(text), "{text}");
    }
    for text in [
        "",
        "gw_",
        "abcd",
        "••••abcd",
        "gw_••••••••",
        "gw_••abcd",
        "see gw_••••••••abcd",
        "gw_••••••••abcd x",
        "v1.2.3",
    ] {
        assert!(!looks_like_preview(text), "{text}");
    }
}

#[test]
fn base_62_digits_have_no_bias_but_in_the_first() {
    // 43 digits hold slightly more than 256 bits: only the first may lean. Chi squared with 61 degrees of freedom is
    // beyond 120 once in 100,000 times; the entropy is fixed, so this never flickers.
    let mut counts = [[0u32; 62]; 43];
    let rounds = 6_200u32;
    for n in 0..rounds {
        let entropy: [u8; 32] = Sha256::digest(n.to_be_bytes()).into();
        for (place, digit) in base62(&entropy).iter().enumerate() {
            let value = BASE62.iter().position(|d| d == digit).unwrap();
            counts[place][value] += 1;
        }
    }
    let expected = f64::from(rounds) / 62.0;
    for (place, counts) in counts.iter().enumerate().skip(1) {
        let chi: f64 = counts.iter().map(|n| (f64::from(*n) - expected).powi(2) / expected).sum();
        assert!(chi < 120.0, "digit {place}: {chi}");
    }
}

proptest! {
    #[test]
    fn any_single_changed_character_breaks_the_checksum(entropy: [u8; 32], place in 3usize..52, digit in 0usize..62) {
        let secret = PlainKey::make("gw_", Body::Base62Checksum, &entropy);
        let body = &secret.expose()[3..];
        prop_assert!(Body::Base62Checksum.matches("gw_", body));
        let mut changed = secret.expose().as_bytes().to_vec();
        prop_assume!(changed[place] != BASE62[digit]);
        changed[place] = BASE62[digit];
        let changed = String::from_utf8(changed).unwrap();
        prop_assert!(!Body::Base62Checksum.matches("gw_", &changed[3..]));
        prop_assert!(!Body::Base62Checksum.matches("vi_", body), "the prefix is under the checksum too");
    }

    #[test]
    fn base_62_can_be_reckoned_back_to_the_same_256_bits(entropy: [u8; 32]) {
        let mut number = [0u8; 33];
        for digit in base62(&entropy) {
            let mut carry = BASE62.iter().position(|d| *d == digit).unwrap() as u32;
            for byte in number.iter_mut().rev() {
                let value = u32::from(*byte) * 62 + carry;
                *byte = (value % 256) as u8;
                carry = value / 256;
            }
        }
        prop_assert_eq!(number[0], 0);
        prop_assert_eq!(&number[1..], &entropy[..]);
    }
}

#[test]
fn vg_07_the_looks_of_a_secret_are_found_in_any_text() {
    for policy in all_presets() {
        let format = &policy.format;
        let secret = PlainKey::make(&format.prefix, format.body, &[7; 32]);
        let secret = secret.expose();
        for text in [
            secret.to_owned(),
            format!("é x={secret}, gone"),
            format!("Bearer {secret}AB"),
            secret[..50].into(),
        ] {
            let found = find_secret(&text).unwrap();
            assert!(text[found].starts_with(&format.prefix), "{text}");
        }
        let preview = PlainKey::make(&format.prefix, format.body, &[7; 32]).preview(&format.prefix);
        assert_eq!(find_secret(&preview), None);
    }
    for text in ["", "_", "a_b", "snake_case_name", &"a".repeat(64), &format!("_{}", "a".repeat(64)), "梨_梨"]
    {
        assert_eq!(find_secret(text), None, "{text}");
    }
}

#[test]
fn kr_15_a_scheme_is_read_as_it_is_written() {
    let peppers = Peppers::new(vec![(12, "a pepper of some length".to_owned().into())]).unwrap();
    let peppered = peppers.scheme();
    assert!(peppered.to_string().starts_with("hmac-sha256 pepper v12 "), "{peppered}");
    for scheme in [Scheme::Sha256, Scheme::Sha512, Scheme::Prefixed, peppered] {
        assert_eq!(scheme.to_string().parse(), Ok(scheme));
    }
    for wrong in [
        "",
        "md5",
        "hmac-sha256",
        "hmac-sha256 pepper v0 0123456789abcdef",
        "hmac-sha256 pepper v1 0123456789ABCDEF",
    ] {
        assert_eq!(wrong.parse::<Scheme>(), Err(()), "{wrong}");
    }
}

#[test]
fn kr_15_new_keys_need_the_newest_pepper_of_those_in_use() {
    let of = |versions: &[(u16, &str)]| {
        let pepper = |(version, text): &(u16, &str)| (*version, (*text).to_owned().into());
        Peppers::new(versions.iter().map(pepper).collect()).unwrap()
    };
    let (one, two) = ((1, "the first of the peppers"), (2, "the second of the peppers"));
    let used = [(of(&[one]).scheme(), 7), (of(&[two]).scheme(), 3)];
    let lacks = |peppers: &Peppers| peppers.lacks(&used).iter().map(ToString::to_string).collect::<Vec<_>>();
    let both = of(&[one, two]);
    assert_eq!((lacks(&both), both.may_seal(&used)), (vec![], Ok(())));
    assert_eq!(lacks(&of(&[two])), ["pepper v1 is missing"]);
    assert_eq!(of(&[two]).may_seal(&used), Ok(()));
    assert!(of(&[one]).may_seal(&used).is_err() && Peppers::default().may_seal(&used).is_err());
    let other = of(&[(1, "another pepper in its place"), two]);
    assert_eq!(lacks(&other), ["pepper v1 isn't the one that keys were hashed with"]);
    assert!(other.may_seal(&used).is_err());
    // A newer one may begin, and where no key has any, none is needed.
    assert_eq!(of(&[two, (3, "the third of the peppers")]).may_seal(&used), Ok(()));
    assert_eq!(Peppers::default().may_seal(&[]), Ok(()));
}

#[test]
fn what_somebody_sent_is_compared_whole_and_shown_nowhere() {
    let sent = |text: &str| SentKey::exact(text.as_bytes());
    assert_eq!(sent(" gw_abc\n").expose(), b" gw_abc\n");
    assert!(sent("gw_abc") == sent("gw_abc") && sent("gw_abc") != sent("gw_abd"));
    assert_eq!(sent(" gw_abc\n").trimmed(), Some(PlainKey::from_input("gw_abc")));
    assert_eq!(SentKey::exact(b"gw_\xff").trimmed(), None, "no text");
    assert_eq!(format!("{:?}", sent("gw_abc")), "SentKey(…)");
}

#[test]
fn vg_07_a_secret_is_found_from_its_prefix_to_its_last_character() {
    for (body, found) in [(39, None), (40, Some(4..46)), (64, Some(4..70))] {
        let text = format!("a=é1_{}-x", "a".repeat(body));
        assert_eq!(find_secret(&text), found, "{text}");
    }
}

#[test]
fn kr_15_peppers_are_told_apart_and_shown_by_their_version_alone() {
    let of = |version: u16, text: &str| Peppers::new(vec![(version, text.to_owned().into())]).unwrap();
    let (own, none) = (of(3, "a pepper of some length"), Peppers::default());
    assert!(own == of(3, "a pepper of some length") && none == Peppers::default());
    assert!(
        own != none && own != of(3, "a pepper of other length") && own != of(4, "a pepper of some length")
    );
    assert!(none.is_empty() && !own.is_empty());
    assert_eq!(format!("{own:?}"), "Peppers([Pepper(v3)])");
    let secret = PlainKey::from_input("gw_abc");
    let hashes: Vec<HashedKey> = own.hashes(b"gw_abc").collect();
    assert_eq!(hashes, [HashedKey::of(b"gw_abc"), own.seal(&secret)], "the plain hash first");
    assert_ne!(hashes[0], hashes[1]);
    assert_eq!(none.hashes(b"gw_abc").count(), 1);
    assert_eq!(none.lacks(&[(own.scheme(), 7)]), [pepper::Lack { version: 3, keys: 7, differs: false }]);
}
