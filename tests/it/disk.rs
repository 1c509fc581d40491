//! A disk that is full or broken, a lock that others hold, or no memory, at any call of the database's: what was said is so,
//! and the process goes on.

use std::time::{Duration, Instant};

use crate::support::database::{Database, run_on_sqlite};
use crate::support::faults::{BROKEN, BUSY, FULL, Fault, Faults, NO_MEMORY};
use crate::support::gate::{Gate, TRUSTING};
use crate::support::people::{make, make_kept, office, preset};
use crate::support::program;
use crate::support::pty::{PATIENCE, Start};
use crate::support::script::texts;

/// What each command changes, as a count that is 0 before and 1 or more after it.
const CHANGES: [(&[&str], &str); 4] = [
    (
        &["key", "create", "--account", "acme", "--name", "new"],
        "SELECT count(*) FROM keys WHERE name = 'new'",
    ),
    (
        &["key", "revoke", "HUB", "--yes"],
        "SELECT count(*) FROM keys m JOIN key_auth k ON k.id = m.id WHERE name = 'hub' AND revoked_at IS NOT NULL",
    ),
    (&["key", "rotate", "HUB", "--overlap", "1h"], "SELECT count(*) FROM keys WHERE successor IS NOT NULL"),
    (&["account", "suspend", "acme", "--yes"], "SELECT count(*) FROM accounts WHERE standing = 'suspended'"),
];

async fn count(path: &str, sql: &'static str) -> i64 {
    use sqlx::Connection;
    let mut connection = sqlx::SqliteConnection::connect(path).await.unwrap();
    let counted = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    counted
}

/// Each fault, after how many calls the next one is tried, and one of the words that tell of it.
const FAULTS: [(Fault, usize, &[&str]); 4] = [
    (FULL, 1, &DISK),
    (BROKEN, 3, &DISK),
    (BUSY, 7, &["locked", "busy", "locking"]),
    // There are thousands; each walk tries others.
    (NO_MEMORY, 601, &["memory"]),
];
const DISK: [&str; 4] = ["disk", "full", "I/O", "journal"];

async fn walk(
    db: &Database,
    faults: &Faults,
    (args, sql): (Vec<&str>, &'static str),
    (fault, step, words): (Fault, usize, &[&str]),
) {
    let path = db.dir().join("tried.db");
    let address = path.to_str().unwrap();
    let args = [&args[..], &["--db", address]].concat();
    for call in (1..).step_by(step) {
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{address}{end}"));
        }
        std::fs::copy(db.address(), &path).unwrap();
        faults.at(call, fault);
        let output = program::keyrack(db.dir(), &args).envs(faults.variables()).output().unwrap();
        let came = faults.came();
        faults.all(None);
        let (said, told) = texts(&output);
        let what = format!("{args:?}, {fault:?} at call {call}: {:?}\n{said}{told}", output.status);
        let done = count(address, sql).await > 0;
        match output.status.code() {
            Some(0) => assert!(done, "it was confirmed and is not there: {what}"),
            Some(101) | None => panic!("it broke: {what}"),
            Some(_) => assert!(words.iter().any(|word| told.contains(word)), "it does not say why: {what}"),
        }
        // Whoever tries again gets it done.
        if !done {
            let again = program::run(db.dir(), &args);
            assert!(again.status.success(), "{what}\nand then: {:?}", texts(&again));
            assert!(count(address, sql).await > 0, "{what}");
        }
        if !came {
            assert!(call > 5 && output.status.success(), "{what}");
            return;
        }
    }
}

#[test]
fn each_change_meets_a_fault_at_each_call_and_says_what_is_so() {
    run_on_sqlite(|db| async move {
        let service = office(&db, preset("voicegram")).await;
        let hub = make_kept(&service, "acme", "hub").await.key.id.to_string();
        service.close().await;
        let faults = Faults::new(db.dir());
        for (args, sql) in CHANGES {
            for fault in FAULTS {
                let args = args.iter().map(|arg| if *arg == "HUB" { &hub } else { *arg }).collect();
                walk(&db, &faults, (args, sql), fault).await;
            }
        }
    });
}

#[test]
fn a_command_without_memory_tells_all_or_says_so() {
    run_on_sqlite(|db| async move {
        let service = office(&db, preset("voicegram")).await;
        for n in 0..9 {
            make_kept(&service, "acme", &format!("hub {n}")).await;
        }
        service.close().await;
        let faults = Faults::new(db.dir());
        let address = db.address();
        let list = || {
            let args = ["key", "list", "--output", "json", "--db", &address];
            program::keyrack(db.dir(), args).envs(faults.variables()).output().unwrap()
        };
        let whole = texts(&list()).0;
        assert_eq!(whole.matches("hub").count(), 9, "{whole}");
        let mut broke = 0;
        for call in (1..).step_by(127) {
            faults.at(call, NO_MEMORY);
            let output = list();
            let came = faults.came();
            let (said, told) = texts(&output);
            if output.status.success() {
                assert_eq!(said, whole, "call {call}: {told}");
            } else {
                broke += 1;
                assert!(told.contains("memory"), "call {call}: {:?} {said}{told}", output.status);
            }
            if !came {
                break;
            }
        }
        assert!(broke > 3, "{broke}");
    });
}

