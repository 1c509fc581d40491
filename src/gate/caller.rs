//! Who sent a request.

use super::origin::Peer;
use super::wire::Note;

/// Who sent a request, and how it spelled its headers. Stands among the request's extensions.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// The other end of the connection.
    pub peer: Peer,
    /// Whether it came to the listener of the operators, which no proxy brings strangers to.
    pub apart: bool,
    pub note: Note,
}
