//! PostgreSQL: who holds what a change waits for, and who has more rights on the server than a role in Keyrack needs.

use std::fmt;

use super::dialect::Time;
use super::wire::Links;
use super::{Error, Location, Pools, Result, Store, postgres};
use crate::domain::Instant;
use crate::domain::operator::Role;
use crate::domain::text::SafeText;

/// A session that holds a lock and waits for nothing itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The number of its process on the server.
    pub pid: i32,
    pub login: SafeText,
    /// This and `since`: `None` where the tables' owner may not read it (`pg_read_all_stats`).
    pub address: Option<SafeText>,
    pub application: SafeText,
    pub since: Option<Instant>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.login)?;
        if let Some(address) = &self.address {
            write!(f, " from {address}")?;
        }
        if !self.application.is_empty() {
            write!(f, " ({})", self.application)?;
        }
        write!(f, " holds a lock")?;
        if let Some(since) = self.since {
            write!(f, " since {}", since.format("%Y-%m-%d %H:%M:%S UTC"))?;
        }
        write!(f, ", process {}", self.pid)
    }
}

impl Holder {
    /// Who it is that others wait for, with what ends it first.
    pub fn blocks(&self) -> String {
        let from = self.address.as_ref().map(|address| format!(" from {address}")).unwrap_or_default();
        format!("Waiting for process {} of {}{from}, which holds a lock", self.pid, self.login)
    }
}

async fn holders(pool: &Links) -> Result<Vec<Holder>> {
    type Row = (i32, SafeText, Option<SafeText>, SafeText, Option<Time>);
    const HOLDERS: &str = "SELECT pid, login, address, application, since FROM keyrack_holders()";
    let rows: Vec<Row> = match sqlx::query_as(HOLDERS).fetch_all(pool).await.map_err(Error::from) {
        Err(Error::Lacks(_)) => return Ok(Vec::new()),
        rows => rows?,
    };
    let holder = |(pid, login, address, application, since): Row| Holder {
        pid,
        login,
        address,
        application,
        since: since.map(|time| time.0),
    };
    Ok(rows.into_iter().map(holder).collect())
}

impl Store {
    /// The sessions that hold what a change needs, the longest first; none where the schema can't tell.
    pub async fn holders(&self) -> Result<Vec<Holder>> {
        match &self.pools {
            Pools::Postgres(pool) => holders(pool).await,
            Pools::Sqlite { .. } => Ok(Vec::new()),
        }
    }

    /// The same of a database that can't be opened as long as they hold it.
    pub async fn holders_at(location: &Location) -> Result<Vec<Holder>> {
        let Location::Postgres(url) = location else { return Ok(Vec::new()) };
        let pool = postgres::bare(url).await?;
        let found = holders(&pool).await;
        pool.close().await;
        found
    }

    /// Ends such a session. False: it is gone, or holds nothing.
    pub async fn end_session(&self, pid: i32) -> Result<bool> {
        let Pools::Postgres(pool) = &self.pools else { return Ok(false) };
        Ok(sqlx::query_scalar("SELECT keyrack_end_session($1)").bind(pid).fetch_one(pool).await?)
    }

    /// Logins that several gates which live have at the same time, and those gates' names: each can confirm for the others.
    pub async fn shared_logins(&self) -> Result<Vec<(SafeText, SafeText)>> {
        let Pools::Postgres(pool) = &self.pools else { return Ok(Vec::new()) };
        const SHARED: &str = "SELECT login, string_agg(name, ', ' ORDER BY name) FROM gates \
             WHERE login IS NOT NULL AND beat_at > clock_timestamp() - interval '2 minutes' \
             GROUP BY login HAVING count(*) > 1 ORDER BY login";
        Ok(sqlx::query_as(SHARED).fetch_all(pool).await?)
    }

    /// On PostgreSQL the statements that shut a login out of the database; `None` where there is no such login.
    pub async fn farewell(&self, name: &str) -> Result<Option<String>> {
        let Pools::Postgres(pool) = &self.pools else { return Ok(None) };
        const LOGIN: &str = "SELECT quote_ident(r.rolname), (SELECT string_agg(quote_ident(g.rolname), ', ' ORDER BY g.rolname) \
             FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid \
             WHERE a.member = r.oid AND starts_with(g.rolname, 'keyrack_')) FROM pg_roles r WHERE r.rolname = $1";
        let found: Option<(String, Option<String>)> =
            sqlx::query_as(LOGIN).bind(name).fetch_optional(pool).await?;
        Ok(found.map(|(login, groups)| {
            let groups = groups.map(|groups| format!(" REVOKE {groups} FROM {login};")).unwrap_or_default();
            format!("ALTER ROLE {login} NOLOGIN;{groups}")
        }))
    }

    /// Operators whose logins have `keyrack_console`, which earlier versions gave to everybody, and the statements that
    /// give each the group of their role in its place.
    pub async fn consoles(&self) -> Result<Vec<(SafeText, String)>> {
        let Pools::Postgres(pool) = &self.pools else { return Ok(Vec::new()) };
        const MEMBERS: &str = "SELECT o.name, o.role, quote_ident(o.name) FROM operators o \
             JOIN pg_roles m ON m.rolname = o.name JOIN pg_auth_members a ON a.member = m.oid \
             JOIN pg_roles g ON g.oid = a.roleid WHERE g.rolname = 'keyrack_console' \
             AND EXISTS (SELECT FROM pg_roles WHERE rolname = 'keyrack_operator') ORDER BY o.name";
        let rows: Vec<(SafeText, String, String)> = sqlx::query_as(MEMBERS).fetch_all(pool).await?;
        let moved = |(name, role, quoted): (SafeText, String, String)| {
            let group = super::rights::group(role.parse::<Role>().ok()?);
            Some((name, format!("GRANT {group} TO {quoted}; REVOKE keyrack_console FROM {quoted}")))
        };
        // A role that can't be read is told of by another look.
        Ok(rows.into_iter().filter_map(moved).collect())
    }
}
