//! Many keys that leaked at once, in a real terminal, on both databases.

use std::fmt::Write as _;

use crate::support::gate::Gate;
use crate::support::people::{make_kept, office, preset};
use crate::support::pty::Start;

/// So many lines of a log, with these among them.
fn log(lines: usize, among: &[&str]) -> String {
    let mut text = String::new();
    let every = lines / among.len();
    for n in 0..lines {
        let secret = (n % every == every / 2).then(|| among.get(n / every)).flatten();
        match secret {
            Some(secret) => {
                writeln!(text, "level=debug msg=\"sent\" header=\"X-API-Key: {secret}\"").unwrap()
            }
            None => {
                writeln!(text, "level=info msg=\"call {n} took 7 ms\" path=/v1/calls user_id=u_{n}").unwrap()
            }
        }
    }
    text
}

on_both! {
    async fn journey_incident_five_keys_among_200_lines_are_dead_in_eight_gestures(db) {
        let service = office(&db, preset("voxpria")).await;
        let mut leaked = Vec::new();
        for n in 0..6 {
            leaked.push(make_kept(&service, "acme", &format!("Robot {n}")).await);
        }
        let gate = Gate::start(&db, &["--name", "gate-1"]);
        assert_eq!(gate.me(&leaked[0].secret).status, 200);
        let github = format!("ghp_{}", "a1".repeat(18));
        let mut among: Vec<&str> = leaked[..5].iter().map(|made| made.secret.expose()).collect();
        among.push(&github);
        for size in [(80, 24), (200, 50)] {
            let home = tempfile::tempdir().unwrap();
            // The gestures: the program, x, the paste, e, Enter, the ticket, Enter, y: eight. Without a ticket there are four.
            let mut terminal = Start::new(home.path()).on(&db.address()).size(size.0, size.1).spawn();
            terminal.wait_for("● live");
            terminal.press("x");
            terminal.wait_for("Paste the exposed key");
            terminal.paste(&log(200, &among));
            terminal.wait_for("5 exposed keys");
            terminal.wait_for("5 work · 1 of other providers");
            for part in ["✓works", "Robot 0", "line 17", "GitHub token", "last used", "Reason", "exposed"] {
                terminal.wait_for(part);
            }
            if size.0 == 80 {
                // Whoever only looks leaves everything as it is.
                terminal.press("space");
                terminal.wait_for("revoke all 4 ticked");
                terminal.press("space");
                terminal.wait_for("revoke all 5 ticked");
                terminal.press("n");
                terminal.wait_for("Paste the exposed key");
                continue;
            }
            terminal.press("e");
            terminal.press("enter");
            terminal.send(b"INC-7");
            terminal.wait_for("INC-7");
            terminal.press("enter");
            terminal.answer("y");
            terminal.wait_for("5 keys are revoked");
            terminal.wait_for("Refused everywhere");
            assert_eq!(gate.me(&leaked[0].secret).status, 401);
            let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
            assert!(among.iter().all(|secret| !raw.contains(&secret[8..])), "a secret was shown");
        }
        for (n, made) in leaked.iter().enumerate() {
            assert_eq!(service.key(made.key.id).await.unwrap().revoked_at.is_some(), n < 5);
        }
        assert_eq!(db.number("SELECT count(*) FROM audit WHERE action = 'key.revoke' AND detail LIKE '%INC-7%'").await, 5);
    }

    async fn a_file_is_opened_from_the_same_place_and_hundreds_of_findings_scroll(db) {
        let service = office(&db, preset("vozagent")).await;
        let one = make_kept(&service, "acme", "First of them").await;
        let other = make_kept(&service, "globex", "Second of them").await;
        let home = tempfile::tempdir().unwrap();
        let mut text = String::new();
        for n in 0..300 {
            writeln!(text, "ghp_{:036}", n).unwrap();
        }
        write!(text, "{}\n{}\n", one.secret.expose(), other.secret.expose()).unwrap();
        let file = home.path().join("leak.txt");
        std::fs::write(&file, text).unwrap();
        let mut terminal = Start::new(home.path()).on(&db.address()).size(80, 24).spawn();
        terminal.wait_for("● live");
        terminal.press("x");
        terminal.wait_for("o Enter searches a file");
        terminal.press("o");
        terminal.wait_for("› •");
        terminal.press("enter");
        terminal.wait_for("The file or folder to search");
        terminal.send(b"/nowhere/at/all");
        terminal.wait_for("/nowhere/at/all");
        terminal.press("enter");
        terminal.wait_for("can't be read");
        terminal.press("ctrl-u");
        terminal.send(file.to_str().unwrap().as_bytes());
        terminal.wait_for("leak.txt");
        terminal.press("enter");
        terminal.wait_for("2 exposed keys");
        terminal.wait_for("2 work · 300 of other providers");
        terminal.wait_for("First of them");
        for _ in 0..40 {
            terminal.press("pagedown");
        }
        terminal.wait_for("not one of ours");
        terminal.press("pageup");
        terminal.press("esc");
        terminal.wait_for("Paste the exposed key");
        assert!(service.key(one.key.id).await.unwrap().revoked_at.is_none());
    }
}
