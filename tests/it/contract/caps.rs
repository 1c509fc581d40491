//! Limits on keys, on both databases: how many there may be, how fast they may come, and who is refused with which words.

use crate::support::people::{age, as_person, make, office, preset, wanted};
use keyrack::domain::account::Standing;
use keyrack::domain::issuer::Policy;
use keyrack::domain::operator::Role;
use keyrack::service::{Error, Service, new_operation};

/// Voicegram's policy without its limit on speed, so that many keys can be made at once.
fn twenty_at_any_speed() -> Policy {
    let mut policy = preset("voicegram");
    assert_eq!(policy.caps.active_keys, Some(20));
    policy.caps.creations_per_minute = None;
    policy
}

async fn refusal(service: &Service) -> Error {
    service.create_key(wanted("acme", "one more")).await.unwrap_err()
}

on_both! {
    async fn vg_19_twenty_active_keys_per_account(db) {
        let service = office(&db, twenty_at_any_speed()).await;
        let mut first = None;
        for n in 0..20 {
            let created = make(&service, "acme", &format!("key {n}")).await;
            first.get_or_insert(created.key.id);
        }
        let error = refusal(&service).await;
        assert!(matches!(&error, Error::KeyLimit { account, active: 20, cap: 20 } if account == "acme"), "{error}");
        let words = error.to_string();
        assert!(words.contains("20") && words.contains("Revoke one"), "{words}");
        // The cap is the account's, not the issuer's.
        make(&service, "globex", "another account").await;
        // Revoking one makes room for one.
        service.revoke_keys(new_operation(), &[first.unwrap()], None).await.unwrap();
        make(&service, "acme", "in its place").await;
        assert!(matches!(refusal(&service).await, Error::KeyLimit { .. }));
    }

    async fn vg_19_a_key_that_ended_by_itself_does_not_count(db) {
        let service = office(&db, twenty_at_any_speed()).await;
        for n in 0..20 {
            make(&service, "acme", &format!("key {n}")).await;
        }
        assert!(matches!(refusal(&service).await, Error::KeyLimit { .. }));
        // Nobody took their secrets over, so ten minutes later they are dead.
        age(&db, 601).await;
        make(&service, "acme", "there is room again").await;
        assert_eq!(service.account("acme").await.unwrap().active_keys, 1);
    }

    async fn vg_19_sixty_four_creators_at_once_make_exactly_twenty(db) {
        let service = office(&db, twenty_at_any_speed()).await;
        let others = [db.open().await, db.open().await, db.open().await];
        let tasks: Vec<_> = (0..64)
            .map(|n| {
                let service = if n % 4 == 0 { service.clone() } else { others[n % 4 - 1].clone() };
                tokio::spawn(async move { service.create_key(wanted("acme", &format!("key {n}"))).await })
            })
            .collect();
        let (mut made, mut refused) = (0, 0);
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => made += 1,
                Err(Error::KeyLimit { .. }) => refused += 1,
                Err(other) => panic!("neither made nor refused by the cap: {other}"),
            }
        }
        assert_eq!((made, refused), (20, 44));
        assert_eq!(db.number("SELECT count(*) FROM keys").await, 20);
    }

    async fn vg_22_ten_creations_a_minute_per_account(db) {
        let service = office(&db, preset("voicegram")).await;
        for n in 0..10 {
            make(&service, "acme", &format!("key {n}")).await;
        }
        let error = refusal(&service).await;
        let Error::TooFast { cap: 10, wait, .. } = error else { panic!("{error}") };
        assert!((1..=60).contains(&wait), "wait {wait} s");
        make(&service, "globex", "another account").await;
        // Revoking gives no speed back: the creations have happened.
        let ids: Vec<_> = db_ids(&service).await;
        service.revoke_keys(new_operation(), &ids, None).await.unwrap();
        assert!(matches!(refusal(&service).await, Error::TooFast { .. }));
        age(&db, 61).await;
        make(&service, "acme", "a minute later").await;
    }

    async fn vg_22_thirty_creators_at_once_make_exactly_ten(db) {
        let service = office(&db, preset("voicegram")).await;
        let tasks: Vec<_> = (0..30)
            .map(|n| {
                let service = service.clone();
                tokio::spawn(async move { service.create_key(wanted("acme", &format!("key {n}"))).await.is_ok() })
            })
            .collect();
        let mut made = 0;
        for task in tasks {
            made += i32::from(task.await.unwrap());
        }
        assert_eq!(made, 10);
    }

    async fn vi_06_no_cap_where_the_policy_has_none(db) {
        let service = office(&db, preset("voiceinfra")).await;
        for n in 0..30 {
            make(&service, "acme", &format!("key {n}")).await;
        }
        assert_eq!(service.account("acme").await.unwrap().active_keys, 30);
    }

    async fn vp_28_three_refusals_to_create_each_with_its_own_words(db) {
        let service = office(&db, twenty_at_any_speed()).await;
        service.set_operator(new_operation(), "bob", Role::Viewer).await.unwrap();
        let bob = as_person(&db, "bob").await;
        let no_right = refusal(&bob).await;
        assert!(matches!(&no_right, Error::NotPermitted { who, needs: Role::Operator, .. } if who == "bob"), "{no_right}");

        for n in 0..20 {
            make(&service, "acme", &format!("key {n}")).await;
        }
        let full = refusal(&service).await;
        assert!(matches!(full, Error::KeyLimit { .. }), "{full}");

        service.set_standing(new_operation(), "acme", Standing::Suspended).await.unwrap();
        let suspended = refusal(&service).await;
        assert!(matches!(&suspended, Error::Suspended { account } if account == "acme"), "{suspended}");

        let words = [no_right.to_string(), full.to_string(), suspended.to_string()];
        assert!(words[0].contains("role operator"), "{}", words[0]);
        assert!(words[1].contains("limit is 20"), "{}", words[1]);
        assert!(words[2].contains("suspended") && words[2].contains("account reinstate acme"), "{}", words[2]);
        assert_eq!(db.number("SELECT count(*) FROM keys").await, 20);

        // Suspension is reversible.
        service.set_standing(new_operation(), "acme", Standing::Good).await.unwrap();
        assert!(matches!(refusal(&service).await, Error::KeyLimit { .. }));
    }
}

async fn db_ids(service: &Service) -> Vec<uuid::Uuid> {
    let request = keyrack::service::PageRequest {
        query: keyrack::domain::query::Query::default(),
        sort: keyrack::domain::query::Sort::default(),
        from: keyrack::service::From::Start,
        limit: 200,
    };
    service.page(&request).await.unwrap().rows.into_iter().map(|row| row.key.id).collect()
}
