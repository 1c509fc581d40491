//! KR-11 by commands: `keyrack rotation list|close|extend`.

use serde_json::Value;

use crate::support::script::{Script, text};

fn rows(keyrack: &Script<'_>, filter: &[&str]) -> Vec<Value> {
    let args = [&["rotation", "list"][..], filter].concat();
    keyrack.json(&args).as_array().unwrap().clone()
}

/// Keys of these names, each with its replacement.
fn rotated(keyrack: &Script<'_>, names: &[&str]) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for name in names {
        let old = keyrack.create("acme", name);
        keyrack.ok(&["key", "confirm", text(&old, "id")]);
        let new = keyrack.json(&["key", "rotate", text(&old, "id"), "--overlap", "24h"]);
        pairs.push((text(&old, "id").to_owned(), text(&new, "id").to_owned()));
    }
    pairs
}

on_both! {
    async fn kr_11_overlaps_are_listed_closed_and_extended_by_commands(db) {
        let keyrack = Script::furnished(&db, "voiceinfra");
        assert!(rows(&keyrack, &[]).is_empty());
        let none = keyrack.run(&["rotation", "list"]);
        assert!(String::from_utf8_lossy(&none.stderr).contains("No overlap is open. `keyrack key rotate ID`"), "{none:?}");
        let pairs = rotated(&keyrack, &["one", "two", "three"]);
        let listed = rows(&keyrack, &[]);
        assert_eq!(listed.len(), 3);
        let one = listed.iter().find(|row| text(row, "id") == pairs[0].0).unwrap();
        assert_eq!((text(one, "name"), text(one, "replacement_id"), text(one, "replacement_status")), ("one", pairs[0].1.as_str(), "active"));
        assert!(one["ends_at"].is_string() && one["rotated_at"].is_string() && one["rotated_by"].is_string(), "{one}");
        assert_eq!((&one["requests_last_hour"], &one["silent_seconds"], &one["networks"]), (&0.into(), &Value::Null, &Value::Array(vec![])));
        assert_eq!(rows(&keyrack, &["--filter", "name:=two"]).len(), 1);
        assert_eq!(rows(&keyrack, &["--limit", "2"]).len(), 2);
        assert_eq!(rows(&keyrack, &[&pairs[0].0, &pairs[1].1]).len(), 1, "a replacement is no old key");
        let table = keyrack.ok(&["rotation", "list"]);
        assert!(table.contains("OLD KEY USED") && table.contains("never used"), "{table}");

        let dry = keyrack.run(&["rotation", "close", "--filter", "account:acme", "--dry-run"]);
        let told = String::from_utf8_lossy(&dry.stderr).into_owned();
        assert!(dry.status.success() && told.contains("Would close the overlaps of 3 keys. Nothing was changed."), "{told}");
        assert!(told.contains("\"one\": the old key never used, no request in an hour"), "{told}");
        assert_eq!(rows(&keyrack, &[]).len(), 3);
        keyrack.refused(2, &["rotation", "close", &pairs[0].0]);
        let closed = keyrack.json(&["rotation", "close", &pairs[0].0, "--yes"]);
        assert_eq!((text(&closed[0], "status"), text(&closed[0], "id")), ("revoked", pairs[0].0.as_str()));
        assert!(closed[0]["gates"].is_array());
        assert_eq!(text(&keyrack.json(&["key", "show", &pairs[0].1]), "status"), "active");
        for (id, words) in [(&pairs[0].0, "it is already revoked"), (&pairs[1].1, "it is the replacement")] {
            let refused = keyrack.refused(5, &["rotation", "close", id, "--yes"]);
            assert!(refused.contains("is not in an overlap") && refused.contains(words), "{refused}");
        }

        let before = text(&rows(&keyrack, &["--filter", "name:=two"])[0], "ends_at").to_owned();
        let extended = keyrack.json(&["rotation", "extend", &pairs[1].0, "--by", "48h", "--yes"]);
        assert_eq!(text(&extended[0], "was_ends_at"), before);
        assert!(text(&extended[0], "ends_at") > before.as_str());
        let refused = keyrack.refused(2, &["rotation", "extend", &pairs[1].0, "--by", "7d", "--yes"]);
        assert!(refused.contains("an overlap lasts 7d at most"), "{refused}");
        keyrack.refused(2, &["rotation", "extend", &pairs[1].0, "--by", "soon", "--yes"]);
        let ids = format!("{}\n{} # three\n", pairs[1].0, pairs[2].0);
        let args = ["rotation", "close", "--ids-from", "-", "--yes", "--reason", "all have moved"];
        assert!(keyrack.run_with_input(&args, ids).status.success());
        assert!(rows(&keyrack, &[]).is_empty());
        assert_eq!(text(&keyrack.json(&["key", "show", &pairs[2].0]), "revoke_reason"), "all have moved");
        let none = keyrack.run(&["rotation", "close", "--filter", "account:acme", "--yes"]);
        assert!(String::from_utf8_lossy(&none.stderr).contains("There is no matching overlap to close"), "{none:?}");
        keyrack.ok(&["audit", "verify"]);
    }

    async fn kr_11_filters_find_both_sides_of_an_overlap(db) {
        let keyrack = Script::furnished(&db, "voiceinfra");
        let pairs = rotated(&keyrack, &["one"]);
        keyrack.create("acme", "alone");
        let ids = |filter: &str| -> Vec<String> {
            keyrack.keys(filter).iter().map(|key| text(key, "id").to_owned()).collect()
        };
        assert_eq!(ids("overlap:old"), [pairs[0].0.clone()]);
        assert_eq!(ids("overlap:new"), [pairs[0].1.clone()]);
        assert_eq!(ids("replaces:yes"), [pairs[0].1.clone()]);
        assert_eq!(ids("overlap:open").len(), 2);
        assert_eq!(text(&keyrack.keys("overlap:old")[0], "overlap"), "old");
        assert_eq!(text(&keyrack.keys("overlap:new")[0], "overlap"), "new");
        assert_eq!(keyrack.keys("name:alone")[0]["overlap"], Value::Null);
        assert!(keyrack.refused(2, &["key", "list", "--filter", "overlap:both"]).contains("write old, new or open"));
    }
}
