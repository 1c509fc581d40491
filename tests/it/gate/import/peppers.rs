//! KR-15: peppers. Keys are hashed with a key that is not in the database, are found by who has it, and a missing one is told.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use keyrack::domain::issuer::{Former, Hashing};
use keyrack::domain::secret::PlainKey;
use serde_json::{Value, json};

use crate::support::database::Database;
use crate::support::gate::Gate;
use crate::support::people::{office, preset};
use crate::support::script::{Script, text, texts};

const FIRST: &str = "the first pepper of this test";
const SECOND: &str = "the second pepper of this test";

/// A folder with these peppers.
fn folder(db: &Database, name: &str, peppers: &[(&str, &str)]) -> String {
    let folder = db.dir().join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir(&folder).unwrap();
    for (version, pepper) in peppers {
        let file: PathBuf = folder.join(version);
        std::fs::write(&file, pepper).unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    }
    folder.to_str().unwrap().to_owned()
}

fn status(gate: &Gate, key: &str) -> u16 {
    gate.me(&PlainKey::from_input(key)).status
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hmac(pepper: &str, secret: &str) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(pepper.as_bytes()).unwrap();
    mac.update(secret.as_bytes());
    hex(&mac.finalize().into_bytes())
}

fn sha256(secret: &str) -> String {
    use sha2::Digest;
    hex(&sha2::Sha256::digest(secret))
}

/// The stored hashes, in hexadecimal.
fn exported(keyrack: &Script<'_>, db: &Database) -> Vec<Value> {
    let file = db.dir().join("exported.ndjson");
    let _ = std::fs::remove_file(&file);
    keyrack.ok(&["export", file.to_str().unwrap()]);
    let lines = std::fs::read_to_string(&file).unwrap();
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &Value| line["kind"] == "key")
        .collect()
}

