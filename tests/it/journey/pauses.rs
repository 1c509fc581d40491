//! KR-05 in a real terminal, with a real gate, on both databases: keys are paused and resumed.

use crate::support::gate::Gate;
use crate::support::people::{make_kept, office, preset};
use crate::support::pty::Start;
use crate::support::script::Script;
use keyrack::domain::key::Status;

on_both! {
    async fn kr_05_a_key_is_paused_in_the_console_and_resumed(db) {
        let service = office(&db, preset("voxpria")).await;
        let hub = make_kept(&service, "acme", "Hub").await;
        let gate = Gate::start(&db, &["--name", "gate-1"]);
        assert_eq!(gate.me(&hub.secret).status, 200);
        let home = tempfile::tempdir().unwrap();
        let mut terminal = Start::new(home.path()).on(&db.address()).size(80, 24).spawn();
        terminal.wait_for("● active");
        terminal.press("p");
        terminal.wait_for("Pause Hub?");
        terminal.wait_for("then it works again");
        terminal.answer("y");
        terminal.wait_for("Refused everywhere: the gate confirmed after");
        assert_eq!(gate.me(&hub.secret).status, 401);
        terminal.press("enter");
        terminal.wait_for("Hub paused until");
        terminal.wait_for("◫ paused");
        let paused = service.key(hub.key.id).await.unwrap().paused.unwrap();
        assert_eq!(paused.until - paused.at, chrono::Duration::hours(1));
        terminal.press("p");
        terminal.wait_for("Resume Hub?");
        terminal.wait_for("again at once, at every gate");
        terminal.answer("y");
        terminal.wait_for("Applied everywhere: the gate confirmed after");
        assert_eq!(gate.me(&hub.secret).status, 200);
        terminal.press("enter");
        terminal.wait_for("Hub resumed");
        Script::on(&db).ok(&["audit", "verify"]);
    }

    async fn kr_05_a_selection_is_paused_with_its_number_typed(db) {
        let service = office(&db, preset("voxpria")).await;
        for name in ["one", "two", "three"] {
            make_kept(&service, "acme", name).await;
        }
        let home = tempfile::tempdir().unwrap();
        let mut terminal = Start::new(home.path()).on(&db.address()).size(120, 40).spawn();
        terminal.wait_for("three");
        terminal.press("ctrl-a");
        terminal.wait_for("✓ 3 marked");
        terminal.press("p");
        terminal.wait_for("Pause 3 keys?");
        terminal.press("right");
        terminal.wait_for("(•) 8 h");
        for _ in 0..3 {
            terminal.press("tab");
        }
        terminal.type_text("3");
        terminal.answer("enter");
        terminal.wait_for("3 keys paused until");
        terminal.wait_for("◫ paused");
        let keyrack = Script::on(&db);
        assert_eq!(keyrack.keys("status:paused").len(), 3);
        terminal.press("P");
        terminal.wait_for("Resume 3 keys?");
        terminal.press("tab");
        terminal.type_text("3");
        terminal.answer("enter");
        terminal.wait_for("3 keys resumed");
        let now = service.now().await.unwrap();
        for key in keyrack.keys("account:acme") {
            let id = key["id"].as_str().unwrap().parse().unwrap();
            assert_eq!(service.key(id).await.unwrap().status(now), Status::Active);
        }
        keyrack.ok(&["audit", "verify"]);
    }

    async fn kr_05_every_console_shows_what_is_frozen_or_stopped(db) {
        let service = office(&db, preset("voxpria")).await;
        make_kept(&service, "acme", "Hub").await;
        let keyrack = Script::on(&db);
        let home = tempfile::tempdir().unwrap();
        let mut terminal = Start::new(home.path()).on(&db.address()).size(120, 40).spawn();
        terminal.wait_for("● active");
        keyrack.ok(&["freeze", "add", "--filter", "account:acme", "--for", "1h", "--reason", "a leak", "--yes"]);
        terminal.wait_for("✕ Keys frozen: account:acme, until ");
        terminal.wait_for(": a leak");
        terminal.wait_for("◫ paused");
        keyrack.ok(&["creation", "stop", "--for", "12s", "--yes"]);
        terminal.wait_for("✕ Creation of keys stopped: all, until ");
        terminal.wait_for(" · 1 more");
        // It is over by the clock: nobody tells the console.
        terminal.wait_until_gone("Creation of keys stopped");
        terminal.wait_for("✕ Keys frozen: account:acme, until ");
        terminal.press("5");
        terminal.wait_for("✕ Keys frozen");
        keyrack.ok(&["freeze", "lift", "1", "--yes"]);
        terminal.wait_until_gone("Keys frozen");
    }
}
