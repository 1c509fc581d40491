//! What keys were used for: counted by the minute, and the last time on the key itself.

use std::collections::BTreeMap;

use sqlx::{Connection, QueryBuilder};
use uuid::Uuid;

use super::dialect::{Time, both, run, scalar};
use super::filter::{Driver as _, push_ids};
use super::reading::from_row;
use super::{Conn, Error, NewGate, Reader, Result, Store, Tx};
use crate::clock::Clock;
use crate::domain::Instant;
use crate::domain::key::KeyId;
use crate::domain::usage::{Counts, Journal, LastUse, LateTries, Minute, minute};

mod journal;
mod late;

/// What a gate counted since it wrote last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// By key and minute, counted from the epoch: everybody locks rows in this order.
    pub counts: BTreeMap<(KeyId, i64), Counts>,
    pub last: BTreeMap<KeyId, LastUse>,
    /// Tries of keys after their end; a key among them is among the counts too.
    pub late: Vec<(KeyId, LateTries)>,
    /// What is pending of other keys, where that is news.
    pub journal: Option<Journal>,
}

impl Batch {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty() && self.journal.is_none()
    }

    /// Its keys without the journal, and that; or each half of its keys; `None` for a single one.
    pub fn parts(&self) -> Option<[Self; 2]> {
        if self.journal.is_some() && !self.counts.is_empty() {
            let keys = Self { journal: None, ..self.clone() };
            return Some([keys, Self { journal: self.journal.clone(), ..Self::default() }]);
        }
        let mut keys: Vec<KeyId> =
            self.counts.keys().map(|(key, _)| *key).chain(self.last.keys().copied()).collect();
        keys.sort();
        keys.dedup();
        let middle = *keys.get(keys.len() / 2).filter(|_| keys.len() > 1)?;
        let mut low = self.clone();
        let (counts, last) = (low.counts.split_off(&(middle, i64::MIN)), low.last.split_off(&middle));
        let (late, kept) = std::mem::take(&mut low.late).into_iter().partition(|(key, _)| *key >= middle);
        low.late = kept;
        let high = Self { counts, last, late, journal: None };
        Some([low, high])
    }
}

struct MinuteRow(KeyId, Minute);

from_row!(MinuteRow, row => {
    let at = minute(row.time("minute"));
    let counts =
        Counts { allowed: row.count("allowed"), refused: row.count("refused"), limited: row.count("limited") };
    Self(row.id("key"), Minute { minute: at, counts })
});

struct SumRow(KeyId, Counts);

from_row!(SumRow, row => {
    let counts =
        Counts { allowed: row.count("allowed"), refused: row.count("refused"), limited: row.count("limited") };
    Self(row.id("key"), counts)
});

/// Rows a statement.
const ROWS: usize = 500;
/// So much is counted at a time at most.
const MOST: i64 = i64::MAX / 2;
/// Rows of counts that are deleted at a time.
const PRUNED: i64 = 5_000;

impl Store {
    /// Adds what a gate counted, in one transaction, and once: a batch that was written before changes nothing.
    ///
    /// A key that nobody acknowledged and nobody used in time stays dead: its first use must be written while it lives.
    ///
    /// # Errors
    /// [`Error::TakenOver`]: somebody took the gate for broken and added what its journals had.
    pub async fn add_usage(&self, gate: &NewGate, number: i64, batch: &Batch, clock: &Clock) -> Result<()> {
        let mut writer = self.writer().await?;
        let now = self.time(clock);
        match &mut writer {
            Reader::Sqlite(c) => {
                let mut tx = c.begin_with("BEGIN IMMEDIATE").await?;
                if is_new(Conn::Sqlite(&mut tx), gate.id, number).await? {
                    add(Conn::Sqlite(&mut tx), gate, batch, now).await?;
                }
                tx.commit().await?;
            }
            Reader::Postgres(c) => {
                let mut tx = c.within().await?;
                if is_new(tx.conn(), gate.id, number).await? {
                    add(tx.conn(), gate, batch, now).await?;
                }
                tx.commit().await?;
            }
        }
        Ok(())
    }

