//! An address at which no database of Keyrack's is: it is told so, and nothing is made or touched.

use std::path::Path;
use std::process::Command;

use crate::support::program;
use crate::support::script::{Script, failed, texts};

/// Commands that must not make a database.
const READING: [&[&str]; 13] = [
    &["key", "list"],
    &["key", "find", "x"],
    &["key", "show", "x"],
    &["key", "revoke", "x", "--yes"],
    &["key", "create", "-a", "acme", "-n", "x"],
    &["key", "create", "-a", "acme", "-n", "x", "--dry-run"],
    &["audit", "verify"],
    &["audit", "list"],
    &["operator", "list"],
    &["reminders", "sweep"],
    &["reminders", "list"],
    &["alerts", "list"],
    &["gate", "--listen", "127.0.0.1:0"],
];

/// All that a folder holds, with its bytes.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.is_file());
    let mut all: Vec<_> =
        files.map(|path| (path.display().to_string(), std::fs::read(&path).unwrap())).collect();
    all.sort();
    all
}

fn python(folder: &Path, script: &str) {
    let made = Command::new("python3").args(["-c", script]).current_dir(folder).output().unwrap();
    assert!(made.status.success(), "{made:?}");
}

on_both! {
    async fn a_database_that_is_not_there_is_told_and_not_made(db) {
        let keyrack = Script::on(&db);
        for args in READING {
            let told = keyrack.refused(7, args);
            assert!(told.contains("keyrack migrate"), "{args:?}: {told}");
        }
        let output = keyrack.run(&["doctor"]);
        assert_eq!(output.status.code(), Some(6), "{output:?}");
        assert!(texts(&keyrack.run(&["info"])).0.contains("keyrack migrate"));
        if db.is_postgres() {
            assert_eq!(db.number("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").await, 0);
        } else {
            assert!(contents(db.dir()).is_empty(), "{:?}", contents(db.dir()));
        }
        // A dry run of what would make one succeeds, and makes none either.
        let dry = keyrack.run(&["issuer", "add", "voicegram", "--dry-run"]);
        assert!(dry.status.success() && texts(&dry).1.contains("a new one would be created"), "{dry:?}");
        keyrack.refused(7, &["key", "list"]);
        keyrack.ok(&["issuer", "add", "voicegram"]);
        assert!(keyrack.keys("").is_empty());
    }

    async fn an_older_schema_is_read_as_it_is_until_somebody_migrates(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        let key = keyrack.create("acme", "one");
        let newest = db.number("SELECT CAST(max(version) AS bigint) FROM _sqlx_migrations").await;
        // As the version before it left it: without the newest migrations.
        let trigger = if db.is_postgres() {
            "DROP TRIGGER alerts_stay ON alerts; DROP FUNCTION keyrack_alerts_stay()"
        } else {
            "DROP TRIGGER alerts_stay"
        };
        if newest != 6 {
            db.execute(&format!("DELETE FROM _sqlx_migrations WHERE version = {newest}")).await;
        } else {
            db.execute(&format!("{trigger}; DELETE FROM _sqlx_migrations WHERE version = {newest}")).await;
        }
        let version = async || db.number("SELECT CAST(max(version) AS bigint) FROM _sqlx_migrations").await;
        assert_eq!(keyrack.keys("").len(), 1);
        keyrack.ok(&["audit", "verify"]);
        keyrack.ok(&["key", "show", key["id"].as_str().unwrap()]);
        assert!(version().await < newest, "a reading command brought the schema up to date");
        let doctor = texts(&keyrack.run(&["doctor"]));
        assert!(doctor.0.contains("older than the") && doctor.1.contains("keyrack migrate"), "{doctor:?}");
        for args in [&["gate", "--listen", "127.0.0.1:0"][..], &["reminders", "sweep"], &["reminders", "sweep", "--dry-run"]] {
            let told = keyrack.refused(1, args);
            assert!(told.contains("keyrack migrate"), "{args:?}: {told}");
        }
        assert!(version().await < newest);
        // What the older schema lacks is named.
        db.execute("DROP TABLE limit_windows; DROP TABLE alerts").await;
        let told = keyrack.refused(1, &["alerts", "list"]);
        assert!(told.contains("alerts") && told.contains("keyrack migrate"), "{told}");
    }
}

