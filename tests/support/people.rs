//! Who and what the tests speak of, so that no test needs a page of preparation.

use keyrack::clock::Clock;
use keyrack::domain::expiry::Expiry;
use keyrack::domain::issuer::{Policy, policy_file};
use keyrack::domain::key::Key;
use keyrack::domain::network::Networks;
use keyrack::domain::operator::Identity;
use keyrack::domain::query::{Query, Sort};
use keyrack::domain::scope::Scopes;
use keyrack::domain::when::Here;
use keyrack::service::{
    CreateAccount, CreateKey, Created, From, Gate, GateSettings, PageRequest, Service, new_operation,
};
use keyrack::store::Store;

use super::database::Database;

/// A policy with room for two active keys.
pub const TWO_KEYS: &str = r#"
slug = "tiny"
name = "Tiny"
[format]
prefix = "ty_"
body = "hex"
[caps]
active-keys = 2
"#;

/// Who opens a database first and so is its admin, on PostgreSQL. On SQLite it is the operating system's user.
pub const OWNER: &str = "ada";

/// A preset's policy.
pub fn preset(slug: &str) -> Policy {
    policy_file::preset(slug).unwrap_or_else(|| panic!("no preset {slug}"))
}

/// A filter, as a person writes it.
pub fn query(text: &str) -> Query {
    Query::parse(text, Here::utc(Clock::System.now())).unwrap()
}

/// An open database with this policy's issuer and the accounts `acme` and `globex`.
pub async fn office(db: &Database, policy: Policy) -> Service {
    office_at(db, policy, Clock::System).await
}

pub async fn office_at(db: &Database, policy: Policy, clock: Clock) -> Service {
    let service = db.open_with(clock).await;
    furnish(&service, policy).await;
    service
}

/// Adds an issuer with this policy and the accounts `acme` and `globex`.
pub async fn furnish(service: &Service, policy: Policy) {
    let issuer = service.apply_policy(new_operation(), policy).await.unwrap();
    for slug in ["acme", "globex"] {
        service.create_account(new_operation(), account(&issuer.slug, slug)).await.unwrap();
    }
}

pub fn account(issuer: &str, slug: &str) -> CreateAccount {
    CreateAccount {
        issuer: issuer.into(),
        slug: slug.into(),
        name: format!("{slug} Inc."),
        admins: vec![format!("it@{slug}.example")],
        plan: None,
    }
}

/// A key that never expires, without scopes, under a new operation.
pub fn wanted(account: &str, name: &str) -> CreateKey {
    CreateKey {
        operation: new_operation(),
        account: account.into(),
        name: name.into(),
        description: String::new(),
        scopes: Scopes::default(),
        expiry: Expiry::Never,
        plan: Default::default(),
        allow: Networks::default(),
        owner: None,
        tags: Default::default(),
        limits: Default::default(),
    }
}

/// Makes such a key.
pub async fn make(service: &Service, account: &str, name: &str) -> Created {
    service.create_key(wanted(account, name)).await.unwrap()
}

/// Makes such a key and takes its secret over, so that it stays.
pub async fn make_kept(service: &Service, account: &str, name: &str) -> Created {
    let created = make(service, account, name).await;
    service.acknowledge_key(new_operation(), created.key.id).await.unwrap();
    created
}

/// Makes a key as it is wanted and takes its secret over.
pub async fn keep(service: &Service, wanted: CreateKey) -> Created {
    let created = service.create_key(wanted).await.unwrap();
    service.acknowledge_key(new_operation(), created.key.id).await.unwrap();
    created
}

/// A key with these scopes.
pub fn scoped(account: &str, scopes: &str) -> CreateKey {
    CreateKey { scopes: Scopes::parse(scopes), ..wanted(account, "scoped") }
}

/// Somebody at a desk.
pub fn identity(name: &str) -> Identity {
    Identity { name: name.into(), host: "desk".into(), client: None, person: Default::default() }
}

/// The same database through the eyes of another person. On PostgreSQL a login of that name with the rights of a console.
pub async fn as_person(db: &Database, name: &str) -> Service {
    if db.is_postgres() {
        db.role(name).await;
        db.grant("keyrack_console", name).await;
        return Service::open(&db.location_as(name), Clock::System).await.unwrap();
    }
    let store = Store::open(&db.location()).await.unwrap();
    Service::with_identity(store, Clock::System, identity(name)).await.unwrap()
}

/// What a gate of this name is opened with.
pub fn settings(name: &str) -> GateSettings {
    GateSettings { name: name.into(), listen: "127.0.0.1:0".into(), ..GateSettings::default() }
}

/// A gate on this database.
pub async fn gate(db: &Database, name: &str) -> Gate {
    Gate::open(&db.location(), Clock::System, settings(name)).await.unwrap()
}

/// Every key that fits, in this order, read page by page.
pub async fn all(service: &Service, query: &Query, sort: Sort, page: u32) -> Vec<Key> {
    let mut keys = Vec::new();
    let mut from = From::Start;
    loop {
        let request = PageRequest { query: query.clone(), sort, from, limit: page };
        let mut read = service.page(&request).await.unwrap();
        let Some(last) = read.rows.last() else { return keys };
        from = From::After(last.cursor.clone());
        keys.extend(read.rows.drain(..).map(|row| row.key));
        if !read.more_after {
            return keys;
        }
    }
}

/// The names of the keys that fit, in the alphabet's order.
pub async fn names(service: &Service, filter: &str) -> Vec<String> {
    let keys = all(service, &query(filter), Sort::default(), 50).await;
    let mut names: Vec<String> = keys.iter().map(|key| key.name.to_string()).collect();
    names.sort();
    names
}

/// The statements by which these keys (`key_auth k`) were used at `at`.
pub fn used(db: &Database, at: &str, which: &str) -> String {
    let row = if db.is_postgres() { "id" } else { "seq" };
    format!(
        "INSERT INTO key_use ({row}, last_used_at, last_used_from) SELECT k.{row}, {at}, '203.0.113.7' FROM key_auth k WHERE {which} \
         ON CONFLICT ({row}) DO UPDATE SET last_used_at = excluded.last_used_at; \
         UPDATE key_auth AS k SET first_used_at = {at} WHERE {which}"
    )
}

/// The condition that a row of `key_auth` belongs to a key of this name.
pub fn named(name: &str) -> String {
    format!("id IN (SELECT id FROM keys WHERE name = '{name}')")
}

/// Moves all keys of the database back in time, as if they had been made this much earlier.
pub async fn age(db: &Database, seconds: i64) {
    let sql = if db.is_postgres() {
        format!(
            "UPDATE key_auth SET created_at = created_at - interval '{seconds} s', claim_by = claim_by - interval '{seconds} s', \
             acknowledged_at = acknowledged_at - interval '{seconds} s'"
        )
    } else {
        let micros = seconds * 1_000_000;
        format!(
            "UPDATE key_auth SET created_at = created_at - {micros}, claim_by = claim_by - {micros}, \
             acknowledged_at = acknowledged_at - {micros}"
        )
    };
    db.execute_past_triggers("keys", &sql).await;
}
