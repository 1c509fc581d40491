//! SQLite: one file, mode 0600, write-ahead log, every commit on disk before it is acknowledged.

use std::fs::{DirBuilder, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, SqliteConnection, SqlitePool};

use super::frozen::{Frozen, has_log};
use super::held::Held;
use super::{Access, Error, Pools, Result, migrate, nearby};

/// How long to wait for another process that writes.
const BUSY: Duration = Duration::from_secs(10);
/// A file that others may be writing to, and that can't be read, is looked at so often again, after this time each.
const LOOKS: u32 = 5;
const LOOK_AGAIN: Duration = Duration::from_millis(40);
/// No memory map: a file that is overwritten in its place would end the process by SIGBUS (H23).
const MMAP: &str = "0";
/// Kibibytes of pages that a connection keeps, in SQLite's way of saying it.
const CACHE: &str = "-16384";
/// Pages of the log that a commit at the latest folds into the file: 16 MB. Mostly that is done when nobody waits.
const FOLDED: &str = "4096";
/// Rows that a connection's thread has ready before it waits for whoever reads them.
const ROWS: usize = 500;
/// Statements that a connection keeps prepared.
const STATEMENTS: usize = 250;

/// What lies at a path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    /// A file without anything in it.
    Empty,
    /// A database of Keyrack's.
    Ours,
}

impl Found {
    /// Refuses where there is no database.
    pub(super) fn demand(self, path: &Path) -> Result<()> {
        let there = match self {
            Self::Ours => return Ok(()),
            Self::Nothing => format!("there is no database at {}", path.display()),
            Self::Empty => format!("{} is empty: there is no database in it yet", path.display()),
        };
        let near = Some(nearby::of_file(path)).filter(|near| self == Self::Nothing && !near.is_empty());
        let near = near.map(|near| format!(" ({near})")).unwrap_or_default();
        Err(Error::Missing(format!(
            "{there}{near}. Name another with --db, or create a new one there with `keyrack migrate`"
        )))
    }
}

/// Opens the file under a name. Another process that closed it as the last one may have taken its log away meanwhile.
pub(super) async fn open(path: &Path, access: Access) -> Result<Opened> {
    for _ in 1..LOOKS {
        match attempt(path, access).await {
            Err(Error::Replaced(_)) => tokio::time::sleep(LOOK_AGAIN).await,
            done => return done,
        }
    }
    attempt(path, access).await
}

async fn attempt(path: &Path, access: Access) -> Result<Opened> {
    let found = look(path).await?;
    if !access.makes() {
        found.demand(path)?;
    }
    if found == Found::Nothing {
        make_private(path)?;
    }
    let which = Held::which(path)?;
    match open_as(path, access, Way::of(path)).await {
        // What SQLite makes beside the file to write to it can't be made; without that it can still be read.
        Err(Error::Disk(why)) if found == Found::Ours => {
            let way = if has_log(path) { Way::Reading } else { Way::Frozen };
            let (pools, newer) = open_as(path, access, way).await.map_err(|_| Error::Disk(why.clone()))?;
            Ok(Opened { pools, held: Held::new(path, which, false)?, hindered: Some(why), newer })
        }
        opened => {
            let held = Held::new(path, which, Way::of(path) == Way::Writing)?;
            let (pools, newer) = opened?;
            Ok(Opened { pools, held, hindered: None, newer })
        }
    }
}

/// An open database: which file it is, and why nothing can be changed in it, if its disk is to blame.
pub(super) struct Opened {
    pub pools: Pools,
    pub held: Held,
    pub hindered: Option<String>,
    /// The version of its schema, where that is newer than this program's and can be read.
    pub newer: Option<i64>,
}

async fn open_as(path: &Path, access: Access, way: Way) -> Result<(Pools, Option<i64>)> {
    let (writer, readers, frozen) = pools(path, way);
    let newer = migrate::sqlite(path, &writer, access).await?;
    if way == Way::Writing {
        // A reader that stays: when the writer's connection is closed after a fault, SQLite shall not take it for the last
        // one and make the log anew.
        sqlx::query("SELECT seq FROM audit_head").execute(&readers).await?;
    }
    Ok((Pools::Sqlite { writer, readers, frozen }, newer))
}

/// What [`open`] would do to the schema; a file that is not there is not made.
pub(super) async fn try_open(path: &Path) -> Result<migrate::Tried> {
    if look(path).await? != Found::Ours {
        return Ok(migrate::Tried::nothing(None));
    }
    let (writer, ..) = pools(path, Way::of(path));
    let found = migrate::try_sqlite(&writer).await;
    writer.close().await;
    found
}

