//! Keys that are used after their end: counted, told of once a day, shown on the key.

use std::time::{Duration, Instant};

use crate::support::gate::Gate;
use crate::support::people::{make_kept, office, preset};
use crate::support::script::{Script, texts};
use keyrack::clock::Clock;
use keyrack::domain::usage::{LATE_OTHERS, LATE_PLACES, LateTries, What};
use keyrack::service::{AlertRequest, Created, RaisedAlert, Service, new_operation};
use keyrack::store::{Batch, NewGate, Store};

/// The alerts about this key once there is one.
async fn alerts(service: &Service, created: &Created) -> Vec<RaisedAlert> {
    let begun = Instant::now();
    let request = AlertRequest { key: Some(created.key.id), limit: 10, ..AlertRequest::default() };
    loop {
        let alerts = service.alerts(&request).await.unwrap();
        if !alerts.is_empty() || begun.elapsed() > Duration::from_secs(20) {
            return alerts;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What a person sees of a command.
fn said(keyrack: &Script<'_>, args: &[&str]) -> String {
    let (stdout, stderr) = texts(&keyrack.run(args));
    format!("{stdout}{stderr}")
}

fn tries(gate: &Gate, created: &Created, times: usize, from: &str) {
    for _ in 0..times {
        let asked = [
            ("X-Forwarded-Method", "GET"),
            ("X-Forwarded-Uri", "/api/v1/calls/7"),
            ("X-Forwarded-For", from),
            ("X-API-Key", created.secret.expose()),
        ];
        assert_eq!(gate.get("/auth", &asked).status, 401);
    }
}

on_both! {
    async fn kr_06_a_key_that_is_used_after_its_end_raises_one_alert_and_shows_on_the_key(db) {
        let office = office(&db, preset("voxpria")).await;
        let (used, quiet) = (make_kept(&office, "acme", "used").await, make_kept(&office, "acme", "quiet").await);
        let gate = Gate::start(&db, &[]);
        assert_eq!(gate.get("/api/v1/me", &[("X-API-Key", used.secret.expose())]).status, 200);
        office.revoke_keys(new_operation(), &[used.key.id, quiet.key.id], Some("leaked")).await.unwrap();
        tries(&gate, &used, 4, "203.0.113.7");
        tries(&gate, &used, 3, "198.51.100.7");
        let raised = alerts(&office, &used).await;
        assert_eq!(raised.len(), 1, "{raised:?}");
        let What::AfterEnd { how, tries: told, before, networks, endpoints, .. } = &raised[0].alert.what else {
            panic!("{raised:?}");
        };
        assert_eq!((how.as_str(), *told, *before), ("revoked", 7, 0));
        assert_eq!(networks[0].name.as_str(), "203.0.113.0/24");
        assert_eq!(endpoints.len(), 1, "{endpoints:?}");
        // The alert is one a day, and the key's page goes on.
        tries(&gate, &used, 2, "203.0.113.7");
        let keyrack = Script::on(&db);
        let begun = Instant::now();
        let shown = loop {
            let shown = keyrack.json(&["key", "show", &used.key.id.to_string()]);
            if shown["after_end"]["last_24h"] == 9 || begun.elapsed() > Duration::from_secs(10) {
                break shown;
            }
        };
        let after = &shown["after_end"];
        assert_eq!((&after["last_24h"], &after["how"]), (&9.into(), &"revoked".into()), "{after}");
        assert_eq!(after["networks"][0], serde_json::json!({ "name": "203.0.113.0/24", "tries": 6 }));
        let words = said(&keyrack, &["key", "show", &used.key.id.to_string()]);
        assert!(words.contains("Still tried 9 times a day from 203.0.113.0/24 and 198.51.100.0/24, for "), "{words}");
        assert!(keyrack.json(&["key", "show", &quiet.key.id.to_string()])["after_end"].is_null());
        assert_eq!(alerts(&office, &used).await.len(), 1);
        let listed = said(&keyrack, &["alerts", "list"]);
        assert!(listed.contains("after it was revoked"), "{listed}");
    }

    async fn kr_06_expired_and_replaced_keys_are_told_as_such(db) {
        let office = office(&db, preset("voxpria")).await;
        let (expired, replaced) = (make_kept(&office, "acme", "expired").await, make_kept(&office, "acme", "replaced").await);
        let next = office.rotate_key(new_operation(), replaced.key.id, keyrack::domain::expiry::Overlap::Hours24).await.unwrap();
        for key in [&expired, &replaced] {
            let id = key.key.id;
            let sql = if db.is_postgres() {
                format!("UPDATE key_auth SET expires_at = created_at + interval '1 ms' WHERE id = '{id}'")
            } else {
                format!("UPDATE key_auth SET expires_at = created_at + 1000 WHERE id = X'{}'", id.simple())
            };
            db.execute_past_triggers("key_auth", &sql).await;
        }
        let gate = Gate::start(&db, &[]);
        for (key, word) in [(&expired, "expired"), (&replaced, "replaced")] {
            tries(&gate, key, 1, "203.0.113.7");
            let raised = alerts(&office, key).await;
            assert!(matches!(&raised[0].alert.what, What::AfterEnd { how, .. } if how.as_str() == word), "{raised:?}");
        }
        let words = alerts(&office, &expired).await[0].sentence().to_string();
        assert!(words.contains("Tried once in 24 hours after it expired, from 203.0.113.0/24"), "{words}");
        drop(next);
    }

    async fn kr_11_an_old_key_that_is_still_used_raises_one_alert_before_its_overlap_ends(db) {
        let office = office(&db, preset("voxpria")).await;
        let (used, quiet) = (make_kept(&office, "acme", "used").await, make_kept(&office, "acme", "quiet").await);
        for old in [&used, &quiet] {
            let new = office.rotate_key(new_operation(), old.key.id, keyrack::domain::expiry::Overlap::Hours24).await.unwrap();
            office.acknowledge_key(new_operation(), new.key.id).await.unwrap();
        }
        // The overlaps began yesterday, and end in half an hour.
        let (yesterday, soon) = if db.is_postgres() {
            ("acknowledged_at - interval '23 hours 30 minutes'", "expires_at - interval '23 hours 30 minutes'")
        } else {
            ("acknowledged_at - 84600000000", "expires_at - 84600000000")
        };
        let sql = format!("UPDATE key_auth SET acknowledged_at = {yesterday}, expires_at = {soon}, claim_by = {yesterday}, created_at = {yesterday}");
        let sql = sql.replace(&format!("claim_by = {yesterday}, created_at = {yesterday}"), &format!("claim_by = {}, created_at = {}", yesterday.replace("acknowledged_at", "claim_by"), yesterday.replace("acknowledged_at", "created_at")));
        db.execute_past_triggers("key_auth", &sql).await;
        let gate = Gate::start(&db, &[]);
        assert_eq!(gate.get("/api/v1/me", &[("X-API-Key", used.secret.expose())]).status, 200);
        gate.stop();
        // Each gate looks as soon as it runs; the second has nothing to add.
        for _ in 0..2 {
            let gate = Gate::start(&db, &[]);
            let raised = alerts(&office, &used).await;
            assert_eq!(raised.len(), 1, "{raised:?}");
            let What::OverlapEnds { key, replacement, ends_at, .. } = &raised[0].alert.what else { panic!("{raised:?}") };
            let old = office.key(used.key.id).await.unwrap();
            assert_eq!((*key, Some(*replacement), Some(*ends_at)), (old.id, old.successor, old.expires_at));
            gate.stop();
        }
        let keyrack = Script::on(&db);
        let listed = said(&keyrack, &["alerts", "list"]);
        assert!(listed.contains("Replaced, and still used") && listed.contains("keyrack rotation extend"), "{listed}");
        let about = keyrack.json(&["alerts", "list", "--key", &quiet.key.id.to_string()]);
        assert_eq!(about.as_array().unwrap().len(), 0, "{about}");
    }

    async fn kr_06_places_are_bounded_in_the_database_and_batches_count_once(db) {
        let office = office(&db, preset("voxpria")).await;
        let made = make_kept(&office, "acme", "flood").await;
        let store = Store::open(&db.location()).await.unwrap();
        let row = NewGate { id: new_operation(), name: "x".into(), host: "h".into(), listen: "l".into(), lease_ms: 1000, freshness: Default::default() };
        store.register_gate(&row, 1, &Clock::System).await.unwrap();
        let now = office.now().await.unwrap();
        let batch = |first: usize| {
            let mut batch = Batch::default();
            batch.counts.insert((made.key.id, keyrack::domain::usage::minute(now)), Default::default());
            let place = |n: usize| LateTries {
                hour: now.timestamp().div_euclid(3600),
                network: format!("10.0.{n}.0/24"),
                endpoint: "calls".into(),
                tries: 2,
                last_at: now,
            };
            batch.late = (first..first + 10).map(|n| (made.key.id, place(n))).collect();
            batch
        };
        for (number, first) in [(1, 0), (1, 0), (2, 5), (3, 100), (4, 200)] {
            store.add_usage(&row, number, &batch(first), &Clock::System).await.unwrap();
        }
        let kept = store.late(&[made.key.id], now - chrono::Duration::hours(2)).await.unwrap();
        assert_eq!(kept.len(), LATE_PLACES + 1, "{kept:?}");
        assert_eq!(kept.iter().map(|(_, one)| one.tries).sum::<u64>(), 80, "all are counted, and each once");
        assert_eq!(kept.iter().filter(|(_, one)| one.network == LATE_OTHERS).count(), 1);
        assert!(!store.prune_late(now + chrono::Duration::hours(1)).await.unwrap());
        assert!(store.late(&[made.key.id], now - chrono::Duration::hours(2)).await.unwrap().is_empty());
    }

    async fn kr_06_what_a_killed_gate_had_noted_is_added_by_another(db) {
        let office = office(&db, preset("voxpria")).await;
        let mut keys = Vec::new();
        for n in 0..12 {
            keys.push(make_kept(&office, "acme", &format!("late {n}")).await);
        }
        let ids: Vec<_> = keys.iter().map(|made| made.key.id).collect();
        office.revoke_keys(new_operation(), &ids, None).await.unwrap();
        let gate = Gate::start(&db, &["--unknown-keys", "0"]);
        for key in &keys {
            tries(&gate, key, 1, "203.0.113.7");
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
        gate.kill();
        let written = db.number("SELECT count(*) FROM late_tries").await;
        assert!(written <= 12, "{written}");
        let store = Store::open(&db.location()).await.unwrap();
        store.take_over_usage(office.now().await.unwrap() + chrono::Duration::hours(1), &Clock::System).await.unwrap();
        assert_eq!(db.number("SELECT count(*) FROM late_tries").await, 12);
    }

    async fn kr_06_the_accounts_admins_are_told_by_a_letter_of_its_own(db) {
        let office = office(&db, preset("voxpria")).await;
        let (used, works) = (make_kept(&office, "acme", "used <b>").await, make_kept(&office, "globex", "works").await);
        office.revoke_keys(new_operation(), &[used.key.id], Some("leaked")).await.unwrap();
        let gate = Gate::start(&db, &[]);
        tries(&gate, &used, 3, "203.0.113.7");
        assert_eq!(alerts(&office, &used).await.len(), 1);
        let keyrack = Script::on(&db);
        let (used, works) = (used.key.id.to_string(), works.key.id.to_string());
        let letters = db.dir().join("told");
        let folder = letters.to_str().unwrap();
        assert!(keyrack.refused(5, &["key", "tell", &works, "--mail-dir", folder, "--yes"]).contains("--exposed"));
        let dry = keyrack.json(&["key", "tell", &used, "--mail-dir", folder, "--dry-run"]);
        assert_eq!((&dry[0]["state"], &dry[0]["recipient"]), (&"pending".into(), &"it@acme.example".into()));
        assert!(!letters.exists() || std::fs::read_dir(&letters).unwrap().count() == 0);
        let told = keyrack.json(&["key", "tell", &used, &used, "--mail-dir", folder, "--yes", "--reason", "see INC-7"]);
        assert_eq!((told.as_array().unwrap().len(), &told[0]["state"]), (1, &"written".into()), "{told}");
        assert!(keyrack.refused(5, &["key", "tell", &works, "--replaced", "--mail-dir", folder, "--yes"]).contains("is not in an open overlap"));
        let next = office.rotate_key(new_operation(), works.parse().unwrap(), keyrack::domain::expiry::Overlap::Hours24).await.unwrap();
        office.acknowledge_key(new_operation(), next.key.id).await.unwrap();
        let aside = db.dir().join("aside");
        keyrack.json(&["key", "tell", &works, "--replaced", "--mail-dir", aside.to_str().unwrap(), "--yes"]);
        let letter = std::fs::read_dir(&aside).unwrap().map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).next().unwrap();
        let letter = letter.replace("=\r\n", "").replace("=3D", "=");
        for words in ["will soon stop working", "was replaced by a new one", "replaced, works until", "Give each of them the new"] {
            assert!(letter.contains(words), "{words}:\n{letter}");
        }
        let told = keyrack.json(&["key", "tell", &works, "--exposed", "--mail-dir", folder, "--yes"]);
        assert_eq!(told[0]["recipient"], "it@globex.example");
        let mut texts = std::fs::read_dir(&letters).unwrap().map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect::<Vec<_>>();
        texts.sort_by_key(|text| text.contains("globex"));
        assert_eq!(texts.len(), 2);
        let plain = |text: &str| text.replace("=\r\n", "").replace("=3D", "=");
        let late = plain(&texts[0]);
        for words in ["no longer works, but something tried to use it", "still tried 3 times a day from 203.0.113.0/24", "Note: see INC-7", "revoked on", "used &lt;b&gt;"] {
            assert!(late.contains(words), "{words}:\n{late}");
        }
        assert!(plain(&texts[1]).contains("was found exposed"));
        let audit = keyrack.json(&["audit", "list", "--filter", "action:key.tell"]);
        assert_eq!(audit.as_array().unwrap().len(), 3, "{audit}");
        let viewer = crate::support::people::as_person(&db, "vic").await;
        office.set_operator(new_operation(), "vic", keyrack::domain::operator::Role::Viewer).await.unwrap();
        let tell = keyrack::service::Tell {
            operation: new_operation(),
            keys: vec![used.parse().unwrap()],
            occasion: keyrack::domain::notice::Occasion::AfterEnd,
            reason: None,
        };
        assert!(matches!(viewer.tell(tell).await, Err(keyrack::service::Error::NotPermitted { .. })));
    }
}
