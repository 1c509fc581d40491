//! Lanes of the audit: changes that commit side by side, and one chain all the same.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use keyrack::domain::audit::{AuditFilter, Verdict};
use keyrack::domain::operator::Role;
use keyrack::service::{AuditRequest, Error, Service, new_operation};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::support::database::{Database, run_on_postgres};
use crate::support::people::{account, gate, make_kept, named, office, preset, wanted};
use crate::support::script::Script;

mod harmed;
mod killed;
mod pace;
mod refused;

const SECONDS: Duration = Duration::from_secs(10);

/// An office whose audit has lanes.
async fn with_lanes(db: &Database) -> Service {
    let mut policy = preset("voiceinfra");
    policy.caps.active_keys = None;
    policy.caps.creations_per_minute = None;
    let service = office(db, policy).await;
    service.set_lanes(new_operation(), 64).await.unwrap();
    service
}

async fn nothing_amiss(service: &Service) {
    let compared = service.compare_audit(|_, _, _| ()).await.unwrap();
    assert!(matches!(compared.verdict, Verdict::Intact { .. }), "{:?}", compared.verdict);
    assert_eq!(compared.findings.kept, []);
}

/// A client of its own, past the program.
async fn as_login(db: &Database, login: &str) -> PgConnection {
    PgConnection::connect(&db.address_as(login)).await.unwrap()
}

async fn run(connection: &mut PgConnection, sql: &str) -> Result<(), String> {
    let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await;
    done.map(drop).map_err(|error| error.to_string())
}

const REVOKE: &str = "UPDATE key_auth SET revoked_at = clock_timestamp(), revoked_by = session_user WHERE ";

/// A row of a lane about the key of this name.
fn row(action: &str, key: &str, actor: &str, at: &str) -> String {
    format!(
        "INSERT INTO audit_lanes (at, actor, host, operation, action, subject, account, key, detail) \
         SELECT {at}, {actor}, 'desk', gen_random_uuid(), '{action}', id::text, account, id, '{{}}' \
         FROM keys JOIN key_auth USING (id) WHERE name = '{key}'"
    )
}

/// A revocation that is committed, and whose client went away before it had its number.
fn left(key: &str) -> String {
    format!(
        "BEGIN; {REVOKE}{}; {}; COMMIT",
        named(key),
        row("key.revoke", key, "session_user", "clock_timestamp()")
    )
}

#[test]
fn changes_of_lanes_are_one_chain_and_in_their_order() {
    run_on_postgres("changes_of_lanes_are_one_chain_and_in_their_order", async |db| {
        let service = with_lanes(&db).await;
        for n in 0..16 {
            service.create_account(new_operation(), account("voiceinfra", &format!("a{n}"))).await.unwrap();
        }
        let before = db.number("SELECT seq FROM audit_head").await;
        let consoles = [service.clone(), db.open().await, db.open().await, db.open().await];
        let tasks: Vec<_> = (0..64)
            .map(|n| {
                let service = consoles[n % 4].clone();
                tokio::spawn(async move {
                    let key = make_kept(&service, &format!("a{}", n % 16), &format!("key {n}")).await.key.id;
                    service.revoke_keys(new_operation(), &[key], None).await.unwrap();
                    // Whoever was answered finds it with its number, on whichever connection.
                    let filter = AuditFilter { key: Some(key), ..AuditFilter::default() };
                    let told = service.audit(&AuditRequest { filter, before: None, limit: 9 }).await.unwrap();
                    let actions: Vec<_> = told.iter().map(|entry| entry.action.to_string()).collect();
                    assert_eq!(actions, ["key.revoke", "key.acknowledge", "key.create"]);
                })
            })
            .collect();
        // Meanwhile an admin does what goes by no lane, and there come to be more.
        for n in 0..10 {
            service.set_operator(new_operation(), &format!("p{n}"), Role::Viewer).await.unwrap();
            service.set_lanes(new_operation(), 65 + n).await.unwrap();
        }
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(db.number("SELECT count(*) FROM audit_lanes").await, 0);
        assert_eq!(db.number("SELECT seq FROM audit_head").await - before, 64 * 3 + 20);
        assert_eq!(db.number("SELECT count(DISTINCT seq) FROM audit").await, before + 64 * 3 + 20);
        nothing_amiss(&service).await;
        for console in consoles {
            console.close().await;
        }
    });
}

