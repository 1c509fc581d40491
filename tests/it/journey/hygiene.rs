//! Tidying, and a colleague who leaves, in a real terminal on both databases.

use crate::support::pty::Start;
use crate::support::script::Script;

on_both! {
    async fn kr_12_a_card_opens_its_keys_and_they_are_revoked_together(db) {
        let keyrack = Script::on(&db);
        keyrack.ok(&["demo", "--keys", "400", "--seed", "5"]);
        let filter = "-status:ended used:never created:>30d";
        let unused = keyrack.keys(filter).len();
        assert!(unused > 5, "{unused}");
        let home = tempfile::tempdir().unwrap();
        let mut terminal = Start::new(home.path()).on(&db.address()).size(120, 40).spawn();
        terminal.wait_for("● live");
        terminal.press("9");
        terminal.wait_for("Never used in 30 days");
        terminal.wait_for("not recorded");
        terminal.press("down");
        terminal.press("down");
        terminal.press("enter");
        terminal.wait_for(filter);
        terminal.wait_for(&format!("{unused} "));
        terminal.press("ctrl-a");
        terminal.wait_for(&format!("✓ {unused} marked"));
        terminal.press("d");
        terminal.wait_for(&format!("Revoke {unused} keys?"));
        for (place, digit) in unused.to_string().char_indices() {
            terminal.press(&digit.to_string());
            terminal.wait_for(&format!("How many   {}", &unused.to_string()[..=place]));
        }
        terminal.answer("enter");
        terminal.wait_for("keys revoked");
        assert_eq!(keyrack.keys(filter).len(), 0);
        keyrack.ok(&["audit", "verify"]);
    }

    async fn kr_13_a_colleague_leaves_and_their_keys_are_given_in_the_console(db) {
        let keyrack = Script::furnished(&db, "voxpria");
        keyrack.ok(&["operator", "set", "bob", "operator"]);
        for name in ["one", "two", "three"] {
            keyrack.ok(&["key", "create", "--account", "acme", "--name", name, "--owner", "bob", "--out", &format!("{name}.key")]);
        }
        let home = tempfile::tempdir().unwrap();
        let mut terminal = Start::new(home.path()).on(&db.address()).size(100, 30).spawn();
        terminal.wait_for("● live");
        terminal.press("7");
        terminal.wait_for("bob");
        terminal.press("/");
        terminal.type_text("bob");
        terminal.press("enter");
        terminal.press("L");
        terminal.wait_for("bob leaves");
        terminal.wait_for("of 3 keys 3 are given away and 0 kept");
        terminal.press("e");
        terminal.type_text("Grace");
        terminal.wait_for("Grace");
        terminal.press("enter");
        terminal.answer("y");
        terminal.wait_for("bob left");
        terminal.wait_for("3 keys to Grace");
        assert_eq!(keyrack.keys("owner:grace").len(), 3);
        let operators = keyrack.json(&["operator", "list"]);
        assert!(!operators.as_array().unwrap().iter().any(|one| one["name"] == "bob"));
        keyrack.ok(&["audit", "verify"]);
    }
}
