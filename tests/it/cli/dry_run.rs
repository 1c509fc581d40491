//! A dry run is the real thing, rolled back: it refuses what that refuses, in the same words, and changes nothing.

use std::collections::BTreeMap;
use std::process::Output;

use crate::support::database::Database;
use crate::support::people::{account, age, keep, make, make_kept, preset, wanted};
use crate::support::post::due;
use crate::support::postbox::Postbox;
use crate::support::script::{Script, text, texts};
use keyrack::domain::account::Standing;
use keyrack::domain::expiry::{Expiry, Overlap};
use keyrack::domain::issuer::policy_file;
use keyrack::domain::key::Key;
use keyrack::domain::operator::Role;
use keyrack::domain::usage::{Alert, Source, What};
use keyrack::service::{CreateKey, Service, new_operation};
use keyrack::store::Store;

/// Room for two keys, which end at once when they are replaced.
const TINY: &str = r#"
slug = "tiny"
name = "Tiny"
[format]
prefix = "ty_"
body = "hex"
[caps]
active-keys = 2
[rotation]
overlap = false
[expiry]
default = "30d"
choices = ["30d"]
custom = false
"#;

/// What the rows of the tables name: `{live}` is the id of a key.
type Names = BTreeMap<&'static str, String>;

/// A database with something in every state that a change may meet.
async fn furnished(db: &Database) -> (Service, Names) {
    let service = db.open().await;
    let op = new_operation;
    for policy in [preset("voxpria"), preset("vozagent"), policy_file::parse(TINY).unwrap()] {
        service.apply_policy(op(), policy).await.unwrap();
    }
    for (issuer, slug) in [("voxpria", "acme"), ("voxpria", "shut"), ("vozagent", "full"), ("tiny", "globex")]
    {
        service.create_account(op(), account(issuer, slug)).await.unwrap();
    }
    let short = CreateKey { expiry: Expiry::Days(1), ..wanted("acme", "expired") };
    let expired = keep(&service, short).await.key;
    let abandoned = make(&service, "acme", "abandoned").await.key;
    let in_tiny = |name| CreateKey { expiry: Expiry::Days(30), ..wanted("globex", name) };
    let stays = keep(&service, in_tiny("stays")).await.key;
    let goes = keep(&service, in_tiny("goes")).await.key;
    age(db, 3 * 86_400).await;
    let past = if db.is_postgres() {
        "clock_timestamp() - interval '1 day'".to_owned()
    } else {
        "1000000".to_owned()
    };
    db.execute_past_triggers("keys", &format!("UPDATE keys SET expires_at = {past} WHERE name = 'expired'"))
        .await;
    let live = make_kept(&service, "acme", "live").await.key;
    let closed = make_kept(&service, "shut", "closed").await.key;
    service.set_standing(op(), "shut", Standing::Suspended).await.unwrap();
    let revoked = make_kept(&service, "acme", "revoked").await.key;
    service.revoke_keys(op(), &[revoked.id], None).await.unwrap();
    let replaced = make_kept(&service, "acme", "replaced").await.key;
    let next = service.rotate_key(op(), replaced.id, Overlap::Hours24).await.unwrap().key;
    service.acknowledge_key(op(), next.id).await.unwrap();
    let store = Store::open(&db.location()).await.unwrap();
    let at = service.now().await.unwrap();
    for address in ["203.0.113.7", "203.0.113.8"] {
        let source = Source::caller(address.parse().unwrap());
        let what = What::FailedAuthentications { source, attempts: 20, seconds: 300 };
        assert!(store.raise_alert("east", &Alert { at, what }).await.unwrap());
    }
    store.close().await;
    let alert = db.number("SELECT min(id) FROM alerts").await.to_string();
    let me = service.whoami().await.unwrap().identity.name;
    let ids: [(&str, &Key); 9] = [
        ("expired", &expired),
        ("abandoned", &abandoned),
        ("stays", &stays),
        ("goes", &goes),
        ("live", &live),
        ("closed", &closed),
        ("revoked", &revoked),
        ("replaced", &replaced),
        ("next", &next),
    ];
    let mut names: Names = ids.into_iter().map(|(name, key)| (name, key.id.to_string())).collect();
    // Ids that were made within minutes begin alike.
    names.insert("part", names["live"][..5].to_owned());
    names.extend([
        ("me", me),
        ("alert", alert),
        ("long", "x".repeat(300)),
        ("longer", "x".repeat(5000)),
        ("secret", format!("vx_{}", "a".repeat(49))),
        ("nobody", "00000000-0000-4000-8000-000000000000".into()),
        ("bidi", "a\u{202e}b".into()),
    ]);
    std::fs::write(db.dir().join("taken"), "").unwrap();
    std::fs::create_dir(db.dir().join("letters")).unwrap();
    for (name, text) in keyrack::mail::Templates::files() {
        std::fs::write(db.dir().join("letters").join(name), text).unwrap();
    }
    std::fs::write(db.dir().join("no.db"), "this is no database, whatever its name says. ".repeat(100))
        .unwrap();
    std::fs::write(db.dir().join("bad.toml"), "slug = \"new\"\nname = 7\n").unwrap();
    std::fs::write(db.dir().join("faulty.toml"), TINY.replace("slug = \"tiny\"", "slug = \"No Slug\""))
        .unwrap();
    std::fs::write(db.dir().join("thief.toml"), TINY.replace("slug = \"tiny\"", "slug = \"thief\"")).unwrap();
    std::fs::write(db.dir().join("new.toml"), TINY.replace("tiny", "new").replace("ty_", "nw_")).unwrap();
    (service, names)
}

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
        Some(input) => keyrack.run_with_input(&args, &words(input, names).join(" ")),
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

