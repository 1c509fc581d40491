//! Where the mail server's password comes from: a file of one's own, or a credential of systemd. Never an argument, never
//! the environment.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// The longest password, in bytes.
const LONGEST: usize = 1024;

/// Why there is no password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("the mail password's file {} can't be read: {why}", path.display())]
    Unreadable { path: PathBuf, why: String },
    #[error("{} is no file: name the file that holds the mail password", .0.display())]
    NoFile(PathBuf),
    #[error(
        "others on this machine may read the mail password in {}: run chmod 600 on it, and change the password if they may have done so",
        .0.display()
    )]
    Exposed(PathBuf),
    #[error("the mail password's file {} is empty", .0.display())]
    Empty(PathBuf),
    #[error("the mail password's file {} must hold one line of at most {LONGEST} bytes of text and nothing else", .0.display())]
    NotOneLine(PathBuf),
    #[error(
        "the mail password is the credential {0:?}, but systemd gave none: start keyrack as a service with LoadCredential={0}:/path, or name a password file"
    )]
    NoCredentials(String),
    #[error("{0:?} is no name of a credential: write letters, digits, dots, dashes and underscores")]
    CredentialName(String),
}

/// Reads a password from a file that others may not read. The line break at its end is left out.
///
/// # Errors
/// When it can't be read, is open to others, or holds anything but one line.
pub fn password_from_file(path: &Path) -> Result<Zeroizing<String>, PasswordError> {
    read(path, true)
}

/// Reads systemd's credential `name` from `directory`, the value of `$CREDENTIALS_DIRECTORY`
/// (<https://systemd.io/CREDENTIALS/>).
///
/// # Errors
/// As [`password_from_file`], and when systemd gave no credentials. systemd itself guards who may read them.
pub fn password_from_credential(
    name: &str,
    directory: Option<&Path>,
) -> Result<Zeroizing<String>, PasswordError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
        return Err(PasswordError::CredentialName(name.to_owned()));
    }
    let directory = directory.ok_or_else(|| PasswordError::NoCredentials(name.to_owned()))?;
    read(&directory.join(name), false)
}

fn read(path: &Path, guarded: bool) -> Result<Zeroizing<String>, PasswordError> {
    let unreadable =
        |error: io::Error| PasswordError::Unreadable { path: path.to_owned(), why: error.to_string() };
    // Asked before it is opened, because opening a pipe would wait for its writer; and again of what was opened.
    let a_file = |is_file: bool| if is_file { Ok(()) } else { Err(PasswordError::NoFile(path.to_owned())) };
    a_file(std::fs::metadata(path).map_err(unreadable)?.is_file())?;
    let mut file = File::open(path).map_err(unreadable)?;
    let found = file.metadata().map_err(unreadable)?;
    a_file(found.is_file())?;
    // The owner's group may read: root:keyrack 0640 is a usual way to hand a secret to a service.
    if guarded && found.permissions().mode() & 0o027 != 0 {
        return Err(PasswordError::Exposed(path.to_owned()));
    }
    // Of full size from the start: what grows leaves copies behind (H15).
    let mut bytes = Zeroizing::new(vec![0; LONGEST + 3]);
    let mut length = 0;
    loop {
        match file.read(&mut bytes[length..]).map_err(unreadable)? {
            0 => break,
            read => length += read,
        }
    }
    let text = bytes.get(..length).unwrap_or_default();
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    let text = std::str::from_utf8(text).map_err(|_| PasswordError::NotOneLine(path.to_owned()))?;
    if text.is_empty() {
        return Err(PasswordError::Empty(path.to_owned()));
    }
    if text.len() > LONGEST || text.chars().any(char::is_control) {
        return Err(PasswordError::NotOneLine(path.to_owned()));
    }
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests;
