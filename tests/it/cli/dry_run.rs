//! A dry run is the real thing, rolled back: it refuses what that refuses, in the same words, and changes nothing.

use std::process::Output;

use self::scene::{Names, furnished};
use self::table::{ADMINS, OPERATORS, REFUSED};
use crate::support::database::Database;
use crate::support::people::{account, age, make, make_kept, preset};
use crate::support::post::due;
use crate::support::postbox::Postbox;
use crate::support::script::{Script, text, texts};
use keyrack::domain::operator::Role;
use keyrack::service::new_operation;

mod scene;
mod table;

/// A row's words, with the names filled in; `''` is an empty one.
fn words(row: &str, names: &Names) -> Vec<String> {
    row.split_whitespace()
        .map(|word| match word {
            "''" => String::new(),
            _ => names
                .iter()
                .fold(word.to_owned(), |word, (name, value)| word.replace(&format!("{{{name}}}"), value)),
        })
        .collect()
}

/// A row may end with what is sent on standard input, behind a `<`.
fn run(keyrack: &Script<'_>, row: &str, names: &Names, more: &[&str]) -> Output {
    let (row, input) = row.split_once('<').map_or((row, None), |(row, input)| (row, Some(input.trim())));
    let args = words(row, names);
    let args: Vec<&str> = args.iter().map(String::as_str).chain(more.iter().copied()).collect();
    // What names a database of its own needs none.
    let mut command = if args.contains(&"--db") {
        crate::support::program::keyrack(keyrack.command(&[]).get_current_dir().unwrap(), &args)
    } else {
        keyrack.command(&args)
    };
    match input {
        None => command.output().unwrap(),
        Some(input) => keyrack.run_with_input(&args, words(input, names).join(" ")),
    }
}

