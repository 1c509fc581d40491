//! Gates in the database: what they read of a key, and where they say that they are alive.

use sqlx::{AssertSqlSafe, QueryBuilder};
use uuid::Uuid;

use super::dialect::{Time, both, rows, run, scalar};
use super::filter::push_ids;
use super::reading::from_row;
use super::rows::{KEY_COLUMNS, KeyRow};
use super::{Conn, Error, Pools, Reader, Result, Store, Tx};
use crate::clock::Clock;
use crate::domain::Instant;
use crate::domain::account::{Account, Standing};
use crate::domain::freshness::Freshness;
use crate::domain::issuer::Issuer;
use crate::domain::key::{Key, KeyId};
use crate::domain::secret::HashedKey;
use crate::domain::text::SafeText;

mod leaks;

pub use leaks::{LeakAction, Leaked};

/// A key with its account, both as they were at one moment, and the audit's number of that moment.
#[derive(Clone, Debug)]
pub struct Sight {
    pub key: Key,
    pub account: Account,
    /// The version of the issuer's policy.
    pub policy: i64,
    pub seq: i64,
}

struct SightRow(Sight);

from_row!(SightRow, row => {
    let KeyRow(key) = row.part()?;
    let mut account = Account {
        slug: row.safe("account_slug").to_string(),
        issuer: row.safe("account_issuer").to_string(),
        name: row.safe("account_name"),
        admins: row.get::<sqlx::types::Json<Vec<String>>>("admins").0.into_iter().map(SafeText::new).collect(),
        plan: row.maybe_safe("plan"),
        standing: row.word("standing", Standing::Suspended),
        created_at: row.time("account_created_at"),
        odd: SafeText::default(),
    };
    account.odd = row.odd();
    Self(Sight { key, account, policy: row.get("policy_version"), seq: row.get("head") })
});

fn sight_of_keys(conn: &Conn<'_>) -> String {
    format!(
        "SELECT {KEY_COLUMNS}, a.slug AS account_slug, a.issuer AS account_issuer, a.name AS account_name, \
         a.admins, a.plan, a.standing, a.created_at AS account_created_at, \
         (SELECT p.version FROM issuers p WHERE p.slug = k.issuer) AS policy_version, \
         (SELECT seq FROM audit_head) AS head FROM {} JOIN accounts a ON a.slug = k.account",
        conn.keys()
    )
}

/// A gate as its row has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateRow {
    pub id: Uuid,
    pub name: SafeText,
    pub host: SafeText,
    pub listen: SafeText,
    pub version: SafeText,
    pub lease_ms: i64,
    pub freshness: Freshness,
    pub began_at: Instant,
    pub beat_at: Instant,
    pub applied_seq: i64,
    pub applied_at: Instant,
}

from_row!(GateRow, row => {
    let mut gate = Self {
        id: row.id("id"),
        name: row.safe("name"),
        host: row.safe("host"),
        listen: row.safe("listen"),
        version: row.safe("version"),
        lease_ms: row.get("lease_ms"),
        freshness: Freshness::of_millis(row.get("stale_ms")),
        began_at: row.time("began_at"),
        beat_at: row.time("beat_at"),
        applied_seq: row.get("applied_seq"),
        applied_at: row.time("applied_at"),
    };
    gate.name = row.marked(Some(gate.name)).unwrap_or_default();
    gate
});

/// A gate that may answer from memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    pub gate: Uuid,
    pub freshness: Freshness,
    pub heard_at: Instant,
    /// The audit's number up to which it has applied every change, and the audit's own.
    pub applied: i64,
    pub head: i64,
}

from_row!(Lease, row => Self {
    gate: row.id("id"),
    freshness: Freshness::of_millis(row.get("stale_ms")),
    heard_at: row.time("beat_at"),
    applied: row.get("applied_seq"),
    head: row.get("head"),
});

/// Read in one statement: who is found to have applied less than the audit had then, may not know of what was committed before.
const LEASES: &str = "SELECT id, stale_ms, beat_at, applied_seq, (SELECT seq FROM audit_head) AS head \
     FROM gates WHERE stale_ms > 0";

/// A gate that begins, as it is written.
#[derive(Clone, Debug)]
pub struct NewGate {
    pub id: Uuid,
    pub name: String,
    pub host: String,
    pub listen: String,
    pub lease_ms: i64,
    pub freshness: Freshness,
}

/// What was read of a key, with the freeze that holds it. Freezes are read where there is no key too: the time of a refusal
/// tells nobody whether there was one.
async fn frozen(mut reader: Reader, row: Option<SightRow>) -> Result<Option<Sight>> {
    let freezes = reader.conn().freezes().await?;
    let Some(SightRow(mut sight)) = row else { return Ok(None) };
    crate::domain::hold::freeze(std::slice::from_mut(&mut sight.key), &freezes);
    Ok(Some(sight))
}