    /// The use of these keys, minute by minute, from `since` on; by key and time.
    pub async fn usage(&self, keys: &[KeyId], since: Instant) -> Result<Vec<(KeyId, Minute)>> {
        let mut minutes = Vec::new();
        let mut reader = self.reader().await?;
        for some in keys.chunks(ROWS) {
            let rows: Vec<MinuteRow> = both!(reader.conn(), c => {
                let mut sql = QueryBuilder::<Db>::new(
                    "SELECT key, minute, allowed, refused, limited FROM usage_minutes WHERE minute >= ",
                );
                sql.push_bind(Time(since)).push(" AND key IN ");
                push_ids::<Db>(&mut sql, some);
                sql.push(" ORDER BY key, minute");
                sql.build_query_as::<MinuteRow>().persistent(some.len() == 1).fetch_all(c).await?
            });
            minutes.extend(rows.into_iter().map(|row| (row.0, row.1)));
        }
        Ok(minutes)
    }

    /// The use of each of these keys from `since` on; of those that were used.
    pub async fn usage_sums(&self, keys: &[KeyId], since: Instant) -> Result<Vec<(KeyId, Counts)>> {
        // A minute's count may be as high as a number can be: a sum of those would be none.
        let sums = ["allowed", "refused", "limited"].map(|of| {
            format!("CAST(sum(CASE WHEN {of} < 1000000000 THEN {of} ELSE 1000000000 END) AS BIGINT) AS {of}")
        });
        let select = format!("SELECT key, {} FROM usage_minutes WHERE minute >= ", sums.join(", "));
        let mut sums = Vec::new();
        let mut reader = self.reader().await?;
        for some in keys.chunks(ROWS) {
            let rows: Vec<SumRow> = both!(reader.conn(), c => {
                let mut sql = QueryBuilder::<Db>::new(&select);
                sql.push_bind(Time(since)).push(" AND key IN ");
                push_ids::<Db>(&mut sql, some);
                sql.push(" GROUP BY key");
                sql.build_query_as::<SumRow>().persistent(some.len() == 1).fetch_all(c).await?
            });
            sums.extend(rows.into_iter().map(|row| (row.0, row.1)));
        }
        Ok(sums)
    }

    /// Deletes some of the counts from before `until`. True if there may be more.
    pub async fn prune_usage(&self, until: Instant) -> Result<bool> {
        let mut writer = self.writer().await?;
        let rows = run!(
            writer.conn(),
            "DELETE FROM usage_minutes WHERE (key, minute) IN \
                 (SELECT key, minute FROM usage_minutes WHERE minute < $1 LIMIT $2)",
            [Time(until), PRUNED]
        );
        Ok(rows >= PRUNED.unsigned_abs())
    }
}

impl Tx {
    /// Adds counts that no gate made, where this login may: on PostgreSQL that is the gates' business.
    pub async fn add_counts(&mut self, counts: BTreeMap<(KeyId, i64), Counts>) -> Result<()> {
        let may = match self.conn() {
            Conn::Sqlite(_) => true,
            Conn::Postgres(c) => {
                let sql = "SELECT bool_and(has_table_privilege('usage_minutes', privilege)) FROM unnest(ARRAY['INSERT', 'UPDATE']) AS p(privilege)";
                sqlx::query_scalar(sql).fetch_one(c).await?
            }
        };
        let now = self.now();
        if may {
            write(self.conn(), &Batch { counts, ..Batch::default() }, now).await?;
        }
        Ok(())
    }
}

/// Whether this batch was not written before; from here on it counts as written. Locks the gate's own row.
async fn is_new(mut conn: Conn<'_>, gate: Uuid, number: i64) -> Result<bool> {
    let marked =
        run!(conn.again(), "UPDATE gates SET flushed = $2 WHERE id = $1 AND flushed < $2", [gate, number]);
    if marked > 0 {
        return Ok(true);
    }
    let row: Option<i64> =
        scalar!(fetch_optional, conn.again(), "SELECT flushed FROM gates WHERE id = $1", [gate]);
    row.map(|_| false)
        .ok_or_else(|| Error::Busy("the gate was struck off the list and is not back yet".into()))
}

async fn add(mut conn: Conn<'_>, gate: &NewGate, batch: &Batch, now: Instant) -> Result<()> {
    write(conn.again(), batch, now).await?;
    match &batch.journal {
        Some(journal) => journal::keep(conn, (gate.id, &gate.name), journal, now).await,
        None => Ok(()),
    }
}

