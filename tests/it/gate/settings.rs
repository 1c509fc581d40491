//! What a gate is told in the settings holds as if flags had said it, and flags outrank it.

use std::os::unix::fs::PermissionsExt;

use crate::support::database::Database;
use crate::support::gate::{Gate, token};
use crate::support::http;
use crate::support::people::{keep, office, preset, scoped};
use crate::support::program;
use keyrack::domain::secret::{Body, PlainKey};
use keyrack::service::new_operation;
use serde_json::json;

/// The settings of this test's person.
fn tell(db: &Database, text: &str) {
    let folder = db.dir().join(".config/keyrack");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.toml"), text).unwrap();
}

/// A file with the token, and everything that a gate can be told, as flags and as a table.
fn whole(db: &Database, admin: u16) -> (Vec<String>, String) {
    let token = db.dir().join("token");
    std::fs::write(&token, "a-long-token\n").unwrap();
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o600)).unwrap();
    let token = token.display();
    let admin = format!("127.0.0.1:{admin}");
    let pairs = [
        ("listen", "127.0.0.1:0"),
        ("admin-listen", &admin),
        ("issuer", "voxpria"),
        ("trusted-proxy", "127.0.0.0/8"),
        ("header-names", "rewritten"),
        ("verify-from", "127.0.0.1"),
        ("name", "east"),
        ("lease", "2s"),
        ("keep-usage", "1d"),
        ("log-form", "json"),
    ];
    let numbers = [("cache", 10), ("connections", 50), ("unknown-keys", 2)];
    let mut flags = vec![format!("--verify-token-file={token}")];
    let mut table = format!("[gate]\nverify-token-file = \"{token}\"\n");
    for (name, value) in pairs {
        flags.push(format!("--{name}={value}"));
        table.push_str(&format!("{name} = \"{value}\"\n"));
    }
    for (name, value) in numbers {
        flags.push(format!("--{name}={value}"));
        table.push_str(&format!("{name} = {value}\n"));
    }
    (flags, table)
}

/// What can be seen of a gate from outside.
async fn seen(db: &Database, gate: &mut Gate, admin: u16, key: &PlainKey) -> Vec<String> {
    let admin = format!("127.0.0.1:{admin}").parse().unwrap();
    let question = json!({ "key": key.expose(), "scope": "calls:read" }).to_string();
    let verify = |headers: &[(&str, &str)]| gate.send("POST", "/api/v1/verify", headers, &question).status;
    let unknown = |n| PlainKey::make("vx_", Body::Base62Checksum, &[n; 32]);
    let other = PlainKey::make("vg_pat_", Body::Hex, &[1; 32]);
    let mut seen = vec![
        format!("passes: {}", gate.auth_with("GET", "/api/v1/calls", key).status),
        format!(
            "metrics: {} {}",
            gate.get("/metrics", &[]).status,
            http::send(admin, "GET", "/metrics", &[], "").status
        ),
        format!("verify: {} {}", verify(&[]), verify(&[("Authorization", "Bearer a-long-token")])),
        format!("other issuer: {}", gate.auth_with("GET", "/api/v1/calls", &other).status),
    ];
    let tried: Vec<u16> =
        (1..10).map(|n| gate.auth_with("GET", "/api/v1/calls", &unknown(n)).status).collect();
    seen.push(format!("unknown keys: {} then {}", tried[0], tried[8]));
    gate.wait_for_log("\"reason\":\"other-issuer\"");
    seen.push(format!("{:?}", db.texts("SELECT name FROM gates").await));
    seen.push(format!("{:?}", db.texts("SELECT cast(lease_ms AS text) FROM gates").await));
    seen
}

