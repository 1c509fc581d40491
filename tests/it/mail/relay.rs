//! A relay with limits, and one that refuses this very machine: what a whole sweep makes of it.

use std::process::Output;
use std::time::{Duration, Instant};

use crate::support::database::Database;
use crate::support::people::age;
use crate::support::postbox::Postbox;
use crate::support::script::{Script, text, texts};
use serde_json::Value;

/// So many accounts with one admin each, whose key ends in 20 days.
async fn due(db: &Database, accounts: usize) -> Script<'_> {
    let keyrack = Script::on(db);
    keyrack.ok(&["issuer", "add", "voicegram"]);
    for n in 0..accounts {
        let (slug, mail) = (format!("a{n}"), format!("it@a{n}.example"));
        let account = [
            "account",
            "create",
            "--issuer",
            "voicegram",
            "--slug",
            &slug,
            "--name",
            &slug,
            "--admin",
            &mail,
        ];
        keyrack.ok(&account);
        let key = keyrack.json(&["key", "create", "--account", &slug, "--name", "k", "--expires", "20d"]);
        keyrack.ok(&["key", "acknowledge", text(&key, "id")]);
    }
    age(db, 60 * 86_400).await;
    keyrack
}

fn sweep(keyrack: &Script<'_>, postbox: &Postbox, variables: &[(&str, &str)]) -> Output {
    let mut command = keyrack.command(&["reminders", "sweep", "--output", "json"]);
    command.envs(postbox.environment()).envs(variables.iter().copied());
    command.output().unwrap()
}

fn tally(output: &Output) -> (u64, u64, u64) {
    let (stdout, stderr) = texts(output);
    let document: Value =
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}"));
    let count = |name: &str| document["sweep"][name].as_u64().unwrap();
    (count("sent"), count("failed"), count("deferred"))
}

/// Nothing counts as tried: the next sweep sends all of it.
fn untouched(keyrack: &Script<'_>, reminders: usize) {
    let all = keyrack.json(&["reminders", "list", "--all"]);
    let all = all.as_array().unwrap();
    assert_eq!(all.len(), reminders);
    for one in all {
        let delivery = &one["deliveries"][0];
        assert_eq!((text(one, "state"), &delivery["attempts"]), ("pending", &0.into()), "{one}");
    }
}

const FOUR: (&str, &str) = ("KEYRACK_MAIL_CONNECTIONS", "4");

