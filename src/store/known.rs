//! Which owners and tags there are already, for whoever types the beginning of one.

use super::dialect::scalar;
use super::{Conn, Result, Store};
use crate::domain::text::{SafeText, fold};

/// From one owner to the next in their index, as far as they begin so: those of a million keys cost as much as of ten.
const OWNERS: &str = "WITH RECURSIVE known (word) AS ( \
     SELECT (SELECT min(owner_key) FROM keys WHERE owner_key IS NOT NULL AND owner_key >= $1) \
     UNION ALL \
     SELECT (SELECT min(owner_key) FROM keys WHERE owner_key IS NOT NULL AND owner_key > word) FROM known \
     WHERE substr(word, 1, length($1)) = $1) \
     SELECT (SELECT owner FROM keys WHERE owner_key = word LIMIT 1) FROM known \
     WHERE substr(word, 1, length($1)) = $1 LIMIT $2";
/// The same of tags, which SQLite has one by one.
const TAGS: &str = "WITH RECURSIVE known (word) AS ( \
     SELECT (SELECT min(tag) FROM key_tags WHERE tag >= $1) \
     UNION ALL \
     SELECT (SELECT min(tag) FROM key_tags WHERE tag > word) FROM known WHERE substr(word, 1, length($1)) = $1) \
     SELECT word FROM known WHERE substr(word, 1, length($1)) = $1 LIMIT $2";
/// PostgreSQL has them in no order: those of the newest keys.
const NEWEST_TAGS: &str = "SELECT DISTINCT tag COLLATE \"C\" AS word FROM ( \
     SELECT unnest(string_to_array(tags, ' ')) AS tag FROM ( \
     SELECT tags FROM keys ORDER BY id DESC LIMIT 20000) newest WHERE tags <> '') found \
     WHERE starts_with(tag, $1) ORDER BY word LIMIT $2";

impl Store {
    /// Owners whose names begin so in any spelling, in their order.
    pub async fn owners_beginning(&self, beginning: &str, limit: u32) -> Result<Vec<SafeText>> {
        let mut reader = self.reader().await?;
        Ok(scalar!(fetch_all, reader.conn(), OWNERS, [fold(beginning), i64::from(limit)]))
    }

    /// Tags that begin so, in their order.
    pub async fn tags_beginning(&self, beginning: &str, limit: u32) -> Result<Vec<SafeText>> {
        let mut reader = self.reader().await?;
        let conn = reader.conn();
        let sql = if matches!(conn, Conn::Postgres(_)) { NEWEST_TAGS } else { TAGS };
        Ok(scalar!(fetch_all, conn, sql, [fold(beginning), i64::from(limit)]))
    }
}
