use super::*;
use crate::service::{Field, RevokeKeys};
use crate::tui::effect::{FailureKind, Reply, Request, RequestId};
use crate::tui::testing::{Desk, created};

/// A console that has sent a change which is not answered.
fn sent() -> (Desk, RequestId) {
    let mut desk = Desk::new();
    let operation = desk.state.shell.operation();
    let (id, _) = desk.state.shell.ask(To::Shell, Request::AcknowledgeAlerts { operation, alerts: vec![1] });
    (desk, id)
}

#[test]
fn a_change_under_way_is_waited_for_and_then_one_leaves() {
    for (key, reason) in [("q", ExitReason::Quit), ("ctrl-c", ExitReason::Interrupted)] {
        let (mut desk, id) = sent();
        let effects = desk.press(key);
        assert!(matches!(effects.as_slice(), [Effect::SetTimer { after: PATIENCE, .. }]), "{effects:?}");
        desk.says("Waiting at most 2 s for the answer to: acknowledging alerts.");
        let effects = desk.reply(id, Reply::AcknowledgeAlerts(Ok(1)));
        assert!(effects.contains(&Effect::Quit(reason)), "{key}: {effects:?}");
        assert!(desk.state.shell.unanswered.is_empty());
    }
}

#[test]
fn a_second_wish_to_leave_and_the_end_of_patience_leave_at_once() {
    for (first, second) in [("q", "q"), ("q", "ctrl-c"), ("ctrl-c", "ctrl-c"), ("ctrl-c", "q")] {
        let (mut desk, _) = sent();
        desk.press(first);
        let effects = desk.hurry(second);
        assert!(matches!(effects.as_slice(), [Effect::Quit(_)]), "{first} {second}: {effects:?}");
        let [(_, change)] = desk.state.shell.unanswered.as_slice() else { panic!("it was not answered") };
        assert_eq!(
            change.sentence(),
            "acknowledging alerts wasn't answered and may not have been carried out: look with `keyrack alerts list`"
        );
    }
    let (mut desk, _) = sent();
    let effects = desk.press("q");
    assert_eq!(desk.rest(effects), [Effect::Quit(ExitReason::Quit)]);
}

#[test]
fn who_stays_stays_and_a_failure_or_a_secret_is_shown_before_one_leaves() {
    let (mut desk, id) = sent();
    desk.press("q esc");
    desk.closed();
    let effects = desk.reply(id, Reply::AcknowledgeAlerts(Ok(1)));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Quit(_))), "{effects:?}");

    let (mut desk, id) = sent();
    desk.press("q");
    let effects = desk.fail(id, Reply::AcknowledgeAlerts, FailureKind::Field(Field::Name), "it was refused");
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Quit(_))), "{effects:?}");
    desk.closed();

    let (mut desk, id) = sent();
    desk.press("q");
    let effects = desk.reply(id, Reply::Create(Ok(Box::new(created("voxpria", "new")))));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Quit(_))), "{effects:?}");
    desk.closed();
}

#[test]
fn a_revocation_that_is_cut_off_says_how_to_look() {
    let (one, two) = (uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2));
    let said = |ids: &[uuid::Uuid]| {
        let keys = ids.to_vec();
        Request::Revoke { operation: one, request: RevokeKeys { keys, ..RevokeKeys::default() } }
            .changes()
            .unwrap()
            .sentence()
    };
    assert!(said(&[one]).contains(&format!("look with `keyrack key show {one}`, or revoke it again")));
    assert!(said(&[one, two]).starts_with("revoking 2 keys wasn't answered"));
    let tried = Request::Revoke { operation: one, request: RevokeKeys::default() };
    assert_eq!(Request::Try(Box::new(tried)).changes(), None, "it is rolled back");
}
