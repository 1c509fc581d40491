//! Whether anything was committed to a SQLite database, without asking SQLite: a read of 48 bytes instead of a statement on
//! another thread.
//!
//! In WAL mode every commit ends with a new header of the WAL index, the file `-shm`: a count of changes, the last frame
//! and its checksum. A reader's own cache of pages rests on nothing else: SQLite compares this header with the one it saw
//! last. So does this. Source: <https://www.sqlite.org/walformat.html>, "The WAL-Index Header".
//!
//! SQLite writes the file through shared memory. On one machine, which is where WAL works, such writes are seen by a read
//! at once.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

/// A file's device and its number there.
pub(in crate::store) type Inode = (u64, u64);

/// Every database and WAL index that was ever opened here. They stay open to the end of the process: closing one would
/// release the locks that SQLite holds on the same file, because POSIX locks belong to the process ("How To Corrupt An
/// SQLite Database File", 2.2).
static OPEN: Mutex<Option<HashMap<Inode, &'static File>>> = Mutex::new(None);

/// The state of a database, as its WAL index has it: equal if nothing was committed between two readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalHead([u8; 48]);

/// The WAL index of one database.
#[derive(Debug)]
pub struct WalIndex {
    file: &'static File,
    /// The database and its WAL index: the files, and the names that stood for them.
    files: [(PathBuf, &'static File, Inode); 2],
    /// The log itself, which SQLite alone has open.
    log: (PathBuf, Inode),
    /// The database's file when it was looked at last.
    folded: Mutex<Option<Folded>>,
}

/// How far the log was folded into the database's file, and when that was last written. SQLite says in the index what it is
/// about to fold before it writes to the file, and writes to it for nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Folded {
    written: (i64, i64, u64),
    /// The log's salts, the frames that are folded, and those that were to be.
    log: [u8; 8],
    done: [u8; 4],
    begun: [u8; 4],
    /// Frames in the log.
    frames: [u8; 4],
}

/// What was found instead of the files that are open.
#[derive(Debug, thiserror::Error)]
pub enum Moved {
    #[error("{name} was replaced by another file while keyrack had it open. Nothing was revoked or changed in the new one: look at what it holds, then do it again", name = .0.display())]
    Replaced(PathBuf),
    #[error("{name} is gone: it was moved or deleted while keyrack had it open ({why}). Nothing was revoked or changed under this name: put the file back, look at what it holds, then do it again", name = .0.display(), why = .1)]
    Gone(PathBuf, io::Error),
    #[error("{name}, which belongs to the open database, was deleted or replaced. Nothing was revoked or changed just now, and what was changed shortly before may be lost: run `keyrack doctor`, look at what the database holds, then do it again", name = .0.display())]
    Log(PathBuf),
    #[error("{name} was overwritten while keyrack had it open, not by SQLite. Nothing was revoked or changed just now: look at what it holds, then do it again. A backup is put in its place by `mv`, once no program has the file open", name = .0.display())]
    Overwritten(PathBuf),
    #[error("{name}: {why}", name = .0.display(), why = .1)]
    Unreadable(PathBuf, io::Error),
}

pub(in crate::store) fn inode(metadata: &Metadata) -> Inode {
    (metadata.dev(), metadata.ino())
}

/// What SQLite puts beside a database: beside the file itself, not beside a link to it.
pub(in crate::store) fn beside(database: &Path, end: &str) -> io::Result<PathBuf> {
    let mut name = std::fs::canonicalize(database)?.into_os_string();
    name.push(end);
    Ok(name.into())
}

/// What a name stands for now, where it still stands for the file that was opened.
pub(in crate::store) fn named(name: &Path, opened: Inode) -> Result<Metadata, Moved> {
    use io::ErrorKind::{NotADirectory, NotFound};
    match std::fs::metadata(name) {
        Ok(file) if inode(&file) == opened => Ok(file),
        Ok(_) => Err(Moved::Replaced(name.to_owned())),
        Err(error) if matches!(error.kind(), NotFound | NotADirectory) => {
            Err(Moved::Gone(name.to_owned(), error))
        }
        Err(error) => Err(Moved::Unreadable(name.to_owned(), error)),
    }
}

/// Opens a file for good, once.
fn open(name: PathBuf) -> io::Result<(PathBuf, &'static File, Inode)> {
    let mut open = OPEN.lock();
    let open = open.get_or_insert_default();
    if let Some((inode, file)) = open.get_key_value(&inode(&std::fs::metadata(&name)?)) {
        return Ok((name, file, *inode));
    }
    // From here on it is never closed, whatever happens.
    let file: &'static File = Box::leak(Box::new(File::open(&name)?));
    let inode = inode(&file.metadata()?);
    open.insert(inode, file);
    Ok((name, file, inode))
}

impl WalIndex {
    /// Opens that of a database which some connection of this process has open in WAL mode.
    ///
    /// # Errors
    /// There is none, as for a database in another journal mode.
    pub fn open(database: &Path) -> io::Result<Self> {
        let (index, log) = (open(beside(database, "-shm")?)?, beside(database, "-wal")?);
        let log = (log.clone(), inode(&std::fs::metadata(&log)?));
        let files = [open(database.to_owned())?, index.clone()];
        let opened = Self { file: index.1, files, log, folded: Mutex::new(None) };
        *opened.folded.lock() = opened.look(&opened.files[0].1.metadata()?)?;
        Ok(opened)
    }

