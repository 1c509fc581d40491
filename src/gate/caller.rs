//! Who sent a request.

use std::net::IpAddr;

use super::wire::Note;

/// Who sent a request, and how it spelled its headers. Stands among the request's extensions.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// The other end of the connection, canonical.
    pub peer: IpAddr,
    /// Whether it came to the listener of the operators, which no proxy brings strangers to.
    pub apart: bool,
    pub note: Note,
}
