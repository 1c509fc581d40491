//! What the search for leaked secrets costs: where nothing is found, beside a search for one byte in the same text, and the
//! looking up of what was found.
//!
//! `cargo bench --bench leak` looks up 10,000 findings among 20,000 keys; `KEYRACK_BENCH_KEYS=1000000` among another number.
#![expect(clippy::unwrap_used, reason = "a benchmark that fails says where")]

#[path = "../tests/support/support.rs"]
pub mod support;

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use keyrack::clock::Clock;
use keyrack::domain::issuer::policy_file::all_presets;
use keyrack::domain::key::NewKey;
use keyrack::domain::leak::Form;
use keyrack::domain::operator::Identity;
use keyrack::domain::secret::{Finder, PlainKey, SentKey, Stream};
use keyrack::service::{LeakOrder, LeakSource, new_operation};
use keyrack::store::{Opening, Store};
use support::database::{Database, cluster};
use support::people::{office, preset};
use support::post::new_key;
use tokio::runtime::Runtime;

/// Bytes of each text.
const LENGTH: usize = 64 << 20;
const ROUNDS: usize = 5;
const FOUND: usize = 10_000;

fn main() {
    for (name, text) in texts() {
        let best = |work: &dyn Fn() -> usize| {
            let rounds = (0..ROUNDS).map(|_| {
                let begun = Instant::now();
                black_box(work());
                begun.elapsed()
            });
            text.len() as f64 / rounds.min().unwrap().as_secs_f64() / 1e9
        };
        let limit = best(&|| memchr::memchr_iter(b'_', text.as_bytes()).count());
        let copied = best(&|| text.clone().len());
        let finder = Arc::new(Finder::new(&all_presets()));
        let searched = best(&|| {
            let mut stream = Stream::new(finder.clone());
            let (mut found, mut rest) = (0, text.as_bytes());
            while !rest.is_empty() {
                let space = stream.space();
                let length = space.len().min(rest.len());
                space[..length].copy_from_slice(&rest[..length]);
                rest = &rest[length..];
                stream.took(length);
                stream.look(rest.is_empty(), |_| found += 1);
            }
            found
        });
        println!(
            "{name}: searched {searched:.2} GB/s; memchr for '_' {limit:.2} GB/s, a copy {copied:.2} GB/s"
        );
    }
    let keys = std::env::var("KEYRACK_BENCH_KEYS").ok().and_then(|n| n.trim().parse().ok()).unwrap_or(20_000);
    let _ = cluster::SETTINGS.set(vec!["fsync=off", "shared_buffers=512MB"]);
    Runtime::new().unwrap().block_on(async {
        look_up(&Database::sqlite(), keys).await;
        if let Some(database) = Database::postgres().await {
            look_up(&database, keys).await;
        }
    });
}

/// Texts without a secret of ours in them.
fn texts() -> Vec<(&'static str, String)> {
    let mut chance = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        chance
    };
    let (mut access, mut json, mut prose) = (String::new(), String::new(), String::new());
    while access.len() < LENGTH {
        let n = next();
        writeln!(access, "10.0.{}.{} - alice [28/Nov/2026:12:{:02}:07 +0000] \"GET /v1/calls/{n:x}?page={}&sort=created_at HTTP/1.1\" 200 {} \"https://x.example/a b\" \"Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0\"", n % 256, n % 199, n % 60, n % 99, n % 70_000).unwrap();
    }
    while json.len() < LENGTH {
        let (n, m) = (next(), next());
        writeln!(json, "{{\"ts\":\"2026-11-28T12:00:07.123Z\",\"level\":\"info\",\"request_id\":\"{n:016x}-{m:016x}\",\"user_agent\":\"curl/8.5.0\",\"http_path\":\"/api/v2/usage_stats\",\"status_code\":{},\"body\":\"{{\\\"cache_key\\\":\\\"user_{}\\\"}}\"}}", n % 500, m % 9999).unwrap();
    }
    while prose.len() < LENGTH {
        let n = next();
        writeln!(prose, "Whoever read the line {} of the page would not have thought that {} of them were still to come, and so it went on.", n % 1000, n % 77).unwrap();
    }
    vec![("an access log", access), ("JSON lines", json), ("prose", prose)]
}

/// Makes so many keys, and looks up some of them.
async fn look_up(db: &Database, keys: usize) {
    let kind = if db.is_postgres() { "PostgreSQL" } else { "SQLite" };
    let service = office(db, preset("voiceinfra")).await;
    let policy = preset("voiceinfra");
    let secret = |n: usize| {
        let mut entropy = [7; 32];
        entropy[..8].copy_from_slice(&n.to_be_bytes());
        PlainKey::make(&policy.format.prefix, policy.format.body, &entropy)
    };
    let now = service.now().await.unwrap();
    let store = Store::open(&db.location_as("postgres")).await.unwrap();
    let numbers: Vec<usize> = (0..keys).collect();
    for some in numbers.chunks(10_000) {
        let new = some.iter().map(|n| NewKey {
            hash: secret(*n).hash(),
            ..new_key(*n as u128, "acme", "voiceinfra", now, None)
        });
        let new: Arc<Vec<NewKey>> = Arc::new(new.collect());
        let who =
            Identity { name: "bench".into(), host: "bench".into(), client: None, person: Default::default() };
        let opening = Opening::new(who, new_operation());
        let done = store.transact::<_, keyrack::store::Error, _>(&Clock::System, opening, move |tx| {
            let new = Arc::clone(&new);
            Box::pin(async move { tx.add_keys(&new).await })
        });
        done.await.unwrap();
    }
    let mut text = String::new();
    for n in 0..FOUND {
        writeln!(text, "line {n}: {}", secret(n * keys / FOUND).expose()).unwrap();
    }
    for _ in 0..3 {
        let since = service.now().await.unwrap();
        let given = LeakSource::Given(SentKey::exact(text.as_bytes()));
        let order = LeakOrder { sources: vec![given], form: Form::Text, since };
        let begun = Instant::now();
        let sweep = service.sweep_leaks(order, |_| {}).await.unwrap();
        let found = sweep.findings.iter().filter(|one| one.key.is_some()).count();
        println!("{kind}, {keys} keys: {found} findings looked up in {:?}", begun.elapsed());
    }
}
