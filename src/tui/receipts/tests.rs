use std::time::Duration;

use crate::domain::expiry::Overlap;
use crate::domain::key::Key;
use crate::service::{GateReceipt, GateState, Receipt, Revoked};
use crate::tui::effect::{Effect, FailureKind, Reply, Request, RequestId};
use crate::tui::opening::Opening;
use crate::tui::testing::{Desk, created, key, noon, only_request};
use crate::tui::words::Severity;

fn gate(name: &str, state: GateState) -> GateReceipt {
    GateReceipt { name: name.into(), host: "web-1".into(), listen: "127.0.0.1:8080".into(), state }
}

fn confirmed(name: &str, after_ms: u64) -> GateReceipt {
    gate(name, GateState::Confirmed { after_ms })
}

fn silent(name: &str) -> GateReceipt {
    gate(name, GateState::OutOfTouch { since: noon() - chrono::Duration::minutes(3) })
}

fn says(desk: &mut Desk, id: RequestId, gates: &[GateReceipt]) -> Vec<Effect> {
    desk.reply(id, Reply::Receipt(Ok(Receipt { seq: 7, at: noon(), gates: gates.to_vec(), weakness: None })))
}

/// The request for a receipt among the effects, and how long it may wait.
#[track_caller]
fn look(effects: Vec<Effect>) -> (RequestId, Duration) {
    let looks = effects.into_iter().filter_map(|effect| match effect {
        Effect::Ask { to, request: Request::Receipt { patience, .. } } => Some((to, patience)),
        _ => None,
    });
    let looks: Vec<_> = looks.collect();
    let [one] = looks.as_slice() else { panic!("not one look at the gates: {looks:?}") };
    *one
}

fn dead(key: &Key) -> Revoked {
    Revoked { key: Key { revoked_at: Some(noon()), ..key.clone() }, already: false }
}

/// `d` and `y` on a key; the database shows it as revoked, the gates have not answered.
fn revoked() -> (Desk, RequestId) {
    let mut desk = Desk::new();
    let key = key("voxpria", "CI runner");
    let of = key.clone();
    desk.open(Opening::Revoke { ids: vec![of.id], known: vec![of], states: String::new() });
    let (id, _) = only_request(desk.press("y"));
    let (id, patience) = look(desk.reply(id, Reply::Revoke(Ok(vec![dead(&key)]))));
    assert_eq!(patience, Duration::ZERO, "the first look shows at once which gates there are");
    (desk, id)
}

#[test]
fn vg_17_after_an_emergency_each_gate_says_after_how_many_milliseconds_it_refuses_the_key() {
    let mut desk = Desk::new();
    desk.open(Opening::Emergency);
    let key = key("voxpria", "Leaked");
    let (id, _) = only_request(desk.paste("a1B2"));
    desk.reply(id, Reply::Find(Ok(crate::tui::testing::search_found(vec![key.clone()]))));
    let (id, _) = only_request(desk.press("y"));
    let (id, _) = look(desk.reply(id, Reply::Revoke(Ok(vec![dead(&key)]))));
    desk.says("Revoked at 2026-11-21 12:00:00 UTC");
    assert!(!desk.words().contains("Refused everywhere"), "nothing is claimed before the gates say so");
    assert_eq!(says(&mut desk, id, &[confirmed("gate-1", 12), confirmed("gate-2", 31)]), []);
    desk.says("Refused everywhere: all 2 gates confirmed, the last after 31 ms.");
    desk.says("✓ gate-1 confirmed after 12 ms");
    insta::assert_snapshot!(desk.screen());
}

#[test]
fn where_no_gate_runs_a_revocation_looks_as_it_always_did() {
    let (mut desk, id) = revoked();
    desk.says_not("confirmed");
    says(&mut desk, id, &[]);
    desk.closed();
    assert_eq!(desk.toast(), "CI runner revoked at 2026-11-21 12:00:00 UTC");
    assert!(desk.state.shell.receipt(0).is_none());
}

#[test]
fn a_waiting_gate_is_shown_and_asked_again_by_itself() {
    let (mut desk, id) = revoked();
    let (id, patience) =
        look(says(&mut desk, id, &[confirmed("gate-1", 9), gate("gate-2", GateState::Waiting)]));
    assert!(patience > Duration::ZERO);
    desk.says("✓ gate-1 confirmed after 9 ms").says("○ gate-2 waiting");
    // A later change moves the mark of a gate on; what it said first counts.
    assert_eq!(says(&mut desk, id, &[confirmed("gate-1", 480), confirmed("gate-2", 140)]), []);
    desk.says("✓ gate-1 confirmed after 9 ms").says("the last after 140 ms").strike("enter").closed();
    assert_eq!(desk.toast(), "CI runner revoked at 2026-11-21 12:00:00 UTC");
}

