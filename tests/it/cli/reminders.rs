//! Reminders on the command line: sweeping, looking, trying again.

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::support::database::Database;
use crate::support::post::due;
use crate::support::postbox::Postbox;
use crate::support::script::{Script, failed, succeeded, text, texts};
use serde_json::Value;

/// A key whose name a spreadsheet would take for a formula.
const MORE: &[(&str, &str, &str)] = &[("acme", "=HYPERLINK(1)", "20d")];

/// As [`due`], and letters go to a mail server.
async fn posted(db: &Database) -> (Script<'_>, Postbox) {
    (due(db, MORE).await, Postbox::open())
}

fn by_post(keyrack: &Script<'_>, postbox: &Postbox, args: &[&str]) -> Output {
    keyrack.command(args).envs(postbox.environment()).output().unwrap()
}

fn eml(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn letters(document: &Value) -> Vec<(String, u64)> {
    let one = |letter: &Value| {
        let reminders =
            letter["reminders"].as_u64().unwrap_or_else(|| letter["keys"].as_array().unwrap().len() as u64);
        (text(letter, "recipient").to_owned(), reminders)
    };
    let mut letters: Vec<_> = document["letters"].as_array().unwrap().iter().map(one).collect();
    letters.sort();
    letters
}

on_both! {
    async fn a_first_sweep_needs_no_mail_server_and_a_second_one_sends_nothing(db) {
        let keyrack = due(&db, MORE).await;
        let folder = db.dir().join(".local/share/keyrack/mail");
        let output = keyrack.run(&["reminders", "sweep"]);
        let (stdout, stderr) = texts(&output);
        assert!(output.status.success(), "{stderr}");
        assert!(stdout.contains("it@acme.example") && stdout.contains("it@globex.example"), "{stdout}");
        assert!(stderr.contains("Wrote 2 letters with 5 reminders in all as files.") && stderr.contains("nothing left this machine"), "{stderr}");
        assert!(stderr.contains(folder.to_str().unwrap()), "{stderr}");
        let files = eml(&folder);
        assert_eq!(files.len(), 2, "{files:?}");
        assert!(files.iter().all(|file| file.extension().is_some_and(|extension| extension == "eml")));

        let (stdout, stderr) = texts(&keyrack.run(&["reminders", "sweep"]));
        assert_eq!(stdout, "");
        assert!(stderr.starts_with("Nothing is due."), "{stderr}");
        assert_eq!(eml(&folder), files);
        assert_eq!(keyrack.json(&["reminders", "list", "--filter", "state:written"]).as_array().unwrap().len(), 5);
    }

    async fn a_dry_run_changes_nothing_and_is_what_the_next_sweep_does(db) {
        let keyrack = due(&db, MORE).await;
        let audit = keyrack.json(&["audit", "list"]);
        let planned = keyrack.json(&["reminders", "sweep", "--dry-run"]);
        assert_eq!(planned["dry_run"], true);
        assert_eq!((&planned["letters_in_all"], &planned["keys_in_all"]), (&2.into(), &5.into()));
        let first = &planned["letters"].as_array().unwrap().iter().find(|one| one["recipient"] == "it@acme.example").unwrap()["keys"][0];
        assert_eq!(text(first, "name"), "urgent");
        assert_eq!(first["days_before"], 7);
        assert_eq!(eml(&db.dir().join(".local/share/keyrack/mail")), Vec::<PathBuf>::new());
        assert_eq!(keyrack.json(&["audit", "list"]), audit);
        assert_eq!(keyrack.json(&["reminders", "list"]), serde_json::json!([]));

        let swept = keyrack.json(&["reminders", "sweep"]);
        assert_eq!(letters(&swept), letters(&planned));
        assert_eq!(swept["post"], planned["post"]);
        assert_eq!((&swept["sweep"]["written"], &swept["sweep"]["sent"], &swept["sweep"]["reminders"]), (&2.into(), &0.into(), &5.into()));
        assert_eq!((&swept["leaves_this_machine"], &planned["leaves_this_machine"]), (&false.into(), &false.into()));
        assert_eq!(text(&swept["sweep"], "progress"), "ended");
        assert_eq!(text(&swept["sweep"], "door"), "command");
    }

    async fn every_form_of_a_sweep_tells_the_same(db) {
        let keyrack = due(&db, MORE).await;
        let csv = keyrack.ok(&["reminders", "sweep", "--dry-run", "--output", "csv"]);
        let mut rows = csv::Reader::from_reader(csv.as_bytes());
        assert_eq!(rows.headers().unwrap().iter().next(), Some("recipient"));
        let names: Vec<_> = rows.records().map(|row| row.unwrap()[2].to_owned()).collect();
        assert_eq!(names.len(), 5);
        assert!(names.contains(&"'=HYPERLINK(1)".to_owned()), "{names:?}");
        let lines = keyrack.ok(&["reminders", "sweep", "--dry-run", "--output", "ndjson"]);
        assert_eq!(lines.lines().count(), 5);
        let swept = keyrack.ok(&["reminders", "sweep", "--limit", "1", "--output", "ndjson"]);
        let letter: Value = serde_json::from_str(swept.trim()).unwrap();
        assert_eq!((text(&letter, "recipient"), text(&letter, "state")), ("it@acme.example", "written"));
        let swept = keyrack.ok(&["reminders", "sweep", "--output", "csv"]);
        assert!(swept.starts_with("recipient,reminders,state,answer\nit@globex.example,1,written,"), "{swept}");
    }

    async fn a_server_that_breaks_off_every_letter_is_told_by_the_exit_code_and_one_that_wants_to_wait_is_not(db) {
        let (keyrack, postbox) = posted(&db).await;
        for address in ["it@acme.example", "it@globex.example"] {
            postbox.refuse(address, "999 huh");
        }
        let output = by_post(&keyrack, &postbox, &["reminders", "sweep"]);
        let (stdout, stderr) = texts(&output);
        assert_eq!(output.status.code(), Some(6), "{stdout}{stderr}");
        assert!(stderr.contains("the mail server interrupted every letter: RCPT: "), "{stderr}");
        assert_eq!(keyrack.json(&["reminders", "list", "--filter", "state:pending"]).as_array().unwrap().len(), 5);

        db.execute("UPDATE deliveries SET next_at = changed_at WHERE state = 'pending'").await;
        for address in ["it@acme.example", "it@globex.example"] {
            postbox.refuse(address, "451 4.7.1 later");
        }
        let output = by_post(&keyrack, &postbox, &["reminders", "sweep"]);
        assert!(output.status.success(), "{:?}", texts(&output));
    }

    async fn what_a_dead_sweep_has_in_hand_is_told_by_the_next_one(db) {
        let (keyrack, postbox) = posted(&db).await;
        for address in ["it@acme.example", "it@globex.example"] {
            postbox.refuse(address, "451 4.7.1 later");
        }
        by_post(&keyrack, &postbox, &["reminders", "sweep"]);
        // As a sweep leaves it that is killed while it sends.
        let (until, heard) = if db.is_postgres() {
            ("clock_timestamp() + interval '100 s'", "clock_timestamp() + interval '10 s'")
        } else {
            ("(unixepoch() + 100) * 1000000", "(unixepoch() + 10) * 1000000")
        };
        db.execute(&format!(
            "UPDATE deliveries SET state = 'sending', letter = recipient, claimed_until = {until}; \
             UPDATE sweeps SET ended_at = NULL, alive_until = {heard}"
        ))
        .await;
        let (_, stderr) = texts(&by_post(&keyrack, &postbox, &["reminders", "sweep"]));
        let told = "2 letters are with another sweep, last heard of ";
        assert!(stderr.contains(told) && stderr.contains("less than a minute ago; a sweep after"), "{stderr}");
        assert!(!stderr.contains("Nothing is due"), "{stderr}");
        let swept = by_post(&keyrack, &postbox, &["reminders", "sweep", "-o", "json"]);
        let swept: Value = serde_json::from_slice(&swept.stdout).unwrap();
        assert_eq!(swept["in_hand"]["letters"], 2, "{swept}");
        assert!(text(&swept["in_hand"], "until") > text(&swept["in_hand"], "heard_at"), "{swept}");
    }

    async fn one_bad_address_fails_with_the_servers_words_and_stops_nobody_else(db) {
        let (keyrack, postbox) = posted(&db).await;
        postbox.refuse("it@acme.example", "550 5.1.1 no \u{1b}[31msuch mailbox");
        let output = by_post(&keyrack, &postbox, &["reminders", "sweep"]);
        let (stdout, stderr) = texts(&output);
        assert_eq!(output.status.code(), Some(6), "{stdout}{stderr}");
        assert!(stdout.contains("failed") && stdout.contains("550 5.1.1 no"), "{stdout}");
        assert!(!stdout.contains('\u{1b}') && !stderr.contains('\u{1b}'), "{stdout:?}");
        assert!(stderr.contains("1 letter failed") && stderr.contains("keyrack reminders retry"), "{stderr}");
        assert_eq!(postbox.letters().iter().map(|one| one.to.as_str()).collect::<Vec<_>>(), ["it@globex.example"]);

        let failures = keyrack.json(&["reminders", "list", "--filter", "state:failed account:acme"]);
        assert_eq!(failures.as_array().unwrap().len(), 4);
        let delivery = &failures[0]["deliveries"][0];
        assert_eq!((text(delivery, "recipient"), text(delivery, "state")), ("it@acme.example", "failed"));
        assert!(text(delivery, "answer").contains("5.1.1"), "{delivery}");
        let sweeps = keyrack.json(&["reminders", "sweeps"]);
        assert_eq!((&sweeps[0]["failed"], &sweeps[0]["sent"]), (&1.into(), &1.into()));

        // A second sweep leaves it alone; only a person lets it go out again.
        postbox.forgive();
        succeeded(&["sweep"], &by_post(&keyrack, &postbox, &["reminders", "sweep"]));
        assert_eq!(postbox.letters().len(), 1);
        let asked = keyrack.refused(2, &["reminders", "retry", "--filter", "state:failed", "--no-input"]);
        assert!(asked.contains("--yes"), "{asked}");
        let looked = keyrack.run(&["reminders", "retry", "--filter", "state:failed", "--dry-run"]);
        assert!(texts(&looked).1.contains("Would let the next sweep send 4 reminders again"), "{:?}", texts(&looked));
        let one = text(&failures[0], "id");
        let retried = keyrack.json(&["reminders", "retry", one]);
        assert_eq!((text(&retried[0], "id"), &retried[0]["again"]), (one, &Value::Bool(true)));
        keyrack.ok(&["reminders", "retry", "--filter", "state:failed", "--yes"]);
        succeeded(&["sweep"], &by_post(&keyrack, &postbox, &["reminders", "sweep"]));
        assert!(postbox.letters().iter().any(|letter| letter.to == "it@acme.example"));
        assert_eq!(keyrack.json(&["reminders", "list", "--filter", "state:failed"]), serde_json::json!([]));
        assert_eq!(keyrack.json(&["reminders", "list", "--filter", "state:sent"]).as_array().unwrap().len(), 5);
    }

    async fn a_passing_fault_is_no_failure_and_a_server_that_is_away_is_one(db) {
        let (keyrack, postbox) = posted(&db).await;
        for address in ["it@acme.example", "it@globex.example"] {
            postbox.refuse(address, "451 4.7.1 greylisted");
        }
        let output = by_post(&keyrack, &postbox, &["reminders", "sweep"]);
        let (stdout, stderr) = texts(&output);
        assert_eq!(output.status.code(), Some(0), "{stdout}{stderr}");
        assert!(stderr.contains("2 letters deferred after a temporary error") && stdout.contains("greylisted"), "{stdout}{stderr}");
    }

    async fn a_mail_server_that_is_away_is_exit_6_and_nothing_is_marked_as_sent(db) {
        let (keyrack, postbox) = posted(&db).await;
        // A port on which nobody listens any more.
        let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
        let args = ["reminders", "sweep"];
        let mut command = keyrack.command(&args);
        let output = command.envs(postbox.environment()).env("KEYRACK_MAIL_PORT", gone).output().unwrap();
        let (stdout, stderr) = texts(&output);
        assert_eq!(output.status.code(), Some(6), "{stdout}{stderr}");
        assert!(stderr.contains("the sweep stopped early: no connection"), "{stderr}");
        assert_eq!(keyrack.json(&["reminders", "list", "--filter", "state:sent"]), serde_json::json!([]));
        let sweeps = keyrack.json(&["reminders", "sweeps"]);
        assert_eq!(text(&sweeps[0], "progress"), "stopped");
        assert!(!text(&sweeps[0], "trouble").is_empty());
    }

    async fn a_viewer_looks_and_sends_nothing(db) {
        let keyrack = due(&db, MORE).await;
        keyrack.ok(&["reminders", "sweep", "--limit", "1"]);
        let me = text(&keyrack.json(&["operator", "list"])[0], "name").to_owned();
        keyrack.ok(&["operator", "set", "grace", "admin"]);
        keyrack.ok(&["operator", "set", &me, "viewer"]);
        let sent = keyrack.json(&["reminders", "list"]);
        let id = text(&sent[0], "id");
        let refusal = keyrack.refused(4, &["reminders", "sweep"]);
        assert!(refusal.contains(&me) && refusal.contains("operator set"), "{refusal}");
        keyrack.refused(4, &["reminders", "retry", id]);
        assert_eq!(keyrack.json(&["reminders", "show", id])["id"], sent[0]["id"]);
        keyrack.json(&["reminders", "sweeps"]);
        assert_eq!(eml(&db.dir().join(".local/share/keyrack/mail")).len(), 1);
    }

    async fn a_list_is_read_by_pages_and_filtered(db) {
        let keyrack = due(&db, MORE).await;
        keyrack.ok(&["reminders", "sweep"]);
        let whole: Vec<String> = keyrack.json(&["reminders", "list"]).as_array().unwrap().iter().map(|one| text(one, "id").to_owned()).collect();
        let mut joined: Vec<String> = Vec::new();
        loop {
            let mut args = vec!["reminders", "list", "--limit", "2", "--output", "ndjson"];
            let last = joined.last().cloned();
            if let Some(id) = &last {
                args.extend(["--after", id]);
            }
            let (stdout, stderr) = texts(&keyrack.run(&args));
            joined.extend(stdout.lines().map(|line| text(&serde_json::from_str(line).unwrap(), "id").to_owned()));
            if !stderr.contains("--after") {
                break;
            }
        }
        assert_eq!(joined, whole);
        // Five were written; the wider threshold of the urgent one is superseded.
        assert_eq!(whole.len(), 6);
        let of = |filter: &str| keyrack.json(&["reminders", "list", "--all", "--filter", filter]).as_array().unwrap().len();
        assert_eq!(of("account:globex"), 1);
        assert_eq!(of("state:written to:it@acme.example"), 4);
        assert_eq!(of("state:superseded urgent"), 1);
        assert_eq!(of("crawl"), 1);
        let mistake = keyrack.refused(2, &["reminders", "list", "--filter", "state:fialed"]);
        assert!(mistake.contains("did you mean failed?") && mistake.contains("^^^"), "{mistake}");
        let csv = keyrack.ok(&["reminders", "list", "--output", "csv"]);
        assert!(csv.starts_with("id,state,why,key,key_name,") && csv.contains("'=HYPERLINK(1)"), "{csv}");
        let shown = keyrack.ok(&["reminders", "show", &whole[0]]);
        assert!(shown.contains("Threshold"), "{shown}");
        keyrack.refused(3, &["reminders", "show", "00000000-0000-4000-8000-000000000000"]);
        keyrack.refused(2, &["reminders", "show", "soon"]);
    }

    async fn a_wrong_mail_setting_stops_the_sweep_and_nothing_else(db) {
        let keyrack = due(&db, MORE).await;
        let settings = db.dir().join(".config/keyrack/config.toml");
        std::fs::create_dir_all(settings.parent().unwrap()).unwrap();
        std::fs::write(&settings, "[mail]\nhost = \"smtp.example.com\"\npassword = \"hunter2\"\n").unwrap();
        for args in [&["reminders", "sweep"][..], &["reminders", "sweep", "--dry-run"], &["reminders", "watch"]] {
            let refusal = keyrack.refused(2, args);
            assert!(refusal.contains("config.toml:3: `password`") && refusal.contains("`password-file`"), "{refusal}");
            assert!(!refusal.contains("hunter2"));
        }
        let id = text(&keyrack.keys("crawler")[0], "id").to_owned();
        keyrack.ok(&["key", "revoke", &id, "--yes"]);
        keyrack.ok(&["reminders", "list"]);
        let info = keyrack.ok(&["info"]);
        assert!(info.contains("mail.mistake") && info.contains("mail.host") && !info.contains("hunter2"), "{info}");
        let doctor = keyrack.run(&["doctor", "--output", "wide"]);
        assert_eq!(doctor.status.code(), Some(6));
        assert!(texts(&doctor).0.contains("config.toml:3: `password`"), "{:?}", texts(&doctor));
    }

    async fn the_doctor_tries_the_mail_server_and_sends_nothing(db) {
        let (keyrack, postbox) = posted(&db).await;
        let of_mail = |args: &[(&str, &str)]| {
            let mut command = keyrack.command(&["doctor", "--json"]);
            command.envs(postbox.environment()).envs(args.iter().copied());
            let findings: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
            let found = findings.as_array().unwrap().iter().find(|one| one["what"] == "mail").unwrap().clone();
            (text(&found, "state").to_owned(), text(&found, "found").to_owned())
        };
        assert_eq!(of_mail(&[]).0, "ok");
        assert_eq!(postbox.letters().len(), 0);
        let (state, found) = of_mail(&[("KEYRACK_MAIL_HOST", "192.0.2.1")]);
        assert_eq!(state, "problem", "{found}");
        let (state, found) = of_mail(&[("KEYRACK_MAIL_USERNAME", "k"), ("KEYRACK_MAIL_PASSWORD_FILE", "/nowhere")]);
        assert!(state == "problem" && found.contains("KEYRACK_MAIL_PASSWORD_FILE") && found.contains("/nowhere"), "{found}");
    }
}

#[test]
fn ones_own_texts_begin_with_ours() {
    let home = tempfile::tempdir().unwrap();
    let keyrack = |args: &[&str]| crate::support::program::run(home.path(), args);
    let folder = home.path().join("letters");
    let written = keyrack(&["reminders", "template", "--write", folder.to_str().unwrap()]);
    assert!(written.status.success(), "{:?}", texts(&written));
    let names: Vec<_> =
        eml(&folder).iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["reminder.html", "reminder.txt", "subject.txt"]);
    // They are somebody's work from now on.
    let args = ["reminders", "template", "--write", folder.to_str().unwrap()];
    let again = failed(5, &args, &keyrack(&args));
    assert!(again.contains("subject.txt"), "{again}");
    let (printed, _) = texts(&keyrack(&["reminders", "template"]));
    assert!(printed.contains(&std::fs::read_to_string(folder.join("reminder.txt")).unwrap()));

    std::fs::write(folder.join("subject.txt"), "Keys of {{ nobody }}\n").unwrap();
    let sweep = crate::support::program::keyrack(home.path(), ["reminders", "sweep"])
        .env("KEYRACK_MAIL_TEMPLATES", &folder)
        .output()
        .unwrap();
    let refusal = failed(2, &["sweep"], &sweep);
    assert!(refusal.contains("KEYRACK_MAIL_TEMPLATES") && refusal.contains("subject.txt"), "{refusal}");
}

