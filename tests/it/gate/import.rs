//! KR-15: keys that another product made move in, and pass at a gate the same minute; what was stolen of their hashes does not.

use std::path::{Path, PathBuf};

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use keyrack::domain::issuer::{Former, Hashing, Policy};
use keyrack::domain::operator::Role;
use keyrack::domain::secret::PlainKey;
use keyrack::service::new_operation;
use serde_json::{Value, json};
use sha2::{Digest, Sha256, Sha512};

use crate::support::database::Database;
use crate::support::gate::Gate;
use crate::support::people::{OWNER, office, preset};
use crate::support::script::{Script, text, texts};

mod peppers;

fn policy(former: &[(&str, Option<u16>, Hashing)]) -> Policy {
    let mut policy = preset("voxpria");
    policy.caps = Default::default();
    let form = |(prefix, length, hash): &(&str, Option<u16>, Hashing)| Former {
        prefix: (*prefix).into(),
        length: *length,
        hash: *hash,
    };
    policy.format.former = former.iter().map(form).collect();
    policy
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import").join(name)
}

/// The secrets that a real package gave out, by the names of their keys.
fn secrets(name: &str) -> Vec<(String, String)> {
    let keys: serde_json::Map<String, Value> =
        serde_json::from_str(&std::fs::read_to_string(fixture(name)).unwrap()).unwrap();
    keys.into_iter().map(|(name, key)| (name, key.as_str().unwrap().to_owned())).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn status(gate: &Gate, key: &str) -> u16 {
    gate.me(&PlainKey::from_input(key)).status
}

fn counts(told: &Value) -> [u64; 3] {
    let refused = told["refused"].as_array().unwrap().len() as u64;
    [told["imported"].as_u64().unwrap(), told["existing"].as_u64().unwrap(), refused]
}

async fn keys_there(db: &Database) -> i64 {
    db.number("SELECT count(*) FROM key_auth").await
}

on_both! {
    async fn kr_15_real_exports_move_in_and_their_keys_pass(db) {
        let own = [
            ("acme_", None, Hashing::Sha256), ("", Some(64), Hashing::Sha256), ("", Some(41), Hashing::Sha512),
        ];
        office(&db, policy(&own)).await;
        let (keyrack, gate) = (Script::on(&db), Gate::start(&db, &[]));
        for (form, keys, tables, lives) in [
            ("drf", "drf.keys", ["drf.sqlite", "drf.json"], ["Billing", "Reports", ""]),
            ("better-auth", "better-auth.keys", ["better-auth.json", "better-auth.sqlite"], ["Nightly export", "Short-lived", "Reader"]),
        ] {
            let lives: Vec<&str> = lives.into_iter().filter(|name| !name.is_empty()).collect();
            let wanted = lives.len() as u64;
            for (place, table) in tables.iter().enumerate() {
                let table = fixture(table);
                let args = ["import", form, table.to_str().unwrap(), "--account", "acme"];
                let before = keys_there(&db).await;
                let dry = keyrack.json(&[&args[..], &["--dry-run"]].concat());
                assert_eq!(keys_there(&db).await, before, "{form}: a dry run");
                let told = keyrack.json(&args);
                assert_eq!(dry, told, "{form}");
                assert_eq!(counts(&told), if place == 0 { [wanted, 0, 0] } else { [0, wanted, 0] }, "{table:?}: {told}");
                assert_eq!(told["ended"], 1);
            }
            for (name, secret) in secrets(keys) {
                let lives = lives.contains(&name.as_str());
                assert_eq!(status(&gate, &secret), if lives { 200 } else { 401 }, "{form} {name}");
                let of_256 = Sha256::digest(&secret);
                let of_512 = hex(&Sha512::digest(&secret));
                for stolen in [hex(&of_256), Base64::encode_string(&of_256), Base64UrlUnpadded::encode_string(&of_256), of_512] {
                    assert_eq!(status(&gate, &stolen), 401, "{form} {name}");
                    assert_eq!(status(&gate, &format!("acme_{stolen}")), 401, "{form} {name}");
                }
                if lives {
                    let found: Value = serde_json::from_slice(&keyrack.run_with_input(&["key", "find", "--json"], &secret).stdout).unwrap();
                    assert_eq!(found.as_array().map_or(&found["name"], |keys| &keys[0]["name"]), &json!(name), "{found}");
                }
            }
        }
        let keys = keyrack.keys("status:active");
        assert_eq!(keys.len(), 5, "{keys:?}");
        let previews: Vec<&str> = keys.iter().map(|key| text(key, "preview")).collect();
        assert!(previews.contains(&"acme_••••••••") && previews.contains(&"••••••••"), "{previews:?}");
        assert_eq!(keyrack.json(&["audit", "list", "--filter", "action:key.import"]).as_array().unwrap().len(), 5);
        keyrack.ok(&["audit", "verify"]);
    }

    async fn kr_15_a_sanctum_table_and_plain_hashes_move_in(db) {
        let own = [("", Some(48), Hashing::Sanctum), ("sk_", None, Hashing::Sha512), ("pk_", Some(35), Hashing::Sha256)];
        office(&db, policy(&own)).await;
        let (keyrack, gate) = (Script::on(&db), Gate::start(&db, &[]));
        let token = |n: u32| {
            let random = hex(&Sha256::digest(n.to_be_bytes()))[..40].to_owned();
            format!("{random}{}", hex(&crc32fast::hash(random.as_bytes()).to_be_bytes()))
        };
        let mut table = "id,tokenable_type,tokenable_id,name,token,abilities,last_used_at,expires_at,created_at,updated_at\n".to_owned();
        for n in 1..=3 {
            let hash = hex(&Sha256::digest(token(n)));
            table.push_str(&format!("{n},App\\Models\\User,{n},phone {n},{hash},\"[\"\"*\"\"]\",2026-01-02 03:04:05,,2025-01-01 00:00:00,\n"));
        }
        let told = keyrack.run_with_input(&["import", "sanctum", "-", "--account", "acme"], &table);
        assert_eq!(texts(&told), (String::new(), "3 keys imported into acme.\n".into()));
        for n in 1..=3 {
            for sent in [format!("{n}|{}", token(n)), token(n)] {
                assert_eq!(status(&gate, &sent), 200, "{sent}");
            }
            let stolen = hex(&Sha256::digest(token(n)));
            for sent in [format!("{n}|{stolen}"), stolen.clone(), format!("{n}|{}", &stolen[..48]), format!("x|{}", token(n))] {
                assert_eq!(status(&gate, &sent), 401, "{sent}");
            }
        }
        let (one, two) = (format!("sk_{}", token(8)), format!("pk_{}", &token(9)[..32]));
        let rows = format!("{{\"sha512\":\"{}\",\"name\":\"one\",\"prefix\":\"sk_\"}}\n", hex(&Sha512::digest(&one)));
        let told = keyrack.run_with_input(&["import", "sha512", "-", "--account", "acme", "--json"], &rows);
        assert_eq!(counts(&serde_json::from_slice(&told.stdout).unwrap()), [1, 0, 0]);
        let rows = json!([{ "digest": Base64::encode_string(&Sha256::digest(&two)), "title": "two", "start": "pk_", "until": 4_102_444_800_u64 }]);
        let args = ["import", "sha256", "-", "--account", "acme", "--json", "--map", "hash=digest", "--map", "name=title", "--map", "expires=until"];
        let told = keyrack.run_with_input(&args, rows.to_string());
        assert_eq!(counts(&serde_json::from_slice(&told.stdout).unwrap()), [1, 0, 0], "{told:?}");
        for key in [&one, &two] {
            assert_eq!(status(&gate, key), 200, "{key}");
        }
        assert_eq!(status(&gate, &format!("{two}0")), 401, "another length");
        let shown = keyrack.keys("two");
        assert_eq!((text(&shown[0], "preview"), text(&shown[0], "expires_at")), ("pk_••••••••", "2100-01-01T00:00:00Z"));
        // Used here too, and again after the gate has forgotten it.
        drop(gate);
        let gate = Gate::start(&db, &[]);
        assert_eq!(status(&gate, &one), 200);
        let revoked = keyrack.keys("one")[0].clone();
        keyrack.ok(&["key", "revoke", text(&revoked, "id"), "--yes"]);
        assert_eq!(status(&gate, &one), 401);
        keyrack.ok(&["audit", "verify"]);
    }

    async fn kr_15_thousands_move_in_together(db) {
        let mut policy = policy(&[("sk_", None, Hashing::Sha256)]);
        policy.caps.creations_per_minute = Some(10);
        let service = office(&db, policy).await;
        let keyrack = Script::on(&db);
        keyrack.create("globex", "from before");
        let secret = |n: u32| format!("sk_{}", hex(&Sha256::digest(n.to_be_bytes())));
        let rows = (0..5_000).map(|n| format!("{},key {n},2026-01-0{} 00:00:00\n", hex(&Sha256::digest(secret(n))), 1 + n % 9));
        let table = rows.fold("hash,name,last_used_at\n".to_owned(), |all, row| all + &row);
        let told = keyrack.run_with_input(&["import", "sha256", "-", "--account", "acme", "--json"], &table);
        assert_eq!(counts(&serde_json::from_slice(&told.stdout).unwrap()), [5_000, 0, 0], "{told:?}");
        // Each is found by every index that there was before.
        keyrack.ok(&["audit", "verify"]);
        assert_eq!(keyrack.keys("\"key 4321\"").len(), 1);
        for sort in ["name:asc", "used:desc", "created:asc", "expires:asc", "preview:asc", "status:asc"] {
            let args = ["key", "list", "--filter", "account:acme", "--sort", sort, "--limit", "0"];
            assert_eq!(keyrack.json(&args).as_array().unwrap().len(), 5_000, "{sort}");
        }
        let gate = Gate::start(&db, &[]);
        for n in [0, 2_500, 4_999] {
            assert_eq!(status(&gate, &secret(n)), 200);
        }
        drop(service);
        // A second table of the size of the first makes no index anew.
        let again = keyrack.run_with_input(&["import", "sha256", "-", "--account", "acme", "--json"], &table);
        assert_eq!(counts(&serde_json::from_slice(&again.stdout).unwrap()), [0, 5_000, 0]);
        // They were not made here: whoever makes one now is not too fast.
        keyrack.create("acme", "made here");
    }

    async fn kr_15_short_token_and_hash_move_in(db) {
        office(&db, policy(&[("mycompany_", None, Hashing::Prefixed)])).await;
        let (keyrack, gate) = (Script::on(&db), Gate::start(&db, &[]));
        let (short, long) = ("BRTRKFsL", "51FwqftsmMDHHbJAMEXXHCgG");
        let hash = hex(&Sha256::digest(long));
        let row = json!([{ "shortToken": short, "longTokenHash": hash, "prefix": "mycompany_", "name": "Seam" }]);
        let told = keyrack.run_with_input(&["import", "prefixed", "-", "--account", "acme"], row.to_string());
        assert!(told.status.success(), "{told:?}");
        assert_eq!(status(&gate, &format!("mycompany_{short}_{long}")), 200);
        for sent in [
            format!("mycompany_{short}_{hash}"), format!("mycompany_other_{long}"), long.to_owned(), hash.clone(),
            format!("mycompany_{long}"), format!("other_{short}_{long}"),
        ] {
            assert_eq!(status(&gate, &sent), 401, "{sent}");
        }
        assert_eq!(text(&keyrack.keys("Seam")[0], "description"), format!("Imported from prefixed, begins with {short}"));
        keyrack.ok(&["audit", "verify"]);
    }

    async fn kr_15_a_row_in_error_is_told_and_nothing_is_half_imported(db) {
        let mut own = policy(&[("sk_", None, Hashing::Sha256)]);
        own.caps.active_keys = Some(4);
        let service = office(&db, own).await;
        let keyrack = Script::on(&db);
        let hash = |n: u32| hex(&Sha256::digest(n.to_be_bytes()));
        let table = format!(
            "hash,name,expires_at,scopes\n{},one,,\n{},two,tomorrow,\nnothing,three,,\n{},four,2001-01-01,\n{},one again,,\n{},five,,calls:fly\n",
            hash(1), hash(2), hash(4), hash(1), hash(5)
        );
        let args = ["import", "sha256", "-", "--account", "acme", "--json"];
        let refused = keyrack.run_with_input(&args, &table);
        assert_eq!(refused.status.code(), Some(5), "{refused:?}");
        let told: Value = serde_json::from_slice(&refused.stdout).unwrap();
        assert_eq!(counts(&told), [0, 0, 4], "{told}");
        let lines: Vec<u64> = told["refused"].as_array().unwrap().iter().map(|row| row["line"].as_u64().unwrap()).collect();
        assert_eq!(lines, [3, 4, 6, 7]);
        assert!(text(&told["refused"][3], "why").contains("no scope calls:fly"), "{told}");
        assert!(texts(&refused).1.contains("4 rows have errors, so nothing was imported"), "{refused:?}");
        assert_eq!(keys_there(&db).await, 0);
        let skipped = keyrack.run_with_input(&[&args[..], &["--skip-errors"]].concat(), &table);
        assert_eq!(counts(&serde_json::from_slice(&skipped.stdout).unwrap()), [1, 0, 4], "{skipped:?}");
        // The key of another account is not theirs.
        let elsewhere = ["import", "sha256", "-", "--account", "globex", "--json"];
        let told = keyrack.run_with_input(&elsewhere, format!("hash\n{}\n", hash(1)));
        assert!(told.status.code() == Some(5) && texts(&told).0.contains("account acme has this key already"), "{told:?}");
        // Caps hold: one key is there.
        let many = (10..14).map(hash).fold("hash\n".to_owned(), |all, hash| all + &hash + "\n");
        let capped = keyrack.run_with_input(&args[..5], &many);
        assert!(capped.status.code() == Some(5) && texts(&capped).1.contains("its limit is 4"), "{capped:?}");
        assert_eq!(keys_there(&db).await, 1);
        // Without a form of the policy no gate would ask for them.
        let formless = keyrack.run_with_input(&["import", "drf", "-", "--account", "acme"], format!("hashed_key\nsha512$${}\n", hex(&Sha512::digest("x"))));
        assert!(formless.status.code() == Some(5) && texts(&formless).1.contains("former = [{ length = 41"), "{formless:?}");
        service.set_operator(new_operation(), "grace", Role::Admin).await.unwrap();
        for role in ["operator", "viewer"] {
            db.execute(&format!("UPDATE operators SET role = '{role}' WHERE name <> 'grace'")).await;
            let refused = keyrack.run_with_input(&args[..5], format!("hash\n{}\n", hash(20)));
            assert_eq!(refused.status.code(), Some(4), "{refused:?}");
            assert_eq!(keyrack.run(&["export", "all"]).status.code(), Some(4));
            assert!(!db.dir().join("all").exists());
        }
        assert_eq!(keys_there(&db).await, 1);
        if db.is_postgres() {
            // Past the program an operator gets none in either.
            db.execute(&format!("UPDATE operators SET role = 'operator' WHERE name = '{OWNER}'")).await;
            let plant = "INSERT INTO key_auth (id, account, issuer, hash, scopes, allow, created_at, claim_by, acknowledged_at, imported_from) \
                 SELECT gen_random_uuid(), account, issuer, sha256('planted'), scopes, allow, t, t + interval '10 minutes', t, 'sha256' \
                 FROM key_auth, (SELECT clock_timestamp() AS t) AS c LIMIT 1; \
                 INSERT INTO keys (id, name, name_key, description, search, preview, tail, created_by) SELECT k.id, 'p', 'p', '', 'p', 'sk_••••••••', '', \
                 session_user FROM key_auth k WHERE k.hash = sha256('planted')";
            use sqlx::Connection as _;
            let mut psql = sqlx::PgConnection::connect(&db.address()).await.unwrap();
            let refused = sqlx::raw_sql(plant).execute(&mut psql).await.unwrap_err().to_string();
            assert!(refused.contains("to import keys takes admin"), "{refused}");
        }
    }

    async fn kr_15_what_was_exported_moves_in_elsewhere(db) {
        let service = office(&db, policy(&[("sk_", None, Hashing::Sha256)])).await;
        let keyrack = Script::on(&db);
        let made = keyrack.json(&["key", "create", "-a", "acme", "-n", "own", "--scope", "calls:read", "--allow", "127.0.0.0/8", "--tag", "prod"]);
        keyrack.ok(&["key", "confirm", text(&made, "id")]);
        keyrack.ok(&["key", "create", "-a", "globex", "-n", "theirs"]);
        keyrack.ok(&["export", "all.ndjson"]);
        let file = db.dir().join("all.ndjson");
        let written = std::fs::read_to_string(&file).unwrap();
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!written.contains(text(&made, "secret")) && written.ends_with("{\"keys\":2,\"kind\":\"end\"}\n"), "{written}");
        assert_eq!(keyrack.refused(2, &["export", "all.ndjson"]).matches("can't be created").count(), 1);
        assert_eq!(keyrack.json(&["audit", "list", "--filter", "action:export.write"]).as_array().unwrap().len(), 1);
        drop(service);

        let elsewhere = if db.is_postgres() { Database::postgres().await.unwrap() } else { Database::sqlite() };
        office(&elsewhere, policy(&[])).await;
        let there = Script::on(&elsewhere);
        let args = ["import", "keyrack", file.to_str().unwrap(), "--account", "globex", "--from-account", "acme"];
        assert_eq!(counts(&there.json(&args)), [1, 0, 0]);
        let key = &there.keys("own")[0];
        for (field, wanted) in [("scopes", json!(["calls:read"])), ("allow", json!(["127.0.0.0/8"])), ("tags", json!(["prod"]))] {
            assert_eq!(key[field], wanted, "{key}");
        }
        assert_eq!(key["preview"], made["preview"]);
        let gate = Gate::start(&elsewhere, &[]);
        assert_eq!(status(&gate, text(&made, "secret")), 200);
        let stolen = written.lines().find(|line| line.contains("\"own\"")).unwrap();
        let stolen: Value = serde_json::from_str(stolen).unwrap();
        assert_eq!(status(&gate, text(&stolen, "hash")), 401);
        there.ok(&["audit", "verify"]);
    }
}

#[test]
fn kr_15_an_import_goes_on_where_the_servers_clock_was_set_back() {
    crate::support::database::run_on_postgres("kr_15_an_import_goes_on", |db| async move {
        office(&db, policy(&[("sk_", None, Hashing::Sha256)])).await;
        db.execute_past_triggers("audit", "UPDATE audit SET at = at + interval '20 minutes'").await;
        let keyrack = Script::on(&db);
        let table =
            format!("hash,name,prefix,last_used_at\n{},back,sk_,2026-01-01\n", hex(&Sha256::digest("x")));
        let told = keyrack.run_with_input(&["import", "sha256", "-", "--account", "acme"], &table);
        assert!(told.status.success() && texts(&told).1.contains("1 key imported into acme"), "{told:?}");
    });
}
