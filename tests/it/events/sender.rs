//! KR-16: `keyrack events send`: every event to every endpoint, in order, at least once, whatever becomes of senders and receivers.

use std::collections::BTreeMap;
use std::process::{Child, Stdio};
use std::time::Duration;

use keyrack::service::Service;
use rustix::process::Signal;
use serde_json::json;

use super::endpoints::{add, listed};
use super::receiver::{Delivery, Receiver};
use crate::support::database::Database;
use crate::support::people::make;
use crate::support::program::{self, ended};
use crate::support::script::{Script, text};

/// A sender that goes on until it is told to stop.
fn sender(keyrack: &Script<'_>) -> Child {
    keyrack.command(&["events", "send"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn stop(mut sender: Child) {
    program::signal(&sender, Signal::TERM);
    assert!(ended(&mut sender).success());
}

/// Makes so many keys; answers the number of the newest event.
async fn change(service: &Service, times: usize) -> i64 {
    for n in 0..times {
        make(service, if n % 2 == 0 { "acme" } else { "globex" }, &format!("key {n}")).await;
    }
    service.newest_event().await.unwrap()
}

/// As if half a minute had passed since a sender died.
async fn let_go(db: &Database) {
    let past = if db.is_postgres() { "now() - interval '1 second'" } else { "1" };
    db.execute_past_triggers(
        "endpoints",
        &format!("UPDATE endpoints SET lease_until = {past} WHERE lease_until IS NOT NULL"),
    )
    .await;
}

/// As if it were time to try again.
async fn try_again(db: &Database) {
    db.execute_past_triggers("endpoints", "UPDATE endpoints SET retry_at = NULL").await;
}

/// Nothing is missing, all came in order, and what came again is the same event, right behind itself.
fn whole(took: &[Delivery], from: i64, to: i64) -> usize {
    let mut first: Vec<i64> = Vec::new();
    let mut ids: BTreeMap<i64, String> = BTreeMap::new();
    for one in took {
        match ids.get(&one.n()) {
            Some(id) => {
                assert_eq!(id, one.id(), "a repeat has the same id");
                assert_eq!(first.last(), Some(&one.n()), "and comes right behind: {first:?}");
            }
            None => {
                ids.insert(one.n(), one.id().to_owned());
                first.push(one.n());
            }
        }
    }
    assert_eq!(first, (from..=to).collect::<Vec<_>>(), "none is missing, and their order is kept");
    took.len() - first.len()
}

on_both! {
    async fn kr_16_each_change_arrives_signed_in_order_and_only_where_it_is_asked_for(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        let (all, some) = (Receiver::start(), Receiver::start());
        let from = add(&keyrack, &db, "all", &all, &["--from", "1"])["next"].as_i64().unwrap();
        assert_eq!(from, 1);
        add(&keyrack, &db, "some", &some, &["--kinds", "revoked"]);
        let id = text(&keyrack.create("acme", "CI"), "id").to_owned();
        keyrack.ok(&["key", "revoke", &id, "--yes"]);
        let newest = keyrack.ok(&["events", "follow", "--once"]).lines().count() as i64;
        let sent = keyrack.json(&["events", "send", "--once"]);
        assert!(sent.as_array().unwrap().iter().all(|one| one["state"] == "current"), "{sent}");
        assert_eq!(whole(&all.took(), 1, newest), 0);
        let printed = keyrack.ok(&["events", "follow", "--once"]);
        let printed: Vec<serde_json::Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(all.took().into_iter().map(|one| one.event).collect::<Vec<_>>(), printed, "the same as is printed");
        let revoked = some.took();
        assert_eq!((revoked.len(), &revoked[0].event["kind"]), (1, &json!("revoked")));
        assert_eq!(revoked[0].headers["content-type"], "application/json");
        // What was sent is not sent again, and what nobody asks for is passed over.
        keyrack.create("acme", "another");
        keyrack.ok(&["events", "send", "--once"]);
        assert_eq!((whole(&all.took(), 1, newest + 2), some.took().len()), (0, 1));
        assert_eq!((&listed(&keyrack, "some")["behind"], &listed(&keyrack, "some")["answer"]), (&json!(0), &json!("it answered 204")));
    }

    async fn kr_16_a_receiver_that_was_down_gets_all_of_it_and_costs_nobody_else_anything(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        let service = db.open().await;
        let (mut down, slow, well) = (Receiver::start(), Receiver::start(), Receiver::start());
        let from = add(&keyrack, &db, "down", &down, &[])["next"].as_i64().unwrap();
        add(&keyrack, &db, "slow", &slow, &[]);
        let of_well = add(&keyrack, &db, "well", &well, &[])["next"].as_i64().unwrap();
        down.go_down();
        slow.answers(500, Duration::from_secs(3));
        let sender = sender(&keyrack);
        let begun = std::time::Instant::now();
        let newest = change(&service, 10).await;
        well.wait_for(newest);
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
        assert_eq!(whole(&well.took(), of_well, newest), 0);
        // One is told as failing, with what it said, and where it stopped.
        let failing = |name: &str, words: &str| {
            let begun = std::time::Instant::now();
            loop {
                let one = listed(&keyrack, name);
                if one["answer"].as_str().is_some_and(|answer| answer.contains(words)) {
                    assert_eq!((&one["state"], one["failing_since"].is_string()), (&json!("retrying"), true), "{one}");
                    return one;
                }
                assert!(begun.elapsed() < Duration::from_secs(30), "{one}");
                std::thread::sleep(Duration::from_millis(100));
            }
        };
        assert_eq!(failing("down", "")["next"], from);
        failing("slow", "it answered 500");
        let before = slow.got();
        assert!(before.iter().all(|one| one.n() == before[0].n() && one.id() == before[0].id()), "the same one again");
        // Both are well again, and go on where they stopped.
        slow.answers(200, Duration::ZERO);
        down.come_up();
        try_again(&db).await;
        whole(&down.wait_for(newest), from, newest);
        whole(&slow.wait_for(newest), from + 1, newest);
        assert_eq!(listed(&keyrack, "down")["failing_since"], json!(null));
        stop(sender);
        // After a day it is said so, and nothing was skipped.
        let long_ago = if db.is_postgres() { "now() - interval '25 hours'" } else { "1" };
        db.execute_past_triggers("endpoints", &format!("UPDATE endpoints SET failing_since = {long_ago} WHERE name = 'down'")).await;
        assert_eq!(listed(&keyrack, "down")["state"], "failing");
    }

    async fn kr_16_killed_senders_lose_nothing_and_repeat_with_the_same_id(db) {
        // The long form: KEYRACK_KILLS=10000.
        let kills: usize = std::env::var("KEYRACK_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
        let keyrack = Script::furnished(&db, "voxpria");
        let service = db.open().await;
        let receiver = Receiver::start();
        let from = add(&keyrack, &db, "desk", &receiver, &[])["next"].as_i64().unwrap();
        // So slow that most are killed between the sending and the note of it.
        receiver.answers(200, Duration::from_millis(5));
        let (mut newest, mut repeats) = (0, 0);
        for kill in 0..kills {
            newest = change(&service, 4).await;
            let mut sender = sender(&keyrack);
            // Each dies at another point of its way.
            let before = receiver.got().len();
            let begun = std::time::Instant::now();
            while receiver.got().len() < before + 1 + kill % 3 && begun.elapsed() < Duration::from_secs(20) {
                std::thread::sleep(Duration::from_micros(300));
            }
            std::thread::sleep(Duration::from_micros((kill as u64 * 733) % 9_000));
            sender.kill().unwrap();
            sender.wait().unwrap();
            let_go(&db).await;
        }
        keyrack.ok(&["events", "send", "--once"]);
        repeats += whole(&receiver.wait_for(newest), from, newest);
        assert!(repeats > 0 || kills < 20, "nobody died between the sending and the note of it");
    }

    async fn kr_16_several_senders_share_the_work_and_send_nothing_twice(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        let service = db.open().await;
        let receivers = [Receiver::start(), Receiver::start()];
        let from = [("a", 0), ("b", 1)].map(|(name, n)| add(&keyrack, &db, name, &receivers[n], &[])["next"].as_i64().unwrap());
        let senders = [sender(&keyrack), sender(&keyrack), sender(&keyrack)];
        let newest = change(&service, 30).await;
        for (receiver, from) in receivers.iter().zip(from) {
            assert_eq!(whole(&receiver.wait_for(newest), from, newest), 0);
        }
        // One that is told to stop lets the others have what it had, at once.
        let [one, other, third] = senders;
        stop(one);
        stop(other);
        let newest = change(&service, 5).await;
        for (receiver, from) in receivers.iter().zip(from) {
            assert_eq!(whole(&receiver.wait_for(newest), from, newest), 0);
        }
        stop(third);
    }

    async fn kr_16_once_ends_with_6_while_an_endpoint_fails_though_no_try_is_due(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        let receiver = Receiver::start();
        add(&keyrack, &db, "desk", &receiver, &[]);
        receiver.answers(500, Duration::ZERO);
        assert_eq!(keyrack.run(&["events", "send", "--once"]).status.code(), Some(6));
        // As if it had failed for long: the next try is far.
        let far = if db.is_postgres() { "now() + interval '1 hour'" } else { "retry_at + 3600000000" };
        db.execute_past_triggers("endpoints", &format!("UPDATE endpoints SET retry_at = {far}")).await;
        let asked = receiver.got().len();
        let told = keyrack.run(&["events", "send", "--once"]);
        assert_eq!((told.status.code(), receiver.got().len()), (Some(6), asked), "{told:?}");
        receiver.answers(200, Duration::ZERO);
        try_again(&db).await;
        keyrack.ok(&["events", "send", "--once"]);
        keyrack.ok(&["events", "send", "--once"]);
    }

    async fn kr_16_no_proxy_is_asked_for_what_is_on_this_machine(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        let (receiver, proxy) = (Receiver::start(), Receiver::start());
        add(&keyrack, &db, "desk", &receiver, &[]);
        let mut command = keyrack.command(&["events", "send", "--once"]);
        for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
            command.env(name, proxy.url().trim_end_matches("/hook"));
        }
        let done = command.output().unwrap();
        assert!(done.status.success(), "{done:?}");
        assert_eq!((receiver.took().len(), proxy.got().len()), (1, 0));
    }

    async fn kr_16_a_history_that_is_another_one_is_said_and_a_secret_that_is_not_there(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        let receiver = Receiver::start();
        add(&keyrack, &db, "desk", &receiver, &[]);
        keyrack.ok(&["events", "send", "--once"]);
        assert_eq!(receiver.took().len(), 1);
        db.execute_past_triggers("endpoints", "UPDATE endpoints SET last_id = 'another'").await;
        keyrack.create("acme", "CI");
        assert_eq!(keyrack.run(&["events", "send", "--once"]).status.code(), Some(6));
        assert!(text(&listed(&keyrack, "desk"), "answer").contains("add it again with --from N"));
        std::fs::remove_file(db.dir().join("endpoint-secret")).unwrap();
        try_again(&db).await;
        assert_eq!(keyrack.run(&["events", "send", "--once"]).status.code(), Some(6));
        assert!(text(&listed(&keyrack, "desk"), "answer").contains("endpoint-secret can't be read"));
        assert_eq!(receiver.took().len(), 1);
    }
}
