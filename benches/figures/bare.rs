//! The least that the work can cost: one statement of the same kind on a connection of its own, over a narrow table.

use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, PgConnection, SqliteConnection};
use tokio::runtime::Runtime;

use super::Bench;
use crate::support::database::Database;

/// A connection to a table of three columns, in the same kind of database, as durable as Keyrack's.
pub struct Bare<'a> {
    line: Line,
    keys: u64,
    next: u64,
    runtime: &'a Runtime,
}

enum Line {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl<'a> Bare<'a> {
    pub fn open(runtime: &'a Runtime, db: &Database, keys: u64) -> Self {
        let line = runtime.block_on(async {
            if db.is_postgres() {
                Line::Postgres(PgConnection::connect(&db.address()).await.unwrap())
            } else {
                let options = SqliteConnectOptions::new()
                    .filename(db.dir().join("bare.db"))
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full);
                Line::Sqlite(SqliteConnection::connect_with(&options).await.unwrap())
            }
        });
        let mut bare = Self { line, keys, next: 0, runtime };
        bare.run("CREATE TABLE bare (id bigint PRIMARY KEY, name text NOT NULL, at bigint NOT NULL)", &[]);
        bare.insert(keys);
        bare
    }

    fn run(&mut self, sql: &'static str, values: &[u64]) {
        let values = values.iter().map(|value| i64::try_from(*value).unwrap());
        self.runtime.block_on(async {
            match &mut self.line {
                Line::Sqlite(c) => {
                    let query = values.fold(sqlx::query(sql), |query, value| query.bind(value));
                    drop(query.fetch_all(c).await.unwrap());
                }
                Line::Postgres(c) => {
                    let query = values.fold(sqlx::query(sql), |query, value| query.bind(value));
                    drop(query.fetch_all(c).await.unwrap());
                }
            }
        });
    }

    /// Adds rows in one statement and one durable commit.
    fn insert(&mut self, rows: u64) {
        let (first, end) = (self.next, self.next + rows);
        self.next = end;
        self.run(
            "WITH RECURSIVE n(i) AS (SELECT $1 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < $2) \
             INSERT INTO bare SELECT i, 'a name of some length', i FROM n",
            &[first, end],
        );
    }

    /// The time of one durable commit of one row.
    pub fn commit(&mut self, bench: &Bench) -> Duration {
        bench.median(|| self.insert(1))
    }

    /// The rows a second that go in with a thousand to a commit.
    pub fn load(&mut self, bench: &Bench) -> f64 {
        1_000.0 / bench.median(|| self.insert(1_000)).as_secs_f64()
    }

    /// The time of one page of 50 rows by its primary key.
    pub fn page(&mut self, bench: &Bench) -> Duration {
        let from = self.keys / 2;
        bench.median(|| self.run("SELECT * FROM bare WHERE id > $1 ORDER BY id LIMIT 50", &[from]))
    }

    /// The time of one row by its primary key.
    pub fn row(&mut self, bench: &Bench) -> Duration {
        let at = self.keys / 2;
        bench.median(|| self.run("SELECT * FROM bare WHERE id = $1", &[at]))
    }
}
