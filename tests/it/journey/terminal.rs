//! The console and its terminal: sizes, colours, signals, and the terminal that goes away.

use std::time::{Duration, Instant};

use crate::support::program;
use crate::support::pty::{PATIENCE, Start, Terminal};
use rustix::process::Signal;
use tempfile::TempDir;

/// A home whose database holds so many realistic keys.
fn rack(keys: u32) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    program::stdout(home.path(), ["demo", "--keys", &keys.to_string(), "--seed", "3"]);
    home
}

fn open(home: &TempDir, columns: u16, rows: u16) -> Terminal {
    let terminal = Start::new(home.path()).size(columns, rows).spawn();
    terminal.wait_for("active");
    terminal.quiet(Duration::from_millis(150));
    terminal
}

/// What can be seen: each cell's character and look. The colour of a blank's letters can't.
fn rows(terminal: &Terminal) -> String {
    terminal.with(|screen| {
        let (rows, columns) = screen.size();
        let mut out = String::new();
        for row in 0..rows.get() {
            for cell in (0..columns.get()).filter_map(|column| screen.cell(row, column)) {
                let text = cell.contents();
                let blank = matches!(text, "" | " ") && !cell.underline() && !cell.inverse();
                let look = (cell.bold(), cell.dim(), cell.italic(), cell.underline(), cell.inverse());
                match blank {
                    true => out.push_str(&format!("[{:?}]", cell.bgcolor())),
                    false => {
                        out.push_str(&format!("{text}[{:?}{:?}{look:?}]", cell.fgcolor(), cell.bgcolor()));
                    }
                }
            }
            out.push('\n');
        }
        out
    })
}

#[track_caller]
fn assert_same(before: &str, after: &str, what: &str) {
    for (number, (left, right)) in before.lines().zip(after.lines()).enumerate() {
        assert_eq!(left, right, "line {number} after {what}");
    }
    assert_eq!(before.lines().count(), after.lines().count(), "{what}");
}

fn marked_row(terminal: &Terminal) -> String {
    terminal.line_with("▌").unwrap_or_else(|| panic!("no row is marked:\n{}", terminal.text()))
}

#[test]
fn every_signal_that_ends_it_leaves_the_terminal_as_it_was() {
    let home = rack(50);
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 130)] {
        let mut terminal = open(&home, 100, 30);
        assert!(!terminal.left_behind().is_empty(), "a console without the alternate screen?");
        terminal.signal(signal);
        let status = terminal.wait_for_exit(Duration::from_secs(2));
        assert_eq!(status.exit_code(), code, "{signal:?}");
        assert_eq!(terminal.left_behind(), Vec::<String>::new(), "{signal:?}");
    }
    let mut terminal = open(&home, 100, 30);
    terminal.press("q");
    assert_eq!(terminal.wait_for_exit(Duration::from_secs(2)).exit_code(), 0);
    assert_eq!(terminal.left_behind(), Vec::<String>::new());
}

#[test]
fn a_terminal_that_goes_away_ends_the_program_within_a_second() {
    let home = rack(50);
    let mut terminal = open(&home, 100, 30);
    terminal.hang_up();
    let began = Instant::now();
    terminal.wait_for_exit(Duration::from_secs(1));
    println!("ended {} ms after the terminal", began.elapsed().as_millis());
}

#[test]
fn a_terminal_that_goes_away_without_a_signal_ends_the_program_too() {
    let home = rack(50);
    // The shell leads the session and ignores the hang-up, so nobody signals the program.
    let terminal = Start::new(home.path()).size(100, 30).through_shell("trap '' HUP; \"$@\"; exit 7");
    let mut terminal = terminal.spawn();
    terminal.wait_for("active");
    terminal.hang_up();
    let began = Instant::now();
    assert_eq!(terminal.wait_for_exit(Duration::from_secs(1)).exit_code(), 7);
    println!("ended {} ms after the terminal", began.elapsed().as_millis());
}

