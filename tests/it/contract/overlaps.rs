//! KR-11: open overlaps are seen, closed and extended, on both databases.

use crate::support::people::{
    as_person, gate, keep, make_kept, names, office, office_at, preset, query, wanted,
};
use chrono::Duration;
use keyrack::clock::Clock;
use keyrack::domain::edit::{Edit, NewEnd};
use keyrack::domain::expiry::{Expiry, Overlap};
use keyrack::domain::key::{Key, KeyId, Status};
use keyrack::domain::operator::Role;
use keyrack::domain::query::{Column, Direction, Sort};
use keyrack::service::{
    CloseOverlaps, Count, CreateKey, Error, ExtendOverlaps, Field, From, GateState, PageRequest, Rotations,
    Service, new_operation,
};

fn closing(keys: &[&Key]) -> CloseOverlaps {
    CloseOverlaps { keys: keys.iter().map(|key| key.id).collect(), ..CloseOverlaps::default() }
}

fn extending(keys: &[&Key], by: Duration) -> ExtendOverlaps {
    ExtendOverlaps { keys: keys.iter().map(|key| key.id).collect(), by, shown: None }
}

/// Rotates a key and confirms the replacement's secret.
async fn rotate(service: &Service, old: &Key, overlap: Overlap) -> Key {
    let new = service.rotate_key(new_operation(), old.id, overlap).await.unwrap().key;
    service.acknowledge_key(new_operation(), new.id).await.unwrap();
    service.key(new.id).await.unwrap()
}

async fn open(service: &Service, filter: &str) -> Rotations {
    let sort = Sort { column: Column::Expires, direction: Direction::Ascending };
    let request = PageRequest { query: query(filter), sort, from: From::Start, limit: 50 };
    let found = service.rotations(&request).await.unwrap();
    let counted = service.count_rotations(&query(filter)).await.unwrap();
    assert_eq!(counted, Count::Exactly(found.rows.len() as u64), "{filter}");
    found
}

async fn status(service: &Service, id: KeyId) -> Status {
    service.key(id).await.unwrap().status(service.now().await.unwrap())
}

