//! Freezes and stops of creation in the database.

use super::dialect::{Time, rows, run, scalar};
use super::reading::from_row;
use super::{Conn, Result, Store, Tx};
use crate::domain::Instant;
use crate::domain::hold::{Hold, HoldKind};
use crate::domain::key::Key;
use crate::domain::pause::Pause;

const COLUMNS: &str =
    "n, kind, filter, account, issuer, made_at, until, made_by, message, reason, lifted_at, lifted_by";

struct HoldRow(Hold);

from_row!(HoldRow, row => {
    let n: i64 = row.get("n");
    Self(Hold {
        n,
        kind: row.word("kind", HoldKind::Freeze),
        filter: row.safe("filter"),
        account: row.maybe_safe("account"),
        issuer: row.maybe_safe("issuer"),
        pause: Pause {
            at: row.time("made_at"),
            until: row.time("until"),
            by: row.safe("made_by"),
            message: row.maybe_safe("message"),
            reason: row.maybe_safe("reason"),
            freeze: Some(n),
        },
        lifted_at: row.maybe_time("lifted_at"),
        lifted_by: row.maybe_safe("lifted_by"),
    })
});

impl Conn<'_> {
    /// Those of a kind that nobody lifted; some may be over by the clock.
    async fn held(&mut self, kind: HoldKind) -> Result<Vec<Hold>> {
        let word: &str = kind.into();
        let sql = format!("SELECT {COLUMNS} FROM holds WHERE kind = $1 AND lifted_at IS NULL ORDER BY n");
        let rows: Vec<HoldRow> = rows!(fetch_all, self.again(), sqlx::AssertSqlSafe(sql), [word]);
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    pub(super) async fn freezes(&mut self) -> Result<Vec<Hold>> {
        self.held(HoldKind::Freeze).await
    }

    /// Says of each key which freeze holds it. Read behind the keys: what held when those were read is seen here, or was
    /// lifted by now.
    pub(super) async fn freeze(&mut self, keys: &mut [Key]) -> Result<()> {
        if !keys.is_empty() {
            crate::domain::hold::freeze(keys, &self.freezes().await?);
        }
        Ok(())
    }
}

impl Store {
    /// Freezes and stops of creation, the newest first; `all`: also those that were lifted or are over.
    pub async fn holds(&self, all: bool, limit: u32) -> Result<Vec<Hold>> {
        let which = if all { "" } else { "WHERE lifted_at IS NULL" };
        let sql = format!("SELECT {COLUMNS} FROM holds {which} ORDER BY n DESC LIMIT $1");
        let mut reader = self.reader().await?;
        let rows: Vec<HoldRow> =
            rows!(fetch_all, reader.conn(), sqlx::AssertSqlSafe(sql), [i64::from(limit)]);
        Ok(rows.into_iter().map(|row| row.0).collect())
    }
}

impl Tx {
    /// Those of a kind that nobody lifted; some may be over by the clock.
    pub async fn held(&mut self, kind: HoldKind) -> Result<Vec<Hold>> {
        self.conn().held(kind).await
    }

    /// What was held or lifted under this operation before.
    pub async fn hold_of_operation(&mut self) -> Result<Option<Hold>> {
        let operation = self.operation();
        let sql = format!(
            "SELECT {COLUMNS} FROM holds WHERE n = (SELECT CAST(subject AS bigint) FROM audit WHERE operation = $1 \
             AND action IN ('freeze.add', 'freeze.lift', 'creation.stop', 'creation.allow') LIMIT 1)"
        );
        let row: Option<HoldRow> = rows!(fetch_optional, self.conn(), sqlx::AssertSqlSafe(sql), [operation]);
        Ok(row.map(|row| row.0))
    }

    /// Adds one, and puts aside those that are over. Answers its number.
    pub async fn add_hold(&mut self, hold: &Hold) -> Result<i64> {
        let now = Time(self.now());
        run!(
            self.conn(),
            "UPDATE holds SET lifted_at = until WHERE lifted_at IS NULL AND until <= $1",
            [now]
        );
        let (kind, pause): (&str, _) = (hold.kind.into(), &hold.pause);
        Ok(scalar!(
            fetch_one,
            self.conn(),
            "INSERT INTO holds (kind, filter, account, issuer, made_at, until, made_by, message, reason) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING n",
            [
                kind,
                hold.filter.as_str(),
                hold.account.as_deref(),
                hold.issuer.as_deref(),
                Time(pause.at),
                Time(pause.until),
                pause.by.as_str(),
                pause.message.as_deref(),
                pause.reason.as_deref()
            ]
        ))
    }

    pub async fn lift_hold(&mut self, n: i64, at: Instant) -> Result<()> {
        let by = self.who().name.clone();
        run!(
            self.conn(),
            "UPDATE holds SET lifted_at = $2, lifted_by = $3 WHERE n = $1 AND lifted_at IS NULL",
            [n, Time(at), by]
        );
        Ok(())
    }
}
