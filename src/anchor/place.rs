//! Where anchors go: a file, a syslog, a webhook. Only a file can be read again.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::net::{TcpStream, ToSocketAddrs, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use crate::domain::anchor::{Anchor, Order};
use crate::https;

/// How long a server may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// More than the longest line.
const LAST: u64 = 8 * 1024;
/// A file of anchors that is read has at most this many bytes: 40 years of one each hour.
const LONGEST: u64 = 512 << 20;
/// The facility for security, and a notice (RFC 5424).
const PRIORITY: u8 = 10 * 8 + 5;

/// A place for anchors.
#[derive(Clone, PartialEq, Eq, derive_more::Debug)]
pub enum Place {
    /// Appended to, and on disk when it is done.
    File(PathBuf),
    /// This machine's syslog, at this socket.
    Socket(PathBuf),
    /// A syslog server, by datagrams.
    Udp(String),
    /// The same, by a connection.
    Tcp(String),
    /// A POST to an address, which may hold a token.
    #[debug("Webhook(…)")]
    Webhook(String),
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let host = |host: &str, port: u16| {
            let (name, told) =
                host.rsplit_once(':').filter(|(name, _)| !name.ends_with(':')).unwrap_or((host, ""));
            let named = !name.is_empty() && !host.contains(['@', '/', ' ']);
            match (named, told.is_empty() || host.ends_with(']'), told.parse::<u16>()) {
                (true, true, _) => Ok(format!("{host}:{port}")),
                (true, false, Ok(1..)) => Ok(host.to_owned()),
                _ => {
                    Err(format!("{text:?} names no server: write syslog://host:514 or syslog+tcp://host:601"))
                }
            }
        };
        if let Some(rest) = text.strip_prefix("syslog+tcp://") {
            return host(rest, 601).map(Self::Tcp);
        }
        if let Some(rest) = text.strip_prefix("syslog://") {
            return host(rest, 514).map(Self::Udp);
        }
        if let Some(socket) = text.strip_prefix("syslog:") {
            return Ok(Self::Socket(PathBuf::from(if socket.is_empty() { "/dev/log" } else { socket })));
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
            let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
            let here = ["localhost", "127.0.0.1", "[::1]"].contains(&name);
            return match scheme {
                _ if host.contains('@') => Err("the address holds a name or a password: others see it".into()),
                "https" if !name.is_empty() => Ok(Self::Webhook(text.into())),
                "http" if here => Ok(Self::Webhook(text.into())),
                _ => Err("a place is a file, syslog:, syslog://host:514, syslog+tcp://host:601, or https://host/path \
                          (http:// on this machine)".into()),
            };
        }
        if text.is_empty() { Err("name a place".into()) } else { Ok(Self::File(text.into())) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Socket(path) => write!(f, "syslog:{}", path.display()),
            Self::Udp(host) => write!(f, "syslog://{host}"),
            Self::Tcp(host) => write!(f, "syslog+tcp://{host}"),
            // What follows the host may be a token.
            Self::Webhook(url) => {
                let host = url.split('/').nth(2).unwrap_or_default();
                write!(f, "{}//{host}/…", url.split('/').next().unwrap_or_default())
            }
        }
    }
}

impl Place {
    /// Brings an anchor here. `sign` is told what comes before it.
    pub(super) fn put(&self, sign: impl FnOnce(Order<'_>) -> Anchor) -> Result<Anchor, String> {
        let failed = |error: io::Error| format!("{self}: {error}");
        if let Self::File(path) = self {
            return append(path, sign).map_err(failed);
        }
        let anchor = sign(Order::None);
        let line = anchor.line();
        match self {
            Self::File(_) => {}
            Self::Socket(path) => {
                let socket = UnixDatagram::unbound().map_err(failed)?;
                socket.send_to(syslog(&anchor, &line).as_bytes(), path).map_err(failed)?;
            }
            Self::Udp(host) => {
                let to = resolve(host).map_err(failed)?;
                let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
                UdpSocket::bind(any)
                    .and_then(|socket| socket.send_to(syslog(&anchor, &line).as_bytes(), to))
                    .map_err(failed)?;
            }
            Self::Tcp(host) => {
                let to = resolve(host).map_err(failed)?;
                let mut stream = TcpStream::connect_timeout(&to, PATIENCE).map_err(failed)?;
                let message = syslog(&anchor, &line);
                stream.set_write_timeout(Some(PATIENCE)).map_err(failed)?;
                // RFC 6587: the length before the message.
                write!(stream, "{} {message}", message.len())
                    .and_then(|()| stream.flush())
                    .map_err(failed)?;
            }
            Self::Webhook(url) => post(url, line).map_err(|why| format!("{self}: {why}"))?,
        }
        Ok(anchor)
    }

    /// The text in which anchors stand; of standard input for `-`.
    ///
    /// # Errors
    /// Also where a place can't be read.
    pub fn read(&self) -> Result<String, String> {
        let Self::File(path) = self else {
            return Err(format!("{self} can't be read back: name the file in which the anchors ended up"));
        };
        let failed = |error: io::Error| format!("{}: {error}", path.display());
        let mut bytes = Vec::new();
        if path == Path::new("-") {
            io::stdin().lock().take(LONGEST).read_to_end(&mut bytes).map_err(failed)?;
        } else {
            File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes)).map_err(failed)?;
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

fn resolve(host: &str) -> io::Result<std::net::SocketAddr> {
    host.to_socket_addrs()?.next().ok_or_else(|| io::Error::other("the name has no address"))
}

/// A message of RFC 5424.
fn syslog(anchor: &Anchor, line: &str) -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let host = if host.is_empty() { "-" } else { &host };
    let at = anchor.taken.format("%Y-%m-%dT%H:%M:%S%.6fZ");
    format!("<{PRIORITY}>1 {at} {host} keyrack {} anchor - {line}", std::process::id())
}

fn post(url: &str, line: String) -> Result<(), String> {
    let sent = https::agent(PATIENCE).post(url).header("Content-Type", "application/json").send(line);
    // The address is left out: it may hold a token.
    let answer = sent.map_err(|error| match error {
        ureq::Error::BadUri(_) => "the address can't be used".to_owned(),
        error => error.to_string(),
    })?;
    match answer.status() {
        status if status.is_success() => Ok(()),
        status => Err(format!("it answered {}", status.as_u16())),
    }
}

/// Appends behind the last anchor of a file, one process at a time, and waits until it is on disk.
fn append(path: &Path, sign: impl FnOnce(Order<'_>) -> Anchor) -> io::Result<Anchor> {
    let is_new = !path.exists();
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it isn't a regular file"));
    }
    file.lock()?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LAST)))?;
    let mut end = Vec::new();
    Read::by_ref(&mut file).take(LAST).read_to_end(&mut end)?;
    let text = String::from_utf8_lossy(&end);
    let before = text.lines().rev().find_map(Anchor::parse);
    if before.is_none() && !text.trim().is_empty() {
        return Err(io::Error::other("there are no anchors in it: name a new file"));
    }
    let anchor = sign(Order::After(before.as_ref()));
    // A writer that died left a piece of a line.
    let begin = if end.last().is_none_or(|last| *last == b'\n') { "" } else { "\n" };
    file.write_all(format!("{begin}{}\n", anchor.line()).as_bytes())?;
    file.sync_all()?;
    if is_new {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()?;
    }
    Ok(anchor)
}

#[cfg(test)]
mod tests;
