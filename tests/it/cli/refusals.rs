//! What the command line refuses: the exit code, the words, and that nothing changed.

use crate::support::people::TWO_KEYS;
use crate::support::program;
use crate::support::script::{Script, failed, text};

fn tiny<'a>(db: &'a crate::support::database::Database) -> Script<'a> {
    let keyrack = Script::on(db);
    keyrack.ok(&["migrate"]);
    let args = ["issuer", "apply", "-"];
    crate::support::script::succeeded(&args, &keyrack.run_with_input(&args, TWO_KEYS));
    keyrack.ok(&[
        "account",
        "create",
        "--issuer",
        "tiny",
        "--slug",
        "acme",
        "--name",
        "Acme",
        "--admin",
        "a@acme.example",
    ]);
    keyrack
}

const CREATE: [&str; 6] = ["key", "create", "--account", "acme", "--name", "x"];

on_both! {
    async fn vg_09_a_name_is_required(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        assert!(keyrack.refused(2, &["key", "create", "--account", "acme"]).contains("--name"));
        for empty in ["", "   ", "\t"] {
            let told = keyrack.refused(2, &["key", "create", "--account", "acme", "--name", empty]);
            assert!(told.contains("name"), "{told}");
        }
        assert_eq!(keyrack.keys("").len(), 0);
    }

    async fn vg_19_at_the_cap_the_refusal_names_it_and_says_to_revoke_one(db) {
        let keyrack = tiny(&db);
        let first = keyrack.create("acme", "one");
        keyrack.create("acme", "two");
        let told = keyrack.refused(5, &CREATE);
        assert!(told.contains("2 active keys") && told.contains("limit is 2") && told.contains("Revoke one"), "{told}");
        keyrack.ok(&["key", "revoke", text(&first, "id"), "--yes"]);
        keyrack.ok(&CREATE);
    }

    async fn vg_22_the_eleventh_creation_within_a_minute_is_refused(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        for _ in 0..10 {
            keyrack.ok(&CREATE);
        }
        let told = keyrack.refused(5, &CREATE);
        assert!(told.contains("within a minute") && told.contains("10"), "{told}");
    }

    async fn vi_06_there_is_no_cap_where_the_policy_has_none(db) {
        let keyrack = Script::furnished(&db, "voiceinfra");
        for _ in 0..25 {
            keyrack.ok(&CREATE);
        }
        assert_eq!(keyrack.keys("status:active").len(), 25);
    }

    async fn vp_28_the_three_refusals_to_create_have_words_and_codes_of_their_own(db) {
        let keyrack = tiny(&db);
        keyrack.create("acme", "one");
        keyrack.create("acme", "two");
        let limit = keyrack.refused(5, &CREATE);
        keyrack.ok(&["account", "suspend", "acme"]);
        let standing = keyrack.refused(5, &CREATE);
        keyrack.ok(&["account", "reinstate", "acme"]);
        let me = text(&keyrack.json(&["operator", "list"])[0], "name").to_owned();
        keyrack.ok(&["operator", "set", "grace", "admin"]);
        keyrack.ok(&["operator", "set", &me, "viewer"]);
        let permission = keyrack.refused(4, &CREATE);
        assert!(limit.contains("limit is 2"), "{limit}");
        assert!(standing.contains("suspended") && standing.contains("keyrack account reinstate acme"), "{standing}");
        assert!(permission.contains(&me) && permission.contains("operator set"), "{permission}");
    }

    async fn an_account_changes_by_command(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        let changed = keyrack.json(&["account", "change", "acme", "--admin", "new@acme.example,ops@acme.example", "--plan", "Starter"]);
        assert_eq!(changed["admins"], serde_json::json!(["new@acme.example", "ops@acme.example"]));
        assert_eq!(text(&changed, "plan"), "Starter");
        assert_eq!(text(&keyrack.json(&["account", "change", "acme", "--no-plan", "--name", "Acme Ltd"]), "name"), "Acme Ltd");
        assert!(keyrack.refused(2, &["account", "change", "acme"]).contains("--admin"));
        assert!(keyrack.refused(2, &["account", "change", "acme", "--plan", "Gold"]).contains("Starter"));
        let before = keyrack.json(&["account", "show", "acme"]);
        keyrack.ok(&["account", "change", "acme", "--name", "Other", "--dry-run"]);
        assert_eq!(keyrack.json(&["account", "show", "acme"]), before);
    }

    async fn vg_04_a_viewer_may_look_and_change_nothing(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        let key = keyrack.create("acme", "one");
        let me = text(&keyrack.json(&["operator", "list"])[0], "name").to_owned();
        keyrack.ok(&["operator", "set", "grace", "admin"]);
        keyrack.ok(&["operator", "set", &me, "viewer"]);
        let rows = keyrack.json(&["audit", "list"]);
        let id = text(&key, "id");
        for args in [
            vec!["key", "revoke", id, "--yes"], vec!["key", "rotate", id], vec!["key", "acknowledge", id],
            vec!["account", "suspend", "acme"], vec!["issuer", "add", "voxpria"], vec!["operator", "set", &me, "admin"],
            vec!["operator", "remove", "grace", "--yes"],
            vec!["account", "create", "--issuer", "voicegram", "--slug", "n", "--name", "N", "--admin", "a@b.example"],
        ] {
            keyrack.refused(4, &args);
        }
        assert_eq!(keyrack.json(&["audit", "list"]), rows);
        assert_eq!(keyrack.keys("status:active").len(), 1);
    }

    async fn the_last_admin_stays_admin(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        let me = text(&keyrack.json(&["operator", "list"])[0], "name").to_owned();
        keyrack.refused(5, &["operator", "set", &me, "viewer"]);
        keyrack.refused(5, &["operator", "remove", &me, "--yes"]);
    }

    async fn what_is_not_there_is_told_with_where_to_look(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        for (args, hint) in [
            (vec!["key", "show", "01999999-0000-7000-8000-000000000000"], "no key"),
            (vec!["key", "show", "zzzz"], "key list"),
            (vec!["account", "show", "nobody"], "account list"),
            (vec!["issuer", "show", "nobody"], "issuer"),
            (vec!["issuer", "add", "nobody"], "voxpria"),
            (vec!["key", "create", "--account", "nobody", "--name", "x"], "account"),
        ] {
            let told = keyrack.refused(3, &args);
            assert!(told.contains(hint), "{args:?}: {told}");
        }
    }

    async fn a_mistake_in_a_filter_is_shown_at_its_place(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        let told = keyrack.refused(2, &["key", "list", "--filter", "account:acme status:bogus"]);
        let lines: Vec<&str> = told.lines().collect();
        let place = lines[1].find("bogus").unwrap();
        assert_eq!(lines[2].find('^'), Some(place), "{told}");
        assert_eq!(lines[2].trim(), "^^^^^");
        keyrack.refused(2, &["audit", "list", "--filter", "action:no.such"]);
    }

    async fn an_edited_audit_row_breaks_the_verification_at_that_row(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        keyrack.create("acme", "one");
        let head = keyrack.ok(&["audit", "verify"]);
        let head = head.trim();
        assert!(head.split_once(':').is_some_and(|(_, hash)| hash.len() == 64), "{head}");
        keyrack.create("acme", "two");
        keyrack.ok(&["audit", "verify", "--expect", head]);
        let other = format!("{}{}", &head[..head.len() - 1], if head.ends_with('0') { '1' } else { '0' });
        assert!(keyrack.refused(6, &["audit", "verify", "--expect", &other]).contains("is not the one that was noted: the chain was rewritten"));
        db.execute_past_triggers("audit", "UPDATE audit SET actor = 'mallory' WHERE seq = 3").await;
        assert!(keyrack.refused(6, &["audit", "verify"]).contains("row 3"));
        let output = keyrack.run(&["doctor", "--json"]);
        assert_eq!(output.status.code(), Some(6));
        let findings: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let audit = findings.as_array().unwrap().iter().find(|one| one["what"] == "audit").unwrap();
        assert_eq!(audit["state"], "problem");
    }

    async fn an_impossible_policy_is_refused_with_file_line_and_reason_and_changes_nothing(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        let rows = keyrack.json(&["audit", "list"]);
        let file = db.dir().join("policy.toml");
        for (text, line) in [
            (TWO_KEYS.replace("active-keys", "active-kyes"), 8),
            (TWO_KEYS.replace("\"ty_\"", "\"TY!\""), 5),
            (TWO_KEYS.replace("body = \"hex\"", "body = \"rot13\""), 6),
            (TWO_KEYS.replace("slug = \"tiny\"", "slug ="), 2),
        ] {
            std::fs::write(&file, &text).unwrap();
            let told = keyrack.refused(2, &["issuer", "apply", "policy.toml"]);
            assert!(told.contains(&format!("policy.toml:{line}:")), "{told}\n{text}");
        }
        assert_eq!(keyrack.json(&["audit", "list"]), rows);
    }

    async fn a_policy_that_is_shown_can_be_applied_again(db) {
        let keyrack = Script::on(&db);
        for preset in ["voicegram", "voxpria", "vozagent", "voiceinfra"] {
            keyrack.ok(&["issuer", "add", preset]);
            let shown = keyrack.ok(&["issuer", "show", preset]);
            let before = keyrack.json(&["issuer", "show", preset]);
            let args = ["issuer", "apply", "-"];
            crate::support::script::succeeded(&args, &keyrack.run_with_input(&args, &shown));
            assert_eq!(keyrack.json(&["issuer", "show", preset]), before, "{preset}");
            keyrack.refused(5, &["issuer", "add", preset]);
        }
    }

    async fn invented_keys_are_never_put_among_real_ones(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        keyrack.create("acme", "real");
        keyrack.refused(5, &["demo", "--keys", "5"]);
        keyrack.refused(5, &["demo", "--keys", "5", "--yes"]);
        assert_eq!(keyrack.keys("").len(), 1);
    }
}

