use chrono::Duration;

use super::*;
use crate::domain::examples::noon;

fn key(n: u128) -> Key {
    Key {
        id: KeyId::from_u128(n),
        name: format!("key {n}").into(),
        ..Key::example().made(noon() - Duration::days(30))
    }
}

fn used(key: &Key, ago: Duration) -> Key {
    Key { last_used_at: Some(noon() - ago), ..key.clone() }
}

#[test]
fn what_is_as_it_was_shown_passes_and_what_is_revoked_is_no_matter() {
    let keys = [key(2), key(1)];
    let shown = Manifest::of(&keys, noon());
    assert_eq!(shown.ids().collect::<Vec<_>>(), [keys[1].id, keys[0].id]);
    assert_eq!(shown.check(&keys), Ok(()));
    let revoked = Key { revoked_at: Some(noon()), name: "other".into(), ..key(1) };
    assert_eq!(shown.check([&revoked, &Key { revoked_at: Some(noon()), ..key(3) }]), Ok(()));
}

#[test]
fn what_was_not_shown_or_changed_or_woke_up_is_named() {
    let keys: Vec<Key> = (1..=5).map(key).collect();
    let shown = Manifest::of(&keys, noon());
    let now = [
        Key { name: "other".into(), ..key(1) },
        Key { limits: crate::domain::budget::Budgets::parse("5/1m").unwrap(), ..key(2) },
        used(&key(3), Duration::zero()),
        key(4),
        key(6),
        Key { expires_at: Some(noon()), ..key(5) },
    ];
    let moved = shown.check(&now).unwrap_err();
    assert_eq!(moved.keys.len(), 5);
    let words =
        "\"other\" of acme was changed, \"key 2\" of acme was changed, \"key 3\" of acme was used and 2 more";
    assert_eq!(moved.words, words);
    assert!(shown.check([&key(6)]).unwrap_err().words.ends_with("was not in it"));
}

#[test]
fn only_the_use_of_a_key_that_had_rested_for_a_day_is_news() {
    for (ago, news) in
        [(Duration::minutes(1), false), (Duration::hours(24), false), (Duration::hours(25), true)]
    {
        let before = used(&key(1), ago);
        let shown = Manifest::of([&before], noon());
        assert_eq!(shown.check([&before]), Ok(()));
        assert_eq!(shown.check([&used(&before, Duration::zero())]).is_err(), news, "{ago}");
    }
}
