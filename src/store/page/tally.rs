//! How many keys each of several filters fits, in one pass over all keys.

use std::time::{Duration, Instant as Moment};

use sqlx::{QueryBuilder, Row as _};

use super::super::dialect::scalar;
use super::super::filter::{Drive, Driver, push_conditions, push_terms};
use super::super::{Conn, Error, Result, Store};
use super::{Bound, CANCELED, STOPPED, forms};
use crate::domain::Instant;
use crate::domain::issuer::Forms;
use crate::domain::query::Query;

/// Counting stops after this long.
const COUNT_TIME: Duration = Duration::from_secs(20);

impl Store {
    /// How many keys fit `all`, and how many of those each of `parts` fits; `None` where that could not be counted in time.
    /// On a connection of its own: it stops no other count, and none stops it.
    pub async fn tally(&self, all: &Query, parts: &[Query], now: Instant) -> Result<Option<Vec<u64>>> {
        let mut reader = self.reader().await?;
        let forms = forms(&mut reader, all, now).await?;
        let (counted, stopped) = match reader.conn() {
            Conn::Sqlite(c) => {
                let end = Moment::now() + COUNT_TIME;
                let _bound = Bound::new(c, 20_000, move || Moment::now() < end).await?;
                let mut sql = statement::<sqlx::Sqlite>(all, parts, now, &forms);
                let row = sql.build().fetch_one(&mut *c).await;
                (row.and_then(|row| (0..row.len()).map(|at| row.try_get::<i64, _>(at)).collect()), STOPPED)
            }
            Conn::Postgres(c) => {
                let mut tx = c.within().await?;
                let limit = format!("SET LOCAL statement_timeout = {}", COUNT_TIME.as_millis());
                sqlx::query(sqlx::AssertSqlSafe(limit)).execute(&mut tx.wire()).await?;
                let mut sql = statement::<sqlx::Postgres>(all, parts, now, &forms);
                let row = sql.build().fetch_one(&mut tx.wire()).await;
                tx.rollback().await?;
                (row.and_then(|row| (0..row.len()).map(|at| row.try_get::<i64, _>(at)).collect()), CANCELED)
            }
        };
        let counted: sqlx::Result<Vec<i64>> = counted;
        match counted {
            Ok(counts) => Ok(Some(counts.into_iter().map(i64::unsigned_abs).collect())),
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(stopped) => Ok(None),
            Err(error) => Err(Error::from(error)),
        }
    }

    /// Whether the use of any key was ever recorded.
    pub async fn any_use(&self) -> Result<bool> {
        Ok(scalar!(fetch_one, self.reader().await?.conn(), "SELECT EXISTS (SELECT 1 FROM key_use)"))
    }
}

fn statement<D: Driver>(all: &Query, parts: &[Query], now: Instant, forms: &Forms) -> QueryBuilder<D> {
    let mut sql = QueryBuilder::new("SELECT count(*)");
    for part in parts {
        sql.push(", count(*) FILTER (WHERE 1 = 1");
        push_terms(&mut sql, part, now, forms);
        sql.push(")");
    }
    sql.push(" FROM ").push(D::COUNTED).push(" WHERE 1 = 1");
    push_conditions(&mut sql, all, now, Drive::Planner, forms);
    sql
}
