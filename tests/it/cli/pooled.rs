//! The real PgBouncer with `pool_mode = transaction` before the database: between two transactions the connection belongs to
//! others, and nothing that was said to it holds.

use std::time::Duration;

use keyrack::clock::Clock;
use keyrack::domain::operator::Role;
use keyrack::service::{Service, new_operation};
use keyrack::store::Location;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};

use crate::support::database::{Database, run_on_postgres};
use crate::support::people::{make_kept, office, preset, wanted};
use crate::support::pooler::Pooler;
use crate::support::program;
use crate::support::pty::Start;
use crate::support::script::{ACCOUNT, Script, failed, text, texts};

/// A database that is reached through such a pooler.
fn run_pooled<F: Future<Output = ()>>(test: &str, body: impl FnOnce(Database, Pooler) -> F) {
    run_on_postgres(test, async |db| {
        if let Some(pooler) = Pooler::start(&db, "transaction") {
            body(db.through(&pooler), pooler).await;
        }
    });
}

#[test]
fn every_kind_of_command_works_behind_transaction_pooling() {
    run_pooled("every_kind_of_command_works_behind_transaction_pooling", async |db, _pooler| {
        let keyrack = Script::on(&db);
        keyrack.ok(&["migrate", "--dry-run"]);
        keyrack.ok(&["migrate", "--yes"]);
        keyrack.ok(&["migrate", "--yes"]);
        keyrack.ok(&["issuer", "add", "voicegram"]);
        keyrack.ok(ACCOUNT);
        let one = keyrack.create("acme", "one");
        let (id, secret) = (text(&one, "id").to_owned(), text(&one, "secret").to_owned());
        let two = text(&keyrack.create("acme", "two"), "id").to_owned();
        let three = text(&keyrack.create("acme", "three"), "id").to_owned();
        for args in [
            &["key", "confirm", &id][..],
            &["key", "edit", &id, "--description", "said again", "--yes"],
            &["key", "pause", &id, "--for", "1h", "--yes"],
            &["key", "resume", &id, "--yes"],
            &["key", "rotate", &two, "--overlap", "24h", "--yes"],
            &["key", "revoke", &three, "--yes"],
            &["key", "revoke", &id, "--yes", "--dry-run"],
            &["key", "list"],
            &["key", "show", &id],
            &["key", "usage", &id],
            &["key", "find", "one"],
            &["rotation", "list"],
            &["account", "list"],
            &["account", "suspend", "acme"],
            &["account", "reinstate", "acme"],
            &["operator", "set", "bob", "viewer"],
            &["operator", "list"],
            &["freeze", "list"],
            &["hygiene"],
            &["alerts", "list"],
            &["reminders", "sweep", "--yes"],
            &["reminders", "list"],
            &["expiring"],
            &["status"],
            &["report", "--since", "7d"],
            &["export", "-"],
            &["audit", "list"],
            &["audit", "verify"],
            &["info"],
        ] {
            let output = keyrack.run(args);
            // 6: something needs attention.
            assert!(matches!(output.status.code(), Some(0 | 6)), "{args:?}: {:?}", texts(&output));
        }
        let found = keyrack.run_with_input(&["key", "find"], &secret);
        assert!(texts(&found).0.contains("one"), "{found:?}");
        let doctor = texts(&keyrack.run(&["doctor"])).0;
        assert!(doctor.contains("each transaction gets another connection"), "{doctor}");
        assert!(doctor.contains("each group role has what it needs"), "{doctor}");
        assert!(!doctor.contains("schema was not compared") && !doctor.contains("acts as"), "{doctor}");
        // All that was said to the pooler's connections is gone with each transaction.
        let mut seen = std::collections::HashSet::new();
        for _ in 0..40 {
            let options: PgConnectOptions = db.address().parse().unwrap();
            let mut other = PgConnection::connect_with(&options.extra_float_digits(None)).await.unwrap();
            let words = "SELECT pg_backend_pid(), current_setting('lock_timeout'), current_setting('statement_timeout'), \
                         (SELECT count(*) FROM pg_prepared_statements), (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()), \
                         (SELECT count(*) FROM pg_listening_channels())";
            let row = sqlx::raw_sql(words).fetch_one(&mut other).await.unwrap();
            let (pid, lock, statement, named, locks, listens): (i32, String, String, i64, i64, i64) =
                sqlx::FromRow::from_row(&row).unwrap();
            assert_eq!((lock.as_str(), statement.as_str(), locks, listens), ("0", "0", 0, 0));
            // Bringing the schema up to date names its own, and takes away what was there.
            assert!(named < 300, "{named} statements were left behind");
            seen.insert(pid);
            other.close().await.unwrap();
        }
        assert!(seen.len() > 1, "the pooler gave everybody the same connection: the test shows nothing");
    });
}

