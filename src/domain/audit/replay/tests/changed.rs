use super::*;

/// The key of [`newer`], revoked two days after the epoch because it leaked.
fn revoked() -> (StoredKey, Vec<Row>) {
    let (key, mut rows) = newer();
    rows.push(row(Action::KeyRevoke, 2 * DAY, json!({ "reason": "leaked" })));
    let (at, by, why) = (Some(2 * DAY), Some("ada".to_owned()), Some("leaked".to_owned()));
    (StoredKey { revoked_at: at, revoked_by: by, revoke_reason: why, ..key }, rows)
}

#[test]
fn a_key_that_was_revoked_and_is_not_is_found() {
    let (key, rows) = revoked();
    assert_eq!(told(&key, &rows, &today()), [""; 0]);
    let back = StoredKey { revoked_at: None, revoked_by: None, revoke_reason: None, ..key };
    let line = "key.unrevoked: revoked at 1970-01-03T00:00:00Z by ada: leaked / not revoked";
    assert_eq!(told(&back, &rows, &today()), [line]);
    // Also one of a demo.
    assert_eq!(told(&back, &rows, &Era { demo: Some(9 * DAY), ..today() }), [line]);
}

#[test]
fn a_revocation_that_no_row_tells_of_is_found() {
    let (key, rows) = revoked();
    let table = "revoked at 1970-01-03T00:00:00Z by ada: leaked";
    assert_eq!(
        told(&key, &rows[..2], &today()),
        [format!("key.revocation: no row records a revocation / {table}")]
    );
    let by_nobody = StoredKey { revoked_by: None, revoke_reason: None, ..key };
    let line = "key.revocation: no row records a revocation / revoked at 1970-01-03T00:00:00Z by nobody";
    assert_eq!(told(&by_nobody, &rows[..2], &today()), [line]);
}

#[test]
fn a_revocation_by_somebody_else_or_for_another_reason_is_found() {
    let (key, rows) = revoked();
    for (other, words) in [
        (StoredKey { revoked_by: Some("bob".into()), ..key.clone() }, "1970-01-03T00:00:00Z by bob: leaked"),
        (StoredKey { revoked_by: None, ..key.clone() }, "1970-01-03T00:00:00Z by nobody: leaked"),
        (StoredKey { revoke_reason: None, ..key.clone() }, "1970-01-03T00:00:00Z by ada"),
        (
            StoredKey { revoke_reason: Some("lost".into()), ..key.clone() },
            "1970-01-03T00:00:00Z by ada: lost",
        ),
    ] {
        let line =
            format!("key.revocation: revoked at 1970-01-03T00:00:00Z by ada: leaked / revoked at {words}");
        assert_eq!(told(&other, &rows, &today()), [line]);
    }
}

#[test]
fn a_revocation_is_as_old_as_its_row_but_for_what_clocks_may_differ() {
    let (key, rows) = revoked();
    let at = |at: Micros| kinds(&StoredKey { revoked_at: Some(at), ..key.clone() }, &rows, &today());
    for near in [2 * DAY - APART, 2 * DAY + APART] {
        assert_eq!(at(near), []);
    }
    for far in [2 * DAY - APART - 1, 2 * DAY + APART + 1] {
        assert_eq!(at(far), [Kind::Revocation]);
    }
}

#[test]
fn the_first_of_two_revocations_is_the_one_that_counts() {
    let (key, mut rows) = revoked();
    let mut again = row(Action::KeyRevoke, 3 * DAY, json!({ "reason": "again" }));
    again.actor = "bob".into();
    rows.push(again);
    assert_eq!(told(&key, &rows, &today()), [""; 0]);
}