async fn write(mut conn: Conn<'_>, batch: &Batch, now: Instant) -> Result<()> {
    let counts: Vec<_> = batch.counts.iter().collect();
    for some in counts.chunks(ROWS) {
        both!(conn.again(), c => {
            let mut sql =
                QueryBuilder::<Db>::new("INSERT INTO usage_minutes (key, minute, allowed, refused, limited) ");
            sql.push_values(some, |mut row, ((key, minute), counts)| {
                let number = |count: u64| i64::try_from(count).map_or(MOST, |count| count.min(MOST));
                row.push_bind(*key)
                    .push_bind(Time(Instant::from_timestamp_secs(*minute * 60).unwrap_or_default()))
                    .push_bind(number(counts.allowed))
                    .push_bind(number(counts.refused))
                    .push_bind(number(counts.limited));
            });
            sql.push(
                // A sum that no column holds would be refused, and all else of the batch with it.
                " ON CONFLICT (key, minute) DO UPDATE SET \
                 allowed = CASE WHEN usage_minutes.allowed < 4611686018427387904 THEN usage_minutes.allowed + excluded.allowed ELSE usage_minutes.allowed END, \
                 refused = CASE WHEN usage_minutes.refused < 4611686018427387904 THEN usage_minutes.refused + excluded.refused ELSE usage_minutes.refused END, \
                 limited = CASE WHEN usage_minutes.limited < 4611686018427387904 THEN usage_minutes.limited + excluded.limited ELSE usage_minutes.limited END",
            );
            sql.build().persistent(some.len() == 1).execute(c).await?;
        });
    }
    // In the order of their ids, as everybody locks rows.
    let mut tries: Vec<_> = batch.late.iter().map(|(key, one)| (*key, one)).collect();
    tries.sort_by_key(|(key, _)| *key);
    late::add(conn.again(), &tries).await?;
    let last: Vec<_> = batch.last.iter().collect();
    for some in last.chunks(ROWS) {
        both!(conn.again(), c => {
            // The first use must come in time; PostgreSQL's own clock decides.
            let present = if Db::ROW == "id" { "coalesce(clock_timestamp(), " } else { "(" };
            let mut sql = QueryBuilder::<Db>::new(format!("WITH t(now) AS (SELECT {present}"));
            sql.push_bind(Time(now)).push(")), u(id, at) AS (");
            sql.push_values(some, |mut row, (key, last)| {
                row.push_bind(**key).push_bind(Time(last.at));
            });
            // In the order of their ids, as everybody locks keys.
            sql.push("), held AS (SELECT k.id, u.at FROM key_auth k JOIN u ON u.id = k.id CROSS JOIN t WHERE k.first_used_at IS NULL \
                AND (k.acknowledged_at IS NOT NULL OR k.claim_by > t.now) ORDER BY k.id");
            sql.push(if Db::ROW == "id" { " FOR NO KEY UPDATE OF k" } else { "" });
            sql.push(") UPDATE key_auth SET first_used_at = held.at FROM held WHERE key_auth.id = held.id");
            sql.build().persistent(some.len() == 1).execute(&mut *c).await?;
            let mut sql = QueryBuilder::<Db>::new("WITH u(id, at, host, endpoint) AS (");
            sql.push_values(some, |mut row, (key, last)| {
                row.push_bind(**key)
                    .push_bind(Time(last.at))
                    .push_bind(last.address.map(|address| address.to_string()))
                    .push_bind(last.endpoint.as_deref());
            });
            sql.push(format!(
                ") INSERT INTO key_use ({row}, last_used_at, last_used_from, last_used_endpoint) \
                 SELECT k.{row}, u.at, u.host, u.endpoint FROM u JOIN key_auth k ON k.id = u.id \
                 WHERE k.first_used_at IS NOT NULL ORDER BY k.id ON CONFLICT ({row}) DO UPDATE SET last_used_at = excluded.last_used_at, \
                 last_used_from = excluded.last_used_from, last_used_endpoint = excluded.last_used_endpoint \
                 WHERE key_use.last_used_at < excluded.last_used_at",
                row = Db::ROW
            ));
            sql.build().persistent(some.len() == 1).execute(c).await?;
        });
    }
    Ok(())
}
