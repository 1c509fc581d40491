//! How many changes a second there are, beside bare durable commits in the same run: creations by one and by eight who wish
//! at the same time, and the revocation of ten thousand keys at once.
//!
//! `cargo bench --bench pace` measures at 1,000 keys; `KEYRACK_BENCH_KEYS=1000,1000000 cargo bench --bench pace` at others.
//! Both databases write durably.
#![expect(clippy::unwrap_used, reason = "a benchmark that fails says where")]

#[path = "../tests/support/support.rs"]
pub mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use keyrack::domain::issuer::policy_file;
use keyrack::domain::key::KeyId;
use keyrack::service::{Service, new_operation};
use sqlx::Connection;
use support::database::{Database, cluster};
use support::people::{account, wanted};
use tokio::runtime::Runtime;

/// How long each is measured.
const TIME: Duration = Duration::from_secs(3);
/// Keys that are revoked at once.
const MANY: usize = 10_000;

fn main() {
    let _ = cluster::SETTINGS.set(vec!["fsync=on", "full_page_writes=on", "shared_buffers=512MB"]);
    let sizes = std::env::var("KEYRACK_BENCH_KEYS").unwrap_or_else(|_| "1000".into());
    let only = std::env::var("KEYRACK_BENCH_DB").unwrap_or_default();
    Runtime::new().unwrap().block_on(async {
        for keys in sizes.split(',').map(|keys| keys.trim().parse().unwrap()) {
            if only != "postgres" {
                measure(Database::sqlite(), keys).await;
            }
            if only != "sqlite"
                && let Some(db) = Database::postgres().await
            {
                measure(db, keys).await;
            }
        }
    });
}

async fn measure(db: Database, keys: u64) {
    let kind = if db.is_postgres() { "PostgreSQL" } else { "SQLite" };
    let service = db.open().await;
    let began = Instant::now();
    service.demo(keys, 1, |_| {}).await.unwrap();
    println!("{kind}, {keys} keys: loaded at {:.0} rows/s", keys as f64 / began.elapsed().as_secs_f64());
    let mut policy = policy_file::preset("voiceinfra").unwrap();
    policy.slug = "bench".into();
    policy.format.prefix = "bn_".into();
    policy.caps.active_keys = Some(1_000_000);
    policy.caps.creations_per_minute = Some(1_000_000);
    service.apply_policy(new_operation(), policy).await.unwrap();
    for n in 0..8 {
        service.create_account(new_operation(), account("bench", &format!("bench{n}"))).await.unwrap();
    }
    let bare = bare(&db).await;
    for tasks in [1, 8] {
        let (rate, p99) = creations(&service, tasks).await;
        println!(
            "{kind}, {keys} keys: {tasks} at once: {rate:.0} creations/s beside {bare:.0} bare commits/s, {:.2}; p99 {} µs",
            rate / bare,
            p99.as_micros()
        );
    }
    revocation(&db, &service, kind, keys).await;
    service.close().await;
}

/// Commits a second of one small row each, by one connection.
async fn bare(db: &Database) -> f64 {
    db.execute("CREATE TABLE bare (n bigint)").await;
    let mut done = 0_u64;
    let began = Instant::now();
    if db.is_postgres() {
        let mut connection = sqlx::PgConnection::connect(&db.address_as("postgres")).await.unwrap();
        while began.elapsed() < TIME {
            sqlx::query("INSERT INTO bare VALUES (1)").execute(&mut connection).await.unwrap();
            done += 1;
        }
    } else {
        let options = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(db.address())
            .synchronous(sqlx::sqlite::SqliteSynchronous::Full);
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        let many = "INSERT INTO bare VALUES (1);".repeat(50);
        while began.elapsed() < TIME {
            sqlx::raw_sql(sqlx::AssertSqlSafe(many.clone())).execute(&mut connection).await.unwrap();
            done += 50;
        }
        connection.close().await.unwrap();
    }
    done as f64 / began.elapsed().as_secs_f64()
}

async fn creations(service: &Service, tasks: usize) -> (f64, Duration) {
    let number = Arc::new(AtomicU64::new(0));
    let began = Instant::now();
    let tasks: Vec<_> = (0..tasks)
        .map(|task| {
            let (service, number) = (service.clone(), Arc::clone(&number));
            tokio::spawn(async move {
                let mut times = Vec::new();
                while began.elapsed() < TIME {
                    let n = number.fetch_add(1, Relaxed);
                    let begun = Instant::now();
                    service.create_key(wanted(&format!("bench{task}"), &format!("bench {n}"))).await.unwrap();
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

/// Ten thousand at once, and how long a creation waits meanwhile.
async fn revocation(db: &Database, service: &Service, kind: &str, keys: u64) {
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
    println!(
        "{kind}, {keys} keys: {} revoked in {} ms; a creation meanwhile waited {} ms at most",
        revoked.len(),
        took.as_millis(),
        creating.await.unwrap().as_millis()
    );
}
