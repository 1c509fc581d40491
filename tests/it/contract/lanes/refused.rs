//! What lanes take from a client of its own, past the program, and what they don't.

use keyrack::domain::operator::Role;
use keyrack::service::new_operation;
use sqlx::PgConnection;

use super::{REVOKE, as_login, nothing_amiss, row, run};
use crate::support::database::run_on_postgres;
use crate::support::people::{make_kept, named, office, preset};

#[test]
fn a_lane_takes_no_lie_and_no_change_goes_without_its_row() {
    run_on_postgres("a_lane_takes_no_lie_and_no_change_goes_without_its_row", async |db| {
        let mut policy = preset("voiceinfra");
        policy.caps.active_keys = None;
        let service = office(&db, policy).await;
        for name in ["kept", "other"] {
            make_kept(&service, "acme", name).await;
        }
        for (login, role) in [("olga", Role::Operator), ("vera", Role::Viewer)] {
            db.role(login).await;
            db.grant(if role == Role::Viewer { "keyrack_viewer" } else { "keyrack_operator" }, login).await;
            service.set_operator(new_operation(), login, role).await.unwrap();
        }
        let (mut olga, mut vera) = (as_login(&db, "olga").await, as_login(&db, "vera").await);
        let revoke = format!("{REVOKE}{}", named("kept"));
        let told = row("key.revoke", "kept", "session_user", "clock_timestamp()");
        let whole = async |connection: &mut PgConnection, statements: &[&str]| {
            let done = run(connection, &format!("BEGIN; {}; COMMIT", statements.join("; "))).await;
            run(connection, "ROLLBACK").await.unwrap();
            done
        };
        if std::env::var_os("KEYRACK_TEST_LANES").is_none() {
            let why = whole(&mut olga, &[&revoke, &told]).await.unwrap_err();
            assert!(why.contains("this audit has one lane"), "{why}");
        }
        service.set_lanes(new_operation(), 8).await.unwrap();
        let at = "clock_timestamp()";
        let refused: [&[&str]; 11] = [
            &[&revoke],
            &[&revoke, &row("key.revoke", "other", "session_user", at)],
            &[&revoke, &row("key.pause", "kept", "session_user", at)],
            &[&revoke, &row("key.revoke", "kept", "'ada'", at)],
            &[&revoke, &row("key.revoke", "kept", "session_user", "now() - interval '1 hour'")],
            &[&revoke, "SAVEPOINT s", &told, "ROLLBACK TO s"],
            &[&told],
            &[&row("operator.set", "kept", "session_user", at)],
            &[&row("demo.load", "kept", "session_user", at)],
            &[&row("key.import", "kept", "session_user", at)],
            &[
                &revoke,
                &told
                    .replace("audit_lanes (at", "audit_lanes (xact, began, at")
                    .replace("SELECT clock", "SELECT '1', now(), clock"),
                "DELETE FROM audit_lanes",
            ],
        ];
        for statements in refused {
            whole(&mut olga, statements).await.expect_err(&statements.join("; "));
        }
        for statement in [
            "UPDATE audit_lanes SET actor = 'ada'",
            "DELETE FROM audit_lanes",
            "TRUNCATE audit_lanes",
            "LOCK TABLE audit_lanes IN ACCESS EXCLUSIVE MODE",
            "LOCK TABLE lane_turns IN EXCLUSIVE MODE",
            "SELECT keyrack_seal_all()",
            "SELECT keyrack_set_lanes(16)",
            "UPDATE audit_head SET sealing = true",
        ] {
            whole(&mut olga, &[statement]).await.expect_err(statement);
        }
        // The owner of the tables doesn't pass either; and who only looks writes and numbers nothing.
        for statement in
            ["UPDATE audit_lanes SET actor = 'ada'", "DELETE FROM audit_lanes", "TRUNCATE audit_lanes"]
        {
            let why = whole(&mut as_login(&db, "ada").await, &[statement]).await.unwrap_err();
            assert!(why.contains("append-only"), "{statement}: {why}");
        }
        whole(&mut vera, &[&told]).await.unwrap_err();
        whole(&mut olga, &[&revoke, "SAVEPOINT s", &told, "RELEASE s"]).await.unwrap();
        let why = whole(&mut vera, &["SELECT keyrack_seal(NULL)"]).await.unwrap_err();
        assert!(why.contains("takes an operator or a gate"), "{why}");
        whole(&mut vera, &["SELECT seq FROM audit_told"]).await.unwrap();
        // The same wish once more, before it has its number and after.
        let again = "INSERT INTO audit_lanes (at, actor, host, operation, action, subject, account, key, detail) \
             SELECT clock_timestamp(), session_user, host, operation, action, subject, account, key, detail FROM audit_told WHERE action = 'key.revoke'";
        whole(&mut olga, &[again]).await.unwrap_err();
        whole(&mut olga, &["SELECT keyrack_seal(NULL)"]).await.unwrap();
        let why = whole(&mut olga, &[again]).await.unwrap_err();
        assert!(why.contains("tells of it already"), "{why}");
        assert_eq!(
            db.texts("SELECT actor || action FROM audit ORDER BY seq DESC LIMIT 1").await,
            ["olgakey.revoke"]
        );
        nothing_amiss(&service).await;
    });
}
