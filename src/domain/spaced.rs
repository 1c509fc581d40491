//! Lists as people type them.

use std::fmt::{Display, Formatter, Result};

/// Writes these with a blank between each two.
pub(super) fn write_spaced<T: Display>(f: &mut Formatter<'_>, items: impl IntoIterator<Item = T>) -> Result {
    let blanks = std::iter::once("").chain(std::iter::repeat(" "));
    blanks.zip(items).try_for_each(|(blank, item)| write!(f, "{blank}{item}"))
}

/// Each of them once, in their order.
pub(super) fn unique<T: PartialEq>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    values.into_iter().fold(Vec::new(), |mut kept, value| {
        if !kept.contains(&value) {
            kept.push(value);
        }
        kept
    })
}
