//! The life of a key, on both databases: made, taken over, found, replaced, ended.

use crate::support::people::{age, all, make, make_kept, office, office_at, preset, query, used, wanted};
use chrono::Duration;
use keyrack::clock::Clock;
use keyrack::domain::audit::Verdict;
use keyrack::domain::expiry::{Expiry, Overlap};
use keyrack::domain::key::Status;
use keyrack::domain::network::Networks;
use keyrack::domain::query::Sort;
use keyrack::domain::scope::Scopes;
use keyrack::domain::secret::SentKey;
use keyrack::service::{CreateKey, Error, Field, Service, new_operation};
use uuid::Uuid;

async fn status(service: &Service, id: Uuid) -> Status {
    service.key(id).await.unwrap().status(service.now().await.unwrap())
}

async fn found(service: &Service, text: &str) -> Vec<Uuid> {
    service.find_keys(SentKey::exact(text.as_bytes())).await.unwrap().keys().map(|key| key.id).collect()
}

on_both! {
    async fn vg_01_a_key_acts_for_exactly_one_account(db) {
        let service = office(&db, preset("voicegram")).await;
        let key = make(&service, "acme", "one").await.key;
        assert_eq!((key.account.as_str(), key.issuer.as_str()), ("acme", "voicegram"));
        let move_it = "UPDATE key_auth SET account = 'globex'";
        assert!(db.try_execute(move_it).await.is_err(), "a key moved to another account");
        assert!(matches!(service.create_key(wanted("nobody", "x")).await, Err(Error::NotFound { .. })));
    }

    async fn vg_03_the_database_keeps_the_hash_and_never_the_secret(db) {
        let service = office(&db, preset("voicegram")).await;
        let created = make(&service, "acme", "one").await;
        assert!(created.secret.expose().starts_with("vg_pat_"));
        let hex: String = created.secret.hash().0.iter().map(|byte| format!("{byte:02x}")).collect();
        let sql = if db.is_postgres() { "SELECT encode(hash, 'hex') FROM key_auth" } else { "SELECT lower(hex(hash)) FROM key_auth" };
        assert_eq!(db.texts(sql).await, [hex]);
        assert_eq!(*created.key.preview, created.secret.preview("vg_pat_"));
    }

    async fn vg_09_and_va_05_the_name_is_required_the_description_is_not(db) {
        let service = office(&db, preset("vozagent")).await;
        for name in ["", "   "] {
            let error = service.create_key(wanted("acme", name)).await.unwrap_err();
            assert!(matches!(error, Error::Invalid { field: Field::Name, .. }), "{error}");
        }
        let created = make(&service, "acme", "a name").await;
        assert_eq!(&*created.key.description, "");
        assert!(created.secret.expose().starts_with("gw_"));
    }

    async fn vp_21_a_name_is_any_printable_text(db) {
        let service = office(&db, preset("voxpria")).await;
        for name in ["Production Server – Main App", "Größe 日本語 🔑", "O'Brien; DROP TABLE keys; --", "100% _\\'\""] {
            let key = make(&service, "acme", name).await.key;
            assert_eq!(&*service.key(key.id).await.unwrap().name, name);
            assert!(found(&service, name).await.contains(&key.id), "{name}");
        }
    }

    async fn vg_10_an_expiry_is_creation_plus_days_of_24_hours(db) {
        let service = office(&db, preset("voicegram")).await;
        assert_eq!(make(&service, "acme", "never").await.key.expires_at, None);
        for days in [30, 90, 365] {
            let request = CreateKey { expiry: Expiry::Days(days), ..wanted("acme", "some days") };
            let key = service.create_key(request).await.unwrap().key;
            assert_eq!(key.expires_at, Some(key.created_at + Duration::hours(24 * i64::from(days))));
        }
        let at = service.now().await.unwrap() + Duration::days(11);
        let request = CreateKey { expiry: Expiry::At(at), ..wanted("acme", "own choice") };
        assert_eq!(service.create_key(request).await.unwrap().key.expires_at, Some(at));
        let past = CreateKey { expiry: Expiry::At(at - Duration::days(12)), ..wanted("acme", "past") };
        assert!(matches!(service.create_key(past).await, Err(Error::Invalid { field: Field::Expiry, .. })));
    }

    async fn a_key_keeps_its_scopes_and_networks(db) {
        let service = office(&db, preset("voxpria")).await;
        let scopes = Scopes::parse("calls:write calls:read webhooks:manage");
        let allow = Networks::parse("203.0.113.7, 10.0.0.0/8, 2001:db8::/32, ::ffff:192.0.2.1").unwrap();
        let request = CreateKey { scopes: scopes.clone(), allow: allow.clone(), ..wanted("acme", "scoped") };
        let key = service.create_key(request).await.unwrap().key;
        let read = service.key(key.id).await.unwrap();
        assert_eq!((read.scopes, read.allow), (scopes, allow));
        let unknown = CreateKey { scopes: Scopes::parse("calls:fly"), ..wanted("acme", "x") };
        let error = service.create_key(unknown).await.unwrap_err();
        assert!(matches!(&error, Error::Invalid { field: Field::Scopes, why } if why.contains("calls:fly")), "{error}");
    }

    async fn vg_18_nobody_un_revokes_a_key_not_even_the_database(db) {
        let service = office(&db, preset("voicegram")).await;
        let key = make_kept(&service, "acme", "gone").await.key;
        service.revoke_keys(new_operation(), &[key.id], Some("leaked")).await.unwrap();
        for sql in [
            "UPDATE key_auth SET revoked_at = NULL",
            "UPDATE key_auth SET revoked_at = NULL, revoked_by = NULL, revoke_reason = NULL",
            "DELETE FROM keys",
            "DELETE FROM key_auth",
            if db.is_postgres() { "UPDATE key_auth SET revoked_at = revoked_at + interval '1 day'" } else { "UPDATE key_auth SET revoked_at = revoked_at + 1" },
        ] {
            assert!(db.try_execute(sql).await.is_err(), "the database allowed: {sql}");
        }
        let read = service.key(key.id).await.unwrap();
        assert_eq!(read.revoke_reason.as_deref(), Some("leaked"));
        assert_eq!(status(&service, key.id).await, Status::Revoked);
        // No operation brings it back either.
        assert!(service.rotate_key(new_operation(), key.id, Overlap::None).await.is_err());
    }

    async fn vp_26_revoking_works_at_once_and_cannot_be_undone(db) {
        let service = office(&db, preset("voxpria")).await;
        let key = make_kept(&service, "acme", "gone").await.key;
        let other = db.open().await;
        let done = service.revoke_keys(new_operation(), &[key.id], None).await.unwrap();
        assert!(!done[0].already);
        // Another process sees it with its very next look.
        let seen = other.key(key.id).await.unwrap();
        assert_eq!(seen.revoked_at, done[0].key.revoked_at);
        assert_eq!(seen.status(other.now().await.unwrap()), Status::Revoked);
        // Again: nothing changes, and it says so.
        let again = other.revoke_keys(new_operation(), &[key.id], Some("other words")).await.unwrap();
        assert!(again[0].already);
        assert_eq!((again[0].key.revoked_at, again[0].key.revoke_reason.clone()), (seen.revoked_at, None));
    }

    async fn vi_07_revoking_one_key_leaves_the_others_working(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let mut ids = Vec::new();
        for n in 0..8 {
            ids.push(make_kept(&service, "acme", &format!("key {n}")).await.key.id);
        }
        service.revoke_keys(new_operation(), &ids[2..4], None).await.unwrap();
        for (n, id) in ids.iter().enumerate() {
            let expected = if (2..4).contains(&n) { Status::Revoked } else { Status::Active };
            assert_eq!(status(&service, *id).await, expected, "key {n}");
        }
    }

    async fn several_keys_are_revoked_together_or_not_at_all(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let key = make_kept(&service, "acme", "stays").await.key;
        let missing = Uuid::from_u128(7);
        let error = service.revoke_keys(new_operation(), &[key.id, missing], None).await.unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }), "{error}");
        assert_eq!(status(&service, key.id).await, Status::Active);
    }

    async fn many_keys_are_revoked_in_a_few_statements_each_with_its_row_in_the_audit(db) {
        let service = office(&db, preset("voiceinfra")).await;
        service.demo(1_500, 1, |_| {}).await.unwrap();
        let keys = all(&service, &query("status:active"), Sort::default(), 1000).await;
        let mut ids: Vec<Uuid> = keys.iter().map(|key| key.id).collect();
        assert!(ids.len() > 700, "{}", ids.len());
        // In no order, and one of them twice.
        ids.rotate_left(7);
        ids.push(ids[0]);
        let before = db.number("SELECT count(*) FROM audit WHERE action = 'key.revoke'").await;
        let tried = service.trying().revoke_keys(new_operation(), &ids, Some("r")).await.unwrap();
        assert_eq!(tried.len(), keys.len());
        assert_eq!(db.number("SELECT count(*) FROM audit WHERE action = 'key.revoke'").await, before);
        let operation = new_operation();
        let once = service.revoke_keys(operation, &ids, Some("r")).await.unwrap();
        assert!(once.iter().all(|one| !one.already && one.key.revoke_reason.as_deref() == Some("r")));
        let added = db.number("SELECT count(*) FROM audit WHERE action = 'key.revoke'").await - before;
        assert_eq!(added, keys.len() as i64);
        assert!(matches!(service.verify_audit(|_| {}).await.unwrap(), Verdict::Intact { .. }));
        assert_eq!(service.revoke_keys(operation, &ids, Some("r")).await.unwrap(), once, "the same wish again");
        let again = service.revoke_keys(new_operation(), &ids, Some("r")).await.unwrap();
        assert!(again.iter().all(|one| one.already));
    }

    async fn va_09_a_deleted_key_is_hidden_and_kept_for_the_audit(db) {
        let service = office(&db, preset("vozagent")).await;
        let kept = make_kept(&service, "acme", "kept").await.key;
        let gone = make_kept(&service, "acme", "gone").await.key;
        service.revoke_keys(new_operation(), &[gone.id], None).await.unwrap();
        let listed = |query: &str| {
            let query = crate::support::people::query(query);
            let service = service.clone();
            async move {
                crate::support::people::all(&service, &query, keyrack::domain::query::Sort::default(), 50).await
                    .iter().map(|key| key.id).collect::<Vec<_>>()
            }
        };
        assert_eq!(listed("").await, [kept.id]);
        assert_eq!(listed("status:revoked").await, [gone.id]);
        assert_eq!(db.number("SELECT count(*) FROM keys").await, 2);
    }

    async fn vp_27_a_key_nobody_took_over_is_dead_after_ten_minutes(db) {
        let service = office(&db, preset("voicegram")).await;
        let lost = make(&service, "acme", "lost").await.key;
        let kept = make_kept(&service, "acme", "kept").await.key;
        assert_eq!(status(&service, lost.id).await, Status::Active);
        age(&db, 599).await;
        assert_eq!(status(&service, lost.id).await, Status::Active);
        age(&db, 2).await;
        assert_eq!(status(&service, lost.id).await, Status::Abandoned);
        assert_eq!(status(&service, kept.id).await, Status::Active);
        // Too late to take it over.
        assert!(service.acknowledge_key(new_operation(), lost.id).await.is_err());
        assert_eq!(status(&service, lost.id).await, Status::Abandoned);
        // It is flagged: the filter finds it.
        let query = crate::support::people::query("status:abandoned");
        let flagged = crate::support::people::all(&service, &query, keyrack::domain::query::Sort::default(), 50).await;
        assert_eq!(flagged.iter().map(|key| key.id).collect::<Vec<_>>(), [lost.id]);
    }

    async fn vp_27_a_key_that_is_used_stays_and_can_be_taken_over_late(db) {
        let service = office(&db, preset("voicegram")).await;
        let key = make(&service, "acme", "used").await.key;
        db.execute(&used(&db, "created_at", "true")).await;
        age(&db, 3600).await;
        assert_eq!(status(&service, key.id).await, Status::Active);
        let taken = service.acknowledge_key(new_operation(), key.id).await.unwrap();
        assert!(taken.acknowledged_at.is_some());
        assert_eq!(status(&service, key.id).await, Status::Active);
    }

    async fn an_operation_done_twice_is_done_once(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let request = wanted("acme", "once");
        let first = service.create_key(request.clone()).await.unwrap();
        // The retry can't have the secret again, and says so; there is still one key.
        let words = service.create_key(request).await.unwrap_err().to_string();
        assert!(words.contains(&first.key.id.to_string()), "{words}");
        assert_eq!(db.number("SELECT count(*) FROM keys").await, 1);

        let revoke = new_operation();
        let once = service.revoke_keys(revoke, &[first.key.id], Some("r")).await.unwrap();
        let twice = service.revoke_keys(revoke, &[first.key.id], Some("r")).await.unwrap();
        assert_eq!(once, twice, "a retry must read as the first try did");
        assert_eq!(db.number("SELECT count(*) FROM audit WHERE action = 'key.revoke'").await, 1);
        assert_eq!(db.number("SELECT count(*) FROM audit WHERE action = 'key.create'").await, 1);
    }

    async fn the_same_operation_from_many_tasks_at_once_is_done_once(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let other = db.open().await;
        let request = wanted("acme", "once");
        let tasks: Vec<_> = (0..12)
            .map(|n| {
                let service = if n % 2 == 0 { service.clone() } else { other.clone() };
                let request = request.clone();
                tokio::spawn(async move { service.create_key(request).await })
            })
            .collect();
        let mut with_secret = 0;
        for task in tasks {
            with_secret += i32::from(task.await.unwrap().is_ok());
        }
        assert_eq!(with_secret, 1);
        assert_eq!(db.number("SELECT count(*) FROM keys").await, 1);
    }

    async fn vg_03_what_looks_like_a_secret_is_refused_as_text(db) {
        let service = office(&db, preset("voicegram")).await;
        let leaked = make_kept(&service, "acme", "leaked").await;
        let text = format!("replaces {}, which leaked", leaked.secret.expose());
        let name = CreateKey { name: leaked.secret.expose().into(), ..wanted("acme", "x") };
        let description = CreateKey { description: text.clone(), ..wanted("acme", "x") };
        for (request, field) in [(name, Field::Name), (description, Field::Description)] {
            let error = service.create_key(request).await.unwrap_err();
            assert!(matches!(error, Error::Invalid { field: of, .. } if of == field), "{error}");
            assert!(!error.to_string().contains(leaked.secret.expose()));
        }
        let error = service.revoke_keys(new_operation(), &[leaked.key.id], Some(&text)).await.unwrap_err();
        assert!(matches!(error, Error::Invalid { field: Field::Reason, .. }), "{error}");
        assert_eq!(db.number("SELECT count(*) FROM keys").await, 1);
    }

    async fn va_14_a_key_is_found_by_name_preview_id_tail_or_the_pasted_secret(db) {
        let service = office(&db, preset("vozagent")).await;
        for n in 0..30 {
            make_kept(&service, "globex", &format!("crowd {n}")).await;
        }
        let request = CreateKey { description: "the quokka's own".into(), ..wanted("acme", "Marsupial Hub") };
        let created = service.create_key(request).await.unwrap();
        service.acknowledge_key(new_operation(), created.key.id).await.unwrap();
        let id = created.key.id;
        let words = id.to_string();
        let secret = created.secret.expose().to_owned();
        for text in ["Marsupial Hub", "marsupial", "QUOKKA", &created.key.preview, &words, &words[..13], &words[24..]] {
            assert!(found(&service, text).await.contains(&id), "not found by {text:?}");
        }
        assert!(found(&service, &secret[secret.len() - 4..]).await.contains(&id), "not found by its last four");
        for pasted in [secret.clone(), format!("  {secret}\n")] {
            assert_eq!(found(&service, &pasted).await, [id]);
        }
        let mut other = secret;
        other.replace_range(5..6, if &other[5..6] == "a" { "b" } else { "a" });
        assert!(found(&service, &other).await.is_empty());
        assert!(found(&service, "no such thing").await.is_empty());
    }

    async fn va_14_an_ended_key_is_found_too_after_those_that_work(db) {
        let service = office(&db, preset("vozagent")).await;
        let gone = make_kept(&service, "acme", "hub old").await;
        service.revoke_keys(new_operation(), &[gone.key.id], None).await.unwrap();
        let works = make_kept(&service, "acme", "hub new").await;
        assert_eq!(found(&service, "hub").await, [works.key.id, gone.key.id]);
        assert_eq!(found(&service, gone.secret.expose()).await, [gone.key.id]);
    }
}

