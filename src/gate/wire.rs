//! The bytes of a connection on their way to the HTTP library, which keeps no spelling of header names.
//!
//! [`Wire`] reads along: it follows heads and bodies, and notes for each request how the names of its key headers were
//! spelled (VI-02). It also ends what is too slow: a head that does not come to its end, an answer that nobody takes.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

mod heads;
pub use heads::{Heads, Note};

/// The notes on requests that were read and not yet handled, oldest first. Shared by a connection's reader and its handler.
#[derive(Clone, Default)]
pub struct Notes(Arc<Mutex<VecDeque<Note>>>);

impl Notes {
    /// The note on the request that comes next. One without a note is in doubt.
    pub fn next(&self) -> Note {
        self.0.lock().pop_front().unwrap_or(Note::DOUBT)
    }

    fn add(&self, note: Note) {
        self.0.lock().push_back(note);
    }
}

/// How long a caller may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// From the beginning of a connection to the first byte of a head.
    pub first: Duration,
    /// From the first byte of a head to its end.
    pub head: Duration,
    /// For taking in what was answered.
    pub answer: Duration,
}

/// What is followed in what comes.
enum Follow {
    Heads(Heads),
    /// So many bytes of HTTP/2's greeting are still to come.
    Greeting(usize),
}

/// HTTP/2's first bytes, which are always the same.
const GREETING: usize = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len();

impl Follow {
    fn is_inside(&self) -> bool {
        matches!(self, Self::Heads(heads) if heads.is_inside())
    }
}

/// A connection, read along.
pub struct Wire<S> {
    stream: S,
    heads: Follow,
    notes: Notes,
    patience: Patience,
    /// Whether nothing of a head has come yet.
    is_new: bool,
    /// Set while a head is waited for.
    head_ends: Option<Pin<Box<Sleep>>>,
    /// Set while the caller takes nothing.
    answer_ends: Option<Pin<Box<Sleep>>>,
    /// Set once the last answer is out and the caller may read it.
    farewell: Option<Farewell>,
}

/// What is left of a connection whose last answer is out. Closing it while the caller still writes would make its system
/// throw the answer away unread, so what comes is taken and dropped, for a while.
struct Farewell {
    ends: Pin<Box<Sleep>>,
    /// Bytes that are still taken.
    room: usize,
}

/// How long, and how much.
const FAREWELL: Duration = Duration::from_secs(1);
const FAREWELL_BYTES: usize = 1024 * 1024;

impl<S> Wire<S> {
    pub fn new(stream: S, notes: Notes, patience: Patience) -> Self {
        Self::of(stream, Follow::Heads(Heads::default()), notes, patience)
    }

    /// One by HTTP/2, which is not read along: its greeting is waited for as patiently as a first head.
    pub fn http2(stream: S, patience: Patience) -> Self {
        Self::of(stream, Follow::Greeting(GREETING), Notes::default(), patience)
    }

    fn of(stream: S, heads: Follow, notes: Notes, patience: Patience) -> Self {
        Self {
            stream,
            heads,
            notes,
            patience,
            is_new: true,
            head_ends: None,
            answer_ends: None,
            farewell: None,
        }
    }

    /// Whether the caller has kept the connection waiting for too long with what it was writing to.
    fn is_stuck(&mut self, cx: &mut Context<'_>) -> bool {
        let within = self.patience.answer;
        let timer = self.answer_ends.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + within)));
        timer.as_mut().poll(cx).is_ready()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        match Pin::new(&mut this.stream).poll_read(cx, buf) {
            Poll::Ready(done) => {
                done?;
                let (notes, mut ended) = (&this.notes, false);
                let is_inside = match &mut this.heads {
                    Follow::Greeting(left) => {
                        *left = left.saturating_sub(buf.filled().len() - before);
                        *left == 0
                    }
                    Follow::Heads(heads) => {
                        heads.follow(&buf.filled()[before..], |note| {
                            ended = true;
                            notes.add(note);
                        });
                        heads.is_inside()
                    }
                };
                if ended || (this.is_new && is_inside) {
                    this.is_new = false;
                    this.head_ends = None;
                }
                Poll::Ready(Ok(()))
            }
            Poll::Pending => {
                if this.is_new || this.heads.is_inside() {
                    let within = if this.is_new { this.patience.first } else { this.patience.head };
                    let timer =
                        this.head_ends.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + within)));
                    if timer.as_mut().poll(cx).is_ready() {
                        return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                    }
                }
                Poll::Pending
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let done = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.settle(cx, done)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.farewell.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
        }
        let ends = || Box::pin(sleep_until(Instant::now() + FAREWELL));
        let farewell = this.farewell.get_or_insert_with(|| Farewell { ends: ends(), room: FAREWELL_BYTES });
        let mut bytes = [0; 4 * 1024];
        while farewell.room > 0 && farewell.ends.as_mut().poll(cx).is_pending() {
            let mut buf = ReadBuf::new(&mut bytes);
            match ready!(Pin::new(&mut this.stream).poll_read(cx, &mut buf)) {
                Ok(()) if !buf.filled().is_empty() => {
                    farewell.room = farewell.room.saturating_sub(buf.filled().len());
                }
                _ => break,
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let done = Pin::new(&mut this.stream).poll_write_vectored(cx, parts);
        this.settle(cx, done)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

impl<S> Wire<S> {
    /// Passes on what a write came to, unless the caller has not taken anything for too long.
    fn settle(&mut self, cx: &mut Context<'_>, done: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if done.is_pending() && self.is_stuck(cx) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let written = ready!(done);
        self.answer_ends = None;
        Poll::Ready(written)
    }
}

#[cfg(test)]
mod tests;
