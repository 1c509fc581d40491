//! Looking into the outbox.

use std::collections::HashMap;

use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{IDS, push_not_replaced};
use crate::domain::Instant;
use crate::domain::key::KeyId;
use crate::domain::reminder::State::{Ambiguous, Failed, Pending, Sending};
use crate::domain::reminder::{Delivery, Reminder, ReminderFilter, ReminderId, State};
use crate::domain::text::fold_typed;
use crate::store::dialect::{both, scalar};
use crate::store::filter::{Driver, like, push_ids};
use crate::store::reading::from_row;
use crate::store::{Conn, Result, Store, Tx};

struct ReminderRow(Reminder);

from_row!(ReminderRow, row => {
    let mut reminder = Reminder {
        id: row.id("id"),
        key: row.id("key"),
        key_name: row.safe("key_name"),
        preview: row.safe("preview"),
        account: row.safe("account").to_string(),
        issuer: row.safe("issuer").to_string(),
        days_before: row.number("days_before"),
        expires_at: row.time("expires_at"),
        due_at: row.time("due_at"),
        state: row.word("state", State::Cancelled),
        why: row.maybe_safe("why"),
        created_at: row.time("created_at"),
        changed_at: row.time("changed_at"),
        deliveries: Vec::new(),
    };
    reminder.why = row.marked(reminder.why);
    Self(reminder)
});

struct DeliveryRow {
    reminder: ReminderId,
    delivery: Delivery,
}

from_row!(DeliveryRow, row => {
    let mut delivery = Delivery {
        recipient: row.safe("recipient"),
        state: row.word("state", State::Cancelled),
        attempts: row.number("attempts"),
        next_at: row.time("next_at"),
        answer: row.maybe_safe("answer"),
        letter: row.maybe_safe("letter"),
        changed_at: row.time("changed_at"),
    };
    delivery.answer = row.marked(delivery.answer);
    Self { reminder: row.id("reminder"), delivery }
});

const SELECT: &str = "SELECT r.id, r.key, m.name AS key_name, m.preview, r.account, k.issuer, r.days_before, r.expires_at, r.due_at, \
     r.state, r.why, r.created_at, r.changed_at FROM reminders r CROSS JOIN key_auth k CROSS JOIN keys m WHERE k.id = r.key AND ";

/// The condition that `keys m` and `key_auth k` are the rows of one key.
fn same_key<D: Driver>() -> String {
    format!("m.{row} = k.{row}", row = D::ROW)
}

/// Word for word the condition of the index of what is open, or SQLite would not use it.
const OPEN: &str = "r.state IN ('pending', 'sending', 'failed', 'ambiguous')";

/// Writes the condition that a reminder still makes sense.
fn push_of_use<D: Driver>(sql: &mut QueryBuilder<D>, now: Instant) {
    sql.push(
        " AND k.id = r.key AND k.ends_at = r.expires_at AND NOT EXISTS (SELECT 1 FROM reminders t WHERE t.key = r.key \
         AND t.expires_at = r.expires_at AND t.days_before < r.days_before) AND k.ends_at > ",
    );
    D::time(sql, now);
    sql.push(" AND ").push(same_key::<D>());
    push_not_replaced(sql, now);
}

/// Reminders that somebody may want to look at, each once in a line, however many of its recipients stand so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unwell {
    /// A passing fault: a later sweep tries again.
    pub deferred: u64,
    pub failed: u64,
    pub ambiguous: u64,
    /// The letter is a file, and was not sent.
    pub written: u64,
}

/// Which reminders are wanted.
enum Which<'a> {
    Filter { filter: &'a ReminderFilter, after: Option<ReminderId>, limit: u32 },
    Ids(&'a [ReminderId]),
    Keys(&'a [KeyId]),
}

async fn read(mut conn: Conn<'_>, which: Which<'_>) -> Result<Vec<Reminder>> {
    let rows: Vec<ReminderRow> = both!(conn.again(), c => {
        let mut sql = QueryBuilder::<Db>::new(SELECT);
        sql.push(same_key::<Db>());
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
                    sql.push(" AND m.name_key LIKE ");
                    Db::text(&mut sql, &like(&fold_typed(text)));
                    sql.push(" ESCAPE '!'");
                }
                if let Some(id) = after {
                    // As it stands there, be it beyond what can be read.
                    sql.push(" AND (r.changed_at, r.id) < ((SELECT changed_at FROM reminders WHERE id = ");
                    Db::id(&mut sql, id);
                    sql.push("), ");
                    Db::id(&mut sql, id);
                    sql.push(")");
                }
                sql.push(format!(" ORDER BY r.changed_at DESC, r.id DESC LIMIT {limit}"));
            }
        }
        sql.build_query_as().fetch_all(c).await?
    });
    let mut reminders: Vec<Reminder> = rows.into_iter().map(|row| row.0).collect();
    let ids: Vec<Uuid> = reminders.iter().map(|reminder| reminder.id).collect();
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
            deliveries.entry(row.reminder).or_default().push(row.delivery);
        }
    }
    for reminder in &mut reminders {
        reminder.deliveries = deliveries.remove(&reminder.id).unwrap_or_default();
    }
    Ok(reminders)
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
        let known = match after {
            None => None,
            Some(id) => {
                scalar!(fetch_optional, reader.conn(), "SELECT id FROM reminders WHERE id = $1", [id])
            }
        };
        read(reader.conn(), Which::Filter { filter, after: known, limit }).await
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

    /// How many reminders stand, for a recipient at least, elsewhere than they should. Of those that no sweep tries again by itself only
    /// those that can still be helped: the key works and expires as it did, was not replaced, and no tighter threshold was
    /// crossed since.
    pub async fn unwell(&self, now: Instant) -> Result<Unwell> {
        let mut reader = self.reader().await?;
        let counts: Vec<(String, i64)> = both!(reader.conn(), c => {
            let mut sql = QueryBuilder::<Db>::new(format!(
                "SELECT 'pending', count(DISTINCT r.id) FROM reminders r CROSS JOIN deliveries d WHERE {OPEN} AND r.state = 'pending' \
                 AND d.reminder = r.id AND d.state = 'pending' AND d.attempts > 0 \
                 UNION ALL SELECT coalesce(d.state, r.state), count(DISTINCT r.id) FROM reminders r CROSS JOIN key_auth k CROSS JOIN keys m \
                 LEFT JOIN deliveries d ON d.reminder = r.id WHERE {OPEN} \
                 AND coalesce(d.state, r.state) IN ('failed', 'ambiguous')"
            ));
            push_of_use::<Db>(&mut sql, now);
            // Apart, and by its own index: of these there may be as many as there are keys.
            sql.push(" GROUP BY coalesce(d.state, r.state) UNION ALL SELECT 'written', count(DISTINCT d.reminder) FROM deliveries d CROSS JOIN reminders r CROSS JOIN key_auth k CROSS JOIN keys m \
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
