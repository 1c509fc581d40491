//! A key is what a request with it would meet: the keys of a suspended account don't work, and every list says so.

use crate::support::people::{all, make, make_kept, office, preset, query};
use keyrack::domain::account::Standing;
use keyrack::domain::expiry::Overlap;
use keyrack::domain::key::Status;
use keyrack::service::{Service, new_operation};

async fn statuses(service: &Service, filter: &str) -> Vec<(String, Status)> {
    let now = service.now().await.unwrap();
    let keys = all(service, &query(filter), Default::default(), 9).await;
    let mut found: Vec<_> = keys.iter().map(|key| (key.name.to_string(), key.status(now))).collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

on_both! {
    async fn a_suspended_accounts_keys_are_suspended_not_active(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let hub = make_kept(&service, "acme", "hub").await.key;
        let gone = make_kept(&service, "acme", "gone").await.key;
        make_kept(&service, "globex", "other").await;
        service.revoke_keys(new_operation(), &[gone.id], None).await.unwrap();
        service.set_standing(new_operation(), "acme", Standing::Suspended).await.unwrap();

        assert_eq!(statuses(&service, "status:active").await, [("other".into(), Status::Active)]);
        assert_eq!(statuses(&service, "status:suspended").await, [("hub".into(), Status::Suspended)]);
        assert_eq!(statuses(&service, "status:revoked").await, [("gone".into(), Status::Revoked)]);
        assert_eq!(statuses(&service, "status:ended").await, [("gone".into(), Status::Revoked)]);
        let acme = service.account("acme").await.unwrap();
        assert_eq!((acme.active_keys, acme.suspended_keys), (0, 1));
        let now = service.now().await.unwrap();
        let hub = service.key(hub.id).await.unwrap();
        assert_eq!(hub.status(now), Status::Suspended);

        service.set_standing(new_operation(), "acme", Standing::Good).await.unwrap();
        assert_eq!(statuses(&service, "status:suspended").await, []);
        let acme = service.account("acme").await.unwrap();
        assert_eq!((acme.active_keys, acme.suspended_keys), (1, 0));
        assert_eq!(service.key(hub.id).await.unwrap().status(now), Status::Active);
    }

    async fn a_suspended_key_can_be_confirmed_and_revoked_but_not_rotated(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let key = make(&service, "acme", "hub").await.key;
        service.set_standing(new_operation(), "acme", Standing::Suspended).await.unwrap();
        service.acknowledge_key(new_operation(), key.id).await.unwrap();
        let refused = service.rotate_key(new_operation(), key.id, Overlap::Hours24).await.unwrap_err();
        assert!(refused.to_string().contains("suspended"), "{refused}");
        let revoked = service.revoke_keys(new_operation(), &[key.id], None).await.unwrap();
        assert!(!revoked[0].already);
    }
}
