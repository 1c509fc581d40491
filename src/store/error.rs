//! What can go wrong between Keyrack and its database.

pub type Result<T> = std::result::Result<T, Error>;

/// A database error, in words that say what to do next.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection, or it broke and did not come back in time.
    #[error("the database can't be reached: {0}. Check that it runs and try again")]
    Unreachable(String),
    /// The database itself refused: its privileges, a trigger, a constraint.
    #[error("the database refused: {0}")]
    Refused(String),
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
