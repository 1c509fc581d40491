//! SQLite: one file, mode 0600, write-ahead log, every commit on disk before it is acknowledged.

use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous};

use super::{Error, Pools, Result, migrate};

/// How long to wait for another process that writes.
const BUSY: Duration = Duration::from_secs(10);
/// Pages are read through the operating system's cache up to this many bytes.
const MMAP: &str = "268435456";

pub(super) async fn open(path: &Path) -> Result<Pools> {
    make_private(path)?;
    let (writer, readers) = pools(path);
    migrate::sqlite(path, &writer).await?;
    Ok(Pools::Sqlite { writer, readers })
}

/// What [`open`] would do to the schema; a file that is not there is not made.
pub(super) async fn try_open(path: &Path) -> Result<Option<i64>> {
    if !path.exists() {
        return Ok(None);
    }
    let (writer, _) = pools(path);
    let found = migrate::try_sqlite(&writer).await;
    writer.close().await;
    found
}

/// The one writer and the readers, which open the file at their first use.
fn pools(path: &Path) -> (SqlitePool, SqlitePool) {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY)
        .foreign_keys(true)
        .synchronous(SqliteSynchronous::Full)
        .pragma("mmap_size", MMAP)
        .pragma("trusted_schema", "OFF")
        .pragma("recursive_triggers", "ON");

    // One writer per process (H8). The pool never closes it, so that prepared statements stay.
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(BUSY * 2)
        .connect_lazy_with(options.clone());
    let readers = SqlitePoolOptions::new()
        .max_connections(4)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(BUSY)
        .connect_lazy_with(options.pragma("query_only", "ON"));

    (writer, readers)
}

/// Makes the file, readable by its owner alone, before SQLite would make it with the usual rights.
fn make_private(path: &Path) -> Result<()> {
    let failed =
        |what: &Path, error: std::io::Error| Error::Unreachable(format!("{}: {error}", what.display()));
    if path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|e| failed(folder, e))?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        // Another process was quicker.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed(path, error)),
    }
}
