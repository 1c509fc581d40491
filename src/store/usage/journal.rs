//! What a gate has counted and not yet added to its keys' rows, in one row a second for all of them: so that a crash of it
//! loses no more than that second, and a key's own rows are written seldom.
//!
//! The row lies among the gate's windows, under a name that none of those has, and is over at once as far as those go.

use std::collections::{BTreeMap, HashMap};

use sqlx::Connection;
use uuid::Uuid;

use super::{Batch, write};
use crate::clock::Clock;
use crate::domain::Instant;
use crate::domain::key::KeyId;
use crate::domain::usage::{Counts, Journal, LastUse, Pending};
use crate::store::dialect::{Time, rows, run, scalar};
use crate::store::reading::from_row;
use crate::store::{Conn, Error, Reader, Result, Store};

struct JournalRow {
    gate: String,
    subject: String,
    state: Vec<u8>,
}

from_row!(JournalRow, row => Self {
    gate: row.text("gate"),
    subject: row.text("subject"),
    state: row.get("state"),
});

/// How a gate's journals are called.
fn name(gate: Uuid, number: i64) -> String {
    format!("use:{}:{number:016x}", gate.simple())
}

/// Whose journal it is.
fn whose(subject: &str) -> Option<Uuid> {
    Uuid::try_parse(subject.strip_prefix("use:")?.split(':').next()?).ok()
}

/// Writes a gate's journal, and takes away those that are not needed any more.
pub(super) async fn keep(
    mut conn: Conn<'_>,
    (gate, called): (Uuid, &str),
    journal: &Journal,
    now: Instant,
) -> Result<()> {
    if let Some(after) = journal.after {
        let sql = "SELECT count(*) FROM limit_windows WHERE gate = $1 AND subject = $2";
        let there: i64 = scalar!(fetch_one, conn.again(), sql, [called, name(gate, after)]);
        if there == 0 {
            return Err(Error::TakenOver);
        }
    }
    let state = serde_json::to_vec(journal).map_err(|error| Error::Busy(error.to_string()))?;
    run!(
        conn.again(),
        "INSERT INTO limit_windows (gate, subject, state, ends_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (gate, subject) DO NOTHING",
        [called, name(gate, journal.number), state, Time(now)]
    );
    run!(
        conn.again(),
        "DELETE FROM limit_windows WHERE gate = $1 AND subject >= $2 AND subject < $3",
        [called, name(gate, 0), name(gate, journal.needed.min(journal.number))]
    );
    Ok(())
}

impl Store {
    /// Adds what gates have counted and not added to their keys' rows before they broke: those that gave no sign of life since
    /// `before`. Answers for how many gates it did so.
    pub async fn take_over_usage(&self, before: Instant, clock: &Clock) -> Result<usize> {
        let mut reader = self.reader().await?;
        let left: Vec<JournalRow> = rows!(
            fetch_all,
            reader.conn(),
            "SELECT gate, subject, state FROM limit_windows w WHERE subject >= $1 AND subject < $2 ORDER BY subject",
            ["use:", "use;"]
        );
        let alive: Vec<Uuid> =
            scalar!(fetch_all, reader.conn(), "SELECT id FROM gates WHERE beat_at >= $1", [Time(before)]);
        drop(reader);
        let mut broken: BTreeMap<Uuid, String> = BTreeMap::new();
        for row in left {
            if let Some(gate) = whose(&row.subject).filter(|gate| !alive.contains(gate)) {
                broken.insert(gate, row.gate);
            }
        }
        let now = self.time(clock);
        for (gate, called) in &broken {
            let mut writer = self.writer().await?;
            match &mut writer {
                Reader::Sqlite(c) => {
                    let mut tx = c.begin_with("BEGIN IMMEDIATE").await?;
                    take_over(Conn::Sqlite(&mut tx), *gate, called, now).await?;
                    tx.commit().await?;
                }
                Reader::Postgres(c) => {
                    let mut tx = c.within().await?;
                    take_over(tx.conn(), *gate, called, now).await?;
                    tx.commit().await?;
                }
            }
        }
        Ok(broken.len())
    }
}

/// Adds what one gate left. Who takes its journals away adds what is in them, and nobody else can.
async fn take_over(mut conn: Conn<'_>, gate: Uuid, called: &str, now: Instant) -> Result<()> {
    let mut left: Vec<JournalRow> = rows!(
        fetch_all,
        conn.again(),
        "DELETE FROM limit_windows WHERE gate = $1 AND subject >= $2 AND subject <= $3 RETURNING gate, subject, state",
        [called, name(gate, 0), name(gate, i64::MAX)]
    );
    left.sort_by(|a, b| a.subject.cmp(&b.subject));
    let mut pending: HashMap<KeyId, Pending> = HashMap::new();
    for row in left {
        // One that can't be read is lost, and nothing else with it.
        let Ok(journal) = serde_json::from_slice::<Journal>(&row.state) else { continue };
        for key in journal.over {
            pending.remove(&key);
        }
        pending.extend(journal.used.into_iter().map(|one| (one.key, one)));
    }
    let mut batch = Batch::default();
    for one in pending.into_values() {
        for (minute, allowed, refused, limited) in one.minutes {
            batch.counts.insert((one.key, minute), Counts { allowed, refused, limited });
        }
        let last = one.last.map(|(at, address, endpoint)| LastUse { at, address, endpoint });
        batch.last.extend(last.map(|last| (one.key, last)));
        batch.late.extend(one.late.into_iter().map(|late| (one.key, late)));
    }
    write(conn, &batch, now).await
}
