//! How many keys there are: of a filter, and of those before a place.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant as Moment};

use sqlx::QueryBuilder;

use super::super::filter::{Drive, Driver, Part, push_conditions, push_revoked_by_plan};
use super::super::{Conn, Error, Result, Store};
use super::{
    Bound, CANCELED, STOPPED, Side, Slice, by_keys, column, cuts, drive, forms, forward, ordered_by,
    push_cut, push_place,
};
use crate::domain::Instant;
use crate::domain::issuer::Forms;
use crate::domain::query::{Cursor, Query, Sort};

/// Counting stops here if there is a filter.
const COUNT_ROWS: i64 = 1_000_000;
/// Counting stops after this long.
const COUNT_TIME: Duration = Duration::from_secs(2);

/// The newest count of each kind; older ones stop when they see that they are not it.
#[derive(Clone, Default)]
pub(in crate::store) struct Counting {
    all: Arc<AtomicU64>,
    before: Arc<AtomicU64>,
}

/// What is counted.
#[derive(Clone, Copy)]
enum Counted<'a> {
    All(&'a Query),
    /// What comes before the place of a slice.
    Before(Slice<'a>),
}

impl Store {
    /// How many keys the filter fits, and whether that is all of them.
    pub async fn count(&self, query: &Query, now: Instant) -> Result<(u64, bool)> {
        self.bounded_count(&self.counting.all, Counted::All(query), now).await
    }

    /// How many of these keys come before a place, and whether that is all of them.
    pub async fn rank(&self, query: &Query, sort: Sort, place: &Cursor, now: Instant) -> Result<(u64, bool)> {
        let slice = Slice { query, sort, place: Some(place), side: Side::Before, limit: 0 };
        self.bounded_count(&self.counting.before, Counted::Before(slice), now).await
    }

    async fn bounded_count(
        &self,
        counting: &Arc<AtomicU64>,
        counted: Counted<'_>,
        now: Instant,
    ) -> Result<(u64, bool)> {
        let mine = counting.fetch_add(1, Ordering::SeqCst) + 1;
        let mut reader = self.reader().await?;
        let query = match counted {
            Counted::All(query) => query,
            Counted::Before(slice) => slice.query,
        };
        let drive = drive::to_count(&mut reader, query).await?;
        let forms = forms(&mut reader, query, now).await?;
        match reader.conn() {
            Conn::Sqlite(c) => {
                let counting = counting.clone();
                let end = Moment::now() + COUNT_TIME;
                let goes_on = move || counting.load(Ordering::SeqCst) == mine && Moment::now() < end;
                let _bound = Bound::new(c, 20_000, goes_on).await?;
                let mut sql = QueryBuilder::<sqlx::Sqlite>::new("");
                push_counted(&mut sql, counted, now, drive, &forms);
                let counted = sql.build_query_scalar::<i64>().fetch_one(&mut *c).await;
                bounded(counted, STOPPED)
            }
            Conn::Postgres(c) => {
                let mut tx = c.within().await?;
                sqlx::query(sqlx::AssertSqlSafe(format!(
                    "SET LOCAL statement_timeout = {}",
                    COUNT_TIME.as_millis()
                )))
                .execute(&mut tx.wire())
                .await?;
                let mut sql = QueryBuilder::<sqlx::Postgres>::new("");
                push_counted(&mut sql, counted, now, drive, &forms);
                let counted = sql.build_query_scalar::<i64>().fetch_one(&mut tx.wire()).await;
                tx.rollback().await?;
                bounded(counted, CANCELED)
            }
        }
    }
}

fn push_counted<D: Driver>(
    sql: &mut QueryBuilder<D>,
    counted: Counted<'_>,
    now: Instant,
    drive: Drive,
    forms: &Forms,
) {
    match counted {
        Counted::All(query) => push_count(sql, query, now, drive, forms),
        Counted::Before(slice) => push_rank(sql, slice, now, drive, forms),
    }
}

fn push_count<D: Driver>(
    sql: &mut QueryBuilder<D>,
    query: &Query,
    now: Instant,
    drive: Drive,
    forms: &Forms,
) {
    if query.terms.is_empty() {
        // Everything but the hidden ones, each side from an index.
        sql.push(
            "SELECT (SELECT count(*) FROM key_auth) - (SELECT count(*) FROM key_auth WHERE revoked_at IS NOT NULL \
             AND issuer IN (SELECT slug FROM issuers WHERE hide_revoked)) \
             - (SELECT count(*) FROM key_auth k WHERE k.revoked_at IS NULL AND ",
        );
        push_revoked_by_plan(sql, now);
        sql.push(" AND k.issuer IN (SELECT slug FROM issuers WHERE hide_revoked))");
        return;
    }
    if query.is_everything() {
        sql.push("SELECT count(*) FROM key_auth");
        return;
    }
    if query.is_living() {
        // An index alone says it. A key that is revoked has ended then: unless another clock is ahead, for that long.
        return push_sum(sql, D::PARTS, |sql, part| {
            sql.push("key_auth k WHERE k.ends_at > ");
            D::time(sql, now);
            sql.push(part.auth());
        });
    }
    push_sum(sql, D::PARTS, |sql, part| {
        sql.push(D::COUNTED).push(" WHERE 1 = 1").push(part.auth());
        push_conditions(sql, query, now, drive_of(*part, drive), forms);
    });
}

fn push_rank<D: Driver>(
    sql: &mut QueryBuilder<D>,
    slice: Slice<'_>,
    now: Instant,
    drive: Drive,
    forms: &Forms,
) {
    let Some(place) = slice.place else { return };
    push_sum(sql, &cuts::<D>(slice), |sql, cut| {
        sql.push(D::COUNTED).push(" WHERE 1 = 1");
        let name = ordered_by::<D>(slice, *cut);
        let by_keys = by_keys(slice.sort.column);
        let id = if by_keys { "m.id" } else { "k.id" };
        push_cut(sql, *cut, by_keys);
        push_place(sql, place, *cut, (name, column(slice.sort.column).0, id), (forward(slice), slice.side));
        push_conditions(sql, slice.query, now, drive_of(cut.part, drive), forms);
    });
}

/// The rows of all parts together, each counted no further than [`COUNT_ROWS`]. `push_from`: what follows the FROM.
fn push_sum<D: Driver, P>(
    sql: &mut QueryBuilder<D>,
    parts: &[P],
    mut push_from: impl FnMut(&mut QueryBuilder<D>, &P),
) {
    for (n, part) in parts.iter().enumerate() {
        sql.push(if n == 0 { "SELECT " } else { " + " }).push("(SELECT count(*) FROM (SELECT 1 FROM ");
        push_from(sql, part);
        sql.push(format!(" LIMIT {COUNT_ROWS}) AS counted{n})"));
    }
}

/// The few rows that no index has yet are walked.
fn drive_of(part: Part, drive: Drive) -> Drive {
    if part == Part::Fresh { Drive::Order } else { drive }
}

/// A count that was stopped (by the error `stopped`) has found at least nothing.
fn bounded(counted: std::result::Result<i64, sqlx::Error>, stopped: &str) -> Result<(u64, bool)> {
    match counted {
        Ok(rows) => Ok((rows.unsigned_abs(), rows < COUNT_ROWS)),
        Err(sqlx::Error::Database(db)) if db.code().as_deref() == Some(stopped) => Ok((0, false)),
        Err(error) => Err(Error::from(error)),
    }
}
