//! What PostgreSQL itself lets each login do with a client of its own, past everything that the service would say.

use std::collections::BTreeMap;

use keyrack::domain::operator::Role;
use keyrack::domain::pause::Lasting;
use keyrack::service::{PauseOrder, Service, new_operation};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use self::statements::{Fate, statements};
use crate::support::database::{Database, run_on_postgres};
use crate::support::people::{age, make, make_kept, named, office, preset, used};

mod statements;

/// Each login: the group that it has on the server, and its role in Keyrack.
const LOGINS: [(&str, &str, Option<Role>); 11] = [
    ("m_nobody", "", None),
    ("m_viewer", "keyrack_viewer", Some(Role::Viewer)),
    ("m_operator", "keyrack_operator", Some(Role::Operator)),
    ("m_admin", "keyrack_admin", Some(Role::Admin)),
    ("m_sweeper", "keyrack_sweeper", Some(Role::Operator)),
    ("m_gate", "keyrack_gate", None),
    ("m_sender", "keyrack_sender", Some(Role::Viewer)),
    ("m_console", "keyrack_console", None),
    ("m_console_viewer", "keyrack_console", Some(Role::Viewer)),
    ("m_console_operator", "keyrack_console", Some(Role::Operator)),
    ("m_removed", "keyrack_operator", None),
];

async fn scene(db: &Database) -> Service {
    let service = office(db, preset("voxpria")).await;
    for name in ["kept", "revoked", "ending", "paused"] {
        make_kept(&service, "acme", name).await;
    }
    let gone = make(&service, "acme", "abandoned").await.key;
    age(db, 700).await;
    make(&service, "acme", "fresh").await;
    let revoked = db.texts("SELECT id::text FROM keys WHERE name = 'revoked'").await;
    service.revoke_keys(new_operation(), &[revoked[0].parse().unwrap()], Some("leaked")).await.unwrap();
    assert_ne!(revoked[0], gone.id.to_string());
    let paused = db.texts("SELECT id::text FROM keys WHERE name = 'paused'").await[0].parse().unwrap();
    let order = PauseOrder { lasting: Lasting::span("1h").unwrap(), message: None, reason: None };
    service.pause_keys(new_operation(), &[paused], order, None).await.unwrap();
    db.execute(
        "INSERT INTO holds (kind, filter, made_at, until, made_by, lifted_at, lifted_by) VALUES \
         ('freeze', 'account:globex', now(), now() + interval '1 day', 'ada', NULL, NULL), \
         ('freeze', 'account:globex', now(), now() + interval '1 day', 'ada', now(), 'ada')",
    )
    .await;
    db.execute(
        "UPDATE key_auth SET expires_at = now() + interval '9 days' WHERE id IN (SELECT id FROM keys WHERE name = 'ending'); \
         INSERT INTO alerts (kind, subject, hour, raised_at, gate, detail, acknowledged_at, acknowledged_by) VALUES \
         ('k', 'open', now(), now(), 'g', '{}', NULL, NULL), ('k', 'seen', now(), now(), 'g', '{}', now(), 'ada'); \
         INSERT INTO usage_minutes VALUES (gen_random_uuid(), now(), 5, 5, 5); \
         INSERT INTO endpoints (name, url, place, kinds, secret, created_at, created_by, next_seq) \
         VALUES ('desk', 'https://h.example/x', 'https://h.example/…', '', 'credential c', now(), 'ada', 2); \
         INSERT INTO late_tries VALUES (gen_random_uuid(), now(), '10.0.0.0/24', 'calls', 5, now()); \
         INSERT INTO gates (id, name, host, listen, version, lease_ms, began_at, beat_at, applied_seq, applied_at) \
         VALUES (gen_random_uuid(), 'other', 'h', 'l', 'v', 1000, now(), now(), 0, now())",
    )
    .await;
    db.execute(&used(db, "acknowledged_at", &named("ending"))).await;
    for (login, group, role) in LOGINS {
        db.role(login).await;
        if !group.is_empty() {
            db.grant(group, login).await;
        }
        if let Some(role) = role {
            service.set_operator(new_operation(), login, role).await.unwrap();
        }
    }
    service
}

async fn as_login(db: &Database, login: &str) -> PgConnection {
    PgConnection::connect(&db.address_as(login)).await.unwrap()
}

async fn run(connection: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await.map(drop)
}

/// What becomes of a statement, and the server's words; whatever it did is rolled back.
async fn fate(connection: &mut PgConnection, sql: &str) -> (Fate, String) {
    run(connection, "BEGIN").await.unwrap();
    let done = run(connection, sql).await;
    let settled = match &done {
        Ok(()) => run(connection, "SET CONSTRAINTS ALL IMMEDIATE").await,
        Err(_) => Ok(()),
    };
    run(connection, "ROLLBACK").await.unwrap();
    match (done, settled) {
        (Err(why), _) => (Fate::Refused, why.to_string()),
        (_, Err(why)) => (Fate::Owes, why.to_string()),
        _ => (Fate::Done, String::new()),
    }
}

