//! Alerts reach another program: signed, once they are taken, and not before.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::support::people::{office, preset, settings};
use keyrack::clock::Clock;
use keyrack::domain::usage::Tolerance;
use keyrack::gate::webhook::{self, run, signature};
use keyrack::service::{Gate, GateSettings};
use zeroize::Zeroizing;

struct Call {
    headers: Vec<(String, String)>,
    body: String,
}

impl Call {
    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap()
    }
}

/// A receiver that answers with these statuses, one after the other.
fn receiver(statuses: &'static [&'static str]) -> (String, Receiver<Call>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (tell, calls) = channel();
    std::thread::spawn(move || {
        for status in statuses {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut headers = Vec::new();
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            assert!(line.starts_with("POST /hook "), "{line}");
            loop {
                line.clear();
                reader.read_line(&mut line).unwrap();
                let Some((name, value)) = line.trim_end().split_once(": ") else { break };
                headers.push((name.to_ascii_lowercase(), value.to_owned()));
            }
            let length =
                headers.iter().find(|(name, _)| name == "content-length").unwrap().1.parse().unwrap();
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).unwrap();
            tell.send(Call { headers, body: String::from_utf8(body).unwrap() }).unwrap();
        }
    });
    (url, calls)
}

on_both! {
    async fn vp_09_an_alert_reaches_the_webhook_signed_and_is_tried_again_until_it_is_taken(db) {
        office(&db, preset("voxpria")).await;
        let tolerance = Tolerance { address: 1, ..Tolerance::default() };
        let settings = GateSettings { tolerance, ..settings("east") };
        let gate = Gate::open(&db.location(), Clock::System, settings).await.unwrap();
        let (url, calls) = receiver(&["503 Busy", "204 No Content", "200 OK"]);
        let webhook = webhook::Receiver::new(&url, Some(Zeroizing::new("a shared secret".into()))).unwrap();
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let task = tokio::spawn(run(gate.clone(), webhook, stopped));
        gate.failed("203.0.113.7".parse().ok(), None);
        let wait = async |calls: Receiver<Call>| {
            tokio::task::spawn_blocking(move || (calls.recv_timeout(Duration::from_secs(20)).unwrap(), calls))
                .await
                .unwrap()
        };
        let (first, calls) = wait(calls).await;
        let (second, calls) = wait(calls).await;
        assert_eq!(first.header("keyrack-alert"), second.header("keyrack-alert"), "the same one again");
        assert_eq!(first.body, second.body);
        let timestamp = second.header("keyrack-timestamp").parse().unwrap();
        assert_eq!(second.header("keyrack-signature"), signature("a shared secret", timestamp, &second.body));
        let body: serde_json::Value = serde_json::from_str(&second.body).unwrap();
        assert_eq!((body["kind"].as_str(), body["severity"].as_str()), (Some("failed-authentications"), Some("warning")));
        assert!(body["words"].as_str().unwrap().contains("203.0.113.7"));
        // What was taken is not sent again; what is new is.
        gate.failed("203.0.113.8".parse().ok(), None);
        let (third, _) = wait(calls).await;
        assert!(third.body.contains("203.0.113.8"));
        stop.send_replace(true);
        task.await.unwrap();
        gate.close().await;
        assert_eq!(db.number("SELECT count(*) FROM alerts WHERE told_at IS NOT NULL").await, 2);
    }
}
