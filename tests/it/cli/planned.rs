//! KR-18 in commands: keys that begin and end by a plan.

use serde_json::Value;

use crate::support::script::{Script, text, texts};

on_both! {
    async fn kr_18_a_plan_is_made_moved_shown_and_cancelled(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        let made = keyrack.json(&[
            "key", "create", "--account", "acme", "--name", "Auditor", "--scope", "calls:read", "--expires", "90d",
            "--not-before", "2d", "--revoke-at", "30d",
        ]);
        let id = text(&made, "id");
        assert_eq!((&made["status"], made["not_before"].is_null(), made["revoke_at"].is_null()), (&"planned".into(), false, false));
        let shown = |id: &str| keyrack.json(&["key", "show", id]);
        assert_eq!(shown(id)["planned_by"], shown(id)["created_by"]);
        assert_eq!(keyrack.keys("status:planned").len(), 1);
        assert_eq!(keyrack.keys("expires:<31d").len(), 1);
        let told = texts(&keyrack.run(&["explain", id])).0;
        assert!(told.contains("works from"), "{told}");
        let own = shown(id)["expires_at"].clone();
        // The difference, as for any edit.
        let edited = keyrack.json(&["key", "edit", id, "--not-before", "none", "--revoke-at", "+7d", "--yes"]);
        let changed = edited[0]["changed"].as_object().unwrap();
        assert_eq!(changed.keys().collect::<Vec<_>>(), ["not_before", "revoke_at"]);
        assert_eq!((&changed["not_before"][1], &shown(id)["expires_at"]), (&Value::Null, &own));
        assert_eq!(shown(id)["status"], "active");
        let listed = keyrack.ok(&["key", "list"]);
        assert!(listed.contains("revoked in "), "{listed}");
        let told = keyrack.ok(&["key", "revoke", id, "--at", "12h", "--reason", "contract ends", "--dry-run"]);
        assert!(told.contains("Nothing was changed") || told.contains("revoke_at"), "{told}");
        keyrack.ok(&["key", "revoke", id, "--at", "12h", "--reason", "contract ends", "--yes"]);
        let key = shown(id);
        assert_eq!((&key["status"], &key["plan_reason"]), (&"active".into(), &"contract ends".into()));
        assert!(key["revoked_at"].is_null());
        keyrack.ok(&["key", "edit", id, "--revoke-at", "none", "--yes"]);
        let key = shown(id);
        assert_eq!((&key["revoke_at"], &key["plan_reason"], &key["expires_at"]), (&Value::Null, &Value::Null, &own));
        keyrack.ok(&["audit", "verify"]);
    }

    async fn kr_18_a_plan_that_cannot_be_is_told_and_changes_nothing(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        let create = |more: &[&str]| {
            let mut args = vec!["key", "create", "--account", "acme", "--name", "x", "--scope", "calls:read", "--expires", "30d"];
            args.extend(more);
            keyrack.refused(2, &args)
        };
        assert!(create(&["--not-before", "soon"]).contains("--not-before"));
        assert!(create(&["--revoke-at", "yesterday"]).contains("--revoke-at"));
        assert!(create(&["--revoke-at", "31d"]).contains("before the key expires"));
        assert!(create(&["--not-before", "5d", "--revoke-at", "5d"]).contains("before the planned revocation"));
        assert!(keyrack.keys("").is_empty());
        let made = keyrack.create("acme", "one");
        let told = keyrack.refused(2, &["key", "edit", text(&made, "id"), "--revoke-at", "+3d", "--yes"]);
        assert!(told.contains("nothing is planned yet"), "{told}");
        let told = keyrack.refused(2, &["key", "revoke", text(&made, "id"), "--at", "never", "--yes"]);
        assert!(told.contains("--at"), "{told}");
    }

    async fn kr_18_verify_finds_a_plan_that_was_changed_past_the_program(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        let now = if db.is_postgres() { "now() + interval '1 day' *" } else { "1893456000000000 + 86400000000 *" };
        let key = |name: &str, more: &[&str]| {
            let mut args = vec!["key", "create", "--account", "acme", "--name", name, "--scope", "calls:read"];
            args.extend(more);
            keyrack.json(&args)
        };
        key("begun", &["--not-before", "2d"]);
        key("ending", &["--revoke-at", "7d"]);
        key("usual", &[]);
        keyrack.ok(&["audit", "verify"]);
        for (name, set, kind) in [
            ("begun", "not_before = NULL".to_owned(), "key.plan"),
            ("ending", "revoke_at = NULL, planned_by = NULL, expires_at = NULL".to_owned(), "key.plan"),
            ("usual", format!("revoke_at = {now} 9, expires_at = {now} 9, planned_by = 'ada'"), "key.plan"),
        ] {
            let id = "IN (SELECT id FROM keys WHERE name =";
            db.execute_past_triggers("key_auth", &format!("UPDATE key_auth SET {set} WHERE id {id} '{name}')")).await;
            let (out, err) = texts(&keyrack.run(&["audit", "verify", "-o", "json"]));
            assert!(out.contains(kind) || err.contains(kind), "{name}: {out}{err}");
        }
    }
}
