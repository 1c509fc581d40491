//! The migrations that this program knows.

use sqlx::migrate::Migrator;

use super::{Access, Error, Result};

pub(super) static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
pub(super) static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// The newest schema version that this program knows.
pub(super) fn newest() -> i64 {
    SQLITE.iter().map(|migration| migration.version).max().unwrap_or(0)
}

/// The schema's version.
pub(super) const VERSION: &str = "SELECT max(version) FROM _sqlx_migrations WHERE success";

/// The same, and what the first migration calls itself; so that a start costs one small read.
pub(super) const STATE: &str = "SELECT max(CASE WHEN success THEN version END), max(CASE WHEN version = 1 THEN description END) \
     FROM _sqlx_migrations";

/// The same migrations for a schema of the caller's own, which needs no lock.
pub(super) fn anew(migrator: &Migrator) -> Migrator {
    let mut anew = Migrator::with_migrations(migrator.iter().cloned().collect());
    anew.set_locking(false);
    anew
}

/// How a schema's version lies to this program's.
pub(super) enum Schema {
    Current,
    Older,
    Newer,
}

pub(super) fn check(found: Option<i64>) -> Schema {
    match found {
        Some(found) if found > newest() => Schema::Newer,
        Some(found) if found == newest() => Schema::Current,
        _ => Schema::Older,
    }
}

/// The oldest version whose program can read a schema that is newer than this one's.
pub(super) const SINCE: &str = "SELECT since FROM readable";

/// The version of a newer schema, where it says that this program can read it; `since`: what it says.
pub(super) fn readable(found: Option<i64>, since: Result<i64>, access: Access) -> Result<Option<i64>> {
    let (found, known) = (found.unwrap_or_default(), newest());
    let since = match since {
        Err(Error::Lacks(_)) => i64::MAX,
        since => since?,
    };
    // Gates write, and nobody brings it to an older version.
    if since > known || matches!(access, Access::Current | Access::UpToDate) {
        return Err(Error::TooNew { found, known });
    }
    Ok(Some(found))
}
