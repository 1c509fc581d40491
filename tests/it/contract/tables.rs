//! What the tables of keys are like: their indexes, the uses, and a schema of a version to come.

use std::time::Duration;

use keyrack::clock::Clock;
use keyrack::domain::query::{Column, Direction, Sort};
use keyrack::domain::usage::LastUse;
use keyrack::service::{Access, Count, Gate, Service, new_operation};
use keyrack::store::{Batch, NewGate, Store};

use crate::support::database::{run_on_postgres, run_on_sqlite};
use crate::support::people::{account, all, make_kept, office, preset, query, settings};
use crate::support::script::Script;

on_both! {
    async fn a_search_finds_what_its_indexes_are_not_fed_with_yet(db) {
        let service = office(&db, preset("voiceinfra")).await;
        for n in 0..9 {
            make_kept(&service, "acme", &format!("fresh {n}")).await;
        }
        let sorts = Column::ALL;
        let look = async || {
            for column in sorts {
                for text in ["", "fresh", "\"esh 3\"", "account:acme", "used:never", "status:active"] {
                    let sort = Sort { column: *column, direction: Direction::Descending };
                    let found = all(&service, &query(text), sort, 2).await;
                    let wanted = if text == "\"esh 3\"" { 1 } else { 9 };
                    assert_eq!(found.len(), wanted, "{text} by {column:?}");
                    assert_eq!(service.count(&query(text)).await.unwrap(), Count::Exactly(wanted as u64), "{text}");
                }
            }
        };
        look().await;
        if !db.is_postgres() {
            assert_eq!(db.number("SELECT count(*) FROM keys WHERE listed = 1").await, 0);
            db.execute("UPDATE key_auth SET listed = 1 WHERE seq <= 4; UPDATE keys SET listed = 1 WHERE seq <= 4; UPDATE key_feed SET upto = 4").await;
            look().await;
            // What was edited is found by its new name, and no more by the old one, fed or not.
            for n in [2, 7] {
                db.execute(&format!("UPDATE keys SET name = 'other', name_key = 'other', search = 'other' || char(10) WHERE seq = {n}")).await;
            }
            assert_eq!(all(&service, &query("other"), Sort::default(), 9).await.len(), 2);
            assert_eq!(all(&service, &query("fresh"), Sort::default(), 9).await.len(), 7);
            db.execute("INSERT INTO key_text (key_text) VALUES ('integrity-check')").await;
        }
    }

    async fn a_newer_schema_is_read_where_it_says_that_it_can_be(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let made = make_kept(&service, "acme", "hub").await;
        service.close().await;
        let insert = if db.is_postgres() {
            "INSERT INTO _sqlx_migrations VALUES (99, 'later', now(), true, '', 0)"
        } else {
            "INSERT INTO _sqlx_migrations VALUES (99, 'later', 0, 1, x'', 0)"
        };
        db.execute(insert).await;
        let script = Script::on(&db);
        let list = script.run(&["key", "list"]);
        let said = String::from_utf8(list.stderr).unwrap();
        assert!(list.status.success() && String::from_utf8(list.stdout).unwrap().contains("hub"), "{said}");
        assert!(said.contains("schema version 99, newer than the ") && said.contains("so it is read-only here"), "{said}");
        let revoke = script.run(&["key", "revoke", &made.key.id.to_string(), "--yes"]);
        let said = String::from_utf8(revoke.stderr).unwrap();
        assert!(!revoke.status.success() && said.contains("Upgrade keyrack"), "{said}");
        let doctor = script.run(&["doctor"]);
        assert!(String::from_utf8(doctor.stdout).unwrap().contains("newer than the "));
        assert!(Service::open_with(&db.location(), Access::Existing, Clock::System).await.unwrap().whoami().await.unwrap().read_only);
        assert!(Gate::open(&db.location(), Clock::System, settings("east")).await.is_err(), "a gate writes");
        db.execute("UPDATE readable SET since = 99").await;
        let refused = script.run(&["key", "list"]);
        assert!(!refused.status.success() && String::from_utf8(refused.stderr).unwrap().contains("Upgrade keyrack"));
    }
}

