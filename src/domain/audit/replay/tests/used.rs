use super::*;

fn used(at: Micros) -> StoredKey {
    StoredKey { last_used_at: Some(at), ..newer().0 }
}

#[test]
fn a_use_lies_between_the_creation_and_now_but_for_what_clocks_may_differ() {
    let rows = newer().1;
    let line = |words: &str| [format!("key.use: {words}")];
    for at in [DAY - APART, DAY, 2 * DAY, 3 * DAY + APART] {
        assert_eq!(told(&used(at), &rows, &today()), [""; 0]);
    }
    let before = line("created at 1970-01-02T00:00:00Z / last used at 1970-01-01T23:49:59Z");
    assert_eq!(told(&used(DAY - APART - 1), &rows, &today()), before);
    let ahead = line("it is 1970-01-04T00:00:00Z / last used at 1970-01-04T00:10:00Z");
    assert_eq!(told(&used(3 * DAY + APART + 1), &rows, &today()), ahead);
}

#[test]
fn what_another_product_knew_of_its_last_use_came_with_it() {
    let mut rows = newer().1;
    rows[0].detail["last_used_at"] = "1970-01-01T01:00:00Z".into();
    let hour = 3_600_000_000;
    assert_eq!(told(&used(hour), &rows, &today()), [""; 0]);
    assert_eq!(kinds(&used(hour + 2), &rows, &today()), [Kind::Use]);
    rows[0].detail["last_used_at"] = Value::Null;
    assert_eq!(kinds(&used(hour), &rows, &today()), [Kind::Use]);
}

#[test]
fn a_key_that_lives_by_a_use_that_no_gate_counted_is_found() {
    let rows = &newer().1[..1];
    let hour = 3_600_000_000;
    let era = Era { counted_since: Some(DAY - hour - 1), ..today() };
    let unconfirmed =
        |counted| StoredKey { acknowledged_at: None, counted, last_used_at: Some(DAY + 1), ..newer().0 };
    let line = "key.use: nobody confirmed its secret, and no gate counted a use of it before 1970-01-02T00:10:00Z / \
                last used at 1970-01-02T00:00:00Z";
    assert_eq!(told(&unconfirmed(Some(false)), rows, &era), [line]);
    for counted in [None, Some(true)] {
        assert_eq!(told(&unconfirmed(counted), rows, &era), [""; 0]);
    }
    // Counts that don't reach back an hour before its creation can't tell.
    for counted_since in [Some(DAY - hour), Some(DAY), None] {
        assert_eq!(told(&unconfirmed(Some(false)), rows, &Era { counted_since, ..era }), [""; 0]);
    }
    assert_eq!(told(&unconfirmed(Some(false)), rows, &Era { demo: Some(2 * DAY), ..era }), [""; 0]);
}

#[test]
fn a_key_of_a_demo_needs_no_creator_but_its_rows_are_compared() {
    let (key, rows) = newer();
    let demo = |loaded| Era { demo: Some(loaded), ..today() };
    let other = StoredKey { created_by: "bob".into(), ..key.clone() };
    // The instant of its loading is the demo's too.
    assert_eq!(told(&other, &rows, &demo(DAY)), [""; 0]);
    assert_eq!(kinds(&other, &rows, &demo(DAY - 1)), [Kind::Identity]);
    let scoped = StoredKey { scopes: "a:y".into(), ..key.clone() };
    assert_eq!(kinds(&scoped, &rows, &demo(2 * DAY)), [Kind::Scopes]);
    // Without a row of its creation it is counted, and what else is told of it compared.
    let undated = StoredKey { not_before: None, stops_at: None, own_expiry: None, revoke_at: None, ..key };
    assert_eq!(told(&undated, &rows[1..], &demo(2 * DAY)), [""; 0]);
    assert_eq!(
        kinds(&StoredKey { acknowledged_at: None, ..undated }, &rows[1..], &demo(2 * DAY)),
        [Kind::Confirmation]
    );
}
