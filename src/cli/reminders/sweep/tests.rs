use super::super::super::failure::Exit;
use super::*;
use crate::domain::Instant;
use crate::domain::reminder::Progress;
use crate::domain::text::SafeText;
use uuid::Uuid;

fn sweep(tally: Tally, trouble: Option<&str>) -> Sweep {
    Sweep {
        id: Uuid::nil(),
        door: Door::Command,
        by: SafeText::new("ada"),
        host: SafeText::new("desk"),
        began_at: Instant::default(),
        ended_at: None,
        progress: Progress::Ended,
        tally,
        trouble: trouble.map(SafeText::new),
    }
}

fn exit(tally: Tally, trouble: Option<&str>) -> Option<Exit> {
    judge(&sweep(tally, trouble)).err().map(|failure| failure.exit)
}

#[test]
fn a_sweep_fails_when_a_letter_failed_or_got_no_answer_or_the_server_is_away() {
    let sent = Tally { sent: 3, reminders: 5, ..Tally::default() };
    assert_eq!(exit(sent, None), None);
    assert_eq!(exit(Tally { deferred: 1, ..sent }, None), None);
    assert_eq!(exit(Tally { failed: 1, ..sent }, None), Some(Exit::CheckFailed));
    assert_eq!(exit(Tally { ambiguous: 1, ..sent }, None), Some(Exit::CheckFailed));
    assert_eq!(exit(sent, Some("connection refused")), Some(Exit::CheckFailed));
}

#[test]
fn the_report_says_what_to_do_about_what_went_wrong() {
    let tally = Tally { reminders: 5, sent: 3, written: 0, failed: 1, deferred: 2, ambiguous: 1 };
    let lines = outcome(&tally);
    assert_eq!(lines[0], "Sent 3 letters with 5 reminders in all.");
    assert!(lines[1].starts_with("1 letter failed") && lines[1].contains("--filter state:failed"));
    assert!(lines[2].contains("--filter state:ambiguous") && lines[2].contains("Message-ID"));
    assert!(lines[3].starts_with("2 letters deferred after a temporary error"));
    assert_eq!(outcome(&Tally { sent: 1, reminders: 1, ..Tally::default() }).len(), 1);
}
