//! Keys in the database, one at a time. Pages of them are in [`super::page`].

use std::collections::HashMap;

use sqlx::{AssertSqlSafe, QueryBuilder};
use uuid::Uuid;

use super::dialect::{Time, both, rows, run, scalar};
use super::filter::{Driver as _, push_ids};
use super::reading::from_row;
use super::rows::{KEY_COLUMNS, KeyRow};
use super::{Conn, Result, Store, Tx};
use crate::domain::Instant;
use crate::domain::budget::Budgets;
use crate::domain::key::{Key, KeyId, Revocation};
use crate::domain::pause::Pause;
use crate::domain::secret::HashedKey;
use crate::domain::text::SafeText;

mod edits;

/// Rows of one statement.
const ROWS: usize = 500;

/// What an account has, as far as its caps ask.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    /// Active keys, those in the database counted no further than the cap.
    pub active: u64,
    /// If as many keys were made as may be: when the oldest of those was.
    pub oldest: Option<Instant>,
    /// As [`Tx::seen`], behind the account's lock.
    pub seen: bool,
    /// Whether a stop of creation may hold; see [`Tx::held`].
    pub stopped: bool,
    /// Whether a pepper went into the hash of any key; see [`Tx::peppered`].
    pub peppered: bool,
}

struct HashRow {
    hash: Vec<u8>,
    key: KeyRow,
}

from_row!(HashRow, row => Self { hash: row.get("hash"), key: row.part()? });

impl Store {
    /// One key, read on a connection of its own: what a writer committed is seen here or nowhere.
    pub async fn key(&self, id: KeyId) -> Result<Option<Key>> {
        self.reader().await?.conn().judged("WHERE k.id = $1", id).await
    }

    /// The same of the key with this secret.
    pub async fn key_by_hash(&self, hash: HashedKey) -> Result<Option<Key>> {
        self.reader().await?.conn().judged("WHERE k.hash = $1", hash.0.to_vec()).await
    }

    /// These keys, which are named in the order of their ids, in that order; those that are not there are left out.
    pub async fn keys(&self, ids: &[KeyId]) -> Result<Vec<Key>> {
        these(self.reader().await?.conn(), ids, "").await
    }

    /// The keys of these secrets, each with its hash, in no order.
    pub async fn keys_by_hash(&self, hashes: &[HashedKey]) -> Result<Vec<(HashedKey, Key)>> {
        let mut found = Vec::new();
        let mut reader = self.reader().await?;
        for some in hashes.chunks(ROWS) {
            let rows: Vec<HashRow> = both!(reader.conn(), c => {
                let mut sql = QueryBuilder::<Db>::new(format!("SELECT k.hash, {KEY_COLUMNS} FROM {} WHERE k.hash IN (", Db::KEYS));
                let mut list = sql.separated(", ");
                for hash in some {
                    list.push_bind(hash.0.to_vec());
                }
                sql.push(")");
                sql.build_query_as().fetch_all(c).await?
            });
            // It was found by its hash, so that it is 32 bytes.
            let (hashes, keys): (Vec<_>, Vec<_>) = rows
                .into_iter()
                .filter_map(|row| Some((HashedKey(row.hash.try_into().ok()?), row.key.0)))
                .unzip();
            found.extend(hashes.into_iter().zip(reader.conn().judge(keys).await?));
        }
        Ok(found)
    }
}

struct WholeRow {
    scheme: String,
    hashed: HashRow,
}

from_row!(WholeRow, row => Self { scheme: row.text("scheme"), hashed: row.part()? });

impl Store {
    /// Keys after that id, in the order of their ids, each with its hash and how that comes from its secret.
    pub async fn keys_with_hashes(&self, after: KeyId, limit: u32) -> Result<Vec<(HashedKey, String, Key)>> {
        let mut reader = self.reader().await?;
        let keys = reader.conn().keys();
        let sql = format!(
            "SELECT k.hash, k.scheme, {KEY_COLUMNS} FROM {keys} WHERE k.id > $1 ORDER BY k.id LIMIT $2"
        );
        let rows: Vec<WholeRow> =
            rows!(fetch_all, reader.conn(), sqlx::AssertSqlSafe(sql), [after, i64::from(limit)]);
        let (of, keys): (Vec<_>, Vec<_>) = rows
            .into_iter()
            .filter_map(|row| {
                Some(((HashedKey(row.hashed.hash.try_into().ok()?), row.scheme), row.hashed.key.0))
            })
            .unzip();
        let keys = reader.conn().judge(keys).await?;
        Ok(of.into_iter().zip(keys).map(|((hash, scheme), key)| (hash, scheme, key)).collect())
    }
}

