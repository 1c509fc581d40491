use std::collections::HashMap;
use std::sync::Arc;

use chrono::Duration;

use crate::domain::key::Key;
use crate::domain::manifest::Manifest;
use crate::domain::operator::Role;
use crate::domain::reach::Reach;
use crate::domain::subjects::Subjects;
use crate::service::{ExportForm, Looked, Receipt, RevokeKeys, Revoked};
use crate::tui::effect::{Effect, Failure, FailureKind, Reply, Request};
use crate::tui::opening::Opening;
use crate::tui::testing::{Desk, asked, asks_nothing, key, looked, noon, only_request};
use crate::tui::words::Copied;

fn question(keys: &[Key]) -> Desk {
    let mut desk = Desk::new();
    let keys = keys.to_vec();
    desk.open(Opening::Revoke {
        ids: keys.iter().map(|key| key.id).collect(),
        known: keys,
        states: String::new(),
    });
    desk
}

fn main_server() -> Key {
    Key {
        last_used_at: Some(noon() - Duration::hours(3)),
        last_used_from: Some("203.0.113.7".into()),
        last_used_endpoint: None,
        limits: Default::default(),
        ..key("voxpria", "Production Server – Main App")
    }
}

/// The question about several keys, which were looked at.
fn seen(keys: &[Key]) -> Desk {
    let mut desk = Desk::new();
    let ids = keys.iter().map(|key| key.id).collect();
    let effects = desk.open(Opening::Revoke { ids, known: keys.to_vec(), states: String::new() });
    let look = asked(&effects, |request| matches!(request, Request::Reach(_)));
    desk.reply(look, Reply::Reach(Ok(looked(keys.to_vec(), noon()))));
    desk
}

fn three() -> Vec<Key> {
    ["a", "b", "c"].map(|name| key("voxpria", name)).to_vec()
}

fn revoked(key: &Key) -> Revoked {
    Revoked { key: Key { revoked_at: Some(noon()), ..key.clone() }, already: false }
}

#[test]
fn vp_26_revoking_asks_once_and_the_default_is_no() {
    let mut desk = question(&[main_server()]);
    desk.sees("[ No, keep ]");
    assert_eq!(desk.press("enter"), [], "Enter presses the default");
    desk.closed();
}

#[test]
fn va_09_the_question_shows_the_name_and_everything_else_uncut_and_uses_the_policys_verb() {
    let key = Key { issuer: "vozagent".into(), ..main_server() };
    let mut desk = question(std::slice::from_ref(&key));
    desk.says("Delete API key Production Server – Main App?").says(&key.id.to_string());
    desk.says(key.preview.as_str()).says("acme (vozagent)");
    desk.says("3h ago from 203.0.113.7, 2026-11-21 09:00:00 UTC").says("stops working immediately");
}

#[test]
fn d_then_y_revokes_and_only_the_read_back_says_so() {
    let key = main_server();
    let mut desk = question(std::slice::from_ref(&key));
    let (id, request) = only_request(desk.press("y"));
    let Request::Revoke { request: RevokeKeys { keys, reason, .. }, .. } = request else {
        panic!("{request:?}")
    };
    assert_eq!((keys, reason), (vec![key.id], None));
    desk.says("waiting until the database shows it").says_not("revoked at");
    assert_eq!(desk.press("y esc enter"), [], "while it is under way nothing is sent twice");
    let effects = desk.reply(id, Reply::Revoke(Ok(vec![revoked(&key)])));
    let look = asked(&effects, |request| matches!(request, Request::Receipt { .. }));
    let nobody = Receipt { seq: 1, at: noon(), gates: Vec::new(), weakness: None };
    desk.reply(look, Reply::Receipt(Ok(nobody)));
    desk.closed();
    assert_eq!(desk.toast(), "Production Server – Main App revoked at 2026-11-21 12:00:00 UTC");
    let reads_again = |effect: &Effect| matches!(effect, Effect::Ask { request: Request::Outbox, .. });
    assert!(effects.iter().any(reads_again), "{effects:#?}");
}

#[test]
fn a_paste_or_a_burst_of_keys_revokes_nothing() {
    let mut desk = question(&[main_server()]);
    assert_eq!(desk.paste("y\ny\n"), []);
    assert_eq!(desk.hurry("y y right enter y"), []);
    assert!(desk.top().is_some());
}