#[test]
fn a_history_of_a_demo_is_excused_its_clock_and_actor_but_no_reason() {
    let (key, rows) = revoked();
    let demo = |loaded| Era { demo: Some(loaded), ..today() };
    let other = StoredKey { revoked_by: Some("bob".into()), ..key.clone() };
    assert_eq!(kinds(&other, &rows, &demo(2 * DAY)), []);
    // It was revoked after the demo was loaded.
    assert_eq!(kinds(&other, &rows, &demo(2 * DAY - 1)), [Kind::Revocation]);
    // It was created after that.
    assert_eq!(kinds(&other, &rows, &demo(DAY - 1)), [Kind::Revocation]);
    // Before histories were told, no row told of it at all.
    assert_eq!(kinds(&key, &rows[..2], &demo(2 * DAY)), []);
    assert_eq!(kinds(&key, &rows[..2], &demo(2 * DAY - 1)), [Kind::Revocation]);
    let early = StoredKey { revoked_at: Some(2 * DAY - 2 * APART), ..key.clone() };
    assert_eq!(kinds(&early, &rows, &demo(2 * DAY)), []);
    assert_eq!(kinds(&StoredKey { revoke_reason: None, ..key }, &rows, &demo(2 * DAY)), [Kind::Revocation]);
}

#[test]
fn a_confirmation_is_what_its_row_tells() {
    let (key, rows) = newer();
    let confirmed = |at| StoredKey { acknowledged_at: at, ..key.clone() };
    assert_eq!(
        told(&key, &rows[..1], &today()),
        [
            "key.confirmation: no row records that its secret was confirmed / confirmed at 1970-01-03T00:00:00Z"
        ]
    );
    assert_eq!(told(&confirmed(None), &rows[..1], &today()), [""; 0]);
    let line = |table: &str| format!("key.confirmation: confirmed at 1970-01-03T00:00:00Z / {table}");
    assert_eq!(told(&confirmed(None), &rows, &today()), [line("not confirmed")]);
    let near = [2 * DAY - APART, 2 * DAY + APART];
    for at in near {
        assert_eq!(told(&confirmed(Some(at)), &rows, &today()), [""; 0]);
    }
    let far = confirmed(Some(2 * DAY + APART + 1));
    assert_eq!(told(&far, &rows, &today()), [line("confirmed at 1970-01-03T00:10:00Z")]);
    let mut again = rows.clone();
    again.push(row(Action::KeyAcknowledge, 3 * DAY, json!({})));
    assert_eq!(told(&key, &again, &today()), [""; 0]);
}

#[test]
fn a_confirmation_of_a_demo_is_excused_its_clock_but_not_that_it_is_gone() {
    let (key, rows) = newer();
    let demo = |loaded| Era { demo: Some(loaded), ..today() };
    assert_eq!(kinds(&key, &rows[..1], &demo(2 * DAY)), []);
    assert_eq!(kinds(&key, &rows[..1], &demo(2 * DAY - 1)), [Kind::Confirmation]);
    let early = StoredKey { acknowledged_at: Some(DAY), ..key.clone() };
    assert_eq!(kinds(&early, &rows, &demo(2 * DAY)), []);
    assert_eq!(kinds(&early, &rows, &demo(DAY - 1)), [Kind::Confirmation]);
    let gone = StoredKey { acknowledged_at: None, ..key };
    assert_eq!(kinds(&gone, &rows, &demo(2 * DAY)), [Kind::Confirmation]);
}

#[test]
fn what_moves_in_was_confirmed_by_who_imported_it() {
    let (key, mut rows) = newer();
    rows[0].action = Action::KeyImport.as_str().into();
    let imported = StoredKey { acknowledged_at: Some(DAY), ..key };
    assert_eq!(told(&imported, &rows, &today()), [""; 0]);
    assert_eq!(told(&imported, &rows[..1], &today()), [""; 0]);
    rows[0].action = Action::KeyCreate.as_str().into();
    assert_eq!(kinds(&imported, &rows[..1], &today()), [Kind::Confirmation]);
}

