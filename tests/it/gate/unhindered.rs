//! A change of one key that is under way, however long, is nothing that a request with another key waits for.

use std::time::{Duration, Instant};

use crate::support::database::Database;
use crate::support::gate::Gate;
use crate::support::people::{make_kept, office, preset};
use keyrack::service::Created;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

/// Somebody's transaction, in the midst of a change.
enum Change {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Change {
    async fn begin(db: &Database, of: &Created) -> Self {
        let id = of.key.id;
        if db.is_postgres() {
            let mut conn = PgConnection::connect(&db.address()).await.unwrap();
            let sql = format!(
                "BEGIN; UPDATE key_auth SET scopes = scopes WHERE id = '{id}'; UPDATE keys SET name = name WHERE id = '{id}'"
            );
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut conn).await.unwrap();
            return Self::Postgres(conn);
        }
        let options = SqliteConnectOptions::new().filename(db.name());
        let mut conn = SqliteConnection::connect_with(&options).await.unwrap();
        let id = id.simple();
        let sql = format!(
            "BEGIN IMMEDIATE; UPDATE key_auth SET scopes = scopes WHERE id = X'{id}'; UPDATE keys SET name = name WHERE id = X'{id}'"
        );
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut conn).await.unwrap();
        Self::Sqlite(conn)
    }

    async fn take_back(self) {
        match self {
            Self::Sqlite(mut conn) => drop(sqlx::raw_sql("ROLLBACK").execute(&mut conn).await.unwrap()),
            Self::Postgres(mut conn) => drop(sqlx::raw_sql("ROLLBACK").execute(&mut conn).await.unwrap()),
        }
    }
}

on_both! {
    async fn kr_20_no_request_waits_for_another_keys_change(db) {
        let office = office(&db, preset("voicegram")).await;
        let mut made = Vec::new();
        for name in ["used", "changed", "first", "second", "third"] {
            made.push(make_kept(&office, "acme", name).await);
        }
        let gate = Gate::start(&db, &[]);
        let (used, changed, fresh) = (&made[0], &made[1], &made[2..]);
        assert_eq!(gate.me(&used.secret).status, 200);
        let change = Change::begin(&db, changed).await;
        let begun = Instant::now();
        for key in fresh {
            assert_eq!(gate.me(&key.secret).status, 200, "one that the gate has not seen yet");
            for _ in 0..3 {
                assert_eq!(gate.me(&used.secret).status, 200);
            }
        }
        assert_eq!(gate.me(&changed.secret).status, 200, "what is not confirmed changes nothing");
        // Whoever wants the same lock waits for ten seconds.
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        change.take_back().await;
        office.revoke_keys(keyrack::service::new_operation(), &[changed.key.id], None).await.unwrap();
        assert_eq!(gate.me(&changed.secret).status, 401);
        assert_eq!(gate.me(&used.secret).status, 200);
    }
}
