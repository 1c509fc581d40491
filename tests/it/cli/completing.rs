//! What a real bash offers at Tab: commands, and live from the database what there is.

use std::path::Path;
use std::process::Command;

use crate::support::database::Database;
use crate::support::people::{make_kept, office, preset};
use crate::support::program;

/// As bash does it: the script is sourced, and asked about these words, the last of them half written.
const ASK: &str = r#"
source <(keyrack completions bash)
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_clap_complete_keyrack keyrack "${COMP_WORDS[COMP_CWORD]}" "" 2>/dev/null
printf '%s\n' "${COMPREPLY[@]}"
"#;

fn offered(home: &Path, words: &[&str]) -> Vec<String> {
    let folder = Path::new(program::PROGRAM).parent().unwrap();
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", folder.display());
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", ASK, "bash", "keyrack"])
        .args(words)
        .env_clear()
        .envs(program::environment(home))
        .env("PATH", path);
    let output = bash.output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| line.trim().to_owned())
        .filter(|line| !line.is_empty() && !line.starts_with("--"))
        .collect()
}

fn at(db: &Database, words: &[&str]) -> Vec<String> {
    offered(db.dir(), &[&["--db", &db.address()], words].concat())
}

on_both! {
    async fn what_there_is_is_offered_at_tab(db) {
        let service = office(&db, preset("voxpria")).await;
        let key = make_kept(&service, "acme", "Billing export").await.key;
        let owner = keyrack::domain::edit::Edit { owner: Some("Platform".into()), ..Default::default() };
        service.edit_keys(keyrack::service::new_operation(), &[key.id], owner, None).await.unwrap();
        let id = key.id.to_string();
        assert_eq!(at(&db, &["key", "create", "--account", "ac"]), ["acme"]);
        assert_eq!(at(&db, &["account", "show", ""]), ["acme", "globex"]);
        assert_eq!(at(&db, &["key", "revoke", "Billing"]), [id.as_str()]);
        assert_eq!(at(&db, &["key", "show", "nothing-like-it"]), Vec::<String>::new());
        assert_eq!(at(&db, &["issuer", "show", "vox"]), ["voxpria"]);
        assert_eq!(at(&db, &["key", "edit", "--owner", "pl"]), ["Platform"]);
        let scopes = at(&db, &["key", "create", "--scope", "calls:"]);
        assert!(scopes.contains(&"calls:read".to_owned()) && scopes.iter().all(|scope| scope.starts_with("calls:")), "{scopes:?}");
        assert_eq!(at(&db, &["key", "list", "--sort", "ex"]), ["expires"]);
        let operators = at(&db, &["operator", "leave", ""]);
        assert!(!operators.is_empty());
        service.close().await;
    }
}

#[test]
fn without_a_database_commands_are_offered_and_nothing_is_made_or_said() {
    let home = tempfile::tempdir().unwrap();
    assert_eq!(offered(home.path(), &["key", "acknow"]), ["acknowledge"]);
    assert_eq!(offered(home.path(), &["key", "create", "--account", "a"]), Vec::<String>::new());
    assert_eq!(
        offered(home.path(), &["--db", "postgres://127.0.0.1:1/k", "account", "show", ""]),
        Vec::<String>::new()
    );
    assert!(!home.path().join(".local/share").exists(), "a Tab makes no database");
}
