//! 10^6 random header sets against a decision that was written apart from the product, from the rules alone.

use super::*;
use crate::domain::examples::Dice;

/// What a value is, known because the test made it.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Is {
    /// A whole key of this issuer.
    Whole(&'static str),
    /// Begins with the prefix of this issuer, and is damaged.
    Damaged(&'static str),
    /// No issuer's.
    Foreign,
}

struct Value {
    bytes: Vec<u8>,
    is: Is,
}

const SLUGS: [&str; 4] = ["voicegram", "voxpria", "vozagent", "voiceinfra"];

/// The values to choose from: for each issuer two keys and a dozen kinds of damage, and things that are nobody's.
fn values() -> Vec<Value> {
    let mut all = Vec::new();
    for slug in SLUGS {
        let prefix = preset(slug).unwrap().format.prefix;
        let key = secret(slug, 1);
        all.push(Value { bytes: key.clone().into_bytes(), is: Is::Whole(slug) });
        all.push(Value { bytes: secret(slug, 2).into_bytes(), is: Is::Whole(slug) });
        let body = &key[prefix.len()..];
        for damaged in [
            prefix.clone(),
            key[..key.len() - 1].to_owned(),
            format!("{key}0"),
            format!("{prefix}{}", body.replace(|c: char| c.is_ascii_digit(), "!")),
            format!("{prefix}••••••••{}", &body[body.len() - 4..]),
            format!("{key}\u{A0}"),
            format!(" {key}"),
            format!("{prefix} {body}"),
            format!("{key},{key}"),
            format!("{prefix}{}", "0".repeat(300)),
        ] {
            all.push(Value { bytes: damaged.into_bytes(), is: Is::Damaged(slug) });
        }
        let mut latin = key.clone().into_bytes();
        latin[12] = 0xE9;
        all.push(Value { bytes: latin, is: Is::Damaged(slug) });
    }
    for foreign in ["", "hunter2", "Bearer", "eyJhbGciOi.x.y", "\"quoted\"", "VX_", "\u{202E}", "null"] {
        all.push(Value { bytes: foreign.into(), is: Is::Foreign });
    }
    all
}

/// A header as the dice made it: what it is called, what is before the value, which value.
struct Made {
    name: &'static str,
    before: &'static [u8],
    value: usize,
}

const NAMES: [&str; 8] = [
    "Authorization",
    "authorization",
    "AUTHORIZATION",
    "X-API-Key",
    "x-api-key",
    "X-Api-Key",
    "Cookie",
    "X-API-Keys",
];
const SCHEMES: [&[u8]; 8] =
    [b"Bearer ", b"bearer ", b"BEARER ", b"Bearer  ", b"Bearer\t", b"Basic ", b"", b"Bearer: "];

/// The rules once more, in other words: the issuer whose key is taken, `Err(true)` for 400, `Err(false)` for 401.
fn expected(
    made: &[Made],
    values: &[Value],
    home: Home<'_>,
    spelling: Spelling,
) -> Result<&'static str, bool> {
    let name_is = |made: &Made, name: &str| made.name.to_lowercase() == name;
    // What each header offers: by which door, exactly spelled or not, the text, and what it is.
    let mut offers: Vec<(bool, bool, Vec<u8>, Is)> = Vec::new();
    for one in made {
        let Value { bytes, is } = &values[one.value];
        if name_is(one, "x-api-key") {
            let text = [one.before, bytes.as_slice()].concat();
            // Blanks and tabs around a header's value are HTTP's, not the value's.
            let text = match std::str::from_utf8(&text) {
                Ok(text) => text.trim_matches([' ', '\t']).into(),
                Err(_) => text,
            };
            // The words of a scheme before it make it nobody's; without them a space in front is HTTP's.
            let is = match (one.before.is_empty(), is) {
                (false, _) => Is::Foreign,
                (true, Is::Damaged(slug)) if bytes.first() == Some(&b' ') => Is::Whole(slug),
                (true, is) => *is,
            };
            offers.push((false, one.name == "X-API-Key", text, is));
        } else if name_is(one, "authorization") {
            let text = match one.before {
                b"Bearer " | b"bearer " | b"BEARER " => bytes.clone(),
                // A second space or a tab is part of what is offered, unless nothing follows that it could precede.
                b"Bearer  " | b"Bearer\t" if bytes.is_empty() => Vec::new(),
                b"Bearer  " => [b" ", bytes.as_slice()].concat(),
                b"Bearer\t" => [b"\t", bytes.as_slice()].concat(),
                b"" if bytes == b"Bearer" => Vec::new(),
                _ => continue,
            };
            let is = match (one.before, is) {
                (b"Bearer  " | b"Bearer\t", Is::Whole(slug)) => Is::Damaged(slug),
                (b"", _) => Is::Foreign,
                (_, is) => *is,
            };
            offers.push((true, true, text, is));
        }
    }
    let owner = |is: Is| match is {
        Is::Whole(slug) | Is::Damaged(slug) => Some(slug),
        Is::Foreign => None,
    };
    let policy = match home {
        Home::Only(slug) => SLUGS.iter().find(|one| **one == slug).copied(),
        _ => {
            let owners: std::collections::BTreeSet<_> =
                offers.iter().filter_map(|offer| owner(offer.3)).collect();
            if owners.len() > 1 {
                return Err(true);
            }
            let fallback = match home {
                Home::Default(slug) => SLUGS.iter().find(|one| **one == slug).copied(),
                _ => None,
            };
            owners.first().copied().or(fallback)
        }
    };
    offers.retain(|(is_bearer, exact, ..)| match policy {
        Some("voicegram" | "vozagent") => *is_bearer,
        Some("voiceinfra") => !*is_bearer && (*exact || spelling == Spelling::Lost),
        _ => true,
    });
    let Some(first) = offers.first() else { return Err(false) };
    if offers.iter().any(|offer| offer.2 != first.2) {
        return Err(true);
    }
    match first.3 {
        Is::Whole(slug) if !matches!(home, Home::Only(only) if only != slug) => Ok(slug),
        _ => Err(false),
    }
}

