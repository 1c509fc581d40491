//! The real PgBouncer before the database, and servers that are not there or not as they should be.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::database::run_on_postgres;
use crate::support::pooler::Pooler;
use crate::support::program;
use crate::support::script::{ACCOUNT, Script, failed, texts};

#[test]
fn session_pooling_works_with_the_poolers_defaults() {
    run_on_postgres("session_pooling_works_with_the_poolers_defaults", async |db| {
        let Some(pooler) = Pooler::start(&db, "session") else { return };
        let (home, address) = (db.dir(), pooler.address(&db));
        for args in [
            &["issuer", "add", "voicegram"][..],
            ACCOUNT,
            &["key", "create", "-a", "acme", "-n", "one"],
            &["key", "list"],
            &["audit", "verify"],
        ] {
            program::stdout(home, [args, &["--db", &address]].concat());
        }
        // The patience for locks holds behind the pooler too.
        let mut holder = Command::new("psql")
            .args(["-qAt", "-h", db.sockets().unwrap().to_str().unwrap(), "-U", "postgres", "-d", &db.name()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        holder.stdin.as_mut().unwrap().write_all(b"BEGIN; LOCK operators; SELECT 1;\n").unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(holder.stdout.take().unwrap()), &mut line)
            .unwrap();
        let begun = Instant::now();
        let mut waiting = program::keyrack(home, ["operator", "list", "--db", &address])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        while waiting.try_wait().unwrap().is_none() && begun.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(100));
        }
        let _ = waiting.kill();
        let told = texts(&waiting.wait_with_output().unwrap());
        holder.kill().unwrap();
        holder.wait().unwrap();
        assert!(told.1.contains("busy") || told.1.contains("lock"), "{told:?}");
    });
}

#[test]
fn statement_pooling_is_refused_in_one_sentence() {
    run_on_postgres("statement_pooling_is_refused_in_one_sentence", async |db| {
        Script::furnished(&db, "voicegram");
        let Some(pooler) = Pooler::start(&db, "statement") else { return };
        for address in [pooler.address(&db), format!("{}?pooled=true", pooler.address(&db))] {
            for args in [&["key", "list"][..], &["migrate"], &["key", "revoke", "x", "--yes"]] {
                let args = [args, &["--db", &address]].concat();
                let told = failed(7, &args, &program::run(db.dir(), &args));
                assert!(
                    told.contains("pool_mode = transaction") && told.trim().lines().count() == 1,
                    "{told}"
                );
            }
            let doctor = texts(&program::run(db.dir(), ["doctor", "--db", &address]));
            assert!(doctor.0.contains("pool_mode = transaction"), "{doctor:?}");
        }
    });
}

#[test]
fn a_server_that_refuses_is_told_at_once() {
    let home = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for address in [
        format!("postgres://ada@127.0.0.1:{port}/k"),
        format!("postgres://ada@[::1]:{port}/k"),
        format!("postgres://ada@127.0.0.1:{port},[::1]:{port}/k"),
        format!("postgres:///k?user=ada&host={}", home.path().display()),
    ] {
        let begun = Instant::now();
        let args = ["key", "list", "--db", &address];
        let told = failed(7, &args, &program::run(home.path(), args));
        assert!(begun.elapsed() < Duration::from_secs(3), "{address} took {:?}", begun.elapsed());
        assert!(!told.contains("time allowed"), "{told}");
        assert!(
            told.contains("refused") || told.contains("No such file") || told.contains("Cannot assign"),
            "{told}"
        );
    }
}

#[test]
fn the_hosts_of_a_list_are_tried_in_their_order() {
    run_on_postgres("the_hosts_of_a_list_are_tried_in_their_order", async |db| {
        Script::furnished(&db, "voicegram");
        let nobody: PathBuf = db.dir().join("nobody");
        let sockets = db.sockets().unwrap().display();
        let list = format!("postgres://ada@/{}?host={},{sockets}", db.name(), nobody.display());
        program::stdout(db.dir(), ["key", "list", "--db", &list]);
        program::stdout(
            db.dir(),
            ["key", "list", "--db", &format!("{list}&target_session_attrs=read-write")],
        );
        let args = ["key", "list", "--db", &format!("{list}&target_session_attrs=standby")];
        let told = failed(7, &args, &program::run(db.dir(), args));
        assert!(told.contains("target_session_attrs"), "{told}");
    });
}

#[test]
fn a_database_that_takes_no_changes_is_read() {
    run_on_postgres("a_database_that_takes_no_changes_is_read", async |db| {
        let keyrack = Script::furnished(&db, "voicegram");
        keyrack.create("acme", "one");
        db.execute(&format!("ALTER DATABASE {} SET default_transaction_read_only = on", db.name())).await;
        assert_eq!(keyrack.keys("").len(), 1);
        for args in [
            &["audit", "verify"][..],
            &["issuer", "list"],
            &["operator", "list"],
            &["reminders", "list"],
            &["key", "find", "one"],
        ] {
            keyrack.ok(args);
        }
        let told = keyrack.refused(4, &["key", "create", "-a", "acme", "-n", "two"]);
        assert!(told.contains("can only be read"), "{told}");
    });
}

#[test]
fn an_encoding_that_cannot_hold_our_text_is_refused() {
    run_on_postgres("an_encoding_that_cannot_hold_our_text_is_refused", async |db| {
        for encoding in ["SQL_ASCII", "LATIN1"] {
            let name = format!("{}_{}", db.name(), encoding.to_lowercase());
            db.execute(&format!("CREATE DATABASE {name} OWNER ada ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")).await;
            let address = db.address().replace(&db.name(), &name);
            for args in [["migrate", "--dry-run"], ["migrate", "--yes"]] {
                let args = [&args[..], &["--db", &address]].concat();
                let told = failed(1, &args, &program::run(db.dir(), &args));
                assert!(told.contains(encoding) && told.contains("UTF8"), "{told}");
            }
            db.execute(&format!("DROP DATABASE {name}")).await;
        }
    });
}
