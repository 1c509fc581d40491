//! Answers by lease at real gates: a revocation is done once no gate answers by what was before, whatever happens to the gates,
//! their clocks and their lines.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::database::{Database, run_on_sqlite};
use crate::support::faults::Faults;
use crate::support::gate::{Gate, TRUSTING};
use crate::support::http::{Connection, request};
use crate::support::line::Line;
use crate::support::people::{make_kept, office, preset};
use crate::support::program::{json, run};
use keyrack::domain::account::Standing;
use keyrack::service::{Created, GateState, Receipt, Service, new_operation};

/// A gate that answers by a lease of this length.
pub(super) fn leased(db: &Database, lease: &str) -> Gate {
    // The brake would tell those to wait who hammer on with revoked keys.
    Gate::start(db, &["--unknown-keys", "0", "--freshness", &format!("lease={lease}"), "--name", lease])
}

fn asked(created: &Created) -> Vec<u8> {
    request("GET", "/api/v1/me", &[("X-API-Key", created.secret.expose())], "")
}

/// A key under load.
struct Used {
    asked: Vec<u8>,
    /// When its revocation was done.
    done: Mutex<Option<Instant>>,
}

/// Requests with keys by turns, at gates by turns.
pub(super) struct Load {
    keys: Arc<Vec<Used>>,
    stop: Arc<AtomicBool>,
    passed: Arc<AtomicUsize>,
    /// Those that came after a revocation was done, and how many of them passed.
    late: Arc<AtomicUsize>,
    wrong: Arc<AtomicUsize>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    pub(super) fn begin(gates: &[&Gate], keys: &[Created]) -> Self {
        let keys: Vec<Used> =
            keys.iter().map(|key| Used { asked: asked(key), done: Mutex::new(None) }).collect();
        let mut load = Self {
            keys: Arc::new(keys),
            stop: Arc::default(),
            passed: Arc::default(),
            late: Arc::default(),
            wrong: Arc::default(),
            threads: Vec::new(),
        };
        for number in 0..4 {
            let (keys, stop) = (Arc::clone(&load.keys), Arc::clone(&load.stop));
            let (passed, late, wrong) =
                (Arc::clone(&load.passed), Arc::clone(&load.late), Arc::clone(&load.wrong));
            let mut connection = Connection::open(gates[number % gates.len()].address);
            load.threads.push(std::thread::spawn(move || {
                let mut turn = number * 13;
                while !stop.load(SeqCst) {
                    turn = (turn * 5 + 7) % 997;
                    let key = &keys[turn % keys.len()];
                    // Asked before the request begins.
                    let done = key.done.lock().unwrap().is_some();
                    connection.send(&key.asked);
                    let status = connection.answer().unwrap().status;
                    assert!([200, 401, 403, 503].contains(&status), "{status}");
                    passed.fetch_add(usize::from(status == 200), SeqCst);
                    late.fetch_add(usize::from(done), SeqCst);
                    wrong.fetch_add(usize::from(done && status == 200), SeqCst);
                }
            }));
        }
        load
    }

    pub(super) fn is_done(&self, key: usize) {
        *self.keys[key].done.lock().unwrap() = Some(Instant::now());
    }

    /// How many passed, came late, and passed although they came late.
    pub(super) fn end(self) -> (usize, usize, usize) {
        self.stop.store(true, SeqCst);
        for thread in self.threads {
            thread.join().unwrap();
        }
        (self.passed.load(SeqCst), self.late.load(SeqCst), self.wrong.load(SeqCst))
    }
}

/// Writes nothing, and needs SQLite's lock for it.
const WRITE: &str = "PRAGMA busy_timeout = 100; DELETE FROM gates WHERE 0";
/// Transactions that are under way.
const OPEN: &str =
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in %'";

