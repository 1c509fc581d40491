use super::*;

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_log_is_private_and_made_by_its_first_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state/keyrack/keyrack.log");
    let log = LogFile::new(path.clone());
    assert!(!path.exists());
    log.append(b"one\n");
    log.append(b"two\n");
    assert_eq!(std::fs::read(&path).unwrap(), b"one\ntwo\n");
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
}

#[test]
fn a_log_that_was_open_to_others_is_closed_to_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyrack.log");
    std::fs::write(&path, "old\n").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    LogFile::new(path.clone()).append(b"new\n");
    assert_eq!(std::fs::read(&path).unwrap(), b"old\nnew\n");
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn a_log_that_has_grown_too_long_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyrack.log");
    File::create(&path).unwrap().set_len(ROOM + 1).unwrap();
    LogFile::new(path.clone()).append(b"new\n");
    assert_eq!(std::fs::read(&path).unwrap(), b"new\n");
    assert_eq!(std::fs::metadata(folder.path().join("keyrack.log.old")).unwrap().len(), ROOM + 1);
}

#[test]
fn a_log_that_cannot_be_written_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("file");
    std::fs::write(&blocked, "").unwrap();
    let log = LogFile::new(blocked.join("keyrack.log"));
    log.append(b"lost\n");
    log.append(b"lost too\n");
}

#[test]
fn a_filter_that_cannot_be_read_is_refused_with_an_example() {
    let error = begin("keyrack=louder", PathBuf::from("/nonexistent/keyrack.log")).unwrap_err();
    assert!(error.to_string().contains("`keyrack=debug`"), "{error}");
}
