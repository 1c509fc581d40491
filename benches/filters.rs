//! What every filter costs in every order: pages at the beginning and at the end, counts, lists of accounts, the audit, the
//! outlook. Whatever takes longer than [`MOST`] is named.
//!
//! `cargo bench --bench filters` measures at 100,000 keys; `KEYRACK_BENCH_KEYS=1000000 cargo bench --bench filters` at
//! another number.
#![expect(clippy::unwrap_used, reason = "a benchmark that fails says where")]

#[path = "../tests/support/support.rs"]
pub mod support;

#[path = "figures/figures.rs"]
pub mod figures;

use std::time::{Duration, Instant};

use figures::bare::Bare;
use figures::{Bench, Figure};
use keyrack::domain::query::{Column, Direction, Query, Sort};
use keyrack::service::{AuditFilter, AuditRequest, From, PageRequest, Service};
use support::database::{Database, cluster};
use support::people::query;
use tokio::runtime::Runtime;

/// Nobody shall wait for longer.
const MOST: Duration = Duration::from_millis(100);

/// Every term of the language, and the pairs that were slow once.
fn filters(account: &str, issuer: &str, by: &str, scope: &str) -> Vec<String> {
    let terms = [
        "",
        "status:active",
        "status:expired",
        "status:revoked",
        "status:replaced",
        "status:suspended",
        "status:unconfirmed",
        "status:expiring",
        "-status:active",
        "name:prod",
        "name:needle",
        "name:=prod",
        "expires:never",
        "expires:set",
        "expires:<7d",
        "expires:>90d",
        "created:<1d",
        "created:>2020-01-01",
        "created:<365d",
        "used:<1h",
        "used:never",
        "used:ever",
        "used:>300d",
        "idle:90d",
        "idle:1d",
        "rotation:due",
        "violates:policy",
        "acknowledged:no",
        "acknowledged:yes",
        "replaced:yes",
        "replaced:no",
        "id:0192",
        "id:ffff",
        "prod",
        "needle",
        "qqzzqq",
        "pr",
        "-prod",
        "scope:none",
        "used:never expires:never",
        "status:active,suspended expires:<7d",
        "status:expired expires:>-30d replaced:no",
        "prod expires:<30d",
        "prod used:never",
        "status:active prod",
    ];
    let of = [
        format!("account:{account}"),
        format!("issuer:{issuer}"),
        format!("by:{by}"),
        format!("scope:{scope}"),
        format!("-account:{account}"),
        format!("-issuer:{issuer}"),
        format!("scope:{scope} used:never"),
        format!("account:{account} prod"),
        format!("account:{account} used:never"),
        format!("by:{by} expires:<30d"),
        format!("issuer:{issuer} idle:90d"),
        format!("issuer:{issuer} name:prod"),
    ];
    terms.into_iter().map(str::to_owned).chain(of).filter(|text| parses(text)).collect()
}

/// A term that this language does not have, or spells in another way, is left out.
fn parses(text: &str) -> bool {
    let here = keyrack::domain::when::Here::utc(keyrack::clock::Clock::System.now());
    Query::parse(text, here).is_ok()
}

/// The shortest of so many tries: the machine may be busy with something else.
async fn time<T, F: Future<Output = T>>(work: impl Fn() -> F) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..3 {
        let begun = Instant::now();
        std::hint::black_box(work().await);
        best = best.min(begun.elapsed());
        if best < MOST / 2 {
            break;
        }
    }
    best
}

/// What was measured: each with its name.
struct Sweep {
    all: Vec<(Duration, String)>,
}

impl Sweep {
    fn note(&mut self, took: Duration, what: String) {
        if took > MOST {
            println!("  {:>6} ms  {what}", took.as_millis());
        }
        self.all.push((took, what));
    }

    fn tell(mut self, bench: &mut Bench, of: &str, limit: (&str, Figure)) {
        self.all.sort();
        let slow = self.all.iter().rev().take_while(|(took, _)| *took > MOST);
        let slow: Vec<String> = slow.map(|(took, what)| format!("{what} {} ms", took.as_millis())).collect();
        bench.row(
            &format!("{of}: median of {}", self.all.len()),
            Figure::Time(self.all[self.all.len() / 2].0),
            limit,
        );
        if let Some((took, what)) = self.all.last() {
            bench.row(&format!("{of}: slowest, {what}"), Figure::Time(*took), limit);
        }
        let words = if slow.is_empty() { "none".into() } else { slow.join("; ").replace('|', "/") };
        bench.alone(&format!("{of}: more than {} ms", MOST.as_millis()), &words);
    }
}

