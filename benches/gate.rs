//! What a request costs at the gate, with every check, the limiter and the counting of use, beside a bare answer of the
//! same HTTP library in the same run.
//!
//! `cargo bench --bench gate` measures at 1,000 and 100,000 keys; `KEYRACK_BENCH_KEYS=10000000` at another number,
//! `KEYRACK_BENCH_SECONDS` for another time. The load comes from this process: 32 connections that are kept, a random key
//! for each request. Where nginx is installed it is measured in front too, with 64 connections, beside the same nginx
//! that asks the bare answer.
#![expect(clippy::unwrap_used, reason = "a benchmark that fails says where")]

#[path = "../tests/support/support.rs"]
pub mod support;

#[path = "gate/bare.rs"]
mod bare;
#[path = "figures/figures.rs"]
pub mod figures;
#[path = "gate/nginx.rs"]
mod nginx;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bare::{BARE, Bare, answer_barely};
use figures::{Bench, Figure};
use keyrack::clock::Clock;
use keyrack::domain::budget::Budgets;
use keyrack::domain::issuer::{LimitRule, Per, Unmatched};
use keyrack::domain::key::NewKey;
use keyrack::domain::network::Networks;
use keyrack::domain::operator::Identity;
use keyrack::domain::scope::Scopes;
use keyrack::domain::secret::{Body, PlainKey};
use keyrack::service::{Service, new_operation};
use keyrack::store::{self, Opening, Store};
use nginx::Nginx;
use support::database::{Database, cluster};
use support::gate::Gate;
use support::http::{Connection, request};
use support::people::{account, make_kept, preset};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const CONNECTIONS: usize = 32;
const THROUGH_NGINX: usize = 64;
/// Keys that are asked about at most.
const MANY: u64 = 1_000_000;
/// Where there are more, so many of them are in use, and so many the gate remembers.
const IN_USE: u64 = 100_000;

/// The `n`th key: anybody can make it again.
fn secret(n: u64) -> PlainKey {
    let mut entropy = [0x5a; 32];
    entropy[..8].copy_from_slice(&n.to_le_bytes());
    PlainKey::make("vx_", Body::Base62Checksum, &entropy)
}

/// A small generator, one for each connection.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// What a run came to.
#[derive(Clone, Copy)]
struct Figures {
    per_second: f64,
    p50: Duration,
    p99: Duration,
    /// Processor time of the server for one request.
    cpu: Duration,
}

