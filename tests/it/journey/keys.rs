//! What a person does with keys, in a real terminal, on both databases.

use std::time::Duration;

use crate::support::database::Database;
use crate::support::people::{age, make_kept, office, preset};
use crate::support::program;
use crate::support::pty::{Start, Terminal};
use keyrack::domain::expiry::Overlap;
use keyrack::domain::key::Status;
use keyrack::service::{Service, new_operation};
use rustix::process::Signal;
use tempfile::TempDir;

pub(super) fn home() -> TempDir {
    tempfile::tempdir().unwrap()
}

pub(super) fn console(home: &TempDir, db: &Database) -> Terminal {
    Start::new(home.path()).on(&db.address()).size(80, 24).spawn()
}

/// The secret on the screen of a reveal: the word that begins with the prefix and has no dots in it.
fn secret_on(terminal: &Terminal, prefix: &str) -> String {
    let text = terminal.text();
    let word = text
        .split_whitespace()
        .find(|word| word.starts_with(prefix) && word.len() > 40 && !word.contains('•'));
    word.unwrap_or_else(|| panic!("no secret on the screen:\n{text}")).to_owned()
}

/// The line of the selected row.
fn selected(screen: &vt100::Screen) -> String {
    screen.contents().lines().find(|line| line.starts_with('▌')).unwrap_or_default().to_owned()
}

/// Opens the form; where there are several accounts, for the first of them.
fn open_form(terminal: &mut Terminal) {
    terminal.press("n");
    terminal.wait("the form or the choice of an account", |screen| {
        let text = screen.contents();
        text.contains("what the key is for") || text.contains("acme Inc.")
    });
    if terminal.text().contains("Whose key is it?") {
        terminal.press("enter");
    }
    terminal.wait_for("what the key is for");
}

/// Opens the form, names the key, and goes on to the reveal. The secret is on the screen then.
pub(super) fn create(terminal: &mut Terminal, name: &str) {
    open_form(terminal);
    terminal.type_text(name);
    terminal.press("ctrl-s");
    terminal.wait_for("The secret is shown once");
    terminal.answer("ctrl-s");
    terminal.wait_for("This is the only time it is shown");
}

/// How many SQL rows of keys are in this state, by the service's own judgement.
pub(super) async fn status_of(service: &Service, name: &str) -> Status {
    let query =
        crate::support::people::query("status:active,planned,paused,suspended,expired,abandoned,revoked");
    let keys =
        crate::support::people::all(service, &query, keyrack::domain::query::Sort::default(), 100).await;
    let key = keys.iter().find(|key| &*key.name == name).unwrap_or_else(|| panic!("no key {name}"));
    key.status(service.now().await.unwrap())
}

