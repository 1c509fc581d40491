//! Names as people write them: in one spelling, found by any, and exactly when that is asked for; on both databases.

use super::odd::id_of;
use crate::support::people::{make_kept, names, office, preset};
use keyrack::domain::operator::Role;
use keyrack::domain::secret::SentKey;
use keyrack::service::new_operation;

on_both! {
    async fn a_name_is_matched_exactly_or_in_part_as_it_is_asked_for(db) {
        let service = office(&db, preset("voiceinfra")).await;
        for name in ["node-1", "node-10", "Node-1", "my node-1 \"old\""] {
            make_kept(&service, "acme", name).await;
        }
        for exact in ["name:\"node-1\"", "name=node-1", "name:=node-1", "=node-1"] {
            assert_eq!(names(&service, exact).await, ["node-1"], "{exact}");
            assert_eq!(names(&service, &format!("-{exact}")).await.len(), 3, "{exact}");
        }
        assert_eq!(names(&service, "name:node-1").await.len(), 4);
        assert_eq!(names(&service, "name:NODE-10").await, ["node-10"]);
        assert_eq!(names(&service, "name:\"my node-1 \\\"old\\\"\"").await, ["my node-1 \"old\""]);
        assert_eq!(names(&service, "name:\"node-1\",\"node-10\"").await, ["node-1", "node-10"]);
    }

    async fn two_spellings_of_a_name_are_one_name(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let made = make_kept(&service, "acme", "cafe\u{301} one").await.key;
        assert_eq!(made.name.as_str(), "caf\u{e9} one");
        make_kept(&service, "acme", "\u{ff2e}\u{ff4f}\u{ff44}\u{ff45} \u{130}zmir").await;
        make_kept(&service, "acme", "\u{1F469}\u{200D}\u{1F4BB} laptop").await;
        for typed in ["CAFE\u{301}", "caf\u{c9}", "name:caf\u{e9}", "name:\"cafe\u{301} one\"", "=\"caf\u{e9} one\""] {
            assert_eq!(names(&service, typed).await, ["caf\u{e9} one"], "{typed}");
        }
        for typed in ["node", "izmir", "name:\u{130}ZMIR", "\u{ff4e}\u{ff4f}"] {
            assert_eq!(names(&service, typed).await.len(), 1, "{typed}");
        }
        let found = service.find_keys(SentKey::exact("CAFE\u{301}".as_bytes())).await.unwrap();
        assert_eq!(found.found[0].key.id, made.id);
        assert_eq!(names(&service, "laptop").await, ["\u{1F469}\u{200D}\u{1F4BB} laptop"]);
        service.set_operator(new_operation(), "Jose\u{301}", Role::Viewer).await.unwrap();
        service.remove_operator(new_operation(), "Jos\u{e9}").await.unwrap();
    }

    async fn what_an_older_version_wrote_is_spelled_and_folded_anew(db) {
        db.migrate_to(7).await;
        let (now, empty) = if db.is_postgres() { ("now()", "'{}'") } else { ("1800000000000000", "''") };
        let blob = |text: String| if db.is_postgres() { format!("'\\x{text}'::bytea") } else { format!("x'{text}'") };
        let policy = serde_json::to_string(&preset("voiceinfra")).unwrap().replace('\'', "''");
        db.execute(&format!(
            "INSERT INTO issuers (slug, policy, version, updated_at) VALUES ('voiceinfra', '{policy}', 1, {now}); \
             INSERT INTO accounts (slug, issuer, name, search, admins, standing, created_at) \
             VALUES ('acme', 'voiceinfra', 'Cafe\u{301}', 'acme\ncafe\u{301}', '[]', 'good', {now})"
        ))
        .await;
        for (name, search) in [("cafe\u{301} one", "cafe\u{301} one\n"), ("\u{ff2e}ode", "\u{ff4e}ode\n"), ("plain", "plain\n")] {
            let (id, hash) = (new_operation(), new_operation().simple().to_string().repeat(2));
            db.execute(&format!(
                "INSERT INTO keys (id, account, issuer, name, name_key, description, search, preview, tail, hash, scopes, allow, \
                 created_at, created_by, claim_by, acknowledged_at) VALUES ({}, 'acme', 'voiceinfra', '{name}', '{name}', '', \
                 '{search}', 'vi_\u{2022}abcd', 'abcd', {}, '', {empty}, {now}, 'ada', {now}, NULL)",
                id_of(&db, id), blob(hash)
            ))
            .await;
        }

        // A dry run tells of it and does nothing.
        let dry = crate::support::script::Script::on(&db).run(&["migrate", "--dry-run"]);
        let told = String::from_utf8(dry.stderr).unwrap();
        assert!(told.contains("spell the texts of 2 keys and 1 account anew"), "{told}");
        assert_eq!(db.number("SELECT count(*) FROM keys WHERE search LIKE 'cafe\u{301}%'").await, 1);

        let service = db.open().await;
        for typed in ["caf\u{e9}", "name:\"caf\u{e9} one\"", "cafe\u{301}"] {
            assert_eq!(names(&service, typed).await, ["caf\u{e9} one"], "{typed}");
        }
        assert_eq!(names(&service, "node").await, ["\u{ff2e}ode"]);
        assert_eq!(names(&service, "\u{ff4e}ode").await, ["\u{ff2e}ode"]);
        assert_eq!(names(&service, "plain").await, ["plain"]);
        assert_eq!(service.accounts("caf\u{e9}", None, 9).await.unwrap().len(), 1);
        if !db.is_postgres() {
            // The index is whole: it knows nothing any more of what it was told to forget.
            db.execute("INSERT INTO key_text (key_text) VALUES ('integrity-check')").await;
            assert_eq!(db.number("SELECT count(*) FROM key_text WHERE key_text MATCH '\"\u{ff4e}od\"'").await, 0);
        }
    }
}
