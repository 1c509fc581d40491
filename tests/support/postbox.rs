//! A mail server on this machine that takes letters as it is told: at once, slowly, or not at all.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// A letter as it came in.
#[derive(Clone, Debug)]
pub struct Posted {
    pub to: String,
    /// Headers and body, lines ended by `\n`.
    pub text: String,
}

impl Posted {
    /// The value of a header that stands on one line.
    pub fn header(&self, name: &str) -> Option<&str> {
        let start = format!("{name}: ");
        self.text.lines().find_map(|line| line.strip_prefix(start.as_str()))
    }
}

/// A server without TLS, as `security = "plain-loopback"` wants it.
#[derive(Clone)]
pub struct Postbox {
    address: SocketAddr,
    state: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Default)]
struct State {
    letters: Vec<Posted>,
    /// Letters whose text is here, taken or not.
    heard: usize,
    /// What a recipient is answered instead of 250.
    refused: BTreeMap<String, String>,
    /// How long a letter takes.
    pause: Duration,
    /// So many connections at a time are served; 0: any number.
    most: usize,
    open: usize,
    /// What the next so many of these commands are answered.
    said: BTreeMap<&'static str, (usize, String)>,
}

impl Postbox {
    /// Opens on a port of its own; closes with the process.
    pub fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let postbox = Self { address: listener.local_addr().unwrap(), state: Arc::default() };
        let own = postbox.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let own = own.clone();
                // A client that goes away in the middle is none of the server's business.
                std::thread::spawn(move || own.welcome(stream).ok());
            }
        });
        postbox
    }

    /// The variables that lead the program here, one letter at a time.
    pub fn environment(&self) -> [(&'static str, String); 5] {
        [
            ("KEYRACK_MAIL_HOST", self.address.ip().to_string()),
            ("KEYRACK_MAIL_PORT", self.address.port().to_string()),
            ("KEYRACK_MAIL_SECURITY", "plain-loopback".into()),
            ("KEYRACK_MAIL_FROM", "Keyrack <keyrack@example.com>".into()),
            ("KEYRACK_MAIL_CONNECTIONS", "1".into()),
        ]
    }

    /// From now on letters to this address get this answer.
    pub fn refuse(&self, recipient: &str, answer: &str) {
        self.state.0.lock().unwrap().refused.insert(recipient.into(), answer.into());
    }

    /// From now on all letters are taken.
    pub fn forgive(&self) {
        self.state.0.lock().unwrap().refused.clear();
    }

    /// From now on more connections than this are told 421.
    pub fn serve_at_once(&self, most: usize) {
        self.state.0.lock().unwrap().most = most;
    }

    /// The next so many of these commands (`EHLO`, `MAIL`, `RCPT`, and `.` for the final dot) get this answer.
    pub fn say(&self, times: usize, verb: &'static str, answer: &str) {
        self.state.0.lock().unwrap().said.insert(verb, (times, answer.into()));
    }

    fn said(&self, verb: &str) -> Option<String> {
        let mut state = self.state.0.lock().unwrap();
        let (left, answer) = state.said.get_mut(verb)?;
        *left = left.checked_sub(1)?;
        Some(answer.clone())
    }

    /// From now on a letter takes this long.
    pub fn slow(&self, pause: Duration) {
        self.state.0.lock().unwrap().pause = pause;
    }

    pub fn letters(&self) -> Vec<Posted> {
        self.state.0.lock().unwrap().letters.clone()
    }

    /// Waits until so many letters are here.
    pub fn wait_for(&self, number: usize) {
        self.wait_until(number, "came", |state| state.letters.len());
    }

    /// Letters whose text has come so far, whether they were taken yet or not.
    pub fn heard(&self) -> usize {
        self.state.0.lock().unwrap().heard
    }

    /// Waits until the text of so many letters is here, taken or not.
    pub fn wait_to_hear(&self, number: usize) {
        self.wait_until(number, "began", |state| state.heard);
    }

    fn wait_until(&self, number: usize, what: &str, counted: impl Fn(&State) -> usize) {
        let (state, changed) = &*self.state;
        let (state, waited) = changed
            .wait_timeout_while(state.lock().unwrap(), Duration::from_secs(30), |state| {
                counted(state) < number
            })
            .unwrap();
        assert!(!waited.timed_out(), "{number} letters were awaited, {} {what}", counted(&state));
    }

    fn welcome(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let full = {
            let mut state = self.state.0.lock().unwrap();
            state.open += 1;
            state.most > 0 && state.open > state.most
        };
        let served = if full {
            stream.write_all(b"421 4.7.0 postbox.example Error: too many connections\r\n")
        } else {
            self.serve(stream)
        };
        self.state.0.lock().unwrap().open -= 1;
        served
    }

    fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut out = stream.try_clone()?;
        let mut lines = BufReader::new(stream).lines();
        let mut to = String::new();
        out.write_all(b"220 postbox.example ESMTP\r\n")?;
        while let Some(line) = lines.next().transpose()? {
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            if let Some(answer) = self.said(&verb) {
                out.write_all(format!("{answer}\r\n").as_bytes())?;
                if answer.starts_with("421") {
                    return Ok(());
                }
                continue;
            }
            let answer = match verb.as_str() {
                "EHLO" => "250-postbox.example\r\n250 8BITMIME".into(),
                "RCPT" => {
                    to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                    let refused = self.state.0.lock().unwrap().refused.get(&to).cloned();
                    refused.unwrap_or_else(|| "250 2.1.5 OK".into())
                }
                "DATA" => {
                    out.write_all(b"354 go on\r\n")?;
                    let mut text = String::new();
                    loop {
                        let Some(line) = lines.next().transpose()? else { return Ok(()) };
                        if line == "." {
                            break;
                        }
                        text.push_str(line.strip_prefix('.').unwrap_or(&line));
                        text.push('\n');
                    }
                    if let Some(answer) = self.said(".") {
                        out.write_all(format!("{answer}\r\n").as_bytes())?;
                        continue;
                    }
                    let pause = {
                        let mut state = self.state.0.lock().unwrap();
                        state.heard += 1;
                        state.pause
                    };
                    self.state.1.notify_all();
                    std::thread::sleep(pause);
                    self.state.0.lock().unwrap().letters.push(Posted { to: to.clone(), text });
                    self.state.1.notify_all();
                    "250 2.0.0 taken".into()
                }
                "QUIT" => {
                    out.write_all(b"221 bye\r\n")?;
                    return Ok(());
                }
                _ => "250 OK".to_owned(),
            };
            out.write_all(format!("{answer}\r\n").as_bytes())?;
        }
        Ok(())
    }
}
