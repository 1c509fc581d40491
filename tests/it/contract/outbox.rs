//! The outbox as it stands in the database: what is there once, who has it in hand, and what nobody can undo.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::people::{account, identity};
use crate::support::post::{letter_box, make_days, order, reminders, sweep, told, voicegram};
use chrono::Duration;
use keyrack::domain::expiry::Overlap;
use keyrack::domain::reminder::{Band, Progress, State};
use keyrack::mail::LetterOutcome;
use keyrack::service::{Service, Stop, SweepNews, new_operation};
use keyrack::store::{Opening, Store};
use tokio::sync::mpsc::unbounded_channel;

/// Accounts with one key each that expires in 40 days.
async fn firms(service: &Service, count: usize) {
    for n in 0..count {
        service.create_account(new_operation(), account("voicegram", &format!("firm-{n}"))).await.unwrap();
        make_days(service, &format!("firm-{n}"), &format!("key {n}"), 40).await;
    }
}

async fn why(service: &Service) -> Vec<(State, Option<String>)> {
    let all = reminders(service, "").await;
    all.into_iter().map(|one| (one.state, one.why.map(|why| why.to_string()))).collect()
}

/// Where a whole reminder stands, by where its deliveries stand: what is still to be done first, then what went wrong.
fn standing(deliveries: [State; 3]) -> Option<State> {
    let rank = |state: &State| match state {
        State::Sending => 7,
        State::Pending => 6,
        State::Failed => 5,
        State::Ambiguous => 4,
        State::Written => 3,
        State::Sent => 2,
        State::Superseded => 1,
        State::Cancelled => 0,
    };
    deliveries.into_iter().max_by_key(rank)
}

