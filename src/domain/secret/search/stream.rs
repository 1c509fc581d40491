//! Searching what is too long to be held at once: window by window, each with what lies before and behind it.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::read::clean;
use super::{Finder, Finding, Hit, header};

/// Bytes that are taken in at once.
const WINDOW: usize = 512 << 10;
/// Bytes of clean text that are looked at again with the next window: what begins in them may go on there. No secret is
/// longer, wrapped, escaped and encoded as it may be, and nobody else's is looked at further.
const AROUND: usize = 16 << 10;
/// The longest run of parameters of a terminal's escape sequence, and a little more: none is cut in two.
const SEQUENCE: usize = 4100;

/// Lines and characters, counted on through a text.
pub(super) struct Walk {
    line: usize,
    column: usize,
}

impl Default for Walk {
    fn default() -> Self {
        Self { line: 1, column: 1 }
    }
}

impl Walk {
    /// Goes on to the end of a piece of text.
    pub(super) fn pass(&mut self, text: &str) {
        match memchr::memrchr(b'\n', text.as_bytes()) {
            Some(last) => {
                self.line += memchr::memchr_iter(b'\n', text.as_bytes()).count();
                self.column = text[last + 1..].chars().count() + 1;
            }
            None => self.column += text.chars().count(),
        }
    }

    /// What was found at the place that was come to.
    pub(super) fn finding(&self, text: &str, hit: Hit) -> Finding {
        let Hit { place, seen, .. } = hit;
        Finding {
            line: self.line,
            column: self.column,
            header: header(&text[..place.start]),
            alone: false,
            kind: seen.kind,
            issuer: seen.issuer,
            readings: seen.readings,
        }
    }
}

/// A search through a text that comes in pieces. Its memory is bounded, and wiped at its end.
pub struct Stream {
    finder: Arc<Finder>,
    /// The first `held` of its bytes are waiting.
    raw: Zeroizing<Vec<u8>>,
    held: usize,
    text: Zeroizing<String>,
    /// What lies before this was told.
    fresh: usize,
    walk: Walk,
    around: usize,
}

impl Stream {
    pub fn new(finder: Arc<Finder>) -> Self {
        Self::with(finder, WINDOW, AROUND)
    }

    pub(super) fn with(finder: Arc<Finder>, window: usize, around: usize) -> Self {
        // Neither grows, so that no copy stays behind.
        let raw = Zeroizing::new(vec![0; window]);
        let text = Zeroizing::new(String::with_capacity(window + 2 * around + 8));
        Self { finder, raw, held: 0, text, fresh: 0, walk: Walk::default(), around }
    }

    /// Where the next bytes are put.
    pub fn space(&mut self) -> &mut [u8] {
        &mut self.raw[self.held..]
    }

    /// So many were put there. Whether there is no more space: time to [`Self::look`].
    pub fn took(&mut self, bytes: usize) -> bool {
        self.held += bytes;
        self.held == self.raw.len()
    }

    /// Tells what is in it so far and can't go on, each finding once, in the order of the text; and all of it where these
    /// were its last bytes. Another text may follow then.
    pub fn look(&mut self, last: bool, mut tell: impl FnMut(Finding)) {
        let cut = if last { self.held } else { whole(&self.raw[..self.held]) };
        clean(&self.raw[..cut], &mut self.text);
        self.raw.copy_within(cut..self.held, 0);
        self.held -= cut;
        let end = self.text.len();
        let until = if last { end } else { self.floor(end.saturating_sub(self.around)).max(self.fresh) };
        let mut at = self.fresh;
        for hit in self.finder.hits(&self.text) {
            if hit.spot >= self.fresh && hit.spot < until {
                self.walk.pass(&self.text[std::mem::replace(&mut at, hit.spot)..hit.spot]);
                tell(self.walk.finding(&self.text, hit));
            }
        }
        if last {
            self.text.clear();
            (self.fresh, self.walk) = (0, Walk::default());
            return;
        }
        self.walk.pass(&self.text[at..until]);
        let gone = self.floor(until.saturating_sub(self.around));
        self.text.drain(..gone);
        self.fresh = until - gone;
    }

    fn floor(&self, at: usize) -> usize {
        self.text.floor_char_boundary(at)
    }
}

/// How much of `raw` can be read by itself: no character and no terminal's sequence is cut in two.
fn whole(raw: &[u8]) -> usize {
    let tail = raw.len().saturating_sub(SEQUENCE);
    let begun = memchr::memrchr(0x1b, &raw[tail..])
        .or_else(|| memchr::memmem::rfind(&raw[tail..], "\u{9b}".as_bytes()));
    if let Some(begun) = begun.map(|at| tail + at).filter(|at| *at > 0) {
        return begun;
    }
    let lead = raw.iter().rev().take(4).position(|byte| byte & 0xc0 != 0x80).unwrap_or(0);
    let wanted = match raw.len().checked_sub(lead + 1).map(|at| raw[at]) {
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf4) => 4,
        _ => 1,
    };
    if lead + 1 < wanted { raw.len() - lead - 1 } else { raw.len() }
}
