//! The memory's files: one for each database, in a folder that only its owner can read. The first line says how far the
//! audit had come, each further line is a revocation, newest first. A file is replaced whole; who replaces it holds a lock.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::{FlockOperation, OFlags, flock};
use serde::{Deserialize, Serialize};

use crate::domain::Instant;
use crate::domain::history::{Gap, Head, Remembered};

/// The form of the files that this program writes and reads.
const FORM: u32 = 1;
/// How the names of the files end.
const END: &str = "memory";
/// Databases, addresses of each, gaps of each, and revocations of each: beyond these the oldest are forgotten.
const DATABASES: usize = 64;
const PLACES: usize = 16;
const GAPS: usize = 8;
const REVOCATIONS: usize = 5_000;
/// Bytes of a first line, and of a file.
const HEADER: u64 = 256 * 1024;
const WHOLE: u64 = 8 * 1024 * 1024;
/// How long another process may hold the lock.
const TRIES: usize = 40;
const PAUSE: Duration = Duration::from_millis(5);

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    keyrack_memory: u32,
    /// Which database this is about.
    pub database: String,
    pub places: Vec<Place>,
}

/// What was seen at one address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub address: String,
    pub head: Head,
    pub seen_at: Instant,
    /// What is gone, until somebody decides about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
}

impl Header {
    pub fn place(&self, address: &str) -> Option<&Place> {
        self.places.iter().find(|place| place.address == address)
    }

    fn put(&mut self, mut next: Place) {
        let surplus = next.gaps.len().saturating_sub(GAPS);
        next.gaps.drain(..surplus);
        self.places.retain(|place| place.address != next.address);
        if self.places.len() >= PLACES
            && let Some(oldest) = (0..self.places.len()).min_by_key(|at| self.places[*at].seen_at)
        {
            self.places.remove(oldest);
        }
        self.places.push(next);
    }
}

/// Whose file it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// This process's own: nobody else may have written it.
    Own,
    /// Somebody named it.
    Anybodys,
}

/// Opens a file; why not, in words with its name.
fn open(path: &Path, whose: Whose) -> Result<Option<BufReader<File>>, String> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let flags = if whose == Whose::Own { flags } else { OFlags::NONBLOCK };
    let wrong = |why: &str| format!("{} {why}", path.display());
    let file = match OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound && whose == Whose::Own => return Ok(None),
        Err(error) => return Err(wrong(&format!("can't be read: {error}"))),
    };
    let metadata = file.metadata().map_err(|error| wrong(&format!("can't be read: {error}")))?;
    if !metadata.is_file() {
        return Err(wrong("isn't a file"));
    }
    let (own, other) = (rustix::process::geteuid().as_raw(), metadata.uid());
    if whose == Whose::Own && other != own {
        return Err(wrong("belongs to another user, so nothing in it is believed"));
    }
    if whose == Whose::Own && metadata.mode() & 0o022 != 0 {
        return Err(wrong("can be changed by others, so nothing in it is believed"));
    }
    Ok(Some(BufReader::new(file)))
}

/// The first line of an open file.
fn header(path: &Path, reader: &mut BufReader<File>) -> Result<Header, String> {
    let mut line = Vec::new();
    let read = reader.take(HEADER).read_until(b'\n', &mut line);
    read.map_err(|error| format!("{} can't be read: {error}", path.display()))?;
    let header: Option<Header> = serde_json::from_slice(&line).ok();
    let header = header.filter(|header| header.keyrack_memory == FORM);
    header
        .ok_or_else(|| format!("{} can't be read: it isn't a memory that this keyrack wrote", path.display()))
}

/// What stands in a file.
pub struct Contents {
    pub header: Header,
    /// Newest first.
    pub remembered: Vec<Remembered>,
    /// That lines can't be read, with the file's name; they are left out.
    pub unread: Option<String>,
}

/// Reads a file.
pub fn read(path: &Path, whose: Whose) -> Result<Contents, String> {
    let missing = || format!("{} isn't there", path.display());
    let mut reader = open(path, whose)?.ok_or_else(missing)?;
    let header = header(path, &mut reader)?;
    let lines = reader.take(WHOLE).split(b'\n').map_while(Result::ok);
    let lines =
        lines.filter(|line| !line.is_empty()).take(REVOCATIONS).map(|line| serde_json::from_slice(&line));
    let (read, unread): (Vec<_>, Vec<_>) = lines.partition(Result::is_ok);
    let unread = match unread.len() {
        0 => None,
        1 => Some("1 line".to_owned()),
        many => Some(format!("{many} lines")),
    };
    let unread = unread.map(|lines| {
        format!(
            "{lines} of {} can't be read: whether the revocations there are undone can't be told",
            path.display()
        )
    });
    Ok(Contents { header, remembered: read.into_iter().flatten().collect(), unread })
}

