//! How many changes a second an audit with lanes takes where each commit is slow, as one is that others have to confirm: here
//! the server's disk is slow.
//!
//! In every run with 20 ms, which is slow enough to be seen on a busy machine; `KEYRACK_LANES_SECONDS=10` measures for so long with
//! 5 ms, and then what the server alone takes, from writers who cost nothing: five times as many in the best of three rounds.

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

#[test]
fn sixty_four_lanes_take_more_changes_than_one() {
    let long = std::env::var("KEYRACK_LANES_SECONDS").ok().map(|seconds| seconds.parse().unwrap());
    let (time, slow) = long.map_or((Duration::from_secs(1), 20), |seconds| (Duration::from_secs(seconds), 5));
    let Some(cluster) = Cluster::start(&[&format!("commit_ms={slow}")]) else {
        return skip("sixty_four_lanes", "PostgreSQL is not installed (apt-get install postgresql)");
    };
    tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap().block_on(async {
        let db = Database::on(&cluster).await;
        let mut policy = preset("voiceinfra");
        policy.caps.active_keys = None;
        policy.caps.creations_per_minute = None;
        let service = office(&db, policy).await;
        for n in 0..WRITERS {
            service.create_account(new_operation(), account("voiceinfra", &format!("a{n}"))).await.unwrap();
        }
        let mut writers = Vec::new();
        for _ in 0..WRITERS {
            writers.push(db.open().await);
        }
        let mut found = Vec::new();
        for lanes in [1, 64] {
            service.set_lanes(new_operation(), lanes).await.unwrap();
            // As many processes as writers, and all of them in one.
            found.push((pace(&writers, time).await, pace(&writers[..1], time).await));
        }
        let ((one, in_one), (many, many_in_one)) = (found[0], found[1]);
        let told = format!(
            "{WRITERS} writers with a commit of {slow} ms: {one:.0}/s with one lane, {many:.0}/s with 64; in one process {in_one:.0}/s and {many_in_one:.0}/s"
        );
        println!("{told}");
        assert!(many >= one * if long.is_some() { 1.5 } else { 2.0 }, "{told}");
        // One process has shared its commits already: there is little to gain, and nothing to lose.
        assert!(many_in_one * 2.0 >= in_one, "{told}");
        if let Some(seconds) = long {
            let rounds: Vec<_> = (0..3).map(|_| (by_server(&db, false, seconds), by_server(&db, true, seconds))).collect();
            let told = format!("the server alone, without lanes and with them, three times: {rounds:.0?}");
            println!("{told}");
            assert!(rounds.iter().any(|(one, many)| *many >= one * 5.0), "{told}");
        }
        assert!(matches!(service.verify_audit(|_| ()).await.unwrap(), Verdict::Intact { .. }));
        assert_eq!(db.number("SELECT count(*) FROM audit_lanes").await, 0);
    });
}