/// Does what of [`open`] can be done while others use the file.
pub(super) async fn prepare(path: &Path, progress: super::moving::Progress<'_>) -> Result<()> {
    if look(path).await? != Found::Ours {
        return Ok(());
    }
    let (writer, ..) = pools(path, Way::of(path));
    let done = migrate::prepare_sqlite(&writer, Some(path), progress).await;
    writer.close().await;
    done
}

/// Finds out what is at a path, and touches nothing: not a byte of another program's file, nor its folder.
///
/// The file is read by SQLite alone: opening and closing it past SQLite would take this process's locks away.
pub(super) async fn look(path: &Path) -> Result<Found> {
    let foreign = |why: &str| Err(Error::Foreign(format!("{} is {why}", path.display())));
    let missing = |why: &str| Err(Error::Missing(format!("the database can't be reached: {why}")));
    let kind = match std::fs::metadata(path) {
        Ok(kind) => kind,
        Err(_) if path.is_symlink() => {
            return missing(&format!("{} is a link to something that isn't there", path.display()));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(Error::Unreachable(format!("{}: {error}", path.display()))),
    };
    match kind.file_type() {
        folder if folder.is_dir() => {
            return missing(&format!(
                "unable to open {}: it is a folder. Name the file in it",
                path.display()
            ));
        }
        other if !other.is_file() => return foreign("no regular file"),
        _ if kind.len() == 0 => return Ok(Found::Empty),
        _ => {}
    }
    let mut said = read(path, Way::Frozen).await;
    for _ in 0..LOOKS {
        match said {
            // What was written last may be in the log alone, and a file that others write to can't be read as if they did
            // not.
            Err(_) | Ok(Found::Empty) if has_log(path) => {
                said = read(path, Way::Reading).await;
                break;
            }
            Ok(Found::Ours | Found::Nothing) | Err(Error::Foreign(_)) => break,
            // Somebody folds the log into the file just now, or has done so meanwhile.
            Ok(Found::Empty) | Err(_) => {
                tokio::time::sleep(LOOK_AGAIN).await;
                said = read(path, Way::Frozen).await;
            }
        }
    }
    match said {
        Err(Error::Foreign(why)) => foreign(&why),
        said => said,
    }
}

async fn read(path: &Path, way: Way) -> Result<Found> {
    const CONTENTS: &str = "SELECT (SELECT count(*) FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' AND name <> '_sqlx_migrations'), \
         (SELECT count(*) FROM sqlite_master WHERE name = '_sqlx_migrations'), (SELECT application_id FROM pragma_application_id)";
    let mut connection = match SqliteConnection::connect_with(&options(path, way)).await.map_err(Error::from)
    {
        Err(Error::NotADatabase(_)) => return Err(Error::Foreign("no SQLite database".into())),
        connection => connection?,
    };
    let read = async {
        let (others, records, application): (i64, i64, i64) =
            sqlx::query_as(CONTENTS).fetch_one(&mut connection).await?;
        let ours = if records > 0 { migrate::is_ours(&mut connection).await? } else { None };
        match ours {
            Some(true) => Ok(Found::Ours),
            None if others == 0 && application == 0 => Ok(Found::Empty),
            _ => Err(Error::Foreign("another program's database".into())),
        }
    };
    let found = read.await;
    connection.close().await?;
    match found {
        Err(Error::NotADatabase(_)) => Err(Error::Foreign("no SQLite database".into())),
        found => found,
    }
}

/// How a file is opened.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Writing,
    /// Others may write to it; this process can't or must not.
    Reading,
    /// As if nobody wrote to it, and without the files that SQLite would make beside it.
    Frozen,
}

impl Way {
    /// The best that the rights of the file and its folder allow.
    fn of(path: &Path) -> Self {
        use rustix::fs::{Access, access};
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let can_write = |path: &Path| access(path, Access::WRITE_OK).is_ok();
        // Where the log is there already, nothing needs to be made.
        if can_write(path) && (can_write(folder) || has_log(path)) {
            Self::Writing
        } else if has_log(path) {
            Self::Reading
        } else {
            Self::Frozen
        }
    }
}

/// Whether the rights of the file and its folder, or the disk, forbid every change.
pub(super) fn is_read_only(path: &Path) -> bool {
    Way::of(path) != Way::Writing
}

fn options(path: &Path, way: Way) -> SqliteConnectOptions {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY)
        .foreign_keys(true)
        .pragma("mmap_size", MMAP)
        // What a statement may have to take back, and what it sorts, is no file that is made and deleted each time.
        .pragma("temp_store", "MEMORY")
        .statement_cache_capacity(STATEMENTS)
        .row_buffer_size(ROWS)
        .pragma("cache_size", CACHE)
        .pragma("trusted_schema", "OFF")
        .pragma("recursive_triggers", "ON");
    match way {
        Way::Writing => options.synchronous(SqliteSynchronous::Full),
        Way::Reading => options.read_only(true),
        Way::Frozen => options.read_only(true).immutable(true),
    }
}

