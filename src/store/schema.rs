//! The schema as it stands, compared with what this program's own migrations make of an empty database.
//!
//! Nothing is listed by hand: SQLite makes the schema anew in memory, PostgreSQL in a schema of its own within a
//! transaction that is rolled back. Either server prints both in the same way. A login that can't make one there compares
//! the triggers and functions with the migrations' text.

use std::collections::BTreeMap;

use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

use super::{Pools, Result, Store, migrate};
use crate::domain::audit::finding::{Finding, Kind};

mod text;

/// Each thing of a schema with its definition.
type Things = BTreeMap<String, String>;

/// How a schema was compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    pub findings: Vec<Finding>,
    /// What this login could not compare, and why.
    pub left: Option<String>,
}

/// SQLite's things. The statements are as the migrations wrote them, but for white space.
const SQLITE: &str = "SELECT type || ' ' || name || CASE WHEN type IN ('trigger', 'index') THEN ' on ' || tbl_name ELSE '' END, \
     coalesce(sql, '') FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_stat%' ESCAPE '\\' AND name <> 'sqlite_sequence'";

impl Store {
    /// Compares the schema with what the migrations make.
    pub async fn compare_schema(&self) -> Result<Schema> {
        if let Some(found) = self.newer {
            let known = migrate::newest();
            let left = format!(
                "the schema was not compared: it has version {found}, and this keyrack knows {known}"
            );
            return Ok(Schema { findings: Vec::new(), left: Some(left) });
        }
        match &self.pools {
            Pools::Sqlite { readers, .. } => {
                let mut conn = readers.acquire().await?;
                let version: i64 = sqlx::query_scalar(migrate::VERSION).fetch_one(&mut *conn).await?;
                let found = sqlite_things(&mut conn).await?;
                let mut expected = Vec::new();
                for version in [version, migrate::newest()] {
                    let memory = SqliteConnectOptions::new().in_memory(true);
                    let mut anew = SqliteConnection::connect_with(&memory).await?;
                    migrate::anew(&migrate::SQLITE)
                        .run_direct(Some(version), &mut anew, false)
                        .await
                        .map_err(migrate::failed)?;
                    expected.push(sqlite_things(&mut anew).await?);
                    anew.close().await?;
                }
                Ok(Schema { findings: differences(&expected, &found, &[]), left: None })
            }
            Pools::Postgres(pool) => {
                let mut tx = pool.whole().await?;
                let compared = postgres(&mut tx).await;
                tx.rollback().await?;
                compared
            }
        }
    }
}

async fn sqlite_things(conn: &mut SqliteConnection) -> Result<Things> {
    let rows: Vec<(String, String)> = sqlx::query_as(SQLITE).fetch_all(conn).await?;
    let one_line = |sql: String| sql.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(rows.into_iter().map(|(name, sql)| (name, one_line(sql))).collect())
}

/// Where what was found is neither what the schema's version makes nor what the newest does: a later version's parts are no
/// alteration. `beyond`: beginnings of things of which only what is there too much is told.
fn differences(expected: &[Things], found: &Things, beyond: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let is_beyond = |name: &str| beyond.iter().any(|begin| name.starts_with(begin));
    let Some(first) = expected.first() else { return findings };
    for (name, audit) in first.iter().filter(|(name, _)| !is_beyond(name)) {
        let fits = |things: &Things| things.get(name) == found.get(name);
        if !expected.iter().any(fits) {
            let (audit, table) = match found.get(name) {
                None => (cut(audit), "missing".to_owned()),
                Some(table) => told_apart(audit, table),
            };
            findings.push(Finding::new(kind(name), name, audit, table));
        }
    }
    let ours = |name: &str| {
        let table = name.rsplit_once(" on ").map_or(name, |(_, table)| table);
        let table = table.split(['.', ' ']).next().unwrap_or(table);
        name.contains(" on ") && expected.iter().any(|things| things.contains_key(&format!("table {table}")))
    };
    for (name, table) in found {
        if !expected.iter().any(|things| things.contains_key(name)) && ours(name) {
            findings.push(Finding::new(kind(name), name, "not part of the schema", cut(table)));
        }
    }
    findings
}

fn kind(name: &str) -> Kind {
    match name.split(' ').next() {
        Some("trigger" | "firing" | "setting") => Kind::Trigger,
        Some("right") => Kind::Right,
        _ => Kind::Schema,
    }
}

/// So many characters of a definition are told.
const TOLD: usize = 160;