#[test]
fn each_login_is_itself_behind_a_pooler_and_a_shared_one_is_told() {
    run_on_postgres("each_login_is_itself_behind_a_pooler", async |db| {
        let Some(pooler) = Pooler::start(&db, "transaction") else { return };
        let Some(forced) = Pooler::told(db.sockets().unwrap(), "transaction", "user=ada", "") else { return };
        db.role("poolviewer").await;
        db.role("poolmaker").await;
        let service = office(&db, preset("voicegram")).await;
        service.set_operator(new_operation(), "poolviewer", Role::Viewer).await.unwrap();
        service.set_operator(new_operation(), "poolmaker", Role::Operator).await.unwrap();
        db.grant("keyrack_viewer", "poolviewer").await;
        db.grant("keyrack_operator", "poolmaker").await;
        let at = |pooler: &Pooler, login: &str| pooler.address(&db).replace("ada@", &format!("{login}@"));
        let create = |address: &str| {
            program::run(db.dir(), ["key", "create", "-a", "acme", "-n", "mine", "--json", "--db", address])
        };
        let told = failed(4, &["key", "create"], &create(&at(&pooler, "poolviewer")));
        assert!(told.contains("needs the role operator"), "{told}");
        let made = create(&at(&pooler, "poolmaker"));
        assert!(made.status.success(), "{made:?}");
        assert_eq!(db.texts("SELECT actor FROM audit ORDER BY seq DESC LIMIT 1").await, ["poolmaker"]);
        // Where the pooler logs in as one of them, whoever comes is that one: the doctor says so.
        let doctor = texts(&program::run(db.dir(), ["doctor", "--db", &at(&forced, "poolviewer")])).0;
        assert!(doctor.contains("poolviewer of the address acts as ada"), "{doctor}");
    });
}

#[test]
fn what_the_address_asks_for_holds_behind_a_pooler_or_is_refused() {
    run_on_postgres("what_the_address_asks_for_holds", async |db| {
        Script::furnished(&db, "voicegram");
        let drops = "ignore_startup_parameters = options";
        let Some(pooler) = Pooler::told(db.sockets().unwrap(), "transaction", "", drops) else { return };
        let address = format!("{}?options=-c%20search_path=elsewhere", pooler.address(&db));
        let told = failed(2, &["key", "list"], &program::run(db.dir(), ["key", "list", "--db", &address]));
        assert!(told.contains("drops search_path"), "{told}");
        // What holds anyway is no matter.
        let address = format!("{}?options=-c%20lock_timeout=10s", pooler.address(&db));
        program::stdout(db.dir(), ["key", "list", "--db", &address]);
        // One may say what stands between; nonsense is refused.
        for (said, told) in [("true", true), ("false", false)] {
            let address = format!("{}?pooled={said}", pooler.address(&db));
            let doctor = texts(&program::run(db.dir(), ["doctor", "--db", &address])).0;
            assert_eq!(doctor.contains("each transaction gets another connection"), told, "{doctor}");
            let direct = format!("{}&pooled={said}", db.address());
            let doctor = texts(&program::run(db.dir(), ["doctor", "--db", &direct])).0;
            assert_eq!(doctor.contains("each transaction gets another connection"), told, "{doctor}");
        }
        let address = format!("{}?pooled=perhaps", pooler.address(&db));
        let told = failed(2, &["key", "list"], &program::run(db.dir(), ["key", "list", "--db", &address]));
        assert!(told.contains("pooled in the database's address must be true or false"), "{told}");
    });
}

#[test]
fn a_console_behind_transaction_pooling_shows_what_others_change() {
    run_pooled("a_console_behind_transaction_pooling", async |db, _pooler| {
        let service = office(&db, preset("voicegram")).await;
        make_kept(&service, "acme", "before").await;
        let mut console = Start::new(db.dir()).on(&db.address()).size(120, 30).spawn();
        console.wait_for("before");
        make_kept(&service, "acme", "after").await;
        console.wait_for("after");
        console.press("q");
        console.wait_for_exit(Duration::from_secs(5));
    });
}

#[test]
fn kr_21_behind_transaction_pooling_nothing_acknowledged_is_lost() {
    run_pooled("kr_21_behind_transaction_pooling_nothing_is_lost", async |db, pooler| {
        let first = office(&db, preset("voiceinfra")).await;
        let mut ids = Vec::new();
        for n in 0..60 {
            ids.push(make_kept(&first, "acme", &format!("key {n}")).await.key.id);
        }
        let location = Location::parse(&db.address()).unwrap();
        let mut tasks = Vec::new();
        // Six consoles on four connections; every third call is cut off somewhere in its middle.
        for (console, part) in ids.chunks(10).enumerate() {
            let service = Service::open(&location, Clock::System).await.unwrap();
            let part = part.to_vec();
            tasks.push(tokio::spawn(async move {
                let mut acknowledged = Vec::new();
                for (n, id) in part.into_iter().enumerate() {
                    let cut = Duration::from_micros(((console * 10 + n) as u64 * 1_931) % 9_000);
                    let revoke = service.revoke_keys(new_operation(), std::slice::from_ref(&id), None);
                    if n % 3 == 2 {
                        if let Ok(done) = tokio::time::timeout(cut, revoke).await {
                            done.unwrap();
                            acknowledged.push(id);
                        }
                    } else {
                        revoke.await.unwrap();
                        acknowledged.push(id);
                    }
                    service.create_key(wanted("globex", &format!("{console} {n}"))).await.unwrap();
                    assert!(service.accounts("", None, 9).await.unwrap().len() == 2);
                }
                acknowledged
            }));
        }
        let mut acknowledged = Vec::new();
        for task in tasks {
            acknowledged.extend(task.await.unwrap());
        }
        assert!(acknowledged.len() >= 40, "{}", acknowledged.len());
        let list: Vec<String> = acknowledged.iter().map(|id| format!("'{id}'")).collect();
        let kept = format!(
            "SELECT count(*) FROM key_auth WHERE revoked_at IS NOT NULL AND id IN ({})",
            list.join(", ")
        );
        assert_eq!(db.number(&kept).await, acknowledged.len() as i64);
        assert_eq!(db.number("SELECT count(*) FROM key_auth WHERE account = 'globex'").await, 60);
        Script::on(&db).ok(&["audit", "verify"]);
        assert!(!pooler.log().contains("prepared statement"), "{}", pooler.log());
    });
}
