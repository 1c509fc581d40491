//! What makes the search fast: it is told at a glance where nothing can begin, so that only the rest is read in full.
//!
//! Where something can begin is found by what every finding has: a prefix of ours ends in an underscore, plain or escaped;
//! somebody else's is one of a few; and a body without its prefix is a long run of letters and digits. A place too many
//! costs time, a place too few a finding: `tests` compares with the search that looks everywhere.

use std::ops::Range;

use aho_corasick::{AhoCorasick, Input, MatchKind};

use super::read::{gap, is_digit, is_lead, unit, unseen};
use super::{Form, SHORTEST, SHOWN, strangers};
use crate::domain::secret::recognise::SHORTEST_BODY;

/// How an escaped underscore ends, and with it a prefix of ours.
const UNDERSCORES: [&str; 14] = [
    "%5f", "%5F", "=5f", "=5F", "255f", "255F", "005f", "005F", "x5f", "x5F", "5f;", "5F;", "95;", "lowbar;",
];
/// Bytes that one character of a prefix takes at most, with what may stand before it: a gap whose last character is
/// escaped, and escapes of what nobody sees.
const SPREAD: usize = 64 + 8 * 24;
/// Bytes that an escape takes at most.
const ESCAPE: usize = 24;
/// The most bytes of a gap, with an escape at its end.
const GAP: usize = 64 + ESCAPE;
/// Of a body that was encoded, so many bytes stand together: it has 49 characters at least, in 9 parts at most.
const TOGETHER: usize = 6;

pub struct Sieve {
    prefixes: Vec<Vec<u8>>,
    /// Before an underscore, the last byte of a prefix is one of these.
    ends: [bool; 256],
    bodies: Vec<usize>,
    longest: usize,
    /// The prefixes of others, and behind them the underscores; `None` where there are none that work, which can't be.
    words: Option<AhoCorasick>,
    /// Something may begin with so many digits of base64.
    row: usize,
    /// Whether everything is let through.
    open: bool,
}

impl Sieve {
    /// `encoded`: the fewest digits of base64 that hold something.
    pub fn new(forms: &[Form], encoded: usize) -> Self {
        let prefixes: Vec<Vec<u8>> = forms.iter().map(|form| form.prefix.clone().into_bytes()).collect();
        let mut ends = [false; 256];
        for prefix in &prefixes {
            // Every policy's prefix ends in an underscore.
            let end = prefix.len().checked_sub(2).map_or(b'_', |at| prefix[at]);
            ends[usize::from(end)] = true;
            ends[usize::from(end.to_ascii_uppercase())] = true;
        }
        let words = strangers::prefixes().chain(UNDERSCORES);
        Self {
            ends,
            bodies: forms.iter().map(|form| form.body.length()).collect(),
            longest: prefixes.iter().map(Vec::len).max().unwrap_or(0),
            prefixes,
            words: AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(words).ok(),
            row: encoded.min(SHORTEST_BODY),
            open: false,
        }
    }

    /// Lets everything through from here on.
    pub fn open(&mut self) {
        self.open = true;
    }

    /// Where digits of base64 stand in a row, so many that something may begin with them.
    pub fn lines(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        runs(bytes, if self.open { 1 } else { self.row }, is_digit)
    }

    /// All the places where something can begin that is found, in their order. `lines` are [`Self::lines`].
    pub fn marks(&self, bytes: &[u8], lines: &[Range<usize>]) -> Vec<Range<usize>> {
        if self.open {
            return std::iter::once(0..bytes.len()).collect();
        }
        let mut marks = Vec::new();
        self.mark_underscores(bytes, &mut marks);
        self.mark_words(bytes, &mut marks);
        for line in lines {
            let within = &bytes[line.clone()];
            for run in runs(within, SHORTEST_BODY, |byte| byte.is_ascii_alphanumeric()) {
                if self.bodies.contains(&run.len()) {
                    marks.push(line.start + run.start..line.start + run.start + 1);
                }
            }
        }
        marks.sort_unstable_by_key(|mark| mark.start);
        marks
    }

