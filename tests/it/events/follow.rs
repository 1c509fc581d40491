//! KR-16: `keyrack events follow`, as other programs read it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::program::{self, ended};
use crate::support::script::{Script, text};

/// The events that are printed by now.
fn once(keyrack: &Script<'_>, args: &[&str]) -> Vec<Value> {
    let lines = keyrack.ok(&[&["events", "follow", "--once"], args].concat());
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A follower, and its lines with the instants at which they came.
fn follower(keyrack: &Script<'_>, args: &[&str]) -> (Child, Receiver<(Value, Instant)>) {
    let mut child =
        keyrack.command(&[&["events", "follow"], args].concat()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            let _ = tell.send((serde_json::from_str(&line).unwrap(), Instant::now()));
        }
    });
    (child, told)
}

on_both! {
    async fn kr_16_every_change_is_one_event_in_its_order_with_old_and_new_values(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        let id = text(&keyrack.create("acme", "CI"), "id").to_owned();
        keyrack.ok(&["key", "edit", &id, "--tag", "prod", "--yes"]);
        keyrack.ok(&["key", "pause", &id, "--for", "1h", "--yes"]);
        keyrack.ok(&["key", "resume", &id, "--yes"]);
        keyrack.ok(&["key", "revoke", &id, "--reason", "old", "--yes"]);
        keyrack.ok(&["account", "change", "acme", "--name", "Another"]);
        let events = once(&keyrack, &[]);
        let numbers: Vec<i64> = events.iter().map(|event| event["n"].as_i64().unwrap()).collect();
        assert_eq!(numbers, (1..=numbers.len() as i64).collect::<Vec<_>>());
        let kinds: Vec<&str> = events.iter().map(|event| text(event, "kind")).collect();
        let last = ["created", "confirmed", "changed", "paused", "resumed", "revoked", "account-changed"];
        assert_eq!(kinds[kinds.len() - last.len()..], last, "{kinds:?}");
        let of = |kind: &str| events.iter().find(|event| event["kind"] == kind).unwrap();
        assert_eq!(of("changed")["changed"], json!({ "tags": [[], ["prod"]] }));
        assert_eq!(of("account-changed")["changed"], json!({ "name": ["acme Inc.", "Another"] }));
        let revoked = of("revoked");
        assert_eq!((&revoked["key"]["id"], &revoked["key"]["name"]), (&json!(id), &json!("CI")));
        assert_eq!((&revoked["account"], &revoked["details"]["reason"]), (&json!("acme"), &json!("old")));
        assert!(!of("created").to_string().contains("fingerprint"));
        // The same event is the same one for ever, and any number is a place to begin.
        assert_eq!(once(&keyrack, &["--from", "3"]), events[2..]);
        assert_eq!(once(&keyrack, &["--from", "3", "--limit", "2"]), events[2..4]);
        let only = once(&keyrack, &["--kinds", "revoked,leaked"]);
        assert!(matches!(only.as_slice(), [only] if only == revoked), "{only:?}");
        assert_eq!(once(&keyrack, &["--from", &(numbers.len() + 1).to_string()]), Vec::<Value>::new());
        assert!(keyrack.refused(1, &["events", "follow", "--once", "--from", "9999"]).contains("the database was restored"));
        assert!(keyrack.refused(2, &["events", "follow", "--kinds", "flown"]).contains("created, imported"));
        let ids: std::collections::BTreeSet<&str> = events.iter().map(|event| text(event, "id")).collect();
        assert_eq!(ids.len(), events.len());
    }

    async fn kr_16_a_follower_is_soon_behind_each_change_and_ends_as_it_is_told(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        let service = db.open().await;
        let newest = service.newest_event().await.unwrap();
        let (mut child, told) = follower(&keyrack, &["--from", &newest.to_string()]);
        // The first line says that it is there.
        told.recv_timeout(Duration::from_secs(20)).unwrap();
        let mut behind = Vec::new();
        for n in 0..15 {
            crate::support::people::make(&service, "acme", &format!("key {n}")).await;
            let done = Instant::now();
            let (event, came) = told.recv_timeout(Duration::from_secs(20)).unwrap();
            assert_eq!((&event["kind"], &event["key"]["name"]), (&json!("created"), &json!(format!("key {n}"))));
            behind.push(came.saturating_duration_since(done));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        behind.sort_unstable();
        assert!(behind[behind.len() / 2] < Duration::from_millis(100), "{behind:?}");
        program::signal(&child, Signal::INT);
        assert_eq!(ended(&mut child).code(), Some(0));
        // Where nobody reads any more it ends by itself, although nothing happens.
        let mut child = keyrack.command(&["events", "follow"]).stdout(Stdio::piped()).spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(500)).await;
        drop(child.stdout.take());
        assert_eq!(ended(&mut child).code(), Some(0));
    }
}
