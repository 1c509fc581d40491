use std::path::Path;

use super::super::tests::{self, write};
use super::super::{Flags, Settings};
use super::*;

fn load(root: &Path, table: &str, variables: &[(&str, &str)]) -> Settings {
    write(&root.join("home/config.toml"), table);
    tests::load(root, variables, &Flags::default()).unwrap()
}

fn gate(table: &str, variables: &[(&str, &str)]) -> GateTable {
    let root = tempfile::tempdir().unwrap();
    load(root.path(), table, variables).gate
}

/// What is wrong with a table, with the file called `config.toml`.
fn refused(table: &str) -> String {
    let mut error = gate(table, &[]).check().unwrap_err();
    error.file = error.file.map(|file| file.file_name().unwrap().into());
    error.to_string()
}

#[test]
fn without_a_word_a_gate_listens_on_this_machine_and_believes_nobody() {
    let gate = gate("", &[]);
    assert_eq!(gate.listen.value, ["127.0.0.1:8100".parse().unwrap()]);
    assert!(gate.trusted_proxy.value.is_empty() && gate.verify_from.value.is_empty());
    assert_eq!((gate.lease.value, gate.check()), (Duration::from_secs(1), Ok(())));
}

#[test]
fn every_key_of_the_table_is_read_and_shown_with_its_line() {
    let table = r#"
[gate]
listen = ["127.0.0.1:8101", "unix:/run/keyrack/gate.sock"]
listen-grpc = "127.0.0.1:8103"
admin-listen = "127.0.0.1:8102"
socket-mode = "0666"
socket-group = "www-data"
issuer = "voxpria"
trusted_proxy = ["10.0.0.0/8", "192.0.2.7", "unix"]
header-names = "rewritten"
verify-from = []
verify-token-file = "/etc/keyrack/token"
limits = "redis://limits.example:6379/0"
limits-password-file = "/etc/keyrack/limits"
name = "east"
freshness = "lease=500ms"
lease = "2s"
cache = 5000
keep-usage = "90m"
webhook = "https://hooks.example/T0/secret-token?x=1"
webhook-secret-file = "/etc/keyrack/webhook"
leaks-github-keys = "/etc/keyrack/github.json"
leaks-revoke = "open"
connections = 100
unknown-keys = 0
log-form = "json"
"#;
    let gate = gate(table, &[]);
    assert_eq!(gate.check(), Ok(()));
    let rows = GATE.shown(&gate);
    let shown: Vec<&str> = rows.iter().map(|(_, value, _)| value.as_str()).collect();
    let expected = [
        "127.0.0.1:8101, unix:/run/keyrack/gate.sock",
        "127.0.0.1:8103",
        "127.0.0.1:8102",
        "0666",
        "www-data",
        "voxpria",
        "10.0.0.0/8, 192.0.2.7/32, unix",
        "rewritten",
        "",
        "/etc/keyrack/token",
        "redis://limits.example:6379/0",
        "/etc/keyrack/limits",
        "east",
        "lease=500ms",
        "2s",
        "5000",
        "90m",
        "https://hooks.example/…",
        "/etc/keyrack/webhook",
        "/etc/keyrack/github.json",
        "open",
        "100",
        "0",
        "json",
    ];
    assert_eq!(shown, expected);
    for (n, (name, _, source)) in rows.iter().enumerate() {
        assert!(matches!(source, Source::File(_, line) if *line == n + 3), "{name}: {source:?}");
    }
}

#[test]
fn a_variable_outranks_the_file_and_replaces_a_list() {
    let variables = [
        ("KEYRACK_GATE_TRUSTED_PROXY", "10.0.0.1, 10.0.0.2"),
        ("KEYRACK_GATE_NAME", "west"),
        ("KEYRACK_GATE_CACHE", ""),
    ];
    let gate = gate("[gate]\ntrusted-proxy = \"192.0.2.0/24\"\nname = \"east\"\ncache = 7\n", &variables);
    assert_eq!(gate.trusted_proxy.value.len(), 2);
    assert_eq!(gate.trusted_proxy.source, Source::Environment("KEYRACK_GATE_TRUSTED_PROXY"));
    assert_eq!(gate.name.value.as_deref(), Some("west"));
    assert_eq!(gate.cache.value, 7, "an empty variable says nothing");
}

