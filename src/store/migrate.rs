//! Bringing the schema up to date, safely when many processes start at once.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{PgPool, SqlitePool};

use super::{Error, Result};

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// How often to wait for another process that brings the schema up to date.
const TRIES: u32 = 6;

/// The newest schema version that this program knows.
pub(super) fn newest() -> i64 {
    SQLITE.iter().map(|migration| migration.version).max().unwrap_or(0)
}

/// What an up-to-date database answers at once, so that a start costs one small read.
pub(super) const VERSION: &str = "SELECT max(version) FROM _sqlx_migrations WHERE success";

/// sqlx takes no lock on SQLite (H6): a lock file of our own stands round the migration.
pub(super) async fn sqlite(path: &Path, pool: &SqlitePool) -> Result<()> {
    if is_current(pool).await? {
        return keep_wal(pool).await;
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".migrating");
    let lock_path = std::path::PathBuf::from(name);
    let path = lock_path.clone();
    let lock = tokio::task::spawn_blocking(move || {
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(lock_path)?;
        file.lock()?;
        Ok::<_, std::io::Error>(file)
    })
    .await
    .map_err(|e| Error::Migration(e.to_string()))?
    .map_err(|e| Error::Migration(format!("no lock can be made beside the database: {e}")))?;
    // Somebody else may have done it while this process waited.
    if is_current(pool).await? {
        return Ok(());
    }
    use_wal(pool).await?;
    let done = SQLITE.run(pool).await.map_err(failed);
    if done.is_ok() {
        // Whoever waits for this very file, or makes it anew, finds the schema up to date.
        let _ = std::fs::remove_file(path);
    }
    drop(lock);
    done
}

async fn is_current(pool: &SqlitePool) -> Result<bool> {
    match sqlx::query_scalar::<_, Option<i64>>(VERSION).fetch_one(pool).await.map_err(Error::from) {
        Ok(found) => Ok(matches!(check(found)?, Schema::Current)),
        // No such table: a new file. Busy: another process is making it just now.
        Err(Error::Refused(_) | Error::Busy(_)) => Ok(false),
        Err(unusable) => Err(unusable),
    }
}

/// Whether the journal mode is the write-ahead log.
async fn has_wal(writer: &SqlitePool) -> Result<bool> {
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(writer).await?;
    Ok(mode.eq_ignore_ascii_case("wal"))
}

/// A file whose journal mode somebody changed gets its write-ahead log back, if nobody else has it in use. Where it does
/// not, everything but a gate works all the same.
async fn keep_wal(writer: &SqlitePool) -> Result<()> {
    if has_wal(writer).await? {
        return Ok(());
    }
    match use_wal(writer).await {
        Ok(()) => {
            tracing::warn!("the database's journal mode had been changed; it has its write-ahead log back")
        }
        Err(error) => tracing::warn!(%error, "the database has no write-ahead log, which gates need"),
    }
    Ok(())
}

/// Chooses the write-ahead log. That asks for a lock on the whole file, so it happens under the migration's lock alone.
async fn use_wal(writer: &SqlitePool) -> Result<()> {
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode = WAL").fetch_one(writer).await?;
    if mode.eq_ignore_ascii_case("wal") {
        Ok(())
    } else {
        Err(Error::Other(format!("the file system allows no write-ahead log (journal mode is {mode})")))
    }
}

/// sqlx takes an advisory lock on PostgreSQL by itself.
pub(super) async fn postgres(pool: &PgPool) -> Result<()> {
    match sqlx::query_scalar::<_, Option<i64>>(VERSION).fetch_one(pool).await {
        Ok(found) => match check(found)? {
            Schema::Current => return Ok(()),
            Schema::Older => {}
        },
        // 42P01: no such table, a new database.
        Err(sqlx::Error::Database(db)) if db.code().as_deref() == Some("42P01") => {}
        Err(error) => return Err(error.into()),
    }
    let mut tries = 0;
    loop {
        tries += 1;
        match POSTGRES.run(pool).await.map_err(failed) {
            // Others are at it; waiting for their lock took longer than the patience for locks.
            Err(Error::Busy(_)) if tries < TRIES => {}
            Err(Error::Privilege(why)) => return Err(Error::NotOwner(why)),
            done => return done,
        }
    }
}

enum Schema {
    Current,
    Older,
}

fn check(found: Option<i64>) -> Result<Schema> {
    let known = newest();
    match found {
        Some(found) if found > known => Err(Error::TooNew { found, known }),
        Some(found) if found == known => Ok(Schema::Current),
        _ => Ok(Schema::Older),
    }
}

fn failed(error: MigrateError) -> Error {
    match error {
        MigrateError::Execute(error) => match Error::from(error) {
            told @ (Error::Unreachable(_) | Error::Privilege(_) | Error::Busy(_)) => told,
            other => Error::Migration(other.to_string()),
        },
        other => Error::Migration(other.to_string()),
    }
}
