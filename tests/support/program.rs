//! The real program, as a person or a script would run it, with a home of its own.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::schemas;

/// Where the program under test lies.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_keyrack");

/// The environment that the program gets, and nothing else: a home that is empty at first.
pub fn environment(home: &Path) -> Vec<(&'static str, String)> {
    let home = home.display();
    vec![
        ("HOME", format!("{home}")),
        ("XDG_CONFIG_HOME", format!("{home}/.config")),
        ("XDG_DATA_HOME", format!("{home}/.local/share")),
        ("XDG_STATE_HOME", format!("{home}/.local/state")),
        ("XDG_CACHE_HOME", format!("{home}/.cache")),
        ("XDG_RUNTIME_DIR", format!("{home}")),
        ("PATH", "/usr/local/bin:/usr/bin:/bin".into()),
        ("LANG", "C.UTF-8".into()),
        ("TZ", "UTC".into()),
    ]
}

/// The program with these arguments, its environment cut down to [`environment`].
pub fn keyrack<S: AsRef<OsStr>>(home: &Path, args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(args).env_clear().envs(environment(home)).current_dir(home).stdin(Stdio::null());
    command
}

/// Runs it and hands over what it said, whatever its exit status. JSON is held against its schema.
pub fn run<S: AsRef<OsStr>>(home: &Path, args: impl IntoIterator<Item = S>) -> Output {
    let args: Vec<S> = args.into_iter().collect();
    let words = words(&args);
    let output = keyrack(home, args).output().unwrap();
    schemas::hold(&words, &output.stdout);
    output
}

fn words<S: AsRef<OsStr>>(args: &[S]) -> Vec<String> {
    args.iter().map(|arg| arg.as_ref().to_string_lossy().into_owned()).collect()
}

/// Runs it with something on its standard input.
pub fn run_with_input<S: AsRef<OsStr>>(
    home: &Path,
    args: impl IntoIterator<Item = S>,
    input: &[u8],
) -> Output {
    let args: Vec<S> = args.into_iter().collect();
    let words = words(&args);
    let mut child = keyrack(home, args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that does not want its input closes the pipe; that is its right.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    schemas::hold(&words, &output.stdout);
    output
}

/// Runs it, demands success, and hands over its standard output.
pub fn stdout<S: AsRef<OsStr>>(home: &Path, args: impl IntoIterator<Item = S>) -> String {
    let args: Vec<S> = args.into_iter().collect();
    let words = words(&args);
    let output = run(home, args);
    assert!(
        output.status.success(),
        "keyrack {} ended with {}:\n{}{}",
        words.join(" "),
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// As [`stdout`], read as JSON.
pub fn json<S: AsRef<OsStr>>(home: &Path, args: impl IntoIterator<Item = S>) -> serde_json::Value {
    let text = stdout(home, args);
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}:\n{text}"))
}

/// Sends a program a signal.
pub fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// Waits for a program's end; one that doesn't end is killed, and the test fails.
#[track_caller]
pub fn ended(child: &mut Child) -> ExitStatus {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if begun.elapsed() > Duration::from_secs(30) {
            child.kill().unwrap();
            panic!("it doesn't end");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
