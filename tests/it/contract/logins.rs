//! What PostgreSQL itself lets each login do with a client of its own, past everything that the service would say.

use std::collections::BTreeMap;

use keyrack::domain::operator::Role;
use keyrack::domain::pause::Lasting;
use keyrack::service::{PauseOrder, Service, new_operation};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::support::database::{Database, run_on_postgres};
use crate::support::people::{age, make, make_kept, named, office, preset, used};

/// Each login: the group that it has on the server, and its role in Keyrack.
const LOGINS: [(&str, &str, Option<Role>); 10] = [
    ("m_nobody", "", None),
    ("m_viewer", "keyrack_viewer", Some(Role::Viewer)),
    ("m_operator", "keyrack_operator", Some(Role::Operator)),
    ("m_admin", "keyrack_admin", Some(Role::Admin)),
    ("m_sweeper", "keyrack_sweeper", Some(Role::Operator)),
    ("m_gate", "keyrack_gate", None),
    ("m_console", "keyrack_console", None),
    ("m_console_viewer", "keyrack_console", Some(Role::Viewer)),
    ("m_console_operator", "keyrack_console", Some(Role::Operator)),
    ("m_removed", "keyrack_operator", None),
];

const NOBODY: &[&str] = &[];
const KEYS: &[&str] = &["m_operator", "m_admin", "m_console_operator"];
const LETTERS: &[&str] = &["m_operator", "m_admin", "m_console_operator", "m_sweeper"];
const ADMIN: &[&str] = &["m_admin"];
const GATE: &[&str] = &["m_gate"];
/// Whom the old group lets lock the tables that only admins write.
const LOCKS: &[&str] = &["m_admin", "m_console", "m_console_viewer", "m_console_operator"];

/// What becomes of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Refused,
    /// It is carried out, and not committed without its row of the audit.
    Owes,
    Done,
}

