//! Alerts: what somebody should look at.

use sqlx::{AssertSqlSafe, QueryBuilder};
use uuid::Uuid;

use super::dialect::{Text, Time, both, rows, run, scalar};
use super::filter::Driver as _;
use super::reading::from_row;
use super::{Error, Result, Store, Tx};
use crate::clock::Clock;
use crate::domain::key::KeyId;
use crate::domain::text::SafeText;
use crate::domain::usage::{Alert, RaisedAlert, Severity, What};
use crate::domain::{EARLIEST, Instant, LATEST, shifted};

/// Which alerts are wanted, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertRequest {
    /// Only those that nobody acknowledged.
    pub open: bool,
    pub key: Option<KeyId>,
    /// The account's slug.
    pub account: Option<String>,
    /// Only those with smaller numbers.
    pub before: Option<i64>,
    pub limit: u32,
}

struct AlertRow(RaisedAlert);

from_row!(AlertRow, row => {
    let (raised_at, detail) = (row.time("raised_at"), row.text("detail"));
    // What a newer Keyrack wrote, or somebody by hand.
    let mut alert: Alert = serde_json::from_str(&detail).unwrap_or_else(|error| {
        let why = SafeText::new(error.to_string()).to_string();
        Alert { at: raised_at, what: What::Unread { why } }
    });
    alert.at = alert.at.clamp(EARLIEST, LATEST);
    let mut raised = RaisedAlert {
        id: row.get("id"),
        alert,
        gate: row.safe("gate"),
        account: row.maybe_safe("account"),
        name: row.maybe_safe("name"),
        preview: row.maybe_safe("preview"),
        acknowledged_at: row.maybe_time("acknowledged_at"),
        acknowledged_by: row.maybe_safe("acknowledged_by"),
    };
    raised.gate = row.marked(Some(raised.gate)).unwrap_or_default();
    Self(raised)
});

/// `row` tells the rows of one key's tables: [`Conn::row`](super::Conn::row).
fn select(row: &str) -> String {
    format!(
        "SELECT a.id, a.raised_at, a.gate, a.account, m.name, m.preview, a.detail, a.acknowledged_at, a.acknowledged_by \
         FROM alerts a LEFT JOIN key_auth k ON k.id = a.key LEFT JOIN keys m ON m.{row} = k.{row}"
    )
}

/// Nobody counts further than this.
const MANY: i64 = 1000;

impl Store {
    /// Writes an alert down, unless one like it, and no less grave, was raised within [`Alert::rest`], by whichever gate. Answers
    /// whether it is a new one.
    pub async fn raise_alert(&self, gate: &str, alert: &Alert) -> Result<bool> {
        let graver = [Severity::Info, Severity::Warning, Severity::Critical]
            .into_iter()
            .filter(|severity| *severity >= alert.severity())
            .map(|severity| subject(alert, severity));
        let rest = alert.rest().num_seconds();
        let hour =
            Instant::from_timestamp_secs(alert.at.timestamp().div_euclid(rest) * rest).unwrap_or_default();
        let detail = serde_json::to_string(alert).map_err(|e| Error::Other(e.to_string()))?;
        let mut writer = self.writer().await?;
        let rows = both!(writer.conn(), c => {
            let mut sql = QueryBuilder::<Db>::new(
                "INSERT INTO alerts (kind, subject, hour, raised_at, gate, key, account, detail) SELECT ",
            );
            let mut values = sql.separated(", ");
            values.push_bind(alert.kind());
            values.push_bind(subject(alert, alert.severity()));
            values.push_bind(Time(hour));
            values.push_bind(Time(alert.at));
            values.push_bind(gate);
            values.push_bind(alert.key());
            values.push("(SELECT k.account FROM key_auth k WHERE k.id = ").push_bind_unseparated(alert.key());
            values.push_unseparated(")");
            values.push_bind(detail);
            sql.push(" WHERE NOT EXISTS (SELECT 1 FROM alerts WHERE kind = ").push_bind(alert.kind());
            sql.push(" AND raised_at > ").push_bind(Time(shifted(alert.at, -alert.rest())));
            sql.push(" AND subject IN (");
            let mut subjects = sql.separated(", ");
            for subject in graver {
                subjects.push_bind(subject);
            }
            sql.push(")) ON CONFLICT DO NOTHING");
            sql.build().persistent(false).execute(c).await?.rows_affected()
        });
        Ok(rows > 0)
    }

