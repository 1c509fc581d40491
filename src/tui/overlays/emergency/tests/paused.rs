use super::*;
use crate::domain::pause::Pause;
use crate::service::LiveEvent;
use crate::tui::message::Message;
use crate::tui::testing::{asked, looked};

/// What the keys are now comes when something changed.
fn look_again(desk: &mut Desk, keys: &[Key]) {
    let effects = desk.update(Message::Live(LiveEvent::Changed(Subjects::KEYS)));
    let look = asked(&effects, |request| matches!(request, Request::Reach(_)));
    desk.reply(look, Reply::Reach(Ok(looked(keys.to_vec(), noon()))));
}

#[test]
fn kr_05_what_is_ticked_is_paused_first_and_then_some_are_revoked_and_the_others_resumed() {
    let mut desk = Desk::new();
    let keys = [key("voxpria", "one"), key("voxpria", "two"), key("voxpria", "three")];
    desk.press("x");
    let (id, _) = only_request(desk.paste("a log"));
    desk.reply(id, Reply::Find(Ok(swept(&keys))));
    let (_, request) = only_request(desk.press("p"));
    let Request::Reach(ids) = request else { panic!("{request:?}") };
    assert_eq!(ids.len(), 3);
    desk.says("Pause 3 keys?").press("esc");
    // However they came to be paused, the table shows it.
    let pause = Pause {
        at: noon(),
        until: noon() + chrono::Duration::hours(1),
        by: "ada".into(),
        message: None,
        reason: None,
        freeze: None,
    };
    let paused = keys.clone().map(|key| Key { paused: Some(pause.clone()), ..key });
    look_again(&mut desk, &paused);
    desk.says("3 don't work").says("paused").says("revoke all 3 ticked").says("None of them works now");
    desk.press("space");
    let (id, _) = sent(&mut desk);
    let dead: Vec<Revoked> = paused[1..]
        .iter()
        .map(|key| Revoked { key: Key { revoked_at: Some(noon()), ..key.clone() }, already: false })
        .collect();
    desk.reply(id, Reply::Revoke(Ok(dead)));
    desk.says("2 keys are revoked").says("Enter goes back to the one that can still work");
    desk.press("enter");
    desk.says("3 exposed keys").says("revoked").press("space");
    let (_, request) = only_request(desk.press("P"));
    assert_eq!(request, Request::Reach(vec![keys[0].id]));
    desk.says("Resume one?").press("esc");
    let (_, request) = only_request(desk.press("I"));
    let Request::Incident(order) = request else { panic!("{request:?}") };
    assert_eq!(order.keys.map(|keys| keys.len()), Some(3));
}

#[test]
fn kr_05_one_exposed_key_can_be_paused_instead() {
    let mut desk = Desk::new();
    let key = found(&mut desk);
    desk.says("p pause instead");
    let (_, request) = only_request(desk.press("p"));
    assert_eq!(request, Request::Reach(vec![key.id]));
    desk.says("Pause CI runner?");
}
