//! A database with something in every state that a change may meet.

use std::collections::BTreeMap;

use crate::support::database::Database;
use crate::support::people::{TWO_KEYS, account, age, keep, make, make_kept, preset, wanted};
use keyrack::domain::account::Standing;
use keyrack::domain::expiry::{Expiry, Overlap};
use keyrack::domain::issuer::policy_file;
use keyrack::domain::key::Key;
use keyrack::domain::usage::{Alert, Source, What};
use keyrack::service::{CreateKey, Service, new_operation};
use keyrack::store::Store;

/// With [`TWO_KEYS`]: they end at once when they are replaced.
const AND_NO_OVERLAP: &str = r#"
[rotation]
overlap = false
[expiry]
default = "30d"
choices = ["30d"]
custom = false
"#;

fn tiny() -> String {
    format!("{TWO_KEYS}{AND_NO_OVERLAP}")
}

/// What the rows of the tables name: `{live}` is the id of a key.
pub type Names = BTreeMap<&'static str, String>;

/// A database with something in every state that a change may meet.
pub async fn furnished(db: &Database) -> (Service, Names) {
    let service = db.open().await;
    let op = new_operation;
    for policy in [preset("voxpria"), preset("vozagent"), policy_file::parse(&tiny()).unwrap()] {
        service.apply_policy(op(), policy).await.unwrap();
    }
    for (issuer, slug) in [("voxpria", "acme"), ("voxpria", "shut"), ("vozagent", "full"), ("tiny", "globex")]
    {
        service.create_account(op(), account(issuer, slug)).await.unwrap();
    }
    let short = CreateKey { expiry: Expiry::Days(1), ..wanted("acme", "expired") };
    let expired = keep(&service, short).await.key;
    let abandoned = make(&service, "acme", "abandoned").await.key;
    let in_tiny = |name| CreateKey { expiry: Expiry::Days(30), ..wanted("globex", name) };
    let stays = keep(&service, in_tiny("stays")).await.key;
    let goes = keep(&service, in_tiny("goes")).await.key;
    age(db, 3 * 86_400).await;
    let past = if db.is_postgres() {
        "clock_timestamp() - interval '1 day'".to_owned()
    } else {
        "1000000".to_owned()
    };
    db.execute_past_triggers(
        "keys",
        &format!(
            "UPDATE key_auth SET expires_at = {past} WHERE id IN (SELECT id FROM keys WHERE name = 'expired')"
        ),
    )
    .await;
    let live = make_kept(&service, "acme", "live").await.key;
    let closed = make_kept(&service, "shut", "closed").await.key;
    service.set_standing(op(), "shut", Standing::Suspended).await.unwrap();
    let revoked = make_kept(&service, "acme", "revoked").await.key;
    service.revoke_keys(op(), &[revoked.id], None).await.unwrap();
    let replaced = make_kept(&service, "acme", "replaced").await.key;
    let next = service.rotate_key(op(), replaced.id, Overlap::Hours24).await.unwrap().key;
    service.acknowledge_key(op(), next.id).await.unwrap();
    let store = Store::open(&db.location()).await.unwrap();
    let at = service.now().await.unwrap();
    for address in ["203.0.113.7", "203.0.113.8"] {
        let source = Source::caller(address.parse().unwrap());
        let what = What::FailedAuthentications { source, attempts: 20, seconds: 300 };
        assert!(store.raise_alert("east", &Alert { at, what }).await.unwrap());
    }
    store.close().await;
    let alert = db.number("SELECT min(id) FROM alerts").await.to_string();
    let me = service.whoami().await.unwrap().identity.name;
    let ids: [(&str, &Key); 9] = [
        ("expired", &expired),
        ("abandoned", &abandoned),
        ("stays", &stays),
        ("goes", &goes),
        ("live", &live),
        ("closed", &closed),
        ("revoked", &revoked),
        ("replaced", &replaced),
        ("next", &next),
    ];
    let mut names: Names = ids.into_iter().map(|(name, key)| (name, key.id.to_string())).collect();
    // Ids that were made within minutes begin alike.
    names.insert("part", names["live"][..5].to_owned());
    names.extend([
        ("me", me),
        ("alert", alert),
        ("long", "x".repeat(300)),
        ("longer", "x".repeat(5000)),
        ("secret", format!("vx_{}", "a".repeat(49))),
        ("nobody", "00000000-0000-4000-8000-000000000000".into()),
        ("bidi", "a\u{202e}b".into()),
    ]);
    std::fs::write(db.dir().join("taken"), "").unwrap();
    std::fs::create_dir(db.dir().join("letters")).unwrap();
    for (name, text) in keyrack::mail::Templates::files() {
        std::fs::write(db.dir().join("letters").join(name), text).unwrap();
    }
    std::fs::write(db.dir().join("no.db"), "this is no database, whatever its name says. ".repeat(100))
        .unwrap();
    std::fs::write(db.dir().join("bad.toml"), "slug = \"new\"\nname = 7\n").unwrap();
    std::fs::write(db.dir().join("faulty.toml"), tiny().replace("slug = \"tiny\"", "slug = \"No Slug\""))
        .unwrap();
    std::fs::write(db.dir().join("thief.toml"), tiny().replace("slug = \"tiny\"", "slug = \"thief\""))
        .unwrap();
    std::fs::write(db.dir().join("new.toml"), tiny().replace("tiny", "new").replace("ty_", "nw_")).unwrap();
    (service, names)
}