#[test]
fn the_same_key_twice_revokes_nothing() {
    for twice in ["enter enter", "d d", "space space"] {
        let mut desk = question(&[main_server()]);
        assert_eq!(
            desk.press(twice)
                .iter()
                .filter(|e| matches!(e, Effect::Ask { request: Request::Revoke { .. }, .. }))
                .count(),
            0
        );
    }
}

#[test]
fn a_note_goes_with_it() {
    let mut desk = question(&[main_server()]);
    desk.press("backtab \"yes, it leaked in y\" enter");
    let (_, Request::Revoke { request: RevokeKeys { reason, .. }, .. }) = only_request(desk.press("y"))
    else {
        panic!("not asked")
    };
    assert_eq!(reason.as_deref(), Some("yes, it leaked in y"));
}

#[test]
fn for_several_keys_their_number_must_be_typed() {
    let keys = three();
    let mut desk = seen(&keys);
    desk.says("Revoke 3 keys?");
    assert_eq!(desk.press("enter"), []);
    desk.press("tab tab");
    assert_eq!(desk.press("y"), [], "a yes is not enough");
    desk.says("type 3, the number of keys to revoke");
    desk.write("2");
    assert_eq!(desk.press("ctrl-s"), []);
    desk.press("backspace \"3\"");
    let (_, request) = only_request(desk.press("enter"));
    let Request::Revoke { request: RevokeKeys { keys: ids, .. }, .. } = request else {
        panic!("{request:?}")
    };
    assert_eq!(ids, keys.iter().map(|key| key.id).collect::<Vec<_>>());
}

#[test]
fn what_was_unconfirmed_is_tried_again_as_the_same_wish() {
    let key = main_server();
    let mut desk = question(std::slice::from_ref(&key));
    let (id, first) = only_request(desk.press("y"));
    desk.fail(
        id,
        Reply::Revoke,
        FailureKind::Unconfirmed,
        "the database does not show it. Treat it as STILL WORKING and revoke it again",
    );
    desk.says("Treat it as STILL WORKING");
    assert_eq!(only_request(desk.press("y")).1, first);
}

#[test]
fn a_key_that_is_revoked_already_is_not_asked_about() {
    let key = Key { revoked_at: Some(noon()), ..main_server() };
    let mut desk = question(&[key]);
    desk.closed().told("was revoked at 2026-11-21 12:00:00 UTC");
}

#[test]
fn a_viewer_gets_words_instead_of_a_question() {
    let mut desk = Desk::new();
    desk.role(Role::Viewer);
    let key = main_server();
    desk.open(Opening::Revoke { ids: vec![key.id], known: vec![key], states: String::new() });
    desk.closed().told("viewers can't revoke keys");
}

#[test]
fn the_question_at_80_by_24() {
    insta::assert_snapshot!(question(&[main_server()]).screen());
}

#[test]
fn the_buttons_for_several_stay_in_sight_at_80_by_24() {
    question(&three()).says("looking…").sees("No, keep").sees("Revoke 3 keys");
    let mut desk = seen(&three());
    desk.sees("No, keep").sees("Revoke 3 keys").sees("type 3");
    insta::assert_snapshot!(desk.screen());
}

#[test]
fn the_question_for_several_at_120_by_40() {
    let mut desk = Desk::sized(120, 40);
    let keys = three();
    let effects = desk.open(Opening::Revoke {
        ids: keys.iter().map(|key| key.id).collect(),
        known: keys.clone(),
        states: "3 active".into(),
    });
    let look = asked(&effects, |request| matches!(request, Request::Reach(_)));
    let height = |desk: &Desk| desk.screen().lines().filter(|line| line.contains('│')).count();
    desk.says("3 active").says("looking…");
    let before = height(&desk);
    let used = Key { id: keys[0].id, ..main_server() };
    let reach = Reach::of([&used, &keys[1], &keys[2]], &HashMap::from([(used.id, 1_204)]), noon());
    let looked = Looked { reach, ..*looked(vec![used, keys[1].clone(), keys[2].clone()], noon()) };
    desk.reply(look, Reply::Reach(Ok(Box::new(looked))));
    assert_eq!(height(&desk), before, "nothing jumps when it comes");
    insta::assert_snapshot!(desk.screen());
}

