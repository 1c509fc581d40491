//! What can go wrong between Keyrack and its database.

pub type Result<T> = std::result::Result<T, Error>;

/// A database error, in words that say what to do next.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection, or it broke and did not come back in time.
    #[error("the database can't be reached: {0}. Check that it runs and try again")]
    Unreachable(String),
    /// Another transaction was in the way; trying again can help.
    #[error("the database is busy: {0}. Try again")]
    Busy(String),
    /// The database itself refused: its privileges, a trigger, a constraint.
    #[error("the database refused: {0}")]
    Refused(String),
    /// The login lacks a right in PostgreSQL.
    #[error(
        "the database login lacks a right: {0}. Ask an admin for `GRANT keyrack_console` (or `keyrack_viewer`)"
    )]
    Privilege(String),
    /// The schema is newer than this program.
    #[error(
        "this database has schema version {found}, newer than the {known} that this keyrack knows. Upgrade keyrack"
    )]
    TooNew { found: i64, known: i64 },
    #[error("the database's schema could not be brought up to date: {0}")]
    Migration(String),
    #[error("the database holds something unexpected: {0}")]
    Corrupt(String),
    #[error("{0}")]
    Location(String),
    #[error("database error: {0}")]
    Other(String),
}

impl Error {
    /// Whether the same thing may succeed a moment later: the connection broke, or another transaction was in the way.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Busy(_))
    }
}

/// Errors of an operation that may stem from the database.
pub trait MaybeTransient {
    /// Whether trying the whole operation again may succeed.
    fn is_transient(&self) -> bool;
}

impl MaybeTransient for Error {
    fn is_transient(&self) -> bool {
        Self::is_transient(self)
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(db) => {
                let message = db.message().to_owned();
                match db.code().as_deref().unwrap_or_default() {
                    // SQLite: BUSY and LOCKED with all their extensions; IOERR, FULL, CANTOPEN, NOTADB.
                    "5" | "261" | "517" | "773" | "6" | "262" => Self::Busy(message),
                    "14" => Self::Unreachable(format!(
                        "{message} (does the folder exist, and may you write there?)"
                    )),
                    "26" => Self::Corrupt(format!("{message}: the file is no SQLite database")),
                    // PostgreSQL: serialization failure, deadlock, lock not available.
                    "40001" | "40P01" | "55P03" => Self::Busy(message),
                    "42501" => Self::Privilege(message),
                    // Connection exceptions, shutting down, starting up, too many connections, no such database or login.
                    code if code.starts_with("08") => Self::Unreachable(message),
                    "57P01" | "57P02" | "57P03" | "53300" | "3D000" | "28000" | "28P01" => {
                        Self::Unreachable(message)
                    }
                    _ => Self::Refused(message),
                }
            }
            sqlx::Error::Io(io) => Self::Unreachable(io.to_string()),
            sqlx::Error::Tls(tls) => Self::Unreachable(format!("TLS: {tls}")),
            sqlx::Error::PoolTimedOut => Self::Unreachable("no connection within the time allowed".into()),
            sqlx::Error::PoolClosed => Self::Unreachable("the connection is closed".into()),
            sqlx::Error::WorkerCrashed => Self::Unreachable("the connection's thread ended".into()),
            sqlx::Error::BeginFailed => Self::Unreachable("the transaction could not begin".into()),
            sqlx::Error::Protocol(why) => Self::Unreachable(why),
            sqlx::Error::ColumnDecode { index, source } => Self::Corrupt(format!("column {index}: {source}")),
            sqlx::Error::Decode(why) => Self::Corrupt(why.to_string()),
            other => Self::Other(other.to_string()),
        }
    }
}
