//! Tries of keys after their end: counted by the hour and the place.

use sqlx::QueryBuilder;

use crate::domain::Instant;
use crate::domain::key::KeyId;
use crate::domain::usage::{LATE_OTHERS, LATE_PLACES, LateTries};
use crate::store::dialect::{Time, both, run};
use crate::store::filter::push_ids;
use crate::store::reading::from_row;
use crate::store::{Conn, Result, Store};

struct LateRow(KeyId, LateTries);

from_row!(LateRow, row => Self(row.id("key"), LateTries {
    hour: row.time("hour").timestamp().div_euclid(3600),
    network: row.text("network"),
    endpoint: row.text("endpoint"),
    tries: row.count("tries"),
    last_at: row.time("last_at"),
}));

/// Rows a statement, of six values each.
const ROWS: usize = 400;
/// Rows that are deleted at a time.
const PRUNED: i64 = 5_000;
/// So many tries are counted at a time at most, and this is where a sum stops.
const MOST: i64 = i64::MAX / 2;

impl Store {
    /// The tries of these keys after their end, from `since` on.
    pub async fn late(&self, keys: &[KeyId], since: Instant) -> Result<Vec<(KeyId, LateTries)>> {
        let mut tries = Vec::new();
        let mut reader = self.reader().await?;
        for some in keys.chunks(ROWS) {
            let rows: Vec<LateRow> = both!(reader.conn(), c => {
                let mut sql = QueryBuilder::<Db>::new(
                    "SELECT key, hour, network, endpoint, tries, last_at FROM late_tries WHERE hour >= ",
                );
                sql.push_bind(Time(since)).push(" AND key IN ");
                push_ids::<Db>(&mut sql, some);
                sql.push(" ORDER BY key, hour, network, endpoint");
                sql.build_query_as::<LateRow>().persistent(some.len() == 1).fetch_all(c).await?
            });
            tries.extend(rows.into_iter().map(|row| (row.0, row.1)));
        }
        Ok(tries)
    }

    /// Deletes some of the tries from before `until`. True if there may be more.
    pub async fn prune_late(&self, until: Instant) -> Result<bool> {
        let mut writer = self.writer().await?;
        let rows = run!(
            writer.conn(),
            "DELETE FROM late_tries WHERE (key, hour, network, endpoint) IN \
                 (SELECT key, hour, network, endpoint FROM late_tries WHERE hour < $1 LIMIT $2)",
            [Time(until), PRUNED]
        );
        Ok(rows >= PRUNED.unsigned_abs())
    }
}

/// Adds tries. What comes from more places in an hour than are told apart is counted together.
pub(super) async fn add(mut conn: Conn<'_>, late: &[(KeyId, &LateTries)]) -> Result<()> {
    for some in late.chunks(ROWS) {
        both!(conn.again(), c => {
            let mut sql = QueryBuilder::<Db>::new("WITH new(key, hour, network, endpoint, tries, last_at) AS (");
            sql.push_values(some, |mut row, (key, one)| {
                row.push_bind(*key)
                    .push_bind(Time(Instant::from_timestamp_secs(one.hour * 3600).unwrap_or_default()))
                    .push_bind(one.network.as_str())
                    .push_bind(one.endpoint.as_str())
                    .push_bind(i64::try_from(one.tries).map_or(MOST, |tries| tries.min(MOST)))
                    .push_bind(Time(one.last_at));
            });
            sql.push(
                "), known AS (SELECT n.*, EXISTS (SELECT 1 FROM late_tries l WHERE l.key = n.key AND l.hour = n.hour \
                 AND l.network = n.network AND l.endpoint = n.endpoint) AS known, \
                 (SELECT count(*) FROM late_tries l WHERE l.key = n.key AND l.hour = n.hour) AS taken FROM new n), \
                 placed AS (SELECT k.*, k.known OR k.taken + \
                 row_number() OVER (PARTITION BY key, hour, known ORDER BY network, endpoint) <= ",
            );
            sql.push_bind(i64::try_from(LATE_PLACES).unwrap_or(i64::MAX));
            sql.push(" AS room FROM known k) INSERT INTO late_tries (key, hour, network, endpoint, tries, last_at) SELECT key, hour, CASE WHEN room THEN network ELSE ");
            sql.push_bind(LATE_OTHERS);
            sql.push(
                " END, CASE WHEN room THEN endpoint ELSE '' END, CAST(sum(tries) AS bigint), max(last_at) FROM placed \
                 GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4 ON CONFLICT (key, hour, network, endpoint) DO UPDATE SET \
                 tries = CASE WHEN late_tries.tries < 4611686018427387904 THEN late_tries.tries + excluded.tries ELSE late_tries.tries END, \
                 last_at = CASE WHEN late_tries.last_at < excluded.last_at THEN excluded.last_at ELSE late_tries.last_at END",
            );
            sql.build().persistent(some.len() == 1).execute(c).await?;
        });
    }
    Ok(())
}
