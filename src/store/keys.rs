//! Keys in the database, one at a time. Pages of them are in [`super::page`].

use sqlx::QueryBuilder;
use uuid::Uuid;

use super::dialect::{Time, both};
use super::rows::{KEY_COLUMNS, KeyRow};
use super::{Conn, Result, Store, Tx};
use crate::domain::Instant;
use crate::domain::budget::Budgets;
use crate::domain::key::{Key, KeyId, Revocation};
use crate::domain::secret::HashedKey;

/// Rows of one statement.
const ROWS: usize = 500;

impl Store {
    /// One key, read on a connection of its own: what a writer committed is seen here or nowhere.
    pub async fn key(&self, id: KeyId) -> Result<Option<Key>> {
        let mut reader = self.reader().await?;
        let row = both!(reader.conn(), c => {
            sqlx::query_as::<Db, KeyRow>(sqlx::AssertSqlSafe(format!("SELECT {KEY_COLUMNS} FROM keys k WHERE k.id = $1")))
                .bind(id)
                .fetch_optional(c)
                .await?
        });
        Ok(row.map(Key::from))
    }

    /// The key of this secret.
    pub async fn key_by_hash(&self, hash: HashedKey) -> Result<Option<Key>> {
        let mut reader = self.reader().await?;
        let row = both!(reader.conn(), c => {
            sqlx::query_as::<Db, KeyRow>(sqlx::AssertSqlSafe(format!("SELECT {KEY_COLUMNS} FROM keys k WHERE k.hash = $1")))
                .bind(hash.0.to_vec())
                .fetch_optional(c)
                .await?
        });
        Ok(row.map(Key::from))
    }
}

impl Tx {
    /// One key, locked until the end of the transaction.
    pub async fn lock_key(&mut self, id: KeyId) -> Result<Option<Key>> {
        let row = match self.conn() {
            Conn::Sqlite(c) => {
                let sql = format!("SELECT {KEY_COLUMNS} FROM keys k WHERE k.id = $1");
                sqlx::query_as::<_, KeyRow>(sqlx::AssertSqlSafe(sql)).bind(id).fetch_optional(c).await?
            }
            Conn::Postgres(c) => {
                let sql = format!("SELECT {KEY_COLUMNS} FROM keys k WHERE k.id = $1 FOR UPDATE OF k");
                sqlx::query_as::<_, KeyRow>(sqlx::AssertSqlSafe(sql)).bind(id).fetch_optional(c).await?
            }
        };
        Ok(row.map(Key::from))
    }

    /// How many keys of the account are active, counted no further than `limit`.
    pub async fn count_active(&mut self, account: &str, limit: u32) -> Result<u64> {
        let now = Time(self.now());
        let count: i64 = both!(self.conn(), c => {
            sqlx::query_scalar::<Db, i64>(
                "SELECT count(*) FROM (SELECT 1 FROM keys WHERE account = $1 AND ends_at > $2 LIMIT $3) AS counted",
            )
            .bind(account)
            .bind(now)
            .bind(i64::from(limit))
            .fetch_one(c)
            .await?
        });
        Ok(count.unsigned_abs())
    }

    /// The instants of the account's newest creations after `since`, newest first, at most `limit`.
    pub async fn creations_since(
        &mut self,
        account: &str,
        since: Instant,
        limit: u32,
    ) -> Result<Vec<Instant>> {
        let times: Vec<Time> = both!(self.conn(), c => {
            sqlx::query_scalar::<Db, Time>(
                "SELECT created_at FROM keys WHERE account = $1 AND created_at > $2 ORDER BY created_at DESC LIMIT $3",
            )
            .bind(account)
            .bind(Time(since))
            .bind(i64::from(limit))
            .fetch_all(c)
            .await?
        });
        Ok(times.into_iter().map(|time| time.0).collect())
    }

    /// Links the old key to the one that replaces it.
    pub async fn set_successor(&mut self, old: KeyId, new: KeyId) -> Result<()> {
        both!(self.conn(), c => {
            sqlx::query::<Db>("UPDATE keys SET successor = $2 WHERE id = $1").bind(old).bind(new).execute(c).await?;
        });
        Ok(())
    }

    /// Links old keys to the ones that replace them, and sets the old ones' ends.
    pub async fn retire_all(&mut self, retired: &[(KeyId, KeyId, Instant)]) -> Result<()> {
        for some in retired.chunks(ROWS) {
            both!(self.conn(), c => {
                let mut sql = QueryBuilder::<Db>::new("WITH u(id, successor, ends) AS (");
                sql.push_values(some, |mut row, (old, new, end)| {
                    row.push_bind(*old).push_bind(*new).push_bind(Time(*end));
                });
                sql.push(") UPDATE keys SET successor = u.successor, expires_at = u.ends FROM u WHERE keys.id = u.id");
                sql.build().persistent(false).execute(c).await?;
            });
        }
        Ok(())
    }

    /// How long the predecessor of `key` outlives the acknowledgement, in seconds.
    pub async fn overlap_of(&mut self, key: KeyId) -> Result<Option<i64>> {
        Ok(both!(self.conn(), c => {
            sqlx::query_scalar::<Db, Option<i64>>("SELECT overlap_seconds FROM keys WHERE id = $1")
                .bind(key)
                .fetch_one(c)
                .await?
        }))
    }

    pub async fn acknowledge(&mut self, key: KeyId) -> Result<()> {
        let now = Time(self.now());
        both!(self.conn(), c => {
            sqlx::query::<Db>("UPDATE keys SET acknowledged_at = $2 WHERE id = $1 AND acknowledged_at IS NULL")
                .bind(key)
                .bind(now)
                .execute(c)
                .await?;
        });
        Ok(())
    }

    /// Brings the end of a key forward.
    pub async fn set_expiry(&mut self, key: KeyId, at: Instant) -> Result<()> {
        both!(self.conn(), c => {
            sqlx::query::<Db>("UPDATE keys SET expires_at = $2 WHERE id = $1").bind(key).bind(Time(at)).execute(c).await?;
        });
        Ok(())
    }

    /// Gives a key budgets of its own; none: the policy's hold.
    pub async fn set_limits(&mut self, key: KeyId, limits: &Budgets) -> Result<()> {
        let text = (!limits.is_empty()).then(|| limits.to_string());
        both!(self.conn(), c => {
            sqlx::query::<Db>("UPDATE keys SET limits = $2 WHERE id = $1").bind(key).bind(text).execute(c).await?;
        });
        Ok(())
    }

    /// Revokes a key for good.
    pub async fn revoke(&mut self, key: KeyId, end: &Revocation) -> Result<()> {
        both!(self.conn(), c => {
            sqlx::query::<Db>(
                "UPDATE keys SET revoked_at = $2, revoked_by = $3, revoke_reason = $4 WHERE id = $1 AND revoked_at IS NULL",
            )
            .bind(key)
            .bind(Time(end.at))
            .bind(end.by.as_str())
            .bind(end.reason.as_deref())
            .execute(c)
            .await?;
        });
        Ok(())
    }

    /// The key that an operation made, if it made one.
    pub async fn key_made_by(&mut self, operation: Uuid) -> Result<Option<KeyId>> {
        Ok(both!(self.conn(), c => {
            sqlx::query_scalar::<Db, Option<Uuid>>(
                "SELECT key FROM audit WHERE operation = $1 AND action IN ('key.create', 'key.rotate') LIMIT 1",
            )
            .bind(operation)
            .fetch_optional(c)
            .await?
        })
        .flatten())
    }
}
