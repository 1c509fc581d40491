//! Bringing the schema up to date, safely when many processes start at once.

use std::path::Path;

use sqlx::migrate::MigrateError;
use sqlx::{Connection, SqliteConnection, SqlitePool};

pub(super) use super::migrations::{POSTGRES, SQLITE, VERSION, anew, newest};
use super::migrations::{SINCE, STATE, Schema, check, readable};
use super::moving::{self, MOVED, Progress};
use super::refold::{self, REFOLDED, Refolded};
use super::rights::{self, Grant, Mended};
use super::wire::Links;
use super::{Access, Error, Result};

mod lock;
mod place;

use lock::{lock_of, locked};
use place::{may_be_filled, named, not_owner};

/// How often to wait for another process that brings the schema up to date.
const TRIES: u32 = 6;

/// What PostgreSQL's migrations up to this version grant to the group roles.
fn granted_at(version: i64) -> Vec<Grant<'static>> {
    let migrations = POSTGRES.iter().filter(|migration| migration.version <= version);
    rights::granted(migrations.map(|migration| migration.sql.as_str()))
}

/// What the migrations that this schema has grant.
pub(super) async fn granted(pool: &Links) -> Result<Vec<Grant<'static>>> {
    Ok(granted_at(version_of_server(pool).await?.unwrap_or_default()))
}

/// What bringing a schema up to date would do.
#[derive(Clone, Debug)]
pub struct Tried {
    /// The version that the schema has, if it has one.
    pub found: Option<i64>,
    pub newest: i64,
    /// The texts that would be spelled and folded anew.
    pub refolded: Refolded,
    pub rights: Mended,
}

impl Tried {
    pub(super) fn nothing(found: Option<i64>) -> Self {
        Self { found, newest: newest(), refolded: Refolded::default(), rights: Mended::default() }
    }
}

/// What the migration calls itself with which all of Keyrack's databases begin.
fn first() -> Option<&'static str> {
    SQLITE.iter().find(|migration| migration.version == 1).map(|migration| migration.description.as_ref())
}

/// Whether the migrations that a file records are Keyrack's; `None` where it records none.
pub(super) async fn is_ours(file: &mut SqliteConnection) -> Result<Option<bool>> {
    let (version, name): (Option<i64>, Option<String>) = sqlx::query_as(STATE).fetch_one(file).await?;
    Ok(version.map(|_| name.as_deref() == first()))
}

/// sqlx takes no lock on SQLite (H6): a lock file of our own stands round the migration. Answers the version of a newer
/// schema that can only be read here.
pub(super) async fn sqlite(path: &Path, pool: &SqlitePool, access: Access) -> Result<Option<i64>> {
    let found = version_of_file(pool).await;
    // Another process may be making it just now, which whoever makes one waits for; else a busy file is told as such.
    let busy = access.makes() && matches!(found, Err(Error::Busy(_)));
    let found = if busy { None } else { found? };
    match check(found) {
        Schema::Current => return keep_wal(pool).await.map(|()| None),
        Schema::Newer => {
            let since = sqlx::query_scalar(SINCE).fetch_one(pool).await.map_err(Error::from);
            return readable(found, since, access);
        }
        Schema::Older => {}
    }
    let lock_path = lock_of(path);
    // Whoever is bringing it up to date is waited for in any case.
    if !busy && !lock_path.exists() && !access.migrates(found)? {
        return Ok(None);
    }
    let makes = access.makes();
    let lock = match locked(&lock_path, makes).await {
        // It is done and taken away, or belongs to somebody else.
        Err(_) if !makes => None,
        lock => Some(lock?),
    };
    // Somebody else may have done it while this process waited.
    if is_current(pool).await? || !access.migrates(version_of_file(pool).await?)? {
        return Ok(None);
    }
    use_wal(pool).await?;
    prepare_sqlite(pool, None, &mut |_| ()).await?;
    let is_new = version_of_file(pool).await?.is_none();
    let done = of_file(pool, async |conn| {
        SQLITE.run_direct(None, &mut *conn, false).await.map_err(failed)?;
        if is_new {
            // The tables that came and went leave no holes: a copy has its pages in the same places.
            sqlx::query("VACUUM").execute(conn).await?;
        }
        Ok(())
    })
    .await;
    if done.is_ok() {
        // Whoever waits for this very file, or makes it anew, finds the schema up to date.
        let _ = std::fs::remove_file(lock_path);
    }
    drop(lock);
    done.map(|()| None)
}

