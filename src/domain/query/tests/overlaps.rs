//! Filters for both keys of a rotation.

use chrono::Duration;

use crate::domain::key::Key;
use crate::domain::query::{Query, Side, Test};
use crate::domain::when::Here;

fn read(text: &str) -> Query {
    Query::parse(text, Here::utc(Key::example().created_at)).unwrap()
}

#[test]
fn kr_11_filters_for_rotations_are_read_and_written() {
    for (text, test) in [
        ("replaces:yes", Test::Replaces(true)),
        ("replaces:no", Test::Replaces(false)),
        ("overlap:old", Test::Overlap(Side::Old)),
        ("overlap:new", Test::Overlap(Side::New)),
        ("overlap:open", Test::Overlap(Side::Open)),
    ] {
        let query = read(text);
        assert_eq!(query.terms[0].test, test);
        assert_eq!(query.to_string(), text);
        assert_eq!(read(&text.to_uppercase().replace("OVERLAP", "overlap")), query, "{text}");
    }
    let refused = Query::parse("overlap:both", Here::utc(Key::example().created_at)).unwrap_err();
    assert_eq!((refused.start, refused.message.contains("old, new or open")), (8, true), "{refused}");
}

#[test]
fn kr_11_an_overlap_is_open_while_both_keys_are_there() {
    let now = Key::example().created_at + Duration::hours(1);
    let hour = Duration::hours(1);
    let mut old = Key { expires_at: Some(now + hour), ..Key::example() };
    let mut new = Key { id: uuid::Uuid::from_u128(9), predecessor: Some(old.id), ..Key::example() };
    let fits = |key: &Key| {
        ["overlap:old", "overlap:new", "overlap:open", "replaces:yes"]
            .map(|text| read(text).matches(key, now))
    };
    (old.successor, new.predecessor_ends_at) = (Some(new.id), old.expires_at);
    assert_eq!(fits(&old), [false; 4], "nobody confirmed the new secret");
    old.successor_confirmed = true;
    assert_eq!(fits(&old), [true, false, true, false]);
    assert_eq!(fits(&new), [false, true, true, true]);
    new.acknowledged_at = None;
    assert_eq!(fits(&new), [false, false, false, true]);
    new.acknowledged_at = Some(now);
    (old.expires_at, new.predecessor_ends_at) = (Some(now), Some(now));
    assert_eq!((fits(&old), fits(&new)), ([false; 4], [false, false, false, true]), "it has ended");
}
