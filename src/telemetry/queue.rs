//! Lines on their way to a reader that may be slow, stuck or gone. Whoever has a line to write never waits for that.

use std::cell::Cell;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::file::Sink;
use parking_lot::{Condvar, Mutex, MutexGuard};
use tracing_subscriber::fmt::MakeWriter;

/// So much is written at a time at most: a pipe takes it as one piece.
const PIECE: usize = 4_096;
/// The end of the program waits no longer than this, however well the reader gets on.
const FAREWELL: Duration = Duration::from_secs(10);

/// Lines that wait for one thread that writes them. Once it is full it takes nothing more until half of it is written;
/// then one line tells how many are missing.
pub(super) struct Queue {
    /// The most bytes that wait.
    room: usize,
    state: Mutex<State>,
    /// There is something to write.
    more: Condvar,
    /// Something was written.
    less: Condvar,
    lost: AtomicU64,
}

#[derive(Default)]
struct State {
    /// What the writer has not taken over yet.
    pending: Vec<u8>,
    /// Bytes that are not written, those that the writer has taken over included.
    waiting: usize,
    full: bool,
    /// Lines that are missing and nobody was told of.
    untold: u64,
    /// Whether the writer has nothing to do.
    idle: bool,
    /// Changes with all that is written.
    progress: u64,
}

thread_local! {
    /// Whether this thread tells what is missing: that line is always taken.
    static TELLING: Cell<bool> = const { Cell::new(false) };
}

impl Queue {
    /// Begins the thread that writes. `tell` is to write a line into the queue that says how many are missing.
    ///
    /// # Errors
    /// When the thread can't be started.
    pub(super) fn begin(
        room: usize,
        sink: impl Write + Send + 'static,
        tell: impl Fn(&Self, u64) + Send + 'static,
    ) -> io::Result<Arc<Self>> {
        let queue = Arc::new(Self {
            room,
            state: Mutex::default(),
            more: Condvar::new(),
            less: Condvar::new(),
            lost: AtomicU64::new(0),
        });
        let own = Arc::clone(&queue);
        std::thread::Builder::new().name("log".into()).spawn(move || own.write(sink, tell))?;
        Ok(queue)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Takes over a line, or counts it as missing.
    pub(super) fn push(&self, line: &[u8]) {
        let mut state = self.state();
        if !TELLING.get() && (state.full || state.waiting + line.len() > self.room) {
            state.full = true;
            state.untold += 1;
            self.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        state.waiting += line.len();
        state.pending.extend_from_slice(line);
        if state.idle {
            self.more.notify_one();
        }
    }

    /// How many lines are missing, since the beginning.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Waits until everything is written; not longer than `patience` while the reader takes nothing. Answers whether it
    /// is.
    pub(super) fn finish(&self, patience: Duration) -> bool {
        let begun = Instant::now();
        let mut state = self.state();
        let (mut seen, mut since) = (state.progress, begun);
        while !(state.idle && state.pending.is_empty()) {
            if state.progress != seen {
                (seen, since) = (state.progress, Instant::now());
            }
            let left = patience.saturating_sub(since.elapsed()).min(FAREWELL.saturating_sub(begun.elapsed()));
            if left.is_zero() {
                return false;
            }
            self.less.wait_for(&mut state, left);
        }
        true
    }

    fn write(&self, sink: impl Write, tell: impl Fn(&Self, u64)) {
        let mut sink = Sink::new(sink);
        loop {
            let lines = self.take();
            let mut rest = lines.as_slice();
            while !rest.is_empty() {
                let (piece, behind) = rest.split_at(piece(rest));
                let missing = sink.deliver(piece);
                rest = behind;
                self.lost.fetch_add(missing, Ordering::Relaxed);
                let mut state = self.state();
                state.waiting -= piece.len();
                state.progress = state.progress.wrapping_add(1);
                state.untold += missing;
                let room_again = state.waiting <= self.room / 2;
                state.full &= !room_again;
                // A reader that is gone is told nothing.
                let untold = if room_again && missing == 0 { std::mem::take(&mut state.untold) } else { 0 };
                drop(state);
                self.less.notify_all();
                if untold > 0 {
                    TELLING.set(true);
                    tell(self, untold);
                    TELLING.set(false);
                }
            }
        }
    }

    /// Waits for lines and takes over all there are.
    fn take(&self) -> Vec<u8> {
        let mut state = self.state();
        while state.pending.is_empty() {
            state.idle = true;
            self.less.notify_all();
            self.more.wait(&mut state);
        }
        state.idle = false;
        std::mem::take(&mut state.pending)
    }
}

/// How much of it is written next: whole lines where they fit.
fn piece(rest: &[u8]) -> usize {
    let most = &rest[..rest.len().min(PIECE)];
    most.iter().rposition(|byte| *byte == b'\n').map_or(most.len(), |end| end + 1)
}

/// Hands lines over to the queue.
pub(super) struct Queued(pub(super) Arc<Queue>);

impl<'a> MakeWriter<'a> for Queued {
    type Writer = LineTo<'a>;

    fn make_writer(&'a self) -> LineTo<'a> {
        LineTo(&self.0)
    }
}

/// One line on its way into the queue.
pub(super) struct LineTo<'a>(&'a Queue);

impl Write for LineTo<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
