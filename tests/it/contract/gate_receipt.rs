//! "Revoked" and which gate knows: receipts from gates that live, are frozen, or are gone.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use crate::support::database::Database;
use crate::support::people::{gate, make_kept, office, preset, settings};
use crate::support::program::run;
use keyrack::clock::Clock;
use keyrack::service::{Confirmed, Gate, GateSettings, GateState, Service, new_operation};

const SECONDS: Duration = Duration::from_secs(3);

async fn revoke_one(service: &Service) -> uuid::Uuid {
    let made = make_kept(service, "acme", "hub").await;
    service.revoke_keys(new_operation(), &[made.key.id], None).await.unwrap();
    made.key.id
}

/// A gate in a thread of its own, which stands still until the returned sender is dropped: as a stopped process does.
struct Frozen {
    thaw: Option<Sender<()>>,
    thread: Option<std::thread::JoinHandle<bool>>,
    frozen: Receiver<()>,
}

impl Frozen {
    /// `request` is judged before, and its confirmation asked for afterwards; the thread answers whether it may pass.
    fn new(db: &Database, settings: GateSettings, hash: keyrack::domain::secret::HashedKey) -> Self {
        let (location, (thaw, wait), (tell, frozen)) = (db.location(), channel::<()>(), channel());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let gate = Gate::open(&location, Clock::System, settings).await.unwrap();
                let policies = gate.policies().await.unwrap();
                let known = gate.known(hash).await.unwrap().unwrap();
                assert!(matches!(gate.confirm(&known, &policies).await.unwrap(), Confirmed::Current { .. }));
                tell.send(()).unwrap();
                let _ = wait.recv();
                let passed = matches!(gate.confirm(&known, &policies).await, Ok(Confirmed::Current { .. }));
                gate.close().await;
                passed
            })
        });
        Self { thaw: Some(thaw), thread: Some(thread), frozen }
    }

    fn wait(&self) {
        self.frozen.recv_timeout(Duration::from_secs(20)).unwrap();
    }

    /// Whether the request that was in flight all the time may pass.
    fn thaw(mut self) -> bool {
        drop(self.thaw.take());
        self.thread.take().unwrap().join().unwrap()
    }
}

on_both! {
    async fn every_gate_confirms_a_revocation_within_a_moment(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let made = make_kept(&service, "acme", "hub").await;
        let gates = [gate(&db, "east").await, gate(&db, "west").await];
        service.revoke_keys(new_operation(), &[made.key.id], None).await.unwrap();
        let receipt = service.receipt(&[made.key.id], SECONDS).await.unwrap();
        assert!(receipt.is_complete());
        let names: Vec<_> = receipt.gates.iter().map(|gate| gate.name.as_str()).collect();
        assert_eq!(names, ["east", "west"]);
        for gate in &receipt.gates {
            let GateState::Confirmed { after_ms } = gate.state else { panic!("{receipt:?}") };
            assert!(after_ms < 2_000, "{receipt:?}");
        }
        // A gate that signs off has nothing to confirm any more.
        gates[0].close().await;
        let receipt = service.receipt(&[revoke_one(&service).await], SECONDS).await.unwrap();
        assert_eq!(receipt.gates.len(), 1);
    }

    async fn without_a_gate_there_is_nothing_to_confirm(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let begun = std::time::Instant::now();
        let receipt = service.receipt(&[revoke_one(&service).await], SECONDS).await.unwrap();
        assert!(receipt.gates.is_empty() && receipt.is_complete());
        assert!(begun.elapsed() < SECONDS);
    }

    async fn a_gate_that_died_is_out_of_touch_and_vanishes_after_a_day(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let short = GateSettings { lease: Duration::from_millis(300), ..settings("east") };
        let dead = Gate::open(&db.location(), Clock::System, short).await.unwrap();
        drop(dead);
        tokio::time::sleep(Duration::from_millis(100)).await;
        let receipt = service.receipt(&[revoke_one(&service).await], SECONDS).await.unwrap();
        assert!(matches!(receipt.gates[0].state, GateState::OutOfTouch { .. }), "{receipt:?}");
        assert!(receipt.is_complete(), "a gate that is gone keeps nobody waiting");
        assert!(receipt.gates[0].state.to_string().contains("refuses everything"));
        let day = if db.is_postgres() { "interval '25 h'" } else { "90000000000" };
        db.execute(&format!("UPDATE gates SET beat_at = beat_at - {day}")).await;
        assert!(service.gates().await.unwrap().is_empty());
        let west = gate(&db, "west").await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(db.number("SELECT count(*) FROM gates WHERE name = 'east'").await, 0);
        west.close().await;
    }

    async fn vg_17_a_frozen_gate_is_told_apart_and_lets_nothing_pass_when_it_goes_on(db) {
        let service = office(&db, preset("voicegram")).await;
        let made = make_kept(&service, "acme", "hub").await;
        let frozen = Frozen::new(&db, settings("frozen"), made.secret.hash());
        let well = gate(&db, "well").await;
        frozen.wait();
        service.revoke_keys(new_operation(), &[made.key.id], None).await.unwrap();
        let receipt = service.receipt(&[made.key.id], Duration::from_millis(200)).await.unwrap();
        assert_eq!(receipt.waiting().map(|gate| gate.name.as_str()).collect::<Vec<_>>(), ["frozen"]);
        let receipt = service.receipt(&[made.key.id], SECONDS).await.unwrap();
        assert!(matches!(receipt.gates[0].state, GateState::OutOfTouch { .. }), "{receipt:?}");
        assert!(matches!(receipt.gates[1].state, GateState::Confirmed { .. }), "{receipt:?}");
        assert!(!frozen.thaw(), "the request that was in flight all the time must not pass");
        well.close().await;
    }

    async fn revoking_tells_what_the_gates_say_and_fails_where_one_does_not_confirm(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let (one, other, third) = (
            make_kept(&service, "acme", "one").await,
            make_kept(&service, "acme", "other").await,
            make_kept(&service, "acme", "third").await,
        );
        let home = tempfile::tempdir().unwrap();
        let revoke = |id: uuid::Uuid, more: &'static [&'static str]| {
            let (id, db) = (id.to_string(), db.address());
            let mut args = vec!["--db", db.as_str(), "key", "revoke", id.as_str(), "--yes"];
            args.extend(more);
            run(home.path(), args)
        };
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let well = gate(&db, "well").await;
        let output = revoke(one.key.id, &[]);
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{told}");
        assert!(told.contains("Gates:") && told.contains("well") && told.contains("confirmed after"), "{told}");
        // Alive for the others, by its long lease, and standing still.
        let long = GateSettings { lease: Duration::from_secs(60), ..settings("frozen") };
        let frozen = Frozen::new(&db, long, other.secret.hash());
        frozen.wait();
        let output = revoke(other.key.id, &["--json"]);
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(6), "{told}");
        assert!(told.contains("NOT CONFIRMED") && told.contains("frozen on "), "{told}");
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let states: Vec<_> = json[0]["gates"].as_array().unwrap().iter().map(|gate| &gate["state"]).collect();
        assert_eq!(states, ["waiting", "confirmed"]);
        assert_eq!(json[0]["status"], "revoked", "it is revoked all the same");
        assert!(!frozen.thaw());
        well.close().await;
        // Where no gate is left, nobody can say that the key is refused.
        let told = text(&revoke(third.key.id, &[]).stderr);
        assert!(told.contains("But this database knows no gate") && !told.contains("Gates:"), "{told}");
    }
}
