//! The log: a file in the XDG state folder, never the screen, and never with a secret in it. A service logs to standard
//! error, which belongs to its supervisor, and never waits for whoever reads it.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

mod queue;
use queue::{Queue, Queued};

/// A log that has grown past this many bytes is set aside as `….old` when the next one is begun.
const ROOM: u64 = 8 * 1024 * 1024;
/// So many bytes of a service's log wait for their reader; a thousand lines and more.
const WAITING: usize = 512 * 1024;
/// At the end of a service its log's reader may take nothing for so long.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// The lines of a service.
static QUEUE: OnceLock<Arc<Queue>> = OnceLock::new();

/// Why there will be no log.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the log filter {0:?} can't be read: write for example `info` or `keyrack=debug` (KEYRACK_LOG)")]
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
        .with_writer(LogFile::new(file))
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
        tracing::warn!(left_out, "lines were left out of the log: whoever reads it did not keep up");
    };
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
        tracing::error!(at, "the program is broken in one place, which ends what was done there");
    }));
    Ok(())
}

/// How many lines of a service are missing in its log because nobody read it fast enough.
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
    EnvFilter::builder().parse(filter).map_err(|_| Error::Filter(filter.to_owned()))
}

/// A file that is opened by its first line. If it can't be opened, lines are lost: a log must never stop the work.
struct LogFile {
    path: PathBuf,
    state: Mutex<State>,
}

enum State {
    Unopened,
    Open(File),
    Failed,
}

impl LogFile {
    fn new(path: PathBuf) -> Self {
        Self { path, state: Mutex::new(State::Unopened) }
    }

    fn append(&self, line: &[u8]) {
        let mut state = self.state.lock();
        if let State::Unopened = *state {
            *state = open(&self.path).map_or(State::Failed, State::Open);
        }
        if let State::Open(file) = &mut *state
            && file.write_all(line).is_err()
        {
            *state = State::Failed;
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    if std::fs::metadata(path).is_ok_and(|log| log.len() > ROOM) {
        let mut aside = path.as_os_str().to_owned();
        aside.push(".old");
        std::fs::rename(path, aside)?;
    }
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    // A file of an earlier time may be open to others.
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

impl<'a> MakeWriter<'a> for LogFile {
    type Writer = LineOf<'a>;

    fn make_writer(&'a self) -> LineOf<'a> {
        LineOf(self)
    }
}

impl Write for LogFile {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        self.append(lines);
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One line on its way to the file.
struct LineOf<'a>(&'a LogFile);

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
