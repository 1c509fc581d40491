//! Keys that were found by what a person holds in hand.

use super::{Result, Service};
use crate::domain::Instant;
use crate::domain::key::{Key, Status};
use crate::domain::query::{Column, Direction, Query, Sort, Term, Test};
use crate::domain::secret::HashedKey;
use crate::domain::text::SafeText;
use crate::store::{Side, Slice};

/// Previews of one text that are looked up.
pub(super) const PREVIEWS: usize = 20;

/// A key that was found, and who may be told of it: the account's admins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub key: Key,
    pub admins: Vec<SafeText>,
}

/// What fits a text that was typed, whatever became of it.
pub(super) fn fitting(text: String) -> Query {
    // Any status: naming them all keeps the ended keys of every policy in view.
    let terms = [Test::Status(Status::ALL.to_vec()), Test::Text(text)];
    Query { terms: terms.into_iter().map(|test| Term { negated: false, test }).collect() }
}

impl Service {
    /// The first keys of a query, those that work first.
    pub(super) async fn first_of(&self, query: &Query, limit: u32, now: Instant) -> Result<Vec<Key>> {
        let sort = Sort { column: Column::Status, direction: Direction::Descending };
        let slice = Slice { query, sort, place: None, side: Side::From, limit };
        Ok(self.inner.store.page(slice, now).await?.into_iter().map(|(key, _)| key).collect())
    }

    /// The keys of these secrets, each with its hash.
    pub(super) async fn of_secrets(&self, mut hashes: Vec<HashedKey>) -> Result<Vec<(HashedKey, Key)>> {
        hashes.sort_unstable_by_key(|hash| hash.0);
        hashes.dedup();
        if hashes.is_empty() { Ok(Vec::new()) } else { Ok(self.inner.store.keys_by_hash(&hashes).await?) }
    }
}
