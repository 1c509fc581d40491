//! What the service's operations cost, on the data of `keyrack demo`, on both databases.
//!
//! `cargo bench --bench service` measures at 1,000 and 100,000 keys; with `KEYRACK_BENCH_KEYS=1000000` at any other size (or
//! at several: `1000,1000000,10000000`). Both databases write durably: SQLite with `synchronous=FULL`, PostgreSQL with
//! `fsync=on`. The limit of each figure is one bare statement of its kind on the same kind of database.
#![expect(clippy::unwrap_used, reason = "a benchmark that fails says where")]

#[path = "../tests/support/support.rs"]
pub mod support;

#[path = "figures/figures.rs"]
pub mod figures;

use std::hint::black_box;
use std::time::Instant;

use figures::bare::Bare;
use figures::{Bench, Figure};
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
fn rack(runtime: &Runtime, db: &Database, keys: u64) -> (Service, f64) {
    runtime.block_on(async {
        let service = db.open().await;
        let began = Instant::now();
        service.demo(keys, 1, |_| {}).await.unwrap();
        let rate = keys as f64 / began.elapsed().as_secs_f64();
        let mut policy = policy_file::preset("voiceinfra").unwrap();
        (policy.slug, policy.format.prefix) = ("bench".into(), "bn_".into());
        service.apply_policy(new_operation(), policy).await.unwrap();
        service.create_account(new_operation(), account("bench", "bench")).await.unwrap();
        (service, rate)
    })
}

fn kind(db: &Database) -> &'static str {
    if db.is_postgres() { "postgres" } else { "sqlite" }
}

fn measure(bench: &mut Bench, runtime: &Runtime, db: &Database, keys: u64) {
    let (service, loaded) = rack(runtime, db, keys);
    let name = |what: &str| format!("{what}, {} {keys}", kind(db));
    let mut bare = Bare::open(runtime, db, keys);
    let load = ("bare rows, 1,000 a commit", Figure::Rate(bare.load(bench)));
    bench.row(&name("load"), Figure::Rate(loaded), load);
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
    let floor = ("bare page", Figure::Time(bare.page(bench)));
    for (what, request) in &pages {
        let time = bench.median(|| drop(black_box(read(request))));
        bench.row(&name(what), Figure::Time(time), floor);
    }

    let model = &first.rows[0].key;
    let id = model.id.to_string();
    let tail: String = model.preview.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
    let floor = ("bare row", Figure::Time(bare.row(bench)));
    for (what, needle) in [("find by id", id.as_str()), ("find by last four", &tail)] {
        let find = || runtime.block_on(service.find_keys(SentKey::exact(needle.as_bytes()))).unwrap();
        let time = bench.median(|| drop(black_box(find())));
        bench.row(&name(what), Figure::Time(time), floor);
    }
    let outlook = bench.median(|| drop(black_box(runtime.block_on(service.outlook()).unwrap())));
    bench.row(&name("outlook"), Figure::Time(outlook), floor);

    let mut number = 0;
    let time = bench.median(|| {
        number += 1;
        let mut request = wanted("bench", &format!("bench {number}"));
        request.expiry = Expiry::Days(90);
        drop(black_box(runtime.block_on(service.create_key(request)).unwrap()));
    });
    let commits = ("bare durable commits", Figure::Rate(1.0 / bare.commit(bench).as_secs_f64()));
    bench.row(&name("create, one task"), Figure::Rate(1.0 / time.as_secs_f64()), commits);
    runtime.block_on(service.close());
}

fn main() {
    let Some(mut bench) = Bench::begin("service") else { return };
    let _ = cluster::SETTINGS.set(vec!["fsync=on", "full_page_writes=on", "shared_buffers=512MB"]);
    let runtime = Runtime::new().unwrap();
    for keys in bench.sizes(&[1_000, 100_000]) {
        measure(&mut bench, &runtime, &Database::sqlite(), keys);
        match runtime.block_on(Database::postgres()) {
            Some(db) => measure(&mut bench, &runtime, &db, keys),
            None => println!("no PostgreSQL here: not measured"),
        }
    }
    bench.end();
}
