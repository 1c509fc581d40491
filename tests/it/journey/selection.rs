//! Many keys at once in a real terminal, on both databases: chosen by a filter, looked through, written, decided about.

use std::time::Duration;

use crate::support::pty::Start;
use crate::support::script::Script;
use keyrack::service::new_operation;

on_both! {
    async fn kr_03_all_that_match_are_looked_at_written_and_revoked_as_they_were_shown(db) {
        let keyrack = Script::on(&db);
        keyrack.ok(&["demo", "--keys", "900", "--seed", "3"]);
        let matching = keyrack.keys("status:active");
        let many = matching.len();
        assert!(many > 300, "{many}");
        for size in [(80, 24), (200, 50)] {
            let home = tempfile::tempdir().unwrap();
            let mut terminal = Start::new(home.path()).on(&db.address()).size(size.0, size.1).spawn();
            terminal.wait_for("● live");
            terminal.press("/");
            terminal.type_text("status:active");
            terminal.press("enter");
            // Beside the names of the screens there is room for the number alone.
            let shown = if size.0 == 80 { many.to_string() } else { "match · 200 shown".to_owned() };
            terminal.wait_for(&shown);
            terminal.press("ctrl-a");
            terminal.wait_for(&format!("✓ {many} marked"));
            // What does the same in a shell, without its clipboard being believed to have it.
            terminal.press("@");
            terminal.wait_for("the command was sent to your terminal");
            terminal.press("d");
            terminal.wait_for(&format!("Revoke {many} keys?"));
            terminal.wait_for("Busiest");
            terminal.press("ctrl-g");
            terminal.wait_for(&format!("╭ {many} keys"));
            terminal.wait_for("in the last 15 minutes");
            terminal.press("w");
            terminal.wait_for(&format!("Export {many} keys"));
            terminal.press("down");
            terminal.type_text("~/all.csv");
            terminal.answer("ctrl-s");
            terminal.wait_for(&format!("{many} keys written to"));
            let file = std::fs::read_to_string(home.path().join("all.csv")).unwrap();
            let listed = keyrack.ok(&["key", "list", "--filter", "status:active", "--output", "csv", "--limit", "0"]);
            let sorted = |text: &str| {
                let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
                lines.sort();
                lines
            };
            assert_eq!(sorted(&file), sorted(&listed), "the console writes what the command lists");
            terminal.press("esc");
            terminal.wait_for(&format!("Revoke {many} keys?"));
            if size.0 == 80 {
                continue;
            }
            // One is changed behind the back of who decides.
            let service = db.open().await;
            let id = matching[7]["id"].as_str().unwrap().parse().unwrap();
            service.set_limits(new_operation(), id, keyrack::domain::budget::Budgets::parse("5/1m").unwrap()).await.unwrap();
            terminal.wait_for("Since you opened this: ");
            terminal.wait_for("Look again, then answer.");
            terminal.quiet(Duration::from_millis(300));
            // Digits that come together, as from a console that was held up, are no answer: each is seen before the next.
            let number = many.to_string();
            for (place, digit) in number.char_indices() {
                terminal.press(&digit.to_string());
                terminal.wait_for(&format!("How many   {}", &number[..=place]));
            }
            terminal.answer("enter");
            terminal.wait_for("keys revoked");
            assert_eq!(keyrack.keys("status:active").len(), 0);
            keyrack.ok(&["audit", "verify"]);
        }
    }
}
