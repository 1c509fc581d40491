//! One odd value: a row that can't be read hides no other, is shown and marked, passes nowhere, and can be revoked.

use std::str::FromStr;

use crate::support::database::Database;
use crate::support::gate::passes;
use crate::support::people::{all, gate, make_kept, office, preset, query, used};
use crate::support::post::{letter_box, sweep};
use crate::support::program::{keyrack, run};
use keyrack::clock::Clock;
use keyrack::domain::audit::Verdict;
use keyrack::domain::key::Status;
use keyrack::domain::query::{Column, Direction, Sort};
use keyrack::domain::secret::SentKey;
use keyrack::service::{
    AlertRequest, AuditFilter, AuditRequest, Carriage, Explain, Presented, Service, new_operation,
};

/// A column of `keys`, and odd values for it on SQLite and on PostgreSQL.
const ODD: [(&str, &str, &str); 12] = [
    ("created_at", "9223372036854775807", "'infinity'"),
    ("created_at", "-9223372036854775807", "'-infinity'"),
    ("expires_at", "9223372036854775807", "'infinity'"),
    ("expires_at", "253402300800000000", "'294276-12-31'"),
    ("last_used_at", "9223372036854775807", "'infinity'"),
    ("last_used_at", "-9223372036854775807", "'4713-01-01 BC'"),
    ("acknowledged_at", "-9223372036854775807", "'-infinity'"),
    ("claim_by", "9223372036854775807", "'infinity'"),
    ("name", "CAST(x'436166e9' AS TEXT)", ""),
    ("description", "CAST(x'ff' AS TEXT)", ""),
    ("allow", "'10.0.0.0/33'", "ARRAY[NULL]::cidr[]"),
    ("limits", "'many'", "'many'"),
];

/// Writes past the program and past what the database itself refuses.
pub async fn plant(db: &Database, table: &str, set: &str) {
    let tables: &[&str] = if table == "keys" { &["key_auth", "keys", "key_use"] } else { &[table] };
    for table in tables.iter().filter(|_| db.is_postgres()) {
        let checks = format!(
            "SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid = '{table}'::regclass"
        );
        for check in db.texts(&checks).await {
            db.execute(&format!("ALTER TABLE {table} DROP CONSTRAINT {check}")).await;
        }
    }
    let checks = if db.is_postgres() { "" } else { "PRAGMA ignore_check_constraints = 1; " };
    db.execute_past_triggers(table, &format!("{checks}{set}")).await;
}

pub fn id_of(db: &Database, id: uuid::Uuid) -> String {
    if db.is_postgres() { format!("'{id}'") } else { format!("x'{}'", id.simple()) }
}

/// Revokes all keys of an account from the command line.
fn by_filter(db: &Database, case: &str) {
    let home = tempfile::tempdir().unwrap();
    let revoke = ["key", "revoke", "--filter", "account:acme -status:revoked", "--reason", "all of them"];
    for more in ["--dry-run", "--yes"] {
        let out = keyrack(home.path(), ["--db", &db.address()]).args(revoke).arg(more).output().unwrap();
        assert!(out.status.success(), "{case}: {}", String::from_utf8_lossy(&out.stderr));
    }
}

async fn audit(service: &Service) -> usize {
    let request = AuditRequest { filter: AuditFilter::default(), before: None, limit: 1000 };
    service.audit(&request).await.unwrap().len()
}

