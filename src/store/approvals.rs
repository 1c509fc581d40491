//! Requests for a second person's approval in the database.

use sqlx::{AssertSqlSafe, QueryBuilder};

use super::dialect::{Time, both, rows, run, scalar};
use super::reading::from_row;
use super::{Conn, Error, Result, Store, Tx};
use crate::domain::Instant;
use crate::domain::approval::{Approval, Asked, COUNTED, Outcome, Wish};
use crate::domain::audit::Action;
use crate::domain::key::KeyId;
use crate::domain::operator::Identity;

const COLUMNS: &str = "n, verb, wish, many, reason, asked_at, asked_by, ends_at, decided_at, decided_by, outcome, override_reason";

struct ApprovalRow(Approval);

from_row!(ApprovalRow, row => {
    let wish = row.text("wish");
    Self(Approval {
        n: row.get("n"),
        verb: row.safe("verb"),
        wish: serde_json::from_str(&wish).ok(),
        keys: row.count("many"),
        reason: row.maybe_safe("reason"),
        asked_at: row.time("asked_at"),
        asked_by: row.safe("asked_by"),
        ends_at: row.time("ends_at"),
        decided_at: row.maybe_time("decided_at"),
        decided_by: row.maybe_safe("decided_by"),
        outcome: if row.is_null("outcome") { None } else { Some(row.word("outcome", Outcome::Declined)) },
        override_reason: row.maybe_safe("override_reason"),
    })
});

struct AskedRow(Asked);

from_row!(AskedRow, row => {
    let version = row.text("version");
    Self(Asked { key: row.id("key"), version: u64::from_str_radix(&version, 16).unwrap_or_default() })
});

/// Keys of one statement on SQLite: below its 32,766 values.
const KEYS: usize = 10_000;

impl Conn<'_> {
    async fn approval(&mut self, n: i64, lock: &'static str) -> Result<Option<Approval>> {
        let sql = format!("SELECT {COLUMNS} FROM approvals WHERE n = $1{lock}");
        let row: Option<ApprovalRow> = rows!(fetch_optional, self.again(), AssertSqlSafe(sql), [n]);
        Ok(row.map(|row| row.0))
    }
}

impl Store {
    /// Requests, the newest first. An older schema knows none.
    pub async fn approvals(&self, limit: u32) -> Result<Vec<Approval>> {
        let mut reader = self.reader().await?;
        let sql = format!("SELECT {COLUMNS} FROM approvals ORDER BY n DESC LIMIT $1");
        let read: Result<Vec<ApprovalRow>> =
            async { Ok(rows!(fetch_all, reader.conn(), AssertSqlSafe(sql), [i64::from(limit)])) }.await;
        match read {
            Err(Error::Lacks(_)) => Ok(Vec::new()),
            read => Ok(read?.into_iter().map(|row| row.0).collect()),
        }
    }

    pub async fn approval(&self, n: i64) -> Result<Option<Approval>> {
        self.reader().await?.conn().approval(n, "").await
    }

    /// The keys of a request, in the order of their ids, as the one who asked saw them.
    pub async fn keys_of_approval(&self, n: i64) -> Result<Vec<Asked>> {
        let mut reader = self.reader().await?;
        let sql = "SELECT key, version FROM approval_keys WHERE approval = $1 ORDER BY key";
        let rows: Vec<AskedRow> = rows!(fetch_all, reader.conn(), sql, [n]);
        Ok(rows.into_iter().map(|row| row.0).collect())
    }
}

impl Tx {
    /// The keys that this transaction's operation changed, as the audit is about to tell, an action at a time.
    pub fn changed_keys(&self) -> Vec<Vec<KeyId>> {
        let operation = self.operation();
        let of = |action: &str| {
            let rows = self.still_owed().iter();
            let rows = rows.filter(|row| row.operation == operation && row.action == action);
            let mut keys: Vec<KeyId> = rows.filter_map(|row| row.key).collect();
            keys.sort_unstable();
            keys.dedup();
            keys
        };
        COUNTED.iter().map(|action| of(action.as_str())).filter(|keys| keys.len() > 1).collect()
    }

    /// Whether this transaction's operation rotates keys.
    pub fn rotates(&self) -> bool {
        let (operation, rotate) = (self.operation(), Action::KeyRotate.as_str());
        self.still_owed().iter().any(|row| row.operation == operation && row.action == rotate)
    }

