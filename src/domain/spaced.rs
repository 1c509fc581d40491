//! Lists as people type them.

use std::fmt::{Display, Formatter, Result};

/// Writes these with a blank between each two.
pub(super) fn write_spaced<T: Display>(f: &mut Formatter<'_>, items: impl IntoIterator<Item = T>) -> Result {
    let blanks = std::iter::once("").chain(std::iter::repeat(" "));
    blanks.zip(items).try_for_each(|(blank, item)| write!(f, "{blank}{item}"))
}
