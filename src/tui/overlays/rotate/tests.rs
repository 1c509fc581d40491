use chrono::Duration;

use crate::domain::expiry::{Expiry, Overlap};
use crate::domain::issuer::Issuer;
use crate::domain::key::Key;
use crate::domain::subjects::Subjects;
use crate::service::{Place, Rotated};
use crate::tui::effect::{Effect, FailureKind, Reply, Request, RotationRequest};
use crate::tui::message::Message;
use crate::tui::opening::Opening;
use crate::tui::overlays::reveal;
use crate::tui::testing::{Desk, created, key, keys, noon, numbered, only_request};

fn asked(key: Key) -> Desk {
    let mut desk = Desk::new();
    desk.open(Opening::Rotate(Box::new(key)));
    desk
}

#[test]
fn vp_06_the_successor_is_made_before_anything_happens_to_the_old_key() {
    let old = key("voxpria", "main");
    let mut desk = asked(old.clone());
    desk.says("This key does not change until you confirm the new secret");
    let (id, request) = only_request(desk.press("y"));
    let Request::Rotate { key, overlap, .. } = request else { panic!("{request:?}") };
    assert_eq!((key, overlap), (old.id, Overlap::Hours24));
    desk.reply(id, Reply::Rotate(Ok(Box::new(created("voxpria", "main")))));
    assert!(desk.shows::<reveal::State>());
    desk.says("It replaces main");
}

#[test]
fn after_a_rotation_the_cursor_is_on_the_new_key_whatever_the_filter() {
    for (filter, own) in [("", true), ("/ \"key 1\" enter", false)] {
        let mut desk = Desk::ready(100, 30, keys(30));
        desk.play(filter).play("j").play("r").strike("y");
        let (id, _) = desk.asked.pop().unwrap();
        let mut made = created("voxpria", "Renewed");
        made.key.id = numbered(900).id;
        desk.database.keys.insert(0, made.key.clone());
        desk.send(Message::Reply { to: id, reply: Reply::Rotate(Ok(Box::new(made))) }).settle();
        let rows = &desk.keys().rows;
        let row = rows.selected().unwrap();
        assert_eq!(row.key.name.as_str(), "Renewed", "{filter}");
        assert_eq!(rows.fate(&desk.state.shell, row).is_none(), own, "{filter}");
    }
}

#[test]
fn the_overlap_is_chosen_and_its_end_is_shown_but_never_past_the_keys_own_expiry() {
    let mut desk = asked(Key { expires_at: Some(noon() + Duration::days(3)), ..key("voxpria", "main") });
    desk.says("until about 2026-11-22 12:00:00 UTC");
    desk.strike("right right right").says("until about 2026-11-24 12:00:00 UTC");
    let Request::Rotate { overlap, .. } = only_request(desk.press("y")).1 else { panic!() };
    assert_eq!(overlap, Overlap::Days7);
}

#[test]
fn a_policy_without_overlap_leaves_no_choice_and_says_so() {
    let mut desk = Desk::new();
    let issuers: &mut Vec<Issuer> = desk.state.shell.issuers.as_mut().unwrap();
    issuers.iter_mut().for_each(|issuer| issuer.policy.rotation.overlap = false);
    desk.open(Opening::Rotate(Box::new(key("voxpria", "main"))));
    desk.strike("right right").says("policy allows no overlap");
    let Request::Rotate { overlap, .. } = only_request(desk.press("y")).1 else { panic!() };
    assert_eq!(overlap, Overlap::None);
}

#[test]
fn a_key_that_does_not_work_is_not_rotated() {
    let mut desk = asked(Key { revoked_at: Some(noon()), ..key("voxpria", "main") });
    desk.closed().told("main is revoked: create a new one in its place");
}

#[test]
fn neither_enter_nor_a_burst_rotates() {
    let mut desk = asked(key("voxpria", "main"));
    assert_eq!(desk.press("enter enter"), []);
    assert_eq!(desk.hurry("y y"), []);
    desk.strike("n").closed();
}

#[test]
fn a_refusal_is_shown_and_the_question_stays() {
    let mut desk = asked(key("voxpria", "main"));
    let (id, _) = only_request(desk.press("y"));
    desk.fail(id, Reply::Rotate, FailureKind::Rule, "it has a successor already");
    desk.says("it has a successor already");
}

#[test]
fn the_question_at_80_by_24() {
    insta::assert_snapshot!(asked(key("voxpria", "main")).screen());
}

#[test]
fn another_overlap_after_a_try_without_an_answer_is_another_wish() {
    let mut desk = asked(key("voxpria", "main"));
    let (id, first) = only_request(desk.press("y"));
    desk.fail(id, Reply::Rotate, FailureKind::Unreachable, "the database can't be reached");
    desk.strike("right").says("may have been carried out");
    let (id, second) = only_request(desk.press("y"));
    let (Request::Rotate { operation, .. }, Request::Rotate { operation: other, .. }) = (&first, &second)
    else {
        panic!("{second:?}")
    };
    assert_ne!(operation, other);
    desk.fail(id, Reply::Rotate, FailureKind::Unreachable, "the database can't be reached");
    desk.press("left");
    assert_eq!(only_request(desk.press("y")).1, first, "the first one as it was is the first one");
}

#[test]
fn kr_11_the_new_keys_expiry_is_told_and_chosen() {
    let mut desk = asked(key("voxpria", "main"));
    desk.says("The new key never expires.");
    desk.strike("down \"90d\"").says("The new key expires on 2027-02-19 12:00:00 UTC.");
    desk.strike("enter right");
    let Request::Rotate { overlap, expiry, .. } = only_request(desk.press("y")).1 else { panic!() };
    assert_eq!((overlap, expiry), (Overlap::Days7, Some(Expiry::Days(90))));
    let mut desk = asked(key("voxpria", "main"));
    desk.strike("down \"soon\" enter");
    assert_eq!(desk.press("y"), [], "what can't be read is not sent");
}

