//! What is said of copying where it can't work, in a real terminal.

use std::os::unix::fs::PermissionsExt;

use super::keys::{create, home};
use crate::support::database::Database;
use crate::support::people::{office, preset};
use crate::support::pty::{Start, Terminal};
use tempfile::TempDir;

/// The console within a tmux whose option `allow-passthrough` is this.
async fn in_tmux(home: &TempDir, db: &Database, passthrough: &str) -> Terminal {
    office(db, preset("vozagent")).await;
    let folder = home.path().join("bin");
    std::fs::create_dir(&folder).unwrap();
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *-gwv*) echo {passthrough};; *load-buffer*) cat >\"$HOME/buffer\";; esac\n"
    );
    std::fs::write(folder.join("tmux"), script).unwrap();
    std::fs::set_permissions(folder.join("tmux"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    let start = Start::new(home.path()).on(&db.address()).size(80, 24).env("TMUX", "/tmp/none,1,0");
    let terminal = start.env("PATH", &path).spawn();
    terminal.wait_for("● live");
    terminal
}

on_both! {
    async fn where_tmux_would_keep_a_secret_it_is_not_copied_and_the_ways_are_named(db) {
        let home = home();
        let mut terminal = in_tmux(&home, &db, "off").await;
        create(&mut terminal, "CI");
        terminal.press("c");
        for words in ["not copied: tmux would swallow it", "Shift where a plain drag", "press w to write it", "allow-passthrough on"] {
            terminal.wait_for(words);
        }
        assert!(!home.path().join("buffer").exists(), "no secret in a tmux buffer");
        assert!(!String::from_utf8_lossy(&terminal.raw()).contains("]52;"));
        // An id is no secret: tmux may have it.
        terminal.press("esc");
        terminal.wait_for("Leave without the secret?");
        terminal.answer("y");
        terminal.wait_until_gone("Leave without the secret?");
        terminal.press("Y");
        terminal.wait_for("the id was put into tmux's buffer");
    }

    async fn through_a_tmux_that_lets_it_pass_a_secret_is_sent_and_no_more_is_claimed(db) {
        let home = home();
        let mut terminal = in_tmux(&home, &db, "on").await;
        create(&mut terminal, "CI");
        terminal.press("c");
        terminal.wait_for("was sent through tmux to your terminal, which may or may not take");
        assert!(String::from_utf8_lossy(&terminal.raw()).contains("\u{1b}Ptmux;"));
    }

    async fn a_terminal_without_a_clipboard_is_said_to_have_none(db) {
        office(&db, preset("vozagent")).await;
        let home = home();
        let start = Start::new(home.path()).on(&db.address()).size(80, 24).env("TERM", "linux");
        let mut terminal = start.spawn();
        terminal.wait_for("live");
        create(&mut terminal, "CI");
        terminal.press("c");
        terminal.wait_for("this terminal has no clipboard");
        terminal.wait_for("press w to write it");
        assert!(!String::from_utf8_lossy(&terminal.raw()).contains("]52;"));
    }
}
