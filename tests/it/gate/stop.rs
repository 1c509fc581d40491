//! A gate that is ended does so soon, whatever it talks to.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::support::database::{Database, skip};
use crate::support::gate::Gate;
use crate::support::line::Line;
use crate::support::people::{OWNER, make_kept, office, preset};
use keyrack::store::Location;

/// Ends a gate; answers how long that took, and what it wrote.
fn end(gate: Gate) -> (Duration, String) {
    let begun = Instant::now();
    let (status, log) = gate.stop();
    assert!(status.success(), "{status}\n{log}");
    (begun.elapsed(), log)
}

/// A receiver of alerts that tells of each call; it answers, or never does.
fn receiver(answers: bool) -> (String, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (tell, calls) = channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let tell = tell.clone();
            std::thread::spawn(move || {
                let mut bytes = [0; 16 * 1024];
                while stream.read(&mut bytes).is_ok_and(|read| read > 0) {
                    let _ = tell.send(());
                    if answers {
                        let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n");
                    }
                }
            });
        }
    });
    (url, calls)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gate_ends_within_seconds_while_its_database_is_a_black_hole() {
    let Some(db) = Database::postgres().await else {
        return skip("a gate ends while its database is a black hole", "PostgreSQL is not installed");
    };
    let service = office(&db, preset("voiceinfra")).await;
    let key = make_kept(&service, "acme", "crm").await.secret;
    let line = Line::to(&db);
    let gate = Gate::by(&line.address(None), &db, &["--listen", "127.0.0.1:0", "--name", "east"], &[]);
    assert_eq!(gate.get("/api/v1/me", &[("X-API-Key", key.expose())]).status, 200);
    line.hold(true);
    assert_eq!(gate.get("/api/v1/me", &[("X-API-Key", key.expose())]).status, 503);
    let (took, log) = end(gate);
    assert!(took < Duration::from_secs(7), "{took:?}\n{log}");
    assert!(log.contains("the gate could not sign off"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_console_lets_go_of_a_database_that_is_a_black_hole() {
    let Some(db) = Database::postgres().await else {
        return skip("a console lets go of a black hole", "PostgreSQL is not installed");
    };
    let line = Line::to(&db);
    let location = Location::Postgres(line.address(Some(OWNER)));
    let service = keyrack::service::Service::open(&location, keyrack::clock::Clock::System).await.unwrap();
    service.facts().await.unwrap();
    line.hold(true);
    let asking = service.clone();
    let asked = tokio::spawn(async move { asking.facts().await.map(|_| ()) });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let begun = Instant::now();
    service.close().await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    asked.abort();
}

on_both! {
    async fn vp_09_a_slow_webhook_holds_no_stop_up_and_is_told_the_rest_after_the_next_start(db) {
        office(&db, preset("voxpria")).await;
        let (slow, calls) = receiver(false);
        let args = |url| ["--name", "east", "--unknown-keys", "0", "--webhook", url];
        let gate = Gate::start(&db, &args(&slow));
        let mut asked = gate.connect();
        for caller in 1..=3 {
            for _ in 0..20 {
                let from = format!("10.{caller}.1.1");
                let headers = [("X-Forwarded-For", from.as_str()), ("X-API-Key", "vx_nothing")];
                asked.send(&crate::support::http::request("GET", "/api/v1/me", &headers, ""));
                assert_eq!(asked.answer().unwrap().status, 401);
            }
        }
        calls.recv_timeout(Duration::from_secs(20)).unwrap();
        let (took, log) = end(gate);
        assert!(took < Duration::from_secs(6), "{took:?}\n{log}");
        assert_eq!(db.number("SELECT count(*) FROM alerts WHERE told_at IS NULL").await, 3, "{log}");

        let (quick, calls) = receiver(true);
        let gate = Gate::start(&db, &args(&quick));
        for _ in 0..3 {
            calls.recv_timeout(Duration::from_secs(20)).unwrap();
        }
        let begun = Instant::now();
        while db.number("SELECT count(*) FROM alerts WHERE told_at IS NULL").await > 0 {
            assert!(begun.elapsed() < Duration::from_secs(10), "{}", gate.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