/// The one writer and the readers, which open the file at their first use.
fn pools(path: &Path, way: Way) -> (SqlitePool, SqlitePool, Option<Arc<Frozen>>) {
    let options = options(path, way);
    // What is read as if nobody wrote to it is opened anew when others have written.
    let frozen = (way != Way::Writing).then(|| Arc::new(Frozen::new(path)));
    let of_now = |frozen: &Option<Arc<Frozen>>, age: Duration| {
        frozen.as_ref().is_none_or(|frozen| frozen.is_of_now(age))
    };
    let (for_writer, for_readers) = (frozen.clone(), frozen.clone());

    // One writer per process (H8). The pool never closes it, so that prepared statements stay.
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(BUSY * 2)
        .before_acquire(move |_, meta| {
            let of_now = of_now(&for_writer, meta.age);
            Box::pin(async move { Ok(of_now) })
        })
        .test_before_acquire(false)
        .after_release(|conn, _| Box::pin(is_clear(conn)))
        .connect_lazy_with(for_writing(options.clone()));
    let readers = SqlitePoolOptions::new()
        .max_connections(4)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(BUSY)
        .before_acquire(move |_, meta| {
            let of_now = of_now(&for_readers, meta.age);
            Box::pin(async move { Ok(of_now) })
        })
        .test_before_acquire(false)
        .after_release(|conn, _| Box::pin(is_sound(conn)))
        .connect_lazy_with(for_reading(options));

    (writer, readers, frozen)
}

/// Nobody's change indexes its own rows for itself and then walks through all keys to find them there: it looks up each by
/// the indexes that there are.
fn for_writing(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options.pragma("wal_autocheckpoint", FOLDED).pragma("automatic_index", "OFF")
}

fn for_reading(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options.pragma("query_only", "ON")
}

/// Opens what others have written from now on, with the log that has come or without the one that has gone. Answers how
/// often the file has changed.
pub(super) fn thaw(path: &Path, frozen: &Frozen, (writer, readers): (&SqlitePool, &SqlitePool)) -> u64 {
    let (changed, times) = frozen.look();
    if changed {
        let way = if has_log(path) { Way::Reading } else { Way::Frozen };
        writer.set_connect_options(for_writing(options(path, way)));
        readers.set_connect_options(for_reading(options(path, way)));
    }
    times
}

/// Whether a connection can be used again. SQLite ends a transaction by itself when the disk is full or broken, and then the
/// driver takes it for open ever after (H20).
async fn is_sound(conn: &mut SqliteConnection) -> sqlx::Result<bool> {
    if conn.is_in_transaction() {
        // What was asked for before, a rollback also, is done before this is answered.
        conn.ping().await?;
    }
    Ok(!conn.is_in_transaction())
}

/// The same of the writer's, on which a transaction of our own words may be open, if what it was for ended in a panic.
async fn is_clear(conn: &mut SqliteConnection) -> sqlx::Result<bool> {
    let taken_back = sqlx::raw_sql("ROLLBACK").execute(&mut *conn).await;
    let none = |error: &sqlx::Error| error.to_string().contains("no transaction is active");
    Ok(taken_back.err().is_none_or(|error| none(&error)) && !conn.is_in_transaction())
}

/// Makes the file, readable by its owner alone, before SQLite would make it with the usual rights.
fn make_private(path: &Path) -> Result<()> {
    let failed =
        |what: &Path, error: std::io::Error| Error::Unreachable(format!("{}: {error}", what.display()));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Access, migrate};

    #[tokio::test]
    async fn a_change_of_many_keys_looks_up_each_and_does_not_walk_through_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.db");
        let (writer, ..) = pools(&path, Way::Writing);
        make_private(&path).unwrap();
        migrate::sqlite(&path, &writer, Access::OrNew).await.unwrap();
        let many = vec!["(x'00', 0)"; 500].join(", ");
        for change in [
            "UPDATE key_auth SET expires_at = u.at FROM u WHERE key_auth.id = u.id",
            "UPDATE keys SET successor = u.id FROM u JOIN key_auth k ON k.id = u.id WHERE keys.seq = k.seq",
            "INSERT INTO key_use (seq, last_used_at) SELECT k.seq, u.at FROM u JOIN key_auth k ON k.id = u.id",
        ] {
            let sql = format!("EXPLAIN QUERY PLAN WITH u(id, at) AS (VALUES {many}) {change}");
            let plan: Vec<(i64, i64, i64, String)> =
                sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(&writer).await.unwrap();
            let walks = |(.., step): &&(i64, i64, i64, String)| step.starts_with("SCAN k");
            assert!(!plan.iter().any(|step| walks(&step)), "{change}: {plan:?}");
        }
    }
}
