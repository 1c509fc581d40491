//! Letters that became files are written and not sent; and every recipient counts, whatever became of the others.

use crate::support::people::account;
use crate::support::post::{letter_box, make_days, reminders, sweep, told, voicegram};
use keyrack::domain::audit::AuditFilter;
use keyrack::domain::expiry::Overlap;
use keyrack::domain::reminder::{Reminder, State};
use keyrack::mail::{Directory, LetterOutcome, Letterhead, Mailer, Sender, Templates};
use keyrack::service::{AuditRequest, CreateAccount, Outbox, Post, Service, new_operation};

/// The same service, whose letters become files in a folder.
fn to_folder(service: &Service, folder: &std::path::Path) -> Service {
    let from = Sender::new("keyrack@mail.example", "").unwrap();
    let head = Letterhead { from: from.clone(), reply_to: None };
    let mailer = Mailer::Directory(Directory::open(folder, head).unwrap());
    service.clone().with_post(Post::new(mailer, Templates::embedded().unwrap(), &from))
}

fn files(folder: &std::path::Path) -> usize {
    std::fs::read_dir(folder).map_or(0, |entries| entries.count())
}

async fn two_admins(service: &Service) {
    let two = CreateAccount {
        admins: vec!["bad@two.example".into(), "good@two.example".into()],
        ..account("voicegram", "two")
    };
    service.create_account(new_operation(), two).await.unwrap();
}

async fn outbox(service: &Service) -> Outbox {
    service.outbox().await.unwrap()
}

fn states(reminder: &Reminder) -> Vec<State> {
    reminder.deliveries.iter().map(|one| one.state).collect()
}

