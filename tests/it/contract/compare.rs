//! The audit is compared with what the tables hold: whatever was changed past the program is found, and nothing else.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::support::database::Database;
use crate::support::people::{
    account, as_person, gate, keep, make, make_kept, named, office, preset, scoped, used, wanted,
};
use crate::support::script::{Script, texts};
use keyrack::domain::account::Standing;
use keyrack::domain::audit::Verdict;
use keyrack::domain::budget::Budgets;
use keyrack::domain::expiry::{Expiry, Overlap};
use keyrack::domain::issuer::ScopeRule;
use keyrack::domain::network::Networks;
use keyrack::domain::operator::Role;
use keyrack::service::{ChangeAccount, Compared, Outcome, Service, Use, new_operation};

/// All that a database can come to by the program itself.
async fn everything(db: &Database) -> Service {
    let mut policy = preset("voiceinfra");
    let scope = |name: &str| ScopeRule { name: name.into(), description: name.into() };
    policy.scopes = ["calls:read", "calls:write", "numbers:read"].map(scope).into();
    let service = office(db, policy.clone()).await;
    let allow = Networks::parse("203.0.113.0/24, 2001:db8::/32 198.51.100.7").unwrap();
    keep(&service, keyrack::service::CreateKey { allow, ..scoped("acme", "calls:read numbers:read") }).await;
    for name in
        ["kept", "revoked", "reasoned", "limited", "retired", "replaced", "rotated in vain", "caf\u{e9}"]
    {
        make_kept(&service, "acme", name).await;
    }
    make(&service, "acme", "abandoned").await;
    let used = make(&service, "acme", "used").await;
    let id = |name: &'static str| {
        let service = service.clone();
        async move {
            let query = crate::support::people::query(&format!("name:=\"{name}\""));
            let all = crate::support::people::all(&service, &query, Default::default(), 50).await;
            all.into_iter().find(|key| *key.name == *name).unwrap().id
        }
    };
    let dated = keyrack::service::CreateKey { expiry: Expiry::Days(30), ..wanted("globex", "dated") };
    keep(&service, dated).await;
    service.revoke_keys(new_operation(), &[id("revoked").await], None).await.unwrap();
    service.revoke_keys(new_operation(), &[id("reasoned").await], Some("leaked")).await.unwrap();
    for limits in ["100/1m", "5000/1h 100/1m", "", "7/1m"] {
        let limits = Budgets::parse(limits).unwrap();
        service.set_limits(new_operation(), id("limited").await, limits).await.unwrap();
    }
    for (name, overlap) in
        [("retired", Overlap::Hour1), ("replaced", Overlap::None), ("limited", Overlap::Hour1)]
    {
        let next = service.rotate_key(new_operation(), id(name).await, overlap).await.unwrap();
        service.acknowledge_key(new_operation(), next.key.id).await.unwrap();
    }
    service.rotate_key(new_operation(), id("rotated in vain").await, Overlap::Hour1).await.unwrap();
    let admins = Some(vec!["new@acme.example".into(), "it@acme.example".into()]);
    let change = ChangeAccount { name: Some("Acme & Sons".into()), admins, plan: None };
    service.change_account(new_operation(), "acme", change).await.unwrap();
    service.create_account(new_operation(), account("voiceinfra", "third")).await.unwrap();
    for standing in [Standing::Suspended, Standing::Good, Standing::Suspended] {
        service.set_standing(new_operation(), "third", standing).await.unwrap();
    }
    for (name, role) in
        [("otto", Role::Viewer), ("otto", Role::Operator), ("vera", Role::Viewer), ("gone", Role::Admin)]
    {
        service.set_operator(new_operation(), name, role).await.unwrap();
    }
    service.remove_operator(new_operation(), "gone").await.unwrap();
    policy.wording.hide_revoked = true;
    service.apply_policy(new_operation(), policy).await.unwrap();
    let gate = gate(db, "one").await;
    let known = gate.known(used.secret.hash()).await.unwrap().unwrap();
    let from: IpAddr = "203.0.113.9".parse().unwrap();
    gate.used(Use {
        known: &known,
        outcome: Outcome::Allowed,
        at: gate.now(),
        from: Some(from),
        endpoint: None,
    });
    gate.close().await;
    service
}

