use crate::domain::operator::{Operator, Role};
use crate::tui::effect::{Effect, FailureKind, Reply, Request};
use crate::tui::testing::{Desk, noon, only_request};

fn operator(name: &str, role: Role) -> Operator {
    Operator { name: name.into(), role, created_at: noon(), created_by: "ada".into(), login: true }
}

fn screen() -> Desk {
    let mut desk = Desk::new();
    let (id, request) = only_request(desk.press("7"));
    assert_eq!(request, Request::Operators);
    let rows = vec![operator("ada", Role::Admin), operator("bob", Role::Viewer)];
    desk.reply(id, Reply::Operators(Ok(rows)));
    desk
}

#[test]
fn a_role_is_changed_after_a_question() {
    let mut desk = screen();
    desk.strike("down e").says("Make bob an operator?");
    let (id, request) = only_request(desk.press("y"));
    let Request::SetOperator { name, role, .. } = request else { panic!("{request:?}") };
    assert_eq!((name.as_str(), role), ("bob", Role::Operator));
    desk.reply(id, Reply::SetOperator(Ok(operator("bob", Role::Operator))));
    assert_eq!(desk.toast(), "bob is an operator now");
}

#[test]
fn a_new_operator_begins_as_a_viewer() {
    let mut desk = screen();
    desk.press("n \"eve\" enter");
    let (_, request) = only_request(desk.press("y"));
    let Request::SetOperator { name, role, .. } = request else { panic!("{request:?}") };
    assert_eq!((name.as_str(), role), ("eve", Role::Viewer));
}

#[test]
fn removing_asks_first() {
    let mut desk = screen();
    desk.strike("down d").says("Remove bob?");
    let (_, request) = only_request(desk.press("y"));
    assert!(matches!(request, Request::RemoveOperator { name, .. } if name == "bob"));
}

#[test]
fn who_is_no_admin_gets_words() {
    let mut desk = screen();
    desk.role(Role::Operator);
    for keys in ["e", "d", "n"] {
        desk.press(keys);
        desk.closed().told("operators can't");
    }
}

#[test]
fn the_screen_at_80_by_24() {
    insta::assert_snapshot!(screen().screen());
}

#[test]
fn a_filter_knows_names_and_roles_and_a_change_takes_the_selected_one() {
    let mut desk = screen();
    desk.strike("/ \"viewer\" enter e").says("Make bob an operator?");
}

#[test]
fn what_would_be_refused_is_said_with_the_question() {
    let mut desk = screen();
    assert_eq!(desk.press("d"), []);
    let (id, request) = desk.preview();
    assert!(matches!(request, Request::RemoveOperator { .. }), "{request:?}");
    let words = "ada is the last admin: somebody else has to be one first";
    assert_eq!(desk.fail(id, Reply::RemoveOperator, FailureKind::Rule, words), []);
    desk.says("Remove ada?").says(words);
}

#[test]
fn one_who_is_new_or_changed_keeps_the_cursor_although_the_filter_hides_them() {
    let mut desk = screen();
    desk.press("/ \"viewer\" enter");
    desk.press("n \"eve\" enter");
    let made = |desk: &mut Desk, role| {
        let (id, _) = only_request(desk.press("y"));
        let effects = desk.reply(id, Reply::SetOperator(Ok(operator("eve", role))));
        let (id, _) = only_request(effects.into_iter().filter(is_list).collect());
        let rows = vec![operator("ada", Role::Admin), operator("bob", Role::Viewer), operator("eve", role)];
        desk.reply(id, Reply::Operators(Ok(rows)));
        desk.selected_line()
    };
    let line = made(&mut desk, Role::Viewer);
    assert!(line.contains("eve") && !line.contains("doesn't match"), "{line}");
    desk.press("e");
    let line = made(&mut desk, Role::Operator);
    assert!(line.contains("eve") && line.contains("doesn't match the filter"), "{line}");
    desk.press("up");
    desk.state.shell.toast = None;
    assert!(desk.selected_line().contains("bob"), "{}", desk.selected_line());
    desk.says_not("eve");
    desk.strike("esc").says("eve");
}

fn is_list(effect: &Effect) -> bool {
    matches!(effect, Effect::Ask { request: Request::Operators, .. })
}
