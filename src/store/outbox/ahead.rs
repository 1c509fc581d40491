//! What a clock that ran ahead once did to the outbox: rows that were last changed in a present that has not come.

use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{CASE, CaseRow, IDS, SUBJECT, rest};
use crate::domain::Instant;
use crate::domain::reminder::{Case, ReminderId};
use crate::store::dialect::{Time, both};
use crate::store::filter::{Driver as _, push_ids};
use crate::store::reading::from_row;
use crate::store::{Conn, Result, Store, Tx};

/// A reminder that was last changed in a present that has not come, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Ahead {
    pub case: Case,
    pub changed_at: Instant,
}

struct AheadRow(Ahead);

from_row!(AheadRow, row => {
    let (CaseRow(case), changed_at) = (row.part()?, row.time("changed_at"));
    Self(Ahead { case, changed_at })
});

async fn page(
    conn: Conn<'_>,
    since: Instant,
    after: Option<(Instant, ReminderId)>,
    limit: u32,
) -> Result<Vec<Ahead>> {
    let after = after.unwrap_or((since, Uuid::max()));
    let rows: Vec<AheadRow> = both!(conn, c => {
        let mut sql = QueryBuilder::<Db>::new("SELECT ");
        sql.push(CASE).push(", ").push(SUBJECT);
        sql.push(
            ", r.changed_at FROM reminders r CROSS JOIN key_auth k CROSS JOIN accounts a",
        );
        sql.push(rest::<Db>());
        sql.push(
            "k.id = r.key AND a.slug = k.account AND (r.changed_at, r.id) > (",
        );
        Db::time(&mut sql, after.0);
        sql.push(", ");
        Db::id(&mut sql, after.1);
        sql.push(format!(") ORDER BY r.changed_at, r.id LIMIT {limit}"));
        sql.build_query_as().fetch_all(c).await?
    });
    Ok(rows.into_iter().map(|row| row.0).collect())
}

impl Store {
    /// Reminders that were last changed after `since`, in that order, after the place given.
    pub async fn ahead(
        &self,
        since: Instant,
        after: Option<(Instant, ReminderId)>,
        limit: u32,
    ) -> Result<Vec<Ahead>> {
        page(self.reader().await?.conn(), since, after, limit).await
    }

    /// How many reminders that were never tried wait for an instant up to `until`, and the first such instant of all.
    pub async fn count_postponed(&self, now: Instant, until: Instant) -> Result<(u64, Option<Instant>)> {
        let mut reader = self.reader().await?;
        let (count, first): (i64, Option<Time>) = both!(reader.conn(), c => {
            sqlx::query_as::<Db, (i64, Option<Time>)>(
                "SELECT count(DISTINCT CASE WHEN next_at <= $2 THEN reminder END), min(next_at) FROM deliveries \
                 WHERE state = 'pending' AND letter IS NULL AND attempts = 0 AND next_at > $1",
            )
            .bind(Time(now))
            .bind(Time(until))
            .fetch_one(c)
            .await?
        });
        Ok((count.unsigned_abs(), first.map(|time| time.0)))
    }
}

impl Tx {
    /// As [`Store::ahead`], inside the transaction that plans them again.
    pub async fn ahead(&mut self, since: Instant, limit: u32) -> Result<Vec<Ahead>> {
        page(self.conn(), since, None, limit).await
    }

    /// Takes back what was done to a reminder's recipients after `since`: those in `recipients` wait, from `next_at` on, and
    /// others are given up. The reminder must be locked.
    pub async fn plan_again(
        &mut self,
        reminder: ReminderId,
        recipients: &[String],
        since: Instant,
        next_at: Instant,
    ) -> Result<()> {
        self.take_back(&[reminder], since).await?;
        for gone in self.tried(reminder).await? {
            if !recipients.contains(&gone.recipient) {
                self.give_up(reminder, &gone.recipient).await?;
            }
        }
        let now = self.now();
        for recipient in recipients {
            both!(self.conn(), c => {
                sqlx::query::<Db>(
                    "INSERT INTO deliveries (reminder, recipient, state, next_at, expires_at, changed_at) \
                     SELECT id, $2, 'pending', $3, expires_at, $4 FROM reminders WHERE id = $1 \
                     ON CONFLICT (reminder, recipient) DO UPDATE SET state = 'pending', attempts = 0, letter = NULL, \
                     answer = NULL, next_at = excluded.next_at, changed_at = excluded.changed_at WHERE deliveries.changed_at > $5",
                )
                .bind(reminder)
                .bind(recipient.as_str())
                .bind(Time(next_at))
                .bind(Time(now))
                .bind(Time(since))
                .execute(c)
                .await?;
            });
        }
        Ok(())
    }

    /// Lets go what was in hand or put off after `since`, as if it had never been tried. The reminders must be locked.
    pub async fn take_back(&mut self, ids: &[ReminderId], since: Instant) -> Result<()> {
        let now = self.now();
        for some in ids.chunks(IDS) {
            both!(self.conn(), c => {
                let mut sql = QueryBuilder::<Db>::new(
                    "UPDATE deliveries SET state = 'pending', claimed_until = NULL, attempts = 0, letter = NULL, next_at = ",
                );
                Db::time(&mut sql, now);
                sql.push(" WHERE state IN ('pending', 'sending') AND changed_at > ");
                Db::time(&mut sql, since);
                sql.push(" AND reminder IN ");
                push_ids::<Db>(&mut sql, some);
                sql.build().execute(c).await?;
            });
        }
        Ok(())
    }
}
