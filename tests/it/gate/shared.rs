//! Gates that count together in a real Redis: exactly as one gate counts, and by the policy where it is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::support::database::skip;
use crate::support::gate::Gate;
use crate::support::people::{make_kept, office, preset};
use crate::support::servers::Server;
use keyrack::domain::budget::Budget;
use keyrack::domain::issuer::{Policy, WhenUnreachable};
use keyrack::domain::limit::{Bucket, Charge};
use keyrack::gate::limiter::{Address, Shared, Windows};

const MISSING: &str = "neither Redis nor Valkey is installed (apt-get install redis-server)";

fn url(redis: &Server) -> String {
    format!("redis://{}/0", redis.address)
}

pub(super) fn policy(when_unreachable: WhenUnreachable) -> Policy {
    let mut policy = preset("voicegram");
    policy.gate.when_unreachable = when_unreachable;
    policy
}

/// A small generator: the same sequence each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Every decision of the script, held against the rule that a gate alone decides by, at the same instants.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_script_decides_as_the_rule_does() {
    let dir = tempfile::tempdir().unwrap();
    let Some(redis) = Server::redis(dir.path()) else {
        return skip("the_script_decides_as_the_rule_does", MISSING);
    };
    let shared = Shared::new(Address::parse(&url(&redis), None).unwrap(), 7, Instant::now()).unwrap();
    assert!(decides_as_the_rule_does(&shared, &["acme"], 12_000).await);
}

/// So many decisions about windows of these accounts. `false`: one was not answered in time, and what it counted is not known.
pub(super) async fn decides_as_the_rule_does(shared: &Shared, accounts: &[&str], rounds: usize) -> bool {
    let rule = Windows::default();
    let mut dice = Dice(5);
    let (mut allowed, mut refused) = (0, 0);
    for round in 0..rounds {
        if round % (rounds / 8) == 0 {
            // Windows of a second or two pass meanwhile, wholly or in part.
            tokio::time::sleep(Duration::from_millis(300 + dice.roll(900))).await;
        }
        let account = accounts[dice.roll(accounts.len() as u64) as usize];
        let mut charges = Vec::new();
        for name in ["a", "b", "c"] {
            if dice.roll(3) > 0 || (name == "c" && charges.is_empty()) {
                // Now and then a budget is lowered, or another one comes.
                let mut budgets = vec![Budget { seconds: 1, requests: 20 + dice.roll(2) as u32 * 60 }];
                if dice.roll(2) == 0 {
                    budgets.push(Budget { seconds: 2, requests: 150 });
                }
                charges.push(Charge { bucket: Bucket::Endpoint(account.into(), name.into()), budgets });
            }
        }
        let count = dice.roll(5) > 0;
        let Some((told, now)) = shared.ask(account, &charges, count).await else { return false };
        let wanted = if count { rule.take(&charges, now) } else { rule.look(&charges, now) };
        assert_eq!(told, wanted, "round {round}: {charges:?} at {now}");
        if told.unwrap().allowed { allowed += 1 } else { refused += 1 }
    }
    assert!(allowed > 100 && refused > 100, "{allowed} allowed, {refused} refused");
    true
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_question_after_a_restart_of_redis_is_answered() {
    let dir = tempfile::tempdir().unwrap();
    let Some(mut redis) = Server::redis(dir.path()) else {
        return skip("the_first_question_after_a_restart_of_redis_is_answered", MISSING);
    };
    let shared = Shared::new(Address::parse(&url(&redis), None).unwrap(), 7, Instant::now()).unwrap();
    let budgets = vec![Budget { seconds: 60, requests: 5 }];
    let charges = vec![Charge { bucket: Bucket::Account("a".into()), budgets }];
    for _ in 0..3 {
        let (quota, _) = shared.ask("a", &charges, true).await.unwrap();
        assert_eq!(quota.unwrap().tightest().remaining, 4, "counted once");
        let address = redis.address;
        redis.kill();
        redis = Server::redis_at(dir.path(), address).unwrap();
    }
}

/// A Redis whose clock was set back: its windows hold requests of a time that has not come yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_its_clock_was_set_back_the_script_decides_as_the_rule_does() {
    let dir = tempfile::tempdir().unwrap();
    let Some(redis) = Server::redis(dir.path()) else {
        return skip("after_its_clock_was_set_back_the_script_decides_as_the_rule_does", MISSING);
    };
    let shared = Shared::new(Address::parse(&url(&redis), None).unwrap(), 7, Instant::now()).unwrap();
    let mut raw = redis::Client::open(url(&redis)).unwrap().get_connection().unwrap();
    let budget = Budget { seconds: 60, requests: 3_000 };
    // Just within what is taken to stand still, and three days ahead with more requests than one call moves.
    for (name, ahead, requests) in [("near", 1_000_000, 5), ("far", 259_200_000_000, 2_999)] {
        let charges = vec![Charge { bucket: Bucket::Account(name.into()), budgets: vec![budget] }];
        let rule = Windows::default();
        let (_, now) = shared.ask("a", &charges, false).await.unwrap();
        let mut seed = redis::pipe();
        for n in 0..requests {
            let at = now + ahead + n * 10_000;
            rule.take(&charges, at);
            seed.zadd(format!("keyrack:{}", charges[0].bucket), format!("before-{n}"), at).ignore();
        }
        seed.exec(&mut raw).unwrap();
        for (round, count) in [false, true, true, false].into_iter().enumerate() {
            let (told, now) = shared.ask("a", &charges, count).await.unwrap();
            let wanted = if count { rule.take(&charges, now) } else { rule.look(&charges, now) };
            assert_eq!(told, wanted, "{name}, round {round}");
            let told = told.unwrap();
            assert!(told.tightest().next <= now + 61_000_000, "{name}: within the window");
            assert_eq!(told.allowed, name == "near" || round < 2, "{name}, round {round}");
        }
    }
}

