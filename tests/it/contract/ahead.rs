//! A clock that ran ahead once: the true reminders come all the same, and none comes twice.

use crate::support::people::account;
use crate::support::post::{make_days, order, reminders, sweep, told, voicegram};
use chrono::Duration;
use keyrack::domain::reminder::Progress;
use keyrack::mail::LetterOutcome;
use keyrack::service::{ChangeAccount, Stop, SweepNews, new_operation};
use tokio::sync::mpsc::unbounded_channel;

fn deferred() -> LetterOutcome {
    LetterOutcome::Deferred { answer: "451 later".into() }
}

on_both! {
    async fn what_a_clock_that_ran_ahead_sent_is_sent_again_when_it_is_due(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        let month = make_days(&service, "acme", "30 days ahead", 425).await;
        let week = make_days(&service, "acme", "7 days ahead", 405).await;
        let soon = make_days(&service, "globex", "overview", 40).await;
        calendar.days(5).await;
        calendar.days(395).await;
        assert_eq!(sweep(&service).await.tally.sent, 1);
        assert_eq!((told(&service, &month).await.as_str(), told(&service, &week).await.as_str()), ("30 sent", "7 sent, 30 superseded"));
        calendar.days(-395).await;

        assert_eq!(service.outbox().await.unwrap().due, 0);
        assert_eq!(sweep(&service).await.tally.letters(), 0);
        assert_eq!(told(&service, &week).await, "7 pending, 30 pending");
        let next = service.outbox().await.unwrap().next_due_at.unwrap();
        assert_eq!(next, soon.expires_at.unwrap() - Duration::days(30));
        letters.clear();
        // Day by day, as a watch does.
        for _ in 5..430 {
            calendar.days(1).await;
            sweep(&service).await;
        }
        assert_eq!(told(&service, &month).await, "7 sent, 30 sent");
        assert_eq!(told(&service, &week).await, "7 sent, 30 sent");
        assert_eq!(told(&service, &soon).await, "7 sent, 30 sent");
        let mut told: Vec<(String, i64)> = Vec::new();
        for letter in letters.sent() {
            for key in [&month, &week, &soon] {
                if letter.text.contains(key.name.as_str()) {
                    told.push((key.name.to_string(), (key.expires_at.unwrap() - letter.at).num_days()));
                }
            }
        }
        told.sort();
        let twice = |name: &str| [(name.to_owned(), 7), (name.to_owned(), 30)];
        assert_eq!(told, [twice("30 days ahead"), twice("7 days ahead"), twice("overview")].concat());
    }

    async fn what_waited_when_the_clock_ran_ahead_is_sent_at_once_when_it_is_back(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        let waiting = make_days(&service, "acme", "waiting", 90).await;
        let told_already = make_days(&service, "globex", "told", 90).await;
        letters.answer("it@acme.example", deferred());
        calendar.days(60).await;
        sweep(&service).await;
        calendar.days(400).await;
        sweep(&service).await;
        assert_eq!(told(&service, &waiting).await, "30 cancelled", "it seems to have expired");
        calendar.days(-400).await;
        letters.answer("it@acme.example", LetterOutcome::Sent { answer: "250 ok".into() });
        calendar.advance(Duration::hours(1)).await;
        assert_eq!(service.outbox().await.unwrap().due, 1);
        assert_eq!(service.mailing_of(&[waiting.id]).await.unwrap().due, [waiting.id]);
        let preview = service.preview_sweep(None, 5).await.unwrap();
        assert_eq!((preview.letters_in_all, preview.reminders_in_all), (1, 1));
        assert_eq!(sweep(&service).await.tally.sent, 1);
        assert_eq!((told(&service, &waiting).await.as_str(), told(&service, &told_already).await.as_str()), ("30 sent", "30 sent"));
        assert_eq!(letters.sent().len(), 2);
        assert_eq!(service.preview_sweep(None, 5).await.unwrap().letters_in_all, 0);
    }

    async fn a_sweep_that_was_killed_under_a_clock_ahead_keeps_nothing(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        let key = make_days(&service, "acme", "hub", 425).await;
        calendar.days(400).await;
        let (sender, mut news) = unbounded_channel();
        let running = tokio::spawn({
            let service = service.clone();
            async move { service.sweep(order(None), sender, Stop::new()).await }
        });
        while !matches!(news.recv().await, Some(SweepNews::Planned { .. }) | None) {}
        running.abort();
        let _ = running.await;
        // As it stands where it was killed with the letter in hand.
        let until = calendar.sql(calendar.now() + Duration::minutes(2));
        db.execute_past_triggers("deliveries", &format!("UPDATE deliveries SET state = 'sending', claimed_until = {until}, letter = 'a@b'")).await;
        db.execute("UPDATE reminders SET state = 'sending'").await;
        db.execute("UPDATE sweeps SET ended_at = NULL, trouble = NULL").await;
        letters.clear();
        calendar.days(-395).await;
        assert_eq!(service.in_hand().await.unwrap(), None);
        assert_eq!(service.sweeps(1).await.unwrap()[0].progress, Progress::Lost);
        sweep(&service).await;
        assert_eq!((told(&service, &key).await.as_str(), letters.posted().len()), ("30 pending", 0));
        calendar.days(390).await;
        assert_eq!(sweep(&service).await.tally.sent, 1);
    }

    async fn a_clock_set_right_by_hours_repeats_nothing(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        let key = make_days(&service, "acme", "hub", 40).await;
        calendar.days(10).await;
        sweep(&service).await;
        calendar.advance(Duration::hours(-10)).await;
        sweep(&service).await;
        calendar.days(1).await;
        sweep(&service).await;
        assert_eq!((told(&service, &key).await.as_str(), letters.sent().len()), ("30 sent", 1));
    }

    async fn what_is_planned_again_goes_to_those_who_are_admins_by_then(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        service.create_account(new_operation(), account("voicegram", "firm")).await.unwrap();
        let ended = make_days(&service, "firm", "revoked since", 425).await;
        make_days(&service, "firm", "hub", 425).await;
        calendar.days(400).await;
        sweep(&service).await;
        calendar.days(-399).await;
        letters.clear();
        let admins = Some(vec!["new@firm.example".to_owned()]);
        service.change_account(new_operation(), "firm", ChangeAccount { admins, ..ChangeAccount::default() }).await.unwrap();
        service.revoke_keys(new_operation(), &[ended.id], None).await.unwrap();
        sweep(&service).await;
        calendar.days(395).await;
        sweep(&service).await;
        let sent = letters.sent();
        assert_eq!((sent.len(), sent[0].to.as_str()), (1, "new@firm.example"));
        assert!(!sent[0].text.contains("revoked since"));
        assert_eq!(reminders(&service, "state:pending").await.len(), 0);
    }
}
