//! What a server says of itself, and whether a pooler stands before it.

use std::path::Path;

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, Executor, PgConnection, Row};
use tokio::net::{UnixStream, lookup_host};
use tokio::time::timeout;

use super::{ANSWER, socket};
use crate::store::wire::Links;
use crate::store::{Error, Result};

/// What holds for a connection of one's own. Said by a statement, not while connecting: a pooler refuses that, or silently
/// forgets it. `lock_timeout` is how long to wait for a row that somebody else holds, before saying so or trying again. A
/// server that confirms a commit before it is on its disk is told to wait for that; one that waits for its standbys too
/// goes on doing so.
pub(super) const SETTINGS: &str = "SET client_min_messages = error; SET idle_in_transaction_session_timeout = '60s'; \
     SET lock_timeout = '10s'; \
     SELECT set_config('synchronous_commit', replace(current_setting('synchronous_commit'), 'off', 'on'), false)";

/// What [`SETTINGS`] says.
const SET: [&str; 4] =
    ["client_min_messages", "idle_in_transaction_session_timeout", "lock_timeout", "synchronous_commit"];

const ABOUT: &str = "SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on', \
     coalesce(inet_server_port(), 0), current_setting('port')::int, coalesce(host(inet_server_addr()), ''), \
     current_setting('fsync') = 'on', current_setting('full_page_writes') = 'on', pg_backend_pid()";

/// What a server said of itself.
#[derive(Clone, Default)]
pub(super) struct Server {
    pub standby: bool,
    pub read_only: bool,
    /// The port and the address that the connection came in by; 0 and nothing: a socket.
    came_by: i32,
    port: i32,
    at: String,
    fsync: bool,
    full_page_writes: bool,
    /// The process that serves the connection.
    process: i32,
}

impl Server {
    pub async fn ask(conn: &mut PgConnection) -> sqlx::Result<Self> {
        let row = conn.fetch_one(ABOUT).await?;
        Ok(Self {
            standby: row.try_get(0)?,
            read_only: row.try_get(1)?,
            came_by: row.try_get(2)?,
            port: row.try_get(3)?,
            at: row.try_get(4)?,
            fsync: row.try_get(5)?,
            full_page_writes: row.try_get(6)?,
            process: row.try_get(7)?,
        })
    }

    pub fn name(&self) -> &'static str {
        match (self.standby, self.read_only) {
            (true, _) => "a standby",
            (false, true) => "read-only",
            (false, false) => "no standby",
        }
    }

    /// What keeps it from keeping what it confirms, in words.
    pub fn weakness(&self) -> Option<&'static str> {
        match (self.fsync, self.full_page_writes) {
            (false, _) => Some(
                "fsync is off in PostgreSQL's settings, so what it confirms can be lost when its machine fails",
            ),
            (true, false) => Some(
                "full_page_writes is off in PostgreSQL's settings, so its data can be damaged when its machine fails",
            ),
            (true, true) => None,
        }
    }

    /// Whether somebody may stand between: a pooler, or a router that passes everything on.
    async fn is_behind_another(&self, options: &PgConnectOptions) -> bool {
        let port = i32::from(options.get_port());
        if let Some(folder) = socket(options) {
            let path = folder.join(format!(".s.PGSQL.{port}"));
            return self.came_by != 0 || self.port != port || !self.listens_at(&path).await;
        }
        if self.came_by != port {
            return true;
        }
        // One that can't be looked up may be anything.
        let Ok(Ok(found)) = timeout(ANSWER, lookup_host((options.get_host(), options.get_port()))).await
        else {
            return true;
        };
        !found.into_iter().any(|address| address.ip().to_canonical().to_string() == self.at)
    }
}

impl Server {
    /// Whether the server itself listens at this socket: whoever does began the process that serves the connection.
    async fn listens_at(&self, path: &Path) -> bool {
        let Ok(Ok(stream)) = timeout(ANSWER, UnixStream::connect(path)).await else { return false };
        let listening = stream.peer_cred().ok().and_then(|peer| peer.pid());
        // "42 (postgres) S 7 …": its name may have blanks and brackets in it, and its parent stands behind them.
        let told = std::fs::read_to_string(format!("/proc/{}/stat", self.process)).unwrap_or_default();
        let parent = told.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse().ok());
        listening.is_some() && listening == parent
    }
}

/// How long a client of a pooler keeps a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sharing {
    /// For as long as it wants it, or there is no pooler.
    No,
    /// For a transaction.
    Transactions,
    /// For a statement.
    Statements,
}

/// How often it is looked whether a pooler gives a connection to somebody else: where others use it too, one look may miss it.
const LOOKS: usize = 8;
const PID: &str = "SELECT pg_backend_pid()";
const BEGIN_PID: &str = "BEGIN; SELECT pg_backend_pid()";

