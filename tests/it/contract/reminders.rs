//! What is reminded of, when, and what is not, on both databases: days pass, and sweeps come or do not come.

use std::collections::BTreeSet;

use crate::support::people::{account, all, make_kept, preset};
use crate::support::post::{make_days, make_until, order, reminders, sweep, told, voicegram};
use chrono::Duration;
use keyrack::domain::account::Standing;
use keyrack::domain::expiry::Overlap;
use keyrack::domain::issuer::{Caps, Help};
use keyrack::domain::notice::Occasion;
use keyrack::domain::query::{Query, Sort};
use keyrack::domain::reminder::{Progress, State};
use keyrack::domain::when::Here;
use keyrack::service::{CreateAccount, Tell, new_operation};

on_both! {
    async fn vg_15_mail_30_and_7_days_before(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        let key = make_days(&service, "acme", "hub", 90).await;
        calendar.days(60).await;
        calendar.advance(Duration::seconds(-1)).await;
        sweep(&service).await;
        assert!(letters.posted().is_empty());

        calendar.advance(Duration::seconds(1)).await;
        let first = sweep(&service).await;
        assert_eq!((first.tally.sent, first.tally.reminders, first.progress), (1, 1, Progress::Ended));
        calendar.days(10).await;
        assert_eq!(sweep(&service).await.tally.letters(), 0, "it was told already");
        calendar.days(13).await;
        sweep(&service).await;

        let sent = letters.sent();
        assert_eq!(sent.len(), 2);
        for letter in &sent {
            assert_eq!(letter.to, "it@acme.example");
            assert!(letter.text.contains("hub") && letter.text.contains(key.preview.as_str()), "{}", letter.text);
        }
        assert!(sent[0].subject.contains("30 days") && sent[1].subject.contains("7 days"), "{sent:?}");
        assert_ne!(sent[0].message_id, sent[1].message_id);
        assert!(sent[0].message_id.ends_with("@mail.example"));
        assert_eq!(told(&service, &key).await, "7 sent, 30 sent");
        calendar.days(8).await;
        sweep(&service).await;
        assert_eq!(letters.posted().len(), 2, "an expired key is past reminding");
    }

    async fn letters_tell_where_to_replace_a_key_and_whom_to_ask(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        let mut policy = preset("voicegram");
        policy.help = Help {
            replace_url: Some("https://app.voicegram.example/{account}?old={key}".into()),
            contact: Some("tokens@voicegram.example".into()),
        };
        let issuer = service.apply_policy(new_operation(), policy).await.unwrap();
        assert_eq!(issuer.version, 2);
        let key = make_days(&service, "acme", "hub https://evil.example/?hub", 90).await;
        let other = make_days(&service, "acme", "other", 90).await;
        calendar.days(60).await;
        sweep(&service).await;
        let tell = |occasion| Tell { operation: new_operation(), keys: vec![key.id], occasion, reason: None };
        service.tell(tell(Occasion::Exposed)).await.unwrap();
        let posted = letters.posted();
        assert_eq!(posted.len(), 2);
        for (posted, keys) in posted.iter().zip([vec![&key, &other], vec![&key]]) {
            let letter = &posted.letter;
            let head = String::from_utf8_lossy(&posted.bytes).split("\r\n\r\n").next().unwrap().to_owned();
            assert!(head.contains("\r\nReply-To: tokens@voicegram.example\r\n"), "{head}");
            let linked: BTreeSet<String> =
                keys.iter().map(|key| format!("https://app.voicegram.example/acme?old={}", key.id)).collect();
            let found = |text: &str| -> BTreeSet<String> {
                let starts = text.match_indices("https://app").map(|(at, _)| &text[at..]);
                starts.map(|rest| rest.split([' ', '\n', '"', '<']).next().unwrap().to_owned()).collect()
            };
            assert_eq!(found(&letter.text), linked, "{}", letter.text);
            assert_eq!(found(&letter.html.replace("&#x2f;", "/")), linked, "{}", letter.html);
            // What a name says is never a link.
            assert!(!letter.html.replace("&#x2f;", "/").contains("href=\"https://evil"), "{}", letter.html);
        }
    }

    async fn every_key_that_admins_are_told_of_stands_in_a_letter(db) {
        let (_calendar, service, letters) = voicegram(&db).await;
        let mut policy = preset("voicegram");
        policy.caps = Caps::default();
        service.apply_policy(new_operation(), policy).await.unwrap();
        let mut keys = Vec::new();
        for n in 0..101 {
            keys.push(make_kept(&service, "acme", &format!("hub {n}")).await.key.id);
        }
        let tell = Tell { operation: new_operation(), keys: keys.clone(), occasion: Occasion::Exposed, reason: None };
        let told = service.tell(tell).await.unwrap();
        assert_eq!(told.iter().map(|one| one.keys.len()).collect::<Vec<_>>(), [100, 1]);
        let texts: String = letters.sent().into_iter().map(|letter| letter.text).collect();
        assert_eq!(texts.matches("vg_pat_").count(), 101, "{texts}");
    }

    async fn a_suspended_accounts_keys_expire_and_are_reminded_of_all_the_same(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        make_days(&service, "acme", "hub", 90).await;
        make_days(&service, "globex", "other", 90).await;
        calendar.days(65).await;
        service.set_standing(new_operation(), "acme", Standing::Suspended).await.unwrap();
        let named = async |filter: &str| {
            let query = Query::parse(filter, Here::utc(calendar.now())).unwrap();
            let keys = all(&service, &query, Sort::default(), 9).await;
            keys.into_iter().map(|key| key.name.to_string()).collect::<BTreeSet<_>>()
        };
        let both = BTreeSet::from(["hub".to_owned(), "other".to_owned()]);
        // What the screen of expiring keys shows and counts, what a sweep would send, and what it sends.
        assert_eq!(named("status:active,suspended expires:<30d").await, both);
        assert_eq!(named("status:active expires:<30d").await, BTreeSet::from(["other".to_owned()]));
        assert_eq!(service.outlook().await.unwrap().within_30_days, 2);
        let preview = service.try_sweep(order(None), 9).await.unwrap();
        let would: BTreeSet<_> = preview.letters.iter().flat_map(|letter| &letter.keys).map(|key| key.name.to_string()).collect();
        assert_eq!((would, preview.reminders_in_all), (both.clone(), 2));
        assert_eq!(sweep(&service).await.tally.reminders, 2);
        let sent: BTreeSet<_> = letters.sent().into_iter().map(|letter| letter.to).collect();
        assert_eq!(sent, BTreeSet::from(["it@acme.example".to_owned(), "it@globex.example".to_owned()]));
        service.set_standing(new_operation(), "acme", Standing::Good).await.unwrap();
        assert_eq!(sweep(&service).await.tally.letters(), 0, "it was told already");
        service.set_standing(new_operation(), "acme", Standing::Suspended).await.unwrap();
        calendar.days(30).await;
        assert_eq!(named("status:expired expires:>-30d").await, both);
        assert_eq!(service.outlook().await.unwrap().overdue, 2);
    }

    async fn vg_16_no_mail_for_a_key_that_never_expires(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        make_kept(&service, "acme", "for ever").await;
        for _ in 0..40 {
            calendar.days(30).await;
            sweep(&service).await;
        }
        assert!(letters.posted().is_empty());
        assert!(reminders(&service, "").await.is_empty());
    }

    async fn decision_2_a_key_of_30_days_gets_only_the_mail_of_7_days(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        let month = make_days(&service, "acme", "month", 30).await;
        let week = make_days(&service, "acme", "week", 7).await;
        let longer = make_until(&service, "acme", "longer", calendar.now() + Duration::days(30) + Duration::minutes(1)).await;
        for _ in 0..31 {
            sweep(&service).await;
            calendar.days(1).await;
        }
        assert_eq!(told(&service, &month).await, "7 sent");
        assert_eq!(told(&service, &week).await, "");
        assert_eq!(told(&service, &longer).await, "7 sent, 30 sent");
        let keys: Vec<usize> = letters.sent().iter().map(|letter| letter.text.matches("vg_pat_").count()).collect();
        assert_eq!(keys, [1, 1, 1], "on day 1 the longer one, on day 23 the month, on day 24 the longer one again");
    }

    async fn decision_3_of_several_thresholds_only_the_tightest_is_sent(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        let key = make_days(&service, "acme", "hub", 90).await;
        calendar.days(84).await;
        sweep(&service).await;
        assert_eq!(letters.sent().len(), 1);
        assert_eq!(told(&service, &key).await, "7 sent, 30 superseded");
        let wide = &reminders(&service, "state:superseded").await[0];
        assert_eq!(wide.why.as_deref(), Some("7 days"));
        sweep(&service).await;
        assert_eq!(letters.posted().len(), 1);
    }

    async fn a_day_without_a_sweep_delays_a_reminder_and_never_skips_it(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        let key = make_days(&service, "acme", "hub", 90).await;
        calendar.days(71).await;
        sweep(&service).await;
        assert_eq!(told(&service, &key).await, "30 sent");
        calendar.days(18).await;
        calendar.advance(Duration::hours(23)).await;
        sweep(&service).await;
        assert_eq!(told(&service, &key).await, "7 sent, 30 sent");
        assert_eq!(letters.sent().len(), 2);
        assert!(letters.sent()[0].subject.contains("19 days"), "{}", letters.sent()[0].subject);
    }

    async fn every_admin_gets_one_letter_with_all_keys_the_most_urgent_first(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        let both = CreateAccount {
            admins: vec!["ada@initech.example".into(), "it@acme.example".into()],
            ..account("voicegram", "initech")
        };
        service.create_account(new_operation(), both).await.unwrap();
        make_days(&service, "acme", "later", 60).await;
        make_days(&service, "initech", "sooner", 40).await;
        make_days(&service, "globex", "foreign", 50).await;
        calendar.days(38).await;
        let done = sweep(&service).await;
        assert_eq!((done.tally.sent, done.tally.reminders), (3, 3));
        let sent = letters.sent();
        let to_it = sent.iter().find(|letter| letter.to == "it@acme.example").unwrap();
        let (sooner, later) = (to_it.text.find("sooner").unwrap(), to_it.text.find("later").unwrap());
        assert!(sooner < later, "{}", to_it.text);
        assert!(!to_it.text.contains("foreign"));
        let initech = reminders(&service, "account:initech state:sent").await;
        let to: Vec<&str> = initech[0].deliveries.iter().map(|one| one.recipient.as_str()).collect();
        assert_eq!(to, ["ada@initech.example", "it@acme.example"]);
        assert!(initech[0].deliveries.iter().all(|one| one.state == State::Sent && one.attempts == 1));
    }

    async fn a_suspended_account_gets_its_mail_as_well(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        make_days(&service, "acme", "hub", 40).await;
        service.set_standing(new_operation(), "acme", keyrack::domain::account::Standing::Suspended).await.unwrap();
        calendar.days(20).await;
        sweep(&service).await;
        assert_eq!(letters.sent().len(), 1);
    }

    async fn no_mail_about_a_key_that_was_revoked_or_replaced_or_never_taken_over(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        let revoked = make_days(&service, "acme", "revoked", 40).await;
        let replaced = make_days(&service, "acme", "replaced", 40).await;
        let lost = make_days(&service, "acme", "successor lost", 40).await;
        service.revoke_keys(new_operation(), &[revoked.id], None).await.unwrap();
        calendar.days(15).await;
        let successor = service.rotate_key(new_operation(), replaced.id, Overlap::Days7).await.unwrap().key;
        service.acknowledge_key(new_operation(), successor.id).await.unwrap();
        // Nobody takes this one's successor over: the old key is still the one that counts.
        service.rotate_key(new_operation(), lost.id, Overlap::Days7).await.unwrap();
        calendar.days(1).await;
        sweep(&service).await;
        assert_eq!(letters.sent().len(), 1);
        assert_eq!(told(&service, &lost).await, "30 sent");
        assert_eq!(told(&service, &replaced).await + &told(&service, &revoked).await, "");
    }

    async fn a_reminder_for_an_account_without_admins_fails_in_words(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        make_days(&service, "acme", "hub", 40).await;
        db.execute("UPDATE accounts SET admins = '[]' WHERE slug = 'acme'").await;
        calendar.days(20).await;
        sweep(&service).await;
        assert!(letters.posted().is_empty());
        let failed = &reminders(&service, "state:failed").await[0];
        assert!(failed.why.as_ref().unwrap().contains("no admin"), "{failed:?}");
        assert_eq!(service.outbox().await.unwrap().failed, 1);
        // Once there is one, it can be sent again.
        db.execute("UPDATE accounts SET admins = '[\"new@acme.example\"]' WHERE slug = 'acme'").await;
        let again = service.retry_reminders(new_operation(), &[failed.id]).await.unwrap();
        assert!(again[0].again, "{again:?}");
        sweep(&service).await;
        assert_eq!(letters.sent()[0].to, "new@acme.example");
        assert_eq!(reminders(&service, "").await[0].why, None);
    }
}
