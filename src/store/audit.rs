//! The audit in the database: growing at its end, one row per change, each hanging on the one before it.

use sqlx::{QueryBuilder, Sqlite};
use uuid::Uuid;

use super::dialect::{Time, both, rows};
use super::filter::{like, push_bound};
use super::reading::from_row;
use super::{Conn, Error, Result, Store, Tx};
use crate::domain::audit::{Action, AuditFilter, Change, Entry, Link, Subject};
use crate::domain::key::OperationId;
use crate::domain::operator::Identity;
use crate::domain::person::Person;
use crate::domain::text::{SafeText, hex};
use crate::domain::{EARLIEST, Instant, LATEST};

mod lanes;
mod person;
mod totals;

pub use totals::Whose;

struct AuditRow {
    seq: i64,
    at: Instant,
    actor: String,
    host: String,
    client: Option<String>,
    person: Option<String>,
    operation: Uuid,
    action: String,
    subject: String,
    account: Option<String>,
    key: Option<Uuid>,
    name: Option<SafeText>,
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
        person: row.maybe_text("person"),
        operation: row.id("operation"),
        action: row.text("action"),
        subject: row.text("subject"),
        account: row.maybe_text("account"),
        key: row.maybe("key"),
        name: None,
        detail: row.text("detail"),
        hash: row.get("hash"),
        odd: SafeText::default(),
    };
    entry.odd = row.odd();
    // What of another row can't be read is no matter of this one.
    entry.name = row.maybe_safe("name");
    entry
});

const COLUMNS: &str = "seq, at, actor, host, client, operation, action, subject, account, key, detail, hash";

/// The name of a row's key, now.
const NAME: &str = "(SELECT m.name FROM keys m WHERE m.id = audit.key) AS name";

