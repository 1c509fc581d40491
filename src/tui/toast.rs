//! What the last line says.

use super::words::Severity;
use crate::domain::text::SafeText;

/// A message in the last line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toast {
    pub severity: Severity,
    pub text: SafeText,
    pub holds: Holds,
}

/// How long a message in the last line says what is so, apart from the time that it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// What it tells has happened.
    Ever,
    /// It tells what to do now, or how things stand: until the next gesture.
    Gesture,
    /// It is about the overlay of this number: until that is gone.
    Open(u64),
    /// It tells that something is being read: until that has come, or the next gesture.
    Answer,
}
