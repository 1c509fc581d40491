//! Four eyes: what one person alone may not change.

use serde_json::{Value, json};

use crate::support::database::Database;
use crate::support::people::{as_person, furnish, make_kept, named, preset};
use crate::support::script::Script;
use keyrack::domain::edit::Edit;
use keyrack::domain::issuer::Policy;
use keyrack::domain::key::KeyId;
use keyrack::domain::operator::Role;
use keyrack::domain::owner::Tags;
use keyrack::domain::pause::Lasting;
use keyrack::service::{Decision, Error, PauseOrder, Service, new_operation};

/// A policy by which one person alone changes at most two keys at once.
fn policy() -> Policy {
    let mut policy = preset("voicegram");
    policy.bulk.four_eyes = Some(2);
    policy
}

/// Two operators, a viewer, and four keys.
async fn scene(db: &Database) -> (Service, Service, Service, Vec<KeyId>) {
    let ada = db.open().await;
    furnish(&ada, policy()).await;
    let mut keys = Vec::new();
    for name in ["one", "two", "three", "four"] {
        keys.push(make_kept(&ada, "acme", name).await.key.id);
    }
    keys.sort_unstable();
    for (name, role) in [("bob", Role::Operator), ("vera", Role::Viewer)] {
        db.role(name).await;
        ada.set_operator(new_operation(), name, role).await.unwrap();
    }
    (ada, as_person(db, "bob").await, as_person(db, "vera").await, keys)
}

async fn asked(service: &Service, keys: &[KeyId]) -> i64 {
    match service.revoke_keys(new_operation(), keys, Some("leaked")).await {
        Err(Error::Asked { n, words }) => {
            assert!(words.contains("above 2 its policy requires a second person"), "{words}");
            assert!(words.contains(&format!("keyrack approval approve {n}")), "{words}");
            n
        }
        other => panic!("{other:?}"),
    }
}

async fn works(service: &Service, keys: &[KeyId]) -> usize {
    let now = service.now().await.unwrap();
    service.keys(keys).await.unwrap().iter().filter(|key| !key.is_revoked(now)).count()
}

fn refusal<T: std::fmt::Debug>(done: Result<T, Error>) -> String {
    done.unwrap_err().to_string()
}

