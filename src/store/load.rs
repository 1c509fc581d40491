//! Writing keys: one, or thousands at once for `keyrack demo`.

use sqlx::{AssertSqlSafe, QueryBuilder, Sqlite};

use super::dialect::{Allow, Time, both, scalar};
use super::filter::Driver as _;
use super::refold::search_of;
use super::{Conn, Pools, Result, Store, Tx};
use crate::domain::key::{CLAIM_TIME, NewKey};
use crate::domain::owner::Owner;
use crate::domain::text::fold;

mod arrays;
mod foreign;

/// 500 rows of 36 values: below SQLite's 32,766 values a statement.
const ROWS: usize = 500;
/// So many PostgreSQL gets in one statement, as arrays.
const ARRAY: usize = 5_000;
/// Statements of up to so many rows are kept prepared: changes that share a commit make as many keys, mostly.
const FEW: usize = 16;
/// From so many keys on it is worth making indexes anew.
const MANY: usize = 2_000;
/// The indexes of the tables of keys, but for those that keep them apart.
const SQLITE_INDEXES: &str = "SELECT '\"' || replace(name, '\"', '\"\"') || '\"', sql FROM sqlite_master WHERE type = 'index' AND tbl_name IN ('key_auth', 'keys', 'key_use') AND sql IS NOT NULL";
/// So many keys wait for the indexes that are fed in batches: what a list looks at one by one.
const FED: i64 = 256;

/// Takes these away, by their names as SQL spells them.
fn dropping(indexes: &[(String, String)]) -> String {
    indexes.iter().map(|(name, _)| format!("DROP INDEX {name};")).collect()
}

/// What adds these keys, at the end of `$sql`.
macro_rules! push_keys {
    ($db:ty, $sql:ident, $some:ident, $listed:expr) => {{
        // One message for both tables: SQLite takes two statements, PostgreSQL one of two parts.
        let sqlite = <$db>::ROW == "seq";
        let (column, value) = if sqlite { (", listed", i64::from($listed)) } else { ("", 0) };
        let (begin, middle, auth, row) = match sqlite {
            true => ("", "; WITH ", "key_auth", "seq, "),
            false => ("WITH auth AS (", " RETURNING id), ", "auth", ""),
        };
        $sql.push(format!(
            "{begin}INSERT INTO key_auth (hash, id, account, issuer, scopes, allow, limits, created_at, claim_by, expires_at, \
             not_before, revoke_at, planned_by, plan_reason, own_expiry, acknowledged_at, first_used_at, revoked_at, revoked_by, revoke_reason, scheme, imported_from{column}) ",
        ));
        $sql.push_values($some, |mut row, key| {
            let (end, plan) = (key.revocation.as_ref(), key.planned.as_ref());
            row.push_bind(key.hash.0.to_vec())
                .push_bind(key.id)
                .push_bind(key.account.clone())
                .push_bind(key.issuer.clone())
                .push_bind(key.scopes.to_string())
                .push_bind(Allow(key.allow.clone()))
                .push_bind((!key.limits.is_empty()).then(|| key.limits.to_string()))
                .push_bind(Time(key.created_at))
                .push_bind(Time(key.created_at + CLAIM_TIME))
                .push_bind(super::keys::stops(key.expires_at, plan.map(|plan| plan.at)))
                .push_bind(key.not_before.map(Time))
                .push_bind(plan.map(|plan| Time(plan.at)))
                .push_bind(plan.map(|plan| plan.by.clone()))
                .push_bind(plan.and_then(|plan| plan.reason.clone()))
                .push_bind(plan.and(key.expires_at).map(Time))
                .push_bind(key.acknowledged_at.map(Time))
                .push_bind(key.last_used_at.map(Time))
                .push_bind(end.map(|end| Time(end.at)))
                .push_bind(end.map(|end| end.by.clone()))
                .push_bind(end.and_then(|end| end.reason.clone()))
                .push_bind(key.scheme.to_string())
                .push_bind(key.imported_from.clone());
            if !column.is_empty() {
                row.push_bind(value);
            }
        });
        $sql.push(middle).push(
            "v(id, name, name_key, description, owner, owner_key, owner_mail, tags, search, preview, tail, created_by, predecessor, overlap) AS (",
        );
        $sql.push_values($some, |mut row, key| {
            let owner = |part: fn(&Owner) -> String| key.owner.as_ref().map(part);
            row.push_bind(key.id)
                .push_bind(key.name.clone())
                .push_bind(fold(&key.name))
                .push_bind(key.description.clone())
                .push_bind(owner(|owner| owner.name.to_string()))
                .push_bind(owner(|owner| fold(&owner.name)))
                .push_bind(key.owner.as_ref().and_then(|owner| owner.mail.as_deref()).map(str::to_owned))
                .push_bind(key.tags.to_string())
                .push_bind(search_of(&key.name, &key.description, key.owner.as_ref(), &key.tags))
                .push_bind(key.preview.clone())
                .push_bind(key.tail.clone())
                .push_bind(key.created_by.clone())
                .push_bind(key.replaces.map(|(id, _)| id))
                .push_bind(key.replaces.map(|(_, overlap)| overlap.duration().num_seconds()));
        });
        $sql.push(format!(
            ") INSERT INTO keys ({row}id, name, name_key, description, owner, owner_key, owner_mail, tags, search, preview, tail, created_by, predecessor, \
             overlap_seconds{column}) SELECT {row}v.id, name, name_key, description, owner, owner_key, owner_mail, tags, search, preview, tail, created_by, \
             predecessor, overlap{column} FROM v JOIN {auth} k ON k.id = v.id"
        ));
    }};
}

