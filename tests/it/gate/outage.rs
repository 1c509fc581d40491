//! A gate whose database ends and comes back: a server of this file's own, which no other test shares.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::database::cluster::{Cluster, Server};
use crate::support::database::{Database, skip};
use crate::support::gate::Gate;
use crate::support::http::{Connection, request};
use crate::support::people::{make_kept, office, preset};
use keyrack::domain::secret::PlainKey;
use keyrack::service::new_operation;

/// What callers saw: when each request was sent, and its status.
type Seen = Arc<Mutex<Vec<(Instant, u16)>>>;

/// Requests without a pause, until `stop`.
fn hammer(gate: &Gate, key: &str, stop: &Arc<AtomicBool>) -> (Seen, Vec<std::thread::JoinHandle<()>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let threads = (0..4)
        .map(|_| {
            let (address, key, seen, stop) =
                (gate.address, key.to_owned(), Arc::clone(&seen), Arc::clone(stop));
            std::thread::spawn(move || {
                let asked = request("GET", "/api/v1/me", &[("X-API-Key", &key)], "");
                let mut connection = Connection::open(address);
                while !stop.load(Ordering::SeqCst) {
                    let sent = Instant::now();
                    connection.send(&asked);
                    let status = connection.answer().unwrap().status;
                    seen.lock().unwrap().push((sent, status));
                }
            })
        })
        .collect();
    (seen, threads)
}

#[test]
fn vg_17_while_the_database_is_gone_nothing_passes_and_a_revoked_key_never_again() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let Some(cluster) = Cluster::start(&[]) else {
            return skip("the database gone under load", "PostgreSQL is not installed");
        };
        let db = Database::on(&cluster).await;
        let postgres = Server::of(&cluster);
        let office = office(&db, preset("voiceinfra")).await;
        let created = make_kept(&office, "acme", "crm").await;
        // The brake would tell the one that hammers on with a revoked key to wait.
        let gate = Gate::start(&db, &["--lease", "500ms", "--unknown-keys", "0"]);
        let stop = Arc::new(AtomicBool::new(false));
        let (seen, threads) = hammer(&gate, created.secret.expose(), &stop);
        tokio::time::sleep(Duration::from_millis(700)).await;
        let mut down = Vec::new();
        for _ in 0..3 {
            postgres.crash();
            let gone = Instant::now();
            tokio::time::sleep(Duration::from_millis(1_200)).await;
            down.push((gone, Instant::now()));
            postgres.start("-c fsync=off");
            let begun = Instant::now();
            while seen.lock().unwrap().last().unwrap().1 != 200 {
                assert!(begun.elapsed() < Duration::from_secs(20), "it does not recover\n{}", gate.log());
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        // The console's connections died too: it tries until it is heard.
        let mut tries = 0;
        while let Err(error) = office.revoke_keys(new_operation(), &[created.key.id], None).await {
            tries += 1;
            assert!(tries < 50, "{error}");
        }
        let revoked = Instant::now();
        tokio::time::sleep(Duration::from_millis(500)).await;
        postgres.crash();
        tokio::time::sleep(Duration::from_millis(300)).await;
        postgres.start("-c fsync=off");
        tokio::time::sleep(Duration::from_millis(1_000)).await;
        stop.store(true, Ordering::SeqCst);
        for thread in threads {
            thread.join().unwrap();
        }
        let seen = seen.lock().unwrap();
        let mut passed = 0;
        for (sent, status) in seen.iter() {
            assert!([200, 401, 503].contains(status), "{status}");
            if *status == 200 {
                passed += 1;
                assert!(
                    !down.iter().any(|(from, to)| from < sent && sent < to),
                    "it passed without a database"
                );
                assert!(*sent <= revoked, "it passed after its revocation");
            }
        }
        assert!(passed > 100, "{passed} of {}", seen.len());
        assert!(seen.iter().any(|(_, status)| *status == 503) && seen.last().unwrap().1 == 401);
    });
}

/// What `cp` does: the same file, cut to nothing and written anew.
#[test]
fn a_database_that_is_copied_over_ends_no_gate() {
    crate::support::database::run_on_sqlite(|db| async move {
        let office = office(&db, preset("voiceinfra")).await;
        let key = make_kept(&office, "acme", "one").await;
        let gate = Gate::start(&db, &["--unknown-keys", "0"]);
        // Each unknown key is looked up in the file, and all of it is there.
        let ask = |n: u8| {
            let stranger = PlainKey::make("vi_", preset("voiceinfra").format.body, &[n; 32]);
            gate.get("/api/v1/me", &[("X-API-Key", stranger.expose())]).status
        };
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").await;
        let file = db.dir().join("keyrack.db");
        let backup = std::fs::read(&file).unwrap();
        for n in 0..20 {
            assert!([401, 503].contains(&ask(n)));
            std::fs::write(&file, b"").unwrap();
            assert!([401, 503].contains(&ask(n + 100)));
            office.revoke_keys(new_operation(), &[key.key.id], None).await.unwrap_or_default();
            std::fs::write(&file, &backup).unwrap();
        }
        assert_eq!(gate.get("/healthz", &[]).status, 200, "{}", gate.log());
        let maps = std::fs::read_to_string(format!("/proc/{}/maps", gate.id())).unwrap();
        assert!(
            !maps.lines().any(|line| line.ends_with("/keyrack.db")),
            "pages that are mapped end it: {maps}"
        );
    });
}