/// Stops a gate, but not in the middle of a transaction: whoever needs what that has locked can't write before it goes on.
async fn stop(gate: &Gate, db: &Database) {
    loop {
        gate.signal(Signal::STOP);
        tokio::time::sleep(Duration::from_millis(20)).await;
        let is_free =
            if db.is_postgres() { db.number(OPEN).await == 0 } else { db.try_execute(WRITE).await.is_ok() };
        if is_free {
            return;
        }
        gate.signal(Signal::CONT);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub(super) async fn keys(service: &Service, count: usize) -> Vec<Created> {
    let mut keys = Vec::new();
    for n in 0..count {
        keys.push(make_kept(service, "acme", &format!("key {n}")).await);
    }
    keys
}

pub(super) async fn receipt(service: &Service, key: &Created) -> Receipt {
    service.receipt(&[key.key.id], Duration::from_secs(3)).await.unwrap()
}

on_both! {
    async fn kr_21_under_load_nothing_passes_after_a_revocation_is_done(db) {
        let office = office(&db, preset("voiceinfra")).await;
        let keys = keys(&office, 52).await;
        let gates = [leased(&db, "10s"), leased(&db, "60s")];
        let load = Load::begin(&gates.each_ref(), &keys);
        tokio::time::sleep(Duration::from_millis(500)).await;
        let begun = Instant::now();
        for (n, key) in keys[..50].iter().enumerate() {
            office.revoke_keys(new_operation(), &[key.key.id], None).await.unwrap();
            load.is_done(n);
        }
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(8), "gates that are well confirm at once: {took:?}");
        let receipt = receipt(&office, &keys[49]).await;
        assert!(receipt.gates.iter().all(|gate| matches!(gate.state, GateState::Confirmed { .. })), "{receipt:?}");
        // So it is with whatever else stops keys.
        office.set_standing(new_operation(), "acme", Standing::Suspended).await.unwrap();
        load.is_done(50);
        load.is_done(51);
        tokio::time::sleep(Duration::from_millis(300)).await;
        let (passed, late, wrong) = load.end();
        println!("{passed} passed, {late} came late, 50 revocations took {took:?}");
        assert!(passed > 1_000 && late > 500, "{passed} {late}");
        assert_eq!(wrong, 0, "of {late} that came after it was done");
    }

    async fn kr_21_a_gate_that_stood_still_answers_nothing_older_than_its_lease(db) {
        let office = office(&db, preset("voiceinfra")).await;
        let keys = keys(&office, 2).await;
        let gates = [leased(&db, "1s"), leased(&db, "2s")];
        let load = Load::begin(&[&gates[1]], &keys[..1]);
        for key in &keys {
            assert_eq!(gates[0].get("/api/v1/me", &[("X-API-Key", key.secret.expose())]).status, 200);
        }
        stop(&gates[0], &db).await;
        let begun = Instant::now();
        let address = db.address();
        let id = keys[0].key.id.to_string();
        // Whoever revokes is told so when the lease is over, and not before.
        let told = json(db.dir(), ["--db", &address, "key", "revoke", &id, "--yes", "--json"]);
        load.is_done(0);
        assert!(begun.elapsed() >= Duration::from_millis(1_050), "{:?}", begun.elapsed());
        assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
        let states: Vec<_> = told[0]["gates"].as_array().unwrap().iter().map(|gate| &gate["state"]).collect();
        assert_eq!(states, ["lease-ran-out", "confirmed"], "{told}");
        assert!(told[0]["gates"][0]["at"].is_string(), "{told}");
        // It comes while the gate stands still, after the word was said.
        let mut late = gates[0].connect();
        late.send(&asked(&keys[0]));
        let mut other = gates[0].connect();
        other.send(&asked(&keys[1]));
        gates[0].signal(Signal::CONT);
        assert_eq!(late.answer().unwrap().status, 401);
        assert_eq!(other.answer().unwrap().status, 200, "by a proof");
        tokio::time::sleep(Duration::from_millis(300)).await;
        let (passed, late, wrong) = load.end();
        assert!(passed > 100 && late > 0 && wrong == 0, "{passed} {late} {wrong}");
    }

    async fn kr_21_the_word_that_a_replacement_is_confirmed_is_waited_for_too(db) {
        let office = office(&db, preset("voiceinfra")).await;
        let old = make_kept(&office, "acme", "old").await.key.id;
        let new = office.rotate_key(new_operation(), old, keyrack::domain::expiry::Overlap::None).await.unwrap().key.id;
        leased(&db, "500ms").kill();
        let begun = Instant::now();
        // It is what revokes the old one.
        office.acknowledge_key(new_operation(), new).await.unwrap();
        let took = begun.elapsed();
        assert!(took >= Duration::from_millis(550), "{took:?}");
        assert!(office.key(old).await.unwrap().revoked_at.is_some());
    }

    async fn kr_21_a_gate_that_crashed_is_waited_for_and_no_longer(db) {
        let office = office(&db, preset("voiceinfra")).await;
        let keys = keys(&office, 1).await;
        leased(&db, "500ms").kill();
        let begun = Instant::now();
        office.revoke_keys(new_operation(), &[keys[0].key.id], None).await.unwrap();
        let took = begun.elapsed();
        assert!((550..3_000).contains(&took.as_millis()), "{took:?}");
        let receipt = receipt(&office, &keys[0]).await;
        assert!(matches!(receipt.gates[0].state, GateState::LeaseRanOut { .. }) && receipt.is_complete(), "{receipt:?}");
        // What narrows nothing waits for nobody.
        let begun = Instant::now();
        make_kept(&office, "acme", "new").await;
        assert!(begun.elapsed() < Duration::from_millis(500), "{:?}", begun.elapsed());
        let address = db.address();
        let told = run(db.dir(), ["--db", &address, "doctor"]);
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        assert!(told.contains("500ms answers from memory for at most 500 ms (lease=500ms)"), "{told}");
    }

    async fn a_gate_that_signs_off_is_waited_for_no_more(db) {
        let office = office(&db, preset("voiceinfra")).await;
        let keys = keys(&office, 1).await;
        let (status, log) = leased(&db, "60s").stop();
        assert!(status.success(), "{log}");
        let begun = Instant::now();
        office.revoke_keys(new_operation(), &[keys[0].key.id], None).await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    }

    async fn a_lease_that_makes_no_sense_starts_no_gate(db) {
        office(&db, preset("voiceinfra")).await;
        let address = db.address();
        for (lease, words) in [
            ("lease=0s", "a lease lasts from 100 ms to 60 s"),
            ("lease=99ms", "a lease lasts from 100 ms to 60 s"),
            ("lease=2m", "a lease lasts from 100 ms to 60 s"),
            ("lease=soon", "write proof, or a lease with its time, as lease=1s"),
            ("lease", "write proof, or a lease with its time, as lease=1s"),
        ] {
            let output = run(db.dir(), ["--db", &address, "gate", "--listen", "127.0.0.1:0", "--freshness", lease]);
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(2), "{told}");
            assert!(told.contains("--freshness") && told.contains(words), "{told}");
        }
    }

    async fn kr_21_a_gate_whose_line_is_dead_refuses_once_its_lease_is_over(db) {
        if !db.is_postgres() {
            // A file does not hang on a line.
            return;
        }
        let office = office(&db, preset("voiceinfra")).await;
        let keys = keys(&office, 2).await;
        let line = Line::to(&db);
        let more = ["--unknown-keys", "0", "--freshness", "lease=2s", "--listen", "127.0.0.1:0"];
        let gate = Gate::by(&line.address(None), &db, &[TRUSTING, &more].concat(), &[]);
        let load = Load::begin(&[&gate], &keys);
        let status = || gate.get("/api/v1/me", &[("X-API-Key", keys[1].secret.expose())]).status;
        while status() != 200 {}
        line.hold(true);
        let held = Instant::now();
        let mut passed = 0;
        while held.elapsed() < Duration::from_millis(1_000) {
            passed += usize::from(status() == 200);
        }
        assert!(passed > 100, "what is remembered passes meanwhile: {passed}");
        office.revoke_keys(new_operation(), &[keys[0].key.id], None).await.unwrap();
        load.is_done(0);
        assert!(held.elapsed() >= Duration::from_millis(3_000), "{:?}", held.elapsed());
        let told = receipt(&office, &keys[0]).await;
        assert!(matches!(told.gates[0].state, GateState::LeaseRanOut { .. }), "{told:?}");
        assert_eq!(status(), 503, "it refuses everything that it can't ask about");
        line.hold(false);
        let begun = Instant::now();
        while status() != 200 {
            assert!(begun.elapsed() < Duration::from_secs(10), "it does not recover\n{}", gate.log());
        }
        office.revoke_keys(new_operation(), &[keys[1].key.id], None).await.unwrap();
        load.is_done(1);
        tokio::time::sleep(Duration::from_millis(200)).await;
        let (passed, late, wrong) = load.end();
        assert!(passed > 0 && late > 20 && wrong == 0, "{passed} {late} {wrong}");
    }
}

