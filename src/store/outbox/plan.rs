//! Finding the keys that crossed a threshold, and writing down that their reminders are to be sent.

use std::collections::HashSet;

use sqlx::{Postgres, QueryBuilder, Sqlite};
use uuid::Uuid;

use super::{IDS, SUBJECT, SubjectRow, push_not_replaced, rest};
use crate::domain::Instant;
use crate::domain::key::KeyId;
use crate::domain::reminder::{Band, NewReminder, ReminderId, Subject};
use crate::store::dialect::{Time, both};
use crate::store::filter::{Driver, push_ids};
use crate::store::{Conn, Result, Store, Tx};

trait Life: Driver {
    /// A key's life as the condition "longer than so many days".
    fn longer_than(days: u32) -> String;
}

impl Life for Sqlite {
    fn longer_than(days: u32) -> String {
        format!("k.expires_key - k.created_at > {}", u64::from(days) * 86_400_000_000)
    }
}

impl Life for Postgres {
    fn longer_than(days: u32) -> String {
        // The difference of two instants that are beyond all bounds is an error.
        format!("k.created_at < k.expires_key - interval '{} hours'", u64::from(days) * 24)
    }
}

/// Writes `FROM key_auth … WHERE …`: the keys of the band that have no reminder of this threshold yet, work until they expire,
/// live longer than the threshold (decision 2), and were not replaced. A successor that nobody took over replaces nothing.
///
/// Read in the order of `auth_by_expiry`. `ends_at` is never later than `expires_key`, so that `>=` is `=`; of an `=` between
/// two columns PostgreSQL would believe that hardly any key passes, read the whole band and sort it for every page.
fn push_from<D: Life>(sql: &mut QueryBuilder<D>, band: &Band, now: Instant, after: (Instant, KeyId)) {
    // CROSS JOIN: SQLite then keeps this order of the tables.
    sql.push(" FROM key_auth k CROSS JOIN accounts a");
    sql.push(rest::<D>()).push("a.slug = k.account AND (k.expires_key, k.id) > (");
    D::time(sql, after.0);
    sql.push(", ");
    D::id(sql, after.1);
    sql.push(") AND k.expires_key <= ");
    D::time(sql, band.until);
    sql.push(" AND k.ends_at >= k.expires_key AND ").push(D::longer_than(band.days));
    sql.push(" AND k.issuer IN (");
    for (n, issuer) in band.issuers.iter().enumerate() {
        sql.push(if n == 0 { "" } else { ", " });
        D::text(sql, issuer);
    }
    sql.push(format!(
        ") AND NOT EXISTS (SELECT 1 FROM reminders r WHERE r.key = k.id AND r.days_before = {} AND r.expires_at = k.expires_key)",
        band.days
    ));
    push_not_replaced(sql, now);
}

/// Every place of the band lies after this one.
fn start(band: &Band) -> (Instant, KeyId) {
    (band.after, Uuid::max())
}

fn push_page<D: Life>(
    sql: &mut QueryBuilder<D>,
    band: &Band,
    now: Instant,
    after: Option<(Instant, KeyId)>,
    limit: u32,
) {
    sql.push("SELECT ").push(SUBJECT);
    push_from(sql, band, now, after.unwrap_or_else(|| start(band)));
    sql.push(format!(" ORDER BY k.expires_key, k.id LIMIT {limit}"));
}

async fn page(
    conn: Conn<'_>,
    band: &Band,
    now: Instant,
    after: Option<(Instant, KeyId)>,
    limit: u32,
) -> Result<Vec<Subject>> {
    let rows = both!(conn, c => {
        let mut sql = QueryBuilder::<Db>::new("");
        push_page::<Db>(&mut sql, band, now, after, limit);
        sql.build_query_as::<SubjectRow>().fetch_all(c).await?
    });
    Ok(rows.into_iter().map(|row| row.0).collect())
}

impl Store {
    /// Keys of the band whose reminder is due and not written down yet, by expiry and id, after the place given.
    pub async fn unplanned(
        &self,
        band: &Band,
        now: Instant,
        after: Option<(Instant, KeyId)>,
        limit: u32,
    ) -> Result<Vec<Subject>> {
        page(self.reader().await?.conn(), band, now, after, limit).await
    }

    /// Those of these keys that are among them.
    pub async fn unplanned_among(&self, band: &Band, now: Instant, keys: &[KeyId]) -> Result<Vec<KeyId>> {
        let mut reader = self.reader().await?;
        let mut found = Vec::new();
        for some in keys.chunks(IDS) {
            found.extend(both!(reader.conn(), c => {
                let mut sql = QueryBuilder::<Db>::new("SELECT k.id");
                push_from::<Db>(&mut sql, band, now, start(band));
                sql.push(" AND k.id IN ");
                push_ids::<Db>(&mut sql, some);
                sql.build_query_scalar::<Uuid>().fetch_all(c).await?
            }));
        }
        Ok(found)
    }

