//! What can go wrong between Keyrack and its database.

use sqlx::sqlite::SqliteError;

pub type Result<T> = std::result::Result<T, Error>;

/// A database error, in words that say what to do next.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// No connection, or it broke and did not come back in time.
    #[error("the database can't be reached: {0}. Check that it runs and try again")]
    Unreachable(String),
    /// Another transaction was in the way; trying again can help.
    #[error("the database is busy: {0}. Try again")]
    Busy(String),
    /// The database itself refused: a trigger, a constraint.
    #[error("the database refused: {0}")]
    Refused(String),
    /// A file without the right to write, or a server that only follows another one.
    #[error("the database can only be read here: {0}")]
    ReadOnly(String),
    /// The database's disk is full or broken.
    #[error(
        "the database could not read or write its disk: {0}. See whether the disk is full, then look at what was changed before you try again"
    )]
    Disk(String),
    /// The login lacks a right in PostgreSQL.
    #[error(
        "the database login lacks a right: {0}. Ask an admin for the role (`keyrack operator set`), or for `GRANT keyrack_operator` (`keyrack_viewer`, `keyrack_admin`)"
    )]
    Privilege(String),
    /// The schema is to be made or brought up to date by somebody who may not.
    #[error("the database's schema is not up to date, and {login} can't change it: {why}. {cure}")]
    NotOwner { login: String, why: String, cure: String },
    /// Nothing is at the address, or nothing of Keyrack's.
    #[error("{0}")]
    Missing(String),
    /// The name stands for another file than the one that was opened, or for none; in words that say what to do.
    #[error("{0}")]
    Replaced(String),
    /// The clock is so far from the newest change that it is not believed.
    #[error("{0}. {cure}", cure = crate::domain::steady::CURE)]
    Clock(String),
    /// What is at the address belongs to another program.
    #[error("{0}. Nothing was changed there: name another database")]
    Foreign(String),
    /// A gate gave no sign of life for so long that others have added what it had counted.
    #[error("this gate did not respond for too long: others added what it had counted")]
    TakenOver,
    /// Names and mails in all the world's letters can't be kept.
    #[error(
        "{named} has the encoding {encoding}, which can't hold every text. Make one with UTF8: `createdb --encoding=UTF8 --template=template0 NAME`"
    )]
    Encoding { named: String, encoding: String },
    /// Between two statements the connection belongs to others.
    #[error(
        "a pooler in front of the database allows no transactions, which keyrack needs. Set pool_mode = transaction (or session) for this database in the pooler (PgBouncer), or name PostgreSQL's own address"
    )]
    Pooled,
    /// The schema is older than what is asked of it needs.
    #[error(
        "this database has schema version {found}, and this needs version {known}. Run `keyrack migrate` once no older keyrack uses it: older ones can't use it afterwards"
    )]
    TooOld { found: i64, known: i64 },
    /// A table, column or function is not there.
    #[error(
        "the database lacks something that this needs: {0}. Its schema is older than this keyrack (run `keyrack migrate`), has become newer (upgrade keyrack), or was changed by hand: see `keyrack doctor`"
    )]
    Lacks(String),
    /// The schema is newer than this program.
    #[error(
        "this database has schema version {found}, newer than the {known} that this keyrack knows. Upgrade keyrack"
    )]
    TooNew { found: i64, known: i64 },
    /// The same, but it can be read.
    #[error(
        "this database has schema version {found}, newer than the {known} that this keyrack knows, so it is read-only here. Upgrade keyrack to change it"
    )]
    Newer { found: i64, known: i64 },
    #[error("the database's schema could not be brought up to date: {0}")]
    Migration(String),
    #[error("the file isn't a SQLite database: {0}")]
    NotADatabase(String),
    #[error("the database holds something unexpected: {0}")]
    Corrupt(String),
    /// A SQLite file in another journal mode, as somebody set it or as a network file system forces it.
    #[error(
        "the database's journal mode is {0}, and a gate needs the write-ahead log. End every program that has the file open and run `keyrack migrate`; on a network file system there can be none: keep the file on a local disk"
    )]
    NoWal(String),
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

    /// Whether it is certain that nothing was changed: the database refused, or was not there to be asked.
    pub fn changed_nothing(&self) -> bool {
        match self {
            Self::Refused(_)
            | Self::ReadOnly(_)
            | Self::Privilege(_)
            | Self::NotOwner { .. }
            | Self::Missing(_)
            | Self::Replaced(_)
            | Self::Clock(_)
            | Self::Foreign(_)
            | Self::Encoding { .. }
            | Self::Pooled
            | Self::TooOld { .. }
            | Self::TooNew { .. }
            | Self::Newer { .. }
            | Self::NotADatabase(_)
            | Self::NoWal(_)
            | Self::Location(_) => true,
            Self::Unreachable(_)
            | Self::Busy(_)
            | Self::Disk(_)
            | Self::TakenOver
            | Self::Lacks(_)
            | Self::Migration(_)
            | Self::Corrupt(_)
            | Self::Other(_) => false,
        }
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
                let code = db.code().unwrap_or_default();
                if db.try_downcast_ref::<SqliteError>().is_some() {
                    of_sqlite(&code, message)
                } else {
                    of_postgres(&code, db.constraint(), message)
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

/// SQLite's result codes; the primary one is in the lowest eight bits.
fn of_sqlite(code: &str, message: String) -> Error {
    match code.parse::<u32>().unwrap_or_default() & 0xff {
        // BUSY, LOCKED, want of memory, and PROTOCOL: others took the locks of the log each time that it was tried.
        5..=7 | 15 => Error::Busy(message),
        // PERM, READONLY, AUTH.
        3 | 8 | 23 => Error::ReadOnly(format!(
            "{message}. Look at the rights of the file and its folder, and whether its disk is mounted to be read only"
        )),
        // IOERR, FULL.
        10 | 13 => Error::Disk(message),
        // CORRUPT, NOTADB.
        11 => Error::Corrupt(message),
        26 => Error::NotADatabase(message),
        // CANTOPEN.
        14 => Error::Unreachable(format!(
            "{message} (does the folder exist, and may you read and write there?)"
        )),
        1 if message.starts_with("no such ") || message.contains(" has no column named ") => {
            Error::Lacks(message)
        }
        _ => Error::Refused(message),
    }
}

/// What two that ask for the same at the same time run into, because neither sees the other's row yet.
const QUICKER: [&str; 3] =
    ["accounts_pkey", "audit_operation_action_subject_key", "audit_lanes_operation_action_subject_key"];

/// PostgreSQL's error codes: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn of_postgres(code: &str, constraint: Option<&str>, message: String) -> Error {
    match code {
        // Serialization failure, deadlock, lock not available.
        "40001" | "40P01" | "55P03" => Error::Busy(message),
        // Somebody was quicker to write the very same thing; who looks again finds it.
        "23505" if constraint.is_some_and(|name| QUICKER.contains(&name)) => Error::Busy(message),
        "42501" => Error::Privilege(message),
        "25006" => Error::ReadOnly(format!("{message}. Connect to the server that takes changes")),
        // A prepared statement that is not there, or that another client has prepared.
        "26000" | "42P05" => Error::Location(
            "a pooler before the database gives each transaction another connection, which was not noticed at the start: say pooled=true in the \
             address, as in postgres://ada@host:6432/keyrack?pooled=true"
                .into(),
        ),
        // No such table, column, function, or schema to make them in.
        "42P01" | "42703" | "42883" | "3F000" => Error::Lacks(message),
        // Shutting down, starting up, idle in a transaction for too long, too many connections, no such database or login.
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "53300" | "3D000" | "28000" | "28P01" => {
            Error::Unreachable(message)
        }
        // Connection exceptions.
        code if code.starts_with("08") => Error::Unreachable(message),
        // Disk full, other want of resources, trouble of the operating system.
        code if code.starts_with("53") || code.starts_with("58") => Error::Disk(message),
        code if code.starts_with("XX") => Error::Corrupt(message),
        _ => Error::Refused(message),
    }
}

#[cfg(test)]
mod tests;
