//! The terminal's bytes: the same keys in any pieces, a paste is never keys, and nothing is kept for ever.

use std::time::Duration;

use keyrack::fuzzing::{Decoder, Said};

use crate::given::{Given, pieces};

const BEGIN: &[u8] = b"\x1b[200~";
const END: &[u8] = b"\x1b[201~";
/// No sequence swallows more than this and what it began with.
const SWALLOWED: usize = 5_000;

pub fn check(bytes: &[u8]) {
    let mut given = Given(bytes);
    let (seed, before) = (given.byte(), usize::from(given.byte()));
    let before = given.take(before);
    let rest = given.0;

    let whole = heard(&[bytes]);
    assert_eq!(heard(&pieces(bytes, seed)), whole, "in other pieces");
    assert_eq!(heard(&bytes.chunks(1).collect::<Vec<_>>()), whole, "byte by byte");

    // Between its brackets whatever it is one paste, of that very text.
    let pasted = &rest[..find(rest, END).unwrap_or(rest.len())];
    let (mut first, waits) = said(&[before]);
    if !waits {
        first.push(paste(pasted));
        first.push("Char('q')".into());
        let all = [before, BEGIN, pasted, END, b"q"].concat();
        assert_eq!(heard(&[&all]), first, "a paste");
        assert_eq!(heard(&pieces(&all, seed)), first, "a paste in pieces");
    }

    // A sequence without its end is given up: what is typed after so much counts again.
    if seed == 0 {
        let endless = [bytes, &[b'0'; SWALLOWED], b"\x1b[201~qqqq"].concat();
        assert!(heard(&pieces(&endless, seed)).concat().contains('q'), "typed in vain");
    }
}

/// What was said, in words, and whether something is waited for.
fn said(pieces: &[&[u8]]) -> (Vec<String>, bool) {
    let mut decoder = Decoder::default();
    let mut words = Vec::new();
    for piece in pieces {
        words.extend(decoder.take(piece, Duration::ZERO).into_iter().map(word));
    }
    (words, decoder.patience().is_some())
}

/// The same, and then nothing more comes.
fn heard(pieces: &[&[u8]]) -> Vec<String> {
    let mut decoder = Decoder::default();
    let mut words = Vec::new();
    for piece in pieces {
        words.extend(decoder.take(piece, Duration::ZERO).into_iter().map(word));
    }
    if decoder.patience().is_some() {
        words.extend(decoder.give_up().into_iter().map(word));
    }
    assert_eq!(decoder.patience(), None, "something is left");
    words
}

fn word(said: Said) -> String {
    match said {
        Said::Key(key) if key.modifiers.is_empty() => format!("{:?}", key.code),
        Said::Key(key) => format!("{:?} {:?}", key.modifiers, key.code),
        Said::Mouse(mouse) => format!("{mouse:?}"),
        Said::Paste(pasted) => format!("paste {:?}", pasted.as_str()),
    }
}

fn paste(bytes: &[u8]) -> String {
    format!("paste {:?}", String::from_utf8_lossy(bytes))
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
