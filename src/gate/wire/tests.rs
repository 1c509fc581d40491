use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// The notes on a stream that arrives in pieces of this size.
fn notes(stream: &[u8], piece: usize) -> Vec<Note> {
    let mut heads = Heads::default();
    let mut told = Vec::new();
    for chunk in stream.chunks(piece.max(1)) {
        heads.follow(chunk, |note| told.push(note));
    }
    told
}

/// For each request: for each of its key headers whether it is spelled exactly; `None` for doubt.
fn spelled(stream: &[u8]) -> Vec<Option<Vec<bool>>> {
    let whole = notes(stream, stream.len());
    for piece in [1, 2, 3, 7, 16, 61] {
        assert_eq!(notes(stream, piece), whole, "in pieces of {piece}");
    }
    let flags = |note: &Note| {
        let count = (0..=32).find(|count| note.is_exact(0, *count).is_some())?;
        Some((0..count).map(|n| note.is_exact(n, count).unwrap()).collect())
    };
    whole.iter().map(|note| if note.is_doubt() { None } else { flags(note) }).collect()
}

#[test]
fn the_spelling_of_each_request_is_noted_in_its_order() {
    let stream = b"GET /a HTTP/1.1\r\nHost: x\r\nX-API-Key: 1\r\n\r\n\
        GET /b HTTP/1.1\r\nx-api-key: 1\r\nX-API-Key: 2\r\n\r\n\
        GET /c HTTP/1.1\nX-Api-Key: 1\n\n";
    assert_eq!(spelled(stream), [Some(vec![true]), Some(vec![false, true]), Some(vec![false])]);
}

#[test]
fn a_body_is_passed_over_whatever_stands_in_it() {
    let body = "\r\n\r\nGET /inner HTTP/1.1\r\nX-API-Key: 1\r\n\r\n";
    let stream = format!(
        "POST /a HTTP/1.1\r\nx-api-key: 1\r\nContent-Length: {}\r\n\r\n{body}GET /b HTTP/1.1\r\nX-API-Key: 1\r\n\r\n",
        body.len()
    );
    assert_eq!(spelled(stream.as_bytes()), [Some(vec![false]), Some(vec![true])]);
}

#[test]
fn what_can_not_be_followed_is_in_doubt_and_so_is_all_behind_it() {
    for bad in [
        "Transfer-Encoding: chunked",
        "Content-Length: 3\r\nContent-Length: 3",
        "Content-Length: +3",
        "Content-Length: ",
        "Content-Length: 99999999999999999999",
        "no colon",
        " folded: line",
        "X-API-Key : 1",
    ] {
        let stream = format!("GET /a HTTP/1.1\r\n{bad}\r\n\r\nGET /b HTTP/1.1\r\nX-API-Key: 1\r\n\r\n");
        assert_eq!(spelled(stream.as_bytes()), [None], "{bad}");
    }
}

#[test]
fn a_note_that_does_not_fit_the_request_says_nothing() {
    let note = notes(b"GET / HTTP/1.1\r\nX-API-Key: 1\r\n\r\n", 999)[0];
    assert_eq!(note.is_exact(0, 1), Some(true));
    assert_eq!(note.is_exact(0, 2), None);
    assert_eq!(Note::DOUBT.is_exact(0, 1), None);
    assert_eq!(Notes::default().next(), Note::DOUBT);
}

#[test]
fn more_key_headers_than_can_be_noted_are_in_doubt() {
    let stream = format!("GET / HTTP/1.1\r\n{}\r\n", "X-API-Key: 1\r\n".repeat(33));
    assert_eq!(spelled(stream.as_bytes()), [None]);
}

#[test]
fn a_line_without_end_takes_bounded_memory() {
    let mut heads = Heads::default();
    for _ in 0..1_000 {
        heads.follow(&[b'a'; 1_024], |_| panic!("a head came to its end"));
    }
    assert!(!heads.is_inside());
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(stream in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400), piece in 1usize..50) {
        proptest::prop_assert_eq!(notes(&stream, piece), notes(&stream, 400));
    }
}

