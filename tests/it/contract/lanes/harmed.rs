//! What one client does to its own rows in a lane harms no other's.

use keyrack::domain::edit::Edit;
use keyrack::domain::operator::Role;
use keyrack::service::new_operation;
use sqlx::PgConnection;

use super::{as_login, left, nothing_amiss, passes, row, run, with_lanes};
use crate::support::database::{Database, run_on_postgres};
use crate::support::people::{gate, make_kept};

/// An operator with a login of its own.
async fn operator(db: &Database, service: &keyrack::service::Service, login: &str) -> PgConnection {
    db.role(login).await;
    db.grant("keyrack_operator", login).await;
    service.set_operator(new_operation(), login, Role::Operator).await.unwrap();
    as_login(db, login).await
}

const WAITING: &str = "SELECT count(*) FROM audit_lanes";

#[test]
fn nothing_lies_in_a_lane_that_the_audit_could_not_take() {
    run_on_postgres("nothing_lies_in_a_lane_that_the_audit_could_not_take", async |db| {
        let service = with_lanes(&db).await;
        let key = make_kept(&service, "acme", "hub").await.key.id;
        let mut olga = operator(&db, &service, "olga").await;
        let long = "(SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 400))";
        let of = |account: &str, subject: &str, host: &str, detail: &str| {
            format!(
                "INSERT INTO audit_lanes (at, actor, host, operation, action, subject, account, detail) \
                 SELECT clock_timestamp(), session_user, {host}, gen_random_uuid(), 'account.change', {subject}, {account}, {detail}"
            )
        };
        for statement in [
            of(long, "'x'", "'desk'", "'{}'"),
            of("'acme'", long, "'desk'", "'{}'"),
            of("'acme'", "'x'", long, "'{}'"),
            of("'acme'", "'x'", "'desk'", "repeat('x', 1000001)"),
            of("'nobody'", "'nobody'", "'desk'", "'{}'"),
        ] {
            run(&mut olga, &statement).await.expect_err(&statement);
        }
        // The largest that a lane takes gets its number.
        let mut largest = of("'acme'", "repeat('😀', 200)", "repeat('😀', 1000)", "repeat('😀', 1000000)");
        largest = largest.replace("'account.change'", "'account.' || repeat('😀', 92)");
        run(&mut olga, &largest).await.unwrap();
        service.revoke_keys(new_operation(), &[key], None).await.unwrap();
        assert_eq!(db.number(WAITING).await, 0);
    });
}

#[test]
fn vg_17_who_hears_that_a_key_ended_before_hears_it_once_that_is_numbered() {
    run_on_postgres("vg_17_who_hears_that_a_key_ended_before_hears_it_once_that_is_numbered", async |db| {
        let service = with_lanes(&db).await;
        let made = make_kept(&service, "acme", "hub").await;
        let gate = gate(&db, "g").await;
        let policies = gate.policies().await.unwrap();
        let known = gate.known(made.secret.hash()).await.unwrap().unwrap();
        assert!(passes(&gate, &known, &policies).await);
        let mut ada = as_login(&db, "ada").await;
        run(&mut ada, &left("hub")).await.unwrap();
        // Another person wishes the same, before any gate came to number it.
        let revoked = service.revoke_keys(new_operation(), &[made.key.id], None).await.unwrap();
        assert!(revoked[0].already);
        assert_eq!(db.number(WAITING).await, 0);
        assert!(!passes(&gate, &known, &policies).await, "it is told that the key is revoked");
        // What is refused because of it is a word of it too; and so is a receipt.
        make_kept(&service, "acme", "two").await;
        run(&mut ada, &left("two")).await.unwrap();
        let two = db.texts("SELECT id::text FROM keys WHERE name = 'two'").await[0].parse().unwrap();
        let edit = Edit { name: Some("three".into()), ..Edit::default() };
        service.edit_keys(new_operation(), &[two], edit, None).await.unwrap_err();
        assert_eq!(db.number(WAITING).await, 0);
        let three = make_kept(&service, "acme", "three").await.key.id;
        run(&mut ada, &left("three")).await.unwrap();
        let receipt = service.receipt(&[three], std::time::Duration::from_secs(10)).await.unwrap();
        assert!(receipt.is_complete());
        assert_eq!(receipt.seq, db.number("SELECT max(seq) FROM audit WHERE action = 'key.revoke'").await);
        gate.close().await;
    });
}

