//! Reading a text as what it was before it was wrapped, quoted, escaped or encoded.

use std::ops::Range;

use zeroize::Zeroizing;

/// One more than the longest body has.
const MOST: usize = 65;
/// Bytes between two parts of a secret that was wrapped.
const GAP: usize = 64;
/// Parts that a secret may be wrapped into, less one.
const GAPS: usize = 8;
/// Escapes in a row that are looked through.
const ESCAPES: usize = 8;
/// The longest run of parameters of a terminal's escape sequence.
const COMMAND: usize = 4096;
/// Less base64 than this holds no secret of ours.
pub const SHORTEST_RUN: usize = 64;
/// A line of base64 that goes on in the next one has at least this many characters.
const WRAPPED: usize = 40;

/// Whether an escape begins with it.
pub fn is_lead(byte: u8) -> bool {
    matches!(byte, b'%' | b'\\' | b'&' | b'=')
}

/// Bytes that are looked at together for whether they are taken over as they are.
const BLOCK: usize = 64;

/// Appends the input as text, without what nobody sees: terminal sequences, control characters, NULs (which make ASCII of
/// UTF-16), and characters without width. What is appended is not longer than the input.
pub fn clean(input: &[u8], text: &mut String) {
    cleaned(input, |_, part| {
        text.push_str(part);
        true
    });
}

/// Where the parts of the clean text of `input` stand in it, of which the places are given in their order.
fn sources(input: &[u8], places: impl IntoIterator<Item = usize>) -> Vec<usize> {
    let mut places = places.into_iter().peekable();
    let (mut sources, mut passed) = (Vec::new(), 0);
    cleaned(input, |at, part| {
        while let Some(place) = places.next_if(|place| *place < passed + part.len()) {
            sources.push(at + place - passed);
        }
        passed += part.len();
        places.peek().is_some()
    });
    sources
}

/// Hands over the parts of the clean text, each with the place that it has in the input, as long as they are wanted.
fn cleaned(input: &[u8], mut take: impl FnMut(usize, &str) -> bool) {
    // Where this chunk begins, and up to where a sequence was left out: it may end in a later chunk.
    let (mut start, mut left_out) = (0, 0);
    while let Some((valid, invalid)) = input.get(start..).filter(|rest| !rest.is_empty()).map(chunk) {
        // What was not handed over yet begins here; `None` while something is left out.
        let (mut at, mut from) = (0, 0);
        loop {
            // The end of a block may be within a character, which is looked at again.
            if start + at >= left_out
                && let Some(block) = valid.as_bytes().get(at..at + BLOCK)
                && is_plain(block)
            {
                at = valid.floor_char_boundary(at + BLOCK);
                continue;
            }
            let Some(c) = valid[at..].chars().next() else { break };
            let next = at + c.len_utf8();
            let here = start + at;
            let instead = if here < left_out {
                Some("")
            } else {
                match c {
                    '\u{1b}' | '\u{9b}' => {
                        match sequence(input.get(start + next..).unwrap_or_default(), c == '\u{9b}') {
                            Some(length) => {
                                left_out = start + next + length;
                                Some("")
                            }
                            // What is in it can be a link with a key.
                            None => Some(" "),
                        }
                    }
                    '\u{7}' => Some(" "),
                    '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' => None,
                    c if c.is_control() || unseen(c) => Some(""),
                    _ => None,
                }
            };
            if let Some(instead) = instead {
                if !take(start + from, &valid[from..at]) || !take(here, instead) {
                    return;
                }
                from = next;
            }
            at = next;
        }
        if !take(start + from, &valid[from..]) {
            return;
        }
        start += valid.len();
        if invalid > 0 && start >= left_out && !take(start, "?") {
            return;
        }
        start += invalid;
    }
}

/// The text that bytes begin with, and how many follow that are none. Faster than the chunks of the standard library.
fn chunk(bytes: &[u8]) -> (&str, usize) {
    match std::str::from_utf8(bytes) {
        Ok(valid) => (valid, 0),
        Err(error) => {
            let (valid, rest) = bytes.split_at(error.valid_up_to());
            (std::str::from_utf8(valid).unwrap_or_default(), error.error_len().unwrap_or(rest.len()))
        }
    }
}

/// Whether nothing in a block is or begins what nobody sees. Looks at all of it, which is faster than to stop early.
fn is_plain(block: &[u8]) -> bool {
    let odd = |byte: u8| {
        let control = (byte < 0x20) & !matches!(byte, 0x09..=0x0d) | (byte == 0x7f);
        control | matches!(byte, 0xc2 | 0xcd | 0xd8 | 0xe1 | 0xe2 | 0xef | 0xf3)
    };
    !block.iter().fold(false, |found, byte| found | odd(*byte))
}