fn cut(text: &str) -> String {
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(TOLD) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Two definitions from a little before the place on at which they part.
fn told_apart(one: &str, other: &str) -> (String, String) {
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let from = |text: &str| {
        let rest: String = text.chars().skip(same.saturating_sub(TOLD / 4)).collect();
        let dots = if same > TOLD / 4 { "…" } else { "" };
        format!("{dots}{}", cut(&rest))
    };
    (from(one), from(other))
}

/// PostgreSQL's things of the schema $1, which is the first of the search path, so that what it prints names none.
const POSTGRES: &str = include_str!("schema/postgres.sql");

/// Settings that switch triggers off.
const SETTINGS: &str = "SELECT 'setting session_replication_role of ' \
         || coalesce((SELECT 'login ' || rolname FROM pg_roles WHERE oid = setrole), 'every login') \
         || coalesce((SELECT ' in database ' || datname FROM pg_database WHERE oid = setdatabase), ''), one \
     FROM pg_db_role_setting, unnest(setconfig) AS one \
     WHERE one LIKE 'session_replication_role=%' AND one <> 'session_replication_role=origin' \
       AND (setdatabase = 0 OR setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()))";

/// Things that are told only where there are too many.
const BEYOND: &[&str] = &["right "];
const SCRATCH: &str = "keyrack_as_it_should_be";

async fn postgres(conn: &mut PgConnection) -> Result<Schema> {
    const MAY: &str = "SELECT current_schema()::text, quote_ident(current_schema()), has_database_privilege(current_database(), 'CREATE') \
             AND NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off', \
         coalesce((SELECT string_agg(DISTINCT quote_ident(nspname), ', ') FROM pg_extension \
             JOIN pg_namespace n ON n.oid = extnamespace WHERE nspname <> 'pg_catalog'), 'pg_catalog')";
    let version: i64 = sqlx::query_scalar(migrate::VERSION).fetch_one(&mut *conn).await?;
    let (schema, quoted, may, extensions): (String, String, bool, String) =
        sqlx::query_as(MAY).fetch_one(&mut *conn).await?;
    let names = [SCRATCH, &quoted];
    let mut tx = conn.begin().await?;
    let mut found = things(&mut tx, (&schema, &quoted), &names, &extensions).await?;
    let made = if may { anew(&mut tx, &names, version, &extensions).await.map_err(Some) } else { Err(None) };
    tx.rollback().await?;
    let mut compared = match made {
        Ok(expected) => {
            // Rights of logins that the schema does not know are their owner's business.
            found.retain(|name, _| {
                role(name).is_none_or(|role| role == "everybody" || knows(&expected, role))
            });
            Schema { findings: differences(&expected, &found, BEYOND), left: None }
        }
        Err(why) => {
            let at = |until: i64| {
                let some = migrate::POSTGRES.iter().filter(|one| one.version <= until);
                plain(text::things(some.map(|one| one.sql.as_str())), &names)
            };
            let expected = [at(version), at(migrate::newest())];
            found.retain(|name, _| !name.starts_with("right "));
            let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
            let left = format!(
                "tables, columns, constraints and indexes were not compared: that takes a login that can make a schema in \
                 the database for a moment, such as the tables' owner{why}"
            );
            Schema { findings: text::differences(&expected, &found), left: Some(left) }
        }
    };
    let settings: Vec<(String, String)> = sqlx::query_as(SETTINGS).fetch_all(&mut *conn).await?;
    let setting = |(name, value): (String, String)| Finding::new(Kind::Trigger, name, "not set", value);
    compared.findings.extend(settings.into_iter().map(setting));
    Ok(compared)
}

/// The role in `right SELECT of ROLE on TABLE`.
fn role(name: &str) -> Option<&str> {
    Some(name.strip_prefix("right ")?.split_once(" of ")?.1.rsplit_once(" on ")?.0)
}

fn knows(expected: &[Things], wanted: &str) -> bool {
    expected.iter().flat_map(BTreeMap::keys).any(|name| role(name) == Some(wanted))
}

/// The things of a schema, which is named as it is and in quotes.
async fn things(
    tx: &mut PgConnection,
    (schema, quoted): (&str, &str),
    names: &[&str],
    extensions: &str,
) -> Result<Things> {
    let path = format!("SET LOCAL search_path = {quoted}, {extensions}");
    sqlx::query(AssertSqlSafe(path)).persistent(false).execute(&mut *tx).await?;
    let rows: Vec<(String, String)> =
        sqlx::query_as(POSTGRES).bind(schema).persistent(false).fetch_all(tx).await?;
    Ok(plain(rows.into_iter().collect(), names))
}

/// The same with the names of schemas taken out of the definitions.
fn plain(mut things: Things, names: &[&str]) -> Things {
    for definition in things.values_mut() {
        for name in names {
            *definition = definition.replace(&format!("{name}."), "").replace(name, "SCHEMA");
        }
    }
    things
}

/// What the migrations make in a schema of its own, at this version and at the newest.
async fn anew(tx: &mut PgConnection, names: &[&str], version: i64, extensions: &str) -> Result<Vec<Things>> {
    let begin = format!("CREATE SCHEMA {SCRATCH}; SET LOCAL search_path = {SCRATCH}, {extensions}");
    sqlx::raw_sql(AssertSqlSafe(begin)).execute(&mut *tx).await?;
    let migrator: Migrator = migrate::anew(&migrate::POSTGRES);
    let mut expected = Vec::new();
    for version in [version, migrate::newest()] {
        migrator.run_direct(Some(version), &mut *tx, false).await.map_err(migrate::failed)?;
        expected.push(things(tx, (SCRATCH, SCRATCH), names, extensions).await?);
    }
    Ok(expected)
}

#[cfg(test)]
mod tests;
