//! OSC 52, the terminal's clipboard, written by ourselves from a wiped buffer (H16).

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

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// GNU screen passes on strings of at most 768 bytes.
const SCREEN_PIECE: usize = 700;

/// The bytes that ask the terminal to put `text` on its clipboard.
pub fn sequence(text: &str, wrapping: Wrapping) -> Zeroizing<Vec<u8>> {
    let encoded = base64(text.as_bytes());
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

fn base64(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(bytes.len().div_ceil(3) * 4));
    for group in bytes.chunks(3) {
        let byte = |i: usize| u32::from(group.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            let digit = BASE64[(bits >> (18 - 6 * i)) as usize & 63];
            out.push(if i <= group.len() { digit } else { b'=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (plain, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(*base64(plain.as_bytes()), encoded.as_bytes());
        }
    }

    #[test]
    fn tmux_gets_a_passthrough_with_doubled_escapes() {
        assert_eq!(*sequence("foo", Wrapping::Tmux), b"\x1bPtmux;\x1b\x1b]52;c;Zm9v\x07\x1b\\");
        assert_eq!(*sequence("foo", Wrapping::None), b"\x1b]52;c;Zm9v\x07");
    }
}