on_both! {
    async fn a_reminder_stands_in_the_outbox_once_and_nobody_takes_it_out(db) {
        let (calendar, service, _) = voicegram(&db).await;
        make_days(&service, "acme", "hub", 40).await;
        calendar.days(20).await;
        sweep(&service).await;
        let id = if db.is_postgres() { "gen_random_uuid()" } else { "randomblob(16)" };
        let twice = format!(
            "INSERT INTO reminders SELECT {id}, key, account, days_before, expires_at, due_at, 'pending', NULL, created_at, changed_at FROM reminders"
        );
        let refused = db.try_execute(&twice).await.unwrap_err().to_string().to_lowercase();
        assert!(refused.contains("unique"), "{refused}");
        for (sql, words) in [
            ("UPDATE deliveries SET state = 'pending'", "stays sent"),
            ("UPDATE deliveries SET recipient = 'x@example.com'", "stays sent"),
            ("UPDATE reminders SET days_before = 3", "identity never changes"),
            ("DELETE FROM deliveries", "never deleted"),
            ("DELETE FROM reminders", "never deleted"),
            ("DELETE FROM sweeps", "never deleted"),
        ] {
            let refused = db.try_execute(sql).await.unwrap_err().to_string();
            assert!(refused.contains(words), "{sql}: {refused}");
        }
    }

    async fn revoking_and_replacing_a_key_cancels_what_waits_in_the_same_transaction(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        letters.answer("it@acme.example", LetterOutcome::Deferred { answer: "451 later".into() });
        let key = make_days(&service, "acme", "revoked", 40).await;
        calendar.days(20).await;
        sweep(&service).await;
        assert_eq!(told(&service, &key).await, "30 pending");
        service.revoke_keys(new_operation(), &[key.id], Some("leaked")).await.unwrap();
        assert_eq!(why(&service).await, [(State::Cancelled, Some("revoked".into()))]);

        let key = make_days(&service, "acme", "replaced", 31).await;
        calendar.days(2).await;
        sweep(&service).await;
        let next = service.rotate_key(new_operation(), key.id, Overlap::Days7).await.unwrap().key;
        assert_eq!(told(&service, &key).await, "30 pending", "its successor is in nobody's hands yet");
        service.acknowledge_key(new_operation(), next.id).await.unwrap();
        assert_eq!(why(&service).await[0], (State::Cancelled, Some("replaced".into())));
        let tried = letters.posted().len();
        calendar.advance(Duration::hours(12)).await;
        sweep(&service).await;
        assert_eq!(letters.posted().len(), tried, "the end of an overlap is nothing to be reminded of");
    }

    async fn a_key_that_ended_between_two_sweeps_is_found_out_when_its_letter_is_taken_in_hand(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        letters.answer("it@acme.example", LetterOutcome::Deferred { answer: "451 later".into() });
        let revoked = make_days(&service, "acme", "revoked", 40).await;
        make_days(&service, "acme", "stays", 41).await;
        calendar.days(20).await;
        sweep(&service).await;
        // As another program would do it that knows nothing of reminders.
        let now = calendar.sql(calendar.now());
        let quote = if db.is_postgres() { format!("'{}'", revoked.id) } else { format!("x'{}'", revoked.id.simple()) };
        db.execute(&format!("UPDATE key_auth SET revoked_at = {now}, revoked_by = 'x' WHERE id = {quote}")).await;
        calendar.days(1).await;
        letters.answer("it@acme.example", LetterOutcome::Sent { answer: "250 ok".into() });
        let preview = service.preview_sweep(None, 5).await.unwrap();
        assert_eq!(preview.reminders_in_all, 1);
        sweep(&service).await;
        let sent = letters.sent();
        assert!(sent.len() == 1 && sent[0].text.contains("stays") && !sent[0].text.contains("revoked"));
        assert_eq!(told(&service, &revoked).await, "30 cancelled");
        assert_eq!(db.number("SELECT count(*) FROM audit WHERE action = 'reminder.cancel'").await, 1);
    }

    async fn a_policy_that_drops_a_threshold_drops_what_waits_for_it(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        letters.answer("it@acme.example", LetterOutcome::Deferred { answer: "451 later".into() });
        let key = make_days(&service, "acme", "hub", 40).await;
        calendar.days(11).await;
        sweep(&service).await;
        let mut policy = crate::support::people::preset("voicegram");
        policy.reminders.days_before = vec![14, 3];
        service.apply_policy(new_operation(), policy).await.unwrap();
        calendar.days(1).await;
        sweep(&service).await;
        assert_eq!(told(&service, &key).await, "30 cancelled");
        calendar.days(14).await;
        letters.answer("it@acme.example", LetterOutcome::Sent { answer: "250 ok".into() });
        sweep(&service).await;
        assert_eq!(told(&service, &key).await, "14 sent, 30 cancelled");
    }

    async fn several_sweeps_at_once_share_the_work_and_nobody_gets_two_letters(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        firms(&service, 60).await;
        calendar.days(20).await;
        let from = keyrack::mail::Sender::new("keyrack@mail.example", "").unwrap();
        let post = || keyrack::service::Post::new(
            keyrack::mail::Mailer::Memory(letters.clone()),
            keyrack::mail::Templates::embedded().unwrap(),
            &from,
        );
        let mut sweepers = Vec::new();
        for _ in 0..if db.is_postgres() { 4 } else { 2 } {
            sweepers.push(calendar.open().await.with_post(post()));
        }
        let all = futures::future::join_all(sweepers.iter().map(sweep)).await;
        assert!(all.iter().all(|done| done.progress == Progress::Ended), "{all:?}");
        assert_eq!(all.iter().map(|done| done.tally.sent).sum::<u64>(), 60);
        let recipients: BTreeSet<String> = letters.posted().into_iter().map(|posted| posted.letter.to).collect();
        assert_eq!((recipients.len(), letters.posted().len()), (60, 60));
        assert_eq!(sweep(&service).await.tally.letters(), 0);
    }

    async fn what_a_killed_sweep_had_in_hand_is_sent_by_the_next_one_with_the_same_message_id(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        firms(&service, 20).await;
        calendar.days(20).await;
        let (sender, mut news) = unbounded_channel();
        let victim = tokio::spawn({
            let service = service.clone();
            async move { service.sweep(order(None), sender, Stop::new()).await }
        });
        while !matches!(news.recv().await, Some(SweepNews::Letter(_))) {}
        victim.abort();
        assert!(victim.await.unwrap_err().is_cancelled());
        // Its last transaction may still be under way.
        let settled = async || {
            let before = db.number("SELECT count(*) FROM audit").await;
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            before == db.number("SELECT count(*) FROM audit").await
        };
        while !settled().await {}

        let in_hand = reminders(&service, "state:sending").await.len() as u64;
        let next = sweep(&service).await;
        assert_eq!(reminders(&service, "state:sending").await.len() as u64, in_hand, "the claim still holds");
        calendar.advance(Duration::seconds(119)).await;
        assert_eq!(sweep(&service).await.tally.letters(), 0);
        assert_eq!(service.preview_sweep(None, 99).await.unwrap().letters_in_all, 0);
        calendar.advance(Duration::seconds(2)).await;
        assert_eq!(service.preview_sweep(None, 99).await.unwrap().letters_in_all, in_hand);
        assert_eq!(sweep(&service).await.tally.sent, in_hand);
        assert!(next.tally.sent + in_hand <= 20);
        assert_eq!(reminders(&service, "state:sent").await.len(), 20);
        let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for posted in letters.posted() {
            ids.entry(posted.letter.to).or_default().insert(posted.letter.message_id);
        }
        assert_eq!(ids.len(), 20);
        assert!(ids.values().all(|ids| ids.len() == 1), "{ids:?}");
        let sweeps = service.sweeps(10).await.unwrap();
        assert_eq!(sweeps.iter().filter(|one| one.progress == Progress::Lost).count(), 1);
    }

    async fn a_letter_holds_at_most_500_keys_and_a_message_id_tells_its_reminders(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        let mut policy = crate::support::people::preset("voiceinfra");
        policy.caps = keyrack::domain::issuer::Caps::default();
        service.apply_policy(new_operation(), policy).await.unwrap();
        service.create_account(new_operation(), account("voiceinfra", "big")).await.unwrap();
        crate::support::post::load(&calendar, &db, "big", "voiceinfra", 1203, 40).await;
        calendar.days(20).await;
        let preview = service.preview_sweep(None, 9).await.unwrap();
        assert_eq!((preview.letters_in_all, preview.reminders_in_all), (3, 1203));
        let told: Vec<usize> = preview.letters.iter().map(|letter| letter.keys.len()).collect();
        assert_eq!(told, [500, 500, 203]);
        let done = sweep(&service).await;
        assert_eq!((done.tally.sent, done.tally.reminders), (3, 1203));
        let ids: BTreeSet<String> = letters.sent().into_iter().map(|letter| letter.message_id).collect();
        assert_eq!(ids.len(), 3);
    }

    async fn the_states_in_the_database_are_those_of_the_rules(db) {
        let (calendar, service, _) = voicegram(&db).await;
        make_days(&service, "acme", "hub", 40).await;
        calendar.days(20).await;
        db.execute("UPDATE accounts SET admins = '[\"a@acme.example\", \"b@acme.example\", \"c@acme.example\"]'").await;
        let words: Vec<State> = State::ALL.iter().copied().filter(|state| *state != State::Sending).collect();
        let (letters, post) = letter_box();
        let service = service.with_post(post);
        sweep(&service).await;
        let reminder = reminders(&service, "").await.remove(0);
        assert_eq!((reminder.state, letters.sent().len()), (State::Sent, 3));
        let store = Store::open(&db.location()).await.unwrap();
        let set = async |to: &str, state: State| {
            let sql = format!("UPDATE deliveries SET state = '{}' WHERE recipient = '{to}@acme.example'", state.as_str());
            db.execute_past_triggers("deliveries", &sql).await;
        };
        for a in &words {
            for b in &words {
                for c in [State::Sent, State::Cancelled] {
                    set("a", *a).await;
                    set("b", *b).await;
                    set("c", c).await;
                    let (who, operation) = (identity("x"), new_operation());
                    let opening = Opening::new(who, operation);
                    store
                        .transact::<_, keyrack::store::Error, _>(&calendar.clock(), opening, move |tx| {
                            Box::pin(async move { tx.tell_states(&[reminder.id], None).await })
                        })
                        .await
                        .unwrap();
                    let told = service.reminder(reminder.id).await.unwrap().state;
                    assert_eq!(Some(told), standing([*a, *b, c]), "{a:?} {b:?} {c:?}");
                }
            }
        }
    }

    async fn what_is_due_is_found_through_the_index_of_expiries(db) {
        let service = db.open().await;
        service.demo(20_000, 1, |_| {}).await.unwrap();
        let now = service.now().await.unwrap();
        let issuers = service.issuers().await.unwrap().into_iter().map(|issuer| issuer.slug).collect();
        let band = Band { issuers, days: 7, after: now, until: now + Duration::days(7) };
        let store = Store::open(&db.location()).await.unwrap();
        let plan = store.explain_unplanned(&band, now).await.unwrap();
        assert!(plan.contains("auth_by_expiry"), "{plan}");
        let whole = if db.is_postgres() { "Seq Scan on keys" } else { "SCAN k" };
        assert!(!plan.contains(whole) && !plan.contains("TEMP B-TREE"), "{plan}");
        // There is something to show in a demo: mail that is due at both thresholds.
        let (_, post) = letter_box();
        let service = service.with_post(post);
        let preview = service.preview_sweep(None, 1000).await.unwrap();
        let days: BTreeSet<u32> = preview.letters.iter().flat_map(|letter| letter.keys.iter().map(|key| key.days_before)).collect();
        assert_eq!(days, BTreeSet::from([7, 30]));
    }
}
