//! The file of a log: opened by its first line, and anew where somebody moved it; and a sink that loses whole lines only.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A log that has grown past this many bytes is set aside as `….old` when the next one is begun.
pub(super) const ROOM: u64 = 8 * 1024 * 1024;
/// How often it is looked whether the file was moved.
const LOOK: Duration = Duration::from_secs(1);
/// How long a sink is left alone that takes nothing now and does not block.
const REST: Duration = Duration::from_millis(10);

/// How often somebody asked for the file to be opened anew.
static ASKED: AtomicU32 = AtomicU32::new(0);

/// Lets every log go on in the file of its name.
pub(super) fn reopen() {
    ASKED.fetch_add(1, Ordering::Relaxed);
}

/// A file that is written at its end, whoever cuts it short. After it was moved, lines go into a new one of its name.
pub(super) struct LogFile {
    path: PathBuf,
    file: Option<File>,
    /// Whether it was open before.
    begun: bool,
    looked: Instant,
    asked: u32,
}

impl LogFile {
    pub fn new(path: PathBuf) -> Self {
        let asked = ASKED.load(Ordering::Relaxed);
        Self { path, file: None, begun: false, looked: Instant::now(), asked }
    }

    /// Whether another file has its name by now, or none.
    fn was_moved(&mut self) -> bool {
        let Some(file) = &self.file else { return false };
        let asked = ASKED.load(Ordering::Relaxed);
        if asked == self.asked && self.looked.elapsed() < LOOK {
            return false;
        }
        (self.asked, self.looked) = (asked, Instant::now());
        match (file.metadata(), std::fs::metadata(&self.path)) {
            (Ok(open), Ok(named)) => (open.dev(), open.ino()) != (named.dev(), named.ino()),
            _ => true,
        }
    }
}

impl Write for LogFile {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        if self.was_moved() {
            self.file = None;
        }
        if self.file.is_none() {
            self.file = Some(open(&self.path, !self.begun)?);
            self.begun = true;
        }
        self.file.as_ref().map_or(Ok(0), |mut file| file.write(lines))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `aside`: a file that has grown too long is set aside first.
fn open(path: &Path, aside: bool) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    if aside && std::fs::metadata(path).is_ok_and(|log| log.len() > ROOM) {
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

/// Where lines go. While the disk is full or the reader is gone they are lost and counted; what comes after that begins on a
/// line of its own.
pub(super) struct Sink<W> {
    to: W,
    /// Something was lost after a part of a line was written.
    torn: bool,
    /// The last byte that was written ended a line.
    ended: bool,
}

impl<W: Write> Sink<W> {
    pub fn new(to: W) -> Self {
        Self { to, torn: false, ended: true }
    }

    /// Writes a piece. Answers how many of its lines can't be written.
    pub fn deliver(&mut self, piece: &[u8]) -> u64 {
        let mut rest = piece;
        let end_first = self.torn && self.put(b"\n").is_err();
        while !end_first && !rest.is_empty() {
            self.torn = false;
            match self.put(rest) {
                Ok(written) => rest = &rest[written..],
                Err(()) => break,
            }
        }
        self.torn = !rest.is_empty() && !self.ended;
        rest.iter().filter(|byte| **byte == b'\n').count() as u64
    }

    /// Writes at least one byte of it.
    fn put(&mut self, bytes: &[u8]) -> Result<usize, ()> {
        loop {
            match self.to.write(bytes) {
                Ok(0) => return Err(()),
                Ok(written) => {
                    self.ended = bytes[written - 1] == b'\n';
                    return Ok(written);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(REST),
                Err(_) => return Err(()),
            }
        }
    }
}
