//! KR-18: keys that work from an instant on, and are revoked at an instant, on both databases.

use std::time::Duration;

use chrono::TimeDelta;
use keyrack::clock::Clock;
use keyrack::domain::Instant;
use keyrack::domain::edit::{Edit, NewEnd};
use keyrack::domain::expiry::{Expiry, Overlap};
use keyrack::domain::key::{Key, Status};
use keyrack::domain::operator::Role;
use keyrack::domain::pause::Lasting;
use keyrack::domain::plan::{NewInstant, Plan};
use keyrack::domain::query::Sort;
use keyrack::service::{
    Confirmed, Count, CreateKey, Created, Error, Field, Gate, PauseOrder, Service, new_operation,
};

use sqlx::{Connection, PgConnection};

use crate::support::people::{
    all, as_person, gate, keep, make_kept, office, office_at, preset, query, wanted,
};

fn planned(name: &str, not_before: Option<Instant>, revoke_at: Option<Instant>) -> CreateKey {
    CreateKey { plan: Plan { not_before, revoke_at }, ..wanted("acme", name) }
}

fn to(at: Option<Instant>) -> Option<NewInstant> {
    Some(NewInstant::To(at))
}

async fn edit(service: &Service, key: &Key, edit: Edit) -> Result<Key, Error> {
    let done = service.edit_keys(new_operation(), &[key.id], edit, None).await;
    done.map(|mut edited| edited.remove(0).key)
}

async fn found(service: &Service, filter: &str) -> Vec<String> {
    let keys = all(service, &query(filter), Sort::default(), 50).await;
    let counted = service.count(&query(filter)).await.unwrap();
    assert_eq!(counted, Count::Exactly(keys.len() as u64), "{filter}");
    let now = service.now().await.unwrap();
    assert!(keys.iter().all(|key| query(filter).matches(key, now)), "{filter}");
    let mut names: Vec<String> = keys.iter().map(|key| key.name.to_string()).collect();
    names.sort();
    names
}

/// What a request with the key would meet at this gate.
async fn status(gate: &Gate, made: &Created) -> Status {
    loop {
        let policies = gate.policies().await.unwrap();
        let known = gate.known(made.secret.hash()).await.unwrap().unwrap();
        if let Confirmed::Current { now } = gate.confirm(&known, &policies).await.unwrap() {
            return known.key.status(now);
        }
        // What has ended is confirmed to nobody.
        if let Some(now) = Some(gate.now()).filter(|now| known.key.has_ended(*now)) {
            return known.key.status(now);
        }
    }
}

async fn clean(service: &Service) {
    let findings = service.compare_newest().await.unwrap().findings.kept;
    assert!(findings.is_empty(), "{findings:?}");
}

fn field(refused: Result<Key, Error>) -> Field {
    match refused {
        Err(Error::Invalid { field, .. }) => field,
        other => panic!("{other:?}"),
    }
}

