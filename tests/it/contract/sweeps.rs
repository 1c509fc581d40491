//! What becomes of letters, and what a sweep makes of it, on both databases.

use crate::support::people::account;
use crate::support::post::{letter_box, make_days, order, reminders, sweep, sweep_telling, told, voicegram};
use chrono::Duration;
use keyrack::domain::audit::{AuditFilter, Verdict};
use keyrack::domain::operator::Role;
use keyrack::domain::reminder::{Door, Progress, Reminder, State};
use keyrack::domain::when::Here;
use keyrack::mail::LetterOutcome;
use keyrack::service::{AuditRequest, CreateAccount, Error, Service, Stop, SweepNews, new_operation};
use tokio::sync::mpsc::unbounded_channel;

fn failed(answer: &str) -> LetterOutcome {
    LetterOutcome::Failed { answer: answer.into() }
}

fn deferred() -> LetterOutcome {
    LetterOutcome::Deferred { answer: "451 4.3.0 try later".into() }
}

fn ambiguous() -> LetterOutcome {
    LetterOutcome::Ambiguous { answer: "no answer to the final dot".into() }
}

fn unavailable() -> LetterOutcome {
    LetterOutcome::Unavailable { answer: "mail.example: connection refused".into() }
}

/// Accounts `firm-0`, `firm-1`, …, each with one key that expires in so many days and a minute for each before it.
async fn firms(service: &Service, count: usize, days: u32) {
    for n in 0..count {
        service.create_account(new_operation(), account("voicegram", &format!("firm-{n}"))).await.unwrap();
        make_days(service, &format!("firm-{n}"), &format!("key {n}"), days).await;
    }
}