    /// How far the log is folded, where nobody folds at this moment. `file` was asked for before.
    fn look(&self, file: &Metadata) -> io::Result<Option<Folded>> {
        let mut bytes = [0; 132];
        self.file.read_exact_at(&mut bytes, 0)?;
        let part = |at: usize| [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        let mut log = [0; 8];
        log.copy_from_slice(&bytes[32..40]);
        let written = |file: &Metadata| (file.mtime(), file.mtime_nsec(), file.len());
        let found =
            Folded { written: written(file), log, done: part(96), begun: part(128), frames: part(16) };
        let still = found.done == found.begun && written(&self.files[0].1.metadata()?) == found.written;
        Ok(still.then_some(found))
    }

    /// The log's name.
    pub fn log(&self) -> &Path {
        &self.log.0
    }

    /// Whether the log holds something that the database's file does not.
    pub fn has_more(&self) -> bool {
        self.folded.lock().is_none_or(|folded| folded.frames != folded.done)
    }

    /// Pages in the log that the database's file does not hold yet.
    pub fn unfolded(&self) -> io::Result<u32> {
        let mut bytes = [0; 100];
        self.file.read_exact_at(&mut bytes, 0)?;
        let number = |at: usize| u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        Ok(number(16).saturating_sub(number(96)))
    }

    /// The present state.
    ///
    /// # Errors
    /// It can't be read, or one of the files was deleted or replaced. What was moved away only, [`WalIndex::check_names`]
    /// finds.
    pub fn head(&self) -> io::Result<WalHead> {
        for (name, file, _) in &self.files {
            if file.metadata()?.nlink() == 0 {
                return Err(replaced(name));
            }
        }
        let mut head = WalHead([0; 48]);
        self.file.read_exact_at(&mut head.0, 0)?;
        Ok(head)
    }

    /// Whether the names still stand for the files that were opened, and nobody but SQLite has written to the database's.
    ///
    /// # Errors
    /// One is gone, another file was put in its place, or it was overwritten, which SQLite's connections would not see.
    pub fn check_names(&self) -> Result<(), Moved> {
        let [(database, _, opened), (index, _, of_index)] = &self.files;
        let file = named(database, *opened)?;
        for (name, opened) in [(index, of_index), (&self.log.0, &self.log.1)] {
            named(name, *opened).map_err(|moved| match moved {
                Moved::Unreadable(..) => moved,
                _ => Moved::Log(name.clone()),
            })?;
        }
        let mut folded = self.folded.lock();
        // While somebody folds nothing can be said; what was known before is compared at the next time.
        let now = self.look(&file).map_err(|why| Moved::Unreadable(index.clone(), why))?;
        let Some(now) = now else { return Ok(()) };
        let by_sqlite = |was: Folded| (was.log, was.done) != (now.log, now.done);
        if folded.is_some_and(|was| was.written != now.written && !by_sqlite(was)) {
            return Err(Moved::Overwritten(database.clone()));
        }
        *folded = Some(now);
        Ok(())
    }
}

fn replaced(name: &Path) -> io::Error {
    io::Error::other(Moved::Replaced(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
    use sqlx::{Connection, SqliteConnection};

    use super::*;

    async fn connect(path: &Path) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
        SqliteConnection::connect_with(&options.journal_mode(SqliteJournalMode::Wal)).await.unwrap()
    }

    async fn run(connection: &mut SqliteConnection, sql: &'static str) {
        sqlx::raw_sql(sql).execute(connection).await.unwrap();
    }

    #[tokio::test]
    async fn a_commit_shows_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let mut writer = connect(&path).await;
        run(&mut writer, "CREATE TABLE t (n)").await;
        let index = WalIndex::open(&path).unwrap();
        let before = index.head().unwrap();
        run(&mut writer, "BEGIN IMMEDIATE; INSERT INTO t VALUES (1)").await;
        assert_eq!(index.head().unwrap(), before, "not committed");
        run(&mut writer, "ROLLBACK").await;
        let mut reader = connect(&path).await;
        run(&mut reader, "SELECT * FROM t").await;
        assert_eq!(index.head().unwrap(), before, "taken back, and read");
        let mut heads = vec![before];
        for _ in 0..100 {
            run(&mut reader, "INSERT INTO t VALUES (1)").await;
            heads.push(index.head().unwrap());
        }
        run(&mut writer, "DELETE FROM t; PRAGMA wal_checkpoint(TRUNCATE)").await;
        run(&mut writer, "INSERT INTO t VALUES (1)").await;
        heads.push(index.head().unwrap());
        for (n, head) in heads.iter().enumerate() {
            assert!(!heads[..n].contains(head), "no state comes again");
        }
    }

    #[tokio::test]
    async fn other_files_under_the_same_names_are_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let mut writer = connect(&path).await;
        run(&mut writer, "CREATE TABLE t (n)").await;
        let index = WalIndex::open(&path).unwrap();
        assert!(index.check_names().is_ok());
        for name in ["a.db", "a.db-shm"] {
            let (name, aside) = (folder.path().join(name), folder.path().join("aside"));
            std::fs::rename(&name, &aside).unwrap();
            assert!(index.check_names().is_err(), "{name:?} is gone");
            std::fs::copy(&aside, &name).unwrap();
            assert!(index.check_names().is_err(), "{name:?} is another file");
            std::fs::rename(&aside, &name).unwrap();
            assert!(index.check_names().is_ok() && index.head().is_ok());
        }
        for name in ["a.db-shm", "a.db"] {
            std::fs::remove_file(folder.path().join(name)).unwrap();
            assert!(index.head().is_err(), "{name:?} was deleted");
        }
    }