fn home() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn a_database_that_cannot_be_reached_has_an_exit_code_of_its_own() {
    let home = home();
    for address in ["postgres://nobody@127.0.0.1:1/keys", "/proc/keyrack.db"] {
        let args = ["key", "list", "--db", address];
        failed(7, &args, &program::run(home.path(), args));
        let output = program::run(home.path(), ["doctor", "--db", address, "--json"]);
        if address.starts_with("postgres") {
            assert_eq!(output.status.code(), Some(6));
        }
    }
}

#[test]
fn a_password_in_an_address_is_refused_and_not_repeated() {
    let home = home();
    let address = "postgres://ada:hunter2@localhost/keys";
    let args = ["key", "list", "--db", address];
    let told = failed(2, &args, &program::run(home.path(), args));
    assert!(told.contains("PGPASSFILE") && !told.contains("hunter2"), "{told}");
    let output = program::keyrack(home.path(), ["key", "list"]).env("KEYRACK_DB", address).output().unwrap();
    let told = failed(2, &["KEYRACK_DB"], &output);
    assert!(told.contains("KEYRACK_DB") && !told.contains("hunter2"), "{told}");
}

#[test]
fn a_mistake_in_the_arguments_is_one_line_on_standard_error() {
    let home = home();
    for args in [
        vec!["key", "list", "--filtre", "x"],
        vec!["keys!", "list"],
        vec!["key", "list", "--sort", "nmae"],
        vec!["key", "list", "--output", "yaml"],
        vec!["key", "revoke"],
        vec!["operator", "set", "bob", "god"],
        vec!["key", "list", "--after", "nonsense"],
        vec!["audit", "verify", "--expect", "7"],
        vec!["key", "list", "\u{1b}[31mx"],
    ] {
        let told = failed(2, &args, &program::run(home.path(), &args));
        assert_eq!(told.trim_end().lines().count(), 1, "{told}");
        assert!(!told.contains('\u{1b}'), "{told:?}");
    }
    assert!(!home.path().join(".local/share").exists(), "a mistake makes no database");
}