/// What can be done before the newest migration, while others use the file; killed, it goes on where it was. `path`: the
/// file's, where the lock round its migrations is not held yet.
pub(super) async fn prepare_sqlite(
    pool: &SqlitePool,
    path: Option<&Path>,
    progress: Progress<'_>,
) -> Result<()> {
    let older = |found: &Option<i64>| found.is_some_and(|found| found < MOVED - 1);
    let mut found = version_of_file(pool).await?;
    // It may be in the making: only rows are moved by several at a time.
    let lock = match path.filter(|_| older(&found)) {
        Some(path) => Some(locked(&lock_of(path), true).await?),
        None => None,
    };
    if lock.is_some() {
        found = version_of_file(pool).await?;
    }
    if found.is_none_or(|found| found >= MOVED) {
        return Ok(());
    }
    of_file(pool, async |conn| {
        if found.is_some_and(|found| found < REFOLDED) {
            refold::sqlite(&mut *conn).await?;
        }
        if older(&found) {
            SQLITE.run_direct(Some(MOVED - 1), &mut *conn, false).await.map_err(failed)?;
        }
        drop(lock);
        moving::sqlite(conn, progress).await
    })
    .await
}

/// Works on a connection of its own that looks at no reference and no check: what the rows hold, they keep. Without that a
/// table could not be replaced by its like.
async fn of_file(
    pool: &SqlitePool,
    work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<()>,
) -> Result<()> {
    const FREE: &str = "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; PRAGMA cache_size = -131072; \
        PRAGMA automatic_index = ON";
    let mut conn = pool.acquire().await?;
    sqlx::raw_sql(FREE).execute(&mut *conn).await?;
    let done = work(&mut conn).await;
    conn.close().await?;
    done
}

async fn is_current(pool: &SqlitePool) -> Result<bool> {
    Ok(matches!(check(version_of_file(pool).await?), Schema::Current))
}

async fn version_of_file(pool: &SqlitePool) -> Result<Option<i64>> {
    match sqlx::query_scalar::<_, Option<i64>>(VERSION).fetch_one(pool).await.map_err(Error::from) {
        // No such table: a new file.
        Err(Error::Lacks(_)) => Ok(None),
        found => found,
    }
}

/// Whether keys are so many that moving them in one transaction would keep others waiting.
const MANY: &str = "SELECT count(*) > 10000 FROM (SELECT 1 FROM keys LIMIT 10001) AS counted";

