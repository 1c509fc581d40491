//! Replacing keys, on both databases: the old one is left alone until the new one is in somebody's hands.

use crate::support::people::{age, all, keep, make_kept, office, preset, query, wanted};
use chrono::Duration;
use keyrack::domain::expiry::{Expiry, Overlap};
use keyrack::domain::key::Status;
use keyrack::domain::network::Networks;
use keyrack::domain::scope::Scopes;
use keyrack::service::{CreateKey, Error, Field, Place, RotateKeys, Service, new_operation};
use uuid::Uuid;

async fn status(service: &Service, id: Uuid) -> Status {
    service.key(id).await.unwrap().status(service.now().await.unwrap())
}

on_both! {
    async fn vp_06_and_vi_12_the_new_key_is_there_before_anything_happens_to_the_old(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let request = CreateKey { description: "for the hub".into(), allow: Networks::parse("10.0.0.0/8").unwrap(), ..wanted("acme", "hub") };
        let old = service.create_key(request).await.unwrap().key;
        service.acknowledge_key(new_operation(), old.id).await.unwrap();

        let new = service.rotate_key(new_operation(), old.id, Overlap::Hours24).await.unwrap();
        assert_eq!((&new.key.name, &new.key.description, &new.key.allow), (&old.name, &old.description, &old.allow));
        let untouched = service.key(old.id).await.unwrap();
        assert_eq!((untouched.expires_at, untouched.revoked_at), (None, None));
        assert_eq!((untouched.successor, new.key.predecessor), (Some(new.key.id), Some(old.id)));
        assert_eq!(status(&service, old.id).await, Status::Active);

        service.acknowledge_key(new_operation(), new.key.id).await.unwrap();
        let now = service.now().await.unwrap();
        let ends = service.key(old.id).await.unwrap().expires_at.unwrap();
        assert!((ends - now - Duration::hours(24)).abs() < Duration::minutes(1), "{ends}");
        assert_eq!(status(&service, old.id).await, Status::Active);
        assert_eq!(status(&service, new.key.id).await, Status::Active);
    }

    async fn a_rotation_without_overlap_revokes_the_old_key_when_the_new_one_is_taken_over(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let old = make_kept(&service, "acme", "hub").await.key;
        let new = service.rotate_key(new_operation(), old.id, Overlap::None).await.unwrap();
        assert_eq!(status(&service, old.id).await, Status::Active);
        service.acknowledge_key(new_operation(), new.key.id).await.unwrap();
        assert_eq!(status(&service, old.id).await, Status::Revoked);
    }

    async fn a_rotation_whose_successor_was_lost_leaves_the_old_key_alone(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let old = make_kept(&service, "acme", "hub").await.key;
        let lost = service.rotate_key(new_operation(), old.id, Overlap::None).await.unwrap();
        // While the successor may still be taken over, another one is refused.
        assert!(service.rotate_key(new_operation(), old.id, Overlap::None).await.is_err());
        age(&db, 601).await;
        assert_eq!(status(&service, lost.key.id).await, Status::Abandoned);
        assert_eq!(status(&service, old.id).await, Status::Active);
        let next = service.rotate_key(new_operation(), old.id, Overlap::None).await.unwrap();
        service.acknowledge_key(new_operation(), next.key.id).await.unwrap();
        assert_eq!(status(&service, old.id).await, Status::Revoked);
    }

    async fn vp_06_a_key_whose_successor_was_lost_is_due_again(db) {
        let service = office(&db, preset("voxpria")).await;
        let old = make_kept(&service, "acme", "hub").await.key;
        age(&db, 91 * 86_400).await;
        service.rotate_key(new_operation(), old.id, Overlap::Hours24).await.unwrap();
        let due = async || {
            let query = query("rotation:due");
            let listed = all(&service, &query, keyrack::domain::query::Sort::default(), 9).await;
            let key = service.key(old.id).await.unwrap();
            let due = key.rotation_due(service.now().await.unwrap());
            assert_eq!(due, !listed.is_empty());
            due
        };
        assert!(!due().await);
        age(&db, 601).await;
        assert!(due().await);
    }

    async fn a_key_that_is_rotated_again_during_its_overlap_hands_on_the_life_it_was_given(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let forever = make_kept(&service, "acme", "for ever").await.key;
        let year = CreateKey { expiry: Expiry::Days(365), ..wanted("acme", "a year") };
        let year = service.create_key(year).await.unwrap().key;
        service.acknowledge_key(new_operation(), year.id).await.unwrap();
        for (old, life) in [(forever, None), (year, Some(Duration::days(365)))] {
            let first = service.rotate_key(new_operation(), old.id, Overlap::Days7).await.unwrap().key;
            service.acknowledge_key(new_operation(), first.id).await.unwrap();
            service.revoke_keys(new_operation(), &[first.id], None).await.unwrap();
            let second = service.rotate_key(new_operation(), old.id, Overlap::Days7).await.unwrap().key;
            assert_eq!(second.expires_at.map(|end| end - second.created_at), life);
        }
    }

    async fn an_overlap_never_outlives_the_old_keys_own_expiry(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let at = service.now().await.unwrap() + Duration::hours(2);
        let request = CreateKey { expiry: Expiry::At(at), ..wanted("acme", "short") };
        let old = service.create_key(request).await.unwrap().key;
        service.acknowledge_key(new_operation(), old.id).await.unwrap();
        let new = service.rotate_key(new_operation(), old.id, Overlap::Days7).await.unwrap();
        service.acknowledge_key(new_operation(), new.key.id).await.unwrap();
        assert_eq!(service.key(old.id).await.unwrap().expires_at, Some(at));
    }

    async fn the_policy_may_force_a_rotation_without_overlap(db) {
        let mut policy = preset("voiceinfra");
        policy.rotation.overlap = false;
        let service = office(&db, policy).await;
        let old = make_kept(&service, "acme", "hub").await.key;
        let error = service.rotate_key(new_operation(), old.id, Overlap::Hour1).await.unwrap_err();
        assert!(matches!(error, Error::Invalid { field: Field::Overlap, .. }), "{error}");
        service.rotate_key(new_operation(), old.id, Overlap::None).await.unwrap();
    }

    async fn a_rotation_obeys_the_policy_as_it_is_now(db) {
        let mut policy = preset("voxpria");
        let service = office(&db, policy.clone()).await;
        let long = CreateKey { expiry: Expiry::Days(401), scopes: Scopes::parse("calls:read"), ..wanted("acme", "long") };
        let old = keep(&service, long).await.key;
        policy.expiry.max_days = Some(90);
        policy.expiry.default = Expiry::Days(90);
        policy.expiry.choices = vec![Expiry::Days(30), Expiry::Days(90)];
        service.apply_policy(new_operation(), policy.clone()).await.unwrap();
        let tried = service.trying().rotate_key(new_operation(), old.id, Overlap::Hours24).await.unwrap().key;
        assert_eq!(tried.expires_at, Some(tried.created_at + Duration::days(90)));
        policy.scopes.retain(|scope| scope.name != "calls:read");
        policy.routes.clear();
        service.apply_policy(new_operation(), policy).await.unwrap();
        let error = service.rotate_key(new_operation(), old.id, Overlap::Hours24).await.unwrap_err();
        assert!(matches!(error, Error::Invalid { field: Field::Scopes, .. }), "{error}");
        assert_eq!(service.key(old.id).await.unwrap().successor, None);
    }

    async fn violates_policy_lists_what_would_be_refused_today(db) {
        let mut policy = preset("voxpria");
        let service = office(&db, policy.clone()).await;
        let with = |expiry, scopes, name| CreateKey { expiry, scopes: Scopes::parse(scopes), ..wanted("acme", name) };
        keep(&service, with(Expiry::Never, "calls:read", "never")).await;
        keep(&service, with(Expiry::Days(90), "calls:read calls:write contacts:read", "scope")).await;
        let long = keep(&service, with(Expiry::Days(401), "calls:read", "long")).await.key;
        keep(&service, with(Expiry::Days(90), "calls:read", "good")).await;
        let gone = keep(&service, with(Expiry::Never, "", "revoked")).await.key;
        service.revoke_keys(new_operation(), &[gone.id], None).await.unwrap();
        let listed = async |filter: &str| {
            let found = all(&service, &query(filter), Default::default(), 2).await;
            let now = service.now().await.unwrap();
            let policies: Vec<_> = service.issuers().await.unwrap().into_iter().map(|issuer| issuer.policy).collect();
            let asked = query(filter).under(policies);
            let mut every = all(&service, &query("status:active,revoked"), Default::default(), 9).await;
            every.retain(|key| asked.matches(key, now));
            assert_eq!(every.len(), found.len(), "{filter}");
            assert_eq!(service.count(&query(filter)).await.unwrap(), keyrack::service::Count::Exactly(found.len() as u64));
            let mut names: Vec<_> = found.iter().map(|key| key.name.to_string()).collect();
            names.sort();
            names
        };
        assert_eq!(listed("violates:policy").await, [""; 0]);
        policy.expiry.max_days = Some(90);
        policy.expiry.default = Expiry::Days(90);
        policy.expiry.choices = vec![Expiry::Days(30), Expiry::Days(90)];
        policy.scopes.retain(|scope| scope.name != "contacts:read");
        policy.routes.clear();
        service.apply_policy(new_operation(), policy.clone()).await.unwrap();
        assert_eq!(listed("violates:policy").await, ["long", "never", "scope"]);
        assert_eq!(listed("-violates:policy status:active").await, ["good"]);
        // What is replaced is on its way out.
        let next = service.rotate_key(new_operation(), long.id, Overlap::Days7).await.unwrap();
        service.acknowledge_key(new_operation(), next.key.id).await.unwrap();
        assert_eq!(listed("violates:policy").await, ["never", "scope"]);
        policy.expiry.custom = false;
        policy.expiry.choices = vec![Expiry::Days(30)];
        policy.expiry.default = Expiry::Days(30);
        service.apply_policy(new_operation(), policy).await.unwrap();
        assert_eq!(listed("violates:policy").await, ["good", "long", "never", "scope"]);
    }

    async fn at_the_cap_a_rotation_that_leaves_no_more_keys_is_allowed(db) {
        let mut policy = preset("voiceinfra");
        policy.caps.active_keys = Some(2);
        let service = office(&db, policy.clone()).await;
        let one = make_kept(&service, "acme", "one").await.key;
        make_kept(&service, "acme", "two").await;
        let error = service.rotate_key(new_operation(), one.id, Overlap::Hours24).await.unwrap_err();
        assert!(error.to_string().contains("without an overlap"), "{error}");
        let next = service.rotate_key(new_operation(), one.id, Overlap::None).await.unwrap().key;
        // Before it is taken over there is one more for a while; a second one there is not.
        assert!(service.rotate_key(new_operation(), next.id, Overlap::None).await.is_err());
        service.acknowledge_key(new_operation(), next.id).await.unwrap();
        assert_eq!(service.account("acme").await.unwrap().active_keys, 2);
        // A cap that was lowered stands in nobody's way either.
        policy.caps.active_keys = Some(1);
        service.apply_policy(new_operation(), policy).await.unwrap();
        service.rotate_key(new_operation(), next.id, Overlap::None).await.unwrap();
    }

    async fn vp_06_a_key_past_the_rotation_period_shows_as_due(db) {
        let service = office(&db, preset("voxpria")).await;
        let key = make_kept(&service, "acme", "old").await.key;
        assert_eq!(key.rotation_due_at, Some(key.created_at + Duration::days(90)));
        assert!(!key.rotation_due(service.now().await.unwrap()));
        age(&db, 90 * 86_400 + 5).await;
        let fresh = make_kept(&service, "acme", "fresh").await.key;
        let old = service.key(key.id).await.unwrap();
        assert!(old.rotation_due(service.now().await.unwrap()));
        let due = query("rotation:due");
        let listed = all(&service, &due, keyrack::domain::query::Sort::default(), 50).await;
        assert_eq!(listed.iter().map(|key| key.id).collect::<Vec<_>>(), [key.id]);
        assert!(!service.key(fresh.id).await.unwrap().rotation_due(service.now().await.unwrap()));
    }

    async fn kr_11_many_keys_are_rotated_with_their_secrets_on_the_disk_first(db) {
        use std::os::unix::fs::PermissionsExt;
        let service = office(&db, preset("voiceinfra")).await;
        let mut olds = Vec::new();
        for name in ["hub", "../Hub one", "hub"] {
            olds.push(make_kept(&service, "acme", name).await.key.id);
        }
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("secrets");
        let order = RotateKeys { keys: olds.clone(), expiry: Some(Expiry::Days(30)), ..RotateKeys::default() };
        let place = Place::Folder(folder.clone());

        service.trying().rotate_keys(new_operation(), order.clone(), place.clone()).await.unwrap();
        assert!(!folder.exists(), "a dry run writes nothing");

        let done = service.rotate_keys(new_operation(), order.clone(), place.clone()).await.unwrap();
        assert_eq!(done.len(), 3);
        let now = service.now().await.unwrap();
        assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        for one in &done {
            let text = std::fs::read_to_string(&one.file).unwrap();
            assert_eq!(one.file.parent(), Some(folder.as_path()), "no name leads out of the folder");
            assert_eq!(std::fs::metadata(&one.file).unwrap().permissions().mode() & 0o777, 0o600);
            let found = service.find_keys(keyrack::domain::secret::SentKey::exact(text.trim().as_bytes())).await.unwrap();
            assert_eq!(found.keys().map(|key| key.id).collect::<Vec<_>>(), [one.new.id]);
            assert!(one.new.acknowledged_at.is_some() && one.new.expires_at.is_some());
            assert_eq!((one.old.successor, one.new.predecessor), (Some(one.new.id), Some(one.old.id)));
            assert!((one.old.expires_at.unwrap() - now - Duration::hours(24)).abs() < Duration::minutes(1));
            assert_eq!(status(&service, one.old.id).await, Status::Active);
        }
        // A retry makes no second ones, and leaves no files behind.
        assert!(service.rotate_keys(new_operation(), order, place).await.is_err());
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 3);
        assert!(service.compare_audit(|_, _, _| ()).await.unwrap().findings.kept.is_empty());
    }

    async fn kr_11_a_rotation_whose_secrets_have_no_place_changes_nothing(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let ids = [make_kept(&service, "acme", "hub").await.key.id, make_kept(&service, "acme", "lab").await.key.id];
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join(".env");
        std::fs::write(&file, "KEEP=1\n").unwrap();
        let order = RotateKeys { keys: ids.to_vec(), overlap: Some(Overlap::None), ..RotateKeys::default() };
        let error = service.rotate_keys(new_operation(), order.clone(), Place::Env(file.clone())).await.unwrap_err();
        assert!(matches!(error, Error::Invalid { field: Field::Place, .. }), "{error}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "KEEP=1\n");
        for id in ids {
            assert_eq!(service.key(id).await.unwrap().successor, None);
        }
        let other = home.path().join("new.env");
        let done = service.rotate_keys(new_operation(), order, Place::Env(other.clone())).await.unwrap();
        let text = std::fs::read_to_string(&other).unwrap();
        assert!(text.contains("\nACME_HUB=") && text.contains("\nACME_LAB="), "{text}");
        for one in done {
            assert_eq!(status(&service, one.old.id).await, Status::Revoked);
            assert_eq!(status(&service, one.new.id).await, Status::Active);
        }
    }

    async fn kr_11_a_rotation_that_is_given_up_keeps_the_secrets_of_what_it_did(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let home = tempfile::tempdir().unwrap();
        let mut rotated = 0;
        for n in 0..16 {
            let id = make_kept(&service, "acme", &format!("hub {n}")).await.key.id;
            let file = home.path().join(format!("{n}.env"));
            let order = RotateKeys { keys: vec![id], overlap: Some(Overlap::None), ..RotateKeys::default() };
            let given_up = async {
                while !file.exists() {
                    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                }
                tokio::time::sleep(std::time::Duration::from_millis(n)).await;
            };
            // As the end of a command does that is interrupted.
            tokio::select! {
                done = service.rotate_keys(new_operation(), order, Place::Env(file.clone())) => assert!(done.is_ok()),
                () = given_up => {}
            }
            tokio::time::sleep(std::time::Duration::from_millis(150)).await;
            let Some(new) = service.key(id).await.unwrap().successor else { continue };
            let text = std::fs::read_to_string(&file).unwrap();
            let secret = text.trim().rsplit('=').next().unwrap();
            let found = service.find_keys(keyrack::domain::secret::SentKey::exact(secret.as_bytes())).await.unwrap();
            assert_eq!(found.keys().map(|key| key.id).collect::<Vec<_>>(), [new]);
            rotated += 1;
        }
        assert!(rotated > 0, "none got that far");
    }
}
