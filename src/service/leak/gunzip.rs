//! What was compressed with gzip, without a trace of it left in memory.

use std::io::{self, BufRead, Cursor, Read, Write};

use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use zeroize::Zeroizing;

/// How such a file begins.
pub const MAGIC: [u8; 2] = [0x1f, 0x8b];
/// Nothing expands to more: the rest is not read.
const MOST: u64 = 4 << 30;
/// Twice what a decoder remembers.
const WINDOW: usize = 64 << 10;

/// Reads what gzip made, one member after the other.
pub struct Gunzip {
    decoder: GzDecoder<Box<dyn BufRead>>,
    ended: bool,
    expanded: u64,
}

impl Gunzip {
    pub fn new(read: impl Read + 'static) -> Self {
        let read = Buffered { read, buffer: Zeroizing::new(vec![0; WINDOW]), at: 0, end: 0 };
        Self { decoder: GzDecoder::new(Box::new(read)), ended: false, expanded: 0 }
    }
}

impl Read for Gunzip {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while !self.ended && !into.is_empty() {
            let length = self.decoder.read(into)?;
            self.expanded += length as u64;
            if self.expanded > MOST {
                let words = format!("it expands to more than {} GB: the rest was not searched", MOST >> 30);
                return Err(io::Error::other(words));
            }
            if length > 0 {
                return Ok(length);
            }
            let mut rest = self.decoder.reset(Box::new(io::empty()));
            self.ended = !rest.fill_buf()?.starts_with(&MAGIC[..1]);
            self.decoder.reset(rest);
        }
        Ok(0)
    }
}

impl Drop for Gunzip {
    /// The decoder remembers the last of what it made: something else takes its place.
    fn drop(&mut self) {
        let mut nothing = GzEncoder::new(Vec::new(), Compression::fast());
        if nothing.write_all(&[0; WINDOW]).is_ok()
            && let Ok(nothing) = nothing.finish()
        {
            self.decoder.reset(Box::new(Cursor::new(nothing)));
            let _ = io::copy(&mut self.decoder, &mut io::sink());
        }
    }
}

/// A reader with a buffer that is wiped.
struct Buffered<R> {
    read: R,
    buffer: Zeroizing<Vec<u8>>,
    at: usize,
    end: usize,
}

impl<R: Read> Read for Buffered<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(into)?;
        self.consume(length);
        Ok(length)
    }
}

impl<R: Read> BufRead for Buffered<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.end {
            (self.at, self.end) = (0, self.read.read(&mut self.buffer)?);
        }
        Ok(&self.buffer[self.at..self.end])
    }

    fn consume(&mut self, amount: usize) {
        self.at = (self.at + amount).min(self.end);
    }
}
