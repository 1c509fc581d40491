use std::process::Command;

use clap::Parser as _;

use super::*;
use crate::cli::Cli;
use crate::config::keymap::Context;
use crate::domain::expiry::Overlap;
use crate::domain::key::Key;
use crate::domain::notice::Occasion;
use crate::domain::query::Sort;
use crate::domain::scope::Scopes;
use crate::domain::text::SafeText;
use crate::tui::effect::{CopyText, Effect};
use crate::tui::opening::{Change, Opening, Question};
use crate::tui::testing::{Desk, account, created, key, key_id, keys};
use crate::tui::views::OfKeys;
use crate::tui::words::{ExitReason, Pasted, ScreenId};

/// What `f2` copies now; the words of the command as the parser takes them.
#[track_caller]
fn copied(desk: &mut Desk, what: &str) -> String {
    let effects = desk.press("f2");
    let line = effects.into_iter().find_map(|effect| match effect {
        Effect::Ask { request: Request::Copy(CopyText::Lines("the command was", text)), .. } => Some(text),
        _ => None,
    });
    let line = line.unwrap_or_else(|| panic!("{what} copies no command: {:?}", desk.toast())).to_string();
    let first = line.split(" <<'END'").next().unwrap();
    let echo = Command::new("sh").args(["-c", &format!("printf '%s\\0' {first}")]).output().unwrap();
    let words = String::from_utf8(echo.stdout).unwrap();
    let words: Vec<&str> = words.trim_end_matches('\0').split('\0').collect();
    if let Err(error) = Cli::try_parse_from(&words) {
        assert_eq!(error.kind(), clap::error::ErrorKind::DisplayHelp, "{what}: {line}: {error}");
    }
    line
}

#[test]
fn kr_19_every_screen_copies_its_command() {
    let mut desk = Desk::ready(120, 40, keys(9));
    for (screen, line) in [
        (ScreenId::Keys, "keyrack key list --filter=-status:expired,abandoned,revoked --sort=created:desc"),
        (ScreenId::Expiring, "keyrack key list '--filter="),
        (ScreenId::Reminders, "keyrack reminders list"),
        (ScreenId::Accounts, "keyrack account list"),
        (ScreenId::Audit, "keyrack audit list"),
        (ScreenId::Issuers, "keyrack issuer list"),
        (ScreenId::Operators, "keyrack operator list"),
        (ScreenId::Alerts, "keyrack alerts list"),
        (ScreenId::Hygiene, "keyrack hygiene"),
        (ScreenId::Rotations, "keyrack rotation list"),
    ] {
        desk.press(&((screen.place() + 1) % 10).to_string());
        let copied = copied(&mut desk, screen.title());
        assert!(copied.starts_with(line), "{screen:?}: {copied}");
        // The same by its own key and by the palette.
        assert!(!desk.press("@").is_empty(), "{screen:?}");
    }
    desk.press("1");
    desk.play("/ \"it's account:acme\" enter");
    assert_eq!(
        copied(&mut desk, "filter"),
        r"keyrack key list '--filter=it'\''s account:acme -status:expired,abandoned,revoked' --sort=created:desc"
    );
}

#[test]
fn kr_04_a_selection_is_its_filter_or_its_ids() {
    let mut desk = Desk::ready(120, 40, keys(60));
    desk.play("/ \"status:active\" enter ctrl-a");
    assert_eq!(copied(&mut desk, "marks"), "keyrack key list --filter=status:active");
    desk.play("d");
    assert_eq!(copied(&mut desk, "question"), "keyrack key revoke --filter=status:active");
    desk.play("esc space");
    let line = copied(&mut desk, "all but one");
    assert!(line.starts_with("keyrack key list --ids-from=- <<'END'\n"), "{line}");
    assert_eq!(line.lines().count(), 61);
    let mut desk = Desk::ready(120, 40, keys(9));
    desk.play("space space d");
    let ids = format!("keyrack key revoke {} {}", key_id(0), key_id(1));
    assert_eq!(copied(&mut desk, "two"), ids);
}

#[test]
fn kr_19_an_edit_copies_what_it_would_change() {
    let key = key("voxpria", "Hub");
    let (id, scopes) = (key.id, Scopes::parse("calls:read"));
    let mut desk = Desk::new();
    desk.open(Opening::Edit(Box::new(Key { scopes, ..key })));
    desk.press("\" 2\" tab tab space right space ctrl-s");
    let line =
        format!("keyrack key edit '--name=Hub 2' --add-scope=calls:write --remove-scope=calls:read {id}");
    assert_eq!(copied(&mut desk, "edit"), line);
    let edit = Edit {
        owner: Some(String::new()),
        anywhere: true,
        expires: Some(crate::domain::edit::NewEnd::parse("+90d", desk.state.shell.here()).unwrap()),
        ..Edit::default()
    };
    let line = edited(&edit).words.join(" ");
    assert_eq!(line, "key edit --owner= --allow=any --expires=+90d");
}

