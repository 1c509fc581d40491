//! The outbox: what is to be sent, what was sent, and the sweeps that do it.
//!
//! **Locks.** Whatever changes deliveries first locks their reminders, in the order of their ids ([`Tx::lock_reminders`]),
//! so that a reminder's state is always told from all of its deliveries, and no two lock each other up. The audit comes
//! after that, and nothing of the outbox after the audit.

use sqlx::QueryBuilder;
use sqlx::types::Json;
use uuid::Uuid;

use super::dialect::{Time, both};
use super::filter::{Driver, push_ids};
use super::reading::from_row;
use super::{Conn, Result, Tx};
use crate::domain::Instant;
use crate::domain::key::KeyId;
use crate::domain::reminder::{Case, ReminderId, State, Subject};

mod ahead;
mod claim;
mod plan;
mod read;
mod retry;
mod settle;
mod sweeps;

pub use ahead::Ahead;
pub use read::Unwell;

/// The columns of a [`SubjectRow`], from `key_auth k`, `accounts a` and what [`rest`] joins.
const SUBJECT: &str = "k.id AS key, m.name, m.preview, k.account, a.name AS account_name, a.admins, k.issuer, \
     k.created_at, k.expires_at AS key_expires_at, k.revoke_at IS NOT NULL AND k.revoke_at = k.expires_key AS planned, k.ends_at, \
     CASE WHEN k.first_used_at IS NOT NULL THEN coalesce(u.last_used_at, k.first_used_at) END AS last_used_at, k.revoked_at, \
     (SELECT s.ends_at FROM key_auth s WHERE s.id = m.successor AND (s.acknowledged_at IS NOT NULL OR s.first_used_at IS NOT NULL)) \
     AS successor_ends_at";
/// The other tables of a key, to be joined after all others.
fn rest<D: Driver>() -> String {
    format!(
        " CROSS JOIN keys m LEFT JOIN key_use u ON u.{row} = m.{row} WHERE m.{row} = k.{row} AND ",
        row = D::ROW
    )
}

/// The columns of a [`CaseRow`], from `reminders r` besides.
const CASE: &str = "r.id, r.days_before, r.expires_at, r.state";

struct SubjectRow(Subject);

from_row!(SubjectRow, row => Self(Subject {
    key: row.id("key"),
    name: row.safe("name"),
    preview: row.safe("preview"),
    account: row.safe("account").to_string(),
    account_name: row.safe("account_name"),
    admins: row.get::<Json<Vec<String>>>("admins").0,
    issuer: row.text("issuer"),
    created_at: row.time("created_at"),
    expires_at: row.maybe_time("key_expires_at"),
    planned: row.maybe("planned") == Some(true),
    ends_at: row.time("ends_at"),
    last_used_at: row.maybe_time("last_used_at"),
    revoked: row.maybe::<Time>("revoked_at").is_some(),
    successor_ends_at: row.maybe_time("successor_ends_at"),
}));

struct CaseRow(Case);

from_row!(CaseRow, row => Self(Case {
    reminder: row.id("id"),
    days_before: row.number("days_before"),
    expires_at: row.time("expires_at"),
    // What can't be read is not sent.
    state: row.word("state", State::Cancelled),
    subject: row.part::<SubjectRow>()?.0,
}));

/// Writes the condition that the key `k` was not replaced. A successor that nobody took over replaces nothing.
fn push_not_replaced<D: Driver>(sql: &mut QueryBuilder<D>, now: Instant) {
    // A value, not EXISTS: that one PostgreSQL may answer by reading all keys.
    sql.push(" AND (m.successor IS NULL OR NOT coalesce((SELECT s.ends_at > ");
    D::time(sql, now);
    sql.push(
        " FROM key_auth s WHERE s.id = m.successor AND (s.acknowledged_at IS NOT NULL OR s.first_used_at IS NOT NULL)), false))",
    );
}

/// As many ids go into one statement.
const IDS: usize = 500;

