//! What scripts rely on: a reader that goes away, every form of every answer, colour only where it is wanted.

use crate::support::database::Database;
use crate::support::script::{Script, text};
use serde_json::Value;
use std::process::Stdio;

const FORMS: [&str; 5] = ["table", "wide", "json", "ndjson", "csv"];

/// All forms; on PostgreSQL one for each command in turn, for the form is no matter of the database.
fn forms(db: &Database, nth: usize) -> Vec<&'static str> {
    if db.is_postgres() { vec![FORMS[nth % FORMS.len()]] } else { FORMS.to_vec() }
}

/// Commands that tell something, about a key too.
fn told(id: &str) -> Vec<Vec<&str>> {
    vec![
        vec!["key", "list"],
        vec!["key", "show", id],
        vec!["key", "find", "one"],
        vec!["account", "list"],
        vec!["account", "show", "acme"],
        vec!["issuer", "list"],
        vec!["issuer", "presets"],
        vec!["issuer", "show", "voxpria"],
        vec!["issuer", "show", "voicegram"],
        vec!["operator", "list"],
        vec!["audit", "list"],
        vec!["audit", "verify"],
        vec!["alerts", "list"],
        vec!["reminders", "list"],
        vec!["reminders", "sweeps"],
        vec!["info"],
        vec!["migrate"],
        vec!["explain", id],
        vec!["key", "usage", id],
        vec!["doctor"],
        vec!["reminders", "template"],
    ]
}