#[test]
fn an_expiry_is_what_the_last_row_about_it_tells() {
    let (key, mut rows) = older();
    let expires = |at| StoredKey { stops_at: at, ..key.clone() };
    let line = |words: &str| [format!("key.expiry: {words}")];
    let told = |at, rows: &[Row]| told(&expires(at), rows, &today());
    // A finer clock may be cut or rounded.
    for at in [30 * DAY, 30 * DAY + 1] {
        assert_eq!(told(Some(at), &rows), [""; 0]);
    }
    assert_eq!(kinds(&expires(Some(30 * DAY + 2)), &rows, &today()), [Kind::Expiry]);
    assert_eq!(told(None, &rows), line("expires at 1970-01-31T00:00:00Z / never expires"));
    rows.push(row(
        Action::KeyEdit,
        DAY,
        json!({ "changed": { "expires_at": ["1970-01-31T00:00:00Z", null] } }),
    ));
    assert_eq!(told(None, &rows), [""; 0]);
    assert_eq!(told(Some(30 * DAY), &rows), line("never expires / expires at 1970-01-31T00:00:00Z"));
    rows.push(row(Action::KeyRetire, DAY, json!({ "ends_at": "1970-01-11T00:00:00Z" })));
    rows.push(row(Action::KeyRetire, DAY, json!({})));
    rows.push(row(Action::KeyEdit, DAY, json!({ "changed": { "name": ["cafe\u{301}", "caf\u{e9}"] } })));
    assert_eq!(told(Some(10 * DAY), &rows), [""; 0]);
    assert_eq!(told(None, &rows), line("expires at 1970-01-11T00:00:00Z / never expires"));
}

#[test]
fn a_creation_that_tells_no_expiry_leaves_it_open() {
    let (key, mut rows) = older();
    rows[0].detail.as_object_mut().unwrap().remove("expires_at");
    assert_eq!(told(&key, &rows, &today()), [""; 0]);
}

#[test]
fn what_stops_a_key_is_the_sooner_of_its_expiry_and_its_planned_revocation() {
    let (key, rows) = newer();
    let line = "key.expiry: stops at 1970-01-21T00:00:00Z / stops at 1970-01-31T00:00:00Z";
    assert_eq!(told(&StoredKey { stops_at: Some(30 * DAY), ..key.clone() }, &rows, &today()), [line]);
    let line = "key.expiry: stops at 1970-01-21T00:00:00Z / never stops";
    assert_eq!(told(&StoredKey { stops_at: None, ..key }, &rows, &today()), [line]);
}

#[test]
fn a_planned_revocation_of_a_creation_is_its_creators() {
    let (key, mut rows) = newer();
    let line = "key.plan: to be revoked at 1970-01-21T00:00:00Z as ada planned / \
                to be revoked at 1970-01-21T00:00:00Z as bob planned";
    let other = StoredKey { planned_by: Some("bob".into()), ..key.clone() };
    assert_eq!(told(&other, &rows, &today()), [line]);
    // Who names another reason plans it.
    let changed = json!({ "changed": { "plan_reason": [null, "moves away"] } });
    rows.push(Row { actor: "bob".into(), ..row(Action::KeyEdit, DAY, changed) });
    rows.push(row(Action::KeyEdit, DAY, json!({ "changed": { "name": ["hub", "hub"] } })));
    let reasoned = StoredKey { plan_reason: Some("moves away".into()), ..other };
    assert_eq!(told(&reasoned, &rows, &today()), [""; 0]);
    let unplanned = StoredKey { revoke_at: None, planned_by: None, stops_at: Some(30 * DAY), ..key };
    let line = "key.plan: to be revoked at 1970-01-21T00:00:00Z as bob planned: moves away / no revocation is planned";
    assert_eq!(told(&unplanned, &rows, &today()), [line]);
}

#[test]
fn a_creation_without_a_planned_revocation_has_no_planner() {
    let (key, mut rows) = newer();
    rows[0].detail["revoke_at"] = Value::Null;
    let line = "key.plan: no revocation is planned / to be revoked at 1970-01-21T00:00:00Z as ada planned";
    assert_eq!(told(&key, &rows, &today()), [line]);
    rows.push(row(
        Action::KeyEdit,
        DAY,
        json!({ "changed": { "revoke_at": [null, "1970-01-21T00:00:00Z"] } }),
    ));
    assert_eq!(told(&key, &rows, &today()), [""; 0]);
}

