//! After an incident, in a real terminal: the story as a page, and a key that is still used after its end.

use std::time::{Duration, Instant};

use keyrack::service::new_operation;

use crate::support::gate::Gate;
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

    async fn kr_06_a_key_that_is_used_after_its_end_says_so_on_its_page_and_its_admins_are_told(db) {
        let service = office(&db, preset("vozagent")).await;
        let made = make_kept(&service, "acme", "Front desk").await;
        service.revoke_keys(new_operation(), &[made.key.id], Some("leaked")).await.unwrap();
        let gate = Gate::start(&db, &[]);
        for _ in 0..3 {
            assert_eq!(gate.me(&made.secret).status, 401);
        }
        let begun = Instant::now();
        while service.late(&made.key).await.unwrap().is_none() && begun.elapsed() < Duration::from_secs(10) {
            let key = service.key(made.key.id).await.unwrap();
            if service.late(&key).await.unwrap().is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let home = tempfile::tempdir().unwrap();
        let letters = home.path().join("letters");
        let args = ["--mail-dir", letters.to_str().unwrap()];
        let mut terminal = Start::new(home.path()).args(args).on(&db.address()).size(150, 45).spawn();
        terminal.wait_for("● live");
        terminal.press("/");
        terminal.type_text("status:revoked");
        terminal.press("enter");
        terminal.wait_for("Front desk");
        terminal.press("enter");
        terminal.wait_for("still tried");
        terminal.wait_for("tells the account's admins");
        terminal.press("M");
        terminal.wait_for("Tell the account's admins");
        terminal.wait_for("To: it@acme.example");
        terminal.wait_quietly(Duration::from_millis(500));
        terminal.press("y");
        terminal.wait_for("1 letter written");
        assert_eq!(std::fs::read_dir(&letters).unwrap().count(), 1);
    }
}
