//! What a gate knows is current: a key that was revoked is refused by the next request, and by those in flight.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::support::people::{account, gate, make_kept, office, preset};
use keyrack::domain::account::Standing;
use keyrack::domain::key::Status;
use keyrack::domain::secret::HashedKey;
use keyrack::service::{Confirmed, Created, Gate, Known, Policies, SavedWindow, new_operation};

async fn known(gate: &Gate, hash: HashedKey) -> Arc<Known> {
    gate.known(hash).await.unwrap().unwrap()
}

async fn both(gate: &Gate, made: &Created) -> (Arc<Known>, Arc<Policies>) {
    (known(gate, made.secret.hash()).await, gate.policies().await.unwrap())
}

async fn is_current(gate: &Gate, known: &Known, policies: &Policies) -> bool {
    matches!(gate.confirm(known, policies).await.unwrap(), Confirmed::Current { .. })
}

on_both! {
    async fn vg_17_a_revocation_reaches_a_request_in_flight(db) {
        let service = office(&db, preset("voicegram")).await;
        let made = make_kept(&service, "acme", "hub").await;
        let gate = gate(&db, "east").await;
        let (before, policies) = both(&gate, &made).await;
        assert!(is_current(&gate, &before, &policies).await);
        // The request is in flight: judged, and not yet answered.
        service.revoke_keys(new_operation(), &[made.key.id], Some("lost")).await.unwrap();
        assert_eq!(gate.confirm(&before, &policies).await.unwrap(), Confirmed::Changed);
        let after = known(&gate, made.secret.hash()).await;
        assert_eq!(after.key.status(gate.now()), Status::Revoked);
        assert_eq!(after.key.revoke_reason.as_deref(), Some("lost"));
        gate.close().await;
    }

    async fn vi_08_a_revoked_key_is_known_as_revoked_at_once_and_no_other_is(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let (one, other) = (make_kept(&service, "acme", "one").await, make_kept(&service, "acme", "other").await);
        let gates = [gate(&db, "east").await, gate(&db, "west").await];
        let mut held = Vec::new();
        for gate in &gates {
            let (other, policies) = both(gate, &other).await;
            held.push((both(gate, &one).await.0, other, policies));
        }
        service.revoke_keys(new_operation(), &[one.key.id], None).await.unwrap();
        for (gate, (one, other, policies)) in gates.iter().zip(&held) {
            assert!(!is_current(gate, one, policies).await, "in flight");
            // vi_07: the other one goes on working, and nothing was read again for it.
            assert!(is_current(gate, other, policies).await);
            assert!(Arc::ptr_eq(&known(gate, other.hash()).await, other));
        }
        assert!(known(&gates[0], one.secret.hash()).await.key.revoked_at.is_some());
    }

    async fn kr_20_keys_that_are_asked_for_at_once_are_each_answered_by_themselves(db) {
        let mut policy = preset("voiceinfra");
        policy.caps.active_keys = None;
        policy.caps.creations_per_minute = None;
        let service = office(&db, policy).await;
        let mut made = Vec::new();
        for n in 0..100 {
            made.push(make_kept(&service, "acme", &format!("key {n}")).await);
        }
        service.revoke_keys(new_operation(), &[made[70].key.id], Some("lost")).await.unwrap();
        let gate = gate(&db, "east").await;
        let asked: Vec<_> = (0..600)
            .map(|n: usize| {
                let gate = gate.clone();
                // Every key several times, between secrets that no key has; and some ask and go away.
                let hash = match n % 3 {
                    0 => HashedKey([n as u8; 32]),
                    _ => made[n % 100].secret.hash(),
                };
                let asks = tokio::spawn(async move { gate.known(hash).await.unwrap() });
                if n.is_multiple_of(7) {
                    asks.abort();
                }
                (n, asks)
            })
            .collect();
        for (n, asks) in asked {
            let Ok(known) = asks.await else { continue };
            match n % 3 {
                0 => assert!(known.is_none(), "{n}"),
                _ => {
                    let known = known.unwrap();
                    assert_eq!(known.key.id, made[n % 100].key.id, "{n}");
                    assert_eq!(known.key.status(gate.now()) == Status::Revoked, n % 100 == 70, "{n}");
                }
            }
        }
        gate.close().await;
    }

    async fn vi_07_keys_are_independent_revoking_one_leaves_the_others_working(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let gate = gate(&db, "east").await;
        let mut made = Vec::new();
        for n in 0..5 {
            made.push(make_kept(&service, "acme", &format!("key {n}")).await);
        }
        service.revoke_keys(new_operation(), &[made[2].key.id], None).await.unwrap();
        for (n, made) in made.iter().enumerate() {
            let (known, policies) = both(&gate, made).await;
            let works = known.key.status(gate.now()) == Status::Active && is_current(&gate, &known, &policies).await;
            assert_eq!(works, n != 2);
        }
    }

    async fn a_key_that_is_made_is_known_at_once_and_an_unknown_one_is_never_remembered(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let gate = gate(&db, "east").await;
        assert!(gate.known(HashedKey([7; 32])).await.unwrap().is_none());
        let made = make_kept(&service, "acme", "hub").await;
        assert_eq!(known(&gate, made.secret.hash()).await.key.id, made.key.id);
    }

    async fn a_suspended_account_reaches_requests_in_flight_and_leaves_others_alone(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let (acme, globex) = (make_kept(&service, "acme", "a").await, make_kept(&service, "globex", "g").await);
        let gate = gate(&db, "east").await;
        let ((acme, policies), (globex, _)) = (both(&gate, &acme).await, both(&gate, &globex).await);
        service.set_standing(new_operation(), "acme", Standing::Suspended).await.unwrap();
        assert!(!is_current(&gate, &acme, &policies).await);
        assert!(is_current(&gate, &globex, &policies).await);
        assert_eq!(known(&gate, acme.hash()).await.account.standing, Standing::Suspended);
        service.set_standing(new_operation(), "acme", Standing::Good).await.unwrap();
        let suspended = known(&gate, acme.hash()).await;
        assert!(suspended.account.standing == Standing::Good || !is_current(&gate, &suspended, &policies).await);
    }

    async fn a_new_policy_reaches_requests_in_flight(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let made = make_kept(&service, "acme", "hub").await;
        let gate = gate(&db, "east").await;
        let (known_before, policies) = both(&gate, &made).await;
        let mut policy = preset("voiceinfra");
        policy.headers.bearer = true;
        service.apply_policy(new_operation(), policy).await.unwrap();
        assert!(!is_current(&gate, &known_before, &policies).await);
        let (now, policies) = both(&gate, &made).await;
        assert!(now.policy.headers.bearer && policies.directory.policy("voiceinfra").unwrap().headers.bearer);
        assert!(is_current(&gate, &now, &policies).await);
        // A product that is added is served at once.
        service.apply_policy(new_operation(), preset("voicegram")).await.unwrap();
        service.create_account(new_operation(), account("voicegram", "initech")).await.unwrap();
        assert!(!is_current(&gate, &now, &policies).await);
        assert!(gate.policies().await.unwrap().directory.policy("voicegram").is_some());
    }

    async fn what_is_written_past_keyrack_is_seen_after_ten_seconds_at_the_latest(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let made = make_kept(&service, "acme", "hub").await;
        let gate = gate(&db, "east").await;
        both(&gate, &made).await;
        let sql = if db.is_postgres() { "clock_timestamp()" } else { "created_at + 1" };
        db.execute(&format!("UPDATE key_auth SET revoked_at = {sql}, revoked_by = 'nobody'")).await;
        let begun = std::time::Instant::now();
        while known(&gate, made.secret.hash()).await.key.revoked_at.is_none() {
            assert!(begun.elapsed() < Duration::from_secs(11));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn a_key_past_its_expiry_is_not_confirmed(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let made = make_kept(&service, "acme", "hub").await;
        let end = if db.is_postgres() { "clock_timestamp() + interval '400 ms'".to_owned() } else {
            let micros = keyrack::clock::Clock::System.now().timestamp_micros() + 400_000;
            micros.to_string()
        };
        db.execute(&format!("UPDATE key_auth SET expires_at = {end}")).await;
        let gate = gate(&db, "east").await;
        let (known, policies) = both(&gate, &made).await;
        assert!(is_current(&gate, &known, &policies).await);
        tokio::time::sleep(Duration::from_millis(450)).await;
        assert!(!is_current(&gate, &known, &policies).await);
        assert_eq!(known.key.status(gate.now()), Status::Expired, "who judges anew sees why");
    }

    /// Many requests ask while keys are revoked under them. No answer that was asked for after a revocation was
    /// acknowledged may say that the key works.
    async fn no_request_passes_that_was_asked_for_after_its_key_was_revoked(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let mut keys = Vec::new();
        for n in 0..40 {
            let made = make_kept(&service, "acme", &format!("key {n}")).await;
            keys.push((made.key.id, made.secret.hash(), AtomicBool::new(false)));
        }
        let keys = Arc::new(keys);
        let gates = Arc::new([gate(&db, "east").await, gate(&db, "west").await]);
        let (passed, refused) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let callers: Vec<_> = (0..24)
            .map(|n| {
                let (keys, gates) = (Arc::clone(&keys), Arc::clone(&gates));
                let (passed, refused) = (Arc::clone(&passed), Arc::clone(&refused));
                tokio::spawn(async move {
                    let gate = &gates[n % 2];
                    let mut place = n;
                    loop {
                        place = (place * 31 + 7) % keys.len();
                        let (_, hash, revoked) = &keys[place];
                        if keys.iter().all(|(.., revoked)| revoked.load(Ordering::SeqCst)) {
                            return;
                        }
                        let revoked_before = revoked.load(Ordering::SeqCst);
                        let policies = gate.policies().await.unwrap();
                        let known = gate.known(*hash).await.unwrap().unwrap();
                        let works = known.key.status(gate.now()) == Status::Active
                            && is_current(gate, &known, &policies).await;
                        assert!(!(works && revoked_before), "a revoked key passed");
                        if works { &passed } else { &refused }.fetch_add(1, Ordering::Relaxed);
                        // A refusal waits for nothing; in a server the next request would have to arrive first.
                        tokio::task::yield_now().await;
                    }
                })
            })
            .collect();
        for (id, _, revoked) in keys.iter() {
            service.revoke_keys(new_operation(), &[*id], None).await.unwrap();
            revoked.store(true, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        for caller in callers {
            caller.await.unwrap();
        }
        let (passed, refused) = (passed.load(Ordering::Relaxed), refused.load(Ordering::Relaxed));
        assert!(passed > 1000 && refused > 100, "{passed} passed, {refused} refused: the test shows little");
        for gate in gates.iter() {
            gate.close().await;
        }
    }

    async fn windows_survive_a_restart_until_they_are_empty(db) {
        office(&db, preset("voiceinfra")).await;
        let first = gate(&db, "east").await;
        let window = |subject: &str, seconds| SavedWindow {
            subject: subject.into(),
            state: vec![1, 2, 3],
            ends_at: first.now() + chrono::Duration::seconds(seconds),
        };
        first.save_windows(&[window("key:a", 60), window("key:b", -1), window("key:c", 60)], "").await.unwrap();
        let newer = SavedWindow { state: vec![9], ..window("key:a", 90) };
        first.save_windows(std::slice::from_ref(&newer), "").await.unwrap();
        let other = gate(&db, "west").await;
        assert_eq!(other.load_windows().await.unwrap(), [], "each gate has its own");
        first.close().await;
        let second = gate(&db, "east").await;
        let mut loaded = second.load_windows().await.unwrap();
        loaded.sort_by(|a, b| a.subject.cmp(&b.subject));
        assert_eq!(loaded.len(), 2);
        assert_eq!(loaded[0].state, newer.state);
        assert_eq!(db.number("SELECT count(*) FROM limit_windows").await, 2, "what is empty is forgotten");
        assert_eq!(second.neighbours().await.unwrap().living, 2);
    }

    async fn a_small_memory_forgets_and_stays_right(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let mut settings = crate::support::people::settings("east");
        settings.cache = 64;
        let gate = Gate::open(&db.location(), keyrack::clock::Clock::System, settings).await.unwrap();
        let mut made = Vec::new();
        for n in 0..300 {
            let made_now = service.create_key(crate::support::people::wanted("acme", &format!("key {n}"))).await.unwrap();
            made.push(made_now);
        }
        let policies = gate.policies().await.unwrap();
        let first = known(&gate, made[0].secret.hash()).await;
        for made in &made {
            assert_eq!(known(&gate, made.secret.hash()).await.key.id, made.key.id);
        }
        // One that was forgotten to make room can't be told of changes, so it counts as changed.
        let now = known(&gate, made[0].secret.hash()).await;
        assert_eq!(is_current(&gate, &first, &policies).await, Arc::ptr_eq(&first, &now));
        service.revoke_keys(new_operation(), &[made[0].key.id], None).await.unwrap();
        assert!(!is_current(&gate, &now, &policies).await);
    }
}
