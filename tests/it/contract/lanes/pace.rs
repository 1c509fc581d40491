//! Changes of different accounts commit at the same time. In every run that is looked at while commits wait for a standby that
//! there is not; `KEYRACK_LANES_SECONDS=10` measures what it is worth, where the server's disk takes 5 ms: what the program does,
//! and what the server alone takes from writers who cost nothing, five times as many in the best of three rounds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use keyrack::domain::audit::Verdict;
use keyrack::service::{ChangeAccount, Service, new_operation};

use crate::support::database::cluster::Cluster;
use crate::support::database::{Database, skip};
use crate::support::people::{account, office, preset};

const WRITERS: usize = 32;

/// Changes a second by writers on an account of their own each.
async fn pace(writers: &[Service], time: Duration) -> f64 {
    let (done, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let tasks: Vec<_> = (0..WRITERS)
        .map(|n| {
            let (service, done, stop) =
                (writers[n % writers.len()].clone(), Arc::clone(&done), Arc::clone(&stop));
            tokio::spawn(async move {
                for one in 0_u64.. {
                    if stop.load(Relaxed) {
                        break;
                    }
                    let name = Some(format!("{n} {one}"));
                    let change = ChangeAccount { name, ..ChangeAccount::default() };
                    service.change_account(new_operation(), &format!("a{n}"), change).await.unwrap();
                    done.fetch_add(1, Relaxed);
                }
            })
        })
        .collect();
    // Connections are made and statements planned before it is measured.
    tokio::time::sleep(time / 2).await;
    let (before, begun) = (done.load(Relaxed), Instant::now());
    tokio::time::sleep(time).await;
    let rate = (done.load(Relaxed) - before) as f64 / begun.elapsed().as_secs_f64();
    stop.store(true, Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
    rate
}

/// A change of an account as the program makes it, by its own row of the audit or by a lane, and sealed.
fn script(lanes: bool) -> String {
    let table = if lanes { "audit_lanes" } else { "audit" };
    let seal = "SELECT keyrack_seal(ARRAY[:op]::uuid[])::int AS done \\gset\n";
    let again = format!("{seal}\\if :done\n\\else\n").repeat(3) + seal + &"\\endif\n".repeat(3);
    format!(
        "SELECT gen_random_uuid() AS op, random() AS r \\gset\nBEGIN;\n\
         SELECT clock_timestamp(), (SELECT a.at FROM audit a WHERE a.seq = (SELECT h.seq FROM audit_head h)), keyrack_hold_role();\n\
         SELECT * FROM accounts WHERE slug = 'a' || :client_id FOR UPDATE;\n\
         UPDATE accounts SET name = :r WHERE slug = 'a' || :client_id;\n\
         INSERT INTO {table} (at, actor, host, operation, action, subject, account, detail) VALUES (clock_timestamp(), 'ada', 'desk', \
         :op, 'account.change', 'a' || :client_id, 'a' || :client_id, '{{\"changed\": {{}}}}');\nCOMMIT;\n{}",
        if lanes { again.as_str() } else { "" }
    )
}

/// The same by a program that costs next to nothing.
fn by_server(db: &Database, lanes: bool, seconds: u64) -> f64 {
    let bins = std::fs::read_dir("/usr/lib/postgresql").unwrap().flatten();
    let bench = bins.map(|version| version.path().join("bin/pgbench")).max().unwrap();
    let file = db.dir().join("script.sql");
    std::fs::write(&file, script(lanes)).unwrap();
    let mut command = std::process::Command::new(bench);
    command.arg("-h").arg(db.sockets().unwrap()).args([
        "-U",
        "ada",
        "-n",
        "-M",
        "prepared",
        "-j",
        "2",
        "-c",
        &WRITERS.to_string(),
    ]);
    let ran = command.args(["-T", &seconds.to_string(), "-f"]).arg(&file).arg(db.name()).output().unwrap();
    let told = String::from_utf8_lossy(&ran.stdout).into_owned();
    let rate = told.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    rate.unwrap_or_else(|| panic!("{told}{}", String::from_utf8_lossy(&ran.stderr)))
}

/// An office with an account for each writer, and as many consoles.
async fn writers(db: &Database, many: usize) -> (Service, Vec<Service>) {
    let mut policy = preset("voiceinfra");
    policy.caps.active_keys = None;
    let service = office(db, policy).await;
    let mut writers = Vec::new();
    for n in 0..many {
        service.create_account(new_operation(), account("voiceinfra", &format!("a{n}"))).await.unwrap();
        writers.push(db.open().await);
    }
    (service, writers)
}

fn with_cluster<F: Future<Output = ()>>(settings: &[&str], body: impl FnOnce(Cluster) -> F) {
    let Some(cluster) = Cluster::start(settings) else {
        return skip("lanes", "PostgreSQL is not installed (apt-get install postgresql)");
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(body(cluster));
}

#[test]
fn changes_of_different_accounts_commit_at_the_same_time() {
    with_cluster(&[], |cluster| async move {
        let db = Database::on(&cluster).await;
        let (service, writers) = writers(&db, 8).await;
        let waiting =
            |what: &str| format!("SELECT count(*) FROM pg_stat_activity WHERE usename = 'ada' AND {what}");
        for (lanes, at_once) in [(1, 1), (64, 8)] {
            service.set_lanes(new_operation(), lanes).await.unwrap();
            db.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'").await;
            db.execute("SELECT pg_reload_conf()").await;
            let tasks = writers.iter().enumerate().map(|(n, service)| {
                let service = service.clone();
                let change =
                    ChangeAccount { name: Some(format!("with {lanes}")), ..ChangeAccount::default() };
                tokio::spawn(async move {
                    service.change_account(new_operation(), &format!("a{n}"), change).await
                })
            });
            let tasks: Vec<_> = tasks.collect();
            // Each commits, or waits for one that does.
            let begun = Instant::now();
            while db.number(&waiting("(wait_event = 'SyncRep' OR wait_event_type = 'Lock')")).await < 8 {
                assert!(begun.elapsed() < Duration::from_secs(20));
            }
            let commits = db.number(&waiting("wait_event = 'SyncRep'")).await;
            db.execute("ALTER SYSTEM RESET synchronous_standby_names").await;
            db.execute("SELECT pg_reload_conf()").await;
            for task in tasks {
                task.await.unwrap().unwrap();
            }
            if std::env::var_os("KEYRACK_TEST_LANES").is_none() || lanes > 1 {
                assert_eq!(commits, at_once, "with {lanes}");
            }
        }
        super::nothing_amiss(&service).await;
    });
    if let Ok(seconds) = std::env::var("KEYRACK_LANES_SECONDS") {
        campaign(seconds.parse().unwrap());
    }
}

fn campaign(seconds: u64) {
    with_cluster(&["commit_ms=5"], |cluster| async move {
        let db = Database::on(&cluster).await;
        let (service, writers) = writers(&db, WRITERS).await;
        for lanes in [1, 64] {
            service.set_lanes(new_operation(), lanes).await.unwrap();
            let time = Duration::from_secs(seconds);
            // As many processes as writers, and all of them in one.
            let (each, one) = (pace(&writers, time).await, pace(&writers[..1], time).await);
            println!("{WRITERS} writers, {lanes} lanes: {each:.0}/s; in one process {one:.0}/s");
        }
        let rounds: Vec<_> =
            (0..3).map(|_| (by_server(&db, false, seconds), by_server(&db, true, seconds))).collect();
        let told = format!("the server alone, without lanes and with them, three times: {rounds:.0?}");
        println!("{told}");
        assert!(rounds.iter().any(|(one, many)| *many >= one * 5.0), "{told}");
        assert!(matches!(service.verify_audit(|_| ()).await.unwrap(), Verdict::Intact { .. }));
        assert_eq!(db.number("SELECT count(*) FROM audit_lanes").await, 0);
    });
}