async fn pid(conn: &mut PgConnection, sql: &'static str) -> Option<sqlx::Result<i32>> {
    let row = timeout(ANSWER, conn.fetch_one(sql)).await.ok()?;
    Some(row.and_then(|row| row.try_get(0)))
}

impl Sharing {
    /// How a connection to this server is kept. `said`: what the address says of a pooler.
    pub async fn of(
        said: Option<bool>,
        server: &Server,
        conn: &mut PgConnection,
        options: &PgConnectOptions,
    ) -> Result<Self> {
        match said {
            Some(true) => Self::of_one(conn).await,
            None if server.is_behind_another(options).await => shares_connections(conn, options).await,
            Some(false) | None => Ok(Self::No),
        }
    }

    /// Where it is said that a pooler stands before the server: whether it allows transactions at all.
    async fn of_one(conn: &mut PgConnection) -> Result<Self> {
        match pid(conn, BEGIN_PID).await {
            None => Err(Error::Unreachable("it gave no answer in time".into())),
            Some(Err(error)) => Self::refused(error),
            Some(Ok(_)) => {
                conn.execute("ROLLBACK").await?;
                Ok(Self::Transactions)
            }
        }
    }

    /// What it means that a transaction can't begin.
    fn refused(error: sqlx::Error) -> Result<Self> {
        match &error {
            sqlx::Error::Database(told) if told.message().contains("statement pooling") => {
                Ok(Self::Statements)
            }
            _ => Err(error.into()),
        }
    }
}

/// Whether a pooler gives the connection to another client between two transactions. While one client is in a transaction,
/// another one that was served by the same process before, or is served by another one now, shows it.
async fn shares_connections(one: &mut PgConnection, options: &PgConnectOptions) -> Result<Sharing> {
    let mut other = PgConnection::connect_with(options).await?;
    // Who gets no answer waits for a connection that others have: nothing is lost by taking it for one that is given away.
    let Some(before) = pid(one, PID).await else { return Ok(Sharing::Transactions) };
    let before = before?;
    for _ in 0..LOOKS {
        let others = match pid(&mut other, BEGIN_PID).await {
            None => return Ok(Sharing::Transactions),
            Some(Err(error)) => return Sharing::refused(error),
            Some(Ok(others)) => others,
        };
        if others == before || !matches!(pid(one, PID).await, Some(Ok(now)) if now == before) {
            return Ok(Sharing::Transactions);
        }
        other.execute("ROLLBACK").await.map_err(Error::from)?;
    }
    Ok(Sharing::No)
}

/// Refuses where a setting that the address asks for (`options=-c search_path=keys`) does not hold: a pooler drops them.
pub(super) async fn keeps(links: &Links, options: &str) -> Result<()> {
    let mut link = links.acquire().await?;
    for (name, value) in settings(options) {
        // What Keyrack says itself holds anyway.
        if SET.contains(&name.to_ascii_lowercase().as_str()) {
            continue;
        }
        let mut tx = link.within().await?;
        let held: sqlx::Result<(Option<String>, String)> =
            sqlx::query_as("SELECT current_setting($1, true), set_config($1, $2, true)")
                .bind(&name)
                .bind(&value)
                .fetch_one(&mut tx.wire())
                .await;
        tx.rollback().await?;
        // What can't be said now, the server has heard on connecting, or would have refused.
        if let Ok((before, wanted)) = held
            && before.as_deref() != Some(wanted.as_str())
        {
            return Err(Error::Location(format!(
                "a pooler before the database drops {name} from the address: set it for the login (ALTER ROLE … SET {name} = …), or name PostgreSQL's own address"
            )));
        }
    }
    Ok(())
}

/// The settings in `-c name=value --other=value`, whose blanks and backslashes have a backslash before them.
fn settings(options: &str) -> Vec<(String, String)> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let mut letters = options.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => word.extend(letters.next()),
            ' ' => words.push(std::mem::take(&mut word)),
            _ => word.push(letter),
        }
    }
    words.push(word);
    let pair = |word: &String| {
        let word = word.strip_prefix("--").or_else(|| word.strip_prefix("-c")).unwrap_or(word);
        let (name, value) = word.split_once('=')?;
        Some((name.replace('-', "_"), value.to_owned()))
    };
    words.iter().filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_an_address_are_told_apart() {
        let pairs = |text| {
            settings(text).into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>()
        };
        assert_eq!(
            pairs("-c search_path=a,b --lock-timeout=3s -cx=y"),
            ["search_path=a,b", "lock_timeout=3s", "x=y"]
        );
        assert_eq!(pairs(r"-c search_path=a\ b\\c"), [r"search_path=a b\c"]);
        assert!(pairs("-c").is_empty());
    }
}
