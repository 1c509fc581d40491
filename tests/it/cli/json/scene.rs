//! A database in which something of everything has happened.

use serde_json::Value;

use super::Asker;
use crate::events::receiver::{Receiver, SECRET};
use crate::support::database::Database;
use crate::support::gate::Gate;
use crate::support::people::{age, as_person, make};
use crate::support::program;
use crate::support::schemas;
use crate::support::script::text;
use keyrack::domain::key::KeyId;
use keyrack::domain::operator::Role;
use keyrack::domain::pause::Lasting;
use keyrack::domain::usage::{Alert, Source, What};
use keyrack::service::{Error, PauseOrder, new_operation};
use keyrack::store::Store;

/// Asks everything; what is asked is held against its schema.
pub async fn scene(asker: &Asker<'_>, db: &Database) {
    asker.told(&["migrate"]);
    policies(asker, db);
    people(asker);
    let gate = Gate::start(db, &[]);
    let keys = keys(asker, db, &gate).await;
    looking(asker, db, &keys);
    holding(asker, &keys);
    moving(asker, db);
    alerts(asker, db).await;
    telling(asker, db);
    mail(asker, db).await;
    second_person(asker, db).await;
    // With the gate's answers in them.
    asker.told(&["key", "revoke", &keys.plain, "--reason", "left", "--yes"]);
    asker.told(&["incident", "report", "--since", "1h"]);
    drop(gate);
    audit(asker, db).await;
}

struct Keys {
    /// With everything that a key can have.
    rich: String,
    /// With nothing.
    plain: String,
    /// In use at the gate.
    used: String,
    secret: String,
}

fn path(db: &Database, name: &str) -> String {
    db.dir().join(name).to_str().unwrap().to_owned()
}

fn policies(asker: &Asker<'_>, db: &Database) {
    asker.read(&["issuer", "presets"]);
    asker.told(&["issuer", "add", "voxpria"]);
    asker.read(&["issuer", "show", "vozagent"]);
    let policy = asker.keyrack.ok(&["issuer", "show", "voxpria"]);
    let former = "[format]\nformer = [{ prefix = \"sk_\", length = 40, hash = \"sha256\" }]\n";
    let more = "\n[pause]\nmax-days = 9\ntell = true\n[bulk]\nfour-eyes = 5\n\
                [help]\nreplace-url = \"https://a.example/{key}\"\ncontact = \"k@a.example\"\n";
    std::fs::write(db.dir().join("policy.toml"), policy.replacen("[format]\n", former, 1) + more).unwrap();
    asker.told(&["issuer", "apply", &path(db, "policy.toml"), "--yes"]);
    asker.read(&["issuer", "show", "voxpria"]);
    asker.read(&["issuer", "list"]);
}

fn people(asker: &Asker<'_>) {
    for slug in ["acme", "globex"] {
        let mail = format!("it@{slug}.example");
        let name = format!("{slug} Inc.");
        asker.told(&["account", "create", "-i", "voxpria", "-s", slug, "-n", &name, "--admin", &mail]);
    }
    asker.told(&["account", "change", "acme", "--plan", "Starter"]);
    asker.told(&["account", "suspend", "globex"]);
    asker.read(&["account", "list"]);
    asker.told(&["account", "reinstate", "globex"]);
    asker.read(&["account", "show", "acme"]);
    for name in ["bob", "eve"] {
        asker.told(&["operator", "set", name, "operator"]);
    }
    asker.read(&["operator", "list"]);
    asker.told(&["operator", "remove", "eve", "--yes"]);
}

