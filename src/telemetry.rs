//! The log: a file in the XDG state folder, never the screen, and never with a secret in it. A service logs to standard
//! error, which belongs to its supervisor, and never waits for whoever reads it.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

mod file;
mod queue;
use file::{LogFile, Sink};
use queue::{Queue, Queued};

/// What is said of missing lines.
const LEFT_OUT: &str = "lines were left out of the log: it could not be written, or its reader was too slow";
/// So many bytes of a service's log wait for their reader; a thousand lines and more.
const WAITING: usize = 512 * 1024;
/// At the end of a service its log's reader may take nothing for so long.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// The lines of a service.
static QUEUE: OnceLock<Arc<Queue>> = OnceLock::new();

/// Why there will be no log.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the log filter {0:?} is invalid: write for example `info` or `keyrack=debug` (KEYRACK_LOG)")]
    Filter(String),
    #[error("a log was begun before")]
    Begun,
    #[error("the log's thread can't be started: {0}")]
    Thread(io::Error),
}

/// Begins the log. The file is made (mode 0600) when the first line is written, so that a command with nothing to say
/// touches nothing.
///
/// # Errors
/// When `filter` can't be read.
pub fn begin(filter: &str, file: PathBuf) -> Result<(), Error> {
    tracing_subscriber::fmt()
        .with_env_filter(read(filter)?)
        .with_writer(Log::new(file))
        .with_ansi(false)
        .try_init()
        .map_err(|_| Error::Begun)
}

/// The form of a service's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    Text,
    /// For systemd's journal, which notes the time of each line itself.
    Journal,
    Json,
}

/// Begins the log of a service: lines on standard error, or in a file if somebody named one. They are written by a thread
/// of their own: see [`finish`].
///
/// # Errors
/// When `filter` can't be read, or there can't be another thread.
pub fn begin_service(filter: &str, lines: Lines, file: Option<PathBuf>) -> Result<(), Error> {
    let filter = read(filter)?;
    let tell = |_: &Queue, left_out: u64| {
        tracing::warn!(left_out, "{LEFT_OUT}");
    };
    TO_FILE.store(file.is_some(), Ordering::Relaxed);
    let queue = match file {
        Some(file) => Queue::begin(WAITING, LogFile::new(file), tell),
        None => Queue::begin(WAITING, io::stderr(), tell),
    };
    let queue = queue.map_err(Error::Thread)?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Queued(Arc::clone(&queue)))
        .with_ansi(false)
        .with_target(false);
    match lines {
        Lines::Text => log.try_init(),
        Lines::Journal => log.without_time().try_init(),
        Lines::Json => log.json().flatten_event(true).try_init(),
    }
    .map_err(|_| Error::Begun)?;
    let _ = QUEUE.set(queue);
    // The usual hook writes to standard error by itself and waits for its reader. What a panic says is left out: it may
    // quote what a stranger sent.
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string);
        tracing::error!(at, "a part of the program failed; what it was doing was ended");
    }));
    Ok(())
}

/// Lets the log go on in the file of its name: somebody moved the one that it was written to.
pub fn reopen() {
    file::reopen();
    if TO_FILE.load(Ordering::Relaxed) {
        tracing::info!("a hang-up signal: the log goes on in the file of its name");
    } else {
        tracing::info!(
            "a hang-up signal: this log is standard error, which stays where it was sent; KEYRACK_LOG_FILE names a file"
        );
    }
}

/// Whether the log of a service is a file with a name.
static TO_FILE: AtomicBool = AtomicBool::new(false);

/// How many lines of a service are missing in its log because it could not be written, or nobody read it fast enough.
pub fn lost_lines() -> u64 {
    QUEUE.get().map_or(0, |queue| queue.lost())
}

/// Waits until everything that was logged is written; no longer than `patience` while its reader takes nothing. Answers
/// whether it is: where it is not, standard error can't be written to without waiting for ever.
pub fn finish(patience: Duration) -> bool {
    QUEUE.get().is_none_or(|queue| queue.finish(patience))
}

/// Lets the log be written before the program ends, however it ends.
pub struct Finish;

impl Drop for Finish {
    fn drop(&mut self) {
        finish(PATIENCE);
    }
}

fn read(filter: &str) -> Result<EnvFilter, Error> {
    // The driver of the shared limiter tells each of its tries; the gate tells once what became of them.
    let quieter = if filter.trim().is_empty() || filter.contains("redis") { "" } else { ",redis=error" };
    EnvFilter::builder().parse(format!("{filter}{quieter}")).map_err(|_| Error::Filter(filter.to_owned()))
}

/// The log of a command: written by whoever has a line. If it can't be, lines are lost: a log must never stop the work.
struct Log(Mutex<State>);

struct State {
    sink: Sink<LogFile>,
    /// Lines that are missing and nobody was told of.
    untold: u64,
}

impl Log {
    fn new(path: PathBuf) -> Self {
        Self(Mutex::new(State { sink: Sink::new(LogFile::new(path)), untold: 0 }))
    }

    fn append(&self, line: &[u8]) {
        let mut state = self.0.lock();
        let missing = state.sink.deliver(line);
        state.untold += missing;
        if missing == 0 && state.untold > 0 {
            let words = format!("WARN {LEFT_OUT} left_out={}\n", state.untold);
            if state.sink.deliver(words.as_bytes()) == 0 {
                state.untold = 0;
            }
        }
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = LineOf<'a>;

    fn make_writer(&'a self) -> LineOf<'a> {
        LineOf(self)
    }
}

/// One line on its way to the file.
struct LineOf<'a>(&'a Log);

impl Write for LineOf<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.append(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
