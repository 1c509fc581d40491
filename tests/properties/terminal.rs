//! The terminal's bytes: the same keys in any pieces, a paste is never keys, and nothing is kept for ever.

use std::time::Duration;

use crossterm::event::KeyCode;
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

    // Between its brackets whatever it is one paste, of that very text; but that its lines end alike.
    let pasted = &rest[..find(rest, END).unwrap_or(rest.len())];
    let (first, waits) = said(&[before]);
    if !waits {
        let all = [before, BEGIN, pasted, END, b"q"].concat();
        for told in [heard(&[&all]), heard(&pieces(&all, seed))] {
            let (same, then) = told.split_at(first.len().min(told.len()));
            let [Said::Paste(paste), q] = then else { panic!("no paste but {then:?}") };
            assert_eq!(same, first, "before a paste");
            let text = String::from_utf8_lossy(pasted).replace("\r\n", "\n").replace('\r', "\n");
            assert!(paste.as_str() == text && is_q(q), "{paste:?} {q:?}");
        }
    }

    // A sequence without its end is given up: what is typed after so much counts again.
    if seed == 255 {
        let endless = [bytes, &[b'0'; SWALLOWED], b"\x1b[201~qqqq"].concat();
        let told = heard(&pieces(&endless, seed));
        let typed = |said: &Said| {
            is_q(said) || matches!(said, Said::Paste(paste) if paste.as_str().len() >= SWALLOWED)
        };
        assert!(told.iter().any(typed), "typed in vain");
    }
}

/// What was said, and whether something is waited for.
fn said(pieces: &[&[u8]]) -> (Vec<Said>, bool) {
    let mut decoder = Decoder::default();
    let said = pieces.iter().flat_map(|piece| decoder.take(piece, Duration::ZERO)).collect();
    (said, decoder.patience().is_some())
}

/// The same, and then nothing more comes.
fn heard(pieces: &[&[u8]]) -> Vec<Said> {
    let mut decoder = Decoder::default();
    let mut said: Vec<Said> = pieces.iter().flat_map(|piece| decoder.take(piece, Duration::ZERO)).collect();
    if decoder.patience().is_some() {
        said.extend(decoder.give_up());
    }
    assert_eq!(decoder.patience(), None, "something is left");
    said
}

fn is_q(said: &Said) -> bool {
    matches!(said, Said::Key(key) if key.code == KeyCode::Char('q'))
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
