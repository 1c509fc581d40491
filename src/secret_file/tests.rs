use std::fs::{self, Permissions};
use std::time::Duration;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::*;

const NO_SYSTEMD: SecretFiles = SecretFiles { credentials: None };

fn file(home: &Path, bytes: &[u8], mode: u32) -> PathBuf {
    let path = home.join("password");
    fs::write(&path, bytes).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    path
}

#[test]
fn a_secret_is_one_line_without_its_end() {
    let home = tempfile::tempdir().unwrap();
    for bytes in [&b"hunter 2"[..], b"hunter 2\n", b"hunter 2\r\n", b"\xef\xbb\xbfhunter 2\r\n"] {
        assert_eq!(*NO_SYSTEMD.file(&file(home.path(), bytes, 0o600), 8).unwrap(), "hunter 2");
    }
    let longest = [&b"\xef\xbb\xbf"[..], &[b'x'; LONGEST], b"\r\n"].concat();
    assert_eq!(NO_SYSTEMD.file(&file(home.path(), &longest, 0o600), 1).unwrap().len(), LONGEST);
}

#[test]
fn a_file_that_others_may_read_or_the_group_may_write_is_refused() {
    let home = tempfile::tempdir().unwrap();
    for mode in [0o604, 0o644, 0o606, 0o620, 0o666, 0o777] {
        let path = file(home.path(), b"x", mode);
        assert_eq!(NO_SYSTEMD.file(&path, 1), Err(SecretFileError::Exposed(path.clone())), "{mode:o}");
    }
    for mode in [0o400, 0o600, 0o440, 0o640, 0o700] {
        assert_eq!(*NO_SYSTEMD.file(&file(home.path(), b"x\n", mode), 1).unwrap(), "x", "{mode:o}");
    }
}

#[test]
fn anything_but_one_line_is_refused() {
    use SecretFileError::{Empty, NoText, NotOneLine, SpaceAround, TooLong};
    let home = tempfile::tempdir().unwrap();
    let many = vec![b'x'; LONGEST * 4];
    // A long text is too long even if its last character was cut in two.
    let wide = "€".repeat(LONGEST);
    for (bytes, fault) in [
        (&b""[..], Empty as fn(PathBuf) -> SecretFileError),
        (b"\n", Empty),
        (b"\r\n", Empty),
        (b"\xef\xbb\xbf\n", Empty),
        (b"a\nb", NotOneLine),
        (b"a\n\n", NotOneLine),
        (b"a\0b", NotOneLine),
        (b"a\tb", NotOneLine),
        (b"\xff\xfe", NoText),
        (b"\xff\xfea\0b\0", NoText),
        (b" a", SpaceAround),
        (b"a \n", SpaceAround),
        (&many[..=LONGEST], TooLong),
        (&many, TooLong),
        (wide.as_bytes(), TooLong),
    ] {
        let path = file(home.path(), bytes, 0o600);
        assert_eq!(NO_SYSTEMD.file(&path, 1), Err(fault(path.clone())), "{bytes:?}");
    }
    let path = file(home.path(), "ä€cdefg\n".as_bytes(), 0o600);
    assert_eq!(NO_SYSTEMD.file(&path, 8), Err(SecretFileError::TooShort { path: path.clone(), least: 8 }));
    assert!(NO_SYSTEMD.file(&path, 7).is_ok(), "characters are counted, not bytes");
}

#[test]
fn only_a_regular_file_is_read_and_nothing_is_waited_for() {
    let home = tempfile::tempdir().unwrap();
    let pipe = home.path().join("pipe");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let socket = home.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let link = home.path().join("link");
    std::os::unix::fs::symlink(&pipe, &link).unwrap();
    let cases = [
        (home.path().to_owned(), "folder"),
        (pipe, "pipe"),
        (link.clone(), "pipe"),
        (socket, "socket"),
        ("/dev/null".into(), "device"),
    ];
    let (done, wait) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for (path, kind) in cases {
            assert_eq!(NO_SYSTEMD.file(&path, 1), Err(SecretFileError::NoFile { path: path.clone(), kind }));
        }
        done.send(()).unwrap();
    });
    wait.recv_timeout(Duration::from_secs(10)).unwrap();
    fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(file(home.path(), b"hunter2\n", 0o600), &link).unwrap();
    assert_eq!(*NO_SYSTEMD.file(&link, 1).unwrap(), "hunter2");
    let none = NO_SYSTEMD.file(&home.path().join("none"), 1);
    assert!(matches!(none, Err(SecretFileError::Unreadable { .. })));
}

#[test]
fn a_credential_comes_from_the_folder_that_systemd_names() {
    let home = tempfile::tempdir().unwrap();
    let systemd = SecretFiles { credentials: Some(home.path().to_owned()) };
    let path = file(home.path(), b"hunter2\n", 0o444);
    assert_eq!(*systemd.credential("password", 1).unwrap(), "hunter2");
    assert_eq!(*systemd.file(&path, 1).unwrap(), "hunter2", "whatever it is called by");
    assert_eq!(NO_SYSTEMD.file(&path, 1), Err(SecretFileError::Exposed(path.clone())));
    let none = NO_SYSTEMD.credential("password", 1);
    assert_eq!(none, Err(SecretFileError::NoCredentials("password".into())));
    for name in ["", "../password", "a/b", ".hidden"] {
        assert!(matches!(systemd.credential(name, 1), Err(SecretFileError::CredentialName(_))), "{name:?}");
    }
}

#[test]
fn no_error_holds_the_secret() {
    let home = tempfile::tempdir().unwrap();
    for bytes in [&b"hunter2\nhunter3"[..], b"hunter2 ", b"hunter2\xff", b"hunter2"] {
        let error = NO_SYSTEMD.file(&file(home.path(), bytes, 0o600), 8).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter"), "{error}");
    }
}
