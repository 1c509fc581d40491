//! What the command line lists, and in which form.

use std::collections::BTreeSet;

use crate::support::script::{Script, text};
use serde_json::Value;

const PROMISED: [&str; 15] = [
    "id",
    "account",
    "issuer",
    "name",
    "description",
    "preview",
    "scopes",
    "allow",
    "created_at",
    "created_by",
    "expires_at",
    "last_used_at",
    "status",
    "revoked_at",
    "acknowledged_at",
];

fn ids(keys: &[Value]) -> Vec<&str> {
    keys.iter().map(|key| text(key, "id")).collect()
}

on_both! {
    async fn key_list_as_json_has_the_promised_members_and_utc_times(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        keyrack.json(&[
            "key", "create", "--account", "acme", "--name", "CI", "--description", "builds", "--scope", "calls:read",
            "--scope", "agents:read", "--expires", "30d", "--allow", "203.0.113.7,2001:db8::/32",
        ]);
        let keys = keyrack.keys("");
        let key = &keys[0];
        for member in PROMISED {
            assert!(key.get(member).is_some(), "{member} is missing in {key}");
        }
        for member in ["created_at", "expires_at", "acknowledged_at"] {
            let at = text(key, member);
            assert!(at.ends_with('Z') && at.parse::<chrono::DateTime<chrono::Utc>>().is_ok(), "{member}: {at}");
        }
        assert_eq!(key["scopes"], serde_json::json!(["agents:read", "calls:read"]));
        assert_eq!(key["allow"], serde_json::json!(["203.0.113.7/32", "2001:db8::/32"]));
        assert_eq!(key["status"], "active");
        assert_eq!(key["revoked_at"], Value::Null);
        assert_eq!((text(key, "account"), text(key, "issuer")), ("acme", "voxpria"));
    }

    async fn vg_03_no_list_in_any_form_shows_a_secret(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        let secret = text(&keyrack.create("acme", "deploy"), "secret").to_owned();
        let id = text(&keyrack.keys("")[0], "id").to_owned();
        let body = &secret[secret.len() - 20..];
        for form in ["table", "wide", "json", "ndjson", "csv"] {
            for args in [
                vec!["key", "list"], vec!["key", "show", &id], vec!["audit", "list"], vec!["account", "list"],
                vec!["issuer", "list"], vec!["info"], vec!["doctor"],
            ] {
                let output = keyrack.run(&[&args[..], &["--output", form]].concat());
                let (stdout, stderr) = crate::support::script::texts(&output);
                // The tests' PostgreSQL trades durability for speed, which the doctor rightly calls a problem.
                assert!(output.status.success() || args == ["doctor"], "{args:?} {form}: {stderr}");
                assert!(!stdout.contains(body) && !stderr.contains(body), "{args:?} {form} shows the secret");
            }
        }
    }

    async fn pages_by_limit_and_cursor_join_into_the_whole_list(db) {
        let keyrack = Script::on(&db);
        keyrack.ok(&["demo", "--keys", "137", "--seed", "5"]);
        for sort in ["created", "name:desc", "expires", "used:desc", "status", "scopes", "account", "preview", "by"] {
            let whole = sorted(&keyrack, sort);
            assert!(whole.len() > 100, "{}", whole.len());
            let mut joined = Vec::new();
            let mut after: Option<String> = None;
            loop {
                let mut args = vec!["key", "list", "--sort", sort, "--limit", "50", "--output", "ndjson"];
                if let Some(cursor) = &after {
                    args.extend(["--after", cursor]);
                }
                let output = keyrack.run(&args);
                let (stdout, stderr) = crate::support::script::texts(&output);
                assert!(output.status.success(), "{args:?}: {stderr}");
                joined.extend(stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
                match stderr.split_once("--after '") {
                    Some((_, rest)) => after = Some(rest.split('\'').next().unwrap().to_owned()),
                    None => break,
                }
            }
            assert_eq!(ids(&joined), ids(&whole), "sorted by {sort}");
        }
    }

    async fn vg_10_an_expiry_is_never_by_default_or_30_90_365_days_or_any_instant(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        let made = |expires: &[&str]| {
            keyrack.json(&[&["key", "create", "--account", "acme", "--name", "x"], expires].concat())
        };
        assert_eq!(made(&[])["expires_at"], Value::Null);
        assert_eq!(made(&["--expires", "never"])["expires_at"], Value::Null);
        for (word, days) in [("30d", 30), ("90d", 90), ("1y", 365)] {
            let key = made(&["--expires", word]);
            let at = |member| text(&key, member).parse::<chrono::DateTime<chrono::Utc>>().unwrap();
            assert_eq!(at("expires_at") - at("created_at"), chrono::Duration::days(days), "{word}");
        }
        let key = made(&["--expires", "2999-01-31T12:00:00Z"]);
        assert_eq!(text(&key, "expires_at"), "2999-01-31T12:00:00Z");
        let past = keyrack.refused(2, &["key", "create", "--account", "acme", "--name", "x", "--expires", "2001-01-01"]);
        assert!(past.contains("--expires"), "{past}");
    }

    async fn vp_21_names_hold_any_printable_unicode_and_come_back_as_they_were(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        let names = ["Production Server – Main App", "本番サーバー", "Кирилл «Ё»", "naïve 🚀 \"quoted\" \\ 'single'"];
        for name in names {
            keyrack.create("acme", name);
        }
        let listed: BTreeSet<String> =
            keyrack.keys("").iter().map(|key| text(key, "name").to_owned()).collect();
        assert_eq!(listed, names.map(str::to_owned).into());
    }

    async fn csv_guards_formulas_and_quotes_what_needs_it(db) {
        let keyrack = Script::furnished(&db, "voiceinfra");
        for name in ["=HYPERLINK(1)", "+1", "-1", "@x", "plain, with comma"] {
            keyrack.create("acme", name);
        }
        let csv = keyrack.ok(&["key", "list", "--output", "csv", "--sort", "created:asc"]);
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let at = reader.headers().unwrap().iter().position(|head| head == "name").unwrap();
        let names: Vec<String> = reader.records().map(|record| record.unwrap()[at].to_owned()).collect();
        assert_eq!(names, ["'=HYPERLINK(1)", "'+1", "'-1", "'@x", "plain, with comma"]);
        // And every one of them comes back whole.
        for name in ["＝1+1", "'=1", "'tis", "＠x"] {
            keyrack.create("acme", name);
        }
        let csv = keyrack.ok(&["key", "list", "--output", "csv"]);
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let read = |record: csv::StringRecord| record[at].strip_prefix('\'').unwrap_or(&record[at]).to_owned();
        let mut back: Vec<String> = reader.records().map(|record| read(record.unwrap())).collect();
        let mut names: Vec<String> =
            keyrack.keys("").iter().map(|key| text(key, "name").to_owned()).collect();
        back.sort();
        names.sort();
        assert_eq!(back, names);
    }

    async fn an_empty_list_is_still_a_list(db) {
        let keyrack = Script::on(&db);
        keyrack.ok(&["migrate"]);
        assert_eq!(keyrack.json(&["key", "list"]), serde_json::json!([]));
        assert_eq!(keyrack.ok(&["key", "list", "--output", "ndjson"]), "");
        assert!(keyrack.ok(&["key", "list", "--output", "csv"]).starts_with("id,account,issuer,name,"));
        assert_eq!(keyrack.json(&["account", "list"]), serde_json::json!([]));
    }

    async fn accounts_and_operators_are_listed_with_their_standing_and_role(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        keyrack.create("acme", "one");
        let accounts = keyrack.json(&["account", "list"]);
        assert_eq!(accounts[0]["slug"], "acme");
        assert_eq!(accounts[0]["active_keys"], 1);
        assert_eq!(accounts[1]["standing"], "good");
        keyrack.ok(&["operator", "set", "grace", "viewer"]);
        let operators = keyrack.json(&["operator", "list"]);
        let roles: Vec<&str> = operators.as_array().unwrap().iter().map(|one| text(one, "role")).collect();
        assert_eq!(roles.len(), 2);
        assert!(roles.contains(&"admin") && roles.contains(&"viewer"));
        keyrack.ok(&["operator", "remove", "grace", "--yes"]);
        assert_eq!(keyrack.json(&["operator", "list"]).as_array().unwrap().len(), 1);
    }
}

fn sorted(keyrack: &Script<'_>, sort: &str) -> Vec<Value> {
    keyrack.json(&["key", "list", "--sort", sort]).as_array().unwrap().clone()
}

#[test]
fn a_demo_is_full_of_keys_and_leaves_nothing_behind() {
    let home = tempfile::tempdir().unwrap();
    let scratch = home.path().join("tmp");
    std::fs::create_dir(&scratch).unwrap();
    let output = crate::support::program::keyrack(home.path(), ["--demo", "key", "list", "--json"])
        .env("TMPDIR", &scratch)
        .output()
        .unwrap();
    let keys: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert!(keys.len() >= 200, "{}", keys.len());
    assert_eq!(std::fs::read_dir(&scratch).unwrap().count(), 0);
    assert!(!home.path().join(".local/share/keyrack").exists());
}
