use serde_json::json;

use super::*;
use crate::domain::issuer::policy_file::preset;

mod accounts;
mod endpoints;
mod issuers;
mod operators;

const DAY: Micros = 86_400_000_000;

fn row(action: Action, subject: &str, detail: Value) -> Row {
    let (at, action) = (DAY, action.as_str().to_owned());
    Row { at, actor: "ada".into(), action, subject: subject.into(), account: None, detail }
}

/// Each finding in one line: what it is about, what the audit says, and what the table says.
fn told(register: &Register) -> Vec<String> {
    let line = |one: Finding| format!("{} {}: {} / {}", one.kind.as_str(), one.subject, one.audit, one.table);
    register.judge(&register.era(2 * DAY)).into_iter().map(line).collect()
}

/// A register in which somebody of each kind was added, changed, and removed again.
fn register() -> Register {
    let policy = preset("voicegram").unwrap();
    let (text, tree) = (serde_json::to_string(&policy).unwrap(), serde_json::to_value(&policy).unwrap());
    let older = json!({ "slug": "voicegram", "name": "Before" });
    let acme =
        json!({ "issuer": "voicegram", "name": "Acme", "admins": ["ada@acme.example"], "plan": "Pro" });
    let globex = json!({ "issuer": "voicegram", "name": "Globex", "admins": [], "plan": null });
    let hook = |secret: &str| json!({ "place": "https://hooks.example", "kinds": "key.*", "secret": secret, "url_hash": "aa" });
    let rows = vec![
        row(Action::OperatorSet, "ada", json!({ "role": "viewer" })),
        row(Action::OperatorSet, "bob", json!({ "role": "operator" })),
        row(Action::OperatorSet, "ada", json!({ "role": "admin" })),
        row(Action::OperatorRemove, "bob", json!({ "role": "operator" })),
        row(Action::IssuerApply, "voicegram", json!({ "version": 1, "policy": older })),
        row(Action::IssuerApply, "voicegram", json!({ "version": 2, "policy": tree })),
        row(Action::AccountCreate, "acme", acme),
        row(Action::AccountCreate, "globex", globex),
        row(
            Action::AccountChange,
            "acme",
            json!({ "from": { "name": "Acme" }, "to": { "name": "Acme & Sons" } }),
        ),
        row(Action::AccountSuspend, "acme", json!({})),
        row(Action::AccountReinstate, "acme", json!({})),
        row(Action::AccountSuspend, "globex", json!({})),
        row(Action::EndpointAdd, "hook", hook("s1")),
        row(Action::EndpointAdd, "gone", hook("s1")),
        row(Action::EndpointRemove, "hook", json!({})),
        row(Action::EndpointRemove, "gone", json!({})),
        row(Action::EndpointAdd, "hook", hook("s2")),
    ];
    let account = |slug: &str, name: &str| StoredAccount {
        slug: slug.into(),
        issuer: "voicegram".into(),
        name: name.into(),
        admins: "[]".into(),
        standing: "good".into(),
        created_at: DAY,
        ..StoredAccount::default()
    };
    let acme = StoredAccount {
        admins: r#"[ "ada@acme.example" ]"#.into(),
        plan: Some("Pro".into()),
        ..account("acme", "Acme & Sons")
    };
    let globex = StoredAccount { standing: "suspended".into(), ..account("globex", "Globex") };
    let issuer =
        StoredIssuer { slug: "voicegram".into(), policy: text, version: 2, ..StoredIssuer::default() };
    let endpoint = StoredEndpoint {
        name: "hook".into(),
        url_hash: Some("aa".into()),
        place: "https://hooks.example".into(),
        kinds: "key.*".into(),
        secret: "s2".into(),
    };
    Register {
        rows,
        operators: vec![("ada".into(), "admin".into())],
        accounts: vec![acme, globex],
        issuers: vec![issuer],
        endpoints: vec![endpoint],
        counted_since: Some(7),
    }
}

#[test]
fn what_the_rows_come_to_is_never_found() {
    assert_eq!(told(&register()), [""; 0]);
    assert_eq!(told(&Register::default()), [""; 0]);
}

#[test]
fn every_table_is_looked_at_and_none_hides_another() {
    let emptied = Register { rows: register().rows, ..Register::default() };
    let planted = Register { rows: Vec::new(), ..register() };
    let about = |register: &Register| -> Vec<String> {
        told(register).iter().filter_map(|line| line.split(':').next()).map(str::to_owned).collect()
    };
    let all = [
        "operator.unexplained ada",
        "account.unexplained acme",
        "account.unexplained globex",
        "issuer.unexplained voicegram",
        "endpoint.unexplained hook",
    ];
    assert_eq!(about(&emptied), all);
    assert_eq!(about(&planted), all);
}

#[test]
fn the_era_is_of_the_newest_demo_and_the_oldest_count() {
    assert_eq!(register().era(3), Era { now: 3, demo: None, counted_since: Some(7) });
    let loaded = |at, what: &str, detail| Row { at, ..row(Action::DemoLoad, what, detail) };
    let rows = vec![
        loaded(10, "accounts", json!({ "accounts": 3 })),
        loaded(20, "keys", json!({ "keys": 1000, "in_all": 1000 })),
        loaded(30, "accounts", json!({ "accounts": 4 })),
        loaded(40, "keys", json!({ "keys": 200, "in_all": 1200 })),
        loaded(50, "keys", json!({})),
        Row { at: 60, ..row(Action::AccountCreate, "accounts", json!({ "accounts": 9, "keys": 9 })) },
        Row { at: 70, ..row(Action::AccountCreate, "keys", json!({ "keys": 9 })) },
    ];
    let register = Register { rows, ..Register::default() };
    assert_eq!(register.era(80), Era { now: 80, demo: Some(30), counted_since: None });
    assert_eq!((register.loaded("accounts"), register.loaded("keys"), register.loaded("")), (7, 1200, 0));
}