/// The length of a terminal's sequence behind its introducer; `None` if that begins or ends a longer text.
fn sequence(rest: &[u8], csi: bool) -> Option<usize> {
    let control = |from: usize| {
        let parameters = rest.iter().skip(from).take(COMMAND);
        let end = parameters.clone().position(|byte| !matches!(byte, 0x20..=0x3f));
        end.map_or(from, |end| from + end + 1)
    };
    match rest.first() {
        _ if csi => Some(control(0)),
        Some(b'[') => Some(control(1)),
        Some(b']' | b'\\' | b'P' | b'X' | b'^' | b'_') => None,
        Some(0x20..=0x2f) => Some(rest.len().min(2)),
        Some(b'=' | b'>' | b'7' | b'8' | b'c' | b'M') => Some(1),
        _ => Some(0),
    }
}

/// Characters that a person does not see.
pub fn unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e01ef}'
    )
}

/// The character that is meant at a place, and where the next one begins. The escapes of URLs, JSON, HTML, Markdown and
/// quoted-printable are read; of what is no ASCII, single bytes come.
pub fn unit(bytes: &[u8], mut at: usize) -> Option<(u8, usize)> {
    for _ in 0..ESCAPES {
        let first = *bytes.get(at)?;
        let (code, next) = match first {
            b'%' => percent(bytes, at),
            b'=' => number(bytes, at + 1, 2, 16).map(|code| (code, at + 3)),
            b'\\' => backslash(bytes, at),
            b'&' => entity(bytes, at),
            _ => None,
        }
        .unwrap_or((u32::from(first), at + 1));
        match char::from_u32(code) {
            Some(c) if code > 0x7f && unseen(c) => at = next,
            _ => return Some((u8::try_from(code).unwrap_or(0xff), next)),
        }
    }
    None
}

/// `digits` digits at a place.
fn number(bytes: &[u8], at: usize, digits: usize, radix: u32) -> Option<u32> {
    let text = bytes.get(at..at + digits)?;
    text.iter().try_fold(0, |sum, byte| Some(sum * radix + char::from(*byte).to_digit(radix)?))
}

/// `%5F`, also escaped twice; what nobody sees in UTF-8.
fn percent(bytes: &[u8], at: usize) -> Option<(u32, usize)> {
    const UNSEEN: [&[u8]; 5] = [b"%E2%80%8B", b"%E2%80%8C", b"%E2%80%8D", b"%E2%81%A0", b"%EF%BB%BF"];
    let fits = |escape: &&[u8]| {
        bytes.get(at..at + escape.len()).is_some_and(|here| here.eq_ignore_ascii_case(escape))
    };
    if let Some(escape) = UNSEEN.iter().find(|escape| fits(escape)) {
        return Some((0x200b, at + escape.len()));
    }
    let (mut code, mut next) = (number(bytes, at + 1, 2, 16)?, at + 3);
    for _ in 0..ESCAPES {
        match number(bytes, next, 2, 16) {
            Some(inner) if code == u32::from(b'%') => (code, next) = (inner, next + 2),
            _ => break,
        }
    }
    Some((code, next))
}

/// `\u005f`, `\x5f`, `\_`, `\n`; with as many backslashes as it was escaped.
fn backslash(bytes: &[u8], at: usize) -> Option<(u32, usize)> {
    let more = bytes[at..].iter().take(ESCAPES).take_while(|byte| **byte == b'\\').count();
    let at = at + more;
    match bytes.get(at)? {
        b'u' => Some((number(bytes, at + 1, 4, 16)?, at + 5)),
        b'x' => Some((number(bytes, at + 1, 2, 16)?, at + 3)),
        b'n' | b'r' => Some((u32::from(b'\n'), at + 1)),
        b't' => Some((u32::from(b'\t'), at + 1)),
        byte @ (b'_' | b'/' | b'"' | b'\'') => Some((u32::from(*byte), at + 1)),
        _ => None,
    }
}

/// `&#95;`, `&#x5f;`, `&lowbar;`
fn entity(bytes: &[u8], at: usize) -> Option<(u32, usize)> {
    const NAMES: [(&[u8], u32); 3] = [(b"lowbar", 0x5f), (b"shy", 0xad), (b"nbsp", 0x20)];
    let rest = &bytes[at + 1..];
    let length = rest.iter().take(10).position(|byte| *byte == b';')?;
    let code = match &rest[..length] {
        [b'#', b'x' | b'X', ..] => number(rest, 2, length - 2, 16)?,
        [b'#', ..] => number(rest, 1, length - 1, 10)?,
        name => NAMES.iter().find(|(one, _)| one == &name)?.1,
    };
    Some((code, at + 1 + length + 1))
}