    #[tokio::test]
    async fn an_overwritten_file_is_told_whenever_it_is_looked_at() {
        for (committed, looked_at_midway) in [(false, false), (false, true), (true, false), (true, true)] {
            let folder = tempfile::tempdir().unwrap();
            let (path, backup) = (folder.path().join("a.db"), folder.path().join("backup.db"));
            let mut first = connect(&path).await;
            run(&mut first, "CREATE TABLE t (n)").await;
            first.close().await.unwrap();
            std::fs::copy(&path, &backup).unwrap();
            let mut writer = connect(&path).await;
            run(&mut writer, "SELECT * FROM t").await;
            let index = WalIndex::open(&path).unwrap();
            if committed {
                // The log is begun anew, which the database's file does not show.
                run(&mut writer, "INSERT INTO t VALUES (1)").await;
                assert!(index.check_names().is_ok());
            }
            let shared = File::options().write(true).open(folder.path().join("a.db-shm")).unwrap();
            let begun = |frames: u32| shared.write_all_at(&frames.to_ne_bytes(), 128).unwrap();
            // The times of a file may be as coarse as a tick of the kernel's.
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            std::fs::copy(&backup, &path).unwrap();
            if looked_at_midway {
                begun(7);
                assert!(index.check_names().is_ok(), "somebody folds");
                begun(0);
            }
            for _ in 0..2 {
                let told = index.check_names();
                assert!(
                    matches!(told, Err(Moved::Overwritten(_))),
                    "{committed} {looked_at_midway}: {told:?}"
                );
            }
        }
    }

    #[tokio::test]
    async fn through_a_link_the_files_own_index_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("a.db"), folder.path().join("link.db"));
        let mut writer = connect(&path).await;
        run(&mut writer, "CREATE TABLE t (n)").await;
        std::os::unix::fs::symlink("a.db", &link).unwrap();
        std::fs::write(folder.path().join("link.db-shm"), [0; 96]).unwrap();
        let index = WalIndex::open(&link).unwrap();
        let before = index.head().unwrap();
        run(&mut writer, "INSERT INTO t VALUES (1)").await;
        assert_ne!(index.head().unwrap(), before);
    }

    #[tokio::test]
    async fn opening_it_again_and_again_takes_the_locks_of_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let mut writer = connect(&path).await;
        run(&mut writer, "CREATE TABLE t (n); BEGIN IMMEDIATE; INSERT INTO t VALUES (1)").await;
        for _ in 0..3 {
            drop(WalIndex::open(&path).unwrap());
        }
        // Another process would get the writer's lock if this one had lost it.
        let script =
            "import sqlite3, sys\nsqlite3.connect(sys.argv[1], timeout=0).execute('BEGIN IMMEDIATE')";
        let other = std::process::Command::new("python3").args(["-c", script]).arg(&path).output().unwrap();
        assert!(!other.status.success(), "the lock is held");
        assert!(String::from_utf8_lossy(&other.stderr).contains("locked"), "{other:?}");
        assert!(WalIndex::open(&folder.path().join("none.db")).is_err());
    }
}