impl Tx {
    /// Adds keys in as few statements as the databases allow. A key must come after the one that it replaces.
    pub async fn add_keys(&mut self, keys: &[NewKey]) -> Result<()> {
        if keys.len() > 1
            && let Conn::Postgres(mut c) = self.conn()
        {
            for some in keys.chunks(ARRAY) {
                arrays::add(&mut c, some).await?;
            }
            return Ok(());
        }
        let mut unfed = self.unfed().map(|waiting| waiting.saturating_add_unsigned(keys.len() as u64));
        for some in keys.chunks(ROWS) {
            // Many are a batch by themselves.
            let listed = some.len() as i64 >= FED;
            if listed {
                self.feed(0).await?;
            }
            both!(self.conn(), c => {
                // Few rows and a full statement come again and again; what lies between does not.
                let persistent = some.len() == ROWS || some.len() <= FEW;
                let mut sql = QueryBuilder::<Db>::new("");
                push_keys!(Db, sql, some, listed);
                sql.build().persistent(persistent).execute(&mut *c).await?;
                let used: Vec<&NewKey> = some.iter().filter(|key| key.last_used_at.is_some()).collect();
                if !used.is_empty() {
                    let mut sql = QueryBuilder::<Db>::new("WITH v(id, at, host, endpoint) AS (");
                    sql.push_values(used, |mut row, key| {
                        row.push_bind(key.id)
                            .push_bind(key.last_used_at.map(Time))
                            .push_bind(key.last_used_from.clone())
                            .push_bind(key.last_used_endpoint.clone());
                    });
                    sql.push(format!(
                        ") INSERT INTO key_use ({row}, last_used_at, last_used_from, last_used_endpoint) \
                         SELECT k.{row}, at, host, endpoint FROM v JOIN key_auth k ON k.id = v.id",
                        row = Db::ROW
                    ));
                    sql.build().persistent(false).execute(c).await?;
                }
            });
            if listed {
                self.listed_all().await?;
            } else if unfed.take().is_none_or(|unfed| unfed > FED) {
                self.feed(FED).await?;
            }
        }
        Ok(())
    }

    /// SQLite: takes the keys that are owed, if they are few and nothing has to be done behind them, and answers with what adds
    /// them, as the beginning of a statement. Otherwise they are written now.
    pub(super) async fn owed_keys_first(&mut self) -> Result<Option<QueryBuilder<Sqlite>>> {
        let few = self.owed_keys();
        let plain = !few.is_empty() && few.len() <= FEW && few.iter().all(|key| key.last_used_at.is_none());
        let feeds = self.still_unfed().is_none_or(|unfed| unfed + few.len() as i64 > FED);
        if !plain || feeds || !matches!(self.conn(), Conn::Sqlite(_)) {
            self.write_owed_keys().await?;
            return Ok(None);
        }
        // What was counted no longer holds.
        self.unfed();
        let keys = self.take_owed_keys();
        let some = &keys;
        let mut sql = QueryBuilder::<Sqlite>::new("");
        push_keys!(Sqlite, sql, some, false);
        Ok(Some(sql))
    }

