//! Who may do what, on both databases: asked by the service at each change, whatever the door.

use crate::support::people::{account, as_person, make_kept, office, preset, wanted};
use keyrack::domain::account::Standing;
use keyrack::domain::expiry::Overlap;
use keyrack::domain::operator::Role;
use keyrack::service::{AlertRequest, AuditRequest, Error, Result, Service, new_operation};
use uuid::Uuid;

/// Tries every change there is and names those that were refused for want of a right.
async fn refused(service: &Service, key: Uuid) -> Vec<&'static str> {
    async fn what<T>(name: &'static str, done: impl Future<Output = Result<T>>) -> Option<&'static str> {
        match done.await {
            Ok(_) => None,
            Err(Error::NotPermitted { .. }) => Some(name),
            Err(other) => panic!("{name}: {other}"),
        }
    }
    let op = new_operation;
    let mut policy = preset("voiceinfra");
    policy.name = format!("renamed {}", op());
    let unique = format!("a{}", op().simple());
    [
        what("create key", service.create_key(wanted("acme", "new"))).await,
        what("acknowledge key", service.acknowledge_key(op(), key)).await,
        what("rotate key", service.rotate_key(op(), key, Overlap::Hours24)).await,
        what("revoke key", service.revoke_keys(op(), &[key], None)).await,
        what("create account", service.create_account(op(), account("voiceinfra", &unique))).await,
        what("suspend account", service.set_standing(op(), "globex", Standing::Suspended)).await,
        what("reinstate account", service.set_standing(op(), "globex", Standing::Good)).await,
        what("apply policy", service.apply_policy(op(), policy)).await,
        what("set operator", service.set_operator(op(), "zoe", Role::Viewer)).await,
        what("remove operator", service.remove_operator(op(), "zoe")).await,
    ]
    .into_iter()
    .flatten()
    .collect()
}

on_both! {
    async fn vg_04_only_those_with_the_right_create_or_revoke(db) {
        let service = office(&db, preset("voiceinfra")).await;
        service.set_operator(new_operation(), "vera", Role::Viewer).await.unwrap();
        service.set_operator(new_operation(), "otto", Role::Operator).await.unwrap();
        service.set_operator(new_operation(), "anna", Role::Admin).await.unwrap();

        let key = make_kept(&service, "acme", "for the viewer").await.key;
        let vera = as_person(&db, "vera").await;
        let all = refused(&vera, key.id).await;
        assert_eq!(all.len(), 10, "a viewer changed something; refused was only {all:?}");
        assert!(service.key(key.id).await.unwrap().revoked_at.is_none());
        // Looking is what a viewer is for.
        assert_eq!(vera.key(key.id).await.unwrap().id, key.id);
        vera.audit(&AuditRequest { limit: 10, ..AuditRequest::default() }).await.unwrap();

        let otto = as_person(&db, "otto").await;
        assert_eq!(refused(&otto, key.id).await, ["apply policy", "set operator", "remove operator"]);

        let key = make_kept(&service, "acme", "for the admin").await.key;
        let anna = as_person(&db, "anna").await;
        assert_eq!(refused(&anna, key.id).await, [""; 0]);
    }

    async fn vg_04_a_refusal_says_who_may_not_what_and_whom_to_ask(db) {
        let service = office(&db, preset("voicegram")).await;
        service.set_operator(new_operation(), "vera", Role::Viewer).await.unwrap();
        let vera = as_person(&db, "vera").await;
        let words = vera.create_key(wanted("acme", "new")).await.unwrap_err().to_string();
        for part in ["vera", "create", "operator", "Ask an admin"] {
            assert!(words.contains(part), "{part:?} is not in {words:?}");
        }
    }

    async fn a_stranger_may_not_even_look(db) {
        let service = office(&db, preset("voicegram")).await;
        let key = make_kept(&service, "acme", "private").await.key;
        let stranger = as_person(&db, "mallory").await;
        assert_eq!(stranger.whoami().await.unwrap().role, None);
        assert!(matches!(stranger.key(key.id).await, Err(Error::NotPermitted { .. })));
        assert!(matches!(stranger.revoke_keys(new_operation(), &[key.id], None).await, Err(Error::NotPermitted { .. })));
    }

    async fn a_role_that_was_taken_away_ends_at_the_next_change(db) {
        let service = office(&db, preset("voicegram")).await;
        service.set_operator(new_operation(), "otto", Role::Operator).await.unwrap();
        let otto = as_person(&db, "otto").await;
        make_kept(&otto, "acme", "while it lasted").await;
        service.set_operator(new_operation(), "otto", Role::Viewer).await.unwrap();
        let error = otto.create_key(wanted("acme", "too late")).await.unwrap_err();
        assert!(matches!(error, Error::NotPermitted { .. }), "{error}");
    }

    async fn a_role_is_felt_by_the_very_next_request(db) {
        let service = office(&db, preset("voicegram")).await;
        let key = make_kept(&service, "acme", "watched").await.key.id;
        let mine = as_person(&db, "otto").await;
        let refused = |done: Result<()>| matches!(done, Err(Error::NotPermitted { .. }));
        assert!(refused(mine.key(key).await.map(drop)));
        for role in [Role::Viewer, Role::Operator, Role::Admin, Role::Viewer] {
            service.set_operator(new_operation(), "otto", role).await.unwrap();
            assert_eq!(mine.key(key).await.unwrap().id, key);
            assert_eq!(mine.whoami().await.unwrap().role, Some(role));
            let made = mine.create_key(wanted("acme", role.as_str())).await.map(drop);
            assert_eq!(refused(made), role < Role::Operator);
            let applied = mine.apply_policy(new_operation(), preset("voiceinfra")).await.map(drop);
            assert_eq!(refused(applied), role < Role::Admin);
        }
        service.remove_operator(new_operation(), "otto").await.unwrap();
        assert_eq!(mine.whoami().await.unwrap().role, None);
        assert!(refused(mine.key(key).await.map(drop)));
        assert!(refused(mine.audit(&AuditRequest { limit: 10, ..AuditRequest::default() }).await.map(drop)));
        assert!(refused(mine.alerts(&AlertRequest::default()).await.map(drop)));
        assert!(refused(mine.accounts("", None, 10).await.map(drop)));
    }

    async fn the_first_person_becomes_the_admin_and_the_last_admin_stays(db) {
        let service = db.open().await;
        let me = service.whoami().await.unwrap();
        assert_eq!(me.role, Some(Role::Admin));
        let name = me.identity.name.as_str();
        assert!(service.set_operator(new_operation(), name, Role::Viewer).await.is_err());
        assert!(service.remove_operator(new_operation(), name).await.is_err());
        assert_eq!(service.whoami().await.unwrap().role, Some(Role::Admin));
    }
}
