use serde_json::json;

use super::*;

mod changed;
mod identity;
mod used;

const DAY: Micros = 86_400_000_000;
/// Two clocks may tell of one moment that far apart.
const APART: Micros = 600_000_000;

fn row(action: Action, at: Micros, detail: Value) -> Row {
    let action = action.as_str().to_owned();
    Row { at, actor: "ada".into(), action, subject: String::new(), account: Some("acme".into()), detail }
}

/// A key as a version wrote it that told little of it.
fn older() -> (StoredKey, Vec<Row>) {
    let detail = json!({ "name": "cafe\u{301}", "preview": "k_…abcd", "scopes": ["b:x", "a:y"], "allow": ["10.0.0.0/8"],
                         "expires_at": "1970-01-31T00:00:00.000000500Z", "replaces": null });
    let key = StoredKey {
        scheme: "sha256".into(),
        account: "acme".into(),
        name: "caf\u{e9}".into(),
        preview: "k_…abcd".into(),
        scopes: "a:y b:x".into(),
        allow: "{10.0.0.0/8}".into(),
        created_at: DAY,
        created_by: "ada".into(),
        claim_by: DAY + 600_000_000,
        stops_at: Some(30 * DAY),
        acknowledged_at: Some(DAY + 5_000_000),
        ..StoredKey::default()
    };
    let rows = [row(Action::KeyCreate, DAY, detail), row(Action::KeyAcknowledge, DAY + 5_000_000, json!({}))];
    (key, rows.into())
}

/// A key as this version writes it, and the rows that tell of it.
fn newer() -> (StoredKey, Vec<Row>) {
    let detail = json!({
        "name": "hub", "description": "of the office", "preview": "k_…abcd", "issuer": "voxpria", "replaces": Uuid::from_u128(6),
        "overlap_seconds": 3600, "scopes": ["a:y", "b:x"], "allow": ["10.0.0.0/8"], "owner": "Ops", "owner_mail": "ops@acme.example",
        "tags": ["prod"], "scheme": "sha512", "imported_from": "unkey", "fingerprint": "aa", "limits": "100/1m",
        "expires_at": "1970-01-31T00:00:00Z", "not_before": "1970-01-03T00:00:00Z", "revoke_at": "1970-01-21T00:00:00Z",
    });
    let key = StoredKey {
        id: Uuid::from_u128(7),
        account: "acme".into(),
        issuer: "voxpria".into(),
        name: "hub".into(),
        description: "of the office".into(),
        owner: Some("Ops".into()),
        owner_mail: Some("ops@acme.example".into()),
        tags: "prod".into(),
        preview: "k_…abcd".into(),
        fingerprint: Some("aa".into()),
        scopes: "a:y b:x".into(),
        allow: "10.0.0.0/8".into(),
        limits: Some("100/1m".into()),
        created_at: DAY,
        created_by: "ada".into(),
        claim_by: DAY + 600_000_000,
        stops_at: Some(20 * DAY),
        own_expiry: Some(30 * DAY),
        not_before: Some(2 * DAY),
        revoke_at: Some(20 * DAY),
        planned_by: Some("ada".into()),
        acknowledged_at: Some(2 * DAY),
        predecessor: Some(Uuid::from_u128(6)),
        overlap_seconds: Some(3600),
        scheme: "sha512".into(),
        imported_from: Some("unkey".into()),
        ..StoredKey::default()
    };
    (key, vec![row(Action::KeyRotate, DAY, detail), row(Action::KeyAcknowledge, 2 * DAY, json!({}))])
}

/// Each finding in one line: what the audit says, and what the table says.
fn told(key: &StoredKey, rows: &[Row], era: &Era) -> Vec<String> {
    let line = |one: Finding| {
        assert_eq!(*one.subject, key.id.to_string());
        format!("{}: {} / {}", one.kind.as_str(), one.audit, one.table)
    };
    judge(key, rows, era).into_iter().map(line).collect()
}

/// Three days after the epoch, without a demo.
fn today() -> Era {
    Era { now: 3 * DAY, ..Era::default() }
}

fn kinds(key: &StoredKey, rows: &[Row], era: &Era) -> Vec<Kind> {
    judge(key, rows, era).into_iter().map(|one| one.kind).collect()
}

