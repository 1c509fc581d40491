//! After a secret was pasted and left, no part of it is in the memory of the console.

use std::collections::HashSet;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use base64ct::Encoding as _;

use crate::support::program;
use crate::support::pty::{Start, Terminal};
use tempfile::TempDir;

/// So many characters of a secret say something of it.
const FRAGMENT: usize = 8;
const PAGE: usize = 4096;

/// How often each way is tried; `KEYRACK_MEMORY_RUNS` says more.
fn runs() -> usize {
    std::env::var("KEYRACK_MEMORY_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(2)
}

/// A home with a key, and the key's secret.
fn keyed() -> (TempDir, String) {
    let home = tempfile::tempdir().unwrap();
    program::stdout(home.path(), ["demo", "--keys", "20", "--seed", "3"]);
    let file = home.path().join("secret");
    let create = ["key", "create", "--account", "globex-logistics", "--name", "memory", "--out"];
    program::stdout(home.path(), create.into_iter().chain([file.to_str().unwrap()]));
    let secret = std::fs::read_to_string(file).unwrap().trim().to_owned();
    (home, secret)
}

/// The parts of a secret that are in the memory of a program; `None` where it may not be read, which takes root.
fn left_in_memory(terminal: &Terminal, secret: &str) -> Option<Vec<String>> {
    let folder = format!("/proc/{}", terminal.pid());
    let memory = File::open(format!("{folder}/mem")).ok()?;
    let parts: HashSet<&[u8]> = secret.as_bytes().windows(FRAGMENT).collect();
    let mut last = [false; 256];
    parts.iter().for_each(|part| last[usize::from(part[FRAGMENT - 1])] = true);
    let mut found = Vec::new();
    for line in std::fs::read_to_string(format!("{folder}/maps")).unwrap().lines() {
        let mut words = line.split_whitespace();
        let (place, rights) = (words.next().unwrap(), words.next().unwrap());
        let (from, to) = place.split_once('-').unwrap();
        let [from, to] = [from, to].map(|number| u64::from_str_radix(number, 16).unwrap());
        if !rights.starts_with("rw") {
            continue;
        }
        // With the end of the page before, which a part may begin in.
        let mut bytes = [0; PAGE + FRAGMENT];
        for at in (from..to).step_by(PAGE) {
            bytes.copy_within(PAGE.., 0);
            let page = &mut bytes[FRAGMENT..];
            if memory.read_exact_at(page, at).is_err() || page.iter().all(|byte| *byte == 0) {
                continue;
            }
            for (place, part) in bytes.windows(FRAGMENT).enumerate() {
                if last[usize::from(part[FRAGMENT - 1])] && parts.contains(part) {
                    let part = String::from_utf8_lossy(part).into_owned();
                    found.push(format!("{part} at {:x} in {line}", at + place as u64 - FRAGMENT as u64));
                }
            }
        }
    }
    Some(found)
}

/// Pastes into `x` or `E`, waits for what it comes to, and leaves.
fn paste_and_leave(terminal: &mut Terminal, key: &str, text: &str, answer: &str) {
    terminal.press(key);
    terminal.quiet(Duration::from_millis(100));
    terminal.paste(text);
    terminal.wait_for(answer);
    terminal.quiet(Duration::from_millis(150));
    terminal.press("esc");
    terminal.quiet(Duration::from_millis(100));
    terminal.press("esc");
    terminal.quiet(Duration::from_millis(150));
}

#[test]
fn nothing_of_a_pasted_secret_is_left_in_memory() {
    let (home, secret) = keyed();
    let unknown: String = {
        // One of the same form that is in no database.
        let (prefix, body) = secret.split_at(8);
        format!("{prefix}{}", body.chars().rev().collect::<String>())
    };
    let long =
        format!("{}{secret}\n{}", "log line without a key\n".repeat(20_000), "more of it\n".repeat(2_000));
    let header = format!("Authorization: Bearer {secret}");
    let ways = [
        ("x", secret.as_str(), secret.as_str(), "memory"),
        ("E", secret.as_str(), secret.as_str(), "known"),
        ("E", header.as_str(), secret.as_str(), "known"),
        ("x", unknown.as_str(), unknown.as_str(), "No key in this database"),
        ("x", long.as_str(), secret.as_str(), "memory"),
        ("E", long.as_str(), secret.as_str(), "known"),
    ];
    for run in 0..runs() {
        for (key, text, secret, answer) in ways {
            let mut terminal = Start::new(home.path()).size(100, 30).spawn();
            terminal.wait_for("● active");
            terminal.quiet(Duration::from_millis(100));
            paste_and_leave(&mut terminal, key, text, answer);
            let mut left = left_in_memory(&terminal, secret);
            // On a busy machine the last key may not have been taken yet. What is forgotten in memory stays there.
            for _ in 0..10 {
                if left.as_ref().is_none_or(Vec::is_empty) {
                    break;
                }
                terminal.wait_quietly(Duration::from_millis(300));
                left = left_in_memory(&terminal, secret);
            }
            let Some(left) = left else { return };
            assert_eq!(left, Vec::<String>::new(), "{key} with {} bytes, run {run}", text.len());
        }
    }
}

#[test]
fn nothing_of_a_swept_secret_is_left_in_memory() {
    let (home, secret) = keyed();
    let filler = "a line of a log without a key\n".repeat(40_000);
    let basic = base64ct::Base64::encode_string(format!("user:{secret}").as_bytes());
    let report = format!(
        "[{{\"RuleID\":\"r\",\"File\":\"a\",\"StartLine\":1,\"Match\":\"k={secret}\",\"Secret\":\"{secret}\"}}]"
    );
    let log = format!("{filler}{secret}\n{filler}Authorization: Basic {basic}\n");
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(log.as_bytes()).unwrap();
    for (name, bytes) in [
        ("app.log", log.as_bytes()),
        ("report.json", report.as_bytes()),
        ("app.log.gz", gz.finish().unwrap().as_slice()),
    ] {
        let file = home.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        let args = ["leak", "sweep", file.to_str().unwrap(), "--revoke"];
        let mut terminal = Start::new(home.path()).args(args).size(100, 30).spawn();
        // While a person thinks, everything was read.
        terminal.wait_for("[y/N]");
        let Some(left) = left_in_memory(&terminal, &secret) else { return };
        assert_eq!(left, Vec::<String>::new(), "{name}");
        terminal.send(b"n\n");
        terminal.wait_for("nothing was revoked");
    }
}
