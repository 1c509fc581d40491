//! KR-18 in a real terminal, on both databases: a key is planned, its revocation is planned and cancelled.

use crate::support::pty::Start;
use crate::support::script::{Script, text};

on_both! {
    async fn kr_18_a_revocation_is_planned_and_cancelled_in_the_console(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        let key = keyrack.json(&["key", "create", "--account", "acme", "--name", "Hub", "--scope", "calls:read", "--expires", "90d"]);
        let id = text(&key, "id");
        let own = keyrack.json(&["key", "show", id])["expires_at"].clone();
        let home = tempfile::tempdir().unwrap();
        let mut terminal = Start::new(home.path()).on(&db.address()).size(120, 40).spawn();
        terminal.wait_for("Hub");
        terminal.press("d");
        terminal.wait_for("It stops working immediately");
        // Behind the buttons comes the first field.
        terminal.press("tab");
        terminal.press("tab");
        terminal.type_text("x");
        terminal.wait_for("write 3h, 7d");
        terminal.press("ctrl-u");
        terminal.type_text("5d");
        terminal.wait_for("It keeps working until");
        // From the fields to the buttons, and to the one that does it.
        for _ in 0..3 {
            terminal.press("tab");
        }
        terminal.answer("enter");
        terminal.wait_for("unless that is cancelled before");
        let planned = keyrack.json(&["key", "show", id]);
        assert_eq!((&planned["status"], &planned["expires_at"]), (&"active".into(), &own));
        assert!(!text(&planned, "revoke_at").is_empty());
        terminal.wait_for("✕ in 4d");
        terminal.press("e");
        terminal.wait_for("Edit Hub");
        terminal.wait_for("Revoked at");
        // Backwards, before the buttons, stands the last field.
        for _ in 0..3 {
            terminal.press("backtab");
        }
        terminal.press("ctrl-u");
        terminal.press("ctrl-s");
        terminal.wait_for("▲ can do more");
        terminal.answer("enter");
        terminal.wait_for("Hub was edited");
        let after = keyrack.json(&["key", "show", id]);
        assert!(after["revoke_at"].is_null());
        assert_eq!(after["expires_at"], own);
        keyrack.ok(&["audit", "verify"]);
    }

    async fn kr_18_a_key_is_created_for_later_in_the_console(db) {
        let keyrack = Script::furnished(&db, "voicegram");
        let home = tempfile::tempdir().unwrap();
        keyrack.create("acme", "first");
        let mut terminal = Start::new(home.path()).on(&db.address()).size(120, 40).spawn();
        terminal.wait_for("first");
        terminal.press("n");
        terminal.wait_for("Whose key is it?");
        terminal.type_text("acme");
        terminal.press("enter");
        terminal.wait_for("what the key is for");
        terminal.type_text("Auditor");
        // Description, expiry, networks, owner and tags, then what is planned.
        for _ in 0..6 {
            terminal.press("tab");
        }
        terminal.type_text("2d");
        terminal.press("tab");
        terminal.type_text("1d");
        terminal.press("ctrl-s");
        terminal.wait_for("isn't before the planned");
        terminal.press("ctrl-u");
        terminal.type_text("3d");
        terminal.press("tab");
        terminal.press("ctrl-u");
        terminal.type_text("9d");
        terminal.press("ctrl-s");
        terminal.wait_for("Works from");
        terminal.wait_for("Have ready the place");
        terminal.answer("enter");
        terminal.wait_for("This is the only time it is shown");
        let planned = keyrack.keys("status:planned");
        assert_eq!(planned.len(), 1);
        assert_eq!(planned[0]["name"], "Auditor");
    }
}