on_both! {
    async fn kr_16_more_keys_than_the_policy_says_take_a_second_person(db) {
        let (ada, bob, vera, keys) = scene(&db).await;
        // One key, and as many as one person may change, never wait.
        ada.revoke_keys(new_operation(), &keys[..1], None).await.unwrap();
        let keys = &keys[1..];
        let n = asked(&ada, keys).await;
        assert_eq!(works(&ada, keys).await, 3, "nothing was changed yet");
        assert_eq!(asked(&ada, keys).await, n, "who asks twice asks once");
        // It is there for everybody; who asked can't approve it, and neither can a viewer.
        for service in [&ada, &bob, &vera] {
            let waiting = service.approvals(false).await.unwrap();
            assert_eq!((waiting.len(), waiting[0].n, waiting[0].keys), (1, n, 3));
            assert_eq!((waiting[0].verb.as_str(), waiting[0].reason.as_deref()), ("revoke", Some("leaked")));
        }
        let told = refusal(ada.decide(new_operation(), n, Decision::Approve).await);
        assert!(told.contains("another operator approves it"), "{told}");
        let told = refusal(vera.decide(new_operation(), n, Decision::Approve).await);
        assert!(told.contains("operator"), "{told}");
        let told = refusal(bob.decide(new_operation(), n, Decision::Override("mine".into())).await);
        assert!(told.contains("approve it with"), "{told}");
        assert_eq!(works(&ada, keys).await, 3);
        // Approved, it is carried out in one transaction, with both names.
        let done = bob.decide(new_operation(), n, Decision::Approve).await.unwrap();
        assert_eq!((done.keys.len(), done.left.len(), works(&ada, keys).await), (3, 0, 0));
        let rows = Script::on(&db).json(&["audit", "list", "--limit", "4"]);
        let rows = rows.as_array().unwrap();
        assert!(rows.iter().all(|row| row["operation"] == rows[0]["operation"]), "{rows:?}");
        let actions: Vec<&str> = rows.iter().map(|row| row["action"].as_str().unwrap()).collect();
        assert_eq!(actions, ["key.revoke", "key.revoke", "key.revoke", "approval.approve"]);
        assert_eq!(rows[3]["actor"], "bob");
        assert_eq!(rows[3]["detail"]["asked_by"], ada.whoami().await.unwrap().identity.name);
        let told = refusal(bob.decide(new_operation(), n, Decision::Approve).await);
        assert!(told.contains("was approved by bob already"), "{told}");
        assert!(bob.approvals(false).await.unwrap().is_empty());
        Script::on(&db).ok(&["audit", "verify"]);
    }

    async fn kr_16_what_changed_meanwhile_is_shown_and_never_taken_along(db) {
        let (ada, bob, _, keys) = scene(&db).await;
        let n = asked(&ada, &keys).await;
        let edit = Edit { tag: Tags::parse("kept"), ..Edit::default() };
        ada.edit_keys(new_operation(), &keys[..1], edit, None).await.unwrap();
        let page = bob.approval(n).await.unwrap();
        assert_eq!(page.changed.into_iter().collect::<Vec<_>>(), [(keys[0], "was changed")]);
        let done = bob.decide(new_operation(), n, Decision::Approve).await.unwrap();
        assert_eq!((done.keys.len(), done.left[0].id), (3, keys[0]));
        assert_eq!(works(&ada, &keys).await, 1);
    }

    async fn kr_16_each_kind_of_change_waits_and_is_carried_out(db) {
        let (ada, bob, _, keys) = scene(&db).await;
        let lasting = Lasting::span("1h").unwrap();
        let order = PauseOrder { lasting, message: None, reason: Some("look".into()) };
        let number = |error: Error| match error {
            Error::Asked { n, .. } => n,
            other => panic!("{other}"),
        };
        let n = number(ada.pause_keys(new_operation(), &keys, order, None).await.unwrap_err());
        bob.decide(new_operation(), n, Decision::Approve).await.unwrap();
        assert!(ada.keys(&keys).await.unwrap().iter().all(|key| key.paused.is_some()));
        // What somebody paused works again without waiting.
        ada.resume_keys(new_operation(), &keys, None).await.unwrap();
        assert!(ada.keys(&keys).await.unwrap().iter().all(|key| key.paused.is_none()));
        let edit = Edit { tag: Tags::parse("prod"), ..Edit::default() };
        let n = number(ada.edit_keys(new_operation(), &keys, edit, None).await.unwrap_err());
        bob.decide(new_operation(), n, Decision::Decline).await.unwrap();
        assert!(ada.keys(&keys).await.unwrap().iter().all(|key| key.tags == Tags::default()));
        let edit = Edit { tag: Tags::parse("prod"), ..Edit::default() };
        let n = number(ada.edit_keys(new_operation(), &keys, edit, None).await.unwrap_err());
        bob.decide(new_operation(), n, Decision::Approve).await.unwrap();
        assert!(ada.keys(&keys).await.unwrap().iter().all(|key| key.tags == Tags::parse("prod")));
        // New secrets are for the one who asked: the approval lets them go on.
        let keyrack = Script::on(&db);
        let place = db.dir().join("new");
        let rotate = ["key", "rotate", "--filter", "tag:prod", "--out-dir", place.to_str().unwrap(), "--yes"];
        let told = keyrack.refused(5, &rotate);
        let n = bob.approvals(false).await.unwrap()[0].n;
        assert!(told.contains(&format!("request {n} (rotate 4 keys)")), "{told}");
        assert!(!place.exists() || std::fs::read_dir(&place).unwrap().next().is_none(), "no secret is left");
        bob.decide(new_operation(), n, Decision::Approve).await.unwrap();
        // It lets rotate, and nothing else.
        asked(&ada, &keys).await;
        assert_eq!(works(&ada, &keys).await, 4);
        keyrack.ok(&rotate);
        assert_eq!(keyrack.keys("replaced:yes").len(), 4);
        keyrack.ok(&["audit", "verify"]);
    }

    async fn kr_16_an_approved_rotation_may_end_the_old_keys_at_once(db) {
        let (_, bob, _, keys) = scene(&db).await;
        let keyrack = Script::on(&db);
        let place = db.dir().join("new");
        let mut rotate = vec!["key", "rotate", "--overlap", "none", "--out-dir", place.to_str().unwrap(), "--yes"];
        let ids: Vec<String> = keys.iter().map(ToString::to_string).collect();
        rotate.extend(ids.iter().map(String::as_str));
        keyrack.refused(5, &rotate);
        let n = bob.approvals(false).await.unwrap()[0].n;
        bob.decide(new_operation(), n, Decision::Approve).await.unwrap();
        keyrack.ok(&rotate);
        assert_eq!(works(&bob, &keys).await, 0, "the old ones ended");
        assert_eq!(keyrack.keys("replaces:yes").len(), 4);
        keyrack.ok(&["audit", "verify"]);
    }

    async fn kr_16_nobodys_wish_is_carried_out_who_lost_their_role(db) {
        let (ada, bob, _, keys) = scene(&db).await;
        let n = asked(&bob, &keys).await;
        ada.remove_operator(new_operation(), "bob").await.unwrap();
        let told = refusal(ada.decide(new_operation(), n, Decision::Approve).await);
        assert!(told.contains("bob, who asked for request"), "{told}");
        assert_eq!(works(&ada, &keys).await, 4);
        ada.decide(new_operation(), n, Decision::Decline).await.unwrap();
    }

    async fn kr_16_who_approves_is_told_what_would_be_changed(db) {
        let (ada, _, _, keys) = scene(&db).await;
        let edit = Edit { owner: Some("mallory".into()), ..Edit::default() };
        let Err(Error::Asked { n, .. }) = ada.edit_keys(new_operation(), &keys, edit, None).await else { panic!() };
        let number = n.to_string();
        let keyrack = Script::on(&db);
        let told = keyrack.run(&["approval", "show", &number]);
        let told = String::from_utf8_lossy(&told.stderr).into_owned();
        assert!(told.contains("mallory"), "{told}");
        // Who asked is refused when only trying, too; what declining comes to is said.
        let tried = keyrack.refused(5, &["approval", "approve", &number, "--dry-run"]);
        assert!(tried.contains("you asked for request"), "{tried}");
        let tried = keyrack.run(&["approval", "decline", &number, "--dry-run"]);
        assert!(String::from_utf8_lossy(&tried.stderr).contains("no key would be changed"));
    }

    async fn kr_16_after_an_hour_nobody_approves(db) {
        let (ada, bob, _, keys) = scene(&db).await;
        let n = asked(&ada, &keys).await;
        let back = if db.is_postgres() {
            "UPDATE approvals SET asked_at = asked_at - interval '61 min', ends_at = ends_at - interval '61 min'"
        } else {
            "UPDATE approvals SET asked_at = asked_at - 3660000000, ends_at = ends_at - 3660000000"
        };
        db.execute_past_triggers("approvals", back).await;
        assert!(bob.approvals(false).await.unwrap().is_empty());
        assert_eq!(bob.approvals(true).await.unwrap()[0].state(bob.now().await.unwrap()), "lapsed");
        for (who, decision) in [(&bob, Decision::Approve), (&ada, Decision::Override("now".into()))] {
            let told = refusal(who.decide(new_operation(), n, decision).await);
            assert!(told.contains("nobody decided within an hour"), "{told}");
        }
        assert_eq!(works(&ada, &keys).await, 4);
    }

    async fn kr_16_an_override_is_audited_and_raises_an_alert(db) {
        let (ada, _, _, keys) = scene(&db).await;
        let n = asked(&ada, &keys).await;
        let keyrack = Script::on(&db);
        let number = n.to_string();
        keyrack.refused(2, &["approval", "override", &number, "--reason", " ", "--yes"]);
        keyrack.ok(&["approval", "override", &number, "--reason", "on fire", "--yes"]);
        assert_eq!(works(&ada, &keys).await, 0);
        let rows = keyrack.json(&["audit", "list", "--filter", "action:approval.override"]);
        assert_eq!((rows.as_array().unwrap().len(), &rows[0]["detail"]["reason"]), (1, &json!("on fire")));
        let alerts = keyrack.json(&["alerts", "list"]);
        let alert = &alerts[0];
        assert_eq!((alert["kind"].as_str(), alert["severity"].as_str()), (Some("overridden"), Some("critical")), "{alerts}");
        let words = alert["words"].as_str().unwrap();
        assert!(words.contains("went ahead with 4 keys (revoke) without the second person") && words.contains("on fire"), "{words}");
        let kinds: Vec<Value> = keyrack.ok(&["events", "follow", "--once"]).lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["kind"].clone()).collect();
        assert!(kinds.contains(&json!("approval-asked")) && kinds.contains(&json!("overridden")), "{kinds:?}");
    }

    async fn kr_16_commands_list_show_and_decide(db) {
        let (ada, bob, _, keys) = scene(&db).await;
        let keyrack = Script::on(&db);
        let told = keyrack.refused(5, &["key", "revoke", "--filter", "account:acme", "--reason", "old", "--yes"]);
        assert!(told.contains("Nothing was changed yet: request 1 (revoke 4 keys)"), "{told}");
        // A dry run says what would be done, and asks nobody.
        keyrack.ok(&["key", "revoke", "--filter", "account:acme", "--dry-run"]);
        let list = keyrack.json(&["approval", "list"]);
        assert_eq!(list.as_array().unwrap().len(), 1);
        assert_eq!((&list[0]["state"], &list[0]["keys"], &list[0]["reason"]), (&json!("waiting"), &json!(4), &json!("old")));
        let shown = keyrack.json(&["approval", "show", "1"]);
        assert_eq!(shown.as_array().unwrap().len(), 4);
        keyrack.refused(5, &["approval", "approve", "1", "--yes"]);
        keyrack.ok(&["approval", "decline", "1"]);
        assert_eq!(works(&ada, &keys).await, 4);
        assert_eq!(keyrack.json(&["approval", "list", "--all"])[0]["state"], "declined");
        keyrack.refused(3, &["approval", "show", "7"]);
        drop(bob);
    }
}

