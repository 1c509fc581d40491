//! The audit, on both databases: one row per change, nothing to be taken back, and no tampering unseen.

use crate::support::database::Database;
use crate::support::people::{make, make_kept, office, preset, wanted};
use keyrack::domain::account::Standing;
use keyrack::domain::audit::{Action, Break, Verdict};
use keyrack::domain::expiry::Overlap;
use keyrack::domain::operator::Role;
use keyrack::service::{AuditFilter, AuditRequest, Service, new_operation};

/// A database in which ten keys were made and some revoked.
async fn history(db: &Database) -> Service {
    let service = office(db, preset("voiceinfra")).await;
    for n in 0..10 {
        let key = make_kept(&service, "acme", &format!("key {n}")).await.key;
        if n % 3 == 0 {
            service.revoke_keys(new_operation(), &[key.id], Some("lost")).await.unwrap();
        }
    }
    assert!(matches!(service.verify_audit(|_| {}).await.unwrap(), Verdict::Intact { rows, .. } if rows > 20));
    service
}

async fn verdict_after(db: &Database, sql: &str) -> Verdict {
    let service = history(db).await;
    db.execute_past_triggers("audit", sql).await;
    service.verify_audit(|_| {}).await.unwrap()
}

on_both! {
    async fn every_change_leaves_one_row_with_who_what_and_when(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let me = service.whoami().await.unwrap().identity;
        let created = make(&service, "acme", "traced").await;
        service.acknowledge_key(new_operation(), created.key.id).await.unwrap();
        let next = service.rotate_key(new_operation(), created.key.id, Overlap::Hour1).await.unwrap();
        service.acknowledge_key(new_operation(), next.key.id).await.unwrap();
        service.revoke_keys(new_operation(), &[next.key.id], Some("a reason")).await.unwrap();
        service.set_standing(new_operation(), "acme", Standing::Suspended).await.unwrap();
        service.set_standing(new_operation(), "acme", Standing::Good).await.unwrap();
        service.set_operator(new_operation(), "otto", Role::Operator).await.unwrap();
        service.remove_operator(new_operation(), "otto").await.unwrap();

        let mut rows = service.audit(&AuditRequest { limit: 100, ..AuditRequest::default() }).await.unwrap();
        rows.reverse();
        let actions: Vec<_> = rows.iter().map(|row| row.action.to_string()).collect();
        let expected = [
            Action::OperatorSet, Action::IssuerApply, Action::AccountCreate, Action::AccountCreate, Action::KeyCreate,
            Action::KeyAcknowledge, Action::KeyRotate, Action::KeyRetire, Action::KeyAcknowledge, Action::KeyRevoke,
            Action::AccountSuspend, Action::AccountReinstate, Action::OperatorSet, Action::OperatorRemove,
        ];
        assert_eq!(actions, expected.map(|action| action.as_str().to_owned()));
        assert!(rows.iter().enumerate().all(|(i, row)| row.seq == i as i64 + 1), "a gap in the numbers");
        assert!(rows.iter().all(|row| *row.actor == *me.name && *row.host == *me.host));
        assert!(rows.iter().all(|row| !row.detail.contains(created.secret.expose())));
        assert!(rows.iter().any(|row| row.detail.contains("a reason")));
    }

    async fn what_was_refused_leaves_no_row_and_no_change(db) {
        let service = office(&db, preset("voicegram")).await;
        service.set_standing(new_operation(), "acme", Standing::Suspended).await.unwrap();
        let before = db.number("SELECT count(*) FROM audit").await;
        assert!(service.create_key(wanted("acme", "no")).await.is_err());
        assert!(service.create_key(wanted("nobody", "no")).await.is_err());
        assert_eq!(db.number("SELECT count(*) FROM audit").await, before);
        assert_eq!(db.number("SELECT count(*) FROM keys").await, 0);
    }

    async fn a_change_whose_row_cannot_be_written_does_not_happen(db) {
        let service = office(&db, preset("voicegram")).await;
        let key = make_kept(&service, "acme", "stays").await.key;
        // The place of the next row is taken.
        let squat = "INSERT INTO audit (seq, at, actor, host, client, operation, action, subject, account, key, detail, hash) SELECT seq + 1, at, actor, host, client, operation, 'squat', subject, account, key, detail, hash \
                     FROM audit ORDER BY seq DESC LIMIT 1";
        db.execute_past_triggers("audit", squat).await;
        assert!(service.revoke_keys(new_operation(), &[key.id], None).await.is_err());
        assert!(service.create_key(wanted("acme", "no")).await.is_err());
        assert!(service.key(key.id).await.unwrap().revoked_at.is_none());
        assert_eq!(db.number("SELECT count(*) FROM keys").await, 1);
    }

    async fn the_database_refuses_to_change_or_delete_a_row(db) {
        history(&db).await;
        for sql in [
            "UPDATE audit SET actor = 'nobody' WHERE seq = 3",
            "DELETE FROM audit WHERE seq = 3",
            "DELETE FROM audit",
            "INSERT INTO audit (seq, at, actor, host, client, operation, action, subject, account, key, detail, hash) SELECT seq + 1000, at, actor, host, client, operation, 'x', subject, account, key, detail, hash FROM audit WHERE seq = 1",
        ] {
            assert!(db.try_execute(sql).await.is_err(), "the database allowed: {sql}");
        }
        if db.is_postgres() {
            assert!(db.try_execute("TRUNCATE audit").await.is_err());
        }
    }

    async fn verify_finds_an_edited_row(db) {
        let found = verdict_after(&db, "UPDATE audit SET actor = 'somebody else' WHERE seq = 5").await;
        assert_eq!(found, Verdict::Broken { seq: 5, why: Break::Hash });
    }

    async fn verify_finds_an_edited_detail(db) {
        let found = verdict_after(&db, "UPDATE audit SET detail = replace(detail, 'lost', 'found') WHERE detail LIKE '%lost%'").await;
        assert!(matches!(found, Verdict::Broken { why: Break::Hash, .. }), "{found:?}");
    }

    async fn verify_finds_a_removed_row(db) {
        let found = verdict_after(&db, "DELETE FROM audit WHERE seq = 5").await;
        assert_eq!(found, Verdict::Broken { seq: 5, why: Break::Missing });
    }

    async fn verify_finds_a_removed_row_whose_followers_moved_up(db) {
        let up = "DELETE FROM audit WHERE seq = 5; UPDATE audit SET seq = -(seq - 1) WHERE seq > 5; UPDATE audit SET seq = -seq WHERE seq < 0";
        assert_eq!(verdict_after(&db, up).await, Verdict::Broken { seq: 5, why: Break::Hash });
    }

    async fn verify_finds_the_last_rows_cut_off(db) {
        let found = verdict_after(&db, "DELETE FROM audit WHERE seq > 12").await;
        assert_eq!(found, Verdict::Broken { seq: 13, why: Break::Truncated });
    }

    async fn verify_finds_an_inserted_row(db) {
        let found = verdict_after(
            &db,
            "UPDATE audit SET seq = -(seq + 1) WHERE seq > 5; UPDATE audit SET seq = -seq WHERE seq < 0; \
             INSERT INTO audit (seq, at, actor, host, client, operation, action, subject, account, key, detail, hash) SELECT 6, at, actor, host, client, operation, 'key.create', 'forged', account, key, detail, hash FROM audit WHERE seq = 5",
        )
        .await;
        assert_eq!(found, Verdict::Broken { seq: 6, why: Break::Hash });
    }

    async fn verify_finds_two_swapped_rows(db) {
        let found = verdict_after(
            &db,
            "UPDATE audit SET seq = -1 WHERE seq = 6; UPDATE audit SET seq = 6 WHERE seq = 7; UPDATE audit SET seq = 7 WHERE seq = -1",
        )
        .await;
        assert_eq!(found, Verdict::Broken { seq: 6, why: Break::Hash });
    }

    async fn verify_finds_a_row_put_before_the_first(db) {
        let random = if db.is_postgres() { "gen_random_uuid()" } else { "randomblob(16)" };
        let found = verdict_after(
            &db,
            &format!("INSERT INTO audit (seq, at, actor, host, client, operation, action, subject, account, key, detail, hash) SELECT -5, at, actor, host, client, {random}, action, subject, account, key, detail, hash FROM audit WHERE seq = 1"),
        )
        .await;
        assert_eq!(found, Verdict::Broken { seq: -5, why: Break::Hash });
    }

    async fn verify_finds_a_head_that_was_moved_back_or_taken_away(db) {
        let service = history(&db).await;
        let last = db.number("SELECT seq FROM audit_head").await;
        for sql in [
            "UPDATE audit_head SET seq = 3, hash = (SELECT hash FROM audit WHERE seq = 3)",
            "UPDATE audit_head SET seq = 0, hash = (SELECT hash FROM audit WHERE seq = 3)",
            "UPDATE audit_head SET seq = -1",
            "DELETE FROM audit_head",
        ] {
            db.execute_past_triggers("audit_head", sql).await;
            let found = service.verify_audit(|_| {}).await.unwrap();
            assert!(matches!(found, Verdict::Broken { why: Break::Head, .. }), "{sql}: {found:?} of {last}");
        }
    }

    async fn verify_names_a_row_that_cannot_even_be_read(db) {
        let sql = if db.is_postgres() {
            "UPDATE audit SET at = '200000-01-01' WHERE seq = 7"
        } else {
            "UPDATE audit SET actor = CAST(x'ff' AS TEXT) WHERE seq = 7"
        };
        assert_eq!(verdict_after(&db, sql).await, Verdict::Broken { seq: 7, why: Break::Hash });
    }

    async fn verify_finds_a_chain_that_was_made_anew_up_to_a_wrong_head(db) {
        let service = history(&db).await;
        let zeros = if db.is_postgres() { "decode(repeat('ab', 32), 'hex')" } else { "randomblob(32)" };
        db.execute_past_triggers("audit_head", &format!("UPDATE audit_head SET hash = {zeros}")).await;
        assert!(matches!(service.verify_audit(|_| {}).await.unwrap(), Verdict::Broken { why: Break::Head, .. }));
    }

    async fn the_audit_is_filtered_by_actor_action_account_and_key(db) {
        let service = history(&db).await;
        let key = make(&service, "globex", "wanted").await.key;
        service.revoke_keys(new_operation(), &[key.id], None).await.unwrap();
        let rows = |filter| {
            let service = service.clone();
            async move { service.audit(&AuditRequest { filter, limit: 500, ..AuditRequest::default() }).await.unwrap() }
        };
        let of_key = rows(AuditFilter { key: Some(key.id), ..AuditFilter::default() }).await;
        assert_eq!(of_key.iter().map(|row| row.action.as_str()).collect::<Vec<_>>(), ["key.revoke", "key.create"]);
        let revocations = rows(AuditFilter { action: Some("key.revoke".into()), ..AuditFilter::default() }).await;
        assert_eq!(revocations.len(), 5);
        let of_keys = rows(AuditFilter { action: Some("key".into()), ..AuditFilter::default() }).await;
        assert_eq!(of_keys.len(), 10 + 10 + 4 + 2);
        let of_globex = rows(AuditFilter { account: Some("globex".into()), ..AuditFilter::default() }).await;
        assert_eq!(of_globex.len(), 3);
        let me = service.whoami().await.unwrap().identity.name;
        let mine = rows(AuditFilter { actor: Some(me), ..AuditFilter::default() }).await;
        assert_eq!(mine.len(), of_keys.len() + 4);
        assert!(rows(AuditFilter { actor: Some("nobody".into()), ..AuditFilter::default() }).await.is_empty());
        // Newest first, page by page, without loss or repetition.
        let mut seen = Vec::new();
        let mut before = None;
        loop {
            let request = AuditRequest { filter: AuditFilter::default(), before, limit: 7 };
            let page = service.audit(&request).await.unwrap();
            let Some(last) = page.last() else { break };
            before = Some(last.seq);
            seen.extend(page.iter().map(|row| row.seq));
        }
        assert_eq!(seen, (1..=mine.len() as i64).rev().collect::<Vec<_>>());
    }
}
