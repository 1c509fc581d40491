//! What `doctor` says of databases that nobody can mend from within Keyrack, or that trust too much.

use crate::support::database::{Database, run_on_postgres};
use crate::support::people::{make_kept, office, preset};
use crate::support::program;
use crate::support::script::texts;

fn run(db: &Database, args: &[&str]) -> (Option<i32>, String) {
    let output = program::run(db.dir(), [args, &["--db", &db.address()]].concat());
    let (said, told) = texts(&output);
    (output.status.code(), said + &told)
}

on_both! {
    async fn a_database_without_any_admin_is_a_problem_with_its_cure(db) {
        office(&db, preset("voxpria")).await.close().await;
        assert!(!run(&db, &["doctor"]).1.contains("no operator is an admin"));
        db.execute_past_triggers("operators", "UPDATE operators SET role = 'viewer'").await;
        let (code, found) = run(&db, &["doctor"]);
        assert!(code == Some(6) && found.contains("no operator is an admin") && found.contains("in the table operators"), "{found}");
    }
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
