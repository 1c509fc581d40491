//! KR-16: who is told, and how far each has got.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use keyrack::domain::endpoint::{NewEndpoint, SecretPlace};
use keyrack::domain::event::Kinds;
use keyrack::domain::operator::Role;
use keyrack::service::{Error, new_operation};
use serde_json::{Value, json};

use super::receiver::{Receiver, SECRET};
use crate::support::database::Database;
use crate::support::people::{as_person, office, preset};
use crate::support::script::{Script, text};

/// The file that holds what deliveries are signed with.
pub fn secret_file(db: &Database) -> PathBuf {
    let path = db.dir().join("endpoint-secret");
    std::fs::write(&path, format!("{SECRET}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// Adds an endpoint, and answers its record.
#[track_caller]
pub fn add(keyrack: &Script<'_>, db: &Database, name: &str, receiver: &Receiver, more: &[&str]) -> Value {
    let (file, url) = (secret_file(db), receiver.url());
    let args = ["events", "endpoints", "add", name, &url, "--secret-file", file.to_str().unwrap()];
    keyrack.json(&[&args[..], more].concat())
}

/// The record of an endpoint, as it is listed.
#[track_caller]
pub fn listed(keyrack: &Script<'_>, name: &str) -> Value {
    let list = keyrack.json(&["events", "endpoints", "list"]);
    list.as_array().unwrap().iter().find(|one| one["name"] == name).unwrap().clone()
}

on_both! {
    async fn kr_16_endpoints_are_added_listed_tested_and_removed(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        assert_eq!(keyrack.json(&["events", "endpoints", "list"]), json!([]));
        let receiver = Receiver::start();
        let dry = keyrack.run(&["events", "endpoints", "add", "x", &receiver.url(), "--secret-credential", "c", "--dry-run"]);
        assert!(dry.status.success());
        assert_eq!(keyrack.json(&["events", "endpoints", "list"]), json!([]));
        let added = add(&keyrack, &db, "desk", &receiver, &["--kinds", "revoked,created"]);
        assert_eq!((&added["state"], &added["kinds"]), (&json!("current"), &json!(["created", "revoked"])));
        assert!(text(&added, "address").ends_with("/…") && !text(&added, "address").contains("hook"), "{added}");
        keyrack.ok(&["audit", "verify"]);
        let file = secret_file(&db);
        let file = file.to_str().unwrap();
        let refused = |code, args: &[&str]| keyrack.refused(code, &[&["events", "endpoints", "add"], args].concat());
        assert!(refused(5, &["desk", "https://h.example/", "--secret-file", file]).contains("already"));
        assert!(refused(2, &["a", "http://h.example/", "--secret-file", file]).contains("https://"));
        assert!(refused(2, &["a", "https://u:p@h.example/", "--secret-file", file]).contains("password"));
        assert!(refused(2, &["a", "https://h.example/", "--secret-file", "own"]).contains("absolute path"));
        assert!(refused(2, &["a", "https://h.example/", "--secret-file", file, "--kinds", "flown"]).contains("created, imported"));
        refused(2, &["No Name", "https://h.example/", "--secret-file", file]);
        refused(2, &["a", "https://h.example/"]);

        let tested = keyrack.json(&["events", "endpoints", "test", "desk"]);
        assert_eq!(tested["status"], 204);
        let got = receiver.got();
        assert_eq!((got.len(), &got[0].event["kind"], got[0].id()), (1, &json!("test"), text(&tested, "id")));
        receiver.answers(500, std::time::Duration::ZERO);
        assert!(keyrack.refused(6, &["events", "endpoints", "test", "desk"]).contains("it answered 500"));
        keyrack.refused(3, &["events", "endpoints", "test", "nobody"]);

        keyrack.ok(&["events", "endpoints", "remove", "desk"]);
        keyrack.refused(3, &["events", "endpoints", "remove", "desk"]);
        assert_eq!(keyrack.json(&["events", "endpoints", "list"]), json!([]));
        keyrack.ok(&["audit", "verify"]);
        let told = keyrack.ok(&["events", "follow", "--once", "--kinds", "endpoint-added,endpoint-removed"]);
        assert_eq!(told.lines().count(), 2, "{told}");
        assert!(!told.contains(SECRET) && !told.contains("/hook"), "{told}");
    }

    async fn kr_16_only_admins_keep_endpoints_and_others_see_no_token(db) {
        let service = office(&db, preset("voxpria")).await;
        let new = |name: &str| NewEndpoint {
            name: name.into(),
            url: "https://hooks.example/token".into(),
            kinds: Kinds::default(),
            secret: SecretPlace::Credential("desk".into()),
            from: None,
        };
        service.add_endpoint(new_operation(), new("own")).await.unwrap();
        for (name, role) in [("olga", Role::Operator), ("vera", Role::Viewer)] {
            service.set_operator(new_operation(), name, role).await.unwrap();
            let person = as_person(&db, name).await;
            for refused in [
                person.add_endpoint(new_operation(), new("other")).await.map(drop),
                person.remove_endpoint(new_operation(), "own").await,
            ] {
                assert!(matches!(refused, Err(Error::NotPermitted { needs: Role::Admin, .. })), "{refused:?}");
            }
            let seen = person.endpoints().await.unwrap();
            assert_eq!((seen.len(), seen[0].place.as_str()), (1, "https://hooks.example/…"));
            if db.is_postgres() {
                assert!(person.endpoint_address("own").await.is_err(), "{name}");
                // What they can't read they can't compare, and the rest they can.
                let compared = person.compare_audit(|_, _, _| ()).await.unwrap();
                assert_eq!(compared.findings.count, 0, "{:?}", compared.findings);
            }
        }
        // The same operation again adds nothing twice.
        let operation = new_operation();
        let first = service.add_endpoint(operation, new("twice")).await.unwrap();
        let again = service.add_endpoint(operation, new("twice")).await.unwrap();
        assert_eq!((again.name, again.next), (first.name, first.next));
        assert_eq!(service.endpoints().await.unwrap().len(), 2);
    }

    async fn kr_16_an_endpoint_that_no_row_tells_of_is_found(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        let receiver = Receiver::start();
        add(&keyrack, &db, "desk", &receiver, &[]);
        add(&keyrack, &db, "other", &receiver, &[]);
        keyrack.ok(&["audit", "verify"]);
        let found = async |sql: &str| {
            db.execute_past_triggers("endpoints", sql).await;
            let output = keyrack.run(&["audit", "verify", "--json"]);
            assert_eq!(output.status.code(), Some(6), "{sql}");
            let told: Value = serde_json::from_slice(&output.stdout).unwrap();
            let told = told["findings"].as_array().unwrap().iter();
            told.map(|one| format!("{} {}", text(one, "kind"), text(one, "subject"))).collect::<Vec<_>>()
        };
        assert_eq!(found("UPDATE endpoints SET url = 'https://thief.example/' WHERE name = 'desk'").await, ["endpoint.unexplained desk"]);
        assert_eq!(found("UPDATE endpoints SET kinds = 'created' WHERE name = 'other'").await, ["endpoint.unexplained desk", "endpoint.unexplained other"]);
        assert_eq!(found("DELETE FROM endpoints WHERE name = 'desk'").await, ["endpoint.unexplained other", "endpoint.unexplained desk"]);
    }
}
