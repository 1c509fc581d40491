//! What the screen wants done: whole lists of effects.

use crate::domain::query::{Query, Sort, Term, Test};
use crate::domain::subjects::Subjects;
use crate::service::{Count, From, Page, PageRequest};
use crate::tui::effect::{Effect, Reply, Request, RequestId, Timer, To};
use crate::tui::message::Message;
use crate::tui::screens::keys::tabs::Tab;
use crate::tui::testing::{Desk, keys, noon};
use crate::tui::update::update;
use crate::tui::view::body::PATIENCE;
use crate::tui::words::ScreenId;

const ME: To = To::Screen(ScreenId::Keys);

fn text(text: &str) -> Query {
    Query { terms: vec![Term { negated: false, test: Test::Text(text.into()) }] }
}

/// What the first tab shows of it.
fn live(filter: Query) -> Query {
    Tab::Live.query(&filter)
}

fn page(query: Query, from: From) -> Request {
    Request::Page(PageRequest { query: live(query), sort: Sort::default(), from, limit: 200 })
}

#[test]
fn opening_asks_for_the_first_page_and_who_is_acting() {
    let desk = Desk::opening(80, 24, keys(3));
    let asked: Vec<_> = desk.asked.iter().map(|(_, request)| request).collect();
    assert_eq!(
        asked,
        [
            &page(Query::default(), From::Start),
            &Request::Whoami,
            &Request::Issuers,
            &Request::Outbox,
            &Request::OpenAlerts,
            &Request::Holds
        ]
    );
    assert_eq!(desk.effects, [Effect::SetTimer { timer: Timer::Slow, after: PATIENCE }]);
}

#[test]
fn typing_queues_up_only_the_newest_filter() {
    let mut desk = Desk::ready(80, 24, keys(300));
    desk.press("/");
    let first = desk.press("a");
    let [Effect::Ask { to, request }] = first.as_slice() else { panic!("{first:?}") };
    assert_eq!(*request, page(text("a"), From::Start));
    let to = *to;
    assert_eq!(desk.press("b"), []);
    assert_eq!(desk.press("c"), []);
    let reply =
        Reply::Page(Ok(Page { rows: vec![], at: 0, more_before: false, more_after: false, now: noon() }));
    let effects = update(&mut desk.state, Message::Reply { to, reply });
    let next = RequestId { to: ME, number: to.number + 1 };
    assert_eq!(effects, [Effect::Ask { to: next, request: page(text("abc"), From::Start) }]);
    desk.sees("Key 0");
}

#[test]
fn a_reply_that_nobody_awaits_changes_nothing() {
    let mut desk = Desk::ready(80, 24, keys(30));
    let before = desk.screen();
    let reply =
        Reply::Page(Ok(Page { rows: vec![], at: 0, more_before: false, more_after: false, now: noon() }));
    let stale = RequestId { to: ME, number: 1 };
    assert_eq!(update(&mut desk.state, Message::Reply { to: stale, reply }), []);
    assert_eq!(desk.screen(), before);
    let reply = Reply::Count(Ok(Count::Exactly(7)));
    assert_eq!(
        update(&mut desk.state, Message::Reply { to: RequestId { to: To::Overlay(99), number: 3 }, reply }),
        []
    );
}

#[test]
fn a_step_near_neither_end_asks_for_nothing() {
    let mut desk = Desk::ready(80, 24, keys(300));
    assert_eq!(desk.press("j"), []);
}

