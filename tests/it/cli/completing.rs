//! What real shells offer at Tab: commands, columns, themes, and live from the database what there is.

use std::path::Path;
use std::process::Command;

use crate::support::database::{Database, skip};
use crate::support::people::{make_kept, office, preset};
use crate::support::program;
use crate::support::pty::Start;
use crate::support::script::Script;

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
        columns_and_themes(|words| at(&db, words));
        let operators = at(&db, &["operator", "leave", ""]);
        assert!(!operators.is_empty());
        service.close().await;
    }
}

/// What is offered of lists of columns, and of themes.
fn columns_and_themes(offered: impl Fn(&[&str]) -> Vec<String>) {
    for list in ["key list", "expiring"] {
        let words = |columns| [list.split(' ').collect(), vec!["--columns", columns]].concat();
        assert_eq!(offered(&words("na")), ["name"]);
        // The list goes on behind a comma, without what stands in it already.
        assert_eq!(offered(&words("id,na")), ["id,name"]);
        assert_eq!(offered(&words("owner,ow")), ["owner,owner_mail"]);
        let all = offered(&words("id,expires_at,"));
        assert!(all.contains(&"id,expires_at,status".to_owned()) && all.len() > 25, "{all:?}");
        assert!(!all.contains(&"id,expires_at,id".to_owned()), "{all:?}");
    }
    assert_eq!(offered(&["--theme", "li"]), ["light"]);
    assert_eq!(offered(&["--theme", "m"]), ["mono"]);
}

/// As fish asks: a line, and what it offers for its end.
fn fish(home: &Path, words: &[&str]) -> Vec<String> {
    let folder = Path::new(program::PROGRAM).parent().unwrap();
    let line = format!("keyrack {}", words.join(" "));
    let asked = Command::new("fish")
        .args(["--no-config", "-c", "keyrack completions fish | source; complete -C $argv[1]", "--", &line])
        .env_clear()
        .envs(program::environment(home))
        .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", folder.display()))
        .output()
        .unwrap();
    assert!(asked.stderr.is_empty(), "{}", String::from_utf8_lossy(&asked.stderr));
    let text = String::from_utf8(asked.stdout).unwrap();
    // What tells of a value stands behind a tab.
    text.lines().filter_map(|line| line.split('\t').next()).map(str::to_owned).collect()
}

fn is_here(shell: &str) -> bool {
    Command::new(shell).args(["-c", "exit"]).status().is_ok_and(|status| status.success())
}

#[test]
fn fish_offers_columns_themes_and_what_there_is() {
    let test = "fish_offers_columns_themes_and_what_there_is";
    if !is_here("fish") {
        return skip(test, "fish is not installed (apt-get install fish)");
    }
    let db = Database::sqlite();
    Script::furnished(&db, "voxpria");
    let address = db.address();
    columns_and_themes(|words| fish(db.dir(), words));
    assert_eq!(fish(db.dir(), &["--db", &address, "key", "create", "--account", "ac"]), ["acme"]);
    assert_eq!(fish(db.dir(), &["--db", &address, "issuer", "show", "vox"]), ["voxpria"]);
}

#[test]
fn zsh_offers_columns_themes_and_what_there_is() {
    let test = "zsh_offers_columns_themes_and_what_there_is";
    if !is_here("zsh") {
        return skip(test, "zsh is not installed (apt-get install zsh)");
    }
    let db = Database::sqlite();
    Script::furnished(&db, "voxpria");
    let folder = Path::new(program::PROGRAM).parent().unwrap();
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", folder.display());
    // zsh completes for people alone, so it sits at a terminal.
    let mut zsh =
        Start::new(db.dir()).env("PATH", &path).env("PS1", "> ").through_shell("exec zsh -f -i").spawn();
    zsh.wait_for("> ");
    zsh.send(b"autoload -U compinit && compinit -u -D; source <(keyrack completions zsh); echo rea''dy\r");
    zsh.wait_for("ready");
    let address = db.address();
    for (typed, whole) in [
        ("key list --columns na".to_owned(), "--columns name"),
        ("key list --columns id,na".to_owned(), "--columns id,name"),
        ("expiring --columns id,expi".to_owned(), "--columns id,expires_at"),
        ("--theme li".to_owned(), "--theme light"),
        (format!("--db {address} key create --account ac"), "--account acme"),
    ] {
        zsh.send(format!("keyrack {typed}\t").as_bytes());
        zsh.wait(whole, |screen| screen.contents().replace('\n', "").contains(whole));
        zsh.press("ctrl-c");
        zsh.send(b"clear\r");
    }
    zsh.send(b"exit\r");
}

#[test]
fn a_theme_of_ones_own_is_offered_too() {
    let home = tempfile::tempdir().unwrap();
    let themes = home.path().join(".config/keyrack/themes");
    std::fs::create_dir_all(&themes).unwrap();
    std::fs::write(themes.join("lilac.toml"), "inherits = \"light\"\n").unwrap();
    assert_eq!(offered(home.path(), &["--theme", "li"]), ["light", "lilac"]);
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
