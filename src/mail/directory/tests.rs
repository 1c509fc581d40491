use std::os::unix::fs::PermissionsExt;

use chrono::{Duration, TimeZone, Utc};

use super::*;
use crate::mail::Sender;

fn head() -> Letterhead {
    Letterhead { from: Sender::new("keyrack@example.com", "Keyrack").unwrap(), reply_to: None }
}

fn letter(id: &str, to: &str) -> Letter {
    Letter {
        message_id: id.into(),
        to: to.into(),
        subject: "A token expires".into(),
        text: "Hello\n".into(),
        html: "<p>Hello</p>\n".into(),
        reply_to: None,
        calendar: None,
        at: Utc.with_ymd_and_hms(2026, 11, 24, 9, 30, 0).unwrap(),
    }
}

fn files(path: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_letter_becomes_a_file_for_its_owner_only() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a/mail");
    let directory = Directory::open(&path, head()).unwrap();
    let outcome = directory.send(&letter("k1.x@example.com", "ada@acme.example")).await;
    assert_eq!(outcome, LetterOutcome::Sent { answer: "written to 2026-11-24_k1.x@example.com.eml".into() });
    assert_eq!(files(&path), ["2026-11-24_k1.x@example.com.eml"]);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    let file = path.join("2026-11-24_k1.x@example.com.eml");
    assert_eq!(mode(&file), 0o600);
    assert!(fs::read_to_string(file).unwrap().contains("\r\nTo: ada@acme.example\r\n"));
}

#[tokio::test]
async fn a_repeat_on_a_later_day_replaces_its_file_even_after_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let mut letter = letter("k1@example.com", "ada@acme.example");
    for _ in 0..3 {
        let directory = Directory::open(home.path(), head()).unwrap();
        for _ in 0..2 {
            assert!(matches!(directory.send(&letter).await, LetterOutcome::Sent { .. }));
            letter.at += Duration::days(1);
        }
    }
    assert_eq!(files(home.path()), ["2026-11-24_k1@example.com.eml"]);
}

#[tokio::test]
async fn no_recipient_and_no_message_id_leads_out_of_the_folder() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("mail")).unwrap();
    let directory = Directory::open(&home.path().join("mail"), head()).unwrap();
    for (id, to) in
        [("../../a/b@c", "x@acme.example"), ("a@b", "\"../../x\"@acme.example"), ("../b@c", "/x@y.z")]
    {
        directory.send(&letter(id, to)).await;
    }
    assert_eq!(files(home.path()), ["mail"]);
    for name in files(&home.path().join("mail")) {
        assert!(name.starts_with("2026-11-24_") && name.ends_with(".eml"), "{name}");
    }
}

#[test]
fn different_ids_have_different_stems() {
    assert_ne!(stem("a+b@c"), stem("a_b@c"));
    assert_ne!(stem("a=2Bb@c"), stem("a+b@c"));
    assert_eq!(stem("/"), "=2F");
}

#[tokio::test]
async fn a_folder_that_is_none_is_told_in_words_and_leaves_nothing_behind() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    fs::write(&file, "x").unwrap();
    assert!(matches!(Directory::open(&file, head()), Err(MailError::Directory { .. })));
    let path = home.path().join("gone");
    let directory = Directory::open(&path, head()).unwrap();
    assert!(!path.exists(), "looking changes nothing");
    fs::write(&path, "x").unwrap();
    let outcome = directory.send(&letter("k@x", "ada@acme.example")).await;
    assert!(
        matches!(&outcome, LetterOutcome::Unavailable { answer } if answer.contains("File exists")),
        "{outcome:?}"
    );
    assert!(directory.check().await.is_err());
}

#[tokio::test]
async fn the_check_writes_and_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    let directory = Directory::open(home.path(), head()).unwrap();
    assert!(directory.check().await.unwrap().contains("takes letters"));
    assert_eq!(files(home.path()), Vec::<String>::new());
}
