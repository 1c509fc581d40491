use super::*;
use crate::domain::operator::Role;

#[test]
fn each_kind_of_error_has_its_exit_code() {
    let code = |error: service::Error| Failure::from(error).exit as u8;
    assert_eq!(
        code(service::Error::NotPermitted { who: "bob".into(), what: "revoke keys", needs: Role::Operator }),
        4
    );
    assert_eq!(code(service::Error::Suspended { account: "acme".into() }), 5);
    assert_eq!(code(service::Error::KeyLimit { account: "acme".into(), active: 20, cap: 20 }), 5);
    assert_eq!(code(service::Error::TooFast { account: "acme".into(), made: 10, cap: 10, wait: 8 }), 5);
    assert_eq!(code(service::Error::Invalid { field: service::Field::Name, why: "missing".into() }), 2);
    assert_eq!(code(service::Error::NotFound { kind: "key", name: "x".into(), hint: "" }), 3);
    assert_eq!(code(StoreError::Unreachable("refused".into()).into()), 7);
    assert_eq!(code(StoreError::Other("odd".into()).into()), 1);
}

#[test]
fn a_message_cannot_carry_a_control_sequence_to_the_terminal() {
    let failure = Failure::usage("no account \u{1b}[2J\u{202e}x\nsecond line");
    assert_eq!(failure.to_string(), "no account \u{fffd}[2J\u{fffd}x\nsecond line");
}

#[test]
fn a_reader_that_went_away_is_no_failure() {
    let gone = Failure::output(&io::Error::from(io::ErrorKind::BrokenPipe));
    assert_eq!(gone, Failure::quiet(Exit::Done));
    let full = Failure::output(&io::Error::from(io::ErrorKind::StorageFull));
    assert_eq!(full.exit, Exit::Failure);
}
