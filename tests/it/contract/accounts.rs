//! Accounts change: their names, admins and plans, and where their reminders go then.

use crate::support::people::{as_person, make_kept, office, preset};
use crate::support::post::{make_days, reminders, sweep, voicegram};
use keyrack::domain::key::Status;
use keyrack::domain::operator::Role;
use keyrack::domain::reminder::State;
use keyrack::mail::LetterOutcome;
use keyrack::service::{AuditRequest, ChangeAccount, Count, Error, Field, new_operation};

fn admins(addresses: &[&str]) -> ChangeAccount {
    let admins = addresses.iter().map(|address| (*address).to_owned()).collect();
    ChangeAccount { admins: Some(admins), ..ChangeAccount::default() }
}

on_both! {
    async fn kr_14_the_page_of_an_account_tells_whom_to_tell_what_it_may_and_what_was_done(db) {
        let service = office(&db, preset("voicegram")).await;
        let soon = make_days(&service, "acme", "soon", 40).await;
        let gone = make_kept(&service, "acme", "gone").await.key;
        make_kept(&service, "globex", "another's").await;
        service.revoke_keys(new_operation(), &[gone.id], None).await.unwrap();
        service.set_operator(new_operation(), "vera", Role::Viewer).await.unwrap();
        let page = as_person(&db, "vera").await.account_page("acme").await.unwrap();
        assert_eq!(page.summary, service.account("acme").await.unwrap());
        assert!(!page.summary.account.admins.is_empty());
        assert_eq!(page.states, [(Status::Active, Count::Exactly(1)), (Status::Revoked, Count::Exactly(1))]);
        assert_eq!((page.made, page.caps), (Count::Exactly(2), preset("voicegram").caps));
        assert_eq!(page.next.iter().map(|key| key.id).collect::<Vec<_>>(), [soon.id], "{:?}", page.next);
        assert!(page.latest.iter().all(|row| row.account.as_deref() == Some("acme")), "{:?}", page.latest);
        assert_eq!(page.latest[0].action.as_str(), "key.revoke");
        let nobody = service.account_page("nobody").await.unwrap_err();
        assert!(matches!(nobody, Error::NotFound { .. }), "{nobody}");
    }

    async fn an_account_gets_another_name_and_plan_and_is_found_by_the_new_name(db) {
        let service = office(&db, preset("voxpria")).await;
        let change = ChangeAccount {
            name: Some("Zenith Rockets".into()),
            plan: Some(Some("Starter".into())),
            admins: None,
        };
        let before = service.account("acme").await.unwrap().account;
        let after = service.change_account(new_operation(), "acme", change.clone()).await.unwrap();
        assert_eq!((after.name.as_str(), after.plan.as_deref()), ("Zenith Rockets", Some("Starter")));
        assert_eq!(after.admins, before.admins);
        assert_eq!(service.accounts("rockets", None, 10).await.unwrap()[0].account, after);
        assert_eq!(service.accounts("VOXP", None, 10).await.unwrap().len(), 2, "by the issuer");
        let none = ChangeAccount { plan: Some(None), ..ChangeAccount::default() };
        assert_eq!(service.change_account(new_operation(), "acme", none).await.unwrap().plan, None);

        let told = service.audit(&AuditRequest { limit: 10, ..AuditRequest::default() }).await.unwrap();
        let changes: Vec<_> = told.iter().filter(|entry| entry.action.as_str() == "account.change").collect();
        assert_eq!(changes.len(), 2);
        assert!(changes[1].detail.contains("Zenith Rockets") && changes[1].detail.contains("Starter"));
    }

    async fn a_change_is_refused_with_words_or_changes_nothing(db) {
        let service = office(&db, preset("voxpria")).await;
        let refused = |field, change: ChangeAccount| {
            let service = &service;
            async move {
                let error = service.change_account(new_operation(), "acme", change).await.unwrap_err();
                assert!(matches!(&error, Error::Invalid { field: found, .. } if *found == field), "{error}");
                error.to_string()
            }
        };
        refused(Field::Admins, admins(&[])).await;
        refused(Field::Admins, admins(&["no address"])).await;
        let plan = ChangeAccount { plan: Some(Some("Gold".into())), ..ChangeAccount::default() };
        assert!(refused(Field::Plan, plan).await.contains("Starter"));
        let none = service.change_account(new_operation(), "nobody", admins(&["a@b.example"])).await.unwrap_err();
        assert!(matches!(none, Error::NotFound { .. }), "{none}");
        service.set_operator(new_operation(), "evelyn", keyrack::domain::operator::Role::Viewer).await.unwrap();
        let viewer = as_person(&db, "evelyn").await;
        let error = viewer.change_account(new_operation(), "acme", admins(&["eve@evil.example"])).await.unwrap_err();
        assert!(matches!(error, Error::NotPermitted { .. }), "{error}");
    }

    async fn a_reminder_that_waits_goes_to_who_is_an_admin_by_then(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        make_days(&service, "acme", "hub", 40).await;
        calendar.days(20).await;
        letters.answer_once("it@acme.example", LetterOutcome::Deferred { answer: "451 later".into() });
        sweep(&service).await;
        service.change_account(new_operation(), "acme", admins(&["new@acme.example"])).await.unwrap();
        calendar.days(1).await;
        sweep(&service).await;
        let to: Vec<String> = letters.sent().into_iter().map(|letter| letter.to).collect();
        assert_eq!(to, ["new@acme.example"]);
        let told = reminders(&service, "").await;
        let states: Vec<_> = told[0].deliveries.iter().map(|one| (one.recipient.as_str(), one.state)).collect();
        assert_eq!(states, [("it@acme.example", State::Cancelled), ("new@acme.example", State::Sent)]);
        assert_eq!(told[0].state, State::Sent);
    }

    async fn a_letter_that_failed_is_sent_to_the_mended_address_by_a_retry(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        make_days(&service, "acme", "hub", 40).await;
        calendar.days(20).await;
        letters.answer_once("it@acme.example", LetterOutcome::Failed { answer: "550 no such user".into() });
        sweep(&service).await;
        let failed = reminders(&service, "state:failed").await;
        service.change_account(new_operation(), "acme", admins(&["new@acme.example"])).await.unwrap();
        assert_eq!(reminders(&service, "state:failed").await.len(), 1, "nothing goes out again by itself");
        assert!(service.retry_reminders(new_operation(), &[failed[0].id]).await.unwrap()[0].again);
        sweep(&service).await;
        let to: Vec<String> = letters.sent().into_iter().map(|letter| letter.to).collect();
        assert_eq!(to, ["new@acme.example"]);
        assert!(reminders(&service, "state:failed").await.is_empty());
    }
}
