//! A backup that was put in the place of the database, as commands tell of it, by what the machine remembers.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::database::cluster::Cluster;
use crate::support::database::{Database, skip};
use crate::support::script::{Script, failed, text, texts};

/// Three keys of which a backup was taken, and a fourth that was made after it; all of them revoked, and then the backup
/// is put back.
async fn restored<'a>(db: &'a Database, keyrack: &Script<'a>) -> Vec<Value> {
    let mut keys: Vec<_> = ["one", "two", "three"].map(|name| keyrack.create("acme", name)).into();
    db.back_up().await;
    keys.push(keyrack.create("globex", "later"));
    for (key, reason) in keys.iter().zip(["leaked in a log", "left", "", "too late"]) {
        keyrack.ok(&["key", "revoke", text(key, "id"), "--yes", "--reason", reason]);
    }
    db.restore().await;
    keys
}

/// The files in which something is remembered.
fn memories(db: &Database) -> Vec<PathBuf> {
    let folder = db.dir().join(".local/state/keyrack/memory");
    let files = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|end| end == "memory")).collect()
}

fn doctor(keyrack: &Script<'_>) -> (Option<i32>, String, String) {
    let output = keyrack.run(&["doctor"]);
    let (stdout, stderr) = texts(&output);
    (output.status.code(), stdout, stderr)
}

on_both! {
    async fn revocations_that_a_restore_undid_are_told_and_made_again(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        let keys = restored(&db, &keyrack).await;
        let before = std::fs::read(&memories(&db)[0]).unwrap();
        keyrack.ok(&["audit", "accept", "--dry-run"]);
        assert_eq!(std::fs::read(&memories(&db)[0]).unwrap(), before, "a dry run remembers nothing");
        let output = keyrack.run(&["key", "list"]);
        let warned = texts(&output).1;
        assert!(output.status.success() && warned.contains("warning: This database is older than before: its newest change is"), "{warned}");
        assert!(warned.contains("3 revocations are undone: see what is undone with `keyrack audit undone`"), "{warned}");
        let (code, stdout, stderr) = doctor(&keyrack);
        assert_eq!(code, Some(6), "{stdout}{stderr}");
        assert!(stdout.contains("This database is older than before"), "{stdout}");
        assert!(stderr.contains("keyrack key revoke --undone"), "{stderr}");
        let output = keyrack.run(&["audit", "undone", "--json"]);
        assert_eq!(output.status.code(), Some(6));
        let list: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        let told: Vec<_> = list.iter().map(|one| (text(one, "name"), text(one, "here"), &one["reason"])).collect();
        assert_eq!(told.len(), 4, "{told:?}");
        assert!(told.contains(&("one", "active", &"leaked in a log".into())), "{told:?}");
        assert!(told.contains(&("later", "not here", &"too late".into())), "{told:?}");
        for command in [&["key", "show"][..], &["key", "find"], &["explain"]] {
            let args = [command, &[text(&keys[0], "id")]].concat();
            let said = texts(&keyrack.run(&args)).1;
            assert!(said.contains("one was revoked by") && said.contains("a restored backup undid that"), "{args:?}: {said}");
        }
        let said = keyrack.refused(3, &["key", "show", text(&keys[3], "id")]);
        assert!(said.contains("created after the backup") && said.contains("refused as unknown"), "{said}");

        keyrack.ok(&["key", "revoke", "--undone", "--dry-run"]);
        assert_eq!(keyrack.keys("status:active").len(), 3, "only tried");
        let again = keyrack.json(&["key", "revoke", "--undone", "--yes"]);
        assert_eq!(again.as_array().unwrap().len(), 3);
        assert!(keyrack.keys("status:active").is_empty());
        let shown = keyrack.json(&["key", "show", text(&keys[0], "id")]);
        assert_eq!(text(&shown, "revoke_reason"), "made again after a restore: leaked in a log");
        let (code, stdout, stderr) = doctor(&keyrack);
        assert!(!stdout.contains("is older than before") && stdout.contains("memory"), "{code:?}: {stdout}{stderr}");
        assert_eq!(texts(&keyrack.run(&["key", "list"])).1, "");
        keyrack.ok(&["audit", "undone"]);
        assert_eq!(keyrack.json(&["key", "revoke", "--undone", "--yes"]), Value::Array(Vec::new()), "twice");
        keyrack.ok(&["audit", "verify"]);
    }

    async fn an_admin_may_decide_that_it_stays_as_it_is(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        restored(&db, &keyrack).await;
        keyrack.ok(&["audit", "accept", "--dry-run"]);
        assert!(texts(&keyrack.run(&["key", "list"])).1.contains("is older than before"));
        keyrack.ok(&["audit", "accept", "--yes", "--reason", "a drill"]);
        assert_eq!(texts(&keyrack.run(&["key", "list"])).1, "");
        assert_eq!(keyrack.keys("status:active").len(), 3);
        let rows = keyrack.json(&["audit", "list", "--filter", "action:audit.accept"]);
        assert_eq!(rows[0]["detail"]["undone"], 3, "{rows}");
        assert_eq!(rows[0]["detail"]["reason"], "a drill");
        keyrack.refused(5, &["audit", "accept", "--yes"]);
    }

    async fn what_another_machine_remembers_can_be_made_again(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        restored(&db, &keyrack).await;
        let theirs = db.dir().join("theirs");
        std::fs::rename(&memories(&db)[0], &theirs).unwrap();
        assert_eq!(texts(&keyrack.run(&["key", "list"])).1, "", "nothing is remembered here");
        let theirs = theirs.to_str().unwrap();
        let output = keyrack.run(&["audit", "undone", "--memory", theirs]);
        assert_eq!(output.status.code(), Some(6), "{output:?}");
        assert!(texts(&output).0.contains("leaked in a log"), "{output:?}");
        keyrack.ok(&["key", "revoke", "--undone", "--memory", theirs, "--yes"]);
        assert!(keyrack.keys("status:active").is_empty());
        keyrack.ok(&["audit", "undone", "--memory", theirs]);
        let accepted = keyrack.json(&["audit", "list", "--filter", "action:audit.accept"]);
        assert_eq!(accepted.as_array().unwrap().len(), 1, "one decision");
    }

    async fn a_memory_that_cannot_be_used_stops_nothing(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        keyrack.create("acme", "one");
        let [file] = memories(&db).try_into().unwrap();
        let folder = file.parent().unwrap().to_owned();
        let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&file), mode(&folder)), (0o600, 0o700));
        let sound = std::fs::read(&file).unwrap();
        for (bytes, bits, word) in [
            (&b"{\"no\": 1"[..], 0o600, "isn't a memory that this keyrack wrote"),
            (&[0xff; 300_000], 0o600, "isn't a memory that this keyrack wrote"),
            (b"", 0o600, "isn't a memory that this keyrack wrote"),
            (&sound, 0o622, "can be changed by others"),
            (&[&sound[..], b"no revocation\n"].concat(), 0o600, "1 line of"),
        ] {
            std::fs::write(&file, bytes).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(bits)).unwrap();
            keyrack.ok(&["key", "list"]);
            let (_, stdout, _) = doctor(&keyrack);
            assert!(stdout.contains(word), "{word}: {stdout}");
            assert_eq!(std::fs::read(&file).unwrap(), bytes, "{word}: left alone");
        }
        std::fs::remove_dir_all(&folder).unwrap();
        std::fs::write(&folder, "no folder").unwrap();
        keyrack.ok(&["key", "list"]);
        assert!(doctor(&keyrack).1.contains("memory"), "{:?}", doctor(&keyrack));
        std::fs::remove_file(&folder).unwrap();
        std::os::unix::fs::symlink("/etc", &folder).unwrap();
        keyrack.ok(&["key", "list"]);
    }

    async fn a_copy_that_goes_on_otherwise_is_another_history(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        restored(&db, &keyrack).await;
        // Another machine works on before this one looks again.
        let [file] = memories(&db).try_into().unwrap();
        let aside = db.dir().join("aside");
        std::fs::rename(&file, &aside).unwrap();
        for name in 0..12 {
            keyrack.ok(&["operator", "set", &format!("new-{name}"), "viewer"]);
        }
        std::fs::rename(&aside, &file).unwrap();
        let warned = texts(&keyrack.run(&["key", "list"])).1;
        assert!(warned.contains("This database has a different history") && warned.contains("3 revocations"), "{warned}");
        keyrack.ok(&["key", "revoke", "--undone", "--yes"]);
        assert_eq!(texts(&keyrack.run(&["key", "list"])).1, "");
    }
}

