//! What a sweep costs: finding what is due among very many keys, and sending it to a mailer that takes no time.
//!
//! `cargo bench --bench sweep` measures at 100,000 keys, of which every hundredth is due;
//! `KEYRACK_BENCH_KEYS=1000000 cargo bench --bench sweep` at another number. Both databases write durably.
#![expect(clippy::unwrap_used, reason = "a benchmark that fails says where")]

#[path = "../tests/support/support.rs"]
pub mod support;

#[path = "figures/figures.rs"]
pub mod figures;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use figures::bare::Bare;
use figures::{Bench, Figure};
use keyrack::clock::Clock;
use keyrack::domain::key::NewKey;
use keyrack::domain::operator::Identity;
use keyrack::service::{CreateAccount, Service, SweepNews, new_operation};
use keyrack::store::{Opening, Store};
use support::database::{Database, cluster};
use support::people::{account, preset};
use support::post::{letter_box, new_key, sweep_telling};
use tokio::runtime::Runtime;

/// Of so many keys one is due.
const SHARE: u128 = 100;
/// Keys of an account, on average.
const EACH: u128 = 200;

/// The database that the measuring process is to open. It is a process of its own, so that its memory tells nothing of
/// the filling.
const MEASURE: &str = "KEYRACK_BENCH_MEASURE";

fn main() {
    if let Ok(address) = std::env::var(MEASURE) {
        let location = keyrack::store::Location::parse(&address).unwrap();
        return Runtime::new().unwrap().block_on(sweep(&location));
    }
    let Some(mut bench) = Bench::begin("sweep") else { return };
    let _ = cluster::SETTINGS.set(vec!["fsync=on", "full_page_writes=on", "shared_buffers=512MB"]);
    let runtime = Runtime::new().unwrap();
    for keys in bench.sizes(&[100_000]) {
        measure(&mut bench, &runtime, &Database::sqlite(), keys);
        match runtime.block_on(Database::postgres()) {
            Some(db) => measure(&mut bench, &runtime, &db, keys),
            None => println!("no PostgreSQL here: not measured"),
        }
    }
    bench.end();
}

fn measure(bench: &mut Bench, runtime: &Runtime, db: &Database, keys: u64) {
    let kind = if db.is_postgres() { "PostgreSQL" } else { "SQLite" };
    runtime.block_on(async {
        let service = db.open().await;
        fill(db, &service, u128::from(keys)).await;
        service.close().await;
    });
    let mut bare = Bare::open(runtime, db, keys);
    let page = ("bare page", Figure::Time(bare.page(bench)));
    let commits = ("bare durable commits", Figure::Rate(1.0 / bare.commit(bench).as_secs_f64()));
    let mut measuring = std::process::Command::new(std::env::current_exe().unwrap());
    let measured = measuring.env(MEASURE, db.address()).output().unwrap();
    assert!(measured.status.success(), "{}", String::from_utf8_lossy(&measured.stderr));
    for line in String::from_utf8_lossy(&measured.stdout).lines() {
        let (what, number) = line.split_once('\t').unwrap();
        let what = format!("{what}, {kind} {keys}");
        match number.strip_suffix(" letters") {
            Some(rate) => bench.row(&what, Figure::Rate(rate.parse().unwrap()), commits),
            None => match number.parse() {
                Ok(seconds) => bench.row(&what, Figure::Time(Duration::from_secs_f64(seconds)), page),
                Err(_) => bench.alone(&what, number),
            },
        }
    }
}

/// Tells what it measured in lines: what, a tab, and the seconds, the letters a second or the words.
async fn sweep(location: &keyrack::store::Location) {
    let (letters, post) = letter_box();
    let service = Service::open(location, Clock::System).await.unwrap().with_post(post);
    // Letters are not kept: what is measured is the sweep's own memory.
    let peak = Arc::new(AtomicU64::new(0));
    let watch = tokio::spawn({
        let peak = peak.clone();
        async move {
            loop {
                letters.clear();
                peak.fetch_max(anonymous(), Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    });
    for what in ["find, cold", "find"] {
        let began = Instant::now();
        let outbox = service.outbox().await.unwrap();
        println!("{what} ({} due)\t{}", outbox.due, began.elapsed().as_secs_f64());
    }
    let began = Instant::now();
    let preview = service.preview_sweep(None, 50).await.unwrap();
    println!("preview of {} letters\t{}", preview.letters_in_all, began.elapsed().as_secs_f64());

    let before = anonymous();
    peak.store(before, Ordering::Relaxed);
    let began = Instant::now();
    let (done, news) = sweep_telling(&service, None).await.unwrap();
    let seconds = began.elapsed().as_secs_f64();
    assert!(matches!(news[0], SweepNews::Planned { .. }));
    let sent = done.tally.sent;
    println!("{} reminders in {sent} letters\t{} letters", done.tally.reminders, sent as f64 / seconds);
    println!("memory\t{before} kB before, {} kB at most", peak.load(Ordering::Relaxed));
    let began = Instant::now();
    assert_eq!(sweep_telling(&service, None).await.unwrap().0.tally.letters(), 0);
    println!("sweep with nothing left to send\t{}", began.elapsed().as_secs_f64());
    watch.abort();
    service.close().await;
}

/// Accounts of one issuer and their keys: most expire never or later than anybody is to be reminded of.
async fn fill(db: &Database, service: &Service, keys: u128) {
    let mut policy = preset("voiceinfra");
    policy.caps = keyrack::domain::issuer::Caps::default();
    service.apply_policy(new_operation(), policy).await.unwrap();
    let accounts = keys / EACH;
    for n in 0..accounts {
        let slug = format!("firm-{n}");
        let wanted =
            CreateAccount { admins: vec![format!("it@{slug}.example")], ..account("voiceinfra", &slug) };
        service.create_account(new_operation(), wanted).await.unwrap();
    }
    let store = Store::open(&db.location_as("postgres")).await.unwrap();
    let indexes = store.begin_load().await.unwrap();
    let now = service.now().await.unwrap();
    let made = now - chrono::Duration::days(100);
    let mut number = 0;
    while number < keys {
        let some: Vec<NewKey> = (number..keys.min(number + 1000))
            .map(|n| {
                let minutes = i64::try_from(n * 7919 % (29 * 1440)).unwrap();
                let days = match n % SHARE {
                    0 => Some(0),
                    1..50 => Some(31 + i64::try_from(n % 600).unwrap()),
                    _ => None,
                };
                let end = days
                    .map(|days| now + chrono::Duration::days(days) + chrono::Duration::minutes(minutes + 60));
                // Spread over the accounts so that what is due is spread as well.
                new_key(n, &format!("firm-{}", (n * 31 + n / SHARE) % accounts), "voiceinfra", made, end)
            })
            .collect();
        number += some.len() as u128;
        let some = std::sync::Arc::new(some);
        let who =
            Identity { name: "ada".into(), host: "bench".into(), client: None, person: Default::default() };
        let opening = Opening::new(who, new_operation());
        store
            .transact::<_, keyrack::store::Error, _>(&Clock::System, opening, move |tx| {
                let some = some.clone();
                Box::pin(async move { tx.add_keys(&some).await })
            })
            .await
            .unwrap();
    }
    store.end_load(indexes).await.unwrap();
    store.close().await;
}

/// This process's own memory in kB, without the database's file, of which SQLite maps as much as there is room for.
fn anonymous() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let value = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    value.and_then(|text| text.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