/// As [`sqlite`], in a transaction that is rolled back.
pub(super) async fn try_sqlite(pool: &SqlitePool) -> Result<Tried> {
    let mut tried = Tried::nothing(version_of_file(pool).await?);
    if let Schema::Older = check(tried.found) {
        of_file(pool, async |conn| {
            let mut tx = conn.begin_with("BEGIN IMMEDIATE").await?;
            if tried.found.is_some_and(|found| found < REFOLDED) {
                tried.refolded = refold::sqlite(&mut tx).await?;
            }
            let many = tried.found.is_some() && sqlx::query_scalar(MANY).fetch_one(&mut *tx).await?;
            SQLITE.run_direct(many.then_some(MOVED - 1), &mut *tx, false).await.map_err(failed)?;
            Ok(tx.rollback().await?)
        })
        .await?;
    }
    Ok(tried)
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
        Err(Error::ReadOnly(_)) => {}
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
pub(super) async fn postgres(pool: &Links, access: Access) -> Result<Option<i64>> {
    let mut found = version_of_server(pool).await?;
    if found.is_none()
        && let Err(refused) = may_be_filled(pool, access).await
    {
        // Another process may have begun to make it meanwhile.
        found = version_of_server(pool).await?;
        if found.is_none() {
            return Err(refused);
        }
    }
    match check(found) {
        Schema::Current => return Ok(None),
        Schema::Newer => {
            let since = sqlx::query_scalar(SINCE).fetch_one(pool).await.map_err(Error::from);
            return readable(found, since, access);
        }
        Schema::Older => {}
    }
    if !access.migrates(found)? {
        return Ok(None);
    }
    // Whoever may not is told so by the migration, in better words.
    match prepare_postgres(pool, &mut |_| ()).await {
        Err(Error::Privilege(_)) => {}
        done => done?,
    }
    let mut tries = 0;
    loop {
        tries += 1;
        match run(pool).await {
            // Others are at it; waiting for their lock took longer than the patience for locks.
            Err(Error::Busy(_)) if tries < TRIES => {}
            Err(Error::Privilege(why)) => return Err(not_owner(pool, why).await?),
            done => return done.map(|()| None),
        }
    }
}

/// Brings it up to date. Behind a pooler that gives each transaction another connection the driver's lock would stay behind:
/// there it is all one transaction, which holds the same lock.
async fn run(pool: &Links) -> Result<()> {
    if !pool.is_shared() {
        return POSTGRES.run(pool.pool()).await.map_err(failed);
    }
    let mut tx = pool.whole().await?;
    let database: String = sqlx::query_scalar("SELECT current_database()").fetch_one(&mut *tx).await?;
    let lock = 0x3d32_ad9e * i64::from(crc32fast::hash(database.as_bytes()));
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(lock).execute(&mut *tx).await?;
    anew(&POSTGRES).run_direct(None, &mut *tx, false).await.map_err(failed)?;
    Ok(tx.commit().await?)
}

/// As [`prepare_sqlite`].
pub(super) async fn prepare_postgres(pool: &Links, progress: Progress<'_>) -> Result<()> {
    let found = version_of_server(pool).await?;
    if found.is_none_or(|found| found >= MOVED) {
        return Ok(());
    }
    if pool.is_shared() {
        return Err(Error::Migration(
            "it is so old that this takes many transactions on one connection, and a pooler gives each another one: name PostgreSQL's own address this once"
                .into(),
        ));
    }
    if found.is_some_and(|found| found < REFOLDED) {
        refold::postgres(pool.acquire().await?.own()).await?;
    }
    POSTGRES.run_to(MOVED - 1, pool.pool()).await.map_err(failed)?;
    moving::postgres(pool.acquire().await?.own(), progress).await
}

async fn version_of_server(pool: &Links) -> Result<Option<i64>> {
    let state = sqlx::query_as::<_, (Option<i64>, Option<String>)>(STATE).fetch_one(pool).await;
    match state.map_err(Error::from) {
        // No such table: a new database.
        Err(Error::Lacks(_)) => Ok(None),
        Ok((Some(_), name)) if name.as_deref() != first() => {
            Err(Error::Foreign(format!("{} holds another program's tables", named(pool))))
        }
        found => Ok(found?.0),
    }
}

/// As [`postgres`], and with the rights of the group roles, in a transaction that is rolled back.
pub(super) async fn try_postgres(pool: &Links) -> Result<Tried> {
    let mut tried = Tried::nothing(version_of_server(pool).await?);
    if tried.found.is_none() {
        may_be_filled(pool, Access::UpToDate).await?;
    }
    let older = matches!(check(tried.found), Schema::Older);
    let mut tx = pool.whole().await?;
    if older {
        if tried.found.is_some_and(|found| found < REFOLDED) {
            let mut step = tx.begin().await?;
            match refold::postgres(&mut step).await {
                Err(Error::Privilege(_)) => step.rollback().await?,
                done => {
                    tried.refolded = done?;
                    step.commit().await?;
                }
            }
        }
        let mut step = tx.begin().await?;
        // Who may not read them may not move them: that is told of below.
        let many =
            tried.found.is_some() && sqlx::query_scalar(MANY).fetch_one(&mut *step).await.unwrap_or(false);
        step.rollback().await?;
        match POSTGRES.run_direct(many.then_some(MOVED - 1), &mut *tx, false).await.map_err(failed) {
            Err(Error::Privilege(why)) => return Err(not_owner(pool, why).await?),
            done => done?,
        }
    }
    tried.rights = rights::mend(&mut tx, &granted_at(tried.newest)).await?;
    tx.rollback().await?;
    Ok(tried)
}

pub(super) fn failed(error: MigrateError) -> Error {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => match Error::from(error) {
            told @ (Error::Unreachable(_) | Error::Privilege(_) | Error::Busy(_)) => told,
            other => Error::Migration(other.to_string()),
        },
        other => Error::Migration(other.to_string()),
    }
}