    fn mark_underscores(&self, bytes: &[u8], marks: &mut Vec<Range<usize>>) {
        for at in memchr::memchr_iter(b'_', bytes) {
            let next = at + 1;
            let letters = letters(bytes, next);
            let stranger = letters >= SHORTEST_BODY
                || letters <= SHOWN && bytes.get(next + letters).is_some_and(|byte| may_be_dot(*byte));
            if stranger {
                marks.push(at..next);
            }
            if at > 0 && self.may_end(bytes, at) && goes_on(bytes, next, letters) {
                self.mark_before(bytes, next, marks);
            }
        }
    }

    /// Whether what stands before the underscore at `at` can be the last but one of a prefix.
    fn may_end(&self, bytes: &[u8], at: usize) -> bool {
        let before = bytes[at - 1];
        // Of what an escape or a gap can end in, an escape stands before some.
        self.ends[usize::from(before)]
            || match before {
                b'n' | b'r' | b't' => at > 1 && bytes[at - 2] == b'\\',
                b'_' => false,
                byte if byte.is_ascii_hexdigit() => escapes(bytes, at).next().is_some(),
                byte => !byte.is_ascii_alphanumeric(),
            }
    }

    /// Marks where a prefix begins that ends before `end` in a plain underscore.
    fn mark_before(&self, bytes: &[u8], end: usize, marks: &mut Vec<Range<usize>>) {
        for prefix in &self.prefixes {
            let same = bytes[..end].iter().rev().zip(prefix.iter().rev());
            let same = same.take_while(|(byte, wanted)| byte.eq_ignore_ascii_case(wanted)).count();
            let start = end - same;
            if same == prefix.len() {
                marks.push(start..start + 1);
            }
            // What differs may be written in another way; and before the first there may be what nobody sees.
            let seam = match prefix.len().checked_sub(same + 1).map(|at| prefix[at]) {
                Some(wanted) => is_seam(bytes, start, wanted),
                None => escapes(bytes, start).any(|(_, next)| next > start),
            };
            if seam {
                marks.push(start.saturating_sub(SPREAD * self.longest)..start);
            }
        }
    }

    fn mark_words(&self, bytes: &[u8], marks: &mut Vec<Range<usize>>) {
        let Some(words) = &self.words else {
            marks.push(0..bytes.len());
            return;
        };
        let providers = words.patterns_len() - UNDERSCORES.len();
        let mut from = 0;
        while let Some(found) = words.find(Input::new(bytes).range(from..)) {
            from = found.start() + 1;
            if found.pattern().as_usize() < providers {
                marks.push(found.start()..from);
            } else if goes_on(bytes, found.end(), letters(bytes, found.end())) {
                marks.push(found.start().saturating_sub(SPREAD * self.longest)..found.end());
            }
        }
    }

    /// Whether a secret of ours, whole or cut, may be in bytes that were encoded.
    pub fn may_hold(&self, bytes: &[u8]) -> bool {
        if self.open {
            return true;
        }
        let (mut together, mut row, mut longest, mut underscore) = (0, 0, 0, false);
        for (at, byte) in bytes.iter().copied().enumerate() {
            let control = byte < 0x20 && !byte.is_ascii_whitespace() || byte == 0x7f;
            let part =
                byte.is_ascii_alphanumeric() || control || is_lead(byte) || matches!(byte, b'#' | b';');
            together = if part { together + 1 } else { 0 };
            longest = together.max(longest);
            row = if control || is_digit(byte) { row + 1 } else { 0 };
            underscore |= matches!(byte, b'_' | b'5' | b'r');
            let hidden = match byte {
                0x1b => bytes.get(at + 1).is_some_and(|next| matches!(next, b'[' | 0x20..=0x2f)),
                0xc2 | 0xcd | 0xd8 | 0xe1 | 0xe2 | 0xef | 0xf3 => is_hidden(&bytes[at..]),
                _ => false,
            };
            if hidden || row >= SHORTEST_BODY || underscore && longest >= TOGETHER {
                return true;
            }
        }
        false
    }
}

