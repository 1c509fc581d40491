//! Many processes of the real program at once, processes killed in their midst, and a search for what must not be there.

use std::path::Path;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use aho_corasick::AhoCorasick;

use crate::support::database::Database;
use crate::support::people::{make_kept, office, preset};
use crate::support::program;
use keyrack::domain::audit::Verdict;
use keyrack::service::new_operation;

fn start(home: &Path, db: &Database, args: &[&str]) -> Child {
    program::keyrack(home, [&["--db", &db.address()], args].concat())
        .env("KEYRACK_LOG", "trace")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn words(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

on_both! {
    async fn sixteen_processes_open_a_new_database_at_once(db) {
        // One of them becomes the admin; what that one may, the others may too, for they are the same person.
        let home = tempfile::tempdir().unwrap();
        let (postgres, rounds) = if db.is_postgres() { (true, 8) } else { (false, 40) };
        let mut new = Some(db);
        for round in 0..rounds {
            let db = match new.take() {
                Some(first) => first,
                None if postgres => Database::postgres().await.unwrap(),
                None => Database::sqlite(),
            };
            let children: Vec<_> = (0..16).map(|_| start(home.path(), &db, &["migrate"])).collect();
            for child in children {
                let output = child.wait_with_output().unwrap();
                assert!(output.status.success(), "database {round}: {}", words(&output));
            }
            let service = db.open().await;
            assert_eq!(service.operators().await.unwrap().len(), 1);
            assert!(matches!(service.verify_audit(|_| {}).await.unwrap(), Verdict::Intact { rows: 1, .. }));
            service.close().await;
        }
    }

    async fn vg_19_the_cap_holds_against_many_processes(db) {
        let mut policy = preset("voicegram");
        policy.caps.creations_per_minute = None;
        let service = office(&db, policy).await;
        for n in 0..10 {
            make_kept(&service, "acme", &format!("key {n}")).await;
        }
        let home = tempfile::tempdir().unwrap();
        let children: Vec<_> = (0..24)
            .map(|n| {
                let name = format!("process {n}");
                start(home.path(), &db, &["key", "create", "--account", "acme", "--name", &name, "--json", "--no-input"])
            })
            .collect();
        let (mut made, mut refused) = (0, 0);
        for child in children {
            let output = child.wait_with_output().unwrap();
            match output.status.code() {
                Some(0) => made += 1,
                Some(5) => {
                    refused += 1;
                    assert!(words(&output).contains("limit is 20"), "{}", words(&output));
                }
                _ => panic!("neither made nor refused: {}", words(&output)),
            }
        }
        assert_eq!((made, refused), (10, 14));
        assert_eq!(service.account("acme").await.unwrap().active_keys, 20);
    }

    async fn nothing_acknowledged_is_lost_when_processes_are_killed(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let mut ids = Vec::new();
        for n in 0..40 {
            ids.push(make_kept(&service, "acme", &format!("key {n}")).await.key.id);
        }
        let home = tempfile::tempdir().unwrap();
        // How long one takes when nobody disturbs it, so that the cuts fall before, in and after the change.
        let began = Instant::now();
        let whole = start(home.path(), &db, &["key", "revoke", &ids[0].to_string(), "--yes", "--json"]);
        assert!(whole.wait_with_output().unwrap().status.success());
        let span = began.elapsed();

        let mut acknowledged = vec![ids[0]];
        let mut cut = 0;
        for (n, id) in ids.iter().enumerate().skip(1) {
            let mut child = start(home.path(), &db, &["key", "revoke", &id.to_string(), "--yes", "--json"]);
            std::thread::sleep(span.mul_f64(n as f64 * 1.3 / ids.len() as f64));
            child.kill().unwrap();
            let output = child.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            if said.contains("\"revoked_at\"") && said.contains(&id.to_string()) {
                acknowledged.push(*id);
            } else {
                cut += 1;
            }
        }
        assert!(cut > 0, "nobody was cut off: the test shows nothing");
        let fresh = db.open().await;
        for id in &acknowledged {
            assert!(fresh.key(*id).await.unwrap().revoked_at.is_some(), "acknowledged and lost: {id}");
        }
        // Whatever state the killed ones left, the next one goes on: no lock stays behind, the chain is whole.
        fresh.revoke_keys(new_operation(), &ids, None).await.unwrap();
        assert!(matches!(fresh.verify_audit(|_| {}).await.unwrap(), Verdict::Intact { .. }));
        assert_eq!(db.number("SELECT count(*) FROM audit WHERE action = 'key.revoke'").await, 40);
    }

    async fn vg_03_the_plain_text_of_fifty_keys_is_nowhere(db) {
        if db.is_postgres() {
            db.execute(&format!("ALTER DATABASE {} SET log_statement = 'all'", db.name())).await;
        }
        let service = office(&db, preset("voiceinfra")).await;
        let home = tempfile::tempdir().unwrap();
        let mut secrets = Vec::new();
        let mut seen_outside = Vec::new();
        for n in 0..50 {
            let name = format!("census {n}");
            let child = start(home.path(), &db, &["key", "create", "--account", "acme", "--name", &name, "--json"]);
            // What `ps` shows of it, for as long as it runs.
            let proc = Path::new("/proc").join(child.id().to_string());
            let mut child = child;
            while child.try_wait().unwrap().is_none() {
                for file in ["cmdline", "environ"] {
                    seen_outside.extend(std::fs::read(proc.join(file)).unwrap_or_default());
                }
                std::thread::sleep(Duration::from_millis(2));
            }
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", words(&output));
            let made: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            let secret = made["secret"].as_str().unwrap().to_owned();
            assert!(!String::from_utf8_lossy(&output.stderr).contains(&secret), "the secret is among the talk");
            secrets.push(secret);
        }
        // Find them, too: their secrets come in through standard input then.
        for secret in &secrets[..5] {
            let args = ["--db", &db.address(), "key", "find", "--json"];
            let found = program::run_with_input(home.path(), args, secret.as_bytes());
            assert!(found.status.success(), "{}", words(&found));
            assert!(!words(&found).contains(secret.as_str()));
        }
        assert_eq!(secrets.iter().collect::<std::collections::BTreeSet<_>>().len(), 50);
        assert_eq!(service.account("acme").await.unwrap().active_keys, 50);

        let mut places = vec![("arguments and environment".to_owned(), seen_outside)];
        read_all(home.path(), &mut places);
        read_all(db.dir(), &mut places);
        if let Some(sockets) = db.sockets() {
            places.push(("pg_dump".into(), dump(sockets, &db.name())));
            // The server's own files: its write-ahead log and its log of statements. Readable for root only.
            read_all(&sockets.join("data/pg_wal"), &mut places);
            read_all(&sockets.join("server.log"), &mut places);
        }
        let names: Vec<_> = places.iter().map(|(name, bytes)| format!("{name} ({} bytes)", bytes.len())).collect();
        println!("looked in:\n{}", names.join("\n"));
        // A part of it is as bad as the whole: 16 characters are 95 bits.
        let middles = secrets.iter().map(|secret| &secret.as_bytes()[secret.len() - 24..secret.len() - 8]);
        let parts = AhoCorasick::new(middles).unwrap();
        for (place, bytes) in &places {
            assert!(!parts.is_match(bytes), "a part of a secret lies in {place}");
        }
        // The search can find: what is known to be there, is found.
        assert!(places.iter().any(|(_, bytes)| memchr::memmem::find(bytes, b"census 49").is_some()));
    }
}

/// Every file below `path`, or the file itself, that this user may read.
fn read_all(path: &Path, into: &mut Vec<(String, Vec<u8>)>) {
    if let Ok(entries) = std::fs::read_dir(path) {
        for entry in entries.flatten() {
            read_all(&entry.path(), into);
        }
    } else if let Ok(bytes) = std::fs::read(path) {
        into.push((path.display().to_string(), bytes));
    }
}

fn dump(sockets: &Path, name: &str) -> Vec<u8> {
    let pg_dump = std::fs::read_dir("/usr/lib/postgresql")
        .ok()
        .and_then(|versions| {
            versions.flatten().map(|version| version.path().join("bin/pg_dump")).find(|path| path.exists())
        })
        .unwrap_or_else(|| "pg_dump".into());
    let output = std::process::Command::new(pg_dump)
        .args(["--username=postgres", "--inserts", "--host"])
        .arg(sockets)
        .arg(name)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
