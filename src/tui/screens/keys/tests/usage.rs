//! What the keys on the screen were used for.

use chrono::Duration;

use crate::tui::effect::{Effect, Failure, FailureKind, Reply, Request, RequestId, Timer};
use crate::tui::harness::{Console, key_id, keys};
use crate::tui::message::Message;

/// The keys that are asked about and not answered, with the request's identity.
fn asked(console: &Console) -> Vec<(RequestId, Vec<crate::domain::key::KeyId>)> {
    let of = |(to, request): &(RequestId, Request)| match request {
        Request::Usage { keys, .. } => Some((*to, keys.clone())),
        _ => None,
    };
    console.asked.iter().filter_map(of).collect()
}

/// Answers everything but what the keys were used for.
fn settle_but_usage(console: &mut Console) {
    let held: Vec<_> = std::mem::take(&mut console.asked);
    let (usage, others): (Vec<_>, Vec<_>) =
        held.into_iter().partition(|(_, request)| matches!(request, Request::Usage { .. }));
    console.asked = others;
    if !console.asked.is_empty() {
        console.settle_once();
        let now_asked = std::mem::take(&mut console.asked);
        console.asked = usage.into_iter().chain(now_asked).collect();
        settle_but_usage(console);
    } else {
        console.asked = usage;
    }
}

#[test]
fn a_wide_table_asks_about_the_keys_on_the_screen_alone_and_nothing_moves_when_the_answer_comes() {
    let mut console = Console::new(200, 50, keys(300));
    settle_but_usage(&mut console);
    let [(_, about)] = asked(&console).try_into().unwrap_or_else(|all| panic!("{all:?}"));
    assert_eq!(about, (0..45).map(key_id).collect::<Vec<_>>(), "45 rows fit 50 lines");
    let before = console.screen();
    console.settle();
    let after = console.screen();
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
    let mut console = Console::ready(80, 24, keys(30));
    assert!(!console.screen().contains("Last 24h"));
    for c in ['j', 'j'] {
        console.key(crossterm::event::KeyEvent::from(crossterm::event::KeyCode::Char(c)), false);
    }
    assert_eq!(asked(&console), []);
    console.press("U").sees("Last 24h");
    let line = console.screen();
    assert!(line.lines().any(|line| line.contains("Key 3 ") && line.contains('█')), "{line}");
    console.press("U").sees_not("Last 24h");
}

#[test]
fn scrolling_asks_about_what_has_come_into_sight_and_a_minute_later_about_all_of_it_again() {
    let mut console = Console::ready(200, 50, keys(300));
    assert_eq!(asked(&console), []);
    console.key(crossterm::event::KeyEvent::from(crossterm::event::KeyCode::PageDown), false);
    let [(_, about)] = asked(&console).try_into().unwrap_or_else(|all| panic!("{all:?}"));
    assert_eq!(about, (45..90).map(key_id).collect::<Vec<_>>());
    // While that is under way nothing more is asked, however far one scrolls.
    for _ in 0..3 {
        console.key(crossterm::event::KeyEvent::from(crossterm::event::KeyCode::PageDown), false);
    }
    assert_eq!(asked(&console).len(), 1);
    console.settle();
    console.send(Message::Timer(Timer::Clock));
    assert_eq!(asked(&console), [], "it is fresh");
    console.state.shell.now += Duration::seconds(61);
    console.send(Message::Timer(Timer::Clock));
    assert_eq!(asked(&console)[0].1.len(), 45);
}

#[test]
fn without_an_answer_the_table_stands_and_is_not_asked_for_in_a_loop() {
    let mut console = Console::new(200, 50, keys(30));
    settle_but_usage(&mut console);
    let [(to, about)] = asked(&console).try_into().unwrap_or_else(|all| panic!("{all:?}"));
    console.asked.clear();
    let failure = Failure { kind: FailureKind::Unreachable, text: "the database can't be reached".into() };
    console.send(Message::Reply { to, reply: Reply::Usage { keys: about, outcome: Err(failure) } });
    assert_eq!(asked(&console), []);
    console.sees("Key 7");
}

#[test]
fn the_detail_counts_the_day_by_how_requests_ended_and_tells_the_last_use() {
    let mut keys = keys(30);
    keys[6].last_used_from = Some("203.0.113.7".into());
    keys[6].last_used_endpoint = Some("calls".into());
    let mut console = Console::ready(120, 50, keys);
    console.press("j j j j j j enter");
    // Noon: eleven hours of the day have requests, 60 to 120 in steps of ten, but for one.
    console
        .sees("from 203.0.113.7")
        .sees("for calls")
        .sees("Today         700 allowed, 62 refused, 11 limited");
    console.sees("Last 24 hours").sees("the account has no plan: the least of");
    console.press("j").sees("Last 24 hours no request").sees("0 allowed, 0 refused, 0 limited");
}

#[test]
fn a_table_where_nothing_changes_tells_a_minute_later_that_a_key_was_used() {
    let mut console = Console::ready(80, 24, keys(30));
    console.press("j j").sees("never");
    console.send(Message::Timer(Timer::Clock));
    assert_eq!(console.asked, [], "it is fresh");
    let used = console.state.shell.now;
    console.keys.iter_mut().for_each(|key| key.last_used_at = Some(used));
    console.state.shell.now += Duration::minutes(1);
    console.send(Message::Timer(Timer::Clock));
    let asked: Vec<_> = console.asked.iter().map(|(_, request)| request).collect();
    assert!(matches!(asked.as_slice(), [Request::Page(_)]), "neither count nor audit: {asked:?}");
    let selected = console.state.screens.keys.selected;
    console.settle();
    let screen = console.screen();
    let row = screen.lines().find(|line| line.contains("Key 2 ")).unwrap_or_default().to_owned();
    assert!(row.contains('▌') && row.trim_end().ends_with("1m ago"), "{screen}");
    assert_eq!(console.state.screens.keys.selected, selected);
}

#[test]
fn bars_are_drawn_in_ascii_where_the_terminal_has_nothing_else() {
    let mut console = Console::ready(200, 50, keys(30));
    console.state.shell.ascii = true;
    let screen = console.screen();
    let line = screen.lines().find(|line| line.contains("Key 3 ")).unwrap_or_default().to_owned();
    assert!(line.is_ascii() && line.contains('#'), "{line}");
}

#[test]
fn agreed_budgets_stand_in_the_detail() {
    let mut keys = keys(3);
    keys[0].limits = crate::domain::limit::Budgets::parse("100/1m 5000/1h").unwrap_or_default();
    Console::ready(120, 40, keys).press("enter").sees("100 a minute, 5000 an hour, agreed");
}

#[test]
fn opening_a_detail_asks_for_its_use_its_audit_and_its_account() {
    let mut console = Console::ready(80, 24, keys(3));
    console.effects.clear();
    console.key(crossterm::event::KeyEvent::from(crossterm::event::KeyCode::Enter), false);
    let asked: Vec<_> = console.asked.iter().map(|(_, request)| request).collect();
    let since = console.state.shell.now - Duration::hours(24);
    assert_eq!(
        asked,
        [
            &Request::Usage { keys: vec![key_id(0)], since },
            &Request::Trail(key_id(0)),
            &Request::Account("acme".into())
        ]
    );
    assert!(!console.effects.iter().any(|effect| matches!(effect, Effect::SetTimer { .. })));
}
