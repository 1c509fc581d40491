//! Looking into the outbox.

use std::collections::HashMap;

use sqlx::{FromRow, QueryBuilder};
use uuid::Uuid;

use super::{IDS, days, push_not_replaced, state};
use crate::domain::Instant;
use crate::domain::key::KeyId;
use crate::domain::reminder::State::{Ambiguous, Failed, Pending, Sending};
use crate::domain::reminder::{Delivery, Reminder, ReminderFilter, ReminderId, State};
use crate::domain::text::{SafeText, fold_typed};
use crate::store::dialect::{Time, both, scalar};
use crate::store::filter::{Driver, like, push_ids};
use crate::store::{Conn, Result, Store, Tx};

#[derive(FromRow)]
struct ReminderRow {
    id: Uuid,
    key: Uuid,
    key_name: String,
    preview: String,
    account: String,
    issuer: String,
    days_before: i64,
    expires_at: Time,
    due_at: Time,
    state: String,
    why: Option<String>,
    created_at: Time,
    changed_at: Time,
}

#[derive(FromRow)]
struct DeliveryRow {
    reminder: Uuid,
    recipient: String,
    state: String,
    attempts: i64,
    next_at: Time,
    answer: Option<String>,
    letter: Option<String>,
    changed_at: Time,
}

const SELECT: &str = "SELECT r.id, r.key, k.name AS key_name, k.preview, r.account, k.issuer, r.days_before, r.expires_at, r.due_at, \
     r.state, r.why, r.created_at, r.changed_at FROM reminders r CROSS JOIN keys k WHERE k.id = r.key";

/// Word for word the condition of the index of what is open, or SQLite would not use it.
const OPEN: &str = "r.state IN ('pending', 'sending', 'failed', 'ambiguous')";

/// Writes the condition that a reminder still makes sense.
fn push_of_use<D: Driver>(sql: &mut QueryBuilder<D>, now: Instant) {
    sql.push(
        " AND k.id = r.key AND k.ends_at = r.expires_at AND NOT EXISTS (SELECT 1 FROM reminders t WHERE t.key = r.key \
         AND t.expires_at = r.expires_at AND t.days_before < r.days_before) AND k.ends_at > ",
    );
    D::time(sql, now);
    push_not_replaced(sql, now);
}

/// Recipients of reminders that somebody may want to look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unwell {
    /// A passing fault: a later sweep tries again.
    pub deferred: u64,
    /// As many reminders without any recipient among them.
    pub failed: u64,
    pub ambiguous: u64,
    /// The letter is a file, and was not sent.
    pub written: u64,
}

