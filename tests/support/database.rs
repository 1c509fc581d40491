//! A database for each test: a SQLite file, or a fresh database in a throw-away PostgreSQL.

use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use keyrack::clock::Clock;
use keyrack::service::Service;
use keyrack::store::Location;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqliteConnection};
use tempfile::TempDir;

use self::cluster::Cluster;
use super::people::OWNER;
use super::pooler::{self, Pooler};

mod backup;
pub mod cluster;

/// A database of its own for one test, gone when this is dropped.
pub struct Database {
    kind: Kind,
    dir: TempDir,
    /// The port of a pooler, where the program is to go through one.
    pooler: Option<u16>,
}

enum Kind {
    Sqlite(PathBuf),
    Postgres { sockets: PathBuf, name: String },
}

/// Runs a test on SQLite.
pub fn run_on_sqlite<F: Future<Output = ()>>(body: impl FnOnce(Database) -> F) {
    runtime().block_on(async { body(Database::sqlite()).await });
}

/// Runs a test on PostgreSQL; where there is none, says so and counts as skipped, or fails if `CI` is set.
pub fn run_on_postgres<F: Future<Output = ()>>(test: &str, body: impl FnOnce(Database) -> F) {
    runtime().block_on(async {
        match Database::postgres().await {
            Some(database) => body(database).await,
            None => skip(test, "PostgreSQL is not installed (apt-get install postgresql)"),
        }
    });
}

/// A test that can't run here: fails under CI, else says so past the capture and is counted by `tests/run`.
pub fn skip(test: &str, why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{test} can't run, and under CI that is a failure: {why}");
    skipped(test, why);
}

