//! A change that this console made.

use crate::domain::Instant;
use crate::domain::text::SafeText;

/// A change that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    pub at: Instant,
    /// `revoking the key 0192…`
    pub what: String,
    /// Why it was not done.
    pub failure: Option<SafeText>,
}
