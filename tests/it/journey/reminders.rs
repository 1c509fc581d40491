//! What a person does about reminders, in a real terminal, on both databases.

use std::path::PathBuf;
use std::time::Duration;

use crate::support::database::Database;
use crate::support::post::due;
use crate::support::postbox::Postbox;
use crate::support::pty::{Start, Terminal};
use crate::support::script::text;
use rustix::process::Signal;

fn console(db: &Database, mail: &[(&'static str, String)]) -> Terminal {
    let start = Start::new(db.dir()).on(&db.address()).size(100, 30);
    let terminal = mail.iter().fold(start, |start, (name, value)| start.env(name, value)).spawn();
    terminal.wait_for("billing");
    terminal
}

/// The letters in the folder that is used without any setting.
fn files(db: &Database) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(db.dir().join(".local/share/keyrack/mail")) else {
        return Vec::new();
    };
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "eml"))
        .collect()
}

/// Reads what would be sent and says yes.
fn send(terminal: &mut Terminal, letters: &str) {
    terminal.press("S");
    terminal.wait_for(letters);
    terminal.press("enter");
    terminal.wait_for("now?");
    terminal.answer("y");
}

fn leave(mut terminal: Terminal) {
    terminal.press("q");
    assert!(terminal.wait_for_exit(Duration::from_secs(10)).success());
    assert_eq!(terminal.left_behind(), Vec::<String>::new());
}