#[test]
fn near_the_end_of_the_rows_more_are_read() {
    let mut desk = Desk::ready(80, 24, keys(5000));
    for _ in 0..100 {
        desk.press("j");
    }
    let effects = desk.press("j");
    let last = desk.keys().rows.iter().nth(199).expect("rows").cursor.clone();
    let [Effect::Ask { request, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(*request, page(Query::default(), From::After(last)));
}

#[test]
fn the_count_is_asked_for_only_once_the_rows_are_there() {
    let mut desk = Desk::opening(80, 24, keys(3));
    assert!(!desk.asked.iter().any(|(_, request)| matches!(request, Request::Count(_))));
    let (to, _) = desk.asked.remove(0);
    let reply =
        Reply::Page(Ok(Page { rows: vec![], at: 0, more_before: false, more_after: false, now: noon() }));
    let effects = update(&mut desk.state, Message::Reply { to, reply });
    let [Effect::Ask { request: Request::Count(query), .. }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(*query, live(Query::default()));
}

#[test]
fn ctrl_c_gets_out_from_the_list_and_from_the_filter() {
    let mut desk = Desk::ready(80, 24, keys(3));
    desk.play("ctrl-c");
    assert_eq!(desk.effects.last(), Some(&Effect::Quit(crate::tui::ExitReason::Interrupted)));
    let mut desk = Desk::ready(80, 24, keys(3));
    desk.play("/ \"q\" ctrl-c");
    assert_eq!(desk.effects.last(), Some(&Effect::Quit(crate::tui::ExitReason::Interrupted)));
}

#[test]
fn a_closed_terminal_ends_the_console_whatever_is_open() {
    let mut desk = Desk::ready(80, 24, keys(3));
    desk.play("s");
    desk.send(Message::Hangup);
    assert_eq!(desk.effects.last(), Some(&Effect::Quit(crate::tui::ExitReason::Hangup)));
}

#[test]
fn loading_is_shown_only_when_it_takes_long() {
    let mut desk = Desk::opening(80, 24, keys(3));
    desk.sees_not("Reading");
    desk.send(Message::Timer(Timer::Slow));
    desk.sees("Reading").settle().sees_not("Reading").sees("Key 0");
}

#[test]
fn many_changes_in_a_row_count_once() {
    let mut desk = Desk::ready(130, 24, keys(3));
    desk.effects.clear();
    for _ in 0..5 {
        desk.live(Subjects::KEYS);
    }
    let timers =
        desk.effects.iter().filter(|effect| matches!(effect, Effect::SetTimer { timer: Timer::Of(ME), .. }));
    assert_eq!(timers.count(), 1);
    desk.database.keys.pop();
    desk.send(Message::Timer(Timer::Of(ME)));
    desk.settle().sees("2 API keys");
}

#[test]
fn a_reading_that_fails_says_why_and_leaves_the_rows() {
    use crate::tui::effect::{Failure, FailureKind};
    let failure =
        || Failure { kind: FailureKind::Unreachable, text: "the database can't be reached: gone".into() };
    let mut desk = Desk::opening(80, 24, keys(3));
    let (to, _) = desk.asked.remove(0);
    desk.send(Message::Reply { to, reply: Reply::Page(Err(failure())) });
    desk.sees("The keys could not be read").sees("can't be reached: gone");
    let mut desk = Desk::ready(80, 24, keys(3));
    desk.send(Message::Live(crate::service::LiveEvent::Changed(Subjects::KEYS)));
    let place = desk.asked.iter().position(|(_, request)| matches!(request, Request::Page(_)));
    let (to, _) = desk.asked.remove(place.expect("rows are read again"));
    desk.send(Message::Reply { to, reply: Reply::Page(Err(failure())) });
    desk.sees("can't be reached: gone").sees("Key 2");
}

#[test]
fn a_detail_in_the_tables_place_scrolls_at_once() {
    let mut desk = Desk::ready(80, 16, keys(3));
    desk.play("enter");
    let beginning = desk.screen();
    desk.play("G");
    let end = desk.screen();
    assert_ne!(beginning, end, "a detail longer than the screen scrolls");
    desk.play("j j j k");
    assert_ne!(desk.screen(), end, "no key is swallowed by lines that are not there");
    desk.play("g");
    assert_eq!(desk.screen(), beginning);
    desk.play("enter").sees("Status ");
}

#[test]
fn a_change_that_keys_have_no_part_in_reads_no_table() {
    let mut desk = Desk::ready(80, 24, keys(3));
    let asked = |desk: &mut Desk, touched| {
        let effects = desk.with(|shell| shell.changed(touched));
        let screens_own = |effect: &Effect| match effect {
            Effect::Ask { to, request } if to.to == ME => Some(format!("{request:?}")),
            _ => None,
        };
        effects.iter().filter_map(screens_own).collect::<Vec<_>>()
    };
    assert!(asked(&mut desk, Subjects::REMINDERS | Subjects::AUDIT).is_empty());
    desk.play("enter");
    let read = asked(&mut desk, Subjects::REMINDERS | Subjects::AUDIT);
    assert!(read.len() == 1 && read[0].starts_with("Trail("), "the detail tells of the audit: {read:?}");
    let read = asked(&mut desk, Subjects::KEYS);
    assert!(read.len() == 1 && read[0].starts_with("Page("), "{read:?}");
}
