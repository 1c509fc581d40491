use super::*;

fn mistake(text: &str) -> (usize, usize, String) {
    let error = AuditFilter::parse(text).unwrap_err();
    (error.start, error.end, error.message)
}

#[test]
fn names_and_words_make_a_filter() {
    let filter = AuditFilter::parse(" actor:ada action:key.revoke  billing  account:acme bot ").unwrap();
    assert_eq!(filter.actor.as_deref(), Some("ada"));
    assert_eq!(filter.action.as_deref(), Some("key.revoke"));
    assert_eq!(filter.account.as_deref(), Some("acme"));
    assert_eq!(filter.text.as_deref(), Some("billing bot"));
    assert_eq!(AuditFilter::parse("  ").unwrap(), AuditFilter::default());
}

#[test]
fn a_noun_alone_stands_for_all_its_actions() {
    assert_eq!(AuditFilter::parse("action:key").unwrap().action.as_deref(), Some("key"));
}

#[test]
fn a_key_is_named_by_its_whole_id() {
    let id = "0192d4e0-7b6a-7c3e-9f00-0123456789ab";
    assert_eq!(AuditFilter::parse(&format!("key:{id}")).unwrap().key, id.parse().ok());
    assert_eq!(mistake("key:0192"), (0, 8, "0192 is no whole id of a key".into()));
}

#[test]
fn mistakes_are_answered_with_their_place() {
    assert_eq!(mistake("x action:key.eat").0, 2);
    assert!(mistake("action:key.eat").2.starts_with("no action key.eat: issuer.apply"));
    assert_eq!(
        mistake("ada colour:red"),
        (4, 14, "colour is not known: actor, action, account, key, or words".into())
    );
    assert_eq!(mistake("actor:").2, "write what actor shall be, as in actor:…");
    assert_eq!(mistake("actor:a actor:b"), (8, 15, "actor stands here twice".into()));
}
