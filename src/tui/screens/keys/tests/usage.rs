//! What the keys on the screen were used for.

use chrono::Duration;

use crate::tui::effect::{Effect, Failure, FailureKind, Reply, Request, RequestId, Timer};
use crate::tui::message::Message;
use crate::tui::testing::{Desk, key_id, keys};

/// The keys that are asked about and not answered, with the request's identity.
fn asked(desk: &Desk) -> Vec<(RequestId, Vec<crate::domain::key::KeyId>)> {
    let of = |(to, request): &(RequestId, Request)| match request {
        Request::Usage { keys, .. } => Some((*to, keys.clone())),
        _ => None,
    };
    desk.asked.iter().filter_map(of).collect()
}

/// Answers everything but what the keys were used for.
fn settle_but_usage(desk: &mut Desk) {
    let held: Vec<_> = std::mem::take(&mut desk.asked);
    let (usage, others): (Vec<_>, Vec<_>) =
        held.into_iter().partition(|(_, request)| matches!(request, Request::Usage { .. }));
    desk.asked = others;
    if !desk.asked.is_empty() {
        desk.settle_once();
        let now_asked = std::mem::take(&mut desk.asked);
        desk.asked = usage.into_iter().chain(now_asked).collect();
        settle_but_usage(desk);
    } else {
        desk.asked = usage;
    }
}

#[test]
fn a_wide_table_asks_about_the_keys_on_the_screen_alone() {
    let mut desk = Desk::opening(200, 50, keys(300));
    settle_but_usage(&mut desk);
    let [(_, about)] = asked(&desk).try_into().unwrap_or_else(|all| panic!("{all:?}"));
    assert_eq!(about, (0..44).map(key_id).collect::<Vec<_>>(), "44 rows fit 50 lines");
    let before = desk.screen();
    desk.settle();
    let after = desk.screen();
    let bars = |line: &str| line.chars().any(|c| ('▁'..='█').contains(&c));
    assert!(!before.lines().any(bars) && after.lines().any(bars), "{after}");
    let without: String = after.chars().map(|c| if ('▁'..='█').contains(&c) { ' ' } else { c }).collect();
    let trimmed = |text: &str| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
    // A selected row has its own sign, which is a bar too.
    let sign = |lines: Vec<String>| lines.into_iter().map(|line| line.replace('▌', " ")).collect::<Vec<_>>();
    assert_eq!(sign(trimmed(&without)), sign(trimmed(&before)));
}

#[test]
fn a_narrow_table_asks_nothing_until_the_column_is_wanted() {
    let mut desk = Desk::ready(80, 24, keys(30));
    desk.sees_not("Last 24h").strike("j j");
    assert_eq!(asked(&desk), []);
    desk.play("U").sees("Last 24h");
    let line = desk.screen();
    assert!(line.lines().any(|line| line.contains("Key 3 ") && line.contains('█')), "{line}");
    desk.play("U").sees_not("Last 24h");
}

#[test]
fn scrolling_asks_about_what_came_into_sight() {
    let mut desk = Desk::ready(200, 50, keys(300));
    assert_eq!(asked(&desk), []);
    desk.strike("pagedown");
    let [(_, about)] = asked(&desk).try_into().unwrap_or_else(|all| panic!("{all:?}"));
    assert_eq!(about, (44..88).map(key_id).collect::<Vec<_>>());
    // While that is under way nothing more is asked, however far one scrolls.
    desk.strike("pagedown pagedown pagedown");
    assert_eq!(asked(&desk).len(), 1);
    desk.settle();
    desk.send(Message::Timer(Timer::Clock));
    assert_eq!(asked(&desk), [], "it is fresh");
    desk.state.shell.now += Duration::seconds(61);
    desk.send(Message::Timer(Timer::Clock));
    assert_eq!(asked(&desk)[0].1.len(), 44);
}

