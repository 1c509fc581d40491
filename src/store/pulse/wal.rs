//! Whether anything was committed to a SQLite database, without asking SQLite: a read of 48 bytes instead of a statement on
//! another thread.
//!
//! In WAL mode every commit ends with a new header of the WAL index, the file `-shm`: a count of changes, the last frame
//! and its checksum. A reader's own cache of pages rests on nothing else: SQLite compares this header with the one it saw
//! last. So does this. Source: <https://www.sqlite.org/walformat.html>, "The WAL-Index Header".
//!
//! SQLite writes the file through shared memory. On one machine, which is where WAL works, such writes are seen by a read
//! at once.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// A file's device and its number there.
type Inode = (u64, u64);

/// Every WAL index that this process ever read. They stay open to its end: closing one would release the locks that SQLite
/// holds on the same file, because POSIX locks belong to the process ("How To Corrupt An SQLite Database File", 2.2).
static OPEN: Mutex<Option<HashMap<Inode, &'static File>>> = Mutex::new(None);

/// The state of a database, as its WAL index has it: equal if nothing was committed between two readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalHead([u8; 48]);

/// The WAL index of one database.
#[derive(Debug)]
pub struct WalIndex {
    file: &'static File,
    /// The database and its WAL index by name, with the files that these names stand for.
    names: [(PathBuf, Inode); 2],
}

fn inode(metadata: &Metadata) -> Inode {
    (metadata.dev(), metadata.ino())
}

impl WalIndex {
    /// Opens that of a database which some connection of this process has open in WAL mode.
    ///
    /// # Errors
    /// There is none, as for a database in another journal mode.
    pub fn open(database: &Path) -> io::Result<Self> {
        let mut name = database.as_os_str().to_owned();
        name.push("-shm");
        let name = PathBuf::from(name);
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        let open = open.get_or_insert_default();
        let known = open.get(&inode(&std::fs::metadata(&name)?)).copied();
        let file = match known {
            Some(file) => file,
            None => {
                // From here on it is never closed, whatever happens.
                let file: &'static File = Box::leak(Box::new(File::open(&name)?));
                open.insert(inode(&file.metadata()?), file);
                file
            }
        };
        let database = (database.to_owned(), inode(&std::fs::metadata(database)?));
        Ok(Self { names: [database, (name, inode(&file.metadata()?))], file })
    }

    /// The present state.
    ///
    /// # Errors
    /// It can't be read.
    pub fn head(&self) -> io::Result<WalHead> {
        let mut head = WalHead([0; 48]);
        self.file.read_exact_at(&mut head.0, 0)?;
        Ok(head)
    }

    /// Whether the names still stand for the files that were opened.
    ///
    /// # Errors
    /// One is gone, or another file was put in its place, which SQLite's connections would not see either.
    pub fn check_names(&self) -> io::Result<()> {
        for (name, opened) in &self.names {
            if inode(&std::fs::metadata(name)?) != *opened {
                let words = "the file was replaced by another one: restart what uses it";
                return Err(io::Error::other(format!("{}: {words}", name.display())));
            }
        }
        Ok(())
    }
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
            assert!(index.check_names().is_ok());
        }
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
