use std::fs::{File, OpenOptions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::file::ROOM;
use super::*;

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_log_is_private_and_made_by_its_first_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state/keyrack/keyrack.log");
    let log = Log::new(path.clone());
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
    Log::new(path.clone()).append(b"new\n");
    assert_eq!(std::fs::read(&path).unwrap(), b"old\nnew\n");
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn a_log_that_has_grown_too_long_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyrack.log");
    File::create(&path).unwrap().set_len(ROOM + 1).unwrap();
    Log::new(path.clone()).append(b"new\n");
    assert_eq!(std::fs::read(&path).unwrap(), b"new\n");
    assert_eq!(std::fs::metadata(folder.path().join("keyrack.log.old")).unwrap().len(), ROOM + 1);
}

#[test]
fn a_log_that_cannot_be_written_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("file");
    std::fs::write(&blocked, "").unwrap();
    let log = Log::new(blocked.join("keyrack.log"));
    log.append(b"lost\n");
    log.append(b"lost too\n");
}

#[test]
fn a_filter_that_cannot_be_read_is_refused_with_an_example() {
    let error = begin("keyrack=louder", PathBuf::from("/nonexistent/keyrack.log")).unwrap_err();
    assert!(error.to_string().contains("`keyrack=debug`"), "{error}");
}

#[test]
fn a_log_that_was_moved_goes_on_in_a_new_file() {
    let folder = tempfile::tempdir().unwrap();
    let (path, moved) = (folder.path().join("keyrack.log"), folder.path().join("keyrack.log.1"));
    let log = Log::new(path.clone());
    log.append(b"one\n");
    std::fs::rename(&path, &moved).unwrap();
    log.append(b"two\n");
    file::reopen();
    log.append(b"three\n");
    assert_eq!(std::fs::read(&moved).unwrap(), b"one\ntwo\n");
    assert_eq!(std::fs::read(&path).unwrap(), b"three\n");
    // Without a signal it is found out soon.
    std::fs::rename(&path, &moved).unwrap();
    std::thread::sleep(Duration::from_millis(1100));
    log.append(b"four\n");
    assert_eq!(std::fs::read(&path).unwrap(), b"four\n");
    // And one that was copied and cut short goes on at its new end.
    OpenOptions::new().write(true).truncate(true).open(&path).unwrap();
    log.append(b"five\n");
    assert_eq!(std::fs::read(&path).unwrap(), b"five\n");
}

/// Takes so many bytes, and then none until there is room again.
struct Disk<'a> {
    text: &'a Mutex<Vec<u8>>,
    room: &'a Mutex<usize>,
}

impl Write for Disk<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut room = self.room.lock();
        let taken = bytes.len().min(*room);
        *room -= taken;
        self.text.lock().extend_from_slice(&bytes[..taken]);
        if taken == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(taken) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_loses_lines_while_it_lasts_and_tears_none_of_the_others() {
    let (text, room) = (Mutex::new(Vec::new()), Mutex::new(6));
    let mut sink = Sink::new(Disk { text: &text, room: &room });
    assert_eq!(sink.deliver(b"one\ntwo\nthree\n"), 2);
    assert_eq!(sink.deliver(b"four\n"), 1);
    *room.lock() = 100;
    assert_eq!(sink.deliver(b"five\n"), 0);
    assert_eq!(sink.deliver(b"six\n"), 0);
    assert_eq!(text.lock().as_slice(), b"one\ntw\nfive\nsix\n");
}

#[test]
fn a_commands_log_says_how_many_lines_are_missing() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("state");
    std::fs::write(&blocked, "").unwrap();
    let log = Log::new(blocked.join("keyrack.log"));
    log.append(b"lost\n");
    log.append(b"lost too\n");
    std::fs::remove_file(&blocked).unwrap();
    log.append(b"written\n");
    let text = std::fs::read_to_string(blocked.join("keyrack.log")).unwrap();
    assert!(
        text.starts_with("written\nWARN lines were left out of the log") && text.ends_with("left_out=2\n"),
        "{text}"
    );
}
