use proptest::prelude::*;

use super::*;
use crate::domain::examples::noon;
use crate::domain::query::{Bound, Point};

fn read(text: &str) -> Result<AuditFilter, QueryError> {
    AuditFilter::parse(text, Here::utc(noon()))
}

#[test]
fn kr_17_times_are_read_as_in_the_filter_of_keys_and_a_day_is_that_day() {
    let at = |text: &str| read(text).unwrap().at;
    let day = |text: &str| Point::At(text.parse().unwrap());
    assert_eq!(at("at:<7d"), [Bound::After(Point::FromNow(-crate::domain::when::Span::days(7)))]);
    let whole =
        [Bound::After(day("2026-11-19T23:59:59.999999Z")), Bound::Before(day("2026-11-21T00:00:00Z"))];
    assert_eq!(at("at:2026-11-20"), whole);
    assert_eq!(at("at:yesterday"), whole);
    assert_eq!(at("at:>2026-11-19 at:<2026-11-21"), whole);
}

#[test]
fn a_filter_of_the_audit_is_read() {
    let id = "0192f000-1111-7222-8333-0123456789ab";
    let filter = read(&format!(
        "actor:\"Ada L\" person:SHA256:abc leaked action:key.revoke account:Acme key:{id} key"
    ))
    .unwrap();
    assert_eq!(
        filter,
        AuditFilter {
            actor: Some("Ada L".into()),
            person: Some("SHA256:abc".into()),
            action: Some("key.revoke".into()),
            account: Some("acme".into()),
            key: Some(id.parse().unwrap()),
            operation: None,
            at: Vec::new(),
            text: Some("leaked key".into()),
        }
    );
    assert_eq!(read("  "), Ok(AuditFilter::default()));
    assert_eq!(read("action:key").unwrap().action.as_deref(), Some("key"));
    assert_eq!(read("\"a:b\" -").unwrap().text.as_deref(), Some("a:b -"));
}

#[test]
fn a_mistake_in_a_filter_of_the_audit_is_marked_at_its_place() {
    for (text, place, words) in [
        ("x action:key.revok", "key.revok", "did you mean key.revoke?"),
        ("action:fly", "fly", "key.revoke"),
        ("acter:ada", "acter:ada", "did you mean actor:?"),
        ("foo:ada", "foo:ada", "there are actor, person, action, account, key and at"),
        ("actor:", "actor:", "needs a value"),
        ("actor:a by:b", "by:b", "twice"),
        ("actor:a actor:b", "actor:b", "twice"),
        ("x at:soon", "soon", "at: does not know"),
        ("at:<1d,2d", "<1d,2d", "takes one value"),
        ("key:0192", "0192", "whole id"),
        ("account:a_b", "a_b", "hyphens"),
        ("a -actor:ada", "actor:ada", "doesn't support -"),
    ] {
        let error = read(text).unwrap_err();
        assert_eq!(&text[error.start..error.end], place, "{text}: {error}");
        assert!(error.message.contains(words), "{text}: {error}");
    }
}

proptest! {
    #[test]
    fn any_filter_is_read_or_refused_at_a_place_inside_it(text in ".{0,40}|[a-z:.,\" -]{0,30}") {
        if let Err(error) = read(&text) {
            prop_assert!(error.start < error.end && text.get(error.start..error.end).is_some());
        }
    }
}