on_both! {
    async fn kr_11_open_overlaps_are_listed_with_both_keys(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let (one, two) = (make_kept(&service, "acme", "one").await.key, make_kept(&service, "acme", "two").await.key);
        make_kept(&service, "acme", "alone").await;
        let pending = make_kept(&service, "acme", "pending").await.key;
        service.rotate_key(new_operation(), pending.id, Overlap::Hours24).await.unwrap();
        let gone = make_kept(&service, "acme", "gone").await.key;
        rotate(&service, &gone, Overlap::None).await;
        let later = rotate(&service, &one, Overlap::Days7).await;
        let sooner = rotate(&service, &two, Overlap::Hours24).await;
        let found = open(&service, "").await;
        let ids: Vec<_> = found.rows.iter().map(|row| (row.rotation.old.id, row.rotation.new.id)).collect();
        assert_eq!(ids, [(two.id, sooner.id), (one.id, later.id)], "that which ends next comes first");
        let first = &found.rows[0].rotation;
        assert_eq!(Some(first.began_at()), first.new.acknowledged_at);
        assert_eq!(first.new.created_by, service.whoami().await.unwrap().identity.name.as_str().into());
        assert_eq!(open(&service, "name:=one").await.rows.len(), 1);
        assert_eq!(names(&service, "overlap:old").await, ["one", "two"]);
        assert_eq!(names(&service, "overlap:new").await, ["one", "two"]);
        assert_eq!(names(&service, "overlap:open").await, ["one", "one", "two", "two"]);
        assert_eq!(names(&service, "replaces:yes status:active").await, ["gone", "one", "pending", "two"]);
        // A replacement that does not work any more leaves the overlap open: somebody has to look.
        service.revoke_keys(new_operation(), &[later.id], None).await.unwrap();
        assert_eq!(open(&service, "").await.rows.len(), 2);
        let refused = service.close_overlaps(new_operation(), closing(&[&one])).await.unwrap_err();
        assert!(refused.to_string().contains("would leave no key that works"), "{refused}");
        assert_eq!(status(&service, one.id).await, Status::Active);
    }

    async fn kr_11_closing_revokes_the_old_keys_at_once_and_gates_confirm(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let (one, two) = (make_kept(&service, "acme", "one").await, make_kept(&service, "acme", "two").await);
        let new = rotate(&service, &one.key, Overlap::Hours24).await;
        rotate(&service, &two.key, Overlap::Hours24).await;
        let gate = gate(&db, "east").await;
        let tried = service.trying().close_overlaps(new_operation(), closing(&[&one.key, &two.key])).await.unwrap();
        assert!(tried.iter().all(|one| one.key.revoked_at.is_some()));
        assert_eq!(status(&service, one.key.id).await, Status::Active, "a try changes nothing");
        let operation = new_operation();
        let closed = service.close_overlaps(operation, closing(&[&one.key, &two.key])).await.unwrap();
        assert_eq!(closed.len(), 2);
        let again = service.close_overlaps(operation, closing(&[&one.key, &two.key])).await.unwrap();
        assert!(again.iter().all(|one| !one.already), "it is the same wish");
        let old = service.key(one.key.id).await.unwrap();
        assert_eq!(old.revoke_reason.as_deref(), Some(format!("replaced by {}", new.id).as_str()));
        assert_eq!(status(&service, new.id).await, Status::Active);
        let receipt = service.receipt(&[one.key.id], std::time::Duration::from_secs(3)).await.unwrap();
        assert!(matches!(receipt.gates[0].state, GateState::Confirmed { .. }), "{receipt:?}");
        assert!(open(&service, "").await.rows.is_empty());
        let told = db.number("SELECT count(*) FROM audit WHERE action = 'key.revoke' AND detail LIKE '%successor%'").await;
        assert_eq!(told, 2);
        assert!(service.compare_newest().await.unwrap().findings.kept.is_empty());
        gate.close().await;
    }

    async fn kr_11_an_overlap_closes_where_the_replacement_was_replaced_itself(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let first = make_kept(&service, "acme", "first").await.key;
        let second = rotate(&service, &first, Overlap::Days7).await;
        let third = rotate(&service, &second, Overlap::None).await;
        let fourth = rotate(&service, &third, Overlap::None).await;
        service.close_overlaps(new_operation(), closing(&[&first])).await.unwrap();
        assert_eq!(status(&service, first.id).await, Status::Revoked);
        assert_eq!(status(&service, fourth.id).await, Status::Active);
    }

    async fn kr_11_keys_in_no_overlap_are_refused_in_words(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let old = make_kept(&service, "acme", "old").await.key;
        let alone = make_kept(&service, "acme", "alone").await.key;
        let pending = make_kept(&service, "acme", "pending").await.key;
        service.rotate_key(new_operation(), pending.id, Overlap::Hours24).await.unwrap();
        let new = rotate(&service, &old, Overlap::Hours24).await;
        let gone = make_kept(&service, "acme", "gone").await.key;
        rotate(&service, &gone, Overlap::None).await;
        for (key, why) in [
            (&alone, "nobody rotated it".to_owned()),
            (&pending, "nobody confirmed the secret of its replacement".into()),
            (&new, format!("it is the replacement: name the old key, {}", old.id)),
            (&gone, "it is already revoked".into()),
        ] {
            let close = service.close_overlaps(new_operation(), closing(&[&old, key])).await.unwrap_err();
            let extend = extending(&[&old, key], Duration::hours(1));
            let extend = service.extend_overlaps(new_operation(), extend).await.unwrap_err();
            for refused in [close.to_string(), extend.to_string()] {
                assert!(refused.contains("is not in an overlap") && refused.contains(&why), "{refused}");
            }
        }
        assert_eq!(status(&service, old.id).await, Status::Active, "all of them or none");
        service.set_operator(new_operation(), "vera", Role::Viewer).await.unwrap();
        db.role("vera").await;
        let vera = as_person(&db, "vera").await;
        assert_eq!(open(&vera, "").await.rows.len(), 1, "who looks needs no more than that");
        let refused = vera.close_overlaps(new_operation(), closing(&[&old])).await.unwrap_err();
        assert!(matches!(refused, Error::NotPermitted { .. } | Error::Store(_)), "{refused}");
        let refused = vera.extend_overlaps(new_operation(), extending(&[&old], Duration::hours(1))).await.unwrap_err();
        assert!(matches!(refused, Error::NotPermitted { .. } | Error::Store(_)), "{refused}");
    }

    async fn kr_11_an_overlap_is_extended_within_its_limits(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let day = Duration::days(1);
        let forever = make_kept(&service, "acme", "for ever").await.key;
        let short = CreateKey { expiry: Expiry::Days(3), ..wanted("acme", "short") };
        let short = keep(&service, short).await.key;
        for key in [&forever, &short] {
            rotate(&service, key, Overlap::Hours24).await;
        }
        let before = service.key(forever.id).await.unwrap().expires_at.unwrap();
        let operation = new_operation();
        let extended = service.extend_overlaps(operation, extending(&[&forever, &short], day)).await.unwrap();
        assert_eq!(extended.iter().filter(|one| one.key.id == forever.id).map(|one| (one.was, one.key.expires_at)).next(), Some((Some(before), Some(before + day))));
        let again = service.extend_overlaps(operation, extending(&[&forever, &short], day)).await.unwrap();
        assert_eq!(again.len(), 2, "it is the same wish, and nothing is added twice");
        assert_eq!(service.key(forever.id).await.unwrap().expires_at, Some(before + day));
        // What the old key would have lived is in the audit alone.
        let own = service.extend_overlaps(new_operation(), extending(&[&forever, &short], day * 2)).await.unwrap_err();
        assert!(matches!(&own, Error::Invalid { field: Field::Overlap, why } if why.contains("\"short\"") && why.contains("an overlap can't last beyond")), "{own}");
        assert_eq!(service.key(forever.id).await.unwrap().expires_at, Some(before + day), "all of them or none");
        service.extend_overlaps(new_operation(), extending(&[&forever], day * 5)).await.unwrap();
        let long = service.extend_overlaps(new_operation(), extending(&[&forever], day)).await.unwrap_err();
        assert!(long.to_string().contains("an overlap lasts 7d at most"), "{long}");
        assert!(service.compare_newest().await.unwrap().findings.kept.is_empty());
        assert_eq!(db.number("SELECT count(*) FROM audit WHERE action = 'key.retire' AND detail LIKE '%was_ends_at%'").await, 3);
        // An edit that ends it sooner is no measure of what it would have lived.
        let soon = Edit { expires: Some(NewEnd::To(Expiry::At(service.now().await.unwrap() + Duration::hours(1)))), ..Edit::default() };
        service.edit_keys(new_operation(), &[forever.id], soon, None).await.unwrap();
        service.extend_overlaps(new_operation(), extending(&[&forever], day)).await.unwrap();
    }

    async fn kr_11_what_is_over_is_never_revived(db) {
        // The server's own clock can't be moved.
        if db.is_postgres() {
            return;
        }
        let clock = Clock::fixed(Clock::System.now());
        let service = office_at(&db, preset("voiceinfra"), clock.clone()).await;
        let old = make_kept(&service, "acme", "old").await.key;
        rotate(&service, &old, Overlap::Hours24).await;
        clock.advance(Duration::hours(25));
        assert!(open(&service, "").await.rows.is_empty());
        for refused in [
            service.extend_overlaps(new_operation(), extending(&[&old], Duration::hours(24))).await.unwrap_err(),
            service.close_overlaps(new_operation(), closing(&[&old])).await.unwrap_err(),
        ] {
            assert!(refused.to_string().contains("it is already replaced"), "{refused}");
        }
    }
}
