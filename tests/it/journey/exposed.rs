//! Exposed keys, pasted into a real terminal as people find them, on both databases.

use std::time::Duration;

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
