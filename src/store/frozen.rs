//! A SQLite file that can't be written here: SQLite is told that nobody writes to it, or reads the log that is there, so
//! what others do to the file is noticed by ourselves.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::pulse::beside;

/// How the file looked last, and since when.
#[derive(Debug)]
pub(super) struct Frozen {
    path: PathBuf,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    stamp: Stamp,
    since: Instant,
    /// How often it has changed.
    times: u64,
}

/// The file (device and number), when it was written (seconds and nanoseconds), how long it is, and whether it has a log.
type Stamp = (Option<(u64, u64, i64, i64, u64)>, bool);

fn stamp(path: &Path) -> Stamp {
    let file = std::fs::metadata(path).ok();
    (file.map(|file| (file.dev(), file.ino(), file.mtime(), file.mtime_nsec(), file.len())), has_log(path))
}

impl Frozen {
    pub(super) fn new(path: &Path) -> Self {
        let seen = Seen { stamp: stamp(path), since: Instant::now(), times: 0 };
        Self { path: path.to_owned(), seen: Mutex::new(seen) }
    }

    /// Looks at the file; answers whether it has changed since the last look, and how often so far.
    pub(super) fn look(&self) -> (bool, u64) {
        let now = stamp(&self.path);
        let mut seen = self.seen.lock();
        let changed = seen.stamp != now;
        if changed {
            *seen = Seen { stamp: now, since: Instant::now(), times: seen.times + 1 };
        }
        (changed, seen.times)
    }

    /// Whether a connection of this age was opened on the file as it is.
    pub(super) fn is_of_now(&self, age: Duration) -> bool {
        let seen = self.seen.lock();
        seen.times == 0 || age < seen.since.elapsed()
    }
}

/// Whether there is a write-ahead log with something in it.
pub(super) fn has_log(path: &Path) -> bool {
    beside(path, "-wal").and_then(std::fs::metadata).is_ok_and(|log| log.len() > 0)
}
