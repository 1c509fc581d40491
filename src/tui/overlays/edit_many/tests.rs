use serde_json::json;

use crate::domain::edit::{Edit, NewEnd};
use crate::domain::key::Key;
use crate::domain::owner::Tags;
use crate::domain::scope::Scopes;
use crate::service::{Edited, Field};
use crate::tui::effect::{FailureKind, Reply, Request, RequestId, Timer, To};
use crate::tui::message::Message;
use crate::tui::opening::Opening;
use crate::tui::testing::{Desk, asks_nothing, looked, noon, numbered, only_request};

/// The form on three keys; one more has ended.
fn form(width: u16, height: u16) -> Desk {
    let mut desk = Desk::sized(width, height);
    let mut keys: Vec<Key> = (1..5).map(numbered).collect();
    keys[3].expires_at = Some(noon() - chrono::Duration::days(1));
    let ids: Vec<_> = keys.iter().map(|key| key.id).collect();
    let (id, request) = only_request(desk.open(Opening::EditMany(ids.clone())));
    assert_eq!(request, Request::Reach(ids));
    assert_eq!(desk.reply(id, Reply::Reach(Ok(looked(keys, noon())))), []);
    desk
}

/// What is asked of the service once a person pauses.
fn paused(desk: &mut Desk) -> (RequestId, Request) {
    let number = desk.state.overlays.number();
    desk.send(Message::Timer(Timer::Of(To::Overlay(number))));
    desk.preview()
}

/// What was tried for the review.
fn tried(desk: &mut Desk) -> Edit {
    assert_eq!(desk.press("ctrl-s"), []);
    let (id, request) = paused(desk);
    let Request::Edit { keys, edit, .. } = request else { panic!("not tried: {request:?}") };
    assert_eq!(keys.len(), 3, "what has ended is left out");
    let edited = |n: u32, wider: bool| Edited {
        key: numbered(n),
        changed: [("expires_at".to_owned(), json!(["2026-12-01T00:00:00Z", "2027-03-01T00:00:00Z"]))]
            .into_iter()
            .collect(),
        widened: if wider { vec!["expires_at"] } else { Vec::new() },
    };
    let same = Edited { key: numbered(3), changed: Default::default(), widened: Vec::new() };
    desk.reply(id, Reply::Edit(Ok(vec![edited(1, true), edited(2, false), same])));
    *edit
}

#[test]
fn kr_10_a_selection_is_edited_in_what_was_filled_in() {
    let mut desk = form(80, 24);
    desk.says("One more that you chose has ended");
    desk.press("\"+90d\" tab \"calls:read, calls:write\" tab \"contacts:read\" tab \"any\" tab tab \"none\" tab tab \"prod\"");
    let edit = tried(&mut desk);
    let wanted = Edit {
        expires: Some(NewEnd::parse("+90d", crate::domain::when::Here::utc(noon())).unwrap()),
        add_scopes: Scopes::parse("calls:read calls:write"),
        remove_scopes: Scopes::parse("contacts:read"),
        anywhere: true,
        owner: Some(String::new()),
        tag: Tags::checked(["prod"]).unwrap(),
        ..Edit::default()
    };
    assert_eq!(edit, wanted);
    desk.says("Expires changes on 2 keys, 1 key of them ▲ can do more than before");
    desk.says("1 of these 3 keys are already so");
    desk.strike("enter").says("type 3, the number of keys to change");
    desk.write("3");
    let (_, request) = only_request(desk.press("enter"));
    let Request::Edit { edit: sent, keys, shown, .. } = request else { panic!("{request:?}") };
    assert_eq!((*sent, keys.len(), shown.is_some()), (wanted, 3, true));
}

#[test]
fn kr_10_extending_a_selection_takes_at_most_ten_keys() {
    let mut desk = form(80, 24);
    desk.press("\"+30d\"");
    tried(&mut desk);
    let (id, _) = only_request(desk.press("3 enter"));
    desk.reply(id, Reply::Edit(Ok(Vec::new())));
    desk.closed();
}

#[test]
fn kr_10_nothing_filled_in_goes_nowhere_and_a_mistake_stands_at_its_field() {
    let mut desk = form(80, 24);
    asks_nothing(&desk.press("ctrl-s"));
    desk.told("Fill in what to change").says_not("review");
    desk.press("\"soonish\" tab");
    desk.says("\"soonish\" isn't a valid expiry").strike("ctrl-s").says_not("review");
}

#[test]
fn kr_10_a_refusal_of_several_comes_back_to_its_field() {
    let mut desk = form(80, 24);
    assert_eq!(desk.press("\"+90d\" ctrl-s"), []);
    let (id, _) = paused(&mut desk);
    let kind = FailureKind::Field(Field::Expiry);
    desk.fail(id, Reply::Edit, kind, "expiry: \"Key 1\" of globex: it never expires. Nothing was changed");
    desk.says_not("review").says("↑ expiry: \"Key 1\" of globex: it never expires");
}

#[test]
fn kr_10_a_burst_of_keys_edits_nothing() {
    let mut desk = form(80, 24);
    desk.press("\"+90d\"");
    tried(&mut desk);
    assert_eq!(desk.hurry("3 enter enter ctrl-s ctrl-s enter"), []);
}

#[test]
fn kr_10_what_an_edit_of_several_comes_to_stays_in_sight() {
    let mut desk = form(80, 17);
    desk.press("\"+90d\"");
    tried(&mut desk);
    desk.says("Expires changes on 2 keys").says("type 3 to confirm");
}

#[test]
fn the_form_for_several_at_80_by_24() {
    insta::assert_snapshot!(form(80, 24).screen());
}

#[test]
fn the_review_of_several_at_200_by_50() {
    let mut desk = form(200, 50);
    desk.press("\"+90d\"");
    tried(&mut desk);
    insta::assert_snapshot!(desk.screen());
}
