//! Changes that are wished at the same time share a commit; each has an outcome of its own. Many keys are one change.

use std::time::{Duration, Instant};

use keyrack::domain::account::Standing;
use keyrack::domain::audit::Verdict;
use keyrack::service::{Error, Service, new_operation};

use crate::support::database::Database;
use crate::support::people::{account, make_kept, office, preset, wanted};
use crate::support::program;

async fn roomy(db: &Database) -> Service {
    let mut policy = preset("voiceinfra");
    policy.caps.active_keys = None;
    policy.caps.creations_per_minute = None;
    office(db, policy).await
}

async fn intact(service: &Service) {
    assert!(matches!(service.verify_audit(|_| {}).await.unwrap(), Verdict::Intact { .. }));
}

on_both! {
    async fn who_comes_at_once_shares_a_commit_and_is_answered_by_itself(db) {
        let service = roomy(&db).await;
        service.create_account(new_operation(), account("voiceinfra", "closed")).await.unwrap();
        service.set_standing(new_operation(), "closed", Standing::Suspended).await.unwrap();
        let hub = make_kept(&service, "acme", "hub").await.key.id;
        let before = db.number("SELECT count(*) FROM audit").await;
        let twice = new_operation();
        let tasks: Vec<_> = (0..120)
            .map(|n| {
                let service = service.clone();
                tokio::spawn(async move {
                    let mut request = wanted(if n % 5 == 1 { "closed" } else { "acme" }, &format!("key {n}"));
                    match n % 5 {
                        2 => service.trying().create_key(request).await.map(drop),
                        3 => {
                            // A person who presses the key again, before there is an answer.
                            request.operation = twice;
                            service.create_key(request).await.map(drop)
                        }
                        4 => service.revoke_keys(new_operation(), &[hub], None).await.map(drop),
                        _ => service.create_key(request).await.map(drop),
                    }
                })
            })
            .collect();
        let mut refused = [0; 5];
        for (n, task) in tasks.into_iter().enumerate() {
            match task.await.unwrap() {
                Ok(()) => {}
                Err(Error::Suspended { .. }) if n % 5 == 1 => refused[1] += 1,
                Err(Error::Refused(_)) if n % 5 == 3 => refused[3] += 1,
                Err(error) => panic!("{n}: {error}"),
            }
        }
        assert_eq!(refused, [0, 24, 0, 23, 0], "the closed account's, and all but one of the same wish");
        assert_eq!(db.number("SELECT count(*) FROM keys").await, 1 + 24 + 1);
        assert_eq!(db.number("SELECT count(*) FROM audit").await, before + 24 + 1 + 1);
        assert_eq!(db.number("SELECT count(*) FROM key_auth WHERE revoked_at IS NOT NULL").await, 1);
        // On a machine that is busy otherwise each may be waited for too long by the others.
        let mut shared = !db.is_postgres();
        for _ in 0..30 {
            if shared {
                break;
            }
            let create = |n: usize| service.create_key(wanted("acme", &format!("one of eight, {n}")));
            for made in futures::future::join_all((0..8).map(create)).await {
                made.unwrap();
            }
            let made = "FROM audit WHERE action = 'key.create'";
            let commits = db.number(&format!("SELECT count(DISTINCT xmin::text) {made}")).await;
            shared = commits < db.number(&format!("SELECT count(*) {made}")).await;
        }
        assert!(shared, "each creation has a commit of its own");
        intact(&db.open().await).await;
    }

    async fn vg_19_nobody_is_refused_because_of_a_key_that_never_came_to_be(db) {
        let mut policy = preset("voiceinfra");
        policy.caps.active_keys = Some(3);
        policy.caps.creations_per_minute = None;
        let service = office(&db, policy).await;
        // Found out only when it is written, behind those who have counted it.
        db.execute(if db.is_postgres() {
            "CREATE FUNCTION no_bad() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'bad'; END $$; \
             CREATE TRIGGER no_bad BEFORE INSERT ON keys FOR EACH ROW WHEN (NEW.name = 'bad') EXECUTE FUNCTION no_bad()"
        } else {
            "CREATE TRIGGER no_bad BEFORE INSERT ON keys WHEN NEW.name = 'bad' BEGIN SELECT RAISE(ABORT, 'bad'); END"
        })
        .await;
        for round in 0..12 {
            let slug = format!("account{round}");
            service.create_account(new_operation(), account("voiceinfra", &slug)).await.unwrap();
            for n in 0..2 {
                make_kept(&service, &slug, &format!("before {n}")).await;
            }
            // There is room for one more, which is taken by the bad one in the rounds in which it comes first.
            let bad_one = round % 3;
            let create = |n: usize| {
                let name = if n == bad_one { "bad".to_owned() } else { format!("key {n}") };
                service.create_key(wanted(&slug, &name))
            };
            let (mut made, mut capped, mut bad) = (0, 0, 0);
            for (n, done) in futures::future::join_all((0..4).map(create)).await.into_iter().enumerate() {
                match done {
                    Ok(created) => {
                        assert_eq!(service.key(created.key.id).await.unwrap().name.as_str(), format!("key {n}"));
                        made += 1;
                    }
                    Err(Error::KeyLimit { .. }) => capped += 1,
                    Err(error) if n == bad_one => {
                        assert!(error.to_string().contains("bad"), "{error}");
                        bad += 1;
                    }
                    Err(error) => panic!("{n}: {error}"),
                }
            }
            // The bad one comes last, is refused by the cap, or by the database.
            assert_eq!((made, capped + bad), (1, 3), "round {round}");
            assert_eq!(service.account(&slug).await.unwrap().active_keys, 3);
        }
        intact(&db.open().await).await;
    }

    async fn a_killed_revocation_of_many_is_whole_or_nothing(db) {
        whole_or_nothing(&db, &["revoke"], "revoked_at IS NULL", "key.revoke").await;
    }

    async fn kr_05_a_killed_pause_of_many_is_whole_or_nothing(db) {
        whole_or_nothing(&db, &["pause", "--for", "1h"], "paused_until IS NULL AND revoked_at IS NULL", "key.pause").await;
    }
}