#[test]
fn a_demo_sweeps_into_its_own_folder_or_where_it_is_told() {
    let home = tempfile::tempdir().unwrap();
    let scratch = home.path().join("tmp");
    std::fs::create_dir(&scratch).unwrap();
    let run = |args: &[&str]| {
        let mut command = crate::support::program::keyrack(home.path(), args);
        // Whatever the settings say: a demo writes to nobody.
        command.env("TMPDIR", &scratch).env("KEYRACK_MAIL_HOST", "smtp.example.com");
        command.output().unwrap()
    };
    let (stdout, stderr) = texts(&run(&["--demo", "reminders", "sweep"]));
    assert!(stdout.contains(".example") && stderr.contains("--mail-dir DIR"), "{stdout}{stderr}");
    assert_eq!(std::fs::read_dir(&scratch).unwrap().count(), 0);
    let folder = home.path().join("letters");
    let (_, stderr) = texts(&run(&["--demo", "--mail-dir", folder.to_str().unwrap(), "reminders", "sweep"]));
    assert!(stderr.contains("nothing left this machine"), "{stderr}");
    let files = eml(&folder);
    assert!(files.len() > 3, "{files:?}");
    let letter = std::fs::read_to_string(&files[0]).unwrap();
    assert!(letter.contains("\nSubject: ") || letter.starts_with("Subject: "), "{letter}");
}