on_both! {
    async fn what_was_written_is_sent_once_there_is_a_server_and_never_twice(db) {
        let (calendar, by_server, letters) = voicegram(&db).await;
        let folder = db.dir().join("mail");
        let by_file = to_folder(&by_server, &folder);
        let key = make_days(&by_file, "acme", "hub", 40).await;
        calendar.days(20).await;
        let preview = by_file.preview_sweep(None, 5).await.unwrap();
        assert!(!preview.leaves && preview.whither().sentence().starts_with("Nothing leaves this machine"), "{preview:?}");
        let done = sweep(&by_file).await;
        assert_eq!((done.tally.sent, done.tally.written, done.tally.reminders), (0, 1, 1));
        assert_eq!((files(&folder), told(&by_file, &key).await.as_str()), (1, "30 written"));
        assert_eq!(sweep(&by_file).await.tally.letters(), 0);
        assert_eq!((outbox(&by_file).await.due, outbox(&by_file).await.written), (0, 1));

        // No sweep sends it by itself, and into a folder it is not written again.
        let id = reminders(&by_file, "state:written").await[0].id;
        let refused = by_file.retry_reminders(new_operation(), &[id]).await.unwrap().remove(0);
        assert!(!refused.again && refused.why.as_deref().unwrap().contains("set up a mail server"), "{refused:?}");
        assert_eq!(sweep(&by_server).await.tally.letters(), 0);
        assert!(by_server.retry_reminders(new_operation(), &[id]).await.unwrap()[0].again);
        assert_eq!(outbox(&by_server).await, Outbox { due: 1, ..Outbox::default() });
        assert!(by_server.preview_sweep(None, 5).await.unwrap().leaves);
        let done = sweep(&by_server).await;
        assert_eq!((done.tally.sent, done.tally.written, letters.sent().len()), (1, 0, 1));
        assert_eq!(told(&by_server, &key).await, "30 sent");
        let again = by_server.retry_reminders(new_operation(), &[id]).await.unwrap().remove(0);
        assert_eq!(again.why.as_deref(), Some("it was sent"));

        let filter = AuditFilter { key: Some(key.id), action: Some("reminder".into()), ..AuditFilter::default() };
        let rows = by_server.audit(&AuditRequest { filter, before: None, limit: 9 }).await.unwrap();
        let actions: Vec<String> = rows.into_iter().rev().map(|row| row.action.to_string()).collect();
        assert_eq!(actions, ["reminder.write", "reminder.retry", "reminder.send"]);
    }

    async fn what_was_written_about_a_tighter_threshold_counts_alone(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        let by_file = to_folder(&service, &db.dir().join("mail"));
        let key = make_days(&service, "acme", "hub", 40).await;
        calendar.days(20).await;
        sweep(&by_file).await;
        calendar.days(14).await;
        sweep(&by_file).await;
        assert_eq!(told(&service, &key).await, "7 written, 30 written");
        assert_eq!(outbox(&service).await.written, 1, "the wider one makes no sense any more");
        let ids: Vec<_> = reminders(&service, "state:written").await.into_iter().map(|one| one.id).collect();
        let retried = service.retry_reminders(new_operation(), &ids).await.unwrap();
        assert_eq!(retried.iter().filter(|one| one.again).count(), 1);
        sweep(&service).await;
        assert_eq!((told(&service, &key).await.as_str(), letters.sent().len()), ("7 sent, 30 written", 1));
    }

    async fn a_recipient_who_failed_is_seen_while_another_one_waits(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        two_admins(&service).await;
        make_days(&service, "two", "key", 40).await;
        calendar.days(20).await;
        letters.answer("bad@two.example", LetterOutcome::Failed { answer: "550 5.1.1 no such user".into() });
        letters.answer("good@two.example", LetterOutcome::Deferred { answer: "451 later".into() });
        sweep(&service).await;
        let found = reminders(&service, "state:failed").await;
        assert_eq!((found[0].state, states(&found[0]).as_slice()), (State::Pending, &[State::Failed, State::Pending][..]));
        assert!(found[0].needs_attention());
        assert_eq!(found[0].recipients(), [(State::Failed, 1), (State::Pending, 1)]);
        assert_eq!(found[0].mixed().as_deref(), Some("1 failed, 1 pending"));
        assert_eq!(reminders(&service, "state:due").await.len(), 1);
        let now = outbox(&service).await;
        assert_eq!((now.failed, now.deferred), (1, 1));
        // The one that failed is sent again; the one that arrived meanwhile is not.
        letters.answer("good@two.example", LetterOutcome::Sent { answer: "250 ok".into() });
        calendar.days(1).await;
        sweep(&service).await;
        letters.answer("bad@two.example", LetterOutcome::Sent { answer: "250 ok".into() });
        service.retry_reminders(new_operation(), &[found[0].id]).await.unwrap();
        sweep(&service).await;
        let mut to: Vec<String> = letters.sent().into_iter().map(|letter| letter.to).collect();
        to.sort();
        assert_eq!(to, ["bad@two.example", "good@two.example"]);
        let now = outbox(&service).await;
        assert_eq!((now.failed, now.deferred, now.written), (0, 0, 0));
    }

    async fn a_reminder_to_two_admins_is_one_reminder_in_every_count(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        two_admins(&service).await;
        make_days(&service, "two", "first", 40).await;
        make_days(&service, "two", "second", 41).await;
        calendar.days(20).await;
        for (outcome, count) in [
            (LetterOutcome::Deferred { answer: "451 later".into() }, (2, 0, 0)),
            (LetterOutcome::Failed { answer: "550 5.1.1 no such user".into() }, (0, 2, 0)),
            (LetterOutcome::Ambiguous { answer: "no answer".into() }, (0, 0, 2)),
        ] {
            for to in ["good@two.example", "bad@two.example"] {
                letters.answer(to, outcome.clone());
            }
            let ids: Vec<_> = reminders(&service, "").await.into_iter().map(|one| one.id).collect();
            service.retry_reminders(new_operation(), &ids).await.unwrap();
            sweep(&service).await;
            let now = outbox(&service).await;
            assert_eq!((now.deferred, now.failed, now.ambiguous), count);
        }
    }

    async fn a_key_with_two_admins_is_one_key_in_preview_and_tally(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        two_admins(&service).await;
        make_days(&service, "two", "first", 40).await;
        make_days(&service, "two", "second", 41).await;
        calendar.days(20).await;
        let preview = service.preview_sweep(None, 5).await.unwrap();
        assert_eq!((preview.letters_in_all, preview.reminders_in_all), (2, 2));
        // Planned by a sweep that sent one letter of the two.
        letters.answer("bad@two.example", LetterOutcome::Deferred { answer: "451 later".into() });
        let done = sweep(&service).await;
        assert_eq!((done.tally.sent, done.tally.deferred, done.tally.reminders), (1, 1, 2));
        letters.answer("bad@two.example", LetterOutcome::Ambiguous { answer: "no answer".into() });
        calendar.days(1).await;
        let preview = service.preview_sweep(None, 5).await.unwrap();
        assert_eq!((preview.letters_in_all, preview.reminders_in_all, outbox(&service).await.due), (1, 2, 2));
        sweep(&service).await;
        letters.answer("bad@two.example", LetterOutcome::Sent { answer: "250 ok".into() });
        let ids: Vec<_> = reminders(&service, "state:ambiguous").await.into_iter().map(|one| one.id).collect();
        service.retry_reminders(new_operation(), &ids).await.unwrap();
        make_days(&service, "two", "third", 29).await;
        let preview = service.preview_sweep(None, 5).await.unwrap();
        assert_eq!((preview.letters_in_all, preview.reminders_in_all), (1, 2));
        assert_eq!(sweep(&service).await.tally.reminders, 2);
    }

    async fn what_is_shown_as_due_is_what_the_sweep_takes(db) {
        let (calendar, service, letters) = voicegram(&db).await;
        let due = make_days(&service, "acme", "due", 40).await;
        let replaced = make_days(&service, "acme", "replaced", 40).await;
        let revoked = make_days(&service, "acme", "revoked", 40).await;
        let failed = make_days(&service, "globex", "failed", 40).await;
        calendar.days(18).await;
        let next = service.rotate_key(new_operation(), replaced.id, Overlap::Days7).await.unwrap().key;
        service.acknowledge_key(new_operation(), next.id).await.unwrap();
        calendar.days(2).await;
        service.revoke_keys(new_operation(), &[revoked.id], None).await.unwrap();
        let keys = [due.id, replaced.id, revoked.id, failed.id];
        let mailing = service.mailing_of(&keys).await.unwrap();
        let mut found = mailing.due;
        found.sort();
        let mut expected = vec![due.id, failed.id];
        expected.sort();
        assert_eq!(found, expected);
        let preview = service.preview_sweep(None, 5).await.unwrap();
        assert_eq!((preview.reminders_in_all, outbox(&service).await.due), (2, 2));
        letters.answer("it@globex.example", LetterOutcome::Failed { answer: "550 no".into() });
        sweep(&service).await;
        let mailing = service.mailing_of(&keys).await.unwrap();
        assert_eq!((mailing.due.len(), mailing.reminders.len()), (0, 2));
        assert_eq!(outbox(&service).await.failed, 1);
        // What is replaced can't be helped by anybody any more.
        let next = service.rotate_key(new_operation(), failed.id, Overlap::Days7).await.unwrap().key;
        service.acknowledge_key(new_operation(), next.id).await.unwrap();
        assert_eq!(outbox(&service).await.failed, 0);
    }

    async fn what_an_earlier_version_called_sent_and_was_a_file_is_written(db) {
        db.migrate_to(6).await;
        let id = |n: u8| if db.is_postgres() { format!("'00000000-0000-0000-0000-0000000000{n:02x}'") } else { format!("x'{n:032x}'") };
        let at = if db.is_postgres() { "'2030-01-01'" } else { "1893456000000000" };
        for (sweep, reminder, answer) in [(1, 11, "written to 2029-12-01_a.eml"), (2, 12, "250 2.0.0 written to disk")] {
            let (sweep, reminder) = (id(sweep), id(reminder));
            db.execute(&format!("INSERT INTO sweeps (id, door, begun_by, host, began_at, alive_until, ended_at, reminders, sent) \
                VALUES ({sweep}, 'watch', 'ada', 'desk', {at}, {at}, {at}, 1, 1)")).await;
            db.execute(&format!("INSERT INTO reminders (id, key, account, days_before, expires_at, due_at, state, created_at, changed_at) \
                VALUES ({reminder}, {reminder}, 'acme', 30, {at}, {at}, 'sent', {at}, {at})")).await;
            db.execute(&format!("INSERT INTO deliveries (reminder, recipient, state, attempts, next_at, expires_at, letter, sweep, answer, changed_at) \
                VALUES ({reminder}, 'it@acme.example', 'sent', 1, {at}, {at}, 'a@b', {sweep}, '{answer}', {at})")).await;
        }
        let service = db.open().await;
        assert_eq!(db.number("SELECT count(*) FROM reminders WHERE state = 'written'").await, 1);
        assert_eq!(db.number("SELECT count(*) FROM deliveries WHERE state = 'sent'").await, 1);
        let (_, post) = letter_box();
        let tallies: Vec<_> = service.with_post(post).sweeps(9).await.unwrap().into_iter().map(|one| (one.tally.sent, one.tally.written)).collect();
        assert!(tallies.contains(&(1, 0)) && tallies.contains(&(0, 1)), "{tallies:?}");
        for (sql, words) in [
            ("DELETE FROM deliveries", "never deleted"),
            ("DELETE FROM reminders", "never deleted"),
            ("UPDATE reminders SET days_before = 3", "identity never changes"),
            ("UPDATE deliveries SET state = 'pending' WHERE state = 'sent'", "stays sent"),
        ] {
            let refused = db.try_execute(sql).await.unwrap_err().to_string();
            assert!(refused.contains(words), "{sql}: {refused}");
        }
    }
}
