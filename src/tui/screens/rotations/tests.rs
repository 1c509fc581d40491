use chrono::Duration;

use crate::domain::key::Key;
use crate::service::Revoked;
use crate::tui::effect::{FailureKind, Reply, Request, RotationRequest};
use crate::tui::testing::{Desk, noon, numbered, only_request};
use crate::tui::words::ScreenId;

/// An old key and its replacement, whose overlap began two hours ago and goes on for so many minutes.
fn pair(n: u32, left: i64) -> [Key; 2] {
    let mut old = numbered(n);
    let mut new = numbered(n + 500);
    new.name = old.name.clone();
    old.created_at = noon() - Duration::days(60);
    (old.successor, old.successor_confirmed) = (Some(new.id), true);
    old.successor_ends_at = Some(noon() + Duration::days(90));
    old.expires_at = Some(noon() + Duration::minutes(left));
    old.last_used_at = Some(noon() - Duration::hours(6));
    old.last_used_from = Some("203.0.113.7".into());
    old.last_used_endpoint = Some("calls".into());
    new.created_at = noon() - Duration::hours(2);
    new.acknowledged_at = Some(noon() - Duration::hours(2));
    new.expires_at = Some(noon() + Duration::days(90));
    new.last_used_at = Some(noon() - Duration::minutes(1));
    (new.predecessor, new.predecessor_ends_at) = (Some(old.id), old.expires_at);
    [old, new]
}

fn screen(width: u16, height: u16, keys: Vec<Key>) -> Desk {
    let mut desk = Desk::ready(width, height, keys);
    desk.play("0");
    assert_eq!(desk.state.shell.screen, ScreenId::Rotations);
    desk
}

fn two() -> Vec<Key> {
    [pair(3, 20 * 60), pair(6, 50)].concat()
}

#[test]
fn kr_11_each_open_overlap_shows_the_old_key_beside_its_replacement() {
    let desk = screen(200, 50, two());
    let words = desk.words();
    assert!(words.contains("20h Key 3 acme"), "{words}");
    assert!(words.contains("silent for 6h"), "{words}");
    assert!(words.contains("used 6h ago from 203.0.113.7 for calls"), "{words}");
    assert!(words.contains("networks 203.0.113.7"), "{words}");
    insta::assert_snapshot!(desk.screen());
}

#[test]
fn kr_11_the_cockpit_at_80_by_24() {
    insta::assert_snapshot!(screen(80, 24, two()).screen());
}

#[test]
fn kr_11_without_an_overlap_it_says_what_to_do() {
    let desk = screen(80, 24, vec![numbered(1)]);
    assert!(desk.words().contains("No overlap is open"), "{}", desk.words());
    assert!(desk.words().contains("select it among the keys (1) and press r"), "{}", desk.words());
    insta::assert_snapshot!(desk.screen());
}

#[test]
fn kr_11_closing_asks_first_and_revokes_the_old_key_alone() {
    let mut desk = screen(100, 40, two());
    let old = pair(3, 20 * 60)[0].clone();
    desk.press("c");
    desk.says("Close the overlap of Key 3?").says("The old key stops working immediately");
    desk.says("The old key: ").says("silent for 6h; last from 203.0.113.7 for calls");
    let (id, request) = only_request(desk.press("y"));
    let Request::Rotation(request) = request else { panic!("{request:?}") };
    let RotationRequest::Close { order, .. } = *request else { panic!("{request:?}") };
    assert_eq!(order.keys, [old.id]);
    let revoked = Key { revoked_at: Some(noon()), revoked_by: Some("ada".into()), ..old };
    let effects = desk.reply(id, Reply::Revoke(Ok(vec![Revoked { key: revoked, already: false }])));
    desk.keep(effects).settle();
    desk.told("Key 3 revoked at");
}

#[test]
fn kr_11_several_overlaps_are_closed_by_their_number() {
    let mut desk = screen(100, 40, two());
    desk.play("ctrl-a").play("c");
    desk.says("Close 2 overlaps?").says("None of the old keys was used within the last minute.");
    desk.play("enter").says("type 2");
    desk.write("2");
    let (_, request) = only_request(desk.press("enter"));
    let Request::Rotation(request) = request else { panic!("{request:?}") };
    let RotationRequest::Close { order, .. } = *request else { panic!("{request:?}") };
    assert_eq!(order.keys.len(), 2);
}

#[test]
fn kr_11_an_overlap_is_extended_and_a_refusal_stays_in_the_question() {
    let mut desk = screen(100, 40, two());
    desk.press("e");
    desk.says("Extend the overlap of Key 3").says("The old key then works until 2026-11-23 08:00:00 UTC");
    desk.strike("left").says("works until 2026-11-22 14:00:00 UTC");
    let (id, request) = only_request(desk.press("y"));
    let Request::Rotation(request) = request else { panic!("{request:?}") };
    let RotationRequest::Extend { order, .. } = *request else { panic!("{request:?}") };
    assert_eq!(order.by, Duration::hours(6));
    desk.fail(id, Reply::Extend, FailureKind::Rule, "an overlap lasts 7d at most");
    desk.says("an overlap lasts 7d at most");
}

#[test]
fn kr_11_from_an_overlap_one_goes_to_either_key() {
    let [old, new] = pair(3, 20 * 60);
    for (key, id) in [("o", old.id), ("enter", old.id), ("O", new.id)] {
        let mut desk = screen(100, 40, two());
        desk.play(key);
        assert_eq!(desk.state.shell.screen, ScreenId::Keys);
        desk.sees(&format!("id:{id}"));
    }
}

#[test]
fn kr_11_the_admins_are_told_of_the_end_of_an_overlap() {
    let mut desk = screen(100, 40, two());
    desk.press("M");
    desk.says("this key is replaced and stops working when its overlap ends");
    let Request::Tell(tell) = only_request(desk.press("y")).1 else { panic!() };
    assert_eq!(tell.occasion, crate::domain::notice::Occasion::Replaced);
}

#[test]
fn kr_11_viewers_look_and_close_nothing() {
    let mut desk = screen(100, 40, two());
    desk.role(crate::domain::operator::Role::Viewer);
    desk.press("c");
    desk.closed();
    desk.press("e");
    desk.closed();
}
