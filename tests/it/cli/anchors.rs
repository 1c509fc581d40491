//! Anchors: what an attacker with all rights to the database can't make undone.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::database::Database;
use crate::support::script::{Script, text, texts};
use keyrack::domain::audit::GENESIS;
use keyrack::domain::text::hex;
use keyrack::store::Store;

/// A database whose audit is anchored in a file, after each of three changes; with the file and the public key.
fn anchored<'a>(db: &'a Database) -> (Script<'a>, String, String) {
    let keyrack = Script::furnished(db, "voicegram");
    let (key, file) = (path(db, "anchor.key"), path(db, "anchors"));
    let public = keyrack.ok(&["audit", "anchor-key", &key]).trim().to_owned();
    for name in ["one", "two", "three"] {
        keyrack.create("acme", name);
        keyrack.ok(&["audit", "anchor", "--key", &key, "--to", &file]);
    }
    (keyrack, file, public)
}

fn path(db: &Database, name: &str) -> String {
    db.dir().join(name).to_str().unwrap().to_owned()
}

/// Writes all hashes anew, as somebody with all rights may do after an edit.
async fn compute_anew(db: &Database) {
    let store = Store::open(&db.location()).await.unwrap();
    let blob = |bytes: &[u8]| match db.is_postgres() {
        true => format!("decode('{}', 'hex')", hex(bytes)),
        false => format!("X'{}'", hex(bytes)),
    };
    let (mut sql, mut previous, mut last) = (String::new(), GENESIS, 0);
    for (link, _) in store.audit_links(0, 10_000).await.unwrap() {
        (previous, last) = (link.hash(&previous), link.seq);
        sql += &format!("UPDATE audit SET hash = {} WHERE seq = {last}; ", blob(&previous));
    }
    store.close().await;
    db.execute_past_triggers("audit", &sql).await;
    let head = format!("UPDATE audit_head SET seq = {last}, hash = {}", blob(&previous));
    db.execute_past_triggers("audit_head", &head).await;
}

/// The kinds of what `audit verify` finds.
fn found(keyrack: &Script<'_>, file: &str, public: &str) -> Vec<String> {
    let output = keyrack.run(&["audit", "verify", "--anchors", file, "--public-key", public, "--json"]);
    let (stdout, stderr) = texts(&output);
    let told: Value =
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}"));
    assert_eq!(output.status.code(), Some(if told["intact"] == true { 0 } else { 6 }), "{stdout}{stderr}");
    let list = told["findings"].as_array().cloned().unwrap_or_default();
    let mut kinds: Vec<String> = list.iter().map(|one| text(one, "kind").to_owned()).collect();
    kinds.dedup();
    kinds
}

