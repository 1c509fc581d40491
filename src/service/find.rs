//! Finding a key by what a person holds in hand.

use super::{Result, Service};
use crate::domain::key::{Key, KeyId, Status};
use crate::domain::query::{Column, Direction, Query, Sort, Term, Test};
use crate::domain::secret::{DOTS, PlainKey};
use crate::domain::text::{DESCRIPTION_MAX, NAME_MAX, fold_typed};
use crate::store::{Side, Slice};

/// How many keys an answer holds at most.
const FOUND: u32 = 20;
/// No secret of any policy is shorter: two characters of prefix and 43 digits.
const SECRET: usize = 45;

/// What a person holds in hand of a key that they look for.
#[derive(Debug, PartialEq, Eq)]
pub enum Needle {
    /// A whole secret.
    Secret(PlainKey),
    /// Anything else: an id or a part of it, a preview, the last four characters, a name.
    Text(String),
}

impl Needle {
    /// What a person typed or pasted, with the white space around it taken off: a whole secret, if it is long enough and
    /// neither an id nor a preview nor words; else text.
    pub fn from_input(input: PlainKey) -> Self {
        let text = input.expose();
        let secret = text.chars().count() >= SECRET
            && !text.contains(char::is_whitespace)
            && !text.contains(DOTS)
            && text.parse::<uuid::Uuid>().is_err();
        if secret { Self::Secret(input) } else { Self::Text(text.to_owned()) }
    }
}

impl Service {
    /// Finds keys by the whole secret, an id or a part of it, a preview, the last four characters, or a name (VA-14).
    /// At most 20, those that work first. Hidden keys are found too. Looking needs the role of a viewer.
    pub async fn find_keys(&self, needle: Needle) -> Result<Vec<Key>> {
        let now = self.look().await?;
        let text = match needle {
            Needle::Secret(secret) => {
                return Ok(self.inner.store.key_by_hash(secret.hash()).await?.into_iter().collect());
            }
            Needle::Text(text) => fold_typed(text.trim()),
        };
        // Nothing that a key is known by is longer than its name and description together.
        if text.is_empty() || text.chars().count() > NAME_MAX + DESCRIPTION_MAX {
            return Ok(Vec::new());
        }
        if let Ok(id) = text.parse::<KeyId>() {
            return Ok(self.inner.store.key(id).await?.into_iter().collect());
        }
        // Any status: naming them all keeps the ended keys of every policy in view.
        let terms = [Test::Status(Status::ALL.to_vec()), Test::Text(text)];
        let query = Query { terms: terms.into_iter().map(|test| Term { negated: false, test }).collect() };
        let sort = Sort { column: Column::Status, direction: Direction::Descending };
        let slice = Slice { query: &query, sort, place: None, side: Side::From, limit: FOUND };
        let found = self.inner.store.page(slice, now).await?;
        Ok(found.into_iter().map(|(key, _)| key).collect())
    }
}
