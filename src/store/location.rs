//! Where the database is.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::{Error, Result};

/// A database's address, without a password in it.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A SQLite file; made if it does not exist.
    Sqlite(PathBuf),
    /// `postgres://user@host/database`, passwords from `PGPASSFILE` or `~/.pgpass`.
    Postgres(String),
}

impl Location {
    /// Reads `postgres://…` (or `postgresql://…`), `sqlite:PATH`, or a path.
    ///
    /// A password inside the address is refused: arguments and environments are readable by others.
    pub fn parse(text: &str) -> Result<Self> {
        let refused = |why: &str| Err(Error::Location(why.to_owned()));
        if text.is_empty() {
            return refused(
                "the database's address is empty: give a file name or postgres://user@host/database",
            );
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            if has_password(text) {
                return refused(
                    "a password in the database's address can be read by others: put it into ~/.pgpass, or a file that PGPASSFILE names",
                );
            }
            if let Err(error) = PgConnectOptions::from_str(&with_host(text)) {
                return refused(&format!("the database's address is not understood: {error}"));
            }
            return Ok(Self::Postgres(text.to_owned()));
        }
        if let Some((scheme, _)) = text.split_once("://")
            && scheme != "sqlite"
        {
            return refused(&format!(
                "{scheme}:// is no database that keyrack knows: give a file name or postgres://…"
            ));
        }
        let path = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:")).unwrap_or(text);
        if path.is_empty() || path == ":memory:" {
            return refused("keys in memory would be gone with the program: give a file name");
        }
        Ok(Self::Sqlite(PathBuf::from(path)))
    }

    /// The connection options of a PostgreSQL location. `verify-full` unless the address says otherwise or the server
    /// is on this machine (H12). Never format what this returns: it may hold a password from a file.
    pub(super) fn postgres_options(url: &str) -> Result<PgConnectOptions> {
        let options =
            PgConnectOptions::from_str(&with_host(url)).map_err(|e| Error::Location(e.to_string()))?;
        let asked =
            url.contains("sslmode=") || url.contains("ssl-mode=") || std::env::var_os("PGSSLMODE").is_some();
        let host = options.get_host();
        let local = options.get_socket().is_some()
            || host.starts_with('/')
            || host == "localhost"
            || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let options = match (asked, local) {
            (true, _) => options,
            (false, true) => options.ssl_mode(PgSslMode::Prefer),
            (false, false) => options.ssl_mode(PgSslMode::VerifyFull),
        };
        Ok(options.application_name("keyrack"))
    }
}

/// The address with a host in it: `postgres://ada@/keys?host=/run/postgresql` is how PostgreSQL's own programs write a
/// socket, and sqlx refuses a user without a host.
fn with_host(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, tail) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let host = if authority.ends_with('@') { "localhost" } else { "" };
    format!("{scheme}://{authority}{host}{tail}")
}

/// Whether the address has a password, as part of the authority or as a parameter.
fn has_password(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (authority, tail) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let in_authority = authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'));
    let in_parameters = tail.split_once('?').is_some_and(|(_, parameters)| {
        parameters.split('&').any(|p| p.to_ascii_lowercase().starts_with("password="))
    });
    in_authority || in_parameters
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "{}", path.display()),
            Self::Postgres(url) => f.write_str(url),
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
