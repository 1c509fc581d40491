//! Getting about in a real terminal, on both databases: the place is kept, tabs, views before and after, the palette, undo.

use crate::support::database::Database;
use crate::support::people::{make_kept, office, preset};
use crate::support::pty::{Start, Terminal};
use crate::support::script::Script;

/// A console before 400 keys, 45 % of which have ended.
fn console(db: &Database, home: &std::path::Path, size: (u16, u16)) -> Terminal {
    let terminal = Start::new(home).on(&db.address()).size(size.0, size.1).spawn();
    terminal.wait_for("row 1 of ");
    terminal
}

/// The selected row: from its status on, without times that change.
fn selected(terminal: &Terminal) -> String {
    terminal.quiet(std::time::Duration::from_millis(300));
    let line = terminal.text().lines().find(|line| line.starts_with('▌')).unwrap_or_default().to_owned();
    line.chars().skip(2).take(50).collect()
}

#[track_caller]
fn stands_on(terminal: &Terminal, row: &str) {
    terminal.wait(&format!("the cursor on {row:?}"), |screen| {
        screen.contents().lines().any(|line| line.starts_with('▌') && line.contains(row.trim_end()))
    });
}

/// How many keys a tab says it has.
fn told(terminal: &Terminal, tab: &str) -> usize {
    let line = terminal.text().lines().nth(2).unwrap_or_default().to_owned();
    let words = line.split(&format!("{tab} ")).nth(1).unwrap_or_default().to_owned();
    words
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == ',')
        .filter(|c| *c != ',')
        .collect::<String>()
        .parse()
        .unwrap_or(0)
}

