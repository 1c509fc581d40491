//! One conversation: commands out, replies in, each with a deadline and replies of bounded size.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use crate::mail::clean;

/// The most bytes of one line of a reply. RFC 5321 allows 512; servers say more.
const LINE_MAX: usize = 4096;
/// The most bytes of one reply. EHLO has some twenty lines.
const REPLY_MAX: usize = 64 * 1024;

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub code: u16,
    /// The text of its lines, without the codes.
    pub lines: Vec<String>,
}

impl Reply {
    /// 2yz: done.
    pub fn is_done(&self) -> bool {
        self.code / 100 == 2
    }

    /// 4yz: not now.
    pub fn is_transient(&self) -> bool {
        self.code / 100 == 4
    }

    /// 5yz: never.
    pub fn is_permanent(&self) -> bool {
        self.code / 100 == 5
    }

    /// The code and the server's words, for a person.
    pub fn words(&self) -> String {
        clean::words(&format!("{} {}", self.code, self.lines.join(" ")))
    }
}

/// Why there was no reply. After any of these the conversation can't go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error("the server stopped answering")]
    Silent,
    #[error("the server closed the connection")]
    Closed,
    #[error("the connection broke: {0}")]
    Io(io::Error),
    #[error("the server's answer isn't SMTP: {0}")]
    Babble(&'static str),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Io(error),
        }
    }
}

/// A conversation over `S`.
pub(super) struct Talk<S> {
    stream: S,
    /// What came and was not read yet.
    unread: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    pub fn new(stream: S) -> Self {
        Self { stream, unread: Vec::new() }
    }

    /// Gives the stream back, for TLS on it. Refused if the server has already said more: in front of TLS anybody could
    /// have put it there, and it would be taken for the answer to a command behind TLS (CVE-2011-0411).
    pub fn into_stream(self) -> Result<S, Broken> {
        if self.unread.is_empty() { Ok(self.stream) } else { Err(Broken::Babble("more than was asked for")) }
    }

    /// Sends a command, which ends with CR LF, and hears the answer.
    pub async fn say(&mut self, command: &str, by: Instant) -> Result<Reply, Broken> {
        self.write(command.as_bytes(), by).await?;
        self.hear(by).await
    }

    /// Sends bytes. If it fails, a part of them may have left.
    pub async fn write(&mut self, bytes: &[u8], by: Instant) -> Result<(), Broken> {
        // An answer without a question would be taken for the answer to this question.
        if !self.unread.is_empty() {
            return Err(Broken::Babble("an answer before the question"));
        }
        let written = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        Ok(timeout_at(by, written).await.map_err(|_| Broken::Silent)??)
    }

    /// Hears one reply, of however many lines.
    pub async fn hear(&mut self, by: Instant) -> Result<Reply, Broken> {
        timeout_at(by, self.reply()).await.map_err(|_| Broken::Silent)?
    }

    async fn reply(&mut self) -> Result<Reply, Broken> {
        let mut reply: Option<Reply> = None;
        let mut size = 0;
        loop {
            let line = self.line().await?;
            size += line.len();
            if size > REPLY_MAX {
                return Err(Broken::Babble("a reply without end"));
            }
            let (code, last, text) = parse(&line).ok_or(Broken::Babble("a line without a code"))?;
            let reply = reply.get_or_insert(Reply { code, lines: Vec::new() });
            if reply.code != code {
                return Err(Broken::Babble("two codes in one reply"));
            }
            reply.lines.push(text);
            if last {
                return Ok(reply.clone());
            }
        }
    }

    /// One line without its end.
    async fn line(&mut self) -> Result<Vec<u8>, Broken> {
        let mut searched = 0;
        loop {
            if let Some(end) = self.unread[searched..].iter().position(|b| *b == b'\n') {
                let mut line: Vec<u8> = self.unread.drain(..=searched + end).collect();
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(line);
            }
            searched = self.unread.len();
            if searched > LINE_MAX {
                return Err(Broken::Babble("a line without end"));
            }
            let mut chunk = [0; 2048];
            match self.stream.read(&mut chunk).await? {
                0 => return Err(Broken::Closed),
                read => self.unread.extend_from_slice(&chunk[..read]),
            }
        }
    }
}

/// The code of a line, whether it is the reply's last, and its text. What is no UTF-8 is replaced.
fn parse(line: &[u8]) -> Option<(u16, bool, String)> {
    let (code, rest) = line.split_at_checked(3)?;
    let code: u16 = std::str::from_utf8(code).ok()?.parse().ok()?;
    let (last, text) = match rest.split_first() {
        // Some servers leave out the blank when they have nothing to say.
        None => (true, &b""[..]),
        Some((b' ', text)) => (true, text),
        Some((b'-', text)) => (false, text),
        Some(_) => return None,
    };
    (200..600).contains(&code).then(|| (code, last, String::from_utf8_lossy(text).into_owned()))
}

#[cfg(test)]
mod tests;
