use tokio::io::duplex;
use tokio::time::Duration;

use super::*;

/// What is heard of a server that says `bytes` and then closes.
async fn heard(bytes: &[u8]) -> Result<Reply, Broken> {
    let (ours, mut theirs) = duplex(1 << 20);
    theirs.write_all(bytes).await.unwrap();
    drop(theirs);
    Talk::new(ours).hear(Instant::now() + Duration::from_secs(5)).await
}

#[tokio::test]
async fn a_reply_has_one_line_or_several() {
    assert_eq!(heard(b"250 ok\r\n").await.unwrap(), Reply { code: 250, lines: vec!["ok".into()] });
    assert_eq!(heard(b"250-a\r\n250-\r\n250\r\n").await.unwrap().lines, ["a", "", ""]);
    // A bare line feed ends a line too, and what is no UTF-8 is replaced.
    assert_eq!(heard(b"550 f\xfcr\n").await.unwrap().words(), "550 f\u{FFFD}r");
    assert_eq!(heard(b"250 \x1b[31m\xe2\x80\xae\r\n").await.unwrap().words(), "250 \u{FFFD}[31m\u{FFFD}");
}

#[tokio::test]
async fn what_is_no_reply_is_babble() {
    for bytes in [
        &b"hello\r\n"[..],
        b"25\r\n",
        b"250+ok\r\n",
        b"999 ok\r\n",
        b"100 ok\r\n",
        b"\xff\xfe\xfd ok\r\n",
        b"250-a\r\n550 b\r\n",
        b"\r\n",
        b"\0\0\0\0\r\n",
    ] {
        assert!(matches!(heard(bytes).await, Err(Broken::Babble(_))), "{bytes:?}");
    }
    assert!(matches!(heard(b"250 half").await, Err(Broken::Closed)));
    assert!(matches!(heard(b"250-more\r\n").await, Err(Broken::Closed)));
    assert!(matches!(heard(b"").await, Err(Broken::Closed)));
}

#[tokio::test]
async fn a_reply_or_a_line_without_end_is_given_up_before_it_fills_the_memory() {
    let endless = b"250-again\r\n".repeat(20_000);
    assert!(matches!(heard(&endless).await, Err(Broken::Babble("a reply without end"))));
    let long = vec![b'2'; 100_000];
    assert!(matches!(heard(&long).await, Err(Broken::Babble("a line without end"))));
}

#[tokio::test]
async fn words_are_cut_after_300_characters() {
    let reply = heard(format!("250 {}\r\n", "ä".repeat(1000)).as_bytes()).await.unwrap();
    assert_eq!(reply.words().chars().count(), 301);
}

#[tokio::test]
async fn an_answer_before_the_question_is_not_taken_for_its_answer() {
    let (ours, mut theirs) = duplex(1000);
    theirs.write_all(b"220 hello\r\n250 too early\r\n").await.unwrap();
    let mut talk = Talk::new(ours);
    let by = Instant::now() + Duration::from_secs(5);
    assert_eq!(talk.hear(by).await.unwrap().code, 220);
    assert!(matches!(talk.say("EHLO x\r\n", by).await, Err(Broken::Babble(_))));
    assert!(talk.into_stream().is_err());
}

#[tokio::test]
async fn silence_ends_with_the_deadline_and_a_drip_does_not_put_it_off() {
    let (ours, mut theirs) = duplex(1000);
    let dripping = tokio::spawn(async move {
        for byte in b"250 a very long answer that never ends".iter().cycle() {
            if theirs.write_all(&[*byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let start = Instant::now();
    let mut talk = Talk::new(ours);
    assert!(matches!(talk.hear(start + Duration::from_millis(200)).await, Err(Broken::Silent)));
    assert!(start.elapsed() >= Duration::from_millis(200));
    drop(talk);
    dripping.await.unwrap();
}
