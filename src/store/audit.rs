//! The audit in the database: growing at its end, one row per change, each hanging on the one before it.

use sqlx::QueryBuilder;
use uuid::Uuid;

use super::dialect::{Time, both, rows};
use super::filter::like;
use super::reading::from_row;
use super::{Result, Store, Tx};
use crate::domain::Instant;
use crate::domain::audit::{Action, AuditFilter, Change, Entry, GENESIS, Link, Subject};
use crate::domain::key::OperationId;
use crate::domain::operator::Identity;
use crate::domain::text::{SafeText, hex};

struct AuditRow {
    seq: i64,
    at: Instant,
    actor: String,
    host: String,
    client: Option<String>,
    operation: Uuid,
    action: String,
    subject: String,
    account: Option<String>,
    key: Option<Uuid>,
    detail: String,
    hash: Vec<u8>,
    odd: SafeText,
}

from_row!(AuditRow, row => {
    let mut entry = Self {
        seq: row.get("seq"),
        at: row.time("at"),
        actor: row.text("actor"),
        host: row.text("host"),
        client: row.maybe_text("client"),
        operation: row.id("operation"),
        action: row.text("action"),
        subject: row.text("subject"),
        account: row.maybe_text("account"),
        key: row.maybe("key"),
        detail: row.text("detail"),
        hash: row.get("hash"),
        odd: SafeText::default(),
    };
    entry.odd = row.odd();
    entry
});

const COLUMNS: &str = "seq, at, actor, host, client, operation, action, subject, account, key, detail, hash";

impl From<AuditRow> for Entry {
    fn from(row: AuditRow) -> Self {
        Self {
            seq: row.seq,
            at: row.at,
            actor: row.actor.into(),
            host: row.host.into(),
            client: row.client.map(SafeText::new),
            operation: row.operation,
            action: row.action.into(),
            subject: row.subject.into(),
            account: row.account.map(SafeText::new),
            key: row.key,
            detail: if row.odd.is_empty() {
                row.detail.into()
            } else {
                // As everything that stands there, JSON.
                SafeText::new(
                    serde_json::json!({ "can't be read": row.odd, "detail": row.detail }).to_string(),
                )
            },
            hash: hex(&row.hash),
        }
    }
}

impl From<AuditRow> for (Link, Vec<u8>) {
    fn from(row: AuditRow) -> Self {
        let link = Link {
            seq: row.seq,
            at: row.at,
            actor: row.actor,
            host: row.host,
            client: row.client,
            operation: row.operation,
            action: row.action,
            subject: row.subject,
            account: row.account,
            key: row.key,
            detail: row.detail,
        };
        (link, row.hash)
    }
}

/// A change, and who did it when, as a part of which operation.
#[derive(Clone, Copy)]
pub struct Done<'a> {
    pub who: &'a Identity,
    pub at: Instant,
    pub operation: OperationId,
    pub change: &'a Change,
}

impl Tx {
    /// Appends one change to the audit. Last in a transaction, because from here on others wait for its end.
    pub async fn record(
        &mut self,
        action: Action,
        subject: impl Into<Subject>,
        detail: serde_json::Value,
    ) -> Result<()> {
        self.record_all(&[Change::new(action, subject, detail)]).await
    }

    /// Appends changes in their order, in as few statements as may be.
    pub async fn record_all(&mut self, changes: &[Change]) -> Result<()> {
        let (who, at, operation) = (self.who().clone(), self.now(), self.operation());
        let changes: Vec<_> =
            changes.iter().map(|change| Done { who: &who, at, operation, change }).collect();
        self.append(&changes).await
    }

    /// The same, of changes that each belong to an operation of their own.
    pub async fn record_each(&mut self, changes: &[(OperationId, Change)]) -> Result<()> {
        let (who, at) = (self.who().clone(), self.now());
        let done = |(operation, change)| Done { who: &who, at, operation, change };
        let changes: Vec<_> = changes.iter().map(|(operation, change)| done((*operation, change))).collect();
        self.append(&changes).await
    }

