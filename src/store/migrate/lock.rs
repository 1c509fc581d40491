//! The lock that stands round the migrations of a SQLite file: sqlx takes none there (H6).

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::store::{Error, Result};

/// Where it stands, beside the database.
pub(super) fn lock_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".migrating");
    name.into()
}

/// The lock, once nobody else has it. `makes`: its file may be made.
pub(super) async fn locked(path: &Path, makes: bool) -> Result<File> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || {
        let file = OpenOptions::new().write(true).create(makes).truncate(false).mode(0o600).open(path)?;
        file.lock()?;
        Ok::<_, std::io::Error>(file)
    })
    .await
    .map_err(|e| Error::Migration(e.to_string()))?
    .map_err(|e| Error::Migration(format!("no lock file can be created beside the database: {e}")))
}