#[test]
fn help_version_completions_and_manual_pages_need_no_database() {
    let home = home();
    let version = program::stdout(home.path(), ["--version"]);
    assert_eq!(version.trim(), format!("keyrack {}", env!("CARGO_PKG_VERSION")));
    assert!(program::stdout(home.path(), ["key", "create", "--help"]).contains("--expires"));
    for shell in ["bash", "zsh", "fish"] {
        assert!(program::stdout(home.path(), ["completions", shell]).contains("KEYRACK_COMPLETE"), "{shell}");
    }
    program::stdout(home.path(), ["man", "pages"]);
    for page in ["keyrack.1", "keyrack-key.1", "keyrack-key-create.1"] {
        assert!(home.path().join("pages").join(page).exists(), "{page}");
    }
    assert!(!home.path().join(".local/share").exists());
}

#[test]
fn info_says_where_each_setting_was_decided_and_makes_no_database() {
    let home = home();
    let folder = home.path().join(".config/keyrack");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.toml"), "# mine\ntheme = \"light\"\n").unwrap();
    let output =
        program::keyrack(home.path(), ["info", "--json"]).env("KEYRACK_MOUSE", "off").output().unwrap();
    let facts: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    let of = |name: &str| facts.iter().find(|fact| fact["name"] == name).unwrap().clone();
    assert!(text(&of("theme"), "source").ends_with("config.toml:2"));
    assert_eq!((text(&of("mouse"), "value"), text(&of("mouse"), "source")), ("false", "KEYRACK_MOUSE"));
    assert_eq!(text(&of("database"), "source"), "default");
    assert!(text(&of("state"), "value").contains("not created yet"));
    assert!(!home.path().join(".local/share").exists());
}

#[test]
fn a_database_file_that_others_can_read_is_a_problem_to_the_doctor() {
    use std::os::unix::fs::PermissionsExt;
    let home = home();
    program::stdout(home.path(), ["issuer", "add", "voicegram", "--db", "k.db"]);
    program::stdout(home.path(), ["doctor", "--db", "k.db"]);
    std::fs::set_permissions(home.path().join("k.db"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let output = program::run(home.path(), ["doctor", "--db", "k.db"]);
    let (stdout, stderr) = crate::support::script::texts(&output);
    assert_eq!(output.status.code(), Some(6), "{stdout}{stderr}");
    assert!(stdout.contains("problem") && stderr.contains("chmod 600"), "{stdout}{stderr}");
}
