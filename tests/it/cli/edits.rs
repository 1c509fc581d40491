//! KR-10 and KR-18 in commands: an edit holds for what was shown, and a new key is like another one but for its secret.

use serde_json::{Value, json};

use crate::support::pty::Start;
use crate::support::script::{Script, text};

on_both! {
    async fn kr_10_a_key_changed_between_the_list_and_the_yes_is_not_edited(db) {
        let keyrack = Script::furnished(&db, "voiceinfra");
        let keys = ["one", "two"].map(|name| keyrack.create("acme", name));
        for key in &keys {
            keyrack.ok(&["key", "confirm", text(key, "id")]);
        }
        let args = ["key", "edit", "--filter", "account:acme", "--owner", "Data Team"];
        let mut terminal = Start::new(db.dir()).on(&db.address()).size(120, 40).args(args).spawn();
        terminal.wait_for("owner: none → Data Team");
        terminal.wait_for("Type the number 2");
        keyrack.ok(&["key", "edit", text(&keys[1], "id"), "--description", "for the hub", "--yes"]);
        terminal.type_text("2\r");
        terminal.wait_for("a key is another one since this list was read");
        terminal.wait_for("\"two\" of acme was changed");
        assert_eq!(keyrack.keys("owner:none").len(), 2, "nothing was edited");
        terminal.wait_for("Type the number 2");
        terminal.type_text("2\r");
        terminal.wait_for("2 keys were edited");
        // No gate decides by an owner: none is asked for.
        assert!(!terminal.text().contains("gate"), "{}", terminal.text());
        assert!(terminal.wait_for_exit(std::time::Duration::from_secs(10)).success());
        let edited = keyrack.keys("owner:\"data team\"");
        assert_eq!(edited.len(), 2);
        assert_eq!(keyrack.json(&["key", "show", text(&keys[1], "id")])["description"], "for the hub");
        keyrack.ok(&["audit", "verify"]);
    }

    async fn kr_18_a_new_key_is_like_another_one_but_for_name_and_secret(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        let first = keyrack.json(&[
            "key", "create", "--account", "acme", "--name", "CI", "--description", "builds", "--scope", "calls:read,calls:write",
            "--expires", "30d", "--allow", "203.0.113.0/24", "--owner", "Ada", "--owner-mail", "ada@acme.example", "--tag", "prod",
            "--budget", "100/1m",
        ]);
        let id = text(&first, "id");
        let second = keyrack.json(&["key", "create", "--like", id]);
        assert_eq!(second["name"], "CI (2)");
        assert_eq!(keyrack.json(&["key", "create", "--like", id])["name"], "CI (3)");
        let shown = |id: &str| keyrack.json(&["key", "show", id]);
        let (one, two) = (shown(id), shown(text(&second, "id")));
        for field in ["account", "issuer", "description", "scopes", "allow", "owner", "owner_mail", "tags", "limits"] {
            assert_eq!(one[field], two[field], "{field}");
        }
        assert_ne!(first["secret"], second["secret"]);
        let life = |key: &Value| {
            let at = |field: &str| text(key, field).parse::<chrono::DateTime<chrono::Utc>>().unwrap();
            at("expires_at") - at("created_at")
        };
        assert_eq!(life(&one), life(&two), "as far away as the first one's was");
        // What is told goes before; the name of the first is nobody else's.
        let told = ["key", "create", "--like", id, "--name", "Other", "--account", "globex", "--scope", "calls:read", "--expires", "never"];
        let third = keyrack.json(&told);
        let third = shown(text(&third, "id"));
        assert_eq!((&third["account"], &third["scopes"]), (&json!("globex"), &json!(["calls:read"])));
        assert_eq!((&third["expires_at"], &third["description"]), (&Value::Null, &json!("builds")));
        assert!(keyrack.refused(2, &["key", "create", "--like", id, "--name", "CI"]).contains("\"CI (4)\""));
        keyrack.refused(3, &["key", "create", "--like", "nothing-has-this"]);
        keyrack.refused(2, &["key", "create", "--name", "alone"]);
        let count = keyrack.keys("").len();
        keyrack.ok(&["key", "create", "--like", id, "--dry-run"]);
        assert_eq!(keyrack.keys("").len(), count);
        keyrack.ok(&["audit", "verify"]);
    }
}
