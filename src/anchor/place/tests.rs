use chrono::DateTime;

use super::*;
use crate::domain::anchor::{AnchorKey, Checkpoint, Series};
use crate::domain::history::Head;

fn sign(order: Order<'_>) -> Anchor {
    let head = Head { seq: 1, at: DateTime::UNIX_EPOCH, hash: "0".repeat(64) };
    let checkpoint = Checkpoint { database: "db".into(), head };
    AnchorKey::new(&[1; 32]).sign(&checkpoint, DateTime::UNIX_EPOCH, order)
}

#[test]
fn places_are_told_by_how_they_are_written() {
    for (text, shown) in [
        ("/var/lib/anchors", "/var/lib/anchors"),
        ("syslog:", "syslog:/dev/log"),
        ("syslog:/run/log", "syslog:/run/log"),
        ("syslog://log.example", "syslog://log.example:514"),
        ("syslog://[2001:db8::1]", "syslog://[2001:db8::1]:514"),
        ("syslog://[2001:db8::1]:99", "syslog://[2001:db8::1]:99"),
        ("syslog+tcp://log.example:6514", "syslog+tcp://log.example:6514"),
        ("https://hooks.example/t0ken", "https://hooks.example/…"),
        ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080/…"),
    ] {
        assert_eq!(text.parse::<Place>().unwrap().to_string(), shown);
    }
    for wrong in [
        "",
        "http://elsewhere.example/",
        "https://user:pw@host/",
        "ftp://host/x",
        "syslog://",
        "syslog://h:0",
    ] {
        assert!(wrong.parse::<Place>().is_err(), "{wrong}");
    }
    assert!(!format!("{:?}", "https://h/t0ken".parse::<Place>()).contains("t0ken"));
}

#[test]
fn a_file_goes_on_behind_its_last_anchor_and_behind_a_piece() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("anchors");
    let place = Place::File(path.clone());
    let check = |count| {
        let series = Series::read(&place.read().unwrap(), &[AnchorKey::new(&[1; 32]).public()]);
        assert_eq!((series.anchors.len(), series.findings), (count, Vec::new()));
    };
    for _ in 0..3 {
        place.put(sign).unwrap();
    }
    check(3);
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"{\"keyrack-anchor\":1,\"nu").unwrap();
    place.put(sign).unwrap();
    check(4);
    std::fs::write(&path, "something else\n").unwrap();
    assert!(place.put(sign).unwrap_err().contains("no anchors in it"));
}

#[test]
fn a_syslog_hears_of_an_anchor_by_each_way() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("log");
    let heard = UnixDatagram::bind(&socket).unwrap();
    let mut bytes = [0; 4096];
    let sent = Place::Socket(socket).put(sign).unwrap();
    let length = heard.recv(&mut bytes).unwrap();
    let text = std::str::from_utf8(&bytes[..length]).unwrap();
    assert!(text.starts_with("<85>1 1970-01-01T00:00:00.000000Z "), "{text}");
    assert_eq!(Anchor::parse(text), Some(sent));
    let heard = UdpSocket::bind("127.0.0.1:0").unwrap();
    let sent = Place::Udp(heard.local_addr().unwrap().to_string()).put(sign).unwrap();
    let length = heard.recv(&mut bytes).unwrap();
    assert_eq!(Anchor::parse(std::str::from_utf8(&bytes[..length]).unwrap()), Some(sent));
    let heard = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let sent = Place::Tcp(heard.local_addr().unwrap().to_string()).put(sign).unwrap();
    let mut text = String::new();
    heard.accept().unwrap().0.read_to_string(&mut text).unwrap();
    assert_eq!(Anchor::parse(&text), Some(sent));
}