/// Where a wrapped text goes on: behind a line end, with the marks of quotes and continued lines about it; or behind a few
/// blanks. `None` if it doesn't.
pub fn gap(bytes: &[u8], mut at: usize) -> Option<usize> {
    let begin = at;
    let (mut line, mut blank) = (false, true);
    while at - begin <= GAP {
        let (byte, next) = unit(bytes, at)?;
        if byte.is_ascii_alphanumeric() || byte == b'_' {
            return (at > begin && (line || blank && at - begin <= 4)).then_some(at);
        }
        line |= matches!(byte, b'\n' | b'\r');
        blank &= matches!(byte, b' ' | b'\t');
        at = next;
    }
    None
}

/// Letters and digits that belong together.
pub struct Run {
    pub chars: Zeroizing<Vec<u8>>,
    /// The end of each of them in the text.
    pub ends: Vec<usize>,
    /// Whether neither another one follows nor an underscore, as within a name.
    pub closed: bool,
}

/// The run at a place, of at most one more than a body has; with `joins`, over line ends.
pub fn run(bytes: &[u8], mut at: usize, joins: bool) -> Run {
    let mut run =
        Run { chars: Zeroizing::new(Vec::with_capacity(MOST)), ends: Vec::with_capacity(MOST), closed: true };
    let mut gaps = 0;
    while run.chars.len() < MOST {
        match unit(bytes, at) {
            Some((byte, next)) if byte.is_ascii_alphanumeric() => {
                run.chars.push(byte);
                run.ends.push(next);
                at = next;
            }
            Some((b'_', _)) => {
                run.closed = false;
                break;
            }
            // Behind a body that is whole there is nothing to go on with.
            _ if joins && gaps < GAPS && run.chars.len() < MOST - 1 => {
                let Some(next) = gap(bytes, at) else { break };
                gaps += 1;
                at = next;
            }
            _ => break,
        }
    }
    run
}

/// Where base64 of so many digits at `least` may stand, over line ends. `lines`: where digits of it stand in a row, as far as
/// such a run may begin with them.
pub fn encoded_runs(bytes: &[u8], lines: Vec<Range<usize>>, least: usize) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    for first in lines.into_iter().filter(|line| line.len() >= least.min(WRAPPED)) {
        if first.start < at {
            continue;
        }
        let start = first.start;
        at = start;
        let mut chars = 0;
        loop {
            let line = bytes[at..].iter().take_while(|byte| is_digit(**byte)).count();
            at += line;
            chars += line;
            let blank = bytes[at..].iter().take(GAP).take_while(|byte| byte.is_ascii_whitespace()).count();
            let wrapped = bytes[at..at + blank].contains(&b'\n');
            if line < WRAPPED || !wrapped || bytes.get(at + blank).is_none_or(|byte| !is_digit(*byte)) {
                break;
            }
            at += blank;
        }
        if chars >= least {
            runs.push(start..at);
        }
    }
    runs
}

/// Whether it is a digit of base64, in either of its alphabets.
pub fn is_digit(byte: u8) -> bool {
    SEXTETS[usize::from(byte)] != NO_DIGIT
}

const NO_DIGIT: u8 = 0xff;
/// The values of the digits.
const SEXTETS: [u8; 256] = {
    let (mut table, mut byte) = ([NO_DIGIT; 256], 0);
    while byte < 256 {
        if let Some(value) = sextet(byte as u8) {
            table[byte] = value;
        }
        byte += 1;
    }
    table
};

/// The value of a digit of base64, in either of its alphabets.
const fn sextet(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

/// The bytes that a run of base64 stands for, from its digit `skip` on: nobody knows where it begins.
pub fn decoded(run: &[u8], skip: usize) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(run.len()));
    let (mut held, mut bits) = (0u32, 0);
    for digit in digits(run).skip(skip).map(|(_, digit)| digit) {
        held = held << 6 | u32::from(digit);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    bytes
}

/// The digits of a run of base64, each with its place.
fn digits(run: &[u8]) -> impl Iterator<Item = (usize, u8)> {
    let digits = run.iter().map(|byte| SEXTETS[usize::from(*byte)]).enumerate();
    digits.filter(|(_, digit)| *digit != NO_DIGIT)
}

/// Where in a run of base64 that stands which begins at these places, in their order, in the clean text of what the run
/// stands for ([`decoded`]).
pub fn encoded_places(
    run: &[u8],
    skip: usize,
    inner: &[u8],
    places: impl IntoIterator<Item = usize>,
) -> Vec<usize> {
    let mut digits = digits(run).skip(skip).enumerate().peekable();
    let place = |source: usize| {
        let digit = source * 8 / 6;
        while digits.next_if(|(number, _)| *number < digit).is_some() {}
        digits.peek().map_or(0, |(_, (place, _))| *place)
    };
    sources(inner, places).into_iter().map(place).collect()
}

#[cfg(test)]
mod tests;