async fn only(service: &Service, filter: &str) -> Reminder {
    let mut all = reminders(service, filter).await;
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

async fn actions(service: &Service, filter: &str) -> Vec<String> {
    let filter = AuditFilter::parse(filter, Here::utc(service.present())).unwrap();
    let request = AuditRequest { filter, before: None, limit: 500 };
    let mut rows = service.audit(&request).await.unwrap();
    rows.reverse();
    rows.into_iter().map(|row| row.action.to_string()).collect()
}

on_both! {
    async fn one_bad_recipient_does_not_stop_the_others_and_is_not_tried_again_by_itself(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        firms(&service, 5, 40).await;
        calendar.days(20).await;
        letters.answer("it@firm-2.example", failed("550 5.1.1 no such user"));
        let done = sweep(&service).await;
        assert_eq!((done.tally.sent, done.tally.failed, done.progress), (4, 1, Progress::Ended));
        let bad = only(&service, "state:failed").await;
        assert_eq!(bad.account, "firm-2");
        assert_eq!(bad.deliveries[0].answer.as_deref(), Some("550 5.1.1 no such user"));
        calendar.days(2).await;
        assert_eq!(sweep(&service).await.tally.letters(), 0);
        assert_eq!(service.outbox().await.unwrap().failed, 1);

        // One of two admins of the same account is unreachable: the other one is served.
        let two = CreateAccount {
            admins: vec!["good@two.example".into(), "bad@two.example".into()],
            ..account("voicegram", "two")
        };
        service.create_account(new_operation(), two).await.unwrap();
        make_days(&service, "two", "key", 31).await;
        calendar.days(2).await;
        letters.answer("bad@two.example", failed("554 5.7.1 no"));
        let done = sweep(&service).await;
        assert_eq!((done.tally.sent, done.tally.failed), (1, 1));
        let of_two = only(&service, "account:two").await;
        let states: Vec<State> = of_two.deliveries.iter().map(|one| one.state).collect();
        assert_eq!((of_two.state, states.as_slice()), (State::Failed, &[State::Failed, State::Sent][..]));
    }

    async fn a_passing_fault_is_tried_again_with_pauses_until_the_threshold_is_moot(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        let key = make_days(&service, "acme", "hub", 90).await;
        calendar.days(60).await;
        letters.answer("it@acme.example", deferred());
        let done = sweep(&service).await;
        assert_eq!((done.tally.deferred, done.progress), (1, Progress::Ended));
        let waits = only(&service, "state:pending").await;
        assert_eq!(waits.deliveries[0].attempts, 1);
        assert_eq!(waits.deliveries[0].next_at, calendar.now() + Duration::minutes(5));
        assert_eq!(waits.deliveries[0].answer.as_deref(), Some("451 4.3.0 try later"));
        assert_eq!(service.outbox().await.unwrap().deferred, 1);
        assert_eq!(sweep(&service).await.tally.letters(), 0, "it pauses");
        calendar.advance(Duration::minutes(5)).await;
        sweep(&service).await;
        assert_eq!(only(&service, "state:pending").await.deliveries[0].next_at, calendar.now() + Duration::minutes(15));
        // Four times a day until the tighter threshold: the pauses grow to half a day.
        for _ in 0..4 * 23 {
            calendar.advance(Duration::hours(6)).await;
            sweep(&service).await;
        }
        assert_eq!(told(&service, &key).await, "7 pending, 30 superseded");
        let tried = letters.posted().len();
        assert!((46..70).contains(&tried), "{tried}");
        letters.answer("it@acme.example", LetterOutcome::Sent { answer: "250 ok".into() });
        for _ in 0..5 {
            calendar.advance(Duration::hours(3)).await;
            sweep(&service).await;
        }
        assert_eq!(told(&service, &key).await, "7 sent, 30 superseded");
        assert_eq!(letters.sent().len(), 1);
    }

    async fn a_pause_never_outlasts_the_key(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        let key = make_days(&service, "acme", "hub", 8).await;
        letters.answer("it@acme.example", deferred());
        let end = key.expires_at.unwrap();
        calendar.days(1).await;
        while calendar.now() < end {
            sweep(&service).await;
            let last_day = end - calendar.now() < Duration::days(1);
            calendar.advance(if last_day { Duration::minutes(20) } else { Duration::hours(3) }).await;
        }
        let last = letters.posted().last().unwrap().letter.at;
        assert!(end - last < Duration::hours(1), "the last try was {} before the end", end - last);
        sweep(&service).await;
        let gone = only(&service, "").await;
        assert_eq!((gone.state, gone.why.as_deref()), (State::Cancelled, Some("expired")));
    }

    async fn without_a_mail_server_a_sweep_stops_after_three_letters_and_changes_nothing(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        firms(&service, 8, 40).await;
        calendar.days(20).await;
        for n in 0..8 {
            letters.answer(&format!("it@firm-{n}.example"), unavailable());
        }
        let done = sweep(&service).await;
        assert_eq!(done.progress, Progress::Stopped);
        assert_eq!(done.trouble.as_deref(), Some("mail.example: connection refused"));
        assert_eq!((letters.posted().len(), done.tally.sent), (3, 0));
        let all = reminders(&service, "state:pending").await;
        assert_eq!(all.len(), 8);
        let untouched = |one: &Reminder| one.deliveries[0].attempts == 0 && one.deliveries[0].next_at <= calendar.now();
        assert!(all.iter().all(untouched), "{all:?}");
        // The server is back: nothing has to be waited for.
        for n in 0..8 {
            letters.answer(&format!("it@firm-{n}.example"), LetterOutcome::Sent { answer: "250 ok".into() });
        }
        assert_eq!(sweep(&service).await.tally.sent, 8);
    }

    async fn one_letter_that_met_no_server_between_others_that_did_is_tried_again_later(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        firms(&service, 5, 40).await;
        calendar.days(20).await;
        letters.answer_once("it@firm-1.example", unavailable());
        letters.answer_once("it@firm-3.example", unavailable());
        let done = sweep(&service).await;
        assert_eq!((done.tally.sent, done.tally.deferred, done.progress), (3, 2, Progress::Ended));
        let waiting = reminders(&service, "state:pending").await;
        assert!(waiting.iter().all(|one| one.deliveries[0].attempts == 1 && one.deliveries[0].next_at > calendar.now()));
        calendar.advance(Duration::minutes(5)).await;
        assert_eq!(sweep(&service).await.tally.sent, 2);
    }

    async fn a_single_letter_that_met_no_server_stops_the_sweep_in_the_servers_words(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        make_days(&service, "acme", "hub", 40).await;
        calendar.days(20).await;
        letters.answer_once("it@acme.example", unavailable());
        let done = sweep(&service).await;
        assert_eq!((done.progress, done.tally.deferred), (Progress::Stopped, 1));
        assert_eq!(sweep(&service).await.tally.sent, 1);
    }

    async fn what_may_have_arrived_is_shown_and_goes_out_again_only_when_asked_with_the_same_message_id(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        let one = make_days(&service, "acme", "one", 40).await;
        let two = make_days(&service, "acme", "two", 41).await;
        calendar.days(20).await;
        letters.answer_once("it@acme.example", ambiguous());
        let done = sweep(&service).await;
        assert_eq!((done.tally.ambiguous, done.tally.sent, done.progress), (1, 0, Progress::Ended));
        calendar.advance(Duration::hours(30)).await;
        assert_eq!(sweep(&service).await.tally.letters(), 0);
        assert_eq!(service.outbox().await.unwrap().ambiguous, 2);

        // Another key falls due meanwhile: it is no part of the letter that goes out again.
        make_days(&service, "acme", "three", 31).await;
        calendar.days(2).await;
        let first = service.reminders_of(&[one.id]).await.unwrap().remove(0);
        let retried = service.retry_reminders(new_operation(), &[first.id]).await.unwrap();
        assert!(retried[0].again && retried[0].reminder.state == State::Pending, "{retried:?}");
        assert_eq!(told(&service, &two).await, "30 pending", "the letter goes out whole");
        let preview = service.preview_sweep(None, 10).await.unwrap();
        assert_eq!((preview.letters_in_all, preview.letters[0].keys.len(), preview.letters[0].keys[0].again), (2, 2, true));
        assert_eq!(sweep(&service).await.tally.sent, 2);
        let posted = letters.posted();
        assert_eq!(posted.len(), 3);
        assert_eq!(posted[0].letter.message_id, posted[1].letter.message_id);
        assert_ne!(posted[0].letter.message_id, posted[2].letter.message_id);
        assert!(posted[2].letter.text.contains("three") && !posted[1].letter.text.contains("three"));
        assert_eq!(actions(&service, &format!("key:{} action:reminder", one.id)).await, ["reminder.ambiguous", "reminder.retry", "reminder.send"]);
    }

    async fn a_retry_goes_to_those_who_are_admins_now(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        make_days(&service, "acme", "hub", 40).await;
        calendar.days(20).await;
        letters.answer("it@acme.example", failed("550 gone"));
        sweep(&service).await;
        db.execute("UPDATE accounts SET admins = '[\"new@acme.example\"]' WHERE slug = 'acme'").await;
        let bad = only(&service, "state:failed").await;
        service.retry_reminders(new_operation(), &[bad.id]).await.unwrap();
        assert_eq!(sweep(&service).await.tally.sent, 1);
        let told = only(&service, "").await;
        let states: Vec<_> = told.deliveries.iter().map(|one| (one.recipient.as_str(), one.state)).collect();
        assert_eq!(states, [("it@acme.example", State::Cancelled), ("new@acme.example", State::Sent)]);
        assert_eq!(told.state, State::Sent);
    }

    async fn a_retry_that_makes_no_sense_is_refused_in_words(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        let revoked = make_days(&service, "acme", "revoked", 60).await;
        let moot = make_days(&service, "globex", "moot", 60).await;
        letters.answer("it@acme.example", failed("550 no"));
        letters.answer("it@globex.example", failed("550 no"));
        calendar.days(31).await;
        sweep(&service).await;
        service.revoke_keys(new_operation(), &[revoked.id], None).await.unwrap();
        calendar.days(23).await;
        letters.answer("it@globex.example", LetterOutcome::Sent { answer: "250".into() });
        sweep(&service).await;
        let ask = async |key: &keyrack::domain::key::Key, n: usize| {
            let id = service.reminders_of(&[key.id]).await.unwrap()[n].id;
            let retried = service.retry_reminders(new_operation(), &[id]).await.unwrap().remove(0);
            assert!(!retried.again);
            retried.why.unwrap()
        };
        assert_eq!(ask(&revoked, 0).await, "no reminder is needed any more: revoked");
        assert_eq!(ask(&moot, 0).await, "it was sent");
        assert_eq!(ask(&moot, 1).await, "the reminder 7 days before the expiry has taken its place");
        let nobody = service.retry_reminders(new_operation(), &[new_operation()]).await.unwrap_err();
        assert!(nobody.to_string().contains("no reminder"), "{nobody}");
        assert_eq!(service.outbox().await.unwrap().failed, 0, "neither can be helped any more");
    }

    async fn a_preview_tells_exactly_what_is_then_sent_and_writes_nothing(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        firms(&service, 6, 40).await;
        for n in 0..6 {
            make_days(&service, "firm-3", &format!("more {n}"), 35 + n).await;
        }
        calendar.days(12).await;
        letters.answer_once("it@firm-1.example", deferred());
        letters.answer_once("it@firm-3.example", ambiguous());
        sweep(&service).await;
        letters.clear();
        calendar.days(8).await;
        let count = "SELECT (SELECT count(*) FROM audit) + (SELECT count(*) FROM reminders) + (SELECT count(*) FROM deliveries)";
        let before = db.number(count).await;
        let preview = service.preview_sweep(None, 100).await.unwrap();
        assert_eq!(db.number(count).await, before);
        assert_eq!((preview.post.as_str(), preview.now), ("memory", calendar.now()));
        let done = sweep(&service).await;
        assert_eq!((done.tally.sent, preview.letters_in_all), (preview.letters.len() as u64, preview.letters.len() as u64));
        assert_eq!(done.tally.reminders, preview.reminders_in_all);
        let sent = letters.sent();
        for (told, sent) in preview.letters.iter().zip(&sent) {
            assert_eq!(told.recipient.as_str(), sent.to);
            let places: Vec<usize> = told.keys.iter().map(|key| sent.text.find(key.name.as_str()).unwrap()).collect();
            assert!(places.is_sorted(), "{}", sent.text);
            assert_eq!(sent.text.matches("vg_pat_").count(), told.keys.len());
        }
        assert_eq!(service.preview_sweep(None, 100).await.unwrap().letters_in_all, 0);
    }

    async fn a_limit_counts_letters_and_takes_the_most_urgent(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        firms(&service, 5, 40).await;
        make_days(&service, "firm-4", "urgent", 31).await;
        calendar.days(20).await;
        assert_eq!(service.preview_sweep(Some(2), 100).await.unwrap().letters.len(), 2);
        let (done, news) = sweep_telling(&service, Some(2)).await.unwrap();
        assert_eq!((done.tally.sent, done.tally.reminders, done.progress), (2, 3, Progress::Ended));
        assert_eq!(letters.sent()[0].to, "it@firm-4.example");
        assert_eq!(news[0], SweepNews::Planned { letters: 2 });
        let SweepNews::Letter(last) = &news[2] else { panic!("{news:?}") };
        assert_eq!((last.tally, last.state, news.len()), (done.tally, State::Sent, 3));
        assert_eq!(sweep(&service).await.tally.sent, 3);
    }

    async fn a_sweep_that_is_stopped_lets_go_what_it_has_in_hand(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        firms(&service, 12, 40).await;
        calendar.days(20).await;
        let (sender, mut news) = unbounded_channel();
        let stop = Stop::new();
        let running = tokio::spawn({
            let (service, stop) = (service.clone(), stop.clone());
            async move { service.sweep(order(None), sender, stop).await.unwrap() }
        });
        while !matches!(news.recv().await, Some(SweepNews::Letter(_))) {}
        stop.stop();
        let done = running.await.unwrap();
        let sent = letters.sent().len() as u64;
        assert_eq!(done.tally.sent, sent);
        if sent < 12 {
            assert_eq!((done.progress, done.trouble.as_deref()), (Progress::Stopped, Some("stopped by hand")));
        }
        assert!(reminders(&service, "state:sending").await.is_empty());
        assert_eq!(sweep(&service).await.tally.sent, 12 - sent);
        assert_eq!(letters.posted().len(), 12);
    }

    async fn operators_sweep_and_viewers_look(db) {
        let (calendar, service, _) = voicegram(&db).await;
        firms(&service, 2, 40).await;
        service.set_operator(new_operation(), "otto", Role::Operator).await.unwrap();
        service.set_operator(new_operation(), "vera", Role::Viewer).await.unwrap();
        calendar.days(20).await;
        let (letters, post) = letter_box();
        let vera = calendar.open_as("vera", "keyrack_viewer").await.with_post(post.clone());
        assert_eq!(vera.preview_sweep(None, 5).await.unwrap().letters_in_all, 2);
        assert_eq!(vera.outbox().await.unwrap().due, 2);
        let refused = sweep_telling(&vera, None).await.unwrap_err();
        assert!(matches!(refused, Error::NotPermitted { needs: Role::Operator, .. }), "{refused}");
        assert!(refused.to_string().contains("send reminders"), "{refused}");

        // Otto's login has no more rights than a sweep needs.
        let otto = calendar.open_as("otto", "keyrack_sweeper").await.with_post(post);
        letters.answer_once("it@firm-1.example", failed("550 no"));
        let done = sweep(&otto).await;
        assert_eq!((done.tally.sent, done.tally.failed, done.by.as_str()), (1, 1, "otto"));
        let bad = only(&otto, "state:failed").await;
        assert!(vera.retry_reminders(new_operation(), &[bad.id]).await.is_err());
        assert!(otto.retry_reminders(new_operation(), &[bad.id]).await.unwrap()[0].again);
        assert_eq!(sweep(&otto).await.tally.sent, 1);
        assert_eq!(vera.sweeps(10).await.unwrap().len(), 2);
        assert_eq!(vera.reminder(bad.id).await.unwrap().state, State::Sent);
    }

    async fn a_sweep_without_a_mailer_says_what_to_configure(db) {
        let service = db.open().await;
        let refused = sweep_telling(&service, None).await.unwrap_err().to_string();
        assert!(refused.contains("mail server or a directory"), "{refused}");
        assert!(service.post().await.is_err());
        assert!(service.preview_sweep(None, 1).await.unwrap().post.contains("nowhere"));
        assert!(service.sweeps(5).await.unwrap().is_empty());
    }

    async fn everything_about_a_sweep_is_in_the_audit_and_the_chain_holds(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        let key = make_days(&service, "acme", "hub", 40).await;
        firms(&service, 3, 40).await;
        calendar.days(20).await;
        letters.answer_once("it@acme.example", deferred());
        letters.answer_once("it@firm-1.example", failed("550 no"));
        let done = sweep(&service).await;
        calendar.days(1).await;
        sweep(&service).await;
        assert_eq!(actions(&service, &format!("key:{} action:reminder", key.id)).await, ["reminder.defer", "reminder.send"]);
        assert_eq!(actions(&service, "action:sweep").await, ["sweep.begin", "sweep.plan", "sweep.end", "sweep.begin", "sweep.end"]);
        assert_eq!(actions(&service, "action:reminder.fail").await.len(), 1);
        assert!(matches!(service.verify_audit(|_| {}).await.unwrap(), Verdict::Intact { .. }));
        let sweeps = service.sweeps(10).await.unwrap();
        assert_eq!(sweeps.len(), 2);
        assert_eq!((&sweeps[1], sweeps[0].door), (&done, Door::Command));
        // A wish that is carried out a second time is recognised.
        let order = order(None);
        let again = |order| { let (sender, _) = unbounded_channel(); service.sweep(order, sender, Stop::new()) };
        again(order.clone()).await.unwrap();
        assert!(again(order).await.unwrap_err().to_string().contains("carried out already"));
    }
}
