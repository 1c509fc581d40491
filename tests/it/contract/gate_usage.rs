//! What keys are used for: counted, kept, and out of the ordinary.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::support::database::Database;
use crate::support::people::{age, gate, make, make_kept, office, preset, settings};
use keyrack::clock::Clock;
use keyrack::domain::audit::Verdict;
use keyrack::domain::budget::Budgets;
use keyrack::domain::key::Status;
use keyrack::domain::usage::{Counts, Severity, Tolerance, What, minute, network_of};
use keyrack::service::{
    AlertRequest, Confirmed, Gate, GateSettings, Known, Outcome, RaisedAlert, Service, Use, new_operation,
};
use keyrack::store::{NETWORKS_OF_A_KEY, Sighting, Store};

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

async fn known(gate: &Gate, hash: keyrack::domain::secret::HashedKey) -> Arc<Known> {
    gate.known(hash).await.unwrap().unwrap()
}

fn note(gate: &Gate, known: &Known, outcome: Outcome, from: &str) {
    gate.used(Use { known, outcome, at: gate.now(), from: Some(address(from)), endpoint: Some("calls") });
}

/// Waits for something to become true, as long as a slow machine may take.
async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let begun = std::time::Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < Duration::from_secs(15), "not within 15 s: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn open_alerts(service: &Service) -> Vec<RaisedAlert> {
    service.alerts(&AlertRequest { open: true, limit: 100, ..AlertRequest::default() }).await.unwrap()
}

async fn total(service: &Service, key: uuid::Uuid) -> Counts {
    let since = service.now().await.unwrap() - chrono::Duration::hours(1);
    let mut sum = Counts::default();
    for minute in service.usage(&[key], since).await.unwrap().remove(&key).unwrap_or_default() {
        sum.merge(minute.counts);
    }
    sum
}

/// A use of a key from the network of this number.
fn sighting(key: uuid::Uuid, number: i64) -> Sighting {
    let address = address(&format!("10.{}.{}.7", number / 256, number % 256));
    Sighting { key, network: network_of(address), address, listed: false }
}

/// Writes past use of a key: so many requests in each of the minutes before the present one.
async fn past(
    db: &Database,
    key: uuid::Uuid,
    now: keyrack::domain::Instant,
    minutes: std::ops::Range<i64>,
    each: i64,
) {
    for back in minutes {
        let second = (minute(now) - back) * 60;
        let (key, at) = if db.is_postgres() {
            (format!("'{key}'"), format!("to_timestamp({second})"))
        } else {
            (format!("x'{}'", key.simple()), (second * 1_000_000).to_string())
        };
        db.execute(&format!("INSERT INTO usage_minutes VALUES ({key}, {at}, {each}, 0, 0)")).await;
    }
}

