//! KR-10: a key is edited in place: exactly the fields that are named, with old and new values in the audit.

use chrono::Duration;
use keyrack::domain::edit::{Edit, NewEnd};
use keyrack::domain::expiry::Expiry;
use keyrack::domain::key::{Key, KeyId};
use keyrack::domain::network::Networks;
use keyrack::domain::operator::Role;
use keyrack::domain::owner::Tags;
use keyrack::domain::query::Sort;
use keyrack::domain::scope::Scopes;
use keyrack::domain::when::Span;
use keyrack::service::{AuditFilter, AuditRequest, Edited, Error, Field, InUse, Service, new_operation};

use crate::support::people::{all, as_person, make, make_kept, office, preset, query};

async fn edit(service: &Service, ids: &[KeyId], edit: Edit) -> Result<Vec<Edited>, Error> {
    service.edit_keys(new_operation(), ids, edit, None).await
}

async fn names(service: &Service, filter: &str) -> Vec<String> {
    let keys = all(service, &query(filter), Sort::default(), 50).await;
    keys.iter().map(|key| key.name.to_string()).collect()
}

fn tags(text: &str) -> Tags {
    Tags::checked(text.split_whitespace()).unwrap()
}

fn owned(name: &str, mail: &str) -> Edit {
    Edit { owner: Some(name.into()), owner_mail: Some(mail.into()), ..Edit::default() }
}

fn by(span: &str) -> Edit {
    Edit { expires: Some(NewEnd::By(Span::parse(span).unwrap())), ..Edit::default() }
}

fn field(result: Result<Vec<Edited>, Error>) -> Field {
    match result.unwrap_err() {
        Error::Invalid { field, .. } => field,
        other => panic!("{other}"),
    }
}

