//! What the audit and the alerts count up to over a time, added up by the database.

use sqlx::AssertSqlSafe;

use crate::domain::Instant;
use crate::domain::audit::Total;
use crate::domain::text::SafeText;
use crate::store::dialect::{Time, rows};
use crate::store::reading::from_row;
use crate::store::{Result, Store};

/// Whose changes are added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    Accounts,
    Actors,
}

struct TotalRow(Total, u64);

from_row!(TotalRow, row => {
    let mut number = |name: &str| -> u64 {
        let number: i64 = row.get(name);
        number.unsigned_abs()
    };
    let (created, rotated, revoked) = (number("created"), number("rotated"), number("revoked"));
    let (paused, edited, changes) = (number("paused"), number("edited"), number("changes"));
    let all = number("everybody");
    Self(Total { name: row.safe("name"), created, rotated, revoked, paused, edited, changes }, all)
});

/// How often something happened.
struct CountRow(SafeText, u64);

from_row!(CountRow, row => {
    let number: i64 = row.get("number");
    Self(row.safe("name"), number.unsigned_abs())
});

impl Store {
    /// How many rows of each action the audit has from `since` on, before `until`.
    pub async fn audit_counts(&self, since: Instant, until: Instant) -> Result<Vec<(SafeText, u64)>> {
        let sql = "SELECT action AS name, count(*) AS number FROM audit WHERE at >= $1 AND at < $2 GROUP BY action ORDER BY action";
        self.counts(sql, since, until).await
    }

    /// How many alerts of each kind were raised from `since` on, before `until`.
    pub async fn alert_counts(&self, since: Instant, until: Instant) -> Result<Vec<(SafeText, u64)>> {
        let sql = "SELECT kind AS name, count(*) AS number FROM alerts WHERE raised_at >= $1 AND raised_at < $2 GROUP BY kind ORDER BY kind";
        self.counts(sql, since, until).await
    }

    async fn counts(
        &self,
        sql: &'static str,
        since: Instant,
        until: Instant,
    ) -> Result<Vec<(SafeText, u64)>> {
        let mut reader = self.reader().await?;
        let rows: Vec<CountRow> = rows!(fetch_all, reader.conn(), sql, [Time(since), Time(until)]);
        Ok(rows.into_iter().map(|CountRow(name, number)| (name, number)).collect())
    }

    /// Those with the most changes from `since` on, before `until`, and how many there are in all.
    pub async fn audit_totals(
        &self,
        whose: Whose,
        since: Instant,
        until: Instant,
        limit: u32,
    ) -> Result<(Vec<Total>, u64)> {
        let column = match whose {
            Whose::Accounts => "account",
            Whose::Actors => "actor",
        };
        let of =
            |actions: &str, name: &str| format!("count(*) FILTER (WHERE action IN ({actions})) AS {name}, ");
        let sql = format!(
            "SELECT {column} AS name, {}{}{}{}{}count(*) AS changes, count(*) OVER () AS everybody FROM audit \
             WHERE at >= $1 AND at < $2 AND {column} IS NOT NULL GROUP BY {column} ORDER BY changes DESC, name LIMIT $3",
            of("'key.create', 'key.import'", "created"),
            of("'key.rotate'", "rotated"),
            of("'key.revoke'", "revoked"),
            of("'key.pause'", "paused"),
            of("'key.edit'", "edited"),
        );
        let mut reader = self.reader().await?;
        let rows: Vec<TotalRow> =
            rows!(fetch_all, reader.conn(), AssertSqlSafe(sql), [Time(since), Time(until), i64::from(limit)]);
        let all = rows.first().map_or(0, |row| row.1);
        Ok((rows.into_iter().map(|row| row.0).collect(), all))
    }
}