/// What an admin is refused.
const REFUSED: &[&str] = &[
    "3 key create -a nobody -n x",
    "2 key create -a acme",
    "2 key create -a acme -n ''",
    "2 key create -a acme -n {long}",
    "2 key create -a acme -n {bidi}",
    "2 key create -a acme -n {secret}",
    "2 key create -a acme -n x -d {longer}",
    "2 key create -a acme -n x --scope calls:wirte",
    "2 key create -a full -n x --scope calls:write",
    "2 key create -a acme -n x --allow everywhere",
    "2 key create -a acme -n x --expires 2001-01-01",
    "2 key create -a acme -n x --expires soon",
    "2 key create -a globex -n x --expires 90d",
    "5 key create -a globex -n x",
    "5 key create -a shut -n x",
    "2 key create -a acme -n x --out taken",
    "2 key create -a acme -n x --out missing/secret",
    "2 key create -a acme -n x --out taken/secret",
    "2 key create -a acme -n x --output csv",
    "3 key limit {nobody} 10/1m",
    "3 key limit zzzz 10/1m",
    "2 key limit {part} 10/1m",
    "2 key limit {live}",
    "2 key limit {live} many",
    "5 key limit {revoked} 10/1m",
    "3 key acknowledge {nobody}",
    "3 key acknowledge zzzz",
    "2 key acknowledge {part}",
    "5 key acknowledge {abandoned}",
    "3 key rotate {nobody}",
    "2 key rotate {part}",
    "5 key rotate {revoked}",
    "5 key rotate {expired}",
    "5 key rotate {abandoned}",
    "5 key rotate {replaced}",
    "5 key rotate {replaced} --overlap none",
    "5 key rotate {closed}",
    "2 key rotate {stays} --overlap 24h",
    "5 key rotate {stays}",
    "5 key rotate {stays} --yes",
    "2 key rotate {live} --overlap forever",
    "2 key rotate {live} --out taken",
    "2 key rotate {live} --overlap none --out taken",
    "2 key rotate {live} --output csv",
    "3 key revoke {nobody}",
    "3 key revoke {nobody} --yes",
    "3 key revoke zzzz --yes",
    "2 key revoke {part} --yes",
    "2 key revoke --filter '' --yes",
    "2 key revoke --filter status:gone --yes",
    "2 key revoke {live} --reason {longer}",
    "2 key revoke {live} --reason {longer} --yes",
    "2 key revoke {live} --reason {bidi} --yes",
    "2 key revoke {live} --reason {secret} --yes",
    "2 key revoke",
    "3 key revoke --secret-stdin --yes < {secret}",
    "2 key revoke --secret-stdin --yes <",
    "3 account create -i nobody -s new -n New -a a@b.example",
    "2 account create -i voxpria -s Not_A_Slug -n New -a a@b.example",
    "2 account create -i voxpria -s {long} -n New -a a@b.example",
    "5 account create -i voxpria -s acme -n New -a a@b.example",
    "2 account create -i voxpria -s new -n '' -a a@b.example",
    "2 account create -i voxpria -s new -n {long} -a a@b.example",
    "2 account create -i voxpria -s new -n New -a nowhere",
    "2 account create -i voxpria -s new -n New -a a@b.example --plan Gold",
    "2 account create -i voxpria -s new -n New",
    "3 account change nobody --name New",
    "2 account change acme",
    "2 account change acme --name ''",
    "2 account change acme --name {bidi}",
    "2 account change acme --admin nowhere",
    "2 account change acme --plan Gold",
    "3 account suspend nobody",
    "3 account reinstate nobody",
    "2 operator set '' viewer",
    "2 operator set {long} viewer",
    "2 operator set otto king",
    "5 operator set {me} viewer",
    "5 operator remove {me}",
    "5 operator remove {me} --yes",
    "3 operator remove otto",
    "3 operator remove otto --yes",
    "3 issuer add nosuch",
    "5 issuer add voxpria",
    "2 issuer apply missing.toml",
    "2 issuer apply bad.toml",
    "2 issuer apply faulty.toml",
    "2 issuer apply thief.toml",
    "2 issuer apply - < slug",
    "3 alerts ack 4711",
    "3 alerts ack {alert} 4711",
    "2 alerts ack",
    "3 reminders retry {nobody}",
    "2 reminders retry soon",
    "2 reminders retry --filter '' --yes",
    "2 reminders retry --filter state:odd --yes",
    "2 reminders sweep --limit 0",
    "5 reminders template --write letters",
    "1 reminders template --write taken/letters",
    "1 reminders template --write taken",
    "5 demo",
    "2 migrate --db nosuch://x",
    "2 migrate --db postgres://ada:secret@localhost/x",
    "7 migrate --db postgres://ada@127.0.0.1:1/x",
    "1 migrate --db no.db",
    "7 migrate --db taken/new.db",
    "1 key revoke {live} --db no.db --yes",
];