    /// Alerts, the newest first.
    pub async fn alerts(&self, request: &AlertRequest) -> Result<Vec<RaisedAlert>> {
        let mut reader = self.reader().await?;
        let rows: Vec<AlertRow> = both!(reader.conn(), c => {
            let mut sql = QueryBuilder::<Db>::new(select(Db::ROW));
            sql.push(" WHERE a.id < ").push_bind(request.before.unwrap_or(i64::MAX));
            if request.open {
                sql.push(" AND a.acknowledged_at IS NULL");
            }
            if let Some(key) = request.key {
                sql.push(" AND a.key = ").push_bind(key);
            }
            if let Some(account) = &request.account {
                sql.push(" AND a.account = ").push_bind(account.as_str());
            }
            sql.push(" ORDER BY a.id DESC LIMIT ").push_bind(i64::from(request.limit));
            sql.build_query_as::<AlertRow>().fetch_all(c).await?
        });
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// Those that were raised from `since` on, before `until`, the newest first.
    pub async fn alerts_between(
        &self,
        since: Instant,
        until: Instant,
        limit: u32,
    ) -> Result<Vec<RaisedAlert>> {
        let mut reader = self.reader().await?;
        let sql = format!(
            "{} WHERE a.raised_at >= $1 AND a.raised_at < $2 ORDER BY a.id DESC LIMIT $3",
            select(reader.conn().row())
        );
        let rows: Vec<AlertRow> =
            rows!(fetch_all, reader.conn(), AssertSqlSafe(sql), [Time(since), Time(until), i64::from(limit)]);
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// How many alerts nobody has acknowledged; of a thousand and more, a thousand.
    pub async fn open_alerts(&self) -> Result<u64> {
        let mut reader = self.reader().await?;
        let count: i64 = scalar!(
            fetch_one,
            reader.conn(),
            "SELECT count(*) FROM (SELECT 1 FROM alerts WHERE acknowledged_at IS NULL LIMIT $1) AS counted",
            [MANY]
        );
        Ok(count.unsigned_abs())
    }

    /// The oldest alerts that this gate raised since `since` and that no webhook has taken yet.
    pub async fn untold_alerts(&self, gate: &str, since: Instant, limit: u32) -> Result<Vec<RaisedAlert>> {
        let mut reader = self.reader().await?;
        let sql = format!(
            "{} WHERE a.gate = $1 AND a.told_at IS NULL AND a.raised_at >= $2 ORDER BY a.id LIMIT $3",
            select(reader.conn().row())
        );
        let rows: Vec<AlertRow> =
            rows!(fetch_all, reader.conn(), AssertSqlSafe(sql), [gate, Time(since), i64::from(limit)]);
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// Deletes alerts that were raised before `until`, acknowledged or not, a number of the oldest at most.
    pub async fn prune_alerts(&self, until: Instant) -> Result<u64> {
        let mut writer = self.writer().await?;
        both!(writer.conn(), c => {
            // Only the oldest are looked at: no index has the time.
            let sql = "DELETE FROM alerts WHERE raised_at < $1 AND id IN (SELECT id FROM alerts ORDER BY id LIMIT $2)";
            Ok(sqlx::query::<Db>(sql).bind(Time(until)).bind(PRUNED).execute(c).await?.rows_affected())
        })
    }

    /// Takes note that a webhook has taken an alert.
    pub async fn told_alert(&self, id: i64, clock: &Clock) -> Result<()> {
        let mut writer = self.writer().await?;
        let now = writer.present(2);
        let sql = format!("UPDATE alerts SET told_at = {now} WHERE id = $1");
        run!(writer.conn(), AssertSqlSafe(sql), [id, Time(self.time(clock))]);
        Ok(())
    }
}

/// Alerts a step of pruning.
const PRUNED: i64 = 1_000;

/// What is unique in an hour.
fn subject(alert: &Alert, severity: Severity) -> String {
    format!("{} {}", alert.about(), severity.as_str())
}

impl Tx {
    /// One alert, locked until the end of the transaction, with its key and account; `None` if there is no such alert.
    pub async fn acknowledge_alert(&mut self, id: i64) -> Result<Option<Acknowledged>> {
        let (now, by) = (Time(self.now()), self.who().name.clone());
        both!(self.conn(), c => {
            let changed = sqlx::query::<Db>(
                "UPDATE alerts SET acknowledged_at = $2, acknowledged_by = $3 WHERE id = $1 AND acknowledged_at IS NULL",
            )
            .bind(id)
            .bind(now)
            .bind(by)
            .execute(&mut *c)
            .await?
            .rows_affected();
            let row: Option<(Option<Uuid>, Option<Text>)> =
                sqlx::query_as::<Db, _>("SELECT key, account FROM alerts WHERE id = $1").bind(id).fetch_optional(c).await?;
            Ok(row.map(|(key, account)| Acknowledged { key, account: account.map(|slug| slug.text), now: changed > 0 }))
        })
    }
}

/// An alert that is acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    pub key: Option<KeyId>,
    pub account: Option<String>,
    /// Whether it was not before.
    pub now: bool,
}
