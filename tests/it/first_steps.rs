//! One walk through every operation, on both databases.

use crate::support::database::{Database, run_on_postgres, run_on_sqlite};
use keyrack::domain::audit::Verdict;
use keyrack::domain::expiry::{Expiry, Overlap};
use keyrack::domain::issuer::Policy;
use keyrack::domain::key::Status;
use keyrack::domain::query::{Column, Direction, Query, Sort, Term, Test};
use keyrack::domain::secret::SentKey;
use keyrack::service::*;

async fn walk(database: Database) {
    let service = database.open().await;
    let policy: Policy = serde_json::from_value(serde_json::json!({
        "slug": "acme-voice", "name": "Acme Voice",
        "format": { "prefix": "av_", "body": "base62-checksum" },
        "scopes": [{ "name": "calls:read", "description": "View calls" }],
        "rotation": { "period-days": 90 }
    }))
    .unwrap();
    let issuer = service.apply_policy(new_operation(), policy.clone()).await.unwrap();
    assert_eq!((issuer.version, &issuer.policy), (1, &policy));
    let request = CreateAccount {
        issuer: "acme-voice".into(),
        slug: "globex".into(),
        name: "Globex".into(),
        admins: vec!["ada@globex.example".into()],
        plan: None,
    };
    service.create_account(new_operation(), request).await.unwrap();
    let wish = |name: &str| CreateKey {
        operation: new_operation(),
        account: "globex".into(),
        name: name.into(),
        description: "Made by a test".into(),
        scopes: ["calls:read"].into_iter().collect(),
        expiry: Expiry::Days(30),
        plan: Default::default(),
        allow: keyrack::domain::network::Networks::parse("10.0.0.0/8 2001:db8::/32").unwrap(),
        owner: None,
        tags: Default::default(),
        limits: Default::default(),
    };
    let created = service.create_key(wish("Zapier production")).await.unwrap();
    assert!(created.secret.expose().starts_with("av_"));
    assert_eq!(created.key.allow.to_string(), "10.0.0.0/8 2001:db8::/32");
    let id = created.key.id;
    service.acknowledge_key(new_operation(), id).await.unwrap();
    for n in 0..30 {
        service.create_key(wish(&format!("Batch {n:02}"))).await.unwrap();
    }

    // Paging in every order, forwards and backwards, meets the same keys.
    for &column in Column::ALL {
        for direction in [Direction::Ascending, Direction::Descending] {
            let request = |from, limit| PageRequest {
                query: Query::default(),
                sort: Sort { column, direction },
                from,
                limit,
            };
            let all = service.page(&request(From::Start, 100)).await.unwrap();
            assert_eq!(all.rows.len(), 31);
            let mut paged = Vec::new();
            let mut from = From::Start;
            loop {
                let page = service.page(&request(from, 7)).await.unwrap();
                paged.extend(page.rows.iter().map(|row| row.key.id));
                from = From::After(page.rows.last().unwrap().cursor.clone());
                if !page.more_after {
                    break;
                }
            }
            let ids: Vec<_> = all.rows.iter().map(|row| row.key.id).collect();
            assert_eq!(paged, ids, "{column:?} {direction:?}");
            let end = service.page(&request(From::End, 5)).await.unwrap();
            assert_eq!(end.rows.iter().map(|row| row.key.id).collect::<Vec<_>>(), ids[26..]);
            let before = service.page(&request(From::Before(end.rows[0].cursor.clone()), 5)).await.unwrap();
            assert_eq!(before.rows.iter().map(|row| row.key.id).collect::<Vec<_>>(), ids[21..26]);
        }
    }
    let find = |text: &str| Query { terms: vec![Term { negated: false, test: Test::Text(text.into()) }] };
    assert_eq!(service.count(&find("zapier")).await.unwrap(), Count::Exactly(1));
    assert_eq!(service.count(&find("batch")).await.unwrap(), Count::Exactly(30));
    assert_eq!(service.count(&Query::default()).await.unwrap(), Count::Exactly(31));
    let secret = SentKey::exact(format!(" {}\n", created.secret.expose()).as_bytes());
    let found = service.find_keys(secret).await.unwrap();
    assert_eq!(found.found[0].key.id, id);
    let tail = created.secret.expose()[created.secret.expose().len() - 4..].to_owned();
    for text in [
        tail,
        created.key.preview.to_string(),
        id.to_string(),
        id.to_string()[24..].to_owned(),
        "zapi".into(),
    ] {
        let found = service.find_keys(SentKey::exact(text.as_bytes())).await.unwrap();
        assert!(found.keys().any(|key| key.id == id), "{text}");
    }

    let next = service.rotate_key(new_operation(), id, Overlap::Hours24).await.unwrap();
    let old = service.key(id).await.unwrap();
    assert_eq!(old.successor, Some(next.key.id));
    assert_eq!(
        old.expires_at, created.key.expires_at,
        "nothing happens to the old key before the new one is taken over"
    );
    service.acknowledge_key(new_operation(), next.key.id).await.unwrap();
    let old = service.key(id).await.unwrap();
    assert!(old.expires_at.unwrap() < service.present() + chrono::Duration::hours(25));

    let revoked = service.revoke_keys(new_operation(), &[id, next.key.id], Some("exposed")).await.unwrap();
    assert!(revoked.iter().all(|r| r.key.status(service.present()) == Status::Revoked && !r.already));
    let again = service.revoke_keys(new_operation(), &[id], None).await.unwrap();
    assert!(again[0].already);
    let outlook = service.outlook().await.unwrap();
    assert_eq!((outlook.within_7_days, outlook.within_90_days), (0, 30));

    let audit = service
        .audit(&AuditRequest {
            filter: AuditFilter { key: Some(id), ..Default::default() },
            before: None,
            limit: 10,
        })
        .await
        .unwrap();
    let actions: Vec<_> = audit.iter().map(|entry| entry.action.to_string()).collect();
    assert_eq!(actions, ["key.revoke", "key.retire", "key.acknowledge", "key.create"]);
    assert!(matches!(service.verify_audit(|_| {}).await.unwrap(), Verdict::Intact { .. }));
    assert_eq!(service.accounts("glob", None, 10).await.unwrap()[0].active_keys, 30);
    service.facts().await.unwrap();
}

#[test]
fn every_operation_works_on_sqlite() {
    run_on_sqlite(walk);
}

#[test]
fn every_operation_works_on_postgres() {
    run_on_postgres("every_operation_works_on_postgres", walk);
}

async fn fill(database: Database) {
    let service = database.open().await;
    service.demo(400, 1, |_| {}).await.unwrap();
    assert_eq!(
        service
            .count(&Query { terms: vec![Term { negated: false, test: Test::Status(Status::ALL.to_vec()) }] })
            .await
            .unwrap(),
        Count::Exactly(400)
    );
    assert!(matches!(service.verify_audit(|_| {}).await.unwrap(), Verdict::Intact { .. }));
    let refused = service.demo(10, 1, |_| {}).await.unwrap_err();
    assert!(refused.to_string().contains("already has keys"), "{refused}");
}

#[test]
fn a_demo_fills_sqlite_with_a_history_that_verifies() {
    run_on_sqlite(fill);
}

#[test]
fn a_demo_fills_postgres_with_a_history_that_verifies() {
    run_on_postgres("a_demo_fills_postgres_with_a_history_that_verifies", fill);
}
