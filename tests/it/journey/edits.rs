//! KR-10 and KR-18 in a real terminal, on both databases: a key and a selection are edited, and a key like another is made.

use crate::support::pty::Start;
use crate::support::script::{Script, text};

on_both! {
    async fn kr_10_a_key_is_edited_in_the_console_and_only_what_changed_is_sent(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        let key = keyrack.json(&["key", "create", "--account", "acme", "--name", "Hub", "--scope", "calls:read", "--expires", "30d"]);
        let id = text(&key, "id");
        keyrack.ok(&["key", "confirm", id]);
        let before = keyrack.json(&["key", "show", id]);
        for (size, owner) in [((80, 24), "Data Team"), ((200, 50), "Ada")] {
            let home = tempfile::tempdir().unwrap();
            let mut terminal = Start::new(home.path()).on(&db.address()).size(size.0, size.1).spawn();
            terminal.wait_for("Hub");
            terminal.press("e");
            terminal.wait_for("Edit Hub · acme");
            // Behind the last field stand the buttons; before them what is planned, the tags, the address, where there is an
            // owner, and the owner.
            let back = if size.0 == 80 { 6 } else { 7 };
            for _ in 0..back {
                terminal.press("backtab");
            }
            terminal.press("ctrl-u");
            terminal.type_text(owner);
            // Somebody else edits the same key meanwhile: their field stays theirs.
            keyrack.ok(&["key", "edit", id, "--description", owner, "--yes"]);
            terminal.wait_for("Somebody else changed this key meanwhile");
            terminal.press("ctrl-s");
            terminal.wait_for(&format!("→ {owner}"));
            terminal.wait_for("This does not affect requests");
            terminal.answer("enter");
            terminal.wait_for("Hub was edited");
            let after = keyrack.json(&["key", "show", id]);
            assert_eq!((text(&after, "owner"), text(&after, "description")), (owner, owner));
            for field in ["name", "scopes", "allow", "expires_at", "tags"] {
                assert_eq!(after[field], before[field], "{field}");
            }
        }
        keyrack.ok(&["audit", "verify"]);
    }

    async fn kr_10_a_selection_is_extended_with_few_keys(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        for number in 0..12 {
            let name = format!("Key {number}");
            let key = keyrack.json(&["key", "create", "--account", "acme", "--name", &name, "--scope", "calls:read", "--expires", "30d"]);
            keyrack.ok(&["key", "confirm", text(&key, "id")]);
        }
        let home = tempfile::tempdir().unwrap();
        let mut terminal = Start::new(home.path()).on(&db.address()).size(80, 24).spawn();
        terminal.wait_for("Key 11");
        terminal.press("ctrl-a");
        terminal.wait_for("12 marked");
        terminal.press("e");
        terminal.wait_for("Edit 12 keys");
        terminal.type_text("+60d");
        terminal.press("ctrl-s");
        terminal.wait_for("changes on 12 keys");
        terminal.wait_for("can do more than before");
        // Digits that come together are no answer.
        for (digit, shown) in [("1", "How many       1"), ("2", "How many       12")] {
            terminal.press(digit);
            terminal.wait_for(shown);
        }
        terminal.answer("enter");
        terminal.wait_for("12 keys were edited");
        assert_eq!(keyrack.keys("expires:>89d").len(), 12);
        keyrack.ok(&["audit", "verify"]);
    }

    async fn kr_18_a_key_like_the_one_under_the_cursor_is_made_in_the_console(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        let first = keyrack.json(&[
            "key", "create", "--account", "acme", "--name", "Hub", "--scope", "calls:read", "--expires", "30d", "--owner", "Ada", "--tag", "prod",
        ]);
        keyrack.ok(&["key", "confirm", text(&first, "id")]);
        let home = tempfile::tempdir().unwrap();
        let mut terminal = Start::new(home.path()).on(&db.address()).size(80, 24).spawn();
        terminal.wait_for("Hub");
        terminal.press("N");
        terminal.wait_for("Hub (2)");
        terminal.press("ctrl-s");
        terminal.wait_for("The secret is shown once");
        terminal.wait_for("Ada");
        terminal.answer("ctrl-s");
        terminal.wait_for("This is the only time it is shown");
        let made = keyrack.keys("name:\"Hub (2)\"").remove(0);
        let first = keyrack.json(&["key", "show", text(&first, "id")]);
        assert_eq!((&made["scopes"], &made["owner"], &made["tags"]), (&first["scopes"], &first["owner"], &first["tags"]));
        assert_ne!(made["preview"], first["preview"]);
    }
}