on_both! {
    async fn an_odd_key_is_shown_passes_nowhere_and_can_be_revoked(db) {
        let service = office(&db, preset("voxpria")).await.with_post(letter_box().1);
        let values = ODD.into_iter().map(|(column, sqlite, postgres)| (column, if db.is_postgres() { postgres } else { sqlite }));
        for (n, (column, value)) in values.filter(|(_, value)| !value.is_empty()).enumerate() {
            let case = format!("{column} = {value}");
            let (odd, sound) = (
                make_kept(&service, "acme", &format!("odd {n}")).await,
                make_kept(&service, "globex", &format!("sound {n}")).await,
            );
            let which = format!("id = {}", id_of(&db, odd.key.id));
            let table = match column {
                "name" | "description" => "keys",
                "last_used_at" => "key_use",
                _ => "key_auth",
            };
            let set = match table {
                "key_use" => used(&db, value, &which),
                _ => format!("UPDATE {table} SET {column} = {value} WHERE {which}"),
            };
            plant(&db, "keys", &set).await;
            // List, in every order and in small pages: each once, the odd one marked.
            for column in Column::ALL {
                for direction in [Direction::Ascending, Direction::Descending] {
                    let keys = all(&service, &query(""), Sort { column: *column, direction }, 9).await;
                    let mut ids: Vec<_> = keys.iter().map(|key| key.id).collect();
                    ids.sort();
                    ids.dedup();
                    assert_eq!((ids.len(), keys.len()), (2 * (n + 1), 2 * (n + 1)), "{case}, by {column:?} {direction:?}");
                    let marked = keys.iter().find(|key| key.id == odd.key.id).unwrap();
                    assert!(!marked.odd.is_empty() && marked.label().starts_with("can't be read"), "{case}");
                    let other = keys.iter().find(|key| key.id == sound.key.id).unwrap();
                    assert_eq!(other.status(Clock::System.now()), Status::Active, "{case}");
                }
            }
            for filter in ["rotation:due", "idle:1d", "expires:<30d", "used:>1d", "status:active", "violates:policy"] {
                service.count(&query(filter)).await.unwrap_or_else(|e| panic!("{case}, {filter}: {e}"));
                all(&service, &query(filter), Sort::default(), 100).await;
            }
            // Show, find by secret.
            assert_eq!(service.key(odd.key.id).await.unwrap().status(Clock::System.now()), Status::Damaged, "{case}");
            let found = service.find_keys(SentKey::exact(odd.secret.expose().as_bytes())).await.unwrap();
            assert_eq!(found.keys().map(|key| key.id).collect::<Vec<_>>(), [odd.key.id], "{case}");
            // Explained, by its record and by its secret.
            for what in [Presented::Record(odd.key.id), Presented::Sent(SentKey::exact(odd.secret.expose().as_bytes()), Carriage::Bearer)] {
                let told = service.explain(Explain { what, issuer: None, request: None, address: None }).await.unwrap();
                let refused = told.refused().map(|reason| format!("{reason:?}")).unwrap_or_default();
                assert!(refused.starts_with("Damaged"), "{case}: {refused}");
            }
            // By when they expire, as the console lists it.
            let expiring = Sort { column: Column::Expires, direction: Direction::Ascending };
            let listed = all(&service, &query("status:active,suspended,refused"), expiring, 2).await;
            assert!(listed.iter().any(|key| key.id == sound.key.id), "{case}");
            // Sweep, lists, audit.
            service.outlook().await.unwrap();
            sweep(&service).await;
            service.sweeps(10).await.unwrap();
            service.accounts("", None, 100).await.unwrap();
            assert!(audit(&service).await > 0);
            assert!(matches!(service.verify_audit(|_| ()).await.unwrap(), Verdict::Intact { .. }));
            // The gate.
            let gate = gate(&db, "east").await;
            assert!(!passes(&gate, odd.secret.hash()).await.unwrap(), "{case}: an odd key passed");
            assert!(passes(&gate, sound.secret.hash()).await.unwrap(), "{case}: a sound key was refused");
            gate.close().await;
            let (rows, count) = service.odd_rows(50).await.unwrap();
            assert_eq!(count as usize, rows.len());
            let row = rows.iter().find(|row| row.id.as_str() == odd.key.id.to_string() && row.table == table).unwrap();
            assert!(row.why.starts_with(column), "{case}: {row:?}");
            // Nothing is made from it, and it can be revoked, alone and with others.
            service.rotate_key(new_operation(), odd.key.id, keyrack::domain::expiry::Overlap::None).await.unwrap_err();
            match n % 3 {
                0 => by_filter(&db, &case),
                more => {
                    let ids = if more == 1 { vec![odd.key.id] } else { vec![odd.key.id, sound.key.id] };
                    let revoked = service.revoke_keys(new_operation(), &ids, None).await.unwrap_or_else(|e| panic!("{case}: {e}"));
                    assert!(revoked.iter().all(|one| !one.already && one.key.revoked_at.is_some()), "{case}");
                }
            }
            assert_eq!(service.key(odd.key.id).await.unwrap().status(Clock::System.now()), Status::Revoked, "{case}");
        }
    }

    async fn the_database_refuses_values_that_no_record_can_hold(db) {
        let service = office(&db, preset("voxpria")).await.with_post(letter_box().1);
        make_kept(&service, "acme", "hub").await;
        db.execute(&used(&db, "created_at", "true")).await;
        let far = if db.is_postgres() { "'infinity'" } else { "9223372036854775807" };
        for (table, column) in [
            ("key_use", "last_used_at"), ("key_auth", "first_used_at"), ("key_auth", "expires_at"), ("key_auth", "revoked_at"), ("accounts", "created_at"),
            ("issuers", "updated_at"), ("operators", "created_at"),
        ] {
            let refused = db.try_execute(&format!("UPDATE {table} SET {column} = {far}")).await.unwrap_err();
            assert!(refused.to_string().contains("check constraint") || refused.to_string().contains("CHECK"), "{refused}");
        }
        for set in ["issuers SET version = -1", "issuers SET rotation_days = 100000000", "accounts SET admins = '7'"] {
            db.try_execute(&format!("UPDATE {set}")).await.unwrap_err();
        }
        if !db.is_postgres() {
            return;
        }
        // The mark of what stood there before the checks lifts them all: nobody sets it.
        let refusal = "can't be marked as odd";
        for table in ["issuers", "accounts", "operators", "keys", "key_auth", "key_use"] {
            let refused = db.try_execute(&format!("UPDATE {table} SET odd = true")).await.unwrap_err();
            assert!(refused.to_string().contains(refusal), "{table}: {refused}");
        }
        let refused = db.try_execute(
            "INSERT INTO usage_minutes (key, minute, odd) VALUES (gen_random_uuid(), 'infinity', true)"
        ).await.unwrap_err();
        assert!(refused.to_string().contains(refusal), "{refused}");
    }

    async fn a_database_that_holds_odd_rows_is_migrated_and_they_can_be_revoked(db) {
        db.migrate_to(8).await;
        let far = if db.is_postgres() { "'infinity'" } else { "9223372036854775807" };
        let now = if db.is_postgres() { "now()" } else { "1800000000000000" };
        let id = new_operation();
        let (key, hash, policy) = (id_of(&db, id), if db.is_postgres() { format!("'\\x{}'::bytea", "ab".repeat(32)) } else { format!("x'{}'", "ab".repeat(32)) },
            serde_json::to_string(&preset("voxpria")).unwrap().replace('\'', "''"));
        let empty = if db.is_postgres() { "'{}'" } else { "''" };
        db.execute(&format!(
            "INSERT INTO issuers (slug, policy, version, updated_at) VALUES ('voxpria', '{policy}', 1, {far}); \
             INSERT INTO accounts (slug, issuer, name, search, admins, standing, created_at) VALUES ('acme', 'voxpria', 'Acme', 'acme', '[]', 'good', {far}); \
             INSERT INTO keys (id, account, issuer, name, name_key, description, search, preview, tail, hash, scopes, allow, created_at, created_by, expires_at, claim_by, acknowledged_at) \
             VALUES ({key}, 'acme', 'voxpria', 'old', 'old', '', 'old', 'vx_••••••••abcd', 'abcd', {hash}, '', {empty}, {now}, 'ada', {far}, {far}, {now})"
        )).await;
        let service = db.open().await;
        let keys = all(&service, &query(""), Sort::default(), 10).await;
        assert!(keys[0].id == id && keys[0].odd.contains("expires_at"), "{keys:?}");
        let revoked = service.revoke_keys(new_operation(), &[id], None).await.unwrap();
        assert!(revoked[0].key.revoked_at.is_some());
        // What is odd can't become so again, but for the rows that were.
        db.try_execute(&format!("UPDATE operators SET created_at = {far}")).await.unwrap_err();
        service.set_standing(new_operation(), "acme", keyrack::domain::account::Standing::Suspended).await.unwrap();
    }

    async fn odd_rows_of_other_tables_hide_nothing(db) {
        let service = office(&db, preset("voxpria")).await.with_post(letter_box().1);
        service.apply_policy(new_operation(), preset("voicegram")).await.unwrap();
        let made = make_kept(&service, "acme", "hub").await;
        let far = if db.is_postgres() { "'infinity'" } else { "9223372036854775807" };
        let now = if db.is_postgres() { "now()" } else { "1800000000000000" };
        plant(&db, "accounts", &format!("UPDATE accounts SET created_at = {far}, admins = '7' WHERE slug = 'globex'")).await;
        plant(&db, "issuers", "UPDATE issuers SET policy = '{\"no\": 1}' WHERE slug = 'voicegram'").await;
        plant(&db, "operators", &format!("UPDATE operators SET created_at = {far}")).await;
        plant(&db, "alerts", &format!(
            "INSERT INTO alerts (kind, subject, hour, raised_at, gate, detail) VALUES ('spike', 'x', {far}, {now}, 'east', 'none')"
        )).await;
        plant(&db, "sweeps", &format!(
            "INSERT INTO sweeps (id, door, begun_by, host, began_at, alive_until) VALUES ({}, 'nowhere', 'ada', 'desk', {far}, {far})",
            id_of(&db, new_operation())
        )).await;
        plant(&db, "gates", &format!(
            "INSERT INTO gates (id, name, host, listen, version, lease_ms, began_at, beat_at, applied_seq, applied_at) \
             VALUES ({}, 'old', 'desk', ':1', '0', 500, {far}, {now}, 0, {far})",
            id_of(&db, new_operation())
        )).await;
        plant(&db, "reminders", &format!(
            "INSERT INTO reminders (id, key, account, days_before, expires_at, due_at, state, created_at, changed_at) \
             VALUES ({}, {}, 'acme', 7, {far}, {far}, 'lost', {far}, {far})",
            id_of(&db, new_operation()), id_of(&db, made.key.id)
        )).await;
        let accounts = service.accounts("", None, 10).await.unwrap();
        assert_eq!(accounts.len(), 2);
        assert!(accounts.iter().any(|one| one.account.slug == "globex" && one.account.label().starts_with("can't be read")));
        let issuers = service.issuers().await.unwrap();
        assert!(issuers.iter().any(|one| one.slug == "voicegram" && !one.policy.odd.is_empty()));
        assert!(issuers.iter().any(|one| one.slug == "voxpria" && one.policy.odd.is_empty()));
        assert_eq!(service.operators().await.unwrap().len(), 1);
        assert_eq!(service.alerts(&AlertRequest { limit: 10, ..Default::default() }).await.unwrap().len(), 1);
        assert_eq!(service.sweeps(10).await.unwrap().len(), 1);
        assert_eq!(service.reminders_of(&[made.key.id]).await.unwrap().len(), 1);
        service.gates().await.unwrap();
        service.outbox().await.unwrap();
        sweep(&service).await;
        let gate = gate(&db, "east").await;
        assert!(passes(&gate, made.secret.hash()).await.unwrap());
        gate.close().await;
        let (rows, _) = service.odd_rows(50).await.unwrap();
        for table in ["accounts", "issuers", "operators", "alerts", "sweeps", "reminders"] {
            assert!(rows.iter().any(|row| row.table == table), "{table}: {rows:?}");
        }
        service.create_key(crate::support::people::wanted("globex", "more")).await.unwrap();
        service.revoke_keys(new_operation(), &[made.key.id], None).await.unwrap();
        // The commands tell of all of them.
        let home = tempfile::tempdir().unwrap();
        let out = run(home.path(), ["--db", &db.address(), "doctor"]);
        let words = String::from_utf8_lossy(&out.stdout).into_owned();
        assert!(words.contains("accounts globex can't be read"), "{words}");
        for list in [["account", "list"], ["issuer", "list"], ["operator", "list"], ["alerts", "list"], ["reminders", "list"], ["reminders", "sweeps"], ["audit", "list"], ["key", "list"]] {
            let out = keyrack(home.path(), ["--db", &db.address()]).args(list).output().unwrap();
            assert!(out.status.success(), "{list:?}: {}", String::from_utf8_lossy(&out.stderr));
        }
    }

    async fn ids_that_are_none_end_no_list_of_small_pages(db) {
        if db.is_postgres() {
            // Its type takes no other.
            return;
        }
        let service = office(&db, preset("voxpria")).await;
        let mut keys = Vec::new();
        for n in 0..7 {
            keys.push(make_kept(&service, "acme", &format!("key {n}")).await.key.id);
        }
        for (n, id) in [(2, "x'01'"), (4, "x''"), (5, "x'ffffffffffffffffffffffffffffffffff'")] {
            for table in ["key_auth", "keys"] {
                plant(&db, "keys", &format!("UPDATE {table} SET id = {id} WHERE id = {}", id_of(&db, keys[n]))).await;
            }
        }
        for column in Column::ALL {
            for direction in [Direction::Ascending, Direction::Descending] {
                for page in [1, 2, 3] {
                    let sort = Sort { column: *column, direction };
                    let every = query("");
                    let listing = all(&service, &every, sort, page);
                    let listed = tokio::time::timeout(std::time::Duration::from_secs(20), listing).await;
                    let listed = listed.unwrap_or_else(|_| panic!("no end by {column:?} {direction:?} in pages of {page}"));
                    let sound = listed.iter().filter(|key| key.odd.is_empty()).count();
                    assert_eq!((listed.len(), sound), (7, 4), "by {column:?} {direction:?} in pages of {page}");
                }
            }
        }
    }

    async fn an_odd_row_of_the_audit_is_listed_and_told_by_verify(db) {
        let service = office(&db, preset("voxpria")).await.with_post(letter_box().1);
        let before = audit(&service).await;
        let far = if db.is_postgres() { "'infinity'" } else { "9223372036854775807" };
        plant(&db, "audit", &format!("UPDATE audit SET at = {far} WHERE seq = 2")).await;
        assert_eq!(audit(&service).await, before);
        assert!(matches!(service.verify_audit(|_| ()).await.unwrap(), Verdict::Broken { seq: 2, .. }));
        assert!(service.odd_rows(5).await.unwrap().0.iter().any(|row| row.table == "audit" && row.id.as_str() == "2"));
        // A gate reads it too, and goes on with what comes after it.
        let gate = gate(&db, "east").await;
        let made = make_kept(&service, "acme", "hub").await;
        assert!(passes(&gate, made.secret.hash()).await.unwrap() && gate.broken().is_none());
        gate.close().await;
    }
}

#[test]
fn a_cursor_at_an_odd_place_has_a_text_form() {
    let cursor = keyrack::domain::query::Cursor {
        value: keyrack::domain::query::CursorValue::AsStored,
        id: uuid::Uuid::from_str("0192f000-1111-7222-8333-0123456789ab").unwrap(),
        odd_id: None,
    };
    assert_eq!(keyrack::domain::query::Cursor::parse(&cursor.to_string()), Ok(cursor));
}
