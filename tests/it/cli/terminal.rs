//! The command line at a terminal: questions, hidden prompts, interruptions.

use std::time::Duration;

use crate::support::database::Database;
use crate::support::pty::{Start, Terminal};
use crate::support::script::{Script, text};
use serde_json::Value;

const LONG: Duration = Duration::from_secs(20);

fn start(db: &Database, args: &[&str]) -> Terminal {
    Start::new(db.dir()).args(args.iter().copied()).on(&db.address()).spawn()
}

/// Waits for the end; answers the exit code and all that was on the terminal.
fn end(mut terminal: Terminal) -> (u32, String) {
    let status = terminal.wait_for_exit(LONG);
    assert_eq!(terminal.left_behind(), Vec::<String>::new());
    (status.exit_code(), terminal.text())
}

fn furnished(db: &Database, names: &[&str]) -> Vec<Value> {
    let keyrack = Script::furnished(db, "voiceinfra");
    names.iter().map(|name| keyrack.create("acme", name)).collect()
}

#[test]
fn vp_26_a_revocation_asks_once_and_the_answer_is_no_by_default() {
    let db = Database::sqlite();
    let keys = furnished(&db, &["Billing"]);
    let keyrack = Script::on(&db);
    let args = ["key", "revoke", text(&keys[0], "id")];
    for no in ["\r", "n\r", "yess\r"] {
        let mut terminal = start(&db, &args);
        terminal.wait_for("[y/N]");
        let screen = terminal.text();
        for shown in ["Billing", "acme", text(&keys[0], "preview"), "last used never"] {
            assert!(screen.contains(shown), "{shown} is missing:\n{screen}");
        }
        terminal.send(no.as_bytes());
        let (code, screen) = end(terminal);
        assert_eq!(code, 1, "{screen}");
        assert!(screen.contains("nothing was revoked"), "{screen}");
        assert_eq!(keyrack.keys("status:active").len(), 1);
    }
    let mut terminal = start(&db, &args);
    terminal.wait_for("[y/N]");
    terminal.send(b"y\r");
    let (code, screen) = end(terminal);
    assert_eq!(code, 0, "{screen}");
    assert_eq!(keyrack.keys("status:active").len(), 0);
}

#[test]
fn several_keys_are_revoked_only_when_their_number_is_typed() {
    let db = Database::sqlite();
    furnished(&db, &["one", "two", "three"]);
    let keyrack = Script::on(&db);
    for (typed, code, left) in [("y\r", 1, 3), ("2\r", 1, 3), ("3\r", 0, 0)] {
        let mut terminal = start(&db, &["key", "revoke", "--filter", "account:acme"]);
        terminal.wait_for("Type the number 3");
        terminal.send(typed.as_bytes());
        let (ended, screen) = end(terminal);
        assert_eq!(ended, code, "{typed:?}\n{screen}");
        assert_eq!(keyrack.keys("status:active").len(), left, "{typed:?}");
    }
}

#[test]
fn a_secret_is_typed_unseen_and_names_its_key() {
    let db = Database::sqlite();
    let keys = furnished(&db, &["Front desk"]);
    let secret = text(&keys[0], "secret");
    let mut terminal = start(&db, &["key", "find"]);
    terminal.wait_for("not shown");
    terminal.type_text(secret);
    terminal.send(b"\r");
    let (code, screen) = end(terminal);
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("Front desk"), "{screen}");
    assert!(!screen.contains(&secret[..secret.len() - 8]), "the secret was shown:\n{screen}");
}

#[test]
fn a_secret_on_a_terminal_comes_with_the_warning_that_it_is_shown_once() {
    let db = Database::sqlite();
    furnished(&db, &[]);
    let (code, screen) = end(start(&db, &["key", "create", "--account", "acme", "--name", "x"]));
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("only time it is shown"), "{screen}");
    assert!(Script::on(&db).keys("")[0]["acknowledged_at"].is_string());
}

#[test]
fn an_interrupted_prompt_ends_with_130_and_gives_the_terminal_back() {
    let db = Database::sqlite();
    let keys = furnished(&db, &["one"]);
    for args in [
        vec!["key", "revoke", text(&keys[0], "id")],
        vec!["key", "find"],
        vec!["key", "revoke", "--secret-stdin"],
    ] {
        let mut terminal = start(&db, &args);
        terminal.wait_for(if args.len() == 3 && args[2] != "--secret-stdin" { "[y/N]" } else { "not shown" });
        terminal.send(b"\x03");
        let (code, screen) = end(terminal);
        assert_eq!(code, 130, "{args:?}\n{screen}");
        assert!(screen.contains("keyrack: interrupted"), "{args:?}\n{screen}");
    }
    assert_eq!(Script::on(&db).keys("status:active").len(), 1);
}

#[test]
fn colour_is_for_terminals_unless_told_otherwise() {
    let db = Database::sqlite();
    furnished(&db, &["one"]);
    let keyrack = Script::on(&db);
    assert!(!keyrack.ok(&["key", "list"]).contains('\u{1b}'));
    assert!(keyrack.ok(&["key", "list", "--color", "always"]).contains("\u{1b}[32mactive"));
    let coloured = |terminal: Terminal| {
        let mut terminal = terminal;
        terminal.wait_for_exit(LONG);
        terminal.quiet(Duration::from_millis(50));
        String::from_utf8_lossy(&terminal.raw()).contains("\u{1b}[32mactive")
    };
    assert!(coloured(start(&db, &["key", "list"])));
    assert!(!coloured(start(&db, &["key", "list", "--color", "never"])));
    assert!(!coloured(
        Start::new(db.dir()).args(["key", "list"]).on(&db.address()).env("NO_COLOR", "1").spawn()
    ));
}