async fn measure(bench: &mut Bench, db: &Database, service: &Service, keys: u64, page: Duration) {
    let kind = if db.is_postgres() { "postgres" } else { "sqlite" };
    let ask = |text: &str, column, direction, from| PageRequest {
        query: query(text),
        sort: Sort { column, direction },
        from,
        limit: 50,
    };
    let read = async |request: &PageRequest| service.page(request).await.unwrap();
    let first = read(&ask("", Column::Created, Direction::Descending, From::Start)).await;
    let model =
        first.rows.iter().find(|row| !row.key.scopes.is_empty()).unwrap_or(&first.rows[0]).key.clone();
    let scope = model.scopes.iter().next().unwrap_or("none").to_owned();
    let filters = filters(&model.account, &model.issuer, model.created_by.as_str(), &scope);
    let limit = ("bare page", Figure::Time(page));

    let mut pages = Sweep { all: Vec::new() };
    let orders: Vec<Column> = if bench.full() { Column::ALL.to_vec() } else { vec![Column::Name] };
    for filter in &filters {
        for column in &orders {
            for direction in [Direction::Ascending, Direction::Descending] {
                for (from, place) in [(From::Start, "first"), (From::End, "last")] {
                    let request = ask(filter, *column, direction, from);
                    let took = time(|| read(&request)).await;
                    let way = if direction == Direction::Ascending { "up" } else { "down" };
                    pages.note(took, format!("`{filter}` by {} {way}, {place} page", column.as_str()));
                }
            }
        }
    }
    pages.tell(bench, &format!("pages, {kind} {keys}"), limit);

    let mut counts = Sweep { all: Vec::new() };
    for filter in &filters {
        let query = query(filter);
        let took = time(async || service.count(&query).await.unwrap()).await;
        counts.note(took, format!("count of `{filter}`"));
    }
    counts.tell(bench, &format!("counts, {kind} {keys}"), limit);

    let mut others = Sweep { all: Vec::new() };
    for contains in ["", "a", "qqzz", &model.account] {
        let took = time(async || service.accounts(contains, None, 50).await.unwrap()).await;
        others.note(took, format!("accounts with `{contains}`"));
    }
    let audits = [
        AuditFilter::default(),
        AuditFilter { actor: Some("nobody-at-all".into()), ..AuditFilter::default() },
        AuditFilter { action: Some("audit.accept".into()), ..AuditFilter::default() },
        AuditFilter { account: Some("no-such-account".into()), ..AuditFilter::default() },
        AuditFilter { text: Some("qqzzqq".into()), ..AuditFilter::default() },
        AuditFilter { text: Some("prod".into()), ..AuditFilter::default() },
    ];
    for filter in audits {
        let what = format!("audit of {filter:?}");
        let request = AuditRequest { filter, before: None, limit: 50 };
        others.note(time(async || service.audit(&request).await.unwrap()).await, what);
    }
    others.note(time(async || service.outlook().await.unwrap()).await, "outlook".into());
    others.note(time(async || service.outbox().await.unwrap()).await, "what is due".into());
    others.tell(bench, &format!("accounts, audit, outlook, {kind} {keys}"), limit);
}

fn main() {
    let Some(mut bench) = Bench::begin("filters") else { return };
    let _ = cluster::SETTINGS.set(vec!["fsync=on", "full_page_writes=on", "shared_buffers=512MB"]);
    let runtime = Runtime::new().unwrap();
    for keys in bench.sizes(&[100_000]) {
        let mut databases = vec![Database::sqlite()];
        databases.extend(runtime.block_on(Database::postgres()));
        for db in databases {
            let service = runtime.block_on(async {
                let service = db.open().await;
                service.demo(keys, 1, |_| {}).await.unwrap();
                service
            });
            let page = Bare::open(&runtime, &db, keys).page(&bench);
            runtime.block_on(async {
                measure(&mut bench, &db, &service, keys, page).await;
                service.close().await;
            });
        }
    }
    bench.end();
}
