//! Gates that count together in a real Redis Cluster: exactly, wherever an account's windows are, and by the policy where the
//! node that has them is gone.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::shared::{decides_as_the_rule_does, policy};
use crate::support::database::{Database, skip};
use crate::support::gate::{Gate, bearer};
use crate::support::http::{Connection, request};
use crate::support::people::{account, make_kept, office};
use crate::support::program;
use crate::support::servers::{Cluster, Server};
use keyrack::domain::issuer::WhenUnreachable;
use keyrack::domain::secret::PlainKey;
use keyrack::gate::limiter::{Address, Shared};
use keyrack::service::{Service, new_operation};

const MISSING: &str = "neither Redis nor Valkey is installed (apt-get install redis-server)";
/// Each account has so many requests a minute for an endpoint.
const BUDGET: u32 = 60;

/// A key of an account on each node, in the order of the nodes.
async fn key_of_each(office: &Service, cluster: &Cluster) -> Vec<PlainKey> {
    let mut keys: [Option<PlainKey>; 3] = Default::default();
    for slug in (0..50).map(|n| format!("account-{n}")) {
        let slug = slug.as_str();
        let place = &mut keys[cluster.place(slug)];
        if place.is_none() {
            office.create_account(new_operation(), account("voicegram", slug)).await.unwrap();
            *place = Some(make_kept(office, slug, "one").await.secret);
        }
    }
    keys.into_iter().map(Option::unwrap).collect()
}