#[test]
fn a_pause_is_the_last_one_that_nobody_resumed() {
    let (key, mut rows) = newer();
    let paused =
        |until, by: &str| StoredKey { paused_until: Some(until), paused_by: Some(by.into()), ..key.clone() };
    let words = "paused until 1970-01-05T00:00:00Z by ada";
    assert_eq!(told(&paused(4 * DAY, "ada"), &rows, &today()), [format!("key.pause: not paused / {words}")]);
    rows.push(row(Action::KeyPause, 2 * DAY, json!({ "until": "1970-01-04T00:00:00Z" })));
    rows.push(row(Action::KeyPause, 2 * DAY, json!({ "until": "1970-01-05T00:00:00Z" })));
    assert_eq!(told(&paused(4 * DAY, "ada"), &rows, &today()), [""; 0]);
    assert_eq!(told(&key, &rows, &today()), [format!("key.pause: {words} / not paused")]);
    let line = format!("key.pause: {words} / paused until 1970-01-04T00:00:00Z by ada");
    assert_eq!(told(&paused(3 * DAY, "ada"), &rows, &today()), [line]);
    let line = format!("key.pause: {words} / paused until 1970-01-05T00:00:00Z by bob");
    assert_eq!(told(&paused(4 * DAY, "bob"), &rows, &today()), [line]);
    rows.push(row(Action::KeyResume, 2 * DAY, json!({})));
    assert_eq!(told(&key, &rows, &today()), [""; 0]);
    assert_eq!(kinds(&paused(4 * DAY, "ada"), &rows, &today()), [Kind::Pause]);
}

#[test]
fn limits_are_those_that_were_set_last_in_whatever_order_they_are_written() {
    let (key, mut rows) = newer();
    let limited = |limits: Option<&str>| StoredKey { limits: limits.map(str::to_owned), ..key.clone() };
    let line = |words: &str| [format!("key.limits: {words}")];
    assert_eq!(told(&limited(None), &rows, &today()), line("100/1m / no limits of its own"));
    assert_eq!(told(&limited(Some("101/1m")), &rows, &today()), line("100/1m / 101/1m"));
    assert_eq!(told(&limited(Some("no limit")), &rows, &today()), line("100/1m / no limit"));
    rows.push(row(Action::KeyLimit, DAY, json!({ "to": "5000/1h 100/1m" })));
    rows.push(row(Action::KeyLimit, DAY, json!({})));
    for same in ["5000/1h 100/1m", "100/1m  5000/1h"] {
        assert_eq!(told(&limited(Some(same)), &rows, &today()), [""; 0]);
    }
    assert_eq!(kinds(&limited(Some("100/1m")), &rows, &today()), [Kind::Limits]);
    rows.push(row(Action::KeyLimit, DAY, json!({ "to": null })));
    assert_eq!(told(&limited(None), &rows, &today()), [""; 0]);
    assert_eq!(told(&limited(Some("7/1m")), &rows, &today()), line("no limits of its own / 7/1m"));
}

#[test]
fn a_creation_that_tells_no_limits_had_none_unless_it_replaces_a_key() {
    let (key, mut rows) = newer();
    rows[0].detail.as_object_mut().unwrap().remove("limits");
    for (action, found) in [
        (Action::KeyCreate, vec![Kind::Limits]),
        (Action::KeyImport, vec![Kind::Limits]),
        (Action::KeyRotate, Vec::new()),
    ] {
        rows[0].action = action.as_str().into();
        let key = StoredKey { acknowledged_at: Some(DAY), ..key.clone() };
        rows[1].at = DAY;
        assert_eq!(kinds(&key, &rows, &today()), found, "{action:?}");
    }
}