async fn compared(service: &Service) -> Compared {
    service.compare_audit(|_, _, _| ()).await.unwrap()
}

/// Kinds and subjects of what was found.
fn told(compared: &Compared) -> BTreeSet<(&'static str, String)> {
    compared.findings.kept.iter().map(|one| (one.kind.as_str(), one.subject.to_string())).collect()
}

#[track_caller]
fn clean(compared: &Compared) {
    assert!(matches!(compared.verdict, Verdict::Intact { .. }), "{compared:?}");
    assert_eq!(compared.findings.kept, [], "{compared:?}");
}

/// Where PostgreSQL and SQLite write one thing differently.
fn either(db: &Database, sqlite: &str, postgres: &str) -> String {
    if db.is_postgres() { postgres } else { sqlite }.to_owned()
}

on_both! {
    async fn what_the_program_does_is_never_found(db) {
        let service = everything(&db).await;
        clean(&compared(&service).await);
        clean(&service.compare_newest().await.unwrap());
        assert!(compared(&service).await.keys > 12);
    }

    async fn a_demo_is_never_found(db) {
        let service = db.open().await;
        service.demo(240, 1, |_| {}).await.unwrap();
        clean(&compared(&service).await);
        let key = make_kept(&service, &service.accounts("", None, 1).await.unwrap()[0].account.slug.clone(), "new").await.key;
        service.revoke_keys(new_operation(), &[key.id], None).await.unwrap();
        clean(&compared(&service).await);
        clean(&service.compare_newest().await.unwrap());
    }

    async fn a_big_demo_without_histories_is_never_found(db) {
        let service = db.open().await;
        service.demo(5_200, 1, |_| {}).await.unwrap();
        clean(&compared(&service).await);
        let key = crate::support::people::all(&service, &crate::support::people::query("status:active"), Default::default(), 50).await[7].id;
        service.revoke_keys(new_operation(), &[key], Some("leaked")).await.unwrap();
        clean(&compared(&service).await);
        db.execute_past_triggers("keys", "UPDATE key_auth SET revoked_at = NULL WHERE revoke_reason = 'leaked'").await;
        let found = compared(&service).await;
        assert_eq!(told(&found), [("key.unrevoked", key.to_string())].into());
    }

    async fn every_change_past_the_program_is_found(db) {
        let service = everything(&db).await;
        let (id, random, day, now) = (
            either(&db, "randomblob(16)", "gen_random_uuid()"),
            either(&db, "randomblob(32)", "decode(repeat('ab', 32), 'hex')"),
            either(&db, "86400000000", "interval '1 day'"),
            either(&db, "unixepoch() * 1000000", "now()"),
        );
        let row = either(&db, "k.seq, ", "");
        let column = either(&db, "seq, ", "");
        let plant = format!(
            "INSERT INTO key_auth (id, hash, account, issuer, scopes, allow, created_at, claim_by, acknowledged_at) \
             SELECT {id}, {random}, account, issuer, scopes, allow, created_at, claim_by, acknowledged_at FROM key_auth WHERE {kept}; \
             INSERT INTO keys ({column}id, name, name_key, description, search, preview, tail, created_by) \
             SELECT {row}k.id, 'planted', 'planted', '', 'planted', preview, tail, created_by FROM keys m, key_auth k \
             WHERE m.name = 'kept' AND k.id NOT IN (SELECT id FROM keys)",
            kept = named("kept")
        );
        let one_day = if db.is_postgres() { "interval '1 day'" } else { "86400000000" };
        let other_hash = either(&db, "randomblob(32)", "decode(repeat('cd', 32), 'hex')");
        let mut expected = Vec::new();
        for (kind, name, sql) in [
            ("key.planted", "planted", plant),
            ("key.unrevoked", "reasoned", "UPDATE key_auth SET revoked_at = NULL, revoked_by = NULL, revoke_reason = NULL WHERE id IN (SELECT id FROM keys WHERE name = 'reasoned')".into()),
            ("key.revocation", "revoked", "UPDATE key_auth SET revoked_by = 'somebody else' WHERE id IN (SELECT id FROM keys WHERE name = 'revoked')".into()),
            ("key.revocation", "kept", format!("UPDATE key_auth SET revoked_at = {now}, revoked_by = 'nobody' WHERE id IN (SELECT id FROM keys WHERE name = 'kept')")),
            ("key.expiry", "dated", format!("UPDATE key_auth SET expires_at = expires_at + {day} WHERE id IN (SELECT id FROM keys WHERE name = 'dated')")),
            ("key.expiry", "caf\u{e9}", format!("UPDATE key_auth SET expires_at = {now} WHERE id IN (SELECT id FROM keys WHERE name = 'caf\u{e9}')")),
            ("key.scopes", "scoped", "UPDATE key_auth SET scopes = 'calls:read calls:write numbers:read' WHERE id IN (SELECT id FROM keys WHERE name = 'scoped')".into()),
            ("key.networks", "scoped", either(&db, "UPDATE key_auth SET allow = '' WHERE id IN (SELECT id FROM keys WHERE name = 'scoped')", "UPDATE key_auth SET allow = '{}' WHERE id IN (SELECT id FROM keys WHERE name = 'scoped')")),
            ("key.limits", "dated", "UPDATE key_auth SET limits = '9/1m' WHERE id IN (SELECT id FROM keys WHERE name = 'dated')".into()),
            ("key.pause", "dated", format!("UPDATE key_auth SET paused_at = {now}, paused_until = {now} + {day}, paused_by = 'ada' WHERE id IN (SELECT id FROM keys WHERE name = 'dated')")),
            ("key.secret", "dated", format!("UPDATE key_auth SET hash = {other_hash} WHERE id IN (SELECT id FROM keys WHERE name = 'dated')")),
            ("key.confirmation", "abandoned", "UPDATE key_auth SET acknowledged_at = created_at WHERE id IN (SELECT id FROM keys WHERE name = 'abandoned')".into()),
            ("key.confirmation", "caf\u{e9}", "UPDATE key_auth SET acknowledged_at = NULL WHERE id IN (SELECT id FROM keys WHERE name = 'caf\u{e9}')".into()),
            ("key.use", "dated", used(&db, &format!("created_at - {one_day}"), &named("dated"))),
            ("key.identity", "scoped", "UPDATE keys SET owner = 'mallory', owner_key = 'mallory' WHERE name = 'scoped'".into()),
            ("key.identity", "revoked", "UPDATE keys SET owner_mail = 'mallory@evil.example' WHERE name = 'revoked'".into()),
            ("key.identity", "kept", "UPDATE keys SET tags = 'forgotten' WHERE name = 'kept'".into()),
            ("key.identity", "dated", "UPDATE keys SET created_by = 'nobody' WHERE name = 'dated'".into()),
            ("key.identity", "caf\u{e9}", format!("UPDATE key_auth SET claim_by = claim_by + {one_day} WHERE id IN (SELECT id FROM keys WHERE name = 'caf\u{e9}')")),
        ] {
            db.execute_past_triggers("keys", &sql).await;
            let id = either(&db, "lower(hex(id))", "replace(id::text, '-', '')");
            let id = db.texts(&format!("SELECT {id} FROM keys WHERE name = '{name}'")).await.remove(0);
            expected.push((kind, uuid::Uuid::parse_str(&id).unwrap().to_string(), sql));
        }
        // None of these hides another.
        let before = told(&compared(&service).await);
        for (kind, subject, sql) in expected {
            assert!(before.contains(&(kind, subject)), "{sql}: {before:?}");
        }
        let mut expected = Vec::new();
        for (kind, subject, table, sql) in [
            ("operator.unexplained", "mallory", "operators", format!("INSERT INTO operators (name, role, created_at, created_by) VALUES ('mallory', 'admin', {now}, 'ada')")),
            ("operator.unexplained", "vera", "operators", "UPDATE operators SET role = 'admin' WHERE name = 'vera'".into()),
            ("operator.unexplained", "otto", "operators", "DELETE FROM operators WHERE name = 'otto'".into()),
            ("account.unexplained", "ghost", "accounts", format!("INSERT INTO accounts (slug, issuer, name, search, admins, standing, created_at) SELECT 'ghost', issuer, name, search, admins, standing, {now} FROM accounts WHERE slug = 'acme'")),
            ("account.unexplained", "third", "accounts", "UPDATE accounts SET standing = 'good' WHERE slug = 'third'".into()),
            ("account.unexplained", "globex", "accounts", "UPDATE accounts SET admins = '[\"mallory@evil.example\"]' WHERE slug = 'globex'".into()),
            ("account.unexplained", "acme", "accounts", "UPDATE accounts SET plan = 'Enterprise' WHERE slug = 'acme'".into()),
            ("issuer.unexplained", "voiceinfra", "issuers", "UPDATE issuers SET version = 1".into()),
            ("issuer.unexplained", "copy", "issuers", format!("INSERT INTO issuers (slug, policy, version, updated_at) SELECT 'copy', policy, 1, {now} FROM issuers")),
        ] {
            db.execute_past_triggers(table, &sql).await;
            expected.push(((kind, subject.to_owned()), sql));
        }
        let found = told(&compared(&service).await);
        let cheap = told(&service.compare_newest().await.unwrap());
        for (one, sql) in expected {
            assert!(found.contains(&one), "{sql}: {found:?}");
            assert!(cheap.contains(&one), "doctor: {sql}: {cheap:?}");
        }
        let policy = either(&db,
            "UPDATE issuers SET policy = json_set(policy, '$.name', 'Other'), version = 2 WHERE slug = 'voiceinfra'",
            "UPDATE issuers SET policy = jsonb_set(policy, '{name}', '\"Other\"'), version = 2 WHERE slug = 'voiceinfra'");
        db.execute_past_triggers("issuers", &policy).await;
        let found = compared(&service).await;
        let of_policy = found.findings.kept.iter().find(|one| one.audit.contains("policy /name")).unwrap();
        assert!(of_policy.table.contains("Other"), "{of_policy:?}");
        assert!(matches!(found.verdict, Verdict::Intact { .. }));
        assert!(told(&found).is_superset(&before));
    }

    async fn a_deleted_key_is_missing(db) {
        let service = everything(&db).await;
        let key = make_kept(&service, "globex", "gone").await.key;
        let both = "CREATE TEMP TABLE gone AS SELECT id FROM keys WHERE name = 'gone'; DELETE FROM keys WHERE name = 'gone'; \
            DELETE FROM key_auth WHERE id IN (SELECT id FROM gone); DROP TABLE gone";
        db.execute_past_triggers("keys", both).await;
        let expected = ("key.missing", key.id.to_string());
        assert!(told(&compared(&service).await).contains(&expected));
        assert!(told(&service.compare_newest().await.unwrap()).contains(&expected));
    }

    async fn a_key_that_only_claims_to_be_used_is_found(db) {
        let service = everything(&db).await;
        let long_ago = either(&db, "0", "to_timestamp(0)");
        // The counts reach far back.
        db.execute(&format!("INSERT INTO usage_minutes (key, minute, allowed, refused, limited) SELECT id, {long_ago}, 1, 0, 0 FROM keys WHERE name = 'kept'")).await;
        clean(&compared(&service).await);
        db.execute(&used(&db, "created_at", &named("abandoned"))).await;
        let found = compared(&service).await;
        assert_eq!(found.findings.kept.iter().map(|one| one.kind.as_str()).collect::<Vec<_>>(), ["key.use"], "{found:?}");
    }

    async fn an_altered_schema_is_found(db) {
        let service = everything(&db).await;
        let cases: &[(&str, &str, &str, &str)] = if db.is_postgres() {
            &[
                ("schema.trigger", "firing of keys_guard on keys", "ALTER TABLE keys DISABLE TRIGGER keys_guard", "ALTER TABLE keys ENABLE TRIGGER keys_guard"),
                ("schema.trigger", "firing of references on keys", "ALTER TABLE keys DISABLE TRIGGER ALL", "ALTER TABLE keys ENABLE TRIGGER ALL"),
                ("schema.trigger", "trigger deliveries_stay on deliveries", "DROP TRIGGER deliveries_stay ON deliveries",
                    "CREATE TRIGGER deliveries_stay BEFORE DELETE OR TRUNCATE ON deliveries FOR EACH STATEMENT EXECUTE FUNCTION keyrack_outbox_stays()"),
                ("schema.trigger", "trigger back on keys", "CREATE TRIGGER back BEFORE UPDATE ON keys FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()", "DROP TRIGGER back ON keys"),
                ("schema.altered", "function keyrack_outbox_stays()", "ALTER FUNCTION keyrack_outbox_stays() RENAME TO aside; CREATE FUNCTION keyrack_outbox_stays() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
                    "DROP FUNCTION keyrack_outbox_stays(); ALTER FUNCTION aside() RENAME TO keyrack_outbox_stays"),
                ("schema.altered", "column backdoor on keys", "ALTER TABLE keys ADD COLUMN backdoor text", "ALTER TABLE keys DROP COLUMN backdoor"),
                ("schema.altered", "column name on accounts", "ALTER TABLE accounts ALTER COLUMN name DROP NOT NULL", "ALTER TABLE accounts ALTER COLUMN name SET NOT NULL"),
                ("schema.altered", "index keys_name on keys", "ALTER INDEX keys_name RENAME TO aside_index", "ALTER INDEX aside_index RENAME TO keys_name"),
                ("schema.altered", "constraint operators_role_check on operators", "ALTER TABLE operators RENAME CONSTRAINT operators_role_check TO aside_check", "ALTER TABLE operators RENAME CONSTRAINT aside_check TO operators_role_check"),
                ("schema.right", "right UPDATE of keyrack_viewer on audit", "GRANT UPDATE ON audit TO keyrack_viewer", "REVOKE UPDATE ON audit FROM keyrack_viewer"),
                ("schema.right", "right SELECT of everybody on keys", "GRANT SELECT ON keys TO PUBLIC", "REVOKE SELECT ON keys FROM PUBLIC"),
                ("schema.altered", "table limit_windows", "ALTER TABLE limit_windows RENAME TO aside_table", "ALTER TABLE aside_table RENAME TO limit_windows"),
                ("schema.altered", "rule quiet on audit", "CREATE RULE quiet AS ON INSERT TO audit DO ALSO NOTHING", "DROP RULE quiet ON audit"),
                ("schema.altered", "table audit", "ALTER TABLE audit ENABLE ROW LEVEL SECURITY", "ALTER TABLE audit DISABLE ROW LEVEL SECURITY"),
            ]
        } else {
            &[
                ("schema.trigger", "trigger keys_stay on keys", "DROP TRIGGER keys_stay", "CREATE TRIGGER keys_stay BEFORE DELETE ON keys BEGIN\n    SELECT RAISE(ABORT, 'keys are revoked, never deleted');\nEND"),
                ("schema.trigger", "trigger back on keys", "CREATE TRIGGER back AFTER UPDATE ON keys BEGIN SELECT 1; END", "DROP TRIGGER back"),
                ("schema.altered", "table keys", "ALTER TABLE keys ADD COLUMN backdoor TEXT", "ALTER TABLE keys DROP COLUMN backdoor"),
                ("schema.altered", "index keys_name on keys", "DROP INDEX keys_name", "CREATE INDEX keys_name       ON \"keys\" (name_key, id) WHERE listed = 1"),
                ("schema.altered", "table limit_windows", "ALTER TABLE limit_windows RENAME TO aside", "DROP TABLE aside"),
            ]
        };
        // The first alone; the others together, for none of them hides another.
        let (first, rest) = cases.split_at(1);
        for cases in [first, rest] {
            for (_, _, sql, _) in cases {
                db.execute(sql).await;
            }
            let found = compared(&service).await;
            let newest = told(&service.compare_newest().await.unwrap());
            for (kind, subject, sql, _) in cases {
                let one = (*kind, (*subject).to_owned());
                assert!(told(&found).contains(&one), "{sql}: {:?}", found.findings.kept);
                assert!(newest.contains(&one), "doctor: {sql}: {newest:?}");
            }
            for (.., back) in cases.iter().rev() {
                db.execute(back).await;
            }
            if !cases.iter().any(|(.., back)| back.starts_with("DROP TABLE")) {
                clean(&compared(&service).await);
            }
        }
    }

    async fn an_older_schema_and_what_it_becomes_are_never_found(db) {
        let service = everything(&db).await;
        drop(service);
        for version in [1, 4, 7] {
            let older = if db.is_postgres() { Database::postgres().await.unwrap() } else { Database::sqlite() };
            older.migrate_to(version).await;
            let keyrack = Script::on(&older);
            if version >= 4 {
                keyrack.ok(&["audit", "verify"]);
            }
            keyrack.ok(&["migrate"]);
            keyrack.ok(&["issuer", "add", "voicegram"]);
            keyrack.ok(&["audit", "verify"]);
        }
    }

    async fn commands_tell_what_was_found_in_every_form(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        let id = keyrack.create("acme", "one")["id"].as_str().unwrap().to_owned();
        keyrack.ok(&["key", "revoke", &id, "--yes"]);
        keyrack.ok(&["audit", "verify"]);
        db.execute_past_triggers("keys", "UPDATE key_auth SET revoked_at = NULL").await;
        let output = keyrack.run(&["audit", "verify"]);
        let (stdout, stderr) = texts(&output);
        assert_eq!(output.status.code(), Some(6), "{stdout}{stderr}");
        assert!(stdout.contains("key.unrevoked") && stdout.contains(&id), "{stdout}");
        assert!(stderr.contains("Revoke the key again") && stderr.contains("there is 1 finding"), "{stderr}");
        let output = keyrack.run(&["audit", "verify", "--json"]);
        let whole: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&whole["intact"], &whole["found"]), (&false.into(), &1.into()), "{whole}");
        let one = &whole["findings"][0];
        assert_eq!((one["kind"].as_str(), one["subject"].as_str()), (Some("key.unrevoked"), Some(id.as_str())), "{whole}");
        assert!(one["audit"].as_str().unwrap().starts_with("revoked at ") && one["table"] == "not revoked", "{whole}");
        let csv = texts(&keyrack.run(&["audit", "verify", "-o", "csv"])).0;
        assert!(csv.starts_with("kind,subject,audit,table,cure\nkey.unrevoked,"), "{csv}");
        let doctor = keyrack.run(&["doctor", "--json"]);
        assert_eq!(doctor.status.code(), Some(6));
        let all: Vec<serde_json::Value> = serde_json::from_slice(&doctor.stdout).unwrap();
        let tables = all.iter().find(|one| one["what"] == "tables").unwrap();
        assert!(tables["state"] == "problem" && tables["cure"].as_str().unwrap().contains("key revoke"), "{tables}");
        if !db.is_postgres() {
            assert!(all.iter().any(|one| one["what"] == "pages" && one["state"] == "ok"), "{all:?}");
        }
    }

    async fn a_viewers_login_finds_triggers_and_functions(db) {
        let service = everything(&db).await;
        let viewer = as_person(&db, "vera").await;
        let found = compared(&viewer).await;
        clean(&found);
        assert_eq!(found.left.is_some(), db.is_postgres());
        if db.is_postgres() {
            db.execute("ALTER TABLE keys DISABLE TRIGGER keys_guard").await;
            db.execute("ALTER FUNCTION keyrack_outbox_stays() RENAME TO aside").await;
            let expected = [("schema.trigger", "firing of keys_guard on keys".to_owned()), ("schema.altered", "function keyrack_outbox_stays".to_owned())];
            assert_eq!(told(&compared(&viewer).await), expected.into());
            // Its three triggers call a function of another name.
            assert_eq!(told(&compared(&service).await).len(), 5);
        }
    }
}
