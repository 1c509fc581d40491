use std::fs::{self, Permissions};

use super::*;

fn file(home: &Path, bytes: &[u8], mode: u32) -> PathBuf {
    let path = home.join("password");
    fs::write(&path, bytes).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    path
}

#[test]
fn a_password_is_one_line_without_its_end() {
    let home = tempfile::tempdir().unwrap();
    for bytes in [&b"hunter 2"[..], b"hunter 2\n", b"hunter 2\r\n"] {
        assert_eq!(*password_from_file(&file(home.path(), bytes, 0o600)).unwrap(), "hunter 2");
    }
    assert_eq!(*password_from_file(&file(home.path(), b"x\n", 0o640)).unwrap(), "x");
    let longest = vec![b'x'; LONGEST];
    assert_eq!(password_from_file(&file(home.path(), &longest, 0o600)).unwrap().len(), LONGEST);
}

#[test]
fn a_file_that_others_may_read_or_the_group_may_write_is_refused() {
    let home = tempfile::tempdir().unwrap();
    for mode in [0o604, 0o644, 0o606, 0o620, 0o666, 0o777] {
        let path = file(home.path(), b"x", mode);
        assert_eq!(password_from_file(&path), Err(PasswordError::Exposed(path.clone())), "{mode:o}");
    }
}

#[test]
fn anything_but_one_line_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let path = file(home.path(), b"\n", 0o600);
    assert_eq!(password_from_file(&path), Err(PasswordError::Empty(path.clone())));
    for bytes in [&b"a\nb"[..], b"a\n\n", b"a\0b", b"\xff\xfe", &[b'x'; LONGEST + 1], &[b'x'; LONGEST * 4]] {
        let path = file(home.path(), bytes, 0o600);
        assert_eq!(password_from_file(&path), Err(PasswordError::NotOneLine(path.clone())), "{bytes:?}");
    }
    assert!(matches!(password_from_file(home.path()), Err(PasswordError::NoFile(_))));
    assert!(matches!(password_from_file(&home.path().join("none")), Err(PasswordError::Unreadable { .. })));
}

#[test]
fn a_credential_comes_from_the_folder_that_systemd_names() {
    let home = tempfile::tempdir().unwrap();
    file(home.path(), b"hunter2\n", 0o440);
    assert_eq!(*password_from_credential("password", Some(home.path())).unwrap(), "hunter2");
    let none = password_from_credential("password", None);
    assert_eq!(none, Err(PasswordError::NoCredentials("password".into())));
    for name in ["", "../password", "a/b", ".hidden"] {
        assert!(
            matches!(
                password_from_credential(name, Some(home.path())),
                Err(PasswordError::CredentialName(_))
            ),
            "{name:?}"
        );
    }
}

#[test]
fn no_error_holds_the_password() {
    let home = tempfile::tempdir().unwrap();
    let path = file(home.path(), b"hunter2\nhunter3", 0o600);
    let error = password_from_file(&path).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter"));
}
