//! A gate that ends and begins again.

use std::time::{Duration, Instant};

use crate::support::gate::{Gate, bearer};
use crate::support::http::request;
use crate::support::people::{make_kept, office, preset};

on_both! {
    async fn vg_20_a_restart_forgets_no_window(db) {
        let office = office(&db, preset("voicegram")).await;
        let key = make_kept(&office, "acme", "one").await.secret;
        let first = Gate::start(&db, &["--name", "front"]);
        for _ in 0..60 {
            assert_eq!(first.me(&key).status, 200);
        }
        let (status, log) = first.stop();
        assert!(status.success(), "{status}\n{log}");
        let second = Gate::start(&db, &["--name", "front"]);
        assert_eq!(second.me(&key).status, 429, "the window is still full");
        for _ in 0..30 {
            assert_eq!(second.auth_with("GET", "/api/v1/voicegrams/recent", &key).status, 200);
        }
        // A crash forgets a second or two at most.
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        second.kill();
        let third = Gate::start(&db, &["--name", "front"]);
        assert_eq!(third.me(&key).status, 429);
        let answer = third.auth_with("GET", "/api/v1/voicegrams/recent", &key);
        assert_eq!((answer.status, answer.number("x-ratelimit-remaining")), (200, 29));
        let other = Gate::start(&db, &["--name", "another"]);
        assert_eq!(other.me(&key).status, 200, "another gate counts by itself");
    }

    async fn a_gate_that_ends_answers_what_is_open_and_signs_off(db) {
        let office = office(&db, preset("voicegram")).await;
        let key = make_kept(&office, "acme", "one").await.secret;
        let gate = Gate::start(&db, &[]);
        assert_eq!(db.number("SELECT count(*) FROM gates").await, 1);
        let mut idle = gate.connect();
        idle.send(&request("GET", "/healthz", &[], ""));
        assert_eq!(idle.answer().unwrap().status, 200);
        let mut stream = gate.connect();
        stream.send(&request("GET", "/api/v1/watch", &[("Authorization", &bearer(&key))], ""));
        stream.until("event: open").unwrap();
        let begun = Instant::now();
        let (status, log) = gate.stop();
        assert!(status.success(), "{status}\n{log}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        assert!(stream.until("event: end").is_some(), "who holds a stream is told");
        assert!(idle.ends_within(Duration::from_secs(1)));
        assert_eq!(db.number("SELECT count(*) FROM gates").await, 0);
    }
}
