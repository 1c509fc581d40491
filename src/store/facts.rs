//! Facts about the database, for `doctor` and `info`.

use super::dialect::{Time, scalar};
use super::migrate::Tried;
use super::moving::Moving;
use super::rights::{self, Lack, Mended};
use super::{Error, Location, Pools, Result, Store, migrate, postgres, sqlite};
use crate::clock::Clock;
use crate::domain::Instant;
use crate::domain::operator::Role;
use crate::domain::text::SafeText;

/// In place of a journal mode: what can't be written has none to tell.
pub const UNWRITTEN: &str = "read only";

/// What there is to know about an open database.
#[derive(Clone, Debug)]
pub struct Facts {
    /// "SQLite 3.51.3" or "PostgreSQL 15.18".
    pub server: String,
    /// The schema's version, and the newest that this program knows.
    pub schema: (i64, i64),
    /// The database's clock.
    pub now: Instant,
    /// What keeps a commit from being on disk before it is acknowledged.
    pub weakness: Option<&'static str>,
    /// SQLite: why its disk lets nothing be changed.
    pub hindered: Option<String>,
    /// SQLite: the journal mode, [`UNWRITTEN`] where the file can only be read here. PostgreSQL: whether the connection is
    /// encrypted, in words.
    pub channel: String,
    /// SQLite: the file's permission bits.
    pub mode: Option<u32>,
    /// PostgreSQL: whether a pooler gives each transaction another connection.
    pub pooled: bool,
    /// PostgreSQL: who one acts as, and whom the address names, where a pooler logs in as somebody else.
    pub acts_as: Option<(SafeText, SafeText)>,
    /// PostgreSQL: how a server that is lost takes what it confirmed with it, though there are others.
    pub standbys: Option<String>,
}

/// Whom the session is; how many servers follow this one; and what a commit waits for, whatever this session was told.
const FOLLOWED: &str = "SELECT session_user::text, (SELECT count(*) FROM pg_stat_replication WHERE application_name <> 'pg_basebackup'), \
     current_setting('synchronous_standby_names'), (SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit')";

/// How what was confirmed may be lost with a server that others follow.
fn unfollowed(others: i64, names: &str, commits: &str) -> Option<String> {
    let words = match (names.trim().is_empty(), commits) {
        _ if others < 1 => return None,
        (true, _) => {
            "synchronous_standby_names is empty, so a change is confirmed before another server has it"
        }
        (false, "local") => {
            "synchronous_commit is local, so a change is confirmed before another server has it"
        }
        (false, _) => return None,
    };
    Some(words.to_owned())
}

impl Store {
    /// Does what of bringing a schema up to date can be done while others read and write, and tells how far it has come. The
    /// switch is left to [`Store::open`].
    pub async fn prepare(location: &Location, mut progress: impl FnMut(Moving) + Send) -> Result<()> {
        match location {
            Location::Sqlite(path) => sqlite::prepare(path, &mut progress).await,
            Location::Postgres(url) => match postgres::prepare(url, &mut progress).await {
                // Whoever may not is told so by the migration, in better words.
                Err(Error::Privilege(_)) => Ok(()),
                done => done,
            },
        }
    }

    /// Tries to bring a database's schema up to date and leaves it as it is.
    pub async fn try_migrate(location: &Location) -> Result<Tried> {
        let tried = match location {
            Location::Sqlite(path) => sqlite::try_open(path).await?,
            Location::Postgres(url) => postgres::try_open(url).await?,
        };
        match tried.found {
            Some(found) if found > tried.newest => Err(Error::TooNew { found, known: tried.newest }),
            _ => Ok(tried),
        }
    }

    /// Why nothing can be changed here by this program, where the disk or a newer schema is to blame.
    pub fn changeable(&self) -> Result<()> {
        match (&self.hindered, self.newer) {
            (Some(why), _) => Err(Error::Disk(why.to_string())),
            (_, Some(found)) => Err(Error::Newer { found, known: migrate::newest() }),
            _ => Ok(()),
        }
    }

    /// Whether nobody can change anything here: a standby, a file without the right to write, a read-only disk.
    pub async fn is_read_only(&self) -> Result<bool> {
        Ok(match (&self.pools, &self.location) {
            _ if self.newer.is_some() => true,
            (Pools::Postgres(pool), _) => {
                sqlx::query_scalar("SELECT current_setting('transaction_read_only') = 'on'")
                    .fetch_one(pool)
                    .await?
            }
            (Pools::Sqlite { .. }, Location::Sqlite(path)) => sqlite::is_read_only(path),
            (Pools::Sqlite { .. }, Location::Postgres(_)) => false,
        })
    }