    /// What people did at other times: for demo data, whose history lies in the past.
    pub async fn record_past(&mut self, changes: &[Done<'_>]) -> Result<()> {
        self.append(changes).await
    }

    async fn append(&mut self, changes: &[Done<'_>]) -> Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        let end = self.audit_end().await?;
        let keeps = end.is_none();
        let (mut seq, previous) = end.unwrap_or_else(|| (0, GENESIS.to_vec()));
        let mut previous: [u8; 32] =
            previous.try_into().map_err(|_| super::Error::Corrupt("the audit's head has no hash".into()))?;
        for some in changes.chunks(ROWS) {
            let links: Vec<(Link, [u8; 32])> = some
                .iter()
                .map(|Done { who, at, operation, change }| {
                    seq += 1;
                    let link = Link {
                        seq,
                        at: *at,
                        actor: who.name.clone(),
                        host: who.host.clone(),
                        client: who.client.clone(),
                        operation: *operation,
                        action: change.action.as_str().to_owned(),
                        subject: change.subject.name.clone(),
                        account: change.subject.account.clone(),
                        key: change.subject.key,
                        detail: change.detail.to_string(),
                    };
                    if !keeps {
                        previous = link.hash(&previous);
                    }
                    (link, previous)
                })
                .collect();
            both!(self.conn(), c => {
                let mut sql = QueryBuilder::<Db>::new("INSERT INTO audit (");
                sql.push(COLUMNS).push(") ");
                // The triggers see one row after the other, so that each hangs on the one before it.
                sql.push_values(&links, |mut row, (link, hash)| {
                    row.push_bind((!keeps).then_some(link.seq))
                        .push_bind(Time(link.at))
                        .push_bind(link.actor.clone())
                        .push_bind(link.host.clone())
                        .push_bind(link.client.clone())
                        .push_bind(link.operation)
                        .push_bind(link.action.clone())
                        .push_bind(link.subject.clone())
                        .push_bind(link.account.clone())
                        .push_bind(link.key)
                        .push_bind(link.detail.clone())
                        .push_bind((!keeps).then(|| hash.to_vec()));
                });
                // One row and a full statement come again and again; what lies between does not.
                sql.build().persistent(matches!(links.len(), 1 | ROWS)).execute(c).await?;
            });
            self.audit_grew(seq, previous);
        }
        Ok(())
    }
}

/// Rows of one statement.
const ROWS: usize = 50;

impl Store {
    /// Rows that the filter fits, newest first, with numbers below `before`.
    pub async fn audit(&self, filter: &AuditFilter, before: Option<i64>, limit: u32) -> Result<Vec<Entry>> {
        let mut reader = self.reader().await?;
        let rows: Vec<AuditRow> = both!(reader.conn(), c => {
            let mut sql = QueryBuilder::<Db>::new("SELECT ");
            sql.push(COLUMNS).push(" FROM audit WHERE seq < ").push_bind(before.unwrap_or(i64::MAX));
            if let Some(actor) = &filter.actor {
                sql.push(" AND actor = ").push_bind(actor.as_str());
            }
            if let Some(action) = &filter.action {
                sql.push(" AND (action = ").push_bind(action.as_str());
                sql.push(" OR action LIKE ").push_bind(format!("{}.%", action.replace(['%', '_'], ""))).push(")");
            }
            if let Some(account) = &filter.account {
                sql.push(" AND account = ").push_bind(account.as_str());
            }
            if let Some(key) = filter.key {
                sql.push(" AND key = ").push_bind(key);
            }
            if let Some(text) = &filter.text {
                let pattern = like(&text.to_lowercase());
                sql.push(" AND (lower(subject) LIKE ").push_bind(pattern.clone()).push(" ESCAPE '!'");
                sql.push(" OR lower(detail) LIKE ").push_bind(pattern).push(" ESCAPE '!')");
            }
            sql.push(" ORDER BY seq DESC LIMIT ").push_bind(i64::from(limit));
            sql.build_query_as::<AuditRow>().fetch_all(c).await?
        });
        Ok(rows.into_iter().map(Entry::from).collect())
    }

    /// The rows after number `after`, oldest first, exactly as they stand, with the hash that each carries.
    pub async fn audit_links(&self, after: i64, limit: u32) -> Result<Vec<(Link, Vec<u8>)>> {
        let mut reader = self.reader().await?;
        let sql = format!("SELECT {COLUMNS} FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2");
        let rows: Vec<AuditRow> =
            rows!(fetch_all, reader.conn(), sqlx::AssertSqlSafe(sql), [after, i64::from(limit)]);
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// The number and hash that the chain says it ends with; `None` where somebody took that row away.
    pub async fn audit_head(&self) -> Result<Option<(i64, Vec<u8>)>> {
        let mut reader = self.reader().await?;
        Ok(rows!(fetch_optional, reader.conn(), "SELECT seq, hash FROM audit_head"))
    }
}