/// Whether a character that nobody sees stands at the beginning.
fn is_hidden(bytes: &[u8]) -> bool {
    let first = bytes[..bytes.len().min(4)].utf8_chunks().next();
    let first = first.and_then(|chunk| chunk.valid().chars().next());
    first.is_some_and(|c| c.is_control() || unseen(c))
}

/// Letters and digits from a place on, counted no further than a body has.
fn letters(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    rest.iter().take(SHORTEST_BODY).take_while(|byte| byte.is_ascii_alphanumeric()).count()
}

/// Whether a body can stand behind a prefix that ends at `from`, of which `letters` stand there as they are.
fn goes_on(bytes: &[u8], from: usize, letters: usize) -> bool {
    let next = from + letters;
    letters >= SHORTEST
        || bytes.get(next).is_some_and(|byte| may_be_dot(*byte))
        || unit(bytes, next).is_some_and(|(byte, _)| byte.is_ascii_alphanumeric())
        || bytes.get(next) != Some(&b'_') && gap(bytes, next).is_some()
}

/// Whether it is one of a preview's dots, or begins one.
fn may_be_dot(byte: u8) -> bool {
    matches!(byte, b'*' | b'.' | 0xc2 | 0xe2)
}

/// What stands escaped before `end`, as far as it reaches it: the character that is meant, and where it ends.
fn escapes(bytes: &[u8], end: usize) -> impl Iterator<Item = (u8, usize)> {
    let from = end.saturating_sub(ESCAPE);
    let leads = (from..end).filter(move |at| is_lead(bytes[*at]));
    leads.filter_map(move |at| unit(bytes, at).filter(|(_, next)| *next > at + 1 && *next >= end))
}

/// Whether something that is no letter or digit is escaped right before a place: `%22`, `\n`.
pub(super) fn follows_escape(text: &str, start: usize) -> bool {
    escapes(text.as_bytes(), start).any(|(byte, end)| end == start && !byte.is_ascii_alphanumeric())
}

/// Whether this character stands before `end` in another way than as it is: escaped, or with a gap behind it.
fn is_seam(bytes: &[u8], end: usize, wanted: u8) -> bool {
    let Some(last) = end.checked_sub(1).map(|at| bytes[at]) else { return false };
    let mut escaped = false;
    for (byte, next) in escapes(bytes, end) {
        if next > end || byte.eq_ignore_ascii_case(&wanted) {
            return true;
        }
        escaped = true;
    }
    if !escaped && (last.is_ascii_alphanumeric() || last == b'_') {
        return false;
    }
    let reaches = |from: usize| gap(bytes, from) == Some(end);
    (end.saturating_sub(GAP + ESCAPE)..end).any(|at| {
        bytes[at].eq_ignore_ascii_case(&wanted) && reaches(at + 1)
            || is_lead(bytes[at])
                && unit(bytes, at).is_some_and(|(byte, next)| {
                    byte.eq_ignore_ascii_case(&wanted) && next < end && reaches(next)
                })
    })
}

/// All runs of bytes of a kind that are as long as this, in full. Only every so many bytes are looked at where there is
/// none.
pub(super) fn runs(bytes: &[u8], least: usize, of: impl Fn(u8) -> bool) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    // Before this is no part of the next run.
    let mut from = 0;
    while let Some(probe) = bytes.get(from + least - 1) {
        let behind = from + least;
        if !of(*probe) {
            from = behind;
            continue;
        }
        let before = bytes[from..behind].iter().rev().take_while(|byte| of(**byte)).count();
        let start = behind - before;
        let after = bytes[behind..].iter().take_while(|byte| of(**byte)).count();
        let end = behind + after;
        if end - start >= least {
            runs.push(start..end);
        }
        from = end + 1;
    }
    runs
}
