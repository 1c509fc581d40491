//! What is said of an address that nothing is at: what lies near it, by name.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// At most this many names are told.
const NAMES: usize = 3;
/// What SQLite and Keyrack keep beside a database.
const COMPANIONS: [&str; 4] = ["-wal", "-shm", "-journal", ".migrating"];

/// Words about the neighbourhood of a file that is not there; empty where there is nothing to say.
pub(super) fn of_file(path: &Path) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        let near = nearest(folder, |entry| entry.is_dir());
        return match near.first() {
            Some(near) => {
                format!("the folder {} isn't there; did you mean {}?", folder.display(), near.display())
            }
            None => format!("the folder {} isn't there", folder.display()),
        };
    }
    let near = nearest(path, |entry| entry.is_file());
    if !near.is_empty() {
        return format!("did you mean {}?", list(&near));
    }
    let databases = files(folder, |entry| {
        let ending = entry.extension().and_then(OsStr::to_str).unwrap_or_default();
        ["db", "sqlite", "sqlite3"].contains(&ending) && entry.is_file()
    });
    if databases.is_empty() { String::new() } else { format!("there is {}", list(&databases)) }
}

fn list(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths.iter().take(NAMES).map(|path| path.display().to_string()).collect();
    names.join(" or ")
}

/// What the folder of `path` has under a name that is nearly the same, the nearest first.
fn nearest(path: &Path, fits: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(OsStr::to_str)) else {
        return Vec::new();
    };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let name = name.to_lowercase();
    let distance = |entry: &PathBuf| {
        let other = entry.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let far = strsim::osa_distance(&name, &other);
        let longer = [&name, &other].map(|text| text.trim_end_matches(".db").to_owned());
        // `keyrack` for `keyrack-production.db` is a near name too.
        let begins =
            longer[0].len() > 2 && (longer[1].starts_with(&longer[0]) || longer[0].starts_with(&longer[1]));
        (far <= 2.max(name.chars().count() / 3) || begins).then_some(far)
    };
    let mut near: Vec<_> =
        files(folder, fits).into_iter().filter_map(|entry| Some((distance(&entry)?, entry))).collect();
    near.sort();
    near.into_iter().map(|(_, entry)| entry).collect()
}

fn files(folder: &Path, fits: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let companion =
        |path: &Path| COMPANIONS.iter().any(|end| path.as_os_str().to_string_lossy().ends_with(end));
    let fits = |path: &PathBuf| !companion(path) && fits(path);
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(fits).collect();
    found.sort();
    found
}