/// Each index has a comment that names who would wait without it.
#[test]
fn each_index_of_keys_says_who_would_wait_without_it() {
    for kind in ["sqlite", "postgres"] {
        let path = format!("{}/migrations/{kind}/0011_three_tables.sql", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let indexes = lines.iter().enumerate().filter(|(_, line)| line.starts_with("CREATE INDEX"));
        let without: Vec<_> = indexes.filter(|(n, _)| !lines[n - 1].starts_with("-- ")).collect();
        assert!(without.is_empty(), "{kind}: {without:?}");
    }
}

#[test]
fn a_last_use_stays_in_its_page() {
    run_on_postgres("a_last_use_stays_in_its_page", async |db| {
        let service = office(&db, preset("voiceinfra")).await;
        let mut keys = Vec::new();
        for n in 0..40 {
            keys.push(
                make_kept(&service, if n % 2 == 0 { "acme" } else { "globex" }, &format!("{n}")).await.key.id,
            );
        }
        let store = Store::open(&db.location()).await.unwrap();
        let gate = NewGate {
            id: new_operation(),
            name: "east".into(),
            host: "h".into(),
            listen: "l".into(),
            lease_ms: 1000,
            freshness: Default::default(),
        };
        store.register_gate(&gate, 0, &Clock::System).await.unwrap();
        for round in 1..=20 {
            let at = Clock::System.now();
            let last = keys.iter().map(|key| (*key, LastUse { at, address: None, endpoint: None })).collect();
            store.add_usage(&gate, round, &Batch { last, ..Batch::default() }, &Clock::System).await.unwrap();
        }
        // A server's process tells its counts when it ends.
        store.close().await;
        let sql = "SELECT n_tup_upd::text || ' ' || n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'key_use'";
        let mut told = String::new();
        for _ in 0..200 {
            told = db.texts(sql).await.remove(0);
            if told.starts_with("760 ") {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let hot: u32 = told.strip_prefix("760 ").unwrap_or_else(|| panic!("{told}")).parse().unwrap();
        // Were an index moved by it, none would be. Some pages are full while somebody else's look holds the rows before.
        assert!(hot >= 380, "{told}");
    });
}

/// However long the audit is, a change reads none of it but by an index: the triggers of PostgreSQL too.
#[test]
fn a_change_does_not_walk_the_audit() {
    run_on_postgres("a_change_does_not_walk_the_audit", async |db| {
        let service = db.open().await;
        service.demo(4_000, 1, |_| {}).await.unwrap();
        let read = async || -> i64 {
            let sql = "SELECT seq_tup_read::text FROM pg_stat_user_tables WHERE relname = 'audit'";
            db.texts(sql).await.remove(0).parse().unwrap()
        };
        // Plans are made anew a few times before they are kept.
        let change = async |n: u32| {
            service
                .create_account(new_operation(), account("voxpria", &format!("walked-{n}")))
                .await
                .unwrap();
        };
        for n in 0..12 {
            change(n).await;
        }
        // A server's process tells its counts when it has been idle.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let before = read().await;
        for n in 12..42 {
            change(n).await;
        }
        service.close().await;
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let walked = read().await - before;
        assert!(walked < 3_000, "30 changes walked {walked} rows of the audit");
    });
}

#[test]
fn kr_20_the_library_of_sqlite_has_no_lock_that_all_connections_wait_for() {
    run_on_sqlite(|db| async move {
        let built = db.texts("SELECT compile_options FROM pragma_compile_options").await;
        let has = |option: &str| built.iter().any(|built| built == option);
        assert!(has("DEFAULT_MEMSTATUS=0"), "each allocation is counted under one lock: {built:?}");
        assert!(!has("ENABLE_MEMORY_MANAGEMENT"), "all connections share one cache of pages: {built:?}");
    });
}
