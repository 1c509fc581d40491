//! Revoked means refused, at a real gate and on both databases; and how a refusal looks from outside.

use crate::support::database::Database;
use crate::support::gate::{Gate, bearer};
use crate::support::people::{make_kept, office, preset};
use keyrack::service::{Created, new_operation};

/// Lets a key's expiry lie in the past.
async fn expire(db: &Database, created: &Created) {
    let id = created.key.id;
    let sql = if db.is_postgres() {
        format!("UPDATE key_auth SET expires_at = created_at + interval '1 ms' WHERE id = '{id}'")
    } else {
        format!("UPDATE key_auth SET expires_at = created_at + 1000 WHERE id = X'{}'", id.simple())
    };
    db.execute_past_triggers("keys", &sql).await;
}

on_both! {
    async fn vg_17_a_revoked_key_is_refused_at_the_very_next_request(db) {
        let office = office(&db, preset("voicegram")).await;
        let (one, other) = (make_kept(&office, "acme", "one").await, make_kept(&office, "acme", "other").await);
        let mut gate = Gate::start(&db, &[]);
        let mut connection = gate.connect();
        for _ in 0..3 {
            assert_eq!(gate.me(&one.secret).status, 200);
        }
        let asked = crate::support::http::request("GET", "/api/v1/me", &[("Authorization", &bearer(&one.secret))], "");
        connection.send(&asked);
        assert_eq!(connection.answer().unwrap().status, 200);
        office.revoke_keys(new_operation(), &[one.key.id], Some("exposed")).await.unwrap();
        connection.send(&asked);
        assert_eq!(connection.answer().unwrap().status, 401, "the connection that was used before");
        assert_eq!(gate.me(&one.secret).status, 401);
        assert_eq!(gate.me(&other.secret).status, 200, "keys are independent");
        for word in ["reason=\"revoked\"", "exposed", &one.key.id.to_string()] {
            gate.wait_for_log(word);
        }
    }

    async fn vg_17_a_stream_that_is_held_ends_with_its_key(db) {
        let office = office(&db, preset("voicegram")).await;
        let created = make_kept(&office, "acme", "held").await;
        let gate = Gate::start(&db, &[]);
        let mut stream = gate.connect();
        stream.send(&crate::support::http::request("GET", "/api/v1/watch", &[("Authorization", &bearer(&created.secret))], ""));
        assert!(stream.until("\r\n\r\n").unwrap().contains("text/event-stream"));
        stream.until("event: open").unwrap();
        assert_eq!(gate.metric("keyrack_gate_streams "), 1.0);
        office.revoke_keys(new_operation(), &[created.key.id], None).await.unwrap();
        let begun = std::time::Instant::now();
        let end = stream.until("}}").unwrap();
        assert!(end.contains("event: end") && end.contains("unauthorized"), "{end}");
        assert!(begun.elapsed() < std::time::Duration::from_secs(3), "{:?}", begun.elapsed());
        stream.until("0\r\n\r\n").unwrap();
        assert_eq!(gate.metric("keyrack_gate_streams "), 0.0);
    }

    async fn vi_08_revoked_keys_get_401_at_once_with_many_in_flight(db) {
        let office = office(&db, preset("voiceinfra")).await;
        let created = make_kept(&office, "acme", "crm").await;
        // The brake would have the later ones wait, as it does with any key that is tried so often and does not work.
        let gate = Gate::start(&db, &["--unknown-keys", "0"]);
        let (address, value) = (gate.address, created.secret.expose().to_owned());
        let ended = std::sync::Arc::new(std::sync::Mutex::new(None::<std::time::Instant>));
        let threads: Vec<_> = (0..6)
            .map(|_| {
                let (value, ended) = (value.clone(), std::sync::Arc::clone(&ended));
                std::thread::spawn(move || {
                    let asked = crate::support::http::request("GET", "/api/v1/me", &[("X-API-Key", &value)], "");
                    let mut connection = crate::support::http::Connection::open(address);
                    let (mut before, mut after) = (0, 0);
                    while after < 50 {
                        let sent = std::time::Instant::now();
                        connection.send(&asked);
                        let status = connection.answer().unwrap().status;
                        match *ended.lock().unwrap() {
                            Some(ended) if ended < sent => {
                                assert_eq!(status, 401, "sent after the revocation was done");
                                after += 1;
                            }
                            _ => before += usize::from(status == 200),
                        }
                    }
                    before
                })
            })
            .collect();
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        office.revoke_keys(new_operation(), &[created.key.id], None).await.unwrap();
        *ended.lock().unwrap() = Some(std::time::Instant::now());
        let before: Vec<usize> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert!(before.iter().all(|count| *count > 0), "{before:?}");
    }

    async fn vi_09_the_body_and_vi_10_the_same_for_every_key_that_does_not_work(db) {
        let office = office(&db, preset("voiceinfra")).await;
        let (revoked, expired, suspended) =
            (make_kept(&office, "acme", "a").await, make_kept(&office, "acme", "b").await, make_kept(&office, "globex", "c").await);
        office.revoke_keys(new_operation(), &[revoked.key.id], None).await.unwrap();
        expire(&db, &expired).await;
        office.set_standing(new_operation(), "globex", keyrack::domain::account::Standing::Suspended).await.unwrap();
        let mut gate = Gate::start(&db, &[]);
        let plain = revoked.secret.expose();
        let unknown = keyrack::domain::secret::PlainKey::make("vi_", keyrack::domain::secret::Body::Base62Checksum, &[7; 32]);
        let bad = [
            None,
            Some(""),
            Some("nonsense"),
            Some(&plain[..plain.len() - 1]),
            Some(plain),
            Some(expired.secret.expose()),
            Some(suspended.secret.expose()),
            Some(unknown.expose()),
            Some(revoked.key.preview.as_str()),
        ];
        for path in ["/auth", "/api/v1/me"] {
            let mut answers = Vec::new();
            for value in bad {
                let asked = [("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/v1/agents"), ("X-Forwarded-For", "198.51.100.1")];
                let key: Vec<(&str, &str)> = value.map(|value| ("X-API-Key", value)).into_iter().collect();
                answers.push((value, gate.get(path, &[asked.as_slice(), &key].concat()).without_date()));
            }
            for (value, answer) in &answers {
                assert_eq!(answer.status, 401, "{value:?}");
                assert_eq!(answer.body, r#"{"error":{"code":"unauthorized","message":"Invalid or missing API key."}}"#, "{value:?}");
                assert_eq!(answer, &answers[0].1, "{value:?}");
            }
        }
        for reason in ["missing", "revoked", "expired", "suspended", "unknown", "truncated", "preview"] {
            gate.wait_for_log(&format!("reason=\"{reason}\""));
        }
    }
}