#[test]
fn without_an_answer_usage_is_not_asked_for_in_a_loop() {
    let mut desk = Desk::opening(200, 50, keys(30));
    settle_but_usage(&mut desk);
    let [(to, about)] = asked(&desk).try_into().unwrap_or_else(|all| panic!("{all:?}"));
    desk.asked.clear();
    let failure = Failure { kind: FailureKind::Unreachable, text: "the database can't be reached".into() };
    desk.send(Message::Reply { to, reply: Reply::Usage { keys: about, outcome: Err(failure) } });
    assert_eq!(asked(&desk), []);
    desk.sees("Key 7");
}

#[test]
fn the_detail_counts_the_day_and_tells_the_last_use() {
    let mut keys = keys(30);
    keys[6].last_used_from = Some("203.0.113.7".into());
    keys[6].last_used_endpoint = Some("calls".into());
    let mut desk = Desk::ready(120, 50, keys);
    desk.play("j j j j j j enter");
    // Noon: eleven hours of the day have requests, 60 to 120 in steps of ten, but for one.
    desk.sees("from 203.0.113.7").sees("for calls").sees("Today         700 allowed, 62 refused, 11 limited");
    desk.sees("Last 24 hours").sees("the account has no plan: the least of");
    desk.play("j").sees("Last 24 hours no request").sees("0 allowed, 0 refused, 0 limited");
}

#[test]
fn a_quiet_table_tells_within_a_minute_that_a_key_was_used() {
    let mut desk = Desk::ready(80, 24, keys(30));
    desk.play("j j").sees("never");
    desk.send(Message::Timer(Timer::Clock));
    assert_eq!(desk.asked, [], "it is fresh");
    let used = desk.state.shell.now;
    desk.database.keys.iter_mut().for_each(|key| key.last_used_at = Some(used));
    desk.state.shell.now += Duration::minutes(1);
    desk.send(Message::Timer(Timer::Clock));
    let asked: Vec<_> = desk.asked.iter().map(|(_, request)| request).collect();
    assert!(matches!(asked.as_slice(), [Request::Page(_)]), "neither count nor audit: {asked:?}");
    let selected = desk.keys().rows.selected_id().copied();
    desk.settle();
    let screen = desk.screen();
    let row = screen.lines().find(|line| line.contains("Key 2 ")).unwrap_or_default().to_owned();
    assert!(row.contains('▌') && row.trim_end().ends_with("1m ago"), "{screen}");
    assert_eq!(desk.keys().rows.selected_id().copied(), selected);
}

#[test]
fn bars_are_drawn_in_ascii_where_the_terminal_has_nothing_else() {
    let mut desk = Desk::ready(200, 50, keys(30));
    desk.state.shell.ascii = true;
    let screen = desk.screen();
    let line = screen.lines().find(|line| line.contains("Key 3 ")).unwrap_or_default().to_owned();
    assert!(line.is_ascii() && line.contains('#'), "{line}");
}

#[test]
fn agreed_budgets_stand_in_the_detail() {
    let mut keys = keys(3);
    keys[0].limits = crate::domain::budget::Budgets::parse("100/1m 5000/1h").unwrap_or_default();
    Desk::ready(120, 40, keys).play("enter").sees("100 a minute, 5000 an hour, agreed");
}

#[test]
fn opening_a_detail_asks_for_its_use_its_audit_and_its_account() {
    let mut desk = Desk::ready(80, 24, keys(3));
    desk.effects.clear();
    desk.strike("enter");
    let asked: Vec<_> = desk.asked.iter().map(|(_, request)| request).collect();
    let since = desk.state.shell.now - Duration::hours(24);
    assert_eq!(
        asked,
        [
            &Request::Usage { keys: vec![key_id(0)], since },
            &Request::Trail(key_id(0)),
            &Request::Account("acme".into())
        ]
    );
    assert!(!desk.effects.iter().any(|effect| matches!(effect, Effect::SetTimer { .. })));
}
