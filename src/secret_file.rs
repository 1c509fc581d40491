//! Secrets that others keep for Keyrack: a file of one's own, or a credential of systemd. Never an argument, never the
//! environment. Every door reads them here, by one set of rules.

use std::fs::{File, FileType, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use zeroize::Zeroizing;

/// The longest secret, in bytes.
const LONGEST: usize = 4096;
/// The longest file, with all that is left out of it.
const LONGEST_FILE: usize = LONGEST + "\u{feff}\r\n".len();

/// Why there is no secret. It names the file and the cure, never what is in the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretFileError {
    #[error("{} can't be read: {why}", path.display())]
    Unreadable { path: PathBuf, why: String },
    #[error("{} is a {kind}: name a regular file that holds the secret", path.display())]
    NoFile { path: PathBuf, kind: &'static str },
    #[error(
        "{path} can be read or changed by others: run chmod 600 {path}, and replace the secret if someone may have read it",
        path = .0.display()
    )]
    Exposed(PathBuf),
    #[error("{} is empty: write the secret into it", .0.display())]
    Empty(PathBuf),
    #[error("{} has more than {LONGEST} bytes: leave one line in it, the secret", .0.display())]
    TooLong(PathBuf),
    #[error("{} isn't UTF-8 text: write the secret into it as UTF-8", .0.display())]
    NoText(PathBuf),
    #[error("{} has a second line or a control character: leave one line in it, the secret", .0.display())]
    NotOneLine(PathBuf),
    #[error("the secret in {} begins or ends with a space: remove the space", .0.display())]
    SpaceAround(PathBuf),
    #[error("the secret in {} is too short: use at least {least} characters", path.display())]
    TooShort { path: PathBuf, least: usize },
    #[error(
        "systemd gave no credential {0:?}: start Keyrack as a service with LoadCredential={0}:/path, or name a file"
    )]
    NoCredentials(String),
    #[error("{0:?} isn't a valid name of a credential: use letters, digits, - _ and . only")]
    CredentialName(String),
}

/// Reads secrets. One line of UTF-8, its line end and a byte order mark left out. The file may be a link; what it leads to
/// must be a regular file that only its owner can read or change, and that its group may read.
#[derive(Clone, Debug)]
pub struct SecretFiles {
    /// The [folder in which systemd hands over credentials](https://systemd.io/CREDENTIALS/); systemd guards what is in it.
    credentials: Option<PathBuf>,
}

impl SecretFiles {
    /// With the credentials that systemd handed to this process.
    pub fn of_this_process() -> Self {
        Self { credentials: std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from) }
    }

    /// The folder in which systemd handed them over, if it did.
    pub fn credentials(&self) -> Option<&Path> {
        self.credentials.as_deref()
    }

    /// The secret in a file, of `least` characters at least.
    ///
    /// # Errors
    /// When the file can't be read, is no regular file, is open to others, or holds anything but one line.
    pub fn file(&self, path: &Path, least: usize) -> Result<Zeroizing<String>, SecretFileError> {
        let guarded = self.credentials.as_deref().is_some_and(|folder| path.parent() == Some(folder));
        read(path, guarded, least)
    }

    /// The secret in a credential of systemd, of `least` characters at least.
    ///
    /// # Errors
    /// As [`SecretFiles::file`], and when systemd gave no credentials.
    pub fn credential(&self, name: &str, least: usize) -> Result<Zeroizing<String>, SecretFileError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
            return Err(SecretFileError::CredentialName(name.to_owned()));
        }
        let folder =
            self.credentials.as_ref().ok_or_else(|| SecretFileError::NoCredentials(name.to_owned()))?;
        read(&folder.join(name), true, least)
    }
}

fn read(path: &Path, guarded: bool, least: usize) -> Result<Zeroizing<String>, SecretFileError> {
    let file = open(path, guarded)?;
    let of = |fault: fn(PathBuf) -> SecretFileError| fault(path.to_owned());
    let bytes = contents(file)
        .map_err(|error| SecretFileError::Unreadable { path: path.to_owned(), why: error.to_string() })?;
    if bytes.len() > LONGEST_FILE {
        return Err(of(SecretFileError::TooLong));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| of(SecretFileError::NoText))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(of(SecretFileError::Empty));
    }
    if text.len() > LONGEST {
        return Err(of(SecretFileError::TooLong));
    }
    if text.chars().any(char::is_control) {
        return Err(of(SecretFileError::NotOneLine));
    }
    if text.trim() != text {
        return Err(of(SecretFileError::SpaceAround));
    }
    if text.chars().count() < least {
        return Err(SecretFileError::TooShort { path: path.to_owned(), least });
    }
    Ok(Zeroizing::new(text.to_owned()))
}

fn open(path: &Path, guarded: bool) -> Result<File, SecretFileError> {
    let unreadable =
        |error: io::Error| SecretFileError::Unreadable { path: path.to_owned(), why: error.to_string() };
    let regular = |found: FileType| match kind(found) {
        None => Ok(()),
        Some(kind) => Err(SecretFileError::NoFile { path: path.to_owned(), kind }),
    };
    // Asked before it is opened, because opening a device can do something to it; and again of what was opened.
    regular(std::fs::metadata(path).map_err(unreadable)?.file_type())?;
    // A pipe that was put there meanwhile would otherwise wait for its writer.
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path);
    let file = file.map_err(unreadable)?;
    let found = file.metadata().map_err(unreadable)?;
    regular(found.file_type())?;
    // The owner's group may read: root:keyrack 0640 is a usual way to hand a secret to a service.
    if !guarded && found.permissions().mode() & 0o027 != 0 {
        return Err(SecretFileError::Exposed(path.to_owned()));
    }
    Ok(file)
}

/// What it is, if it is no regular file.
fn kind(found: FileType) -> Option<&'static str> {
    if found.is_file() {
        None
    } else if found.is_dir() {
        Some("folder")
    } else if found.is_fifo() {
        Some("pipe")
    } else if found.is_socket() {
        Some("socket")
    } else {
        Some("device")
    }
}

/// The beginning of the file, long enough to tell whether it is too long.
fn contents(mut file: File) -> io::Result<Zeroizing<Vec<u8>>> {
    // Of full size from the start: what grows leaves copies behind (H15).
    let mut bytes = Zeroizing::new(vec![0; LONGEST_FILE + 1]);
    let mut length = 0;
    loop {
        match file.read(&mut bytes[length..])? {
            0 => break,
            read => length += read,
        }
    }
    bytes.truncate(length);
    Ok(bytes)
}

#[cfg(test)]
mod tests;