#[test]
fn mistakes_are_told_with_file_line_and_what_to_do() {
    let of = |line: &str| refused(&format!("[gate]\n{line}\n"));
    assert_eq!(
        of("listne = \"x\""),
        "config.toml:2: there is no setting `listne` in [gate]. Did you mean `listen`?"
    );
    assert_eq!(
        of("listen = \"8100\""),
        "config.toml:2: `listen` is \"8100\": write an address and a port, as 127.0.0.1:8100 or [::1]:8100, or a socket, as unix:/run/keyrack/gate.sock"
    );
    assert!(of("listen = []").contains("`listen` is empty"));
    assert!(
        of("trusted-proxy = [\"10.0.0.1\", \"proxy.example\"]")
            .contains("\"proxy.example\": write an address or")
    );
    assert_eq!(of("lease = 1"), "config.toml:2: `lease` must be a text in quotes, not integer");
    assert_eq!(
        of("freshness = \"lease\""),
        "config.toml:2: `freshness` is \"lease\": write proof, or a lease with its time, as lease=1s"
    );
    assert_eq!(
        of("freshness = \"lease=50ms\""),
        "config.toml:2: `freshness` is \"lease=50ms\": a lease lasts from 100 ms to 60 s, as lease=1s"
    );
    assert!(of("lease = \"soon\"").contains("write a time, as 500ms"));
    assert_eq!(
        of("connections = 0"),
        "config.toml:2: `connections` is \"0\": write a whole number from 1 on"
    );
    assert!(of("unknown-keys = -1").contains("from 0 on"));
    assert!(of("log-form = \"xml\"").ends_with("write text or json"));
    assert!(of("unmatched = \"allow\"").contains("policy"));
    assert_eq!(refused("gate = 3\n"), "config.toml:1: `gate` must be a table, not integer");
    assert!(
        of("limits-password-file = \"/p\"")
            .starts_with("config.toml:2: the file of a secret is named and no `limits`")
    );
    assert!(of("webhook-secret-file = \"/p\"").contains("no `webhook`"));
}

#[test]
fn a_secret_has_no_place_in_the_file_nor_in_the_environment_and_is_never_repeated() {
    let mut told = String::new();
    for (line, instead) in [
        ("verify-token = \"hunter22\"", "`verify-token-file`"),
        ("limits_password = \"hunter22\"", "`limits-password-file`"),
        ("secret = \"hunter22\"", "`webhook-secret-file`"),
        ("limits = \"redis://:hunter22@limits.example\"", "`limits-password-file`"),
        ("limits = \"redis+unix:///run/redis.sock?pass=hunter22\"", "`limits-password-file`"),
        ("webhook = \"https://ada:hunter22@hooks.example\"", "@"),
    ] {
        let why = refused(&format!("[gate]\n{line}\n"));
        assert!(why.starts_with("config.toml:2: ") && why.contains(instead), "{why}");
        told += &why;
    }
    let variables =
        [("KEYRACK_GATE_WEBHOOK_SECRET", "hunter22"), ("KEYRACK_GATE_LIMITS", "redis://:hunter22@x")];
    let gate = gate("", &variables);
    assert_eq!(gate.mistakes.len(), 2);
    assert!(gate.mistakes.iter().all(|mistake| mistake.to_string().contains("-file`")));
    assert!(!format!("{told}{gate:?}").contains("hunter22"));
}

#[test]
fn a_mistake_in_the_gate_stops_nothing_but_the_gate() {
    let root = tempfile::tempdir().unwrap();
    let settings = load(root.path(), "mouse = false\n[gate]\nlisten = \"x\"\n", &[]);
    assert!(!settings.mouse.value);
    assert!(settings.gate.check().is_err());
    assert_eq!(settings.mail.check(), Ok(()));
}

#[test]
fn a_demo_tells_nobody_whatever_the_settings_say() {
    let root = tempfile::tempdir().unwrap();
    let table = "[gate]\nname = \"east\"\nlimits = \"redis://limits.example\"\nlimits-password-file = \"/p\"\nwebhook = \"https://hooks.example\"\n";
    let mut settings = load(root.path(), table, &[]);
    settings.gate.keep_to_itself();
    let gate = settings.gate;
    assert_eq!((gate.limits.value.as_ref(), gate.webhook.value.as_ref()), (None, None));
    assert_eq!((gate.name.value.as_deref(), gate.limits_password_file.value), (Some("east"), None));
}