#[test]
fn a_full_disk_lets_commands_read_and_says_what_hinders_changes() {
    run_on_sqlite(|db| async move {
        let service = office(&db, preset("voicegram")).await;
        let hub = make_kept(&service, "acme", "hub").await.key.id.to_string();
        service.close().await;
        let faults = Faults::new(db.dir());
        faults.all(Some(FULL));
        let run = |args: &[&str]| {
            let address = db.address();
            let args = [args, &["--db", &address]].concat();
            let output = program::keyrack(db.dir(), args).envs(faults.variables()).output().unwrap();
            (output.status.code(), texts(&output))
        };
        for args in [&["key", "list"][..], &["key", "show", &hub], &["audit", "list"], &["account", "list"]] {
            let (code, (said, told)) = run(args);
            assert_eq!(code, Some(0), "{args:?}: {said}{told}");
        }
        let (code, (_, told)) = run(&["key", "revoke", &hub, "--yes"]);
        assert!(code == Some(1) && told.contains("disk is full"), "{told}");
        let (code, (said, told)) = run(&["doctor"]);
        assert!(code == Some(6) && (said.clone() + &told).contains("disk is full"), "{said}{told}");
        faults.all(None);
        assert_eq!(run(&["key", "revoke", &hub, "--yes"]).0, Some(0));
    });
}

/// Waits until a count of the database's is no longer 0.
async fn counted(db: &Database, sql: &str, what: &str) {
    let begun = Instant::now();
    while db.number(sql).await == 0 {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn a_gate_outlives_every_fault_and_loses_no_first_use() {
    run_on_sqlite(|db| async move {
        let mut policy = preset("voicegram");
        policy.caps.active_keys = None;
        policy.caps.creations_per_minute = None;
        let service = office(&db, policy).await;
        let faults = Faults::new(db.dir());
        let gate =
            Gate::told_with(&db, &[&["--listen", "127.0.0.1:0"], TRUSTING].concat(), &faults.variables());
        for (call, fault) in (1..=24).map(|call| (call, [FULL, BROKEN][call as usize % 2])) {
            // Its only confirmation is its first use.
            let key = make(&service, "acme", &format!("key {call}")).await;
            faults.at(call, fault);
            assert_eq!(gate.me(&key.secret).status, 200, "call {call}\n{}", gate.log());
            let begun = Instant::now();
            while !faults.came() && begun.elapsed() < Duration::from_secs(4) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let confirmed = format!(
                "SELECT count(*) FROM key_auth k JOIN key_use u ON u.seq = k.seq WHERE k.id = x'{}' AND k.first_used_at IS NOT NULL",
                key.key.id.simple()
            );
            counted(&db, &confirmed, &format!("call {call}\n{}", gate.log())).await;
        }
        // While the disk stays full, keys pass, and what they did is written later.
        let (known, fresh) =
            (make_kept(&service, "acme", "known").await, make(&service, "acme", "fresh").await);
        faults.all(Some(FULL));
        for _ in 0..20 {
            assert_eq!(gate.me(&known.secret).status, 200, "{}", gate.log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(gate.me(&fresh.secret).status, 200, "{}", gate.log());
        faults.all(None);
        let used = |key: &keyrack::service::Created| {
            format!(
                "SELECT count(*) FROM key_auth k JOIN key_use u ON u.seq = k.seq WHERE k.id = x'{}' AND k.first_used_at IS NOT NULL",
                key.key.id.simple()
            )
        };
        counted(&db, &used(&known), &gate.log()).await;
        counted(&db, &used(&fresh), &gate.log()).await;
        service.close().await;
        assert!(gate.stop().0.success());
    });
}

#[test]
fn a_console_says_that_the_disk_is_full_and_then_goes_on() {
    run_on_sqlite(|db| async move {
        let service = office(&db, preset("voicegram")).await;
        make_kept(&service, "acme", "hub").await;
        service.close().await;
        let faults = Faults::new(db.dir());
        let [library, shared] = faults.variables();
        let start = Start::new(db.dir()).on(&db.address()).env(library.0, library.1).env(shared.0, shared.1);
        let mut terminal = start.size(100, 30).spawn();
        terminal.wait_for("● active");
        for _ in 0..3 {
            faults.all(Some(FULL));
            terminal.press("d");
            terminal.wait_for("Revoke token");
            terminal.answer("y");
            terminal.wait_for("disk");
            terminal.press("esc");
            terminal.wait_until_gone("Revoke token");
            terminal.wait_for("● active");
            faults.all(None);
        }
        terminal.press("d");
        terminal.wait_for("Revoke token");
        terminal.answer("y");
        terminal.wait_for("✕ revoked");
        terminal.press("q");
        assert!(terminal.wait_for_exit(PATIENCE).success());
        assert_eq!(db.number("SELECT count(*) FROM key_auth WHERE revoked_at IS NOT NULL").await, 1);
    });
}
