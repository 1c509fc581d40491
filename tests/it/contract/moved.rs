//! Keys are moved into their three tables while others use the database, whenever that is cut off.

use std::collections::BTreeSet;
use std::time::Duration;

use keyrack::clock::Clock;
use keyrack::domain::query::Sort;
use keyrack::domain::secret::HashedKey;
use keyrack::service::{Gate, new_operation};
use rustix::process::Signal;

use crate::support::database::Database;
use crate::support::gate::passes;
use crate::support::people::{all, preset, query, settings};
use crate::support::program;
use crate::support::script::Script;

/// Kinds of rows, by their number modulo 10.
const REVOKED: u32 = 1;
const USED: u32 = 3;

/// What stands in a key's row: by the version before, and now.
const COLUMNS: [(&str, &str); 21] = [
    ("account", "k"),
    ("issuer", "k"),
    ("name", "m"),
    ("name_key", "m"),
    ("description", "m"),
    ("search", "m"),
    ("preview", "m"),
    ("tail", "m"),
    ("scopes", "k"),
    ("limits", "k"),
    ("created_at", "k"),
    ("created_by", "m"),
    ("expires_at", "k"),
    ("claim_by", "k"),
    ("acknowledged_at", "k"),
    ("last_used_at", "u"),
    ("last_used_from", "u"),
    ("last_used_endpoint", "u"),
    ("revoked_at", "k"),
    ("revoked_by", "k"),
    ("revoke_reason", "k"),
];
const RARE: [(&str, &str); 5] =
    [("hash", "k"), ("predecessor", "m"), ("successor", "m"), ("overlap_seconds", "m"), ("allow", "k")];

fn text(db: &Database, expression: &str) -> String {
    let number =
        if db.is_postgres() { format!("({expression})::text") } else { format!("quote({expression})") };
    format!("coalesce({number}, '-')")
}

/// Each key as one line, in the order of their ids.
async fn lines(db: &Database, before: bool) -> Vec<String> {
    let all = COLUMNS.iter().chain(&RARE);
    let column = |(name, table): &(&str, &str)| {
        text(db, &if before { (*name).to_owned() } else { format!("{table}.{name}") })
    };
    let id = text(db, if before { "id" } else { "k.id" });
    let columns: Vec<String> = std::iter::once(id).chain(all.map(column)).collect();
    let row = if db.is_postgres() { "id" } else { "seq" };
    let from = if before {
        "keys ORDER BY id".to_owned()
    } else {
        format!(
            "key_auth k JOIN keys m ON m.{row} = k.{row} AND m.id = k.id LEFT JOIN key_use u ON u.{row} = k.{row} ORDER BY k.id"
        )
    };
    db.texts(&format!("SELECT {} FROM {from}", columns.join(" || '|' || "))).await
}

/// An id of a row of this number.
fn id(db: &Database, n: &str) -> String {
    if db.is_postgres() {
        format!("lpad(to_hex({n}), 32, '0')::uuid")
    } else {
        format!("unhex(printf('%032x', {n}))")
    }
}

fn hash(db: &Database, n: &str) -> String {
    if db.is_postgres() {
        format!("decode(lpad(to_hex({n}), 64, '0'), 'hex')")
    } else {
        format!("unhex(printf('%064x', {n}))")
    }
}

fn hashed(n: u32) -> HashedKey {
    let mut bytes = [0; 32];
    bytes[28..].copy_from_slice(&n.to_be_bytes());
    HashedKey(bytes)
}

