//! KR-05: keys that are refused for a while, on both databases.

use std::time::Duration;

use chrono::TimeDelta;
use keyrack::clock::Clock;
use keyrack::domain::edit::Edit;
use keyrack::domain::expiry::Overlap;
use keyrack::domain::key::{Key, Status};
use keyrack::domain::operator::Role;
use keyrack::domain::owner::Tags;
use keyrack::domain::pause::Lasting;
use keyrack::domain::query::Sort;
use keyrack::service::{
    Confirmed, Count, Error, Gate, GateState, HoldTarget, Leave, PauseOrder, Service, new_operation,
};

use crate::support::people::{
    all, as_person, gate, make, make_kept, office, office_at, preset, query, wanted,
};

fn for_(span: &str) -> PauseOrder {
    let lasting = Lasting::span(span).unwrap();
    PauseOrder { lasting, message: Some("Call us.".into()), reason: Some("looking into a leak".into()) }
}

async fn pause(service: &Service, key: &Key, span: &str) -> Key {
    service.pause_keys(new_operation(), &[key.id], for_(span), None).await.unwrap().remove(0).key
}

async fn found(service: &Service, filter: &str) -> Vec<String> {
    let keys = all(service, &query(filter), Sort::default(), 50).await;
    let counted = service.count(&query(filter)).await.unwrap();
    assert_eq!(counted, Count::Exactly(keys.len() as u64), "{filter}");
    let mut names: Vec<String> = keys.iter().map(|key| key.name.to_string()).collect();
    names.sort();
    names
}

/// What a request with the key would meet at this gate.
async fn status(gate: &Gate, made: &keyrack::service::Created) -> Status {
    loop {
        let policies = gate.policies().await.unwrap();
        let known = gate.known(made.secret.hash()).await.unwrap().unwrap();
        if let Confirmed::Current { now } = gate.confirm(&known, &policies).await.unwrap() {
            return known.key.status(now);
        }
    }
}