on_both! {
    async fn a_relay_that_takes_one_connection_at_a_time_gets_every_letter_once(db) {
        let keyrack = due(&db, 12).await;
        let postbox = Postbox::open();
        postbox.serve_at_once(1);
        postbox.slow(Duration::from_millis(20));
        let output = sweep(&keyrack, &postbox, &[FOUR]);
        assert!(output.status.success(), "{:?}", texts(&output));
        assert_eq!((tally(&output), postbox.letters().len()), ((12, 0, 0), 12));
    }

    async fn a_relay_that_asks_for_time_gets_it_and_no_letter_is_put_off(db) {
        let keyrack = due(&db, 6).await;
        let postbox = Postbox::open();
        for (verb, answer) in [
            ("MAIL", "450 4.7.1 Error: too much mail from 127.0.0.1"),
            ("RCPT", "421 4.7.0 slow down"),
            (".", "454 4.7.0 Throttling failure: Maximum sending rate exceeded"),
        ] {
            postbox.say(1, verb, answer);
        }
        let output = sweep(&keyrack, &postbox, &[]);
        assert_eq!((tally(&output), postbox.letters().len()), ((6, 0, 0), 6));
        let all = keyrack.json(&["reminders", "list", "--all"]);
        assert!(all.as_array().unwrap().iter().all(|one| one["deliveries"][0]["attempts"] == 1), "{all}");
    }

    async fn one_fault_of_this_machine_fails_no_letter(db) {
        let keyrack = due(&db, 12).await;
        let postbox = Postbox::open();
        for (verb, answer, variable) in [
            ("EHLO", "550 5.7.1 no such machine here", FOUR),
            ("MAIL", "553 5.7.1 this sender is not yours", FOUR),
            ("RCPT", "504 5.5.2 <desk>: Helo command rejected: need fully-qualified hostname", FOUR),
            ("RCPT", "554 5.7.1 <desk[127.0.0.1]>: Client host rejected: Access denied", ("KEYRACK_MAIL_CONNECTIONS", "1")),
            // Nothing says whom it is about, but every letter hears it.
            ("RCPT", "554 5.7.1 Access denied", FOUR),
        ] {
            postbox.say(usize::MAX, verb, answer);
            let output = sweep(&keyrack, &postbox, &[variable]);
            let (sent, failed, _) = tally(&output);
            assert_eq!((output.status.code(), sent, failed), (Some(6), 0, 0), "{answer}");
            let words = texts(&output).1;
            assert!(words.contains("stopped early") && words.contains(&answer[..9]), "{answer}: {words}");
            untouched(&keyrack, 12);
            postbox.say(0, verb, "");
        }
        // It was mended: nothing has to be waited for.
        assert_eq!(tally(&sweep(&keyrack, &postbox, &[FOUR])), (12, 0, 0));
    }

    async fn one_answer_for_now_to_every_letter_is_no_letters_fault(db) {
        let keyrack = due(&db, 12).await;
        let postbox = Postbox::open();
        for (verb, answer) in [
            ("EHLO", "451 4.3.0 try later"),
            ("MAIL", "452 4.3.1 Insufficient system storage"),
            ("RCPT", "451 4.3.0 try later"),
            ("RCPT", "454 4.7.1 Relay access denied"),
            ("DATA", "451 4.3.2 not now"),
            (".", "451 4.7.1 Service unavailable"),
        ] {
            postbox.say(usize::MAX, verb, answer);
            let output = sweep(&keyrack, &postbox, &[FOUR]);
            let (sent, failed, _) = tally(&output);
            assert_eq!((output.status.code(), sent, failed), (Some(6), 0, 0), "{verb} {answer}");
            let words = texts(&output).1;
            assert!(words.contains("stopped early") && words.contains(answer), "{verb} {answer}: {words}");
            untouched(&keyrack, 12);
            postbox.say(0, verb, "");
        }
        // What differs is the letter's number alone.
        for n in 0..12 {
            postbox.refuse(&format!("it@a{n}.example"), &format!("451 4.3.0 <it@a{n}.example>: queue file {n}F{n} full"));
        }
        let output = sweep(&keyrack, &postbox, &[FOUR]);
        assert_eq!(output.status.code(), Some(6), "{:?}", texts(&output));
        untouched(&keyrack, 12);
        postbox.forgive();
        assert_eq!(tally(&sweep(&keyrack, &postbox, &[FOUR])), (12, 0, 0));
    }

    async fn letters_put_off_for_different_reasons_or_among_others_are_tried(db) {
        let keyrack = due(&db, 6).await;
        let postbox = Postbox::open();
        for n in 0..5 {
            let answers = ["451 4.3.0 try later", "450 4.2.0 greylisted", "451 4.4.1 no answer from host"];
            postbox.refuse(&format!("it@a{n}.example"), answers[n % 3]);
        }
        let output = sweep(&keyrack, &postbox, &[]);
        assert_eq!((output.status.code(), tally(&output)), (Some(0), (1, 0, 5)), "{:?}", texts(&output));
        let all = keyrack.json(&["reminders", "list", "--all"]);
        assert!(all.as_array().unwrap().iter().all(|one| one["deliveries"][0]["attempts"] == 1), "{all}");
    }

    async fn quiet_tells_of_trouble_in_words_and_prints_no_table(db) {
        let keyrack = due(&db, 3).await;
        let postbox = Postbox::open();
        postbox.refuse("it@a0.example", "550 5.1.1 no such user");
        let run = |args: &[&str]| texts(&keyrack.command(args).envs(postbox.environment()).output().unwrap());
        let (stdout, stderr) = run(&["--quiet", "reminders", "sweep"]);
        assert_eq!(stdout, "");
        assert!(stderr.contains("failed  it@a0.example  550 5.1.1 no such user") && !stderr.contains("a1.example"), "{stderr}");
        assert!(stderr.contains("keyrack: 1 letter failed") && !stderr.contains("Sent 2"), "{stderr}");
        // What a change came to is no table either; what was asked for is one, and a program gets everything.
        let failed = ["--filter", "state:failed", "--yes"];
        assert_eq!(run(&[&["--quiet", "reminders", "retry"][..], &failed].concat()), Default::default());
        assert_eq!(run(&["--quiet", "account", "suspend", "a1", "--yes"]), Default::default());
        assert_eq!(run(&["--quiet", "key", "revoke", "--filter", "account:a2", "--yes"]), Default::default());
        assert!(run(&["--quiet", "reminders", "list"]).0.contains("STATE"));
        assert!(run(&["--quiet", "reminders", "sweep", "--dry-run"]).0.contains("it@a0.example"));
        assert!(run(&["--quiet", "account", "reinstate", "a1", "-o", "json"]).0.contains("\"a1\""));
    }

    async fn a_recipient_who_is_refused_first_fails_alone(db) {
        let keyrack = due(&db, 5).await;
        let postbox = Postbox::open();
        postbox.refuse("it@a0.example", "554 5.7.1 Access denied");
        postbox.refuse("it@a1.example", "550 5.1.1 no such user");
        let output = sweep(&keyrack, &postbox, &[]);
        assert_eq!((output.status.code(), tally(&output)), (Some(6), (3, 2, 0)));
    }

    async fn a_rate_holds_letters_apart(db) {
        let keyrack = due(&db, 4).await;
        let postbox = Postbox::open();
        let begun = Instant::now();
        let output = sweep(&keyrack, &postbox, &[("KEYRACK_MAIL_RATE", "120"), FOUR]);
        assert_eq!(tally(&output), (4, 0, 0));
        assert!(begun.elapsed() >= Duration::from_millis(1_500), "{:?}", begun.elapsed());
        let refused = sweep(&keyrack, &postbox, &[("KEYRACK_MAIL_RATE", "0")]);
        assert!(texts(&refused).1.contains("1 to 100000"), "{:?}", texts(&refused));
    }
}
