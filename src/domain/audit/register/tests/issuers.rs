use super::*;

type Edit = fn(&mut Value);

/// The register with its issuer changed past the program.
fn changed(change: impl FnOnce(&mut StoredIssuer)) -> Register {
    let mut register = register();
    change(&mut register.issuers[0]);
    register
}

/// The register whose issuer's policy was written anew, past the program.
fn edited(edit: impl FnOnce(&mut Value)) -> Register {
    changed(|one| {
        let mut policy: Value = serde_json::from_str(&one.policy).unwrap();
        edit(&mut policy);
        one.policy = policy.to_string();
    })
}

fn finding(words: &str) -> [String; 1] {
    [format!("issuer.unexplained voicegram: {words}")]
}

#[test]
fn an_issuer_that_no_row_applied_is_found() {
    let mut register = register();
    register.issuers.push(StoredIssuer { slug: "copy".into(), ..register.issuers[0].clone() });
    assert_eq!(told(&register), ["issuer.unexplained copy: no row records it / version 2 of a policy"]);
}

#[test]
fn an_issuer_that_was_applied_and_is_gone_is_found() {
    let mut register = register();
    register.issuers.clear();
    assert_eq!(told(&register), finding("a policy was applied / not there"));
}

#[test]
fn an_older_version_of_a_policy_is_found() {
    assert_eq!(told(&changed(|one| one.version = 1)), finding("version 2 / version 1"));
    assert_eq!(told(&changed(|one| one.version = 3)), finding("version 2 / version 3"));
    // A row that tells of none is judged by what it says.
    let mut untold = changed(|one| one.version = 3);
    untold.rows.iter_mut().filter(|row| row.is(Action::IssuerApply)).for_each(|row| {
        row.detail.as_object_mut().unwrap().remove("version");
    });
    assert_eq!(told(&untold), [""; 0]);
}

#[test]
fn a_policy_that_was_changed_anywhere_is_found_with_its_place() {
    let edits: [(Edit, &str); 6] = [
        (|policy| policy["name"] = "Other".into(), "policy /name: \"Voicegram\" / policy /name: \"Other\""),
        (
            |policy| policy["caps"]["active-keys"] = 2_000.into(),
            "policy /caps/active-keys: 20 / policy /caps/active-keys: 2000",
        ),
        (
            |policy| policy["reminders"]["days-before"][1] = 1.into(),
            "policy /reminders/days-before/1: 7 / policy /reminders/days-before/1: 1",
        ),
        (
            |policy| policy["reminders"]["days-before"] = json!([30]),
            "policy /reminders/days-before: [30,7] / policy /reminders/days-before: [30]",
        ),
        (
            |policy| policy["reminders"]["days-before"] = json!([30, 7, 1]),
            "policy /reminders/days-before: [30,7] / policy /reminders/days-before: [30,7,1]",
        ),
        (
            |policy| policy["back~/door"] = true.into(),
            "policy /back~0~1door: null / policy /back~0~1door: true",
        ),
    ];
    for (edit, words) in edits {
        assert_eq!(told(&edited(edit)), finding(words));
    }
}

#[test]
fn a_part_of_a_policy_that_is_gone_is_found() {
    let cut = edited(|policy| drop(policy.as_object_mut().unwrap().remove("name")));
    assert_eq!(told(&cut), finding("policy /name: \"Voicegram\" / policy /name: null"));
    let emptied = told(&changed(|one| one.policy = String::new()));
    assert!(emptied.len() == 1 && emptied[0].ends_with(" / policy : null"), "{emptied:?}");
}

#[test]
fn a_policy_whose_row_tells_none_is_found() {
    let mut register = register();
    register.rows.push(row(Action::IssuerApply, "voicegram", json!({ "version": 2 })));
    let found = told(&register);
    assert!(found.len() == 1 && found[0].contains(": policy : null / policy : {"), "{found:?}");
}

#[test]
fn nothing_and_null_are_the_same_in_a_policy() {
    assert_eq!(told(&edited(|policy| policy["nothing"] = Value::Null)), [""; 0]);
}

#[test]
fn what_an_issuers_row_derives_from_its_policy_must_fit_it() {
    let days = |days: &str, hide| format!("rotation days {days}, revoked keys hidden: {hide}");
    let (told_of, shown) =
        (days("none", false), |table: &str| finding(&format!("{} / {table}", days("none", false))));
    assert_eq!(told(&changed(|one| one.hide_revoked = true)), shown(&days("none", true)));
    assert_eq!(told(&changed(|one| one.rotation_days = Some(90))), shown(&days("90", false)));
    let mut policy = preset("voicegram").unwrap();
    policy.rotation.period_days = Some(90);
    policy.wording.hide_revoked = true;
    let mut register = changed(|one| one.policy = serde_json::to_string(&policy).unwrap());
    register.rows.push(row(Action::IssuerApply, "voicegram", json!({ "version": 2, "policy": policy })));
    assert_eq!(told(&register), finding(&format!("{} / {told_of}", days("90", true))));
    (register.issuers[0].rotation_days, register.issuers[0].hide_revoked) = (Some(90), true);
    assert_eq!(told(&register), [""; 0]);
}