    /// Writes the keys that are owed so far.
    pub async fn write_owed_keys(&mut self) -> Result<()> {
        let keys = self.take_owed_keys();
        self.add_keys(&keys).await
    }

    /// Feeds the indexes that are fed in batches, if so many keys wait for them. PostgreSQL has none.
    pub async fn feed(&mut self, waiting: i64) -> Result<()> {
        let Conn::Sqlite(c) = self.conn() else { return Ok(()) };
        let wait: i64 =
            sqlx::query_scalar("SELECT coalesce((SELECT max(seq) FROM key_auth), 0) - upto FROM key_feed")
                .fetch_one(&mut *c)
                .await?;
        if wait > waiting {
            for sql in [
                "UPDATE key_auth SET listed = 1 WHERE seq > (SELECT upto FROM key_feed)",
                "UPDATE keys SET listed = 1 WHERE seq > (SELECT upto FROM key_feed)",
            ] {
                sqlx::query(sql).execute(&mut *c).await?;
            }
            self.listed_all().await?;
        }
        Ok(())
    }

    /// Adds very many keys. On SQLite, where they are more than there are, the indexes go for so long and are made again at the end,
    /// sorted: each row would touch a page of every one of them. Others see nothing of it before the transaction ends.
    pub async fn add_many_keys(&mut self, keys: &[NewKey]) -> Result<()> {
        let mut indexes: Vec<(String, String)> = Vec::new();
        let many = keys.len() >= MANY;
        if many && let Conn::Sqlite(c) = self.conn() {
            // What is written is not read again from the disk meanwhile.
            sqlx::raw_sql("PRAGMA cache_size = -262144").execute(&mut *c).await?;
            let there: i64 =
                sqlx::query_scalar("SELECT coalesce(max(seq), 0) FROM key_auth").fetch_one(&mut *c).await?;
            if keys.len() as i64 > there {
                indexes = sqlx::query_as(SQLITE_INDEXES).fetch_all(&mut *c).await?;
                sqlx::raw_sql(AssertSqlSafe(dropping(&indexes))).execute(&mut *c).await?;
            }
        }
        self.add_keys(keys).await?;
        if let Conn::Sqlite(c) = self.conn() {
            for (_, index) in indexes {
                sqlx::query(AssertSqlSafe(index)).execute(&mut *c).await?;
            }
            if many {
                sqlx::raw_sql("PRAGMA cache_size = -16384").execute(c).await?;
            }
        }
        Ok(())
    }

    /// Takes note that every key is in the indexes that are fed in batches.
    async fn listed_all(&mut self) -> Result<()> {
        if let Conn::Sqlite(c) = self.conn() {
            sqlx::query("UPDATE key_feed SET upto = (SELECT max(seq) FROM key_auth)").execute(c).await?;
        }
        Ok(())
    }
}

impl Store {
    /// Whether there is any key at all.
    pub async fn has_keys(&self) -> Result<bool> {
        let mut reader = self.reader().await?;
        let sql = "SELECT count(*) FROM (SELECT 1 FROM key_auth LIMIT 1) AS found";
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
                let indexes: Vec<(String, String)> = sqlx::query_as(SQLITE_INDEXES).fetch_all(writer).await?;
                sqlx::raw_sql(AssertSqlSafe(dropping(&indexes))).execute(writer).await?;
                Ok(indexes.into_iter().map(|(_, sql)| sql).collect())
            }
            Pools::Postgres(pool) => {
                let indexes: Vec<(String, String)> = sqlx::query_as(
                    "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i \
                     JOIN pg_class t ON t.oid = i.indrelid \
                     WHERE i.indrelid IN ('key_auth'::regclass, 'keys'::regclass, 'key_use'::regclass) AND NOT i.indisunique AND pg_has_role(t.relowner, 'USAGE')",
                )
                .fetch_all(pool)
                .await?;
                sqlx::raw_sql(AssertSqlSafe(dropping(&indexes))).execute(pool).await?;
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
                sqlx::raw_sql("ANALYZE key_auth, keys, key_use").execute(pool).await?;
                sqlx::raw_sql("ANALYZE audit, accounts").execute(pool).await?;
            }
        }
        Ok(())
    }
}