#[test]
fn another_database_at_the_address_is_told_once() {
    let db = Database::sqlite();
    let keyrack = Script::furnished(&db, "voicegram");
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", db.address()));
    }
    let output = keyrack.run(&["issuer", "add", "voxpria"]);
    let said = texts(&output).1;
    assert!(
        output.status.success() && said.contains("This is not the database that was last seen"),
        "{said}"
    );
    assert!(!texts(&keyrack.run(&["key", "list"])).1.contains("not the database that was last seen"));
    assert!(!doctor(&keyrack).1.contains("not the database that was last seen"));
}

#[test]
fn a_throwaway_database_is_not_remembered() {
    let db = Database::sqlite();
    let output = crate::support::program::run(db.dir(), ["key", "list", "--demo"]);
    assert!(output.status.success());
    assert_eq!(memories(&db), Vec::<PathBuf>::new());
    let nothing = failed(7, &[], &Script::on(&db).run(&["audit", "undone"]));
    assert!(nothing.contains("keyrack migrate"), "{nothing}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_that_lags_is_told_and_no_alarm() {
    let name = "a_standby_that_lags_is_told_and_no_alarm";
    let Some(primary) = Cluster::start(&["wal_level=replica"]) else {
        return skip(name, "PostgreSQL is not installed (apt-get install postgresql)");
    };
    let db = Database::on(&primary).await;
    let keyrack = Script::furnished(&db, "voicegram");
    let standby = Cluster::following(&primary).unwrap();
    let copy = db.at(&standby);
    copy.execute("SELECT pg_wal_replay_pause()").await;
    keyrack.create("acme", "one");
    keyrack.ok(&["key", "list"]);
    let address = copy.address();
    let on_standby = |args: &[&str]| {
        let args = [args, &["--db", &address]].concat();
        let output = crate::support::program::run(db.dir(), args);
        (output.status.code(), texts(&output))
    };
    let (code, (stdout, stderr)) = on_standby(&["key", "list"]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert!(
        stderr.contains("This server is a standby and lags behind")
            && !stderr.contains("is older than before"),
        "{stderr}"
    );
    let (_, (stdout, _)) = on_standby(&["doctor"]);
    assert!(stdout.contains("lags behind") && !stdout.contains("is older than before"), "{stdout}");
    assert_eq!(texts(&keyrack.run(&["key", "list"])).1, "");
    copy.execute("SELECT pg_wal_replay_resume()").await;
    let begun = std::time::Instant::now();
    while on_standby(&["key", "list"]).1.1.contains("lags") {
        assert!(begun.elapsed().as_secs() < 20);
    }
}
