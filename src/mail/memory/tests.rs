use chrono::{TimeZone, Utc};

use super::*;
use crate::mail::Sender;

fn letter(to: &str) -> Letter {
    Letter {
        message_id: "k1@example.com".into(),
        to: to.into(),
        subject: "A token expires".into(),
        text: "Hello\n".into(),
        html: "<p>Hello</p>\n".into(),
        reply_to: None,
        calendar: None,
        at: Utc.with_ymd_and_hms(2026, 11, 24, 9, 30, 0).unwrap(),
    }
}

#[test]
fn each_recipient_gets_the_answer_that_was_asked_for_and_only_what_was_sent_is_sent() {
    let memory = Memory::new(Letterhead { from: Sender::new("k@example.com", "").unwrap(), reply_to: None });
    let deferred = LetterOutcome::Deferred { answer: "451 later".into() };
    let failed = LetterOutcome::Failed { answer: "550 nobody".into() };
    memory.answer("bad@acme.example", failed.clone());
    memory.answer_once("slow@acme.example", deferred.clone());
    // Clones share what they keep.
    let other = memory.clone();
    assert_eq!(other.send(&letter("slow@acme.example")), deferred);
    assert_eq!(other.send(&letter("bad@acme.example")), failed);
    assert!(matches!(memory.send(&letter("slow@acme.example")), LetterOutcome::Sent { .. }));
    assert_eq!(memory.send(&letter("bad@acme.example")), failed);
    assert_eq!(memory.sent(), [letter("slow@acme.example")]);
    let posted = memory.posted();
    assert_eq!(posted.len(), 4);
    assert!(String::from_utf8_lossy(&posted[2].bytes).contains("To: slow@acme.example\r\n"));
    memory.clear();
    assert!(memory.sent().is_empty());
    assert_eq!(memory.send(&letter("bad@acme.example")), failed);
}

#[test]
fn what_no_server_could_be_given_fails_here_too() {
    let memory = Memory::new(Letterhead { from: Sender::new("k@example.com", "").unwrap(), reply_to: None });
    assert!(matches!(memory.send(&letter("nobody")), LetterOutcome::Failed { .. }));
    assert!(memory.sent().is_empty());
}