on_both! {
    async fn kr_18_a_planned_key_begins_and_ends_by_the_clock_alone(db) {
        let service = office(&db, preset("voxpria")).await;
        let gate = gate(&db, "east").await;
        let now = service.now().await.unwrap();
        let (starts, ends) = (now + TimeDelta::seconds(3), now + TimeDelta::seconds(6));
        let made = keep(&service, planned("visit", Some(starts), Some(ends))).await;
        make_kept(&service, "acme", "usual").await;
        assert_eq!((made.key.not_before, made.key.expires_at, made.key.stops_at()), (Some(starts), None, Some(ends)));
        assert_eq!(status(&gate, &made).await, Status::Planned);
        assert_eq!(found(&service, "status:planned").await, ["visit"]);
        assert_eq!(found(&service, "status:active").await, ["usual"]);
        assert_eq!(found(&service, "-status:planned").await, ["usual"]);
        assert_eq!(found(&service, "expires:never").await, ["usual"]);
        clean(&service).await;
        let head = db.number("SELECT seq FROM audit_head").await;
        tokio::time::sleep(Duration::from_millis(3_300)).await;
        assert_eq!(status(&gate, &made).await, Status::Active);
        assert_eq!(found(&service, "status:active").await, ["usual", "visit"]);
        assert_eq!(found(&service, "status:planned").await, Vec::<String>::new());
        tokio::time::sleep(Duration::from_millis(3_000)).await;
        assert_eq!(status(&gate, &made).await, Status::Revoked);
        assert_eq!(found(&service, "status:revoked").await, ["visit"]);
        assert_eq!(found(&service, "status:active").await, ["usual"]);
        assert_eq!(found(&service, "status:expired").await, Vec::<String>::new());
        assert_eq!(found(&service, "-status:revoked").await, ["usual"]);
        let now = service.now().await.unwrap();
        let key = service.key(made.key.id).await.unwrap();
        let revoked = key.revoked(now).unwrap();
        assert_eq!((revoked.at, revoked.by, revoked.planned), (ends, Some(&key.created_by), true));
        assert_eq!(db.number("SELECT seq FROM audit_head").await, head, "nobody had to write anything");
        clean(&service).await;
        gate.close().await;
    }

    async fn kr_18_what_was_revoked_by_plan_is_revoked_for_good(db) {
        let service = office(&db, preset("voxpria")).await;
        let now = service.now().await.unwrap();
        let made = keep(&service, planned("visit", None, Some(now + TimeDelta::seconds(1)))).await;
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        let edits = [
            Edit { revoke_at: to(None), ..Edit::default() },
            Edit { revoke_at: to(Some(now + TimeDelta::days(1))), ..Edit::default() },
            Edit { expires: Some(NewEnd::To(Expiry::Days(30))), ..Edit::default() },
            Edit { not_before: to(Some(now + TimeDelta::days(1))), ..Edit::default() },
            Edit { description: Some("x".into()), ..Edit::default() },
        ];
        for wish in edits {
            let refused = edit(&service, &made.key, wish).await.unwrap_err();
            assert!(refused.to_string().contains("is revoked"), "{refused}");
        }
        let again = service.revoke_keys(new_operation(), &[made.key.id], Some("once more")).await.unwrap();
        assert!(again[0].already);
        assert_eq!(again[0].key.revoked_at, None);
        let refused = service.rotate_key(new_operation(), made.key.id, Overlap::None).await.unwrap_err();
        assert!(refused.to_string().contains("is revoked"), "{refused}");
        let order = PauseOrder { lasting: Lasting::span("1h").unwrap(), message: None, reason: None };
        let refused = service.pause_keys(new_operation(), &[made.key.id], order, None).await.unwrap_err();
        assert!(refused.to_string().contains("is revoked"), "{refused}");
        // Nor past the service.
        if db.is_postgres() {
            let mut owner = PgConnection::connect(&db.address()).await.unwrap();
            for sql in [
                "UPDATE key_auth SET revoke_at = NULL, planned_by = NULL, plan_reason = NULL, expires_at = own_expiry, own_expiry = NULL",
                "UPDATE key_auth SET revoke_at = revoke_at + interval '1 day', expires_at = expires_at + interval '1 day'",
                "UPDATE key_auth SET not_before = revoke_at",
            ] {
                let refused = sqlx::raw_sql(sql).execute(&mut owner).await.unwrap_err().to_string();
                assert!(refused.contains("stays as it is"), "{refused}");
            }
        }
        assert_eq!(found(&service, "status:revoked").await, ["visit"]);
        clean(&service).await;
    }

    async fn kr_18_a_plan_is_moved_and_cancelled_while_it_lies_ahead(db) {
        let service = office(&db, preset("voxpria")).await;
        let now = service.now().await.unwrap();
        let day = |n| Some(now + TimeDelta::days(n));
        let key = keep(&service, CreateKey { expiry: Expiry::Days(30), ..wanted("acme", "ci") }).await.key;
        let own = key.expires_at;
        let plan = Edit { revoke_at: to(day(7)), plan_reason: Some("contract ends".into()), ..Edit::default() };
        let key = edit(&service, &key, plan).await.unwrap();
        let read = service.key(key.id).await.unwrap();
        assert_eq!((read.expires_at, read.stops_at(), &read.planned), (own, day(7), &key.planned));
        let plan = read.planned.unwrap();
        assert_eq!((plan.by, plan.reason.as_deref()), (key.created_by.clone(), Some("contract ends")));
        assert_eq!(found(&service, "expires:<10d").await, ["ci"]);
        let later = Edit { revoke_at: Some(NewInstant::By(keyrack::domain::when::Span::parse("3d").unwrap())), ..Edit::default() };
        let key = edit(&service, &key, later).await.unwrap();
        assert_eq!(key.planned.as_ref().map(|plan| (plan.at, plan.reason.is_some())), day(10).map(|at| (at, true)));
        // The expiry may move beyond it, and nothing else does.
        let key = edit(&service, &key, Edit { expires: Some(NewEnd::To(Expiry::Days(60))), ..Edit::default() }).await.unwrap();
        let read = service.key(key.id).await.unwrap();
        assert_eq!((&read.planned, read.stops_at()), (&key.planned, day(10)));
        let key = edit(&service, &key, Edit { revoke_at: to(None), ..Edit::default() }).await.unwrap();
        let read = service.key(key.id).await.unwrap();
        assert_eq!((&read.planned, read.stops_at()), (&None, key.expires_at));
        let key = edit(&service, &key, Edit { not_before: to(day(2)), ..Edit::default() }).await.unwrap();
        assert_eq!(key.status(now), Status::Planned);
        assert_eq!(found(&service, "status:planned").await, ["ci"]);
        let key = edit(&service, &key, Edit { not_before: to(None), ..Edit::default() }).await.unwrap();
        assert_eq!(service.key(key.id).await.unwrap().status(now), Status::Active);
        clean(&service).await;
    }

    async fn kr_18_a_plan_that_cannot_be_is_told_at_its_field(db) {
        let service = office(&db, preset("voxpria")).await;
        let now = service.now().await.unwrap();
        let at = |n| Some(now + TimeDelta::days(n));
        let month = |not_before, revoke_at| {
            CreateKey { expiry: Expiry::Days(30), ..planned("x", not_before, revoke_at) }
        };
        for (wish, wrong) in [
            (month(at(-1), None), Field::NotBefore),
            (month(None, at(-1)), Field::RevokeAt),
            (month(at(31), None), Field::NotBefore),
            (month(None, at(31)), Field::RevokeAt),
            (month(at(7), at(7)), Field::NotBefore),
        ] {
            match service.create_key(wish).await {
                Err(Error::Invalid { field, .. }) => assert_eq!(field, wrong),
                other => panic!("{other:?}"),
            }
        }
        let key = keep(&service, month(at(2), at(7))).await.key;
        for (wish, wrong) in [
            (Edit { revoke_at: to(at(40)), ..Edit::default() }, Field::RevokeAt),
            (Edit { revoke_at: to(at(1)), ..Edit::default() }, Field::RevokeAt),
            (Edit { not_before: to(at(8)), ..Edit::default() }, Field::NotBefore),
            (Edit { expires: Some(NewEnd::To(Expiry::Days(5))), ..Edit::default() }, Field::Expiry),
            (Edit { revoke_at: to(at(-1)), ..Edit::default() }, Field::RevokeAt),
        ] {
            assert_eq!(field(edit(&service, &key, wish.clone()).await), wrong, "{wish:?}");
        }
        let none = make_kept(&service, "acme", "none").await.key;
        let later = Some(NewInstant::By(keyrack::domain::when::Span::parse("3d").unwrap()));
        assert_eq!(field(edit(&service, &none, Edit { revoke_at: later, ..Edit::default() }).await), Field::RevokeAt);
        let why = Edit { plan_reason: Some("x".into()), ..Edit::default() };
        assert_eq!(field(edit(&service, &none, why).await), Field::Reason);
        assert_eq!(service.key(key.id).await.unwrap().planned.map(|plan| plan.at), at(7));
        service.set_operator(new_operation(), "vera", Role::Viewer).await.unwrap();
        db.role("vera").await;
        let vera = as_person(&db, "vera").await;
        let refused = edit(&vera, &key, Edit { revoke_at: to(None), ..Edit::default() }).await.unwrap_err();
        assert!(matches!(refused, Error::NotPermitted { .. } | Error::Store(_)), "{refused}");
    }

    async fn kr_18_no_plan_lengthens_a_life_beyond_the_policy(db) {
        let mut policy = preset("voxpria");
        policy.expiry.max_days = Some(60);
        policy.expiry.default = Expiry::Days(30);
        policy.expiry.choices.retain(|choice| matches!(choice, Expiry::Days(days) if *days <= 60));
        policy.expiry.custom = true;
        let service = office(&db, policy.clone()).await;
        let now = service.now().await.unwrap();
        let at = |n| Some(now + TimeDelta::days(n));
        // Counted from the creation, whenever it begins.
        let late = CreateKey { expiry: Expiry::Days(61), ..planned("late", at(30), None) };
        assert!(matches!(service.create_key(late).await, Err(Error::Invalid { field: Field::Expiry, .. })));
        let endless = planned("endless", None, at(10));
        assert!(matches!(service.create_key(endless).await, Err(Error::Invalid { field: Field::Expiry, .. })));
        let wish = CreateKey { expiry: Expiry::Days(60), ..planned("long", None, at(10)) };
        let key = keep(&service, wish).await.key;
        policy.expiry.max_days = Some(45);
        policy.expiry.choices.retain(|choice| matches!(choice, Expiry::Days(days) if *days <= 45));
        service.apply_policy(new_operation(), policy).await.unwrap();
        let cancel = Edit { revoke_at: to(None), ..Edit::default() };
        assert_eq!(field(edit(&service, &key, cancel).await), Field::RevokeAt);
        edit(&service, &key, Edit { revoke_at: to(at(40)), ..Edit::default() }).await.unwrap();
        let both = Edit { expires: Some(NewEnd::To(Expiry::Days(44))), revoke_at: to(None), ..Edit::default() };
        edit(&service, &key, both).await.unwrap();
        clean(&service).await;
    }

    async fn kr_18_a_replacement_takes_over_what_lies_ahead(db) {
        let service = office(&db, preset("voxpria")).await;
        let now = service.now().await.unwrap();
        let at = |n| Some(now + TimeDelta::days(n));
        let old = keep(&service, planned("visit", at(2), at(7))).await.key;
        let new = service.rotate_key(new_operation(), old.id, Overlap::Hours24).await.unwrap();
        assert_eq!(new.key.not_before, at(2));
        assert_eq!(new.key.planned.as_ref().map(|plan| plan.at), at(7));
        assert_eq!(new.key.status(now), Status::Planned);
        service.acknowledge_key(new_operation(), new.key.id).await.unwrap();
        let old = service.key(old.id).await.unwrap();
        assert_eq!(old.planned.as_ref().map(|plan| plan.at), at(7));
        assert!(old.stops_at() < at(2), "the overlap ends it sooner");
        clean(&service).await;
    }

    async fn kr_18_a_plan_and_a_pause_go_together(db) {
        // The server's own clock can't be moved.
        if db.is_postgres() {
            return;
        }
        let clock = Clock::fixed(Clock::System.now());
        let service = office_at(&db, preset("voxpria"), clock.clone()).await;
        let now = service.now().await.unwrap();
        let at = |n| Some(now + TimeDelta::hours(n));
        let key = keep(&service, planned("visit", at(2), at(8))).await.key;
        let order = PauseOrder { lasting: Lasting::span("4h").unwrap(), message: None, reason: None };
        service.pause_keys(new_operation(), &[key.id], order, None).await.unwrap();
        for (hours, filter) in [(0, "planned"), (3, "paused"), (5, "active"), (9, "revoked")] {
            let past = clock.now() - now;
            clock.advance(TimeDelta::hours(hours) - past);
            assert_eq!(found(&service, &format!("status:{filter}")).await, ["visit"], "after {hours} h");
        }
        clean(&service).await;
    }
}
