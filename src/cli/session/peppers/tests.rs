use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::config::settings::Source;

fn put(folder: &Path, name: &str, text: &str, mode: u32) {
    fs::write(folder.join(name), text).unwrap();
    fs::set_permissions(folder.join(name), Permissions::from_mode(mode)).unwrap();
}

fn versions(folder: &Path) -> Result<Vec<u16>, String> {
    let setting = Setting { value: Some(folder.to_owned()), source: Source::Flag("--peppers") };
    read(&setting).map(|peppers| peppers.ids().map(|pepper| pepper.version).collect())
}

#[test]
fn kr_15_a_folder_of_peppers_is_read_the_newest_first() {
    let home = tempfile::tempdir().unwrap();
    let why = versions(home.path()).unwrap_err();
    assert!(why.starts_with("--peppers: ") && why.ends_with("has no pepper: name its files v1, v2"), "{why}");
    put(home.path(), "v2", "the second pepper of them\n", 0o600);
    put(home.path(), "v10", "the tenth pepper of them\n", 0o600);
    put(home.path(), "README", "not a pepper", 0o644);
    assert_eq!(versions(home.path()), Ok(vec![10, 2]));
    put(home.path(), "v11", "the eleventh pepper of them\n", 0o600);
    let why = versions(home.path()).unwrap_err();
    assert!(why.contains("there are 3 peppers, and at most 2 are used: rotate the keys of v2"), "{why}");
    fs::remove_file(home.path().join("v11")).unwrap();
    put(home.path(), "pepper-v2", "the second one again, so that it is there twice", 0o600);
    assert!(versions(home.path()).unwrap_err().contains("has pepper v2 twice"));
}

#[test]
fn kr_15_a_pepper_that_others_can_read_is_refused() {
    let home = tempfile::tempdir().unwrap();
    for mode in [0o644, 0o660, 0o604] {
        put(home.path(), "v1", "the first pepper of them\n", mode);
        let why = versions(home.path()).unwrap_err();
        assert!(why.contains("can be read or changed by others: run chmod 600"), "{mode:o} {why}");
        assert!(!why.contains("first pepper"), "{why}");
    }
    put(home.path(), "v1", "too short", 0o600);
    assert!(versions(home.path()).unwrap_err().contains("is too short: use at least 16 characters"));
}