on_both! {
    async fn vg_15_one_reads_whom_a_sweep_writes_to_confirms_and_finds_the_letters(db) {
        let keyrack = due(&db, &[]).await;
        let mut terminal = console(&db, &[]);
        terminal.press("2");
        terminal.wait_for("30d –  7d ○");
        terminal.press("S");
        terminal.wait_for("2 letters about 4 keys");
        terminal.wait_for("Nothing leaves this machine");
        for words in ["it@acme.example", "ends in 2d", "urgent", "it@globex.example", "exporter"] {
            assert!(terminal.text().contains(words), "{words:?}\n{}", terminal.text());
        }
        assert!(!terminal.text().contains("forever"), "{}", terminal.text());
        assert_eq!(files(&db).len(), 0, "a preview sends nothing");
        terminal.press("enter");
        terminal.wait_for("Write 2 letters as files now?");
        terminal.press("enter");
        terminal.wait_for("Nothing is written before");
        assert_eq!(files(&db).len(), 0, "No is the default");
        terminal.press("enter");
        terminal.answer("y");
        terminal.wait_for("2 letters written as files; nothing left this machine");
        let letters = files(&db);
        assert_eq!(letters.len(), 2, "{letters:?}");
        let acme = letters.iter().map(|path| std::fs::read_to_string(path).unwrap());
        let acme = acme.into_iter().find(|letter| letter.contains("it@acme.example")).unwrap();
        assert!(acme.contains("urgent") && acme.contains("billing") && !acme.contains("exporter"), "{acme}");

        terminal.press("enter");
        terminal.wait_for("30d –  7d ≡");
        terminal.press("S");
        terminal.wait_for("Nothing is due.");
        terminal.wait_for("The next reminder falls due in");
        terminal.wait_for("4 reminders are only written as files and never sent");
        terminal.press("esc");
        terminal.press("3");
        terminal.wait_for("console");
        terminal.wait_for("2 written as files");
        terminal.press("enter");
        terminal.wait_for("Message-ID");
        terminal.press("o");
        terminal.wait_for("id:");
        leave(terminal);
        assert_eq!(files(&db).len(), 2);

        // A mail server is set up: what was only written is sent, once.
        let postbox = Postbox::open();
        let mut terminal = console(&db, &postbox.environment());
        terminal.press("3");
        terminal.wait_for("≡ 4 only written");
        for _ in 0..4 {
            terminal.press("right");
        }
        terminal.wait_for("[Written]");
        terminal.press("ctrl-a");
        terminal.press("r");
        terminal.wait_for("Send 4 reminders again?");
        terminal.answer("y");
        terminal.wait_for("the next sweep sends 4 again");
        send(&mut terminal, "2 letters about 4 keys");
        terminal.wait_for("2 letters sent");
        terminal.press("enter");
        leave(terminal);
        let mut to: Vec<String> = postbox.letters().into_iter().map(|letter| letter.to).collect();
        to.sort();
        assert_eq!(to, ["it@acme.example", "it@globex.example"]);
        let again = keyrack.command(&["reminders", "sweep"]).envs(postbox.environment()).output().unwrap();
        assert!(again.status.success());
        assert_eq!(postbox.letters().len(), 2);
    }

    async fn what_the_server_refused_is_seen_told_and_sent_again_from_the_console(db) {
        due(&db, &[]).await;
        let postbox = Postbox::open();
        postbox.refuse("it@acme.example", "550 5.1.1 no such mailbox");
        let mut terminal = console(&db, &postbox.environment());
        send(&mut terminal, "2 letters about 4 keys");
        terminal.wait_for("The sweep has ended");
        terminal.wait_for("1 letter sent, 1 failed");
        terminal.wait_for("550 5.1.1 no such mailbox");
        terminal.press("enter");
        terminal.wait_for("✕ 3 failed");
        terminal.press("3");
        terminal.press("right");
        terminal.wait_for("[Failed and ambiguous 3]");
        terminal.wait_until_gone("exporter");
        terminal.wait_for("550 5.1.1 no such mailbox");
        terminal.press("ctrl-a");
        terminal.press("r");
        terminal.wait_for("Send 3 reminders again?");
        terminal.answer("y");
        terminal.wait_for("the next sweep sends 3 again");
        terminal.wait_until_gone("✕ 3 failed");
        postbox.forgive();
        send(&mut terminal, "1 letter about 3 keys");
        terminal.wait_for("1 letter sent");
        let to: Vec<String> = postbox.letters().into_iter().map(|letter| letter.to).collect();
        assert_eq!(to, ["it@globex.example", "it@acme.example"]);
        terminal.press("enter");
        leave(terminal);
    }

    async fn leaving_stops_a_sweep_between_two_letters_and_the_rest_stays_due(db) {
        let keyrack = due(&db, &[]).await;
        let postbox = Postbox::open();
        postbox.slow(Duration::from_secs(2));
        let mut terminal = console(&db, &postbox.environment());
        send(&mut terminal, "2 letters about 4 keys");
        terminal.wait_for("0 of 2 letters");
        terminal.press("esc");
        terminal.wait_for("→ sweep 0/2");
        terminal.press("q");
        terminal.wait_for("Leave Keyrack?");
        terminal.answer("y");
        terminal.wait_for_exit(Duration::from_secs(30));
        assert_eq!(terminal.left_behind(), Vec::<String>::new());
        postbox.slow(Duration::ZERO);
        assert_eq!(postbox.letters().len(), 1, "the letter under way was sent whole, and no other");
        let sweeps = keyrack.json(&["reminders", "sweeps"]);
        assert_eq!((text(&sweeps[0], "progress"), &sweeps[0]["sent"]), ("stopped", &1.into()));
        let later = keyrack.command(&["reminders", "sweep"]).envs(postbox.environment()).output().unwrap();
        assert!(later.status.success(), "{}", String::from_utf8_lossy(&later.stderr));
        let mut to: Vec<String> = postbox.letters().into_iter().map(|letter| letter.to).collect();
        to.sort();
        assert_eq!(to, ["it@acme.example", "it@globex.example"], "each once");
    }

    async fn a_signal_in_a_sweep_lets_the_letter_under_way_arrive(db) {
        due(&db, &[]).await;
        let postbox = Postbox::open();
        postbox.slow(Duration::from_secs(2));
        let mut terminal = console(&db, &postbox.environment());
        send(&mut terminal, "2 letters about 4 keys");
        terminal.wait_for("0 of 2 letters");
        terminal.signal(Signal::TERM);
        terminal.wait_for_exit(Duration::from_secs(30));
        assert_eq!(terminal.left_behind(), Vec::<String>::new());
        assert_eq!(postbox.letters().len(), 1);
    }
}