on_both! {
    async fn kr_10_a_name_an_owner_and_tags_are_found_again_by_filter_and_text(db) {
        let service = office(&db, preset("voxpria")).await;
        let (one, two) = (make_kept(&service, "acme", "one").await.key, make_kept(&service, "acme", "two").await.key);
        let renamed = Edit { name: Some("Billing export".into()), tag: tags("Prod team:data"), ..owned("Data Team", "data@acme.example") };
        let edited = edit(&service, &[one.id], renamed).await.unwrap().remove(0);
        assert_eq!(edited.changed["name"], serde_json::json!(["one", "Billing export"]));
        assert_eq!(edited.changed["owner"], serde_json::json!([null, "Data Team"]));
        assert_eq!(edited.changed["tags"], serde_json::json!([[], ["prod", "team:data"]]));
        for filter in ["owner:\"data team\"", "owner:DATA@acme.example", "tag:prod", "tag:team:data,other", "billing", "team:data", "-owner:none", "-tag:none"] {
            let filter = if filter == "team:data" { "\"team:data\"" } else { filter };
            assert_eq!(names(&service, filter).await, ["Billing export"], "{filter}");
        }
        for filter in ["owner:none", "tag:none", "-tag:prod", "-owner:\"Data Team\""] {
            assert_eq!(names(&service, filter).await, ["two"], "{filter}");
        }
        let gone = Edit { owner: Some(String::new()), untag: tags("prod"), ..Edit::default() };
        edit(&service, &[one.id, two.id], gone).await.unwrap();
        let key = service.key(one.id).await.unwrap();
        assert_eq!((key.owner, key.tags), (None, tags("team:data")));
        assert_eq!(names(&service, "tag:prod").await, Vec::<String>::new());
        let compared = service.compare_audit(|_, _, _| ()).await.unwrap();
        assert_eq!(format!("{:?}", compared.findings), format!("{:?}", keyrack::domain::audit::finding::Findings::default()));
    }

    async fn kr_10_owners_and_tags_that_there_are_are_offered_by_their_beginning(db) {
        let service = office(&db, preset("voxpria")).await;
        for (n, (owner, tag)) in [("Data Team", "prod team:data"), ("data team", "prod"), ("Datum", "team:search"), ("Élan", "x-100")].into_iter().enumerate() {
            let key = make_kept(&service, "acme", &format!("key {n}")).await.key;
            edit(&service, &[key.id], Edit { tag: tags(tag), ..owned(owner, "") }).await.unwrap();
        }
        let known = async |what, beginning: &str| {
            let words = service.known(what, beginning, 5).await.unwrap();
            words.into_iter().map(|word| word.to_string()).collect::<Vec<_>>()
        };
        let owners = known(InUse::Owners, "dat").await;
        assert!(matches!(owners.as_slice(), [team, datum] if team.to_lowercase() == "data team" && datum == "Datum"), "{owners:?}");
        assert_eq!(known(InUse::Owners, "él").await, ["Élan"]);
        assert_eq!(known(InUse::Owners, "datums").await, Vec::<String>::new());
        assert_eq!(known(InUse::Owners, "%").await, Vec::<String>::new());
        assert_eq!(known(InUse::Tags, "team:").await, ["team:data", "team:search"]);
        assert_eq!(known(InUse::Tags, "PR").await, ["prod"]);
        assert_eq!(known(InUse::Tags, "x").await, ["x-100"]);
        assert_eq!(service.known(InUse::Owners, "d", 1).await.unwrap().len(), 1);
    }

    async fn kr_10_an_end_comes_nearer_or_goes_further_and_never_back_to_life(db) {
        let service = office(&db, preset("voxpria")).await;
        let key = make_kept(&service, "acme", "one").await.key;
        assert_eq!(field(edit(&service, &[key.id], by("90d")).await), Field::Expiry);
        let to = |days| Edit { expires: Some(NewEnd::To(Expiry::Days(days))), ..Edit::default() };
        let first = edit(&service, &[key.id], to(30)).await.unwrap().remove(0);
        assert!(first.widened.is_empty());
        let second = edit(&service, &[key.id], by("90d")).await.unwrap().remove(0);
        assert_eq!(second.key.expires_at.unwrap() - first.key.expires_at.unwrap(), Duration::days(90));
        assert_eq!(second.widened, ["expires_at"]);
        let never = Edit { expires: Some(NewEnd::To(Expiry::Never)), ..Edit::default() };
        assert_eq!(edit(&service, &[key.id], never.clone()).await.unwrap()[0].key.expires_at, None);
        let other = make_kept(&service, "acme", "other").await.key;
        service.revoke_keys(new_operation(), &[key.id], None).await.unwrap();
        let refused = edit(&service, &[other.id, key.id], Edit { name: Some("x".into()), ..never }).await.unwrap_err();
        assert!(refused.to_string().contains("is revoked"), "{refused}");
        assert_eq!(service.key(other.id).await.unwrap().name.as_str(), "other");
    }

    async fn kr_10_what_a_policy_refuses_is_said_at_its_field_and_leaves_nothing(db) {
        let mut policy = preset("voxpria");
        policy.expiry.max_days = Some(100);
        policy.expiry.default = Expiry::Days(30);
        policy.expiry.choices = vec![Expiry::Days(30)];
        let service = office(&db, policy).await;
        let request = keyrack::service::CreateKey { expiry: Expiry::Days(30), ..crate::support::people::scoped("acme", "calls:read") };
        let key = crate::support::people::keep(&service, request).await.key.id;
        let key = service.key(key).await.unwrap();
        let scoped = |scopes: &str| Edit { add_scopes: Scopes::parse(scopes), ..Edit::default() };
        let never = Edit { expires: Some(NewEnd::To(Expiry::Never)), ..Edit::default() };
        for (wrong, at) in [
            (by("90d"), Field::Expiry),
            (never, Field::Expiry),
            (scoped("calls:wirte"), Field::Scopes),
            (Edit { name: Some("".into()), ..Edit::default() }, Field::Name),
            (Edit { owner_mail: Some("nobody".into()), ..Edit::default() }, Field::Owner),
        ] {
            let wrong = Edit { description: Some("changed".into()), ..wrong };
            assert_eq!(field(edit(&service, &[key.id], wrong).await), at);
        }
        assert_eq!(service.key(key.id).await.unwrap(), key);
        let edited = edit(&service, &[key.id], Edit { remove_scopes: Scopes::parse("calls:read"), ..scoped("calls:write") }).await.unwrap();
        assert_eq!((edited[0].key.scopes.to_string(), &*edited[0].widened), ("calls:write".to_owned(), &["scopes"][..]));
        edit(&service, &[key.id], by("60d")).await.unwrap();
    }

    async fn kr_10_the_last_network_goes_only_by_the_word(db) {
        let service = office(&db, preset("voxpria")).await;
        let key = make_kept(&service, "acme", "one").await.key;
        let net = || Networks::parse("203.0.113.0/24").unwrap();
        let allowed = edit(&service, &[key.id], Edit { allow: net(), ..Edit::default() }).await.unwrap();
        assert!(allowed[0].widened.is_empty());
        assert_eq!(field(edit(&service, &[key.id], Edit { disallow: net(), ..Edit::default() }).await), Field::Allow);
        let any = edit(&service, &[key.id], Edit { anywhere: true, ..Edit::default() }).await.unwrap();
        assert_eq!((any[0].key.allow.is_empty(), &*any[0].widened), (true, &["allow"][..]));
    }

    async fn kr_10_viewers_edit_nothing_and_a_retry_changes_nothing_twice(db) {
        let service = office(&db, preset("voxpria")).await;
        let key = make_kept(&service, "acme", "one").await.key;
        service.set_operator(new_operation(), "vera", Role::Viewer).await.unwrap();
        let vera = as_person(&db, "vera").await;
        assert!(matches!(edit(&vera, &[key.id], owned("Vera", "")).await, Err(Error::NotPermitted { .. })));
        let operation = new_operation();
        for _ in 0..2 {
            let done = service.edit_keys(operation, &[key.id], owned("Ada", ""), None).await.unwrap();
            assert_eq!(done[0].changed["owner"], serde_json::json!([null, "Ada"]));
        }
        let request = AuditRequest { filter: AuditFilter { action: Some("key.edit".into()), ..AuditFilter::default() }, before: None, limit: 10 };
        let rows = service.audit(&request).await.unwrap();
        assert_eq!(rows.len(), 1);
        assert!(rows[0].detail.contains(r#""owner":[null,"Ada"]"#), "{}", rows[0].detail);
    }

    async fn kr_10_a_field_that_is_not_named_never_changes(db) {
        let service = office(&db, preset("voxpria")).await;
        let ids = [make_kept(&service, "acme", "a").await.key.id, make(&service, "acme", "b").await.key.id];
        let mut seed = 17_u64;
        let mut roll = |below: u64| { seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407); (seed >> 33) % below };
        for n in 0..40 {
            let before = service.keys(&ids).await.unwrap();
            let wish = Edit {
                name: (roll(3) == 0).then(|| format!("name {n}")),
                description: (roll(3) == 0).then(|| format!("text {n}")),
                owner: (roll(3) == 0).then(|| format!("owner {n}")),
                tag: if roll(3) == 0 { tags(&format!("t{n}")) } else { Tags::default() },
                untag: if roll(3) == 0 { tags(&format!("t{}", n / 2)) } else { Tags::default() },
                add_scopes: if roll(3) == 0 { Scopes::parse("calls:read") } else { Scopes::default() },
                remove_scopes: if roll(4) == 0 { Scopes::parse("calls:write") } else { Scopes::default() },
                allow: if roll(3) == 0 { Networks::parse(&format!("10.{n}.0.0/16")).unwrap() } else { Networks::default() },
                expires: (roll(3) == 0).then(|| NewEnd::To(Expiry::Days(30 + n))),
                ..Edit::default()
            };
            let edited = edit(&service, &ids, wish.clone()).await.unwrap();
            for ((old, new), told) in before.iter().zip(service.keys(&ids).await.unwrap()).zip(edited) {
                assert_eq!(told.key, new);
                let kept = Key {
                    name: if wish.name.is_some() { old.name.clone() } else { new.name.clone() },
                    description: if wish.description.is_some() { old.description.clone() } else { new.description.clone() },
                    owner: if wish.owner.is_some() { old.owner.clone() } else { new.owner.clone() },
                    tags: if wish.tag.is_empty() && wish.untag.is_empty() { new.tags.clone() } else { old.tags.clone() },
                    scopes: if wish.add_scopes.is_empty() && wish.remove_scopes.is_empty() { new.scopes.clone() } else { old.scopes.clone() },
                    allow: if wish.allow.is_empty() { new.allow.clone() } else { old.allow.clone() },
                    expires_at: if wish.expires.is_some() { old.expires_at } else { new.expires_at },
                    ..new.clone()
                };
                assert_eq!(&kept, old);
            }
        }
        let compared = service.compare_audit(|_, _, _| ()).await.unwrap();
        assert_eq!(format!("{:?}", compared.findings), format!("{:?}", keyrack::domain::audit::finding::Findings::default()));
    }
}