    /// How many there are.
    pub async fn count_unplanned(&self, band: &Band, now: Instant) -> Result<u64> {
        let mut reader = self.reader().await?;
        let count: i64 = both!(reader.conn(), c => {
            let mut sql = QueryBuilder::<Db>::new("SELECT count(*)");
            push_from::<Db>(&mut sql, band, now, start(band));
            sql.build_query_scalar::<i64>().fetch_one(c).await?
        });
        Ok(count.unsigned_abs())
    }

    /// The first expiry in the band that a reminder is to be sent for.
    pub async fn next_unplanned(&self, band: &Band, now: Instant) -> Result<Option<Instant>> {
        let mut reader = self.reader().await?;
        let first: Option<Time> = both!(reader.conn(), c => {
            let mut sql = QueryBuilder::<Db>::new("SELECT k.expires_key");
            push_from::<Db>(&mut sql, band, now, start(band));
            sql.push(" ORDER BY k.expires_key, k.id LIMIT 1");
            sql.build_query_scalar::<Time>().fetch_optional(c).await?
        });
        Ok(first.map(|time| time.0))
    }

    /// How the database would carry out the search for what is due; for tests.
    pub async fn explain_unplanned(&self, band: &Band, now: Instant) -> Result<String> {
        let mut reader = self.reader().await?;
        let lines: Vec<String> = match reader.conn() {
            Conn::Sqlite(c) => {
                let mut sql = QueryBuilder::<Sqlite>::new("EXPLAIN QUERY PLAN ");
                push_page(&mut sql, band, now, None, 200);
                let rows: Vec<(i64, i64, i64, String)> = sql.build_query_as().fetch_all(c).await?;
                rows.into_iter().map(|row| row.3).collect()
            }
            Conn::Postgres(c) => {
                let mut sql = QueryBuilder::<Postgres>::new("EXPLAIN ");
                push_page(&mut sql, band, now, None, 200);
                sql.build_query_scalar().fetch_all(c).await?
            }
        };
        Ok(lines.join("\n"))
    }
}

impl Tx {
    /// As [`Store::unplanned`], inside the transaction that writes them down.
    pub async fn unplanned(
        &mut self,
        band: &Band,
        after: Option<(Instant, KeyId)>,
        limit: u32,
    ) -> Result<Vec<Subject>> {
        let now = self.now();
        page(self.conn(), band, now, after, limit).await
    }

    /// Writes reminders down, unless they are there: another sweep may have been quicker. Answers which are new.
    pub async fn add_reminders(&mut self, reminders: &[NewReminder]) -> Result<HashSet<ReminderId>> {
        let now = self.now();
        let mut new = HashSet::with_capacity(reminders.len());
        for some in reminders.chunks(IDS) {
            new.extend(both!(self.conn(), c => {
                let mut sql = QueryBuilder::<Db>::new(
                    "INSERT INTO reminders (id, key, account, days_before, expires_at, due_at, state, why, created_at, changed_at) ",
                );
                sql.push_values(some, |mut row, reminder| {
                    row.push_bind(reminder.id)
                        .push_bind(reminder.key)
                        .push_bind(reminder.account.clone())
                        .push_bind(i64::from(reminder.days_before))
                        .push_bind(Time(reminder.expires_at))
                        .push_bind(Time(reminder.due_at))
                        .push_bind(reminder.state.as_str())
                        .push_bind(reminder.why.clone())
                        .push_bind(Time(now))
                        .push_bind(Time(now));
                });
                sql.push(" ON CONFLICT (key, days_before, expires_at) DO NOTHING RETURNING id");
                sql.build_query_scalar::<Uuid>().fetch_all(c).await?
            }));
        }
        let deliveries: Vec<(&NewReminder, &str)> = reminders
            .iter()
            .filter(|reminder| new.contains(&reminder.id))
            .flat_map(|reminder| reminder.recipients.iter().map(move |to| (reminder, to.as_str())))
            .collect();
        for some in deliveries.chunks(IDS) {
            both!(self.conn(), c => {
                let mut sql = QueryBuilder::<Db>::new(
                    "INSERT INTO deliveries (reminder, recipient, state, next_at, expires_at, changed_at) ",
                );
                sql.push_values(some, |mut row, (reminder, recipient)| {
                    row.push_bind(reminder.id)
                        .push_bind((*recipient).to_owned())
                        .push_bind(reminder.state.as_str())
                        .push_bind(Time(now))
                        .push_bind(Time(reminder.expires_at))
                        .push_bind(Time(now));
                });
                sql.build().execute(c).await?;
            });
        }
        Ok(new)
    }

    /// Reminders of these keys with a wider threshold than `days` of which something still waits.
    pub async fn wider_waiting(&mut self, keys: &[KeyId], days: u32) -> Result<Vec<ReminderId>> {
        let mut ids = Vec::new();
        for some in keys.chunks(IDS) {
            ids.extend(both!(self.conn(), c => {
                let mut sql = QueryBuilder::<Db>::new(format!(
                    "SELECT id FROM reminders WHERE state IN ('pending', 'sending') AND days_before > {days} AND key IN "
                ));
                push_ids::<Db>(&mut sql, some);
                sql.build_query_scalar::<Uuid>().fetch_all(c).await?
            }));
        }
        Ok(ids)
    }
}
