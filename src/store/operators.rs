//! Operators in the database.

use super::dialect::{Time, run, scalar};
use super::rows::OperatorRow;
use super::{Conn, Pools, Result, Store, Tx};
use crate::clock::Clock;
use crate::domain::Instant;
use crate::domain::operator::{Operator, Role};
use crate::domain::steady::{Trouble, trouble};

impl Store {
    /// All operators by name.
    pub async fn operators(&self) -> Result<Vec<Operator>> {
        let mut reader = self.reader().await?;
        operators(reader.conn()).await
    }

    /// The role of one operator, `None` for a stranger, and the present: on PostgreSQL the database's clock decides.
    pub async fn role_at_present(&self, name: &str, clock: &Clock) -> Result<(Option<Role>, Instant)> {
        let (role, now): (Option<String>, Instant) = match self.reader().await?.conn() {
            Conn::Sqlite(c) => {
                let sql = "SELECT role FROM operators WHERE name = $1";
                (sqlx::query_scalar(sql).bind(name).fetch_optional(c).await?, self.time(clock))
            }
            Conn::Postgres(c) => {
                let sql = "SELECT (SELECT role FROM operators WHERE name = $1), clock_timestamp(), \
                           (SELECT a.at FROM audit a WHERE a.seq = (SELECT h.seq FROM audit_head h))";
                type Found = (Option<String>, Time, Option<Time>);
                let (role, Time(now), newest): Found = sqlx::query_as(sql).bind(name).fetch_one(c).await?;
                let newest = newest.map(Into::into);
                *self.server_clock.lock() = newest.map(|newest| (now, newest));
                (role, clock.not_before(now, newest))
            }
        };
        Ok((role.as_deref().and_then(|role| role.parse().ok()), now))
    }

    /// What is wrong with the database's clock, in words: with this machine's on SQLite.
    pub fn clock_trouble(&self, clock: &Clock) -> Option<(Trouble, String)> {
        let (now, newest) = match &self.pools {
            Pools::Sqlite { .. } => (clock.now(), self.steady.newest()?),
            Pools::Postgres(_) => (*self.server_clock.lock())?,
        };
        let trouble = trouble(now, newest).filter(|_| !clock.is_hand())?;
        Some((trouble, trouble.words(now, newest)))
    }

    /// PostgreSQL's session user; `None` on SQLite, where the operating system knows who is acting.
    pub async fn session_user(&self) -> Result<Option<String>> {
        match self.reader().await?.conn() {
            Conn::Sqlite(_) => Ok(None),
            Conn::Postgres(c) => {
                Ok(Some(sqlx::query_scalar("SELECT session_user::text").fetch_one(c).await?))
            }
        }
    }
}

impl Tx {
    /// Keeps others from changing operators until this transaction ends.
    pub async fn lock_operators(&mut self) -> Result<()> {
        self.conn().lock("LOCK TABLE operators IN SHARE ROW EXCLUSIVE MODE").await
    }

    /// Lets what somebody does at this moment end before it is decided what they are.
    pub async fn lock_operator(&mut self, name: &str) -> Result<()> {
        let lock = self.conn().locking(" FOR UPDATE");
        let sql = sqlx::AssertSqlSafe(format!("SELECT role FROM operators WHERE name = $1{lock}"));
        let _: Option<String> = scalar!(fetch_optional, self.conn(), sql, [name]);
        Ok(())
    }

    pub async fn operators(&mut self) -> Result<Vec<Operator>> {
        operators(self.conn()).await
    }

    /// Gives somebody a role, by the acting person.
    pub async fn put_operator(&mut self, name: &str, role: Role) -> Result<()> {
        let (now, by) = (Time(self.now()), self.who().name.clone());
        run!(
            self.conn(),
            "INSERT INTO operators (name, role, created_at, created_by) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (name) DO UPDATE SET role = excluded.role",
            [name, role.as_str(), now, by]
        );
        Ok(())
    }

    pub async fn delete_operator(&mut self, name: &str) -> Result<()> {
        run!(self.conn(), "DELETE FROM operators WHERE name = $1", [name]);
        Ok(())
    }
}

/// By name. Whether the operating system knows somebody of that name, SQLite can't say: the service asks.
async fn operators(conn: Conn<'_>) -> Result<Vec<Operator>> {
    let rows: Vec<OperatorRow> = match conn {
        Conn::Sqlite(c) => {
            let sql = "SELECT name, role, created_at, created_by, 1 AS login FROM operators ORDER BY name";
            sqlx::query_as(sql).fetch_all(c).await?
        }
        Conn::Postgres(c) => {
            let sql = "SELECT name, role, created_at, created_by, EXISTS (SELECT 1 FROM pg_roles r \
                       WHERE r.rolname = operators.name AND r.rolcanlogin) AS login FROM operators ORDER BY name";
            sqlx::query_as(sql).fetch_all(c).await?
        }
    };
    Ok(rows.into_iter().map(|row| row.0).collect())
}