/// Where the files are.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// The file about a database.
    pub fn file(&self, database: &str) -> PathBuf {
        self.0.join(database).with_extension(END)
    }

    fn files(&self) -> Result<Vec<PathBuf>, String> {
        let entries = match std::fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(format!("{} can't be read: {error}", self.0.display())),
        };
        let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
        Ok(paths.filter(|path| path.extension().is_some_and(|end| end == END)).collect())
    }

    /// The first line of every file, and what is wrong with one of them.
    pub fn headers(&self) -> (Vec<Header>, Option<String>) {
        let files = match self.files() {
            Ok(files) => files,
            Err(why) => return (Vec::new(), Some(why)),
        };
        let (mut headers, mut fault) = (Vec::new(), None);
        for path in files {
            let read = open(&path, Whose::Own)
                .and_then(|reader| reader.map(|mut reader| header(&path, &mut reader)).transpose());
            match read {
                Ok(header) => headers.extend(header),
                Err(why) => fault = Some(why),
            }
        }
        (headers, fault)
    }

    /// Remembers what was seen at an address, and revocations, newest first. False: somebody else has written meanwhile.
    ///
    /// # Errors
    /// In words. A file that can't be read is left as it is.
    pub fn keep(
        &self,
        database: &str,
        before: Option<&Place>,
        next: Place,
        newer: &[Remembered],
    ) -> Result<bool, String> {
        let path = self.file(database);
        let failed = |error: io::Error| format!("{} can't be written: {error}", path.display());
        DirBuilder::new().recursive(true).mode(0o700).create(&self.0).map_err(failed)?;
        let _lock = self.lock()?;
        let old = open(&path, Whose::Own)?;
        let is_new = old.is_none();
        let (mut header, old) = match old {
            Some(mut reader) => (header(&path, &mut reader)?, Some(reader)),
            None => {
                let places = Vec::new();
                (Header { keyrack_memory: FORM, database: database.to_owned(), places }, None)
            }
        };
        if header.place(&next.address) != before {
            return Ok(false);
        }
        header.put(next);
        let mut lines = vec![serde_json::to_vec(&header).map_err(|error| failed(error.into()))?];
        for one in newer {
            lines.push(serde_json::to_vec(one).map_err(|error| failed(error.into()))?);
        }
        if let Some(old) = old {
            lines.extend(old.take(WHOLE).split(b'\n').map_while(Result::ok).filter(|line| !line.is_empty()));
        }
        lines.truncate(1 + REVOCATIONS);
        if is_new {
            self.make_room();
        }
        replace(&path, &lines).map_err(failed)?;
        Ok(true)
    }

    /// Held until it is dropped. A process that was stopped while it held it is not waited for.
    fn lock(&self) -> Result<File, String> {
        let path = self.0.join("lock");
        let failed = |error: io::Error| format!("{} can't be locked: {error}", path.display());
        let flags = OFlags::NOFOLLOW.bits().cast_signed();
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(flags)
            .open(&path);
        let file = file.map_err(failed)?;
        let mut locked = flock(&file, FlockOperation::NonBlockingLockExclusive);
        for _ in 0..TRIES {
            if locked != Err(rustix::io::Errno::WOULDBLOCK) {
                break;
            }
            std::thread::sleep(PAUSE);
            locked = flock(&file, FlockOperation::NonBlockingLockExclusive);
        }
        locked.map_err(|error| failed(error.into())).map(|()| file)
    }

    /// Before a file is made: the one that was not written for longest goes where there are too many.
    fn make_room(&self) {
        let mut files = self.files().unwrap_or_default();
        let written = |path: &PathBuf| {
            std::fs::metadata(path).and_then(|file| file.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
        };
        files.sort_by_cached_key(written);
        let surplus = (files.len() + 1).saturating_sub(DATABASES);
        for path in files.into_iter().take(surplus) {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Puts a file of mode 0600 with these lines in the place of the one that is there.
fn replace(path: &Path, lines: &[Vec<u8>]) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let _ = std::fs::remove_file(&fresh);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
    let mut text = lines.join(&b'\n');
    text.push(b'\n');
    let written = file.write_all(&text).and_then(|()| file.sync_data());
    if let Err(error) = written {
        let _ = std::fs::remove_file(&fresh);
        return Err(error);
    }
    std::fs::rename(&fresh, path)
}
