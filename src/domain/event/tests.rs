use super::*;
use crate::domain::examples::noon;
use crate::domain::person::Person;

fn entry(action: &str, detail: Value) -> Entry {
    Entry {
        seq: 7,
        at: noon(),
        actor: "ada".into(),
        host: "desk".into(),
        client: None,
        person: Person::default(),
        operation: OperationId::from_u128(1),
        action: action.into(),
        subject: "x".into(),
        account: Some("acme".into()),
        key: action.starts_with("key.").then(|| KeyId::from_u128(2)),
        name: None,
        detail: SafeText::new(detail.to_string()),
        hash: "ab".repeat(32),
    }
}

#[test]
fn kr_16_every_action_has_a_kind_and_kinds_keep_their_names() {
    for action in Action::ALL {
        assert_ne!(Kind::of(action.as_str()), Kind::Other, "{action:?}");
    }
    assert_eq!(Kind::of("key.fly"), Kind::Other, "a newer version's");
    // Other programs rely on these words.
    let names = "created imported confirmed rotated retiring revoked paused resumed changed told leaked expiring account-created \
        account-changed account-suspended account-reinstated policy-applied operator-set operator-removed frozen unfrozen \
        creation-stopped creation-allowed alert-acknowledged reminders endpoint-added endpoint-removed approval-asked approved declined overridden exported accepted lanes-set demo-loaded other test";
    assert_eq!(Kind::WORDS.join(" "), names.split_whitespace().collect::<Vec<_>>().join(" "));
}

#[test]
fn kr_16_an_event_tells_old_and_new_values() {
    let of = |action: &str, detail: Value| Event::of(entry(action, detail)).changed;
    let edited = json!({ "name": "CI", "changed": { "tags": [[], ["prod"]] } });
    assert_eq!(of("key.edit", edited), *json!({ "tags": [[], ["prod"]] }).as_object().unwrap());
    let limited = json!({ "from": null, "to": "5/1m" });
    assert_eq!(of("key.limit", limited), *json!({ "limits": [null, "5/1m"] }).as_object().unwrap());
    let account = json!({ "from": { "name": "A", "plan": null }, "to": { "name": "B", "plan": null } });
    assert_eq!(of("account.change", account), *json!({ "name": ["A", "B"] }).as_object().unwrap());
    let role = json!({ "role": "admin", "before": "viewer" });
    assert_eq!(of("operator.set", role), *json!({ "role": ["viewer", "admin"] }).as_object().unwrap());
    let pause = json!({ "until": "2026-11-22T00:00:00Z", "was_until": null });
    assert_eq!(of("key.pause", pause)["paused_until"], json!([null, "2026-11-22T00:00:00Z"]));
}

#[test]
fn kr_16_an_event_names_its_key_and_holds_nothing_that_serves_the_audit_alone() {
    let detail = json!({ "name": "CI\u{202e}", "preview": "vx_…abcd", "fingerprint": "f", "reason": "old", "note": null });
    let event = Event::of(entry("key.revoke", detail));
    let key = event.key.clone().unwrap();
    assert_eq!((key.name.unwrap().as_str(), key.preview.unwrap().as_str()), ("CI\u{fffd}", "vx_…abcd"));
    assert_eq!(event.details, *json!({ "reason": "old" }).as_object().unwrap());
    assert_eq!((event.n, event.id.as_str(), event.kind), (7, "ab".repeat(16).as_str(), Kind::Revoked));
    assert!(
        !event.line().contains('\n') && event.line().starts_with("{\"n\":7,\"id\":\"abab"),
        "{}",
        event.line()
    );
    let broken = Entry { detail: "no JSON".into(), ..entry("key.edit", json!({})) };
    assert_eq!(Event::of(broken).details["detail"], "no JSON");
}

#[test]
fn kr_16_kinds_are_asked_for_and_leaks_whatever_was_done_about_them() {
    let kinds: Kinds = "leaked, Created".parse().unwrap();
    assert_eq!(kinds.to_string(), "created leaked");
    let wants = |action: &str, detail: Value| kinds.want(&Event::of(entry(action, detail)));
    assert!(wants("key.create", json!({})) && wants("leak.report", json!({})));
    assert!(wants("key.revoke", json!({ "source": "leak:github" })));
    assert!(!wants("key.revoke", json!({})) && !wants("key.edit", json!({})));
    assert!(Kinds::default().want(&Event::of(entry("key.edit", json!({})))));
    assert!("fly".parse::<Kinds>().unwrap_err().to_string().contains("created, imported"));
    assert!("test".parse::<Kinds>().is_err());
}

#[test]
fn kr_16_an_event_tells_who_was_behind_the_actor() {
    let of_person =
        |person: &str| Event::of(Entry { person: Person::read(person), ..entry("key.pause", json!({})) });
    assert!(of_person("").line().contains(r#""person":[],"#));
    let told = of_person("reported ssh-key SHA256:abc").line();
    assert!(
        told.contains(r#""person":[{"mark":"ssh-key","value":"SHA256:abc","proof":"reported"}],"#),
        "{told}"
    );
}
