//! Whether a file could be made, for dry runs: asked of the file system, which is left as it is.

use std::io::{Error, ErrorKind, Result};
use std::path::Path;

use rustix::fs::Access;

/// Fails as making this new file would.
pub fn can_be_made(path: &Path) -> Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(_) => Err(rustix::io::Errno::EXIST.into()),
        Err(error) if error.kind() == ErrorKind::NotFound => can_hold(folder_of(path)),
        Err(error) => Err(error),
    }
}

/// Fails as making this folder, with all above it that is missing, and a file in it would.
pub fn can_be_filled(folder: &Path) -> Result<()> {
    match std::fs::metadata(folder) {
        Ok(there) if there.is_dir() => can_hold(folder),
        Ok(_) => Err(rustix::io::Errno::EXIST.into()),
        Err(error) if error.kind() == ErrorKind::NotFound && folder.parent().is_some() => {
            let above = folder_of(folder);
            match std::fs::metadata(above) {
                Ok(_) => can_hold(above),
                Err(_) => can_be_filled(above),
            }
        }
        Err(error) => Err(error),
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether something can be made in this folder.
fn can_hold(folder: &Path) -> Result<()> {
    if !std::fs::metadata(folder)?.is_dir() {
        return Err(rustix::io::Errno::NOTDIR.into());
    }
    rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK).map_err(Error::from)
}