on_both! {
    async fn a_gate_says_that_others_on_its_database_give_out_whole_budgets_too_or_have_its_name(db) {
        let alone = "this one counts requests by itself";
        let namesake = "another gate on this database has the same name";
        let _office = office(&db, policy(WhenUnreachable::Refuse)).await;
        // What is left of a gate that crashed is no other gate.
        Gate::start(&db, &["--name", "east"]).kill();
        let mut east = Gate::start(&db, &["--name", "east"]);
        let ready = |gate: &Gate| {
            let json = gate.get("/readyz", &[]).json();
            (json["ready"] == true, json["shared"] == true, json["gates"].as_u64().unwrap())
        };
        tokio::time::sleep(Duration::from_secs(7)).await;
        assert!(!east.log().contains(alone) && !east.log().contains(namesake), "{}", east.log());
        assert_eq!(ready(&east), (true, false, 1));
        let mut west = Gate::start(&db, &["--name", "west"]);
        east.wait_for_log(alone);
        west.wait_for_log(alone);
        assert!(!east.log().contains(namesake) && !west.log().contains(namesake));
        assert_eq!(ready(&east), (true, false, 2));
        assert!(east.metric("keyrack_gate_living_gates ") >= 2.0 && east.metric("keyrack_gate_limiter_shared ") < 1.0);
        let mut twin = Gate::start(&db, &["--name", "east"]);
        east.wait_for_log(namesake);
        twin.wait_for_log(namesake);
        assert_eq!(east.log().matches(alone).count(), 1, "it says so once");
        let Some(redis) = Server::redis(db.dir()) else { return skip("gates that count together", MISSING) };
        let shared = Gate::start(&db, &["--name", "north", "--limits", &url(&redis)]);
        tokio::time::sleep(Duration::from_secs(6)).await;
        assert!(!shared.log().contains(alone), "{}", shared.log());
        assert_eq!(ready(&shared), (true, true, 4));
    }

    async fn vg_20_two_gates_that_share_a_redis_give_out_exactly_one_budget(db) {
        let Some(redis) = Server::redis(db.dir()) else { return skip("vg_20 with Redis", MISSING) };
        let office = office(&db, policy(WhenUnreachable::Refuse)).await;
        let key = make_kept(&office, "acme", "one").await.secret;
        let limits = url(&redis);
        let gates = [Gate::start(&db, &["--limits", &limits]), Gate::start(&db, &["--limits", &limits])];
        let passed = Arc::new(AtomicU32::new(0));
        let value = crate::support::gate::bearer(&key);
        let threads: Vec<_> = (0..8)
            .map(|n| {
                let (address, value, passed) = (gates[n % 2].address, value.clone(), Arc::clone(&passed));
                std::thread::spawn(move || {
                    let mut connection = crate::support::http::Connection::open(address);
                    for _ in 0..20 {
                        connection.send(&crate::support::http::request("GET", "/api/v1/me", &[("Authorization", &value)], ""));
                        let answer = connection.answer().unwrap();
                        assert!([200, 429].contains(&answer.status), "{answer:?}");
                        assert_eq!(answer.number("x-ratelimit-limit"), 60);
                        passed.fetch_add(u32::from(answer.status == 200), Ordering::SeqCst);
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(passed.load(Ordering::SeqCst), 60);
        let last = gates[0].me(&key);
        assert!((1..=60).contains(&last.number("retry-after")), "{last:?}");
    }

    async fn without_its_redis_a_gate_refuses_where_the_policy_says_so_and_comes_back_with_it(db) {
        let Some(mut redis) = Server::redis(db.dir()) else { return skip("Redis gone", MISSING) };
        let office = office(&db, policy(WhenUnreachable::Refuse)).await;
        let key = make_kept(&office, "acme", "one").await.secret;
        let gate = Gate::start(&db, &["--limits", &url(&redis)]);
        assert_eq!((gate.me(&key).status, gate.get("/readyz", &[]).status), (200, 200));
        redis.kill();
        for _ in 0..20 {
            let answer = gate.me(&key);
            assert_eq!(answer.status, 503, "{answer:?}");
            assert!(answer.number("retry-after") >= 1);
        }
        let ready = gate.get("/readyz", &[]);
        assert_eq!((ready.status, ready.json()["limiter"].as_bool(), ready.json()["database"].as_bool()), (503, Some(false), Some(true)));
        assert!(gate.log().contains("the shared limiter can't be asked"));
        let back = Server::redis_at(db.dir(), redis.address).unwrap();
        let begun = Instant::now();
        while gate.me(&key).status != 200 {
            assert!(begun.elapsed() < Duration::from_secs(10), "{}", gate.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(gate.get("/readyz", &[]).status, 200);
        drop(back);
    }

    async fn one_odd_value_in_redis_costs_its_own_account_alone(db) {
        let Some(redis) = Server::redis(db.dir()) else { return skip("an odd value in Redis", MISSING) };
        let office = office(&db, policy(WhenUnreachable::Refuse)).await;
        let one = make_kept(&office, "acme", "one").await.secret;
        let other = make_kept(&office, "globex", "other").await.secret;
        let mut gate = Gate::start(&db, &["--limits", &url(&redis)]);
        assert_eq!((gate.me(&one).status, gate.me(&other).status), (200, 200));
        let mut raw = redis::Client::open(url(&redis)).unwrap().get_connection().unwrap();
        let names: Vec<String> = redis::cmd("KEYS").arg("keyrack:*").query(&mut raw).unwrap();
        let name = names.iter().find(|name| name.contains("acme")).unwrap_or_else(|| panic!("{names:?}"));
        for (verb, rest) in [("SET", ["no window"].as_slice()), ("SADD", &["x"]), ("ZADD", &["inf", "x"])] {
            redis::cmd("DEL").arg(name).exec(&mut raw).unwrap();
            redis::cmd(verb).arg(name).arg(rest).exec(&mut raw).unwrap();
            let told: Vec<_> = (0..12).map(|_| (gate.me(&one).status, gate.me(&other).status)).collect();
            assert!(told.iter().all(|told| *told == (503, 200)), "{verb}: {told:?}\n{}", gate.log());
        }
        gate.wait_for_log("remove what lies there with DEL");
        redis::cmd("DEL").arg(name).exec(&mut raw).unwrap();
        assert_eq!(gate.me(&one).status, 200, "without a rest");
    }

    async fn without_its_redis_each_gate_gives_out_its_share_where_the_policy_says_so(db) {
        let Some(mut redis) = Server::redis(db.dir()) else { return skip("Redis gone", MISSING) };
        let office = office(&db, policy(WhenUnreachable::LocalShare)).await;
        let key = make_kept(&office, "acme", "one").await.secret;
        let limits = url(&redis);
        let gates = [Gate::start(&db, &["--limits", &limits]), Gate::start(&db, &["--limits", &limits])];
        // The gates count each other every few seconds.
        tokio::time::sleep(Duration::from_secs(6)).await;
        redis.kill();
        for gate in &gates {
            let passed = (0..60).filter(|_| gate.me(&key).status == 200).count();
            assert_eq!(passed, 30, "half of 60: {}", gate.log());
            assert!(gate.metric("keyrack_gate_limiter_alone_total ") >= 30.0);
        }
    }
}
