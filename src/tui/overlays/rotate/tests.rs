use chrono::Duration;

use crate::domain::expiry::Overlap;
use crate::domain::issuer::Issuer;
use crate::domain::key::Key;
use crate::tui::effect::{Failure, FailureKind, Reply, Request};
use crate::tui::opening::Opening;
use crate::tui::overlays::reveal;
use crate::tui::testing::{Desk, created, key, noon, only_request};

fn asked(key: Key) -> Desk {
    let mut desk = Desk::new();
    desk.open(Opening::Rotate(Box::new(key)));
    desk
}

#[test]
fn vp_06_the_successor_is_made_before_anything_happens_to_the_old_key() {
    let old = key("voxpria", "main");
    let mut desk = asked(old.clone());
    assert!(desk.words().contains("Nothing happens to this key before its secret is in your hands"));
    let (id, request) = only_request(desk.press("y"));
    let Request::Rotate { key, overlap, .. } = request else { panic!("{request:?}") };
    assert_eq!((key, overlap), (old.id, Overlap::Hours24));
    desk.reply(id, Reply::Rotate(Ok(Box::new(created("voxpria", "main")))));
    assert!(desk.shows::<reveal::State>());
    assert!(desk.words().contains("It replaces main"), "{}", desk.screen());
}

#[test]
fn the_overlap_is_chosen_and_its_end_is_shown_but_never_past_the_keys_own_expiry() {
    let mut desk = asked(Key { expires_at: Some(noon() + Duration::days(3)), ..key("voxpria", "main") });
    assert!(desk.words().contains("until about 2026-11-22 12:00:00 UTC"), "{}", desk.screen());
    desk.press("right right right");
    assert!(desk.words().contains("until about 2026-11-24 12:00:00 UTC"), "{}", desk.screen());
    let Request::Rotate { overlap, .. } = only_request(desk.press("y")).1 else { panic!() };
    assert_eq!(overlap, Overlap::Days7);
}

#[test]
fn a_policy_without_overlap_leaves_no_choice_and_says_so() {
    let mut desk = Desk::new();
    let issuers: &mut Vec<Issuer> = desk.state.shell.issuers.as_mut().unwrap();
    issuers.iter_mut().for_each(|issuer| issuer.policy.rotation.overlap = false);
    desk.open(Opening::Rotate(Box::new(key("voxpria", "main"))));
    desk.press("right right");
    assert!(desk.words().contains("lets two keys not overlap"), "{}", desk.screen());
    let Request::Rotate { overlap, .. } = only_request(desk.press("y")).1 else { panic!() };
    assert_eq!(overlap, Overlap::None);
}

#[test]
fn a_key_that_does_not_work_is_not_rotated() {
    let desk = asked(Key { revoked_at: Some(noon()), ..key("voxpria", "main") });
    assert!(desk.top().is_none());
    assert!(desk.toast().contains("main is revoked: create a new one in its place"), "{}", desk.toast());
}

#[test]
fn neither_enter_nor_a_burst_rotates() {
    let mut desk = asked(key("voxpria", "main"));
    assert_eq!(desk.press("enter enter"), []);
    assert_eq!(desk.hurry("y y"), []);
    desk.press("n");
    assert!(desk.top().is_none());
}

#[test]
fn a_refusal_is_shown_and_the_question_stays() {
    let mut desk = asked(key("voxpria", "main"));
    let (id, _) = only_request(desk.press("y"));
    let failure = Failure { kind: FailureKind::Rule, text: "it has a successor already".into() };
    desk.reply(id, Reply::Rotate(Err(failure)));
    assert!(desk.words().contains("it has a successor already"), "{}", desk.screen());
}

#[test]
fn the_question_at_80_by_24() {
    insta::assert_snapshot!(asked(key("voxpria", "main")).screen());
}