on_both! {
    async fn va_03_from_a_new_database_to_the_first_key_without_leaving_the_console(db) {
        let home = home();
        let mut terminal = console(&home, &db);
        // Who named an address is asked whether a new database is meant.
        terminal.wait_for("Create a new database there? [y/N]");
        terminal.type_text("y");
        terminal.press("enter");
        terminal.wait_for("Welcome to Keyrack");
        terminal.wait_for("VozAgent");
        terminal.type_text("vozagent");
        terminal.answer("enter");
        terminal.wait_for("The first account");
        terminal.type_text("Acme Telephony");
        terminal.press("tab");
        terminal.press("tab");
        terminal.type_text("it@acme.example");
        terminal.press("ctrl-s");
        // The form of the first key comes by itself; behind it is what an empty list says.
        terminal.wait_for("what the key is for");
        terminal.press("esc");
        terminal.wait_for("No API Keys Yet");
        terminal.wait_for("Create API Key");
        create(&mut terminal, "Zapier production");
        let secret = secret_on(&terminal, "gw_");
        terminal.press("d");
        terminal.wait_for("neither copied nor written");
        terminal.answer("y");
        terminal.wait_for("● active");
        // In the table is the masked form, and nothing of the rest.
        let row = terminal.line_with("● active").unwrap();
        assert!(row.contains(&format!("•{}", &secret[secret.len() - 4..])), "{row}");
        terminal.wait_until_gone(&secret);
        terminal.press("q");
        assert_eq!(terminal.wait_for_exit(crate::support::pty::PATIENCE).exit_code(), 0);
        assert_eq!(terminal.left_behind(), Vec::<String>::new());
        let service = db.open().await;
        assert_eq!(status_of(&service, "Zapier production").await, Status::Active);
        let given = keyrack::domain::secret::SentKey::exact(secret.as_bytes());
        assert_eq!(service.find_keys(given).await.unwrap().found.len(), 1);
    }

    async fn vp_23_a_key_revoked_in_a_second_terminal_changes_in_the_first_by_itself(db) {
        let service = office(&db, preset("voicegram")).await;
        let home = home();
        let mut first = console(&home, &db);
        first.wait_for("No Tokens Yet");
        create(&mut first, "Zapier");
        first.press("d");
        first.wait_for("neither copied nor written");
        first.answer("y");
        first.wait_for("● active");
        let listed = program::json(home.path(), ["--db", &db.address(), "key", "list", "--json"]);
        let id = listed[0]["id"].as_str().unwrap();
        program::stdout(home.path(), ["--db", &db.address(), "key", "revoke", id, "--yes"]);
        first.wait_for("✕ revoked");
        // A key made elsewhere appears as well, and the selection stays on the key that it was on.
        make_kept(&service, "globex", "made elsewhere").await;
        first.wait_for("made elsewhere");
        let selected = first.line_with("▌").unwrap();
        assert!(selected.contains("Zapier"), "{selected}");
    }

    async fn va_14_on_call_four_gestures_from_a_shell_to_a_dead_key(db) {
        let service = office(&db, preset("voicegram")).await;
        make_kept(&service, "globex", "another").await;
        let leaked = make_kept(&service, "acme", "Leaked").await;
        let home = home();
        let mut gestures = 0;
        let mut gesture = || gestures += 1;

        gesture(); // `keyrack` and Enter
        let mut terminal = console(&home, &db);
        terminal.wait_for("● active");
        gesture();
        terminal.press("x");
        terminal.wait_for("Paste the exposed key");
        gesture();
        terminal.paste(leaked.secret.expose());
        terminal.wait_for("Exposed key: Leaked");
        terminal.wait_for(&leaked.key.id.to_string());
        gesture();
        terminal.answer("y");
        terminal.wait_for("Dead: Leaked");

        assert_eq!(gestures, 4);
        assert_eq!(status_of(&service, "Leaked").await, Status::Revoked);
        assert_eq!(status_of(&service, "another").await, Status::Active);
        assert!(!String::from_utf8_lossy(&terminal.raw()).contains(&leaked.secret.expose()[8..]), "the pasted secret was shown");
    }

    async fn a_word_typed_over_the_table_revokes_nothing_at_any_pace(db) {
        let service = office(&db, preset("voicegram")).await;
        make_kept(&service, "acme", "Selected").await;
        let home = home();
        let mut terminal = console(&home, &db);
        terminal.wait_for("● active");
        for gap in [0, 12, 25, 60, 120, 250, 500] {
            terminal.quiet(Duration::from_millis(100));
            for c in "deploy\ty\r".chars() {
                terminal.send(c.to_string().as_bytes());
                terminal.wait_quietly(Duration::from_millis(gap));
            }
            terminal.wait_quietly(Duration::from_millis(500));
            assert_eq!(status_of(&service, "Selected").await, Status::Active, "{gap} ms: {}", terminal.text());
            for _ in 0..3 {
                terminal.press("esc");
            }
            terminal.wait_until_gone("Revoke token Selected?");
        }
        // Whoever answers too early is told so, and answers again.
        terminal.press("d");
        terminal.press("y");
        terminal.wait_for("Too quick");
        terminal.answer("y");
        terminal.wait_for("✕ revoked");
    }

    async fn a_key_revoked_elsewhere_stays_under_the_cursor_until_it_moves(db) {
        let service = office(&db, preset("voicegram")).await;
        for name in ["Third", "Second", "First"] {
            make_kept(&service, "acme", name).await;
        }
        let home = home();
        let mut terminal = console(&home, &db);
        terminal.wait_for("First");
        terminal.press("/");
        terminal.type_text("status:active");
        terminal.press("enter");
        terminal.press("j");
        terminal.wait("the second key under the cursor", |screen| selected(screen).contains("Second"));
        let query = crate::support::people::query("Second");
        let keys = crate::support::people::all(&service, &query, keyrack::domain::query::Sort::default(), 9).await;
        service.revoke_keys(new_operation(), &[keys[0].id], None).await.unwrap();
        terminal.wait("its end, at its place", |screen| {
            let line = selected(screen);
            line.contains("Second") && line.contains("revoked by ")
        });
        terminal.press("d");
        terminal.wait_for("Second was revoked at");
        terminal.press("j");
        terminal.wait("the next key", |screen| selected(screen).contains("Third"));
        assert!(!terminal.with(|screen| screen.contents().contains("active    Second")), "{}", terminal.text());
        // A key that is made under a filter that leaves it out has the cursor all the same.
        terminal.press("/");
        terminal.type_text("third");
        terminal.press("enter");
        create(&mut terminal, "Brand new");
        terminal.press("d");
        terminal.wait_for("neither copied nor written");
        terminal.answer("y");
        terminal.wait("the new key under the cursor", |screen| selected(screen).contains("Brand new"));
    }

    async fn all_keys_of_a_filter_are_marked_and_revoked_at_once(db) {
        let service = office(&db, preset("voiceinfra")).await;
        for n in 0..7 {
            make_kept(&service, "acme", &format!("Batch {n}")).await;
        }
        make_kept(&service, "acme", "Other").await;
        let home = home();
        let mut terminal = console(&home, &db);
        terminal.wait_for("Other");
        // A filter that can't be read: nothing is marked, nothing is asked.
        terminal.press("/");
        terminal.type_text("stauts:active");
        terminal.press("enter");
        terminal.press("ctrl-a");
        terminal.type_text("d");
        terminal.wait_quietly(Duration::from_millis(300));
        assert!(!terminal.text().contains("marked") && !terminal.text().contains("Revoke"), "{}", terminal.text());
        terminal.press("esc");
        terminal.press("/");
        terminal.type_text("batch");
        terminal.press("enter");
        terminal.press("ctrl-a");
        terminal.wait_for("✓ 7 marked");
        terminal.press("L");
        terminal.wait_for("takes one row at a time");
        terminal.press("d");
        terminal.wait_for("Revoke 7 keys?");
        terminal.wait_for("Of these: 7 active.");
        terminal.type_text("7");
        terminal.answer("enter");
        terminal.wait_until_gone("Revoke 7 keys?");
        terminal.wait_until_gone("marked");
        assert_eq!(service.account("acme").await.unwrap().active_keys, 1);
    }

    async fn vg_11_leaving_the_reveal_without_done_asks_and_the_key_dies(db) {
        let service = office(&db, preset("voicegram")).await;
        let home = home();
        let mut terminal = console(&home, &db);
        terminal.wait_for("No Tokens Yet");
        create(&mut terminal, "Left");
        let secret = secret_on(&terminal, "vg_pat_");
        terminal.wait_for("revoke");
        terminal.press("esc");
        // It asks first; the secret is still to be had.
        terminal.wait("a question", |screen| screen.contents().contains('?'));
        terminal.press("esc");
        terminal.wait("the secret again", |screen| screen.contents().contains(&secret));
        assert_eq!(status_of(&service, "Left").await, Status::Active);
        age(&db, 601).await;
        assert_eq!(status_of(&service, "Left").await, Status::Abandoned);
    }

    async fn vp_27_a_console_killed_during_the_reveal_leaves_no_live_key(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let home = home();
        let mut terminal = console(&home, &db);
        terminal.wait_for("n  ");
        create(&mut terminal, "Killed");
        terminal.signal(Signal::KILL);
        terminal.wait_for_exit(crate::support::pty::PATIENCE);
        assert_eq!(status_of(&service, "Killed").await, Status::Active);
        age(&db, 601).await;
        assert_eq!(status_of(&service, "Killed").await, Status::Abandoned);
        // The next console flags it.
        let mut terminal = console(&home, &db);
        terminal.wait_for("Show the one that is ended");
        terminal.press("right");
        terminal.wait_for("◌ abandoned");
    }

    async fn vp_26_revoking_asks_once_and_no_is_the_answer_that_enter_gives(db) {
        let service = office(&db, preset("voxpria")).await;
        let key = make_kept(&service, "acme", "Careful").await.key;
        let home = home();
        let mut terminal = console(&home, &db);
        terminal.wait_for("Careful");
        terminal.press("d");
        terminal.wait_for("Revoke API key Careful?");
        // VA-09: what it is about, uncut.
        terminal.wait_for(&key.id.to_string());
        terminal.wait_for(&key.preview);
        terminal.press("enter");
        terminal.wait_until_gone("Revoke API key Careful?");
        assert_eq!(status_of(&service, "Careful").await, Status::Active);
        terminal.press("d");
        terminal.wait_for("Revoke API key Careful?");
        terminal.answer("y");
        terminal.wait_for("✕ revoked");
        assert_eq!(status_of(&service, "Careful").await, Status::Revoked);
    }

    async fn vp_08_no_scope_is_ticked_at_first_and_ticking_gives_just_that_one(db) {
        office(&db, preset("voxpria")).await;
        let home = home();
        let mut terminal = Start::new(home.path()).on(&db.address()).size(100, 40).spawn();
        terminal.wait_for("n  ");
        open_form(&mut terminal);
        assert!(!terminal.text().contains("[x]"), "{}", terminal.text());
        assert!(terminal.text().contains("calls"), "{}", terminal.text());
    }

    async fn several_keys_are_revoked_after_their_number_was_typed(db) {
        let service = office(&db, preset("voiceinfra")).await;
        for n in 0..4 {
            make_kept(&service, "acme", &format!("Batch {n}")).await;
        }
        let home = home();
        let mut terminal = console(&home, &db);
        terminal.wait_for("Batch 0");
        for _ in 0..3 {
            terminal.press("space");
            terminal.quiet(std::time::Duration::from_millis(80));
            terminal.press("down");
            terminal.quiet(std::time::Duration::from_millis(80));
        }
        terminal.press("d");
        terminal.wait("a question about three keys", |screen| screen.contents().contains("Revoke 3"));
        // A yes is not enough for several, nor is another number.
        terminal.type_text("y2");
        terminal.press("tab");
        terminal.press("tab");
        terminal.answer("enter");
        terminal.wait_for("type 3, the number of keys to revoke");
        assert_eq!(service.account("acme").await.unwrap().active_keys, 4);
        terminal.press("backspace");
        terminal.press("backspace");
        terminal.type_text("3");
        terminal.answer("enter");
        terminal.wait_for("Ended 3");
        terminal.wait_for("[Live 1]");
        assert_eq!(service.account("acme").await.unwrap().active_keys, 1);
    }

    async fn a_rotated_key_shows_its_successor(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let old = make_kept(&service, "acme", "Hub").await.key;
        let new = service.rotate_key(new_operation(), old.id, Overlap::Hours24).await.unwrap().key;
        service.acknowledge_key(new_operation(), new.id).await.unwrap();
        let home = home();
        let mut terminal = Start::new(home.path()).on(&db.address()).size(140, 40).spawn();
        terminal.wait("both keys", |screen| screen.contents().matches("Hub").count() >= 2);
        terminal.press("enter");
        terminal.wait("the link", |screen| screen.contents().to_lowercase().contains("replaces"));
    }
}
