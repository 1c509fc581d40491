//! Which peppers went into the hashes of keys.

use super::dialect::{Time, rows};
use super::{Conn, Result, Store, Tx};
use crate::domain::Instant;
use crate::domain::key::KeyId;
use crate::domain::secret::Scheme;

/// Each scheme with a pepper, by a look at the index for each of them, with its living keys counted no further than asked.
const USED: &str = "WITH RECURSIVE used (scheme) AS ( \
    SELECT min(scheme) FROM key_auth WHERE substr(scheme, 1, 5) = 'hmac-' \
    UNION ALL SELECT (SELECT min(k.scheme) FROM key_auth k WHERE substr(k.scheme, 1, 5) = 'hmac-' AND k.scheme > used.scheme) \
        FROM used WHERE used.scheme IS NOT NULL) \
    SELECT used.scheme, (SELECT count(*) FROM (SELECT 1 FROM key_auth k WHERE substr(k.scheme, 1, 5) = 'hmac-' \
        AND k.scheme = used.scheme AND k.ends_at > $1 LIMIT $2) AS living) AS keys FROM used WHERE used.scheme IS NOT NULL";

impl Conn<'_> {
    async fn peppered(&mut self, now: Instant, most: u32) -> Result<Vec<(Scheme, u64)>> {
        let rows: Vec<(String, i64)> = rows!(fetch_all, self.again(), USED, [Time(now), i64::from(most)]);
        let used =
            rows.into_iter().filter_map(|(scheme, keys)| Some((scheme.parse().ok()?, keys.unsigned_abs())));
        Ok(used.filter(|(_, keys)| *keys > 0).collect())
    }
}

impl Tx {
    /// How living keys were hashed that a pepper went into.
    pub async fn peppered(&mut self) -> Result<Vec<(Scheme, u64)>> {
        let now = self.now();
        self.conn().peppered(now, 1).await
    }
}

impl Store {
    /// How living keys were hashed that a pepper went into, and how many they are: each counted up to `most`.
    pub async fn peppered(&self, now: Instant, most: u32) -> Result<Vec<(Scheme, u64)>> {
        self.reader().await?.conn().peppered(now, most).await
    }

    /// How the hash of a key comes from its secret; `None`: there is no such key, or nobody knows.
    pub async fn scheme_of(&self, id: KeyId) -> Result<Option<Scheme>> {
        let mut reader = self.reader().await?;
        let row: Option<(String,)> =
            rows!(fetch_optional, reader.conn(), "SELECT scheme FROM key_auth WHERE id = $1", [id]);
        Ok(row.and_then(|(scheme,)| scheme.parse().ok()))
    }
}
