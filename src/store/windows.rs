//! The windows of limits that a gate counts by itself, kept over a restart.

use sqlx::QueryBuilder;

use super::dialect::{Time, both, rows, run};
use super::reading::from_row;
use super::{Result, Store};
use crate::domain::Instant;

/// A window in the form that survives a restart.
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
    /// Keeps these windows of the gate of that name, each in the place of what was kept before.
    pub async fn save_windows(&self, gate: &str, windows: &[SavedWindow]) -> Result<()> {
        let mut writer = self.writer().await?;
        for some in windows.chunks(ROWS) {
            both!(writer.conn(), c => {
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
        Ok(())
    }

    /// The windows of that gate that are not empty at `now`. Those of all gates that are get forgotten.
    pub async fn load_windows(&self, gate: &str, now: Instant) -> Result<Vec<SavedWindow>> {
        let mut writer = self.writer().await?;
        run!(writer.conn(), "DELETE FROM limit_windows WHERE ends_at <= $1", [Time(now)]);
        Ok(rows!(
            fetch_all,
            writer.conn(),
            "SELECT subject, state, ends_at FROM limit_windows WHERE gate = $1",
            [gate]
        ))
    }
}