/// How many requests with this key pass at these gates, asked by several at once; and how many got no answer in time, which a
/// node may have counted all the same.
fn spend(gates: &[Gate], key: &PlainKey, each: u32) -> (u32, u32) {
    let (passed, late) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let threads: Vec<_> = (0..8)
        .map(|n| {
            let (address, value) = (gates[n % gates.len()].address, bearer(key));
            let (passed, late) = (Arc::clone(&passed), Arc::clone(&late));
            std::thread::spawn(move || {
                let mut connection = Connection::open(address);
                for _ in 0..each {
                    connection.send(&request("GET", "/api/v1/me", &[("Authorization", &value)], ""));
                    let answer = connection.answer().unwrap();
                    match answer.status {
                        200 => passed.fetch_add(1, Ordering::SeqCst),
                        503 => late.fetch_add(1, Ordering::SeqCst),
                        429 => 0,
                        _ => panic!("{answer:?}"),
                    };
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    (passed.load(Ordering::SeqCst), late.load(Ordering::SeqCst))
}

fn well(gate: &Gate) -> bool {
    gate.get("/readyz", &[]).json()["limiter"] == true
}

/// Waits until a request with this key passes or is told 429: until its windows can be had.
#[track_caller]
fn wait_for_windows(gate: &Gate, key: &PlainKey) {
    let begun = Instant::now();
    while ![200, 429].contains(&gate.me(key).status) {
        assert!(begun.elapsed() < Duration::from_secs(20), "{}", gate.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Every decision in a cluster, held against the rule that a gate alone decides by; nodes forget the script now and then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_cluster_the_script_decides_as_the_rule_does() {
    let dir = tempfile::tempdir().unwrap();
    let Some(cluster) = Cluster::start(dir.path()) else {
        return skip("in_a_cluster_the_script_decides_as_the_rule_does", MISSING);
    };
    let address = Address::parse(&cluster.url(), None).unwrap();
    let shared = Shared::new(address, 7, Instant::now()).unwrap();
    let mut decided = 0;
    for turn in 0..6 {
        shared.look_round().await.unwrap();
        let accounts = ["ada", "bea", "cid", "dan"].map(|name| format!("{name}-{turn}"));
        // A busy machine may be late with an answer: then all of it begins anew, with other accounts.
        if decides_as_the_rule_does(&shared, &accounts.each_ref().map(String::as_str), 1_500).await {
            decided += 1;
        }
        if decided == 2 {
            return;
        }
        cluster.tell(&["SCRIPT", "FLUSH"]);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("{decided} of 2");
}

on_both! {
    async fn vg_20_gates_that_share_a_redis_cluster_give_out_exactly_one_budget(db) {
        let Some(cluster) = Cluster::start(db.dir()) else { return skip("vg_20 in a cluster", MISSING) };
        let office = office(&db, policy(WhenUnreachable::Refuse)).await;
        let keys = key_of_each(&office, &cluster).await;
        let limits = cluster.url();
        let mut gates = [Gate::start(&db, &["--limits", &limits]), Gate::start(&db, &["--limits", &limits])];
        gates[0].wait_for_log("the shared limiter is a Redis Cluster");
        assert!(!gates[0].log().contains("have no replica"), "{}", gates[0].log());
        for key in &keys {
            let (passed, late) = spend(&gates, key, 20);
            assert!(passed <= BUDGET && passed + late >= BUDGET, "{passed}, and {late} without an answer");
        }
        assert!(well(&gates[0]) && gates[1].me(&keys[0]).number("retry-after") >= 1);
    }

    async fn while_a_slot_moves_to_another_node_no_request_is_counted_twice_or_forgotten(db) {
        let Some(cluster) = Cluster::start(db.dir()) else { return skip("a slot that moves", MISSING) };
        let office = office(&db, policy(WhenUnreachable::Refuse)).await;
        let slug = (0..50).map(|n| format!("account-{n}")).find(|slug| cluster.place(slug) == 0).unwrap();
        office.create_account(new_operation(), account("voicegram", &slug)).await.unwrap();
        let key = make_kept(&office, &slug, "one").await.secret;
        let gate = Gate::start(&db, &["--limits", &cluster.url()]);
        let (address, value) = (gate.address, bearer(&key));
        let asking = std::thread::spawn(move || {
            let mut connection = Connection::open(address);
            let mut statuses = Vec::new();
            for _ in 0..40 {
                connection.send(&request("GET", "/api/v1/me", &[("Authorization", &value)], ""));
                statuses.push(connection.answer().unwrap().status);
                std::thread::sleep(Duration::from_millis(10));
            }
            statuses
        });
        std::thread::sleep(Duration::from_millis(100));
        cluster.move_slot(&slug, 1);
        let statuses = asking.join().unwrap();
        assert!(statuses.iter().all(|status| [200, 503].contains(status)), "{statuses:?}");
        let passed = u32::try_from(statuses.iter().filter(|status| **status == 200).count()).unwrap();
        let gates = [gate];
        let (after, late) = spend(&gates, &key, 10);
        let unanswered = late + 40 - passed;
        let all = passed + after;
        assert!(all <= BUDGET && all + unanswered >= BUDGET, "{statuses:?}, then {after} and {late} late\n{}", gates[0].log());
        assert!(passed > 20, "{passed}: {}", gates[0].log());
    }

    async fn while_a_node_is_gone_its_accounts_go_by_the_policy_and_no_others(db) {
        let Some(mut cluster) = Cluster::start(db.dir()) else { return skip("a node gone", MISSING) };
        let office = office(&db, policy(WhenUnreachable::Refuse)).await;
        let keys = key_of_each(&office, &cluster).await;
        let mut gates = [Gate::start(&db, &["--limits", &cluster.url()])];
        gates[0].wait_for_log("the shared limiter is a Redis Cluster");
        let (passed, late) = spend(&gates, &keys[1], 5);
        assert_eq!(passed + late, 40, "of {BUDGET}");
        cluster.kill(1);
        let gone = gates[0].me(&keys[1]);
        assert_eq!(gone.status, 503, "{gone:?}");
        assert!(gone.number("retry-after") >= 1);
        for _ in 0..20 {
            for key in [&keys[0], &keys[2]] {
                assert_eq!(gates[0].me(key).status, 200, "{}", gates[0].log());
            }
        }
        let named = format!("node=\"{}\"", cluster.node(1).address);
        let told = |log: &str| log.lines().any(|line| line.contains("the shared limiter can't be asked") && line.contains(&named));
        gates[0].wait("its log names the node", |log| told(log).then_some(()));
        cluster.wait_for_replica(1);
        wait_for_windows(&gates[0], &keys[1]);
        // What the replica had not heard of when the primary died may be had once more: a request of each of the eight at most.
        let (after, unanswered) = spend(&gates, &keys[1], 10);
        assert!(passed + after <= BUDGET + 8 && passed + after + late + unanswered + 2 >= BUDGET, "{passed} before and {after} after, of {BUDGET}");
        assert!(well(&gates[0]));
        gates[0].wait_for_log("the shared limiter can be asked again");
        gates[0].wait_for_log("have no replica");
    }

    async fn a_node_that_gives_no_answer_holds_up_no_other_account(db) {
        let Some(cluster) = Cluster::start(db.dir()) else { return skip("a node that hangs", MISSING) };
        let office = office(&db, policy(WhenUnreachable::LocalShare)).await;
        let keys = key_of_each(&office, &cluster).await;
        let mut gate = Gate::start(&db, &["--limits", &cluster.url()]);
        gate.wait_for_log("the shared limiter is a Redis Cluster");
        // Neither the node nor its replica, so that nobody takes over.
        for place in [0, 3] {
            cluster.signal(place, Signal::STOP);
        }
        let (address, value) = (gate.address, bearer(&keys[0]));
        let asking = std::thread::spawn(move || {
            let mut connection = Connection::open(address);
            let begun = Instant::now();
            let mut statuses = Vec::new();
            while begun.elapsed() < Duration::from_secs(4) {
                connection.send(&request("GET", "/api/v1/me", &[("Authorization", &value)], ""));
                statuses.push(connection.answer().unwrap().status);
                std::thread::sleep(Duration::from_millis(10));
            }
            statuses
        });
        let mut longest = Duration::ZERO;
        for _ in 0..50 {
            let asked = Instant::now();
            assert_eq!(gate.me(&keys[1]).status, 200, "{}", gate.log());
            longest = longest.max(asked.elapsed());
            std::thread::sleep(Duration::from_millis(60));
        }
        let statuses = asking.join().unwrap();
        assert!(longest < Duration::from_millis(250), "{longest:?}\n{}", gate.log());
        let alone = statuses.iter().filter(|status| **status == 200).count();
        assert!(statuses.iter().all(|status| [200, 429].contains(status)) && alone == 60, "a share of its own: {alone}");
        for place in [0, 3] {
            cluster.signal(place, Signal::CONT);
        }
        let begun = Instant::now();
        while !gate.log().contains("the shared limiter can be asked again") {
            assert!(begun.elapsed() < Duration::from_secs(20), "{}", gate.log());
            gate.me(&keys[0]);
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// One server named as a cluster, and a node of a cluster named as one server: the log says so.
#[test]
fn a_gate_says_how_a_place_to_count_is_named_rightly() {
    let db = Database::sqlite();
    let Some(cluster) = Cluster::start(db.dir()) else { return skip("wrong names", MISSING) };
    let redis = Server::redis(db.dir()).unwrap();
    let key = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let office = office(&db, policy(WhenUnreachable::Refuse)).await;
        make_kept(&office, "acme", "one").await.secret
    });
    let other = cluster.node((cluster.place("acme") + 1) % 3).address;
    let mut wrong = Gate::start(&db, &["--limits", &format!("redis://{other}/0")]);
    assert_eq!(wrong.me(&key).status, 503);
    wrong.wait_for_log("it is a node of a Redis Cluster: name it with redis-cluster://");
    let server = format!("redis-cluster://{}", redis.address);
    for (address, word) in [
        (server.as_str(), "it does not belong to a Redis Cluster: name it with redis://"),
        ("redis-cluster://", "isn't a node of a Redis Cluster"),
        ("redis-cluster://a:b", "isn't a node of a Redis Cluster"),
        ("redis-cluster://a/1", "no numbered databases"),
        ("redis-cluster://:hunter22@a", "has a password in it"),
        ("rediss-cluster://a", "TLS"),
    ] {
        let refused = program::run(
            db.dir(),
            ["--db", &db.address(), "gate", "--listen", "127.0.0.1:0", "--limits", address],
        );
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(
            refused.status.code() == Some(2) && said.contains(word) && !said.contains("hunter22"),
            "{said}"
        );
    }
    // A password is told to every node, and a wrong one is told of.
    let file = db.dir().join("limits-password");
    let told = |password: &str| {
        std::fs::write(&file, password).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        Gate::start(&db, &["--limits", &cluster.url(), "--limits-password-file", file.to_str().unwrap()])
    };
    cluster.tell(&["CONFIG", "SET", "masterauth", "hunter22"]);
    cluster.tell(&["CONFIG", "SET", "requirepass", "hunter22"]);
    let right = told("hunter22");
    assert_eq!((right.me(&key).status, well(&right)), (200, true), "{}", right.log());
    let mut wrong = told("hunter23");
    assert_eq!((wrong.me(&key).status, well(&wrong)), (503, false));
    wrong.wait_for_log("the shared limiter can't be asked");
    assert!(!wrong.log().contains("hunter2"), "{}", wrong.log());
}