#[test]
fn a_typo_is_told_with_the_nearest_names() {
    let home = tempfile::tempdir().unwrap();
    program::stdout(home.path(), ["issuer", "add", "voicegram", "--db", "keyrack.db"]);
    std::fs::create_dir(home.path().join("srv")).unwrap();
    let before = contents(home.path());
    for (db, near) in [
        ("keyrak.db", "keyrack.db"),
        ("KEYRACK.DB", "keyrack.db"),
        ("other.db", "keyrack.db"),
        ("svr/keyrack.db", "did you mean ./srv?"),
    ] {
        let args = ["key", "list", "--db", db];
        let told = failed(7, &args, &program::run(home.path(), args));
        assert!(told.contains(near), "{db}: {told}");
        assert!(!told.contains("-wal"), "{told}");
    }
    assert_eq!(contents(home.path()), before);
}

#[test]
fn what_is_no_path_is_refused_and_makes_nothing() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join("folder")).unwrap();
    std::os::unix::fs::symlink("nowhere", home.path().join("link")).unwrap();
    for (code, db) in [
        (2, "host=/run/pg dbname=keys"),
        (2, "file:keys.db?mode=rwc"),
        (2, "sqlite://keys.db?mode=rwc"),
        (2, "postgres:keys"),
        (2, "~grace/x.db"),
        (2, ""),
        (2, "   "),
        (7, "~/x.db"),
        (7, "file:keys.db"),
        (7, "folder"),
        (7, "link"),
        (1, "/dev/null"),
    ] {
        for command in [&["key", "list"][..], &["migrate"], &["issuer", "add", "voicegram"]] {
            let makes = command[0] != "key";
            if makes && code == 7 && !["folder", "link"].contains(&db) {
                continue;
            }
            let args = [command, &["--db", db]].concat();
            failed(code, &args, &program::run(home.path(), &args));
        }
        assert!(contents(home.path()).is_empty(), "{db}: {:?}", contents(home.path()));
    }
    for (name, value) in [("KEYRACK_DB", ""), ("KEYRACK_DB", " ")] {
        let output = program::keyrack(home.path(), ["key", "list"]).env(name, value).output().unwrap();
        let told = failed(2, &["KEYRACK_DB"], &output);
        assert!(told.contains("KEYRACK_DB") && told.contains("empty"), "{told}");
    }
    let folder = home.path().join(".config/keyrack");
    std::fs::create_dir_all(&folder).unwrap();
    for text in ["database = \"\"\n", "database = \"host=db dbname=k\"\n"] {
        std::fs::write(folder.join("config.toml"), text).unwrap();
        let told = failed(2, &["key", "list"], &program::run(home.path(), ["key", "list"]));
        assert!(told.contains("config.toml:1"), "{told}");
    }
    assert!(!home.path().join(".local/share").exists());
}

