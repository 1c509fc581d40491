//! Letters as `.eml` files in a folder, which any mail program opens.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::{Letter, LetterOutcome, Letterhead, MailError, message};

/// Longer than this no disk may take for one letter.
const PATIENCE: Duration = Duration::from_secs(29);

/// Writes one file for each letter, readable by its owner only. Clones share the folder.
///
/// A file is named after the letter's day and its message id, never after anything that a stranger wrote. A repeat of a
/// letter replaces its file.
#[derive(Clone, Debug)]
pub struct Directory {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    head: Letterhead,
    /// File names by the part that stands for the message id: what was there at the start, and what came since.
    names: Mutex<HashMap<String, String>>,
}

impl Directory {
    /// Looks at the folder. If it is not there, the first letter makes it (mode 0700): looking changes nothing.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn open(path: &Path, head: Letterhead) -> Result<Self, MailError> {
        let names = match names(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => HashMap::new(),
            names => names.map_err(|error| refused(path, &error))?,
        };
        let inner = Inner { path: path.to_owned(), head, names: Mutex::new(names) };
        Ok(Self { inner: Arc::new(inner) })
    }

    pub(super) fn describe(&self) -> String {
        super::clean::words(&self.inner.path.display().to_string())
    }

    pub(super) async fn send(&self, letter: &Letter) -> LetterOutcome {
        let written = match message::write(letter, &self.inner.head) {
            Ok(written) => written,
            Err(answer) => return LetterOutcome::Failed { answer },
        };
        let id = stem(&letter.message_id);
        let fresh = format!("{}_{id}.eml", letter.at.format("%Y-%m-%d"));
        let inner = Arc::clone(&self.inner);
        let filed = tokio::task::spawn_blocking(move || inner.file(id, fresh, &written.bytes));
        match tokio::time::timeout(PATIENCE, filed).await {
            Ok(Ok(Ok(name))) => LetterOutcome::Sent { answer: format!("written to {name}") },
            Ok(Ok(Err(error))) => {
                LetterOutcome::Unavailable { answer: refused(&self.inner.path, &error).to_string() }
            }
            Ok(Err(_)) => LetterOutcome::Ambiguous { answer: "writing the file broke off".into() },
            Err(_) => LetterOutcome::Ambiguous { answer: "the disk did not answer in time".into() },
        }
    }

    pub(super) async fn check(&self) -> Result<String, MailError> {
        let inner = Arc::clone(&self.inner);
        let probed = tokio::task::spawn_blocking(move || {
            let probe = inner.path.join(format!(".keyrack-probe-{}", std::process::id()));
            let done = make(&inner.path).and_then(|()| put(&probe, b"may be removed\n"));
            fs::remove_file(&probe).or_else(|error| done.and(Err(error)))
        });
        let why = |why: &str| MailError::Directory { place: self.describe(), why: why.into() };
        match tokio::time::timeout(PATIENCE, probed).await {
            Ok(Ok(Ok(()))) => Ok(format!("{} takes letters as files", self.describe())),
            Ok(Ok(Err(error))) => Err(refused(&self.inner.path, &error)),
            Ok(Err(_)) => Err(why("writing a file broke off")),
            Err(_) => Err(why("the disk did not answer in time")),
        }
    }
}

impl Inner {
    /// Puts the letter in its place in one step: whoever looks sees all of it or nothing. Answers the file's name.
    fn file(&self, id: String, fresh: String, bytes: &[u8]) -> io::Result<String> {
        let mut names = self.names.lock();
        let name = names.get(&id).cloned().unwrap_or(fresh);
        let part = self.path.join(format!(".{id}.{}.part", std::process::id()));
        let filed = make(&self.path)
            .and_then(|()| put(&part, bytes))
            .and_then(|()| fs::rename(&part, self.path.join(&name)))
            // The name itself is on the disk only once the folder is.
            .and_then(|()| File::open(&self.path)?.sync_all());
        match filed {
            Ok(()) => {
                names.insert(id, name.clone());
                Ok(name)
            }
            Err(error) => {
                // The disk may be full: leave nothing half done. Failing at that too changes nothing.
                let _ = fs::remove_file(&part);
                Err(error)
            }
        }
    }
}

/// Makes the folder, readable by its owner only, unless it is there.
fn make(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a file of mode 0600 to the disk, in place of an earlier one.
fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The part of a file's name that stands for the message id. Different ids have different stems, and nothing in one leads
/// out of the folder.
fn stem(message_id: &str) -> String {
    let mut stem = String::with_capacity(message_id.len());
    for byte in message_id.bytes() {
        match byte {
            b'-' | b'_' | b'.' | b'@' => stem.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => stem.push(char::from(byte)),
            _ => stem.push_str(&format!("={byte:02X}")),
        }
    }
    stem
}

/// The letters that are there, by their stems.
fn names(path: &Path) -> io::Result<HashMap<String, String>> {
    let mut names = HashMap::new();
    for entry in fs::read_dir(path)? {
        if let Ok(name) = entry?.file_name().into_string()
            && let Some((_, id)) = name.strip_suffix(".eml").and_then(|stem| stem.split_once('_'))
        {
            names.insert(id.to_owned(), name);
        }
    }
    Ok(names)
}

fn refused(path: &Path, error: &io::Error) -> MailError {
    MailError::Directory { place: super::clean::words(&path.display().to_string()), why: error.to_string() }
}

#[cfg(test)]
mod tests;