#[test]
fn a_living_gate_that_does_not_confirm_in_time_is_an_error() {
    let (mut desk, mut id) = revoked();
    let waiting = [gate("gate-2", GateState::Waiting)];
    let mut patience = Duration::ZERO;
    for _ in 0..2 {
        let next = look(says(&mut desk, id, &waiting));
        patience += next.1;
        id = next.0;
    }
    assert_eq!(patience, Duration::from_secs(3));
    assert_eq!(says(&mut desk, id, &waiting), []);
    desk.says("✕ gate-2 has not confirmed within 3 s").says("Stop gate-2 on web-1 (127.0.0.1:8080) now");
    desk.says_not("Refused everywhere");
}

#[test]
fn a_gate_out_of_touch_is_said_to_refuse_everything_by_itself() {
    let (mut desk, id) = revoked();
    assert_eq!(says(&mut desk, id, &[confirmed("gate-1", 12), silent("gate-2")]), []);
    desk.says("Refused everywhere: one gate confirmed after 12 ms");
    desk.says(
        "! gate-2 out of touch since 11:57:00: it refuses everything until it reaches the database again",
    );
}

#[test]
fn whoever_leaves_early_is_told_the_end_in_the_last_line() {
    let (mut desk, id) = revoked();
    let (id, _) = look(says(&mut desk, id, &[gate("gate-1", GateState::Waiting)]));
    desk.strike("esc").closed();
    says(&mut desk, id, &[confirmed("gate-1", 180)]);
    assert_eq!(desk.toast(), "CI runner: refused everywhere: the gate confirmed after 180 ms");
    assert!(desk.state.shell.receipts.is_empty());
}

#[test]
fn whoever_left_early_is_told_of_a_gate_that_did_not_confirm() {
    let (mut desk, id) = revoked();
    let waiting = [gate("gate-1", GateState::Waiting)];
    let (id, _) = look(says(&mut desk, id, &waiting));
    desk.press("enter");
    let (id, _) = look(says(&mut desk, id, &waiting));
    says(&mut desk, id, &waiting);
    assert_eq!(desk.state.shell.toast.as_ref().map(|toast| toast.severity), Some(Severity::Bad));
    desk.told("Stop gate-1 on web-1");
}

#[test]
fn without_an_answer_nothing_is_said_of_the_gates() {
    let (mut desk, id) = revoked();
    desk.fail(id, Reply::Receipt, FailureKind::Unreachable, "the database can't be reached");
    desk.says("whether the gates know is unknown: the database can't be reached");
    desk.says_not("efused everywhere");
}

#[test]
fn hurried_keys_do_not_close_the_receipt() {
    let (mut desk, id) = revoked();
    says(&mut desk, id, &[confirmed("gate-1", 12)]);
    desk.hurry("enter y");
    assert!(desk.top().is_some());
}

#[test]
fn of_many_gates_those_in_trouble_are_named_first() {
    let (mut desk, id) = revoked();
    let mut gates: Vec<GateReceipt> = (1..=20).map(|n| confirmed(&format!("gate-{n}"), n)).collect();
    gates.push(silent("gate-99"));
    says(&mut desk, id, &gates);
    let screen = desk.screen();
    let first = screen.find("gate-99").unwrap();
    assert!(first < screen.find("✓ gate-1 ").unwrap(), "{screen}");
    desk.says("✓ 16 more confirmed");
}

#[test]
fn a_rotation_without_overlap_has_a_receipt_too() {
    let mut desk = Desk::new();
    let old = key("voicegram", "main");
    let made = created("voicegram", "main");
    let successor = Key { predecessor: Some(old.id), ..made.key.clone() };
    let replaced = Some((old.name.clone(), Overlap::None, None));
    desk.open(Opening::Reveal { created: Box::new(made), replaces: replaced });
    let (id, _) = only_request(desk.press("d y"));
    let (id, _) = look(desk.reply(id, Reply::Acknowledge(Ok(Box::new(successor)))));
    assert_eq!(desk.toast(), "main replaces main, which is revoked now");
    says(&mut desk, id, &[confirmed("gate-1", 14)]);
    let told = "main replaces main, which is revoked now: refused everywhere: the gate confirmed after 14 ms";
    assert_eq!(desk.toast(), told);
}

#[test]
fn below_the_receipt_no_question_is_left_to_answer() {
    let (mut desk, id) = revoked();
    says(&mut desk, id, &[confirmed("gate-1", 12)]);
    let screen = desk.screen();
    let footer = screen.lines().last().unwrap_or_default();
    assert!(footer.contains("n close") && !footer.contains("yes"), "{footer}");
}