/// Fills a database of the version before with so many keys of every kind.
async fn fill(db: &Database, many: u32) {
    db.migrate_to(10).await;
    let postgres = db.is_postgres();
    let policy = serde_json::to_string(&preset("voxpria")).unwrap().replace('\'', "''");
    // Three days ago, in microseconds; and rows from 1 on.
    let began = Clock::System.now().timestamp_micros() - 3 * 86_400_000_000;
    let time = |micros: &str| {
        if postgres {
            format!("to_timestamp(({began} + {micros}) / 1e6)")
        } else {
            format!("({began} + {micros})")
        }
    };
    let numbers = if postgres {
        format!("SELECT n FROM generate_series(1, {many}) AS g (n)")
    } else {
        format!(
            "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {many}) SELECT n FROM c"
        )
    };
    let (random, allow, made) = if postgres {
        (
            "md5(n::text)",
            "CASE n % 7 WHEN 0 THEN '{10.0.0.0/8,192.168.1.7/32}'::cidr[] ELSE '{}' END",
            "now()",
        )
    } else {
        (
            "lower(printf('%08x', n * 2654435761 % 4294967296))",
            "CASE n % 7 WHEN 0 THEN '10.0.0.0/8 192.168.1.7/32' ELSE '' END",
            "1700000000000000",
        )
    };
    let kind = |kind: u32, then: &str| format!("CASE n % 10 WHEN {kind} THEN {then} END");
    let (created, soon) = (time("n"), time("n + 600000000"));
    let expires = format!("CASE n % 4 WHEN 0 THEN {} END", time("n + 9000000000000"));
    let sql = format!(
        "INSERT INTO issuers (slug, policy, version, updated_at) VALUES ('voxpria', '{policy}', 1, {made}); \
         INSERT INTO accounts (slug, issuer, name, search, admins, standing, created_at) \
         SELECT 'account-' || n, 'voxpria', 'A', 'a', '[]', 'good', {made} FROM ({numbers}) AS n WHERE n <= 1000; \
         INSERT INTO keys (id, account, issuer, name, name_key, description, search, preview, tail, hash, scopes, allow, created_at, \
         created_by, expires_at, claim_by, acknowledged_at, last_used_at, last_used_from, last_used_endpoint, limits, revoked_at, \
         revoked_by, revoke_reason, predecessor, overlap_seconds) \
         SELECT {id}, 'account-' || (1 + n % {accounts}), 'voxpria', 'Key ' || {random}, 'key ' || {random}, 'for ' || n, \
         'key ' || {random} || '{newline}for ' || n, 'vx_live_••••' || substr({random}, 1, 4), substr({random}, 1, 4), {hash}, \
         CASE n % 3 WHEN 0 THEN 'calls:read' ELSE '' END, {allow}, {created}, 'ada', {expires}, {soon}, \
         CASE WHEN n % 10 NOT IN (2, {USED}) THEN {created} END, {used}, {from}, {endpoint}, {limits}, {revoked}, {by}, {reason}, \
         CASE WHEN n % 10 = 6 THEN {other} END, CASE n % 10 WHEN 6 THEN 3600 END FROM ({numbers}) AS n ORDER BY n; \
         UPDATE keys SET successor = (SELECT s.id FROM keys s WHERE s.id = {next}) WHERE name_key = 'none'",
        id = id(db, "n"),
        hash = hash(db, "n"),
        other = id(db, "n - 1"),
        next = id(db, "1"),
        accounts = many.min(1000),
        newline = if postgres { "' || chr(10) || '" } else { "' || char(10) || '" },
        used = kind(USED, &time("n + 1000000")),
        from = kind(USED, "'203.0.113.7'"),
        endpoint = kind(USED, "'calls'"),
        limits = kind(8, "'5/1h'"),
        revoked = kind(REVOKED, &time("n + 2000000")),
        by = kind(REVOKED, "'ada'"),
        reason = kind(REVOKED, "'leaked'"),
    );
    db.execute(&sql).await;
    // Replaced ones know what replaced them, and some are odd.
    let pairs = if postgres {
        "UPDATE keys SET successor = s.id FROM keys s WHERE s.predecessor = keys.id"
    } else {
        "CREATE TEMP TABLE of AS SELECT predecessor AS old, id AS new FROM keys WHERE predecessor IS NOT NULL; \
         UPDATE keys SET successor = new FROM temp.of WHERE keys.id = old"
    };
    db.execute(pairs).await;
    let far = if postgres { "'infinity'" } else { "9223372036854775807" };
    for (n, set) in [
        ("4", format!("expires_at = {far}")),
        ("13", format!("last_used_at = {far}")),
        ("5", "limits = 'many'".to_owned()),
    ] {
        let odd = if postgres { ", odd = true" } else { "" };
        db.execute_past_triggers("keys", &format!("UPDATE keys SET {set}{odd} WHERE id = {}", id(db, n)))
            .await;
    }
}

/// Changes a key as the version before does: it is revoked, or used; or one is made. Answers false once there is no such table.
async fn change(db: &Database, n: u32) -> bool {
    let now = if db.is_postgres() { "clock_timestamp()" } else { "unixepoch() * 1000000" };
    let sql = match n % 3 {
        0 => format!(
            "UPDATE keys SET revoked_at = {now}, revoked_by = 'otto' WHERE revoked_at IS NULL AND id = {}",
            id(db, &n.to_string())
        ),
        1 => format!(
            "UPDATE keys SET last_used_at = {now}, last_used_from = '::1' WHERE id = {}",
            id(db, &n.to_string())
        ),
        _ => format!(
            "INSERT INTO keys (id, account, issuer, name, name_key, description, search, preview, tail, hash, scopes, allow, created_at, \
             created_by, claim_by, acknowledged_at) SELECT {}, account, issuer, name, name_key, description, search, preview, tail, {}, \
             scopes, allow, created_at, created_by, claim_by, acknowledged_at FROM keys WHERE id = {}",
            id(db, &format!("{n} + 900000000")),
            hash(db, &format!("{n} + 900000000")),
            id(db, "7")
        ),
    };
    match db.try_execute(&sql).await {
        Ok(_) => true,
        Err(error) if error.to_string().contains("locked") => true,
        Err(error) => {
            let words = error.to_string();
            assert!(words.contains("keys") || words.contains("column"), "{words}");
            false
        }
    }
}