/// Which reminders are wanted.
enum Which<'a> {
    Filter { filter: &'a ReminderFilter, after: Option<(Instant, ReminderId)>, limit: u32 },
    Ids(&'a [ReminderId]),
    Keys(&'a [KeyId]),
}

async fn read(mut conn: Conn<'_>, which: Which<'_>) -> Result<Vec<Reminder>> {
    let rows: Vec<ReminderRow> = both!(conn.again(), c => {
        let mut sql = QueryBuilder::<Db>::new(SELECT);
        match which {
            Which::Ids(ids) => {
                sql.push(" AND r.id IN ");
                push_ids::<Db>(&mut sql, ids);
                sql.push(" ORDER BY r.id");
            }
            Which::Keys(keys) => {
                sql.push(" AND r.key IN ");
                push_ids::<Db>(&mut sql, keys);
                sql.push(" ORDER BY r.expires_at DESC, r.days_before");
            }
            Which::Filter { filter, after, limit } => {
                if !filter.states.is_empty() {
                    let states: Vec<String> = filter.states.iter().map(|state| format!("'{}'", state.as_str())).collect();
                    let states = states.join(", ");
                    // A recipient whom it did not reach is found while another one's letter waits.
                    sql.push(format!(
                        " AND (r.state IN ({states}) OR EXISTS (SELECT 1 FROM deliveries d WHERE d.reminder = r.id AND d.state IN ({states})))"
                    ));
                    if filter.states.iter().all(|state| matches!(state, Pending | Sending | Failed | Ambiguous)) {
                        sql.push(" AND ").push(OPEN);
                    }
                }
                if let Some(account) = &filter.account {
                    sql.push(" AND r.account = ");
                    Db::text(&mut sql, account);
                }
                if let Some(key) = filter.key {
                    sql.push(" AND r.key = ");
                    Db::id(&mut sql, key);
                }
                if let Some(recipient) = &filter.recipient {
                    sql.push(" AND r.id IN (SELECT d.reminder FROM deliveries d WHERE lower(d.recipient) = ");
                    Db::text(&mut sql, recipient);
                    sql.push(")");
                }
                if let Some(text) = &filter.text {
                    sql.push(" AND k.name_key LIKE ");
                    Db::text(&mut sql, &like(&fold_typed(text)));
                    sql.push(" ESCAPE '!'");
                }
                if let Some((at, id)) = after {
                    sql.push(" AND (r.changed_at, r.id) < (");
                    Db::time(&mut sql, at);
                    sql.push(", ");
                    Db::id(&mut sql, id);
                    sql.push(")");
                }
                sql.push(format!(" ORDER BY r.changed_at DESC, r.id DESC LIMIT {limit}"));
            }
        }
        sql.build_query_as().fetch_all(c).await?
    });
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut deliveries: HashMap<Uuid, Vec<Delivery>> = HashMap::new();
    for some in ids.chunks(IDS) {
        let rows: Vec<DeliveryRow> = both!(conn.again(), c => {
            let mut sql = QueryBuilder::<Db>::new(
                "SELECT reminder, recipient, state, attempts, next_at, answer, letter, changed_at FROM deliveries WHERE reminder IN ",
            );
            push_ids::<Db>(&mut sql, some);
            sql.push(" ORDER BY reminder, recipient");
            sql.build_query_as().fetch_all(c).await?
        });
        for row in rows {
            deliveries.entry(row.reminder).or_default().push(Delivery {
                recipient: row.recipient.into(),
                state: state(&row.state)?,
                attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
                next_at: row.next_at.0,
                answer: row.answer.map(SafeText::new),
                letter: row.letter.map(SafeText::new),
                changed_at: row.changed_at.0,
            });
        }
    }
    rows.into_iter()
        .map(|row| {
            Ok(Reminder {
                id: row.id,
                key: row.key,
                key_name: row.key_name.into(),
                preview: row.preview.into(),
                account: SafeText::new(row.account).to_string(),
                issuer: SafeText::new(row.issuer).to_string(),
                days_before: days(row.days_before)?,
                expires_at: row.expires_at.0,
                due_at: row.due_at.0,
                state: state(&row.state)?,
                why: row.why.map(SafeText::new),
                created_at: row.created_at.0,
                changed_at: row.changed_at.0,
                deliveries: deliveries.remove(&row.id).unwrap_or_default(),
            })
        })
        .collect()
}

impl Tx {
    /// Reminders by their ids, as this transaction leaves them; those that do not exist are left out.
    pub async fn reminders_by_id(&mut self, ids: &[ReminderId]) -> Result<Vec<Reminder>> {
        let mut found = Vec::with_capacity(ids.len());
        for some in ids.chunks(IDS) {
            found.extend(read(self.conn(), Which::Ids(some)).await?);
        }
        Ok(found)
    }
}

impl Store {
    /// Reminders that the filter fits, the last changed first, after the reminder given.
    pub async fn reminders(
        &self,
        filter: &ReminderFilter,
        after: Option<ReminderId>,
        limit: u32,
    ) -> Result<Vec<Reminder>> {
        let mut reader = self.reader().await?;
        let place = match after {
            None => None,
            Some(id) => {
                let at: Option<Time> = scalar!(
                    fetch_optional,
                    reader.conn(),
                    "SELECT changed_at FROM reminders WHERE id = $1",
                    [id]
                );
                at.map(|time| (time.0, id))
            }
        };
        read(reader.conn(), Which::Filter { filter, after: place, limit }).await
    }

    /// Reminders by their ids; those that do not exist are left out.
    pub async fn reminders_by_id(&self, ids: &[ReminderId]) -> Result<Vec<Reminder>> {
        let mut reader = self.reader().await?;
        let mut found = Vec::with_capacity(ids.len());
        for some in ids.chunks(IDS) {
            found.extend(read(reader.conn(), Which::Ids(some)).await?);
        }
        Ok(found)
    }

    /// The reminders of these keys, for each the latest expiry and the tightest threshold first.
    pub async fn reminders_of(&self, keys: &[KeyId]) -> Result<Vec<Reminder>> {
        let mut reader = self.reader().await?;
        let mut found = Vec::new();
        for some in keys.chunks(IDS) {
            found.extend(read(reader.conn(), Which::Keys(some)).await?);
        }
        Ok(found)
    }

    /// How many recipients of reminders stand elsewhere than they should. Of those that no sweep tries again by itself only
    /// those that can still be helped: the key works and expires as it did, was not replaced, and no tighter threshold was
    /// crossed since.
    pub async fn unwell(&self, now: Instant) -> Result<Unwell> {
        let mut reader = self.reader().await?;
        let counts: Vec<(String, i64)> = both!(reader.conn(), c => {
            let mut sql = QueryBuilder::<Db>::new(format!(
                "SELECT 'pending', count(*) FROM reminders r CROSS JOIN deliveries d WHERE {OPEN} AND r.state = 'pending' \
                 AND d.reminder = r.id AND d.state = 'pending' AND d.attempts > 0 \
                 UNION ALL SELECT coalesce(d.state, r.state), count(*) FROM reminders r CROSS JOIN keys k \
                 LEFT JOIN deliveries d ON d.reminder = r.id WHERE {OPEN} \
                 AND coalesce(d.state, r.state) IN ('failed', 'ambiguous')"
            ));
            push_of_use::<Db>(&mut sql, now);
            // Apart, and by its own index: of these there may be as many as there are keys.
            sql.push(" GROUP BY coalesce(d.state, r.state) UNION ALL SELECT 'written', count(*) FROM deliveries d CROSS JOIN reminders r CROSS JOIN keys k \
                      WHERE d.state = 'written' AND r.id = d.reminder AND d.expires_at > ");
            Db::time(&mut sql, now);
            push_of_use::<Db>(&mut sql, now);
            sql.build_query_as().fetch_all(c).await?
        });
        let count = |state: State| {
            counts
                .iter()
                .find(|(word, _)| word == state.as_str())
                .map_or(0, |(_, count)| count.unsigned_abs())
        };
        Ok(Unwell {
            deferred: count(Pending),
            failed: count(Failed),
            ambiguous: count(Ambiguous),
            written: count(State::Written),
        })
    }
}