async fn keys(asker: &Asker<'_>, db: &Database, gate: &Gate) -> Keys {
    let id = |made: &Value| text(made, "id").to_owned();
    let create = |name: &str, more: &[&str]| {
        asker.told(&[&["key", "create", "--account", "acme", "--name", name][..], more].concat())
    };
    let rich = create(
        "rich",
        &[
            "--description",
            "all there is",
            "--scope",
            "calls:read,calls:write",
            "--allow",
            "203.0.113.0/24",
            "--owner",
            "Data team",
            "--owner-mail",
            "data@acme.example",
            "--tag",
            "prod,eu",
            "--budget",
            "100/1m",
            "--expires",
            "60d",
            "--not-before",
            "2d",
            "--revoke-at",
            "30d",
        ],
    );
    let plain = create("plain", &["--out", "plain.secret"]);
    let used = create("used", &["--scope", "calls:read"]);
    let secret = text(&used, "secret").to_owned();
    asker.told(&["key", "limit", &id(&used), "200/1m", "5000/1h"]);
    assert_eq!(gate.get("/api/v1/me", &[("X-API-Key", &secret)]).status, 200);
    let gone = create("gone", &[]);
    asker.told(&["key", "revoke", &id(&gone), "--reason", "leaked in a log", "--yes"]);
    asker.told(&["key", "revoke", &id(&plain), "--at", "12h", "--reason", "contract ends", "--yes"]);
    asker.told(&[
        "key",
        "edit",
        &id(&plain),
        "--revoke-at",
        "none",
        "--tag",
        "kept",
        "--expires",
        "90d",
        "--yes",
    ]);
    asker.told(&["key", "acknowledge", "--filter", "account:acme", "--yes"]);
    // Rotated, one by one and together.
    let mut old = Vec::new();
    for name in ["first", "second", "third"] {
        old.push(id(&create(name, &[])));
    }
    let new = asker.told(&["key", "rotate", &old[0], "--overlap", "24h"]);
    asker.told(&["key", "rotate", &old[1], &old[2], "--out-dir", "secrets", "--yes"]);
    asker.read(&["rotation", "list"]);
    asker.told(&["rotation", "extend", &old[0], "--by", "24h", "--yes"]);
    asker.told(&["rotation", "close", &old[1], "--yes"]);
    // Known to nobody yet: made past the command line, which confirms what it hands over.
    let service = db.open().await;
    let waits = make(&service, "acme", "waits").await.key.id.to_string();
    service.close().await;
    asker.told(&["key", "acknowledge", &waits]);
    asker.read(&["key", "show", &id(&new)]);
    Keys { rich: id(&rich), plain: id(&plain), used: id(&used), secret }
}

