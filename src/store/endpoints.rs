//! Endpoints in the database: what anybody may see of them, and what only those know who send.
//!
//! A sender takes an endpoint for a while before it sends, so that several never send at once. What it writes it writes as a
//! gate does: it is no change of keys, and a sender's login is no operator.

use sqlx::AssertSqlSafe;

use super::dialect::{Time, rows, run, scalar};
use super::reading::from_row;
use super::{Conn, Reader, Result, Store, Tx};
use crate::clock::Clock;
use crate::domain::Instant;
use crate::domain::endpoint::{Endpoint, NewEndpoint, SecretPlace, place};
use crate::domain::event::Kinds;

/// What everybody may see.
const SEEN: &str = "name, place, kinds, secret, created_at, created_by, next_seq, taken_at, answer, failing_since, retry_at, tries, \
     (SELECT seq FROM audit_head) - next_seq + 1 AS behind";

struct EndpointRow(Endpoint);

from_row!(EndpointRow, row => {
    let behind: i64 = row.get("behind");
    Self(Endpoint {
        name: row.safe("name"),
        place: row.safe("place"),
        kinds: row.safe("kinds"),
        secret: row.safe("secret"),
        created_at: row.time("created_at"),
        created_by: row.safe("created_by"),
        next: row.get("next_seq"),
        taken_at: row.maybe_time("taken_at"),
        answer: row.maybe_safe("answer"),
        failing_since: row.maybe_time("failing_since"),
        retry_at: row.maybe_time("retry_at"),
        tries: row.get("tries"),
        behind: behind.max(0),
    })
});

/// Where something is sent.
#[derive(Clone, derive_more::Debug, PartialEq, Eq)]
pub struct Address {
    // It may hold a token.
    #[debug(skip)]
    pub url: String,
    pub kinds: Kinds,
    pub secret: SecretPlace,
}

struct AddressRow(Address);

from_row!(AddressRow, row => {
    let (url, kinds, secret) = (row.text("url"), row.text("kinds"), row.text("secret"));
    let secret = match secret.split_once(' ') {
        Some(("credential", name)) => SecretPlace::Credential(name.to_owned()),
        Some((_, path)) => SecretPlace::File(path.to_owned()),
        None => SecretPlace::File(secret),
    };
    // What a newer version may have written asks for more than this one knows: it gets all.
    Self(Address { url, kinds: kinds.parse().unwrap_or_default(), secret })
});

/// An endpoint in the hands of one sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub name: String,
    pub address: Address,
    /// The number of the next event.
    pub next: i64,
    /// What the event before it was called, where that is known.
    pub last_id: Option<String>,
    pub failing_since: Option<Instant>,
    pub tries: i64,
    /// When it was taken.
    pub at: Instant,
    /// Who has it.
    pub sender: String,
}

struct ClaimRow(Claim);

from_row!(ClaimRow, row => {
    let AddressRow(address) = row.part()?;
    Self(Claim {
        name: row.text("name"),
        address,
        next: row.get("next_seq"),
        last_id: row.maybe_text("last_id"),
        failing_since: row.maybe_time("failing_since"),
        tries: row.get("tries"),
        at: row.time("present"),
        sender: row.text("lease_by"),
    })
});

/// How far an endpoint has got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    pub next: i64,
    pub last_id: String,
    /// What it answered; `None` where the event was none that it asks for.
    pub answer: Option<String>,
}

/// A sender that does not tell of itself for so long has lost what it took.
const LEASE: i64 = 30;

/// So many seconds, to be added to an instant.
fn seconds(reader: &Reader, number: i64) -> String {
    match reader {
        Reader::Sqlite(_) => format!("{}", number * 1_000_000),
        Reader::Postgres(_) => format!("interval '{number} seconds'"),
    }
}

