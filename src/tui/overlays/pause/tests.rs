use chrono::Duration;

use crate::domain::key::Key;
use crate::domain::operator::Role;
use crate::domain::pause::{Lasting, Pause};
use crate::domain::subjects::Subjects;
use crate::service::{Field, Held, PauseOrder, Receipt};
use crate::tui::effect::{FailureKind, PauseRequest, Reply, Request, RequestId, Timer, To};
use crate::tui::message::Message;
use crate::tui::opening::Opening;
use crate::tui::testing::{Desk, asked, asks_nothing, key, looked, noon, only_request};

/// A pause until so many minutes from now.
fn pause(minutes: i64, freeze: Option<i64>) -> Pause {
    Pause {
        at: noon(),
        until: noon() + Duration::minutes(minutes),
        by: "grace".into(),
        message: None,
        reason: Some("looking into a leak".into()),
        freeze,
    }
}

fn hub() -> Key {
    key("voxpria", "Hub")
}

fn paused(name: &str) -> Key {
    Key { paused: Some(pause(60, None)), ..key("voxpria", name) }
}

fn three() -> Vec<Key> {
    ["a", "b", "c"].map(|name| key("voxpria", name)).to_vec()
}

/// The question about these keys, which were looked at.
fn question_at(width: u16, height: u16, keys: &[Key], resume: bool) -> Desk {
    let mut desk = Desk::sized(width, height);
    let ids = keys.iter().map(|key| key.id).collect();
    let opening = Opening::Pause { ids, known: keys.to_vec(), states: String::new(), resume };
    let effects = desk.open(opening);
    let look = asked(&effects, |request| matches!(request, Request::Reach(_)));
    desk.reply(look, Reply::Reach(Ok(looked(keys.to_vec(), noon()))));
    desk
}

fn question(keys: &[Key]) -> Desk {
    question_at(80, 24, keys, false)
}

/// What is sent.
#[track_caller]
fn sent(desk: &mut Desk, keys: &str) -> (RequestId, PauseRequest) {
    let (id, request) = only_request(desk.press(keys));
    let Request::Pause(request) = request else { panic!("{request:?}") };
    (id, *request)
}

fn span(text: &str) -> PauseOrder {
    PauseOrder { lasting: Lasting::span(text).unwrap(), message: None, reason: None }
}

#[test]
fn kr_05_a_yes_pauses_the_key_for_an_hour() {
    let mut desk = question(&[hub()]);
    desk.says("Pause Hub?").says("Refused until 2026-11-21 13:00:00 UTC; then it works again automatically.");
    let (id, request) = sent(&mut desk, "y");
    assert_eq!((request.keys, request.order), (vec![hub().id], Some(span("1h"))));
    assert_eq!(desk.press("y enter esc"), [], "while it is under way nothing is sent twice");
    let effects = desk.reply(id, Reply::Held(Ok(vec![Held { key: paused("Hub"), changed: true }])));
    let look = asked(&effects, |request| matches!(request, Request::Receipt { .. }));
    let nobody = Receipt { seq: 1, at: noon(), gates: Vec::new(), weakness: None };
    desk.reply(look, Reply::Receipt(Ok(nobody)));
    desk.closed();
    assert_eq!(desk.toast(), "Hub paused until 2026-11-21 13:00:00 UTC; P resumes");
}

#[test]
fn kr_05_another_length_a_message_and_a_reason_go_with_it() {
    let mut desk = question(&[hub()]);
    let (_, request) = sent(&mut desk, "right tab \"Call us.\" tab \"a leak\" ctrl-s");
    let order = PauseOrder { message: Some("Call us.".into()), reason: Some("a leak".into()), ..span("8h") };
    assert_eq!(request.order, Some(order));
    let mut desk = question(&[hub()]);
    desk.press("right right right tab");
    asks_nothing(&desk.press("ctrl-s"));
    desk.press("\"soon\" tab");
    desk.says("\"soon\"");
    desk.press("backtab ctrl-u \"45m\"");
    let (_, request) = sent(&mut desk, "ctrl-s");
    assert_eq!(request.order, Some(span("45m")));
}

#[test]
fn kr_05_what_the_policy_forbids_stands_at_its_field() {
    let mut desk = question(&[hub()]);
    desk.press("right right right tab \"30d\"");
    let number = desk.state.overlays.number();
    desk.send(Message::Timer(Timer::Of(To::Overlay(number))));
    // What was asked of the first choice is answered; then it is asked of this one.
    let (first, _) = desk.preview();
    desk.reply(first, Reply::Held(Ok(Vec::new())));
    let (id, _) = desk.preview();
    let kind = FailureKind::Field(Field::Until);
    let words = "end of the pause: 30 days from now, but the policy of VoxPria allows at most 7 days";
    desk.fail(id, Reply::Held, kind, words);
    desk.says("↑ end of the pause: 30 days from now").says("Pause Hub?");
}

