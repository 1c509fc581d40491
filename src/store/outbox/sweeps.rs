//! Sweeps in the database.

use sqlx::QueryBuilder;

use crate::domain::reminder::{Door, InHand, Progress, Sweep, SweepId, Tally};
use crate::domain::{Instant, shifted};
use crate::store::dialect::{Time, both, rows, run, scalar};
use crate::store::reading::from_row;
use crate::store::{Result, Store, Tx};

/// A sweep gives a sign of life well within this time.
pub const ALIVE: chrono::Duration = chrono::Duration::seconds(30);
/// No claim and no sign of life lasts longer: what seems to was made by a clock that ran ahead.
const CLAIMED: chrono::Duration = chrono::Duration::hours(1);

struct SweepRow {
    sweep: Sweep,
    alive_until: Instant,
}

from_row!(SweepRow, row => {
    let (ended_at, alive_until) = (row.maybe_time("ended_at"), row.time("alive_until"));
    let mut sweep = Sweep {
        id: row.id("id"),
        door: row.word("door", Door::Command),
        by: row.safe("begun_by"),
        host: row.safe("host"),
        began_at: row.time("began_at"),
        ended_at,
        progress: Progress::Lost,
        tally: Tally {
            reminders: row.count("reminders"),
            sent: row.count("sent"),
            written: row.count("written"),
            failed: row.count("failed"),
            deferred: row.count("deferred"),
            ambiguous: row.count("ambiguous"),
        },
        trouble: row.maybe_safe("trouble"),
    };
    sweep.trouble = row.marked(sweep.trouble);
    Self { sweep, alive_until }
});

const COLUMNS: &str = "id, door, begun_by, host, began_at, alive_until, ended_at, trouble, reminders, sent, written, failed, deferred, ambiguous";

impl SweepRow {
    fn into_sweep(self, now: Instant) -> Sweep {
        let Self { mut sweep, alive_until } = self;
        sweep.progress = match (sweep.ended_at, &sweep.trouble) {
            (Some(_), None) => Progress::Ended,
            (Some(_), Some(_)) => Progress::Stopped,
            (None, _) if alive_until > now && alive_until <= shifted(now, CLAIMED) => Progress::Running,
            (None, _) => Progress::Lost,
        };
        sweep
    }
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Store {
    /// Sweeps, the last first.
    pub async fn sweeps(&self, now: Instant, limit: u32) -> Result<Vec<Sweep>> {
        let mut reader = self.reader().await?;
        let rows = both!(reader.conn(), c => {
            let mut sql = QueryBuilder::<Db>::new(format!(
                "SELECT {COLUMNS} FROM sweeps ORDER BY began_at DESC, id DESC LIMIT {limit}"
            ));
            sql.build_query_as::<SweepRow>().fetch_all(c).await?
        });
        Ok(rows.into_iter().map(|row| row.into_sweep(now)).collect())
    }

    /// The letters that sweeps have in hand at `now`, if any.
    pub async fn in_hand(&self, now: Instant) -> Result<Option<InHand>> {
        let mut reader = self.reader().await?;
        let (letters, alive, until): (i64, Option<Time>, Option<Time>) = rows!(
            fetch_one,
            reader.conn(),
            "SELECT count(DISTINCT d.letter), max(s.alive_until), max(d.claimed_until) FROM deliveries d \
             JOIN sweeps s ON s.id = d.sweep WHERE d.state = 'sending' AND d.claimed_until > $1 AND d.claimed_until <= $2",
            [Time(now), Time(shifted(now, CLAIMED))]
        );
        let (Some(Time(alive)), Some(Time(until))) = (alive, until) else { return Ok(None) };
        Ok(Some(InHand { letters: letters.unsigned_abs(), heard_at: shifted(alive, -ALIVE), until }))
    }

    pub async fn sweep(&self, id: SweepId, now: Instant) -> Result<Option<Sweep>> {
        let mut reader = self.reader().await?;
        let row: Option<SweepRow> = rows!(
            fetch_optional,
            reader.conn(),
            sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM sweeps WHERE id = $1")),
            [id]
        );
        Ok(row.map(|row| row.into_sweep(now)))
    }
}

impl Tx {
    /// The acting person begins a sweep.
    pub async fn begin_sweep(&mut self, id: SweepId, door: Door) -> Result<()> {
        let (now, who) = (self.now(), self.who().clone());
        run!(
            self.conn(),
            "INSERT INTO sweeps (id, door, begun_by, host, began_at, alive_until) VALUES ($1, $2, $3, $4, $5, $6)",
            [id, door.as_str(), who.name.as_str(), who.host.as_str(), Time(now), Time(shifted(now, ALIVE))]
        );
        Ok(())
    }

    /// Whether there is such a sweep.
    pub async fn has_sweep(&mut self, id: SweepId) -> Result<bool> {
        let found: i64 = scalar!(fetch_one, self.conn(), "SELECT count(*) FROM sweeps WHERE id = $1", [id]);
        Ok(found > 0)
    }

    /// A sweep gives a sign of life and tells how far it is.
    pub async fn beat(&mut self, id: SweepId, tally: &Tally) -> Result<()> {
        let now = self.now();
        run!(
            self.conn(),
            "UPDATE sweeps SET alive_until = $2, reminders = $3, sent = $4, failed = $5, deferred = $6, ambiguous = $7, written = $8 \
             WHERE id = $1 AND ended_at IS NULL",
            [
                id,
                Time(shifted(now, ALIVE)),
                count(tally.reminders),
                count(tally.sent),
                count(tally.failed),
                count(tally.deferred),
                count(tally.ambiguous),
                count(tally.written)
            ]
        );
        Ok(())
    }

    /// A sweep ends; early, if there is trouble.
    pub async fn end_sweep(&mut self, id: SweepId, trouble: Option<&str>) -> Result<()> {
        let now = self.now();
        run!(
            self.conn(),
            "UPDATE sweeps SET ended_at = $2, trouble = $3 WHERE id = $1 AND ended_at IS NULL",
            [id, Time(now), trouble]
        );
        Ok(())
    }
}