#[test]
fn a_reveal_leaves_no_secret_behind_on_the_screen() {
    let home = tempfile::tempdir().unwrap();
    program::stdout(home.path(), ["issuer", "add", "vozagent"]);
    let account = [
        "account",
        "create",
        "--issuer",
        "vozagent",
        "--slug",
        "acme",
        "--name",
        "Acme",
        "--admin",
        "a@acme.example",
    ];
    program::stdout(home.path(), account);
    let mut terminal = Start::new(home.path()).size(80, 24).spawn();
    terminal.wait_for("No API Keys Yet");
    terminal.press("n");
    terminal.wait_for("what the key is for");
    terminal.type_text("Short lived");
    terminal.press("ctrl-s");
    terminal.wait_for("The secret is shown once");
    terminal.answer("ctrl-s");
    terminal.wait_for("only time");
    let text = terminal.text();
    let secret =
        text.split_whitespace().find(|word| word.starts_with("gw_") && word.len() > 40).unwrap().to_owned();
    terminal.signal(Signal::TERM);
    terminal.wait_for_exit(Duration::from_secs(2));
    terminal.quiet(Duration::from_millis(50));
    // H14: the cells were overwritten before the alternate screen was left.
    let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
    let leave = raw.rfind("\x1b[?1049l").unwrap();
    let mut before = vt100::Parser::new(24.try_into().unwrap(), 80.try_into().unwrap(), 0);
    before.process(&raw.as_bytes()[..leave]);
    assert!(!before.screen().contents().contains(&secret[3..20]), "the secret was still on the screen");
    assert!(!terminal.text().contains(&secret[3..20]));
}

#[test]
fn without_colours_the_marker_still_shows_where_one_is() {
    let home = rack(50);
    let mut terminal = Start::new(home.path()).size(100, 30).env("NO_COLOR", "1").spawn();
    terminal.wait_for("active");
    terminal.quiet(Duration::from_millis(150));
    let first = marked_row(&terminal);
    terminal.press("down");
    terminal.wait("another marked row", |screen| {
        screen.contents().lines().any(|line| line.contains('▌') && line != first)
    });
    let coloured = terminal.with(|screen| {
        let cells = (0..30).flat_map(|row| (0..100).map(move |column| (row, column)));
        cells
            .filter_map(|(row, column)| screen.cell(row, column))
            .filter(|cell| cell.fgcolor() != vt100::Color::Default || cell.bgcolor() != vt100::Color::Default)
            .count()
    });
    assert_eq!(coloured, 0, "cells with a colour under NO_COLOR");
}

#[test]
fn it_works_at_every_size_and_says_when_there_is_too_little_room() {
    let home = rack(300);
    for (columns, rows) in [(80, 24), (200, 50), (60, 16), (120, 40)] {
        let mut terminal = open(&home, columns, rows);
        marked_row(&terminal);
        let text = terminal.text();
        assert!(text.lines().all(|line| line.chars().count() <= usize::from(columns)), "{text}");
        terminal.press("end");
        terminal.quiet(Duration::from_millis(150));
        marked_row(&terminal);
        terminal.press("q");
        assert_eq!(terminal.wait_for_exit(PATIENCE).exit_code(), 0);
    }
    let mut terminal = open(&home, 80, 24);
    terminal.resize(40, 10);
    terminal.wait("a word about the size", |screen| screen.contents().contains("60"));
    terminal.resize(1, 1);
    terminal.quiet(Duration::from_millis(100));
    terminal.resize(120, 40);
    terminal.wait("the table again", |screen| screen.contents().contains('▌'));
    terminal.quiet(Duration::from_millis(200));
    // Drawn anew from nothing it would look the same: no cell is left from another size.
    let before = terminal.text();
    terminal.press("ctrl-l");
    terminal.quiet(Duration::from_millis(200));
    assert_same(&before, &terminal.text(), "a whole drawing");
}