on_both! {
    async fn a_reader_that_goes_away_is_no_failure(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        let key = keyrack.create("acme", "one");
        let id = text(&key, "id");
        let commands = told(id);
        for (nth, command) in commands.iter().enumerate() {
            for form in forms(&db, nth) {
                let args = [&command[..], &["-o", form]].concat();
                let (reader, writer) = std::io::pipe().unwrap();
                drop(reader);
                let output = keyrack.command(&args).stdout(Stdio::from(writer)).stderr(Stdio::piped()).output().unwrap();
                let said = String::from_utf8_lossy(&output.stderr);
                // A doctor that found something says so first.
                let well = Some(0) == output.status.code() || command == &["doctor"];
                assert!(well && !said.contains("can't be written"), "{args:?}: {said}");
            }
        }
    }

    async fn what_finds_no_room_is_told_and_is_a_failure(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        let key = keyrack.create("acme", "one");
        let id = text(&key, "id");
        let full = || Stdio::from(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
        for (nth, command) in told(id).iter().enumerate() {
            for form in forms(&db, nth) {
                let args = [&command[..], &["-o", form]].concat();
                let says_something = !keyrack.run(&args).stdout.is_empty();
                let output = keyrack.command(&args).stdout(full()).stderr(Stdio::piped()).output().unwrap();
                let said = String::from_utf8_lossy(&output.stderr);
                assert_eq!(output.status.code(), Some(i32::from(says_something)), "{args:?}: {said}");
                assert_eq!(said.contains("standard output can't be written: No space left"), says_something, "{args:?}: {said}");
            }
        }
        for args in [&["--help"][..], &["--version"], &["key", "list", "--help"], &["completions", "bash"]] {
            let output = crate::support::program::keyrack(db.dir(), args).stdout(full()).stderr(Stdio::piped()).output().unwrap();
            assert_eq!(output.status.code(), Some(1), "{args:?}");
            assert!(String::from_utf8_lossy(&output.stderr).contains("can't be written"), "{args:?}");
        }
    }

    async fn every_command_answers_in_the_form_that_was_asked_for(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        let schema = keyrack.json(&["migrate"]);
        assert!(schema["schema"].as_i64().unwrap() >= 8 && schema["database"].is_string(), "{schema}");
        assert!(keyrack.ok(&["migrate", "-o", "csv"]).starts_with("database,schema\n"));
        let verified = keyrack.json(&["audit", "verify"]);
        assert_eq!(verified["intact"], true);
        let csv = keyrack.ok(&["audit", "verify", "-o", "csv"]);
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!(lines[0], "intact,rows,head");
        assert_eq!(lines[1], format!("true,{},{}", verified["rows"], text(&verified, "head")));
        keyrack.ok(&["operator", "set", "otto", "viewer"]);
        let removed = keyrack.json(&["operator", "remove", "otto", "--yes"]);
        assert_eq!((text(&removed, "name"), &removed["removed"]), ("otto", &Value::Bool(true)));
        assert_eq!(keyrack.json(&["alerts", "ack", "--all"])["acknowledged"], 0);
        let id = text(&keyrack.create("acme", "one"), "id").to_owned();
        keyrack.ok(&["key", "revoke", &id, "--yes"]);
        let shown = keyrack.json(&["key", "show", &id]);
        let history: Vec<&str> = shown["history"].as_array().unwrap().iter().map(|one| text(one, "action")).collect();
        assert_eq!(history.first(), Some(&"key.revoke"));
        assert_eq!(history.last(), Some(&"key.create"));
        assert!(shown["status"] == "revoked" && keyrack.ok(&["key", "show", &id, "-o", "csv"]).lines().count() == 2);
    }

    async fn a_change_that_changes_nothing_says_so_and_is_not_recorded(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        let id = text(&keyrack.create("acme", "one"), "id").to_owned();
        let changes: Vec<Vec<&str>> = vec![
            vec!["account", "change", "acme", "--plan", "Starter"],
            vec!["account", "change", "acme", "--admin", "a@b.example,c@d.example"],
            vec!["account", "suspend", "acme"], vec!["account", "reinstate", "acme"],
            vec!["operator", "set", "otto", "viewer"], vec!["key", "limit", &id, "10/1m"],
            vec!["key", "acknowledge", &id],
        ];
        for args in &changes {
            keyrack.ok(args);
            let rows = keyrack.json(&["audit", "list"]);
            let swapped = ["account", "change", "acme", "--admin", "c@d.example,a@b.example"];
            let again = if args.contains(&"--admin") { &swapped[..] } else { &args[..] };
            for more in [&["--dry-run"][..], &[]] {
                let output = keyrack.run(&[again, more].concat());
                let said = String::from_utf8(output.stderr).unwrap();
                assert!(output.status.success() && said.contains("it is already so"), "{again:?}: {said}");
            }
            assert_eq!(keyrack.json(&["audit", "list"]), rows, "{again:?}");
        }
    }

    async fn what_nobody_stands_behind_is_said(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        let output = keyrack.run(&["operator", "set", "no-such-person", "viewer"]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && said.contains("Nobody can be no-such-person yet"), "{said}");
        let there = if db.is_postgres() { crate::support::people::OWNER } else { "root" };
        let output = keyrack.run(&["operator", "set", there, "admin"]);
        assert!(!String::from_utf8_lossy(&output.stderr).contains("Nobody can be"), "{output:?}");
        assert!(keyrack.refused(2, &["account", "change", "acme", "--admin", "it@acme"]).contains("isn't a complete domain"));
    }

    async fn a_filter_for_revoking_that_matches_parts_says_so(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        for name in ["node-1", "node-10"] {
            keyrack.create("acme", name);
        }
        let told = |filter: &str| {
            let output = keyrack.run(&["key", "revoke", "--filter", filter, "--dry-run"]);
            String::from_utf8(output.stderr).unwrap()
        };
        let loose = told("node-1");
        assert!(loose.contains("2 keys whose name or text contains \"node-1\" (2 of them work)"), "{loose}");
        assert!(loose.contains("name:\"node-1\""), "{loose}");
        let exact = told("name:\"node-1\"");
        assert!(exact.contains("Would revoke this key.") && !exact.contains("part"), "{exact}");
    }
}

#[test]
fn colour_is_forced_by_a_yes_only() {
    let db = crate::support::database::Database::sqlite();
    let keyrack = Script::furnished(&db, "voxpria");
    let coloured = |variables: &[(&str, &str)]| {
        let output = keyrack.command(&["account", "list"]).envs(variables.iter().copied()).output().unwrap();
        String::from_utf8(output.stdout).unwrap().contains('\u{1b}')
    };
    assert!(coloured(&[("CLICOLOR_FORCE", "1")]));
    for variables in [
        &[("CLICOLOR_FORCE", "0")][..],
        &[("CLICOLOR_FORCE", "")],
        &[("CLICOLOR", "1")],
        &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")],
        &[],
    ] {
        assert!(!coloured(variables), "{variables:?}");
    }
}
