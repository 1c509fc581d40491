//! Exposed keys, pasted into a real terminal as people find them, on both databases.

use std::time::Duration;

use crate::support::forms::forms;
use crate::support::people::{make_kept, office, preset};
use crate::support::pty::{PATIENCE, Start};

on_both! {
    async fn va_14_whatever_was_pasted_around_exposed_keys_none_of_them_is_lost(db) {
        let service = office(&db, preset("vozagent")).await;
        let one = make_kept(&service, "acme", "Front desk").await;
        let other = make_kept(&service, "globex", "Back office").await;
        let (first, second) = (one.secret.expose(), other.secret.expose());
        let home = tempfile::tempdir().unwrap();
        let mut terminal = Start::new(home.path()).on(&db.address()).size(80, 24).spawn();
        terminal.wait_for("● live");
        terminal.press("x");
        terminal.wait_for("Paste the exposed key");
        let (a, b) = first.split_at(20);
        terminal.paste(&format!("> Authorization: Bearer {a}=\r\n> {b},\r\n"));
        terminal.wait_for("Exposed key: Front desk");
        terminal.wait_for("it@acme.example");
        terminal.press("n");
        terminal.wait_for("Paste the exposed key");
        terminal.press("x");
        terminal.paste(&format!("{first}\n{}{{\"key\":\"{second}\"}}", "words ".repeat(20_000)));
        terminal.wait_for("2 exposed keys");
        terminal.wait_quietly(Duration::from_millis(500));
        terminal.press("y");
        terminal.wait_for("2 keys are revoked");
        for made in [&one, &other] {
            assert!(service.key(made.key.id).await.unwrap().revoked_at.is_some());
        }
        let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
        assert!(!raw.contains(&first[8..]) && !raw.contains(&second[8..]), "a secret was shown");
    }

    async fn every_form_of_a_secret_that_is_pasted_finds_its_key(db) {
        let service = office(&db, preset("vozagent")).await;
        let made = make_kept(&service, "acme", "Front desk").await;
        let home = tempfile::tempdir().unwrap();
        let mut terminal = Start::new(home.path()).on(&db.address()).size(80, 24).spawn();
        terminal.wait_for("● live");
        terminal.press("x");
        for form in forms(made.secret.expose()) {
            terminal.wait_for("Paste the exposed key");
            terminal.paste(&form);
            terminal.wait_for("Exposed key: Front desk");
            terminal.press("n");
        }
        let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
        assert!(!raw.contains(&made.secret.expose()[8..]), "a secret was shown");
    }

    async fn a_paste_of_several_lines_without_brackets_loses_none_of_its_secrets(db) {
        let service = office(&db, preset("vozagent")).await;
        let one = make_kept(&service, "acme", "Front desk").await;
        let other = make_kept(&service, "globex", "Back office").await;
        let home = tempfile::tempdir().unwrap();
        let mut terminal = Start::new(home.path()).on(&db.address()).size(80, 24).spawn();
        terminal.wait_for("● live");
        terminal.press("x");
        terminal.wait_for("Paste the exposed key");
        let (first, second) = (one.secret.expose(), other.secret.expose());
        terminal.send(format!("first: {first}\rsecond: {second}\ry\r").as_bytes());
        terminal.wait_for("2 exposed keys");
        assert!(service.key(one.key.id).await.unwrap().revoked_at.is_none(), "a y in a paste is no answer");
        terminal.wait_quietly(Duration::from_millis(500));
        terminal.press("y");
        terminal.wait_for("2 keys are revoked");
        for made in [&one, &other] {
            assert!(service.key(made.key.id).await.unwrap().revoked_at.is_some());
        }
    }

    async fn a_secret_put_into_a_filter_is_not_shown_and_its_key_is_offered(db) {
        let service = office(&db, preset("vozagent")).await;
        let made = make_kept(&service, "acme", "Front desk").await;
        let secret = made.secret.expose();
        for bracketed in [true, false] {
            let home = tempfile::tempdir().unwrap();
            let mut terminal = Start::new(home.path()).on(&db.address()).size(80, 24).spawn();
            terminal.wait_for("● live");
            terminal.press("/");
            if bracketed {
                terminal.paste(&format!("account:acme {secret}"));
            } else {
                terminal.send(secret.as_bytes());
            }
            terminal.wait_for("That text contains a secret");
            terminal.wait_quietly(Duration::from_millis(300));
            terminal.press("enter");
            terminal.wait_for("Exposed key: Front desk");
            terminal.press("n");
            terminal.press("esc");
            terminal.wait_until_gone("Paste the exposed key");
            let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
            // What came before it was recognised may have been drawn, letter by letter: no more than the first few.
            assert!(!terminal.text().contains(&secret[..8]) && !raw.contains(&secret[3..]), "it was shown");
        }
    }

    async fn a_hidden_prompt_takes_all_lines_of_a_paste_and_long_ones(db) {
        let service = office(&db, preset("vozagent")).await;
        let made = make_kept(&service, "acme", "Front desk").await;
        let home = tempfile::tempdir().unwrap();
        for around in ["first line\n", &"words ".repeat(2_000)] {
            let mut terminal = Start::new(home.path()).args(["key", "find"]).on(&db.address()).spawn();
            terminal.wait_for("Secret (not shown):");
            terminal.send(format!("{around}{}\n", made.secret.expose()).as_bytes());
            terminal.wait_for("Front desk");
            assert_eq!(terminal.wait_for_exit(PATIENCE).exit_code(), 0);
            assert!(!terminal.text().contains("first line"), "{}", terminal.text());
            assert_eq!(terminal.left_behind(), Vec::<String>::new());
        }
    }
}
