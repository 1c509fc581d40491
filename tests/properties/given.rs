//! Taking an input of bytes apart.

/// Bytes that decide how a property is tried.
pub struct Given<'a>(pub &'a [u8]);

impl<'a> Given<'a> {
    /// The next byte; 0 where there is none.
    pub fn byte(&mut self) -> u8 {
        let first = self.0.first().copied().unwrap_or(0);
        self.0 = self.0.get(1..).unwrap_or_default();
        first
    }

    /// One of these.
    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::from(self.byte()) % all.len()]
    }

    /// The next bytes, as many as there are of `count`.
    pub fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

/// `bytes` in pieces whose lengths follow from `seed`: of one byte to 64, now and then all the rest.
pub fn pieces(mut bytes: &[u8], seed: u8) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let mut state = u32::from(seed) * 2 + 1;
    while !bytes.is_empty() {
        state = state.wrapping_mul(0x9e37_79b1).rotate_left(7);
        let length = match state % 8 {
            0 => bytes.len(),
            1..=4 => 1,
            _ => 1 + (state >> 8) as usize % 64,
        };
        let (piece, rest) = bytes.split_at(length.min(bytes.len()));
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}