const SOON: Duration = Duration::from_millis(200);
const PATIENCE: Patience = Patience { first: SOON, head: SOON, answer: SOON };

#[tokio::test]
async fn a_head_that_does_not_end_ends_the_connection() {
    let (mut caller, gate) = tokio::io::duplex(1_024);
    let mut wire = Wire::new(gate, Notes::default(), PATIENCE);
    let mut buffer = [0; 100];
    caller.write_all(b"GET / HTTP/1.1\r\nX: ").await.unwrap();
    assert!(wire.read(&mut buffer).await.unwrap() > 0);
    let begun = Instant::now();
    // A byte now and then does not help.
    let drip = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if caller.write_all(b"a").await.is_err() {
                break;
            }
        }
    });
    let error = loop {
        if let Err(error) = wire.read(&mut buffer).await {
            break error;
        }
    };
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(begun.elapsed() >= Duration::from_millis(200));
    drip.abort();
}

#[tokio::test]
async fn between_requests_a_caller_may_be_silent() {
    let (mut caller, gate) = tokio::io::duplex(1_024);
    let mut wire = Wire::new(gate, Notes::default(), PATIENCE);
    let mut buffer = [0; 100];
    caller.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert!(wire.read(&mut buffer).await.unwrap() > 0);
    let silent = tokio::time::timeout(Duration::from_millis(500), wire.read(&mut buffer)).await;
    assert!(silent.is_err(), "the connection ended");
}

#[tokio::test]
async fn an_answer_that_nobody_takes_ends_the_connection() {
    let (_caller, gate) = tokio::io::duplex(16);
    let mut wire = Wire::new(gate, Notes::default(), PATIENCE);
    let error = wire.write_all(&[0; 1_000]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
}

#[tokio::test]
async fn what_a_caller_still_writes_is_taken_so_that_it_can_read_its_answer() {
    let (mut caller, gate) = tokio::io::duplex(64);
    let mut wire = Wire::new(gate, Notes::default(), PATIENCE);
    let writing = tokio::spawn(async move {
        caller.write_all(&[b'a'; 10_000]).await.unwrap();
        let mut read = Vec::new();
        drop(tokio::time::timeout(Duration::from_millis(100), caller.read_to_end(&mut read)).await);
    });
    let begun = Instant::now();
    wire.shutdown().await.unwrap();
    writing.await.unwrap();
    assert!(begun.elapsed() < Duration::from_millis(900));
    let (_silent, gate) = tokio::io::duplex(64);
    Wire::new(gate, Notes::default(), PATIENCE).shutdown().await.unwrap();
    assert!(begun.elapsed() >= FAREWELL, "who does not close is waited for, but not for ever");
}

#[test]
fn what_the_library_cuts_off_a_target_is_noted() {
    let cut = |stream: &str| notes(stream.as_bytes(), 7).iter().map(Note::is_cut).collect::<Vec<_>>();
    assert_eq!(
        cut("GET /a HTTP/1.1\r\n\r\nGET /a#/../b HTTP/1.1\r\nX: #\r\n\r\nGET / HTTP/1.1\r\nX: #\r\n\r\n"),
        [false, true, false]
    );
    assert_eq!(cut("POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), [false]);
    assert!(Note::DOUBT.is_cut());
}

#[tokio::test]
async fn a_greeting_that_does_not_come_to_its_end_ends_the_connection() {
    let (mut caller, gate) = tokio::io::duplex(1_024);
    let mut wire = Wire::http2(gate, PATIENCE);
    let mut buffer = [0; 100];
    caller.write_all(b"PRI * HTTP/2.0\r\n").await.unwrap();
    let error = loop {
        if let Err(error) = wire.read(&mut buffer).await {
            break error;
        }
    };
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    let (mut caller, gate) = tokio::io::duplex(1_024);
    let mut wire = Wire::http2(gate, PATIENCE);
    caller.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    assert_eq!(wire.read(&mut buffer).await.unwrap(), 24);
    let silent = tokio::time::timeout(Duration::from_millis(500), wire.read(&mut buffer)).await;
    assert!(silent.is_err(), "what follows is HTTP/2's own affair");
}
