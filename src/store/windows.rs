//! The windows of limits that a gate counts by itself, kept over a restart.

use sqlx::{Connection, QueryBuilder};

use super::dialect::{Time, both, rows, run};
use super::reading::from_row;
use super::{Conn, Reader, Result, Store};
use crate::domain::Instant;

/// A window in the form that survives a restart, or a journal of what several were used for since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedWindow {
    /// Which bucket it is; see [`crate::domain::limit::Bucket`].
    pub subject: String,
    /// See [`crate::domain::limit::Log::to_bytes`].
    pub state: Vec<u8>,
    /// From then on it is empty.
    pub ends_at: Instant,
}

from_row!(SavedWindow, row => Self {
    subject: row.text("subject"),
    state: row.get("state"),
    ends_at: row.time("ends_at"),
});

/// Rows a statement.
const ROWS: usize = 500;

impl Store {
    /// Keeps these windows of the gate of that name, each in the place of what was kept before, and takes away the journals
    /// whose names come before `needed`: all of it or nothing.
    pub async fn save_windows(&self, gate: &str, windows: &[SavedWindow], needed: &str) -> Result<()> {
        let mut writer = self.writer().await?;
        match &mut writer {
            Reader::Sqlite(c) => {
                let mut tx = c.begin_with("BEGIN IMMEDIATE").await?;
                save(Conn::Sqlite(&mut tx), gate, windows, needed).await?;
                tx.commit().await?;
            }
            Reader::Postgres(c) => {
                let mut tx = c.within().await?;
                save(tx.conn(), gate, windows, needed).await?;
                tx.commit().await?;
            }
        }
        Ok(())
    }

    /// The windows of that gate that are not empty at `now`. Those of all gates that are get forgotten.
    pub async fn load_windows(&self, gate: &str, now: Instant) -> Result<Vec<SavedWindow>> {
        let mut writer = self.writer().await?;
        // What gates have counted lies there too, until it is added to their keys.
        let sql = "DELETE FROM limit_windows WHERE ends_at <= $1 AND subject NOT LIKE 'use:%'";
        run!(writer.conn(), sql, [Time(now)]);
        Ok(rows!(
            fetch_all,
            writer.conn(),
            "SELECT subject, state, ends_at FROM limit_windows WHERE gate = $1 AND subject NOT LIKE 'use:%'",
            [gate]
        ))
    }
}

async fn save(mut conn: Conn<'_>, gate: &str, windows: &[SavedWindow], needed: &str) -> Result<()> {
    for some in windows.chunks(ROWS) {
        both!(conn.again(), c => {
            let mut sql = QueryBuilder::<Db>::new("INSERT INTO limit_windows (gate, subject, state, ends_at) ");
            sql.push_values(some, |mut row, window| {
                row.push_bind(gate)
                    .push_bind(window.subject.as_str())
                    .push_bind(window.state.as_slice())
                    .push_bind(Time(window.ends_at));
            });
            sql.push(
                " ON CONFLICT (gate, subject) DO UPDATE SET state = excluded.state, ends_at = excluded.ends_at",
            );
            sql.build().persistent(some.len() == 1).execute(c).await?;
        });
    }
    run!(
        conn.again(),
        "DELETE FROM limit_windows WHERE gate = $1 AND subject >= 'journal:' AND subject < $2",
        [gate, needed]
    );
    Ok(())
}
