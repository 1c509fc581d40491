//! KR-13: when a person goes, everything of theirs is listed, given away or kept, and one row of the audit tells the whole.

use keyrack::domain::edit::Edit;
use keyrack::domain::operator::Role;
use keyrack::service::{AuditFilter, AuditRequest, Error, Field, Leave, Service, new_operation};

use crate::support::people::{as_person, make_kept, names, office, preset};

fn owned(name: &str, mail: &str) -> Edit {
    Edit { owner: Some(name.into()), owner_mail: Some(mail.into()), ..Edit::default() }
}

/// Bob made `his` and `lent`; he owns `his` and `gift`.
async fn scene(db: &crate::support::database::Database) -> Service {
    let service = office(db, preset("voxpria")).await;
    service.set_operator(new_operation(), "bob", Role::Operator).await.unwrap();
    let bob = as_person(db, "bob").await;
    let his = make_kept(&bob, "acme", "his").await.key.id;
    let lent = make_kept(&bob, "globex", "lent").await.key.id;
    let gift = make_kept(&service, "acme", "gift").await.key.id;
    let over = make_kept(&bob, "acme", "over").await.key.id;
    make_kept(&service, "acme", "other").await;
    service.edit_keys(new_operation(), &[his, gift], owned("Bob", "bob@acme.example"), None).await.unwrap();
    service.edit_keys(new_operation(), &[lent], owned("Grace", ""), None).await.unwrap();
    service.revoke_keys(new_operation(), &[over], None).await.unwrap();
    service
}

async fn leave(service: &Service, to: &str) -> Leave {
    let leaver = service.leaver("bob").await.unwrap();
    Leave {
        name: "bob".into(),
        keys: leaver.keys.iter().map(|one| one.key.id).collect(),
        give: leaver.keys.iter().filter(|one| one.owned).map(|one| one.key.id).collect(),
        to: to.into(),
        ..Leave::default()
    }
}

async fn whole(service: &Service) {
    let compared = service.compare_audit(|_, _, _| ()).await.unwrap();
    assert_eq!(
        format!("{:?}", compared.findings),
        format!("{:?}", keyrack::domain::audit::finding::Findings::default())
    );
}