/// What a yes would come to is answered: these are revoked already.
fn foreseen(desk: &mut Desk, keys: &[Key], already: &[usize]) {
    let (id, _) = desk.tried.pop().expect("it is asked what a yes would come to");
    let one = |(place, key): (usize, &Key)| {
        let before = already.contains(&place);
        let by = before.then(|| "grace".into());
        Revoked { key: Key { revoked_at: Some(noon()), revoked_by: by, ..key.clone() }, already: before }
    };
    desk.reply(id, Reply::Revoke(Ok(keys.iter().enumerate().map(one).collect())));
}

#[test]
fn an_open_question_hears_of_keys_that_are_revoked_elsewhere() {
    let keys = three();
    let mut desk = question(&keys);
    foreseen(&mut desk, &keys, &[]);
    desk.says_not("meanwhile").live(Subjects::KEYS);
    foreseen(&mut desk, &keys, &[1]);
    desk.says("b was revoked by grace meanwhile: it stays as it is.");
    desk.live(Subjects::KEYS);
    foreseen(&mut desk, &keys, &[0, 1]);
    desk.says("2 of these 3 keys were revoked meanwhile: they stay as they are.");
    desk.live(Subjects::ALERTS);
    assert!(desk.tried.is_empty(), "alerts change nothing of it");
    let mut desk = question(&keys[..1]);
    foreseen(&mut desk, &keys[..1], &[]);
    desk.live(Subjects::KEYS);
    foreseen(&mut desk, &keys[..1], &[0]);
    desk.says("It was revoked by grace meanwhile").says("revoked since 2026-11-21 12:00:00 UTC");
    // What is new has to be read first.
    desk.state.drawn(desk.state.shell.now);
    desk.haste = Some(Duration::milliseconds(100));
    asks_nothing(&desk.press("y"));
}

#[test]
fn kr_03_a_yes_to_several_holds_for_the_keys_as_they_were_shown() {
    let keys = three();
    let mut desk = question(&keys);
    desk.press("\"3\"");
    asks_nothing(&desk.press("enter"));
    desk.says("Still reading which keys these are");
    let mut desk = seen(&keys);
    desk.press("\"3\"");
    let (id, request) = only_request(desk.press("enter"));
    let Request::Revoke { request, .. } = request else { panic!("{request:?}") };
    assert_eq!(request.shown, Some(Arc::new(Manifest::of(&keys, noon()))));
    // One was changed: it is read again, told, and has to be answered anew.
    let failure = Failure { kind: FailureKind::Moved, text: "a key is another one".into() };
    let effects = desk.reply(id, Reply::Revoke(Err(failure)));
    let look = asked(&effects, |request| matches!(request, Request::Reach(_)));
    let now = [keys[0].clone(), Key { name: "other".into(), ..keys[1].clone() }, keys[2].clone()];
    desk.reply(look, Reply::Reach(Ok(looked(now.to_vec(), noon()))));
    desk.says("Since you opened this: \"other\" of acme was changed");
    asks_nothing(&desk.press("enter"));
    desk.press("\"3\"");
    let (_, request) = only_request(desk.press("enter"));
    let Request::Revoke { request, .. } = request else { panic!("{request:?}") };
    assert_eq!(request.shown, Some(Arc::new(Manifest::of(&now, noon()))));
}

#[test]
fn all_of_several_keys_can_be_looked_through_and_written_to_a_file() {
    let keys: Vec<Key> = (0..300).map(|n| key("voxpria", &format!("key {n:03}"))).collect();
    let mut desk = seen(&keys);
    desk.press("ctrl-g");
    desk.says("300 keys").says("300 active").says("key 000").says_not("key 299");
    desk.press("G");
    desk.says("key 299").says_not("key 000");
    desk.press("w");
    desk.says("Export 300 keys").says("(•) CSV");
    desk.press("right down \"~/all.ndjson\"");
    let (id, request) = only_request(desk.press("ctrl-s"));
    let ids = keys.iter().map(|key| key.id).collect();
    assert_eq!(
        request,
        Request::Export { keys: ids, form: ExportForm::Ndjson, to: Some("~/all.ndjson".into()) }
    );
    desk.reply(id, Reply::Export(Ok(Copied::reached("300 keys written to /home/ada/all.ndjson"))));
    assert_eq!(desk.toast(), "300 keys written to /home/ada/all.ndjson");
    desk.press("esc");
    desk.says("Revoke 300 keys?");
}
