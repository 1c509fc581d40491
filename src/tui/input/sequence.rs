//! The first key, click or report in what a terminal sent.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

/// What some bytes begin with, and how many of them that takes.
#[derive(Debug, PartialEq, Eq)]
pub enum Sequence {
    /// Something whose rest has not come yet.
    Partial,
    /// An answer of the terminal, a report, or rubbish.
    Nothing(usize),
    Key(usize, KeyEvent),
    Mouse(usize, MouseEvent),
    /// The beginning of a paste.
    Paste(usize),
}

const ESC: u8 = 0x1b;
/// No answer of a terminal is longer.
const LONGEST: usize = 4096;

/// Reads the beginning of `bytes`, which are not empty.
pub fn first(bytes: &[u8]) -> Sequence {
    match bytes {
        [ESC] => Sequence::Partial,
        // ESC twice: the key, and the beginning of something else.
        [ESC, ESC, ..] => Sequence::Key(1, plain(KeyCode::Esc)),
        [ESC, b'[', ..] => csi(bytes),
        [ESC, b'O', rest @ ..] => match rest {
            [] => Sequence::Partial,
            [letter, ..] => match ss3(*letter) {
                Some(code) => Sequence::Key(3, plain(code)),
                None => with_alt(bytes),
            },
        },
        // Strings: answers about colours, names, settings. They end with BEL or ESC \.
        [ESC, b']', rest @ ..] => string(bytes, rest, |c| c.is_ascii_digit() || matches!(c, b'l' | b'L')),
        [ESC, b'P', rest @ ..] => string(bytes, rest, |c| c.is_ascii_digit() || b">!$+|".contains(&c)),
        [ESC, b'_' | b'^' | b'X', rest @ ..] => string(bytes, rest, |c| c == b'G'),
        // The end of a string whose beginning was lost.
        [ESC, b'\\', ..] => Sequence::Nothing(2),
        [ESC, ..] => with_alt(bytes),
        _ => character(bytes),
    }
}

/// ESC before a key is Alt with it, or Esc and the key: the keys in force decide.
fn with_alt(bytes: &[u8]) -> Sequence {
    match character(&bytes[1..]) {
        Sequence::Key(used, key) => {
            Sequence::Key(used + 1, KeyEvent::new(key.code, key.modifiers | KeyModifiers::ALT))
        }
        Sequence::Nothing(used) => Sequence::Nothing(used + 1),
        other => other,
    }
}

fn string(bytes: &[u8], rest: &[u8], begins: impl Fn(u8) -> bool) -> Sequence {
    match rest.first() {
        None => return Sequence::Partial,
        Some(c) if !begins(*c) => return with_alt(bytes),
        Some(_) => {}
    }
    // No further than that, whatever has come: it means the same in any pieces.
    let end = rest.iter().take(LONGEST).enumerate().find_map(|(at, byte)| match byte {
        0x07 => Some(at + 1),
        0x9c if std::str::from_utf8(&rest[..=at]).is_err() => Some(at + 1),
        // ESC \ ends it; ESC and anything else breaks it off.
        &ESC => match rest.get(at + 1) {
            None => None,
            Some(b'\\') => Some(at + 2),
            Some(_) => Some(at),
        },
        _ => None,
    });
    match end {
        Some(end) => Sequence::Nothing(end + 2),
        None if rest.len() > LONGEST => Sequence::Nothing(LONGEST + 2),
        None => Sequence::Partial,
    }
}

