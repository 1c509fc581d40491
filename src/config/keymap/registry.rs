//! The registry: every action with its words, its places and its keys as shipped.

use super::Chord;
use super::entry::Registered;

mod overlays;
mod screens;

/// The keys as shipped. Every spelling is read by a test, so that none is lost here.
pub(super) fn defaults() -> Vec<Vec<Chord>> {
    REGISTRY
        .iter()
        .map(|entry| entry.keys.iter().filter_map(|key| Chord::parse(key).ok()).collect())
        .collect()
}

/// Every action, in the order in which the help shows them.
pub const REGISTRY: &[Registered] = &{
    let mut all = [screens::ENTRIES[0]; screens::ENTRIES.len() + overlays::ENTRIES.len()];
    let mut at = 0;
    while at < all.len() {
        let beyond = at.checked_sub(screens::ENTRIES.len());
        all[at] = if let Some(at) = beyond { overlays::ENTRIES[at] } else { screens::ENTRIES[at] };
        at += 1;
    }
    all
};
