//! What of the console is read from files and written to them.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::theme::Theme;
use crate::domain::secret::PlainKey;
use crate::domain::text::SafeText;
use crate::tui::effect::{Failure, FailureKind, Outcomes, Reply};
use crate::tui::words::Copied;

pub(super) async fn themes(folder: Option<PathBuf>) -> Reply {
    let read = tokio::task::spawn_blocking(move || {
        let folder = folder.as_deref();
        let (mut themes, mut faults) = (Vec::new(), Vec::new());
        if let Some((folder, Err(error))) = folder.map(|folder| (folder, std::fs::read_dir(folder)))
            && error.kind() != std::io::ErrorKind::NotFound
        {
            faults.push(SafeText::new(format!("{} can't be read: {error}", folder.display())));
        }
        for name in Theme::names(folder) {
            match Theme::load(&name, folder) {
                Ok(theme) => themes.push(theme),
                Err(error) => faults.push(SafeText::new(error.to_string())),
            }
        }
        Reply::Themes { themes, faults }
    });
    read.await.unwrap_or(Reply::Themes { themes: Vec::new(), faults: Vec::new() })
}

/// Puts a file in the place of the one that may be there: it is the old or the new one at any time.
pub(super) async fn save(path: PathBuf, text: String) -> Outcomes<Copied> {
    let write = move || -> std::io::Result<PathBuf> {
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let beside = path.with_extension("toml.new");
        match std::fs::remove_file(&beside) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        write_new(&beside, text.as_bytes())?;
        std::fs::rename(&beside, &path)?;
        Ok(path)
    };
    match tokio::task::spawn_blocking(write).await {
        Ok(Ok(path)) => Ok(Copied::reached(format!("saved in {}", path.display()))),
        Ok(Err(error)) => Err(file_failure(&error)),
        Err(_) => Err(Failure { kind: FailureKind::Other, text: "the choices were not saved".into() }),
    }
}

pub(super) async fn write_secret(path: PathBuf, secret: Arc<PlainKey>) -> Outcomes<PathBuf> {
    let written =
        tokio::task::spawn_blocking(move || write_new(&path, secret.expose().as_bytes()).map(|()| path));
    match written.await {
        Ok(Ok(path)) => Ok(std::path::absolute(&path).unwrap_or(path)),
        Ok(Err(error)) => Err(file_failure(&error)),
        Err(_) => Err(Failure { kind: FailureKind::Other, text: "the file was not written".into() }),
    }
}

/// Writes this, and a line break where it has none, to a file that did not exist, mode 0600, and waits until it is on the disk.
pub(super) fn write_new(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text)?;
    if !text.ends_with(b"\n") {
        file.write_all(b"\n")?;
    }
    file.sync_all()
}

pub(super) fn file_failure(error: &std::io::Error) -> Failure {
    let text = match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            "the file exists and was not changed: choose another name".to_owned()
        }
        _ => format!("the file was not written: {error}. Choose another place"),
    };
    Failure { kind: FailureKind::Other, text: SafeText::new(text) }
}