/// A command that is done to all keys is killed again and again, ever later: `left` says which keys it is still to be done to.
async fn whole_or_nothing(db: &Database, verb: &[&str], left: &str, action: &str) {
    let service = db.open().await;
    service.demo(2_000, 1, |_| {}).await.unwrap();
    // What is over can't be paused.
    let ahead = if db.is_postgres() { "ends_at > now()" } else { "ends_at > unixepoch() * 1000000" };
    let of_now = format!("SELECT count(*) FROM key_auth WHERE {left} AND {ahead}");
    let many = db.number(&of_now).await;
    let home = tempfile::tempdir().unwrap();
    let address = db.address();
    let all = ["--filter", "created:>2000-01-01 -status:ended", "--yes", "--json"];
    let args = [&["--db", &address, "key"], verb, &all[..]].concat();
    // How long it takes to the end, on one that is tried only.
    let began = Instant::now();
    let tried = program::run(home.path(), [&args[..], &["--dry-run"]].concat());
    assert!(tried.status.success(), "{}", String::from_utf8_lossy(&tried.stderr));
    let span = began.elapsed();
    let (mut cut, mut left) = (0, many);
    for n in 0..12 {
        let mut child = program::keyrack(home.path(), &args)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(span.mul_f64(0.3 + f64::from(n) * 0.1));
        child.kill().unwrap();
        child.wait().unwrap();
        // The server goes on until it notices.
        std::thread::sleep(Duration::from_millis(if db.is_postgres() { 500 } else { 0 }));
        left = db.number(&of_now).await;
        assert!(left == 0 || left == many, "{left} of {many} are left");
        let told =
            format!("SELECT count(*) FROM audit WHERE action = '{action}' AND detail NOT LIKE '%demo%'");
        let told = db.number(&told).await;
        assert!(left == many || told >= many, "{told} rows of the audit tell of {many}");
        cut += 1;
        if left == 0 {
            break;
        }
    }
    assert!(cut > 1, "nobody was cut off: the test shows nothing");
    if left > 0 {
        let done = program::run(home.path(), &args);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        assert_eq!(db.number(&of_now).await, 0);
    }
    intact(&db.open().await).await;
}