#[test]
fn kr_19_every_question_copies_its_command() {
    let one = || Box::new(key("voxpria", "O'Brien; rm -rf /"));
    let id = one().id;
    let question = |change: Change| {
        Opening::Confirm(Question {
            title: "?".into(),
            words: "?".into(),
            verb: "Go",
            change,
            done: "done".into(),
            undo: None,
        })
    };
    let openings: Vec<(Opening, String)> = vec![
        (Opening::Sort(Sort::default()), "key list".into()),
        (Opening::Create { account: None }, "key create --help".into()),
        (Opening::Alike(id), "key create --help".into()),
        (Opening::Edit(one()), format!("key show {id}")),
        (Opening::EditMany(vec![id, key_id(1)]), format!("key show {id} {}", key_id(1))),
        (
            Opening::Reveal { created: Box::new(created("voxpria", "CI")), replaces: None },
            "key acknowledge".into(),
        ),
        (
            Opening::Revoke { ids: vec![id], known: vec![*one()], states: String::new() },
            format!("key revoke {id}"),
        ),
        (
            Opening::Pause { ids: vec![id], known: vec![*one()], states: String::new(), resume: false },
            format!("key pause --for=1h {id}"),
        ),
        (
            Opening::Hold { of: "account:acme".into(), lift: None },
            "freeze add --filter=account:acme --for=1h".into(),
        ),
        (Opening::Hold { of: String::new(), lift: Some(4) }, "freeze lift 4".into()),
        (Opening::Looked { ids: vec![id], looked: None }, format!("key reach {id}")),
        (Opening::Export(vec![id]), format!("key list --limit=0 --output=csv {id}")),
        (Opening::Restored, "key revoke --undone".into()),
        (Opening::Emergency, "key find".into()),
        (Opening::Exposed(Pasted::new("x".into())), "key find".into()),
        (Opening::Explain(one()), format!("explain {id}")),
        (Opening::ExplainId(id), "explain".into()),
        (Opening::ExplainSecret, "explain".into()),
        (Opening::Rotate(one()), format!("key rotate --overlap={} {id}", Overlap::Hours24.as_str())),
        (
            question(Change::Standing { account: "acme".into(), standing: Standing::Suspended }),
            "account suspend acme".into(),
        ),
        (
            question(Change::Role { operator: "bob".into(), role: crate::domain::operator::Role::Admin }),
            "operator set bob admin".into(),
        ),
        (question(Change::RemoveOperator("bob".into())), "operator remove bob".into()),
        (question(Change::RetryReminders(vec![id])), format!("reminders retry {id}")),
        (question(Change::AcceptHistory), "audit accept".into()),
        (question(Change::Decide { n: 3, decision: Decision::Approve }), "approval approve 3".into()),
        (question(Change::Decide { n: 3, decision: Decision::Decline }), "approval decline 3".into()),
        (Opening::Approvals, "approval list".into()),
        (
            question(Change::Tell { keys: vec![id], occasion: Occasion::Exposed }),
            format!("key tell --exposed {id}"),
        ),
        (Opening::Incident(vec![id]), "incident report".into()),
        (Opening::Account { issuer: None, first_run: false }, "account create --help".into()),
        (Opening::ChangeAccount(account("voxpria", "acme").account), "account change acme".into()),
        (Opening::Limit(one()), "key limit".into()),
        (Opening::Help(Context::Keys), "key list".into()),
        (Opening::Palette(Context::Keys), "key list".into()),
        (Opening::Themes, "key list".into()),
        (Opening::Settings(OfKeys::default()), "info".into()),
        (Opening::Reader { title: "?".into(), parts: Vec::new(), about: None }, "key list".into()),
        (Opening::Sweep, "reminders sweep --dry-run".into()),
        (Opening::Leave(ExitReason::Quit), "key list".into()),
    ];
    for (opening, wanted) in openings {
        let what = format!("{opening:?}");
        let what = what.split([' ', '(']).next().unwrap_or_default().to_owned();
        let mut desk = Desk::new();
        desk.open(opening);
        let line = copied(&mut desk, &what);
        assert!(line.starts_with(&format!("keyrack {wanted}")), "{what}: {line}");
    }
}

#[test]
fn a_word_is_quoted_for_a_shell_and_a_secret_is_never_copied() {
    for word in [
        "",
        "a b",
        "it's",
        "$(rm)",
        "`x`",
        "!!",
        "~",
        "*",
        "Größe \u{1b}[31m",
        "\\",
        "\"",
        "a\nb",
        "#x",
        "&",
        "-x",
    ] {
        let told = Command::new("sh").args(["-c", &format!("printf %s {}", quoted(word))]).output().unwrap();
        let clean: String = word.chars().filter(|c| !c.is_control()).collect();
        assert_eq!(String::from_utf8(told.stdout).unwrap(), clean, "{word:?}");
    }
    let mut desk = Desk::new();
    let secret = created("voxpria", "CI").secret;
    desk.open(Opening::Create { account: Some("acme".into()) });
    assert!(desk.state.shell.holds_secret(secret.expose()));
    desk.state.shell.database = SafeText::new(secret.expose());
    desk.state.shell.named = true;
    crate::tui::testing::asks_nothing(&desk.press("f2"));
    assert!(desk.toast().contains("secret"), "{}", desk.toast());
}
