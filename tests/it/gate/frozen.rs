//! A freeze and its end at a real gate under load, on both databases (KR-05).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use keyrack::clock::Clock;
use keyrack::domain::Instant;
use keyrack::domain::pause::Lasting;
use keyrack::service::{HoldTarget, PauseOrder, new_operation};

use crate::support::gate::Gate;
use crate::support::http::{Connection, request};
use crate::support::people::{make_kept, office, preset, query};

/// What is refused or let pass this much around the edges is no fault.
const EDGE: Duration = Duration::from_millis(50);
const LOAD: usize = 4;

/// A request: when it was sent, when it was answered, and whether the key passed.
type Asked = (Duration, Duration, bool);

fn now() -> Duration {
    since_epoch(Clock::System.now())
}

fn since_epoch(at: Instant) -> Duration {
    Duration::from_micros(u64::try_from(at.timestamp_micros()).unwrap())
}

/// Asks on one connection until it is told to stop.
fn ask(gate: std::net::SocketAddr, secret: &str, stop: &AtomicBool) -> Vec<Asked> {
    let asked = request("GET", "/api/v1/me", &[("X-API-Key", secret)], "");
    let mut connection = Connection::open(gate);
    let mut all = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let sent = now();
        connection.send(&asked);
        // Who asks too often is told so only with a key that works.
        let passed = matches!(connection.answer().unwrap().status, 200 | 429);
        all.push((sent, now(), passed));
        // What is refused costs little: without this the load would be all refusals.
        std::thread::sleep(Duration::from_millis(1));
    }
    all
}

on_both! {
    async fn kr_05_under_load_a_freeze_refuses_from_its_receipt_to_its_end_and_nothing_else(db) {
        let office = office(&db, preset("voxpria")).await;
        let (held, free) = (make_kept(&office, "acme", "held").await, make_kept(&office, "globex", "free").await);
        let gate = Gate::start(&db, &["--unknown-keys", "0"]);
        let stop = Arc::new(AtomicBool::new(false));
        let load = |secret: &str| {
            let (secret, stop, address) = (secret.to_owned(), Arc::clone(&stop), gate.address);
            std::thread::spawn(move || ask(address, &secret, &stop))
        };
        let frozen: Vec<_> = (0..LOAD).map(|_| load(held.secret.expose())).collect();
        let others = load(free.secret.expose());
        tokio::time::sleep(Duration::from_millis(500)).await;
        let order = PauseOrder { lasting: Lasting::span("2s").unwrap(), message: None, reason: None };
        let began = now();
        let hold = office.hold(new_operation(), HoldTarget::Keys(query("account:acme")), order).await.unwrap();
        let receipt = office.receipt(&[], Duration::from_secs(3)).await.unwrap();
        let known = now();
        assert!(receipt.is_complete() && receipt.gates.len() == 1, "{receipt:?}");
        let until = since_epoch(hold.pause.until);
        tokio::time::sleep(until.saturating_sub(now()) + Duration::from_millis(500)).await;
        stop.store(true, Ordering::Relaxed);
        let frozen: Vec<Asked> = frozen.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        let others = others.join().unwrap();
        assert!(others.iter().all(|(.., passed)| *passed), "a key that the freeze doesn't fit was refused");
        let early = frozen.iter().filter(|(_, answered, _)| *answered < began);
        let within = frozen.iter().filter(|(sent, answered, _)| *sent > known && *answered + EDGE < until);
        let late = frozen.iter().filter(|(sent, ..)| *sent > until + EDGE);
        let all: [(&str, bool, Vec<&Asked>); 3] = [
            ("refused before the freeze", true, early.collect()),
            ("let pass after its receipt", false, within.collect()),
            ("refused after its end", true, late.collect()),
        ];
        for (fault, passes, asked) in all {
            assert!(asked.len() > 20, "{} requests show nothing", asked.len());
            assert_eq!(asked.iter().filter(|(.., passed)| *passed != passes).count(), 0, "{fault}");
        }
    }
}
