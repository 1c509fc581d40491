//! The peppers that go into the hashes of keys: a folder of files, `v1` or `pepper-v1`, each with one. Without a folder the
//! credentials of systemd are looked at.

use std::path::Path;

use crate::config::settings::Setting;
use crate::domain::secret::{Peppers, SHORTEST_PEPPER, version_of};
use crate::secret_file::SecretFiles;

/// Reads them.
///
/// # Errors
/// In words that name the file, or the setting.
pub fn read(setting: &Setting<Option<std::path::PathBuf>>) -> Result<Peppers, String> {
    let files = SecretFiles::of_this_process();
    match &setting.value {
        Some(folder) => {
            let peppers =
                of_folder(&files, folder, true).map_err(|why| setting.source.error(why).to_string())?;
            match peppers.is_empty() {
                true => Err(setting
                    .source
                    .error(format!("{} has no pepper: name its files v1, v2", folder.display()))
                    .to_string()),
                false => Ok(peppers),
            }
        }
        None => match files.credentials() {
            // There other names belong to others.
            Some(folder) => of_folder(&files, folder, false),
            None => Ok(Peppers::default()),
        },
    }
}

fn of_folder(files: &SecretFiles, folder: &Path, plain: bool) -> Result<Peppers, String> {
    let unread = |error: std::io::Error| format!("{} can't be read: {error}", folder.display());
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unread)? {
        let name = entry.map_err(unread)?.file_name();
        let name = name.to_string_lossy();
        let version = match name.strip_prefix("pepper-") {
            Some(version) => version_of(version),
            None => version_of(&name).filter(|_| plain),
        };
        if let Some(version) = version {
            if all.iter().any(|(known, _)| *known == version) {
                return Err(format!("{} has pepper v{version} twice: keep one", folder.display()));
            }
            let file = folder.join(&*name);
            all.push((version, files.file(&file, SHORTEST_PEPPER).map_err(|error| error.to_string())?));
        }
    }
    Peppers::new(all).map_err(|why| format!("{}: {why}", folder.display()))
}

#[cfg(test)]
mod tests;