/// The statements, who may make them, and what becomes of them then.
fn statements() -> Vec<(String, &'static [&'static str], Fate)> {
    use Fate::{Done, Owes};
    let key = |set: &str, name: &str| format!("UPDATE key_auth SET {set} WHERE {}", named(name));
    let using = |set: &str| format!("UPDATE key_use SET {set}");
    let now = "clock_timestamp()";
    let new_key = |by: &str, more: &str, value: &str| {
        format!(
            "INSERT INTO key_auth (id, account, issuer, hash, scopes, allow, created_at, claim_by{more}) SELECT gen_random_uuid(), account, issuer, \
             sha256('planted'), scopes, allow, t, t + interval '10 minutes'{value} FROM key_auth, (SELECT {now} AS t) AS c WHERE {kept}; \
             INSERT INTO keys (id, name, name_key, description, search, preview, tail, created_by) SELECT k.id, 'planted', 'planted', '', \
             'planted', preview, tail, {by} FROM keys m, key_auth k WHERE m.name = 'kept' AND k.hash = sha256('planted')",
            kept = named("kept")
        )
    };
    let row = |seq: &str, at: &str, actor: &str, action: &str| {
        format!(
            "INSERT INTO audit (seq, at, actor, host, operation, action, subject, detail) \
             VALUES ({seq}, {at}, {actor}, 'desk', gen_random_uuid(), '{action}', 'x', '{{}}')"
        )
    };
    let alert = |raised: &str, acknowledged: &str| {
        format!(
            "INSERT INTO alerts (kind, subject, hour, raised_at, gate, detail, acknowledged_at) \
             VALUES ('new', 'new', {raised}, {raised}, 'g', '{{}}', {acknowledged})"
        )
    };
    let gate = |login: &str| {
        format!(
            "INSERT INTO gates (id, name, host, listen, version, lease_ms, began_at, beat_at, applied_seq, applied_at) \
             VALUES (gen_random_uuid(), 'own', 'h', 'l', 'v', 1000, {now}, {now}, {login}, {now})"
        )
    };
    let pause = |by: &str, at: &str, until: &str| {
        format!(
            "paused_at = {at}, paused_until = {until}, paused_by = {by}, pause_message = NULL, pause_reason = 'x'"
        )
    };
    let hold = |by: &str, at: &str, until: &str| {
        format!(
            "INSERT INTO holds (kind, filter, made_at, until, made_by) VALUES ('freeze', 'account:acme', {at}, {until}, {by})"
        )
    };
    let mut all: Vec<(String, &'static [&'static str], Fate)> = vec![
        (new_key("session_user", "", ""), KEYS, Owes),
        (new_key("'ada'", "", ""), NOBODY, Done),
        (new_key("session_user", ", acknowledged_at", ", t"), NOBODY, Done),
        (new_key("session_user", ", expires_at", ", 'infinity'"), NOBODY, Done),
        (key("revoked_at = clock_timestamp(), revoked_by = session_user", "kept"), KEYS, Owes),
        (key("revoked_at = clock_timestamp(), revoked_by = 'ada'", "kept"), NOBODY, Done),
        (key("revoked_at = now() - interval '1 day', revoked_by = session_user", "kept"), NOBODY, Done),
        (key("revoke_reason = 'no'", "kept"), NOBODY, Done),
        (key("revoked_at = NULL, revoked_by = NULL", "revoked"), NOBODY, Done),
        (key("revoke_reason = 'another'", "revoked"), NOBODY, Done),
        (key("acknowledged_at = clock_timestamp()", "fresh"), KEYS, Owes),
        (key("acknowledged_at = now() - interval '5 minutes'", "fresh"), NOBODY, Done),
        (key("acknowledged_at = clock_timestamp()", "abandoned"), NOBODY, Done),
        (key("acknowledged_at = NULL", "kept"), NOBODY, Done),
        (key("expires_at = expires_at - interval '1 day'", "ending"), KEYS, Owes),
        (key("expires_at = clock_timestamp() + interval '1 day'", "kept"), KEYS, Owes),
        (key("expires_at = expires_at + interval '1 day'", "ending"), NOBODY, Done),
        (key("expires_at = NULL", "ending"), NOBODY, Done),
        (key("expires_at = 'infinity'", "kept"), NOBODY, Done),
        (key("limits = '5/1h'", "kept"), KEYS, Owes),
        (key(&pause("session_user", "clock_timestamp()", "clock_timestamp() + interval '1 hour'"), "kept"), KEYS, Owes),
        (key(&pause("session_user", "clock_timestamp()", "clock_timestamp() + interval '1 hour'"), "paused"), KEYS, Owes),
        (key(&pause("'ada'", "clock_timestamp()", "clock_timestamp() + interval '1 hour'"), "kept"), NOBODY, Done),
        (key(&pause("session_user", "now() - interval '1 day'", "clock_timestamp() + interval '1 hour'"), "kept"), NOBODY, Done),
        (key(&pause("session_user", "clock_timestamp()", "now() - interval '1 hour'"), "kept"), NOBODY, Done),
        (key(&pause("session_user", "clock_timestamp()", "'infinity'"), "kept"), NOBODY, Done),
        (key(&pause("session_user", "clock_timestamp()", "clock_timestamp() + interval '1 hour'"), "revoked"), NOBODY, Done),
        (key("paused_until = paused_until + interval '1 hour'", "paused"), NOBODY, Done),
        (key("pause_message = 'another'", "paused"), NOBODY, Done),
        (key("paused_until = NULL", "paused"), NOBODY, Done),
        (key("paused_at = NULL, paused_until = NULL, paused_by = NULL, pause_reason = NULL", "paused"), KEYS, Owes),
        (hold("session_user", now, "now() + interval '1 hour'"), ADMIN, Owes),
        (hold("'ada'", now, "now() + interval '1 hour'"), NOBODY, Done),
        (hold("session_user", now, "now() - interval '1 hour'"), NOBODY, Done),
        (hold("session_user", "now() - interval '1 day'", "now() + interval '1 hour'"), NOBODY, Done),
        ("UPDATE holds SET lifted_at = clock_timestamp(), lifted_by = session_user WHERE lifted_at IS NULL".into(), ADMIN, Owes),
        ("UPDATE holds SET lifted_at = clock_timestamp(), lifted_by = 'ada' WHERE lifted_at IS NULL".into(), NOBODY, Done),
        ("UPDATE holds SET lifted_at = until WHERE lifted_at IS NULL".into(), NOBODY, Done),
        ("UPDATE holds SET lifted_at = NULL, lifted_by = NULL WHERE lifted_at IS NOT NULL".into(), NOBODY, Done),
        ("UPDATE holds SET until = until + interval '1 hour'".into(), NOBODY, Done),
        ("UPDATE holds SET filter = 'account:none'".into(), NOBODY, Done),
        ("DELETE FROM holds".into(), NOBODY, Done),
        ("UPDATE keys SET successor = (SELECT id FROM keys WHERE name = 'fresh') WHERE name = 'kept'".into(), KEYS, Owes),
        (key("first_used_at = clock_timestamp()", "kept"), GATE, Done),
        (key("first_used_at = clock_timestamp()", "fresh"), GATE, Done),
        (key("first_used_at = clock_timestamp()", "abandoned"), NOBODY, Done),
        (key("first_used_at = clock_timestamp()", "ending"), NOBODY, Done),
        (key("first_used_at = NULL", "ending"), NOBODY, Done),
        (key("first_used_at = 'infinity'", "kept"), NOBODY, Done),
        (key("first_used_at = '-infinity'", "kept"), NOBODY, Done),
        (key("first_used_at = '2001-01-01'", "kept"), NOBODY, Done),
        (key("first_used_at = now() + interval '1 day'", "kept"), NOBODY, Done),
        (using("last_used_at = clock_timestamp(), last_used_from = 'x'"), GATE, Done),
        (using("last_used_at = 'infinity'"), NOBODY, Done),
        (using("last_used_at = '-infinity'"), NOBODY, Done),
        (using("last_used_at = '2001-01-01'"), NOBODY, Done),
        (using("last_used_at = now() + interval '1 day'"), NOBODY, Done),
        (using("id = id"), NOBODY, Done),
        ("INSERT INTO key_use (id, last_used_at) SELECT id, now() FROM keys WHERE name = 'kept'".into(), NOBODY, Done),
        ("DELETE FROM keys".into(), NOBODY, Done),
        ("DELETE FROM key_auth".into(), NOBODY, Done),
        ("DELETE FROM key_use".into(), NOBODY, Done),
        ("UPDATE issuers SET policy = policy, version = version + 1".into(), ADMIN, Owes),
        ("UPDATE issuers SET policy = '{}'".into(), NOBODY, Done),
        ("UPDATE issuers SET policy = '{}', version = version + 1".into(), ADMIN, Owes),
        ("INSERT INTO issuers (slug, policy, version, updated_at) VALUES ('new', '{}', 1, now())".into(), ADMIN, Owes),
        ("DELETE FROM issuers".into(), NOBODY, Done),
        ("INSERT INTO accounts SELECT 'new', issuer, name, search, admins, plan, standing, now() FROM accounts LIMIT 1".into(), KEYS, Owes),
        ("UPDATE accounts SET standing = 'suspended'".into(), KEYS, Owes),
        ("UPDATE accounts SET admins = '[]'".into(), KEYS, Owes),
        ("UPDATE accounts SET name = 'Another'".into(), KEYS, Owes),
        ("UPDATE accounts SET slug = slug || 'x'".into(), NOBODY, Done),
        ("UPDATE accounts SET issuer = 'x'".into(), NOBODY, Done),
        ("DELETE FROM accounts".into(), NOBODY, Done),
        ("INSERT INTO operators VALUES ('zoe', 'admin', now(), session_user)".into(), ADMIN, Owes),
        ("INSERT INTO operators VALUES ('zoe', 'admin', now(), 'ada')".into(), NOBODY, Done),
        ("INSERT INTO operators VALUES (session_user, 'admin', now(), session_user) ON CONFLICT (name) DO UPDATE SET role = 'admin'".into(), ADMIN, Owes),
        ("UPDATE operators SET role = 'admin' WHERE name = session_user".into(), ADMIN, Owes),
        ("UPDATE operators SET role = 'viewer'".into(), NOBODY, Done),
        ("DELETE FROM operators WHERE name = 'm_viewer'".into(), ADMIN, Owes),
        ("DELETE FROM operators".into(), NOBODY, Done),
        (row("NULL", now, "session_user", "sweep.begin"), LETTERS, Done),
        (row("(SELECT max(seq) + 1 FROM audit)", now, "session_user", "sweep.begin"), LETTERS, Done),
        (row("NULL", now, "session_user", "operator.set"), ADMIN, Done),
        (row("NULL", now, "session_user", "key.revoke"), NOBODY, Done),
        (row("NULL", now, "session_user", "demo.load"), NOBODY, Done),
        (row("NULL", now, "'ada'", "sweep.begin"), NOBODY, Done),
        (row("NULL", "now() - interval '1 hour'", "session_user", "sweep.begin"), NOBODY, Done),
        (row("NULL", "now() + interval '1 hour'", "session_user", "sweep.begin"), NOBODY, Done),
        (row("(SELECT max(seq) + 2 FROM audit)", now, "session_user", "sweep.begin"), NOBODY, Done),
        (row("1", now, "session_user", "sweep.begin"), NOBODY, Done),
        ("UPDATE audit SET actor = 'ada'".into(), NOBODY, Done),
        ("DELETE FROM audit".into(), NOBODY, Done),
        ("UPDATE audit_head SET seq = 0".into(), NOBODY, Done),
        ("SELECT 1 FROM audit_head FOR UPDATE".into(), NOBODY, Done),
        ("SELECT 1 FROM audit_head FOR SHARE".into(), NOBODY, Done),
        (format!("INSERT INTO sweeps (id, door, begun_by, host, began_at, alive_until) VALUES (gen_random_uuid(), 'command', session_user, 'h', {now}, {now})"), LETTERS, Done),
        (format!("INSERT INTO sweeps (id, door, begun_by, host, began_at, alive_until) VALUES (gen_random_uuid(), 'command', 'ada', 'h', {now}, {now})"), NOBODY, Done),
        ("UPDATE reminders SET state = 'cancelled'".into(), LETTERS, Done),
        ("UPDATE reminders SET days_before = 1".into(), NOBODY, Done),
        ("UPDATE deliveries SET state = 'cancelled'".into(), LETTERS, Done),
        ("DELETE FROM deliveries".into(), NOBODY, Done),
        ("SELECT keyrack_take_turns()".into(), LETTERS, Done),
        ("SELECT keyrack_end_session(0)".into(), ADMIN, Done),
        ("UPDATE alerts SET acknowledged_at = clock_timestamp(), acknowledged_by = session_user WHERE subject = 'open'".into(), KEYS, Owes),
        ("UPDATE alerts SET acknowledged_at = clock_timestamp(), acknowledged_by = 'ada' WHERE subject = 'open'".into(), NOBODY, Done),
        ("UPDATE alerts SET acknowledged_at = NULL, acknowledged_by = NULL WHERE subject = 'seen'".into(), NOBODY, Done),
        ("UPDATE alerts SET detail = ''".into(), NOBODY, Done),
        ("UPDATE alerts SET told_at = now()".into(), GATE, Done),
        ("DELETE FROM alerts".into(), NOBODY, Done),
        (alert("now()", "NULL"), GATE, Done),
        (alert("now()", "now()"), NOBODY, Done),
        (alert("'infinity'", "NULL"), NOBODY, Done),
        (gate("0"), GATE, Done),
        (gate("1000000"), NOBODY, Done),
        ("UPDATE gates SET applied_seq = (SELECT seq FROM audit_head)".into(), NOBODY, Done),
        ("UPDATE gates SET beat_at = now()".into(), NOBODY, Done),
        ("UPDATE gates SET login = session_user".into(), NOBODY, Done),
        ("DELETE FROM gates".into(), NOBODY, Done),
        ("INSERT INTO usage_minutes VALUES (gen_random_uuid(), now(), 1, 1, 1)".into(), GATE, Done),
        ("INSERT INTO usage_minutes VALUES (gen_random_uuid(), 'infinity', 1, 1, 1)".into(), NOBODY, Done),
        ("UPDATE usage_minutes SET refused = 0".into(), NOBODY, Done),
        ("INSERT INTO key_networks SELECT id, '10.0.0.0/8', now() FROM keys LIMIT 1".into(), GATE, Done),
        ("INSERT INTO late_tries VALUES (gen_random_uuid(), now(), '10.0.0.0/24', 'calls', 1, now())".into(), GATE, Done),
        ("INSERT INTO late_tries VALUES (gen_random_uuid(), 'infinity', '', '', 1, now())".into(), NOBODY, Done),
        ("UPDATE late_tries SET tries = 0".into(), NOBODY, Done),
        ("UPDATE late_tries SET tries = tries + 1".into(), GATE, Done),
        ("UPDATE late_tries SET network = '10.0.0.0/8'".into(), NOBODY, Done),
        ("INSERT INTO limit_windows VALUES ('other', 's', '', now())".into(), NOBODY, Done),
        ("SELECT * FROM owed".into(), NOBODY, Done),
        ("DELETE FROM owed".into(), NOBODY, Done),
        ("SELECT 1 FROM turns FOR UPDATE".into(), NOBODY, Done),
        ("LOCK TABLE issuers IN SHARE ROW EXCLUSIVE MODE".into(), LOCKS, Done),
        ("LOCK TABLE operators IN ACCESS EXCLUSIVE MODE".into(), LOCKS, Done),
        ("ALTER TABLE keys DISABLE TRIGGER ALL".into(), NOBODY, Done),
        ("SET session_replication_role = replica".into(), NOBODY, Done),
        ("DROP FUNCTION keyrack_demand() CASCADE".into(), NOBODY, Done),
    ];
    for column in ["id", "account", "issuer", "hash", "scopes", "allow", "created_at", "claim_by"] {
        all.push((key(&format!("{column} = {column}"), "kept"), NOBODY, Done));
    }
    for column in
        ["id", "name", "description", "search", "created_by", "preview", "predecessor", "overlap_seconds"]
    {
        all.push((format!("UPDATE keys SET {column} = {column} WHERE name = 'kept'"), NOBODY, Done));
    }
    for table in [
        "key_auth",
        "keys",
        "key_use",
        "holds",
        "audit",
        "accounts",
        "audit_head",
        "sweeps",
        "reminders",
        "deliveries",
        "alerts",
    ] {
        if table != "alerts" {
            all.push((format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"), NOBODY, Done));
        }
        all.push((format!("TRUNCATE {table} CASCADE"), NOBODY, Done));
    }
    all
}

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
         INSERT INTO late_tries VALUES (gen_random_uuid(), now(), '10.0.0.0/24', 'calls', 5, now()); \
         INSERT INTO gates (id, name, host, listen, version, lease_ms, began_at, beat_at, applied_seq, applied_at) \
         VALUES (gen_random_uuid(), 'other', 'h', 'l', 'v', 1000, now(), now(), 0, now())",
    )
    .await;
    db.execute(&used(db, "acknowledged_at", &named("ending"))).await;
    for (login, group, role) in LOGINS {
        db.role(login).await;
        if !group.is_empty() {
            db.execute(&format!("GRANT {group} TO {login}")).await;
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
        db.execute("GRANT pg_signal_backend, pg_read_all_stats TO ada").await;
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
