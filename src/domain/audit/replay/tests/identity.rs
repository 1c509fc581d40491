use super::*;

type Edit = fn(&mut StoredKey);

#[test]
fn a_key_that_is_what_its_rows_tell_is_never_found() {
    let (key, rows) = newer();
    assert_eq!(told(&key, &rows, &today()), [""; 0]);
    // Not every login can read the hash.
    assert_eq!(told(&StoredKey { fingerprint: None, ..key }, &rows, &today()), [""; 0]);
}

#[test]
fn a_key_that_differs_in_anything_is_found() {
    let (key, rows) = newer();
    let edits: [(Edit, &str); 22] = [
        (|key| key.account = "globex".into(), "key.identity: account acme / account globex"),
        (|key| key.name = "hub 2".into(), "key.identity: name hub / name hub 2"),
        (|key| key.description = String::new(), "key.identity: description of the office / description none"),
        (|key| key.preview = "k_…abce".into(), "key.identity: preview k_…abcd / preview k_…abce"),
        (|key| key.issuer = "voicegram".into(), "key.identity: issuer voxpria / issuer voicegram"),
        (|key| key.owner = None, "key.identity: owner Ops / owner none"),
        (
            |key| key.owner_mail = Some("m@evil.example".into()),
            "key.identity: owner's address ops@acme.example / owner's address m@evil.example",
        ),
        (|key| key.tags = "prod x".into(), "key.identity: tags prod / tags prod x"),
        (
            |key| key.predecessor = None,
            "key.identity: replaces 00000000-0000-0000-0000-000000000006 / replaces none",
        ),
        (
            |key| key.overlap_seconds = Some(3601),
            "key.identity: overlap in seconds 3600 / overlap in seconds 3601",
        ),
        (|key| key.overlap_seconds = None, "key.identity: overlap in seconds 3600 / overlap in seconds none"),
        (|key| key.scheme = "sha256".into(), "key.secret: hashed by sha512 / hashed by sha256"),
        (|key| key.imported_from = None, "key.identity: imported from unkey / imported from none"),
        (
            |key| key.fingerprint = Some("bb".into()),
            "key.secret: hash with the fingerprint aa / hash with the fingerprint bb",
        ),
        (|key| key.scopes = "a:y b:x c:z".into(), "key.scopes: scopes a:y b:x / scopes a:y b:x c:z"),
        (|key| key.scopes = "b:x".into(), "key.scopes: scopes a:y b:x / scopes b:x"),
        (|key| key.allow = "{}".into(), "key.networks: networks 10.0.0.0/8 / networks none"),
        (|key| key.allow = "10.0.0.0/7".into(), "key.networks: networks 10.0.0.0/8 / networks 10.0.0.0/7"),
        (|key| key.allow = "anywhere".into(), "key.networks: networks 10.0.0.0/8 / networks anywhere"),
        (|key| key.created_by = "bob".into(), "key.identity: created by ada / created by bob"),
        (
            |key| key.claim_by += 1_000_000,
            "key.identity: to be confirmed until 1970-01-02T00:10:00Z / to be confirmed until 1970-01-02T00:10:01Z",
        ),
        (
            |key| key.not_before = None,
            "key.plan: works from 1970-01-03T00:00:00Z on / works from its creation on",
        ),
    ];
    for (edit, line) in edits {
        let mut other = key.clone();
        edit(&mut other);
        assert_eq!(told(&other, &rows, &today()), [line]);
    }
}

#[test]
fn what_was_edited_counts_and_not_what_it_was_created_with() {
    let (key, mut rows) = newer();
    let changed = json!({
        "name": ["hub", "lobby"], "description": ["of the office", ""], "scopes": [["a:y", "b:x"], ["c:z"]],
        "allow": [["10.0.0.0/8"], []], "not_before": ["1970-01-03T00:00:00Z", null], "owner": ["Ops"],
    });
    rows.push(row(Action::KeyEdit, DAY, json!({ "changed": changed })));
    assert_eq!(kinds(&key, &rows, &today()).len(), 5);
    let edited = StoredKey {
        name: "lobby".into(),
        description: String::new(),
        scopes: "c:z".into(),
        allow: String::new(),
        not_before: None,
        ..key
    };
    assert_eq!(told(&edited, &rows, &today()), [""; 0]);
}

#[test]
fn only_an_edit_explains_another_name() {
    let (key, mut rows) = newer();
    let other = StoredKey { name: "lobby".into(), ..key };
    rows.push(row(Action::KeyTell, DAY, json!({ "changed": { "name": ["hub", "lobby"] } })));
    assert_eq!(told(&other, &rows, &today()), ["key.identity: name hub / name lobby"]);
}

#[test]
fn the_first_row_of_a_creation_is_the_one_that_counts() {
    let (key, mut rows) = newer();
    let mut again = rows[0].clone();
    again.actor = "mallory".into();
    again.detail["name"] = "planted".into();
    rows.push(again);
    assert_eq!(told(&StoredKey { planned_by: Some("mallory".into()), ..key }, &rows, &today()), [""; 0]);
}

#[test]
fn a_creation_is_as_old_as_its_row_but_for_what_clocks_may_differ() {
    let (key, rows) = newer();
    let made = |at: Micros| StoredKey { created_at: at, claim_by: at + 600_000_000, ..key.clone() };
    for at in [DAY - APART, DAY + APART] {
        assert_eq!(told(&made(at), &rows, &today()), [""; 0]);
    }
    for (at, words) in [(DAY - APART - 1, "1970-01-01T23:49:59Z"), (DAY + APART + 1, "1970-01-02T00:10:00Z")]
    {
        let line = format!("key.identity: created at 1970-01-02T00:00:00Z / created at {words}");
        assert_eq!(told(&made(at), &rows, &today()), [line]);
    }
}

#[test]
fn a_key_that_no_row_created_is_told_with_who_is_said_to_have_made_it() {
    let (key, rows) = newer();
    let line = "key.planted: no row records its creation / \"hub\", of 1970-01-02T00:00:00Z by ada";
    assert_eq!(told(&key, &rows[1..], &today()), [line]);
}

#[test]
fn a_fingerprint_is_the_same_for_ever_and_of_key_and_hash() {
    let hash: Vec<u8> = (0..32).collect();
    // Reckoned by another program. What an earlier release wrote must fit what a later one compares.
    let known = "eb5d952d06d0f80aad2616552119f1a83e390c634537dc37910f628cff853113";
    assert_eq!(fingerprint(Uuid::from_u128(2), &hash), known);
    assert_ne!(fingerprint(Uuid::from_u128(3), &hash), known);
    assert_ne!(fingerprint(Uuid::from_u128(2), &hash[..31]), known);
}

#[test]
fn an_instant_is_told_in_seconds_and_one_of_no_calendar_as_it_stands() {
    assert_eq!(time(0), "1970-01-01T00:00:00Z");
    assert_eq!(time(DAY + 1_999_999), "1970-01-02T00:00:01Z");
    assert_eq!(time(-1), "1969-12-31T23:59:59Z");
    assert_eq!(time(i64::MAX), "9223372036854775807 µs");
}
