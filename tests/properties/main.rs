//! What must hold of everything that comes from outside, whatever bytes it is: text to search, request heads, filters,
//! policies, the terminal. Each property is one function over bytes.
//!
//! Here they run over the kept seeds and some thousands of inputs made of them, on any compiler. `tests/fuzz` runs the very
//! same functions under libFuzzer, for hours.
#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod filter;
mod finder;
mod given;
mod heads;
mod policy;
mod terminal;

use std::path::{Path, PathBuf};

use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz").join(name)
}

/// The kept inputs of a target, in the order of their names.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let files = std::fs::read_dir(folder("seeds").join(target)).unwrap();
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// The words of libFuzzer's dictionary.
fn words(target: &str) -> Vec<Vec<u8>> {
    let text = std::fs::read_to_string(folder("dictionaries").join(target)).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix('"')?.strip_suffix('"'));
    lines.map(unescaped).collect()
}

fn unescaped(line: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = line.as_bytes();
    while let [first, more @ ..] = rest {
        (bytes, rest) = match (first, more) {
            (b'\\', [b'x', digits @ ..]) => {
                let code = std::str::from_utf8(&digits[..2]).unwrap();
                ([bytes, vec![u8::from_str_radix(code, 16).unwrap()]].concat(), &digits[2..])
            }
            (b'\\', [escaped, more @ ..]) => ([bytes, vec![*escaped]].concat(), more),
            _ => ([bytes, vec![*first]].concat(), more),
        };
    }
    bytes
}

/// Changes an input in a few places, as libFuzzer would.
fn mutated(input: &[u8], seeds: &[Vec<u8>], words: &[Vec<u8>], random: &mut SmallRng) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..random.random_range(1..=6) {
        let at = random.random_range(0..=bytes.len());
        let to = random.random_range(at..=bytes.len().min(at + 40));
        let put = match random.random_range(0..6) {
            0 => vec![random.random()],
            1 => words[random.random_range(0..words.len())].clone(),
            2 => {
                let other = &seeds[random.random_range(0..seeds.len())];
                let from = random.random_range(0..=other.len());
                other[from..other.len().min(from + 60)].to_vec()
            }
            3 => bytes[at..to].repeat(2),
            4 => Vec::new(),
            _ => {
                bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << random.random_range(0..8));
                continue;
            }
        };
        bytes.splice(at..if random.random() { at } else { to }, put);
    }
    bytes
}

/// Runs a property over the seeds, and over `count` inputs that are made of them. The same ones each time: a failure shows
/// the input and comes again.
fn hold(target: &str, count: usize, check: fn(&[u8])) {
    let (seeds, words) = (seeds(target), words(target));
    assert!(!seeds.is_empty() && !words.is_empty());
    let mut random = SmallRng::seed_from_u64(11);
    let mut inputs = seeds.clone();
    for n in 0..seeds.len() + count {
        let input = inputs[n].clone();
        if let Err(fault) = std::panic::catch_unwind(|| check(&input)) {
            eprintln!("{target}: the input was {:?}", String::from_utf8_lossy(&input));
            eprintln!("as bytes: {input:?}");
            std::panic::resume_unwind(fault);
        }
        let from = random.random_range(inputs.len().saturating_sub(200)..=n).min(n);
        inputs.push(mutated(
            &inputs[if random.random() { from } else { n % seeds.len() }],
            &seeds,
            &words,
            &mut random,
        ));
        inputs[n + seeds.len()].truncate(6_000);
    }
}

#[test]
fn finder_holds_its_properties() {
    hold("finder", 3_000, finder::check);
}

#[test]
fn heads_hold_their_properties() {
    hold("heads", 20_000, heads::check);
}

#[test]
fn filter_holds_its_properties() {
    hold("filter", 10_000, filter::check);
}

#[test]
fn policy_holds_its_properties() {
    hold("policy", 2_000, policy::check);
}

#[test]
fn terminal_holds_its_properties() {
    hold("terminal", 20_000, terminal::check);
}
