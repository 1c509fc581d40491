use super::file::{Contents, Folder, Place, Whose, read};
use super::{Error, Location, Service};
use crate::clock::Clock;
use crate::domain::Instant;
use crate::domain::history::{Head, Remembered};
use crate::domain::key::KeyId;
use crate::domain::operator::Identity;
use crate::store::{self, Store};

fn place(address: &str, seq: i64) -> Place {
    let at = Instant::UNIX_EPOCH + chrono::Duration::seconds(seq);
    Place {
        address: address.into(),
        head: Head { seq, at, hash: "ab".into() },
        seen_at: at,
        gaps: Vec::new(),
    }
}

fn remembered(seq: i64) -> Remembered {
    Remembered {
        seq,
        key: KeyId::from_u128(seq.unsigned_abs().into()),
        preview: "vgk_…abcd".into(),
        name: "hub".into(),
        account: "acme".into(),
        at: Instant::UNIX_EPOCH,
        by: "ada".into(),
        reason: None,
    }
}

#[test]
fn a_memory_is_bounded_and_keeps_the_newest() {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::new(dir.path().join("memory"));
    let mut before = None;
    for round in 1..=3 {
        let next = place("a", round);
        let some: Vec<_> = (0..4_000).rev().map(|n| remembered(round * 10_000 + n)).collect();
        assert_eq!(folder.keep("d", before.as_ref(), next.clone(), &some), Ok(true));
        before = Some(next);
    }
    let Contents { header, remembered: kept, unread } = read(&folder.file("d"), Whose::Own).unwrap();
    assert_eq!(unread, None);
    assert_eq!(header.place("a"), before.as_ref());
    assert_eq!((kept.len(), kept[0].seq, kept[4_999].seq), (5_000, 33_999, 23_000));
    for n in 0..200 {
        folder.keep(&format!("d{n}"), None, place("a", n), &[]).unwrap();
        let before = folder.headers().0.iter().find(|header| header.database == "d").is_some();
        let address = format!("address {n}");
        let _ = before.then(|| folder.keep("d", None, place(&address, n), &[]).unwrap());
    }
    let (headers, fault) = folder.headers();
    assert_eq!((headers.len(), fault), (64, None));
    assert!(headers.iter().all(|header| header.places.len() <= 16));
}

#[test]
fn of_several_who_write_at_once_none_overwrites_what_it_has_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::new(dir.path().join("memory"));
    let threads: Vec<_> = (0..8)
        .map(|n| {
            let folder = folder.clone();
            std::thread::spawn(move || {
                let mut kept = 0;
                for round in 0..25 {
                    let seq = n * 100 + round;
                    loop {
                        let before = folder.headers().0.pop().and_then(|header| header.place("a").cloned());
                        // Else somebody was quicker, or holds the lock for longer than a person would wait.
                        if folder.keep("d", before.as_ref(), place("a", seq), &[remembered(seq)]) == Ok(true)
                        {
                            break kept += 1;
                        }
                    }
                }
                kept
            })
        })
        .collect();
    let kept: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!((kept, read(&folder.file("d"), Whose::Own).unwrap().remembered.len()), (200, 200));
}

#[test]
fn a_line_that_was_cut_off_is_left_out_and_told() {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::new(dir.path().to_owned());
    folder.keep("d", None, place("a", 1), &[remembered(2), remembered(1)]).unwrap();
    let mut bytes = std::fs::read(folder.file("d")).unwrap();
    bytes.truncate(bytes.len() - 20);
    std::fs::write(folder.file("d"), bytes).unwrap();
    let file = read(&folder.file("d"), Whose::Own).unwrap();
    assert_eq!(file.remembered, [remembered(2)]);
    assert!(file.unread.is_some_and(|why| why.starts_with("1 line of ") && why.contains("d.memory")));
}

#[tokio::test]
async fn what_is_no_longer_under_the_name_is_not_remembered_and_not_said_to_be_done() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys.db");
    let store = Store::open(&Location::Sqlite(path.clone())).await.unwrap();
    let who = Identity { name: "ada".into(), host: "here".into(), client: None, person: Default::default() };
    let service = Service::with_identity(store, Clock::fixed(Instant::UNIX_EPOCH), who).await.unwrap();
    let service = service.with_memory(dir.path().join("memory"));
    assert!(service.remember().await.is_ok());
    // After the key was read back, and before the word.
    std::fs::rename(&path, dir.path().join("elsewhere.db")).unwrap();
    let error = service.remember().await.unwrap_err();
    assert!(matches!(error, Error::Store(store::Error::Replaced(_))), "{error}");
}