/// The state of a reminder as its deliveries make it: `State::of` in SQL. A test holds the two against each other.
const STATE_OF: &str = "coalesce((SELECT CASE max(CASE d.state WHEN 'sending' THEN 7 WHEN 'pending' THEN 6 WHEN 'failed' THEN 5 \
     WHEN 'ambiguous' THEN 4 WHEN 'written' THEN 3 WHEN 'sent' THEN 2 WHEN 'superseded' THEN 1 ELSE 0 END) \
     WHEN 7 THEN 'sending' WHEN 6 THEN 'pending' WHEN 5 THEN 'failed' WHEN 4 THEN 'ambiguous' WHEN 3 THEN 'written' WHEN 2 THEN 'sent' \
     WHEN 1 THEN 'superseded' WHEN 0 THEN 'cancelled' END \
     FROM deliveries d WHERE d.reminder = reminders.id), \
     CASE WHEN state IN ('pending', 'sending', 'sent', 'written', 'failed', 'ambiguous', 'superseded') THEN state ELSE 'cancelled' END)";

impl Tx {
    /// Locks reminders until the end of the transaction, in the order of their ids. What was read of their deliveries
    /// before must be read again.
    pub async fn lock_reminders(&mut self, ids: &[ReminderId]) -> Result<()> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        match self.conn() {
            // The whole database is locked for writing already.
            Conn::Sqlite(_) => {}
            Conn::Postgres(c) => {
                sqlx::query("SELECT id FROM reminders WHERE id = ANY($1) ORDER BY id FOR UPDATE")
                    .bind(ids)
                    .execute(c)
                    .await?;
            }
        }
        Ok(())
    }

    /// Tells the reminders' states anew from their deliveries. `why` is for those that come out superseded or cancelled.
    pub async fn tell_states(&mut self, ids: &[ReminderId], why: Option<&str>) -> Result<()> {
        let now = self.now();
        if ids.is_empty() {
            return Ok(());
        }
        both!(self.conn(), c => {
            let mut sql = QueryBuilder::<Db>::new("UPDATE reminders SET changed_at = ");
            Db::time(&mut sql, now);
            sql.push(", state = ").push(STATE_OF);
            sql.push(" WHERE id IN ");
            push_ids::<Db>(&mut sql, ids);
            sql.build().execute(&mut *c).await?;
            if let Some(why) = why {
                let mut sql = QueryBuilder::<Db>::new("UPDATE reminders SET why = ");
                Db::text(&mut sql, why);
                sql.push(" WHERE state IN ('superseded', 'cancelled') AND id IN ");
                push_ids::<Db>(&mut sql, ids);
                sql.build().execute(c).await?;
            }
        });
        Ok(())
    }

    /// Puts aside what of these reminders waits: it becomes superseded or cancelled, and `why`. What is being sent at this
    /// moment can't be called back, and ends as it ends. The reminders must be locked.
    pub async fn set_aside(&mut self, ids: &[ReminderId], state: State, why: &str) -> Result<()> {
        let now = self.now();
        if ids.is_empty() {
            return Ok(());
        }
        both!(self.conn(), c => {
            let mut sql = QueryBuilder::<Db>::new("UPDATE deliveries SET claimed_until = NULL, state = ");
            Db::text(&mut sql, state.as_str());
            sql.push(", changed_at = ");
            Db::time(&mut sql, now);
            sql.push(" WHERE (state = 'pending' OR (state = 'sending' AND claimed_until <= ");
            Db::time(&mut sql, now);
            sql.push(")) AND reminder IN ");
            push_ids::<Db>(&mut sql, ids);
            sql.build().execute(c).await?;
        });
        self.tell_states(ids, Some(why)).await
    }

    /// Cancels what waits to remind of these keys, because they ended or their expiry changed. Before the audit's rows of
    /// the same transaction. Answers how many reminders there were.
    pub async fn cancel_reminders(&mut self, keys: &[KeyId], why: &str) -> Result<usize> {
        if keys.is_empty() {
            return Ok(0);
        }
        let ids: Vec<ReminderId> = both!(self.conn(), c => {
            let mut sql = QueryBuilder::<Db>::new("SELECT id FROM reminders WHERE state IN ('pending', 'sending') AND key IN ");
            push_ids::<Db>(&mut sql, keys);
            sql.build_query_scalar::<Uuid>().fetch_all(c).await?
        });
        if !ids.is_empty() {
            self.lock_reminders(&ids).await?;
            self.set_aside(&ids, State::Cancelled, why).await?;
        }
        Ok(ids.len())
    }
}
