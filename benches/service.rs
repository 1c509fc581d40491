//! What the service's operations cost, on the data of `keyrack demo`, on both databases.
//!
//! `cargo bench` measures at 1,000 and 100,000 keys; `KEYRACK_BENCH_KEYS=1000000 cargo bench` at any other size (or at
//! several: `1000,1000000`). Both databases write durably here: SQLite with `synchronous=FULL`, PostgreSQL with `fsync=on`.
#![expect(clippy::unwrap_used, reason = "a benchmark that fails says where")]

#[path = "../tests/support/support.rs"]
pub mod support;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use keyrack::domain::expiry::Expiry;
use keyrack::domain::issuer::policy_file;
use keyrack::domain::query::{Column, Direction, Query, Sort, Term, Test};
use keyrack::domain::secret::SentKey;
use keyrack::service::{From, PageRequest, Service, new_operation};
use support::database::{Database, cluster};
use support::people::{account, wanted};
use tokio::runtime::Runtime;

/// Rows of a page: a tall terminal.
const ROWS: u32 = 50;

fn text(word: &str) -> Query {
    Query { terms: vec![Term { negated: false, test: Test::Text(word.to_owned()) }] }
}

fn page(query: Query, column: Column, direction: Direction, from: From) -> PageRequest {
    PageRequest { query, sort: Sort { column, direction }, from, limit: ROWS }
}

/// A database of its own with so many keys, and an account without limits to make more in.
fn rack(runtime: &Runtime, db: &Database, keys: u64) -> Service {
    runtime.block_on(async {
        let service = db.open().await;
        let began = std::time::Instant::now();
        service.demo(keys, 1, |_| {}).await.unwrap();
        let seconds = began.elapsed().as_secs_f64();
        let rate = keys as f64 / seconds;
        println!("load {keys} keys on {}: {seconds:.1} s, {rate:.0} rows/s", kind(db));
        let mut policy = policy_file::preset("voiceinfra").unwrap();
        policy.slug = "bench".into();
        service.apply_policy(new_operation(), policy).await.unwrap();
        service.create_account(new_operation(), account("bench", "bench")).await.unwrap();
        service
    })
}

fn kind(db: &Database) -> &'static str {
    if db.is_postgres() { "postgres" } else { "sqlite" }
}

fn measure(criterion: &mut Criterion, runtime: &Runtime, db: &Database, keys: u64) {
    let service = rack(runtime, db, keys);
    let name = |what: &str| format!("{what}/{}/{keys}", kind(db));
    let read = |request: &PageRequest| runtime.block_on(service.page(request)).unwrap();
    let everything = Query::default;

    // A place in the middle: where half of the time between the first and the last creation has passed.
    let (newest, oldest) = (Direction::Descending, Direction::Ascending);
    let first = read(&page(everything(), Column::Created, newest, From::Start));
    let last = read(&page(everything(), Column::Created, oldest, From::Start));
    let (late, early) = (&first.rows[0], &last.rows[0]);
    let mut middle = late.cursor.clone();
    let half = early.key.created_at + (late.key.created_at - early.key.created_at) / 2;
    middle.value = keyrack::domain::query::CursorValue::Instant(half);

    let pages = [
        ("page first", page(everything(), Column::Created, newest, From::Start)),
        ("page middle", page(everything(), Column::Created, newest, From::At(middle))),
        ("page last", page(everything(), Column::Created, newest, From::End)),
        ("page by name", page(everything(), Column::Name, oldest, From::Start)),
        ("page by end", page(everything(), Column::Status, newest, From::Start)),
        ("filter frequent word", page(text("prod"), Column::Created, newest, From::Start)),
        ("filter rare word", page(text("needle"), Column::Created, newest, From::Start)),
        ("filter no match", page(text("qqzzqq"), Column::Created, newest, From::Start)),
        ("filter two letters", page(text("pr"), Column::Created, newest, From::Start)),
    ];
    for (what, request) in &pages {
        criterion.bench_function(&name(what), |bencher| bencher.iter(|| black_box(read(request))));
    }

    let model = &first.rows[0].key;
    let id = model.id.to_string();
    let tail: String = model.preview.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
    for (what, needle) in [("find by id", id.as_str()), ("find by last four", &tail)] {
        criterion.bench_function(&name(what), |bencher| {
            bencher.iter(|| {
                black_box(runtime.block_on(service.find_keys(SentKey::exact(needle.as_bytes()))).unwrap())
            });
        });
    }

    let mut number = 0;
    criterion.bench_function(&name("create"), |bencher| {
        bencher.iter(|| {
            number += 1;
            let mut request = wanted("bench", &format!("bench {number}"));
            request.expiry = Expiry::Days(90);
            black_box(runtime.block_on(service.create_key(request)).unwrap())
        });
    });
    let outlook = || runtime.block_on(service.outlook()).unwrap();
    criterion.bench_function(&name("outlook"), |bencher| bencher.iter(|| black_box(outlook())));
}

fn all(criterion: &mut Criterion) {
    let _ = cluster::SETTINGS.set(vec!["fsync=on", "full_page_writes=on", "shared_buffers=512MB"]);
    let runtime = Runtime::new().unwrap();
    let sizes = std::env::var("KEYRACK_BENCH_KEYS").unwrap_or_else(|_| "1000,100000".into());
    for size in sizes.split(',') {
        let keys = size.trim().parse().unwrap();
        measure(criterion, &runtime, &Database::sqlite(), keys);
        match runtime.block_on(Database::postgres()) {
            Some(db) => measure(criterion, &runtime, &db, keys),
            None => println!("no PostgreSQL here: not measured"),
        }
    }
}

criterion_group!(benches, all);
criterion_main!(benches);
