//! Readers that are counted, and wiped.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use zeroize::Zeroizing;

use crate::domain::secret::SentKey;

/// What was pasted, for reading.
pub struct Held(pub SentKey);

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        self.0.expose()
    }
}

/// Counts what was read.
pub struct Counted {
    pub read: Box<dyn Read>,
    pub passed: Rc<Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = self.read.read(into)?;
        self.passed.set(self.passed.get() + length as u64);
        Ok(length)
    }
}

/// What fails in its midst ends there: what came before is searched all the same.
pub struct Lenient {
    pub read: Box<dyn Read>,
    pub trouble: Option<io::Error>,
}

impl Lenient {
    /// Fills what is given, as far as there is something.
    pub fn fill(&mut self, mut into: &mut [u8]) -> usize {
        let wanted = into.len();
        while !into.is_empty() && self.trouble.is_none() {
            match self.read.read(into) {
                Ok(0) => break,
                Ok(length) => into = &mut into[length..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.trouble = Some(error),
            }
        }
        wanted - into.len()
    }

    pub fn some(&mut self, most: usize) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(vec![0; most]);
        let length = self.fill(&mut bytes);
        bytes.truncate(length);
        bytes
    }
}

impl Read for Lenient {
    /// For what is layered above it, which tells the trouble then.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.trouble.take() {
            Some(error) => Err(error),
            None => self.read.read(into),
        }
    }
}
