//! Terminals and lines as they are: bad ones, old ones, stopped ones.

use std::time::Duration;

use crate::support::program;
use crate::support::pty::{Start, Terminal, key};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

const PAUSE: Duration = Duration::from_millis(15);

fn rack(keys: u32) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    program::stdout(home.path(), ["demo", "--keys", &keys.to_string(), "--seed", "3"]);
    home
}

fn open(home: &TempDir) -> Terminal {
    let terminal = Start::new(home.path()).size(110, 30).spawn();
    terminal.wait_for("active");
    terminal.quiet(Duration::from_millis(150));
    terminal
}

fn marked(terminal: &Terminal) -> usize {
    let text = terminal.text();
    text.lines().position(|line| line.starts_with('▌')).unwrap_or_else(|| panic!("no row is marked:\n{text}"))
}

#[track_caller]
fn shows(terminal: &Terminal, text: &str, shown: bool) {
    terminal.quiet(Duration::from_millis(120));
    assert_eq!(terminal.text().contains(text), shown, "{text:?}:\n{}", terminal.text());
}

#[test]
fn a_key_in_pieces_is_that_key_and_esc_with_a_key_is_both() {
    let home = rack(60);
    let mut terminal = open(&home);
    let first = marked(&terminal);
    for pieces in [[b"\x1b".as_slice(), b"[B"], [b"\x1b[", b"B"], [b"\x1bO", b"B"]] {
        let before = marked(&terminal);
        for piece in pieces {
            terminal.send(piece);
            std::thread::park_timeout(PAUSE);
        }
        terminal.quiet(Duration::from_millis(150));
        assert_eq!(marked(&terminal), before + 1, "{pieces:?}");
    }
    assert_eq!(marked(&terminal), first + 3);
    // Esc closes the help, and the key behind it moves.
    terminal.press("?");
    terminal.wait_for("╭ Help");
    terminal.send(b"\x1bk");
    shows(&terminal, "╭ Help", false);
    assert_eq!(marked(&terminal), first + 2);
    // Esc alone is heard soon.
    terminal.press("?");
    terminal.wait_for("╭ Help");
    terminal.send(b"\x1b");
    terminal.wait_until_gone("╭ Help");
}

#[test]
fn late_answers_of_the_terminal_are_no_keys() {
    let home = rack(60);
    let mut terminal = open(&home);
    let before = terminal.text();
    for answer in [
        "\x1b[?64;1;2;6;22c",
        "\x1b[12;40R",
        "\x1b]11;rgb:0000/0000/0000\x1b\\",
        "\x1b]10;rgb:ffff/ffff/ffff\x07",
        "\x1b[I",
        "\x1b[O",
        "\x1bP>|XTerm(390)\x1b\\",
        "\x1b[<35;10;5M",
    ] {
        for byte in answer.bytes() {
            terminal.send(&[byte]);
            std::thread::park_timeout(Duration::from_millis(2));
        }
        terminal.quiet(Duration::from_millis(100));
        assert_eq!(terminal.text(), before, "{answer:?}");
    }
}

#[test]
fn a_paste_that_never_ends_gives_the_keyboard_back() {
    let home = rack(60);
    let mut terminal = open(&home);
    terminal.press("/");
    terminal.quiet(Duration::from_millis(50));
    terminal.send(b"\x1b[200~prod");
    std::thread::park_timeout(Duration::from_millis(400));
    terminal.send(b"u");
    terminal.wait_for("/ produ");
    terminal.send(b"\x1b");
    terminal.wait_until_gone("/ produ");
}

#[test]
fn three_megabytes_pasted_into_a_field_are_cut_at_once_and_that_is_said() {
    let home = rack(300);
    for opens in ["/", ":"] {
        let mut terminal = open(&home);
        terminal.press(opens);
        terminal.quiet(Duration::from_millis(50));
        let begun = std::time::Instant::now();
        terminal.paste(&"ab:c ".repeat(600_000));
        terminal.wait_for("was left out");
        assert!(begun.elapsed() < Duration::from_secs(5), "{opens}: {:?}", begun.elapsed());
        terminal.press("esc");
        terminal.press("q");
        terminal.wait_for_exit(Duration::from_secs(2));
    }
}

#[test]
fn the_filter_begins_selected_and_its_hits_can_be_walked_through() {
    let home = rack(60);
    let mut terminal = open(&home);
    terminal.press("/");
    terminal.type_text("status:active");
    terminal.press("enter");
    terminal.press("/");
    terminal.type_text("a");
    terminal.wait("the old text to be replaced", |screen| {
        screen.contents().lines().any(|line| line.starts_with(" / a ") || line == " / a")
    });
    terminal.press("esc");
    terminal.press("/");
    terminal.type_text("pro");
    terminal.press("enter");
    terminal.press("/");
    terminal.press("end");
    terminal.type_text("d");
    terminal.wait_for("/ prod");
    let before = marked(&terminal);
    terminal.press("down");
    terminal.quiet(Duration::from_millis(150));
    assert_eq!(marked(&terminal), before + 1, "{}", terminal.text());
    assert!(terminal.text().contains("/ prod"));
}

