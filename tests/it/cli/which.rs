//! Which keys a command is about: ids, a filter, or a list in a file; and that what was decided about is what was shown.

use crate::support::people::{named, used};
use crate::support::pty::Start;
use crate::support::script::{Script, failed, succeeded, text};
use serde_json::Value;

/// The names of the keys of `acme` in this state.
fn names(keyrack: &Script<'_>, status: &str) -> Vec<String> {
    let keys = keyrack.keys(&format!("account:acme status:{status}"));
    let mut names: Vec<String> = keys.iter().map(|key| text(key, "name").to_owned()).collect();
    names.sort();
    names
}

fn listed(keyrack: &Script<'_>, args: &[&str], lines: impl AsRef<[u8]>) -> Vec<String> {
    let args = [args, &["--ids-from", "-", "--json"]].concat();
    let told: Value = serde_json::from_str(&succeeded(&args, &keyrack.run_with_input(&args, lines))).unwrap();
    told.as_array().unwrap().iter().map(|key| text(key, "name").to_owned()).collect()
}

on_both! {
    async fn every_verb_takes_a_list_of_ids_from_a_file_or_standard_input(db) {
        let keyrack = Script::furnished(&db, "voiceinfra");
        let keys = ["one", "two", "three", "four"].map(|name| keyrack.create("acme", name));
        let [one, two, three, four] = &keys;
        let (id, preview) = (text(one, "id"), text(two, "preview"));
        let tail: String = text(three, "id").chars().skip(24).collect();
        let lines = format!("\u{feff}# leaked\r\n\r\n  {id}  \r\n{preview} # two\r\n\t{tail}\n{id}\n#{}", text(four, "id"));
        // In their order, each once.
        assert_eq!(listed(&keyrack, &["key", "list"], &lines), ["one", "two", "three"]);
        assert_eq!(listed(&keyrack, &["key", "show"], &lines), ["one", "two", "three"]);
        keyrack.run_with_input(&["key", "usage", "--ids-from", "-"], &lines);
        let file = db.dir().join("ids");
        std::fs::write(&file, &lines).unwrap();
        let file = file.to_str().unwrap();
        let reach = keyrack.json(&["key", "reach", "--ids-from", file]);
        assert_eq!(reach["keys"].as_array().unwrap().len(), 3);
        assert_eq!((&reach["states"]["active"], &reach["in_use"]["never"]), (&3.into(), &3.into()));
        assert_eq!(reach["accounts"], serde_json::json!([{ "name": "acme", "keys": 3 }]));
        keyrack.ok(&["key", "revoke", "--ids-from", file, "--dry-run"]);
        assert_eq!(names(&keyrack, "active").len(), 4);
        keyrack.ok(&["key", "revoke", "--ids-from", file, "--yes"]);
        assert_eq!(names(&keyrack, "active"), ["four"]);
        // Nobody is there to answer where the list comes from standard input.
        let args = ["key", "revoke", "--ids-from", "-"];
        assert!(failed(2, &args, &keyrack.run_with_input(&args, text(four, "id"))).contains("--yes"));
        // A list without any key is like a filter that fits none.
        assert_eq!(listed(&keyrack, &["key", "revoke", "--yes"], "# none\n\n"), [""; 0]);
    }

    async fn bad_lines_are_told_with_their_numbers_and_nothing_is_done(db) {
        let keyrack = Script::furnished(&db, "voiceinfra");
        let key = keyrack.create("acme", "one");
        keyrack.create("acme", "two");
        let (id, secret) = (text(&key, "id"), text(&key, "secret"));
        let part = &id[..6];
        let nobody = "0192aaaa-0000-7000-8000-000000000000";
        let long = "x".repeat(300);
        let mut lines = format!("{id}\n\nzzzz\n{nobody}\n{part}\n{secret}\n{long}\n").into_bytes();
        lines.extend_from_slice(b"\xff\xfe\n");
        let args = ["key", "revoke", "--ids-from", "-", "--yes"];
        let told = failed(3, &args, &keyrack.run_with_input(&args, &lines));
        for words in ["line 3: no key has", "line 4: no key", "line 5: ", "matches 2 keys", "line 6: it looks like a whole secret", "line 7: it is longer", "line 8: it is not UTF-8"] {
            assert!(told.contains(words), "{words:?}: {told}");
        }
        assert!(!told.contains(secret) && !told.contains("line 1:"), "{told}");
        assert_eq!(names(&keyrack, "active"), ["one", "two"]);
        // The first bad line says with which code it ends; many are counted.
        let told = failed(2, &args, &keyrack.run_with_input(&args, format!("{part}\nzzzz")));
        assert!(told.contains("line 2"), "{told}");
        let told = failed(3, &args, &keyrack.run_with_input(&args, "zzzz\n".repeat(25)));
        assert!(told.contains("and 15 more lines"), "{told}");
        assert!(keyrack.refused(3, &["key", "revoke", "--ids-from", "nowhere", "--yes"]).contains("nowhere"));
        keyrack.refused(2, &["key", "revoke", "--ids-from", "-", "--filter", "x", "--yes"]);
        keyrack.refused(2, &["key", "show", "--ids-from", "-", id]);
        for verb in ["show", "usage", "reach", "acknowledge"] {
            keyrack.refused(2, &["key", verb]);
        }
    }

    async fn several_secrets_are_confirmed_in_one_decision(db) {
        let keyrack = Script::furnished(&db, "voiceinfra");
        let keys = ["one", "two", "three"].map(|name| keyrack.create("acme", name));
        keyrack.ok(&["key", "revoke", text(&keys[2], "id"), "--yes"]);
        db.execute("UPDATE key_auth SET acknowledged_at = NULL WHERE revoked_at IS NULL").await;
        let filter = ["key", "confirm", "--filter", "account:acme status:active,revoked"];
        assert!(keyrack.refused(2, &filter).contains("Confirm that the secrets of 2 keys arrived? No terminal to ask on"));
        let rows = db.number("SELECT count(*) FROM audit WHERE action = 'key.acknowledge'").await;
        keyrack.ok(&[&filter[..], &["--yes"]].concat());
        assert_eq!(db.number("SELECT count(*) FROM audit WHERE action = 'key.acknowledge'").await, rows + 2);
        assert_eq!(keyrack.keys("acknowledged:yes status:active").len(), 2);
        let again = keyrack.run(&[&filter[..], &["--yes"]].concat());
        assert!(String::from_utf8_lossy(&again.stderr).contains("There is no secret to confirm"));
        keyrack.ok(&["audit", "verify"]);
    }

    async fn kr_03_between_the_list_and_the_yes_no_key_is_taken_along(db) {
        let keyrack = Script::furnished(&db, "voiceinfra");
        let keys = ["one", "two", "three"].map(|name| keyrack.create("acme", name));
        for key in &keys {
            keyrack.ok(&["key", "confirm", text(key, "id")]);
        }
        let args = ["key", "revoke", "--filter", "account:acme -name:other"];
        let mut terminal = Start::new(db.dir()).on(&db.address()).size(120, 40).args(args).spawn();
        terminal.wait_for("Type the number 3");
        // One is used, one is changed, and one comes that the filter fits.
        let service = db.open().await;
        db.execute(&used(&db, "created_at", &named("one"))).await;
        service.set_limits(keyrack::service::new_operation(), text(&keys[1], "id").parse().unwrap(), keyrack::domain::budget::Budgets::parse("5/1m").unwrap()).await.unwrap();
        keyrack.create("acme", "four");
        terminal.type_text("3\r");
        terminal.wait_for("2 keys are others since this list was read");
        for words in ["\"one\" of acme was used", "\"two\" of acme was changed", "Type the number 4"] {
            terminal.wait_for(words);
        }
        assert_eq!(names(&keyrack, "active").len(), 4, "nothing was done");
        keyrack.create("acme", "five");
        terminal.type_text("4\r");
        terminal.wait_for("4 keys are revoked");
        terminal.wait_for("Created or changed meanwhile, so that it now matches the filter: \"five\" of acme");
        assert!(terminal.wait_for_exit(std::time::Duration::from_secs(10)).success());
        assert_eq!(names(&keyrack, "active"), ["five"]);
    }
}