on_both! {
    async fn an_audit_that_only_grew_agrees_with_its_anchors(db) {
        let (keyrack, file, public) = anchored(&db);
        assert_eq!(found(&keyrack, &file, &public), [""; 0]);
        keyrack.create("acme", "four");
        let args = ["audit", "verify", "--anchors", &file, "--public-key", &public];
        let output = keyrack.run(&args);
        let said = texts(&output).1;
        assert!(output.status.success() && said.contains("3 anchors from ") && said.contains("2 rows after it"), "{said}");
        let told = keyrack.json(&args);
        assert_eq!((&told["anchors"], &told["intact"]), (&3.into(), &true.into()), "{told}");
        let lines = std::fs::read_to_string(&file).unwrap();
        let output = keyrack.run_with_input(&["audit", "verify", "--anchors", "-", "--public-key", &public], lines);
        assert!(output.status.success(), "{output:?}");
        // A dry run anchors nothing.
        keyrack.ok(&["audit", "anchor", "--key", &path(&db, "anchor.key"), "--to", &file, "--dry-run"]);
        assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 3);
    }

    async fn a_chain_computed_anew_passes_alone_and_fails_by_its_anchors(db) {
        let (keyrack, file, public) = anchored(&db);
        db.execute_past_triggers("audit", "UPDATE audit SET host = 'elsewhere' WHERE seq = 3").await;
        compute_anew(&db).await;
        keyrack.ok(&["audit", "verify"]);
        assert_eq!(found(&keyrack, &file, &public), ["anchor.history"]);
        let output = keyrack.run(&["audit", "verify", "--anchors", &file, "--public-key", &public]);
        let (stdout, stderr) = texts(&output);
        assert!(stdout.contains("the chain was recomputed") && stderr.contains("cut off or rewritten"), "{stdout}{stderr}");
    }

    async fn a_cut_tail_passes_alone_and_fails_by_its_anchors(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        let (key, file) = (path(&db, "anchor.key"), path(&db, "anchors"));
        let public = keyrack.ok(&["audit", "anchor-key", &key]).trim().to_owned();
        keyrack.ok(&["operator", "set", "otto", "viewer"]);
        let before = db.number("SELECT seq FROM audit_head").await;
        keyrack.ok(&["operator", "set", "mallory", "admin"]);
        keyrack.ok(&["audit", "anchor", "--key", &key, "--to", &file]);
        db.execute_past_triggers("audit", &format!("DELETE FROM audit WHERE seq > {before}")).await;
        db.execute_past_triggers("operators", "DELETE FROM operators WHERE name = 'mallory'").await;
        compute_anew(&db).await;
        keyrack.ok(&["audit", "verify"]);
        assert_eq!(found(&keyrack, &file, &public), ["anchor.history"]);
    }

    async fn forged_cut_and_foreign_anchors_are_told(db) {
        let (keyrack, file, public) = anchored(&db);
        let whole = std::fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = whole.lines().collect();
        let other = path(&db, "other.key");
        let others = keyrack.ok(&["audit", "anchor-key", &other]).trim().to_owned();
        assert_eq!(keyrack.ok(&["audit", "anchor-key", &other]).trim(), others, "never written anew");
        for (text, kinds) in [
            (whole.replacen("\"seq\":", "\"seq\":1", 1), &["anchor.forged", "anchor.cut"][..]),
            (lines[1..].join("\n"), &["anchor.cut"]),
            (format!("{}\n{}\n", lines[0], lines[2]), &["anchor.cut"]),
            (whole[..whole.len() - 20].to_owned(), &["anchor.cut"]),
            (String::new(), &["anchor.cut"]),
        ] {
            std::fs::write(&file, &text).unwrap();
            assert_eq!(found(&keyrack, &file, &public), kinds, "{text}");
        }
        std::fs::write(&file, &whole).unwrap();
        assert_eq!(found(&keyrack, &file, &others), ["anchor.forged", "anchor.cut"]);
        assert_eq!(found(&keyrack, &file, &public), [""; 0]);
        // Another database's.
        let elsewhere = if db.is_postgres() { Database::postgres().await.unwrap() } else { Database::sqlite() };
        let stranger = Script::furnished(&elsewhere, "voicegram");
        assert_eq!(found(&stranger, &file, &public), ["anchor.history"]);
    }

    async fn an_old_newest_anchor_is_warned_of(db) {
        let (keyrack, file, public) = anchored(&db);
        let args = ["audit", "verify", "--anchors", &file, "--public-key", &public];
        assert!(!texts(&keyrack.run(&args)).1.contains("warning"));
        std::thread::sleep(Duration::from_millis(1_100));
        let output = keyrack.command(&args).env("KEYRACK_AUDIT_ANCHOR_EVERY", "500ms").output().unwrap();
        let said = texts(&output).1;
        assert!(output.status.success() && said.contains("warning: the newest anchor is of "), "{said}");
    }

    async fn a_gate_anchors_while_it_runs(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        let (key, file) = (path(&db, "anchor.key"), path(&db, "anchors"));
        let public = keyrack.ok(&["audit", "anchor-key", &key]).trim().to_owned();
        let config = db.dir().join(".config/keyrack");
        std::fs::create_dir_all(&config).unwrap();
        let settings = format!("[audit]\nanchor-to = {file:?}\nanchor-key-file = {key:?}\nanchor-every = \"1s\"\nanchor-public-key = [{public:?}]\n");
        std::fs::write(config.join("config.toml"), settings).unwrap();
        let mut gate = keyrack.command(&["gate", "--listen", "127.0.0.1:0"]).spawn().unwrap();
        let begun = Instant::now();
        let lines = || std::fs::read_to_string(&file).unwrap_or_default().lines().count();
        while lines() < 2 && begun.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(50));
        }
        gate.kill().unwrap();
        gate.wait().unwrap();
        assert!(lines() >= 2, "no anchors");
        keyrack.ok(&["audit", "verify", "--anchors", &file]);
    }
}

#[test]
fn keys_and_places_that_cannot_be_used_are_refused_with_the_cure() {
    let db = Database::sqlite();
    let keyrack = Script::furnished(&db, "voicegram");
    let (key, file) = (path(&db, "anchor.key"), path(&db, "anchors"));
    let public = keyrack.ok(&["audit", "anchor-key", &key]);
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &str| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&key), 0o600);
    assert!(!std::fs::read_to_string(&key).unwrap().contains(public.trim().trim_start_matches("ed25519:")));
    let refused = |args: &[&str]| keyrack.refused(2, &[&["audit"], args].concat());
    assert!(refused(&["anchor", "--to", &file]).contains("--key FILE"));
    assert!(refused(&["anchor", "--key", &key]).contains("--to PLACE"));
    assert!(
        refused(&["anchor", "--key", &key, "--to", "http://elsewhere.example/"])
            .contains("https://host/path")
    );
    assert!(refused(&["verify", "--anchors", &file]).contains("--public-key KEY"));
    assert!(
        refused(&["verify", "--anchors", &file, "--public-key", "ed25519:00"])
            .contains("64 hexadecimal digits")
    );
    assert!(
        refused(&["verify", "--anchors", "syslog:", "--public-key", public.trim()])
            .contains("can't be read back")
    );
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(refused(&["anchor", "--key", &key, "--to", &file]).contains("chmod 600"));
    assert!(!PathBuf::from(&file).exists());
}

#[test]
fn a_webhook_gets_the_anchor_itself() {
    let db = Database::sqlite();
    let keyrack = Script::furnished(&db, "voicegram");
    let key = path(&db, "anchor.key");
    let public = keyrack.ok(&["audit", "anchor-key", &key]).trim().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let receiver = std::thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        let (mut call, mut some) = (Vec::new(), [0; 4096]);
        while !call.ends_with(b"}") {
            let read = stream.read(&mut some).unwrap();
            call.extend_from_slice(&some[..read]);
        }
        stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").unwrap();
        String::from_utf8(call).unwrap()
    });
    keyrack.ok(&["audit", "anchor", "--key", &key, "--to", &url]);
    let call = receiver.join().unwrap();
    let body = call.split("\r\n\r\n").nth(1).unwrap();
    let file = path(&db, "taken");
    std::fs::write(&file, format!("{body}\n")).unwrap();
    assert_eq!(found(&keyrack, &file, &public), [""; 0]);
    let dead = keyrack.refused(6, &["audit", "anchor", "--key", &key, "--to", &url]);
    assert!(!dead.contains("/hook"), "{dead}");
}
