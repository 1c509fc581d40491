//! A real mail server, aiosmtpd, in a process of its own.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::certificates::{Certificates, Shown};
use super::{PASSWORD, USER};

/// What runs without it, and what to do.
pub const ABSENT: &str = "aiosmtpd is not installed (tests/run --install)";

pub struct Sink {
    pub port: u16,
    messages: Arc<Mutex<Vec<Value>>>,
    child: Child,
    /// Closed, the server ends.
    input: Option<ChildStdin>,
}

impl Sink {
    /// In plain text and without a log-in; `None` where there is no aiosmtpd.
    pub fn plain() -> Option<Self> {
        Self::start(&["plain"])
    }

    /// With STARTTLS, which is required, and a log-in as [`USER`].
    pub fn starttls(certificates: &Certificates, shown: Shown) -> Option<Self> {
        Self::secured("starttls", certificates, shown)
    }

    /// With TLS from the first byte, and a log-in as [`USER`].
    pub fn tls(certificates: &Certificates, shown: Shown) -> Option<Self> {
        Self::secured("tls", certificates, shown)
    }

    /// The first `count` messages; fails if they don't come.
    #[track_caller]
    pub fn messages(&self, count: usize) -> Vec<Value> {
        let start = Instant::now();
        loop {
            let messages = self.messages.lock().unwrap().clone();
            if messages.len() >= count {
                return messages;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "{} of {count} messages came", messages.len());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn secured(kind: &str, certificates: &Certificates, shown: Shown) -> Option<Self> {
        let (certificate, key) = (certificates.certificate(shown), certificates.key(shown));
        Self::start(&[kind, certificate.to_str().unwrap(), key.to_str().unwrap(), USER, PASSWORD])
    }

    fn start(args: &[&str]) -> Option<Self> {
        let python = python();
        let there = Command::new(&python).args(["-c", "import aiosmtpd"]).stderr(Stdio::null()).status();
        if !there.is_ok_and(|status| status.success()) {
            return None;
        }
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/mail/sink.py");
        let mut child = Command::new(python)
            .arg("-B")
            .arg(script)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.next().expect("the mail server said nothing").unwrap();
        let port = ready.strip_prefix("ready ").unwrap().parse().unwrap();
        let messages = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&messages);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                into.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        });
        Some(Self { port, messages, child, input })
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// The python that `tests/run --install` furnished, or the one that `KEYRACK_TEST_PYTHON` names.
fn python() -> PathBuf {
    std::env::var_os("KEYRACK_TEST_PYTHON").map_or_else(
        || PathBuf::from(env!("CARGO_TARGET_TMPDIR")).with_file_name("python").join("bin/python"),
        PathBuf::from,
    )
}

/// The values of a message's header.
pub fn headers<'a>(message: &'a Value, name: &str) -> Vec<&'a str> {
    let pairs = message["headers"].as_array().unwrap().iter();
    pairs.filter(|pair| pair[0] == name).map(|pair| pair[1].as_str().unwrap()).collect()
}
