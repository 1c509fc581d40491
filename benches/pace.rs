//! How many changes a second there are, beside bare durable commits in the same run: creations by one and by eight who wish
//! at the same time, and the revocation of ten thousand keys at once.
//!
//! `cargo bench --bench pace` measures at 1,000 and 100,000 keys; `KEYRACK_BENCH_KEYS=1000000 cargo bench --bench pace` at
//! another number. Both databases write durably.
#![expect(clippy::unwrap_used, reason = "a benchmark that fails says where")]

#[path = "../tests/support/support.rs"]
pub mod support;

#[path = "figures/figures.rs"]
pub mod figures;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use figures::{Bench, Figure};
use keyrack::domain::issuer::policy_file;
use keyrack::domain::key::KeyId;
use keyrack::service::{Service, new_operation};
use sqlx::Connection;
use support::database::{Database, cluster};
use support::people::{account, wanted};
use tokio::runtime::Runtime;

/// Accounts that get keys in turn: each has a cap that it stays below.
const ACCOUNTS: u64 = 100;
const CAP: u32 = 1_000;
/// How many wish something at the same time.
const TASKS: usize = 8;
/// Keys that are revoked at once.
const MANY: usize = 10_000;

fn main() {
    let Some(mut bench) = Bench::begin("pace") else { return };
    let _ = cluster::SETTINGS.set(vec!["fsync=on", "full_page_writes=on", "shared_buffers=512MB"]);
    Runtime::new().unwrap().block_on(async {
        for keys in bench.sizes(&[1_000, 100_000]) {
            measure(&mut bench, Database::sqlite(), keys).await;
            if let Some(db) = Database::postgres().await {
                measure(&mut bench, db, keys).await;
            }
        }
    });
    bench.end();
}

async fn measure(bench: &mut Bench, db: Database, keys: u64) {
    let kind = if db.is_postgres() { "postgres" } else { "sqlite" };
    let service = db.open().await;
    service.demo(keys, 1, |_| {}).await.unwrap();
    let mut policy = policy_file::preset("voiceinfra").unwrap();
    policy.slug = "bench".into();
    policy.format.prefix = "bn_".into();
    policy.caps.active_keys = Some(CAP);
    policy.caps.creations_per_minute = Some(CAP);
    service.apply_policy(new_operation(), policy).await.unwrap();
    for n in 0..ACCOUNTS {
        service.create_account(new_operation(), account("bench", &format!("bench{n}"))).await.unwrap();
    }
    let time = bench.time(3);
    let commits = bare(&db, time).await;
    let limit = ("bare durable commits", Figure::Rate(commits));
    let number = Arc::new(AtomicU64::new(0));
    for tasks in [1, TASKS] {
        let (rate, p99) = creations(&service, tasks, time, &number).await;
        let what = format!("create, {tasks} at once, {kind} {keys}");
        bench.row(&what, Figure::Rate(rate), limit);
        bench.alone(&format!("{what}: p99"), &Figure::Time(p99).to_string());
    }
    revocation(bench, &db, &service, &format!("{kind} {keys}")).await;
    service.close().await;
}

/// Commits a second of one small row each, by one connection.
async fn bare(db: &Database, time: Duration) -> f64 {
    db.execute("CREATE TABLE bare (n bigint)").await;
    let mut done = 0_u64;
    let began = Instant::now();
    if db.is_postgres() {
        let mut connection = sqlx::PgConnection::connect(&db.address_as("postgres")).await.unwrap();
        while began.elapsed() < time {
            sqlx::query("INSERT INTO bare VALUES (1)").execute(&mut connection).await.unwrap();
            done += 1;
        }
    } else {
        let options = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(db.address())
            .synchronous(sqlx::sqlite::SqliteSynchronous::Full);
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        let many = "INSERT INTO bare VALUES (1);".repeat(50);
        while began.elapsed() < time {
            sqlx::raw_sql(sqlx::AssertSqlSafe(many.clone())).execute(&mut connection).await.unwrap();
            done += 50;
        }
        connection.close().await.unwrap();
    }
    done as f64 / began.elapsed().as_secs_f64()
}

/// So many tasks make keys in accounts by turns; answers the rate, and the time that one of a hundred takes longer than.
async fn creations(
    service: &Service,
    tasks: usize,
    time: Duration,
    number: &Arc<AtomicU64>,
) -> (f64, Duration) {
    let began = Instant::now();
    let tasks: Vec<_> = (0..tasks)
        .map(|_| {
            let (service, number) = (service.clone(), Arc::clone(number));
            tokio::spawn(async move {
                let mut times = Vec::new();
                while began.elapsed() < time {
                    let n = number.fetch_add(1, Relaxed);
                    let wanted = wanted(&format!("bench{}", n % ACCOUNTS), &format!("bench {n}"));
                    let begun = Instant::now();
                    service.create_key(wanted).await.unwrap();
                    times.push(begun.elapsed());
                }
                times
            })
        })
        .collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.unwrap());
    }
    let rate = times.len() as f64 / began.elapsed().as_secs_f64();
    times.sort_unstable();
    (rate, times[(times.len() - 1) * 99 / 100])
}

/// Many at once, and how long a creation waits meanwhile.
async fn revocation(bench: &mut Bench, db: &Database, service: &Service, of: &str) {
    let sql = format!("SELECT CAST(id AS text) FROM key_auth WHERE revoked_at IS NULL LIMIT {MANY}");
    let sql = if db.is_postgres() { sql } else { sql.replace("CAST(id AS text)", "hex(id)") };
    let ids: Vec<KeyId> = db.texts(&sql).await.iter().map(|id| id.parse().unwrap()).collect();
    let other = service.clone();
    let creating = tokio::spawn(async move {
        let (mut worst, began) = (Duration::ZERO, Instant::now());
        while began.elapsed() < Duration::from_secs(1) {
            let begun = Instant::now();
            other.create_key(wanted("bench0", "meanwhile")).await.unwrap();
            worst = worst.max(begun.elapsed());
        }
        worst
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let began = Instant::now();
    let revoked = service.revoke_keys(new_operation(), &ids, Some("bench")).await.unwrap();
    let took = began.elapsed();
    bench.alone(&format!("revoke {}, {of}", revoked.len()), &Figure::Time(took).to_string());
    let waited = creating.await.unwrap();
    bench.alone(&format!("a creation meanwhile, {of}: worst"), &Figure::Time(waited).to_string());
}
