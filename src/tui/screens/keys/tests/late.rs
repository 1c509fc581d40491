//! Rows that take long to read rest between two readings; never for longer than a minute, and never unsaid.

use std::time::Duration;

use chrono::TimeDelta;

use crate::domain::subjects::Subjects;
use crate::service::LiveEvent;
use crate::tui::effect::{Effect, Failure, FailureKind, Reply, Request, Timer};
use crate::tui::message::Message;
use crate::tui::testing::{Desk, keys};
use crate::tui::words::ScreenId;

const ROWS: Timer = Timer::Rows(ScreenId::Keys);

/// Somebody else changes a key.
fn changes(desk: &mut Desk) {
    desk.send(Message::Live(LiveEvent::Changed(Subjects::KEYS)));
}

fn reads_rows(desk: &Desk) -> bool {
    desk.asked.iter().any(|(_, request)| matches!(request, Request::Page(_)))
}

/// The database answers after this time.
fn takes(desk: &mut Desk, seconds: i64) {
    desk.wait(TimeDelta::seconds(seconds));
    desk.settle();
}

/// For how long the rows rest.
fn rest(desk: &Desk) -> Option<Duration> {
    desk.effects.iter().rev().find_map(|effect| match effect {
        Effect::SetTimer { timer: ROWS, after } => Some(*after),
        _ => None,
    })
}

/// The database can't be reached for the rows that are asked for.
fn fails(desk: &mut Desk) {
    let place = desk.asked.iter().position(|(_, request)| matches!(request, Request::Page(_)));
    let (to, _) = desk.asked.remove(place.expect("rows are read"));
    let failure = Failure { kind: FailureKind::Unreachable, text: "nobody answers".into() };
    desk.send(Message::Reply { to, reply: Reply::Page(Err(failure)) });
}

/// A console whose rows have taken a second, twice.
fn slow() -> Desk {
    let mut desk = Desk::ready(80, 24, keys(3));
    for _ in 0..2 {
        changes(&mut desk);
        assert!(reads_rows(&desk), "one answer that took long tells nothing");
        takes(&mut desk, 1);
    }
    desk
}

#[test]
fn rows_that_take_long_rest_and_the_header_says_so() {
    let mut desk = slow();
    desk.sees("● live");
    changes(&mut desk);
    assert!(!reads_rows(&desk));
    assert_eq!(rest(&desk), Some(Duration::from_secs(20)));
    desk.sees("◌ late").sees_not("● live");
    desk.wait(TimeDelta::seconds(20));
    desk.send(Message::Timer(ROWS));
    assert!(reads_rows(&desk));
    desk.settle().sees("● live");
}

#[test]
fn whoever_asks_reads_rows_that_rest() {
    let mut desk = slow();
    changes(&mut desk);
    desk.strike("ctrl-r");
    assert!(reads_rows(&desk));
    desk.settle().sees("● live");
}

#[test]
fn however_long_an_answer_takes_rows_are_not_older_than_a_minute() {
    let mut desk = slow();
    for _ in 0..2 {
        desk.wait(TimeDelta::seconds(60));
        changes(&mut desk);
        takes(&mut desk, 25);
    }
    changes(&mut desk);
    assert_eq!(rest(&desk), Some(Duration::from_secs(60)));
}

#[test]
fn a_server_that_was_away_makes_nothing_rest() {
    let mut desk = Desk::ready(80, 24, keys(3));
    for _ in 0..2 {
        changes(&mut desk);
        desk.send(Message::Live(LiveEvent::Lost("nobody answers".into())));
        takes(&mut desk, 20);
        desk.send(Message::Live(LiveEvent::Back));
        assert!(reads_rows(&desk), "what was read before is of a server that is gone");
        takes(&mut desk, 20);
        changes(&mut desk);
        assert!(reads_rows(&desk));
        desk.settle().sees("● live");
    }
}

#[test]
fn rows_that_could_not_be_had_are_tried_again_until_they_come() {
    let mut desk = Desk::ready(80, 24, keys(3));
    changes(&mut desk);
    for _ in 0..3 {
        fails(&mut desk);
        desk.sees("◌ late").sees("nobody answers");
        assert_eq!(rest(&desk), Some(Duration::from_secs(5)));
        desk.wait(TimeDelta::seconds(5));
        desk.send(Message::Timer(ROWS));
    }
    desk.database.keys.pop();
    desk.settle().sees("● live").sees_not("Key 2");
}

#[test]
fn what_is_gone_is_not_asked_again_and_again() {
    let mut desk = Desk::ready(80, 24, keys(3));
    changes(&mut desk);
    desk.send(Message::Live(LiveEvent::Lost("nobody answers".into())));
    fails(&mut desk);
    assert_eq!(rest(&desk), None);
    desk.send(Message::Live(LiveEvent::Back));
    assert!(reads_rows(&desk));
}

#[test]
fn rows_that_have_rested_are_read_whatever_the_clock_says() {
    let mut desk = slow();
    changes(&mut desk);
    // The clock was set back a little, or the timer rings a moment early.
    desk.wait(TimeDelta::milliseconds(19_999));
    desk.send(Message::Timer(ROWS));
    assert!(reads_rows(&desk));
    desk.sees("◌ late").settle().sees("● live");
}
