//! What `doctor` says of databases that nobody can mend from within Keyrack, or that trust too much.

use crate::contract::odd::{id_of, plant};
use crate::support::database::{Database, run_on_postgres};
use crate::support::people::{make_kept, office, preset};
use crate::support::program;
use crate::support::script::texts;
use keyrack::service::new_operation;

fn run(db: &Database, args: &[&str]) -> (Option<i32>, String) {
    let output = program::run(db.dir(), [args, &["--db", &db.address()]].concat());
    let (said, told) = texts(&output);
    (output.status.code(), said + &told)
}

on_both! {
    async fn a_database_without_any_admin_is_a_problem_with_its_cure(db) {
        office(&db, preset("voxpria")).await.close().await;
        assert!(!run(&db, &["doctor"]).1.contains("there is no admin"));
        db.execute_past_triggers("operators", "UPDATE operators SET role = 'viewer'").await;
        let (code, found) = run(&db, &["doctor"]);
        assert!(code == Some(6) && found.contains("there is no admin") && found.contains("in the table operators"), "{found}");
    }
}

on_both! {
    async fn what_was_broken_by_hand_is_told_with_its_fault_and_its_cure(db) {
        let service = office(&db, preset("voxpria")).await;
        let mut ids = Vec::new();
        for name in ["odd", "unrevoked", "prolonged"] {
            ids.push(make_kept(&service, "acme", name).await.key.id);
        }
        service.revoke_keys(new_operation(), &[ids[1]], None).await.unwrap();
        service.close().await;
        let which = |n: usize| format!("WHERE id = {}", id_of(&db, ids[n]));
        let (far, later, now) = match db.is_postgres() {
            true => ("'infinity'", "now() + interval '900 days'", "now()"),
            false => ("9223372036854775807", "1900000000000000", "1800000000000000"),
        };
        let cases = [
            ("keys", format!("UPDATE key_auth SET expires_at = {far} {}", which(0)), "can't be read: expires_at".to_owned(), format!("key revoke {}", ids[0])),
            ("keys", format!("UPDATE key_auth SET revoked_at = NULL, revoked_by = NULL {}", which(1)), ids[1].to_string(), "Revoke the key again".into()),
            ("keys", format!("UPDATE key_auth SET expires_at = {later} {}", which(2)), ids[2].to_string(), "Revoke the key unless".into()),
            ("operators", format!("INSERT INTO operators (name, role, created_at, created_by) VALUES ('mallory', 'admin', {now}, 'ada')"), "mallory".into(), "keyrack operator".into()),
            ("accounts", "UPDATE accounts SET standing = 'suspended' WHERE slug = 'globex'".into(), "globex".into(), "keyrack account".into()),
            ("issuers", "UPDATE issuers SET policy = '{}'".into(), "issuers voxpria can't be read".into(), "issuer apply FILE".into()),
        ];
        for (table, sql, fault, cure) in cases {
            plant(&db, table, &sql).await;
            told(&db, &fault, &cure);
        }
        if db.is_postgres() {
            db.execute("REVOKE SELECT ON issuers FROM keyrack_viewer").await;
            told(&db, "keyrack_viewer", "GRANT SELECT ON");
            db.execute("ALTER TABLE audit DISABLE TRIGGER ALL").await;
            told(&db, "trigger", "Have the tables' owner put back");
        } else {
            let names = db.texts("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'").await;
            db.execute(&format!("DROP TRIGGER {}", names[0])).await;
            told(&db, &names[0], "Have the tables' owner put back");
        }
        plant(&db, "audit", "UPDATE audit SET subject = 'nobody' WHERE seq = 2").await;
        told(&db, "broken at row 2", "compare with a backup");
    }
}

/// Demands a problem with this fault, and with this cure beside it.
#[track_caller]
fn told(db: &Database, fault: &str, cure: &str) {
    let found = run(db, &["doctor", "--json"]).1;
    // What is said besides comes after it.
    let list: Vec<serde_json::Value> = serde_json::Deserializer::from_str(&found)
        .into_iter()
        .next()
        .unwrap()
        .unwrap_or_else(|error| panic!("{error}: {found}"));
    let has = |one: &serde_json::Value, field: &str, words: &str| {
        one[field].as_str().is_some_and(|text| text.contains(words))
    };
    assert!(
        list.iter().any(|one| has(one, "found", fault) && has(one, "cure", cure)),
        "{fault}: {cure}\n{found}"
    );
}

#[test]
fn a_leap_of_the_clock_is_told_on_postgres_too() {
    run_on_postgres("a_leap_of_the_clock_is_told_on_postgres_too", |db| async move {
        let service = office(&db, preset("voxpria")).await;
        make_kept(&service, "acme", "hub").await;
        service.close().await;
        for (shift, words) in
            [("- interval '300 days'", "is not believed"), ("+ interval '301 days'", "it was set back")]
        {
            db.execute_past_triggers("audit", &format!("UPDATE audit SET at = at {shift}")).await;
            let (code, found) = run(&db, &["doctor"]);
            assert!(
                code == Some(6) && found.contains(words) && found.contains("audit accept --clock"),
                "{found}"
            );
            let (_, told) = run(&db, &["key", "list"]);
            assert!(told.contains(words), "{told}");
        }
        assert_eq!(run(&db, &["audit", "accept", "--clock"]).0, Some(0));
        assert!(!run(&db, &["key", "list"]).1.contains("set back"));
    });
}

#[test]
fn gates_that_share_a_login_are_told() {
    run_on_postgres("gates_that_share_a_login_are_told", |db| async move {
        office(&db, preset("voxpria")).await.close().await;
        for (n, name) in ["east", "west"].into_iter().enumerate() {
            let (_, found) = run(&db, &["doctor"]);
            assert!(!found.contains("several gates log in as"), "{found}");
            db.execute(&format!(
                "INSERT INTO gates (id, name, host, listen, version, lease_ms, began_at, beat_at, applied_seq, applied_at) \
                 VALUES ('00000000-0000-4000-8000-00000000000{n}', '{name}', 'h', 'l', 'v', 5000, now(), now(), 0, now())"
            ))
            .await;
        }
        let (_, found) = run(&db, &["doctor"]);
        assert!(found.contains("several gates log in as") && found.contains("east, west"), "{found}");
    });
}