/// Three marked keys, and the question how to rotate them.
fn many(width: u16, height: u16) -> Desk {
    let mut desk = Desk::ready(width, height, keys(3));
    desk.play("ctrl-a").play("r");
    desk
}

#[test]
fn kr_11_a_selection_is_rotated_into_files_once_its_number_is_typed() {
    let mut desk = many(100, 40);
    desk.says("Rotate 3 keys").says("~/keyrack-20261121-120000");
    desk.strike("tab \"1y\" tab right").says("~/keyrack-20261121-120000.env");
    assert_eq!(desk.press("ctrl-s"), []);
    desk.says("type 3 to confirm");
    desk.write("3");
    let (id, request) = only_request(desk.press("ctrl-s"));
    let Request::Rotation(request) = request else { panic!("{request:?}") };
    let RotationRequest::Rotate { order, place, .. } = *request else { panic!("{request:?}") };
    assert_eq!(
        (order.keys.len(), order.overlap, order.expiry),
        (3, Some(Overlap::Hours24), Some(Expiry::Days(365)))
    );
    assert_eq!(place, Place::Env("~/keyrack-20261121-120000.env".into()));
    let shown = crate::domain::manifest::Manifest::of(desk.database.keys.iter(), noon());
    assert_eq!(order.shown.as_deref(), Some(&shown), "a yes holds for what was shown");
    desk.fail(id, Reply::RotateMany, FailureKind::Rule, "\"key 1\" of acme: it has a successor already");
    desk.says("it has a successor already");
}

#[test]
fn kr_11_before_many_are_rotated_one_sees_what_they_do_and_which_they_are() {
    let mut desk = many(100, 40);
    desk.says("In use").says("^g lists all");
    desk.play("ctrl-g").says("Key 2");
    desk.play("esc").says("Rotate 3 keys");
}

#[test]
fn kr_11_a_selection_is_rotated_one_by_one_on_the_screen() {
    let mut desk = many(100, 40);
    desk.strike("tab tab right right").says("(•) shown one by one").says("keeps working until you confirm");
    desk.strike("tab").write("3");
    let sent = desk.press("ctrl-s");
    assert!(
        matches!(sent.as_slice(), [Effect::Ask { request: Request::Key(_), .. }]),
        "each is asked about by itself: {sent:?}"
    );
    desk.keep(sent);
    desk.settle();
    desk.says("Rotate 1 of 3: Key");
    let (id, request) = only_request(desk.press("y"));
    let Request::Rotate { key: first, overlap: Overlap::Hours24, expiry: None, .. } = request else {
        panic!("{request:?}")
    };
    desk.reply(id, Reply::Rotate(Ok(Box::new(created("voxpria", "one")))));
    assert!(desk.shows::<reveal::State>());
    // What became of the secret is settled before the next key is asked about.
    desk.strike("esc y").says("Rotate 2 of 3: Key");
    // What others make of it meanwhile is shown.
    let renamed = Key { name: "Renamed elsewhere".into(), ..desk.database.keys[1].clone() };
    desk.live(Subjects::KEYS);
    let at = desk.asked.iter().rposition(|(_, request)| *request == Request::Key(renamed.id)).unwrap();
    let (news, _) = desk.asked.remove(at);
    desk.reply(news, Reply::Key(Ok(Box::new(renamed))));
    desk.says("Rotate 2 of 3: Renamed elsewhere");
    let (id, request) = only_request(desk.press("y"));
    let Request::Rotate { key: second, .. } = request else { panic!("{request:?}") };
    assert_ne!(first, second);
    desk.fail(id, Reply::Rotate, FailureKind::Rule, "it has a successor already");
    desk.says("it has a successor already");
    desk.strike("right enter").says("Rotate 3 of 3: Key").says("Leave it");
    let (id, request) = only_request(desk.press("y"));
    assert!(matches!(request, Request::Rotate { .. }));
    let effects = desk.reply(id, Reply::Rotate(Ok(Box::new(created("voxpria", "three")))));
    desk.keep(effects);
    assert!(desk.shows::<reveal::State>());
    desk.strike("esc y").settle().says("0 of 3 keys replaced").says("nobody confirmed").says("1 left as");
    desk.strike("enter").closed();
}

#[test]
fn kr_11_gates_are_asked_about_what_many_rotations_ended() {
    let mut desk = many(100, 40);
    desk.strike("left left left left left tab tab tab tab").write("3");
    let (id, request) = only_request(desk.press("ctrl-s"));
    let Request::Rotation(request) = request else { panic!("{request:?}") };
    let RotationRequest::Rotate { order, .. } = *request else { panic!("{request:?}") };
    assert_eq!(order.overlap, Some(Overlap::None));
    let pair = |n: u32| Rotated { old: numbered(n), new: numbered(n + 10), file: "/k/one.key".into() };
    let effects = desk.reply(id, Reply::RotateMany(Ok(vec![pair(1), pair(2), pair(3)])));
    let asks = |effect: &Effect| matches!(effect, Effect::Ask { request: Request::Receipt { keys, .. }, .. } if keys.len() == 3);
    assert!(effects.iter().any(asks), "{effects:?}");
    desk.says("3 keys are rotated");
}

#[test]
fn kr_11_a_selection_of_one_is_rotated_as_any_key() {
    let mut desk = Desk::ready(100, 40, keys(3));
    desk.play("space").play("k").play("r");
    desk.says("A replacement with the same name");
}

#[test]
fn kr_11_many_keys_at_80_by_24() {
    insta::assert_snapshot!(many(80, 24).screen());
}