/// A terminal without SU and SD shows what a whole drawing shows.
#[test]
fn old_terminals_scroll_by_their_own_means_and_get_no_colours_they_lack() {
    let home = rack(300);
    for (term, colours) in [("linux", true), ("vt100", false), ("vt220", false)] {
        let mut terminal = Start::new(home.path()).size(110, 30).env("TERM", term).spawn();
        terminal.wait_for("active");
        for _ in 0..60 {
            terminal.press("down");
        }
        terminal.quiet(Duration::from_millis(150));
        let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
        for (at, _) in raw.match_indices("\x1b[") {
            let rest = raw[at + 2..].trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
            assert!(!rest.starts_with(['S', 'T']), "{term} is told to scroll by {:?}", &raw[at..at + 8]);
        }
        assert!(raw.contains("\x1bM") || raw.contains("\n"), "{term} does not scroll by lines");
        assert!(!raw.contains("\x1b]"), "{term} gets a title it would print");
        assert!(!raw.contains("38;2;") && !raw.contains("38;5;"), "{term} gets colours it lacks");
        assert_eq!(raw.contains("\x1b[36") || raw.contains(";36"), colours, "{term}");
        terminal.press("q");
        terminal.wait_for_exit(Duration::from_secs(2));
    }
}

/// Starts the console as a job of a shell that says when the job stops, and wakes it when it is told to.
fn job(home: &TempDir) -> (Terminal, Pid) {
    let script = "set -m; \"$@\" & echo $! > pid; fg >/dev/null; \
                  while [ \"$(jobs -s)\" ]; do stty -a > stopped; echo SHELL HAS IT; read line; fg > /dev/null; done; exit 7";
    let terminal = Start::new(home.path()).size(100, 30).through(["/bin/bash", "-c", script, "bash"]).spawn();
    terminal.wait_for("active");
    terminal.quiet(Duration::from_millis(200));
    let pid = std::fs::read_to_string(home.path().join("pid")).unwrap();
    (terminal, Pid::from_raw(pid.trim().parse().unwrap()).unwrap())
}

#[test]
fn stopped_from_outside_or_by_ctrl_z_the_terminal_is_as_it_was_and_comes_back_whole() {
    let home = rack(60);
    for stop in [None, Some(Signal::TSTP), Some(Signal::TTIN), Some(Signal::TTOU)] {
        let (mut terminal, pid) = job(&home);
        match stop {
            None => terminal.press("ctrl-z"),
            Some(signal) => kill_process(pid, signal).unwrap(),
        }
        terminal.wait_for("SHELL HAS IT");
        terminal.with(|screen| {
            assert!(
                !screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste(),
                "{stop:?}"
            );
        });
        let settings = std::fs::read_to_string(home.path().join("stopped")).unwrap();
        assert!(settings.contains(" echo ") && settings.contains(" icanon"), "{stop:?}: {settings}");
        terminal.resize(90, 24);
        terminal.send(b"\n");
        terminal.wait("the whole picture in its new size", |screen| {
            let text = screen.contents();
            screen.alternate_screen()
                && text.contains("● active")
                && text.contains("? help")
                && !text.contains("SHELL")
        });
        terminal.press("down");
        terminal.quiet(Duration::from_millis(100));
        let before = terminal.text();
        terminal.press("ctrl-l");
        terminal.quiet(Duration::from_millis(200));
        assert_eq!(before, terminal.text(), "{stop:?}");
        terminal.press("q");
        assert_eq!(terminal.wait_for_exit(Duration::from_secs(3)).exit_code(), 7);
    }
}

#[test]
fn a_reveal_is_wiped_before_the_process_stops_and_is_there_again_after_it() {
    let home = rack(60);
    let (mut terminal, pid) = job(&home);
    terminal.press("n");
    terminal.wait_for("Whose key is it?");
    terminal.press("enter");
    terminal.wait_for("what the key is for");
    terminal.type_text("Short lived");
    terminal.press("ctrl-s");
    terminal.wait_for("The secret is shown once");
    // A question is answered once it could be read.
    terminal.wait_quietly(Duration::from_millis(700));
    terminal.press("ctrl-s");
    terminal.wait_for("only time");
    let text = terminal.text();
    let secret =
        text.split_whitespace().find(|word| word.contains('_') && word.len() > 30).unwrap().to_owned();
    kill_process(pid, Signal::TSTP).unwrap();
    terminal.wait_for("SHELL HAS IT");
    let raw = terminal.raw();
    let leave = String::from_utf8_lossy(&raw).rfind("\x1b[?1049l").unwrap();
    let mut before = vt100::Parser::new(30.try_into().unwrap(), 100.try_into().unwrap(), 0);
    before.process(&String::from_utf8_lossy(&raw).as_bytes()[..leave]);
    assert!(!before.screen().contents().contains(&secret[8..24]), "the secret was still on the screen");
    terminal.send(b"\n");
    terminal.wait_for("only time");
    assert!(terminal.text().contains(&secret));
}

