//! Every signal: the terminal is as it was when the program ends, and whole as long as it goes on.

use std::process::Command;
use std::time::Duration;

use crate::support::program;
use crate::support::pty::{Start, Terminal};
use tempfile::TempDir;

/// What becomes of the program.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    /// It ends with this code, after putting its things in order.
    Code(u32),
    /// It ends by the signal.
    Killed,
    /// It goes on.
    Lives,
}

use Fate::{Code, Killed, Lives};

/// What each signal does to a console.
const CONSOLE: [(&str, Fate); 30] = [
    ("HUP", Code(129)),
    ("INT", Code(130)),
    ("QUIT", Killed),
    ("ILL", Killed),
    ("TRAP", Killed),
    ("ABRT", Killed),
    ("BUS", Killed),
    ("FPE", Killed),
    ("USR1", Lives),
    ("SEGV", Killed),
    ("USR2", Lives),
    ("PIPE", Lives),
    ("ALRM", Killed),
    ("TERM", Code(143)),
    ("STKFLT", Code(144)),
    ("CHLD", Lives),
    ("CONT", Lives),
    ("URG", Lives),
    ("XCPU", Killed),
    ("XFSZ", Lives),
    ("VTALRM", Killed),
    ("PROF", Killed),
    ("WINCH", Lives),
    ("IO", Code(157)),
    ("PWR", Code(158)),
    ("SYS", Killed),
    ("34", Code(162)),
    ("35", Code(163)),
    ("50", Code(178)),
    ("64", Code(192)),
];

fn send(terminal: &Terminal, signal: &str) {
    let status = Command::new("kill").args([format!("-{signal}"), terminal.pid().to_string()]).status();
    assert!(status.unwrap().success(), "{signal}");
}

#[track_caller]
fn ends(terminal: &mut Terminal, signal: &str, fate: Fate) {
    let status = terminal.wait_for_exit(Duration::from_secs(3));
    match fate {
        Code(code) => assert_eq!((status.exit_code(), status.signal()), (code, None), "{signal}"),
        _ => assert!(status.signal().is_some(), "{signal}: {status:?}"),
    }
    assert_eq!(terminal.left_behind(), Vec::<String>::new(), "{signal}");
}

fn rack() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    program::stdout(home.path(), ["demo", "--keys", "30", "--seed", "3"]);
    home
}

#[test]
fn every_signal_leaves_the_console_whole_or_the_terminal_as_it_was() {
    let home = rack();
    for (signal, fate) in CONSOLE {
        let mut terminal = Start::new(home.path()).size(90, 24).spawn();
        terminal.wait_for("● active");
        terminal.quiet(Duration::from_millis(100));
        send(&terminal, signal);
        if fate != Lives {
            ends(&mut terminal, signal, fate);
            continue;
        }
        terminal.wait_quietly(Duration::from_millis(150));
        terminal.press("down");
        terminal.quiet(Duration::from_millis(100));
        terminal.press("x");
        terminal.wait_for("Paste the exposed key");
        assert!(terminal.with(|screen| screen.alternate_screen()), "{signal}");
        terminal.press("esc");
        terminal.wait_until_gone("Paste the exposed key");
        terminal.press("q");
        assert_eq!(terminal.wait_for_exit(Duration::from_secs(3)).exit_code(), 0, "{signal}");
        assert_eq!(terminal.left_behind(), Vec::<String>::new(), "{signal}");
    }
}

#[test]
fn a_console_that_waits_for_its_database_ends_by_every_signal_too() {
    let home = rack();
    for (signal, fate) in CONSOLE.into_iter().filter(|(_, fate)| *fate != Lives) {
        // Nobody answers there.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("postgres://a@{}/b", listener.local_addr().unwrap());
        let mut terminal = Start::new(home.path()).on(&address).size(90, 24).spawn();
        terminal.wait("the console", |screen| screen.alternate_screen() && screen.bracketed_paste());
        terminal.quiet(Duration::from_millis(100));
        send(&terminal, signal);
        ends(&mut terminal, signal, fate);
    }
}

#[test]
fn every_signal_gives_the_echo_back_that_a_hidden_prompt_took() {
    let home = rack();
    for (signal, fate) in CONSOLE {
        let mut terminal = Start::new(home.path()).args(["key", "find"]).spawn();
        terminal.wait_for("not shown");
        terminal.quiet(Duration::from_millis(60));
        send(&terminal, signal);
        if fate == Lives {
            terminal.quiet(Duration::from_millis(60));
            terminal.send(b"nothing like it\r");
            terminal.wait_for("No key in this database matches");
            terminal.wait_for_exit(Duration::from_secs(3));
            assert_eq!(terminal.left_behind(), Vec::<String>::new(), "{signal}");
        } else {
            ends(&mut terminal, signal, fate);
        }
    }
}

/// Whoever has the terminal meanwhile leaves something else on it, in the mode of a shell.
fn between(terminal: &Terminal) {
    let state = || std::fs::read_to_string(format!("/proc/{}/stat", terminal.pid())).unwrap();
    let begun = std::time::Instant::now();
    while !state().rsplit(')').next().unwrap().starts_with(" T") {
        assert!(begun.elapsed() < Duration::from_secs(3), "it did not stop");
        std::thread::sleep(Duration::from_millis(5));
    }
    terminal.scribble("\x1b[?1049l\x1b[2J\x1b[Hanother program was here\r\n");
    terminal.wait_for("another program was here");
}

#[test]
fn a_console_that_goes_on_paints_all_of_its_screen_again() {
    let home = rack();
    // The others that stop it are heard, and tried below a shell.
    let signal = "STOP";
    let mut terminal = Start::new(home.path()).size(90, 24).spawn();
    terminal.wait_for("● active");
    terminal.quiet(Duration::from_millis(150));
    let before = terminal.text();
    send(&terminal, signal);
    between(&terminal);
    send(&terminal, "CONT");
    terminal.wait_until_gone("another program was here");
    terminal.wait_for("● active");
    terminal.quiet(Duration::from_millis(150));
    assert_eq!(terminal.text(), before, "{signal}");
    assert!(terminal.with(|screen| screen.alternate_screen() && screen.bracketed_paste()), "{signal}");
    terminal.press("q");
    assert_eq!(terminal.wait_for_exit(Duration::from_secs(3)).exit_code(), 0, "{signal}");
    assert_eq!(terminal.left_behind(), Vec::<String>::new(), "{signal}");
}
