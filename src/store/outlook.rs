//! What ends when: counts over the index of expiries.

use sqlx::{QueryBuilder, Row as _};

use super::dialect::both;
use super::filter::{Drive, Driver as _, push_conditions};
use super::{Result, Store};
use crate::domain::issuer::Forms;
use crate::domain::query::Query;
use crate::domain::{Instant, shifted};

/// Keys that work now, counted by when they will expire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// What [`Query::overdue`] fits.
    pub overdue: u64,
    pub within_30_days: u64,
    pub within_90_days: u64,
    /// One number for each end asked for: the keys that expire before it and not before the end before it.
    pub weeks: Vec<u64>,
}

impl Store {
    /// Counts in one statement what expires before each of `ends`, which rise from `now` on.
    pub async fn outlook(&self, now: Instant, ends: &[Instant]) -> Result<Counted> {
        let days = |n: i64| shifted(now, crate::domain::days(n));
        let mut spans = vec![(now, days(30)), (now, days(90))];
        let mut start = now;
        for end in ends {
            spans.push((start, *end));
            start = *end;
        }
        let mut reader = self.reader().await?;
        let counts: Vec<u64> = both!(reader.conn(), c => {
            let mut sql = QueryBuilder::<Db>::new(format!("SELECT (SELECT count(*) FROM {} WHERE 1 = 1", Db::KEYS));
            push_conditions(&mut sql, &Query::overdue(), now, Drive::Planner, &Forms::default());
            sql.push(")");
            for (after, until) in spans {
                sql.push(", (SELECT count(*) FROM key_auth k WHERE k.expires_key > ");
                Db::time(&mut sql, after);
                sql.push(" AND k.expires_key <= ");
                Db::time(&mut sql, until);
                sql.push(" AND k.ends_at > ");
                Db::time(&mut sql, now);
                sql.push(")");
            }
            let row = sql.build().fetch_one(c).await?;
            let mut counts = Vec::with_capacity(row.len());
            for column in 0..row.len() {
                counts.push(row.try_get::<i64, _>(column)?.unsigned_abs());
            }
            counts
        });
        let at = |n: usize| counts.get(n).copied().unwrap_or(0);
        let weeks = counts.get(3..).unwrap_or_default().to_vec();
        Ok(Counted { overdue: at(0), within_30_days: at(1), within_90_days: at(2), weeks })
    }
}
