//! How far the audit has come, and whether what was once its end is still in it.

use sqlx::{AssertSqlSafe, QueryBuilder};
use uuid::Uuid;

use super::dialect::{Text, Time, both, rows};
use super::{Reader, Result, Store};
use crate::domain::Instant;
use crate::domain::audit::Action;
use crate::domain::history::{Accepted, Head, Remembered, number_in};
use crate::domain::text::{SafeText, hex};

/// More revocations than this are not read at a time: the newest count.
const REVOCATIONS: i64 = 5_000;

/// The end of the audit at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    pub head: Head,
    /// When the first row was written, what it says, and of what: of all databases, this one alone has it.
    pub first: (Instant, String, String),
    /// Whether the server follows another one and may lag behind it.
    pub follows: bool,
}

impl Store {
    /// The end of the audit; `None` while it has no row.
    pub async fn past(&self) -> Result<Option<Past>> {
        let mut reader = self.reader().await?;
        let follows = match reader {
            Reader::Sqlite(_) => "false",
            Reader::Postgres(_) => "pg_is_in_recovery()",
        };
        let sql = format!(
            "SELECT h.seq, h.hash, l.at, f.at, f.action, f.subject, {follows} \
             FROM audit_head h JOIN audit l ON l.seq = (SELECT s.seq FROM audit_head s) JOIN audit f ON f.seq = 1"
        );
        type Row = (i64, Vec<u8>, Time, Time, Text, Text, bool);
        let row: Option<Row> = rows!(fetch_optional, reader.conn(), AssertSqlSafe(sql));
        Ok(row.map(|(seq, hash, Time(at), Time(first), action, subject, follows)| Past {
            head: Head { seq, at, hash: hex(&hash) },
            first: (first, action.text, subject.text),
            follows,
        }))
    }

    /// The rows with these numbers that are there. A gate's login can't read hashes: it gets them without (`whole` is false).
    pub async fn heads(&self, numbers: &[i64], whole: bool) -> Result<Vec<Head>> {
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        let mut reader = self.reader().await?;
        let hash = if whole { "hash" } else { "NULL" };
        let rows: Vec<(i64, Time, Option<Vec<u8>>)> = both!(reader.conn(), c => {
            let mut sql = QueryBuilder::<Db>::new(format!("SELECT seq, at, {hash} FROM audit WHERE seq IN ("));
            let mut list = sql.separated(", ");
            for number in numbers {
                list.push_bind(*number);
            }
            sql.push(")");
            sql.build_query_as().fetch_all(c).await?
        });
        let head = |(seq, Time(at), hash): (i64, Time, Option<Vec<u8>>)| Head {
            seq,
            at,
            hash: hash.as_deref().map(hex).unwrap_or_default(),
        };
        Ok(rows.into_iter().map(head).collect())
    }

    /// The revocations after one number of the audit and up to another, newest first.
    pub async fn revocations(&self, after: i64, until: i64) -> Result<Vec<Remembered>> {
        let mut reader = self.reader().await?;
        type Row = (i64, Uuid, SafeText, SafeText, SafeText, Time, Option<SafeText>, Option<SafeText>);
        let sql = format!(
            "SELECT a.seq, k.id, m.preview, m.name, k.account, k.revoked_at, k.revoked_by, k.revoke_reason \
             FROM audit a JOIN key_auth k ON k.id = a.key JOIN keys m ON m.{row} = k.{row} \
             WHERE a.seq > $1 AND a.seq <= $2 AND a.action = 'key.revoke' AND k.revoked_at IS NOT NULL \
             ORDER BY a.seq DESC LIMIT $3",
            row = reader.conn().row()
        );
        let rows: Vec<Row> = rows!(fetch_all, reader.conn(), AssertSqlSafe(sql), [after, until, REVOCATIONS]);
        let remembered = |(seq, key, preview, name, account, Time(at), by, reason): Row| Remembered {
            seq,
            key,
            preview,
            name,
            account,
            at,
            by: by.unwrap_or_default(),
            reason,
        };
        Ok(rows.into_iter().map(remembered).collect())
    }

    /// The decisions after this time that the database goes on as it is. A gate's login can't read whether they leave
    /// something undone: to it they all seem to.
    pub async fn accepted(&self, after: Instant, whole: bool) -> Result<Vec<Accepted>> {
        let mut reader = self.reader().await?;
        let detail = if whole { "detail" } else { "''" };
        let sql = format!("SELECT at, subject, {detail} FROM audit WHERE action = $1 AND at > $2");
        let action = Action::AuditAccept.as_str();
        let rows: Vec<(Time, Text, Text)> =
            rows!(fetch_all, reader.conn(), AssertSqlSafe(sql), [action, Time(after)]);
        let accepted = |(Time(at), subject, detail): (Time, Text, Text)| {
            let detail: Option<serde_json::Value> = serde_json::from_str(&detail.text).ok();
            let leaves = detail.and_then(|detail| detail["leaves"].as_bool()).unwrap_or(true);
            Some(Accepted { at, seen: number_in(&subject.text)?, leaves })
        };
        Ok(rows.into_iter().filter_map(accepted).collect())
    }
}