on_both! {
    async fn use_that_the_database_refuses_is_left_out_and_holds_up_no_other(db) {
        let service = office(&db, preset("voxpria")).await;
        let mut keys = Vec::new();
        for n in 0..5 {
            keys.push(make_kept(&service, "acme", &format!("key {n}")).await);
        }
        let odd = keys[2].key.id;
        let trigger = if db.is_postgres() {
            format!("CREATE FUNCTION odd() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'odd'; END $$; \
                CREATE TRIGGER odd BEFORE INSERT ON usage_minutes FOR EACH ROW WHEN (NEW.key = '{odd}') EXECUTE FUNCTION odd()")
        } else {
            format!("CREATE TRIGGER odd BEFORE INSERT ON usage_minutes WHEN new.key = x'{}' BEGIN SELECT RAISE(ABORT, 'odd'); END", odd.simple())
        };
        db.execute(&trigger).await;
        let gate = gate(&db, "east").await;
        for round in 1..=2 {
            for made in &keys {
                let known = known(&gate, made.secret.hash()).await;
                note(&gate, &known, Outcome::Allowed, "10.1.2.3");
            }
            for made in keys.iter().filter(|made| made.key.id != odd) {
                until("the others are counted", async || total(&service, made.key.id).await.allowed == round).await;
            }
        }
        assert_eq!(total(&service, odd).await, Counts::default());
        gate.close().await;
    }

    async fn vp_09_usage_adds_up_over_gates_and_outcomes(db) {
        let service = office(&db, preset("voxpria")).await;
        let made = make_kept(&service, "acme", "hub").await;
        let gates = [gate(&db, "east").await, gate(&db, "west").await];
        for gate in &gates {
            let known = known(gate, made.secret.hash()).await;
            for n in 0..300 {
                let outcome = match n % 10 {
                    0 => Outcome::Refused,
                    1 => Outcome::Limited,
                    _ => Outcome::Allowed,
                };
                note(gate, &known, outcome, "203.0.113.7");
            }
        }
        for gate in &gates {
            gate.close().await;
        }
        assert_eq!(total(&service, made.key.id).await, Counts { allowed: 480, refused: 60, limited: 60 });
        let key = service.key(made.key.id).await.unwrap();
        assert_eq!(key.last_used_from.as_deref(), Some("203.0.113.7"));
        assert_eq!(key.last_used_endpoint.as_deref(), Some("calls"));
        let seconds = (service.now().await.unwrap() - key.last_used_at.unwrap()).num_seconds();
        assert!((0..60).contains(&seconds), "{seconds}");
    }

    async fn a_first_use_claims_the_key_at_once(db) {
        let service = office(&db, preset("voxpria")).await;
        let made = make(&service, "acme", "hub").await;
        let gate = gate(&db, "east").await;
        let key = known(&gate, made.secret.hash()).await;
        assert!(key.key.claim_by().is_some());
        note(&gate, &key, Outcome::Allowed, "203.0.113.7");
        until("the first use is written", async || service.key(made.key.id).await.unwrap().last_used_at.is_some()).await;
        age(&db, 700).await;
        let key = service.key(made.key.id).await.unwrap();
        assert_eq!(key.status(service.now().await.unwrap()), Status::Active, "it lives on past its ten minutes");
        gate.close().await;
    }

    async fn vp_27_a_use_does_not_bring_an_abandoned_key_back(db) {
        let service = office(&db, preset("voxpria")).await;
        let made = make(&service, "acme", "hub").await;
        let gate = gate(&db, "east").await;
        let known = known(&gate, made.secret.hash()).await;
        age(&db, 700).await;
        // A gate that judged before the ten minutes were over, and writes after that.
        note(&gate, &known, Outcome::Allowed, "203.0.113.7");
        until("the use is counted", async || total(&service, made.key.id).await.allowed == 1).await;
        let key = service.key(made.key.id).await.unwrap();
        assert_eq!((key.status(service.now().await.unwrap()), key.last_used_at), (Status::Abandoned, None));
        gate.close().await;
    }

    async fn vp_07_a_refused_request_does_not_touch_last_used(db) {
        let service = office(&db, preset("voxpria")).await;
        let made = make_kept(&service, "acme", "hub").await;
        let gate = gate(&db, "east").await;
        let known = known(&gate, made.secret.hash()).await;
        note(&gate, &known, Outcome::Refused, "203.0.113.7");
        note(&gate, &known, Outcome::Limited, "203.0.113.7");
        gate.close().await;
        assert_eq!(total(&service, made.key.id).await, Counts { allowed: 0, refused: 1, limited: 1 });
        assert_eq!(service.key(made.key.id).await.unwrap().last_used_at, None);
        assert!(open_alerts(&service).await.is_empty());
    }

    async fn last_used_never_goes_backwards(db) {
        let service = office(&db, preset("voxpria")).await;
        let made = make_kept(&service, "acme", "hub").await;
        let gates = [gate(&db, "east").await, gate(&db, "west").await];
        let now = gates[0].now();
        for (gate, (back, from)) in gates.iter().zip([(0, "203.0.113.7"), (90, "198.51.100.9")]) {
            let known = known(gate, made.secret.hash()).await;
            let at = now - chrono::Duration::seconds(back);
            gate.used(Use { known: &known, outcome: Outcome::Allowed, at, from: Some(address(from)), endpoint: None });
            gate.close().await;
        }
        let key = service.key(made.key.id).await.unwrap();
        assert_eq!((key.last_used_at, key.last_used_from.as_deref()), (Some(now), Some("203.0.113.7")));
        assert_eq!(total(&service, made.key.id).await.allowed, 2, "both count");
    }

    async fn a_batch_of_use_that_is_sent_twice_counts_once(db) {
        let service = office(&db, preset("voxpria")).await;
        let made = make_kept(&service, "acme", "hub").await;
        let store = Store::open(&db.location()).await.unwrap();
        let id = new_operation();
        let row = keyrack::store::NewGate { id, name: "x".into(), host: "h".into(), listen: "l".into(), lease_ms: 1000, freshness: Default::default() };
        store.register_gate(&row, 1, &Clock::System).await.unwrap();
        let mut batch = keyrack::store::Batch::default();
        batch.counts.insert((made.key.id, minute(service.now().await.unwrap())), Counts { allowed: 5, ..Counts::default() });
        for number in [1, 1, 2, 1] {
            store.add_usage(&row, number, &batch, &Clock::System).await.unwrap();
        }
        assert_eq!(total(&service, made.key.id).await.allowed, 10);
    }

    async fn counts_are_kept_for_their_time_and_no_longer(db) {
        let service = office(&db, preset("voxpria")).await;
        let made = make_kept(&service, "acme", "hub").await;
        let now = service.now().await.unwrap();
        past(&db, made.key.id, now, 58..62, 1).await;
        let hour = GateSettings { keep_usage: Duration::from_secs(3600), ..settings("east") };
        let gate = Gate::open(&db.location(), Clock::System, hour).await.unwrap();
        until("what is too old is gone", async || db.number("SELECT count(*) FROM usage_minutes").await <= 3).await;
        assert!(db.number("SELECT count(*) FROM usage_minutes").await >= 2);
        gate.close().await;
    }

    async fn vp_09_a_further_network_raises_one_alert_and_the_first_none(db) {
        let service = office(&db, preset("voxpria")).await;
        let made = make_kept(&service, "acme", "hub").await;
        let gates = [gate(&db, "east").await, gate(&db, "west").await];
        let first = known(&gates[0], made.secret.hash()).await;
        note(&gates[0], &first, Outcome::Allowed, "203.0.113.7");
        note(&gates[0], &first, Outcome::Allowed, "203.0.113.99");
        until("the first network is known", async || db.number("SELECT count(*) FROM key_networks").await == 1).await;
        assert!(open_alerts(&service).await.is_empty());
        for gate in &gates {
            let key = known(gate, made.secret.hash()).await;
            // In between two uses from where it is always used from.
            note(gate, &key, Outcome::Allowed, "198.51.100.7");
            note(gate, &key, Outcome::Allowed, "203.0.113.7");
        }
        until("an alert", async || !open_alerts(&service).await.is_empty()).await;
        for gate in &gates {
            gate.close().await;
        }
        let alerts = open_alerts(&service).await;
        assert_eq!(alerts.len(), 1, "{alerts:?}");
        assert!(matches!(&alerts[0].alert.what, What::NewNetwork { key, expected: false, .. } if *key == made.key.id));
        assert_eq!(alerts[0].account.as_deref(), Some("acme"));
        assert!(alerts[0].sentence().contains("\"hub\": First used from 198.51.100.0/24 (198.51.100.7)"));
    }

    async fn vp_09_a_key_that_is_used_from_everywhere_is_remembered_so_far_and_no_further(db) {
        let service = office(&db, preset("voxpria")).await;
        let (roaming, still) = (make_kept(&service, "acme", "roaming").await, make_kept(&service, "acme", "still").await);
        let store = Store::open(&db.location()).await.unwrap();
        let learn = async |key, numbers: std::ops::Range<i64>| {
            let seen: Vec<_> = numbers.map(|n| sighting(key, n)).collect();
            store.learn_networks(&seen, &Clock::System).await.unwrap().len()
        };
        let count = async |key: uuid::Uuid| {
            let key = if db.is_postgres() { format!("'{key}'") } else { format!("x'{}'", key.simple()) };
            db.number(&format!("SELECT count(*) FROM key_networks WHERE key = {key}")).await
        };
        assert_eq!(learn(roaming.key.id, 0..100).await, 99, "the first is no news");
        assert_eq!(learn(roaming.key.id, 50..200).await, 100, "what is known takes no place");
        assert_eq!(learn(roaming.key.id, 0..300).await, 56);
        assert_eq!(count(roaming.key.id).await, NETWORKS_OF_A_KEY);
        assert_eq!(learn(roaming.key.id, 1_000..3_000).await, 0);
        assert_eq!(count(roaming.key.id).await, NETWORKS_OF_A_KEY);
        assert_eq!(learn(still.key.id, 0..2).await, 1, "another key is not concerned");
    }

    async fn networks_of_a_key_are_forgotten_when_it_has_long_ended(db) {
        let service = office(&db, preset("voxpria")).await;
        let store = Store::open(&db.location()).await.unwrap();
        let now = service.now().await.unwrap();
        let mut keys = Vec::new();
        for name in ["alive", "ended-lately", "ended-long-ago"] {
            let key = make_kept(&service, "acme", name).await.key.id;
            let seen: Vec<_> = (0..3).map(|n| sighting(key, n)).collect();
            store.learn_networks(&seen, &Clock::System).await.unwrap();
            keys.push(key);
        }
        for (key, minutes) in [(keys[1], 50), (keys[2], 70)] {
            let second = now.timestamp() - minutes * 60;
            let (key, at, made) = if db.is_postgres() {
                (format!("'{key}'"), format!("to_timestamp({second})"), format!("to_timestamp({})", second - 60))
            } else {
                (format!("x'{}'", key.simple()), format!("{second}000000"), format!("{}000000", second - 60))
            };
            let sql = format!("UPDATE key_auth SET created_at = {made}, expires_at = {at} WHERE id = {key}");
            db.execute_past_triggers("keys", &sql).await;
        }
        let hour = GateSettings { keep_usage: Duration::from_secs(3600), ..settings("east") };
        let gate = Gate::open(&db.location(), Clock::System, hour).await.unwrap();
        until("what is of no use is gone", async || db.number("SELECT count(*) FROM key_networks").await == 6).await;
        gate.close().await;
        // The walk goes on where it was, and ends.
        keys.sort();
        let past = now - chrono::Duration::hours(2);
        let last = store.prune_networks(None, past).await.unwrap();
        assert!(last.is_some_and(|last| keys.contains(&last)));
        assert_eq!(store.prune_networks(last, now + chrono::Duration::hours(1)).await.unwrap(), None);
        assert_eq!(db.number("SELECT count(*) FROM key_networks").await, 6);
        store.prune_networks(None, now).await.unwrap();
        assert_eq!(db.number("SELECT count(*) FROM key_networks").await, 3, "the living one keeps its own");
    }

    async fn vp_09_a_run_of_failed_attempts_raises_one_alert_over_all_gates(db) {
        let service = office(&db, preset("voxpria")).await;
        let tolerance = Tolerance { address: 5, ..Tolerance::default() };
        let mut gates = Vec::new();
        for name in ["east", "west"] {
            let settings = GateSettings { tolerance, ..settings(name) };
            gates.push(Gate::open(&db.location(), Clock::System, settings).await.unwrap());
        }
        for _ in 0..4 {
            gates[0].failed(Some(address("203.0.113.7")), Some("voxpria"));
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(open_alerts(&service).await.is_empty(), "four are no run");
        for gate in &gates {
            for _ in 0..20 {
                gate.failed(Some(address("203.0.113.7")), Some("voxpria"));
            }
        }
        until("an alert", async || !open_alerts(&service).await.is_empty()).await;
        for gate in &gates {
            gate.close().await;
        }
        let alerts = open_alerts(&service).await;
        assert_eq!(alerts.len(), 1, "{alerts:?}");
        assert_eq!(alerts[0].alert.severity(), Severity::Warning);
        assert!(alerts[0].sentence().contains("203.0.113.7"));
        assert_eq!(service.open_alerts().await.unwrap(), 1);
    }

    async fn vp_09_a_spike_against_the_keys_own_past_raises_an_alert(db) {
        let service = office(&db, preset("voxpria")).await;
        let (busy, steady) = (make_kept(&service, "acme", "busy").await, make_kept(&service, "acme", "steady").await);
        let now = service.now().await.unwrap();
        past(&db, busy.key.id, now, 10..180, 4).await;
        past(&db, busy.key.id, now, 1..6, 400).await;
        past(&db, steady.key.id, now, 1..180, 400).await;
        let gate = gate(&db, "east").await;
        // Use of both comes to the gate's notice before it looks for the first time in earnest.
        for made in [&busy, &steady] {
            let known = known(&gate, made.secret.hash()).await;
            (0..50).for_each(|_| note(&gate, &known, Outcome::Allowed, "203.0.113.7"));
        }
        until("an alert", async || {
            gate.look_for_spikes().await.unwrap();
            !open_alerts(&service).await.is_empty()
        })
        .await;
        let alerts = open_alerts(&service).await;
        assert!(matches!(&alerts[0].alert.what, What::Spike { key, .. } if *key == busy.key.id), "{alerts:?}");
        assert_eq!(alerts.len(), 1);
        gate.close().await;
    }

    async fn alerts_are_acknowledged_by_operators_and_that_is_audited(db) {
        let service = office(&db, preset("voxpria")).await;
        let settings = GateSettings { tolerance: Tolerance { address: 1, ..Tolerance::default() }, ..settings("east") };
        let gate = Gate::open(&db.location(), Clock::System, settings).await.unwrap();
        for last in 1..4 {
            gate.failed(Some(address(&format!("203.0.113.{last}"))), None);
        }
        until("three alerts", async || service.open_alerts().await.unwrap() == 3).await;
        let mut told = gate.untold_alerts(10).await.unwrap();
        assert_eq!(told.len(), 3);
        gate.told_alert(told.remove(0).id).await.unwrap();
        assert_eq!(gate.untold_alerts(10).await.unwrap().len(), 2, "what a webhook took is not told again");
        let ids: Vec<i64> = open_alerts(&service).await.iter().map(|alert| alert.id).collect();
        let operation = new_operation();
        assert_eq!(service.acknowledge_alerts(operation, &ids[..2]).await.unwrap(), 2);
        assert_eq!(service.acknowledge_alerts(new_operation(), &ids[..2]).await.unwrap(), 0);
        assert_eq!(open_alerts(&service).await.len(), 1);
        let all = service.alerts(&AlertRequest { limit: 10, ..AlertRequest::default() }).await.unwrap();
        assert_eq!(all.iter().filter(|alert| alert.acknowledged_by.is_some()).count(), 2);
        assert!(service.acknowledge_alerts(new_operation(), &[999]).await.is_err());
        assert_eq!(db.number("SELECT count(*) FROM audit WHERE action = 'alert.acknowledge'").await, 2);
        let stranger = crate::support::people::as_person(&db, "mallory").await;
        assert!(stranger.acknowledge_alerts(new_operation(), &ids).await.is_err());
        assert!(matches!(service.verify_audit(|_| {}).await.unwrap(), Verdict::Intact { .. }));
        gate.close().await;
    }

    async fn budgets_agreed_for_a_key_reach_requests_in_flight(db) {
        let service = office(&db, preset("voxpria")).await;
        let made = make_kept(&service, "acme", "hub").await;
        let gate = gate(&db, "east").await;
        let (before, policies) = (known(&gate, made.secret.hash()).await, gate.policies().await.unwrap());
        let limits = Budgets::parse("5/1s 100/1m").unwrap();
        let key = service.set_limits(new_operation(), made.key.id, limits.clone()).await.unwrap();
        assert_eq!(key.limits, limits);
        assert_eq!(gate.confirm(&before, &policies).await.unwrap(), Confirmed::Changed);
        assert_eq!(known(&gate, made.secret.hash()).await.key.limits, limits);
        let next = service.rotate_key(new_operation(), made.key.id, keyrack::domain::expiry::Overlap::Hour1).await.unwrap();
        assert_eq!(next.key.limits, limits, "a successor keeps what was agreed");
        let cleared = service.set_limits(new_operation(), made.key.id, Budgets::default()).await.unwrap();
        assert!(cleared.limits.is_empty());
        let stranger = crate::support::people::as_person(&db, "mallory").await;
        assert!(stranger.set_limits(new_operation(), made.key.id, limits).await.is_err());
        gate.close().await;
    }
}
