//! After an incident, in a real terminal: the story as a page.

use std::time::Duration;

use crate::support::people::{make_kept, office, preset};
use crate::support::pty::Start;

on_both! {
    async fn kr_07_after_several_keys_are_revoked_one_key_shows_the_story_and_another_copies_it(db) {
        let service = office(&db, preset("vozagent")).await;
        let one = make_kept(&service, "acme", "Front desk").await;
        let other = make_kept(&service, "globex", "Back office").await;
        let home = tempfile::tempdir().unwrap();
        let mut terminal = Start::new(home.path()).on(&db.address()).size(100, 40).spawn();
        terminal.wait_for("● live");
        terminal.press("x");
        terminal.wait_for("Paste the exposed key");
        terminal.paste(&format!("a: {}\nb: {}\n", one.secret.expose(), other.secret.expose()));
        terminal.wait_for("2 exposed keys");
        terminal.wait_quietly(Duration::from_millis(500));
        terminal.press("y");
        terminal.wait_for("I shows the report");
        terminal.press("I");
        terminal.wait_for("Incident report");
        for words in ["2 keys, 0 of which still work", "Front desk", "Back office", "Decisions", "key.revoke"] {
            terminal.wait_for(words);
        }
        terminal.press("y");
        terminal.wait_for("the report was");
        terminal.press("esc");
        terminal.wait_until_gone("Incident report");
        // From anywhere it is what was decided about lately.
        terminal.press("I");
        terminal.wait_for("2 keys, 0 of which still work");
    }
}
