//! KR-12: what is to be tidied is counted by the filters that list it.

use keyrack::domain::edit::{Edit, NewEnd};
use keyrack::domain::expiry::Expiry;
use keyrack::domain::hygiene::{Card, Unknown};
use keyrack::domain::operator::Role;
use keyrack::domain::query::{Query, Sort};
use keyrack::service::{CreateKey, Error, Field, Hygiene, Service, new_operation};

use sqlx::Connection as _;

use crate::support::people::{
    OWNER, age, all, as_person, keep, make, make_kept, named, office, preset, query, used, wanted,
};

const DAY: i64 = 86_400;

async fn counted(service: &Service) -> Hygiene {
    service.hygiene(Card::ALL, &Query::default()).await.unwrap()
}

fn count(told: &Hygiene, card: Card) -> Result<u64, Unknown> {
    told.cards.iter().find(|one| one.card == card).unwrap().count
}

/// Each count is the number of keys that its filter lists.
async fn agrees(service: &Service, told: &Hygiene) {
    for card in &told.cards {
        let (Ok(number), Some(filter)) = (card.count, &card.filter) else { continue };
        let listed = all(service, &query(filter), Sort::default(), 500).await;
        assert_eq!(listed.len() as u64, number, "{filter}");
    }
}

on_both! {
    async fn kr_12_counts_and_lists_never_disagree(db) {
        let service = db.open().await;
        service.demo(2000, 7, |_| {}).await.unwrap();
        let told = counted(&service).await;
        agrees(&service, &told).await;
        assert!(told.keys.unwrap() > 500);
        for card in [Card::NeverExpires, Card::Unused90Days, Card::NeverUsed30Days, Card::RotationDue, Card::Anywhere, Card::NoOwner, Card::CreatorGone] {
            assert!(count(&told, card).unwrap() > 0, "{card:?}");
        }
        assert_eq!(count(&told, Card::UnusedScopes), Err(Unknown::Scopes));
        let within = query("issuer:voxpria");
        let part = service.hygiene(&[Card::NoOwner], &within).await.unwrap();
        agrees(&service, &part).await;
        assert!(count(&part, Card::NoOwner).unwrap() < count(&told, Card::NoOwner).unwrap());
    }

    async fn kr_12_only_keys_that_have_not_ended_count(db) {
        let service = office(&db, preset("voxpria")).await;
        let (kept, gone) = (make_kept(&service, "acme", "kept").await.key, make_kept(&service, "acme", "gone").await.key);
        make(&service, "globex", "new").await;
        service.revoke_keys(new_operation(), &[gone.id], None).await.unwrap();
        let told = counted(&service).await;
        assert_eq!(told.keys, Some(2));
        for card in [Card::NeverExpires, Card::Anywhere, Card::NoOwner] {
            assert_eq!(count(&told, card), Ok(2), "{card:?}");
        }
        assert_eq!(count(&told, Card::NotConfirmed), Ok(1));
        assert_eq!(count(&told, Card::CreatorGone), Ok(0));
        let owned = Edit { owner: Some("Data team".into()), allow: keyrack::domain::network::Networks::parse("10.0.0.0/8").unwrap(), expires: Some(NewEnd::To(Expiry::Days(30))), ..Edit::default() };
        service.edit_keys(new_operation(), &[kept.id], owned, None).await.unwrap();
        let told = counted(&service).await;
        for card in [Card::NeverExpires, Card::Anywhere, Card::NoOwner] {
            assert_eq!(count(&told, card), Ok(1), "{card:?}");
        }
        agrees(&service, &told).await;
    }

    async fn kr_12_idle_is_counted_from_creation_and_no_use_recorded_is_said(db) {
        let service = office(&db, preset("voxpria")).await;
        make_kept(&service, "acme", "old").await;
        make_kept(&service, "acme", "busy").await;
        age(&db, 100 * DAY).await;
        // No gate ever recorded a use: that none was used can't be told.
        let told = counted(&service).await;
        for card in [Card::Unused90Days, Card::NeverUsed30Days] {
            assert_eq!(count(&told, card), Err(Unknown::Use), "{card:?}");
        }
        let now = if db.is_postgres() { "clock_timestamp()".to_owned() } else { service.present().timestamp_micros().to_string() };
        db.execute_past_triggers("keys", &used(&db, &now, &named("busy"))).await;
        make_kept(&service, "acme", "young").await;
        let told = counted(&service).await;
        assert_eq!(count(&told, Card::Unused90Days), Ok(1));
        assert_eq!(count(&told, Card::NeverUsed30Days), Ok(1));
        agrees(&service, &told).await;
    }

    async fn kr_12_a_creator_without_a_role_is_gone(db) {
        let service = office(&db, preset("voxpria")).await;
        service.set_operator(new_operation(), "bob", Role::Operator).await.unwrap();
        let bob = as_person(&db, "bob").await;
        make_kept(&bob, "acme", "one").await;
        make_kept(&service, "acme", "two").await;
        assert_eq!(count(&counted(&service).await, Card::CreatorGone), Ok(0));
        service.remove_operator(new_operation(), "bob").await.unwrap();
        let told = counted(&service).await;
        assert_eq!(count(&told, Card::CreatorGone), Ok(1));
        agrees(&service, &told).await;
        let gone = all(&service, &query("creator:gone"), Sort::default(), 10).await;
        assert_eq!(gone.iter().map(|key| key.name.as_str()).collect::<Vec<_>>(), ["one"]);
        assert_eq!(all(&service, &query("creator:here"), Sort::default(), 10).await.len(), 1);
    }

    async fn kr_12_a_policy_that_requires_an_expiry_refuses_keys_without_one(db) {
        let mut policy = preset("voxpria");
        let service = office(&db, policy.clone()).await;
        let old = make_kept(&service, "acme", "old").await.key;
        let soon = keep(&service, CreateKey { expiry: Expiry::Days(30), ..wanted("acme", "soon") }).await.key;
        policy.expiry.require_expiry = true;
        policy.expiry.default = Expiry::Days(30);
        policy.expiry.choices = vec![Expiry::Days(30), Expiry::Days(90)];
        policy.expiry.custom = true;
        // What would break is shown before it holds.
        let hits = service.policy_hits(&policy).await.unwrap();
        assert!(hits.iter().any(|hit| hit.words.starts_with("1 key: never expire")), "{hits:?}");
        assert_eq!(count(&counted(&service).await, Card::ViolatesPolicy), Ok(0));
        service.apply_policy(new_operation(), policy).await.unwrap();
        let told = counted(&service).await;
        assert_eq!(count(&told, Card::ViolatesPolicy), Ok(1));
        agrees(&service, &told).await;
        let refused = |error: Error| match error {
            Error::Invalid { field: Field::Expiry, .. } => assert!(error.to_string().contains("requires an expiry"), "{error}"),
            other => panic!("{other}"),
        };
        refused(service.create_key(wanted("acme", "new")).await.unwrap_err());
        let never = Edit { expires: Some(NewEnd::To(Expiry::Never)), ..Edit::default() };
        refused(service.edit_keys(new_operation(), &[soon.id], never, None).await.unwrap_err());
        // What isn't named stays, and the replacement of a key of earlier days has an expiry.
        let owned = Edit { owner: Some("Ada".into()), ..Edit::default() };
        service.edit_keys(new_operation(), &[old.id], owned, None).await.unwrap();
        let new = service.rotate_key(new_operation(), old.id, keyrack::domain::expiry::Overlap::None).await.unwrap().key;
        assert_eq!(new.expires_at.map(|end| (end - new.created_at).num_days()), Some(90));
        if db.is_postgres() {
            // The server refuses it of any client.
            let mut bare = sqlx::PgConnection::connect(&db.address_as(OWNER)).await.unwrap();
            let endless = format!("UPDATE key_auth SET expires_at = NULL WHERE id = '{}'", soon.id);
            let said = sqlx::raw_sql(sqlx::AssertSqlSafe(endless)).execute(&mut bare).await.unwrap_err().to_string();
            assert!(said.contains("requires an expiry"), "{said}");
        }
    }
}
