//! Sweeps in the database.

use sqlx::{FromRow, QueryBuilder};
use uuid::Uuid;

use crate::domain::Instant;
use crate::domain::reminder::{Door, InHand, Progress, Sweep, SweepId, Tally};
use crate::domain::text::SafeText;
use crate::store::dialect::{Time, both, rows, run, scalar};
use crate::store::{Result, Store, Tx};

/// A sweep gives a sign of life well within this time.
pub const ALIVE: chrono::Duration = chrono::Duration::seconds(30);
/// No claim and no sign of life lasts longer: what seems to was made by a clock that ran ahead.
const CLAIMED: chrono::Duration = chrono::Duration::hours(1);

#[derive(FromRow)]
struct SweepRow {
    id: Uuid,
    door: String,
    begun_by: String,
    host: String,
    began_at: Time,
    alive_until: Time,
    ended_at: Option<Time>,
    trouble: Option<String>,
    reminders: i64,
    sent: i64,
    written: i64,
    failed: i64,
    deferred: i64,
    ambiguous: i64,
}

const COLUMNS: &str = "id, door, begun_by, host, began_at, alive_until, ended_at, trouble, reminders, sent, written, failed, deferred, ambiguous";

impl SweepRow {
    fn into_sweep(self, now: Instant) -> Result<Sweep> {
        let progress = match (self.ended_at, &self.trouble) {
            (Some(_), None) => Progress::Ended,
            (Some(_), Some(_)) => Progress::Stopped,
            (None, _) if self.alive_until.0 > now && self.alive_until.0 <= now + CLAIMED => Progress::Running,
            (None, _) => Progress::Lost,
        };
        Ok(Sweep {
            id: self.id,
            door: crate::store::rows::word("a sweep's door", &self.door)?,
            by: self.begun_by.into(),
            host: self.host.into(),
            began_at: self.began_at.0,
            ended_at: self.ended_at.map(|t| t.0),
            progress,
            tally: Tally {
                reminders: self.reminders.unsigned_abs(),
                sent: self.sent.unsigned_abs(),
                written: self.written.unsigned_abs(),
                failed: self.failed.unsigned_abs(),
                deferred: self.deferred.unsigned_abs(),
                ambiguous: self.ambiguous.unsigned_abs(),
            },
            trouble: self.trouble.map(SafeText::new),
        })
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
        rows.into_iter().map(|row| row.into_sweep(now)).collect()
    }

    /// The letters that sweeps have in hand at `now`, if any.
    pub async fn in_hand(&self, now: Instant) -> Result<Option<InHand>> {
        let mut reader = self.reader().await?;
        let (letters, alive, until): (i64, Option<Time>, Option<Time>) = rows!(
            fetch_one,
            reader.conn(),
            "SELECT count(DISTINCT d.letter), max(s.alive_until), max(d.claimed_until) FROM deliveries d \
             JOIN sweeps s ON s.id = d.sweep WHERE d.state = 'sending' AND d.claimed_until > $1 AND d.claimed_until <= $2",
            [Time(now), Time(now + CLAIMED)]
        );
        let (Some(Time(alive)), Some(Time(until))) = (alive, until) else { return Ok(None) };
        Ok(Some(InHand { letters: letters.unsigned_abs(), heard_at: alive - ALIVE, until }))
    }

    pub async fn sweep(&self, id: SweepId, now: Instant) -> Result<Option<Sweep>> {
        let mut reader = self.reader().await?;
        let row: Option<SweepRow> = rows!(
            fetch_optional,
            reader.conn(),
            sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM sweeps WHERE id = $1")),
            [id]
        );
        row.map(|row| row.into_sweep(now)).transpose()
    }
}

impl Tx {
    /// The acting person begins a sweep.
    pub async fn begin_sweep(&mut self, id: SweepId, door: Door) -> Result<()> {
        let (now, who) = (self.now(), self.who().clone());
        run!(
            self.conn(),
            "INSERT INTO sweeps (id, door, begun_by, host, began_at, alive_until) VALUES ($1, $2, $3, $4, $5, $6)",
            [id, door.as_str(), who.name.as_str(), who.host.as_str(), Time(now), Time(now + ALIVE)]
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
                Time(now + ALIVE),
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