/// What the column `expires_at` holds: when a key stops, by its expiry or by its planned revocation.
pub(super) fn stops(expires_at: Option<Instant>, revoke_at: Option<Instant>) -> Option<Time> {
    [expires_at, revoke_at].into_iter().flatten().min().map(Time)
}

/// These keys, in the order of their ids.
async fn these(mut conn: Conn<'_>, ids: &[KeyId], lock: &str) -> Result<Vec<Key>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<KeyRow> = both!(conn.again(), c => {
        let mut sql = QueryBuilder::<Db>::new(format!("SELECT {KEY_COLUMNS} FROM {} WHERE k.id IN ", Db::KEYS));
        push_ids::<Db>(&mut sql, ids);
        sql.push(" ORDER BY k.id").push(lock);
        sql.build_query_as().persistent(ids.len() == 1).fetch_all(c).await?
    });
    conn.judge(rows.into_iter().map(Key::from).collect()).await
}

impl Tx {
    /// One key, locked until the end of the transaction.
    pub async fn lock_key(&mut self, id: KeyId) -> Result<Option<Key>> {
        let lock = self.conn().locking(" FOR UPDATE OF k");
        let sql = format!("SELECT {KEY_COLUMNS} FROM {} WHERE k.id = $1{lock}", self.conn().keys());
        let row: Option<KeyRow> = rows!(fetch_optional, self.conn(), sqlx::AssertSqlSafe(sql), [id]);
        Ok(self.conn().judge(row.map(Key::from).into_iter().collect()).await?.pop())
    }

    /// The same, locked until the end of the transaction.
    pub async fn lock_keys(&mut self, ids: &[KeyId]) -> Result<Vec<Key>> {
        let lock = self.conn().locking(" FOR UPDATE OF k");
        these(self.conn(), ids, lock).await
    }

    /// The same as they are now, which others may change meanwhile.
    pub async fn keys(&mut self, ids: &[KeyId]) -> Result<Vec<Key>> {
        these(self.conn(), ids, "").await
    }

    /// How many keys of the account are active, those in the database counted no further than `limit`.
    pub async fn count_active(&mut self, account: &str, limit: u32) -> Result<u64> {
        let now = self.now();
        Ok(self.count_keys(account, limit, (now, 0)).await?.active)
    }

    /// What the caps of an account are compared with, whose row is locked; keys that are owed are counted too. `made` is the
    /// time since when its creations count, and how many it may have.
    pub async fn count_keys(
        &mut self,
        account: &str,
        active: u32,
        (since, made): (Instant, u32),
    ) -> Result<Counted> {
        // What is made and not written yet is the newest.
        let owed = self.owed_keys().iter().filter(|key| key.account == account);
        let owed: Vec<Instant> = owed.map(|key| key.created_at).collect();
        let before = made.saturating_sub(u32::try_from(owed.len()).unwrap_or(u32::MAX));
        // What a clock that was wrong made in the future is no measure.
        let (now, operation, told) = (Time(self.now()), self.operation(), self.told());
        type Row = (i64, Option<Time>, bool, bool, bool, i64);
        let (active, oldest, seen, stopped, peppered, unfed): Row = both!(self.conn(), c => {
            // The indexes that are fed in batches: SQLite's.
            let unfed = match Db::ROW {
                "seq" => "coalesce((SELECT max(seq) FROM key_auth), 0) - (SELECT upto FROM key_feed)",
                _ => "CAST(0 AS bigint)",
            };
            // SQLite plans a statement anew whenever a value changes that it compares with a column directly.
            let value = |n: u32| if Db::ROW == "seq" { format!("(SELECT ${n})") } else { format!("${n}") };
            let (of, at, from) = (value(1), value(2), value(4));
            let sql = format!(
                "SELECT (SELECT count(*) FROM (SELECT 1 FROM key_auth WHERE account = {of} AND ends_at > {at} LIMIT $3) AS counted), \
                     (SELECT created_at FROM key_auth WHERE account = {of} AND created_at > {from} AND created_at <= {at} \
                         AND imported_from IS NULL ORDER BY created_at DESC LIMIT 1 OFFSET $5), \
                     EXISTS (SELECT 1 FROM {told} WHERE operation = $6), \
                     EXISTS (SELECT 1 FROM holds WHERE kind = 'creation' AND lifted_at IS NULL), \
                     (SELECT min(scheme) FROM key_auth WHERE substr(scheme, 1, 5) = 'hmac-') IS NOT NULL, {unfed}"
            );
            let sql = sqlx::query_as::<Db, _>(AssertSqlSafe(sql)).bind(account).bind(now).bind(i64::from(active));
            sql.bind(Time(since)).bind((i64::from(before) - 1).max(0)).bind(operation).fetch_one(c).await?
        });
        self.set_unfed(unfed);
        let oldest = match (made as usize).checked_sub(1).and_then(|place| owed.iter().rev().nth(place)) {
            Some(oldest) => Some(*oldest).filter(|oldest| *oldest > since),
            None => oldest.map(Instant::from),
        };
        Ok(Counted { active: active.unsigned_abs() + owed.len() as u64, oldest, seen, stopped, peppered })
    }

