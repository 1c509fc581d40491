//! Moving keys into their three tables, in portions, before the migration of version [`MOVED`] makes the switch: others read
//! and write by the version before meanwhile. What is interrupted goes on where it was.
//!
//! The statements are the migration's own, part by part, so that one that runs without this comes to the same.

use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

use super::Result;
use super::migrations::{POSTGRES, SQLITE, VERSION};

/// The version of the schema that has them.
pub(super) const MOVED: i64 = 11;
/// Rows a transaction.
const ROWS: u32 = 2_000;
/// What stands in the migration for as many as there are.
const ALL: &str = "1000000000000";
/// Who waits to write gets a turn between two portions.
const TURN: Duration = Duration::from_millis(2);

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moving {
    Keys { done: u64, of: u64 },
    Indexes { done: u64, of: u64 },
}

/// Told of each step.
pub(super) type Progress<'a> = &'a mut (dyn FnMut(Moving) + Send);

/// A part of the migration.
fn part(migrator: &'static Migrator, name: &str) -> &'static str {
    let migration = migrator.iter().find(|migration| migration.version == MOVED);
    let text = migration.map_or("", |migration| migration.sql.as_str());
    let begin = |text: &'static str| text.strip_prefix(name)?.strip_prefix('\n');
    text.split("-- part: ").find_map(begin).unwrap_or_default()
}

/// The part's statements, one by one.
fn statements(part: &str) -> Vec<&str> {
    part.split(";\n").filter(|statement| !statement.trim().is_empty()).collect()
}

macro_rules! moving {
    ($name:ident, $conn:ty, $migrator:expr, $begin:literal, $rows:expr, $left:literal) => {
        pub(super) async fn $name(conn: &mut $conn, progress: Progress<'_>) -> Result<()> {
            let of: i64 = sqlx::query_scalar("SELECT count(*) FROM keys").fetch_one(&mut *conn).await?;
            let (of, mut done) = (of.unsigned_abs(), 0);
            let rows = part(&$migrator, "rows").replace(ALL, &$rows.to_string());
            let indexes = statements(part(&$migrator, "indexes"));
            let mut steps = vec![part(&$migrator, "tables")];
            steps.extend(&indexes);
            for (n, step) in steps.into_iter().enumerate() {
                // Each in a transaction of its own. Somebody else may have made the switch meanwhile.
                loop {
                    let mut tx = conn.begin_with($begin).await?;
                    let version: i64 = sqlx::query_scalar(VERSION).fetch_one(&mut *tx).await?;
                    if version >= MOVED {
                        return Ok(tx.rollback().await?);
                    }
                    let mut left = 0;
                    if n == 1 {
                        left = sqlx::query_scalar::<_, i64>($left).fetch_one(&mut *tx).await?;
                    }
                    let sql = if left > 0 { rows.as_str() } else { step };
                    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut *tx).await?;
                    if n == 0 {
                        done = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM key_auth")
                            .fetch_one(&mut *tx)
                            .await?
                            .unsigned_abs();
                    }
                    tx.commit().await?;
                    if left == 0 {
                        break;
                    }
                    done += u64::from(ROWS);
                    progress(Moving::Keys { done: done.min(of), of });
                    tokio::time::sleep(TURN).await;
                }
                if n > 0 {
                    progress(Moving::Indexes { done: n as u64, of: indexes.len() as u64 });
                }
            }
            Ok(())
        }
    };
}

moving!(
    sqlite,
    SqliteConnection,
    SQLITE,
    "BEGIN IMMEDIATE",
    ROWS,
    "SELECT coalesce((SELECT max(seq) FROM keys), 0) - upto FROM keys_moved"
);
moving!(
    postgres,
    PgConnection,
    POSTGRES,
    // Others that move keys at the same time take turns.
    "BEGIN; SELECT pg_advisory_xact_lock(7301466)",
    ROWS - 1,
    "SELECT CASE WHEN upto < 'ffffffff-ffff-ffff-ffff-ffffffffffff' THEN 1 ELSE 0 END::bigint FROM keys_moved"
);