#[test]
fn no_change_loses_its_row_to_another_one_of_its_operation() {
    run_on_postgres("no_change_loses_its_row_to_another_one_of_its_operation", async |db| {
        let service = with_lanes(&db).await;
        make_kept(&service, "acme", "two").await;
        let (mut one, mut other) = (operator(&db, &service, "olga").await, as_login(&db, "olga").await);
        let operation = "'00000000-0000-4000-8000-00000000000a'::uuid";
        let told = row("key.edit", "two", "session_user", "clock_timestamp()")
            .replace("gen_random_uuid()", operation);
        let change = "UPDATE keys SET owner = 'mallory', owner_key = 'mallory' WHERE name = 'two'";
        run(&mut one, &format!("BEGIN; {change}; {told}")).await.unwrap();
        // A decoy of the same operation, in the audit before that is committed.
        run(&mut other, &told.replace("audit_lanes", "audit")).await.unwrap();
        run(&mut one, "COMMIT").await.unwrap();
        run(&mut one, "SELECT keyrack_seal(NULL)").await.unwrap();
        assert_eq!(db.number(WAITING).await, 0);
        assert_eq!(db.number("SELECT count(*) FROM audit WHERE action = 'key.edit'").await, 2);
        // And who sees the past leaves none.
        let past = format!("BEGIN ISOLATION LEVEL REPEATABLE READ; {change}; {told}; COMMIT");
        let why = run(&mut other, &past).await.unwrap_err();
        assert!(why.contains("read what is committed"), "{why}");
    });
}

#[test]
fn nobody_chooses_the_place_of_a_row() {
    run_on_postgres("nobody_chooses_the_place_of_a_row", async |db| {
        let service = with_lanes(&db).await;
        for name in ["six", "seven"] {
            make_kept(&service, "acme", name).await;
        }
        let mut olga = operator(&db, &service, "olga").await;
        let mut otto = operator(&db, &service, "otto").await;
        let told = row("key.edit", "six", "session_user", "clock_timestamp()");
        let change =
            |tag: &str| format!("UPDATE keys SET owner = '{tag}', owner_key = '{tag}' WHERE name = 'six'");
        run(&mut otto, &format!("BEGIN; {}; {told}; COMMIT", change("otto"))).await.unwrap();
        let chosen = told
            .replace("audit_lanes (at", "audit_lanes (id, at")
            .replace("SELECT clock", "SELECT -900000, clock");
        run(&mut olga, &format!("BEGIN; {}; {chosen}; COMMIT", change("olga"))).await.unwrap();
        run(&mut olga, "SELECT keyrack_seal(NULL)").await.unwrap();
        assert_eq!(
            db.texts("SELECT actor FROM audit WHERE action = 'key.edit' ORDER BY seq").await,
            ["otto", "olga"]
        );
        // Who tells first and changes afterwards tells nothing of the change.
        let why = run(&mut olga, &format!("BEGIN; {told}; {}; COMMIT", change("first"))).await.unwrap_err();
        assert!(why.contains("has no row in the audit"), "{why}");
    });
}

#[test]
fn what_is_asked_to_be_numbered_is_numbered_also_where_transactions_were_counted_anew() {
    run_on_postgres(
        "what_is_asked_to_be_numbered_is_numbered_also_where_transactions_were_counted_anew",
        async |db| {
            let service = with_lanes(&db).await;
            for name in ["one", "two"] {
                make_kept(&service, "acme", name).await;
            }
            let mut ada = as_login(&db, "ada").await;
            let ahead = "UPDATE audit_head SET sealed_below = (pg_snapshot_xmax(pg_current_snapshot())::text::bigint + 6)::text::xid8";
            db.execute(ahead).await;
            run(&mut ada, &left("one")).await.unwrap();
            for _ in 0..8 {
                run(&mut ada, "SELECT pg_current_xact_id()").await.unwrap();
            }
            let operation =
                db.texts("SELECT operation::text FROM audit_told ORDER BY seq DESC LIMIT 1").await.remove(0);
            run(&mut ada, &format!("SELECT keyrack_seal(ARRAY['{operation}']::uuid[])")).await.unwrap();
            assert_eq!(db.number(WAITING).await, 0);
            nothing_amiss(&service).await;
        },
    );
}