fn looking(asker: &Asker<'_>, db: &Database, keys: &Keys) {
    // What the gate has counted comes within seconds.
    let begun = std::time::Instant::now();
    while asker.read(&["key", "usage", &keys.used]).as_array().unwrap().is_empty() {
        assert!(begun.elapsed().as_secs() < 30, "the gate counts nothing");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    asker.read(&["key", "list"]);
    asker.read(&["key", "show", &keys.rich]);
    asker.read(&["key", "show", &keys.rich, &keys.plain]);
    asker.read(&["key", "find", "rich"]);
    asker.read(&["key", "reach", "--filter", "account:acme"]);
    asker.read(&["expiring"]);
    asker.read(&["hygiene"]);
    asker.read(&["explain", &keys.used, "--path", "/api/v1/calls/7", "--address", "203.0.113.7"]);
    asker.read(&["explain", &keys.rich, "--scope", "agents:read"]);
    std::fs::write(
        db.dir().join("leaked.txt"),
        format!("a\nKEY={}\nsk_live_{}\n", keys.secret, "4eC39HqLyjWDarjtT1zdp7dc"),
    )
    .unwrap();
    asker.read(&["leak", "sweep", "leaked.txt"]);
    asker.read(&["doctor"]);
    asker.read(&["info"]);
}

fn holding(asker: &Asker<'_>, keys: &Keys) {
    asker.told(&[
        "key",
        "pause",
        &keys.plain,
        "--for",
        "2h",
        "--message",
        "Call us",
        "--reason",
        "a leak",
        "--yes",
    ]);
    asker.told(&["key", "resume", &keys.plain, "--yes"]);
    let add = &["--for", "1h", "--message", "Call us", "--reason", "look", "--yes"];
    let frozen = asker.told(&[&["freeze", "add", "--filter", "account:globex"][..], add].concat());
    asker.read(&["freeze", "list"]);
    asker.told(&["freeze", "lift", &frozen["n"].to_string()]);
    asker.read(&["freeze", "list", "--all"]);
    asker.told(&[&["creation", "stop"][..], add].concat());
    asker.read(&["creation", "list"]);
    asker.told(&["creation", "allow"]);
    for _ in 0..2 {
        asker.told(&[&["creation", "stop", "--account", "globex"][..], add].concat());
    }
    asker.told(&["creation", "allow", "--account", "globex"]);
}

fn moving(asker: &Asker<'_>, db: &Database) {
    let rows = format!("name,hash\nfrom there,{}\nodd,x\n", "ab".repeat(32));
    std::fs::write(db.dir().join("moved.csv"), rows).unwrap();
    let import = ["import", "sha256", "moved.csv", "--account", "acme", "--skip-errors"];
    let moved = asker.read(&import);
    assert_eq!((&moved["imported"], moved["refused"].as_array().unwrap().len()), (&1.into(), 1), "{moved}");
    let whole = asker.keyrack.ok(&["export", "-"]);
    assert!(asker.lines_of(&["export", "-"], &whole) > 10);
    let demo = path(db, "demo.db");
    let told = program::json(db.dir(), ["demo", "--keys", "20", "--db", &demo, "--json"]);
    schemas::fits("demo", &told);
    asker.lines_of(&["demo"], "");
}

async fn alerts(asker: &Asker<'_>, db: &Database) {
    let service = db.open().await;
    let at = service.now().await.unwrap();
    service.close().await;
    let store = Store::open(&db.location()).await.unwrap();
    let sources = [
        Source::caller("203.0.113.7".parse().unwrap()),
        Source::Network("203.0.113.0/24".parse().unwrap()),
        Source::Issuer("voxpria".into()),
        Source::Others,
    ];
    for source in sources {
        let what = What::FailedAuthentications { source, attempts: 20, seconds: 300 };
        assert!(store.raise_alert("east", &Alert { at, what }).await.unwrap());
    }
    store.close().await;
    let all = asker.read(&["alerts", "list"]);
    asker.told(&["alerts", "ack", &all[0]["id"].to_string()]);
    asker.read(&["alerts", "list", "--all"]);
    asker.read(&["status"]);
}

fn telling(asker: &Asker<'_>, db: &Database) {
    let receiver = Receiver::start();
    let file = db.dir().join("endpoint-secret");
    std::fs::write(&file, SECRET).unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let file = file.to_str().unwrap();
    let begin = ["events", "endpoints"];
    let more = ["--kinds", "revoked,created", "--secret-file", file];
    asker.told(&[&begin[..], &["add", "desk", &receiver.url()], &more].concat());
    asker.told(&[&begin[..], &["test", "desk"]].concat());
    asker.told(&["events", "send", "--once"]);
    asker.read(&[&begin[..], &["list"]].concat());
    asker.told(&[&begin[..], &["remove", "desk"]].concat());
    let follow = ["events", "follow", "--once"];
    let events = asker.keyrack.ok(&follow);
    assert!(asker.lines_of(&follow, &events) > 30);
}

async fn mail(asker: &Asker<'_>, db: &Database) {
    let create = |name: &str, more: &[&str]| {
        asker.told(&[&["key", "create", "--account", "globex", "--name", name][..], more].concat())
    };
    create("ends soon", &["--expires", "20d"]);
    let owned = create("owned", &["--owner", "bob"]);
    create("late", &["--expires", "3d"]);
    age(db, 60 * 86_400).await;
    asker.read(&["reminders", "sweep", "--dry-run"]);
    let swept = asker.told(&["reminders", "sweep"]);
    assert!(!swept["letters"].as_array().unwrap().is_empty(), "{swept}");
    let all = asker.read(&["reminders", "list"]);
    asker.read(&["reminders", "show", text(&all[0], "id")]);
    asker.read(&["reminders", "sweeps"]);
    asker.told(&["reminders", "retry", "--written", "--yes"]);
    asker.told(&["key", "tell", text(&owned, "id"), "--exposed", "--reason", "found in a log", "--yes"]);
    asker.read(&["report", "--since", "7d"]);
    asker.read(&["report", "--since", "90d"]);
    asker.told(&["operator", "leave", "bob", "--give-to", "Grace", "--dry-run"]);
}

async fn second_person(asker: &Asker<'_>, db: &Database) {
    let service = db.open().await;
    db.role("bob").await;
    service.set_operator(new_operation(), "bob", Role::Operator).await.unwrap();
    service.close().await;
    let bob = as_person(db, "bob").await;
    let all = asker.keyrack.keys("account:acme -status:ended");
    let ids: Vec<KeyId> = all.iter().map(|key| text(key, "id").parse().unwrap()).take(6).collect();
    let number = |error: Error| match error {
        Error::Asked { n, .. } => n.to_string(),
        other => panic!("{other}"),
    };
    let order = PauseOrder {
        lasting: Lasting::span("1h").unwrap(),
        message: Some("Call us".into()),
        reason: Some("look".into()),
    };
    let pause = number(bob.pause_keys(new_operation(), &ids, order, None).await.unwrap_err());
    let revoke = number(bob.revoke_keys(new_operation(), &ids, Some("leaked")).await.unwrap_err());
    bob.close().await;
    // The same person's own wish, which they may only override.
    let edit = ["key", "edit", "--filter", "account:acme -status:ended", "--tag", "all", "--yes"];
    assert_eq!(asker.keyrack.run(&edit).status.code(), Some(5));
    let waiting = asker.read(&["approval", "list"]);
    let own = waiting.as_array().unwrap().iter().find(|one| one["verb"] == "edit").unwrap()["n"].to_string();
    asker.read(&["approval", "show", &own]);
    asker.told(&["approval", "approve", &pause, "--yes"]);
    asker.told(&["approval", "decline", &revoke]);
    asker.told(&["approval", "override", &own, "--reason", "at night", "--yes"]);
    asker.read(&["approval", "list", "--all"]);
    asker.read(&["alerts", "list"]);
    asker.told(&["operator", "leave", "bob", "--give-to", "Grace", "--yes"]);
}

async fn audit(asker: &Asker<'_>, db: &Database) {
    asker.read(&["audit", "list"]);
    asker.read(&["audit", "verify"]);
    let (key, file) = (path(db, "anchor.key"), path(db, "anchors"));
    let public = asker.told(&["audit", "anchor-key", &key]);
    asker.told(&["audit", "anchor", "--key", &key, "--to", &file]);
    asker.read(&["audit", "verify", "--anchors", &file, "--public-key", text(&public, "public_key")]);
    // A backup is put in the place of the database.
    let lost = asker.told(&["key", "create", "--account", "acme", "--name", "lost"]);
    db.back_up().await;
    asker.keyrack.ok(&["key", "revoke", text(&lost, "id"), "--yes"]);
    db.restore().await;
    asker.read(&["audit", "lanes"]);
    asker.read(&["audit", "undone"]);
    asker.told(&["audit", "accept", "--reason", "a drill", "--yes"]);
    // Somebody writes past Keyrack.
    db.execute_past_triggers("keys", "UPDATE keys SET name = 'changed' WHERE name = 'lost'").await;
    let told = asker.read(&["audit", "verify"]);
    assert_eq!(told["intact"], false, "{told}");
}
