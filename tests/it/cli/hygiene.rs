//! `keyrack hygiene` from a shell and a cron.

use serde_json::Value;

use crate::support::script::{Script, text, texts};

fn cards(keyrack: &Script<'_>, args: &[&str]) -> (Option<i32>, Vec<Value>, String) {
    let output = keyrack.run(&[&["hygiene", "--json"], args].concat());
    let (stdout, stderr) = texts(&output);
    let cards = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}"));
    (output.status.code(), cards, stderr)
}

on_both! {
    async fn kr_12_hygiene_counts_and_exits_with_6_over_a_threshold(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        assert_eq!(cards(&keyrack, &[]).0, Some(0), "an empty database is tidy");
        keyrack.create("acme", "one");
        keyrack.create("acme", "two");
        let (code, told, stderr) = cards(&keyrack, &[]);
        assert_eq!(code, Some(6));
        assert!(stderr.contains("never-expires 2 (at most 0)"), "{stderr}");
        assert_eq!(told.len(), 10);
        let card = |id: &str| told.iter().find(|card| card["id"] == id).unwrap();
        let owner = card("no-owner");
        assert_eq!((&owner["count"], &owner["threshold"], &owner["over"]), (&2.into(), &0.into(), &true.into()));
        assert_eq!(keyrack.keys(text(owner, "filter")).len(), 2);
        let scopes = card("unused-scopes");
        assert_eq!((&scopes["count"], &scopes["filter"], &scopes["over"]), (&Value::Null, &Value::Null, &false.into()));
        assert!(text(scopes, "note").starts_with("Not recorded"));
        assert!(text(card("unused-90d"), "note").starts_with("Unknown: no gate has recorded"));
        let (code, told, _) = cards(&keyrack, &["--max", "never-expires=2,no-owner=2", "--skip", "anywhere"]);
        assert_eq!((code, told.len()), (Some(0), 9));
        let (code, told, _) = cards(&keyrack, &["--only", "no-owner", "--max", "no-owner=1"]);
        assert_eq!((code, told.len()), (Some(6), 1));
        let (code, told, _) = cards(&keyrack, &["--only", "no-owner", "--filter", "account:globex"]);
        assert_eq!((code, &told[0]["count"]), (Some(0), &0.into()));
        assert_eq!(text(&told[0], "filter"), "-status:ended owner:none account:globex");
    }

    async fn kr_12_a_card_that_is_not_there_is_said(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        assert!(keyrack.refused(2, &["hygiene", "--only", "ownerless"]).contains("no-owner"));
        assert!(keyrack.refused(2, &["hygiene", "--max", "no-owner"]).contains("and a number"));
        assert!(keyrack.refused(2, &["hygiene", "--only", "no-owner", "--skip", "no-owner"]).contains("name at least one card"));
        assert!(keyrack.refused(2, &["hygiene", "--only", "no-owner", "--max", "anywhere=3"]).contains("left out"));
        assert!(keyrack.refused(2, &["hygiene", "--filter", "status:active"]).contains("leave status:"));
        let table = keyrack.run(&["hygiene"]);
        let (stdout, _) = texts(&table);
        assert!(stdout.contains("not recorded") && stdout.contains("-status:ended owner:none"), "{stdout}");
    }
}