#[test]
fn each_login_does_what_its_role_does_and_no_more() {
    run_on_postgres("each_login_does_what_its_role_does_and_no_more", async |db| {
        let service = scene(&db).await;
        let (mut cells, mut wrong) = (0, BTreeMap::new());
        for (login, ..) in LOGINS {
            let mut connection = as_login(&db, login).await;
            for (sql, who, then) in statements() {
                let wanted = if who.contains(&login) { then } else { Fate::Refused };
                let (found, words) = fate(&mut connection, &sql).await;
                if found != wanted {
                    wrong.insert((login, sql), (found, wanted, words));
                }
                cells += 1;
            }
        }
        assert!(cells >= 1_000, "{cells}");
        assert!(wrong.is_empty(), "{} of {cells}: {wrong:#?}", wrong.len());
        assert!(matches!(
            service.verify_audit(|_| ()).await.unwrap(),
            keyrack::domain::audit::Verdict::Intact { .. }
        ));
    });
}

/// Whole transactions, as somebody makes them who knows what a change owes.
#[test]
fn nobody_becomes_more_than_they_are_or_writes_as_somebody_else() {
    run_on_postgres("nobody_becomes_more_than_they_are_or_writes_as_somebody_else", async |db| {
        scene(&db).await;
        let row = |action: &str, key: &str, actor: &str| {
            format!(
                "INSERT INTO audit (at, actor, host, operation, action, subject, account, key, detail) \
                 SELECT clock_timestamp(), {actor}, 'desk', gen_random_uuid(), '{action}', id::text, account, id, '{{}}' FROM keys JOIN key_auth USING (id) WHERE name = '{key}'"
            )
        };
        let revoke = "UPDATE key_auth SET revoked_at = clock_timestamp(), revoked_by = session_user WHERE id IN (SELECT id FROM keys WHERE name = 'kept')";
        let mut operator = as_login(&db, "m_operator").await;
        let refused = async |connection: &mut PgConnection, statements: &[&str]| {
            let whole = format!("BEGIN; {}; COMMIT", statements.join("; "));
            let error = run(connection, &whole).await.expect_err(&whole).to_string();
            run(connection, "ROLLBACK").await.unwrap();
            error
        };
        // Without its row, with the row of another key, of another action, or in another transaction.
        let error = refused(&mut operator, &[revoke]).await;
        assert!(error.contains("has no row in the audit (key.revoke"), "{error}");
        refused(&mut operator, &[revoke, &row("key.revoke", "fresh", "session_user")]).await;
        refused(&mut operator, &[revoke, &row("key.limit", "kept", "session_user")]).await;
        refused(&mut operator, &[revoke, &row("key.revoke", "kept", "'ada'")]).await;
        refused(
            &mut operator,
            &[revoke, "SAVEPOINT s", &row("key.revoke", "kept", "session_user"), "ROLLBACK TO s"],
        )
        .await;
        // What search paths and settings are for.
        refused(
            &mut operator,
            &[
                "CREATE TEMP TABLE audit_head AS SELECT 1::bigint AS first",
                "CREATE TEMP TABLE audit (LIKE public.audit)",
                "SET LOCAL search_path = pg_temp, public",
                revoke,
            ],
        )
        .await;
        // With it, also from within a savepoint.
        let whole = format!(
            "BEGIN; {revoke}; SAVEPOINT s; {}; RELEASE s; COMMIT",
            row("key.revoke", "kept", "session_user")
        );
        run(&mut operator, &whole).await.unwrap();
        assert_eq!(db.texts("SELECT actor FROM audit ORDER BY seq DESC LIMIT 1").await, ["m_operator"]);

        for login in ["m_viewer", "m_console_viewer", "m_console", "m_removed", "m_operator"] {
            let mut connection = as_login(&db, login).await;
            let become_admin = "INSERT INTO operators VALUES (session_user, 'admin', now(), session_user) ON CONFLICT (name) DO UPDATE SET role = 'admin'";
            let told = "INSERT INTO audit (at, actor, host, operation, action, subject, detail) VALUES (clock_timestamp(), session_user, 'h', gen_random_uuid(), 'operator.set', session_user, '{}')";
            refused(&mut connection, &[become_admin, told]).await;
        }
        let service = db.open().await;
        assert!(matches!(
            service.verify_audit(|_| ()).await.unwrap(),
            keyrack::domain::audit::Verdict::Intact { .. }
        ));
    });
}

/// A lock that somebody sits on is told by name in the error of who waited, and an admin ends it.
#[test]
fn who_holds_a_lock_is_named_and_can_be_ended() {
    run_on_postgres("who_holds_a_lock_is_named_and_can_be_ended", async |db| {
        let service = scene(&db).await;
        db.grant("pg_signal_backend, pg_read_all_stats", "ada").await;
        let mut sitter = as_login(&db, "m_operator").await;
        run(
            &mut sitter,
            "SET application_name = 'a person'; BEGIN; SELECT 1 FROM key_auth WHERE id IN (SELECT id FROM keys WHERE name = 'kept') FOR UPDATE",
        )
        .await
        .unwrap();
        tokio::time::sleep(std::time::Duration::from_secs(4)).await;
        let holders = service.holders().await.unwrap();
        assert_eq!(holders.len(), 1, "{holders:?}");
        let told = holders[0].to_string();
        assert!(told.contains("m_operator from a socket (a person) holds a lock since "), "{told}");
        let key = db.texts("SELECT id::text FROM keys WHERE name = 'kept'").await[0].parse().unwrap();
        let waiting = {
            let service = service.clone();
            tokio::spawn(async move { service.revoke_keys(new_operation(), &[key], None).await })
        };
        assert!(service.end_session(holders[0].pid).await.unwrap());
        assert_eq!(waiting.await.unwrap().unwrap().len(), 1);
        assert!(service.holders().await.unwrap().is_empty());
        db.execute("REVOKE pg_signal_backend, pg_read_all_stats FROM ada").await;
    });
}