/// On SQLite the program's clock decides: a key ends at the very microsecond.
#[tokio::test]
async fn vg_10_a_key_ends_at_its_instant_and_not_before() {
    let db = crate::support::database::Database::sqlite();
    let clock = Clock::fixed("2026-11-21T12:00:00Z".parse().unwrap());
    let service = office_at(&db, preset("voicegram"), clock.clone()).await;
    let request = CreateKey { expiry: Expiry::Days(30), ..wanted("acme", "thirty days") };
    let key = service.create_key(request).await.unwrap().key;
    service.acknowledge_key(new_operation(), key.id).await.unwrap();
    assert_eq!(key.expires_at, Some("2026-12-21T12:00:00Z".parse().unwrap()));
    clock.advance(Duration::days(30) - Duration::microseconds(1));
    assert_eq!(status(&service, key.id).await, Status::Active);
    clock.advance(Duration::microseconds(1));
    assert_eq!(status(&service, key.id).await, Status::Expired);
    // No process was needed for it, and no row changed.
    assert_eq!(db.number("SELECT count(*) FROM audit WHERE action LIKE 'key.%'").await, 2);
}

/// VP-27 at the very microsecond, without any process being alive for it.
#[tokio::test]
async fn vp_27_ten_minutes_are_ten_minutes() {
    let db = crate::support::database::Database::sqlite();
    let clock = Clock::fixed("2026-11-21T12:00:00Z".parse().unwrap());
    let service = office_at(&db, preset("voicegram"), clock.clone()).await;
    let key = make(&service, "acme", "lost").await.key;
    drop(service);
    clock.advance(Duration::minutes(10) - Duration::microseconds(1));
    assert_eq!(status(&db.open_with(clock.clone()).await, key.id).await, Status::Active);
    clock.advance(Duration::microseconds(1));
    assert_eq!(status(&db.open_with(clock).await, key.id).await, Status::Abandoned);
}

/// Whoever closes a file last folds its log into it, and takes the log away: who comes just then finds all the same.
#[tokio::test]
async fn a_file_is_found_while_another_one_closes_it() {
    let db = crate::support::database::Database::sqlite();
    drop(office(&db, preset("voicegram")).await);
    for n in 0..60 {
        let service = db.open().await;
        let viewer = keyrack::domain::operator::Role::Viewer;
        service.set_operator(new_operation(), &format!("ada{n}"), viewer).await.unwrap();
        drop(service);
        Service::look_for(&db.location()).await.unwrap();
    }
}