fn character(bytes: &[u8]) -> Sequence {
    if bytes[0].is_ascii() {
        return Sequence::Key(1, control_or_char(bytes[0]));
    }
    let longest = &bytes[..bytes.len().min(4)];
    let valid = match std::str::from_utf8(longest) {
        Ok(text) => text,
        Err(error) if error.valid_up_to() > 0 => {
            std::str::from_utf8(&longest[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(error) if error.error_len().is_none() => return Sequence::Partial,
        Err(error) => return Sequence::Nothing(error.error_len().unwrap_or(1)),
    };
    match valid.chars().next() {
        Some(c) => Sequence::Key(c.len_utf8(), typed(c)),
        None => Sequence::Nothing(1),
    }
}

/// The key that sends this byte of ASCII.
pub fn control_or_char(byte: u8) -> KeyEvent {
    let control = |c: u8| KeyEvent::new(KeyCode::Char(char::from(c)), KeyModifiers::CONTROL);
    match byte {
        b'\r' => plain(KeyCode::Enter),
        b'\t' => plain(KeyCode::Tab),
        0x7f => plain(KeyCode::Backspace),
        ESC => plain(KeyCode::Esc),
        0 => control(b' '),
        1..=0x1a => control(byte - 1 + b'a'),
        0x1c..=0x1f => control(byte - 0x1c + b'4'),
        _ => typed(char::from(byte)),
    }
}

fn typed(c: char) -> KeyEvent {
    let shift = if c.is_uppercase() { KeyModifiers::SHIFT } else { KeyModifiers::NONE };
    KeyEvent::new(KeyCode::Char(c), shift)
}

fn plain(code: KeyCode) -> KeyEvent {
    KeyEvent::new(code, KeyModifiers::NONE)
}

fn ss3(letter: u8) -> Option<KeyCode> {
    Some(match letter {
        b'P'..=b'S' => KeyCode::F(1 + letter - b'P'),
        b'M' => KeyCode::Enter,
        // The keypad, where a program before left it in its other mode.
        b'j'..=b'y' => KeyCode::Char(char::from(letter - b'j' + b'*')),
        b'X' => KeyCode::Char('='),
        _ => arrow(letter)?,
    })
}

fn arrow(letter: u8) -> Option<KeyCode> {
    Some(match letter {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'H' => KeyCode::Home,
        b'F' => KeyCode::End,
        _ => return None,
    })
}

fn csi(bytes: &[u8]) -> Sequence {
    let body = &bytes[2..];
    // Linux: the function keys of the console.
    if let [b'[', rest @ ..] = body {
        return match rest {
            [] => Sequence::Partial,
            [letter @ b'A'..=b'E', ..] => Sequence::Key(4, plain(KeyCode::F(1 + letter - b'A'))),
            [_, ..] => Sequence::Nothing(4),
        };
    }
    let Some(length) = body.iter().take(LONGEST).position(|byte| !(0x20..0x40).contains(byte)) else {
        return if body.len() >= LONGEST { Sequence::Nothing(LONGEST + 2) } else { Sequence::Partial };
    };
    let (params, last) = (&body[..length], body[length]);
    let used = length + 3;
    if !(0x40..0x7f).contains(&last) {
        // Broken off by something else, which counts. ESC [ alone are two keys.
        return if params.is_empty() { with_alt(bytes) } else { Sequence::Nothing(used - 1) };
    }
    let private = params.first().is_some_and(|byte| matches!(byte, b'<'..=b'?'));
    // A key that was let go, where a program before left the terminal telling that.
    let release = params.split(|byte| *byte == b';').nth(1).is_some_and(|part| part.ends_with(b":3"));
    let plain_params = params.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b';' | b':'));
    let numbers = numbers(if private { &params[1..] } else { params });
    match (params.first(), last) {
        (Some(b'<'), b'M' | b'm') => mouse(used, &numbers, last == b'm', 0),
        (None, b'M') => match body.get(1..4) {
            // The old form: three bytes, each 32 more than it says.
            Some(old) => {
                let old: Vec<u32> = old.iter().map(|byte| u32::from(byte.saturating_sub(32))).collect();
                mouse(used + 3, &old, false, 0)
            }
            None => Sequence::Partial,
        },
        (_, b'M') if !private && numbers.len() == 3 => mouse(used, &numbers, false, 32),
        _ if private || release || !plain_params => Sequence::Nothing(used),
        (_, b'~') if numbers.first() == Some(&200) => Sequence::Paste(used),
        _ => key(&numbers, last).map_or(Sequence::Nothing(used), |key| Sequence::Key(used, key)),
    }
}

fn numbers(params: &[u8]) -> Vec<u32> {
    let text = String::from_utf8_lossy(params);
    // What stands behind a colon tells more of the same number.
    let number = |part: &str| part.split(':').next().and_then(|part| part.parse().ok()).unwrap_or(0);
    if text.is_empty() { Vec::new() } else { text.split(';').map(number).collect() }
}

fn key(numbers: &[u32], last: u8) -> Option<KeyEvent> {
    let number = numbers.first().copied().unwrap_or(1);
    let modifiers = modifiers(numbers.get(1).copied().unwrap_or(1));
    let code = match last {
        b'A'..=b'D' | b'F' | b'H' if numbers.len() <= 2 => arrow(last)?,
        b'Z' => return Some(KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT)),
        // `R` with a number tells where the cursor is.
        b'P' | b'Q' | b'S' if number == 1 => KeyCode::F(1 + last - b'P'),
        b'R' if numbers.is_empty() => KeyCode::F(3),
        b'~' | b'^' => match number {
            27 => return coded(numbers.get(2).copied()?, modifiers),
            1 | 7 => KeyCode::Home,
            2 => KeyCode::Insert,
            3 => KeyCode::Delete,
            4 | 8 => KeyCode::End,
            5 => KeyCode::PageUp,
            6 => KeyCode::PageDown,
            number @ (11..=15 | 17..=21 | 23..=26 | 28..=29 | 31..=34) => {
                let gaps = [16, 22, 27, 30].iter().filter(|gap| **gap < number).count() as u32;
                KeyCode::F(u8::try_from(number - 10 - gaps).ok()?)
            }
            _ => return None,
        },
        b'u' => return coded(number, modifiers),
        _ => return None,
    };
    let rxvt = if last == b'^' { KeyModifiers::CONTROL } else { KeyModifiers::NONE };
    Some(KeyEvent::new(code, modifiers | rxvt))
}

/// A key by its number in Unicode.
fn coded(number: u32, modifiers: KeyModifiers) -> Option<KeyEvent> {
    let c = char::from_u32(number)?;
    let key = if c.is_ascii_control() { control_or_char(c as u8) } else { typed(c) };
    Some(KeyEvent::new(key.code, key.modifiers | modifiers))
}

fn modifiers(number: u32) -> KeyModifiers {
    let bits = number.saturating_sub(1);
    let named = [
        (1, KeyModifiers::SHIFT),
        (2, KeyModifiers::ALT),
        (4, KeyModifiers::CONTROL),
        (8, KeyModifiers::SUPER),
    ];
    let set = named.into_iter().filter(|(bit, _)| bits & bit != 0);
    set.fold(KeyModifiers::NONE, |sum, (_, modifier)| sum | modifier)
}

fn mouse(used: usize, numbers: &[u32], released: bool, offset: u32) -> Sequence {
    let [button, column, row] = numbers else { return Sequence::Nothing(used) };
    let place = |n: &u32| u16::try_from(n.saturating_sub(1)).unwrap_or(u16::MAX);
    let kind = match button.saturating_sub(offset) {
        0 if released => MouseEventKind::Up(MouseButton::Left),
        0 => MouseEventKind::Down(MouseButton::Left),
        64 => MouseEventKind::ScrollUp,
        65 => MouseEventKind::ScrollDown,
        _ => return Sequence::Nothing(used),
    };
    let event = MouseEvent { kind, column: place(column), row: place(row), modifiers: KeyModifiers::NONE };
    Sequence::Mouse(used, event)
}