#[test]
fn kr_05_a_key_that_is_paused_is_offered_to_be_resumed() {
    let mut desk = question(&[paused("Hub")]);
    desk.says("Resume Hub?").says("paused until 2026-11-21 at 13:00:00 UTC by grace (looking into a leak)");
    let (id, request) = sent(&mut desk, "y");
    assert_eq!((request.keys, request.order), (vec![hub().id], None));
    let effects = desk.reply(id, Reply::Held(Ok(vec![Held { key: hub(), changed: true }])));
    let look = asked(&effects, |request| matches!(request, Request::Receipt { .. }));
    let nobody = Receipt { seq: 1, at: noon(), gates: Vec::new(), weakness: None };
    desk.reply(look, Reply::Receipt(Ok(nobody)));
    desk.closed().told("Hub resumed");
    // It can be paused for longer as well.
    let mut desk = question(&[paused("Hub")]);
    let (_, request) = sent(&mut desk, "right right right y");
    assert_eq!(request.order, Some(span("8h")));
}

#[test]
fn kr_05_for_several_keys_their_number_is_typed() {
    let keys = three();
    let mut desk = question(&keys);
    desk.says("Pause 3 keys?");
    asks_nothing(&desk.press("y"));
    desk.says("type 3, the number of keys to pause");
    desk.write("2");
    asks_nothing(&desk.press("enter"));
    desk.press("backspace \"3\"");
    let (_, request) = sent(&mut desk, "enter");
    assert_eq!((request.keys.len(), request.shown.is_some()), (3, true));
}

#[test]
fn kr_05_resuming_a_selection_takes_those_that_are_paused() {
    let keys = vec![hub(), paused("a"), paused("b")];
    let mut desk = question_at(80, 24, &keys, true);
    desk.says("Resume 2 keys?").says("One more that you chose is not paused: it stays as it is.");
    let (_, request) = sent(&mut desk, "tab 2 enter");
    assert_eq!((request.keys, request.order), (vec![keys[1].id, keys[2].id], None));
}

#[test]
fn kr_05_what_is_frozen_too_stays_refused_and_is_said_to() {
    let frozen = Key { frozen: Some(pause(120, Some(4))), ..paused("Hub") };
    let mut desk = question(std::slice::from_ref(&frozen));
    let (id, _) = desk.preview();
    desk.reply(id, Reply::Held(Ok(vec![Held { key: Key { paused: None, ..frozen }, changed: true }])));
    desk.says("But it stays frozen by freeze 4 until 2026-11-21 at 14:00:00 UTC");
}

#[test]
fn kr_05_where_nothing_can_be_paused_or_resumed_nothing_is_asked() {
    let open = |key: Key, resume| {
        let mut desk = Desk::new();
        desk.open(Opening::Pause { ids: vec![key.id], known: vec![key], states: String::new(), resume });
        desk.closed();
        desk.toast().to_owned()
    };
    let revoked = Key { revoked_at: Some(noon()), ..hub() };
    assert_eq!(open(revoked, false), "Hub is revoked: it can't be paused");
    assert_eq!(open(hub(), true), "Hub isn't paused: there is nothing to resume");
    let frozen = Key { frozen: Some(pause(60, Some(4))), ..hub() };
    assert!(open(frozen, true).contains("keyrack freeze lift 4"));
}

#[test]
fn kr_05_a_viewer_gets_words_instead_of_the_question() {
    let mut desk = Desk::new();
    desk.role(Role::Viewer);
    desk.open(Opening::Pause {
        ids: vec![hub().id],
        known: vec![hub()],
        states: String::new(),
        resume: false,
    });
    desk.closed().told("viewers can't pause keys");
}

#[test]
fn kr_05_a_paste_or_a_burst_of_keys_pauses_nothing() {
    let mut desk = question(&three());
    asks_nothing(&desk.paste("y\n3\n"));
    asks_nothing(&desk.hurry("y tab tab tab 3 enter ctrl-s y"));
    assert!(desk.top().is_some());
}

#[test]
fn kr_05_news_never_turn_a_pause_that_was_sent_into_a_resumption() {
    let mut desk = question(&[hub()]);
    let (id, first) = sent(&mut desk, "y");
    desk.fail(id, Reply::Held, FailureKind::Unconfirmed, "the database does not show it");
    desk.database.keys = vec![paused("Hub")];
    desk.live(Subjects::KEYS).says("Pause Hub?");
    assert_eq!(sent(&mut desk, "y").1, first);
}

#[test]
fn kr_05_the_question_at_80_by_24() {
    insta::assert_snapshot!(question(&[hub()]).screen());
}

#[test]
fn kr_05_the_buttons_for_several_stay_in_sight_at_80_by_24() {
    let ended = Key { revoked_at: Some(noon()), ..key("voxpria", "d") };
    let keys = [three(), vec![ended, key("voxpria", "e")]].concat();
    let mut desk = question(&keys);
    desk.says("revoked or expired").sees("Cancel").sees("Pause 4 keys").sees("type 4");
    insta::assert_snapshot!(desk.screen());
}

#[test]
fn kr_05_the_question_for_several_at_200_by_50() {
    let mut keys = three();
    keys.push(paused("d"));
    insta::assert_snapshot!(question_at(200, 50, &keys, false).screen());
}