on_both! {
    async fn kr_15_keys_are_hashed_with_a_pepper_and_pass_where_it_is(db) {
        office(&db, preset("voxpria")).await;
        let keyrack = Script::on(&db);
        let before = keyrack.create("acme", "before");
        keyrack.ok(&["key", "confirm", text(&before, "id")]);
        let peppers = folder(&db, "peppers", &[("v1", FIRST)]);
        let make = |name: &str| {
            let made = keyrack.json(&["key", "create", "-a", "acme", "-n", name, "--peppers", &peppers]);
            keyrack.ok(&["key", "confirm", text(&made, "id")]);
            made
        };
        let one = make("one");
        let secret = text(&one, "secret");
        let gate = Gate::start(&db, &["--peppers", &peppers]);
        for key in [&before, &one] {
            assert_eq!(status(&gate, text(key, "secret")), 200);
        }
        // What the database keeps is no hash that can be made without the pepper, and opens nothing.
        let stored = exported(&keyrack, &db);
        let of = |name: &str| stored.iter().find(|key| key["name"] == name).unwrap();
        assert!(text(of("one"), "scheme").starts_with("hmac-sha256 pepper v1 "), "{stored:?}");
        assert_eq!(of("before")["scheme"], "sha256");
        assert_ne!(text(of("one"), "hash"), sha256(secret));
        for stolen in [text(of("one"), "hash"), &hmac(FIRST, secret), &sha256(secret)] {
            assert_eq!(status(&gate, stolen), 401);
            assert_eq!(status(&gate, &format!("vx_{stolen}")), 401);
        }
        assert_eq!(status(&Gate::start(&db, &[]), secret), 401);
        // Who looks for it by its secret needs the pepper, and is told so.
        let find = |more: &[&str]| keyrack.run_with_input(&[&["key", "find", "--json"], more].concat(), secret);
        assert!(texts(&find(&["--peppers", &peppers])).0.contains("\"one\""));
        let unfound = find(&[]);
        assert!(!unfound.status.success() && texts(&unfound).1.contains("Pepper v1 is missing"), "{unfound:?}");
        let log = db.dir().join("app.log");
        std::fs::write(&log, format!("2026 INFO key={secret} used\n")).unwrap();
        let sweep = |more: &[&str]| keyrack.run(&[&["leak", "sweep", log.to_str().unwrap(), "--json"], more].concat());
        assert!(texts(&sweep(&["--peppers", &peppers])).0.contains("\"one\""));
        let (found, said) = texts(&sweep(&[]));
        assert!(!found.contains("\"one\"") && said.contains("pepper v1 is missing"), "{found}{said}");
        // A second version is used for new keys and for replacements; the first goes on being checked.
        let both = folder(&db, "both", &[("v1", FIRST), ("v2", SECOND)]);
        let two = keyrack.json(&["key", "create", "-a", "acme", "-n", "two", "--peppers", &both]);
        let gate = Gate::start(&db, &["--peppers", &both]);
        for key in [&before, &one, &two] {
            assert_eq!(status(&gate, text(key, "secret")), 200);
        }
        let replaced = keyrack.json(&["key", "rotate", text(&one, "id"), "--overlap", "none", "--yes", "--peppers", &both]);
        assert_eq!((status(&gate, text(&replaced, "secret")), status(&gate, secret)), (200, 401));
        let schemes: Vec<String> = exported(&keyrack, &db).iter().map(|key| text(key, "scheme").to_owned()).collect();
        assert_eq!(schemes.iter().filter(|scheme| scheme.starts_with("hmac-sha256 pepper v2 ")).count(), 2, "{schemes:?}");
        let verified = keyrack.ok(&["audit", "verify"]);
        assert!(!verified.contains("hashed by"), "{verified}");
    }

    async fn kr_15_a_missing_pepper_is_told_and_nothing_is_made_without_it(db) {
        office(&db, preset("voxpria")).await;
        let keyrack = Script::on(&db);
        let both = folder(&db, "both", &[("v1", FIRST), ("v2", SECOND)]);
        let old = folder(&db, "old", &[("v1", FIRST)]);
        let make = |name: &str, peppers: &str| {
            let made = keyrack.json(&["key", "create", "-a", "acme", "-n", name, "--peppers", peppers]);
            keyrack.ok(&["key", "confirm", text(&made, "id")]);
            made
        };
        let (one, two) = (make("one", &old), make("two", &both));
        let create = ["key", "create", "-a", "acme", "-n", "three"];
        let newer = folder(&db, "newer", &[("v2", SECOND)]);
        let other = folder(&db, "other", &[("v1", "another pepper in its place"), ("v2", SECOND)]);
        for (more, why) in [
            (&[][..], "pepper v2 is missing"),
            (&["--peppers", &old], "pepper v2 is missing"),
            (&["--peppers", &other], "pepper v1 isn't the one that keys were hashed with"),
        ] {
            let refused = keyrack.refused(5, &[&create[..], more].concat());
            assert!(refused.contains(why) && refused.contains("--peppers DIR"), "{refused}");
            let refused = keyrack.refused(5, &[&["key", "rotate", text(&two, "id"), "--yes"][..], more].concat());
            assert!(refused.contains(why), "{refused}");
        }
        for (peppers, why) in [(&newer, "pepper v1 is missing"), (&other, "pepper v1 isn't the one that keys were hashed with")] {
            let mut gate = Gate::start(&db, &["--peppers", peppers]);
            assert!(gate.log().contains(why), "{}", gate.log());
            let unknown = gate.me(&PlainKey::make("vx_", keyrack::domain::secret::Body::Base62Checksum, &[7; 32])).without_date();
            assert_eq!(gate.me(&PlainKey::from_input(text(&one, "secret"))).without_date(), unknown);
            assert_eq!((unknown.status, status(&gate, text(&two, "secret"))), (401, 200));
            gate.wait_for_log("reason=\"pepper-missing\"");
            for (args, input) in [(&["explain", text(&one, "id")][..], ""), (&["explain"], text(&one, "secret"))] {
                let told = keyrack.run_with_input(&[args, &["--peppers", peppers]].concat(), input);
                assert!(!told.status.success() && texts(&told).0.contains(why), "{told:?}");
            }
            let doctor = keyrack.run(&["doctor", "--peppers", peppers]);
            let (found, cures) = texts(&doctor);
            assert!(!doctor.status.success() && found.contains(why) && found.contains("1 living key"), "{found}{cures}");
            assert!(cures.contains("put its file back"), "{cures}");
        }
        let well = texts(&keyrack.run(&["doctor", "--peppers", &both])).0;
        assert!(well.contains("pepper v2 is here, for 1 living key") && well.contains("pepper v1 is here, for 1 living key"), "{well}");
        // What others can read is no pepper; everything else goes on.
        std::fs::set_permissions(db.dir().join("both/v1"), Permissions::from_mode(0o644)).unwrap();
        let exposed = ["--peppers", both.as_str()];
        assert!(keyrack.refused(5, &[&create[..], &exposed].concat()).contains("can be read or changed by others"));
        let gate = keyrack.run(&[&["gate", "--listen", "127.0.0.1:0"][..], &exposed].concat());
        assert!(gate.status.code() == Some(2) && texts(&gate).1.contains("can be read or changed by others"), "{gate:?}");
        keyrack.ok(&[&["key", "revoke", text(&one, "id"), "--yes"][..], &exposed].concat());
        // Nobody misses a pepper that no living key needs.
        let gate = Gate::start(&db, &["--peppers", &newer]);
        assert!(!gate.log().contains("pepper v1"), "{}", gate.log());
        let three = ["v1", "v2", "v3"].map(|version| (version, FIRST));
        let many = folder(&db, "many", &three);
        assert!(keyrack.refused(5, &[&create[..], &["--peppers", &many]].concat()).contains("at most 2 are used"));
    }

    async fn kr_15_peppered_hashes_of_another_product_move_in_and_out(db) {
        let mut policy = preset("voxpria");
        policy.caps = Default::default();
        policy.format.former = vec![Former { prefix: "sk_".into(), length: None, hash: Hashing::HmacSha256 }];
        office(&db, policy.clone()).await;
        let keyrack = Script::on(&db);
        let peppers = folder(&db, "peppers", &[("v1", FIRST)]);
        let key = "sk_0123456789abcdef0123456789abcdef";
        let table = format!("hash,name,prefix\n{},theirs,sk_\n", hmac(FIRST, key));
        let args = ["import", "sha256", "-", "-a", "acme", "--json", "--pepper", "v1"];
        let lost = keyrack.run_with_input(&args, &table);
        assert!(lost.status.code() == Some(5) && texts(&lost).1.contains("pepper v1 is missing here"), "{lost:?}");
        let told = keyrack.run_with_input(&[&args[..], &["--peppers", &peppers]].concat(), &table);
        assert!(texts(&told).0.contains("\"imported\": 1"), "{told:?}");
        let gate = Gate::start(&db, &["--peppers", &peppers]);
        assert_eq!(status(&gate, key), 200);
        for stolen in [hmac(FIRST, key), format!("sk_{}", hmac(FIRST, key)), format!("sk_{}", sha256(key))] {
            assert_eq!(status(&gate, &stolen), 401);
        }
        let sanctum = keyrack.run_with_input(&["import", "sanctum", "-", "-a", "acme", "--pepper", "v1", "--peppers", &peppers], &table);
        assert!(sanctum.status.code() == Some(5) && texts(&sanctum).1.contains("leave out --pepper"), "{sanctum:?}");
        keyrack.ok(&["audit", "verify"]);

        let elsewhere = if db.is_postgres() { Database::postgres().await.unwrap() } else { Database::sqlite() };
        office(&elsewhere, policy).await;
        exported(&keyrack, &db);
        let file = db.dir().join("exported.ndjson");
        let there = Script::on(&elsewhere);
        let args = ["import", "keyrack", file.to_str().unwrap(), "-a", "acme"];
        let refused = there.run(&args);
        assert!(refused.status.code() == Some(5) && texts(&refused).1.contains("pepper v1 is missing here"), "{refused:?}");
        there.ok(&[&args[..], &["--peppers", &peppers]].concat());
        assert_eq!(status(&Gate::start(&elsewhere, &["--peppers", &peppers]), key), 200);
    }

    async fn kr_15_a_secret_of_two_keys_is_the_same_one_at_every_gate(db) {
        let mut policy = preset("voxpria");
        policy.caps = Default::default();
        policy.format.former = [Hashing::Sha512, Hashing::Sha256].map(|hash| Former { prefix: "sk_".into(), length: None, hash }).into();
        office(&db, policy).await;
        let keyrack = Script::on(&db);
        let key = "sk_0123456789abcdef0123456789abcdef";
        let import = |form: &str, hash: String| {
            let told = keyrack.run_with_input(&["import", form, "-", "-a", "acme"], format!("hash,name,prefix\n{hash},by {form},sk_\n"));
            assert!(told.status.success(), "{told:?}");
        };
        let gate = Gate::start(&db, &[]);
        import("sha256", sha256(key));
        // It is remembered by the hash that comes second.
        for _ in 0..3 {
            assert_eq!(status(&gate, key), 200);
        }
        use sha2::Digest;
        import("sha512", hex(&sha2::Sha512::digest(key)));
        let first = keyrack.keys("\"by sha512\"")[0].clone();
        assert_eq!(status(&gate, key), 200);
        keyrack.ok(&["key", "revoke", text(&first, "id"), "--yes"]);
        for gate in [&gate, &Gate::start(&db, &[])] {
            for _ in 0..3 {
                assert_eq!(status(gate, key), 401);
            }
        }
    }

    async fn vi_10_where_two_issuers_have_a_form_no_refusal_tells_whose_a_key_is(db) {
        let form = Former { prefix: "sk_".into(), length: None, hash: Hashing::Sha256 };
        let policies = ["voxpria", "voicegram"].map(|slug| {
            let mut policy = preset(slug);
            policy.format.former = vec![form.clone()];
            policy
        });
        let [one, other] = policies;
        let service = office(&db, other).await;
        service.add_issuer(keyrack::service::new_operation(), one).await.unwrap();
        let keyrack = Script::on(&db);
        keyrack.ok(&["account", "create", "-i", "voxpria", "-s", "vox", "-n", "Vox", "--admin", "it@vox.example"]);
        let key = |n: u32| format!("sk_{}", sha256(&n.to_string()));
        for (n, account) in ["acme", "vox"].into_iter().enumerate() {
            let table = format!("hash,name,prefix\n{},of {account},sk_\n", sha256(&key(n as u32)));
            let told = keyrack.run_with_input(&["import", "sha256", "-", "-a", account], table);
            assert!(told.status.success(), "{told:?}");
        }
        let gate = Gate::start(&db, &[]);
        assert_eq!([status(&gate, &key(0)), status(&gate, &key(1))], [200, 200]);
        for key in keyrack.json(&["key", "list"]).as_array().unwrap() {
            keyrack.ok(&["key", "revoke", text(key, "id"), "--yes"]);
        }
        let answer = |n| gate.me(&PlainKey::from_input(&key(n))).without_date();
        let unknown = answer(2);
        assert_eq!((answer(0), answer(1)), (unknown.clone(), unknown));
    }

    async fn kr_15_keys_of_other_products_are_found_within_a_text(db) {
        let mut policy = preset("voxpria");
        policy.caps = Default::default();
        policy.format.former = [("", Some(48), Hashing::Sanctum), ("sk_live_", None, Hashing::Sha512), ("", Some(41), Hashing::Sha512)]
            .map(|(prefix, length, hash)| Former { prefix: prefix.into(), length, hash })
            .into();
        office(&db, policy).await;
        let keyrack = Script::on(&db);
        let token = &sha256("token")[..48];
        let stripe = format!("sk_live_{}", &sha256("stripe")[..24]);
        let drf = format!("AbCdEfGh.{}", &sha256("drf")[..32]);
        use sha2::Digest;
        let of_512 = |key: &str| hex(&sha2::Sha512::digest(key));
        for (form, table) in [
            ("sanctum", format!("id,name,token\n7,phone,{}\n", sha256(token))),
            ("sha512", format!("hash,name,prefix\n{},stripe,sk_live_\n", of_512(&stripe))),
            ("drf", format!("id,name,hashed_key,prefix\n1,drf,sha512$${},AbCdEfGh\n", of_512(&drf))),
        ] {
            let told = keyrack.run_with_input(&["import", form, "-", "-a", "acme"], table);
            assert!(told.status.success(), "{told:?}");
        }
        use base64ct::{Base64, Encoding};
        let noise = &sha256("noise")[..48];
        let log = format!(
            "GET /x?api_key={stripe}&a=b 200\ncommit {noise}\n  \"token\": \"7|{token}\",\n{}\nAuthorization: Api-Key {drf}\n",
            Base64::encode_string(format!("[default]\napi_key = {stripe}\n").as_bytes()),
        );
        let file = db.dir().join("app.log");
        std::fs::write(&file, &log).unwrap();
        let swept = keyrack.run(&["leak", "sweep", file.to_str().unwrap(), "--json"]);
        let swept: Value = serde_json::from_slice(&swept.stdout).unwrap();
        let told = swept.to_string();
        for name in ["phone", "stripe", "drf"] {
            assert!(told.contains(&format!("\"{name}\"")), "{name}: {swept:#}");
        }
        assert!(!told.contains(noise) && !told.contains(&stripe), "{swept:#}");
        let lines: Vec<&Value> = swept.as_array().unwrap().iter().map(|one| &one["line"]).collect();
        assert_eq!(lines, [&json!(1), &json!(3), &json!(4), &json!(5)], "{swept:#}");
        let found = keyrack.run_with_input(&["key", "find", "--json"], format!("it says {token} here"));
        assert!(texts(&found).0.contains("\"phone\""), "{found:?}");
        let explained = keyrack.run_with_input(&["explain"], format!("X-API-Key: {stripe}\n"));
        assert!(texts(&explained).0.contains("\"stripe\""), "{explained:?}");
    }
}