on_both! {
    async fn the_place_is_kept_over_sort_filter_and_esc(db) {
        Script::on(&db).ok(&["demo", "--keys", "400", "--seed", "5"]);
        for size in [(80, 24), (200, 50)] {
            let home = tempfile::tempdir().unwrap();
            let mut terminal = console(&db, home.path(), size);
            for _ in 0..3 {
                terminal.press("pagedown");
            }
            terminal.press("down");
            terminal.press("down");
            let own = selected(&terminal);
            let account = own.split_whitespace().nth(1).unwrap().to_owned();
            assert!(!account.is_empty(), "{own}");
            for key in ["R", "s"] {
                terminal.press(key);
                if key == "s" {
                    terminal.wait_for("Sort by");
                    terminal.press("n");
                    terminal.wait_until_gone("Sort by");
                    terminal.wait_for("Name ▲");
                }
                stands_on(&terminal, &own);
            }
            terminal.press("/");
            terminal.type_text("zzzz");
            terminal.wait_for("No match");
            terminal.press("esc");
            stands_on(&terminal, &own);
            terminal.press("/");
            terminal.type_text("expires:set");
            terminal.press("enter");
            terminal.wait_for("row ");
            terminal.press("esc");
            terminal.wait_until_gone("/ expires");
            terminal.wait("the row in numbers", |screen| {
                let text = screen.contents();
                text.contains("row ") && !text.contains("row 1 of") && !text.contains("row –")
            });
        }
    }

    async fn tabs_show_what_lives_and_what_has_ended_with_their_numbers(db) {
        Script::on(&db).ok(&["demo", "--keys", "400", "--seed", "5"]);
        let home = tempfile::tempdir().unwrap();
        let mut terminal = console(&db, home.path(), (80, 24));
        let keyrack = Script::on(&db);
        let (all, live) = (400, keyrack.keys("-status:ended").len());
        terminal.wait_for(&format!("[Live {live}]"));
        terminal.wait_for(&format!("All {all}"));
        terminal.wait_for(&format!("Ended {}", all - live));
        terminal.wait_for(&format!("row 1 of {live}"));
        terminal.press("down");
        terminal.press("down");
        let own = selected(&terminal);
        terminal.press("right");
        terminal.wait_for(&format!("[All {all}]"));
        stands_on(&terminal, &own);
        terminal.press("right");
        terminal.wait_for(&format!("[Ended {}]", all - live));
        terminal.press("left");
        terminal.press("left");
        terminal.wait_for(&format!("[Live {live}]"));
        stands_on(&terminal, &own);
        // The filter is another matter; one that names a status decides by itself.
        terminal.press("/");
        terminal.type_text("status:revoked");
        terminal.press("enter");
        terminal.wait_for("✕ revoked");
        terminal.press("right");
        terminal.wait_for("The filter names a status");
        terminal.press("esc");
        terminal.wait_for(&format!("[Live {live}]"));
        // What ends leaves the tab once the cursor moves on.
        terminal.press("d");
        terminal.wait_for("[ No, keep ]");
        terminal.answer("y");
        terminal.press("enter");
        terminal.wait_for(&format!("[Live {}]", live - 1));
        assert_eq!(told(&terminal, "Ended"), all - live + 1);
    }

    async fn views_are_gone_back_to_with_their_filter_order_and_row(db) {
        Script::on(&db).ok(&["demo", "--keys", "400", "--seed", "5"]);
        let home = tempfile::tempdir().unwrap();
        let mut terminal = console(&db, home.path(), (120, 40));
        terminal.press("pagedown");
        terminal.press("down");
        let first = selected(&terminal);
        terminal.press("a");
        terminal.wait_for("/ account:");
        stands_on(&terminal, &first);
        terminal.press("R");
        terminal.press("5");
        terminal.wait_for("every change, newest first");
        terminal.press("-");
        terminal.wait_for("/ account:");
        stands_on(&terminal, &first);
        terminal.wait_for("Created ▲");
        terminal.press("-");
        terminal.wait_for("Created ▼");
        terminal.press("ctrl-o");
        terminal.wait_until_gone("/ account:");
        stands_on(&terminal, &first);
        terminal.press("+");
        terminal.wait_for("/ account:");
        // Where one came from is one step back.
        terminal.press("esc");
        terminal.wait_until_gone("/ account:");
        stands_on(&terminal, &first);
        terminal.press("4");
        terminal.wait_for("every account");
        terminal.press("esc");
        stands_on(&terminal, &first);
    }

    async fn the_palette_takes_words_and_arguments(db) {
        let service = office(&db, preset("voxpria")).await;
        make_kept(&service, "acme", "Hub").await;
        make_kept(&service, "globex", "Other").await;
        let home = tempfile::tempdir().unwrap();
        let mut terminal = Start::new(home.path()).on(&db.address()).size(80, 24).spawn();
        terminal.wait_for("Other");
        terminal.press("4");
        terminal.press(":");
        terminal.type_text("keys account:acme");
        terminal.wait_for("Show what fits this filter");
        terminal.press("enter");
        terminal.wait_for("/ account:acme");
        terminal.wait_until_gone("Other");
        terminal.press(":");
        terminal.type_text("keys stauts:x");
        terminal.wait_for("✕");
        terminal.press("esc");
        terminal.press("esc");
        terminal.press("1");
        terminal.press(":");
        terminal.type_text("sort name");
        terminal.press("enter");
        terminal.wait_for("Name ▲");
        terminal.press(":");
        terminal.type_text("theme light");
        terminal.wait_for("theme light");
        terminal.press("enter");
        terminal.press(":");
        terminal.type_text("delete");
        terminal.wait_for("› revoke");
        terminal.press("enter");
        terminal.wait_for("Revoke ");
        terminal.press("esc");
        // The help does what it shows.
        terminal.press("?");
        terminal.press("/");
        terminal.type_text("who changed what");
        terminal.press("enter");
        terminal.press("enter");
        terminal.wait_for("every change, newest first");
        terminal.press(":");
        terminal.type_text("exit");
        terminal.wait_for("› quit");
    }

    async fn filter_marks_pause_and_suspension_are_undone_by_one_key(db) {
        let service = office(&db, preset("voxpria")).await;
        for name in ["one", "two", "three"] {
            make_kept(&service, "acme", name).await;
        }
        let home = tempfile::tempdir().unwrap();
        let mut terminal = Start::new(home.path()).on(&db.address()).size(120, 40).spawn();
        terminal.wait_for("three");
        terminal.press("u");
        terminal.wait_for("Nothing can be undone here");
        terminal.press("ctrl-a");
        terminal.wait_for("✓ 3 marked");
        terminal.press("C");
        terminal.wait_until_gone("✓ 3 marked");
        terminal.press("u");
        terminal.wait_for("✓ 3 marked");
        terminal.press("u");
        terminal.wait_until_gone("✓ 3 marked");
        terminal.press("/");
        terminal.type_text("two");
        terminal.press("enter");
        terminal.wait_until_gone("three");
        terminal.press("u");
        terminal.wait_for("Undone: the filter");
        terminal.wait_for("three");
        terminal.press("p");
        terminal.wait_for("Pause ");
        terminal.wait_for("then it works again");
        terminal.answer("y");
        terminal.wait_for("◫ paused");
        terminal.quiet(std::time::Duration::from_millis(300));
        terminal.press("enter");
        terminal.press("u");
        terminal.wait_for("Resume ");
        terminal.wait_for("again at once");
        terminal.answer("y");
        terminal.wait_until_gone("◫ paused");
        terminal.press("enter");
        terminal.press("4");
        terminal.wait_for("every account");
        terminal.press("p");
        terminal.wait_for("Suspend ");
        terminal.answer("y");
        terminal.wait_for("suspended");
        terminal.press("u");
        terminal.wait_for("Undo: reinstate ");
        terminal.answer("y");
        terminal.wait_for("is reinstated");
        terminal.press("J");
        terminal.wait_for("Changed here: 4 changes");
        terminal.wait_for("✓ pausing the key");
        assert_eq!(Script::on(&db).keys("status:paused,suspended").len(), 0);
    }

    async fn what_is_chosen_is_there_again_once_it_was_saved(db) {
        Script::on(&db).ok(&["demo", "--keys", "60", "--seed", "5"]);
        let home = tempfile::tempdir().unwrap();
        let mut terminal = console(&db, home.path(), (120, 30));
        terminal.press("s");
        terminal.wait_for("Sort by");
        terminal.press("n");
        terminal.wait_for("Name ▲");
        terminal.press("right");
        terminal.wait_for("[All ");
        terminal.press("ctrl-s");
        terminal.wait_for("saved.toml");
        terminal.press("q");
        assert!(terminal.wait_for_exit(std::time::Duration::from_secs(10)).success());
        let mut again = console(&db, home.path(), (120, 30));
        again.wait_for("Name ▲");
        again.wait_for("[All ");
        again.press("q");
        again.wait_for_exit(std::time::Duration::from_secs(10));
        // What is wrong in it is told, and keeps nothing shut.
        let saved = home.path().join(".config/keyrack/saved.toml");
        let text = std::fs::read_to_string(&saved).unwrap();
        assert!(text.contains("sort = \"name:asc\"") && text.contains("tab = \"all\""), "{text}");
        std::fs::write(&saved, text.replace("name:asc", "nmae")).unwrap();
        std::fs::write(home.path().join(".config/keyrack/config.toml"), "theme = \"drak\"\n").unwrap();
        let told = Start::new(home.path()).on(&db.address()).size(200, 50).spawn();
        told.wait_for("isn't a column");
        told.wait_for("drak");
        told.wait_for("row 1 of ");
    }
}
