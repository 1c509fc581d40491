use std::time::Duration;

use crate::domain::subjects::Subjects;
use crate::service::{LiveEvent, Outbox};
use crate::tui::effect::{Effect, Reply, Request, RequestId, Timer, To};
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
        (Subjects::HOLDS, vec![Request::Holds]),
        (
            Subjects::ALL,
            vec![Request::Whoami, Request::Issuers, Request::Outbox, Request::OpenAlerts, Request::Holds],
        ),
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

/// The question about the outbox among these, and when a timer is to bring the next.
fn outbox(effects: Vec<Effect>) -> (Option<RequestId>, Option<Duration>) {
    let (mut asked, mut timer) = (None, None);
    for effect in effects {
        match effect {
            Effect::Ask { to, request: Request::Outbox } => asked = Some(to),
            Effect::SetTimer { timer: Timer::Of(To::Shell), after } => timer = Some(after),
            _ => {}
        }
    }
    (asked, timer)
}

fn changed() -> Message {
    Message::Live(LiveEvent::Changed(Subjects::KEYS))
}

#[test]
fn changes_by_anyone_count_what_is_due_a_twentieth_of_the_time() {
    let mut desk = Desk::new();
    let (mut counted, mut under_way, mut ready) = (0, None, None);
    let (took, step, steps) = (Duration::from_millis(700), Duration::from_millis(100), 3_000);
    for _ in 0..steps {
        desk.state.shell.now += step;
        let now = desk.state.shell.now;
        let mut effects = update(&mut desk.state, changed());
        if let Some((to, _)) = under_way.take_if(|(_, at)| *at <= now) {
            counted += 1;
            effects.extend(desk.reply(to, Reply::Outbox(Ok(Outbox::default()))));
        }
        if ready.take_if(|at| *at <= now).is_some() {
            effects.extend(update(&mut desk.state, Message::Timer(Timer::Of(To::Shell))));
        }
        let (asked, timer) = outbox(effects);
        under_way = asked.map(|to| (to, now + took)).or(under_way);
        ready = timer.map(|after| now + after).or(ready);
    }
    let share = (took * counted).as_secs_f64() / (step * steps).as_secs_f64();
    assert!((0.03..=0.055).contains(&share), "{counted} counts, {share}");
}

#[test]
fn what_the_person_changed_is_counted_at_once() {
    let mut desk = Desk::new();
    let (to, _) = outbox(update(&mut desk.state, changed()));
    desk.reply(to.unwrap(), Reply::Outbox(Ok(Outbox::default())));
    assert!(matches!(outbox(update(&mut desk.state, changed())), (None, Some(_))), "others' changes wait");
    let effects = desk.with(|shell| shell.changed(Subjects::KEYS));
    assert!(outbox(effects).0.is_some());
}
