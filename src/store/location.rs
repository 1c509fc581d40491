//! Where the database is.

use std::path::PathBuf;

/// A database's address, without a password in it.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A SQLite file; made if it does not exist.
    Sqlite(PathBuf),
    /// `postgres://user@host/database`, passwords from `PGPASSFILE` or `~/.pgpass`.
    Postgres(String),
}