#[test]
fn kr_21_a_lease_goes_by_no_clock_that_somebody_sets() {
    run_on_sqlite(|db| async move {
        let office = office(&db, preset("voiceinfra")).await;
        let keys = keys(&office, 3).await;
        let faults = Faults::new(db.dir());
        let more = ["--unknown-keys", "0", "--freshness", "lease=1s", "--listen", "127.0.0.1:0"];
        let gate = Gate::told_with(&db, &[TRUSTING, &more].concat(), &faults.variables());
        let load = Load::begin(&[&gate], &keys);
        tokio::time::sleep(Duration::from_millis(300)).await;
        for (n, hours) in [-3, 30].into_iter().enumerate() {
            faults.clock(chrono::Duration::hours(hours));
            tokio::time::sleep(Duration::from_millis(200)).await;
            stop(&gate, &db).await;
            let begun = Instant::now();
            office.revoke_keys(new_operation(), &[keys[n].key.id], None).await.unwrap();
            load.is_done(n);
            assert!(begun.elapsed() >= Duration::from_millis(1_050), "{:?}", begun.elapsed());
            gate.signal(Signal::CONT);
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        let (passed, late, wrong) = load.end();
        assert!(passed > 100 && late > 100 && wrong == 0, "{passed} {late} {wrong}");
    });
}

/// A backup is another database: what the gate remembers of this one counts no more.
#[test]
fn a_file_that_is_moved_away_ends_a_lease() {
    run_on_sqlite(|db| async move {
        let office = office(&db, preset("voiceinfra")).await;
        let keys = keys(&office, 1).await;
        let gate = leased(&db, "60s");
        let status = || gate.get("/api/v1/me", &[("X-API-Key", keys[0].secret.expose())]).status;
        assert_eq!(status(), 200);
        std::fs::rename(db.dir().join("keyrack.db"), db.dir().join("away.db")).unwrap();
        let begun = Instant::now();
        while status() == 200 {
            assert!(begun.elapsed() < Duration::from_secs(2), "{}", gate.log());
        }
        assert_eq!(status(), 503);
    });
}