async fn moved(db: &Database, many: u32) {
    fill(db, many).await;
    let script = Script::on(db);
    // Killed at whatever point, it goes on where it was; meanwhile others change what is there.
    let mut n = 20;
    for pause in [60, 150, 300, 450, 700, 1_000, 1_400] {
        let mut child = script.command(&["migrate"]).stderr(std::process::Stdio::null()).spawn().unwrap();
        let until = std::time::Instant::now() + Duration::from_millis(pause);
        while std::time::Instant::now() < until {
            change(db, n).await;
            n += 1;
        }
        program::signal(&child, Signal::KILL);
        program::ended(&mut child);
        if db.try_execute("SELECT seq FROM keys_moved").await.is_err()
            && db.try_execute("SELECT until FROM keys_moved").await.is_err()
            && db.number("SELECT max(version) FROM _sqlx_migrations").await >= 11
        {
            break;
        }
    }
    let is_done = async || db.number("SELECT max(version) FROM _sqlx_migrations").await >= 11;
    if !is_done().await {
        let before = lines(db, true).await;
        script.ok(&["migrate"]);
        let after = lines(db, false).await;
        assert_eq!(before.len(), after.len());
        let differs: Vec<_> =
            before.iter().zip(&after).filter(|(before, after)| before != after).take(3).collect();
        assert!(differs.is_empty(), "{differs:#?}");
    }
    // Else all of them were moved before the last kill, and what follows has to tell.
    // Nothing is refused falsely, or let through.
    let service = db.open().await;
    let gate = Gate::open(&db.location(), Clock::System, settings("east")).await.unwrap();
    for (n, works) in
        [(7, true), (10, true), (11, false), (12, false), (23, true), (16, true), (4, false), (5, false)]
    {
        assert_eq!(passes(&gate, hashed(n)).await.unwrap(), works, "key {n}");
    }
    gate.close().await;
    let store = keyrack::store::Store::open(&db.location()).await.unwrap();
    let found = store.compare_schema().await.unwrap();
    assert!(found.findings.is_empty(), "{found:?}");
    store.close().await;
    let apart = "SELECT count(*) FROM key_auth k LEFT JOIN key_use u ON";
    let apart = format!(
        "{apart} {} WHERE (k.first_used_at IS NULL) <> (u.last_used_at IS NULL)",
        if db.is_postgres() { "u.id = k.id" } else { "u.seq = k.seq" }
    );
    assert_eq!(db.number(&apart).await, 0, "both tables know whether a key was used");
    assert_eq!(
        all(&service, &query("\"for 1234\""), Sort::default(), 100)
            .await
            .iter()
            .filter(|key| &*key.description == "for 1234")
            .count(),
        1
    );
    let (rows, _) = service.odd_rows(9).await.unwrap();
    assert_eq!(
        rows.iter().map(|row| row.table).collect::<BTreeSet<_>>(),
        ["key_auth", "key_use"].into(),
        "{rows:?}"
    );
    let odd = rows.iter().map(|row| row.id.parse().unwrap()).collect::<Vec<_>>();
    for id in odd {
        service.revoke_keys(new_operation(), &[id], None).await.unwrap();
    }
}

on_both! {
    async fn keys_are_moved_whenever_that_is_cut_off(db) {
        let many = std::env::var("KEYRACK_MOVED").ok().and_then(|many| many.parse().ok()).unwrap_or(70_000);
        moved(&db, many).await;
    }

    async fn kr_18_a_filled_database_gets_plans_and_loses_nothing(db) {
        fill(&db, 400).await;
        let before = lines(&db, true).await;
        let script = Script::on(&db);
        script.ok(&["migrate"]);
        assert_eq!(before, lines(&db, false).await);
        assert_eq!(db.number("SELECT CAST(since AS bigint) FROM readable").await, 27);
        let planned = "SELECT count(*) FROM key_auth WHERE own_expiry IS NOT NULL OR revoke_at IS NOT NULL OR not_before IS NOT NULL";
        assert_eq!(db.number(planned).await, 0);
        let works = script.keys("-status:ended expires:never");
        let whole = works.iter().find(|key| key["unreadable"].is_null()).unwrap();
        let (id, count) = (whole["id"].as_str().unwrap(), works.len());
        script.ok(&["key", "edit", id, "--not-before", "1d", "--revoke-at", "3d", "--yes"]);
        assert_eq!(script.keys("-status:ended expires:never").len(), count - 1);
        let planned = script.keys("status:planned");
        assert_eq!((planned.len(), &planned[0]["id"]), (1, &whole["id"]));
        script.ok(&["key", "edit", id, "--not-before", "none", "--revoke-at", "none", "--yes"]);
        assert_eq!(script.keys("-status:ended expires:never").len(), count);
    }
}
