//! What is copied.

use std::sync::Arc;

use crate::domain::secret::PlainKey;
use crate::domain::text::SafeText;

/// Text for the clipboard. The secret is shared with the reveal, never copied.
#[derive(Clone, Debug, PartialEq)]
pub enum CopyText {
    /// A masked preview.
    Preview(SafeText),
    /// Ids of keys, with blanks between them.
    Ids(SafeText),
    /// The command that checks a key, without the secret in it.
    Check(SafeText),
    /// Lines of text, and what they are: "the command was".
    Lines(&'static str, Arc<str>),
    Secret(Arc<PlainKey>),
}