/// Keys a statement.
const KEYS: usize = 500;

impl Conn<'_> {
    async fn leases(&mut self) -> Result<Vec<Lease>> {
        Ok(rows!(fetch_all, self.again(), LEASES))
    }

    /// `lease`: where the gates' leases stand.
    async fn gates(&mut self, lease: &str, since: Instant) -> Result<Vec<GateRow>> {
        let sql = format!(
            "SELECT id, name, host, listen, version, lease_ms, CAST({lease} AS bigint) AS stale_ms, began_at, beat_at, applied_seq, applied_at \
             FROM gates WHERE beat_at >= $1 ORDER BY name, id"
        );
        Ok(rows!(fetch_all, self.again(), AssertSqlSafe(sql), [Time(since)]))
    }
}

impl Store {
    /// The present: of SQLite by this machine's clock, but never before what the database has seen.
    pub fn time(&self, clock: &Clock) -> Instant {
        match &self.pools {
            Pools::Sqlite { .. } => self.steady.now(clock),
            Pools::Postgres(_) => clock.now(),
        }
    }

    /// A connection for writing outside of [`Store::transact`]: what a gate writes is no change of keys, and a gate's
    /// login is no operator.
    pub(super) async fn writer(&self) -> Result<Reader> {
        self.check_file()?;
        if self.newer.is_some() {
            self.changeable()?;
        }
        Ok(match &self.pools {
            Pools::Sqlite { writer, .. } => {
                self.queue.release();
                let writer = writer.acquire().await?;
                self.check_file()?;
                Reader::Sqlite(writer)
            }
            Pools::Postgres(pool) => Reader::Postgres(match pool.acquire().await {
                Ok(link) => link,
                Err(error) => return Err(self.explain(pool, error).await),
            }),
        })
    }

    /// The key of this secret, with all that a gate must know of it, read in one statement and so at one moment.
    pub async fn sight(&self, hash: HashedKey) -> Result<Option<Sight>> {
        let mut reader = self.reader().await?;
        let sql = AssertSqlSafe(format!("{} WHERE k.hash = $1", sight_of_keys(&reader.conn())));
        let row: Option<SightRow> = rows!(fetch_optional, reader.conn(), sql, [hash.0.to_vec()]);
        frozen(reader, row).await
    }

    /// The first of these hashes that a key has, read in one statement however many there are.
    pub async fn which(&self, hashes: &[HashedKey]) -> Result<Option<HashedKey>> {
        let mut reader = self.reader().await?;
        let there: Vec<Vec<u8>> = both!(reader.conn(), c => {
            let mut sql = QueryBuilder::<Db>::new("SELECT hash FROM key_auth WHERE hash IN (");
            let mut list = sql.separated(", ");
            for hash in hashes {
                list.push_bind(hash.0.to_vec());
            }
            sql.push(")");
            sql.build_query_scalar().fetch_all(c).await?
        });
        Ok(hashes.iter().find(|hash| there.iter().any(|there| there.as_slice() == hash.0)).copied())
    }

    /// The same of the key of this id.
    pub async fn sight_of(&self, id: KeyId) -> Result<Option<Sight>> {
        let mut reader = self.reader().await?;
        let sql = AssertSqlSafe(format!("{} WHERE k.id = $1", sight_of_keys(&reader.conn())));
        let row: Option<SightRow> = rows!(fetch_optional, reader.conn(), sql, [id]);
        frozen(reader, row).await
    }

    /// All issuers, and the audit's number from before they were read: they are at least as new as that.
    pub async fn issuers_at(&self) -> Result<(Vec<Issuer>, i64)> {
        let mut reader = self.reader().await?;
        let seq: i64 = scalar!(fetch_one, reader.conn(), "SELECT seq FROM audit_head");
        drop(reader);
        Ok((self.issuers().await?, seq))
    }

    /// Makes a gate known, or known again. It has applied everything up to `seq`.
    pub async fn register_gate(&self, gate: &NewGate, seq: i64, clock: &Clock) -> Result<()> {
        let mut writer = self.writer().await?;
        let now = writer.present(9);
        let sql = format!(
            "INSERT INTO gates (id, name, host, listen, version, lease_ms, stale_ms, began_at, beat_at, applied_seq, applied_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, {now}, {now}, $8, {now}) \
                 ON CONFLICT (id) DO UPDATE SET beat_at = excluded.beat_at, applied_seq = excluded.applied_seq, \
                 applied_at = excluded.applied_at"
        );
        run!(
            writer.conn(),
            AssertSqlSafe(sql),
            [
                gate.id,
                gate.name.as_str(),
                gate.host.as_str(),
                gate.listen.as_str(),
                env!("CARGO_PKG_VERSION"),
                gate.lease_ms,
                gate.freshness.as_millis(),
                seq,
                Time(self.time(clock))
            ]
        );
        Ok(())
    }