#[test]
fn another_programs_file_is_left_as_it_is() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path();
    python(
        path,
        "import sqlite3\n\
         for name, mode in (('plain.db', 'delete'), ('log.db', 'wal')):\n\
         \x20   c = sqlite3.connect(name); c.execute(f'PRAGMA journal_mode={mode}'); c.execute('CREATE TABLE contacts (n)')\n\
         \x20   c.execute('INSERT INTO contacts VALUES (1)'); c.commit(); c.close()\n\
         c = sqlite3.connect('sqlx.db'); c.execute('CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT, success BOOLEAN)')\n\
         c.execute(\"INSERT INTO _sqlx_migrations VALUES (1, 'users', 1)\"); c.commit(); c.close()\n\
         c = sqlite3.connect('mark.db'); c.execute('PRAGMA application_id=77'); c.execute('PRAGMA user_version=3'); c.commit(); c.close()\n",
    );
    std::fs::write(path.join("notes.txt"), "not a database\n".repeat(400)).unwrap();
    let before = contents(path);
    assert_eq!(before.len(), 5);
    for name in ["plain.db", "log.db", "sqlx.db", "mark.db", "notes.txt"] {
        for command in [
            &["key", "list"][..],
            &["migrate"],
            &["migrate", "--dry-run"],
            &["issuer", "add", "voicegram"],
            &["demo"],
            &["audit", "verify"],
        ] {
            let args = [command, &["--db", name]].concat();
            let told = failed(1, &args, &program::run(path, &args));
            assert!(told.contains(name) && told.contains("Nothing was changed"), "{told}");
            assert_eq!(contents(path), before, "{args:?}");
        }
        program::run(path, ["doctor", "--db", name]);
        program::run(path, ["info", "--db", name]);
        assert_eq!(contents(path), before, "{name}");
    }
}

#[test]
fn a_file_in_use_by_another_program_is_left_as_it_is() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path();
    // All that it holds is in the write-ahead log.
    let mut other = Command::new("python3")
        .args(["-c", "import sqlite3, sys\nc = sqlite3.connect('live.db'); c.execute('PRAGMA journal_mode=wal')\nc.execute('CREATE TABLE contacts (n)'); c.commit(); print('ready', flush=True); sys.stdin.read()\n"])
        .current_dir(path)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(other.stdout.take().unwrap()), &mut line)
        .unwrap();
    let stays = |all: Vec<(String, Vec<u8>)>| {
        all.into_iter().filter(|(name, _)| !name.ends_with("-shm")).collect::<Vec<_>>()
    };
    let before = stays(contents(path));
    for command in [&["key", "list"][..], &["migrate"], &["issuer", "add", "voicegram"]] {
        let args = [command, &["--db", "live.db"]].concat();
        failed(1, &args, &program::run(path, &args));
        assert_eq!(stays(contents(path)), before, "{args:?}");
    }
    drop(other.stdin.take());
    assert!(other.wait().unwrap().success());
}

#[test]
fn another_programs_tables_in_postgresql_are_left_alone() {
    crate::support::database::run_on_postgres(
        "another_programs_tables_in_postgresql_are_left_alone",
        async |db| {
            db.execute("CREATE TABLE contacts (n int)").await;
            let keyrack = Script::on(&db);
            for args in [
                &["key", "list"][..],
                &["migrate"],
                &["migrate", "--dry-run"],
                &["issuer", "add", "voicegram"],
                &["demo"],
            ] {
                let told = keyrack.refused(1, args);
                assert!(told.contains("contacts"), "{told}");
            }
            db.execute("DROP TABLE contacts; CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text, success bool, installed_on timestamptz, checksum bytea, execution_time bigint)").await;
            db.execute("INSERT INTO _sqlx_migrations VALUES (1, 'users', true); GRANT SELECT ON _sqlx_migrations TO public").await;
            keyrack.refused(1, &["migrate"]);
            keyrack.refused(1, &["key", "list"]);
            assert_eq!(db.number("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").await, 1);
        },
    );
}

#[test]
fn a_file_that_can_only_be_read_is_read() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    let path = home.path();
    program::stdout(path, ["issuer", "add", "voicegram", "--db", "k.db"]);
    // Whoever may write everything is told apart from others by the operating system alone.
    if !rustix::process::getuid().is_root() {
        return;
    }
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::set_permissions(path.join("k.db"), PermissionsExt::from_mode(0o644)).unwrap();
    let before = contents(path);
    let as_nobody = |args: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", program::PROGRAM]).args(args);
        command.env_clear().envs(program::environment(path)).current_dir(path).output().unwrap()
    };
    // Who is no operator learns that, which takes reading.
    let output = as_nobody(&["issuer", "list", "--db", "k.db"]);
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    assert!(texts(&output).1.contains("nobody"), "{output:?}");
    assert_eq!(contents(path), before);
}
