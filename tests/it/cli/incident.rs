//! `keyrack incident report`: the story, for a ticket.

use crate::support::gate::Gate;
use crate::support::people::{make_kept, office, preset};
use crate::support::script::Script;
use keyrack::service::{CreateKey, RevokeKeys, new_operation};

on_both! {
    async fn kr_07_a_report_tells_keys_decisions_requests_gates_and_who_was_told(db) {
        let office = office(&db, preset("voxpria")).await;
        let leaked = make_kept(&office, "acme", "CI").await;
        let odd = CreateKey { name: "<b>@all|x".into(), ..crate::support::people::wanted("globex", "x") };
        let odd = crate::support::people::keep(&office, odd).await;
        let other = make_kept(&office, "acme", "calm").await;
        let gate = Gate::start(&db, &[]);
        for _ in 0..3 {
            assert_eq!(gate.get("/api/v1/me", &[("X-API-Key", leaked.secret.expose())]).status, 200);
        }
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        let keyrack = Script::on(&db);
        let empty = keyrack.ok(&["incident", "report", "--since", "1h"]);
        assert!(empty.contains("0 keys, 0 of which still work") && !empty.contains("## Keys"), "{empty}");
        let operation = new_operation();
        let ids = [leaked.key.id, odd.key.id];
        let order = RevokeKeys {
            keys: ids.into(),
            reason: Some("in a public repository".into()),
            ticket: Some("INC-7".into()),
            shown: None,
        };
        office.revoke_order(operation, order).await.unwrap();
        assert_eq!(gate.get("/api/v1/me", &[("X-API-Key", leaked.secret.expose())]).status, 401);
        let folder = db.dir().join("letters");
        let id = leaked.key.id.to_string();
        keyrack.ok(&["key", "tell", &id, "--exposed", "--mail-dir", folder.to_str().unwrap(), "--yes"]);
        let json = keyrack.json(&["incident", "report", "--since", "1h"]);
        let keys = json["keys"].as_array().unwrap();
        assert_eq!(keys.len(), 2, "{json}");
        let ci = keys.iter().find(|key| key["name"] == "CI").unwrap();
        assert_eq!((&ci["requests"]["allowed"], &ci["status"]), (&3.into(), &"revoked".into()), "{ci}");
        let decision = &json["decisions"][0];
        assert_eq!((&decision["action"], &decision["keys"]), (&"key.revoke".into(), &2.into()), "{json}");
        assert_eq!((&decision["reason"], &decision["ticket"]), (&"in a public repository".into(), &"INC-7".into()));
        assert_eq!(json["letters"][0]["to"], "it@acme.example");
        assert_eq!(json["gates"][0]["state"], "confirmed");

        let page = keyrack.ok(&["incident", "report", "--since", "1h", "-o", "md"]);
        for words in [
            "# Incident report",
            "2 keys, 0 of which still work; 3 requests passed between the exposure and their end",
            "## Keys",
            "## Decisions",
            "| in a public repository | INC-7 |",
            "## Gates",
            "## Who was told",
            "it&#64;acme.example",
            "&lt;b&gt;&#64;all\\|x",
        ] {
            assert!(page.contains(words), "{words}:\n{page}");
        }
        for secret in [&leaked.secret, &odd.secret] {
            assert!(!page.contains(secret.expose()));
        }
        // Every row of a table has as many cells as its heading.
        for rows in page.split("\n\n") {
            let cells: Vec<usize> = rows.lines().filter(|line| line.starts_with('|')).map(|line| line.replace("\\|", "").matches('|').count()).collect();
            assert!(cells.windows(2).all(|pair| pair[0] == pair[1]), "{rows}");
        }

        let by_operation = keyrack.json(&["incident", "report", "--operation", &operation.to_string()]);
        assert_eq!(by_operation["keys"].as_array().unwrap().len(), 2);
        let by_filter = keyrack.json(&["incident", "report", "--filter", "name:calm"]);
        assert_eq!(by_filter["keys"][0]["id"], other.key.id.to_string());
        assert_eq!(by_filter["decisions"].as_array().unwrap().len(), 2, "made and confirmed: {by_filter}");
        let nobody = new_operation().to_string();
        keyrack.refused(3, &["incident", "report", "--operation", &nobody]);
        keyrack.refused(2, &["incident", "report", "--since", "yesterdayish"]);
        keyrack.refused(2, &["incident", "report", "--operation", &nobody, "--filter", "name:x"]);
        keyrack.refused(2, &["incident", "report", "-o", "csv"]);
        keyrack.refused(2, &["key", "list", "-o", "md"]);
    }
}
