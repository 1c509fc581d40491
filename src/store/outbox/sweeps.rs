//! Sweeps in the database.

use sqlx::{FromRow, QueryBuilder};
use uuid::Uuid;

use crate::domain::Instant;
use crate::domain::reminder::{Door, Progress, Sweep, SweepId, Tally};
use crate::domain::text::SafeText;
use crate::store::dialect::{Time, both};
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

/// Letters that sweeps have in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InHand {
    pub letters: u64,
    /// The last sign of life of any of these sweeps.
    pub heard_at: Instant,
    /// From then on another sweep sends what they have not.
    pub until: Instant,
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
        let (letters, alive, until): (i64, Option<Time>, Option<Time>) = both!(reader.conn(), c => {
            sqlx::query_as::<Db, (i64, Option<Time>, Option<Time>)>(
                "SELECT count(DISTINCT d.letter), max(s.alive_until), max(d.claimed_until) FROM deliveries d \
                 JOIN sweeps s ON s.id = d.sweep WHERE d.state = 'sending' AND d.claimed_until > $1 AND d.claimed_until <= $2",
            )
            .bind(Time(now))
            .bind(Time(now + CLAIMED))
            .fetch_one(c)
            .await?
        });
        let (Some(Time(alive)), Some(Time(until))) = (alive, until) else { return Ok(None) };
        Ok(Some(InHand { letters: letters.unsigned_abs(), heard_at: alive - ALIVE, until }))
    }

    pub async fn sweep(&self, id: SweepId, now: Instant) -> Result<Option<Sweep>> {
        let mut reader = self.reader().await?;
        let row = both!(reader.conn(), c => {
            sqlx::query_as::<Db, SweepRow>(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM sweeps WHERE id = $1")))
                .bind(id)
                .fetch_optional(c)
                .await?
        });
        row.map(|row| row.into_sweep(now)).transpose()
    }
}

impl Tx {
    /// The acting person begins a sweep.
    pub async fn begin_sweep(&mut self, id: SweepId, door: Door) -> Result<()> {
        let (now, who) = (self.now(), self.who().clone());
        both!(self.conn(), c => {
            sqlx::query::<Db>(
                "INSERT INTO sweeps (id, door, begun_by, host, began_at, alive_until) VALUES ($1, $2, $3, $4, $5, $6)",
            )
            .bind(id)
            .bind(door.as_str())
            .bind(who.name.as_str())
            .bind(who.host.as_str())
            .bind(Time(now))
            .bind(Time(now + ALIVE))
            .execute(c)
            .await?;
        });
        Ok(())
    }

    /// Whether there is such a sweep.
    pub async fn has_sweep(&mut self, id: SweepId) -> Result<bool> {
        Ok(both!(self.conn(), c => {
            sqlx::query_scalar::<Db, i64>("SELECT count(*) FROM sweeps WHERE id = $1").bind(id).fetch_one(c).await?
        }) > 0)
    }

    /// A sweep gives a sign of life and tells how far it is.
    pub async fn beat(&mut self, id: SweepId, tally: &Tally) -> Result<()> {
        let now = self.now();
        both!(self.conn(), c => {
            sqlx::query::<Db>(
                "UPDATE sweeps SET alive_until = $2, reminders = $3, sent = $4, failed = $5, deferred = $6, ambiguous = $7, written = $8 \
                 WHERE id = $1 AND ended_at IS NULL",
            )
            .bind(id)
            .bind(Time(now + ALIVE))
            .bind(count(tally.reminders))
            .bind(count(tally.sent))
            .bind(count(tally.failed))
            .bind(count(tally.deferred))
            .bind(count(tally.ambiguous))
            .bind(count(tally.written))
            .execute(c)
            .await?;
        });
        Ok(())
    }

    /// A sweep ends; early, if there is trouble.
    pub async fn end_sweep(&mut self, id: SweepId, trouble: Option<&str>) -> Result<()> {
        let now = self.now();
        both!(self.conn(), c => {
            sqlx::query::<Db>("UPDATE sweeps SET ended_at = $2, trouble = $3 WHERE id = $1 AND ended_at IS NULL")
                .bind(id)
                .bind(Time(now))
                .bind(trouble)
                .execute(c)
                .await?;
        });
        Ok(())
    }
}
