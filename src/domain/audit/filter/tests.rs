use proptest::prelude::*;

use super::*;

#[test]
fn a_filter_of_the_audit_is_read() {
    let id = "0192f000-1111-7222-8333-0123456789ab";
    let filter =
        AuditFilter::parse(&format!("actor:\"Ada L\" leaked action:key.revoke account:Acme key:{id} key"))
            .unwrap();
    assert_eq!(
        filter,
        AuditFilter {
            actor: Some("Ada L".into()),
            action: Some("key.revoke".into()),
            account: Some("acme".into()),
            key: Some(id.parse().unwrap()),
            operation: None,
            text: Some("leaked key".into()),
        }
    );
    assert_eq!(AuditFilter::parse("  "), Ok(AuditFilter::default()));
    assert_eq!(AuditFilter::parse("action:key").unwrap().action.as_deref(), Some("key"));
    assert_eq!(AuditFilter::parse("\"a:b\" -").unwrap().text.as_deref(), Some("a:b -"));
}

#[test]
fn a_mistake_in_a_filter_of_the_audit_is_marked_at_its_place() {
    for (text, place, words) in [
        ("x action:key.revok", "key.revok", "did you mean key.revoke?"),
        ("action:fly", "fly", "key.revoke"),
        ("acter:ada", "acter:ada", "did you mean actor:?"),
        ("foo:ada", "foo:ada", "there are actor, action, account and key"),
        ("actor:", "actor:", "needs a value"),
        ("actor:a by:b", "by:b", "twice"),
        ("actor:a actor:b", "actor:b", "twice"),
        ("key:0192", "0192", "whole id"),
        ("account:a_b", "a_b", "hyphens"),
        ("a -actor:ada", "actor:ada", "knows no -"),
    ] {
        let error = AuditFilter::parse(text).unwrap_err();
        assert_eq!(&text[error.start..error.end], place, "{text}: {error}");
        assert!(error.message.contains(words), "{text}: {error}");
    }
}

proptest! {
    #[test]
    fn any_filter_is_read_or_refused_at_a_place_inside_it(text in ".{0,40}|[a-z:.,\" -]{0,30}") {
        if let Err(error) = AuditFilter::parse(&text) {
            prop_assert!(error.start < error.end && text.get(error.start..error.end).is_some());
        }
    }
}
