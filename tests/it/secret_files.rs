//! One set of rules for every file that holds a secret, whichever door reads it.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::program;

/// What a door says about the file; empty if it takes it.
type Door = fn(&Path, &Path) -> String;

/// Mail, the gate's webhook, its verify token, its limits' password.
const DOORS: [(&str, Door); 4] = [
    ("mail", |home, file| {
        let mut command = program::keyrack(home, ["doctor", "--json"]);
        command.env("KEYRACK_MAIL_HOST", "127.0.0.1").env("KEYRACK_MAIL_PORT", "1");
        command.env("KEYRACK_MAIL_FROM", "k@example.com").env("KEYRACK_MAIL_USERNAME", "k");
        ended(command.env("KEYRACK_MAIL_PASSWORD_FILE", file))
    }),
    ("webhook", |home, file| {
        gate(home, &["--webhook", "https://hooks.example", "--webhook-secret-file"], file)
    }),
    ("verify token", |home, file| gate(home, &["--verify-token-file"], file)),
    ("limits", |home, file| gate(home, &["--limits", "redis://127.0.0.1:1", "--limits-password-file"], file)),
];

/// A gate that takes the file goes on to a database without issuers, and ends.
fn gate(home: &Path, args: &[&str], file: &Path) -> String {
    let first = ["gate", "--listen", "127.0.0.1:0", "--issuer", "voicegram"];
    ended(program::keyrack(home, first.iter().chain(args)).arg(file))
}

/// What it says until it ends, which it does soon.
fn ended(command: &mut Command) -> String {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("{command:?} waits for something");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap()).concat()
}

#[test]
fn every_door_takes_and_refuses_the_same_secret_files() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    let put = |name: &str, bytes: &[u8], mode| {
        std::fs::write(home.join(name), bytes).unwrap();
        std::fs::set_permissions(home.join(name), Permissions::from_mode(mode)).unwrap();
    };
    let secret = b"hunter2-hunter2\n";
    put("plain", secret, 0o600);
    put("group-reads", secret, 0o640);
    put("marked", &[b"\xef\xbb\xbf", &secret[..15], b"\r\n"].concat(), 0o400);
    symlink("plain", home.join("link")).unwrap();
    put("others-read", secret, 0o644);
    put("group-writes", secret, 0o660);
    put("empty", b"\n", 0o600);
    put("two-lines", b"hunter2-hunter2\nhunter2-hunter3\n", 0o600);
    put("blank", b"hunter2-hunter2 \n", 0o600);
    put("control", b"hunter2\0hunter2", 0o600);
    put("latin", b"hunter2-hunter2\xe9\n", 0o600);
    put("long", &[b'x'; 5000], 0o600);
    std::fs::create_dir(home.join("folder")).unwrap();
    let pipe = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, home.join("pipe"), pipe, rustix::fs::Mode::RUSR, 0).unwrap();
    for (name, words) in [
        ("plain", None),
        ("group-reads", None),
        ("marked", None),
        ("link", None),
        ("others-read", Some("run chmod 600 ")),
        ("group-writes", Some("run chmod 600 ")),
        ("empty", Some("is empty")),
        ("two-lines", Some("second line")),
        ("blank", Some("begins or ends with a space")),
        ("control", Some("control character")),
        ("latin", Some("isn't UTF-8")),
        ("long", Some("more than 4096 bytes")),
        ("folder", Some("is a folder")),
        ("pipe", Some("is a pipe")),
        ("none", Some("can't be read: No such file")),
    ] {
        let file = home.join(name);
        for (door, ask) in DOORS {
            let said = ask(home, &file);
            match words {
                None => assert!(!said.contains(file.to_str().unwrap()), "{door}, {name}: {said}"),
                Some(words) => {
                    assert!(said.contains(words), "{door}, {name}: {said}");
                    assert!(said.contains(file.to_str().unwrap()), "{door}, {name}: {said}");
                }
            }
            assert!(!said.contains("hunter"), "{door}, {name}: {said}");
        }
    }
}

#[test]
fn a_secret_of_ones_own_choice_has_8_characters_and_a_servers_password_any() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("short");
    std::fs::write(&file, "hunter2\n").unwrap();
    std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let refusing: Vec<&str> = DOORS
        .iter()
        .filter(|(_, ask)| ask(home.path(), &file).contains("is too short: use at least 8 characters"))
        .map(|(door, _)| *door)
        .collect();
    assert_eq!(refusing, ["webhook", "verify token"]);
}
