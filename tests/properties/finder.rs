//! The search for secrets: what is there is found, what isn't is not, in time that grows with the text.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use keyrack::domain::issuer::Policy;
use keyrack::domain::issuer::policy_file::all_presets;
use keyrack::domain::secret::{Finding, Kind, PlainKey, search};

use crate::given::Given;

static POLICIES: LazyLock<Vec<Policy>> = LazyLock::new(all_presets);

/// What may stand right before and behind a secret: no letter, digit or underscore, which might belong to it.
const AROUND: &[&str] =
    &["\n", " ", "\"", "'", ",", ":", ";", "(", ")", "<", ">", "[", "]", "{", "}", "|", "\t", "\r\n"];

/// How long a text of [`LONG`] bytes may take, on a machine that has other things to do: a thousand times the usual.
const PATIENCE: Duration = Duration::from_secs(4);
const LONG: usize = 60_000;

pub fn check(bytes: &[u8]) {
    let mut given = Given(bytes);
    let (how, repeated) = (given.byte(), given.byte());
    let policy = &POLICIES[usize::from(how) % POLICIES.len()];
    let (left, right) = (given.one_of(AROUND), given.one_of(AROUND));
    let mut entropy = [how; 32];
    entropy[..4].copy_from_slice(&[given.byte(), given.byte(), given.byte(), repeated]);
    let middle = usize::from(given.byte());
    let text = given.0;

    let found = search(text, &*POLICIES);
    are_in_order(text, &found);
    nothing_is_made_up(text, &found);

    // A secret is found whatever stands around it.
    let secret = PlainKey::make(&policy.format.prefix, policy.format.body, &entropy);
    let (before, after) = text.split_at(middle.min(text.len()));
    let planted =
        [before, b" \n\n", left.as_bytes(), secret.expose().as_bytes(), right.as_bytes(), after].concat();
    let found = search(&planted, &*POLICIES);
    assert!(found.iter().any(|one| one.readings.contains(&secret)), "not found");
    are_in_order(&planted, &found);

    // Seldom, and no fuzzer can aim at it: else it would do little else.
    let sum = text.iter().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add((*byte).into()));
    if repeated == 7 && sum % 61 == 7 && !text.is_empty() {
        takes_time_in_proportion(text);
    }
}

/// They come in the order of the text, at places that it has.
fn are_in_order(text: &[u8], found: &[Finding]) {
    let lines = text.iter().filter(|byte| **byte == b'\n').count() + 1;
    for one in found {
        assert!((1..=lines).contains(&one.line) && one.column >= 1, "{one:?}");
        assert!(one.column <= text.len() + 1, "{one:?}");
    }
    let places = found.windows(2).all(|two| (two[0].line, two[0].column) <= (two[1].line, two[1].column));
    assert!(places, "not in the order of the text");
    assert!(!found.iter().any(|one| one.alone) || found.len() == 1 || text.len() > 64);
}

/// A body that is told of stands in the text, whatever it was wrapped by. Where nothing is escaped or encoded, that is easily
/// seen.
fn nothing_is_made_up(text: &[u8], found: &[Finding]) {
    let letters: Vec<u8> =
        text.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect();
    let escaped = text.iter().any(|byte| b"%\\&=\x1b".contains(byte)) || text.contains(&0x9b);
    for one in found {
        if let Kind::Cut { found, wanted } = one.kind {
            assert!(found < wanted, "{one:?}");
        }
        if escaped || is_encoded(text) {
            continue;
        }
        for reading in &one.readings {
            let secret = reading.expose().as_bytes().to_ascii_lowercase();
            let tail = &secret[secret.len() - 40..];
            assert!(letters.windows(tail.len()).any(|window| window == tail), "made up: {one:?}");
        }
    }
}

/// Whether some of it may be base64.
fn is_encoded(text: &[u8]) -> bool {
    let digit =
        |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte) || byte.is_ascii_whitespace();
    text.split(|byte| !digit(byte)).any(|run| run.len() >= 64)
}

fn takes_time_in_proportion(text: &[u8]) {
    let long = text.repeat(LONG / text.len() + 1);
    let mut quickest = Duration::MAX;
    // Another process may have had the processor.
    for _ in 0..3 {
        let begun = Instant::now();
        search(&long, &*POLICIES);
        quickest = quickest.min(begun.elapsed());
        if quickest < PATIENCE {
            return;
        }
    }
    panic!("{} bytes took {quickest:?}", long.len());
}