    /// Links old keys to the ones that replace them.
    pub async fn set_successors(&mut self, pairs: &[(KeyId, KeyId)]) -> Result<()> {
        for some in pairs.chunks(ROWS) {
            both!(self.conn(), c => {
                let mut sql = QueryBuilder::<Db>::new("WITH u(id, successor) AS (");
                sql.push_values(some, |mut row, (old, new)| {
                    row.push_bind(*old).push_bind(*new);
                });
                sql.push(") UPDATE keys SET successor = u.successor FROM u JOIN key_auth k ON k.id = u.id WHERE keys.");
                sql.push(Db::ROW).push(" = k.").push(Db::ROW);
                sql.build().persistent(some.len() == 1).execute(c).await?;
            });
        }
        Ok(())
    }

    /// Sets when each of these keys expires; one whose revocation is planned for earlier is revoked then all the same.
    pub async fn set_expiries(&mut self, ends: &[(KeyId, Instant)]) -> Result<()> {
        for some in ends.chunks(ROWS) {
            both!(self.conn(), c => {
                let mut sql = QueryBuilder::<Db>::new("WITH u(id, ends) AS (");
                sql.push_values(some, |mut row, (id, end)| {
                    row.push_bind(*id).push_bind(Time(*end));
                });
                sql.push(
                    ") UPDATE key_auth SET expires_at = CASE WHEN revoke_at < u.ends THEN revoke_at ELSE u.ends END, \
                     own_expiry = CASE WHEN revoke_at IS NOT NULL THEN u.ends END FROM u WHERE key_auth.id = u.id",
                );
                sql.build().persistent(some.len() == 1).execute(c).await?;
            });
        }
        Ok(())
    }

    /// Revokes keys for good, each for a reason of its own.
    pub async fn revoke_each(&mut self, at: Instant, by: &str, reasons: &[(KeyId, String)]) -> Result<()> {
        for some in reasons.chunks(ROWS) {
            both!(self.conn(), c => {
                let mut sql = QueryBuilder::<Db>::new("WITH u(id, reason) AS (");
                sql.push_values(some, |mut row, (id, reason)| {
                    row.push_bind(*id).push_bind(reason);
                });
                sql.push(") UPDATE key_auth SET revoked_at = ").push_bind(Time(at));
                sql.push(", revoked_by = ").push_bind(by);
                sql.push(", revoke_reason = u.reason FROM u WHERE key_auth.id = u.id AND key_auth.revoked_at IS NULL");
                sql.build().persistent(some.len() == 1).execute(c).await?;
            });
        }
        Ok(())
    }

    /// How long the predecessor of `key` outlives the acknowledgement, in seconds.
    pub async fn overlap_of(&mut self, key: KeyId) -> Result<Option<i64>> {
        let sql = format!("SELECT m.overlap_seconds FROM {} WHERE k.id = $1", self.conn().keys());
        Ok(scalar!(fetch_one, self.conn(), sqlx::AssertSqlSafe(sql), [key]))
    }

