//! OSC 52, the terminal's clipboard, written by ourselves from a wiped buffer (H16).

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

/// How the sequence gets past a multiplexer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrapping {
    None,
    /// tmux's DCS passthrough; each ESC inside is doubled.
    Tmux,
    /// GNU screen's DCS, in pieces because screen cuts long ones.
    Screen,
}

/// GNU screen passes on strings of at most 768 bytes.
const SCREEN_PIECE: usize = 700;

/// The bytes that ask the terminal to put `text` on its clipboard.
pub fn sequence(text: &str, wrapping: Wrapping) -> Zeroizing<Vec<u8>> {
    let encoded = Zeroizing::new(Base64::encode_string(text.as_bytes()).into_bytes());
    // One allocation of more than the final size: a growing vector would leave copies of itself behind.
    let mut out = Zeroizing::new(Vec::with_capacity(encoded.len() * 2 + 64));
    match wrapping {
        Wrapping::None => {
            out.extend_from_slice(b"\x1b]52;c;");
            out.extend_from_slice(&encoded);
            out.push(0x07);
        }
        Wrapping::Tmux => {
            out.extend_from_slice(b"\x1bPtmux;\x1b\x1b]52;c;");
            out.extend_from_slice(&encoded);
            out.extend_from_slice(b"\x07\x1b\\");
        }
        Wrapping::Screen => {
            out.extend_from_slice(b"\x1bP\x1b]52;c;");
            for (i, piece) in encoded.chunks(SCREEN_PIECE).enumerate() {
                if i > 0 {
                    out.extend_from_slice(b"\x1b\\\x1bP");
                }
                out.extend_from_slice(piece);
            }
            out.extend_from_slice(b"\x07\x1b\\");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tmux_gets_a_passthrough_with_doubled_escapes() {
        assert_eq!(*sequence("foo", Wrapping::Tmux), b"\x1bPtmux;\x1b\x1b]52;c;Zm9v\x07\x1b\\");
        assert_eq!(*sequence("foo", Wrapping::None), b"\x1b]52;c;Zm9v\x07");
    }
}