on_both! {
    async fn kr_13_everything_of_theirs_is_listed_by_account(db) {
        let service = scene(&db).await;
        let leaver = service.leaver("bob").await.unwrap();
        let told: Vec<_> = leaver.keys.iter().map(|one| (one.key.account.as_str(), one.key.name.as_str(), one.created, one.owned)).collect();
        assert_eq!(told, [("acme", "gift", false, true), ("acme", "his", true, true), ("globex", "lent", true, false)]);
        assert_eq!(leaver.role, Some(Role::Operator));
        if db.is_postgres() {
            let login = leaver.login.unwrap();
            assert!(login.starts_with("ALTER ROLE bob NOLOGIN;") && login.contains("REVOKE keyrack_console FROM bob;"), "{login}");
        } else {
            assert_eq!(leaver.login, None);
        }
        assert!(matches!(service.leaver("nobody").await, Err(Error::NotFound { .. })));
    }

    async fn kr_13_who_leaves_gives_what_they_own_and_one_row_tells_the_whole(db) {
        let service = scene(&db).await;
        let order = leave(&service, "Grace").await;
        let tried = service.trying().leave(new_operation(), order.clone()).await.unwrap();
        assert_eq!((tried.given.len(), tried.kept), (2, 1));
        assert_eq!(names(&service, "owner:bob").await, ["gift", "his"], "a try changes nothing");
        let operation = new_operation();
        let left = service.leave(operation, order.clone()).await.unwrap();
        assert_eq!((left.given.len(), left.kept), (2, 1));
        // Sent again under the same operation it is done once.
        assert_eq!(service.leave(operation, order).await.unwrap().given.len(), 2);
        assert_eq!(names(&service, "owner:grace").await, ["gift", "his", "lent"]);
        assert_eq!(names(&service, "owner:bob").await, Vec::<String>::new());
        // An address is its owner's: another owner doesn't inherit it.
        assert_eq!(names(&service, "owner:bob@acme.example").await, Vec::<String>::new());
        assert!(!service.operators().await.unwrap().iter().any(|one| &*one.name == "bob"));
        assert_eq!(names(&service, "-status:ended creator:gone").await, ["his", "lent"]);
        let request = AuditRequest { filter: AuditFilter { action: Some("operator.remove".into()), ..AuditFilter::default() }, before: None, limit: 10 };
        let rows = service.audit(&request).await.unwrap();
        assert_eq!(rows.len(), 1);
        let detail: serde_json::Value = serde_json::from_str(&rows[0].detail).unwrap();
        assert_eq!(detail, serde_json::json!({
            "before": "operator", "left": true, "given": 2, "given_to": "Grace", "kept": 1,
            "accounts": { "acme": { "given": 2, "kept": 0 }, "globex": { "given": 0, "kept": 1 } },
        }));
        whole(&service).await;
    }

    async fn kr_13_keys_can_be_given_after_the_role_is_gone(db) {
        let service = scene(&db).await;
        service.remove_operator(new_operation(), "bob").await.unwrap();
        let order = leave(&service, "Grace").await;
        assert_eq!(service.leaver("bob").await.unwrap().role, None);
        assert_eq!(service.leave(new_operation(), order).await.unwrap().given.len(), 2);
        whole(&service).await;
    }

    async fn kr_13_the_last_admin_and_wrong_receivers_are_refused_and_nothing_changes(db) {
        let service = scene(&db).await;
        let me = service.whoami().await.unwrap().identity.name;
        let alone = service.leave(new_operation(), Leave { name: me.clone(), ..Leave::default() }).await.unwrap_err();
        assert!(alone.to_string().contains("is the only admin"), "{alone}");
        for to in ["", "BOB"] {
            let wrong = service.leave(new_operation(), leave(&service, to).await).await.unwrap_err();
            assert!(matches!(wrong, Error::Invalid { field: Field::Owner, .. }), "{wrong}");
        }
        let bob = as_person(&db, "bob").await;
        let order = leave(&service, "Grace").await;
        assert!(matches!(bob.leave(new_operation(), order.clone()).await, Err(Error::NotPermitted { .. })));
        // What is decided holds for what was shown.
        let leaver = service.leaver("bob").await.unwrap();
        let shown = keyrack::domain::manifest::Manifest::of(leaver.keys.iter().map(|one| &one.key), leaver.now);
        service.edit_keys(new_operation(), &order.give[..1], Edit { name: Some("renamed".into()), ..Edit::default() }, None).await.unwrap();
        let moved = Leave { shown: Some(std::sync::Arc::new(shown)), ..order };
        assert!(matches!(service.leave(new_operation(), moved).await, Err(Error::Moved(_))));
        assert_eq!(names(&service, "owner:bob").await.len(), 2);
        assert!(service.operators().await.unwrap().iter().any(|one| &*one.name == "bob"));
        // With another admin one may go oneself.
        service.set_operator(new_operation(), "carol", Role::Admin).await.unwrap();
        if db.is_postgres() {
            let me = service.whoami().await.unwrap().identity.name;
            let nobody = service.leave(new_operation(), Leave { name: me, ..Leave::default() }).await.unwrap_err();
            assert!(nobody.to_string().contains("the server lets nobody in as carol"), "{nobody}");
        }
        db.role("carol").await;
        service.leave(new_operation(), Leave { name: me, ..Leave::default() }).await.unwrap();
    }

    async fn kr_13_what_another_operator_owns_is_not_given_away(db) {
        let service = scene(&db).await;
        for name in ["carl", "Carl"] {
            service.set_operator(new_operation(), name, Role::Operator).await.unwrap();
        }
        let theirs = make_kept(&service, "acme", "carls").await.key.id;
        service.edit_keys(new_operation(), &[theirs], owned("carl", "carl@acme.example"), None).await.unwrap();
        assert_eq!(service.leaver("Carl").await.unwrap().keys, []);
        let owns: Vec<_> = service.leaver("carl").await.unwrap().keys.iter().map(|one| one.key.id).collect();
        assert_eq!(owns, [theirs]);
        for (name, other) in [("CARL", "carl"), ("carl@acme.example", "carl"), ("BOB", "bob")] {
            let refused = service.leaver(name).await.unwrap_err().to_string();
            assert!(refused.contains(&format!("belong to the operator {other}")), "{name}: {refused}");
        }
        service.remove_operator(new_operation(), "carl").await.unwrap();
        service.remove_operator(new_operation(), "Carl").await.unwrap();
        assert_eq!(service.leaver("CARL").await.unwrap().keys.len(), 1, "nobody else is there");
    }
}