impl From<AuditRow> for Entry {
    fn from(row: AuditRow) -> Self {
        Self {
            seq: row.seq,
            at: row.at,
            actor: row.actor.into(),
            host: row.host.into(),
            client: row.client.map(SafeText::new),
            person: row.person.as_deref().map(Person::read).unwrap_or_default(),
            operation: row.operation,
            action: row.action.into(),
            subject: row.subject.into(),
            account: row.account.map(SafeText::new),
            key: row.key,
            name: row.name,
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
            person: row.person,
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
    /// Appends one change to the audit.
    pub async fn record(
        &mut self,
        action: Action,
        subject: impl Into<Subject>,
        detail: serde_json::Value,
    ) -> Result<()> {
        self.record_all(&[Change::new(action, subject, detail)]).await
    }

    /// Appends changes in their order.
    pub async fn record_all(&mut self, changes: &[Change]) -> Result<()> {
        let (who, at, operation) = (self.who().clone(), self.now(), self.operation());
        let done = |change| Done { who: &who, at, operation, change };
        self.owe(changes.iter().map(done).map(Link::from));
        Ok(())
    }

    /// The same, of changes that each belong to an operation of their own.
    pub async fn record_each(&mut self, changes: &[(OperationId, Change)]) -> Result<()> {
        let (who, at) = (self.who().clone(), self.now());
        let done = |(operation, change): &(OperationId, Change)| {
            Done { who: &who, at, operation: *operation, change }.into()
        };
        self.owe(changes.iter().map(done));
        Ok(())
    }

    /// What people did at other times: for demo data, whose history lies in the past.
    pub async fn record_past(&mut self, changes: &[Done<'_>]) -> Result<()> {
        self.owe(changes.iter().copied().map(Link::from));
        Ok(())
    }

    /// Writes what the audit is owed so far: for a change behind which the acting login may not write it any more.
    pub async fn write_owed(&mut self) -> Result<()> {
        self.write_audit("").await
    }

    /// Writes all that is owed, the audit's rows last; on SQLite with `end` behind it.
    pub(super) async fn write_audit(&mut self, end: &'static str) -> Result<()> {
        let mut owed = self.owed();
        if owed.is_empty() {
            self.write_owed_keys().await?;
            return self.say(end.trim_start_matches([';', ' '])).await;
        }
        let mut keys = self.owed_keys_first().await?;
        // Where the database itself gives no numbers and hashes to new rows.
        let hashes = match self.audit_end().await? {
            Some((seq, hash)) => {
                let hashes = chain(&mut owed, seq, hash)?;
                self.moved(owed.last().zip(hashes.last()).map(|(link, hash)| (link.seq, hash.to_vec())));
                hashes
            }
            None => Vec::new(),
        };
        let by_lane = self.goes_by_lane(&owed);
        if by_lane {
            self.leaves(owed.iter().map(|link| link.operation));
        }
        // An older schema has no place for it, and whoever knows one there says nothing of it.
        let person = owed.iter().any(|link| link.person.is_some());
        match self.conn() {
            Conn::Sqlite(c) => {
                let mut rows = owed.into_iter().zip(hashes).collect::<Vec<_>>();
                while !rows.is_empty() {
                    let left = rows.split_off(rows.len().min(ROWS));
                    let many = rows.len();
                    let mut sql = match keys.take() {
                        Some(mut sql) => {
                            sql.push("; ");
                            sql
                        }
                        None => QueryBuilder::<Sqlite>::new(""),
                    };
                    sql.push("INSERT INTO audit (").push(COLUMNS).push(if person {
                        ", person) "
                    } else {
                        ") "
                    });
                    sql.push_values(rows, |mut row, (link, hash)| {
                        row.push_bind(link.seq)
                            .push_bind(Time(link.at))
                            .push_bind(link.actor)
                            .push_bind(link.host)
                            .push_bind(link.client)
                            .push_bind(link.operation)
                            .push_bind(link.action)
                            .push_bind(link.subject)
                            .push_bind(link.account)
                            .push_bind(link.key)
                            .push_bind(link.detail)
                            .push_bind(hash.to_vec());
                        if person {
                            row.push_bind(link.person);
                        }
                    });
                    if left.is_empty() {
                        sql.push(end);
                    }
                    // Few rows and a full statement come again and again; what lies between does not.
                    sql.build().persistent(many <= FEW || many == ROWS).execute(&mut *c).await?;
                    rows = left;
                }
            }
            Conn::Postgres(c) => {
                // The triggers see one row after the other, so that each hangs on the one before it.
                let (table, unnumbered) = lanes::place(by_lane);
                let (name, list) = if person { ("person, ", "$13::text[], ") } else { ("", "") };
                let columns = format!(
                    "seq, hash, at, actor, host, client, operation, action, subject, account, key, {name}detail"
                );
                let into = &columns[unnumbered..];
                let sql = format!(
                    "INSERT INTO {table} ({into}) SELECT {into} \
                     FROM unnest($1::bigint[], $2::bytea[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::text[], \
                     $9::text[], $10::text[], $11::uuid[], {list}$12::text[]) WITH ORDINALITY AS new ({columns}, place) ORDER BY place"
                );
                let each = |of: fn(&Link) -> &str| owed.iter().map(of).map(str::to_owned).collect::<Vec<_>>();
                let maybe = |of: fn(&Link) -> Option<&str>| {
                    owed.iter().map(of).map(|text| text.map(str::to_owned)).collect::<Vec<_>>()
                };
                let numbers: Vec<_> =
                    owed.iter().map(|link| (!hashes.is_empty()).then_some(link.seq)).collect();
                let insert = sqlx::query(sqlx::AssertSqlSafe(sql))
                    .bind(numbers)
                    .bind(hashes.iter().map(|hash| hash.to_vec()).collect::<Vec<_>>())
                    .bind(owed.iter().map(|link| link.at.clamp(EARLIEST, LATEST)).collect::<Vec<_>>())
                    .bind(each(|link| &link.actor))
                    .bind(each(|link| &link.host))
                    .bind(maybe(|link| link.client.as_deref()))
                    .bind(owed.iter().map(|link| link.operation).collect::<Vec<_>>())
                    .bind(each(|link| &link.action))
                    .bind(each(|link| &link.subject))
                    .bind(maybe(|link| link.account.as_deref()))
                    .bind(owed.iter().map(|link| link.key).collect::<Vec<_>>())
                    .bind(each(|link| &link.detail));
                let insert = if person { insert.bind(maybe(|link| link.person.as_deref())) } else { insert };
                insert.execute(c).await?;
            }
        }
        Ok(())
    }

    /// The number and hash of the audit's last row; on PostgreSQL locked from here on. `None` where the database itself
    /// gives both to new rows.
    async fn audit_end(&mut self) -> Result<Option<(i64, Vec<u8>)>> {
        if let Some(head) = self.head() {
            return Ok(Some(head));
        }
        if self.keeps() {
            return Ok(None);
        }
        let lock = self.conn().locking(" FOR UPDATE");
        let sql = sqlx::AssertSqlSafe(format!("SELECT seq, hash FROM audit_head{lock}"));
        Ok(Some(rows!(fetch_one, self.conn(), sql)))
    }
}

/// Numbers the rows that follow row `seq`; answers their hashes.
fn chain(rows: &mut [Link], mut seq: i64, last: Vec<u8>) -> Result<Vec<[u8; 32]>> {
    let mut last: [u8; 32] =
        last.try_into().map_err(|_| Error::Corrupt("the audit's head has no hash".into()))?;
    let next = |row: &mut Link| {
        seq += 1;
        row.seq = seq;
        last = row.hash(&last);
        last
    };
    Ok(rows.iter_mut().map(next).collect())
}

impl From<Done<'_>> for Link {
    /// Not numbered yet.
    fn from(Done { who, at, operation, change }: Done<'_>) -> Self {
        Self {
            seq: 0,
            at,
            actor: who.name.clone(),
            host: who.host.clone(),
            client: who.client.clone(),
            person: who.person.stored(),
            operation,
            action: change.action.as_str().to_owned(),
            subject: change.subject.name.clone(),
            account: change.subject.account.clone(),
            key: change.subject.key,
            detail: change.detail.to_string(),
        }
    }
}

/// Rows of one statement, on SQLite: below its 32,766 values.
const ROWS: usize = 500;
/// As many as changes that share a commit have, mostly.
const FEW: usize = 32;

impl Store {
    /// Rows that the filter fits at `now`, newest first, with numbers below `before`.
    pub async fn audit(
        &self,
        filter: &AuditFilter,
        before: Option<i64>,
        limit: u32,
        now: Instant,
    ) -> Result<Vec<Entry>> {
        let person = self.person().await?;
        let mut reader = self.reader().await?;
        let rows: Vec<AuditRow> = both!(reader.conn(), c => {
            let mut sql = QueryBuilder::<Db>::new("SELECT ");
            sql.push(COLUMNS).push(", ").push(person).push(", ").push(NAME).push(" FROM audit WHERE seq < ").push_bind(before.unwrap_or(i64::MAX));
            if let Some(actor) = &filter.actor {
                sql.push(" AND actor = ").push_bind(actor.as_str());
            }
            if let Some(person) = &filter.person {
                sql.push(" AND person LIKE ").push_bind(like(person)).push(" ESCAPE '!'");
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
            if let Some(operation) = filter.operation {
                sql.push(" AND operation = ").push_bind(operation);
            }
            for bound in &filter.at {
                push_bound(sql.push(" AND "), "at", *bound, now);
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

    /// The rows from number `from` on, oldest first.
    pub async fn audit_from(&self, from: i64, limit: u32) -> Result<Vec<Entry>> {
        let person = self.person().await?;
        let mut reader = self.reader().await?;
        let sql =
            format!("SELECT {COLUMNS}, {person}, {NAME} FROM audit WHERE seq >= $1 ORDER BY seq LIMIT $2");
        let rows: Vec<AuditRow> =
            rows!(fetch_all, reader.conn(), sqlx::AssertSqlSafe(sql), [from, i64::from(limit)]);
        Ok(rows.into_iter().map(Entry::from).collect())
    }

    /// The rows after number `after`, oldest first, exactly as they stand, with the hash that each carries.
    pub async fn audit_links(&self, after: i64, limit: u32) -> Result<Vec<(Link, Vec<u8>)>> {
        let person = self.person().await?;
        let mut reader = self.reader().await?;
        let sql = format!(
            "SELECT {COLUMNS}, {person}, NULL AS name FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2"
        );
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