/// A test that can't run here for no fault of the project's, under CI either: said past the capture and counted by `tests/run`.
pub fn skipped(test: &str, why: &str) {
    let line = format!("SKIPPED {test}: {why}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
    if let Some(file) = std::env::var_os("KEYRACK_TEST_SKIPS") {
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(file).unwrap();
        file.write_all(line.as_bytes()).unwrap();
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap()
}

static COUNTER: AtomicU32 = AtomicU32::new(0);

impl Database {
    /// A SQLite file that does not exist yet, in a folder of its own.
    pub fn sqlite() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { kind: Kind::Sqlite(dir.path().join("keyrack.db")), dir, pooler: None }
    }

    /// An empty database that belongs to [`OWNER`], who is no superuser; `None` where there is no PostgreSQL.
    pub async fn postgres() -> Option<Self> {
        Some(Self::in_cluster(cluster::sockets()?).await)
    }

    /// As [`Self::postgres`], on a server of the test's own: one that it kills, or whose log it reads.
    pub async fn on(cluster: &Cluster) -> Self {
        Self::in_cluster(cluster.sockets().to_owned()).await
    }

    /// The same database, as another server has it.
    pub fn at(&self, cluster: &Cluster) -> Self {
        let kind = Kind::Postgres { sockets: cluster.sockets().to_owned(), name: self.name() };
        Self { kind, dir: tempfile::tempdir().unwrap(), pooler: None }
    }

    /// The same, and the program goes through this pooler.
    pub fn through(self, pooler: &Pooler) -> Self {
        Self { pooler: Some(pooler.port()), ..self }
    }

    async fn in_cluster(sockets: PathBuf) -> Self {
        let name = format!("t{}_{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
        let mut root = superuser(&sockets, "postgres").await;
        let role = format!(
            "DO $$ BEGIN CREATE ROLE {OWNER} LOGIN CREATEROLE; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        );
        run(&mut root, &role).await;
        run(&mut root, &format!("CREATE DATABASE {name} OWNER {OWNER} STRATEGY file_copy")).await;
        root.close().await.unwrap();
        Self { kind: Kind::Postgres { sockets, name }, dir: tempfile::tempdir().unwrap(), pooler: None }
    }

    pub fn is_postgres(&self) -> bool {
        matches!(self.kind, Kind::Postgres { .. })
    }

    /// A folder of this test's own.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// What follows `--db` on the command line.
    pub fn address(&self) -> String {
        self.address_as(OWNER)
    }

    /// The address for another PostgreSQL role. SQLite has no roles: there it is the same for all.
    pub fn address_as(&self, user: &str) -> String {
        match &self.kind {
            Kind::Sqlite(path) => path.to_str().unwrap().to_owned(),
            Kind::Postgres { sockets, name } => match self.pooler.or_else(|| pooler::between(sockets)) {
                Some(port) => format!("postgres://{user}@127.0.0.1:{port}/{name}"),
                None => format!("postgres://{user}@localhost/{name}?host={}", sockets.display()),
            },
        }
    }

    pub fn location(&self) -> Location {
        self.location_as(OWNER)
    }

    pub fn location_as(&self, user: &str) -> Location {
        match &self.kind {
            Kind::Sqlite(path) => Location::Sqlite(path.clone()),
            Kind::Postgres { .. } => Location::Postgres(self.address_as(user)),
        }
    }

    /// Opens the service with the system's clock.
    pub async fn open(&self) -> Service {
        self.open_with(Clock::System).await
    }

    pub async fn open_with(&self, clock: Clock) -> Service {
        let service = Service::open(&self.location(), clock).await.unwrap();
        // A campaign runs every test with so many.
        if let Some(lanes) = std::env::var_os("KEYRACK_TEST_LANES").filter(|_| self.is_postgres()) {
            let lanes = lanes.into_string().unwrap();
            self.execute(&format!("UPDATE audit_head SET lanes = greatest(lanes, {lanes})")).await;
        }
        service
    }

    /// The database's name on its server; the path of a SQLite file.
    pub fn name(&self) -> String {
        match &self.kind {
            Kind::Sqlite(path) => path.to_str().unwrap().to_owned(),
            Kind::Postgres { name, .. } => name.clone(),
        }
    }

    /// The folder of PostgreSQL's socket, for `psql` and `pg_dump`.
    pub fn sockets(&self) -> Option<&Path> {
        match &self.kind {
            Kind::Sqlite(_) => None,
            Kind::Postgres { sockets, .. } => Some(sockets),
        }
    }

    /// Runs SQL past the program, on PostgreSQL as the superuser.
    pub async fn execute(&self, sql: &str) {
        self.try_execute(sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    }

    /// As [`Self::execute`], where the database may refuse.
    pub async fn try_execute(&self, sql: &str) -> Result<u64, sqlx::Error> {
        let statement = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        match &self.kind {
            Kind::Sqlite(path) => {
                let mut connection = sqlite(path).await;
                let done = statement.execute(&mut connection).await.map(|done| done.rows_affected());
                connection.close().await?;
                done
            }
            Kind::Postgres { sockets, name } => {
                let mut connection = superuser(sockets, name).await;
                let done = statement.execute(&mut connection).await.map(|done| done.rows_affected());
                connection.close().await?;
                done
            }
        }
    }

    /// Runs SQL with the triggers switched off: what somebody who owns the database can do.
    ///
    /// SQLite: the triggers of `table` are taken away and put back. PostgreSQL: a session as a replica.
    pub async fn execute_past_triggers(&self, table: &str, sql: &str) {
        match &self.kind {
            Kind::Postgres { .. } => {
                self.execute(&format!("SET session_replication_role = replica; {sql}")).await;
            }
            Kind::Sqlite(_) => {
                // Keys have three tables.
                let tables = if table == "keys" {
                    "'key_auth', 'keys', 'key_use'".into()
                } else {
                    format!("'{table}'")
                };
                let of = format!("FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN ({tables})");
                let names = self.texts(&format!("SELECT name {of}")).await;
                let bodies = self.texts(&format!("SELECT sql {of}")).await;
                let drops: String = names.iter().map(|name| format!("DROP TRIGGER {name}; ")).collect();
                self.execute(&format!("BEGIN IMMEDIATE; {drops}{sql}; {}; COMMIT", bodies.join("; "))).await;
            }
        }
    }

    /// The first column of each row, as text.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        let statement = sqlx::query(AssertSqlSafe(sql.to_owned()));
        match &self.kind {
            Kind::Sqlite(path) => {
                let mut connection = sqlite(path).await;
                let rows =
                    statement.fetch_all(&mut connection).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
                rows.iter().map(|row| row.get::<String, _>(0)).collect()
            }
            Kind::Postgres { sockets, name } => {
                let sql = format!("SELECT x::text FROM ({sql}) AS q(x)");
                let mut connection = superuser(sockets, name).await;
                let rows = sqlx::query(AssertSqlSafe(sql.clone()))
                    .fetch_all(&mut connection)
                    .await
                    .unwrap_or_else(|e| panic!("{sql}: {e}"));
                rows.iter().map(|row| row.get::<String, _>(0)).collect()
            }
        }
    }

    /// The one number that a query answers with.
    pub async fn number(&self, sql: &str) -> i64 {
        let statement = sqlx::query_scalar::<_, i64>(AssertSqlSafe(sql.to_owned()));
        match &self.kind {
            Kind::Sqlite(path) => {
                let mut connection = sqlite(path).await;
                statement.fetch_one(&mut connection).await.unwrap_or_else(|e| panic!("{sql}: {e}"))
            }
            Kind::Postgres { sockets, name } => {
                let mut connection = superuser(sockets, name).await;
                sqlx::query_scalar::<_, i64>(AssertSqlSafe(sql.to_owned()))
                    .fetch_one(&mut connection)
                    .await
                    .unwrap_or_else(|e| panic!("{sql}: {e}"))
            }
        }
    }

    /// Makes the schema as it was at this version.
    pub async fn migrate_to(&self, version: u32) {
        let kind = if self.is_postgres() { "postgres" } else { "sqlite" };
        let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(kind);
        let some = self.dir().join("migrations");
        std::fs::create_dir(&some).unwrap();
        for entry in std::fs::read_dir(all).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap();
            if name.to_str().unwrap()[..4].parse::<u32>().unwrap() <= version {
                std::fs::copy(&path, some.join(name)).unwrap();
            }
        }
        let migrator = sqlx::migrate::Migrator::new(some).await.unwrap();
        match &self.kind {
            Kind::Sqlite(path) => migrator.run(&mut sqlite(path).await).await.unwrap(),
            Kind::Postgres { sockets, name } => {
                migrator.run(&mut owner(sockets, name).await).await.unwrap();
            }
        }
    }

    /// Makes a PostgreSQL role that can log in, unless it is there. On SQLite there is nothing to make.
    pub async fn role(&self, name: &str) {
        if self.is_postgres() {
            self.execute(&format!(
                "DO $$ BEGIN CREATE ROLE {name} LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
            ))
            .await;
        }
    }

    /// Makes a login a member of these groups. Other tests of the same server may do so at the same time.
    pub async fn grant(&self, groups: &str, login: &str) {
        if self.is_postgres() {
            self.execute(&format!(
                "DO $$ BEGIN FOR n IN 1..100 LOOP BEGIN GRANT {groups} TO {login}; RETURN; \
                 EXCEPTION WHEN unique_violation OR internal_error THEN PERFORM pg_sleep(0.01); END; END LOOP; \
                 RAISE EXCEPTION 'not granted'; END $$"
            ))
            .await;
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address())
    }
}

async fn sqlite(path: &Path) -> SqliteConnection {
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .busy_timeout(std::time::Duration::from_secs(20));
    SqliteConnection::connect_with(&options).await.unwrap()
}

async fn superuser(sockets: &Path, database: &str) -> PgConnection {
    login(sockets, "postgres", database).await
}

async fn owner(sockets: &Path, database: &str) -> PgConnection {
    login(sockets, OWNER, database).await
}

async fn login(sockets: &Path, user: &str, database: &str) -> PgConnection {
    let options = sqlx::postgres::PgConnectOptions::new_without_pgpass()
        .socket(sockets)
        .username(user)
        .database(database);
    PgConnection::connect_with(&options).await.unwrap()
}

async fn run(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(connection)
        .await
        .unwrap_or_else(|e| panic!("{sql}: {e}"));
}
