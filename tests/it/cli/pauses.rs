//! Pauses, freezes and stops of creation as commands.

use crate::support::people::{make_kept, office, preset};
use crate::support::script::{Script, text};

fn statuses(keyrack: &Script, filter: &str) -> Vec<(String, String)> {
    let keys = keyrack.keys(filter);
    let mut all: Vec<_> =
        keys.iter().map(|key| (text(key, "name").to_owned(), text(key, "status").to_owned())).collect();
    all.sort();
    all
}

fn named(status: &str, names: &[&str]) -> Vec<(String, String)> {
    names.iter().map(|name| ((*name).to_owned(), status.to_owned())).collect()
}

on_both! {
    async fn kr_05_keys_are_paused_and_resumed_by_id_filter_and_list(db) {
        let service = office(&db, preset("voxpria")).await;
        let mut ids = Vec::new();
        for name in ["one", "three", "two"] {
            ids.push(make_kept(&service, "acme", name).await.key.id.to_string());
        }
        let keyrack = Script::on(&db);
        let paused = keyrack.json(&["key", "pause", "--filter", "account:acme", "--for", "2h", "--message", "Call us", "--reason", "a leak", "--yes"]);
        let paused = paused.as_array().unwrap();
        assert_eq!(paused.len(), 3);
        for one in paused {
            assert_eq!((text(one, "status"), text(one, "message"), text(one, "reason")), ("paused", "Call us", "a leak"), "{one}");
            assert!(one["changed"] == true && one["paused_until"].is_string(), "{one}");
        }
        assert_eq!(statuses(&keyrack, "status:paused"), named("paused", &["one", "three", "two"]));
        // A dry run changes nothing, and a second pause may be shorter.
        keyrack.ok(&["key", "resume", &ids[0], "--dry-run"]);
        assert_eq!(statuses(&keyrack, "status:paused").len(), 3);
        keyrack.ok(&["key", "resume", &ids[0], "--yes"]);
        assert_eq!(statuses(&keyrack, "status:active"), named("active", &["one"]));
        let list = format!("{}\n{}\n", ids[1], ids[2]);
        let resumed = keyrack.run_with_input(&["key", "resume", "--ids-from", "-", "--yes", "--json"], &list);
        assert!(resumed.status.success(), "{}", String::from_utf8_lossy(&resumed.stderr));
        assert_eq!(statuses(&keyrack, "status:active").len(), 3);
        for (args, code, words) in [
            (vec!["key", "pause", &ids[0], "--for", "8d", "--yes"], 2, "allows at most 7 days"),
            (vec!["key", "pause", &ids[0], "--for", "1h", "--until", "2h", "--yes"], 2, "--until"),
            (vec!["key", "pause", &ids[0], "--until", "yesterday", "--yes"], 2, "past"),
            (vec!["key", "pause", &ids[0], "--until", "noon", "--yes"], 2, "18:00"),
        ] {
            let output = keyrack.run(&args);
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(code), "{args:?}: {told}");
            assert!(told.contains(words), "{args:?}: {told}");
        }
        assert_eq!(statuses(&keyrack, "status:active").len(), 3, "what was refused changed nothing");
        // A time of the day is the next one.
        let until = keyrack.json(&["key", "pause", &ids[0], "--until", "00:00", "--yes"]);
        let until = chrono::DateTime::parse_from_rfc3339(text(&until[0], "paused_until")).unwrap();
        let left = until.to_utc() - service.now().await.unwrap();
        assert!(left > chrono::TimeDelta::seconds(-5) && left <= chrono::TimeDelta::hours(24), "{left}");
        keyrack.ok(&["key", "revoke", &ids[0], "--yes"]);
        assert_eq!(keyrack.run(&["key", "pause", &ids[0], "--yes"]).status.code(), Some(5), "what has ended");
        keyrack.ok(&["audit", "verify"]);
    }

    async fn kr_05_a_freeze_and_a_stop_hold_until_they_are_lifted(db) {
        let service = office(&db, preset("voxpria")).await;
        make_kept(&service, "acme", "one").await;
        make_kept(&service, "globex", "other").await;
        let keyrack = Script::on(&db);
        let freeze = keyrack.json(&["freeze", "add", "--filter", "account:acme", "--for", "1h", "--reason", "a leak", "--yes"]);
        assert_eq!((&freeze["n"], &freeze["holds"]), (&serde_json::json!(1), &serde_json::json!(true)), "{freeze}");
        make_kept(&service, "acme", "later").await;
        assert_eq!(statuses(&keyrack, "status:paused"), named("paused", &["later", "one"]));
        let listed = keyrack.json(&["freeze", "list"]);
        assert_eq!((listed.as_array().unwrap().len(), text(&listed[0], "target")), (1, "account:acme"), "{listed}");
        let refused = keyrack.run(&["freeze", "add", "--filter", "status:active", "--yes"]);
        assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("owner, tag"));
        keyrack.ok(&["freeze", "lift", "1", "--yes"]);
        assert!(statuses(&keyrack, "status:paused").is_empty());
        assert_eq!(keyrack.json(&["freeze", "list"]).as_array().unwrap().len(), 0);

        keyrack.ok(&["creation", "stop", "--account", "acme", "--for", "1h", "--message", "not today", "--yes"]);
        let made = keyrack.run(&["key", "create", "--account", "acme", "--name", "new"]);
        let told = String::from_utf8_lossy(&made.stderr).into_owned();
        assert_eq!(made.status.code(), Some(5), "{told}");
        assert!(told.contains("not today"), "{told}");
        keyrack.create("globex", "elsewhere");
        keyrack.ok(&["creation", "allow", "--account", "acme", "--yes"]);
        keyrack.create("acme", "new");
        keyrack.ok(&["audit", "verify"]);
    }
}
