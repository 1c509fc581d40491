//! The very file that the connections of a SQLite database have open.
//!
//! SQLite goes on with a file that was moved, deleted or replaced under its name (H22): whatever is written then is in no
//! database that anybody opens again. So the name is compared with the file before and after all that is done.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::pulse::{Inode, Moved, WalIndex, inode, named};
use super::{Error, Result};

/// A database's file, under the name that it was opened by.
pub(super) struct Held {
    name: PathBuf,
    opened: Inode,
    /// Where it is written to and has a write-ahead log.
    index: Option<Arc<WalIndex>>,
    /// Whether its connections are kept to the end of the process.
    kept: AtomicBool,
}

impl Held {
    /// Which file a name stands for. To be asked before a connection is made.
    pub(super) fn which(name: &Path) -> Result<Inode> {
        let found = std::fs::metadata(name);
        found.map(|file| inode(&file)).map_err(|why| Moved::Unreadable(name.to_owned(), why).into())
    }

    /// The file that connections were made to meanwhile; they have read in it. `writes`: nobody but this process's user can
    /// tell whether others write.
    ///
    /// # Errors
    /// Another file has come under the name while it was opened.
    pub(super) fn new(name: &Path, opened: Inode, writes: bool) -> Result<Self> {
        let index = if writes { WalIndex::open(name).ok().map(Arc::new) } else { None };
        let held = Self { name: name.to_owned(), opened, index, kept: AtomicBool::new(false) };
        held.check()?;
        Ok(held)
    }

    /// Whether the name stands for the file that is open. Costs a few microseconds.
    pub(super) fn check(&self) -> Result<()> {
        match &self.index {
            Some(index) => index.check_names()?,
            None => named(&self.name, self.opened).map(|_| ())?,
        }
        Ok(())
    }

    /// The log's index, where there is one.
    pub(super) fn index(&self) -> Option<&Arc<WalIndex>> {
        self.index.as_ref()
    }

    /// Whether the log has no name any more.
    pub(super) fn has_no_log(&self) -> bool {
        self.index.as_ref().is_some_and(|index| !index.log().exists())
    }

    /// What has become of the file.
    pub(super) fn fate(&self) -> Fate {
        match &self.index {
            Some(index) => match index.check_names() {
                Ok(()) => Fate::Same,
                Err(Moved::Log(_)) => Fate::WithoutLog,
                // The log that lies beside it is not of it, and would be read into it.
                Err(Moved::Overwritten(_)) if index.has_more() => Fate::Mixed,
                Err(_) => Fate::Another,
            },
            None => Fate::Another,
        }
    }

    /// True once.
    pub(super) fn keep(&self) -> bool {
        !self.kept.swap(true, Ordering::Relaxed)
    }
}

/// What has become of an open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Same,
    /// Its log, or the index of it, is under its name no more.
    WithoutLog,
    /// It was overwritten, and its log holds what it has not.
    Mixed,
    Another,
}

impl From<Moved> for Error {
    fn from(moved: Moved) -> Self {
        match moved {
            Moved::Unreadable(..) => Self::Unreachable(moved.to_string()),
            _ => Self::Replaced(moved.to_string()),
        }
    }
}
