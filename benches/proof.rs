//! What a gate's proof costs: requests that are judged and confirmed, without HTTP, and how soon a revocation is refused.
//!
//! `cargo bench --bench proof` measures at 1,000 keys; `KEYRACK_BENCH_KEYS=100000 cargo bench --bench proof` at another
//! number. Both databases write durably.
#![expect(clippy::unwrap_used, reason = "a benchmark that fails says where")]

#[path = "../tests/support/support.rs"]
pub mod support;

#[path = "figures/figures.rs"]
pub mod figures;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use figures::bare::Bare;
use figures::{Bench, Figure};
use keyrack::clock::Clock;
use keyrack::domain::freshness::Freshness;
use keyrack::domain::key::{KeyId, NewKey, Status};
use keyrack::domain::operator::Identity;
use keyrack::domain::secret::HashedKey;
use keyrack::service::{Confirmed, Gate, GateSettings, Outcome, Service, Use, new_operation};
use keyrack::store::{Opening, Store};
use support::database::{Database, cluster};
use support::people::{office, preset, settings};
use support::post::new_key;
use tokio::runtime::Runtime;

/// How many requests are under way at once.
const AT_ONCE: [usize; 3] = [1, 32, 256];
/// How often the time from a revocation to its refusal is measured.
const REVOKED: usize = 30;

fn main() {
    let Some(mut bench) = Bench::begin("proof") else { return };
    let _ = cluster::SETTINGS.set(vec!["fsync=on", "full_page_writes=on", "shared_buffers=512MB"]);
    let runtime = Runtime::new().unwrap();
    for keys in bench.sizes(&[1_000]) {
        let mut databases = vec![Database::sqlite()];
        databases.extend(runtime.block_on(Database::postgres()));
        for db in databases {
            // Keyrack takes no database for its own that has another's table.
            let other = if db.is_postgres() { runtime.block_on(Database::postgres()) } else { None };
            let row = Bare::open(&runtime, other.as_ref().unwrap_or(&db), keys).row(&bench);
            let service = runtime.block_on(office(&db, preset("voiceinfra")));
            // Those that were revoked under one freshness are no good under the other.
            let made = runtime.block_on(fill(&db, &service, u128::from(keys) + REVOKED as u128));
            let second = Arc::new(made[REVOKED..].to_vec());
            let first = Arc::new(made[..made.len() - REVOKED].to_vec());
            let lease = Freshness::Lease(Duration::from_secs(1));
            for (made, freshness) in [(first, Freshness::Proof), (second, lease)] {
                runtime.block_on(measure(&mut bench, (&db, &service), &made, freshness, row));
            }
        }
    }
    bench.end();
}

async fn measure(
    bench: &mut Bench,
    (db, service): (&Database, &Service),
    made: &Arc<Vec<(KeyId, HashedKey)>>,
    freshness: Freshness,
    row: Duration,
) {
    let keys = made.len();
    let kind = if db.is_postgres() { "PostgreSQL" } else { "SQLite" };
    let rows = ("bare SELECTs, one at a time", Figure::Rate(1.0 / row.as_secs_f64()));
    let settings = GateSettings { freshness, ..settings("bench") };
    let gate = Gate::open(&db.location(), Clock::System, settings).await.unwrap();
    for at_once in AT_ONCE {
        let (done, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let tasks: Vec<_> = (0..at_once)
            .map(|n| {
                let (gate, made) = (gate.clone(), Arc::clone(made));
                let (done, over) = (Arc::clone(&done), Arc::clone(&over));
                tokio::spawn(async move {
                    let (mut place, mut times) = (n * 7919, Vec::new());
                    while !over.load(Relaxed) {
                        place = (place * 5 + 7919) % made.len();
                        let begun = Instant::now();
                        assert!(request(&gate, made[place].1).await);
                        times.push(begun.elapsed());
                        done.fetch_add(1, Relaxed);
                        // As a request that comes over the wire would: else the timers of the runtime starve.
                        tokio::task::yield_now().await;
                    }
                    times
                })
            })
            .collect();
        // What is not remembered yet is read first.
        let time = bench.time(4);
        tokio::time::sleep(time / 2).await;
        let before = done.load(Relaxed);
        let begun = Instant::now();
        tokio::time::sleep(time).await;
        let (many, time) = (done.load(Relaxed) - before, begun.elapsed());
        over.store(true, Relaxed);
        let mut times = Vec::new();
        for task in tasks {
            times.extend(task.await.unwrap());
        }
        times.sort_unstable();
        let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize].as_micros();
        let what = format!(
            "{kind}, {keys} keys, {freshness}, {at_once} at once (p50 {} µs, p99 {} µs)",
            at(0.5),
            at(0.99)
        );
        bench.row(&what, Figure::Rate(many as f64 / time.as_secs_f64()), rows);
    }
    let mut after = Vec::new();
    for (id, hash) in made.iter().take(REVOKED) {
        assert!(request(&gate, *hash).await);
        service.revoke_keys(new_operation(), &[*id], None).await.unwrap();
        let begun = Instant::now();
        assert!(!request(&gate, *hash).await, "the first request after it is refused");
        after.push(begun.elapsed());
    }
    after.sort_unstable();
    let took = format!(
        "p50 {} µs, at most {} µs",
        after[after.len() / 2].as_micros(),
        after[after.len() - 1].as_micros()
    );
    bench.alone(
        &format!("{kind}, {keys} keys, {freshness}: from a revocation's return to its refusal"),
        &took,
    );
    gate.close().await;
}

/// Whether a request with this key may pass.
async fn request(gate: &Gate, hash: HashedKey) -> bool {
    loop {
        let policies = gate.policies().await.unwrap();
        let known = gate.known(hash).await.unwrap().unwrap();
        if known.key.status(gate.now()) != Status::Active {
            return false;
        }
        if let Confirmed::Current { now } = gate.confirm(&known, &policies).await.unwrap() {
            let from = "203.0.113.7".parse().ok();
            gate.used(Use {
                known: &known,
                outcome: Outcome::Allowed,
                at: now,
                from,
                endpoint: Some("calls"),
            });
            return true;
        }
    }
}

/// Fills the database past the service's caps.
async fn fill(db: &Database, service: &Service, keys: u128) -> Vec<(KeyId, HashedKey)> {
    let now = service.now().await.unwrap();
    let store = Store::open(&db.location_as("postgres")).await.unwrap();
    let mut made = Vec::new();
    let all: Vec<NewKey> = (0..keys)
        .map(|n| {
            let mut key = new_key(n, "acme", "voiceinfra", now, None);
            let mut hash = [0; 32];
            hash[..16]
                .copy_from_slice(&n.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835).to_le_bytes());
            hash[16..].copy_from_slice(&n.wrapping_mul(0xD1B5_4A32_D192_ED03).to_be_bytes());
            key.hash = HashedKey(hash);
            made.push((key.id, key.hash));
            key
        })
        .collect();
    for some in all.chunks(5_000) {
        let who =
            Identity { name: "bench".into(), host: "bench".into(), client: None, person: Default::default() };
        let opening = Opening::new(who, new_operation());
        let some = Arc::new(some.to_vec());
        store
            .transact::<_, keyrack::store::Error, _>(&Clock::System, opening, move |tx| {
                let some = Arc::clone(&some);
                Box::pin(async move { tx.add_keys(&some).await })
            })
            .await
            .unwrap();
    }
    made
}