/// Past the program: the server refuses what the service would.
#[test]
fn kr_16_postgresql_itself_asks_for_the_second_person() {
    crate::support::database::run_on_postgres("kr_16_postgresql_itself_asks", async |db| {
        use sqlx::{Connection, PgConnection};
        let (ada, _, _, keys) = scene(&db).await;
        let n = asked(&ada, &keys).await;
        let revoke = |which: &str| {
            format!(
                "BEGIN; UPDATE key_auth SET revoked_at = clock_timestamp(), revoked_by = session_user WHERE {which}; \
                 INSERT INTO audit (at, actor, host, operation, action, subject, account, key, detail) \
                 SELECT clock_timestamp(), session_user, 'h', '00000000-0000-0000-0000-0000000000aa', 'key.revoke', id::text, account, id, '{{}}' \
                 FROM key_auth WHERE {which}; COMMIT"
            )
        };
        let decided = |outcome: &str| {
            format!(
                "UPDATE approvals SET outcome = '{outcome}', decided_by = session_user, decided_at = clock_timestamp(), \
                 operation = '00000000-0000-0000-0000-0000000000aa' WHERE n = {n};"
            )
        };
        let run = async |login: &str, sql: String| {
            let mut connection = PgConnection::connect(&db.address_as(login)).await.unwrap();
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.map(drop)
        };
        let refused = async |login: &str, sql: String| run(login, sql).await.unwrap_err().to_string();
        let all = "revoked_at IS NULL OR revoked_by = session_user";
        let told = refused("ada", revoke(all)).await;
        assert!(told.contains("takes a second person"), "{told}");
        let told = refused("ada", format!("BEGIN; {} COMMIT", decided("approved"))).await;
        assert!(told.contains("who asked can't approve"), "{told}");
        let told = refused("bob", format!("BEGIN; {} COMMIT", decided("overridden"))).await;
        assert!(told.contains("who asked does without"), "{told}");
        assert!(
            refused("vera", format!("BEGIN; {} COMMIT", decided("declined"))).await.contains("approvals")
        );
        for sql in [
            "UPDATE approvals SET ends_at = now() + interval '2 days'",
            "DELETE FROM approvals",
            "DELETE FROM approval_keys",
        ] {
            refused("bob", sql.into()).await;
        }
        let told =
            refused("bob", format!("INSERT INTO approval_keys VALUES ({n}, gen_random_uuid(), '0')")).await;
        assert!(told.contains("named with it"), "{told}");
        assert_eq!(works(&ada, &keys).await, 4);
        // One key, and two, never wait.
        run("bob", revoke(&named("one"))).await.unwrap();
        assert_eq!(works(&ada, &keys).await, 3);
    });
}
