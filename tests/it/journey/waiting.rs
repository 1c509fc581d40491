//! What is pressed before the database has answered, and leaving while it doesn't.

use std::time::{Duration, Instant};

use crate::support::database::Database;
use crate::support::line::Line;
use crate::support::program;
use crate::support::pty::{Start, Terminal, key};
use rustix::process::Signal;

/// An end may take this long on a busy machine; on an idle one it takes a few milliseconds.
const SOON: Duration = Duration::from_millis(300);

/// A database with keys, and the way to it: over a slow line where it is PostgreSQL.
fn furnished(db: &Database) -> (String, Option<Line>) {
    program::stdout(db.dir(), ["--db", &db.address(), "demo", "--keys", "60", "--seed", "3"]);
    let line = db.is_postgres().then(|| Line::to(db));
    (line.as_ref().map_or(db.address(), |line| line.address(None)), line)
}

fn last4(db: &Database) -> String {
    let args = ["--db", &db.address(), "key", "list", "--json", "--limit", "1", "--filter", "status:active"];
    let preview = program::json(db.dir(), args)[0]["preview"].as_str().unwrap().to_owned();
    preview.chars().skip(preview.chars().count() - 4).collect()
}

on_both! {
    async fn keys_pressed_before_the_database_is_open_are_kept(db) {
        let (address, line) = furnished(&db);
        line.iter().for_each(|line| line.delay(Duration::from_millis(20)));
        let last4 = last4(&db);
        let paste = format!("x\x1b[200~{last4}\x1b[201~");
        let (typed, fourth) = (format!("x{last4}\r"), "jjj");
        // What is typed, and what shows that it was heard.
        let cases: [(&str, &[&str], &[&str]); 9] = [
            ("/prod", &["/ prod", "[Live 6]"], &["Reading"]),
            ("2", &["Overdue"], &["loading"]),
            ("3", &["within 7 days"], &["loading"]),
            ("4", &["accounts"], &["loading"]),
            ("S", &["Send"], &["looking", "loading"]),
            (&paste, &["revoke it now"], &[]),
            (&typed, &["revoke it now"], &[]),
            (fourth, &["▌"], &["has not answered"]),
            ("n", &["Whose key is it?"], &["has not answered"]),
        ];
        // At once, and while the database is being opened.
        for ((typed, shows, hides), pause) in cases.into_iter().zip([0, 100, 300].into_iter().cycle()) {
            let mut terminal = Start::new(db.dir()).on(&address).size(110, 30).spawn();
            terminal.wait_quietly(Duration::from_millis(if line.is_some() { pause } else { 0 }));
            terminal.send(typed.as_bytes());
            terminal.wait(&format!("what {typed:?} after {pause} ms asks for"), |screen| {
                let text = screen.contents();
                shows.iter().all(|shown| text.contains(shown)) && !hides.iter().any(|gone| text.contains(gone))
            });
            if typed == fourth {
                terminal.wait("a later row to be marked", |screen| {
                    let text = screen.contents();
                    let rows: Vec<&str> = text.lines().filter(|line| line.contains("● active")).collect();
                    rows.iter().any(|row| row.starts_with('▌')) && !rows[0].starts_with('▌')
                });
            }
        }
    }
}