    /// Asks for approval. Answers the request's number.
    pub async fn ask_approval(
        &mut self,
        wish: &Wish,
        keys: &[Asked],
        reason: Option<&str>,
        ends_at: Instant,
    ) -> Result<i64> {
        let json = serde_json::to_string(wish).map_err(|error| Error::Other(error.to_string()))?;
        let (now, by) = (Time(self.now()), self.who().name.clone());
        let many = i64::try_from(keys.len()).unwrap_or(i64::MAX);
        let n: i64 = scalar!(
            fetch_one,
            self.conn(),
            "INSERT INTO approvals (verb, wish, many, reason, asked_at, asked_by, ends_at) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING n",
            [wish.verb(), json, many, reason, now, by, Time(ends_at)]
        );
        both!(self.conn(), c => {
            for some in keys.chunks(KEYS) {
                let mut sql = QueryBuilder::<Db>::new("INSERT INTO approval_keys (approval, key, version) ");
                sql.push_values(some, |mut row, one| {
                    row.push_bind(n).push_bind(one.key).push_bind(format!("{:016x}", one.version));
                });
                sql.build().persistent(false).execute(&mut *c).await?;
            }
        });
        Ok(n)
    }

    /// A request of the acting person's for the same that waits already.
    pub async fn same_approval(&mut self, wish: &Wish, keys: &[Asked]) -> Result<Option<Approval>> {
        let json = serde_json::to_string(wish).map_err(|error| Error::Other(error.to_string()))?;
        let (now, by) = (Time(self.now()), self.who().name.clone());
        let many = i64::try_from(keys.len()).unwrap_or(i64::MAX);
        let sql = format!(
            "SELECT {COLUMNS} FROM approvals WHERE outcome IS NULL AND asked_by = $1 AND wish = $2 AND many = $3 AND ends_at > $4 \
             ORDER BY n DESC LIMIT 1"
        );
        let row: Option<ApprovalRow> =
            rows!(fetch_optional, self.conn(), AssertSqlSafe(sql), [by, json, many, now]);
        let Some(ApprovalRow(approval)) = row else { return Ok(None) };
        let sql = "SELECT key, version FROM approval_keys WHERE approval = $1 ORDER BY key";
        let there: Vec<AskedRow> = rows!(fetch_all, self.conn(), sql, [approval.n]);
        let is_same = there.iter().map(|row| row.0).eq(keys.iter().copied());
        Ok(Some(approval).filter(|_| is_same))
    }

    /// A request that nobody else can decide before this transaction ends.
    pub async fn lock_approval(&mut self, n: i64) -> Result<Option<Approval>> {
        let lock = self.conn().locking(" FOR NO KEY UPDATE");
        self.conn().approval(n, lock).await
    }

    /// Decides it; this transaction's operation carries it out, if `carries`.
    pub async fn decide_approval(
        &mut self,
        n: i64,
        outcome: Outcome,
        reason: Option<&str>,
        carries: bool,
    ) -> Result<()> {
        let (now, by): (_, &Identity) = (Time(self.now()), self.who());
        let (by, word): (_, &str) = (by.name.clone(), outcome.into());
        let operation = carries.then(|| self.operation());
        run!(
            self.conn(),
            "UPDATE approvals SET decided_at = $2, decided_by = $3, outcome = $4, override_reason = $5, operation = $6 \
             WHERE n = $1 AND outcome IS NULL",
            [n, now, by, word, reason, operation]
        );
        Ok(())
    }

    /// A rotation that was approved for the acting person and that nobody has carried out: its number and keys.
    pub async fn approved_rotations(&mut self, carried: Option<i64>) -> Result<Vec<(i64, Vec<KeyId>)>> {
        let (now, by) = (Time(self.now()), self.who().name.clone());
        let open: Vec<(i64,)> = rows!(
            fetch_all,
            self.conn(),
            "SELECT n FROM approvals WHERE verb = 'rotate' AND outcome IN ('approved', 'overridden') AND (operation IS NULL OR n = $3) AND asked_by = $1 AND ends_at > $2 \
             ORDER BY n",
            [by, now, carried]
        );
        let mut all = Vec::with_capacity(open.len());
        for (n,) in open {
            let keys: Vec<KeyId> = scalar!(
                fetch_all,
                self.conn(),
                "SELECT key FROM approval_keys WHERE approval = $1 ORDER BY key",
                [n]
            );
            all.push((n, keys));
        }
        Ok(all)
    }

    /// Takes note that this transaction's operation carries out what was approved.
    pub async fn carry_out_approval(&mut self, n: i64) -> Result<()> {
        let operation = self.operation();
        run!(
            self.conn(),
            "UPDATE approvals SET operation = $2 WHERE n = $1 AND operation IS NULL",
            [n, operation]
        );
        Ok(())
    }
}