    /// Says that the gate is alive and has applied everything up to `seq`. False if its row is gone.
    pub async fn beat_gate(&self, id: Uuid, seq: i64, clock: &Clock) -> Result<bool> {
        let mut writer = self.writer().await?;
        let now = writer.present(3);
        let sql = format!(
            "UPDATE gates SET beat_at = {now}, applied_seq = $2, \
                 applied_at = CASE WHEN applied_seq = $2 THEN applied_at ELSE {now} END WHERE id = $1"
        );
        let rows = run!(writer.conn(), AssertSqlSafe(sql), [id, seq, Time(self.time(clock))]);
        Ok(rows > 0)
    }

    /// Takes a gate's row away.
    pub async fn remove_gate(&self, id: Uuid) -> Result<()> {
        let mut writer = self.writer().await?;
        run!(writer.conn(), "DELETE FROM gates WHERE id = $1", [id]);
        Ok(())
    }

    /// Takes away the rows of gates that have not been heard of since `before`, but for those with a lease.
    pub async fn forget_gates(&self, before: Instant) -> Result<()> {
        let mut writer = self.writer().await?;
        run!(writer.conn(), "DELETE FROM gates WHERE beat_at < $1 AND stale_ms = 0", [Time(before)]);
        Ok(())
    }

    /// Takes away the row of one with a lease, if it was not heard of after that.
    pub async fn forget_lease(&self, id: Uuid, heard: Instant) -> Result<()> {
        let mut writer = self.writer().await?;
        run!(writer.conn(), "DELETE FROM gates WHERE id = $1 AND beat_at = $2", [id, Time(heard)]);
        Ok(())
    }

    /// Every gate that may answer from memory, however long ago it was heard of, and the audit's number of that moment.
    ///
    /// # Errors
    /// Also of a server that follows another one: it may not know yet of what was just committed.
    pub async fn leases(&self) -> Result<Vec<Lease>> {
        let mut reader = self.reader().await?;
        reader.hold().await?;
        if let Reader::Postgres(link) = &mut reader
            && sqlx::query_scalar::<_, bool>("SELECT pg_is_in_recovery()").fetch_one(link).await?
        {
            return Err(Error::Unreachable(
                "this server is a standby, and doesn't know what gates answer by".into(),
            ));
        }
        match reader.conn().leases().await {
            // A schema from before there were leases: no gate that has one runs on it.
            Err(Error::Lacks(_)) => Ok(Vec::new()),
            read => {
                reader.release().await?;
                read
            }
        }
    }

    /// The gates that were heard of since `since`, by name.
    pub async fn gates(&self, since: Instant) -> Result<Vec<GateRow>> {
        let mut reader = self.reader().await?;
        match reader.conn().gates("stale_ms", since).await {
            Err(Error::Lacks(_)) => reader.conn().gates("0", since).await,
            read => read,
        }
    }

    /// The number and the time of the audit's last row that says that one of these keys was revoked, paused, resumed or edited.
    pub async fn stopped_in(&self, keys: &[KeyId]) -> Result<Option<(i64, Instant)>> {
        let told = self.told().await?;
        let mut reader = self.reader().await?;
        let mut last: Option<(i64, Instant)> = None;
        for some in keys.chunks(KEYS) {
            let row: Option<(i64, Time)> = both!(reader.conn(), c => {
                let mut sql = QueryBuilder::<Db>::new(format!(
                    "SELECT seq, at FROM {told} WHERE action IN ('key.revoke', 'key.pause', 'key.resume', 'key.edit') AND key IN ",
                ));
                push_ids::<Db>(&mut sql, some);
                sql.push(" ORDER BY seq DESC LIMIT 1");
                sql.build_query_as::<(i64, Time)>().persistent(some.len() == 1).fetch_optional(c).await?
            });
            let row = row.map(|(seq, Time(at))| (seq, at));
            last = last.max(row);
        }
        Ok(last)
    }
}

impl Tx {
    /// Takes back signs of gates that are later than now, on SQLite, where a gate's clock made them.
    pub async fn forget_later_signs(&mut self) -> Result<()> {
        let now = Time(self.now());
        if let Conn::Sqlite(c) = self.conn() {
            sqlx::query("UPDATE gates SET beat_at = $1 WHERE beat_at > $1").bind(now).execute(c).await?;
        }
        Ok(())
    }
}

impl Reader {
    /// The present inside a statement that binds this machine's time at `place`: PostgreSQL's own clock decides.
    pub(super) fn present(&self, place: u32) -> String {
        match self {
            Self::Sqlite(_) => format!("${place}"),
            Self::Postgres(_) => format!("coalesce(clock_timestamp(), ${place})"),
        }
    }
}
