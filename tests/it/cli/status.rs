//! `keyrack status`: one screen, and an exit code that says whether somebody should look.

use keyrack::domain::expiry::Expiry;
use keyrack::domain::when::Here;
use keyrack::service::{CreateKey, new_operation};

use crate::support::people::{keep, make_kept, office, preset, wanted};
use crate::support::script::{Script, text, texts};

on_both! {
    async fn what_wants_a_person_is_told_and_ends_with_6(db) {
        let service = office(&db, preset("voxpria")).await;
        let made = make_kept(&service, "acme", "hub").await;
        let keyrack = Script::on(&db);
        let lines = |code: i32| {
            let output = keyrack.run(&["status", "--json"]);
            let (stdout, stderr) = texts(&output);
            assert_eq!(output.status.code(), Some(code), "{stdout}{stderr}");
            let lines: serde_json::Value = serde_json::from_str(&stdout).unwrap();
            lines.as_array().unwrap().clone()
        };
        let quiet = lines(0);
        let ids: Vec<&str> = quiet.iter().map(|line| text(line, "id")).collect();
        assert_eq!(ids, ["keys", "expiring", "rotations", "holds", "alerts", "gates", "reminders", "sweep", "approvals"]);
        assert!(quiet.iter().all(|line| line["wants"] == false), "{quiet:?}");
        assert_eq!(quiet[0]["count"], 1);
        // Each line's command shows more.
        for line in &quiet {
            let words: Vec<&str> = text(line, "next").split(' ').collect();
            let code = keyrack.run(&words).status.code();
            assert!(matches!(code, Some(0 | 6)), "{words:?}: {code:?}");
        }
        service.pause_keys(new_operation(), &[made.key.id], keyrack::service::PauseOrder {
            lasting: keyrack::domain::pause::Lasting::span("1h").unwrap(),
            message: None,
            reason: None,
        }, None).await.unwrap();
        assert!(text(&lines(0)[0], "what").contains("of which paused: 1 key"));
        let soon = Expiry::parse("3d", Here::utc(service.now().await.unwrap())).unwrap();
        keep(&service, CreateKey { expiry: soon, ..wanted("acme", "soon") }).await;
        let told = lines(6);
        assert!(told[1]["wants"] == true && text(&told[1], "what").starts_with("1 key within 7 days"), "{told:?}");
        let (stdout, stderr) = texts(&keyrack.run(&["status"]));
        assert!(stdout.contains("expiring") && stderr.contains("1 thing needs attention: expiring"), "{stdout}{stderr}");
    }

    async fn on_a_schema_from_before_leases_changes_are_made_and_told_as_ever(db) {
        db.migrate_to(29).await;
        let keyrack = Script::on(&db);
        keyrack.ok(&["issuer", "add", "voicegram"]);
        keyrack.ok(&["account", "create", "--issuer", "voicegram", "--slug", "acme", "--name", "Acme", "--admin", "it@acme.example"]);
        let made = keyrack.json(&["key", "create", "--account", "acme", "--name", "hub", "--expires", "90d"]);
        let id = text(&made, "id");
        keyrack.ok(&["key", "pause", id, "--yes"]);
        keyrack.ok(&["key", "resume", id, "--yes"]);
        let revoked = keyrack.json(&["key", "revoke", id, "--yes"]);
        assert_eq!(revoked[0]["gates"], serde_json::json!([]), "{revoked}");
        keyrack.ok(&["status"]);
        keyrack.ok(&["audit", "verify"]);
        keyrack.ok(&["migrate"]);
        keyrack.ok(&["status"]);
    }
}
