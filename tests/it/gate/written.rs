//! How much a gate writes about keys that are used all the time, and that a crash of it loses none of that.

use std::time::{Duration, Instant};

use keyrack::domain::issuer::{LimitRule, Per};
use keyrack::domain::usage::Counts;
use keyrack::service::Service;

use crate::support::database::Database;
use crate::support::database::cluster::Cluster;
use crate::support::gate::{Gate, bearer};
use crate::support::http::{Answer, Connection, request};
use crate::support::people::{make_kept, office, preset};

const KEYS: usize = 300;
const TIME: Duration = Duration::from_secs(6);

/// Bytes that were written: by the gate's process, or by PostgreSQL into its log.
async fn written(db: &Database, gate: &Gate) -> u64 {
    if db.is_postgres() {
        let lsn = db.number("SELECT (pg_current_wal_lsn() - '0/0')::bigint").await;
        return u64::try_from(lsn).unwrap();
    }
    let io = std::fs::read_to_string(format!("/proc/{}/io", gate.id())).unwrap();
    io.lines().find_map(|line| line.strip_prefix("write_bytes: ")?.parse().ok()).unwrap()
}

async fn allowed(service: &Service) -> u64 {
    let keys: Vec<_> = service
        .page(&keyrack::service::PageRequest {
            query: keyrack::domain::query::Query::default(),
            sort: keyrack::domain::query::Sort::default(),
            from: keyrack::service::From::Start,
            limit: 1_000,
        })
        .await
        .unwrap()
        .rows
        .iter()
        .map(|row| row.key.id)
        .collect();
    let since = service.now().await.unwrap() - chrono::Duration::hours(1);
    let mut sum = Counts::default();
    for minutes in service.usage(&keys, since).await.unwrap().into_values() {
        minutes.iter().for_each(|minute| sum.merge(minute.counts));
    }
    sum.allowed
}

on_both! {
    async fn a_gate_writes_less_than_a_page_a_key_and_loses_nothing_in_a_crash(db) {
        // What other tests write into one log with it would count as well.
        let own = db.is_postgres().then(|| Cluster::start(&[]).unwrap());
        let db = match &own {
            Some(cluster) => Database::on(cluster).await,
            None => db,
        };
        let mut policy = preset("voxpria");
        policy.caps = Default::default();
        policy.limits =
            vec![LimitRule { per: Per::Key, requests: Some(1_000_000), seconds: Some(3_600), plans: false }];
        let service = office(&db, policy).await;
        let mut asked = Vec::new();
        for n in 0..KEYS {
            let made = make_kept(&service, "acme", &format!("key {n}")).await;
            let value = bearer(&made.secret);
            asked.push(request("GET", "/api/v1/me", &[("Authorization", &value)], ""));
        }
        let gate = Gate::start(&db, &["--name", "east"]);
        let mut connection = Connection::open(gate.address);
        let mut longest = Duration::ZERO;
        let mut ask = |n: usize| {
            let asked_at = Instant::now();
            let answer = patient(|| {
                connection.send(&asked[n % KEYS]);
                connection.answer().unwrap()
            });
            longest = longest.max(asked_at.elapsed());
            assert_eq!(answer.status, 200, "{answer:?}");
            answer.number("x-ratelimit-remaining")
        };
        // First uses are written at once.
        for n in 0..KEYS {
            ask(n);
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
        let mut requests = KEYS;
        // Now and then the server looks after itself meanwhile: one of some tries is quiet.
        for last in [false, false, false, true] {
            let (before, began, first) = (written(&db, &gate).await, Instant::now(), requests);
            while began.elapsed() < TIME {
                ask(requests);
                requests += 1;
            }
            let seconds = began.elapsed().as_secs_f64();
            let rate = (written(&db, &gate).await - before) as f64 / seconds;
            let used = (requests - first).min(KEYS) as f64;
            if rate < used * 4_096.0 {
                break;
            }
            assert!(!last, "{rate:.0} bytes/s for {used} keys and {requests} requests");
        }

        let left = ask(0);
        requests += 1;
        let begun = Instant::now();
        tokio::time::sleep(Duration::from_secs(4)).await;
        longest = longest.max(begun.elapsed() - Duration::from_secs(4));
        let held_up = longest > Duration::from_millis(500) || gate.log().contains("gave no answer");
        gate.kill();
        let next = Gate::start(&db, &["--name", "east"]);
        let answer = patient(|| next.get("/api/v1/me", &[("Authorization", &bearer_of(&asked[0]))]));
        assert_eq!(answer.number("x-ratelimit-remaining"), left - 1, "no limit is more generous than it was");
        next.stop();
        // As if a minute had passed.
        let store = keyrack::store::Store::open(&db.location()).await.unwrap();
        let soon = service.now().await.unwrap() + chrono::Duration::hours(1);
        store.take_over_usage(soon, &keyrack::clock::Clock::System).await.unwrap();
        let (counted, all) = (allowed(&service).await, requests as u64 + 1);
        assert!(counted <= all, "nothing is counted twice: {counted} of {all}");
        // A gate that the machine or the server held up for so long may not have saved the last seconds.
        assert!(counted == all || held_up, "{counted} of {all}, {longest:?}");
        assert_eq!(store.take_over_usage(soon, &keyrack::clock::Clock::System).await.unwrap(), 0);
        service.close().await;
    }
}

/// A gate that its server keeps waiting refuses with 503, which is no use of the key: asked again, for 20 s.
fn patient(mut ask: impl FnMut() -> Answer) -> Answer {
    let begun = Instant::now();
    loop {
        let answer = ask();
        if answer.status != 503 || begun.elapsed() > Duration::from_secs(20) {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The value of a request's header.
fn bearer_of(asked: &[u8]) -> String {
    let text = String::from_utf8_lossy(asked);
    text.lines().find_map(|line| line.strip_prefix("Authorization: ")).unwrap().to_owned()
}
