//! Revoking from the command line.

use crate::support::script::{Script, failed, succeeded, text};
use serde_json::Value;

/// The statuses of all keys of `acme`, by name.
fn statuses(keyrack: &Script<'_>) -> Vec<(String, String)> {
    let mut all: Vec<_> = keyrack
        .keys("account:acme status:active,revoked,expired,abandoned")
        .iter()
        .map(|key| (text(key, "name").to_owned(), text(key, "status").to_owned()))
        .collect();
    all.sort();
    all
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, status)| ((*name).to_owned(), (*status).to_owned())).collect()
}

on_both! {
    async fn vi_07_revoking_one_key_leaves_the_others_working(db) {
        let keyrack = Script::furnished(&db, "voiceinfra");
        keyrack.create("acme", "one");
        let two = keyrack.create("acme", "two");
        let revoked = keyrack.json(&["key", "revoke", text(&two, "id"), "--reason", "leaked", "--yes"]);
        assert_eq!(revoked[0]["id"], two["id"]);
        assert_eq!(text(&revoked[0], "status"), "revoked");
        assert!(text(&revoked[0], "revoked_at").ends_with('Z'));
        assert_eq!(statuses(&keyrack), pairs(&[("one", "active"), ("two", "revoked")]));
        let shown = keyrack.json(&["key", "show", text(&two, "id")]);
        assert_eq!(text(&shown, "revoke_reason"), "leaked");
        // Once more changes nothing and says so.
        let again = keyrack.json(&["key", "revoke", text(&two, "id"), "--yes"]);
        assert_eq!((&again[0]["already"], &again[0]["revoked_at"]), (&Value::Bool(true), &revoked[0]["revoked_at"]));
    }

    async fn vp_26_without_anybody_to_ask_a_revocation_needs_a_yes(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        let key = keyrack.create("acme", "one");
        for args in [vec!["key", "revoke", text(&key, "id")], vec!["key", "revoke", "--filter", "account:acme"]] {
            assert!(keyrack.refused(2, &args).contains("--yes"));
        }
        assert_eq!(statuses(&keyrack), pairs(&[("one", "active")]));
    }

    async fn a_dry_run_shows_what_would_be_and_changes_nothing(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        let key = keyrack.create("acme", "one");
        let id = text(&key, "id");
        let rows = keyrack.json(&["audit", "list"]);
        for args in [
            vec!["key", "revoke", id], vec!["key", "rotate", id], vec!["account", "suspend", "acme"],
            vec!["key", "create", "--account", "acme", "--name", "two"], vec!["operator", "set", "bob", "admin"],
            vec!["issuer", "apply", "-"], vec!["key", "acknowledge", id],
            vec!["account", "create", "--issuer", "voicegram", "--slug", "new", "--name", "New", "--admin", "a@b.example"],
        ] {
            let policy = keyrack.ok(&["issuer", "show", "voicegram"]);
            let output = keyrack.run_with_input(&[&args[..], &["--dry-run"]].concat(), &policy);
            assert_eq!(succeeded(&args, &output), "", "{args:?}");
            assert!(String::from_utf8_lossy(&output.stderr).contains("ould"), "{args:?}");
        }
        assert_eq!(keyrack.json(&["audit", "list"]), rows);
    }

    async fn an_exposed_secret_on_standard_input_names_the_key_to_revoke(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        let key = keyrack.create("acme", "exposed");
        keyrack.create("acme", "other");
        let args = ["key", "revoke", "--secret-stdin", "--yes", "--json"];
        let output = keyrack.run_with_input(&args, format!("{}\n", text(&key, "secret")));
        let revoked: Value = serde_json::from_str(&succeeded(&args, &output)).unwrap();
        assert_eq!(revoked[0]["id"], key["id"]);
        assert_eq!(statuses(&keyrack), pairs(&[("exposed", "revoked"), ("other", "active")]));
        let unknown = format!("vg_pat_{}", "0".repeat(64));
        assert!(!failed(3, &args, &keyrack.run_with_input(&args, &unknown)).contains(&unknown));
        failed(2, &args, &keyrack.run_with_input(&args, "\n"));
    }

    async fn a_part_of_an_id_or_the_last_four_name_a_key_if_no_other_has_them(db) {
        let keyrack = Script::furnished(&db, "voiceinfra");
        let key = keyrack.create("acme", "one");
        keyrack.create("acme", "two");
        let preview = text(&key, "preview");
        let tail: String = preview.chars().skip(preview.chars().count() - 4).collect();
        assert_eq!(keyrack.json(&["key", "show", &tail])["id"], key["id"]);
        assert_eq!(keyrack.json(&["key", "show", &text(&key, "id")[24..]])["id"], key["id"]);
        // Ids that were made together begin alike.
        let told = keyrack.refused(2, &["key", "revoke", &text(&key, "id")[..6], "--yes"]);
        assert!(told.contains("matches 2 keys"), "{told}");
        keyrack.refused(3, &["key", "revoke", "one", "--yes"]);
        assert_eq!(statuses(&keyrack), pairs(&[("one", "active"), ("two", "active")]));
    }

    async fn va_13_all_keys_that_a_departed_person_created_go_together(db) {
        let keyrack = Script::furnished(&db, "voiceinfra");
        for name in ["one", "two", "three"] {
            keyrack.create("acme", name);
        }
        let me = text(&keyrack.keys("")[0], "created_by").to_owned();
        let filter = format!("by:{me} status:active");
        assert_eq!(keyrack.keys(&filter).len(), 3);
        let revoked = keyrack.json(&["key", "revoke", "--filter", &filter, "--reason", "left", "--yes"]);
        assert_eq!(revoked.as_array().unwrap().len(), 3);
        assert_eq!(keyrack.keys(&filter).len(), 0);
        assert_eq!(keyrack.json(&["key", "revoke", "--filter", &filter, "--yes"]), serde_json::json!([]));
        assert!(keyrack.refused(2, &["key", "revoke", "--filter", " ", "--yes"]).contains("every key"));
    }

    async fn vp_29_vi_13_unused_idle_and_overdue_keys_are_listed_and_revoked_from_that_list(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        keyrack.create("acme", "old");
        crate::support::people::age(&db, 91 * 86_400).await;
        keyrack.create("acme", "young");
        for filter in ["rotation:due", "idle:30d", "used:never created:>90d"] {
            let names: Vec<Value> = keyrack.keys(filter).iter().map(|key| key["name"].clone()).collect();
            assert_eq!(names, ["old"], "{filter}");
        }
        assert_eq!(keyrack.keys("used:never").len(), 2);
        keyrack.ok(&["key", "revoke", "--filter", "idle:30d", "--yes"]);
        assert_eq!(statuses(&keyrack), pairs(&[("old", "revoked"), ("young", "active")]));
    }

    async fn many_keys_of_a_filter_are_revoked_in_batches(db) {
        let keyrack = Script::on(&db);
        keyrack.ok(&["demo", "--keys", "1300", "--seed", "3"]);
        let working = keyrack.keys("status:active").len();
        assert!(working > 500, "{working}");
        let revoked = keyrack.json(&["key", "revoke", "--filter", "status:active", "--yes"]);
        assert_eq!(revoked.as_array().unwrap().len(), working);
        assert!(revoked.as_array().unwrap().iter().all(|key| key["status"] == "revoked"));
        assert_eq!(keyrack.keys("status:active").len(), 0);
        keyrack.ok(&["audit", "verify"]);
    }
}
