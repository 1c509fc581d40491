//! Servers that die while keys are revoked: Patroni with etcd, gates and consoles on it, some of them through PgBouncer.
//!
//! `KEYRACK_FAILOVERS=50` has the primary killed that often; else it dies twice.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use keyrack::clock::Clock;
use keyrack::domain::audit::Verdict;
use keyrack::service::{Created, Service, new_operation};
use keyrack::store::Location;

use crate::support::database::Database;
use crate::support::gate::{Gate, TRUSTING};
use crate::support::http::{Connection, request};
use crate::support::patroni::Patroni;
use crate::support::people::{furnish, make_kept, preset};
use crate::support::program;
use crate::support::pty::Start;

/// Keys that are revoked while a server dies, and those that go on working.
const REVOKED: usize = 40;
const KEPT: usize = 2;
/// How long a gate may go on by what it read before its server died: its lease, and what a request takes.
const LEASE: Duration = Duration::from_millis(1_500);

/// A request with one of the keys.
struct Asked {
    bytes: Vec<u8>,
    /// Whether its revocation was acknowledged.
    done: AtomicBool,
}

/// Requests at every gate, without a pause that is worth the name.
struct Load {
    keys: Arc<Vec<Asked>>,
    stop: Arc<AtomicBool>,
    late: Arc<AtomicUsize>,
    wrong: Arc<AtomicUsize>,
    refused: Arc<AtomicUsize>,
    /// When a request passed, of each gate.
    passed: Vec<Arc<Mutex<Vec<Instant>>>>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    fn begin(gates: &[Gate], keys: &[Created]) -> Self {
        let asked = |key: &Created| Asked {
            bytes: request("GET", "/api/v1/me", &[("X-API-Key", key.secret.expose())], ""),
            done: AtomicBool::new(false),
        };
        let mut load = Self {
            keys: Arc::new(keys.iter().map(asked).collect()),
            stop: Arc::default(),
            late: Arc::default(),
            wrong: Arc::default(),
            refused: Arc::default(),
            passed: gates.iter().map(|_| Arc::default()).collect(),
            threads: Vec::new(),
        };
        for (number, gate) in gates.iter().enumerate() {
            let (keys, stop, passed) =
                (Arc::clone(&load.keys), Arc::clone(&load.stop), Arc::clone(&load.passed[number]));
            let (late, wrong, refused) =
                (Arc::clone(&load.late), Arc::clone(&load.wrong), Arc::clone(&load.refused));
            let mut connection = Connection::open(gate.address);
            load.threads.push(std::thread::spawn(move || {
                let mut turn = number * 13;
                while !stop.load(SeqCst) {
                    turn = (turn * 5 + 7) % 997;
                    let key = &keys[turn % keys.len()];
                    // Asked before the request begins.
                    let done = key.done.load(SeqCst);
                    connection.send(&key.bytes);
                    let status = connection.answer().unwrap().status;
                    assert!([200, 401, 503].contains(&status), "{status}");
                    late.fetch_add(usize::from(done), SeqCst);
                    refused.fetch_add(usize::from(status == 503), SeqCst);
                    if status == 200 {
                        wrong.fetch_add(usize::from(done), SeqCst);
                        passed.lock().unwrap().push(Instant::now());
                    }
                    std::thread::sleep(Duration::from_millis(1));
                }
            }));
        }
        load
    }

    /// How soon after that moment each gate let something pass again, and how many passed between these two.
    fn after(&self, moment: Instant, nobody: (Instant, Instant)) -> (Vec<Option<Duration>>, usize) {
        let again = |passed: &Vec<Instant>| passed.iter().find(|at| **at > moment).map(|at| *at - moment);
        let between =
            |passed: &Vec<Instant>| passed.iter().filter(|at| (nobody.0..nobody.1).contains(*at)).count();
        let all: Vec<_> = self.passed.iter().map(|passed| passed.lock().unwrap().clone()).collect();
        (all.iter().map(again).collect(), all.iter().map(between).sum())
    }

    fn end(self) -> (usize, usize, usize) {
        self.stop.store(true, SeqCst);
        for thread in self.threads {
            thread.join().unwrap();
        }
        (self.late.load(SeqCst), self.wrong.load(SeqCst), self.refused.load(SeqCst))
    }
}