#[test]
fn scrolling_by_regions_leaves_every_cell_as_a_whole_drawing_would() {
    let home = rack(500);
    // Ages grow meanwhile; exact times don't.
    let config = home.path().join(".config/keyrack");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::write(config.join("config.toml"), "relative_times = false\n").unwrap();
    let mut terminal = open(&home, 120, 40);
    for key in ["down", "down", "pagedown", "up", "pageup", "end", "up", "home"] {
        for _ in 0..45 {
            terminal.press(key);
        }
        terminal.quiet(Duration::from_millis(150));
        let moved = rows(&terminal);
        terminal.press("ctrl-l");
        terminal.quiet(Duration::from_millis(200));
        assert_same(&moved, &rows(&terminal), key);
    }
}

#[test]
fn idle_means_no_bytes() {
    let home = rack(300);
    let terminal = open(&home, 120, 40);
    terminal.quiet(Duration::from_millis(800));
    let before = terminal.raw().len();
    let clock = Instant::now();
    terminal.wait_quietly(Duration::from_secs(3));
    assert!(clock.elapsed() >= Duration::from_secs(3));
    let sent = terminal.raw().len() - before;
    // A relative time may change its word once in these seconds; nothing else may move.
    assert!(sent < 400, "{sent} bytes while nobody did anything");
}

#[test]
fn idle_means_no_wake_ups() {
    let home = rack(300);
    let terminal = open(&home, 120, 40);
    // Once everything was read and remembered.
    terminal.wait_quietly(Duration::from_secs(6));
    let woken = || -> u64 {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", terminal.pid())).unwrap();
        let status = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("status")).ok();
        let all: Vec<String> = tasks.flatten().filter_map(status).collect();
        let lines = all.iter().flat_map(|status| status.lines());
        lines
            .filter_map(|line| line.strip_prefix("voluntary_ctxt_switches:")?.trim().parse::<u64>().ok())
            .sum()
    };
    let before = woken();
    terminal.wait_quietly(Duration::from_secs(5));
    // A thread that ends takes its own with it.
    let times = woken().saturating_sub(before);
    assert!(times <= 20, "woken {times} times in 5 s while nobody did anything");
}

#[test]
fn a_paste_into_the_table_triggers_nothing() {
    let home = rack(50);
    let mut terminal = open(&home, 100, 30);
    let before = program::json(home.path(), ["key", "list", "--json", "--filter", "status:revoked"]);
    terminal.paste("dyxy\rdy");
    terminal.quiet(Duration::from_millis(300));
    // The same without the brackets: faster than a person types.
    terminal.send(b"dydydy");
    terminal.quiet(Duration::from_millis(300));
    terminal.press("q");
    let after = program::json(home.path(), ["key", "list", "--json", "--filter", "status:revoked"]);
    assert_eq!(before, after, "a paste revoked something");
}

#[test]
fn the_filter_answers_while_one_types_and_marks_a_mistake_at_its_place() {
    let home = rack(500);
    let mut terminal = open(&home, 120, 40);
    terminal.press("/");
    terminal.type_text("status:revoked");
    terminal.wait("only revoked keys", |screen| {
        let text = screen.contents();
        text.contains("✕ revoked") && !text.contains("● active")
    });
    terminal.press("backspace");
    terminal.wait("words about the mistake", |screen| screen.contents().contains("does not know"));
    // The last good result stays.
    assert!(terminal.text().contains("✕ revoked"), "{}", terminal.text());
    terminal.press("esc");
    terminal.wait("everything again", |screen| screen.contents().contains("● active"));
}

#[test]
fn a_terminal_that_can_only_write_lines_is_told_so_and_left_alone() {
    let home = rack(5);
    for term in ["dumb", ""] {
        let mut terminal = Start::new(home.path()).env("TERM", term).spawn();
        assert_eq!(terminal.wait_for_exit(PATIENCE).exit_code(), 2, "as where there is no terminal");
        terminal.quiet(Duration::from_millis(50));
        let text = terminal.text().split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("can't be shown") && text.contains("keyrack --help"), "{term}: {text}");
        assert!(!terminal.raw().contains(&0x1b), "{term}: {:?}", String::from_utf8_lossy(&terminal.raw()));
        assert_eq!(terminal.left_behind(), Vec::<String>::new());
    }
}