    /// Refuses where the schema is older than this program's.
    pub async fn demand_current(&self) -> Result<()> {
        let known = migrate::newest();
        let found: i64 = scalar!(fetch_one, self.reader().await?.conn(), migrate::VERSION);
        if found < known { Err(Error::TooOld { found, known }) } else { Ok(()) }
    }

    pub async fn facts(&self, clock: &Clock) -> Result<Facts> {
        let newest = migrate::newest();
        match (&self.pools, &self.location) {
            (Pools::Sqlite { writer, frozen, .. }, location) => {
                let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(writer).await?;
                let schema: i64 = sqlx::query_scalar(migrate::VERSION).fetch_one(writer).await?;
                let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(writer).await?;
                let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(writer).await?;
                let mode = match location {
                    Location::Sqlite(path) => std::fs::metadata(path)
                        .ok()
                        .map(|meta| std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o777),
                    Location::Postgres(_) => None,
                };
                Ok(Facts {
                    server: format!("SQLite {version}"),
                    schema: (schema, newest),
                    now: self.time(clock),
                    weakness: (synchronous < 2).then_some("SQLite does not wait for the disk"),
                    hindered: self.hindered.as_deref().map(str::to_owned),
                    channel: if frozen.is_some() { UNWRITTEN.into() } else { journal },
                    mode,
                    pooled: false,
                    acts_as: None,
                    standbys: None,
                })
            }
            (Pools::Postgres(pool), location) => {
                let (version, Time(now), commit, tls): (String, Time, String, Option<String>) =
                    sqlx::query_as(
                        "SELECT current_setting('server_version'), clock_timestamp(), \
                         current_setting('synchronous_commit'), \
                         (SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl)",
                    )
                    .fetch_one(pool)
                    .await?;
                let schema: i64 = sqlx::query_scalar(migrate::VERSION).fetch_one(pool).await?;
                let (user, followers, names, commits): (String, i64, String, String) =
                    sqlx::query_as(FOLLOWED).fetch_one(pool).await?;
                let hosts = match location {
                    Location::Postgres(url) => Location::postgres_options(url)?.len() as i64,
                    Location::Sqlite(_) => 1,
                };
                let named = pool.connect_options().get_username().to_owned();
                Ok(Facts {
                    server: format!("PostgreSQL {version}"),
                    schema: (schema, newest),
                    now,
                    weakness: self.weakness.or((commit == "off").then_some("synchronous_commit is off")),
                    hindered: None,
                    channel: tls.map_or("not encrypted".into(), |version| format!("encrypted, {version}")),
                    mode: None,
                    pooled: pool.is_shared(),
                    acts_as: (user != named).then(|| (SafeText::new(user), SafeText::new(named))),
                    standbys: unfollowed(followers.max(hosts - 1), &names, &commits),
                })
            }
        }
    }

    /// What PostgreSQL's group roles lack of what the schema grants them; nothing on SQLite, which has none.
    pub async fn lacks(&self) -> Result<Vec<Lack>> {
        let Pools::Postgres(pool) = &self.pools else { return Ok(Vec::new()) };
        let grants = migrate::granted(pool).await?;
        rights::lacking(&mut pool.acquire().await?.wire(), &grants).await
    }

    /// What the acting login lacks for what its role in Keyrack lets it do, and the statement that gives it all of it.
    pub async fn lacks_of_login(&self, role: Role) -> Result<Option<(Lack, String)>> {
        let Pools::Postgres(pool) = &self.pools else { return Ok(None) };
        let grants = migrate::granted(pool).await?;
        rights::of_login(&mut pool.acquire().await?.wire(), &grants, role).await
    }

    /// Gives the group roles what they lack, as far as the acting login may.
    pub async fn mend_rights(&self) -> Result<Mended> {
        let Pools::Postgres(pool) = &self.pools else { return Ok(Mended::default()) };
        let grants = migrate::granted(pool).await?;
        let mut tx = pool.whole().await?;
        let mended = rights::mend(&mut tx, &grants).await?;
        tx.commit().await?;
        Ok(mended)
    }
}
