use crate::domain::subjects::Subjects;
use crate::service::LiveEvent;
use crate::tui::effect::{Effect, Reply, Request, To};
use crate::tui::message::Message;
use crate::tui::testing::Desk;
use crate::tui::update::update;

/// What the shell asks for after a live change.
fn asked(desk: &mut Desk, touched: Subjects) -> Vec<Request> {
    let effects = update(&mut desk.state, Message::Live(LiveEvent::Changed(touched)));
    let asks = effects.into_iter().filter_map(|effect| match effect {
        Effect::Ask { to, request } if to.to == To::Shell => Some(request),
        _ => None,
    });
    asks.collect()
}

#[test]
fn a_live_change_asks_again_only_for_what_it_touched() {
    for (touched, requests) in [
        (Subjects::OPERATORS, vec![Request::Whoami]),
        (Subjects::ISSUERS, vec![Request::Issuers]),
        (Subjects::KEYS, vec![Request::Outbox]),
        (Subjects::REMINDERS, vec![Request::Outbox]),
        (Subjects::ALERTS, vec![Request::OpenAlerts]),
        (Subjects::AUDIT, vec![]),
        (Subjects::ALL, vec![Request::Whoami, Request::Issuers, Request::Outbox, Request::OpenAlerts]),
    ] {
        assert_eq!(asked(&mut Desk::new(), touched), requests, "{touched:?}");
    }
}

#[test]
fn of_each_question_one_is_under_way_at_a_time() {
    let mut desk = Desk::new();
    let effects = update(&mut desk.state, Message::Live(LiveEvent::Changed(Subjects::ALERTS)));
    let [Effect::Ask { to, .. }, ..] = effects.as_slice() else { panic!("{effects:?}") };
    let to = *to;
    for _ in 0..3 {
        assert_eq!(asked(&mut desk, Subjects::ALERTS), []);
    }
    let effects = desk.reply(to, Reply::OpenAlerts(Ok(2)));
    assert!(
        matches!(effects.as_slice(), [Effect::Ask { request: Request::OpenAlerts, .. }]),
        "what came meanwhile is asked about once: {effects:?}"
    );
}
