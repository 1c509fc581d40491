//! Statements of clients of their own, who may make them, and what becomes of them.

use crate::support::people::named;

const NOBODY: &[&str] = &[];
const KEYS: &[&str] = &["m_operator", "m_admin", "m_console_operator"];
const LETTERS: &[&str] = &["m_operator", "m_admin", "m_console_operator", "m_sweeper"];
const ADMIN: &[&str] = &["m_admin"];
const GATE: &[&str] = &["m_gate"];
const SENDER: &[&str] = &["m_sender"];
/// Who may read where events are sent.
const ADDRESSES: &[&str] = &["m_admin", "m_sender"];
/// Whom the old group lets lock the tables that only admins write.
const LOCKS: &[&str] = &["m_admin", "m_console", "m_console_viewer", "m_console_operator"];

/// What becomes of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Refused,
    /// It is carried out, and not committed without its row of the audit.
    Owes,
    Done,
}

/// The statements, who may make them, and what becomes of them then.
pub fn statements() -> Vec<(String, &'static [&'static str], Fate)> {
    use Fate::{Done, Owes};
    let key = |set: &str, name: &str| format!("UPDATE key_auth SET {set} WHERE {}", named(name));
    let using = |set: &str| format!("UPDATE key_use SET {set}");
    let now = "clock_timestamp()";
    let new_key = |by: &str, more: &str, value: &str| {
        format!(
            "INSERT INTO key_auth (id, account, issuer, hash, scopes, allow, created_at, claim_by{more}) SELECT gen_random_uuid(), account, issuer, \
             sha256('planted'), scopes, allow, t, t + interval '10 minutes'{value} FROM key_auth, (SELECT {now} AS t) AS c WHERE {kept}; \
             INSERT INTO keys (id, name, name_key, description, search, preview, tail, created_by) SELECT k.id, 'planted', 'planted', '', \
             'planted', preview, tail, {by} FROM keys m, key_auth k WHERE m.name = 'kept' AND k.hash = sha256('planted')",
            kept = named("kept")
        )
    };
    let row = |seq: &str, at: &str, actor: &str, action: &str| {
        format!(
            "INSERT INTO audit (seq, at, actor, host, operation, action, subject, detail) \
             VALUES ({seq}, {at}, {actor}, 'desk', gen_random_uuid(), '{action}', 'x', '{{}}')"
        )
    };
    let alert = |raised: &str, acknowledged: &str| {
        format!(
            "INSERT INTO alerts (kind, subject, hour, raised_at, gate, detail, acknowledged_at) \
             VALUES ('new', 'new', {raised}, {raised}, 'g', '{{}}', {acknowledged})"
        )
    };
    let gate = |login: &str| {
        format!(
            "INSERT INTO gates (id, name, host, listen, version, lease_ms, began_at, beat_at, applied_seq, applied_at) \
             VALUES (gen_random_uuid(), 'own', 'h', 'l', 'v', 1000, {now}, {now}, {login}, {now})"
        )
    };
    let pause = |by: &str, at: &str, until: &str| {
        format!(
            "paused_at = {at}, paused_until = {until}, paused_by = {by}, pause_message = NULL, pause_reason = 'x'"
        )
    };
    let plan = |by: &str, at: &str| {
        format!(
            "revoke_at = {at}, planned_by = {by}, plan_reason = 'x', own_expiry = expires_at, expires_at = least(expires_at, {at})"
        )
    };
    let hold = |by: &str, at: &str, until: &str| {
        format!(
            "INSERT INTO holds (kind, filter, made_at, until, made_by) VALUES ('freeze', 'account:acme', {at}, {until}, {by})"
        )
    };
    let endpoint = |by: &str, at: &str, next: &str| {
        format!(
            "INSERT INTO endpoints (name, url, place, kinds, secret, created_at, created_by, next_seq) \
             VALUES ('new', 'https://h.example/', 'https://h.example', '', 'credential c', {at}, {by}, {next})"
        )
    };
    let approval = |by: &str, at: &str, ends: &str| {
        format!(
            "INSERT INTO approvals (verb, wish, many, asked_at, asked_by, ends_at) VALUES ('revoke', '{{}}', 3, {at}, {by}, {at} + interval '{ends}')"
        )
    };
    let mut all: Vec<(String, &'static [&'static str], Fate)> = vec![
        (approval("session_user", now, "59 minutes"), KEYS, Owes),
        (approval("session_user", now, "2 hours"), NOBODY, Done),
        (approval("session_user", "now() - interval '5 min'", "1 hour"), NOBODY, Done),
        (approval("'ada'", now, "1 hour"), NOBODY, Done),
        ("DELETE FROM approvals".into(), NOBODY, Done),
        ("DELETE FROM approval_keys".into(), NOBODY, Done),
        (new_key("session_user", "", ""), KEYS, Owes),
        (new_key("'ada'", "", ""), NOBODY, Done),
        (new_key("session_user", ", acknowledged_at", ", t"), NOBODY, Done),
        (new_key("session_user", ", expires_at", ", 'infinity'"), NOBODY, Done),
        (new_key("session_user", ", acknowledged_at, imported_from", ", t, 'sha256'"), ADMIN, Owes),
        (new_key("session_user", ", imported_from", ", 'sha256'"), NOBODY, Done),
        (new_key("session_user", ", acknowledged_at, imported_from, scheme", ", t, 'drf', 'md5'"), NOBODY, Done),
        (new_key("session_user", ", scheme", ", 'sha512'"), NOBODY, Done),
        (key("scheme = 'sha512', imported_from = 'drf'", "kept"), NOBODY, Done),
        (key("revoked_at = clock_timestamp(), revoked_by = session_user", "kept"), KEYS, Owes),
        (key("revoked_at = clock_timestamp(), revoked_by = 'ada'", "kept"), NOBODY, Done),
        (key("revoked_at = now() - interval '1 day', revoked_by = session_user", "kept"), NOBODY, Done),
        (key("revoke_reason = 'no'", "kept"), NOBODY, Done),
        (key("revoked_at = NULL, revoked_by = NULL", "revoked"), NOBODY, Done),
        (key("revoke_reason = 'another'", "revoked"), NOBODY, Done),
        (key("acknowledged_at = clock_timestamp()", "fresh"), KEYS, Owes),
        (key("acknowledged_at = now() - interval '5 minutes'", "fresh"), NOBODY, Done),
        (key("acknowledged_at = clock_timestamp()", "abandoned"), NOBODY, Done),
        (key("acknowledged_at = NULL", "kept"), NOBODY, Done),
        (key("expires_at = expires_at - interval '1 day'", "ending"), KEYS, Owes),
        (key("expires_at = clock_timestamp() + interval '1 day'", "kept"), KEYS, Owes),
        (key("expires_at = expires_at + interval '1 day'", "ending"), KEYS, Owes),
        (key("scopes = 'calls:write'", "kept"), KEYS, Owes),
        (key("scopes = 'calls:write'", "revoked"), NOBODY, Done),
        (key("allow = '{192.0.2.0/24}'", "kept"), KEYS, Owes),
        (key("allow = '{192.0.2.0/24}'", "abandoned"), NOBODY, Done),
        ("UPDATE keys SET owner = 'Zoe' WHERE name = 'kept'".into(), KEYS, Owes),
        ("UPDATE keys SET tags = 'prod' WHERE name = 'kept'".into(), KEYS, Owes),
        ("UPDATE keys SET name = 'Another' WHERE name = 'kept'".into(), KEYS, Owes),
        (key("expires_at = NULL", "ending"), KEYS, Owes),
        (key("expires_at = 'infinity'", "kept"), NOBODY, Done),
        (key("limits = '5/1h'", "kept"), KEYS, Owes),
        (key(&pause("session_user", "clock_timestamp()", "clock_timestamp() + interval '1 hour'"), "kept"), KEYS, Owes),
        (key(&pause("session_user", "clock_timestamp()", "clock_timestamp() + interval '1 hour'"), "paused"), KEYS, Owes),
        (key(&pause("'ada'", "clock_timestamp()", "clock_timestamp() + interval '1 hour'"), "kept"), NOBODY, Done),
        (key(&pause("session_user", "now() - interval '1 day'", "clock_timestamp() + interval '1 hour'"), "kept"), NOBODY, Done),
        (key(&pause("session_user", "clock_timestamp()", "now() - interval '1 hour'"), "kept"), NOBODY, Done),
        (key(&pause("session_user", "clock_timestamp()", "'infinity'"), "kept"), NOBODY, Done),
        (key(&pause("session_user", "clock_timestamp()", "clock_timestamp() + interval '1 hour'"), "revoked"), NOBODY, Done),
        (key("paused_until = paused_until + interval '1 hour'", "paused"), NOBODY, Done),
        (key("pause_message = 'another'", "paused"), NOBODY, Done),
        (key("paused_until = NULL", "paused"), NOBODY, Done),
        (key("paused_at = NULL, paused_until = NULL, paused_by = NULL, pause_reason = NULL", "paused"), KEYS, Owes),
        (key(&plan("session_user", "now() + interval '1 day'"), "kept"), KEYS, Owes),
        (key(&plan("session_user", "now() + interval '1 day'"), "ending"), KEYS, Owes),
        (key(&plan("'ada'", "now() + interval '1 day'"), "kept"), NOBODY, Done),
        (key(&plan("session_user", "now() - interval '1 day'"), "kept"), NOBODY, Done),
        (key(&plan("session_user", "'infinity'"), "kept"), NOBODY, Done),
        (key(&plan("session_user", "now() + interval '1 day'"), "revoked"), NOBODY, Done),
        (key(&plan("session_user", "now() + interval '1 day'"), "abandoned"), NOBODY, Done),
        (key("revoke_at = now() + interval '1 day', planned_by = session_user", "kept"), NOBODY, Done),
        (key("own_expiry = now() + interval '1 day'", "kept"), NOBODY, Done),
        (key("plan_reason = 'x'", "kept"), NOBODY, Done),
        (key("not_before = now() + interval '1 day'", "kept"), KEYS, Owes),
        (key("not_before = now() + interval '1 day'", "revoked"), NOBODY, Done),
        (hold("session_user", now, "now() + interval '1 hour'"), ADMIN, Owes),
        (hold("'ada'", now, "now() + interval '1 hour'"), NOBODY, Done),
        (hold("session_user", now, "now() - interval '1 hour'"), NOBODY, Done),
        (hold("session_user", "now() - interval '1 day'", "now() + interval '1 hour'"), NOBODY, Done),
        ("UPDATE holds SET lifted_at = clock_timestamp(), lifted_by = session_user WHERE lifted_at IS NULL".into(), ADMIN, Owes),
        ("UPDATE holds SET lifted_at = clock_timestamp(), lifted_by = 'ada' WHERE lifted_at IS NULL".into(), NOBODY, Done),
        ("UPDATE holds SET lifted_at = until WHERE lifted_at IS NULL".into(), NOBODY, Done),
        ("UPDATE holds SET lifted_at = NULL, lifted_by = NULL WHERE lifted_at IS NOT NULL".into(), NOBODY, Done),
        ("UPDATE holds SET until = until + interval '1 hour'".into(), NOBODY, Done),
        ("UPDATE holds SET filter = 'account:none'".into(), NOBODY, Done),
        ("DELETE FROM holds".into(), NOBODY, Done),
        ("UPDATE keys SET successor = (SELECT id FROM keys WHERE name = 'fresh') WHERE name = 'kept'".into(), KEYS, Owes),
        (key("first_used_at = clock_timestamp()", "kept"), GATE, Done),
        (key("first_used_at = clock_timestamp()", "fresh"), GATE, Done),
        (key("first_used_at = clock_timestamp()", "abandoned"), NOBODY, Done),
        (key("first_used_at = clock_timestamp()", "ending"), NOBODY, Done),
        (key("first_used_at = NULL", "ending"), NOBODY, Done),
        (key("first_used_at = 'infinity'", "kept"), NOBODY, Done),
        (key("first_used_at = '-infinity'", "kept"), NOBODY, Done),
        (key("first_used_at = '2001-01-01'", "kept"), NOBODY, Done),
        (key("first_used_at = now() + interval '1 day'", "kept"), NOBODY, Done),
        (using("last_used_at = clock_timestamp(), last_used_from = 'x'"), GATE, Done),
        (using("last_used_at = 'infinity'"), NOBODY, Done),
        (using("last_used_at = '-infinity'"), NOBODY, Done),
        (using("last_used_at = '2001-01-01'"), NOBODY, Done),
        (using("last_used_at = now() + interval '1 day'"), NOBODY, Done),
        (using("id = id"), NOBODY, Done),
        ("INSERT INTO key_use (id, last_used_at) SELECT id, now() FROM keys WHERE name = 'kept'".into(), NOBODY, Done),
        ("DELETE FROM keys".into(), NOBODY, Done),
        ("DELETE FROM key_auth".into(), NOBODY, Done),
        ("DELETE FROM key_use".into(), NOBODY, Done),
        ("UPDATE issuers SET policy = policy, version = version + 1".into(), ADMIN, Owes),
        ("UPDATE issuers SET policy = '{}'".into(), NOBODY, Done),
        ("UPDATE issuers SET policy = '{}', version = version + 1".into(), ADMIN, Owes),
        ("INSERT INTO issuers (slug, policy, version, updated_at) VALUES ('new', '{}', 1, now())".into(), ADMIN, Owes),
        ("DELETE FROM issuers".into(), NOBODY, Done),
        ("INSERT INTO accounts SELECT 'new', issuer, name, search, admins, plan, standing, now() FROM accounts LIMIT 1".into(), KEYS, Owes),
        ("UPDATE accounts SET standing = 'suspended'".into(), KEYS, Owes),
        ("UPDATE accounts SET admins = '[]'".into(), KEYS, Owes),
        ("UPDATE accounts SET name = 'Another'".into(), KEYS, Owes),
        ("UPDATE accounts SET slug = slug || 'x'".into(), NOBODY, Done),
        ("UPDATE accounts SET issuer = 'x'".into(), NOBODY, Done),
        ("DELETE FROM accounts".into(), NOBODY, Done),
        ("INSERT INTO operators VALUES ('zoe', 'admin', now(), session_user)".into(), ADMIN, Owes),
        ("INSERT INTO operators VALUES ('zoe', 'admin', now(), 'ada')".into(), NOBODY, Done),
        ("INSERT INTO operators VALUES (session_user, 'admin', now(), session_user) ON CONFLICT (name) DO UPDATE SET role = 'admin'".into(), ADMIN, Owes),
        ("UPDATE operators SET role = 'admin' WHERE name = session_user".into(), ADMIN, Owes),
        ("UPDATE operators SET role = 'viewer'".into(), NOBODY, Done),
        ("DELETE FROM operators WHERE name = 'm_viewer'".into(), ADMIN, Owes),
        ("DELETE FROM operators".into(), NOBODY, Done),
        (row("NULL", now, "session_user", "sweep.begin"), LETTERS, Done),
        (row("(SELECT max(seq) + 1 FROM audit)", now, "session_user", "sweep.begin"), LETTERS, Done),
        (row("NULL", now, "session_user", "operator.set"), ADMIN, Done),
        (row("NULL", now, "session_user", "key.revoke"), NOBODY, Done),
        (row("NULL", now, "session_user", "demo.load"), NOBODY, Done),
        (row("NULL", now, "'ada'", "sweep.begin"), NOBODY, Done),
        (row("NULL", "now() - interval '1 hour'", "session_user", "sweep.begin"), NOBODY, Done),
        (row("NULL", "now() + interval '1 hour'", "session_user", "sweep.begin"), NOBODY, Done),
        (row("(SELECT max(seq) + 2 FROM audit)", now, "session_user", "sweep.begin"), NOBODY, Done),
        (row("1", now, "session_user", "sweep.begin"), NOBODY, Done),
        ("UPDATE audit SET actor = 'ada'".into(), NOBODY, Done),
        ("DELETE FROM audit".into(), NOBODY, Done),
        ("UPDATE audit_head SET seq = 0".into(), NOBODY, Done),
        ("SELECT 1 FROM audit_head FOR UPDATE".into(), NOBODY, Done),
        ("SELECT 1 FROM audit_head FOR SHARE".into(), NOBODY, Done),
        (format!("INSERT INTO sweeps (id, door, begun_by, host, began_at, alive_until) VALUES (gen_random_uuid(), 'command', session_user, 'h', {now}, {now})"), LETTERS, Done),
        (format!("INSERT INTO sweeps (id, door, begun_by, host, began_at, alive_until) VALUES (gen_random_uuid(), 'command', 'ada', 'h', {now}, {now})"), NOBODY, Done),
        ("UPDATE reminders SET state = 'cancelled'".into(), LETTERS, Done),
        ("UPDATE reminders SET days_before = 1".into(), NOBODY, Done),
        ("UPDATE deliveries SET state = 'cancelled'".into(), LETTERS, Done),
        ("DELETE FROM deliveries".into(), NOBODY, Done),
        ("SELECT keyrack_take_turns()".into(), LETTERS, Done),
        ("SELECT keyrack_end_session(0)".into(), ADMIN, Done),
        ("UPDATE alerts SET acknowledged_at = clock_timestamp(), acknowledged_by = session_user WHERE subject = 'open'".into(), KEYS, Owes),
        ("UPDATE alerts SET acknowledged_at = clock_timestamp(), acknowledged_by = 'ada' WHERE subject = 'open'".into(), NOBODY, Done),
        ("UPDATE alerts SET acknowledged_at = NULL, acknowledged_by = NULL WHERE subject = 'seen'".into(), NOBODY, Done),
        ("UPDATE alerts SET detail = ''".into(), NOBODY, Done),
        ("UPDATE alerts SET told_at = now()".into(), GATE, Done),
        ("DELETE FROM alerts".into(), NOBODY, Done),
        (alert("now()", "NULL"), GATE, Done),
        (alert("now()", "now()"), NOBODY, Done),
        (alert("'infinity'", "NULL"), NOBODY, Done),
        (gate("0"), GATE, Done),
        (gate("1000000"), NOBODY, Done),
        ("UPDATE gates SET applied_seq = (SELECT seq FROM audit_head)".into(), NOBODY, Done),
        ("UPDATE gates SET beat_at = now()".into(), NOBODY, Done),
        ("UPDATE gates SET stale_ms = 60000".into(), NOBODY, Done),
        ("UPDATE gates SET login = session_user".into(), NOBODY, Done),
        ("DELETE FROM gates".into(), NOBODY, Done),
        ("INSERT INTO usage_minutes VALUES (gen_random_uuid(), now(), 1, 1, 1)".into(), GATE, Done),
        ("INSERT INTO usage_minutes VALUES (gen_random_uuid(), 'infinity', 1, 1, 1)".into(), NOBODY, Done),
        ("UPDATE usage_minutes SET refused = 0".into(), NOBODY, Done),
        ("INSERT INTO key_networks SELECT id, '10.0.0.0/8', now() FROM keys LIMIT 1".into(), GATE, Done),
        ("INSERT INTO late_tries VALUES (gen_random_uuid(), now(), '10.0.0.0/24', 'calls', 1, now())".into(), GATE, Done),
        ("INSERT INTO late_tries VALUES (gen_random_uuid(), 'infinity', '', '', 1, now())".into(), NOBODY, Done),
        ("UPDATE late_tries SET tries = 0".into(), NOBODY, Done),
        ("UPDATE late_tries SET tries = tries + 1".into(), GATE, Done),
        ("UPDATE late_tries SET network = '10.0.0.0/8'".into(), NOBODY, Done),
        ("SELECT keyrack_leaked((SELECT hash FROM key_auth LIMIT 1), 'leak:x', NULL, true, gen_random_uuid(), 'h')".into(), NOBODY, Done),
        ("SELECT keyrack_leaked((SELECT hash FROM key_auth LIMIT 1), 'leak:x', NULL, false, now() + interval '1 hour', gen_random_uuid(), 'h')".into(), NOBODY, Done),
        ("INSERT INTO limit_windows VALUES ('other', 's', '', now())".into(), NOBODY, Done),
        (endpoint("session_user", now, "1"), ADMIN, Owes),
        (endpoint("'ada'", now, "1"), NOBODY, Done),
        (endpoint("session_user", "now() - interval '1 day'", "1"), NOBODY, Done),
        (endpoint("session_user", now, "0"), NOBODY, Done),
        (endpoint("session_user", now, "1000000"), NOBODY, Done),
        ("UPDATE endpoints SET lease_by = 's', lease_until = now() + interval '30 s', turns = turns + 1".into(), SENDER, Done),
        ("UPDATE endpoints SET lease_by = 's', lease_until = now() + interval '1 day', turns = turns + 1".into(), NOBODY, Done),
        ("DELETE FROM endpoints".into(), NOBODY, Done),
        ("SELECT keyrack_remove_endpoint('desk')".into(), ADMIN, Owes),
        ("SELECT url FROM endpoints".into(), ADDRESSES, Done),
        ("UPDATE endpoints SET next_seq = next_seq + 1, turns = turns + 1".into(), SENDER, Done),
        ("UPDATE endpoints SET lease_by = 's', lease_until = now(), turns = turns + 1".into(), SENDER, Done),
        ("UPDATE endpoints SET answer = 'x', failing_since = now(), retry_at = now(), turns = turns + 1".into(), SENDER, Done),
        ("UPDATE endpoints SET next_seq = next_seq - 1, turns = turns + 1".into(), NOBODY, Done),
        ("UPDATE endpoints SET next_seq = 1000000, turns = turns + 1".into(), NOBODY, Done),
        ("UPDATE endpoints SET taken_at = 'infinity', turns = turns + 1".into(), NOBODY, Done),
        ("UPDATE endpoints SET next_seq = next_seq + 1".into(), NOBODY, Done),
        ("UPDATE endpoints SET url = 'https://thief.example/'".into(), NOBODY, Done),
        ("UPDATE endpoints SET kinds = 'created', turns = turns + 1".into(), NOBODY, Done),
        (row("NULL", now, "session_user", "endpoint.add"), NOBODY, Done),
        (row("NULL", now, "session_user", "endpoint.remove"), ADMIN, Done),
        ("SELECT * FROM owed".into(), NOBODY, Done),
        ("DELETE FROM owed".into(), NOBODY, Done),
        ("SELECT 1 FROM turns FOR UPDATE".into(), NOBODY, Done),
        ("LOCK TABLE issuers IN SHARE ROW EXCLUSIVE MODE".into(), LOCKS, Done),
        ("LOCK TABLE operators IN ACCESS EXCLUSIVE MODE".into(), LOCKS, Done),
        ("ALTER TABLE keys DISABLE TRIGGER ALL".into(), NOBODY, Done),
        ("SET session_replication_role = replica".into(), NOBODY, Done),
        ("DROP FUNCTION keyrack_demand() CASCADE".into(), NOBODY, Done),
    ];
    for column in ["id", "account", "issuer", "hash", "created_at", "claim_by"] {
        all.push((key(&format!("{column} = {column}"), "kept"), NOBODY, Done));
    }
    for column in ["scopes", "allow"] {
        all.push((key(&format!("{column} = {column}"), "kept"), KEYS, Done));
    }
    for column in ["name", "description", "search", "owner", "tags"] {
        all.push((format!("UPDATE keys SET {column} = {column} WHERE name = 'kept'"), KEYS, Done));
    }
    for column in ["id", "created_by", "preview", "predecessor", "overlap_seconds"] {
        all.push((format!("UPDATE keys SET {column} = {column} WHERE name = 'kept'"), NOBODY, Done));
    }
    for table in [
        "key_auth",
        "keys",
        "key_use",
        "holds",
        "endpoints",
        "audit",
        "accounts",
        "audit_head",
        "sweeps",
        "reminders",
        "deliveries",
        "alerts",
    ] {
        if table != "alerts" {
            all.push((format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"), NOBODY, Done));
        }
        all.push((format!("TRUNCATE {table} CASCADE"), NOBODY, Done));
    }
    all
}
