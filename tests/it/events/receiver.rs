//! A program that is told of events: on loopback, with the answers that a test wants, down and up again.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

/// What deliveries are signed with.
pub const SECRET: &str = "a secret that only two know";

/// One delivery, whatever was answered.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub event: Value,
    pub headers: BTreeMap<String, String>,
    pub status: u16,
}

impl Delivery {
    pub fn n(&self) -> i64 {
        self.event["n"].as_i64().unwrap()
    }

    pub fn id(&self) -> &str {
        self.event["id"].as_str().unwrap()
    }
}

/// How it answers.
#[derive(Clone, Copy, Debug)]
struct Manner {
    status: u16,
    delay: Duration,
}

#[derive(Default)]
struct Shared {
    got: Mutex<Vec<Delivery>>,
    manner: Mutex<Option<Manner>>,
    stop: AtomicBool,
}

pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    door: Option<JoinHandle<()>>,
}

impl Receiver {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut receiver =
            Self { address: listener.local_addr().unwrap(), shared: Arc::default(), door: None };
        receiver.open(listener);
        receiver
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// From now on it answers so.
    pub fn answers(&self, status: u16, delay: Duration) {
        *self.shared.manner.lock().unwrap() = Some(Manner { status, delay });
    }

    /// Nobody listens there any more.
    pub fn go_down(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        if let Some(door) = self.door.take() {
            door.join().unwrap();
        }
    }

    /// Somebody does again, at the same address.
    pub fn come_up(&mut self) {
        self.shared.stop.store(false, Ordering::SeqCst);
        let begun = Instant::now();
        loop {
            match TcpListener::bind(self.address) {
                Ok(listener) => return self.open(listener),
                Err(error) => assert!(begun.elapsed() < Duration::from_secs(10), "{error}"),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn open(&mut self, listener: TcpListener) {
        listener.set_nonblocking(true).unwrap();
        let shared = Arc::clone(&self.shared);
        self.door = Some(std::thread::spawn(move || {
            while !shared.stop.load(Ordering::SeqCst) {
                match listener.accept() {
                    Ok((stream, _)) => {
                        let shared = Arc::clone(&shared);
                        std::thread::spawn(move || serve(stream, &shared));
                    }
                    Err(_) => std::thread::sleep(Duration::from_millis(2)),
                }
            }
        }));
    }

    /// All that came, whatever was answered.
    pub fn got(&self) -> Vec<Delivery> {
        self.shared.got.lock().unwrap().clone()
    }

    /// What it took, in the order in which it came.
    pub fn took(&self) -> Vec<Delivery> {
        self.got().into_iter().filter(|one| (200..300).contains(&one.status)).collect()
    }

    /// Waits until it took the event of this number.
    #[track_caller]
    pub fn wait_for(&self, n: i64) -> Vec<Delivery> {
        let begun = Instant::now();
        loop {
            let took = self.took();
            if took.iter().any(|one| one.n() >= n) {
                return took;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "event {n} did not come: {:?}",
                self.got().last()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
    }
}

/// Reads one request, checks its signature, and answers. A sender that dies leaves a piece of one, which counts as none.
fn serve(mut stream: TcpStream, shared: &Shared) {
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    if reader.read_line(&mut line).is_err() || !line.starts_with("POST /hook ") {
        return;
    }
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        match reader.read_line(&mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(headers["keyrack-timestamp"].as_bytes());
    mac.update(b".");
    mac.update(&body);
    let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(headers["keyrack-signature"], format!("v1={signature}"), "it is signed");
    let event: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(event["id"], headers["keyrack-event"].as_str());
    let manner = shared.manner.lock().unwrap().unwrap_or(Manner { status: 204, delay: Duration::ZERO });
    std::thread::sleep(manner.delay);
    shared.got.lock().unwrap().push(Delivery { event, headers, status: manner.status });
    let answer =
        format!("HTTP/1.1 {} Answer\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", manner.status);
    let _ = stream.write_all(answer.as_bytes());
}