/// What takes the role operator.
const OPERATORS: &[&str] = &[
    "4 key create -a acme -n x",
    "4 key create -a shut -n x",
    "4 key limit {live} 10/1m",
    "4 key acknowledge {live}",
    "4 key rotate {live}",
    "4 key rotate {live} --overlap none",
    "4 key revoke {live}",
    "4 key revoke {live} --yes",
    "4 key revoke --filter account:acme --yes",
    "4 account create -i voxpria -s new -n New -a a@b.example",
    "4 account change acme --name New",
    "4 account suspend acme",
    "4 account reinstate shut",
    "4 alerts ack {alert}",
    "4 alerts ack --all",
    "4 reminders sweep",
];

/// What takes the role admin.
const ADMINS: &[&str] = &[
    "4 issuer add voicegram",
    "4 issuer apply new.toml",
    "4 operator set otto viewer",
    "4 operator remove grace",
    "4 operator remove grace --yes",
];

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
        refused_alike(&Script::on(&db), &["1 migrate", "1 key revoke {live} --yes", "1 demo"], &names);
    }

    async fn a_dry_run_that_succeeds_changes_nothing_and_the_real_call_then_succeeds(db) {
        let (_service, names) = furnished(&db).await;
        let keyrack = Script::on(&db);
        for row in [
            "key create -a acme -n new", "key create -a acme -n filed --out secret", "key limit {live} 10/1m",
            "key limit {live} --clear", "key rotate {live}", "key rotate {next} --overlap none --yes",
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
        // What was sent is not sent again, dry or not.
        let sent = keyrack.json(&["reminders", "list", "--filter", "state:sent"]);
        let retry = format!("5 reminders retry {}", text(&sent[0], "id"));
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