impl Store {
    /// All endpoints, by name.
    pub async fn endpoints(&self) -> Result<Vec<Endpoint>> {
        let mut reader = self.reader().await?;
        let sql = format!("SELECT {SEEN} FROM endpoints ORDER BY name");
        let rows: Vec<EndpointRow> = rows!(fetch_all, reader.conn(), AssertSqlSafe(sql));
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// Where this one's events are sent. That takes an admin, or a sender.
    pub async fn endpoint_address(&self, name: &str) -> Result<Option<Address>> {
        let mut reader = self.reader().await?;
        let sql = "SELECT url, kinds, secret FROM endpoints WHERE name = $1";
        let row: Option<AddressRow> = rows!(fetch_optional, reader.conn(), sql, [name]);
        Ok(row.map(|row| row.0))
    }

    /// Takes an endpoint, or keeps it for longer. `None`: another sender has it, it is not to be tried yet, or it is gone.
    pub async fn claim_endpoint(&self, name: &str, sender: &str, clock: &Clock) -> Result<Option<Claim>> {
        let mut writer = self.writer().await?;
        let (now, lease) = (writer.present(3), seconds(&writer, LEASE));
        let sql = format!(
            "UPDATE endpoints SET lease_by = $2, lease_until = {now} + {lease}, turns = turns + 1 WHERE name = $1 \
             AND (lease_by IS NULL OR lease_by = $2 OR lease_until <= {now}) AND (retry_at IS NULL OR retry_at <= {now}) \
             RETURNING name, url, kinds, secret, next_seq, last_id, failing_since, tries, lease_by, lease_until - {lease} AS present"
        );
        let at = Time(self.time(clock));
        let row: Option<ClaimRow> =
            rows!(fetch_optional, writer.conn(), AssertSqlSafe(sql), [name, sender, at]);
        Ok(row.map(|row| row.0))
    }

    /// Takes note of how far an endpoint has got. False: it is another sender's by now.
    pub async fn endpoint_got(&self, claim: &Claim, progress: &Progress, clock: &Clock) -> Result<bool> {
        let mut writer = self.writer().await?;
        let (now, lease) = (writer.present(3), seconds(&writer, LEASE));
        let got = format!("next_seq = $5, last_id = $6, lease_until = {now} + {lease}, turns = turns + 1");
        const WHOSE: &str = "WHERE name = $1 AND lease_by = $2 AND next_seq = $4";
        let (name, sender, at) = (claim.name.as_str(), claim.sender.as_str(), Time(self.time(clock)));
        let (next, last_id) = (progress.next, progress.last_id.as_str());
        let done = match &progress.answer {
            None => {
                let sql = format!("UPDATE endpoints SET {got} {WHOSE}");
                run!(writer.conn(), AssertSqlSafe(sql), [name, sender, at, claim.next, next, last_id])
            }
            Some(answer) => {
                let sql = format!(
                    "UPDATE endpoints SET {got}, taken_at = {now}, answer = $7, failing_since = NULL, retry_at = NULL, tries = 0 {WHOSE}"
                );
                let answer = answer.as_str();
                run!(writer.conn(), AssertSqlSafe(sql), [name, sender, at, claim.next, next, last_id, answer])
            }
        };
        Ok(done == 1)
    }

    /// Takes note that an endpoint took nothing, and why, and when it is to be tried again; it is free from now on.
    pub async fn endpoint_failed(
        &self,
        claim: &Claim,
        why: &str,
        retry_at: Instant,
        clock: &Clock,
    ) -> Result<()> {
        let mut writer = self.writer().await?;
        let now = writer.present(3);
        let sql = format!(
            "UPDATE endpoints SET failing_since = coalesce(failing_since, {now}), tries = tries + 1, answer = $4, retry_at = $5, \
             lease_by = NULL, lease_until = NULL, turns = turns + 1 WHERE name = $1 AND lease_by = $2"
        );
        run!(
            writer.conn(),
            AssertSqlSafe(sql),
            [claim.name.as_str(), claim.sender.as_str(), Time(self.time(clock)), why, Time(retry_at)]
        );
        Ok(())
    }

    /// Lets another sender have all that this one has.
    pub async fn free_endpoints(&self, sender: &str) -> Result<()> {
        let mut writer = self.writer().await?;
        let sql =
            "UPDATE endpoints SET lease_by = NULL, lease_until = NULL, turns = turns + 1 WHERE lease_by = $1";
        run!(writer.conn(), sql, [sender]);
        Ok(())
    }
}

impl Tx {
    /// The endpoint of this name, if there is one.
    pub async fn endpoint(&mut self, name: &str) -> Result<Option<Endpoint>> {
        let sql = format!("SELECT {SEEN} FROM endpoints WHERE name = $1");
        let row: Option<EndpointRow> = rows!(fetch_optional, self.conn(), AssertSqlSafe(sql), [name]);
        Ok(row.map(|row| row.0))
    }

    /// Adds one that nobody has sent anything to yet.
    pub async fn add_endpoint(&mut self, new: &NewEndpoint) -> Result<()> {
        let (now, by) = (Time(self.now()), self.who().name.clone());
        let head: i64 = scalar!(fetch_one, self.conn(), "SELECT seq FROM audit_head");
        let secret = match &new.secret {
            SecretPlace::File(path) => format!("file {path}"),
            SecretPlace::Credential(name) => format!("credential {name}"),
        };
        let (kinds, place) = (new.kinds.to_string(), place(&new.url));
        // Its own addition is the first event that it gets, unless it wants earlier ones too.
        let next = new.from.unwrap_or(head + 1).clamp(1, head + 1);
        run!(
            self.conn(),
            "INSERT INTO endpoints (name, url, place, kinds, secret, created_at, created_by, next_seq) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            [new.name.as_str(), new.url.as_str(), place, kinds, secret, now, by, next]
        );
        Ok(())
    }

    pub async fn count_endpoints(&mut self) -> Result<u64> {
        let count: i64 = scalar!(fetch_one, self.conn(), "SELECT count(*) FROM endpoints");
        Ok(count.unsigned_abs())
    }

    pub async fn remove_endpoint(&mut self, name: &str) -> Result<()> {
        let sql = match self.conn() {
            Conn::Sqlite(_) => "DELETE FROM endpoints WHERE name = $1",
            // Nobody may delete from the table itself.
            Conn::Postgres(_) => "SELECT keyrack_remove_endpoint($1)",
        };
        run!(self.conn(), sql, [name]);
        Ok(())
    }
}
