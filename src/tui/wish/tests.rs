use super::Wish;
use crate::domain::key::OperationId;
use crate::service::Field;
use crate::tui::effect::{Effect, Failure, FailureKind, Outcomes, Reply, Request, RequestId};
use crate::tui::shell::Shell;
use crate::tui::testing::Desk;

const KINDS: [FailureKind; 7] = [
    FailureKind::NotPermitted,
    FailureKind::Rule,
    FailureKind::Field(Field::Name),
    FailureKind::NotFound,
    FailureKind::Unreachable,
    FailureKind::Unconfirmed,
    FailureKind::Other,
];

fn failed(kind: FailureKind) -> Failure {
    Failure { kind, text: "no".into() }
}

/// Sends it; the id that the answer carries, and the operation's.
fn sent(wish: &mut Wish, shell: &mut Shell) -> (RequestId, OperationId) {
    asks(wish, shell, "bob")
}

fn removed(reply: Reply) -> Option<Outcomes<()>> {
    match reply {
        Reply::RemoveOperator(outcome) => Some(outcome),
        _ => None,
    }
}

#[test]
fn only_what_came_to_nothing_is_another_wish_next_time() {
    for kind in KINDS {
        let mut desk = Desk::new();
        let shell = &mut desk.state.shell;
        let mut wish = Wish::new(shell, 1);
        let (id, first) = sent(&mut wish, shell);
        let outcome = wish.settle(shell, id, Reply::RemoveOperator(Err(failed(kind))), removed);
        assert_eq!(outcome, Some(Err(failed(kind))));
        assert_eq!(wish.failure().map(|text| text.as_str()), Some("no"));
        let (_, second) = sent(&mut wish, shell);
        let unknown =
            matches!(kind, FailureKind::Unreachable | FailureKind::Unconfirmed | FailureKind::Other);
        assert_eq!(first == second, unknown, "{kind:?}");
        assert_eq!(kind.refused(), !unknown, "{kind:?}");
    }
}

#[test]
fn an_answer_to_something_else_is_no_success_and_keeps_the_wish() {
    let shell = &mut Desk::new().state.shell;
    let mut wish = Wish::new(shell, 1);
    let (id, first) = sent(&mut wish, shell);
    let outcome = wish.settle(shell, id, Reply::Operators(Ok(Vec::new())), removed);
    assert!(matches!(outcome, Some(Err(Failure { kind: FailureKind::Other, .. }))), "{outcome:?}");
    assert!(!wish.under_way() && wish.failure().is_some());
    assert_eq!(sent(&mut wish, shell).1, first);
}

#[test]
fn a_wish_is_not_sent_twice_and_other_answers_are_left_alone() {
    let shell = &mut Desk::new().state.shell;
    let mut wish = Wish::new(shell, 1);
    let (id, _) = sent(&mut wish, shell);
    assert_eq!(wish.send(shell, |_| unreachable!()), []);
    let other = RequestId { number: id.number + 1, ..id };
    assert_eq!(wish.settle(shell, other, Reply::RemoveOperator(Ok(())), removed), None);
    assert!(wish.under_way());
    assert_eq!(wish.settle(shell, id, Reply::RemoveOperator(Ok(())), removed), Some(Ok(())));
    assert!(!wish.under_way());
}

#[test]
fn a_refusal_stands_at_its_field_until_an_edit() {
    let shell = &mut Desk::new().state.shell;
    let mut wish = Wish::new(shell, 1);
    let (id, _) = sent(&mut wish, shell);
    wish.settle(shell, id, Reply::RemoveOperator(Err(failed(FailureKind::Field(Field::Name)))), removed);
    assert!(wish.refusal(Field::Name).is_some() && wish.refusal(Field::Slug).is_none());
    assert!(wish.failure_besides(&[Field::Name]).is_none());
    assert!(wish.failure_besides(&[Field::Slug]).is_some(), "no field of the form: said below them all");
    wish.edited();
    assert!(wish.failure().is_none() && wish.refusal(Field::Name).is_none());
}

/// Sends the wish to remove somebody; the operation's id.
fn asks(wish: &mut Wish, shell: &mut Shell, name: &str) -> (RequestId, OperationId) {
    let effects = wish.send(shell, |operation| Request::RemoveOperator { operation, name: name.into() });
    match <[Effect; 1]>::try_from(effects).unwrap() {
        [Effect::Ask { to, request: Request::RemoveOperator { operation, .. } }] => (to, operation),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_changed_wish_without_an_answer_is_another_and_says_so() {
    let shell = &mut Desk::new().state.shell;
    let mut wish = Wish::new(shell, 1);
    let fails = |wish: &mut Wish, shell: &mut Shell, name: &str, kind| {
        let (id, operation) = asks(wish, shell, name);
        wish.settle(shell, id, Reply::RemoveOperator(Err(failed(kind))), removed);
        operation
    };
    let bob = fails(&mut wish, shell, "bob", FailureKind::Unreachable);
    wish.edited();
    let said = wish.failure().map(ToString::to_string).unwrap_or_default();
    assert!(said.contains("may have been carried out"), "{said}");
    let eve = fails(&mut wish, shell, "eve", FailureKind::Other);
    assert_ne!(eve, bob);
    assert_eq!(fails(&mut wish, shell, "bob", FailureKind::Rule), bob, "the first one again");
    assert_ne!(fails(&mut wish, shell, "bob", FailureKind::Rule), bob, "it was refused, so it is over");
    assert_eq!(
        fails(&mut wish, shell, "eve", FailureKind::NotFound),
        eve,
        "of this one nothing is known yet"
    );
    wish.edited();
    assert!(wish.failure().is_none(), "nothing is open any more");
}
