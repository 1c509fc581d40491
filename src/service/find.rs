//! Finding a key by what a person holds in hand.

use super::*;

impl Service {
    /// Finds keys by the whole secret, an id or a part of it, a preview, the last four characters, or a name (VA-14).
    /// At most 20, those that work first. Looking needs the role of a viewer.
    pub async fn find_keys(&self, needle: Needle) -> Result<Vec<Key>> {
        unimplemented!()
    }
}