    pub async fn acknowledge(&mut self, keys: &[KeyId]) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        let now = self.now();
        both!(self.conn(), c => {
            let mut sql = QueryBuilder::<Db>::new("UPDATE key_auth SET acknowledged_at = ");
            sql.push_bind(Time(now)).push(" WHERE acknowledged_at IS NULL AND id IN ");
            push_ids::<Db>(&mut sql, keys);
            sql.build().persistent(keys.len() == 1).execute(c).await?;
        });
        Ok(())
    }

    /// Gives a key budgets of its own; none: the policy's hold.
    pub async fn set_limits(&mut self, key: KeyId, limits: &Budgets) -> Result<()> {
        let text = (!limits.is_empty()).then(|| limits.to_string());
        run!(self.conn(), "UPDATE key_auth SET limits = $2 WHERE id = $1", [key, text]);
        Ok(())
    }

    /// Revokes keys for good.
    pub async fn revoke(&mut self, keys: &[KeyId], end: &Revocation) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        both!(self.conn(), c => {
            let mut sql = QueryBuilder::<Db>::new("UPDATE key_auth SET revoked_at = ");
            sql.push_bind(Time(end.at));
            sql.push(", revoked_by = ").push_bind(end.by.as_str());
            sql.push(", revoke_reason = ").push_bind(end.reason.as_deref());
            sql.push(" WHERE revoked_at IS NULL AND id IN ");
            push_ids::<Db>(&mut sql, keys);
            sql.build().persistent(keys.len() == 1).execute(c).await?;
        });
        Ok(())
    }

    /// Pauses keys, whatever pause they had before; `None`: takes theirs away.
    pub async fn pause(&mut self, keys: &[KeyId], pause: Option<&Pause>) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        let text = |text: Option<&SafeText>| text.map(ToString::to_string);
        both!(self.conn(), c => {
            let mut sql = QueryBuilder::<Db>::new("UPDATE key_auth SET paused_at = ");
            sql.push_bind(pause.map(|pause| Time(pause.at)));
            sql.push(", paused_until = ").push_bind(pause.map(|pause| Time(pause.until)));
            sql.push(", paused_by = ").push_bind(text(pause.map(|pause| &pause.by)));
            sql.push(", pause_message = ").push_bind(text(pause.and_then(|pause| pause.message.as_ref())));
            sql.push(", pause_reason = ").push_bind(text(pause.and_then(|pause| pause.reason.as_ref())));
            sql.push(" WHERE revoked_at IS NULL AND id IN ");
            push_ids::<Db>(&mut sql, keys);
            sql.build().persistent(keys.len() == 1).execute(c).await?;
        });
        Ok(())
    }

    /// Which of these hashes keys have already, each with the key's account.
    pub async fn accounts_of_hashes(&mut self, hashes: &[HashedKey]) -> Result<HashMap<HashedKey, String>> {
        let known = |(hash, account): (Vec<u8>, String)| Some((HashedKey(hash.try_into().ok()?), account));
        let mut found = HashMap::new();
        if let Conn::Postgres(mut c) = self.conn() {
            for some in hashes.chunks(20 * ROWS) {
                let rows: Vec<(Vec<u8>, String)> =
                    sqlx::query_as("SELECT hash, account FROM key_auth WHERE hash = ANY($1)")
                        .bind(some.iter().map(|hash| &hash.0[..]).collect::<Vec<_>>())
                        .fetch_all(&mut c)
                        .await?;
                found.extend(rows.into_iter().filter_map(known));
            }
            return Ok(found);
        }
        for some in hashes.chunks(ROWS) {
            let rows: Vec<(Vec<u8>, String)> = both!(self.conn(), c => {
                let mut sql = QueryBuilder::<Db>::new("SELECT hash, account FROM key_auth WHERE hash IN (");
                let mut list = sql.separated(", ");
                for hash in some {
                    list.push_bind(hash.0.to_vec());
                }
                sql.push(")");
                sql.build_query_as().persistent(some.len() == ROWS).fetch_all(c).await?
            });
            found.extend(rows.into_iter().filter_map(known));
        }
        Ok(found)
    }

    /// The keys that an operation made.
    pub async fn keys_made_by(&mut self, operation: Uuid) -> Result<Vec<KeyId>> {
        let sql = format!(
            "SELECT key FROM {} WHERE operation = $1 AND action IN ('key.create', 'key.rotate', 'key.import')",
            self.told()
        );
        let made: Vec<Option<KeyId>> = scalar!(fetch_all, self.conn(), AssertSqlSafe(sql), [operation]);
        Ok(made.into_iter().flatten().collect())
    }
}
