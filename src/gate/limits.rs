//! How long callers are waited for, and how many there may be.

use std::time::Duration;

use super::wire::Patience;

/// A head may have so many bytes; a longer one is answered with 431.
pub const HEAD_MAX: usize = 64 * 1024;

/// How callers are waited for.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most connections at once; further ones wait to be accepted.
    pub connections: usize,
    pub patience: Patience,
    /// For the next request on a connection. Longer than proxies keep theirs, so that they are the ones who close.
    pub idle: Duration,
    /// For open requests when the program ends.
    pub farewell: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            patience: Patience {
                first: Duration::from_secs(10),
                head: Duration::from_secs(10),
                answer: Duration::from_secs(20),
            },
            idle: Duration::from_secs(120),
            farewell: Duration::from_secs(10),
        }
    }
}
