use super::*;

fn with(operators: &[(&str, &str)]) -> Register {
    let operators = operators.iter().map(|(name, role)| ((*name).to_owned(), (*role).to_owned())).collect();
    Register { operators, ..register() }
}

#[test]
fn an_operator_whom_no_row_made_one_is_found() {
    let line = "operator.unexplained mallory: no row makes it one / admin";
    assert_eq!(told(&with(&[("ada", "admin"), ("mallory", "admin")])), [line]);
}

#[test]
fn an_operator_who_was_removed_and_is_there_is_found() {
    let line = "operator.unexplained bob: no row makes it one / operator";
    assert_eq!(told(&with(&[("ada", "admin"), ("bob", "operator")])), [line]);
}

#[test]
fn an_operator_whom_no_row_removed_and_who_is_gone_is_found() {
    assert_eq!(told(&with(&[])), ["operator.unexplained ada: admin / not there"]);
}

#[test]
fn an_operator_has_the_role_that_was_set_last() {
    for role in ["viewer", "operator", "Admin", ""] {
        let line = format!("operator.unexplained ada: admin / {role}");
        assert_eq!(told(&with(&[("ada", role)])), [line]);
    }
}

#[test]
fn an_operator_set_again_after_a_removal_is_one() {
    let mut again = with(&[("ada", "admin"), ("bob", "viewer")]);
    again.rows.push(row(Action::OperatorSet, "bob", json!({ "role": "viewer" })));
    assert_eq!(told(&again), [""; 0]);
}

#[test]
fn an_operators_name_is_one_in_whatever_way_it_is_composed() {
    let mut register = with(&[("ada", "admin"), ("rene\u{301}", "viewer")]);
    register.rows.push(row(Action::OperatorSet, "ren\u{e9}", json!({ "role": "viewer" })));
    assert_eq!(told(&register), [""; 0]);
    register.rows.push(row(Action::OperatorRemove, "rene\u{301}", json!({})));
    assert_eq!(told(&register), ["operator.unexplained ren\u{e9}: no row makes it one / viewer"]);
}

#[test]
fn a_row_of_something_else_makes_nobody_an_operator() {
    let mut register = with(&[("ada", "admin"), ("mallory", "admin")]);
    register.rows.push(row(Action::AccountChange, "mallory", json!({ "role": "admin" })));
    assert_eq!(told(&register), ["operator.unexplained mallory: no row makes it one / admin"]);
}