on_both! {
    async fn kr_05_a_paused_key_is_refused_at_once_and_works_again_when_resumed(db) {
        let service = office(&db, preset("voxpria")).await;
        let (one, other) = (make_kept(&service, "acme", "one").await, make_kept(&service, "acme", "other").await);
        let gate = gate(&db, "east").await;
        assert_eq!(status(&gate, &one).await, Status::Active);
        let paused = pause(&service, &one.key, "2h").await;
        assert_eq!(paused.status(service.now().await.unwrap()), Status::Paused);
        let pause = paused.paused.unwrap();
        assert_eq!((pause.until - pause.at, &pause.by), (TimeDelta::hours(2), &one.key.created_by));
        assert_eq!(pause.message.as_deref(), Some("Call us."));
        assert_eq!(status(&gate, &one).await, Status::Paused);
        assert_eq!(status(&gate, &other).await, Status::Active);
        let receipt = service.receipt(&[one.key.id], Duration::from_secs(3)).await.unwrap();
        assert!(matches!(receipt.gates[0].state, GateState::Confirmed { .. }), "{receipt:?}");
        assert_eq!(found(&service, "status:paused").await, ["one"]);
        assert_eq!(found(&service, "status:active").await, ["other"]);
        assert_eq!(found(&service, "-status:paused").await, ["other"]);
        let resumed = service.resume_keys(new_operation(), &[one.key.id, other.key.id], None).await.unwrap();
        let mut changed: Vec<_> = resumed.iter().map(|held| (held.key.name.to_string(), held.changed)).collect();
        changed.sort();
        assert_eq!(changed, [("one".to_owned(), true), ("other".to_owned(), false)]);
        assert_eq!(status(&gate, &one).await, Status::Active);
        assert_eq!(found(&service, "status:paused").await, Vec::<String>::new());
        assert!(service.compare_newest().await.unwrap().findings.kept.is_empty());
        gate.close().await;
    }

    async fn kr_05_a_pause_ends_by_the_clock_and_revives_nothing(db) {
        // The server's own clock can't be moved.
        if db.is_postgres() {
            return;
        }
        let clock = Clock::fixed(Clock::System.now());
        let service = office_at(&db, preset("voxpria"), clock.clone()).await;
        let fresh = make(&service, "acme", "fresh").await.key;
        let (kept, gone) = (make_kept(&service, "acme", "kept").await.key, make_kept(&service, "acme", "gone").await.key);
        service.pause_keys(new_operation(), &[fresh.id, kept.id, gone.id], for_("1h"), None).await.unwrap();
        assert_eq!(found(&service, "status:paused").await, ["fresh", "gone", "kept"]);
        service.revoke_keys(new_operation(), &[gone.id], None).await.unwrap();
        assert_eq!(found(&service, "status:revoked").await, ["gone"]);
        clock.advance(TimeDelta::minutes(11));
        assert_eq!(found(&service, "status:abandoned").await, ["fresh"], "a pause keeps nothing alive");
        assert_eq!(found(&service, "status:paused").await, ["kept"]);
        clock.advance(TimeDelta::minutes(49));
        assert_eq!(found(&service, "status:active").await, ["kept"], "nobody had to do anything");
        let none = service.resume_keys(new_operation(), &[kept.id, gone.id], None).await.unwrap();
        assert!(none.iter().all(|held| !held.changed));
        assert!(service.compare_newest().await.unwrap().findings.kept.is_empty());
    }

    async fn kr_05_a_pause_is_refused_where_there_is_none_to_be(db) {
        let service = office(&db, preset("voxpria")).await;
        let (kept, gone) = (make_kept(&service, "acme", "kept").await.key, make_kept(&service, "acme", "gone").await.key);
        service.revoke_keys(new_operation(), &[gone.id], None).await.unwrap();
        let refused = service.pause_keys(new_operation(), &[gone.id], for_("1h"), None).await.unwrap_err();
        assert!(refused.to_string().contains("is revoked"), "{refused}");
        let both = service.pause_keys(new_operation(), &[gone.id, kept.id], for_("1h"), None).await.unwrap();
        let changed = both.iter().filter(|held| held.changed).map(|held| held.key.id);
        assert_eq!(changed.collect::<Vec<_>>(), [kept.id], "of several the one that can be");
        for span in ["8d", "0s"] {
            let refused = service.pause_keys(new_operation(), &[kept.id], for_(span), None).await.unwrap_err();
            assert!(matches!(refused, Error::Invalid { .. }), "{refused}");
        }
        service.set_operator(new_operation(), "vera", Role::Viewer).await.unwrap();
        db.role("vera").await;
        let vera = as_person(&db, "vera").await;
        let refused = vera.pause_keys(new_operation(), &[kept.id], for_("1h"), None).await.unwrap_err();
        assert!(matches!(refused, Error::NotPermitted { .. } | Error::Store(_)), "{refused}");
        let refused = vera.resume_keys(new_operation(), &[kept.id], None).await.unwrap_err();
        assert!(matches!(refused, Error::NotPermitted { .. } | Error::Store(_)), "{refused}");
    }

    async fn kr_05_a_dry_run_pauses_nothing_and_a_retry_pauses_once(db) {
        let service = office(&db, preset("voxpria")).await;
        let key = make_kept(&service, "acme", "kept").await.key;
        let tried = service.trying().pause_keys(new_operation(), &[key.id], for_("1h"), None).await.unwrap();
        assert!(tried[0].changed);
        assert!(found(&service, "status:paused").await.is_empty());
        let operation = new_operation();
        let first = service.pause_keys(operation, &[key.id], for_("1h"), None).await.unwrap();
        let again = service.pause_keys(operation, &[key.id], for_("2h"), None).await.unwrap();
        assert_eq!(first, again);
    }

    async fn kr_05_a_freeze_binds_what_fits_it_also_keys_made_later_until_it_is_lifted(db) {
        let service = office(&db, preset("voxpria")).await;
        let (one, other) = (make_kept(&service, "acme", "one").await, make_kept(&service, "globex", "other").await);
        let gate = gate(&db, "east").await;
        assert_eq!(status(&gate, &one).await, Status::Active);
        let target = HoldTarget::Keys(query("account:acme -name:spared"));
        let hold = service.hold(new_operation(), target, for_("1h")).await.unwrap();
        assert_eq!(status(&gate, &one).await, Status::Paused);
        assert_eq!(status(&gate, &other).await, Status::Active);
        let later = make_kept(&service, "acme", "later").await;
        assert_eq!(status(&gate, &later).await, Status::Paused);
        make_kept(&service, "acme", "spared").await;
        assert_eq!(found(&service, "status:paused").await, ["later", "one"]);
        assert_eq!(found(&service, "status:active").await, ["other", "spared"]);
        assert_eq!(found(&service, "-status:paused").await, ["other", "spared"]);
        // Neither a resumption nor a revocation is stopped by it, and a resumption does not lift it.
        let resumed = service.resume_keys(new_operation(), &[one.key.id], None).await.unwrap();
        assert!(!resumed[0].changed && resumed[0].key.frozen.is_some());
        service.revoke_keys(new_operation(), &[later.key.id], None).await.unwrap();
        let lifted = service.lift(new_operation(), hold.n).await.unwrap();
        assert!(lifted.lifted_at.is_some());
        assert_eq!(status(&gate, &one).await, Status::Active);
        assert_eq!(found(&service, "status:revoked").await, ["later"]);
        assert!(found(&service, "status:paused").await.is_empty());
        assert!(service.lift(new_operation(), hold.n).await.is_err(), "once");
        gate.close().await;
    }

    async fn kr_05_no_edit_lets_a_frozen_key_slip_out_of_its_freeze(db) {
        let service = office(&db, preset("voxpria")).await;
        let edit = async |key: &Key, edit: Edit| service.edit_keys(new_operation(), &[key.id], edit, None).await;
        let key = make_kept(&service, "acme", "one").await.key;
        let owned = |name: &str| Edit { owner: Some(name.into()), ..Edit::default() };
        let tagged = Edit { tag: Tags::checked(["leak"]).unwrap(), ..owned("bob") };
        edit(&key, tagged).await.unwrap();
        for filter in ["owner:bob", "tag:leak", "name:one"] {
            let hold = service.hold(new_operation(), HoldTarget::Keys(query(filter)), for_("1h")).await.unwrap();
            let slip = match filter {
                "owner:bob" => owned("grace"),
                "tag:leak" => Edit { untag: Tags::checked(["leak"]).unwrap(), ..Edit::default() },
                _ => Edit { name: Some("another".into()), ..Edit::default() },
            };
            let refused = edit(&key, slip.clone()).await.unwrap_err();
            assert!(matches!(refused, Error::Refused(_)), "{refused}");
            assert!(refused.to_string().contains(&format!("keyrack freeze lift {}", hold.n)), "{refused}");
            // What the freeze doesn't ask for is changed all the same.
            edit(&key, Edit { description: Some(filter.into()), ..Edit::default() }).await.unwrap();
            assert_eq!(service.key(key.id).await.unwrap().status(service.now().await.unwrap()), Status::Paused);
            if filter == "owner:bob" {
                let all = Leave { name: "bob".into(), keys: vec![key.id], give: vec![key.id], to: "grace".into(), ..Leave::default() };
                let refused = service.leave(new_operation(), all).await.unwrap_err();
                assert!(refused.to_string().contains("keyrack freeze lift"), "{refused}");
            }
            service.lift(new_operation(), hold.n).await.unwrap();
            edit(&key, slip).await.unwrap();
            let back = Edit { tag: Tags::checked(["leak"]).unwrap(), name: Some("one".into()), ..owned("bob") };
            edit(&key, back).await.unwrap();
        }
    }

    async fn kr_05_a_freeze_asks_what_keys_are_and_takes_an_admin(db) {
        let service = office(&db, preset("voxpria")).await;
        for filter in ["", "used:never", "status:active", "idle:30d", "created:<7d", "expires:never"] {
            let target = HoldTarget::Keys(query(filter));
            let refused = service.hold(new_operation(), target, for_("1h")).await.unwrap_err();
            assert!(matches!(refused, Error::Invalid { .. }), "{filter}: {refused}");
        }
        service.set_operator(new_operation(), "otto", Role::Operator).await.unwrap();
        let otto = as_person(&db, "otto").await;
        let target = HoldTarget::Keys(query("account:acme"));
        let refused = otto.hold(new_operation(), target, for_("1h")).await.unwrap_err();
        assert!(matches!(refused, Error::NotPermitted { .. } | Error::Store(_)), "{refused}");
    }

    async fn kr_05_creation_is_stopped_for_whom_it_was_said_and_nothing_else_is(db) {
        let service = office(&db, preset("voxpria")).await;
        let kept = make_kept(&service, "acme", "kept").await.key;
        let target = HoldTarget::Creation { account: Some("acme".into()), issuer: None };
        let hold = service.hold(new_operation(), target, for_("1h")).await.unwrap();
        let refused = service.create_key(wanted("acme", "new")).await.unwrap_err();
        assert!(refused.to_string().contains("stopped for account:acme"), "{refused}");
        let refused = service.rotate_key(new_operation(), kept.id, Overlap::None).await.unwrap_err();
        assert!(matches!(refused, Error::Refused(_)), "{refused}");
        make_kept(&service, "globex", "other").await;
        pause(&service, &kept, "1h").await;
        service.resume_keys(new_operation(), &[kept.id], None).await.unwrap();
        service.revoke_keys(new_operation(), &[kept.id], None).await.unwrap();
        service.lift(new_operation(), hold.n).await.unwrap();
        make_kept(&service, "acme", "new").await;
    }
}