/// Demands that the real call is refused with the exit code that begins a row, and a dry run exactly like it.
fn refused_alike(keyrack: &Script<'_>, rows: &[&str], names: &Names) {
    let judge = |row: &str| {
        let (code, row) = row.split_once(' ').unwrap();
        let dry = run(keyrack, row, names, &["--dry-run"]);
        let real = run(keyrack, row, names, &[]);
        let (dry_words, real_words) = (texts(&dry), texts(&real));
        let alike = dry.status.code() == real.status.code() && dry_words == real_words;
        (!alike || real.status.code() != code.parse().ok()).then(|| {
            format!(
                "{row}\n  dry  {:?} {dry_words:?}\n  real {:?} {real_words:?}",
                dry.status.code(),
                real.status.code()
            )
        })
    };
    let different: Vec<String> = std::thread::scope(|scope| {
        let some = rows.chunks(rows.len().div_ceil(4));
        let judges: Vec<_> = some
            .map(|some| scope.spawn(move || some.iter().filter_map(|row| judge(row)).collect::<Vec<_>>()))
            .collect();
        judges.into_iter().flat_map(|judge| judge.join().unwrap()).collect()
    });
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// Everything that the database holds.
async fn contents(db: &Database) -> Vec<String> {
    let tables = if db.is_postgres() {
        "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
    } else {
        "SELECT name FROM sqlite_master WHERE type = 'table'"
    };
    let mut all = Vec::new();
    for table in db.texts(tables).await {
        let rows = if db.is_postgres() {
            format!("SELECT row_to_json(t)::text FROM {table} t")
        } else {
            let columns =
                db.texts(&format!("SELECT 'quote(' || name || ')' FROM pragma_table_info('{table}')")).await;
            format!("SELECT {} FROM {table}", columns.join(" || ' ' || "))
        };
        all.extend(db.texts(&rows).await.into_iter().map(|row| format!("{table}: {row}")));
    }
    all.sort_unstable();
    all
}

/// What lies in the test's folder, but for the companions that SQLite keeps beside a database in use.
fn files(db: &Database) -> Vec<String> {
    let names = std::fs::read_dir(db.dir()).unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| name.into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm")).collect();
    names.sort_unstable();
    names
}

on_both! {
    async fn a_dry_run_is_refused_as_the_real_call(db) {
        let (service, names) = furnished(&db).await;
        let keyrack = Script::on(&db);
        let before = contents(&db).await;
        refused_alike(&keyrack, REFUSED, &names);
        assert_eq!(contents(&db).await, before);

        // The same by the roles, down to a stranger.
        service.set_operator(new_operation(), "grace", Role::Admin).await.unwrap();
        for (role, rows) in [("operator", vec![ADMINS]), ("viewer", vec![OPERATORS, ADMINS])] {
            db.execute(&format!("UPDATE operators SET role = '{role}' WHERE name <> 'grace'")).await;
            let before = contents(&db).await;
            refused_alike(&keyrack, &rows.concat(), &names);
            assert_eq!(contents(&db).await, before);
        }
        db.execute("DELETE FROM operators WHERE name <> 'grace'").await;
        let before = contents(&db).await;
        refused_alike(&keyrack, &[OPERATORS, ADMINS].concat(), &names);
        assert_eq!(contents(&db).await, before);
        assert!(!db.dir().join("missing").exists());
        assert!(REFUSED.len() + 2 * OPERATORS.len() + 3 * ADMINS.len() > 60);
    }

    async fn a_dry_run_is_refused_as_the_real_call_within_the_minute(db) {
        let service = db.open().await;
        let mut policy = preset("voxpria");
        policy.caps.creations_per_minute = Some(1);
        service.apply_policy(new_operation(), policy).await.unwrap();
        service.create_account(new_operation(), account("voxpria", "acme")).await.unwrap();
        let key = make_kept(&service, "acme", "first").await.key;
        let names = Names::from([("live", key.id.to_string())]);
        let keyrack = Script::on(&db);
        for row in ["key create -a acme -n x", "key rotate {live}", "key rotate {live} --overlap none"] {
            let told = [&["--dry-run"][..], &[]].map(|more| {
                let output = run(&keyrack, row, &names, more);
                // The seconds to wait become fewer from one call to the next.
                let words = texts(&output).1.replace(|c: char| c.is_ascii_digit(), "");
                (output.status.code(), words)
            });
            assert!(told[0].0 == Some(5) && told[0].1.contains("within a minute"), "{row}: {told:?}");
            assert_eq!(told[0], told[1], "{row}");
        }
    }

    async fn a_schema_that_is_too_new_is_refused_dry_and_real(db) {
        let (service, names) = furnished(&db).await;
        service.close().await;
        let copy = "INSERT INTO _sqlx_migrations SELECT 9999, description, installed_on, success, checksum, execution_time \
                    FROM _sqlx_migrations WHERE version = 1";
        db.execute(copy).await;
        refused_alike(&Script::on(&db), &["1 migrate", "1 key revoke {live} --yes", "5 demo"], &names);
    }

    async fn a_dry_run_that_succeeds_changes_nothing_and_the_real_call_then_succeeds(db) {
        let (_service, names) = furnished(&db).await;
        let keyrack = Script::on(&db);
        for row in [
            "key create -a acme -n new", "key create -a acme -n filed --out secret", "key limit {live} 10/1m",
            "key limit {live} --clear", "rotation extend {replaced} --by 24h --yes", "rotation close {replaced} --yes", "key rotate {stays} --yes", "key rotate {live}", "key rotate {next} --overlap none --yes",
            "key revoke {goes} --reason left --yes", "key revoke --filter account:acme --yes",
            "account create -i voxpria -s new -n New -a a@b.example", "account change new --plan Starter",
            "account suspend new", "account reinstate new", "operator set otto viewer", "operator set otto operator",
            "operator remove otto --yes", "issuer add voicegram", "issuer apply new.toml", "alerts ack {alert}",
            "alerts ack --all",
        ] {
            unchanged_then_done(&db, &keyrack, row, &names).await;
        }
        let unconfirmed = make(&db.open().await, "acme", "unconfirmed").await.key.id.to_string();
        unchanged_then_done(&db, &keyrack, &format!("key acknowledge {unconfirmed}"), &names).await;
        let written = run(&keyrack, "reminders template --write deep/own", &names, &["--dry-run"]);
        assert!(written.status.success() && !db.dir().join("deep").exists());
        keyrack.ok(&["reminders", "template", "--write", "deep/own"]);
    }

    async fn a_dry_run_of_a_new_database_makes_none(db) {
        let dry = Script::on(&db).run(&["migrate", "--dry-run"]);
        assert!(dry.status.success() && texts(&dry).1.contains("a new database"), "{dry:?}");
        if db.is_postgres() {
            assert_eq!(db.number("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'").await, 0);
        } else {
            assert!(!std::path::Path::new(&db.name()).exists());
        }
        let keyrack = Script::on(&db);
        keyrack.ok(&["migrate"]);
        unchanged_then_done(&db, &keyrack, "demo --keys 20", &Names::new()).await;
        let again = keyrack.run(&["migrate", "--dry-run"]);
        assert!(texts(&again).1.contains("already"), "{again:?}");
    }

    async fn a_dry_run_of_reminders_sends_none(db) {
        let (keyrack, postbox) = (due(&db, &[]).await, Postbox::open());
        let names = Names::new();
        unchanged_then_done(&db, &keyrack, "reminders sweep", &names).await;
        // What was written is not written again, dry or not.
        let written = keyrack.json(&["reminders", "list", "--filter", "state:written"]);
        let retry = format!("5 reminders retry {}", text(&written[0], "id"));
        let (dry, real) = (run(&keyrack, &retry[2..], &names, &["--dry-run"]), run(&keyrack, &retry[2..], &names, &[]));
        assert_eq!((dry.status.code(), real.status.code()), (Some(5), Some(5)), "{dry:?}");
        assert_eq!(texts(&dry).1.lines().last(), texts(&real).1.lines().last());

        postbox.refuse("it@acme.example", "550 5.1.1 no such mailbox");
        let late = keyrack.json(&["key", "create", "-a", "acme", "-n", "late", "--expires", "20d"]);
        keyrack.ok(&["key", "acknowledge", text(&late, "id")]);
        age(&db, 60 * 86_400).await;
        let swept = keyrack.command(&["reminders", "sweep"]).envs(postbox.environment()).output().unwrap();
        assert_eq!(swept.status.code(), Some(6), "{swept:?}");
        unchanged_then_done(&db, &keyrack, "reminders retry --filter state:failed --yes", &names).await;
    }
}

async fn unchanged_then_done(db: &Database, keyrack: &Script<'_>, row: &str, names: &Names) {
    let (before, files_before) = (contents(db).await, files(db));
    let dry = run(keyrack, row, names, &["--dry-run"]);
    let (_, told) = texts(&dry);
    assert!(dry.status.success() && told.contains("ould"), "{row}: {dry:?}");
    assert_eq!(files(db), files_before, "{row}: a dry run left a file");
    assert_eq!(contents(db).await, before, "{row}: a dry run changed something");
    let real = run(keyrack, row, names, &[]);
    assert!(real.status.success(), "{row}: {real:?}");
    assert_ne!(contents(db).await, before, "{row} changed nothing");
}