#[test]
fn a_process_that_nobody_asked_before_it_was_stopped_takes_the_terminal_again() {
    let home = rack(60);
    let (mut terminal, pid) = job(&home);
    kill_process(pid, Signal::STOP).unwrap();
    terminal.wait_for("SHELL HAS IT");
    terminal.send(b"\n");
    terminal.wait("the picture", |screen| {
        let text = screen.contents();
        text.contains("● active") && text.contains("? help") && !text.contains("SHELL")
    });
    terminal.press("q");
    assert_eq!(terminal.wait_for_exit(Duration::from_secs(3)).exit_code(), 7);
    assert_eq!(terminal.left_behind(), Vec::<String>::new());
}

#[test]
fn a_hidden_prompt_never_echoes_whatever_stops_it_and_continues_it() {
    let home = rack(5);
    let script = "set -m; \"$@\" key find & echo $! > pid; fg >/dev/null; \
                  while [ \"$(jobs -s)\" ]; do stty -a > stopped; echo SHELL HAS IT; read line; echo ON; fg > /dev/null; done; exit 7";
    for stop in [None, Some(Signal::TSTP), Some(Signal::TTIN), Some(Signal::TTOU), Some(Signal::STOP)] {
        let mut terminal =
            Start::new(home.path()).size(100, 30).through(["/bin/bash", "-c", script, "bash"]).spawn();
        terminal.wait_for("not shown");
        terminal.quiet(Duration::from_millis(100));
        let pid = std::fs::read_to_string(home.path().join("pid")).unwrap();
        match stop {
            None => terminal.send(&key("ctrl-z")),
            Some(signal) => {
                kill_process(Pid::from_raw(pid.trim().parse().unwrap()).unwrap(), signal).unwrap()
            }
        }
        terminal.wait_for("SHELL HAS IT");
        if stop != Some(Signal::STOP) {
            let settings = std::fs::read_to_string(home.path().join("stopped")).unwrap();
            assert!(settings.contains(" echo "), "{stop:?}: {settings}");
        }
        terminal.send(b"\n");
        terminal.wait("the prompt again", |screen| {
            screen
                .contents()
                .lines()
                .rev()
                .find(|line| !line.is_empty())
                .is_some_and(|line| line.contains("not shown"))
        });
        terminal.quiet(Duration::from_millis(200));
        terminal.type_text("hunter2secret");
        terminal.send(b"\r");
        terminal.wait_for_exit(Duration::from_secs(5));
        terminal.quiet(Duration::from_millis(50));
        let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
        assert!(!raw.contains("hunter"), "{stop:?}: the secret was shown\n{raw}");
        assert_eq!(terminal.left_behind(), Vec::<String>::new(), "{stop:?}");
    }
}

#[test]
fn a_hidden_prompt_that_is_continued_in_the_background_asks_once_it_is_in_the_foreground() {
    let home = rack(5);
    let script = "set -m; \"$@\" key find & pid=$!; fg >/dev/null; kill -CONT $pid; sleep 0.3; \
                  while jobs -r | grep -q .; do sleep 0.05; done; echo SHELL HAS IT; read line; fg >/dev/null; \
                  echo \"STOPPED $(jobs -s | wc -l)\"; stty -a | grep -q ' echo ' && echo ECHOES; exit 7";
    let mut terminal =
        Start::new(home.path()).size(100, 30).through(["/bin/bash", "-c", script, "bash"]).spawn();
    terminal.wait_for("not shown");
    terminal.quiet(Duration::from_millis(100));
    terminal.send(&key("ctrl-z"));
    terminal.wait_for("SHELL HAS IT");
    terminal.send(b"\n");
    terminal.wait("the prompt again", |screen| screen.contents().trim_end().ends_with("not shown):"));
    terminal.quiet(Duration::from_millis(400));
    terminal.type_text("hunter2secret");
    terminal.send(b"\r");
    terminal.wait_for("STOPPED 0");
    terminal.wait_for("ECHOES");
    terminal.wait_for_exit(Duration::from_secs(5));
    let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
    assert!(!raw.contains("hunter"), "the secret was shown\n{raw}");
}

#[test]
fn a_prompt_that_a_signal_ends_leaves_the_terminal_as_it_was() {
    let home = rack(5);
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let mut terminal = Start::new(home.path()).args(["key", "find"]).spawn();
        terminal.wait_for("not shown");
        terminal.quiet(Duration::from_millis(100));
        terminal.signal(signal);
        assert_eq!(terminal.wait_for_exit(Duration::from_secs(3)).exit_code(), code);
        assert_eq!(terminal.left_behind(), Vec::<String>::new(), "{signal:?}");
    }
}