#[test]
fn an_older_row_is_judged_by_what_it_says() {
    let era = Era { now: 2 * DAY, ..Era::default() };
    let (key, rows) = older();
    assert_eq!(kinds(&key, &rows, &era), []);
    let described = StoredKey { description: "said by no row".into(), ..key.clone() };
    assert_eq!(kinds(&described, &rows, &era), []);
    let limited = StoredKey { limits: Some("1/1m".into()), ..key.clone() };
    assert_eq!(kinds(&limited, &rows, &era), [Kind::Limits]);
    // A replacement of then had the limits of what it replaced, which no row tells.
    let mut rotated = rows.clone();
    rotated[0].action = Action::KeyRotate.as_str().into();
    assert_eq!(kinds(&limited, &rotated, &era), []);
    assert_eq!(kinds(&key, &[], &era), [Kind::Planted]);
    assert_eq!(kinds(&key, &[], &Era { demo: Some(2 * DAY), ..era }), []);
}

#[test]
fn values_that_no_clock_shows_are_told_and_break_nothing() {
    let era = Era { now: 2 * DAY, ..Era::default() };
    let (key, rows) = older();
    for at in [i64::MIN, i64::MAX] {
        let odd =
            StoredKey { stops_at: Some(at), last_used_at: Some(at), revoked_at: Some(at), ..key.clone() };
        assert_eq!(kinds(&odd, &rows, &era), [Kind::Revocation, Kind::Expiry, Kind::Use]);
        let odd = StoredKey { created_at: at, ..key.clone() };
        assert!(!kinds(&odd, &rows, &era).is_empty());
    }
}

#[test]
fn kr_10_an_owner_and_tags_are_what_the_rows_tell_and_none_before_they_told_of_any() {
    let era = Era { now: 2 * DAY, ..Era::default() };
    let (key, mut rows) = older();
    let (owner, owner_mail) = (Some("Ops".to_owned()), Some("ops@acme.example".to_owned()));
    let owned = StoredKey { owner, owner_mail, tags: "a prod".into(), ..key.clone() };
    assert_eq!(kinds(&owned, &rows, &era), [Kind::Identity, Kind::Identity, Kind::Identity]);
    let changed = json!({ "owner": [null, "Ops"], "owner_mail": [null, "ops@acme.example"], "tags": [[], ["prod", "a"]] });
    rows.push(row(Action::KeyEdit, DAY, json!({ "changed": changed })));
    assert_eq!(kinds(&owned, &rows, &era), []);
    assert_eq!(kinds(&key, &rows, &era).len(), 3);
    rows.push(row(
        Action::KeyEdit,
        DAY,
        json!({ "changed": { "owner": ["Ops", null], "owner_mail": ["ops@acme.example", null] } }),
    ));
    assert_eq!(kinds(&StoredKey { tags: "prod a".into(), ..key }, &rows, &era), []);
}

#[test]
fn a_planned_revocation_is_who_planned_it_when_and_why() {
    let era = Era { now: 2 * DAY, ..Era::default() };
    let (key, mut rows) = older();
    let changed = json!({ "revoke_at": [null, "1970-01-21T00:00:00Z"], "plan_reason": [null, "moves away"] });
    rows.push(row(Action::KeyEdit, DAY, json!({ "changed": changed })));
    let (at, by, why) = (Some(20 * DAY), Some("ada".to_owned()), Some("moves away".to_owned()));
    let planned = StoredKey {
        revoke_at: at,
        stops_at: at,
        own_expiry: key.stops_at,
        planned_by: by,
        plan_reason: why,
        ..key.clone()
    };
    assert_eq!(kinds(&planned, &rows, &era), []);
    for other in [
        StoredKey { planned_by: Some("bob".into()), ..planned.clone() },
        StoredKey { plan_reason: None, ..planned.clone() },
        StoredKey { revoke_at: Some(19 * DAY), stops_at: Some(19 * DAY), ..planned.clone() },
        key.clone(),
    ] {
        assert_eq!(kinds(&other, &rows, &era), [Kind::Plan]);
    }
    let told = judge(&key, &rows, &era);
    let words = "to be revoked at 1970-01-21T00:00:00Z as ada planned: moves away";
    assert!(format!("{told:?}").contains(words), "{told:?}");
}

#[test]
fn an_address_and_the_network_of_it_alone_are_the_same() {
    let era = Era { now: 2 * DAY, ..Era::default() };
    let (key, mut rows) = older();
    rows[0].detail["allow"] = json!(["203.0.113.7", "2001:DB8::/32"]);
    let allow = |text: &str| StoredKey { allow: text.into(), ..key.clone() };
    assert_eq!(kinds(&allow("{2001:db8::/32,203.0.113.7/32}"), &rows, &era), []);
    assert_eq!(kinds(&allow("2001:db8::/32 203.0.113.8"), &rows, &era).len(), 1);
    assert_eq!(kinds(&allow(""), &rows, &era).len(), 1);
}
