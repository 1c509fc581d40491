//! A SQLite file whose journal mode somebody changed while no gate ran.

use crate::support::database::Database;
use crate::support::people::{office, preset};
use crate::support::script::{Script, texts};
use keyrack::clock::Clock;
use keyrack::service::{Gate, GateSettings};
use sqlx::{Connection, SqliteConnection};

async fn without_wal() -> Database {
    let db = Database::sqlite();
    office(&db, preset("voiceinfra")).await.close().await;
    assert_eq!(db.texts("PRAGMA journal_mode = DELETE").await, ["delete"]);
    db
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_opens_it_first_gives_it_its_write_ahead_log_back() {
    let db = without_wal().await;
    let gate = Gate::open(&db.location(), Clock::System, GateSettings::default()).await.unwrap();
    assert!(gate.in_touch());
    gate.close().await;
    assert_eq!(db.texts("PRAGMA journal_mode").await, ["wal"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_another_program_has_it_in_use_a_gate_says_what_to_do_and_the_rest_works() {
    let db = without_wal().await;
    let mut reader = SqliteConnection::connect(&format!("sqlite:{}", db.address())).await.unwrap();
    let mut reading = reader.begin().await.unwrap();
    let _: i64 = sqlx::query_scalar("SELECT count(*) FROM keys").fetch_one(&mut *reading).await.unwrap();
    let refused = Gate::open(&db.location(), Clock::System, GateSettings::default()).await.err().unwrap();
    let refused = refused.to_string();
    assert!(refused.contains("journal mode is delete") && refused.contains("`keyrack migrate`"), "{refused}");
    let (stdout, stderr) = texts(&Script::on(&db).run(&["doctor"]));
    assert!(stdout.contains("delete instead of a write-ahead log"), "{stdout}");
    assert!(stderr.contains("journal: a gate can't run on it"), "{stderr}");
}
