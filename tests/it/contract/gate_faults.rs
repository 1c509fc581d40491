//! A gate whose database goes away, hangs, forgets to tell, or lets it do little.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use crate::support::database::Database;
use crate::support::gate::passes;
use crate::support::line::Line;
use crate::support::people::{make_kept, office, preset, settings};
use keyrack::clock::{Clock, Uptime};
use keyrack::domain::freshness::Freshness;
use keyrack::service::{Gate, GateSettings, GateState, Outcome, SavedWindow, Service, Use, new_operation};
use keyrack::store::Location;

async fn gate_by(line: &Line, lease: Duration) -> Gate {
    let location = Location::parse(&line.address(None)).unwrap();
    Gate::open(&location, Clock::System, GateSettings { lease, ..settings("east") }).await.unwrap()
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < Duration::from_secs(20), "not within 20 s: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn revoke(service: &Service, key: uuid::Uuid) {
    service.revoke_keys(new_operation(), &[key], None).await.unwrap();
}

on_both! {
    async fn vg_17_without_a_single_notification_a_revocation_counts_at_once(db) {
        if !db.is_postgres() {
            // SQLite has no notifications.
            return;
        }
        let service = office(&db, preset("voicegram")).await;
        let (one, other) = (make_kept(&service, "acme", "one").await, make_kept(&service, "acme", "two").await);
        let line = Line::to(&db);
        let gates = [gate_by(&line, Duration::from_secs(1)).await, gate_by(&line, Duration::from_secs(1)).await];
        for gate in &gates {
            assert!(passes(gate, one.secret.hash()).await.unwrap());
            assert!(passes(gate, other.secret.hash()).await.unwrap());
        }
        // Time to have begun to listen, and then to hear nothing any more.
        tokio::time::sleep(Duration::from_millis(300)).await;
        line.deafen();
        revoke(&service, one.key.id).await;
        for gate in &gates {
            assert!(!passes(gate, one.secret.hash()).await.unwrap());
            assert!(passes(gate, other.secret.hash()).await.unwrap());
        }
        // Idle gates look by themselves.
        revoke(&service, other.key.id).await;
        let receipt = service.receipt(&[other.key.id], Duration::from_secs(5)).await.unwrap();
        assert!(receipt.gates.iter().all(|gate| matches!(gate.state, GateState::Confirmed { .. })), "{receipt:?}");
    }

    async fn kr_21_a_lease_ends_by_the_clock_that_is_handed_in(db) {
        if !db.is_postgres() {
            // A file does not hang on a line.
            return;
        }
        let service = office(&db, preset("voicegram")).await;
        let made = make_kept(&service, "acme", "hub").await;
        let line = Line::to(&db);
        let uptime = Uptime::hand();
        let freshness = Freshness::Lease(Duration::from_secs(10));
        let settings = GateSettings { freshness, uptime: uptime.clone(), ..settings("east") };
        let location = Location::parse(&line.address(None)).unwrap();
        let gate = Gate::open(&location, Clock::System, settings).await.unwrap();
        assert!(passes(&gate, made.secret.hash()).await.unwrap());
        // A reading that finds the row.
        revoke(&service, make_kept(&service, "acme", "other").await.key.id).await;
        line.hold(true);
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        assert!(gate.is_failing() && gate.is_ready(), "the last reading failed, and the lease goes on");
        assert!(passes(&gate, made.secret.hash()).await.unwrap(), "its clock stands still");
        uptime.advance(Duration::from_millis(10_001));
        assert!(passes(&gate, made.secret.hash()).await.is_err() && !gate.is_ready());
        line.hold(false);
        until("the gate is back", async || gate.is_ready() && passes(&gate, made.secret.hash()).await.is_ok()).await;
        gate.close().await;
    }

    async fn a_database_that_hangs_lets_nothing_pass_and_nobody_waits_long(db) {
        if !db.is_postgres() {
            // A file does not hang on a line.
            return;
        }
        let service = office(&db, preset("voicegram")).await;
        let made = make_kept(&service, "acme", "hub").await;
        let line = Line::to(&db);
        let gate = gate_by(&line, Duration::from_millis(400)).await;
        assert!(passes(&gate, made.secret.hash()).await.unwrap());
        line.hold(true);
        let begun = Instant::now();
        let asked = futures::future::join_all((0..50).map(|_| passes(&gate, made.secret.hash()))).await;
        assert!(asked.iter().all(Result::is_err), "nothing may pass");
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
        assert!(!gate.in_touch());
        revoke(&service, made.key.id).await;
        let receipt = service.receipt(&[made.key.id], Duration::from_secs(3)).await.unwrap();
        assert!(matches!(receipt.gates[0].state, GateState::OutOfTouch { .. }), "{receipt:?}");
        line.hold(false);
        until("the gate is back", async || gate.in_touch() && passes(&gate, made.secret.hash()).await.is_ok()).await;
        assert!(!passes(&gate, made.secret.hash()).await.unwrap(), "what happened meanwhile is known");
        // What it counts gets through again.
        let fresh = make_kept(&service, "acme", "fresh").await;
        let known = gate.known(fresh.secret.hash()).await.unwrap().unwrap();
        gate.used(Use { known: &known, outcome: Outcome::Allowed, at: gate.now(), from: None, endpoint: None });
        until("use is written", async || service.key(fresh.key.id).await.unwrap().last_used_at.is_some()).await;
        let receipt = service.receipt(&[made.key.id], Duration::from_secs(5)).await.unwrap();
        assert!(matches!(receipt.gates[0].state, GateState::Confirmed { .. }), "{receipt:?}");
        gate.close().await;
    }

    async fn a_database_that_comes_and_goes_under_load_lets_no_revoked_key_pass(db) {
        if !db.is_postgres() {
            return;
        }
        let service = office(&db, preset("voicegram")).await;
        let mut keys = Vec::new();
        for n in 0..12 {
            let made = make_kept(&service, if n % 2 == 0 { "acme" } else { "globex" }, &format!("key {n}")).await;
            keys.push((made.key.id, made.secret.hash(), AtomicBool::new(false)));
        }
        let (keys, line) = (Arc::new(keys), Line::to(&db));
        let gate = gate_by(&line, Duration::from_millis(500)).await;
        let (passed, refused, unknown) =
            (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let over = Arc::new(AtomicBool::new(false));
        let callers: Vec<_> = (0..12)
            .map(|n| {
                let (keys, gate, over) = (Arc::clone(&keys), gate.clone(), Arc::clone(&over));
                let (passed, refused, unknown) = (Arc::clone(&passed), Arc::clone(&refused), Arc::clone(&unknown));
                tokio::spawn(async move {
                    let mut place = n;
                    while !over.load(SeqCst) {
                        place = (place * 5 + 7) % keys.len();
                        let (_, hash, revoked) = &keys[place];
                        let before = revoked.load(SeqCst);
                        match passes(&gate, *hash).await {
                            Ok(true) => {
                                assert!(!before, "a revoked key passed");
                                passed.fetch_add(1, SeqCst);
                            }
                            Ok(false) => {
                                refused.fetch_add(1, SeqCst);
                            }
                            Err(_) => {
                                unknown.fetch_add(1, SeqCst);
                            }
                        }
                        tokio::task::yield_now().await;
                    }
                })
            })
            .collect();
        for (n, (id, _, revoked)) in keys.iter().enumerate() {
            tokio::time::sleep(Duration::from_millis(60)).await;
            line.cut(n % 3 == 1);
            tokio::time::sleep(Duration::from_millis(40)).await;
            if n % 2 == 0 {
                revoke(&service, *id).await;
                revoked.store(true, SeqCst);
            }
        }
        line.cut(false);
        until("the gate is back", async || passes(&gate, keys[1].1).await.is_ok()).await;
        let before = passed.load(SeqCst);
        until("requests pass again", async || passed.load(SeqCst) > before).await;
        over.store(true, SeqCst);
        for caller in callers {
            caller.await.unwrap();
        }
        assert!(refused.load(SeqCst) > 0 && unknown.load(SeqCst) > 0, "the test shows little");
        gate.close().await;
    }

    async fn a_gates_login_needs_its_own_role_and_can_do_nothing_else(db) {
        if !db.is_postgres() {
            // The rights of a SQLite file are the file's.
            return;
        }
        let service = office(&db, preset("voxpria")).await;
        let made = make_kept(&service, "acme", "hub").await;
        let login = format!("gate_{}", db.name());
        db.role(&login).await;
        db.grant("keyrack_gate", &login).await;
        let tolerance = keyrack::domain::usage::Tolerance { address: 1, ..Default::default() };
        let settings = GateSettings { tolerance, ..settings("east") };
        let gate = Gate::open(&db.location_as(&login), Clock::System, settings).await.unwrap();
        assert!(passes(&gate, made.secret.hash()).await.unwrap());
        let known = gate.known(made.secret.hash()).await.unwrap().unwrap();
        for from in ["203.0.113.7", "198.51.100.7"] {
            let from = from.parse().ok();
            gate.used(Use { known: &known, outcome: Outcome::Allowed, at: gate.now(), from, endpoint: Some("x") });
        }
        gate.failed("192.0.2.1".parse().ok(), Some("voxpria"));
        until("two alerts", async || gate.untold_alerts(10).await.unwrap().len() == 2).await;
        gate.told_alert(gate.untold_alerts(1).await.unwrap()[0].id).await.unwrap();
        gate.look_for_spikes().await.unwrap();
        let window = SavedWindow { subject: "key:x".into(), state: vec![1], ends_at: gate.now() + chrono::Duration::hours(1) };
        gate.save_windows(std::slice::from_ref(&window), "").await.unwrap();
        assert_eq!(gate.load_windows().await.unwrap(), [window]);
        assert_eq!(gate.neighbours().await.unwrap().living, 1);
        revoke(&service, made.key.id).await;
        assert!(!passes(&gate, made.secret.hash()).await.unwrap());
        assert!(service.receipt(&[made.key.id], Duration::from_secs(3)).await.unwrap().is_complete());
        gate.close().await;
        assert_eq!(service.usage(&[made.key.id], service.now().await.unwrap() - chrono::Duration::hours(1)).await.unwrap().len(), 1);
        // As an operator's door it opens nothing, and past Keyrack it can't do harm.
        let stranger = Service::open(&db.location_as(&login), Clock::System).await;
        assert!(stranger.is_err(), "it may not even read who the operators are");
        // Old alerts a gate deletes; what tells of the last day nobody does.
        db.execute("INSERT INTO alerts (kind, subject, hour, raised_at, gate, detail) VALUES ('x', 'x', now(), now(), 'g', '{}')").await;
        for sql in [
            "UPDATE key_auth SET revoked_at = NULL",
            "UPDATE key_auth SET scopes = 'calls:write'",
            "UPDATE key_auth SET allow = '{}', limits = NULL",
            "DELETE FROM key_auth",
            "UPDATE keys SET name = 'another'",
            "DELETE FROM keys",
            "DELETE FROM key_use",
            "INSERT INTO audit SELECT * FROM audit",
            "UPDATE audit_head SET seq = 0",
            "SELECT detail FROM audit",
            "SELECT * FROM operators",
            "UPDATE accounts SET standing = 'good'",
            "UPDATE issuers SET version = 0",
            "DELETE FROM alerts",
            "UPDATE alerts SET acknowledged_at = now()",
            "CREATE TABLE mine (x int)",
        ] {
            let refused = as_login(&db, &login, sql).await;
            assert_eq!(refused.clone().err().as_deref(), Some("42501"), "{sql}: {refused:?}");
        }
    }
}

/// Runs SQL as that login; the error's code if it is refused.
async fn as_login(db: &Database, login: &str, sql: &str) -> Result<(), String> {
    use sqlx::Connection;
    let options = sqlx::postgres::PgConnectOptions::new_without_pgpass()
        .socket(db.sockets().unwrap())
        .username(login)
        .database(&db.name());
    let mut connection = sqlx::PgConnection::connect_with(&options).await.unwrap();
    let done = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut connection).await;
    done.map(drop).map_err(|error| {
        error
            .as_database_error()
            .and_then(|error| error.code())
            .map(|code| code.into_owned())
            .unwrap_or_default()
    })
}
