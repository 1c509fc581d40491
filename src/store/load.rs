//! Writing keys: one, or thousands at once for `keyrack demo`.

use sqlx::{AssertSqlSafe, QueryBuilder};

use super::dialect::{Allow, Time, both, scalar};
use super::refold::search;
use super::{Pools, Result, Store, Tx};
use crate::domain::key::{CLAIM_TIME, NewKey};
use crate::domain::text::fold;

/// 500 rows of 26 values: below SQLite's 32,766 values a statement.
const ROWS: usize = 500;

impl Tx {
    /// Adds keys in as few statements as the databases allow. A key must come after the one that it replaces.
    pub async fn add_keys(&mut self, keys: &[NewKey]) -> Result<()> {
        for some in keys.chunks(ROWS) {
            both!(self.conn(), c => {
                let mut sql = QueryBuilder::<Db>::new(
                    "INSERT INTO keys (id, account, issuer, name, name_key, description, search, preview, tail, hash, \
                     scopes, allow, created_at, created_by, expires_at, claim_by, acknowledged_at, last_used_at, \
                     last_used_from, last_used_endpoint, limits, revoked_at, revoked_by, revoke_reason, predecessor, \
                     overlap_seconds) ",
                );
                sql.push_values(some, |mut row, key| {
                    let name_key = fold(&key.name);
                    let search = search(&key.name, &key.description);
                    let end = key.revocation.as_ref();
                    row.push_bind(key.id)
                        .push_bind(key.account.clone())
                        .push_bind(key.issuer.clone())
                        .push_bind(key.name.clone())
                        .push_bind(name_key)
                        .push_bind(key.description.clone())
                        .push_bind(search)
                        .push_bind(key.preview.clone())
                        .push_bind(key.tail.clone())
                        .push_bind(key.hash.0.to_vec())
                        .push_bind(key.scopes.to_string())
                        .push_bind(Allow(key.allow.clone()))
                        .push_bind(Time(key.created_at))
                        .push_bind(key.created_by.clone())
                        .push_bind(key.expires_at.map(Time))
                        .push_bind(Time(key.created_at + CLAIM_TIME))
                        .push_bind(key.acknowledged_at.map(Time))
                        .push_bind(key.last_used_at.map(Time))
                        .push_bind(key.last_used_from.clone())
                        .push_bind(key.last_used_endpoint.clone())
                        .push_bind((!key.limits.is_empty()).then(|| key.limits.to_string()))
                        .push_bind(end.map(|end| Time(end.at)))
                        .push_bind(end.map(|end| end.by.clone()))
                        .push_bind(end.and_then(|end| end.reason.clone()))
                        .push_bind(key.replaces.map(|(id, _)| id))
                        .push_bind(key.replaces.map(|(_, overlap)| overlap.duration().num_seconds()));
                });
                sql.build().persistent(matches!(some.len(), 1 | ROWS)).execute(c).await?;
            });
        }
        Ok(())
    }
}

impl Store {
    /// Whether there is any key at all.
    pub async fn has_keys(&self) -> Result<bool> {
        let mut reader = self.reader().await?;
        let sql = "SELECT count(*) FROM (SELECT 1 FROM keys LIMIT 1) AS found";
        let found: i64 = scalar!(fetch_one, reader.conn(), sql);
        Ok(found > 0)
    }

    /// Gets ready for very many insertions into a table that is still empty: its indexes go, because each row would touch
    /// a page of every one of them. [`Store::end_load`] takes the answer and makes them again, all at once and sorted.
    /// Who does not own the table leaves them, and waits longer.
    pub async fn begin_load(&self) -> Result<Vec<String>> {
        match &self.pools {
            Pools::Sqlite { writer, .. } => {
                sqlx::raw_sql("PRAGMA cache_size = -262144; PRAGMA wal_autocheckpoint = 16384")
                    .execute(writer)
                    .await?;
                let indexes: Vec<(String, String)> = sqlx::query_as(
                    "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'keys' AND sql IS NOT NULL",
                )
                .fetch_all(writer)
                .await?;
                for (name, _) in &indexes {
                    sqlx::query(AssertSqlSafe(format!("DROP INDEX {name}"))).execute(writer).await?;
                }
                Ok(indexes.into_iter().map(|(_, sql)| sql).collect())
            }
            Pools::Postgres(pool) => {
                let indexes: Vec<(String, String)> = sqlx::query_as(
                    "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i \
                     JOIN pg_class t ON t.oid = i.indrelid \
                     WHERE i.indrelid = 'keys'::regclass AND NOT i.indisunique AND pg_has_role(t.relowner, 'USAGE')",
                )
                .fetch_all(pool)
                .await?;
                for (name, _) in &indexes {
                    sqlx::query(AssertSqlSafe(format!("DROP INDEX {name}"))).execute(pool).await?;
                }
                Ok(indexes.into_iter().map(|(_, sql)| sql).collect())
            }
        }
    }

    /// Makes the indexes again that [`Store::begin_load`] took away, and lets the database learn how its data is spread.
    pub async fn end_load(&self, indexes: Vec<String>) -> Result<()> {
        match &self.pools {
            Pools::Sqlite { writer, .. } => {
                for index in indexes {
                    sqlx::query(AssertSqlSafe(index)).execute(writer).await?;
                }
                // Enough to tell a rare value from a common one; the whole table would take long.
                sqlx::raw_sql(
                    "PRAGMA analysis_limit = 1000; ANALYZE; PRAGMA wal_checkpoint(TRUNCATE); \
                     PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 4096",
                )
                .execute(writer)
                .await?;
            }
            Pools::Postgres(pool) => {
                for index in indexes {
                    sqlx::query(AssertSqlSafe(index)).execute(pool).await?;
                }
                sqlx::raw_sql("ANALYZE keys").execute(pool).await?;
                sqlx::raw_sql("ANALYZE audit, accounts").execute(pool).await?;
            }
        }
        Ok(())
    }
}
