//! The secrets of many keys on the disk: a file for each in a folder, or one file of assignments. No file is overwritten,
//! and only its owner can read any.

use std::fmt::Write as _;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::super::{Error, Field};
use crate::domain::key::{Key, KeyId};
use crate::domain::secret::PlainKey;
use crate::domain::text::hyphened;

/// Characters of a name in the name of a file or variable.
const NAME: usize = 48;

/// Where the secrets of many keys go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A folder, made with mode 0700 where it is missing: one file a key, `acme.node-1.0199….key`.
    Folder(PathBuf),
    /// A new file of lines like `ACME_NODE_1=vp_…`.
    Env(PathBuf),
}

/// A secret, and what tells whose it is.
pub(super) struct Secret {
    account: String,
    name: String,
    old: KeyId,
    id: KeyId,
    secret: PlainKey,
}

impl Secret {
    pub(super) fn new(old: &Key, id: KeyId, secret: PlainKey) -> Self {
        let account = hyphened(&old.account, NAME);
        Self { account, name: hyphened(&old.name, NAME), old: old.id, id, secret }
    }

    fn file(&self) -> String {
        format!("{}.{}.{}.key", self.account, self.name, self.id).replace("..", ".")
    }

    /// `ACME_NODE_1`
    fn variable(&self) -> String {
        let name = format!("{}_{}", self.account, self.name).replace('-', "_").to_uppercase();
        if name.starts_with(|c: char| c.is_ascii_digit()) { format!("KEY_{name}") } else { name }
    }
}

/// Files that hold secrets; removed with this unless they are kept.
pub(super) struct Written {
    files: Vec<PathBuf>,
    /// A folder that was made for them.
    folder: Option<PathBuf>,
    kept: bool,
}

impl Written {
    /// From here on the keys may be rotated: whatever ends this, the files stay.
    pub(super) fn keep(&mut self) {
        self.kept = true;
    }

    /// Nothing was rotated: the secrets are of no use.
    pub(super) fn remove(mut self) {
        self.kept = false;
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        for file in &self.files {
            let _ = std::fs::remove_file(file);
        }
        if let Some(folder) = &self.folder {
            let _ = std::fs::remove_dir(folder);
        }
    }
}

impl Place {
    pub fn path(&self) -> &Path {
        let (Self::Folder(path) | Self::Env(path)) = self;
        path
    }

    /// The file of each secret.
    pub(super) fn files(&self, secrets: &[Secret]) -> Vec<PathBuf> {
        let file = |secret: &Secret| match self {
            Self::Folder(folder) => folder.join(secret.file()),
            Self::Env(file) => file.clone(),
        };
        secrets.iter().map(file).collect()
    }

    /// Fails as writing would, and writes nothing.
    ///
    /// # Errors
    /// As writing.
    pub(super) fn would_hold(&self, files: &[PathBuf]) -> Result<(), Error> {
        let taken = files.iter().find(|file| std::fs::symlink_metadata(file).is_ok());
        if let Some(taken) = taken {
            return Err(why(taken, &ErrorKind::AlreadyExists.into()));
        }
        let folder = match self {
            Self::Folder(folder) => folder.as_path(),
            Self::Env(file) => above(file),
        };
        let there = folder.ancestors().find(|folder| folder.as_os_str().is_empty() || folder.exists());
        let there = there.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !there.is_dir() || matches!(self, Self::Env(_)) && there != folder {
            return Err(why(folder, &ErrorKind::NotADirectory.into()));
        }
        let access = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
        rustix::fs::access(there, access).map_err(|error| why(there, &error.into()))
    }

    /// Writes the secrets, each to the file of its place in the list, and waits until all of them are on the disk.
    ///
    /// # Errors
    /// The place can't be taken, or the machine fails; then nothing is left behind.
    pub(super) fn write(&self, secrets: &[Secret], files: &[PathBuf]) -> Result<Written, Error> {
        let mut written = Written { files: Vec::with_capacity(files.len()), folder: None, kept: false };
        if let Self::Env(file) = self {
            put(file, &assignments(secrets), &mut written).map_err(|error| why(file, &error))?;
            sync(above(file))?;
            return Ok(written);
        }
        let folder = self.path();
        if !folder.is_dir() {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
            made.map_err(|error| why(folder, &error))?;
            written.folder = Some(folder.to_owned());
            sync(above(folder))?;
        }
        for (secret, file) in secrets.iter().zip(files) {
            let text = secret.secret.expose();
            let mut line = Zeroizing::new(String::with_capacity(text.len() + 1));
            line.push_str(text);
            line.push('\n');
            put(file, &line, &mut written).map_err(|error| why(file, &error))?;
        }
        sync(folder)?;
        Ok(written)
    }
}

/// One line for each secret, behind one that tells whose it is. Variables of one name get a part of the id.
fn assignments(secrets: &[Secret]) -> Zeroizing<String> {
    let mut names: Vec<String> = secrets.iter().map(Secret::variable).collect();
    let mut counts = std::collections::HashMap::new();
    for name in &names {
        *counts.entry(name.clone()).or_insert(0) += 1;
    }
    for (name, secret) in names.iter_mut().zip(secrets) {
        if counts.get(name).is_some_and(|count| *count > 1) {
            let id = secret.id.simple().to_string().to_uppercase();
            name.push('_');
            name.push_str(&id[20..]);
        }
    }
    // Of full size from the start: what grows leaves copies behind.
    let line = |(name, secret): (&String, &Secret)| name.len() + secret.secret.expose().len() + 100;
    let size = names.iter().zip(secrets).map(line).sum();
    let mut text = Zeroizing::new(String::with_capacity(size));
    for (name, secret) in names.iter().zip(secrets) {
        let _ = write!(text, "# {} replaces {}\n{name}=", secret.id, secret.old);
        text.push_str(secret.secret.expose());
        text.push('\n');
    }
    text
}

fn put(path: &Path, text: &str, written: &mut Written) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    written.files.push(path.to_owned());
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Waits until the names in a folder are on the disk.
fn sync(folder: &Path) -> Result<(), Error> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| why(folder, &error))
}

fn above(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn why(path: &Path, error: &io::Error) -> Error {
    let path = path.display();
    let place = match error.kind() {
        ErrorKind::AlreadyExists => {
            format!("{path} exists and is not overwritten: name another place. Nothing was rotated")
        }
        _ => format!("{path} can't be written: {error}. Nothing was rotated"),
    };
    match error.kind() {
        ErrorKind::AlreadyExists
        | ErrorKind::NotFound
        | ErrorKind::NotADirectory
        | ErrorKind::IsADirectory
        | ErrorKind::PermissionDenied
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::InvalidFilename => Error::invalid(Field::Place, place),
        _ => Error::Unwritten(place),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kr_11_a_disk_that_fails_is_no_mistake_of_the_persons() {
        let of = |kind: ErrorKind| why(Path::new("/keys/one.key"), &kind.into());
        for kind in [ErrorKind::AlreadyExists, ErrorKind::NotADirectory, ErrorKind::PermissionDenied] {
            assert!(matches!(of(kind), Error::Invalid { field: Field::Place, .. }), "{kind}");
        }
        for kind in [ErrorKind::StorageFull, ErrorKind::QuotaExceeded, ErrorKind::Other] {
            assert!(
                matches!(of(kind), Error::Unwritten(words) if words.ends_with("Nothing was rotated")),
                "{kind}"
            );
        }
    }
}