#[test]
fn vg_17_nobody_is_told_of_a_change_before_it_is_numbered() {
    run_on_postgres("vg_17_nobody_is_told_of_a_change_before_it_is_numbered", async |db| {
        let service = with_lanes(&db).await;
        let made = make_kept(&service, "acme", "hub").await;
        let gate = gate(&db, "g").await;
        let policies = gate.policies().await.unwrap();
        let known = gate.known(made.secret.hash()).await.unwrap().unwrap();
        assert!(passes(&gate, &known, &policies).await);
        // Somebody sits where those who number take turns.
        let mut sitter = as_login(&db, "postgres").await;
        run(&mut sitter, "BEGIN; LOCK TABLE lane_turns, lane_waits IN EXCLUSIVE MODE").await.unwrap();
        let revoking = {
            let (service, id) = (service.clone(), made.key.id);
            tokio::spawn(async move { service.revoke_keys(new_operation(), &[id], None).await })
        };
        let begun = Instant::now();
        while db.number("SELECT count(*) FROM audit_lanes").await == 0 {
            assert!(begun.elapsed() < SECONDS);
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!revoking.is_finished(), "it has no number yet");
        assert_eq!(db.number("SELECT count(*) FROM key_auth WHERE revoked_at IS NOT NULL").await, 1);
        nothing_amiss(&service).await;
        // Its server goes: the wish is found to be carried out, and is not carried out again.
        db.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%keyrack_seal(%' AND wait_event_type = 'Lock'").await;
        run(&mut sitter, "ROLLBACK").await.unwrap();
        assert_eq!(revoking.await.unwrap().unwrap().len(), 1);
        assert!(!passes(&gate, &known, &policies).await, "it is told that the key is revoked");
        assert_eq!(db.number("SELECT count(*) FROM audit WHERE action = 'key.revoke'").await, 1);
        nothing_amiss(&service).await;
        gate.close().await;
    });
}

async fn passes(
    gate: &keyrack::service::Gate,
    known: &std::sync::Arc<keyrack::service::Known>,
    policies: &std::sync::Arc<keyrack::service::Policies>,
) -> bool {
    matches!(gate.confirm(known, policies).await.unwrap(), keyrack::service::Confirmed::Current { .. })
}

#[test]
fn what_nobody_came_to_number_is_numbered_by_the_next() {
    run_on_postgres("what_nobody_came_to_number_is_numbered_by_the_next", async |db| {
        let service = with_lanes(&db).await;
        for name in ["one", "two", "three", "four"] {
            make_kept(&service, "acme", name).await;
        }
        let mut ada = as_login(&db, "ada").await;
        let last = "SELECT action || ' ' || coalesce((SELECT name FROM keys WHERE id = key), subject) FROM audit ORDER BY seq DESC LIMIT 2";
        // By the next change in a lane, by one past the lanes, and by an old client's own row.
        run(&mut ada, &left("one")).await.unwrap();
        nothing_amiss(&service).await;
        let made = make_kept(&service, "globex", "other").await.key.id;
        assert_eq!(db.texts(&format!("SELECT actor FROM audit WHERE action = 'key.revoke' AND seq < (SELECT min(seq) FROM audit WHERE key = '{made}')")).await, ["ada"]);
        run(&mut ada, &left("two")).await.unwrap();
        service.set_operator(new_operation(), "bob", Role::Viewer).await.unwrap();
        assert_eq!(db.texts(last).await, ["operator.set bob", "key.revoke two"]);
        run(&mut ada, &left("three")).await.unwrap();
        run(
            &mut ada,
            &format!(
                "BEGIN; {REVOKE}{}; {}; COMMIT",
                named("four"),
                row("key.revoke", "four", "session_user", "clock_timestamp()")
                    .replace("audit_lanes", "audit")
            ),
        )
        .await
        .unwrap();
        assert_eq!(db.texts(last).await, ["key.revoke four", "key.revoke three"]);
        nothing_amiss(&service).await;
    });
}

#[test]
fn vg_17_a_gate_numbers_what_a_dead_console_left_behind() {
    run_on_postgres("vg_17_a_gate_numbers_what_a_dead_console_left_behind", async |db| {
        let service = with_lanes(&db).await;
        let made = make_kept(&service, "acme", "hub").await;
        // A gate's login is no operator.
        db.role("porter").await;
        db.grant("keyrack_gate", "porter").await;
        let gate = keyrack::service::Gate::open(
            &db.location_as("porter"),
            keyrack::clock::Clock::System,
            crate::support::people::settings("g"),
        )
        .await
        .unwrap();
        let policies = gate.policies().await.unwrap();
        let known = gate.known(made.secret.hash()).await.unwrap().unwrap();
        let mut ada = as_login(&db, "ada").await;
        run(&mut ada, &left("hub")).await.unwrap();
        let begun = Instant::now();
        while passes(&gate, &known, &policies).await {
            assert!(begun.elapsed() < SECONDS, "it was revoked long ago");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(db.number("SELECT count(*) FROM audit_lanes").await, 0);
        nothing_amiss(&service).await;
        gate.close().await;
    });
}

/// Numbers of transactions begin anew where a backup is restored, and are far ahead where another server took it.
#[test]
fn what_waits_is_numbered_whatever_the_server_counts() {
    run_on_postgres("what_waits_is_numbered_whatever_the_server_counts", async |db| {
        let service = with_lanes(&db).await;
        for name in ["one", "two", "three"] {
            make_kept(&service, "acme", name).await;
        }
        let mut ada = as_login(&db, "ada").await;
        run(&mut ada, &left("one")).await.unwrap();
        db.execute("UPDATE audit_head SET sealed_below = '9000000000'").await;
        make_kept(&service, "acme", "four").await;
        assert_eq!(db.number("SELECT count(*) FROM audit_lanes").await, 0);
        run(&mut ada, &left("two")).await.unwrap();
        db.execute_past_triggers("audit_lanes", "UPDATE audit_lanes SET xact = '9000000000'").await;
        make_kept(&service, "acme", "five").await;
        assert_eq!(db.number("SELECT count(*) FROM audit_lanes").await, 0);
        // A transaction that lasts keeps what came after it from being passed over.
        let mut slow = as_login(&db, "ada").await;
        let told = row("key.revoke", "three", "session_user", "clock_timestamp()");
        run(&mut slow, &format!("BEGIN; {REVOKE}{}; {told}", named("three"))).await.unwrap();
        for n in 0..20 {
            make_kept(&service, "globex", &format!("more {n}")).await;
        }
        run(&mut slow, "COMMIT").await.unwrap();
        make_kept(&service, "acme", "six").await;
        assert_eq!(db.number("SELECT count(*) FROM audit WHERE action = 'key.revoke'").await, 3);
        nothing_amiss(&service).await;
    });
}

#[test]
fn a_change_that_can_not_be_numbered_does_not_happen() {
    run_on_postgres("a_change_that_can_not_be_numbered_does_not_happen", async |db| {
        let service = with_lanes(&db).await;
        let key = make_kept(&service, "acme", "stays").await.key.id;
        // The place of the next row is taken; and then the last row is gone.
        for (harm, cure) in [
            (
                "INSERT INTO audit SELECT (jsonb_populate_record(a, '{\"seq\": 1000000, \"action\": \"squat\"}')).* FROM audit a WHERE seq = 1",
                "DELETE FROM audit WHERE seq = 1000000",
            ),
            (
                "UPDATE audit SET seq = -seq WHERE seq = (SELECT seq FROM audit_head)",
                "UPDATE audit SET seq = -seq WHERE seq < 0",
            ),
        ] {
            db.execute_past_triggers("audit", harm).await;
            assert!(service.revoke_keys(new_operation(), &[key], None).await.is_err(), "{harm}");
            assert!(service.key(key).await.unwrap().revoked_at.is_none(), "{harm}");
            assert_eq!(db.number("SELECT count(*) FROM audit_lanes").await, 0);
            db.execute_past_triggers("audit", cure).await;
        }
        service.revoke_keys(new_operation(), &[key], None).await.unwrap();
        nothing_amiss(&service).await;
    });
}

#[test]
fn one_account_is_changed_by_many_at_once() {
    run_on_postgres("one_account_is_changed_by_many_at_once", async |db| {
        let service = with_lanes(&db).await;
        let mut policy = preset("voiceinfra");
        policy.caps.active_keys = Some(40);
        policy.caps.creations_per_minute = None;
        service.apply_policy(new_operation(), policy).await.unwrap();
        let (other, twice) = (db.open().await, new_operation());
        let tasks: Vec<_> = (0..80)
            .map(|n| {
                let service = if n % 2 == 0 { service.clone() } else { other.clone() };
                tokio::spawn(async move {
                    let mut request = wanted("acme", &format!("key {n}"));
                    if n % 8 == 7 {
                        request.operation = twice;
                    }
                    service.create_key(request).await
                })
            })
            .collect();
        let mut made = BTreeSet::new();
        for task in tasks {
            match task.await.unwrap() {
                Ok(created) => drop(made.insert(created.key.id)),
                Err(Error::Refused(_) | Error::KeyLimit { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(db.number("SELECT count(*) FROM key_auth").await, 40);
        assert_eq!(
            db.number(&format!("SELECT count(*) FROM audit WHERE operation = '{twice}'")).await.max(1),
            1
        );
        nothing_amiss(&service).await;
    });
}

#[test]
fn lanes_become_more_and_are_an_admins() {
    run_on_postgres("lanes_become_more_and_are_an_admins", async |db| {
        let keyrack = Script::furnished(&db, "voiceinfra");
        assert_eq!(keyrack.json(&["audit", "lanes"])["lanes"], 1);
        keyrack.ok(&["audit", "lanes", "16", "--dry-run"]);
        assert_eq!(keyrack.json(&["audit", "lanes"])["lanes"], 1);
        assert_eq!(keyrack.json(&["audit", "lanes", "16"])["lanes"], 16);
        let why = keyrack.refused(5, &["audit", "lanes", "4"]);
        assert!(why.contains("the audit has 16 lanes: lanes become more, never fewer"), "{why}");
        for senseless in ["0", "1025", "-1", "many"] {
            keyrack.refused(2, &["audit", "lanes", senseless]);
        }
        assert_eq!(keyrack.json(&["audit", "lanes", "16"])["lanes"], 16);
        keyrack.create("acme", "hub");
        assert_eq!(
            keyrack.json(&["audit", "list", "--filter", "action:audit.lanes"]).as_array().unwrap().len(),
            1
        );
        keyrack.ok(&["audit", "verify"]);
        let service = db.open().await;
        db.role("olga").await;
        db.grant("keyrack_operator", "olga").await;
        service.set_operator(new_operation(), "olga", Role::Operator).await.unwrap();
        let olga = Service::open(&db.location_as("olga"), keyrack::clock::Clock::System).await.unwrap();
        assert!(matches!(olga.set_lanes(new_operation(), 32).await, Err(Error::NotPermitted { .. })));
        make_kept(&olga, "acme", "another").await;
        // Programs that know of no lanes are kept out.
        assert_eq!(db.number("SELECT since FROM readable").await, 34);
    });
}

#[test]
fn a_file_has_one_lane() {
    let db = Database::sqlite();
    let keyrack = Script::furnished(&db, "voiceinfra");
    assert_eq!(keyrack.json(&["audit", "lanes"])["lanes"], 1);
    assert_eq!(keyrack.json(&["audit", "lanes", "1"])["lanes"], 1);
    let why = keyrack.refused(5, &["audit", "lanes", "2"]);
    assert!(why.contains("SQLite has one writer at a time") && why.contains("PostgreSQL"), "{why}");
}