#[test]
fn a_million_random_header_sets_are_read_as_the_rules_say() {
    let rounds = 1_000_000;
    let (directory, values, mut dice) = (directory(), values(), Dice(20_261_121));
    let (mut taken, mut several) = (0u32, 0u32);
    let mut made: Vec<Made> = Vec::new();
    let mut bytes: Vec<(&[u8], Vec<u8>)> = Vec::new();
    for round in 0..rounds {
        made.clear();
        bytes.clear();
        // Half of the sets stay with one issuer, so that keys meet their like often.
        let issuer = dice.roll(8);
        for _ in 0..dice.roll(4) {
            let name = NAMES[dice.roll(NAMES.len())];
            let per_issuer = (values.len() - 8) / 4;
            let value = match (issuer, dice.roll(3)) {
                (0..4, 0) => issuer * per_issuer + dice.roll(2),
                (0..4, 1) => issuer * per_issuer + dice.roll(per_issuer),
                _ => dice.roll(values.len()),
            };
            let plain = !name.eq_ignore_ascii_case("authorization") && dice.roll(8) > 0;
            let before = match dice.roll(3) {
                _ if plain => b"",
                0 => SCHEMES[dice.roll(SCHEMES.len())],
                _ => SCHEMES[dice.roll(3)],
            };
            made.push(Made { name, before, value });
            bytes.push((name.as_bytes(), [before, &values[value].bytes].concat()));
        }
        let home = match dice.roll(6) {
            0 => Home::Only(SLUGS[dice.roll(4)]),
            1 => Home::Default(SLUGS[dice.roll(4)]),
            2 => Home::Only("gone"),
            _ => Home::Any,
        };
        let spelling = if dice.roll(4) == 0 { Spelling::Lost } else { Spelling::AsSent };
        let found =
            directory.read(home, bytes.iter().map(|(name, value)| (*name, value.as_slice())), spelling);
        let outcome = match &found {
            Ok(found) => Ok(found.policy.slug.as_str()),
            Err(unread) => Err(unread.reason.status() == 400),
        };
        let wanted = expected(&made, &values, home, spelling);
        let shown = || {
            bytes
                .iter()
                .map(|(n, v)| (String::from_utf8_lossy(n), String::from_utf8_lossy(v)))
                .collect::<Vec<_>>()
        };
        assert_eq!(outcome, wanted, "round {round}: {home:?} {spelling:?} {:#?}", shown());
        taken += u32::from(outcome.is_ok());
        several += u32::from(outcome == Err(true));
    }
    // A test in which nothing passes proves nothing.
    assert!(taken > rounds / 25 && several > rounds / 25, "{taken} taken, {several} several");
}
