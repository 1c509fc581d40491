//! Two at once, on both databases: the order is one of the two that are possible, and both are told what came of it.

use crate::support::people::{account, as_person, office, preset};
use keyrack::domain::operator::Role;
use keyrack::service::{Error, new_operation};

on_both! {
    async fn of_two_admins_who_remove_each_other_at_once_one_stays(db) {
        let service = office(&db, preset("voiceinfra")).await;
        for _ in 0..12 {
            for name in ["anna", "zoe"] {
                service.set_operator(new_operation(), name, Role::Admin).await.unwrap();
            }
            let (anna, zoe) = (as_person(&db, "anna").await, as_person(&db, "zoe").await);
            let (one, other) = tokio::join!(
                anna.remove_operator(new_operation(), "zoe"),
                zoe.remove_operator(new_operation(), "anna"),
            );
            let done = [&one, &other].iter().filter(|result| result.is_ok()).count();
            assert_eq!(done, 1, "{one:?} {other:?}");
            let refused = [one, other].into_iter().find_map(Result::err).unwrap();
            assert!(matches!(refused, Error::NotPermitted { .. }), "{refused}");
        }
    }

    async fn of_two_who_make_the_same_account_at_once_one_is_told_that_it_is_there(db) {
        let service = office(&db, preset("voiceinfra")).await;
        for n in 0..12 {
            let slug = format!("new-{n}");
            let make = || service.create_account(new_operation(), account("voiceinfra", &slug));
            let (one, other) = tokio::join!(make(), make());
            assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
            let refused = [one, other].into_iter().find_map(Result::err).unwrap();
            assert!(refused.to_string().contains("there is already an account"), "{refused}");
        }
    }

    async fn of_two_issuers_that_want_the_same_prefix_at_once_one_gets_it(db) {
        let service = db.open().await;
        for n in 0..12 {
            let apply = |side: &str| {
                let mut policy = preset("voiceinfra");
                policy.slug = format!("{side}-{n}");
                policy.format.prefix = format!("p{n}_");
                policy.format.former_prefixes.clear();
                service.apply_policy(new_operation(), policy)
            };
            let (one, other) = tokio::join!(apply("left"), apply("right"));
            assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
        }
    }

    async fn a_revocation_that_was_sent_twice_at_once_is_reported_as_done_by_both(db) {
        let service = office(&db, preset("voiceinfra")).await;
        for n in 0..12 {
            let key = crate::support::people::make_kept(&service, "acme", &format!("key {n}")).await.key;
            let operation = new_operation();
            let (one, other) = tokio::join!(
                service.revoke_keys(operation, std::slice::from_ref(&key.id), None),
                service.revoke_keys(operation, std::slice::from_ref(&key.id), None),
            );
            assert!([one, other].iter().all(|done| !done.as_ref().unwrap()[0].already));
        }
    }

    async fn a_role_can_not_be_taken_away_from_under_a_change(db) {
        let service = office(&db, preset("voiceinfra")).await;
        service.set_operator(new_operation(), "otto", Role::Operator).await.unwrap();
        let otto = as_person(&db, "otto").await;
        for _ in 0..12 {
            let (made, demoted) = tokio::join!(
                otto.create_key(crate::support::people::wanted("acme", "x")),
                service.set_operator(new_operation(), "otto", Role::Viewer),
            );
            demoted.unwrap();
            service.set_operator(new_operation(), "otto", Role::Operator).await.unwrap();
            let sql = "SELECT count(*) FROM \
                 (SELECT max(seq) AS seq FROM audit WHERE action = 'key.create') k, \
                 (SELECT max(seq) AS seq FROM audit WHERE action = 'operator.set' AND detail LIKE '%\"role\":\"viewer\"%') r \
                 WHERE k.seq < r.seq";
            if made.is_ok() {
                assert_eq!(db.number(sql).await, 1, "a key was made after the right to make it was gone");
            }
        }
    }

    async fn an_admin_who_does_not_own_the_tables_can_fill_a_database_with_a_demo(db) {
        let service = db.open().await;
        service.set_operator(new_operation(), "anna", Role::Admin).await.unwrap();
        as_person(&db, "anna").await.demo(5100, 1, |_| {}).await.unwrap();
        assert_eq!(db.number("SELECT count(*) FROM keys").await, 5100);
    }
}
