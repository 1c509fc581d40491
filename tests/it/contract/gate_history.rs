//! A gate whose database is exchanged under it: another file, another history. Nothing of what it remembers may count.

use std::time::{Duration, Instant};

use crate::support::database::{Database, run_on_sqlite};
use crate::support::gate::passes;
use crate::support::people::{account, make_kept, office, preset, settings, used};
use crate::support::script::Script;
use keyrack::clock::Clock;
use keyrack::domain::secret::HashedKey;
use keyrack::service::{Gate, Service, new_operation};

async fn gate(db: &Database) -> Gate {
    Gate::open(&db.location(), Clock::System, settings("east")).await.unwrap()
}

/// Revokes a key as it would stand in another history: the audit has as many rows as before.
async fn revoke_elsewhere(db: &Database) {
    let sql = "UPDATE key_auth SET revoked_at = first_used_at, revoked_by = 'else'";
    db.execute(&used(db, "created_at", "true")).await;
    db.execute_past_triggers("keys", sql).await;
}

/// Lets nothing pass for a while.
async fn nothing_passes(gate: &Gate, hash: HashedKey, what: &str) {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(1_200) {
        assert!(!passes(gate, hash).await.unwrap_or(false), "{what}: after {:?}", begun.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn name(db: &Database, end: &str) -> std::path::PathBuf {
    let mut name = db.dir().join("keyrack.db").into_os_string();
    name.push(end);
    name.into()
}

fn remove(db: &Database, ends: &[&str]) {
    for end in ends {
        std::fs::remove_file(name(db, end)).unwrap();
    }
}

async fn begin(db: &Database) -> (Service, Gate, uuid::Uuid, HashedKey) {
    let service = office(db, preset("voicegram")).await;
    let made = make_kept(&service, "acme", "hub").await;
    let (gate, hash) = (gate(db).await, made.secret.hash());
    assert!(passes(&gate, hash).await.unwrap());
    (service, gate, made.key.id, hash)
}

on_both! {
    async fn another_history_of_as_many_changes_is_not_taken_for_the_same(db) {
        let (_service, gate, _, hash) = begin(&db).await;
        revoke_elsewhere(&db).await;
        let other = if db.is_postgres() { "decode(repeat('ab', 32), 'hex')" } else { "zeroblob(32)" };
        db.execute_past_triggers("audit_head", &format!("UPDATE audit_head SET hash = {other}")).await;
        nothing_passes(&gate, hash, "the same number").await;
        gate.close().await;
    }

    async fn another_history_of_more_changes_is_not_taken_for_its_continuation(db) {
        let (service, gate, _, hash) = begin(&db).await;
        revoke_elsewhere(&db).await;
        let earlier = if db.is_postgres() { "interval '1 s'" } else { "1000000" };
        let last = "(SELECT seq FROM audit_head)";
        db.execute_past_triggers("audit", &format!("UPDATE audit SET at = at - {earlier} WHERE seq = {last}")).await;
        service.create_account(new_operation(), account("voicegram", "initech")).await.unwrap();
        nothing_passes(&gate, hash, "a later number").await;
        gate.close().await;
    }
}

/// The files that are taken away from under a gate, before a backup is put in the place of the database.
async fn replaced(db: &Database, away: &[&str], backup: bool) {
    let (service, gate, id, hash) = begin(db).await;
    let aside = db.dir().join("backup.db");
    db.execute(&format!("VACUUM INTO '{}'", aside.display())).await;
    service.close().await;
    remove(db, away);
    if backup {
        std::fs::rename(&aside, name(db, "")).unwrap();
    }
    // Another process: this one's connections would share what they know of the file.
    let other = Script::on(db);
    other.run(&["key", "revoke", &id.to_string(), "--yes"]);
    nothing_passes(&gate, hash, &format!("{away:?}")).await;
    assert!(!gate.in_touch(), "it does not trust the other file either");
    gate.close().await;
    let key = other.json(&["key", "show", &id.to_string()]);
    assert_eq!(key["status"], "revoked", "the gate's end takes nothing back: {away:?}");
}

#[test]
fn vg_17_a_gate_trusts_no_file_that_was_put_in_the_place_of_its_database() {
    for (away, backup) in [(["-shm"].as_slice(), false), (&["-wal", "-shm"], true), (&[], true)] {
        run_on_sqlite(|db| async move { replaced(&db, away, backup).await });
    }
}

#[test]
fn a_database_that_is_moved_away_and_back_is_trusted_again() {
    run_on_sqlite(|db| async move {
        let (service, gate, _, hash) = begin(&db).await;
        let aside = db.dir().join("aside.db");
        std::fs::rename(name(&db, ""), &aside).unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        nothing_passes(&gate, hash, "moved away").await;
        std::fs::rename(&aside, name(&db, "")).unwrap();
        let begun = Instant::now();
        while !passes(&gate, hash).await.unwrap_or(false) {
            assert!(begun.elapsed() < Duration::from_secs(5), "it is there again");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        gate.close().await;
        service.close().await;
    });
}