/// Processor time that a process has used.
fn used(id: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

/// What is asked, made ready beforehand so that the load costs as little as it can.
struct Asked {
    /// A request is this, one of these, and an empty line.
    head: &'static [u8],
    secrets: Vec<PlainKey>,
    /// How an answer ends.
    end: &'static [u8],
}

/// Asks for a while on many connections, each time with a random key.
async fn load(
    address: SocketAddr,
    server: u32,
    connections: usize,
    time: Duration,
    asked: &Arc<Asked>,
) -> Figures {
    let (began, before) = (Instant::now(), used(server));
    let ends = began + time;
    let connections: Vec<_> = (0..connections)
        .map(|n| {
            let asked = Arc::clone(asked);
            tokio::spawn(async move {
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.set_nodelay(true).unwrap();
                let mut dice = Dice(0x9e37_79b9 + n as u64);
                let (mut out, mut buffer, mut times) = (Vec::new(), vec![0; 8_192], Vec::new());
                while Instant::now() < ends {
                    out.clear();
                    out.extend_from_slice(asked.head);
                    if !asked.secrets.is_empty() {
                        let place = dice.roll(asked.secrets.len() as u64) as usize;
                        out.extend_from_slice(asked.secrets[place].expose().as_bytes());
                    }
                    out.extend_from_slice(b"\r\n\r\n");
                    let sent = Instant::now();
                    stream.write_all(&out).await.unwrap();
                    let mut filled = 0;
                    while !buffer[..filled].ends_with(asked.end) {
                        let count = stream.read(&mut buffer[filled..]).await.unwrap();
                        assert!(count > 0, "the connection was closed");
                        filled += count;
                    }
                    assert!(
                        buffer.starts_with(b"HTTP/1.1 200"),
                        "{}",
                        String::from_utf8_lossy(&buffer[..filled])
                    );
                    times.push(u32::try_from(sent.elapsed().as_micros()).unwrap());
                }
                times
            })
        })
        .collect();
    let mut times = Vec::new();
    for connection in connections {
        times.extend(connection.await.unwrap());
    }
    let cpu = (used(server) - before) / u32::try_from(times.len()).unwrap();
    let per_second = times.len() as f64 / began.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |part: usize| Duration::from_micros(u64::from(times[times.len() * part / 100]));
    Figures { per_second, p50: at(50), p99: at(99), cpu }
}

/// Questions to a gate about keys of a database with so many: about all of them, or so many that lie evenly among them.
fn of_gate(keys: u64, most: u64) -> Arc<Asked> {
    let count = keys.min(most);
    Arc::new(Asked {
        head: b"GET /auth HTTP/1.1\r\nHost: api.example.com\r\nX-Forwarded-Method: GET\r\n\
                X-Forwarded-Uri: /api/v1/calls\r\nX-Forwarded-For: 198.51.100.1\r\nAuthorization: Bearer ",
        secrets: (0..count).map(|n| secret(n * (keys / count))).collect(),
        end: b"\r\n\r\n",
    })
}

/// The same through nginx, whose answers end so.
fn through_nginx(keys: u64, end: &'static [u8]) -> Arc<Asked> {
    let Asked { secrets, .. } = Arc::into_inner(of_gate(keys, MANY)).unwrap();
    let head = b"GET /api/v1/calls HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer ";
    Arc::new(Asked { head, secrets, end })
}

fn of_bare() -> Arc<Asked> {
    let head = b"GET / HTTP/1.1\r\nHost: api.example.com";
    Arc::new(Asked { head, secrets: Vec::new(), end: b"\r\n\r\nhello" })
}

/// Fills a database with keys whose secrets are known, all of one account with budgets that nobody uses up.
async fn fill(db: &Database, keys: u64) -> Service {
    let service = db.open().await;
    let mut policy = preset("voxpria");
    policy.gate.unmatched = Unmatched::Refuse;
    policy.limits = [60, 3_600]
        .map(|seconds| LimitRule {
            per: Per::Key,
            requests: Some(10_000_000),
            seconds: Some(seconds),
            plans: false,
        })
        .into();
    service.apply_policy(new_operation(), policy).await.unwrap();
    service.create_account(new_operation(), account("voxpria", "acme")).await.unwrap();
    let store = Store::open(&db.location_as("postgres")).await.unwrap();
    let clock = Clock::System;
    let now = clock.now();
    // Very many go in without indexes, as `keyrack demo` puts them in.
    let indexes = if keys > 100_000 { Some(store.begin_load().await.unwrap()) } else { None };
    for first in (0..keys).step_by(1_000) {
        let batch = (first..keys.min(first + 1_000)).map(|n| {
            let secret = secret(n);
            NewKey {
                id: uuid::Uuid::from_u128((u128::from(n) << 80) | 0x7000_8000_0000_0000_0000),
                account: "acme".into(),
                issuer: "voxpria".into(),
                name: format!("key {n}"),
                description: String::new(),
                owner: None,
                tags: Default::default(),
                preview: secret.preview("vx_"),
                tail: secret.expose()[secret.expose().len() - 4..].to_owned(),
                hash: secret.hash(),
                scheme: Default::default(),
                imported_from: None,
                scopes: Scopes::parse("calls:read"),
                allow: Networks::default(),
                created_at: now,
                created_by: "bench".into(),
                expires_at: None,
                not_before: None,
                planned: None,
                acknowledged_at: Some(now),
                last_used_at: Some(now),
                last_used_from: None,
                last_used_endpoint: None,
                limits: Budgets::default(),
                revocation: None,
                replaces: None,
            }
        });
        let batch: Arc<Vec<NewKey>> = Arc::new(batch.collect());
        let who =
            Identity { name: "bench".into(), host: "bench".into(), client: None, person: Default::default() };
        let opening = Opening::new(who, new_operation());
        store
            .transact::<_, store::Error, _>(&clock, opening, move |tx| {
                let batch = Arc::clone(&batch);
                Box::pin(async move { tx.add_keys(&batch).await })
            })
            .await
            .unwrap();
    }
    if let Some(indexes) = indexes {
        store.end_load(indexes).await.unwrap();
    }
    store.close().await;
    service
}

fn show(bench: &mut Bench, what: &str, figures: &Figures, bare: &Figures) {
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let (p50, p99, cpu) = (ms(figures.p50), ms(figures.p99), ms(figures.cpu) * 1e3);
    let what = format!("{what} (p50 {p50:.2} ms, p99 {p99:.2} ms, {cpu:.1} µs CPU)");
    bench.row(&what, Figure::Rate(figures.per_second), ("bare answer", Figure::Rate(bare.per_second)));
}

/// From the call that revokes to the first refusal, and from its return.
async fn revoke(bench: &mut Bench, service: &Service, gate: &Gate, of: &str) {
    let (mut called, mut returned) = (Vec::new(), Vec::new());
    for n in 0..if bench.full() { 30 } else { 2 } {
        let created = make_kept(service, "acme", &format!("revoked {n}")).await;
        let value = support::gate::bearer(&created.secret);
        let asked = request("GET", "/api/v1/me", &[("Authorization", &value)], "");
        let mut connection = Connection::open(gate.address);
        let mut status = || {
            connection.send(&asked);
            connection.answer().unwrap().status
        };
        assert_eq!(status(), 200);
        let begun = Instant::now();
        service.revoke_keys(new_operation(), &[created.key.id], None).await.unwrap();
        let done = Instant::now();
        assert_eq!(status(), 401, "the very next request");
        called.push(begun.elapsed());
        returned.push(done.elapsed());
    }
    for (what, times) in [("its call", &mut called), ("its return", &mut returned)] {
        times.sort_unstable();
        let ms = |at: usize| times[at].as_secs_f64() * 1e3;
        let took = format!("p50 {:.2} ms, at most {:.2} ms", ms(times.len() / 2), ms(times.len() - 1));
        bench.alone(&format!("revoked → refused, from {what}, {of}"), &took);
    }
}

/// A database with more keys than a gate remembers: a hundred thousand of them in use, and a million at random.
async fn measure_many(bench: &mut Bench, db: &Database, keys: u64, bare: &Bare) {
    let time = bench.time(5);
    let kind = if db.is_postgres() { "postgres" } else { "sqlite" };
    let begun = Instant::now();
    let service = fill(db, keys).await;
    bench.alone(&format!("filled, {kind} {keys}"), &format!("{:.0} s", begun.elapsed().as_secs_f64()));
    let gate = Gate::start(db, &["--cache", &IN_USE.to_string(), "--issuer", "voxpria"]);
    for (most, what) in [(IN_USE, "100,000 in use"), (MANY, "a million at random")] {
        let asked = of_gate(keys, most);
        load(gate.address, gate.id(), CONNECTIONS, time * 3, &asked).await;
        let base = load(bare.address, bare.id(), CONNECTIONS, time, &of_bare()).await;
        let figures = load(gate.address, gate.id(), CONNECTIONS, time, &asked).await;
        show(bench, &format!("gate, {kind} {keys}, {what}"), &figures, &base);
    }
    service.close().await;
}

async fn measure(bench: &mut Bench, db: &Database, keys: u64, bare: &Bare) {
    if keys > MANY {
        return measure_many(bench, db, keys, bare).await;
    }
    let time = bench.time(5);
    let kind = if db.is_postgres() { "postgres" } else { "sqlite" };
    let service = fill(db, keys).await;
    let cache = (keys + 1_000).to_string();
    let gate = Gate::start(db, &["--cache", &cache, "--issuer", "voxpria"]);
    let asked = of_gate(keys, MANY);
    // Once without counting, so that what is remembered is remembered.
    load(gate.address, gate.id(), CONNECTIONS, time, &asked).await;
    let base = load(bare.address, bare.id(), CONNECTIONS, time, &of_bare()).await;
    let figures = load(gate.address, gate.id(), CONNECTIONS, time, &asked).await;
    show(bench, &format!("gate, {kind} {keys}"), &figures, &base);
    let by_lease = ["--cache", &cache, "--issuer", "voxpria", "--name", "leased", "--freshness", "lease=1s"];
    let leased = Gate::start(db, &by_lease);
    load(leased.address, leased.id(), CONNECTIONS, time, &asked).await;
    let figures = load(leased.address, leased.id(), CONNECTIONS, time, &asked).await;
    show(bench, &format!("gate by lease, {kind} {keys}"), &figures, &base);
    revoke(bench, &service, &leased, &format!("by lease, {kind} {keys}")).await;
    leased.stop();
    let asked = [through_nginx(keys, nginx::END), through_nginx(keys, b"\r\n\r\nhello")];
    for (asked, way) in asked.iter().zip(["nginx", "the README's nginx and an API"]) {
        let recipe = asked.end != nginx::END;
        let mut base = None;
        for (address, path, id, name) in [
            (bare.address, "/auth/nginx", bare.id(), "bare answer"),
            (gate.address, "/auth/nginx", gate.id(), "gate"),
        ] {
            let nginx =
                if recipe { Nginx::recipe(address, bare.address) } else { Nginx::start(address, path) };
            let Some(nginx) = nginx else {
                println!("no nginx here: not measured");
                break;
            };
            let figures = load(nginx.address, id, THROUGH_NGINX, time, asked).await;
            let base = base.get_or_insert(figures);
            show(bench, &format!("{name} behind {way}, {kind} {keys}"), &figures, base);
        }
    }
    revoke(bench, &service, &gate, &format!("{kind} {keys}")).await;
    service.close().await;
    drop(gate);
}

fn main() {
    if let Ok(address) = std::env::var(BARE) {
        return answer_barely(&address);
    }
    let Some(mut bench) = Bench::begin("gate") else { return };
    let _ = cluster::SETTINGS.set(vec!["fsync=on", "full_page_writes=on", "shared_buffers=512MB"]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let bare = Bare::start();
    let sizes = bench.sizes(&[1_000, 100_000]);
    if sizes.iter().all(|keys| *keys > MANY) {
        bench = bench.apart("gate-many");
    }
    runtime.block_on(async {
        for keys in sizes {
            measure(&mut bench, &Database::sqlite(), keys, &bare).await;
            match Database::postgres().await {
                Some(db) => measure(&mut bench, &db, keys, &bare).await,
                None => println!("no PostgreSQL here: not measured"),
            }
        }
    });
    bench.end();
}
