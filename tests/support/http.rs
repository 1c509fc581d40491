//! HTTP/1.1 by hand: what is sent is what is written, header names included.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// An answer, its header names in small letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    /// The value of a header that is there once; `None` if it is not there.
    #[track_caller]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
        let first = all.next();
        assert!(all.next().is_none(), "{name} is there twice: {self:?}");
        first.map(|(_, value)| value.as_str())
    }

    #[track_caller]
    pub fn number(&self, name: &str) -> i64 {
        let value = self.header(name).unwrap_or_else(|| panic!("no {name} in {self:?}"));
        value.parse().unwrap_or_else(|_| panic!("{name}: {value:?} is no number"))
    }

    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The same without what differs from one answer to the next for reasons of its own.
    pub fn without_date(mut self) -> Self {
        self.headers.retain(|(name, _)| name != "date");
        self
    }
}

/// A connection that is kept.
pub struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    #[track_caller]
    pub fn open(address: SocketAddr) -> Self {
        Self::on(TcpStream::connect(address).unwrap_or_else(|error| panic!("{address}: {error}")))
    }

    pub fn on(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, read: Vec::new() }
    }

    /// Sends bytes as they are; a connection that is closed meanwhile is no failure.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Reads one answer; `None` if the connection ends before it is whole.
    pub fn answer(&mut self) -> Option<Answer> {
        let end = loop {
            if let Some(end) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
            self.more()?;
        };
        let head = String::from_utf8_lossy(&self.read[..end]).into_owned();
        self.read.drain(..end + 4);
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers: Vec<(String, String)> = lines
            .map(|line| line.split_once(':').unwrap_or((line, "")))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let value = |name: &str| headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
        let body = match (value("content-length"), value("transfer-encoding")) {
            (Some(length), _) => self.take(length.parse().ok()?)?,
            (None, Some("chunked")) => self.chunks()?,
            _ => Vec::new(),
        };
        Some(Answer { status, headers, body: String::from_utf8_lossy(&body).into_owned() })
    }

    /// Reads one request, as a server does: its head and its body; `None` if there is no further one.
    pub fn request(&mut self) -> Option<(String, String)> {
        while !self.read.windows(4).any(|four| four == b"\r\n\r\n") {
            self.more()?;
        }
        let head = self.until("\r\n\r\n")?;
        let lower = head.to_ascii_lowercase();
        let body = match lower.split("content-length: ").nth(1) {
            Some(rest) => self.take(rest.split("\r\n").next()?.trim().parse().ok()?)?,
            None if lower.contains("transfer-encoding: chunked") => self.chunks()?,
            None => Vec::new(),
        };
        Some((head, String::from_utf8_lossy(&body).into_owned()))
    }

    /// Reads until `mark` has come, and answers everything up to it; `None` if the connection ends before.
    pub fn until(&mut self, mark: &str) -> Option<String> {
        let begun = Instant::now();
        loop {
            let text = String::from_utf8_lossy(&self.read).into_owned();
            if let Some(at) = text.find(mark) {
                self.read.drain(..at + mark.len());
                return Some(text[..at + mark.len()].to_owned());
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "{mark:?} did not come: {text:?}");
            self.more()?;
        }
    }

    /// Whether the other end has closed it, without another byte, within this time.
    pub fn ends_within(&mut self, time: Duration) -> bool {
        self.stream.set_read_timeout(Some(time)).unwrap();
        let mut byte = [0];
        match self.stream.read(&mut byte) {
            Ok(0) => true,
            Ok(_) => false,
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }

    fn chunks(&mut self) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.until("\r\n")?;
            let length = usize::from_str_radix(line.trim().split(';').next()?, 16).ok()?;
            body.extend(self.take(length)?);
            self.take(2)?;
            if length == 0 {
                return Some(body);
            }
        }
    }

    fn take(&mut self, length: usize) -> Option<Vec<u8>> {
        while self.read.len() < length {
            self.more()?;
        }
        Some(self.read.drain(..length).collect())
    }

    fn more(&mut self) -> Option<()> {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(0) | Err(_) => None,
            Ok(count) => {
                self.read.extend_from_slice(&buffer[..count]);
                Some(())
            }
        }
    }
}

/// A request as it goes over the wire, with `Host`.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\n");
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        text.push_str("Host: localhost\r\n");
    }
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        text.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    text.push_str(body);
    text.into_bytes()
}

/// Sends one request on a connection of its own.
#[track_caller]
pub fn send(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut connection = Connection::open(address);
    connection.send(&request(method, path, headers, body));
    connection.answer().unwrap_or_else(|| panic!("{method} {path}: no answer"))
}

/// A port that is free at this moment.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Waits until somebody listens there.
#[track_caller]
pub fn wait_for_port(address: SocketAddr) {
    let begun = Instant::now();
    while TcpStream::connect(address).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20), "nobody listens on {address}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
