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
type Inode = (u64, u64);

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
}

fn inode(metadata: &Metadata) -> Inode {
    (metadata.dev(), metadata.ino())
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
        // SQLite puts it beside the file itself, not beside a link to it.
        let mut name = std::fs::canonicalize(database)?.into_os_string();
        name.push("-shm");
        let index = open(name.into())?;
        Ok(Self { file: index.1, files: [open(database.to_owned())?, index] })
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

    /// Whether the names still stand for the files that were opened.
    ///
    /// # Errors
    /// One is gone, or another file was put in its place, which SQLite's connections would not see either.
    pub fn check_names(&self) -> io::Result<()> {
        for (name, _, opened) in &self.files {
            if inode(&std::fs::metadata(name)?) != *opened {
                return Err(replaced(name));
            }
        }
        Ok(())
    }
}

fn replaced(name: &Path) -> io::Error {
    io::Error::other(format!(
        "{}: the file was replaced by another one: restart what uses it",
        name.display()
    ))
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