/// A way out.
enum Way {
    Key(&'static str),
    Signal(Signal, u32),
}

const WAYS: [Way; 5] = [
    Way::Key("q"),
    Way::Key("ctrl-c"),
    Way::Signal(Signal::TERM, 143),
    Way::Signal(Signal::INT, 130),
    Way::Signal(Signal::HUP, 129),
];

#[track_caller]
fn leaves(mut terminal: Terminal, way: &Way, when: &str) {
    let begun = Instant::now();
    let (name, code) = match way {
        Way::Key(name) => {
            terminal.send(&key(name));
            ((*name).to_owned(), if *name == "q" { 0 } else { 130 })
        }
        Way::Signal(signal, code) => {
            terminal.signal(*signal);
            (format!("{signal:?}"), *code)
        }
    };
    let status = terminal.wait_for_exit(Duration::from_secs(5));
    let took = begun.elapsed();
    assert!(took < SOON, "{name} took {took:?} {when}");
    assert_eq!(status.exit_code(), code, "{name} {when}");
    assert_eq!(terminal.left_behind(), Vec::<String>::new(), "{name} {when}");
}

on_both! {
    async fn leaving_waits_for_no_database(db) {
        let (address, line) = furnished(&db);
        let start = || Start::new(db.dir()).on(&address).size(100, 30).spawn();
        // Whoever holds the database: for SQLite a writer, for PostgreSQL a line that swallows everything.
        if let Some(line) = &line {
            for way in &WAYS {
                line.hold(true);
                let mut terminal = start();
                terminal.wait_for("opening");
                terminal.send(b"j");
                terminal.wait_for("kept until it does");
                leaves(terminal, way, "while it opens");
                line.hold(false);
            }
        }
        for way in &WAYS {
            let mut terminal = start();
            terminal.wait_for("● active");
            line.iter().for_each(|line| line.hold(true));
            let lock = line.is_none().then(|| Lock::on(&db));
            terminal.send(&key("ctrl-r"));
            terminal.wait_quietly(Duration::from_millis(100));
            leaves(terminal, way, "while it holds");
            drop(lock);
            line.iter().for_each(|line| line.hold(false));
        }
    }
}

/// A console that was interrupted while a revocation waits for its answer: behind a lock on SQLite, else on the line.
fn interrupted(db: &Database, address: &str, line: Option<&Line>) -> (Terminal, Option<Lock>) {
    let mut terminal = Start::new(db.dir()).on(address).size(110, 30).spawn();
    terminal.wait_for("● active");
    terminal.press("d");
    terminal.wait_for("Revoke (y)");
    line.iter().for_each(|line| line.hold(true));
    let lock = line.is_none().then(|| Lock::on(db));
    terminal.answer("y");
    terminal.wait_for("sent; waiting");
    terminal.send(&key("ctrl-c"));
    terminal.wait_for("Waiting at most 2 s");
    (terminal, lock)
}

on_both! {
    async fn leaving_before_a_revocation_is_answered_waits_a_moment_and_says_what_is_open(db) {
        let (address, line) = furnished(&db);
        for then in [None, Some(Way::Key("ctrl-c")), Some(Way::Signal(Signal::TERM, 143))] {
            let (mut terminal, lock) = interrupted(&db, &address, line.as_ref());
            match &then {
                Some(Way::Key(name)) => {
                    terminal.send(&key(name));
                    assert_eq!(terminal.wait_for_exit(SOON).exit_code(), 130);
                }
                Some(Way::Signal(signal, code)) => {
                    terminal.signal(*signal);
                    assert_eq!(terminal.wait_for_exit(SOON).exit_code(), *code);
                }
                None => assert_eq!(terminal.wait_for_exit(Duration::from_secs(4)).exit_code(), 130),
            }
            terminal.quiet(Duration::from_millis(100));
            let said = String::from_utf8_lossy(&terminal.raw()).into_owned();
            let said = said.rsplit("\x1b[?25h").next().unwrap().replace(['\r', '\n'], " ");
            assert!(said.contains("may not have been carried out: it may still work"), "{said}");
            drop(lock);
            line.iter().for_each(|line| line.hold(false));
        }
        // An answer that comes in time is waited for.
        let revoked = "SELECT count(*) FROM key_auth WHERE revoked_at IS NOT NULL";
        let before = db.number(revoked).await;
        let (mut terminal, lock) = interrupted(&db, &address, line.as_ref());
        drop(lock);
        line.iter().for_each(|line| line.hold(false));
        assert_eq!(terminal.wait_for_exit(Duration::from_secs(4)).exit_code(), 130);
        let said = String::from_utf8_lossy(&terminal.raw()).into_owned();
        assert!(!said.contains("may not have been"), "{said}");
        assert_eq!(db.number(revoked).await, before + 1);
    }
}

/// Another program that writes into a SQLite file and does not end.
struct Lock(std::process::Child);

impl Lock {
    fn on(db: &Database) -> Self {
        let script = "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1], timeout=9, isolation_level=None)\n\
                      c.execute('BEGIN EXCLUSIVE')\nprint('locked', flush=True)\nsys.stdin.read()";
        let mut child = std::process::Command::new("python3")
            .args(["-c", script, db.address().trim_start_matches("sqlite:")])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.as_mut().unwrap()), &mut said)
            .unwrap();
        assert_eq!(said.trim(), "locked");
        Self(child)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_terminal_that_takes_nothing_can_be_left_by_a_signal() {
    let home = tempfile::tempdir().unwrap();
    program::stdout(home.path(), ["demo", "--keys", "300", "--seed", "3"]);
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let mut terminal = Start::new(home.path()).size(200, 60).spawn();
        terminal.wait_for("active");
        terminal.stop_reading(true);
        for _ in 0..8 {
            terminal.send(&key("ctrl-l"));
            std::thread::park_timeout(Duration::from_millis(20));
        }
        let begun = Instant::now();
        terminal.signal(signal);
        assert_eq!(terminal.wait_for_exit(Duration::from_secs(5)).exit_code(), code);
        assert!(begun.elapsed() < SOON, "{signal:?} took {:?}", begun.elapsed());
    }
}