/// Revokes those keys one after the other, each until it is acknowledged; tells when each was.
async fn revoke(
    service: Service,
    ids: Vec<(usize, uuid::Uuid)>,
    keys: Arc<Vec<Asked>>,
    acknowledged: Arc<Mutex<Vec<(uuid::Uuid, Instant)>>>,
) {
    for (n, id) in ids {
        let operation = new_operation();
        let begun = Instant::now();
        while let Err(error) = service.revoke_keys(operation, &[id], None).await {
            assert!(begun.elapsed() < Duration::from_secs(90), "{error}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        acknowledged.lock().unwrap().push((id, Instant::now()));
        keys[n].done.store(true, SeqCst);
    }
}

async fn open(address: &str) -> Service {
    Service::open(&Location::parse(address).unwrap(), Clock::System).await.unwrap()
}

/// What one death came to.
#[derive(Default)]
struct Sums {
    acknowledged: usize,
    lost: usize,
    late: usize,
    wrong: usize,
    refused: usize,
    by_nobody: usize,
}

/// Kills the server that takes the changes while keys are revoked, waits until all of it goes on, and starts it again.
async fn one_death(
    round: usize,
    patroni: &mut Patroni,
    consoles: &[Service; 2],
    gates: &[Gate],
    sums: &mut Sums,
) {
    let mut keys = Vec::new();
    for n in 0..REVOKED + KEPT {
        keys.push(make_kept(&consoles[n % 2], "acme", &format!("key {round}.{n}")).await);
    }
    let load = Load::begin(gates, &keys);
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let mut revoking = Vec::new();
    for (part, console) in consoles.iter().enumerate() {
        let ids = (0..REVOKED).filter(|n| n % 2 == part).map(|n| (n, keys[n].key.id)).collect();
        let (keys, acknowledged) = (Arc::clone(&load.keys), Arc::clone(&acknowledged));
        revoking.push(tokio::spawn(revoke(console.clone(), ids, keys, acknowledged)));
    }
    while acknowledged.lock().unwrap().len() < 4 + round % 9 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let killed = patroni.leader().unwrap();
    patroni.kill(killed);
    let died = Instant::now();
    // The last moment at which it is known that nobody takes changes.
    let mut nobody_until = died;
    let leader = loop {
        let asked = Instant::now();
        if let Some(leader) = patroni.takes_changes().await {
            break leader;
        }
        nobody_until = asked;
        assert!(died.elapsed() < Duration::from_secs(90), "nobody takes over");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let led = died.elapsed();
    for task in revoking {
        task.await.unwrap();
    }
    let all = died.elapsed();
    let again = loop {
        let (again, by_nobody) = load.after(died + led, (died + LEASE, nobody_until));
        if again.iter().all(Option::is_some) {
            sums.by_nobody += by_nobody;
            break again;
        }
        assert!(died.elapsed() < Duration::from_secs(120), "a gate does not go on: {again:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    tokio::time::sleep(Duration::from_millis(300)).await;
    let (late, wrong, refused) = load.end();
    // What another server than the one that died has of it.
    let acknowledged: Vec<_> = acknowledged.lock().unwrap().clone();
    let revoked: HashSet<String> = patroni
        .sql(leader, "keys", "SELECT id::text FROM key_auth WHERE revoked_at IS NOT NULL")
        .await
        .into_iter()
        .collect();
    let lost = acknowledged.iter().filter(|(id, _)| !revoked.contains(&id.to_string())).count();
    let before = acknowledged.iter().filter(|(_, at)| *at < died).count();
    let first = acknowledged.iter().map(|(_, at)| *at).filter(|at| *at > died + Duration::from_secs(1)).min();
    let seconds =
        |span: Option<Duration>| span.map_or("–".into(), |span| format!("{:.1}", span.as_secs_f64()));
    println!(
        "death {round}: {} killed, {} leads after {} s; {before} revocations acknowledged before, the next after {} s, all {} \
         after {} s, {lost} lost; gates went on {} s after that, refused {refused} meanwhile; {late} requests began after an \
         acknowledgement, {wrong} passed",
        patroni.name(killed),
        patroni.name(leader),
        seconds(Some(led)),
        seconds(first.map(|at| at - died)),
        acknowledged.len(),
        seconds(Some(all)),
        again.iter().map(|span| seconds(*span)).collect::<Vec<_>>().join(" / "),
    );
    sums.acknowledged += acknowledged.len();
    sums.lost += lost;
    sums.late += late;
    sums.wrong += wrong;
    sums.refused += refused;
    patroni.start_node(killed);
    patroni.wait_until_whole();
}

#[test]
fn kr_21_no_server_that_dies_takes_an_acknowledged_revocation_with_it() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(async {
        let Some(mut patroni) = Patroni::start("kr_21_no_server_that_dies").await else { return };
        let deaths = std::env::var("KEYRACK_FAILOVERS").ok().map_or(2, |many| many.parse().unwrap());
        let (direct, pooled) = (patroni.address(), patroni.pooled());
        let consoles = [open(&direct).await, open(&pooled).await];
        furnish(&consoles[0], preset("voiceinfra")).await;
        let home = Database::sqlite();
        let start = |address: &str, args: &[&str]| {
            let own = ["--listen", "127.0.0.1:0", "--unknown-keys", "0"];
            Gate::by(address, &home, &[&own, TRUSTING, args].concat(), &[])
        };
        let gates = [
            start(&direct, &["--name", "proof"]),
            start(&direct, &["--name", "lease", "--freshness", "lease=1s"]),
            start(&pooled, &["--name", "pooled proof"]),
            start(&pooled, &["--name", "pooled lease", "--freshness", "lease=1s"]),
        ];
        let mut terminal = Start::new(home.dir()).on(&direct).size(120, 30).spawn();
        terminal.wait_for("● live");
        let mut sums = Sums::default();
        for round in 1..=deaths {
            one_death(round, &mut patroni, &consoles, &gates, &mut sums).await;
        }
        println!(
            "{deaths} deaths: {} revocations acknowledged, {} lost; {} requests began after an acknowledgement, {} passed; \
             {} refused; {} passed while nobody took changes",
            sums.acknowledged, sums.lost, sums.late, sums.wrong, sums.refused, sums.by_nobody
        );
        assert_eq!((sums.lost, sums.wrong, sums.by_nobody), (0, 0, 0));
        assert!(sums.acknowledged == deaths * REVOKED && sums.late > 100 && sums.refused > 10);
        // A console that was open all along shows what is new, and takes changes.
        make_kept(&consoles[0], "acme", "after all").await;
        terminal.wait_until_gone("read-only");
        terminal.press("g");
        terminal.wait_for("after all");
        terminal.press("q");
        terminal.wait_for_exit(Duration::from_secs(5));
        for console in &consoles {
            assert!(matches!(console.verify_audit(|_| {}).await.unwrap(), Verdict::Intact { .. }));
        }
        let doctor = program::run(home.dir(), ["doctor", "--db", &direct]);
        let doctor = String::from_utf8_lossy(&doctor.stdout).into_owned();
        assert!(!doctor.contains("standbys"), "{doctor}");
        for gate in gates {
            let (status, log) = gate.stop();
            assert!(status.success(), "{log}");
        }
    });
}
