//! Keys that were found by what a person holds in hand.

use crate::domain::key::Key;
use crate::domain::text::SafeText;

/// Previews of one text that are looked up.
pub(super) const PREVIEWS: usize = 20;

/// A key that was found, and who may be told of it: the account's admins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub key: Key,
    pub admins: Vec<SafeText>,
}