on_both! {
    async fn a_gate_is_told_by_the_settings_what_flags_would_tell_it(db) {
        let office = office(&db, preset("voxpria")).await;
        office.apply_policy(new_operation(), preset("voicegram")).await.unwrap();
        let key = keep(&office, scoped("acme", "calls:read")).await.secret;
        let admin = http::free_port();
        let (flags, table) = whole(&db, admin);
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let mut by_flags = Gate::told(&db, &flags);
        let expected = seen(&db, &mut by_flags, admin, &key).await;
        by_flags.stop();
        assert_eq!(expected[0], "passes: 200");
        assert_eq!(expected[1], "metrics: 404 200");
        assert_eq!(expected[2], "verify: 403 200");
        assert_eq!(expected[4], "unknown keys: 401 then 429");
        assert_eq!(expected[5..], ["[\"east\"]", "[\"2000\"]"]);

        tell(&db, &table);
        let mut by_table = Gate::told(&db, &[]);
        assert_eq!(seen(&db, &mut by_table, admin, &key).await, expected);
        by_table.stop();
    }

    async fn a_flag_and_a_variable_outrank_what_the_settings_tell_a_gate(db) {
        let office = office(&db, preset("voxpria")).await;
        let key = keep(&office, scoped("acme", "calls:read")).await.secret;
        tell(&db, "[gate]\nlisten = \"127.0.0.1:0\"\nname = \"east\"\ntrusted-proxy = [\"127.0.0.0/8\", \"10.0.0.0/8\"]\nlimits = \"redis://127.0.0.1:1\"\n");
        let mut gate = Gate::told(&db, &["--name", "west", "--trusted-proxy", "192.0.2.0/24", "--log-form", "json"]);
        assert_eq!(gate.auth_with("GET", "/api/v1/calls", &key).status, 403, "a list of a flag stands for the whole list");
        gate.wait_for_log("\"level\":\"WARN\"");
        assert_eq!(db.texts("SELECT name FROM gates").await, ["west"]);
        gate.stop();
        let token = token(db.dir());
        let variables = [("KEYRACK_GATE_NAME", "north"), ("KEYRACK_GATE_LISTEN", "127.0.0.1:0 127.0.0.1:0"), ("KEYRACK_GATE_VERIFY_TOKEN_FILE", &token)];
        let mut gate = Gate::told_with(&db, &[], &variables);
        assert_eq!(db.texts("SELECT name FROM gates").await, ["north"]);
        gate.wait("it listens twice", |log| (log.matches("listening").count() == 2).then_some(()));
        assert_eq!(gate.metric("keyrack_gate_limiter_up "), 0.0, "what nobody outranks holds");
        gate.stop();
    }

    async fn a_mistake_in_what_a_gate_is_told_has_its_place_and_stops_the_gate_alone(db) {
        let office = office(&db, preset("voxpria")).await;
        keep(&office, scoped("acme", "calls:read")).await;
        let address = db.address();
        let run = |args: &[&str]| program::run(db.dir(), [&["--db", &address], args].concat());
        for (table, place, word) in [
            ("[gate]\nlistne = \"127.0.0.1:0\"\n", "config.toml:2: ", "Did you mean `listen`?"),
            ("[gate]\n\nissuer = \"no slug\"\n", "config.toml:3: ", "HOST=SLUG"),
            ("[gate]\nissuer = \"voicegram\"\n", "config.toml:2: ", "has no issuer voicegram"),
            ("[gate]\nlimits = \"redis://:hunter22@localhost\"\n", "config.toml:2: ", "password"),
            ("[gate]\nlimits = \"http://localhost\"\n", "config.toml:2: ", "redis://host"),
            ("[gate]\nwebhook = \"http://example.com/\"\n", "config.toml:2: ", "https://"),
            ("[gate]\nverify-token-file = \"/nonexistent/token\"\n", "config.toml:2: ", "can't be read"),
            ("[gate]\nverify-token = \"hunter22\"\n", "config.toml:2: ", "`verify-token-file`"),
        ] {
            tell(&db, table);
            let refused = run(&["gate", "--listen", "127.0.0.1:0"]);
            let said = String::from_utf8_lossy(&refused.stderr).into_owned();
            assert_eq!(refused.status.code(), Some(2), "{said}");
            assert!(said.contains(place) && said.contains(word) && !said.contains("hunter22"), "{table}{said}");
            assert!(run(&["key", "list"]).status.success(), "others work all the same");
        }
        let doctor = run(&["doctor", "--json"]);
        let found: serde_json::Value = serde_json::from_slice(&doctor.stdout).unwrap();
        let gate = found.as_array().unwrap().iter().find(|finding| finding["what"] == "gate").unwrap();
        assert_eq!((doctor.status.code(), &gate["state"]), (Some(6), &json!("problem")));
        let info = program::json(db.dir(), ["--db", &address, "info", "--json"]);
        let of = |name: &str| info.as_array().unwrap().iter().find(|fact| fact["name"] == name).cloned();
        assert!(of("gate.mistake").unwrap()["value"].as_str().unwrap().contains("config.toml:2: "));
        assert_eq!(of("gate.lease").unwrap()["value"], "1s");
    }
}

#[test]
fn info_shows_what_a_gate_is_told_and_by_whom() {
    let db = Database::sqlite();
    tell(&db, "[gate]\nname = \"east\"\nwebhook = \"https://hooks.example/secret\"\n");
    let output =
        program::keyrack(db.dir(), ["info", "--json"]).env("KEYRACK_GATE_LEASE", "3s").output().unwrap();
    let info: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let of = |name: &str| info.as_array().unwrap().iter().find(|fact| fact["name"] == name).cloned().unwrap();
    assert_eq!(of("gate.name")["value"], "east");
    assert!(of("gate.name")["source"].as_str().unwrap().ends_with("config.toml:2"));
    assert_eq!(of("gate.webhook")["value"], "https://hooks.example/…");
    assert_eq!(
        (&of("gate.lease")["value"], &of("gate.lease")["source"]),
        (&json!("3s"), &json!("KEYRACK_GATE_LEASE"))
    );
    assert_eq!(of("gate.cache")["source"], "default");
}
